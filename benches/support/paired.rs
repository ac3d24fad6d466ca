//! Measuring in turn: A, B, A, B, so that whatever else the machine does meets both alike.

use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;

/// One of the things that are measured in turn: it does its work once and gives its own measure.
pub type Arm<'a> = Box<dyn FnMut() -> f64 + 'a>;

/// The measures of each arm, round by round, after one round to warm up.
pub fn in_turn(rounds: usize, arms: &mut [Arm<'_>]) -> Vec<Vec<f64>> {
    let mut measures = vec![Vec::with_capacity(rounds); arms.len()];
    for round in 0..=rounds {
        for (arm, measures) in arms.iter_mut().zip(&mut measures) {
            let measure = arm();
            if round > 0 {
                measures.push(measure);
            }
        }
    }
    measures
}

/// The middle of some numbers.
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[len / 2],
        len => f64::midpoint(sorted[len / 2 - 1], sorted[len / 2]),
    }
}

/// The median of pairwise ratios, A to B.
pub fn ratio(a: &[f64], b: &[f64]) -> f64 {
    let ratios: Vec<f64> = a.iter().zip(b).map(|(a, b)| a / b).collect();
    median(&ratios)
}

/// The median time of a call over so many, in microseconds.
pub fn micros_of(calls: usize, mut call: impl FnMut(usize)) -> f64 {
    let times: Vec<f64> = (0..calls)
        .map(|i| {
            let began = Instant::now();
            call(i);
            began.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    median(&times)
}

/// The median CPU time of a call over so many, in microseconds: for work on this thread alone, the time that it takes
/// where nothing else runs, whatever else does.
pub fn cpu_micros_of(calls: usize, mut call: impl FnMut(usize)) -> f64 {
    let times: Vec<f64> = (0..calls)
        .map(|i| {
            let began = thread_cpu();
            call(i);
            (thread_cpu() - began) * 1e6
        })
        .collect();
    median(&times)
}

/// CPU time of this process so far, all threads, in seconds.
pub fn process_cpu() -> f64 {
    cpu(ClockId::ProcessCPUTime)
}

/// CPU time of this thread so far, in seconds.
pub fn thread_cpu() -> f64 {
    cpu(ClockId::ThreadCPUTime)
}

fn cpu(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Binds this process, and the children it will have, to one of the CPUs that it may use; false where it can't.
pub fn pin() -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let Ok(allowed) = sched_getaffinity(None) else { return false };
        let Some(last) = (0..CpuSet::MAX_CPU).rev().find(|cpu| allowed.is_set(*cpu)) else { return false };
        let mut one = CpuSet::new();
        one.set(last);
        sched_setaffinity(None, &one).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    false
}

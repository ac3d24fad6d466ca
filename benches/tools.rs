//! Every tool over some 100,000 runs: its time, its floor, and what the runs outside its window cost.
//!
//! The window lies in a cache of ten times as many runs, and in one that holds nothing else. There the answers must be
//! the same, which is the oracle, and the times too, which is the goal; and a window of long past must cost what the
//! newest one does. Times are CPU time of warm calls, which is what a call takes on a machine with nothing else to do.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has nothing better to do than stop and say so"
)]
#![allow(clippy::cast_precision_loss, reason = "measures are shown with three digits")]

mod support;

use serde_json::{Value, json};
use std::{collections::BTreeSet, hint::black_box, process::ExitCode, time::Instant};
use support::{
    Start,
    asks::{Arguments, Ask, Budget, Floor, Reach, Served, asks},
    cache::{self, Cache},
    goals::Goals,
    paired::{Arm, cpu_micros_of, in_turn, median, ratio},
    rows::last_day,
    scan::Scan,
};
use visibility_mcp::model::DayRange;

/// Reads the network, so there is no time to keep.
const NOT_MEASURED: [&str; 1] = ["sync_now"];

/// So many runs are planned for a day; some fail.
const RUNS_PER_DAY: f64 = 3_000.0;

fn main() -> ExitCode {
    match Start::read() {
        Start::Child(words) => {
            println!("{}", cache::build(&words[1], &words[2]));
            ExitCode::SUCCESS
        }
        Start::Measure { short, rebuild } => {
            let mut goals = Goals::default();
            let sizes =
                if short { [("3k", 1), ("6k", 2), ("10k", 4)] } else { [("100k", 34), ("200k", 68), ("1M", 334)] };
            let caches = sizes.map(|(name, days)| cache::cache(name, days, rebuild));
            let found = Measured::of(&caches);
            found.oracle(&mut goals);
            if short {
                for ask in &found.asks {
                    let micros = cpu_micros_of(1, |_| drop(found.large.call(ask.tool, &ask.arguments)));
                    goals.note("tool", &ask.name, micros / 1_000.0, "ms");
                }
            } else {
                found.asks.iter().for_each(|ask| found.measure(&mut goals, ask));
            }
            goals.finish()
        }
    }
}

/// The caches, open, and what is asked of them.
struct Measured<'a> {
    caches: &'a [Cache; 3],
    /// That hold the window alone, and with the one before.
    alone: [Served; 2],
    large: Served,
    scan: Scan,
    days: DayRange,
    asks: Vec<Ask>,
}

impl<'a> Measured<'a> {
    fn of(caches: &'a [Cache; 3]) -> Self {
        let [one, two, large] = caches;
        let days = DayRange::ending(last_day(), one.days);
        let asks = asks(one, days).into_iter().filter(|ask| chosen(&ask.name)).collect();
        Self {
            caches,
            alone: [Served::of(one), Served::of(two)],
            large: Served::of(large),
            scan: Scan::packed_only(&large.path),
            days,
            asks,
        }
    }

    fn alone(&self, ask: &Ask) -> (&Served, &str) {
        let at = usize::from(ask.reach == Reach::Two);
        (&self.alone[at], self.caches[at].name)
    }

    /// The answers about a window do not depend on what else is in the cache, and no tool is forgotten.
    fn oracle(&self, goals: &mut Goals) {
        let mut missing: BTreeSet<&str> = self.large.tools().into_iter().collect();
        for asked in self.asks.iter().map(|ask| ask.tool).chain(NOT_MEASURED) {
            missing.remove(asked);
        }
        if !missing.is_empty() && chosen("") {
            goals.oracle("every tool is measured", Err(format!("not {missing:?}")));
        }
        for ask in self.asks.iter().filter(|ask| ask.reach != Reach::All) {
            let (alone, name) = self.alone(ask);
            let [a, b] = [alone, &self.large].map(|served| bare(served.call(ask.tool, &ask.arguments)));
            let what = format!("{}: the answer is that of {name}", ask.name);
            goals.oracle(&what, difference(&a, &b, "").map_or_else(|| Ok(a.to_string().len()), Err));
        }
    }

    fn measure(&self, goals: &mut Goals, ask: &Ask) {
        let (alone, name) = self.alone(ask);
        let past = self.long_past(&ask.arguments);
        let began = Instant::now();
        drop(black_box(self.large.call(ask.tool, &ask.arguments)));
        // Warm since the oracle has asked it. So many calls that a round is neither lost in noise nor waited for.
        let millis = began.elapsed().as_secs_f64() * 1_000.0;
        let (rounds, calls) = match millis {
            0.0..2.0 => (7, 100),
            2.0..20.0 => (7, 11),
            20.0..200.0 => (5, 3),
            200.0..1_000.0 => (3, 1),
            _ => (1, 1),
        };
        // All rows of a window take longer than a call that stops early.
        let floors = if matches!(ask.floor, Floor::Rows(_)) { 1 } else { calls };
        let call = |served: &Served, arguments: &Arguments| {
            cpu_micros_of(calls, |_| drop(black_box(served.call(ask.tool, arguments))))
        };
        let mut arms: Vec<Arm<'_>> =
            vec![Box::new(|| call(&self.large, &ask.arguments)), Box::new(|| call(alone, &ask.arguments))];
        arms.push(Box::new(|| cpu_micros_of(floors, |_| _ = black_box(self.floor(&ask.floor)))));
        if let Some(past) = &past {
            arms.push(Box::new(|| call(&self.large, past)));
        }
        let times = in_turn(rounds, &mut arms);
        let time = median(&times[0]);
        match ask.budget {
            Budget::Micros(goal, most) => goals.at_most(goal, &ask.name, time / 1_000.0, most / 1_000.0, "ms"),
            Budget::PerRun(windows) => {
                goals.note("Q6", &ask.name, time / 1_000.0, "ms");
                let runs = f64::from(windows * self.days.days()) * RUNS_PER_DAY;
                goals.at_most("Q6", &format!("{}: a run", ask.name), time / runs, 8.0, "us");
            }
        }
        if !ask.floor.name().is_empty() {
            goals.note(
                "floor",
                &format!("{}, beside {}", ask.name, ask.floor.name()),
                ratio(&times[0], &times[2]),
                "x",
            );
        }
        let growth = ratio(&times[0], &times[1]);
        goals.at_most("growth", &format!("{}, 1M beside {name}", ask.name), growth, 2.0, "x");
        if let Some(past) = times.get(3) {
            goals.at_most(
                "growth",
                &format!("{}, long past beside newest", ask.name),
                ratio(past, &times[0]),
                2.0,
                "x",
            );
        }
    }

    /// The same of the oldest days that have as many before them.
    fn long_past(&self, arguments: &Arguments) -> Option<Arguments> {
        arguments.get("period")?;
        let length = self.days.days();
        let last = last_day().plus(2 * length - self.caches[2].days);
        let mut past = arguments.clone();
        past.insert("period".to_owned(), json!(DayRange::ending(last, length).to_string()));
        Some(past)
    }

    fn floor(&self, floor: &Floor) -> u64 {
        let (scan, now, before) = (&self.scan, self.days, self.days.before());
        match floor {
            Floor::Cells(1) => scan.of_packed(now),
            Floor::Cells(_) => scan.of_packed(now) + scan.of_packed(before),
            Floor::Brands => scan.of_brands(now),
            Floor::Sources(1) => scan.of_sources(now) + scan.of_packed(now),
            Floor::Sources(_) => {
                scan.of_sources(now) + scan.of_sources(before) + scan.of_packed(now) + scan.of_packed(before)
            }
            Floor::Rows(sql) | Floor::Find(sql) => scan.of_statement(sql) as u64,
            Floor::None => 0,
        }
    }
}

/// Is this among the calls that the command line names by `--only WORD`? All are where it names none.
fn chosen(name: &str) -> bool {
    let words: Vec<String> = std::env::args().collect();
    let at = words.iter().position(|word| word == "--only").map(|at| at + 1);
    at.and_then(|at| words.get(at)).is_none_or(|only| name.contains(only))
}

/// An answer without what says how fresh it is: that is of the whole cache.
fn bare(mut answer: Value) -> Value {
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("as_of");
    }
    answer
}

/// Where two answers differ first.
fn difference(a: &Value, b: &Value, place: &str) -> Option<String> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let of = |map: &Arguments, key: &String| map.get(key).cloned().unwrap_or(Value::Null);
            keys.into_iter().find_map(|key| difference(&of(a, key), &of(b, key), &format!("{place}/{key}")))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(i, (a, b))| difference(a, b, &format!("{place}/{i}")))
        }
        _ => (a != b).then(|| format!("{place}: {a} is not {b}")),
    }
}

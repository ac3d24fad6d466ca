//! Goals S1-S4, S6 and D1: what a sync costs beside the floor of writing the same rows by hand, and what it leaves.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has nothing better to do than stop and say so"
)]
#![allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "measures are shown with three digits")]

mod support;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Instant,
};
use support::{
    Start, cache, floor,
    goals::Goals,
    paired::{Arm, in_turn, median, process_cpu, ratio},
    rows::{PAGES_PER_DAY, Rows},
    tracker::{Place, Supply, Tracker, load, project_key},
};
use visibility_mcp::{
    model::ProjectKey,
    store::{Direction, RunFilter, RunSort, Store},
    upstream::{Page, verseodin::decode_prompts},
};

fn main() -> ExitCode {
    match Start::read() {
        Start::Child(words) => {
            println!("{}", cache::build(&words[1], &words[2]));
            ExitCode::SUCCESS
        }
        Start::Measure { short, rebuild } => {
            let mut goals = Goals::default();
            in_pairs(&mut goals, if short { (1, 1) } else { (3, 5) });
            growth(&mut goals, &cache::caches(if short { 1 } else { 3 }, rebuild));
            goals.finish()
        }
    }
}

/// The pages of some days, as JSON and decoded.
struct Pages {
    rows: Rows,
    bodies: Arc<HashMap<Place, String>>,
    parsed: Vec<(Place, Page)>,
    project: ProjectKey,
}

impl Pages {
    fn of(days: i32) -> Self {
        let rows = Rows::of(days);
        let project = rows.project();
        let places = || rows.days().into_iter().flat_map(|day| (0..PAGES_PER_DAY).map(move |page| (day, page)));
        let bodies: HashMap<Place, String> = places().map(|place| (place, rows.body(place.0, place.1))).collect();
        let parsed =
            places().map(|place| (place, decode_prompts(&project, bodies[&place].as_bytes()).unwrap())).collect();
        Self { project: project_key(&project), bodies: Arc::new(bodies), parsed, rows }
    }
}

/// A folder for files that each round makes anew.
struct Files(PathBuf);

impl Files {
    fn fresh(&self, name: &str) -> PathBuf {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(self.0.join(format!("{name}{suffix}")));
        }
        self.0.join(name)
    }
}

/// The time of some work in seconds; its CPU time goes to the list.
fn timed(cpu: &mut Vec<f64>, work: impl FnOnce()) -> f64 {
    let (began, used) = (Instant::now(), process_cpu());
    work();
    cpu.push(process_cpu() - used);
    began.elapsed().as_secs_f64()
}

fn in_pairs(goals: &mut Goals, (days, rounds): (i32, usize)) {
    let pages = Pages::of(days);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-ingest");
    std::fs::create_dir_all(&folder).unwrap();
    let files = Files(folder);
    let parsed: Vec<Page> = pages.parsed.iter().map(|(_, page)| page.clone()).collect();
    let runs = parsed.iter().map(|page| page.runs.len()).sum::<usize>() as f64;
    let cpu: [Mutex<Vec<f64>>; 5] = Default::default();
    let kept = |arm: usize, work: &mut dyn FnMut()| timed(&mut cpu[arm].lock().unwrap(), work);
    let synced: Mutex<Option<Arc<Tracker>>> = Mutex::default();
    let mut arms: Vec<Arm<'_>> = vec![
        Box::new(|| {
            let file = files.fresh("floor");
            kept(0, &mut || floor::insert(&file, &parsed, true))
        }),
        Box::new(|| {
            let file = files.fresh("floor-lean");
            kept(1, &mut || floor::insert(&file, &parsed, false))
        }),
        Box::new(|| {
            let supply = Supply::Parsed(Mutex::new(pages.parsed.iter().cloned().collect()));
            let (tracker, file) = (Tracker::new(&pages.rows, supply), files.fresh("parsed"));
            kept(2, &mut || drop(load(&tracker, &file)))
        }),
        Box::new(|| {
            let tracker = Tracker::new(&pages.rows, Supply::Bodies(Arc::clone(&pages.bodies)));
            let file = files.fresh("synced");
            let time = kept(3, &mut || drop(load(&tracker, &file)));
            *synced.lock().unwrap() = Some(tracker);
            time
        }),
        Box::new(|| {
            let tracker = synced.lock().unwrap().take().unwrap();
            tracker.state.fetch_add(1, Ordering::Relaxed);
            let file = files.0.join("synced");
            kept(4, &mut || {
                let report = load(&tracker, &file);
                assert_eq!(report.sources[0].counts.unchanged as f64, runs, "{report:?}");
            })
        }),
    ];
    let times = in_turn(rounds, &mut arms);
    drop(arms);
    let per_run = |arm: usize| median(&times[arm]) / runs * 1e6;
    for (arm, what) in [
        "floor: parsed rows by hand, records as text",
        "floor, without the upstream's records",
        "sync of parsed pages",
        "sync of JSON pages, all in",
        "sync of unchanged JSON pages",
    ]
    .iter()
    .enumerate()
    {
        goals.note("S", &format!("{what}: time per run"), per_run(arm), "us");
        goals.note("S", &format!("{what}: CPU per run"), median(&cpu[arm].lock().unwrap()) / runs * 1e6, "us");
    }
    let cpu = cpu.map(|cpu| cpu.into_inner().unwrap().split_off(1));
    goals.at_least(
        "S1",
        "speed of decode + insert beside insert of parsed pages",
        ratio(&times[2], &times[3]),
        0.8,
        "x",
    );
    goals.at_least("S1", "the same by CPU time", ratio(&cpu[2], &cpu[3]), 0.8, "x");
    goals.at_least(
        "S2",
        "speed of all in (zstd, full text, rollups) beside the floor",
        ratio(&times[0], &times[3]),
        0.33,
        "x",
    );
    goals.note("S2", "the same beside the floor without records", ratio(&times[1], &times[3]), "x");
    goals.at_least("S3", "speed of a sync of unchanged pages beside the first", ratio(&times[3], &times[4]), 3.0, "x");
    goals.oracle("rows read back are the rows sent", same_rows(&files.0.join("synced"), &pages));
}

/// Every run that was sent is in the cache, with its answer and its citations, and no other.
fn same_rows(file: &Path, pages: &Pages) -> Result<usize, String> {
    let reader = Store::at(file).reader().unwrap();
    let mut compared = 0;
    for (_, page) in &pages.parsed {
        for run in page.runs.iter().step_by(7) {
            let id = visibility_mcp::model::RunId::of(&pages.project, &run.key);
            let found = reader.run_details(id, None).unwrap().ok_or_else(|| format!("{} is missing", run.key))?;
            let urls: Vec<&str> = found.citations.iter().map(|citation| citation.url.as_str()).collect();
            let sent: Vec<&str> = run.citations.iter().flatten().map(|citation| citation.url.as_str()).collect();
            if found.answer != run.answer || urls != sent || found.row.status != run.status {
                return Err(format!("{} differs", run.key));
            }
            if reader.raw_record(id).unwrap().as_ref() != Some(&run.raw) {
                return Err(format!("the record of {} differs", run.key));
            }
            compared += 1;
        }
    }
    let sent: usize = pages.parsed.iter().map(|(_, page)| page.runs.len()).sum();
    let filter = RunFilter::default();
    let stored = reader.count_runs(&pages.project, &filter, usize::MAX >> 1).unwrap();
    let (newest, _) =
        reader.runs(&pages.project, &filter, (RunSort::CreatedAt, Direction::default()), None, 1).unwrap();
    if stored != sent as u64 || newest.len() != 1 {
        return Err(format!("{stored} runs stored, {sent} sent"));
    }
    Ok(compared)
}

fn growth(goals: &mut Goals, caches: &[cache::Cache]) {
    for cache in caches {
        let built = &cache.built;
        let (name, runs) = (cache.name, built.runs as f64);
        goals.note("S", &format!("{name}: runs per second, rows made beside it"), runs / built.seconds, "");
        goals.note("S4", &format!("{name}: CPU per run"), built.cpu_seconds / runs * 1e6, "us");
        goals.note(
            "S6",
            &format!("{name}: peak memory of a sync of {} pages", built.pages),
            mb(built.peak_bytes),
            "MB",
        );
        goals.note("D1", &format!("{name}: payload per run"), built.payload_bytes as f64 / runs, "bytes");
        let ratio = built.file_bytes as f64 / built.payload_bytes as f64;
        goals.at_most("D1", &format!("{name}: file beside payload, with full text"), ratio, 1.15, "x");
    }
    if let [small, middle, large] = caches {
        let cpu = |cache: &cache::Cache| cache.built.cpu_seconds / cache.built.runs as f64;
        goals.at_most("S4", "CPU per run, 1M beside 100k", cpu(large) / cpu(middle), 2.0, "x");
        goals.at_most("S6", "peak memory at 1,002 pages", mb(large.built.peak_bytes), 128.0, "MB");
        let growth = large.built.peak_bytes as f64 / middle.built.peak_bytes as f64;
        goals.note("S6", "peak memory, 1,002 pages beside 102", growth, "x");
        goals.note("S4", "CPU per run, 1M beside 10k", cpu(large) / cpu(small), "x");
    }
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

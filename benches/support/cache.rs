//! The caches that are measured, built once by a child process and kept under the target folder.

use super::{
    child,
    paired::process_cpu,
    rows::Rows,
    tracker::{Supply, Tracker, load, project_key},
};
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};
use visibility_mcp::{
    model::{BrandKey, BrandKind, ProjectKey},
    store::{Reader, Store},
};
use xxhash_rust::xxh3::xxh3_64;

/// The schema: what is built for another one is built anew.
const SCHEMA: &str = include_str!("../../src/store/schema.sql");
/// And so is what other rows are in.
const ROWS: &str = include_str!("rows.rs");

/// A cache, and what building it took.
pub struct Cache {
    /// Its name in tables.
    pub name: &'static str,
    /// The file.
    pub path: PathBuf,
    /// How many days are in it.
    pub days: i32,
    /// Its project.
    pub project: ProjectKey,
    /// The brand keys, the project's own first.
    pub brands: Vec<BrandKey>,
    /// What building it took.
    pub built: Built,
}

/// What building a cache took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Built {
    /// Runs in it.
    pub runs: u64,
    /// Pages of at most 1,000 runs.
    pub pages: u64,
    /// Seconds, the making of the rows included.
    pub seconds: f64,
    /// Seconds of CPU time, the making of the rows left out.
    pub cpu_seconds: f64,
    /// Answers and values.
    pub payload_bytes: u64,
    /// The file after its checkpoint.
    pub file_bytes: u64,
    /// The most memory that the process held, in bytes.
    pub peak_bytes: u64,
}

/// Names and days of the sizes.
pub const SIZES: [(&str, i32); 3] = [("10k", 4), ("100k", 34), ("1M", 334)];

/// The caches of the first so many sizes, built where they are missing.
pub fn caches(sizes: usize, rebuild: bool) -> Vec<Cache> {
    SIZES[..sizes].iter().map(|(name, days)| cache(name, *days, rebuild)).collect()
}

/// A cache of so many days, built where it is missing.
pub fn cache(name: &'static str, days: i32, rebuild: bool) -> Cache {
    let state = xxh3_64(format!("{SCHEMA}{ROWS}").as_bytes());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{name}-{state:016x}"));
    let (path, marker) = (folder.join("cache.sqlite"), folder.join("built.json"));
    if rebuild || !marker.exists() {
        eprintln!("building the cache of {name} runs");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let began = Instant::now();
        let path = path.to_str().unwrap();
        let said = child::run(&["build", &days.to_string(), path]);
        std::fs::write(&marker, said).unwrap();
        eprintln!("built in {:.0} s", began.elapsed().as_secs_f64());
    }
    let built = serde_json::from_str(&std::fs::read_to_string(&marker).unwrap()).unwrap();
    let record = Rows::of(1).project();
    let mut brands = record.brands.clone();
    brands.sort_by_key(|brand| brand.kind != BrandKind::Own);
    let brands = brands.into_iter().map(|brand| brand.key).collect();
    Cache { name, path, days, project: project_key(&record), brands, built }
}

/// The child's part: builds a cache and says what it took.
pub fn build(days: &str, path: &str) -> String {
    let rows = Rows::of(days.parse().unwrap());
    let tracker = Tracker::new(&rows, Supply::Made(Box::new(Rows::of(days.parse().unwrap()))));
    let (began, cpu) = (Instant::now(), process_cpu());
    let report = load(&tracker, Path::new(path));
    let counts = report.sources[0].counts;
    let built = Built {
        runs: counts.added,
        pages: counts.pages,
        seconds: began.elapsed().as_secs_f64(),
        cpu_seconds: process_cpu() - cpu - tracker.making(),
        payload_bytes: tracker.payload(),
        file_bytes: std::fs::metadata(path).unwrap().len(),
        peak_bytes: child::status_bytes("self", "VmHWM").unwrap_or(0),
    };
    serde_json::to_string(&built).unwrap()
}

impl Cache {
    /// A reader of it.
    pub fn reader(&self) -> Reader {
        Store::at(&self.path).reader().unwrap()
    }

    /// The project's own brand.
    pub fn own(&self) -> &BrandKey {
        &self.brands[0]
    }
}

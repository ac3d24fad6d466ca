//! Micro-benchmarks with criterion, for comparing one change with another: decoding, cells, figures, lookups.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has nothing better to do than stop and say so"
)]

mod support;

use criterion::{Criterion, Throughput};
use std::{hint::black_box, process::ExitCode, time::Duration};
use support::{
    Start,
    cache::{self, Cache},
    rows::{Rows, last_day},
};
use visibility_mcp::{
    analysis::{Figures, by_engine, change},
    model::DayRange,
    store::{CellQuery, Direction, RunFilter, RunSort},
    upstream::verseodin::decode_prompts,
};

fn main() -> ExitCode {
    match Start::read() {
        Start::Child(words) => println!("{}", cache::build(&words[1], &words[2])),
        Start::Measure { short, rebuild } => {
            let cache = cache::caches(if short { 1 } else { 2 }, rebuild).pop().unwrap();
            let (sample, seconds) = if short { (10, 1) } else { (50, 5) };
            let mut criterion = Criterion::default().sample_size(sample).measurement_time(Duration::from_secs(seconds));
            if short {
                criterion = criterion.warm_up_time(Duration::from_millis(200));
            }
            decoding(&mut criterion);
            reading(&mut criterion, &cache);
            criterion.final_summary();
        }
    }
    ExitCode::SUCCESS
}

fn decoding(criterion: &mut Criterion) {
    let rows = Rows::of(1);
    let (project, body) = (rows.project(), rows.body(last_day(), 0));
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("a page of 1,000 rows", |bench| {
        bench.iter(|| decode_prompts(&project, black_box(body.as_bytes())).unwrap());
    });
    group.finish();
}

fn reading(criterion: &mut Criterion, cache: &Cache) {
    let reader = cache.reader();
    let days = DayRange::ending(last_day(), 30);
    let brand = cache.own();
    let query = CellQuery::new(&cache.project, brand, days);
    let mut group = criterion.benchmark_group(cache.name);
    group.bench_function("cells of 30 days", |bench| bench.iter(|| reader.cells(black_box(&query)).unwrap()));
    let (now, before) =
        (reader.cells(&query).unwrap(), reader.cells(&CellQuery { days: days.before(), ..query }).unwrap());
    group.bench_function("figures of their cells", |bench| bench.iter(|| Figures::of(black_box(&now.cells))));
    group.bench_function("figures by engine", |bench| bench.iter(|| by_engine(black_box(&now.cells))));
    group.bench_function("a change between windows", |bench| {
        bench.iter(|| change(black_box(&before.cells), &now.cells, |cell| (cell.cited, cell.citation_checked)));
    });
    let filter = RunFilter { brand: Some(brand.clone()), ..RunFilter::default() };
    let order = (RunSort::CreatedAt, Direction::Desc);
    let (rows, _) = reader.runs(&cache.project, &filter, order, None, 20).unwrap();
    group.bench_function("newest 20 runs", |bench| {
        bench.iter(|| reader.runs(&cache.project, black_box(&filter), order, None, 20).unwrap());
    });
    group.bench_function("run details", |bench| {
        bench.iter(|| reader.run_details(black_box(rows[3].id), Some(brand)).unwrap());
    });
    group.finish();
}

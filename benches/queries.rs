//! Goals Q1-Q3 and the budget of `brand_summary`: queries in process, on three sizes in turn, beside the raw query.

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

use rusqlite::Connection;
use serde_json::{Map, json};
use std::{collections::BTreeMap, hint::black_box, process::ExitCode};
use support::{
    Start,
    cache::{self, Cache},
    goals::Goals,
    paired::{Arm, in_turn, median, micros_of, ratio},
    rows::last_day,
    scan::Scan,
};
use visibility_mcp::{
    analysis::{Figures, by_engine, change},
    clock::Clock,
    mcp::{Backend, Limits, Setup},
    model::{BrandKey, DayRange, EngineRef, PromptId, RunId, Status},
    store::{
        CellQuery, CellTable, CitedBy, CitedOrder, CitedQuery, Direction, Domains, Reader, RunFilter, RunSort, Store,
    },
    tools,
};

fn main() -> ExitCode {
    match Start::read() {
        Start::Child(words) => {
            println!("{}", cache::build(&words[1], &words[2]));
            ExitCode::SUCCESS
        }
        Start::Measure { short, rebuild } => {
            let mut goals = Goals::default();
            let caches = cache::caches(if short { 1 } else { 3 }, rebuild);
            let rounds = if short { 3 } else { 9 };
            for cache in &caches {
                oracles(&mut goals, cache, short);
            }
            lookups(&mut goals, &caches, rounds);
            windows(&mut goals, &caches, rounds);
            goals.finish()
        }
    }
}

/// The last days of the data.
fn last(days: i32) -> DayRange {
    DayRange::ending(last_day(), days)
}

fn query<'a>(cache: &'a Cache, brand: &'a BrandKey, days: DayRange) -> CellQuery<'a> {
    CellQuery::new(&cache.project, brand, days)
}

/// Rollups against the raw query, on this data: brands, engines, windows, with branded prompts and without.
fn oracles(goals: &mut Goals, cache: &Cache, short: bool) {
    let reader = cache.reader();
    let mut checked = Ok(0);
    let brands = [0, 1, cache.brands.len() / 2, cache.brands.len() - 1];
    let windows = [last(30), last(1), DayRange::ending(last_day().plus(-2), 5)];
    for (brand, days) in brands.iter().flat_map(|brand| windows.map(|days| (&cache.brands[*brand], days))) {
        for (engine, include_branded) in [(None, false), (Some("chatgpt"), true)] {
            if !short && days == windows[0] && engine.is_some() {
                continue;
            }
            let query = CellQuery { engine, include_branded, ..query(cache, brand, days) };
            let (cells, raw) = (reader.cells(&query).unwrap(), reader.cells_from_rows(&query).unwrap());
            checked = checked.and_then(|count| Ok(count + same(&cells, &raw)?));
        }
    }
    goals.oracle(&format!("{}: cells are the raw query's", cache.name), checked);
    let days = last(7);
    let found = reader.top_domains(&cache.project, days, None, false, 20).unwrap();
    let found: Vec<(String, u64, u64)> = found.into_iter().map(|d| (d.domain, d.runs, d.citations)).collect();
    let raw = raw_domains(cache, days);
    let checked = if found == raw { Ok(found.len()) } else { Err(format!("{found:?} is not {raw:?}")) };
    goals.oracle(&format!("{}: top domains are the raw query's", cache.name), checked);
}

fn same(cells: &CellTable, raw: &CellTable) -> Result<usize, String> {
    let sorted = |table: &CellTable| {
        let mut rows: Vec<_> = table.cells.iter().copied().zip(table.gaps.iter().copied()).collect();
        rows.sort_by_key(|(cell, _)| (cell.prompt, cell.engine));
        rows
    };
    let names = |table: &CellTable| -> BTreeMap<EngineRef, String> { table.engines.clone() };
    if names(cells) != names(raw) || cells.branded_runs != raw.branded_runs {
        return Err("engines or branded runs differ".to_owned());
    }
    let (cells, raw) = (sorted(cells), sorted(raw));
    match cells.iter().zip(&raw).find(|(a, b)| a != b) {
        Some((cell, raw)) => Err(format!("{cell:?} is not {raw:?}")),
        None if cells.len() != raw.len() => Err(format!("{} cells, not {}", cells.len(), raw.len())),
        None => Ok(cells.len()),
    }
}

fn raw_domains(cache: &Cache, days: DayRange) -> Vec<(String, u64, u64)> {
    let connection = Connection::open(&cache.path).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT d.name, count(DISTINCT r.id), count(*) FROM run r JOIN prompt p ON p.id = r.prompt_id
             JOIN citation c ON c.run_id = r.id JOIN url u ON u.id = c.url_id JOIN domain d ON d.id = u.domain_id
             WHERE r.day BETWEEN ?1 AND ?2 AND r.status_id = 3 AND r.gone_at IS NULL AND p.branded = 0
             GROUP BY d.name ORDER BY 2 DESC, 3 DESC, 1 LIMIT 20",
        )
        .unwrap();
    let days = (days.first.epoch_days(), days.last.epoch_days());
    statement.query_map(days, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect()
}

/// Some prompts and runs of a cache, to look up in turn.
struct Known {
    reader: Reader,
    prompts: Vec<PromptId>,
    runs: Vec<RunId>,
}

impl Known {
    fn of(cache: &Cache) -> Self {
        let reader = cache.reader();
        let order = (RunSort::CreatedAt, Direction::Desc);
        let list = |filter: &RunFilter, limit| reader.runs(&cache.project, filter, order, None, limit).unwrap().0;
        let mut prompts: Vec<PromptId> = list(&RunFilter::default(), 1_200).iter().map(|run| run.prompt.id).collect();
        prompts.dedup();
        // Spread over the whole file: what is looked up is not only what was written last.
        let every = (cache.days / 60).max(1);
        let runs = (0..cache.days).step_by(usize::try_from(every).unwrap()).flat_map(|back| {
            let days = DayRange::ending(last_day().plus(-back), 1);
            list(&RunFilter { days: Some(days), status: Some(Status::Finished), ..RunFilter::default() }, 10)
        });
        let runs = runs.map(|run| run.id).collect();
        Self { reader, prompts, runs }
    }
}

fn lookups(goals: &mut Goals, caches: &[Cache], rounds: usize) {
    let known: Vec<Known> = caches.iter().map(Known::of).collect();
    let newest = |cache: usize| {
        let (cache, known) = (&caches[cache], &known[cache]);
        micros_of(2_000, |i| {
            let filter = RunFilter {
                brand: Some(cache.own().clone()),
                prompt: Some(known.prompts[i % known.prompts.len()]),
                ..RunFilter::default()
            };
            let order = (RunSort::CreatedAt, Direction::Desc);
            let (rows, _) = known.reader.runs(&cache.project, &filter, order, None, 20).unwrap();
            assert!(!black_box(rows).is_empty());
        })
    };
    let details = |cache: usize| {
        let (cache, known) = (&caches[cache], &known[cache]);
        micros_of(2_000, |i| {
            let run = known.runs[i % known.runs.len()];
            assert!(black_box(known.reader.run_details(run, Some(cache.own())).unwrap()).is_some());
        })
    };
    let sizes = caches.len();
    let mut arms: Vec<Arm<'_>> = Vec::new();
    for size in 0..sizes {
        arms.push(Box::new(move || newest(size)));
    }
    for size in 0..sizes {
        arms.push(Box::new(move || details(size)));
    }
    let times = in_turn(rounds, &mut arms);
    let (newest, details) = times.split_at(sizes);
    for (size, cache) in caches.iter().enumerate() {
        goals.at_most("Q1", &format!("{}: newest 20 runs of a prompt", cache.name), median(&newest[size]), 100.0, "us");
        goals.at_most("Q2", &format!("{}: run details", cache.name), median(&details[size]), 150.0, "us");
    }
    if sizes == 3 {
        goals.at_most("Q1", "1M beside 10k", ratio(&newest[2], &newest[0]), 2.0, "x");
        goals.at_most("Q2", "1M beside 10k", ratio(&details[2], &details[0]), 2.5, "x");
    }
}

fn windows(goals: &mut Goals, caches: &[Cache], rounds: usize) {
    let Some(largest) = caches.last() else { return };
    window(goals, largest, ("6,000", 2, 1_500.0), rounds);
    sources(goals, largest, ("6,000", 2), rounds);
    if let [_, middle, large] = caches {
        window(goals, large, ("90,000", 30, 15_000.0), rounds);
        sources(goals, large, ("90,000", 30), rounds);
        let readers = [middle.reader(), large.reader()];
        let cells = |cache: &Cache, reader: &Reader| {
            micros_of(15, |_| drop(black_box(reader.cells(&query(cache, cache.own(), last(30))).unwrap())))
        };
        let mut arms: Vec<Arm<'_>> =
            vec![Box::new(|| cells(middle, &readers[0])), Box::new(|| cells(large, &readers[1]))];
        let times = in_turn(rounds, &mut arms);
        goals.at_most("Q3", "the same window, 1M beside 100k", ratio(&times[1], &times[0]), 2.0, "x");
    }
}

/// A summary of one window and the one before it, beside what it is made of.
fn window(goals: &mut Goals, cache: &Cache, (runs, days, bound): (&str, i32, f64), rounds: usize) {
    let registry = tools::catalogue();
    let noon = last_day().plus(2).start() + jiff::SignedDuration::from_hours(12);
    let backend = Backend::new(Store::at(&cache.path), Clock::fixed(noon), Setup::default());
    let reader = cache.reader();
    let scan = Scan::of(&cache.path, last_day().epoch_days(), 2 * days);
    let (window, before) = (last(days), last(days).before());
    let arguments = Map::from_iter([("period".to_owned(), json!(window.to_string()))]);
    let (now_query, before_query) = (query(cache, cache.own(), window), query(cache, cache.own(), before));
    let (now, then) = (reader.cells(&now_query).unwrap(), reader.cells(&before_query).unwrap());
    let calls = if days > 7 { 15 } else { 100 };
    let of = |work: &dyn Fn()| micros_of(calls, |_| work());
    let mut arms: Vec<Arm<'_>> = vec![
        Box::new(|| {
            of(&|| drop(black_box(registry.call("brand_summary", &arguments, &backend, Limits::default()).unwrap())))
        }),
        Box::new(|| of(&|| _ = black_box(scan.of_rows(window) + scan.of_rows(before)))),
        Box::new(|| of(&|| _ = black_box(scan.of_packed(window) + scan.of_packed(before)))),
        Box::new(|| of(&|| drop(black_box(reader.cells(&now_query).unwrap())))),
        Box::new(|| micros_of(1, |_| drop(black_box(reader.cells_from_rows(&now_query).unwrap())))),
        Box::new(|| {
            of(&|| {
                black_box((Figures::of(&now.cells), by_engine(&now.cells)));
                black_box(change(&then.cells, &now.cells, |cell| (cell.present, cell.presence_checked)));
                black_box(change(&then.cells, &now.cells, |cell| (cell.mentioned, cell.mention_checked)));
                black_box(change(&then.cells, &now.cells, |cell| (cell.cited, cell.citation_checked)));
            })
        }),
        Box::new(|| of(&|| drop(black_box(reader.top_domains(&cache.project, window, None, false, 5).unwrap())))),
    ];
    let times = in_turn(rounds, &mut arms);
    let name = format!("{}, {runs} runs", cache.name);
    let parts = ["scan of both windows' cells as rows", "scan of both windows' packed cells", "cells of one window"];
    let more = ["the same by the raw query", "figures, engines and changes", "top domains"];
    goals.at_most("budget", &format!("{name}: brand_summary with intervals"), median(&times[0]), bound, "us");
    for (i, what) in parts.iter().chain(&more).enumerate() {
        goals.note("budget", &format!("{name}: {what}"), median(&times[i + 1]), "us");
    }
    let beside = |other: usize| ratio(&times[0], &times[other]);
    goals.at_most("budget", &format!("{name}: brand_summary beside the scan of rows"), beside(1), 1.3, "x");
    goals.note("budget", &format!("{name}: brand_summary beside the scan of packed cells"), beside(2), "x");
    goals.at_least("Q3", &format!("{name}: cells beside the raw query"), ratio(&times[4], &times[3]), 200.0, "x");
    if days > 7 {
        goals.at_most("Q8", &format!("{name}: top domains"), median(&times[6]), 5_000.0, "us");
    }
}

/// Cited domains of one window, by prompt and engine, from the rollups and by the raw query.
fn sources(goals: &mut Goals, cache: &Cache, (runs, days): (&str, i32), rounds: usize) {
    let registry = tools::catalogue();
    let noon = last_day().plus(2).start() + jiff::SignedDuration::from_hours(12);
    let backend = Backend::new(Store::at(&cache.path), Clock::fixed(noon), Setup::default());
    let reader = cache.reader();
    let arguments = Map::from_iter([("period".to_owned(), json!(last(days).to_string()))]);
    let query = CitedQuery {
        runs: query(cache, cache.own(), last(days)),
        by: CitedBy::Domain,
        domains: Domains::All,
        order: CitedOrder::Runs,
    };
    let name = format!("{}, {runs} runs", cache.name);
    let (fast, raw) = (reader.cited(&query, 100).unwrap(), reader.cited_from_rows(&query, 100).unwrap());
    let same = if fast == raw { Ok(fast.rows.len()) } else { Err(format!("{fast:?} is not {raw:?}")) };
    goals.oracle(&format!("{name}: cited domains are the raw query's"), same);
    let calls = if days > 7 { 15 } else { 100 };
    let mut arms: Vec<Arm<'_>> = vec![
        Box::new(|| micros_of(calls, |_| drop(black_box(reader.cited(&query, 10).unwrap())))),
        Box::new(|| micros_of(1, |_| drop(black_box(reader.cited_from_rows(&query, 10).unwrap())))),
        Box::new(|| {
            micros_of(calls, |_| {
                drop(black_box(registry.call("top_citations", &arguments, &backend, Limits::default()).unwrap()));
            })
        }),
    ];
    let times = in_turn(rounds, &mut arms);
    goals.note("sources", &format!("{name}: cited domains"), median(&times[0]), "us");
    goals.note("sources", &format!("{name}: the same by the raw query"), median(&times[1]), "us");
    goals.note("sources", &format!("{name}: beside the raw query"), ratio(&times[1], &times[0]), "x");
    goals.note("sources", &format!("{name}: top_citations, changes of 100 tested"), median(&times[2]), "us");
}

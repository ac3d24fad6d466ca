//! Tests of cited domains and URLs, and of gaps.

use super::{
    sorted,
    world::{World, run},
};
use crate::{
    model::*,
    store::{
        CellQuery, CitedBy, CitedList, CitedOrder, CitedQuery, CitedRow, Direction, Domains, Reader, RunFilter, RunSort,
    },
};
use std::collections::{BTreeMap, BTreeSet};

const BRANDS: [&str; 3] = ["own", "rival", "other"];

fn days(first: i32, last: i32) -> DayRange {
    DayRange { first: Day::from_epoch_days(first), last: Day::from_epoch_days(last) }
}

/// A list without labels.
fn counts(list: &CitedList) -> Vec<(String, Option<String>, [u64; 4])> {
    let row = |row: &CitedRow| {
        (row.name.clone(), row.domain.clone(), [row.runs, row.citations, row.gap_runs, row.present_runs])
    };
    list.rows.iter().map(row).collect()
}

fn of(runs: CellQuery<'_>, by: CitedBy, order: CitedOrder) -> CitedQuery<'_> {
    CitedQuery { runs, by, domains: Domains::All, order }
}

/// The rollups against the rows, and what must add up.
fn check(reader: &Reader, world: &World, case: &str) {
    for (name, engine, topic, include_branded, days) in [
        ("own", None, None, false, days(20_000, 20_009)),
        ("own", None, None, true, days(20_002, 20_006)),
        ("own", Some("gemini"), None, true, days(20_000, 20_009)),
        ("own", None, Some("topic 1"), false, days(20_000, 20_009)),
        ("rival", None, None, false, days(20_000, 20_009)),
        ("other", None, Some("topic 0"), true, days(20_003, 20_003)),
        ("own", Some("nobody"), None, true, days(20_000, 20_009)),
    ] {
        let case = format!("{case}: {name} {engine:?} {topic:?} {include_branded} {days}");
        let brand = BrandKey(name.into());
        let runs = CellQuery { engine, topic, include_branded, ..CellQuery::new(&world.project, &brand, days) };
        for order in [CitedOrder::Runs, CitedOrder::Gaps] {
            let query = of(runs, CitedBy::Domain, order);
            let fast = reader.cited(&query, 100).unwrap();
            let raw = reader.cited_from_rows(&query, 100).unwrap();
            let same = |list: &CitedList| {
                let mut rows = counts(list);
                // The rollups have the gaps of the project's own brand; of another one they are counted on demand.
                if name != "own" && order == CitedOrder::Runs {
                    for (.., counts) in &mut rows {
                        counts[2..].fill(0);
                    }
                }
                (rows, list.total)
            };
            assert_eq!(same(&fast), same(&raw), "{case} {order:?}");
            // A part of a list is its beginning.
            for upto in [1, 2, 3, 5] {
                let part = reader.cited(&query, upto).unwrap();
                assert_eq!(part.rows, fast.rows[..fast.rows.len().min(upto)], "{case}");
                assert_eq!(part.total, fast.total, "{case}");
            }
            let labels: Vec<_> = fast.rows.iter().map(|row| row.label).collect();
            for (row, cells) in fast.rows.iter().zip(reader.cited_cells(&query, days, &labels).unwrap()) {
                let sum = |part: fn(&CitedCell) -> u32| cells.iter().map(|cell| u64::from(part(cell))).sum::<u64>();
                assert_eq!((sum(|c| c.runs), sum(|c| c.citations)), (row.runs, row.citations), "{case} {}", row.name);
                assert_eq!(sum(|c| c.gap_runs), row.gap_runs, "{case} {}", row.name);
                assert!(cells.is_sorted_by_key(|cell| (cell.prompt, cell.engine)), "{case}");
            }
        }
        let all = reader.cited(&of(runs, CitedBy::Domain, CitedOrder::Runs), 1_000).unwrap();
        if topic.is_none() {
            let top = reader.top_domains(&world.project, days, engine, include_branded, 1_000).unwrap();
            let top: Vec<_> = top.into_iter().map(|row| (row.domain, row.runs, row.citations)).collect();
            let rows: Vec<_> = all.rows.iter().map(|row| (row.name.clone(), row.runs, row.citations)).collect();
            assert_eq!(rows, top, "{case}: the totals of a day are those of its prompts");
        }
        let gaps = reader.cells_with_gaps(&runs).unwrap();
        if name == "own" {
            assert_eq!(sorted(gaps.clone()), sorted(reader.cells(&runs).unwrap()), "{case}");
        }
        let filter = RunFilter {
            brand: Some(brand.clone()),
            engine: engine.map(Into::into),
            topic: topic.map(Into::into),
            days: Some(days),
            without_branded: !include_branded,
            gap: true,
            ..RunFilter::default()
        };
        let total: u64 = gaps.gaps.iter().map(|n| u64::from(*n)).sum();
        assert_eq!(total, reader.count_runs(&world.project, &filter, 10_000).unwrap(), "{case}");
        assert!(gaps.cells.iter().zip(&gaps.gaps).all(|(cell, gaps)| *gaps <= cell.presence_checked), "{case}");
        for row in reader.cited(&of(runs, CitedBy::Domain, CitedOrder::Gaps), 3).unwrap().rows {
            let filter = RunFilter { domain: row.domain.clone(), ..filter.clone() };
            assert_eq!(row.gap_runs, reader.count_runs(&world.project, &filter, 10_000).unwrap(), "{case}");
        }
    }
}

#[tokio::test]
async fn cited_domains_and_gaps_from_rollups_equal_those_from_rows_whatever_came_in() {
    let world = World::new().await;
    let mut state = 7_u64;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for step in 0..8 {
        let mut runs = Vec::new();
        for day in 20_000..20_010 {
            for (prompt, engine) in (0..12).flat_map(|prompt| ["chatgpt", "gemini", "x"].map(|e| (prompt, e))) {
                // Less and less changes, so that some days stay as they were.
                if random(step * step * 3 + 1) == 0 {
                    runs.push(run(day, prompt, engine, random(4)));
                }
            }
        }
        world.save(runs).await;
        if random(2) == 0 {
            world.redetect(1 + random(3), 50).await;
        }
        check(&world.store.reader().unwrap(), &world, &format!("step {step}"));
        if random(3) > 0 {
            world.refresh().await;
            check(&world.store.reader().unwrap(), &world, &format!("step {step}, refreshed"));
        }
    }
}

fn is_present(run: &RunRecord, brand: usize) -> bool {
    run.facts.get(brand).is_some_and(|fact| fact.mentions > Some(0) || fact.citations > Some(0))
}

/// Of the brands of the world: own, a competitor, and one that is neither.
fn is_gap(run: &RunRecord, brand: usize) -> bool {
    let absent = run.facts.get(brand).is_some_and(|fact| (fact.mentions, fact.citations) == (Some(0), Some(0)));
    let rivals: &[usize] = [&[1][..], &[0], &[0, 1]][brand];
    absent && rivals.iter().any(|rival| is_present(run, *rival))
}

#[tokio::test]
async fn what_is_cited_and_gaps_are_what_a_plain_count_says() {
    let world = World::new().await;
    let runs: Vec<RunRecord> =
        (20_000..20_020).flat_map(|day| (0..9).flat_map(move |p| ["a", "b"].map(|e| run(day, p, e, 0)))).collect();
    world.save_by(&world.writer, 0, runs.clone()).await;
    world.refresh().await;
    let reader = world.store.reader().unwrap();
    let window = days(20_000, 20_019);
    let domain = |url: &str| url.split('/').nth(2).unwrap().to_owned();
    for (i, name) in BRANDS.iter().enumerate() {
        let brand = BrandKey((*name).into());
        let query = CellQuery { include_branded: true, ..CellQuery::new(&world.project, &brand, window) };
        let gaps: Vec<&RunRecord> = runs.iter().filter(|run| is_gap(run, i)).collect();
        assert!(gaps.len() > 5, "{name}");
        let table = reader.cells_with_gaps(&query).unwrap();
        assert_eq!(table.gaps.iter().sum::<u32>() as usize, gaps.len(), "{name}");
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for run in &gaps {
            let cited: BTreeSet<String> =
                run.citations.iter().flatten().map(|citation| domain(&citation.url)).collect();
            for domain in cited {
                *sums.entry(domain).or_default() += 1;
            }
        }
        let list = reader.cited(&of(query, CitedBy::Domain, CitedOrder::Gaps), 100).unwrap();
        let found: BTreeMap<String, u64> = list.rows.iter().map(|row| (row.name.clone(), row.gap_runs)).collect();
        assert_eq!(found, sums, "{name}");
        // The rivals in the gaps of each prompt.
        let labels: BTreeSet<PromptRef> = table.cells.iter().map(|cell| cell.prompt).collect();
        let labels: Vec<PromptRef> = labels.into_iter().collect();
        let prompts = reader.prompts(&labels).unwrap();
        for (prompt, rivals) in prompts.iter().zip(reader.rivals(&query, &labels, 3).unwrap()) {
            let here = |rival: usize| {
                let it = |run: &&&RunRecord| run.prompt.text == prompt.text && is_present(run, rival);
                gaps.iter().filter(it).count() as u64
            };
            let mut expected: Vec<(&str, u64)> = [(0, "own"), (1, "rival")]
                .into_iter()
                .filter(|(rival, _)| *rival != i)
                .map(|(rival, name)| (name, here(rival)))
                .filter(|(_, runs)| *runs > 0)
                .collect();
            expected.sort_by_key(|(name, runs)| (std::cmp::Reverse(*runs), *name));
            let rivals: Vec<(&str, u64)> = rivals.iter().map(|rival| (rival.name.as_str(), rival.runs)).collect();
            assert_eq!(rivals, expected, "{name} {}", prompt.text);
        }
    }
    // URLs, all and of one domain.
    let own = BrandKey("own".into());
    let query = CellQuery { include_branded: true, ..CellQuery::new(&world.project, &own, window) };
    let mut urls: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for run in &runs {
        let cited: Vec<&str> = run.citations.iter().flatten().map(|citation| citation.url.as_str()).collect();
        for url in &cited {
            urls.entry(url).or_default().1 += 1;
        }
        for url in cited.into_iter().collect::<BTreeSet<_>>() {
            urls.entry(url).or_default().0 += 1;
        }
    }
    let by_url = of(query, CitedBy::Url, CitedOrder::Runs);
    let found = reader.cited(&by_url, 100).unwrap();
    let rows: BTreeMap<&str, (u64, u64)> =
        found.rows.iter().map(|row| (row.name.as_str(), (row.runs, row.citations))).collect();
    assert_eq!(rows, urls);
    let only = ["d3.example".to_owned()];
    let of_one = reader.cited(&CitedQuery { domains: Domains::Only(&only), ..by_url }, 100).unwrap();
    let rest = reader.cited(&CitedQuery { domains: Domains::Except(&only), ..by_url }, 100).unwrap();
    assert!(of_one.total > 0 && of_one.rows.iter().all(|row| row.name.starts_with("https://d3.example/")));
    assert_eq!(of_one.total + rest.total, found.total);
}

#[tokio::test]
async fn runs_are_listed_by_what_they_cite_and_by_gap() {
    let world = World::new().await;
    let runs: Vec<RunRecord> =
        (20_000..20_006).flat_map(|day| (0..9).flat_map(move |p| ["a", "b"].map(|e| run(day, p, e, 0)))).collect();
    world.save_by(&world.writer, 0, runs.clone()).await;
    let reader = world.store.reader().unwrap();
    type Keep = Box<dyn Fn(&RunRecord) -> bool>;
    let cites = |run: &RunRecord, start: &str| run.citations.iter().flatten().any(|c| c.url.starts_with(start));
    let mut cases: Vec<(RunFilter, Keep)> = vec![
        (
            RunFilter { domain: Some("d3.example".into()), ..RunFilter::default() },
            Box::new(move |run| cites(run, "https://d3.example/")),
        ),
        (
            RunFilter { url: Some("https://d3.example/1".into()), ..RunFilter::default() },
            Box::new(move |run| cites(run, "https://d3.example/1")),
        ),
        (RunFilter { domain: Some("nothing.example".into()), ..RunFilter::default() }, Box::new(|_| false)),
        (RunFilter { gap: true, ..RunFilter::default() }, Box::new(|_| false)),
    ];
    for (i, name) in BRANDS.into_iter().enumerate() {
        let filter = RunFilter { brand: Some(BrandKey(name.into())), gap: true, ..RunFilter::default() };
        cases.push((filter.clone(), Box::new(move |run| is_gap(run, i))));
        let filter = RunFilter { domain: Some("d1.example".into()), ..filter };
        cases.push((filter, Box::new(move |run| is_gap(run, i) && cites(run, "https://d1.example/"))));
    }
    for (filter, keep) in cases {
        let mut expected: Vec<RunId> =
            runs.iter().filter(|run| keep(run)).map(|run| RunId::of(&world.project, &run.key)).collect();
        expected.sort();
        let order = (RunSort::CreatedAt, Direction::Desc);
        let (found, _) = reader.runs(&world.project, &filter, order, None, 1000).unwrap();
        let mut found: Vec<RunId> = found.iter().map(|row| row.id).collect();
        found.sort();
        assert_eq!(found, expected, "{filter:?}");
        assert_eq!(reader.count_runs(&world.project, &filter, 1000).unwrap(), expected.len() as u64);
        let plan = reader.explain_runs(&world.project, &filter, RunSort::CreatedAt);
        assert!(scanned(&plan).all(|table| table.starts_with("(subquery")), "{filter:?}: {plan}");
    }
    assert!(reader.knows_domain("d3.example").unwrap() && !reader.knows_domain("nothing.example").unwrap());
    assert_eq!(reader.some_domains(2).unwrap().len(), 2);
}

/// The tables that a plan reads whole, but for brands and who was looked for, of which there are few.
fn scanned(plan: &str) -> impl Iterator<Item = &str> {
    plan.lines().filter_map(|line| line.strip_prefix("SCAN ")).filter(|table| !["b", "o"].contains(table))
}

#[tokio::test]
async fn what_is_read_from_rows_is_read_through_an_index() {
    let world = World::new().await;
    world.save((0..9).map(|p| run(20_000, p, "a", 0)).collect()).await;
    let reader = world.store.reader().unwrap();
    for by in [CitedBy::Domain, CitedBy::Url] {
        let plan = reader.explain_cited(by);
        assert!(plan.contains("SEARCH r USING INDEX run_by_day (project_id=? AND day>? AND day<?)"), "{plan}");
        assert!(plan.contains("SEARCH c USING PRIMARY KEY (run_id=?)"), "{plan}");
        // The runs of the window, materialised once.
        assert_eq!(scanned(&plan).collect::<Vec<_>>(), ["g"], "{plan}");
    }
    let plan = reader.explain_gaps();
    assert!(plan.contains("run_by_day (project_id=? AND day>? AND day<?)"), "{plan}");
    assert!(plan.contains("run_by_prompt_day (prompt_id=? AND day>? AND day<?)"), "{plan}");
    assert_eq!(scanned(&plan).count(), 0, "{plan}");
}

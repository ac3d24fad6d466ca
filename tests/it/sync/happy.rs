//! An undisturbed sync: what the tracker knows is in the cache, every run and every field of it.

use super::picture::{assert_sound, listed};
use crate::support::sync::{Stage, done, small};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use visibility_mcp::{
    demo::{
        verseodin::Tracker,
        world::{Take, World, WorldRun, WorldSize},
    },
    model::{Day, Status},
    store::RunDetails,
};

/// The columns of a prompt row, as the tracker documents them.
const PROMPT_ROW: &[&str] = &[
    "id",
    "day",
    "user_id",
    "universe_id",
    "job_id",
    "prompt_id",
    "prompt_text",
    "engine",
    "engine_account",
    "website",
    "competitor_websites",
    "priority_level",
    "provider",
    "attempts",
    "snapshot_id",
    "status",
    "error_text",
    "created_at",
    "started_at",
    "finished_at",
    "response_text",
    "appeared_links",
    "appeared_links_unique",
    "appeared_links_run1",
    "appeared_links_run2",
    "my_citations",
    "competitor_citations",
    "total_citations_count",
    "my_domain_citations_count",
    "my_brand_mentions_count",
    "model_used",
    "web_search_triggered",
    "cost_milli_cents",
];

/// A run as a person would write it down, from the world on one side and from the cache on the other.
#[derive(Clone, PartialEq, Debug)]
struct Run {
    day: Day,
    engine: String,
    label: String,
    prompt: String,
    status: String,
    model: Option<String>,
    failure: Option<String>,
    at: [Option<jiff::Timestamp>; 3],
    web_search: Option<bool>,
    milli_cents: Option<u32>,
    answer: Option<String>,
    total_citations: Option<u32>,
    /// URL and the brand it is attributed to, in order.
    citations: Vec<(String, Option<String>)>,
    /// Of the brands that were looked for, by domain: mentions, citations, best position.
    brands: BTreeMap<String, [Option<u32>; 3]>,
}

/// Every finished run counts the own brand's mentions, and the citations of all.
fn of_world(world: &World, run: &WorldRun<'_>) -> Run {
    let finished = run.status == Status::Finished;
    let mut citations: Vec<(String, Option<usize>)> = Vec::new();
    for citation in &run.citations {
        if !citations.iter().any(|(url, _)| *url == citation.url) {
            citations.push((citation.url.clone(), citation.brand));
        }
    }
    let cast = world.brands(run.project);
    let facts = |ix: usize| {
        let place = citations.iter().position(|(_, brand)| *brand == Some(ix));
        let count = u32::try_from(run.citations_of(ix).count()).unwrap();
        // The tracker counts mentions of the own brand; those of the others are read off the answer.
        [Some(run.mentions_of(ix)), Some(count), place.map(|place| u32::try_from(place + 1).unwrap())]
    };
    let checked = if finished { cast.len() } else { 0 };
    Run {
        day: run.day,
        engine: run.engine_name.to_owned(),
        label: (run.prompt + 1).to_string(),
        prompt: run.prompt_text.to_owned(),
        status: run.status.to_string(),
        model: finished.then(|| run.model.to_owned()),
        failure: run.failure.map(str::to_owned),
        at: [Some(run.created_at), run.started_at, run.finished_at],
        web_search: run.web_search,
        milli_cents: run.cost_milli_cents,
        answer: run.answer.clone(),
        total_citations: Some(u32::try_from(run.citations.len()).unwrap()),
        brands: (0..checked).map(|ix| (cast[ix].domain.clone(), facts(ix))).collect(),
        citations: citations.into_iter().map(|(url, ix)| (url, ix.map(|ix| cast[ix].name.clone()))).collect(),
    }
}

fn of_cache(run: RunDetails) -> Run {
    let facts =
        run.facts.iter().map(|fact| (fact.brand.0.clone(), [fact.mentions, fact.citations, fact.best_position]));
    Run {
        day: run.row.day,
        engine: run.row.engine,
        label: run.row.prompt.label.unwrap(),
        prompt: run.row.prompt.text,
        status: run.row.status.to_string(),
        model: run.row.model,
        failure: run.row.failure_reason,
        at: [Some(run.row.created_at), run.started_at, run.finished_at],
        web_search: run.web_search,
        milli_cents: run.cost_usd.map(|usd| format!("{:.0}", usd * 100_000.0).parse().unwrap()),
        answer: run.answer,
        total_citations: run.row.total_citations,
        brands: facts.collect(),
        citations: run.citations.into_iter().map(|row| (row.url, row.brand.map(|(name, _)| name))).collect(),
    }
}

#[tokio::test]
async fn every_run_of_the_tracker_is_in_the_cache_as_it_was() {
    // Enough runs for every status.
    let stage = Stage::of(WorldSize { prompts: vec![20, 6], days: 2, ..small() });
    let report = stage.sync_all().await;
    assert_eq!(report.counts.added, stage.world.run_count() as u64);
    assert_eq!((report.counts.changed, report.counts.gone, report.counts.rejected), (0, 0, 0));

    let reader = stage.store.reader().unwrap();
    let mut statuses = BTreeSet::new();
    for (ix, project) in stage.projects().iter().enumerate() {
        let mut expected: Vec<Run> =
            stage.world.runs().filter(|run| run.project == ix).map(|run| of_world(&stage.world, &run)).collect();
        let mut found: Vec<Run> = listed(&reader, project).into_iter().map(of_cache).collect();
        let key = |run: &Run| (run.day, run.engine.clone(), run.label.clone());
        expected.sort_by_key(key);
        found.sort_by_key(key);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected);
        }
        statuses.extend(expected.into_iter().map(|run| run.status));
    }
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), ["failed", "finished", "pending", "running"]);
    assert_sound("an undisturbed sync", &stage.store);
}

#[tokio::test]
async fn every_field_of_a_prompt_row_is_in_the_raw_record() {
    let stage = Stage::small();
    stage.sync_all().await;
    let reader = stage.store.reader().unwrap();
    for (ix, project) in stage.projects().iter().enumerate() {
        for run in listed(&reader, project) {
            let record = reader.raw_record(run.row.id).unwrap().unwrap();
            let record: Value = serde_json::from_str(&record).unwrap();
            let columns: Vec<&str> = record.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(columns, PROMPT_ROW);

            // Each as it was served; the answer stands beside the record, and is compared where runs are.
            let label = run.row.prompt.label.as_deref();
            let rows = stage.tracker.rows(stage.universe(ix), run.row.day, Take::default());
            let served =
                rows.iter().find(|row| row.engine == run.row.engine && Some(&*row.prompt_id.to_string()) == label);
            let mut served = serde_json::to_value(served.unwrap()).unwrap();
            served["response_text"] = Value::Null;
            assert_eq!(record, served);
        }
    }
}

#[tokio::test]
async fn what_the_tracker_published_is_kept_beside_the_runs() {
    let stage = Stage::small();
    stage.sync_all().await;
    let connection = rusqlite::Connection::open(stage.store.path()).unwrap();
    let of_day =
        "SELECT count(DISTINCT engine), count(DISTINCT metric) >= 10, count(*) FROM published GROUP BY project_id, day";
    let rows = super::picture::rows(&connection, of_day);
    assert_eq!(rows.len(), 2 * 4, "a group for each project and day");
    assert!(rows.iter().all(|row| row.starts_with("Integer(3) Integer(1)")), "{rows:?}");
}

#[tokio::test]
async fn a_backfill_reaches_back_as_far_as_asked_and_newest_days_come_first() {
    let stage = Stage::small();
    let options =
        visibility_mcp::sync::SyncOptions { history_days: 2, ..crate::support::sync::options(stage.last_day()) };
    let report = visibility_mcp::sync::sync(&[stage.upstream()], &stage.store, options).await.unwrap();
    assert_eq!(done(report.sources[0].clone()).slices_planned, 2 * 2);
    let days: Vec<String> =
        stage.pages_read().iter().map(|page| page.split("day=").nth(1).unwrap()[..10].to_owned()).collect();
    let mut newest_first = days.clone();
    newest_first.sort_by(|a, b| b.cmp(a));
    assert_eq!(days, newest_first);
    assert_eq!(days.last().unwrap(), "2026-11-19");
}

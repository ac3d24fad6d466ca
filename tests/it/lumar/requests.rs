//! What a sync of Lumar costs in requests: far fewer than one per prompt and brand.

use crate::support::{
    lumar::LumarStage,
    sync::{done, options, sync_into},
};
use visibility_mcp::{
    demo::{lumar::LumarOptions, world::WorldSize},
    sync::{Outcome, SyncOptions, preview},
};

/// 50 prompts, 5 brands, 30 days.
fn stage() -> LumarStage {
    let size = WorldSize {
        prompts: vec![50],
        engines: 2,
        days: 30,
        brands: 5,
        domains: 40,
        answer_bytes: 300,
        citations: 2.0,
        mentions: 1.5,
    };
    let stage = LumarStage::with(size, LumarOptions::unhurried());
    stage.settle();
    stage
}

/// Requests since the log was last cleared: all, and those that list runs; and how many lists and details they held.
fn counted(stage: &LumarStage) -> (usize, usize, usize, usize) {
    let requests = stage.server.requests();
    let of = |field: &str| requests.iter().map(|request| request.count(field)).sum::<usize>();
    let listing = requests.iter().filter(|request| request.count("getAiVisibilityPromptRuns") > 0).count();
    (requests.len(), listing, of("getAiVisibilityPromptRuns"), of("getAiVisibilityPromptRunDetails"))
}

#[tokio::test]
async fn a_sync_costs_a_fifth_of_a_request_per_prompt_and_brand_and_the_second_a_twentieth_of_that() {
    let stage = stage();
    let settings = SyncOptions { history_days: 30, ..options(stage.last_day()) };
    let planned = preview(&[stage.upstream()], &stage.store, &settings).await.unwrap().remove(0);
    assert_eq!(planned.outcome, Outcome::Done);
    assert!(!stage.store.path().exists(), "a plan writes nothing");

    stage.server.clear_requests();
    let report = done(
        visibility_mcp::sync::sync(&[stage.upstream()], &stage.store, settings.clone())
            .await
            .unwrap()
            .sources
            .remove(0),
    );
    let (first, listing, lists, details) = counted(&stage);
    let runs = report.counts.added;
    let naive = 50 * 5;
    println!(
        "50 prompts x 5 brands x 30 days, {runs} runs: {first} requests ({} planned), {listing} of them for {lists} lists of runs, the others for {details} details and the rest; one request per prompt and brand, and per run and brand: {}",
        planned.requests,
        naive + 5 * usize::try_from(runs).unwrap(),
    );
    assert!(listing * 5 <= naive, "{listing} requests list runs");
    assert!(first < 6_000, "within one window of the rate limit");
    assert!(first * 5 <= naive + 5 * usize::try_from(runs).unwrap());
    let planned = usize::try_from(planned.requests).unwrap();
    assert!(planned <= 2 * first && first <= 2 * planned, "{planned} were planned, {first} made");

    stage.server.clear_requests();
    let report = done(sync_into(&stage.store, &[stage.upstream()], stage.last_day()).await.sources.remove(0));
    let (second, ..) = counted(&stage);
    println!("with nothing new: {second} requests");
    assert_eq!((report.counts.added, report.counts.changed), (0, 0));
    assert!(second * 20 < first, "{second} of {first}");
}

#[tokio::test]
async fn the_newest_days_of_every_prompt_come_first() {
    let stage = stage();
    let week = |request: &visibility_mcp::demo::lumar::LoggedRequest| {
        let days: Vec<String> = request
            .variables
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(_, value)| Some(value.get("start")?.as_str()?.to_owned()))
            .collect();
        days
    };
    stage.sync_all().await;
    let lists: Vec<Vec<String>> = stage
        .server
        .requests()
        .iter()
        .filter(|request| request.count("getAiVisibilityPromptRuns") > 0)
        .map(week)
        .collect();
    let weeks: Vec<&String> = lists.iter().flatten().collect();
    let mut newest_first = weeks.clone();
    newest_first.sort_by(|a, b| b.cmp(a));
    assert!(!weeks.is_empty());
    assert_eq!(weeks, newest_first);
}

#[tokio::test]
async fn details_are_asked_for_once_and_open_runs_again() {
    let stage = LumarStage::small();
    stage.sync_all().await;
    let (_, _, _, details) = counted(&stage);
    assert!(details > 0);
    stage.server.clear_requests();
    stage.sync_all().await;
    let (_, _, lists, again) = counted(&stage);
    assert!(lists > 0, "open runs are looked at again");
    assert_eq!(again, 0, "nothing has finished since");

    stage.settle();
    stage.server.clear_requests();
    let report = stage.sync_all().await;
    let (.., settled) = counted(&stage);
    assert!(report.counts.changed > 0 && settled > 0 && settled < details, "{settled} of {details}");
}

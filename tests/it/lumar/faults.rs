//! Lumar misbehaving: a complete cache or a named message, never a lost or half row.

use crate::{
    support::{
        lumar::LumarStage,
        sync::{done, failure, small, sync_into},
        world::call,
    },
    sync::{
        kill::{seed, survives},
        picture::{assert_same, assert_sound, picture},
        two::second_asks_for_nothing,
    },
};
use serde_json::json;
use std::{path::Path, time::Duration};
use visibility_mcp::{
    clock::Clock,
    demo::{
        lumar::{Fault, LumarOptions, NodeChange, When, inferred_fields},
        world::WorldSize,
    },
    model::Day,
    store::Store,
};

const RUNS: &str = "getAiVisibilityPromptRuns";
const DETAILS: &str = "getAiVisibilityPromptRunDetails";

/// Kills of all worlds together.
const KILLS: usize = 200;

#[tokio::test]
async fn what_passes_leaves_no_trace() {
    let stage = LumarStage::small();
    stage.settle();
    let expected = picture(&stage.undisturbed("undisturbed.sqlite").await);
    for (target, fault) in [
        ("", Fault::Internal),
        ("", Fault::Html),
        ("", Fault::TooMany { retry_after: Some(0) }),
        ("", Fault::TooMany { retry_after: None }),
        ("", Fault::Reset),
        ("", Fault::Truncated),
        ("", Fault::EndSessions),
        (DETAILS, Fault::Internal),
        (RUNS, Fault::EndSessions),
        (RUNS, Fault::Drip { chunk: 700, pause: Duration::from_millis(1) }),
    ] {
        let case = format!("{target} {fault:?}");
        let store = stage.other_cache(&format!("{}.sqlite", case.replace(|c: char| !c.is_alphanumeric(), "-")));
        stage.server.faults().inject(target, fault, When::After { skip: 2, count: 2 });
        let mut report = sync_into(&store, &[stage.upstream()], stage.last_day()).await.sources.remove(0);
        stage.server.faults().clear();
        if !matches!(report.outcome, visibility_mcp::sync::Outcome::Done) {
            // It was told, and the next sync does the rest.
            failure(&report);
            report = done(sync_into(&store, &[stage.upstream()], stage.last_day()).await.sources.remove(0));
        }
        assert_sound(&case, &store);
        assert_same(&case, &picture(&store), &expected);
        drop(report);
    }
}

#[tokio::test]
async fn one_failing_alias_fails_its_slice_alone() {
    let stage = LumarStage::small();
    stage.settle();
    let expected = picture(&stage.undisturbed("undisturbed.sqlite").await);
    // The first of every request, so that it fails also when it is asked again by itself.
    stage.server.faults().inject(RUNS, Fault::Partial { nth: 0, code: "INTERNAL_SERVER_ERROR" }, When::Always);
    let report = stage.sync().await;
    failure(&report);
    assert!(report.slices_done > 0 && report.slices_done < report.slices_planned, "{report:?}");
    stage.server.faults().clear();
    stage.sync_all().await;
    assert_sound("the alias answers", &stage.store);
    assert_same("the alias answers", &picture(&stage.store), &expected);
}

#[tokio::test]
async fn a_field_that_is_gone_is_dropped_and_noted() {
    let fields = inferred_fields();
    assert!(!fields.is_empty());
    let stage = LumarStage::with(small(), LumarOptions { unknown_fields: fields, ..LumarOptions::unhurried() });
    stage.settle();
    stage.sync_all().await;
    assert_sound("fields gone", &stage.store);
    let reader = stage.store.reader().unwrap();
    let drift = reader.drift(&"lumar".into()).unwrap().unwrap();
    assert!(drift.iter().any(|drift| drift.kind == "missing_field"), "{drift:?}");
}

#[tokio::test]
async fn odd_nodes_are_kept_or_put_aside_and_the_others_land() {
    for change in [
        NodeChange::Gone,
        NodeChange::MissingId,
        NodeChange::NullFields,
        NodeChange::WrongTypes,
        NodeChange::UnknownStatus,
        NodeChange::UnknownProvider,
        NodeChange::BadTime,
        NodeChange::ExtraFields,
        NodeChange::HiddenCharacters,
        NodeChange::ForgedTags,
        NodeChange::ToolShaped,
    ] {
        for target in [RUNS, DETAILS] {
            let case = format!("{target} {change:?}");
            let stage = LumarStage::small();
            stage.settle();
            stage.server.faults().inject(target, Fault::Nodes { change, count: 1 }, When::Always);
            let report = stage.sync().await;
            assert!(report.counts.added > 0, "{case}: {report:?}");
            assert_sound(&case, &stage.store);
        }
    }
}

#[tokio::test]
async fn rows_that_arrive_between_pages_are_neither_missed_nor_doubled() {
    // More runs of a prompt in a week than a page holds.
    let size = WorldSize { prompts: vec![2], engines: 6, days: 5, ..small() };
    let stage = LumarStage::with(size, LumarOptions::unhurried());
    stage.settle();
    for _ in 0..5 {
        (0..5).for_each(|back| stage.server.rerun(0, stage.last_day().plus(-back)));
    }
    stage.server.faults().inject(RUNS, Fault::Arriving, When::Next(2));
    let report = stage.sync().await;
    stage.server.faults().clear();
    stage.sync_all().await;
    assert_sound("arriving", &stage.store);
    let undisturbed = stage.undisturbed("undisturbed.sqlite").await;
    let runs = |store: &Store| {
        let mut runs: Vec<String> = picture(store).into_iter().filter(|line| line.starts_with("RunDetails")).collect();
        runs.sort();
        runs
    };
    assert_same("arriving", &runs(&stage.store), &runs(&undisturbed));
    drop(report);
}

#[tokio::test]
async fn a_revoked_key_is_named_and_the_next_sync_goes_on() {
    let stage = LumarStage::small();
    stage.settle();
    stage.server.faults().inject(RUNS, Fault::RevokeCredentials, When::After { skip: 1, count: 1 });
    let report = stage.sync().await;
    let (class, _, hint) = failure(&report);
    assert_eq!(class, "unauthorized");
    assert!(hint.contains("LUMAR_USER_KEY"), "{hint}");
    stage.server.faults().clear();
    stage.server.restore_credentials();
    stage.sync_all().await;
    assert_sound("the key restored", &stage.store);
}

#[tokio::test]
async fn a_prompt_that_is_deleted_while_it_was_half_read_leaves_nothing_unfinished() {
    let size = WorldSize { prompts: vec![2], engines: 8, days: 7, ..small() };
    let stage = LumarStage::with(size, LumarOptions::unhurried());
    stage.settle();
    let last = stage.last_day();
    // Two pages a prompt and week.
    (0..14).for_each(|back| stage.server.rerun(0, last.plus(-(back % 7))));
    stage.server.faults().inject(RUNS, Fault::Html, When::After { skip: 1, count: 1_000 });
    let report = stage.sync().await;
    assert!(report.counts.added > 0 && report.slices_done < report.slices_planned, "{report:?}");
    let half_read = call(&stage.backend(), "list_sources", json!({})).unwrap();
    assert!(missing(&half_read) > 0, "{half_read}");
    stage.server.faults().clear();
    stage.server.remove(&stage.server.prompt_id(0, 0));
    stage.sync_all().await;
    let whole = call(&stage.backend(), "list_sources", json!({})).unwrap();
    assert_eq!(missing(&whole), 0, "{whole}");
    assert_sound("half read and deleted", &stage.store);
}

fn missing(sources: &serde_json::Value) -> u64 {
    sources["sources"][0]["projects"][0]["missing_slices"].as_u64().unwrap()
}

#[test]
fn a_sync_killed_anywhere_ends_as_one_that_was_not() {
    let today = Day::of(Clock::system().now());
    let size = WorldSize { prompts: vec![6, 3], engines: 2, days: 10, ..small() };
    // Weeks long past, a week that may still change and holds open runs, prompts of several pages, several projects.
    let worlds = [
        (size.clone(), today.plus(-9)),
        (size.clone(), today),
        (WorldSize { prompts: vec![2], engines: 8, days: 14, ..size.clone() }, today.plus(-20)),
        (WorldSize { prompts: vec![2, 2, 2], days: 4, ..size }, today.plus(-1)),
    ];
    let mut chance = seed();
    let share = KILLS / worlds.len();
    for (world, (size, last_day)) in worlds.into_iter().enumerate() {
        let stage = LumarStage::dressed(size, last_day, LumarOptions::unhurried(), |tracker| tracker);
        let program = |cache: &Path| stage.program(cache);
        survives(&format!("world {world}"), share, &mut chance, &program, &|name| stage.other_cache(name));
    }
}

#[test]
fn the_second_of_two_processes_asks_for_nothing_that_the_first_one_does() {
    let today = Day::of(Clock::system().now());
    let stage = LumarStage::dressed(small(), today.plus(-9), LumarOptions::unhurried(), |tracker| tracker);
    // Slow enough that the second one comes while the first one is at it.
    let drip = Fault::Drip { chunk: 2_000, pause: Duration::from_millis(20) };
    stage.server.faults().inject("getAiVisibilityPromptRuns", drip, When::Always);
    let clear = || {
        stage.server.faults().clear();
        stage.server.clear_requests();
    };
    let (program, requests) = (|cache: &Path| stage.program(cache), || stage.server.requests().len());
    second_asks_for_nothing("lumar", &stage.store, &stage.other_cache("alone.sqlite"), &program, &requests, &clear);
}

//! Lumar misbehaving: a complete cache or a named message, never a lost or half row.

use crate::{
    support::{
        lumar::LumarStage,
        sync::{done, failure, small, sync_into},
    },
    sync::{
        kill::{assert_success, kill_after, next, seed},
        picture::{assert_same, assert_sound, picture},
    },
};
use std::time::{Duration, Instant};
use visibility_mcp::{
    demo::{
        lumar::{Fault, LumarOptions, NodeChange, When, inferred_fields},
        world::WorldSize,
    },
    store::Store,
};

const RUNS: &str = "getAiVisibilityPromptRuns";
const DETAILS: &str = "getAiVisibilityPromptRunDetails";

/// Kills of a sync.
const KILLS: u32 = 40;

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
    let drift = reader.drift(&"lumar".into()).unwrap();
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

#[test]
fn a_sync_killed_anywhere_ends_as_one_that_was_not() {
    let seed = seed();
    println!("seed {seed}");
    let mut chance = seed;
    let today = visibility_mcp::model::Day::of(visibility_mcp::clock::Clock::system().now());
    let size = WorldSize { prompts: vec![6, 3], engines: 2, days: 10, ..small() };
    let stage = LumarStage::dressed(size, today.plus(-9), LumarOptions::unhurried(), |tracker| tracker);
    let undisturbed = stage.other_cache("undisturbed.sqlite");
    let begun = Instant::now();
    assert_success("undisturbed", &stage.program(undisturbed.path()).arg("sync").output().unwrap());
    let whole = begun.elapsed();
    let expected = picture(&undisturbed);
    let (mut kills, mut round) = (0, 0);
    while kills < KILLS {
        let case = format!("seed {seed}, round {round}");
        let cache = stage.other_cache(&format!("{round}.sqlite"));
        let ended = loop {
            let part = f64::from(u32::try_from(next(&mut chance) >> 32).unwrap()) / f64::from(u32::MAX);
            let child = stage.program(cache.path()).arg("sync").spawn().unwrap();
            match kill_after(child, whole.mul_f64(part)) {
                None => kills += 1,
                Some(output) => break output,
            }
        };
        assert_success(&case, &ended);
        assert_sound(&case, &cache);
        assert_same(&case, &picture(&cache), &expected);
        round += 1;
    }
    println!("{kills} kills in {round} syncs of {} ms each", whole.as_millis());
}

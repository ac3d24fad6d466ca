//! What happens in Lunary between two syncs: runs that end late, that are judged, that come late and that go.

use crate::{
    support::{
        lunary::LunaryStage,
        sync::{done, small},
        world::call,
    },
    sync::picture::assert_sound,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use visibility_mcp::{
    demo::{lunary::Run, world::WorldSize},
    model::{Day, Status},
    store::RunDetails,
    sync::SourceReport,
};

fn id(n: usize) -> String {
    format!("00000000-0000-4000-8000-{n:012x}")
}

fn asked(id: &str, at: Timestamp) -> Run {
    let ended = at.checked_add(SignedDuration::from_secs(5)).unwrap();
    Run::started(id, "gpt-5.1", at, "What came late?").answered(ended, "This came late.")
}

/// A few runs a day over four weeks.
fn month() -> LunaryStage {
    let stage = LunaryStage::of(WorldSize { prompts: vec![2], engines: 2, days: 28, ..small() });
    stage.settle();
    stage
}

/// What a sync moved: added, changed, gone.
fn moved(report: &SourceReport) -> [u64; 3] {
    [report.counts.added, report.counts.changed, report.counts.gone]
}

fn record(stage: &LunaryStage, run: &RunDetails) -> Value {
    let record = stage.store.reader().unwrap().raw_record(run.row.id).unwrap().unwrap();
    serde_json::from_str(&record).unwrap()
}

/// The list is that of a cache filled now, but for former states.
async fn assert_as_new(case: &str, stage: &LunaryStage) {
    assert_sound(case, &stage.store);
    let fresh = stage.undisturbed(&format!("{}.sqlite", case.replace(' ', "-"))).await;
    let plain = |runs: Vec<RunDetails>| -> Vec<RunDetails> {
        runs.into_iter().map(|run| RunDetails { history: Vec::new(), ..run }).collect()
    };
    assert_eq!(plain(stage.listed(&stage.store)), plain(stage.listed(&fresh)), "{case}");
}

#[tokio::test]
async fn late_ends_feedback_and_tags_are_seen_on_the_next_day() {
    let stage = LunaryStage::small();
    stage.sync_all().await;
    let before = stage.by_key();
    let open: BTreeSet<&String> =
        before.iter().filter(|(_, run)| run.row.status.is_open()).map(|(key, _)| key).collect();
    assert!(!open.is_empty());
    let settled = |days: i32| {
        let day = stage.last_day().plus(-days);
        before.values().find(|run| run.row.day == day && run.row.status == Status::Finished).unwrap()
    };
    let (judged, tagged) = (settled(3), settled(1));
    let keys = [judged, tagged].map(|run| run.row.key.clone().unwrap());
    stage.settle();
    stage.server.feedback(&keys[0], json!({ "thumb": "down", "comment": "no sources" }));
    stage.server.tag(&keys[1], &["weekly", "checked"]);

    let report = done(stage.sync_on(stage.last_day().plus(1)).await);
    assert_eq!(moved(&report), [0, open.len() as u64 + 2, 0]);
    let after = stage.by_key();
    for key in open {
        assert!(!after[key].row.status.is_open(), "{key}");
        assert_eq!(after[key].history[0].status, before[key].row.status.as_str());
    }
    let feedback = record(&stage, &after[&keys[0]])["feedback"].take();
    assert_eq!((&feedback["thumb"], &feedback["comment"]), (&json!("down"), &json!("no sources")));
    assert_eq!(record(&stage, &after[&keys[1]])["tags"], json!(["weekly", "checked"]));
    assert_eq!((&after[&keys[0]].answer, &after[&keys[1]].answer), (&judged.answer, &tagged.answer));
    // What a user sees.
    let arguments = json!({ "run_id": tagged.row.id.to_string(), "response_format": "detailed" });
    let details = call(&stage.backend(), "get_run_details", arguments).unwrap();
    assert!(details["upstream_record"]["text"].as_str().unwrap().contains(r#"["weekly","checked"]"#), "{details}");
    assert_as_new("late news", &stage).await;
}

#[tokio::test]
async fn a_run_that_begins_today_is_there_at_the_next_sync() {
    let stage = month();
    stage.sync_all().await;
    let late = stage.last_day().start().checked_add(SignedDuration::from_hours(17)).unwrap();
    stage.server.add(0, asked(&id(1), late));
    stage.server.clear_requests();
    assert_eq!(moved(&stage.sync_all().await), [1, 0, 0]);
    assert_eq!(stage.days_read(), [stage.last_day()]);
    assert_eq!(stage.by_key()[&id(1)].answer.as_deref(), Some("This came late."));
    assert_as_new("added today", &stage).await;
}

#[tokio::test]
async fn a_run_that_is_dated_back_by_weeks_is_found_by_the_count_of_its_week() {
    let stage = month();
    stage.sync_all().await;
    let then = stage.last_day().plus(-20);
    stage.server.add(0, asked(&id(1), then.start().checked_add(SignedDuration::from_hours(9)).unwrap()));
    stage.server.clear_requests();
    assert_eq!(moved(&stage.sync_all().await), [1, 0, 0]);
    let read = stage.days_read();
    assert!(read.contains(&then), "{read:?}");
    assert!(read.iter().all(|day| (day.epoch_days() - then.epoch_days()).abs() < 7), "no other week: {read:?}");
    assert_eq!(stage.by_key()[&id(1)].row.day, then);
    assert_as_new("dated back", &stage).await;
}

#[tokio::test]
async fn a_run_that_was_removed_is_marked_and_left_out() {
    for days in [1, 20] {
        let case = format!("removed {days} days back");
        let stage = month();
        stage.sync_all().await;
        let before = stage.by_key();
        let day: Day = stage.last_day().plus(-days);
        let run = before.values().find(|run| run.row.day == day && run.row.status == Status::Finished).unwrap();
        stage.server.remove(run.row.key.as_ref().unwrap());
        assert_eq!(moved(&stage.sync_all().await), [0, 0, 1], "{case}");
        let after = stage.by_key();
        assert_eq!(after.len(), before.len() - 1, "{case}");
        assert!(!after.contains_key(run.row.key.as_ref().unwrap()), "{case}");
        let arguments = json!({ "run_id": run.row.id.to_string() });
        let gone = call(&stage.backend(), "get_run_details", arguments).unwrap();
        assert!(gone["gone_at"].is_string() && gone["answer"]["text"].is_string(), "{case}: {gone}");
        assert_eq!(moved(&stage.sync_all().await), [0, 0, 0], "{case}: gone once");
        assert_as_new(&case, &stage).await;
    }
}

#[tokio::test]
async fn more_runs_of_one_millisecond_than_a_page_holds_are_all_cached_once() {
    let stage = LunaryStage::small();
    stage.settle();
    let at = stage.last_day().start().checked_add(SignedDuration::from_hours(12)).unwrap();
    let runs = move || {
        (0..1_200).map(move |n| {
            // The server keeps microseconds and shows milliseconds.
            asked(&id(n), at.checked_add(SignedDuration::from_micros(i64::try_from(n % 1_000).unwrap())).unwrap())
        })
    };
    stage.server.edit(0, move |served| served.extend(runs()));
    stage.sync_all().await;
    let found = stage.listed(&stage.store);
    let keys: BTreeSet<&str> = found.iter().map(|run| run.row.key.as_deref().unwrap()).collect();
    assert_eq!((found.len(), keys.len()), (8 * 3 * 4 + 1_200, 8 * 3 * 4 + 1_200));
    assert!((0..1_200).all(|n| keys.contains(id(n).as_str())));
    assert_sound("one millisecond", &stage.store);
    assert_eq!(moved(&stage.sync_all().await), [0, 0, 0]);
}

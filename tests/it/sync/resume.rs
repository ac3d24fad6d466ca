//! A sync that ends early goes on where it stopped, and asks for nothing twice.

use super::picture::{assert_figures, assert_same, assert_sound, lines, picture};
use crate::support::sync::{Stage, done, failure, options, paged};
use std::sync::Arc;
use visibility_mcp::{
    demo::verseodin::{Fault, When},
    model::Status,
    store::Store,
    sync::{Outcome, SyncOptions, sync},
};

/// 1,100 rows a day: a page of 1,000, one that begins with its last row, one of the last row alone, and the day's history.
fn pages(universe: &str, day: &str) -> Vec<String> {
    let rows = |offset| format!("/universes/{universe}/prompts?day={day}&limit=1000&offset={offset}");
    vec![rows(0), rows(999), rows(1099), format!("/universes/{universe}/history?day={day}")]
}

#[tokio::test]
async fn a_key_revoked_in_the_middle_is_named_and_the_next_sync_goes_on_at_the_next_page() {
    let stage = Stage::of(paged(2));
    let [today, before] = ["2026-11-20", "2026-11-19"].map(|day| pages(stage.universe(0), day));
    stage.server.faults().inject("/universes/*/prompts", Fault::RevokeKey, When::After { skip: 4, count: 1 });
    let report = stage.sync().await;
    let (class, error, hint) = failure(&report);
    assert_eq!((class, error), ("unauthorized", "the key was refused (401)"));
    assert!(hint.contains("`VERSEODIN_API_KEY`"), "{hint}");
    assert_eq!(stage.pages_read(), [&today[..], &before[..2]].concat(), "asked once, not again");
    let reader = stage.store.reader().unwrap();
    assert_eq!(reader.coverage(&stage.project(0), None, jiff::Timestamp::UNIX_EPOCH).unwrap().total().finished, {
        let rows = lines(&reader, &stage.project(0));
        assert_eq!(rows.len(), 1_100 + 1_000);
        rows.iter().filter(|row| row.status == Status::Finished).count() as u64
    });
    assert_figures("after the refusal", &reader);

    stage.server.restore_key();
    stage.server.clear_requests();
    stage.sync_all().await;
    // Today may have changed since; the day before goes on at its second page.
    assert_eq!(stage.pages_read(), [&today[..], &before[1..]].concat());
    assert_sound("the key restored", &stage.store);
    let undisturbed = stage.undisturbed("undisturbed.sqlite").await;
    let rows = |store: &Store| lines(&store.reader().unwrap(), &stage.project(0));
    assert!(rows(&stage.store) == rows(&undisturbed), "the key restored");
}

#[tokio::test]
async fn a_cancelled_sync_keeps_its_pages_and_the_next_one_does_the_rest() {
    let stage = Stage::small();
    stage.settle();
    let undisturbed = stage.undisturbed("undisturbed.sqlite").await;
    let week_later = stage.last_day().plus(7);
    for pages in [0, 2, 5] {
        let store = stage.other_cache(&format!("{pages}.sqlite"));
        stage.server.clear_requests();
        let settings = options(week_later);
        let (cancel, seen) = (settings.cancel.clone(), std::sync::atomic::AtomicUsize::new(0));
        let on_progress = Arc::new(move |progress: &visibility_mcp::sync::Progress| {
            if progress.day.is_some() && seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= pages {
                cancel.cancel();
            }
        });
        let report = sync(&[stage.upstream()], &store, SyncOptions { on_progress, ..settings }).await.unwrap();
        assert_eq!(report.sources[0].outcome, Outcome::Cancelled);
        let report = sync(&[stage.upstream()], &store, options(week_later)).await.unwrap();
        done(report.sources[0].clone());
        assert_same(&format!("after {pages} pages"), &picture(&store), &picture(&undisturbed));
        assert_sound("after a cancelled sync", &store);
        // A page under way when the sync was cancelled is asked for again; nothing else is.
        let mut asked = stage.pages_read();
        let all = asked.len();
        asked.sort();
        asked.dedup();
        assert!(all - asked.len() <= 1, "{} of {all} pages were asked for twice", all - asked.len());
    }
}

#[tokio::test]
async fn rollups_left_behind_by_a_killed_sync_are_rebuilt_though_nothing_is_to_be_read() {
    let stage = Stage::small();
    stage.settle();
    stage.sync_all().await;
    let week_later = stage.last_day().plus(7);
    done(stage.sync_on(week_later).await);
    let before = picture(&stage.store);
    // As a kill between the last page of a day and its rollup leaves it.
    let connection = rusqlite::Connection::open(stage.store.path()).unwrap();
    let behind = "INSERT INTO dirty_day (project_id, day) SELECT project_id, day FROM day_base";
    assert_eq!(connection.execute(behind, ()).unwrap(), 8);
    assert_figures("behind", &stage.store.reader().unwrap());

    assert_eq!(done(stage.sync_on(week_later).await).slices_planned, 0);
    assert_sound("caught up", &stage.store);
    assert_same("caught up", &picture(&stage.store), &before);
}

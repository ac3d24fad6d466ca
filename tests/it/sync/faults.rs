//! Every fault of the tracker ends in a complete cache, or in a clear message with nothing lost and nothing half.

use super::picture::{assert_figures, assert_same, assert_sound, lines, listed, picture};
use crate::support::sync::{Stage, TODAY, done, failure, paged, quick, small, sync_into};
use std::time::Duration;
use visibility_mcp::{
    demo::{
        verseodin::{Fault, PromptRow, RowChange, Tracker, Universe, When, WorldTracker},
        world::Take,
    },
    model::Day,
    store::Store,
    upstream::Limits,
};

const PROMPTS: &str = "/universes/*/prompts";

#[tokio::test]
async fn faults_that_pass_leave_no_trace() {
    let stage = Stage::small();
    let undisturbed = picture(&stage.undisturbed("undisturbed.sqlite").await);
    for (case, fault, when) in [
        ("500", Fault::Internal, When::Every(3)),
        ("503", Fault::Unavailable, When::Every(3)),
        ("an HTML page", Fault::Html, When::Every(2)),
        ("429 without Retry-After", Fault::TooMany { retry_after: None }, When::Every(2)),
        ("429 with Retry-After", Fault::TooMany { retry_after: Some(1) }, When::After { skip: 20, count: 1 }),
        ("a reset", Fault::Reset, When::Every(5)),
        ("a body cut off", Fault::Truncated, When::Every(5)),
        ("slow bytes", Fault::Drip { chunk: 4_096, pause: Duration::from_millis(1) }, When::Every(5)),
    ] {
        stage.server.faults().clear();
        stage.server.faults().inject("", fault, when);
        let store = stage.other_cache(&format!("{case}.sqlite"));
        done(sync_into(&store, &[stage.upstream()], stage.last_day()).await.sources.remove(0));
        assert_same(case, &picture(&store), &undisturbed);
        assert_sound(case, &store);
    }
}

#[tokio::test]
async fn faults_that_stay_are_told_and_nothing_is_lost() {
    let stage = Stage::small();
    let undisturbed = stage.undisturbed("undisturbed.sqlite").await;
    let complete = undisturbed.reader().unwrap();
    let undisturbed = picture(&undisturbed);
    let hasty = Limits { total_timeout: Duration::from_millis(400), ..quick() };
    for (case, fault, limits, expected) in [
        ("500", Fault::Internal, quick(), ("server", "the upstream failed with status 500, 3 tries in ")),
        ("503", Fault::Unavailable, quick(), ("server", "the upstream failed with status 503, 3 tries in ")),
        ("an HTML page", Fault::Html, quick(), ("server", "the upstream failed with status 502, 3 tries in ")),
        (
            "429 without Retry-After",
            Fault::TooMany { retry_after: None },
            quick(),
            ("rate_limited", "the rate limit was still exceeded after 3 tries in "),
        ),
        (
            "429 for an hour",
            Fault::TooMany { retry_after: Some(3_600) },
            quick(),
            ("rate_limited", "the rate limit was still exceeded after 1 try in "),
        ),
        ("resets", Fault::Reset, quick(), ("network", "the ")),
        ("bodies cut off", Fault::Truncated, quick(), ("network", "the answer was cut off or damaged, 3 tries in ")),
        (
            "bytes that take for ever",
            Fault::Drip { chunk: 16, pause: Duration::from_millis(20) },
            hasty,
            ("network", "no answer came in time, 3 tries in "),
        ),
    ] {
        stage.server.faults().clear();
        // Five pages come: a day whole, and half of another.
        stage.server.faults().inject(PROMPTS, fault, When::After { skip: 5, count: u32::MAX });
        let store = stage.other_cache(&format!("{case}.sqlite"));
        let source = stage.upstream_named("verseodin", stage.server.key(), limits);
        let report = sync_into(&store, &[source], stage.last_day()).await.sources.remove(0);
        let (class, error, hint) = failure(&report);
        assert!((class, error.starts_with(expected.1)) == (expected.0, true), "{case}: {class}: {error}");
        assert!(hint.contains("`visibility-mcp sync`") && hint.contains("resumes"), "{case}: {hint}");
        // What came is there, whole pages of it, and the figures are those of the rows.
        let reader = store.reader().unwrap();
        assert_figures(case, &reader);
        for mut run in stage.projects().iter().flat_map(|project| listed(&reader, project)) {
            let mut whole = complete.run_details(run.row.id, None).unwrap().unwrap();
            whole.row.stored = run.row.stored;
            for run in [&mut run, &mut whole] {
                (run.previous, run.next) = (None, None);
            }
            assert_eq!(run, whole, "{case}");
        }
        let last = reader.last_sync(&"verseodin".into()).unwrap().unwrap();
        assert_eq!((last.outcome.as_deref(), last.error.as_deref()), (Some("failed"), Some(error)), "{case}");

        stage.server.faults().clear();
        done(sync_into(&store, &[stage.upstream()], stage.last_day()).await.sources.remove(0));
        assert_same(case, &picture(&store), &undisturbed);
        assert_sound(case, &store);
    }
}

/// A case of rows that are not as promised: what is done to the first row of every page, how many of the eight are put
/// aside and why, and which drift is noted.
struct Odd {
    change: RowChange,
    aside: Option<&'static str>,
    drift: &'static [(&'static str, &'static str)],
}

#[tokio::test]
async fn odd_rows_are_kept_or_put_aside_with_a_reason_and_the_rest_of_the_page_lands() {
    use RowChange as Change;
    let cases = [
        Odd { change: Change::MissingId, aside: None, drift: &[("id", "missing_field")] },
        Odd {
            change: Change::MissingPromptText,
            aside: Some("`prompt_text` is missing"),
            drift: &[("prompt_text", "missing_field")],
        },
        Odd {
            change: Change::WrongTypes,
            aside: Some("`prompt_id` is not a whole number"),
            drift: &[("prompt_id", "changed_type")],
        },
        Odd { change: Change::UnknownEngine, aside: None, drift: &[("engine", "unknown_value")] },
        Odd { change: Change::UnknownStatus, aside: None, drift: &[("status", "unknown_value")] },
        Odd {
            change: Change::ExtraFields,
            aside: None,
            drift: &[("nested_extra", "new_field"), ("sentiment", "new_field")],
        },
        Odd { change: Change::NullFields, aside: None, drift: &[] },
    ];
    for Odd { change, aside, drift } in cases {
        let stage = Stage::small();
        stage.server.faults().inject(PROMPTS, Fault::Rows { change, count: 1 }, When::Always);
        let report = stage.sync_all().await;
        let lost = if aside.is_some() { 8 } else { 0 };
        let counts = (report.counts.added, report.counts.rejected);
        assert_eq!(counts, (stage.world.run_count() as u64 - lost, lost), "{change:?}");
        let (reader, source) = (stage.store.reader().unwrap(), "verseodin".into());
        assert_eq!(reader.quarantined(&source).unwrap(), Some(lost), "{change:?}");
        let reasons = reader.quarantine_reasons(&source).unwrap();
        assert_eq!(reasons, aside.map(|why| (why.to_owned(), lost)).into_iter().collect::<Vec<_>>(), "{change:?}");
        let noted: Vec<(String, String)> =
            reader.drift(&source).unwrap().unwrap().into_iter().map(|drift| (drift.field, drift.kind)).collect();
        for (field, kind) in drift {
            assert!(noted.contains(&((*field).to_owned(), (*kind).to_owned())), "{change:?}: {noted:?}");
        }
        let runs: Vec<_> = stage.projects().iter().flat_map(|project| listed(&reader, project)).collect();
        let odd =
            |wanted: &dyn Fn(&visibility_mcp::store::RunRow) -> bool| runs.iter().filter(|r| wanted(&r.row)).count();
        match change {
            Change::UnknownEngine => assert_eq!(odd(&|row| row.engine == "oracle_of_delphi"), 8),
            Change::UnknownStatus => assert_eq!(odd(&|row| row.status.as_str() == "half_done"), 8),
            _ => assert_eq!(odd(&|row| row.engine == "oracle_of_delphi" || row.status.as_str() == "half_done"), 0),
        }
        assert_sound(&format!("{change:?}"), &stage.store);
    }
}

#[tokio::test]
async fn an_offset_that_is_ignored_ends_its_slices_alone() {
    for garbled in [0, 1_000] {
        let stage = Stage::small();
        let path = format!("/universes/{}/prompts", stage.universe(0));
        stage.server.faults().inject(&path, Fault::OffsetIgnored, When::Always);
        // Also where no row of the page can be read.
        let rows = Fault::Rows { change: RowChange::MissingPromptText, count: garbled };
        stage.server.faults().inject(&path, rows, When::Always);
        let report = stage.sync().await;
        let (class, error, _) = failure(&report);
        assert_eq!((class, error), ("loop", "the upstream serves the same page again and again"));
        assert_eq!((report.slices_planned, report.slices_done), (8, 4));
        assert_eq!(listed(&stage.store.reader().unwrap(), &stage.project(1)).len(), 4 * 9);
        assert_figures("a loop", &stage.store.reader().unwrap());
        let asked = stage.pages_read().iter().filter(|page| page.contains(stage.universe(0))).count();
        assert_eq!(asked, 4 * 2, "two pages of each day tell");

        if garbled == 0 {
            stage.server.faults().clear();
            stage.sync_all().await;
            let undisturbed = stage.undisturbed("undisturbed.sqlite").await;
            let rows = |store: &Store| {
                let reader = store.reader().unwrap();
                stage.projects().iter().flat_map(|project| listed(&reader, project)).collect::<Vec<_>>()
            };
            assert_eq!(rows(&stage.store), rows(&undisturbed));
            assert_sound("the offset is looked at again", &stage.store);
        }
    }
}

#[tokio::test]
async fn rows_that_move_between_pages_are_read_again_until_none_is_missed() {
    let stage = Stage::of(paged(1));
    // The first reading's three pages, then the second's.
    stage.server.faults().inject(PROMPTS, Fault::Shifting, When::Next(6));
    let report = stage.sync_all().await;
    assert_eq!((report.counts.added, report.counts.gone), (1_100, 0));
    assert_eq!(stage.pages_read().len(), 3 * 4);
    assert_sound("moving", &stage.store);
    let undisturbed = stage.undisturbed("undisturbed.sqlite").await;
    let rows = |store: &Store| lines(&store.reader().unwrap(), &stage.project(0));
    assert!(rows(&stage.store) == rows(&undisturbed), "moving");
}

#[tokio::test]
async fn a_row_that_is_deleted_between_two_pages_hides_no_other() {
    let stage = Stage::of(paged(1));
    stage.sync_all().await;
    let before = lines(&stage.store.reader().unwrap(), &stage.project(0));
    for store in [stage.other_cache("first-reading.sqlite"), stage.store.clone()] {
        stage.server.clear_requests();
        // The first reading's second and third page.
        stage.server.faults().inject(PROMPTS, Fault::Deleting, When::Next(3));
        let report = done(sync_into(&store, &[stage.upstream()], stage.last_day()).await.sources.remove(0));
        assert_eq!(report.counts.gone, 0);
        assert_eq!(stage.pages_read().len(), 2 * 4, "read again once");
        assert!(lines(&store.reader().unwrap(), &stage.project(0)) == before);
    }
}

#[tokio::test]
async fn rows_that_never_stop_moving_are_told_and_their_day_is_not_called_complete() {
    let stage = Stage::of(paged(1));
    stage.server.faults().inject(PROMPTS, Fault::Shifting, When::Always);
    let report = stage.sync().await;
    let (class, error, hint) = failure(&report);
    assert_eq!((class, error), ("moving", "rows moved from page to page in each of 3 readings of 2026-11-20"));
    assert!(hint.contains("next sync"), "{hint}");
    assert_eq!(report.counts.gone, 0);
    // The row that no page held is missing, so that the day is not complete.
    let reader = stage.store.reader().unwrap();
    assert_eq!(lines(&reader, &stage.project(0)).len(), 1_099);
    assert_eq!(reader.coverage(&stage.project(0), None, jiff::Timestamp::MAX).unwrap().missing_slices, 1);
    assert_figures("moving for ever", &reader);

    stage.server.faults().clear();
    assert_eq!(stage.sync_all().await.counts.added, 1);
    assert_sound("at rest", &stage.store);
}

/// Lists a universe that the key may no longer read.
struct Locked(WorldTracker);

impl Tracker for Locked {
    fn universes(&self) -> Vec<Universe> {
        let all = self.0.universes();
        // The first of its id is the one that is read; a foreign one is not listed.
        let foreign = Universe { foreign: true, ..all[0].clone() };
        [vec![foreign], all].concat()
    }

    fn days(&self, universe: &str) -> Vec<Day> {
        self.0.days(universe)
    }

    fn rows(&self, universe: &str, day: Day, take: Take) -> Vec<PromptRow> {
        self.0.rows(universe, day, take)
    }
}

#[tokio::test]
async fn a_universe_that_cannot_be_read_is_told_and_does_not_hide_the_others() {
    let stage = Stage::small();
    stage.sync_all().await;
    let before = picture(&stage.store);
    let locked = std::sync::Arc::new(Locked(stage.tracker.clone()));

    for (case, class) in [("forbidden", "forbidden"), ("failing", "server")] {
        let tracker = std::sync::Arc::new(stage.tracker.clone());
        if case == "forbidden" {
            stage.server.replace(locked.clone());
        } else {
            stage.server.replace(tracker.clone());
            stage.server.faults().inject(&format!("/universes/{}", stage.universe(0)), Fault::Internal, When::Always);
        }
        stage.server.clear_requests();
        let report = stage.sync().await;
        let (found, error, _) = failure(&report);
        assert_eq!(found, class, "{case}: {error}");
        assert_eq!((report.projects, report.slices_planned, report.slices_done), (1, 2, 2), "{case}");
        if case == "forbidden" {
            assert_eq!(error, format!("the key may not read universe {}", stage.universe(0)));
        }
        // It is not gone: it could not be asked for.
        assert!(stage.store.reader().unwrap().projects().unwrap().iter().all(|project| !project.gone), "{case}");
        assert_same(case, &picture(&stage.store), &before);
        stage.server.faults().clear();
        stage.server.replace(tracker);
        stage.sync_all().await;
        assert_same(case, &picture(&stage.store), &before);
    }
}

/// Lists a day that it has no row of.
struct Hollow(WorldTracker);

impl Tracker for Hollow {
    fn universes(&self) -> Vec<Universe> {
        self.0.universes()
    }

    fn days(&self, universe: &str) -> Vec<Day> {
        let days = self.0.days(universe);
        days.iter().map(|day| day.plus(-4)).chain(days.clone()).collect()
    }

    fn rows(&self, universe: &str, day: Day, take: Take) -> Vec<PromptRow> {
        self.0.rows(universe, day, take)
    }
}

#[tokio::test]
async fn a_day_that_is_listed_and_not_found_is_an_empty_day() {
    let stage = Stage::with(small(), 7, TODAY.parse().unwrap(), Hollow);
    let report = stage.sync_all().await;
    assert_eq!((report.slices_done, report.counts.added), (16, stage.world.run_count() as u64));
    assert_eq!(report.counts.rejected, 0);
    assert_sound("empty days", &stage.store);
    assert_eq!(stage.sync_all().await.slices_planned, 4, "they are not asked for again");
}

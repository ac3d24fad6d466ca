//! What happens upstream between two syncs: nothing, re-runs, new ids, settled days, deletions, new days.

use super::picture::{assert_same, assert_sound, listed, picture};
use crate::support::sync::{Stage, TODAY, day, done, sync_into};
use std::sync::Arc;
use visibility_mcp::{
    demo::verseodin::WorldTracker,
    model::{RunId, Status},
    store::RunDetails,
    sync::SourceReport,
};

/// What a sync moved: added, changed, unchanged, gone.
fn moved(report: &SourceReport) -> [u64; 4] {
    let counts = report.counts;
    [counts.added, counts.changed, counts.unchanged, counts.gone]
}

fn all_listed(stage: &Stage) -> Vec<RunDetails> {
    let reader = stage.store.reader().unwrap();
    stage.projects().iter().flat_map(|project| listed(&reader, project)).collect()
}

#[tokio::test]
async fn a_second_sync_reads_the_last_two_days_and_changes_nothing() {
    let stage = Stage::small();
    stage.sync_all().await;
    let before = picture(&stage.store);
    stage.server.clear_requests();

    let report = stage.sync_all().await;
    assert_eq!(moved(&report), [0, 0, 2 * (12 + 9), 0]);
    assert_same("a second sync", &picture(&stage.store), &before);
    let mut pages = stage.pages_read();
    pages.sort();
    let mut expected = Vec::new();
    for project in 0..2 {
        for (day, rows) in [("2026-11-19", [12, 9]), (TODAY, [12, 9])] {
            let universe = stage.universe(project);
            expected.push(format!("/universes/{universe}/history?day={day}"));
            for offset in [0, rows[project] - 1] {
                expected.push(format!("/universes/{universe}/prompts?day={day}&limit=1000&offset={offset}"));
            }
        }
    }
    expected.sort();
    assert_eq!(pages, expected);
}

#[tokio::test]
async fn a_day_that_ran_again_is_replaced_and_its_former_state_kept() {
    let stage = Stage::small();
    stage.sync_all().await;
    let day = day("2026-11-19");
    let before: Vec<RunDetails> = all_listed(&stage).into_iter().filter(|run| run.row.day == day).collect();

    stage.server.rerun(stage.universe(0), day);
    let report = stage.sync_all().await;
    assert_eq!([report.counts.added, report.counts.changed, report.counts.gone], [0, 12, 0]);
    let mut with_history = 0;
    for run in all_listed(&stage) {
        let former = before.iter().find(|former| former.row.id == run.row.id);
        let Some(former) = former.filter(|former| former.answer != run.answer) else {
            continue;
        };
        with_history += 1;
        assert_eq!(run.history.len(), 1, "{run:?}");
        assert!(run.history[0].answer_differs);
        assert_eq!(run.history[0].status, former.row.status.to_string());
    }
    assert!(with_history > 6, "{with_history}");
    assert_sound("a re-run", &stage.store);

    // The same again and again: a history entry for each state that there was, and the runs are those of a new cache.
    stage.server.rerun(stage.universe(0), day);
    stage.sync_all().await;
    assert!(all_listed(&stage).iter().any(|run| run.history.len() == 2));
    let answers = |runs: Vec<RunDetails>| runs.into_iter().map(|run| (run.row, run.answer)).collect::<Vec<_>>();
    let fresh = stage.undisturbed("fresh.sqlite").await;
    let fresh = fresh.reader().unwrap();
    let fresh: Vec<RunDetails> = stage.projects().iter().flat_map(|project| listed(&fresh, project)).collect();
    assert_eq!(answers(all_listed(&stage)), answers(fresh));
}

#[tokio::test]
async fn a_day_made_anew_under_other_ids_is_the_same_day() {
    let stage = Stage::small();
    stage.sync_all().await;
    let before = all_listed(&stage);
    stage.server.recreate(stage.universe(0), day(TODAY));
    stage.server.recreate(stage.universe(0), day("2026-11-19"));

    let report = stage.sync_all().await;
    assert_eq!([report.counts.added, report.counts.gone], [0, 0]);
    // Equal in all that can be seen, history included: there is none.
    assert_eq!(all_listed(&stage), before);
    assert!(before.iter().all(|run| run.history.is_empty()));
    assert_sound("other ids", &stage.store);
    // The new ids are on record all the same.
    let fresh = stage.undisturbed("fresh.sqlite").await;
    assert_same("other ids", &picture(&stage.store), &picture(&fresh));
}

#[tokio::test]
async fn open_runs_are_asked_for_until_they_are_settled() {
    let stage = Stage::small();
    stage.sync_all().await;
    let open = |runs: &[RunDetails]| runs.iter().filter(|run| run.row.status.is_open()).count();
    let before = all_listed(&stage);
    assert!(open(&before) > 0);

    // A week later the day is long out of the look-back, and still asked for because of them.
    let week_later = day(TODAY).plus(7);
    let report = done(stage.sync_on(week_later).await);
    assert_eq!([report.counts.added, report.counts.changed], [0, 0]);
    stage.settle();
    let report = done(stage.sync_on(week_later).await);
    assert_eq!(report.counts.changed, open(&before) as u64);
    let after = all_listed(&stage);
    assert_eq!(open(&after), 0);
    for (before, after) in before.iter().zip(&after).filter(|(before, _)| before.row.status.is_open()) {
        assert_eq!((before.row.id, &*after.history[0].status), (after.row.id, before.row.status.as_str()));
    }
    assert_sound("settled", &stage.store);

    stage.server.clear_requests();
    assert_eq!(done(stage.sync_on(week_later).await).slices_planned, 0);
    assert_eq!(stage.pages_read(), [""; 0]);
}

#[tokio::test]
async fn a_deleted_row_is_marked_left_out_and_taken_back() {
    let stage = Stage::small();
    stage.sync_all().await;
    let engine = stage.world.engines().next().unwrap().to_owned();
    let finished = |run: &&RunDetails| run.row.engine == engine && run.row.status == Status::Finished;
    let before = all_listed(&stage);
    let target = before.iter().filter(|run| run.row.day == day("2026-11-19")).find(finished).unwrap();
    let project = stage.projects().iter().position(|project| *project == target.project).unwrap();
    let id = RunId::of(&target.project, &format!("2026-11-19/{engine}/{}", target.row.prompt.label.as_ref().unwrap()));
    assert_eq!(id, target.row.id);

    let number = target.row.prompt.label.as_ref().unwrap().parse().unwrap();
    stage.server.delete(stage.universe(project), day("2026-11-19"), &engine, number);
    let report = stage.sync_all().await;
    assert_eq!([report.counts.added, report.counts.changed, report.counts.gone], [0, 0, 1]);
    let after = all_listed(&stage);
    assert_eq!(after.len(), before.len() - 1);
    assert!(after.iter().all(|run| run.row.id != id && run.previous != Some(id) && run.next != Some(id)));
    let gone = stage.store.reader().unwrap().run_details(id, None).unwrap().unwrap();
    assert!(gone.gone_at.is_some());
    assert_eq!((&gone.answer, &gone.citations), (&target.answer, &target.citations), "it is kept");
    assert_sound("deleted", &stage.store);
    assert_eq!(moved(&stage.sync_all().await)[3], 0, "gone once");

    // It returns: the tracker is the one it was, under another cache key of nothing that happened.
    let rows = stage.tracker.clone();
    let universe = stage.universe(project).to_owned();
    stage.server.edit(stage.universe(project), day("2026-11-19"), move |served| {
        use visibility_mcp::demo::{verseodin::Tracker, world::Take};
        let all = rows.rows(&universe, "2026-11-19".parse().unwrap(), Take::default());
        served.extend(all.into_iter().find(|row| row.engine == engine && row.prompt_id == number));
    });
    let report = stage.sync_all().await;
    assert_eq!([report.counts.added, report.counts.changed, report.counts.gone], [0, 1, 0]);
    assert_eq!(all_listed(&stage), before);
    assert_sound("returned", &stage.store);
}

#[tokio::test]
async fn a_day_that_grows_is_read_as_far_as_it_has_come() {
    let stage = Stage::small();
    stage.server.grow(stage.universe(0), day(TODAY), Some(7));
    stage.sync_all().await;
    assert_eq!(all_listed(&stage).len(), stage.world.run_count() - 12 + 7);
    stage.server.grow(stage.universe(0), day(TODAY), None);
    assert_eq!(moved(&stage.sync_all().await)[0], 12 - 7);
    let fresh = stage.undisturbed("fresh.sqlite").await;
    assert_same("grown", &picture(&stage.store), &picture(&fresh));
    assert_sound("grown", &stage.store);
}

#[tokio::test]
async fn a_day_that_is_empty_of_a_sudden_proves_nothing() {
    let stage = Stage::small();
    stage.sync_all().await;
    let before = all_listed(&stage);
    // The tracker answers "not found" for the rows of a day that it lists, or no longer lists it.
    stage.server.grow(stage.universe(0), day(TODAY), Some(0));
    assert_eq!(moved(&stage.sync_all().await)[3], 0);
    assert_eq!(all_listed(&stage), before);
    assert_sound("an empty day", &stage.store);
}

#[tokio::test]
async fn later_days_are_added_and_days_that_the_tracker_has_dropped_stay() {
    let stage = Stage::small();
    stage.sync_all().await;
    let mut expected: Vec<RunId> = all_listed(&stage).iter().map(|run| run.row.id).collect();
    let later = day(TODAY).plus(3);
    let world = Arc::new(stage.world.until(later));
    stage.server.replace(Arc::new(WorldTracker::new(world)));

    let report = done(stage.sync_on(later).await);
    assert_eq!([report.counts.added, report.counts.gone], [3 * (12 + 9), 0]);
    let found = all_listed(&stage);
    expected.retain(|id| !found.iter().any(|run| run.row.id == *id));
    assert_eq!(expected, []);
    let open = found.iter().filter(|run| run.row.status.is_open() && run.row.day < later).count();
    assert_eq!(open, 0, "runs that were open are done now");
    assert_sound("later days", &stage.store);

    let fresh = stage.other_cache("fresh.sqlite");
    done(sync_into(&fresh, &[stage.upstream()], later).await.sources.remove(0));
    let answers = |run: RunDetails| (run.row, run.answer, run.citations, run.facts);
    let fresh = fresh.reader().unwrap();
    for run in stage.projects().iter().flat_map(|project| listed(&fresh, project)).map(answers) {
        assert!(found.iter().any(|known| answers(known.clone()) == run), "{run:?}");
    }
}

//! Several at once: two processes that sync one cache, and readers while a sync writes.

use super::picture::{assert_figures, assert_same, assert_sound, lines, picture};
use crate::support::{
    secrets::{Watched as _, watched},
    sync::{Stage, address, done, options, small},
};
use serde_json::json;
use std::{
    path::Path,
    process::Command,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use visibility_mcp::{
    clock::Clock,
    demo::{
        verseodin::{PromptRow, Tracker, Universe, WorldTracker},
        world::{Take, WorldSize},
    },
    mcp::{Backend, Limits, Setup},
    model::Day,
    store::Store,
    sync::{Outcome, SyncOptions, sync},
    tools,
};

/// Where the tracker waits, and who waits for it.
#[derive(Default)]
struct Gate {
    state: Mutex<(bool, bool)>,
    moved: Condvar,
}

impl Gate {
    /// Called by the tracker: says that it was asked, and waits until it may answer.
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 = true;
        self.moved.notify_all();
        while !state.1 {
            state = self.moved.wait(state).unwrap();
        }
    }

    /// Waits until the tracker was asked.
    fn reached(&self) {
        let mut state = self.state.lock().unwrap();
        while !state.0 {
            state = self.moved.wait(state).unwrap();
        }
    }

    fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.moved.notify_all();
    }
}

/// A tracker that answers for rows only once its gate is open.
struct Gated(WorldTracker, Arc<Gate>);

impl Tracker for Gated {
    fn universes(&self) -> Vec<Universe> {
        self.0.universes()
    }

    fn days(&self, universe: &str) -> Vec<Day> {
        self.0.days(universe)
    }

    fn rows(&self, universe: &str, day: Day, take: Take) -> Vec<PromptRow> {
        self.1.pass();
        self.0.rows(universe, day, take)
    }
}

#[test]
fn the_second_of_two_processes_says_that_the_first_one_syncs_and_asks_for_nothing() {
    let gate = Arc::new(Gate::default());
    let today = Day::of(Clock::system().now());
    let stage = Stage::with(small(), 7, today.plus(-9), |tracker| Gated(tracker, Arc::clone(&gate)));
    let first = stage.program(stage.store.path()).arg("sync").spawn().unwrap();
    gate.reached();
    let second = stage.program(stage.store.path()).arg("sync").watched();
    gate.open();
    let first = watched(first.wait_with_output().unwrap());

    let said = String::from_utf8(second.stdout).unwrap();
    assert_eq!(said, "verseodin: another process syncs it now; the cache has what it fetched so far\n");
    assert!(second.status.success() && second.stderr.is_empty(), "{}", String::from_utf8_lossy(&second.stderr));
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let mut together: Vec<String> = stage.server.requests().iter().map(address).collect();
    stage.server.clear_requests();
    let alone = stage.other_cache("alone.sqlite");
    assert!(stage.program(alone.path()).arg("sync").watched().status.success());
    let mut expected: Vec<String> = stage.server.requests().iter().map(address).collect();
    together.sort();
    expected.sort();
    assert_eq!(together, expected);
    assert_same("two processes", &picture(&stage.store), &picture(&alone));
    assert_sound("two processes", &stage.store);
}

#[tokio::test]
async fn two_syncs_in_one_process_are_one() {
    let stage = Stage::small();
    let upstreams = [stage.upstream(), stage.upstream()];
    let [first, second] = [0, 1].map(|ix| sync(&upstreams[ix..=ix], &stage.store, options(stage.last_day())));
    let (first, second) = tokio::join!(first, second);
    let outcomes = [first, second].map(|report| report.unwrap().sources.remove(0).outcome);
    assert!(outcomes == [Outcome::Done, Outcome::Busy] || outcomes == [Outcome::Busy, Outcome::Done], "{outcomes:?}");
    let mut asked = stage.pages_read();
    let all = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), all, "nothing was asked for twice");
    let undisturbed = stage.undisturbed("undisturbed.sqlite").await;
    assert_same("two syncs", &picture(&stage.store), &picture(&undisturbed));
}

#[tokio::test]
async fn processes_that_take_turns_end_as_one_that_did_it_all() {
    let today = Day::of(Clock::system().now());
    let stage = Stage::with(small(), 7, today.plus(-9), |tracker| tracker);
    for turn in 0..4 {
        let world = Arc::new(stage.world.until(today.plus(turn - 9)));
        stage.server.replace(Arc::new(WorldTracker::new(world)));
        if turn % 2 == 0 {
            let output = stage.program(stage.store.path()).arg("sync").watched();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        } else {
            done(stage.sync_on(today).await);
        }
    }
    assert_sound("turns", &stage.store);
    let alone = stage.other_cache("alone.sqlite");
    done(crate::support::sync::sync_into(&alone, &[stage.upstream()], today).await.sources.remove(0));
    // The days of the last world; the cache that was there all the time has older ones besides.
    let (shared, alone) = (stage.store.reader().unwrap(), alone.reader().unwrap());
    for project in stage.projects() {
        let expected = lines(&alone, &project);
        let mut found = lines(&shared, &project);
        found.retain(|row| row.day >= expected[0].day);
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn readers_see_whole_pages_and_right_figures_at_every_moment_of_a_sync() {
    let stage = Arc::new(Stage::of(WorldSize { days: 12, ..small() }));
    stage.settle();
    // A first day, so that there is something to ask for.
    let first = SyncOptions { history_days: 1, ..options(stage.last_day()) };
    sync(&[stage.upstream()], &stage.store, first).await.unwrap();

    let over = Arc::new(AtomicBool::new(false));
    let reading = std::thread::spawn({
        let (stage, over) = (Arc::clone(&stage), Arc::clone(&over));
        move || {
            let (mut looks, mut sizes) = (0, Vec::new());
            loop {
                let last = over.load(Ordering::Relaxed);
                sizes.push(look(&stage));
                looks += 1;
                if last {
                    return (looks, sizes);
                }
            }
        }
    });
    let ask = Arc::clone(&stage);
    // Also between two pages, from the thread that syncs.
    let on_progress = Arc::new(move |_: &visibility_mcp::sync::Progress| {
        look(&ask);
    });
    let report =
        sync(&[stage.upstream()], &stage.store, SyncOptions { on_progress, ..options(stage.last_day()) }).await;
    done(report.unwrap().sources.remove(0));
    over.store(true, Ordering::Relaxed);
    let (looks, sizes) = reading.join().unwrap();
    assert!(looks >= 2 && sizes.is_sorted(), "{sizes:?}");
    assert_eq!(*sizes.last().unwrap(), stage.world.run_count());
}

/// Asks the tools and the store once; tells how many runs there were.
fn look(stage: &Stage) -> usize {
    let setup = Setup { sources: vec!["verseodin".into()], ..Setup::default() };
    let backend = Backend::new(stage.store.clone(), options(stage.last_day()).clock, setup);
    for (tool, arguments) in [
        ("list_prompt_runs", json!({ "limit": 5 })),
        ("brand_summary", json!({ "project": stage.universe(0), "period": "7d" })),
    ] {
        let answer = tools::catalogue().call(tool, arguments.as_object().unwrap(), &backend, Limits::default());
        let answer = answer.unwrap_or_else(|error| panic!("{tool}: {error}"));
        assert!(answer["as_of"].as_array().is_some_and(|sources| !sources.is_empty()), "{tool}: {answer}");
    }
    let reader = stage.store.reader().unwrap();
    assert_figures("while a sync writes", &reader);
    // A day of the two projects is a page each.
    let mut seen = 0;
    for (project, rows) in stage.projects().iter().zip([12, 9]) {
        let days: Vec<Day> = lines_at_once(&reader, project).into_iter().collect();
        seen += days.len();
        for day in days.chunk_by(|a, b| a == b) {
            assert_eq!(day.len(), rows, "{}", day[0]);
        }
    }
    seen
}

fn lines_at_once(reader: &visibility_mcp::store::Reader, project: &visibility_mcp::model::ProjectKey) -> Vec<Day> {
    let days = reader.snapshot(|reader| Ok::<_, visibility_mcp::store::Error>(lines(reader, project)));
    let mut days: Vec<Day> = days.unwrap().into_iter().map(|row| row.day).collect();
    days.sort();
    days
}

/// While a slow first process syncs, a second one says so and asks for nothing. `server` clears what it was asked and how
/// slow it is; before that it tells how often it was asked.
pub fn second_asks_for_nothing(
    source: &str,
    store: &Store,
    alone: &Store,
    program: &dyn Fn(&Path) -> Command,
    requests: &dyn Fn() -> usize,
    clear: &dyn Fn(),
) {
    let first = program(store.path()).arg("sync").spawn().unwrap();
    while requests() < 3 {
        std::thread::sleep(Duration::from_millis(2));
    }
    let second = program(store.path()).arg("sync").watched();
    let first = watched(first.wait_with_output().unwrap());
    let said = String::from_utf8(second.stdout).unwrap();
    assert_eq!(said, format!("{source}: another process syncs it now; the cache has what it fetched so far\n"));
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let together = requests();
    clear();
    assert!(program(alone.path()).arg("sync").watched().status.success());
    assert_eq!(together, requests(), "requests");
    assert_same("two processes", &picture(store), &picture(alone));
    assert_sound("two processes", store);
}

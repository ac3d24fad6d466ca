//! Lists that change while they are read: nothing is missed and nothing stands twice, or the page says so.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What happens between two pages.
#[derive(Clone, Copy, Debug)]
enum Change {
    Insert(u32),
    Remove(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![(0..60_000u32).prop_map(Change::Insert), (0..40usize).prop_map(Change::Remove)]
}

fn apply(state: &mut State, change: Change) {
    match change {
        Change::Insert(id) => {
            let new = run(id, "q1", "2026-11-20", "Running");
            if state.runs.iter().all(|run| run.id != new.id) {
                state.runs.push(new);
            }
        }
        Change::Remove(at) if !state.runs.is_empty() => {
            let at = at % state.runs.len();
            state.runs.remove(at);
        }
        Change::Remove(_) => {}
    }
}

/// Reads one slice with a page of four rows, with changes between pages: what was given, what was there all the time,
/// and whether any page said that rows have moved.
async fn read_while(start: Vec<u32>, changes: Vec<Vec<Change>>) -> (Vec<String>, BTreeSet<String>, bool) {
    let runs = start.iter().map(|id| run(*id, "q1", "2026-11-20", "Running")).collect();
    let tracker = Tracker::start(State { runs, ..State::default() }).await;
    let mut lumar = tracker.client();
    lumar.sizes.runs = 4;
    let project = project(&lumar).await;
    let slice = lumar.fetch_slices(&project, days(7)).await.unwrap().items.remove(0);
    let ids = |state: &State| -> BTreeSet<String> { state.runs.iter().map(|run| run.id.clone()).collect() };
    let mut steady = ids(&tracker.state());
    let (mut given, mut moved, mut cursor) = (vec![], false, None);
    let mut changes = changes.into_iter();
    for _ in 0..100 {
        let wanted = [Wanted { slice: &slice, cursor: cursor.as_ref() }];
        let page = lumar.fetch_pages(&project, &wanted, &*nothing()).await.unwrap().remove(0).unwrap();
        given.extend(page.runs.iter().map(|run| run.key.clone()));
        moved |= page.moved;
        let Some(next) = page.next else { return (given, steady, moved) };
        cursor = Some(next);
        let mut state = tracker.state();
        for change in changes.next().unwrap_or_default() {
            apply(&mut state, change);
            steady = steady.intersection(&ids(&state)).cloned().collect();
        }
    }
    panic!("it does not end");
}

fn check((given, steady, moved): (Vec<String>, BTreeSet<String>, bool)) -> bool {
    let once: BTreeSet<String> = given.iter().cloned().collect();
    moved || (once.len() == given.len() && steady.is_subset(&once))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_missed_and_nothing_stands_twice(
        start in proptest::collection::btree_set(0..60_000u32, 0..22),
        changes in proptest::collection::vec(proptest::collection::vec(change(), 0..4), 0..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        prop_assert!(check(runtime.block_on(read_while(start.into_iter().collect(), changes))));
    }
}

#[tokio::test]
async fn a_quiet_list_is_read_once_without_moving() {
    let (given, steady, moved) = read_while((0..11).collect(), vec![]).await;
    assert_eq!((given.len(), steady.len(), moved), (11, 11, false));
}

#[tokio::test]
async fn a_row_that_vanishes_before_the_place_reached_is_noticed() {
    assert!(read_while((0..9).collect(), vec![vec![Change::Remove(0)]]).await.2);
    assert!(read_while((10..19).collect(), vec![vec![Change::Insert(1)]]).await.2);
    // New rows come at the end as a rule, and move nothing.
    let (given, _, moved) = read_while((10..19).collect(), vec![vec![Change::Insert(50)]]).await;
    assert_eq!((given.len(), moved), (10, false));
}

#[tokio::test]
async fn cursors_read_back_and_others_begin_anew() {
    use crate::upstream::lumar::pages::Place;
    for place in
        [Place { after: Some("OTk".into()), above: Some(7) }, Place { after: Some("opaque:x".into()), above: None }]
    {
        assert_eq!(Place::of(Some(&place.cursor())), place);
    }
    for text in ["", "runs:", "runs:zz:OTk", "runs::", "x"] {
        assert_eq!(Place::of(Some(&Cursor(text.into()))), Place::default(), "{text}");
    }
}

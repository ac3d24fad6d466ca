//! The rows as they stand now: what the tracker gives, with what has happened to a day since.

use super::tracker::{PromptRow, Tracker, Universe};
use crate::{
    demo::{
        rng::{Dice, uuid},
        world::Take,
    },
    model::Day,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use xxhash_rust::xxh3::xxh3_64;

/// A change to the rows of a day.
pub(super) type Patch = Box<dyn Fn(&mut Vec<PromptRow>) + Send + Sync>;

/// What has happened to a day.
#[derive(Default)]
pub(super) struct Edits {
    pub(super) take: Take,
    /// How often its rows were deleted and made again, which changes their UUIDs.
    pub(super) recreated: u64,
    /// Deleted rows.
    pub(super) gone: BTreeSet<(String, u32)>,
    /// How many rows exist so far; none means all.
    pub(super) grown_to: Option<usize>,
    pub(super) patches: Vec<Patch>,
}

/// Days whose rows are kept, so that the pages of a day are not made anew for each.
const KEPT_DAYS: usize = 4;

pub(super) struct State {
    tracker: Arc<dyn Tracker>,
    edits: BTreeMap<(String, Day), Edits>,
    kept: Vec<(String, Day, Arc<Vec<PromptRow>>)>,
}

impl State {
    pub(super) fn new(tracker: Arc<dyn Tracker>) -> Self {
        Self { tracker, edits: BTreeMap::new(), kept: Vec::new() }
    }

    pub(super) fn replace(&mut self, tracker: Arc<dyn Tracker>) {
        self.tracker = tracker;
        self.kept.clear();
    }

    pub(super) fn edit(&mut self, universe: &str, day: Day, change: impl FnOnce(&mut Edits)) {
        self.kept.clear();
        change(self.edits.entry((universe.to_owned(), day)).or_default());
    }

    pub(super) fn universes(&self) -> Vec<Universe> {
        self.tracker.universes()
    }

    /// Days with history, newest first. A day that nothing happened to has the rows that its tracker says it has.
    pub(super) fn days(&mut self, universe: &str) -> Vec<Day> {
        let mut days = self.tracker.days(universe);
        days.sort_unstable();
        days.dedup();
        days.reverse();
        days.retain(|day| {
            !self.edits.contains_key(&(universe.to_owned(), *day))
                || self.rows(universe, *day).iter().any(PromptRow::is_terminal)
        });
        days
    }

    /// The rows of a day, in an order that is always the same for the same rows and means nothing.
    pub(super) fn rows(&mut self, universe: &str, day: Day) -> Arc<Vec<PromptRow>> {
        if let Some((_, _, rows)) = self.kept.iter().find(|(u, d, _)| u == universe && *d == day) {
            return Arc::clone(rows);
        }
        let edits = self.edits.get(&(universe.to_owned(), day));
        let mut rows = self.tracker.rows(universe, day, edits.map(|e| e.take).unwrap_or_default());
        if let Some(edits) = edits {
            rows.retain(|row| !edits.gone.contains(&(row.engine.clone(), row.prompt_id)));
            if edits.recreated > 0 {
                for row in &mut rows {
                    row.id = uuid(xxh3_64(row.id.as_bytes()), &[edits.recreated]);
                }
            }
        }
        rows.sort_by_cached_key(|row| Dice::at(xxh3_64(row.id.as_bytes()), &[]).word());
        if let Some(edits) = edits {
            for patch in &edits.patches {
                patch(&mut rows);
            }
            rows.truncate(edits.grown_to.unwrap_or(usize::MAX));
        }
        let rows = Arc::new(rows);
        if self.kept.len() >= KEPT_DAYS {
            self.kept.remove(0);
        }
        self.kept.push((universe.to_owned(), day, Arc::clone(&rows)));
        rows
    }
}

//! What there is now: what the tracker gives, with what has happened since the server began.

use super::{
    ids::{self, kind},
    judge::{self, Facts},
    tracker::{Place, Project, Run, Tracker},
};
use crate::{demo::world::Take, model::Day};
use jiff::Timestamp;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// A change to the runs of a prompt's day.
pub(super) type Patch = Box<dyn Fn(&mut Vec<Run>) + Send + Sync>;

/// Runs whose facts are kept, so that pages and figures do not have answers written anew; some 200 bytes each.
const KEPT: usize = 400_000;
/// Merged brands are followed so far; a circle of them ends there.
const MERGES: usize = 8;

pub(super) struct State {
    tracker: Arc<dyn Tracker>,
    /// What a brand was merged into, and when.
    merges: BTreeMap<u64, (u64, Timestamp)>,
    /// Global ids of what was deleted.
    gone: BTreeSet<String>,
    settled: BTreeSet<(usize, Day)>,
    /// How many takes there are after the first.
    takes: BTreeMap<Place, u32>,
    patches: Vec<(usize, Patch)>,
    facts: HashMap<Place, Arc<Vec<Facts>>>,
    kept: usize,
    citations: Vec<(CitedIn, Vec<Value>)>,
}

/// A project, a brand of it, and the days: what a list of cited URLs is about.
pub(super) type CitedIn = (usize, usize, Option<(Day, Day)>);
/// Lists of cited URLs that are kept, so that their pages do not have answers written anew.
const KEPT_CITATIONS: usize = 8;

impl State {
    pub(super) fn new(tracker: Arc<dyn Tracker>) -> Self {
        Self {
            tracker,
            merges: BTreeMap::new(),
            gone: BTreeSet::new(),
            settled: BTreeSet::new(),
            takes: BTreeMap::new(),
            patches: Vec::new(),
            facts: HashMap::new(),
            kept: 0,
            citations: Vec::new(),
        }
    }

    pub(super) fn tracker(&self) -> Arc<dyn Tracker> {
        Arc::clone(&self.tracker)
    }

    pub(super) fn replace(&mut self, tracker: Arc<dyn Tracker>) {
        self.tracker = tracker;
        self.forget();
    }

    fn forget(&mut self) {
        self.facts.clear();
        self.kept = 0;
        self.citations.clear();
    }

    pub(super) fn kept_citations(&self, of: &CitedIn) -> Option<Vec<Value>> {
        self.citations.iter().find(|(kept, _)| kept == of).map(|(_, nodes)| nodes.clone())
    }

    pub(super) fn keep_citations(&mut self, of: CitedIn, nodes: Vec<Value>) {
        if self.citations.len() >= KEPT_CITATIONS {
            self.citations.remove(0);
        }
        self.citations.push((of, nodes));
    }

    pub(super) fn merge(&mut self, variant: u64, target: u64, at: Timestamp) {
        self.merges.insert(variant, (target, at));
        self.citations.clear();
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.gone.insert(id.to_owned());
        self.forget();
    }

    pub(super) fn is_gone(&self, kind: &str, number: u64) -> bool {
        !self.gone.is_empty() && self.gone.contains(&ids::encode(kind, number))
    }

    pub(super) fn settle(&mut self, project: usize, day: Day) {
        self.settled.insert((project, day));
        self.forget();
    }

    /// One more run of each engine for this prompt and day.
    pub(super) fn add_take(&mut self, place: Place) {
        *self.takes.entry(place).or_default() += 1;
        self.citations.clear();
        if let Some(facts) = self.facts.remove(&place) {
            self.kept -= facts.len();
        }
    }

    pub(super) fn edit(&mut self, project: usize, patch: Patch) {
        self.patches.push((project, patch));
        self.forget();
    }

    /// The runs of a prompt's day.
    pub(super) fn runs(&self, place: Place) -> Vec<Run> {
        let Place { project, prompt, day } = place;
        let first = Take { number: 0, settled: self.settled.contains(&(project, day)) };
        let later = (1..=self.takes.get(&place).copied().unwrap_or(0)).map(|number| Take { number, settled: true });
        let takes = std::iter::once(first).chain(later);
        let mut runs: Vec<Run> = takes.flat_map(|take| self.tracker.runs(project, prompt, day, take)).collect();
        runs.retain(|run| !self.is_gone(kind::RUN, run.id));
        for (_, patch) in self.patches.iter().filter(|(of, _)| *of == project) {
            patch(&mut runs);
        }
        runs
    }

    /// The same without texts, kept for the next time.
    pub(super) fn facts(&mut self, place: Place) -> Arc<Vec<Facts>> {
        if let Some(facts) = self.facts.get(&place) {
            return Arc::clone(facts);
        }
        let tracker = self.tracker();
        let Some(project) = tracker.projects().get(place.project) else { return Arc::default() };
        let facts: Arc<Vec<Facts>> = Arc::new(self.runs(place).iter().map(|run| judge::facts(run, project)).collect());
        if self.kept + facts.len() > KEPT {
            self.facts.clear();
            self.kept = 0;
        }
        self.kept += facts.len();
        self.facts.insert(place, Arc::clone(&facts));
        facts
    }

    /// Days of prompts whose facts are kept.
    #[cfg(test)]
    pub(super) fn kept_places(&self) -> usize {
        self.facts.len()
    }

    /// What a brand was merged into: by this server, or before it began.
    pub(super) fn merged(&self, project: &Project, brand: u64) -> Option<(u64, Timestamp)> {
        let before = || {
            let brand = project.brands.iter().find(|other| other.id == brand)?;
            brand.merged_into.map(|target| (target, project.created_at))
        };
        self.merges.get(&brand).copied().or_else(before)
    }

    /// For each brand by place: the place of the brand that it counts as; none when that one is gone.
    pub(super) fn roots(&self, project: &Project) -> Vec<Option<usize>> {
        let root = |id: u64| {
            let mut id = id;
            for _ in 0..MERGES {
                match self.merged(project, id) {
                    Some((target, _)) => id = target,
                    None => break,
                }
            }
            let place = project.brands.iter().position(|brand| brand.id == id);
            place.filter(|_| !self.is_gone(kind::BRAND, id))
        };
        project.brands.iter().map(|brand| root(brand.id)).collect()
    }
}

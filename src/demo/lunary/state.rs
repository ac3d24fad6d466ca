//! The runs as they stand now: what the tracker gives, with what has happened since the server began.

use super::tracker::{Project, Run, Tracker};
use crate::model::Day;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// A change to the runs of a project.
pub(super) type Patch = Box<dyn Fn(&mut Vec<Run>) + Send + Sync>;
/// Runs that began on one day, oldest first.
pub(super) type Rows = Arc<Vec<Arc<Run>>>;

/// Runs that are kept of days, so that pages of a project do not have answers written anew; some 4 kB each.
const KEPT: usize = 40_000;
/// Runs above a run are followed so far; a circle of them ends there.
const GENERATIONS: usize = 16;

/// What happened to a run.
#[derive(Default)]
struct Change {
    feedback: Option<Value>,
    tags: Option<Vec<String>>,
}

/// A run, and the project it lies in by place.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) project: usize,
    pub(super) run: Arc<Run>,
}

pub(super) struct State {
    tracker: Arc<dyn Tracker>,
    settled: BTreeSet<(usize, Day)>,
    gone: BTreeSet<String>,
    changes: BTreeMap<String, Change>,
    added: Vec<(usize, Run)>,
    patches: Vec<(usize, Patch)>,
    days: HashMap<(usize, Day), Rows>,
    kept: usize,
    /// Projects that a patch has been at, which may move a run to another day: made as a whole.
    whole: HashMap<usize, BTreeMap<Day, Rows>>,
}

impl State {
    pub(super) fn new(tracker: Arc<dyn Tracker>) -> Self {
        Self {
            tracker,
            settled: BTreeSet::new(),
            gone: BTreeSet::new(),
            changes: BTreeMap::new(),
            added: Vec::new(),
            patches: Vec::new(),
            days: HashMap::new(),
            kept: 0,
            whole: HashMap::new(),
        }
    }

    pub(super) fn replace(&mut self, tracker: Arc<dyn Tracker>) {
        self.tracker = tracker;
        self.forget();
    }

    fn forget(&mut self) {
        self.days.clear();
        self.kept = 0;
        self.whole.clear();
    }

    pub(super) fn settle(&mut self, project: usize, day: Day) {
        self.settled.insert((project, day));
        self.forget();
    }

    pub(super) fn edit(&mut self, project: usize, patch: Patch) {
        self.patches.push((project, patch));
        self.forget();
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.gone.insert(id.to_owned());
        self.forget();
    }

    pub(super) fn add(&mut self, project: usize, run: Run) {
        self.added.push((project, run));
        self.forget();
    }

    /// Merges feedback key by key, as several events about one run do; null takes it away.
    pub(super) fn feedback(&mut self, id: &str, given: Value) {
        let before = self.find(id).map(|found| found.run.feedback.clone());
        let merged = match (before, given) {
            (Some(Value::Object(mut before)), Value::Object(given)) => {
                before.extend(given);
                Value::Object(before)
            }
            (_, given) => given,
        };
        self.changes.entry(id.to_owned()).or_default().feedback = Some(merged);
        self.forget();
    }

    pub(super) fn tag(&mut self, id: &str, tags: Vec<String>) {
        self.changes.entry(id.to_owned()).or_default().tags = Some(tags);
        self.forget();
    }

    pub(super) fn tracker(&self) -> Arc<dyn Tracker> {
        Arc::clone(&self.tracker)
    }

    pub(super) fn projects(&self) -> Vec<Project> {
        self.tracker.projects().to_vec()
    }

    /// Days that may have runs, oldest first.
    pub(super) fn days(&mut self, project: usize) -> Vec<Day> {
        if self.is_patched(project) {
            return self.whole(project).keys().copied().collect();
        }
        let mut days = self.tracker.days(project);
        days.extend(self.added_to(project).map(Run::day));
        days.sort_unstable();
        days.dedup();
        days
    }

    /// The runs that began on a day.
    pub(super) fn rows(&mut self, project: usize, day: Day) -> Rows {
        if self.is_patched(project) {
            return self.whole(project).get(&day).cloned().unwrap_or_default();
        }
        if let Some(rows) = self.days.get(&(project, day)) {
            return Arc::clone(rows);
        }
        let mut runs = self.tracked(project, day);
        runs.extend(self.added_to(project).filter(|run| run.day() == day).cloned());
        let rows = self.finished(runs);
        if self.kept + rows.len() > KEPT {
            self.days.clear();
            self.kept = 0;
        }
        self.kept += rows.len();
        self.days.insert((project, day), Arc::clone(&rows));
        rows
    }

    /// A run by id, in whichever project.
    pub(super) fn find(&mut self, id: &str) -> Option<Found> {
        let added = self.added.iter().find(|(_, run)| run.id == id).map(|(project, run)| (*project, run.day()));
        let tracked = added.or_else(|| self.tracker.find(id));
        let by_id = |rows: &Rows| rows.iter().find(|run| run.id == id).cloned();
        if let Some((project, day)) = tracked
            && !self.is_patched(project)
        {
            return by_id(&self.rows(project, day)).map(|run| Found { project, run });
        }
        let mut patched: Vec<usize> = self.patches.iter().map(|(project, _)| *project).collect();
        patched.dedup();
        patched.into_iter().find_map(|project| {
            let run = self.whole(project).values().find_map(by_id)?;
            Some(Found { project, run })
        })
    }

    /// The runs above a run, the nearest first.
    pub(super) fn above(&mut self, run: &Run) -> Vec<Arc<Run>> {
        let mut line: Vec<Arc<Run>> = Vec::new();
        let mut next = run.parent.clone();
        while let Some(id) = next.take().filter(|_| line.len() < GENERATIONS) {
            let Some(found) = self.find(&id) else { break };
            next.clone_from(&found.run.parent);
            line.push(found.run);
        }
        line
    }

    /// The runs right below a run, oldest first: those of its day, and those that were added.
    pub(super) fn below(&mut self, found: &Found) -> Vec<Arc<Run>> {
        let mut days = vec![found.run.day()];
        if self.is_patched(found.project) {
            days = self.days(found.project);
        } else {
            days.extend(self.added_to(found.project).map(Run::day));
            days.sort_unstable();
            days.dedup();
        }
        let is_below = |run: &Arc<Run>| run.parent.as_ref() == Some(&found.run.id);
        let of_day =
            |day| self.rows(found.project, day).iter().filter(|run| is_below(run)).cloned().collect::<Vec<_>>();
        days.into_iter().flat_map(of_day).collect()
    }

    fn is_patched(&self, project: usize) -> bool {
        self.patches.iter().any(|(patched, _)| *patched == project)
    }

    fn added_to(&self, project: usize) -> impl Iterator<Item = &Run> {
        self.added.iter().filter(move |(to, _)| *to == project).map(|(_, run)| run)
    }

    fn tracked(&self, project: usize, day: Day) -> Vec<Run> {
        self.tracker.runs(project, day, self.settled.contains(&(project, day)))
    }

    /// The runs without those that are gone, as changed, in the order of their creation.
    fn finished(&self, mut runs: Vec<Run>) -> Rows {
        runs.retain(|run| !self.gone.contains(&run.id));
        for run in &mut runs {
            let Some(change) = self.changes.get(&run.id) else { continue };
            if let Some(feedback) = &change.feedback {
                run.feedback.clone_from(feedback);
            }
            if let Some(tags) = &change.tags {
                run.tags = Some(tags.clone());
            }
        }
        runs.sort_by_key(|run| run.created_at);
        Arc::new(runs.into_iter().map(Arc::new).collect())
    }

    /// The runs of a patched project by day, made once.
    fn whole(&mut self, project: usize) -> &BTreeMap<Day, Rows> {
        let rows = self.whole.remove(&project).unwrap_or_else(|| self.patched(project));
        self.whole.entry(project).or_insert(rows)
    }

    fn patched(&self, project: usize) -> BTreeMap<Day, Rows> {
        let days = self.tracker.days(project);
        let mut runs: Vec<Run> = days.into_iter().flat_map(|day| self.tracked(project, day)).collect();
        runs.extend(self.added_to(project).cloned());
        for (_, patch) in self.patches.iter().filter(|(patched, _)| *patched == project) {
            patch(&mut runs);
        }
        let mut by_day: BTreeMap<Day, Vec<Run>> = BTreeMap::new();
        for run in runs {
            by_day.entry(run.day()).or_default().push(run);
        }
        by_day.into_iter().map(|(day, runs)| (day, self.finished(runs))).collect()
    }
}

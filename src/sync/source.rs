//! The sync of one source, from its lease to its entry in the log.

use super::{Outcome, PlanOptions, Progress, Shared, SourceReport, Task, diff, lease, plan};
use crate::{
    detect::BrandNames,
    model::{Day, ProjectKey, ProjectRecord, RunId, RunRecord, SourceName},
    store::{self, SliceDone, SyncCounts, SyncOutcome},
    upstream::{self, Cursor, Drift, Page, Rejected, Upstream},
};
use std::{collections::HashSet, sync::Arc};

// A reading of a slice that never ends is ended: far more pages than any real slice has.
const MAX_PAGES: usize = 100_000;
// How often a slice whose rows keep moving is read before it is left for the next sync.
const READINGS: usize = 3;

// So many slices in a row that fail for reasons that pass are the source's failure: the rest waits for the next sync.
const PATIENCE: usize = 5;

/// Why a source or a slice stopped.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("cancelled")]
    Cancelled,
    #[error(transparent)]
    Upstream(#[from] upstream::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the upstream serves the same page again and again")]
    Loop,
    #[error("rows moved from page to page in each of {READINGS} readings of {0}")]
    Moving(String),
}

impl Stop {
    /// Is it useless to go on with the next slice?
    fn ends_source(&self) -> bool {
        match self {
            Self::Cancelled | Self::Store(_) => true,
            Self::Upstream(error) => error.is_fatal_to_source(),
            Self::Loop | Self::Moving(_) => false,
        }
    }

    fn is_transient(&self) -> bool {
        matches!(self, Self::Upstream(error) if error.is_transient())
    }

    fn outcome(&self) -> Outcome {
        let (class, hint) = match self {
            Self::Cancelled => return Outcome::Cancelled,
            Self::Store(store::Error::LeaseLost) => return Outcome::Busy,
            Self::Upstream(error) => (error.class(), error.hint()),
            Self::Store(error) => ("cache", error.hint().to_owned()),
            Self::Loop => {
                ("loop", "the API ignores its paging; report this, the rest of the source is synced".to_owned())
            }
            Self::Moving(_) => {
                ("moving", "what was read is kept; the next sync reads it again, since rows may be missing".to_owned())
            }
        };
        Outcome::Failed { class: class.to_owned(), error: self.to_string(), hint }
    }
}

/// One source on its way through a sync.
struct Sync<'a> {
    shared: &'a Shared,
    upstream: &'a dyn Upstream,
    name: SourceName,
    report: SourceReport,
}

/// A project, and what its pages need to be saved.
#[derive(Clone)]
struct Target {
    record: Arc<ProjectRecord>,
    key: ProjectKey,
    names: Arc<BrandNames>,
}

pub(super) async fn sync_source(shared: &Shared, upstream: &dyn Upstream) -> SourceReport {
    let name = upstream.source().clone();
    let report = SourceReport {
        source: name.clone(),
        outcome: Outcome::Done,
        projects: 0,
        slices_planned: 0,
        slices_done: 0,
        counts: SyncCounts::default(),
    };
    let mut sync = Sync { shared, upstream, name, report };
    if let Err(stop) = sync.run().await {
        sync.fail(&stop);
    }
    tracing::info!(
        source = %sync.name,
        outcome = ?sync.report.outcome,
        pages = sync.report.counts.pages,
        added = sync.report.counts.added,
        changed = sync.report.counts.changed,
        "sync ended"
    );
    sync.report
}

impl Sync<'_> {
    async fn run(&mut self) -> Result<(), Stop> {
        let (name, kind) = (self.name.clone(), self.upstream.kind());
        self.shared.writer.write(move |w| w.save_source(&name, kind)).await?;
        let _lease = lease::take(self.shared, &self.name).await?;
        let (name, now) = (self.name.clone(), self.now());
        self.shared.writer.write(move |w| w.begin_sync(&name, now)).await?;
        if let Err(stop) = self.work().await {
            self.fail(&stop);
        }
        self.close().await
    }

    /// Everything between the opening of the log's entry and its closing.
    async fn work(&mut self) -> Result<(), Stop> {
        self.tell(None);
        let targets = self.discover().await?;
        self.catch_up(&targets).await?;
        let tasks = self.plan(&targets).await?;
        self.report.slices_planned = tasks.len();
        let mut failed_in_a_row = 0;
        for (target, task) in &tasks {
            self.tell(Some(task.slice.last_day));
            match self.read_slice(target, task).await {
                Ok(()) => {
                    self.report.slices_done += 1;
                    failed_in_a_row = 0;
                }
                Err(stop) if stop.ends_source() => return Err(stop),
                Err(stop) => {
                    self.fail_slice(target, task, &stop).await?;
                    failed_in_a_row = if stop.is_transient() { failed_in_a_row + 1 } else { 0 };
                    if failed_in_a_row >= PATIENCE {
                        return Err(stop);
                    }
                }
            }
        }
        self.tell(None);
        Ok(())
    }

    async fn discover(&mut self) -> Result<Vec<Target>, Stop> {
        let found = self.unless_cancelled(self.upstream.fetch_projects()).await?;
        // A project that could not be read just now is not gone.
        let complete = found.rejected.is_empty() && found.failed.is_empty();
        for error in found.failed {
            self.fail(&Stop::Upstream(error));
        }
        let (source, now) = (self.name.clone(), self.now());
        let targets: Vec<Target> = found
            .items
            .into_iter()
            .map(|record| Target {
                key: ProjectKey { source: source.clone(), key: record.key.clone() },
                names: Arc::new(BrandNames::of(&record.brands)),
                record: Arc::new(record),
            })
            .collect();
        self.report.projects = targets.len();
        let saved = targets.clone();
        self.shared
            .writer
            .write(move |w| {
                for target in &saved {
                    w.save_project(&source, &target.record, &|text| target.names.occur_in(text), now)?;
                }
                if complete {
                    let listed: Vec<String> = saved.iter().map(|target| target.key.key.clone()).collect();
                    w.mark_gone_projects(&source, &listed, now)?;
                }
                Ok(())
            })
            .await?;
        self.keep_oddities("discovery", found.rejected, found.drift).await?;
        Ok(targets)
    }

    /// Rebuilds the rollups that a killed sync left behind its rows, or that a change of brands has put there: the
    /// slices that follow may be others, or none.
    async fn catch_up(&self, targets: &[Target]) -> Result<(), Stop> {
        for target in targets {
            let key = target.key.clone();
            self.shared.writer.write(move |w| w.refresh_rollups(&key)).await?;
        }
        Ok(())
    }

    /// The tasks of all projects, the newest days of every project first.
    async fn plan(&mut self, targets: &[Target]) -> Result<Vec<(Target, Task)>, Stop> {
        let options = PlanOptions {
            today: Day::of(self.now()),
            history_days: self.shared.options.history_days,
            look_back_days: self.upstream.look_back_days(),
        };
        let mut tasks = Vec::new();
        for target in targets {
            let offered = match self.unless_cancelled(self.upstream.fetch_slices(&target.record)).await {
                Ok(offered) => offered,
                Err(stop) if stop.ends_source() => return Err(stop),
                Err(stop) => {
                    self.fail(&stop);
                    continue;
                }
            };
            for error in offered.failed {
                self.fail(&Stop::Upstream(error));
            }
            let stored = self.shared.store.reader()?.slices(&target.key)?;
            tasks.extend(plan(offered.items, &stored, options).into_iter().map(|task| (target.clone(), task)));
            self.keep_oddities(&target.record.key, offered.rejected, offered.drift).await?;
        }
        tasks.sort_by_key(|(_, task)| std::cmp::Reverse(task.slice.last_day));
        Ok(tasks)
    }

    async fn read_slice(&mut self, target: &Target, task: &Task) -> Result<(), Stop> {
        let mut cursor = task.cursor.clone();
        for _ in 0..READINGS {
            let done = self.read_pages(target, task, cursor.take()).await?;
            let key = target.key.clone();
            self.shared.writer.write(move |w| w.refresh_rollups(&key)).await?;
            match done {
                SliceDone::Complete { gone } => {
                    self.report.counts.gone += gone;
                    return Ok(());
                }
                SliceDone::Shifted => {
                    tracing::info!(source = %self.name, slice = %task.slice.key, "rows moved, reading again");
                }
            }
        }
        Err(Stop::Moving(task.slice.key.clone()))
    }

    /// Reads a slice to its end: the next page is fetched while the last one is being committed.
    async fn read_pages(&mut self, target: &Target, task: &Task, from: Option<Cursor>) -> Result<SliceDone, Stop> {
        let mut cursors = HashSet::new();
        let mut begins = from.is_none();
        let mut page = self.fetch(target, task, from.as_ref()).await?;
        let mut digest = None;
        for _ in 0..MAX_PAGES {
            // Empty pages may well be equal: the last page of runs and the first of another kind.
            let has_rows = !page.runs.is_empty() || !page.rejected.is_empty();
            if has_rows && digest.replace(page.digest) == Some(page.digest) {
                return Err(Stop::Loop);
            }
            let next = page.next.clone();
            let commit = self.commit(target, task, page, begins);
            begins = false;
            let Some(next) = next else {
                let (counts, done) = commit.await?;
                self.report.counts = counts;
                return done.ok_or(Stop::Loop);
            };
            if !cursors.insert(next.clone()) {
                return Err(Stop::Loop);
            }
            let (committed, fetched) = tokio::join!(commit, self.fetch(target, task, Some(&next)));
            self.report.counts = committed?.0;
            self.tell(Some(task.slice.last_day));
            page = fetched?;
        }
        Err(Stop::Loop)
    }

    async fn fetch(&self, target: &Target, task: &Task, cursor: Option<&Cursor>) -> Result<Page, Stop> {
        self.unless_cancelled(self.upstream.fetch_page(&target.record, &task.slice, cursor)).await
    }

    /// Commits a page with its cursor, and with the last page the slice as complete, in one transaction.
    fn commit(
        &self,
        target: &Target,
        task: &Task,
        page: Page,
        begins: bool,
    ) -> impl Future<Output = Result<(SyncCounts, Option<SliceDone>), store::Error>> + use<> {
        let (source, holder, now) = (self.name.clone(), self.shared.holder.clone(), self.now());
        let (target, slice) = (target.clone(), task.slice.clone());
        let mut counts = self.report.counts;
        let writer = self.shared.writer.clone();
        async move {
            writer
                .write(move |w| {
                    // Renewing fails once another process has taken over: then nothing of ours is written.
                    w.take_lease(&source, &holder, lease::TTL, false, now)?;
                    if begins {
                        w.begin_slice(&target.key, &slice.key, slice.last_day)?;
                    }
                    let runs: Vec<(RunId, &RunRecord)> =
                        page.runs.iter().map(|run| (RunId::of(&target.key, &run.key), run)).collect();
                    let stored = w.stored_runs(runs.iter().map(|(id, _)| *id))?;
                    let changes = diff(&runs, &stored);
                    let branded = |text: &str| target.names.occur_in(text);
                    w.save_runs(&target.key, &changes.added, &changes.changed, &branded, now)?;
                    w.save_returned(&changes.returned)?;
                    w.save_published(&target.key, &page.published)?;
                    for rejected in &page.rejected {
                        let place = format!("{}/{}", target.key.key, slice.key);
                        w.quarantine(&source, &place, &rejected.reason, &rejected.raw, now)?;
                    }
                    for drift in &page.drift {
                        w.save_drift(&source, &drift.record, &drift.field, drift.kind.as_str(), now)?;
                    }
                    // Once each: a run that stands twice in one page has not moved between pages.
                    let mut ids: Vec<RunId> = runs.iter().map(|(id, _)| *id).collect();
                    ids.sort_unstable();
                    ids.dedup();
                    let next = page.next.as_ref().map(|next| next.0.as_str());
                    w.save_slice_page(&target.key, &slice.key, &ids, (next, page.moved))?;
                    counts.pages += 1;
                    counts.bytes += page.bytes;
                    counts.added += changes.added.len() as u64;
                    counts.changed += (changes.changed.len() + changes.returned.len()) as u64;
                    counts.unchanged += changes.unchanged as u64;
                    counts.rejected += page.rejected.len() as u64;
                    w.save_sync_counts(&source, &counts)?;
                    let done = match page.next {
                        Some(_) => None,
                        None => Some(w.complete_slice(&target.key, &slice.key, slice.fingerprint.as_deref(), now)?),
                    };
                    Ok((counts, done))
                })
                .await
        }
    }

    async fn keep_oddities(&mut self, place: &str, rejected: Vec<Rejected>, drift: Vec<Drift>) -> Result<(), Stop> {
        if rejected.is_empty() && drift.is_empty() {
            return Ok(());
        }
        self.report.counts.rejected += rejected.len() as u64;
        let (source, place, now) = (self.name.clone(), place.to_owned(), self.now());
        let saved = self.shared.writer.write(move |w| {
            for rejected in &rejected {
                w.quarantine(&source, &place, &rejected.reason, &rejected.raw, now)?;
            }
            for drift in &drift {
                w.save_drift(&source, &drift.record, &drift.field, drift.kind.as_str(), now)?;
            }
            Ok(())
        });
        Ok(saved.await?)
    }

    async fn fail_slice(&mut self, target: &Target, task: &Task, stop: &Stop) -> Result<(), Stop> {
        self.fail(stop);
        let (project, slice, error) = (target.key.clone(), task.slice.key.clone(), stop.to_string());
        let saved = self.shared.writer.write(move |w| {
            w.fail_slice(&project, &slice, &error)?;
            w.refresh_rollups(&project)
        });
        Ok(saved.await?)
    }

    /// The first failure is the one that is reported: later ones mostly follow from it.
    fn fail(&mut self, stop: &Stop) {
        tracing::warn!(source = %self.name, error = %stop, "sync stopped");
        if self.report.outcome == Outcome::Done {
            self.report.outcome = stop.outcome();
        }
    }

    /// Closes the log's entry and gives the lease back.
    async fn close(&mut self) -> Result<(), Stop> {
        let outcome = match &self.report.outcome {
            Outcome::Done => SyncOutcome::Done,
            Outcome::Cancelled => SyncOutcome::Cancelled,
            // The process that took over keeps the log now.
            Outcome::Busy => return Ok(()),
            Outcome::Failed { class, error, hint } => {
                SyncOutcome::Failed { class: class.clone(), error: error.clone(), hint: hint.clone() }
            }
        };
        let (source, holder, counts, now) =
            (self.name.clone(), self.shared.holder.clone(), self.report.counts, self.now());
        let closed = self.shared.writer.write(move |w| {
            w.end_sync(&source, &counts, &outcome, now)?;
            w.end_lease(&source, &holder)
        });
        Ok(closed.await?)
    }

    async fn unless_cancelled<T>(&self, work: impl Future<Output = Result<T, upstream::Error>>) -> Result<T, Stop> {
        match self.shared.options.cancel.run_until_cancelled(work).await {
            Some(done) => Ok(done?),
            None => Err(Stop::Cancelled),
        }
    }

    fn now(&self) -> jiff::Timestamp {
        self.shared.options.clock.now()
    }

    fn tell(&self, day: Option<Day>) {
        let counts = &self.report.counts;
        (self.shared.options.on_progress)(&Progress {
            source: self.name.clone(),
            slices_done: self.report.slices_done,
            slices_planned: self.report.slices_planned,
            day,
            runs: counts.added + counts.changed + counts.unchanged,
        });
    }
}

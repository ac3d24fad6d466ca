//! The sync of one source, from its lease to its entry in the log.

use super::{
    Outcome, PlanOptions, Progress, Shared, SourceReport, Task, detection::Detection, diff, lease, plan,
    reading::Reading, redetect::redetect_project, stop::Stop,
};
use crate::{
    analysis::recompute,
    model::{Day, DayRange, ProjectKey, ProjectRecord, RunId, RunRecord, SourceName},
    store::{self, SliceDone, StoredSlice, SyncCounts, SyncOutcome, Write},
    upstream::{self, Drift, Page, Rejected, Slice, Upstream, Wanted},
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

// So many slices in a row that fail for reasons that pass are the source's failure: the rest waits for the next sync.
const PATIENCE: usize = 5;

/// One source on its way through a sync.
struct Sync<'a> {
    shared: &'a Shared,
    upstream: &'a dyn Upstream,
    name: SourceName,
    report: SourceReport,
    failed_in_a_row: usize,
}

/// A page on its way into the cache.
struct SlicePage {
    slice: Slice,
    /// Is it the first of a reading?
    begins: bool,
    page: Page,
}

/// A project, and what its pages need to be saved.
#[derive(Clone)]
struct Target {
    record: Arc<ProjectRecord>,
    key: ProjectKey,
    detection: Arc<Detection>,
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
    let mut sync = Sync { shared, upstream, name, report, failed_in_a_row: 0 };
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
        for bundle in bundles(tasks, self.upstream.slices_at_once()) {
            self.read_bundle(&bundle.target, bundle.tasks).await?;
            if bundle.ends_days {
                self.catch_up(std::slice::from_ref(&bundle.target)).await?;
            }
        }
        // Answers that are here already were read with the brands of then.
        for target in &targets {
            let cancel = &self.shared.options.cancel;
            redetect_project(&self.shared.writer, &target.key, &target.detection, cancel, |_| {}).await?;
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
        let added = self.shared.options.brands.get(&source).map_or(&[][..], Vec::as_slice);
        let targets: Vec<Target> = found
            .items
            .into_iter()
            .map(|record| Target {
                key: ProjectKey { source: source.clone(), key: record.key.clone() },
                detection: Arc::new(Detection::of(&record.brands, added)),
                record: Arc::new(record),
            })
            .collect();
        self.report.projects = targets.len();
        let saved = targets.clone();
        self.shared
            .writer
            .write(move |w| {
                for target in &saved {
                    let detection = &*target.detection;
                    w.save_project(&source, &target.record, &detection.brands, detection, now)?;
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
            self.shared.writer.write(move |w| w.refresh_rollups(&key, &recompute)).await?;
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
        let days = DayRange::ending(options.today, options.history_days);
        let mut tasks = Vec::new();
        for target in targets {
            let offered = match self.unless_cancelled(self.upstream.fetch_slices(&target.record, days)).await {
                Ok(offered) => offered,
                Err(stop) if stop.ends_source() => return Err(stop),
                Err(stop) => {
                    self.fail(&stop);
                    continue;
                }
            };
            let stored = self.shared.store.reader()?.slices(&target.key)?;
            if offered.failed.is_empty() {
                self.forget_lost(target, &offered.items, &stored).await?;
            }
            for error in offered.failed {
                self.fail(&Stop::Upstream(error));
            }
            tasks.extend(plan(offered.items, &stored, options).into_iter().map(|task| (target.clone(), task)));
            self.keep_oddities(&target.record.key, offered.rejected, offered.drift).await?;
        }
        tasks.sort_by_key(|(_, task)| std::cmp::Reverse(task.slice.last_day));
        Ok(tasks)
    }

    /// A slice that was half read and is offered no more, such as a week of a prompt that was deleted since, has no end
    /// to be read to. Its runs stay.
    async fn forget_lost(&self, target: &Target, offered: &[Slice], stored: &[StoredSlice]) -> Result<(), Stop> {
        let offered: HashSet<&str> = offered.iter().map(|slice| slice.key.as_str()).collect();
        let lost = stored.iter().filter(|slice| slice.completed_at.is_none() && !offered.contains(slice.key.as_str()));
        let lost: Vec<String> = lost.map(|slice| slice.key.clone()).collect();
        if lost.is_empty() {
            return Ok(());
        }
        let project = target.key.clone();
        let forgotten =
            self.shared.writer.write(move |w| lost.iter().try_for_each(|key| w.forget_slice(&project, key)));
        Ok(forgotten.await?)
    }

    /// Reads slices to their ends, side by side: their next pages are fetched while the last ones are being committed.
    async fn read_bundle(&mut self, target: &Target, tasks: Vec<Task>) -> Result<(), Stop> {
        let day = tasks.first().map(|task| task.slice.last_day);
        let mut readings: Vec<Reading> = tasks.into_iter().map(Reading::of).collect();
        let mut again = Vec::new();
        self.tell(day);
        let mut fetched = self.fetch(target, &readings).await;
        loop {
            let (noted, pages) = self.note(target, readings, fetched).await?;
            let commit = self.commit(target, pages);
            let (next, ended): (Vec<_>, Vec<_>) = noted.into_iter().partition(Reading::goes_on);
            let committed;
            (committed, fetched) = tokio::join!(commit, self.fetch(target, &next));
            let (counts, done) = committed?;
            self.report.counts = counts;
            for (mut reading, done) in ended.into_iter().zip(done) {
                match reading.end(done) {
                    Ok(Some(gone)) => {
                        self.report.counts.gone += gone;
                        self.report.slices_done += 1;
                        self.failed_in_a_row = 0;
                    }
                    Ok(None) => {
                        tracing::info!(source = %self.name, slice = %reading.slice.key, "rows moved, reading again");
                        again.push(reading);
                    }
                    Err(stop) => self.fail_slices(target, &[&reading.slice], stop).await?,
                }
            }
            self.tell(day);
            readings = next;
            if readings.is_empty() {
                if again.is_empty() {
                    return Ok(());
                }
                readings = std::mem::take(&mut again);
                fetched = self.fetch(target, &readings).await;
            }
        }
    }

    async fn fetch(&self, target: &Target, readings: &[Reading]) -> Result<Vec<Result<Page, upstream::Error>>, Stop> {
        if readings.is_empty() {
            return Ok(Vec::new());
        }
        let stored = Mutex::new(self.shared.store.reader()?);
        let known = |run: &str, hash: u64| {
            let reader = stored.lock().unwrap_or_else(PoisonError::into_inner);
            // What can't be looked up is asked for.
            reader.raw_hash(RunId::of(&target.key, run)).is_ok_and(|stored| stored == Some(hash))
        };
        let wanted: Vec<Wanted<'_>> = readings.iter().map(Reading::wanted).collect();
        self.unless_cancelled(self.upstream.fetch_pages(&target.record, &wanted, &known)).await
    }

    /// Sorts what was fetched: the pages of slices that go well, with their readings. The others have failed.
    async fn note(
        &mut self,
        target: &Target,
        readings: Vec<Reading>,
        fetched: Result<Vec<Result<Page, upstream::Error>>, Stop>,
    ) -> Result<(Vec<Reading>, Vec<SlicePage>), Stop> {
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(stop) => {
                let slices: Vec<&Slice> = readings.iter().map(|reading| &reading.slice).collect();
                self.fail_slices(target, &slices, stop).await?;
                return Ok((Vec::new(), Vec::new()));
            }
        };
        let (mut noted, mut pages) = (Vec::with_capacity(readings.len()), Vec::with_capacity(readings.len()));
        // Slices that were asked for together fail together: once.
        let failed_before = self.failed_in_a_row;
        for (mut reading, page) in readings.into_iter().zip(fetched) {
            let begins = reading.begins;
            match page.map_err(Stop::from).and_then(|page| reading.note(&page).map(|()| page)) {
                Ok(page) => {
                    pages.push(SlicePage { slice: reading.slice.clone(), begins, page });
                    noted.push(reading);
                }
                Err(stop) => {
                    self.failed_in_a_row = failed_before;
                    self.fail_slices(target, &[&reading.slice], stop).await?;
                }
            }
        }
        Ok((noted, pages))
    }

    /// Commits pages with their cursors, and with a last page its slice as complete, in one transaction. What the
    /// ended slices came to is given in their order.
    fn commit(
        &self,
        target: &Target,
        pages: Vec<SlicePage>,
    ) -> impl Future<Output = Result<(SyncCounts, Vec<SliceDone>), store::Error>> + use<> {
        let (source, holder, now) = (self.name.clone(), self.shared.holder.clone(), self.now());
        let target = target.clone();
        let mut counts = self.report.counts;
        let writer = self.shared.writer.clone();
        async move {
            writer
                .write(move |w| {
                    // Renewing fails once another process has taken over: then nothing of ours is written.
                    w.take_lease(&source, &holder, lease::TTL, false, now)?;
                    save_pages(w, &target, &pages, &mut counts, now)?;
                    w.save_sync_counts(&source, &counts)?;
                    let ended = pages.iter().filter(|page| page.page.next.is_none());
                    let complete = |page: &SlicePage| {
                        w.complete_slice(&target.key, &page.slice.key, page.slice.fingerprint.as_deref(), now)
                    };
                    let done = ended.map(complete).collect::<Result<_, _>>()?;
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
        let saved = self.shared.writer.write(move |w| save_oddities(w, &source, &place, (&rejected, &drift), now));
        Ok(saved.await?)
    }

    /// Leaves slices for the next sync, and the whole source where that is as good.
    async fn fail_slices(&mut self, target: &Target, slices: &[&Slice], stop: Stop) -> Result<(), Stop> {
        if stop.ends_source() {
            return Err(stop);
        }
        self.fail(&stop);
        let keys: Vec<String> = slices.iter().map(|slice| slice.key.clone()).collect();
        let (project, error) = (target.key.clone(), stop.to_string());
        let saved =
            self.shared.writer.write(move |w| keys.iter().try_for_each(|key| w.fail_slice(&project, key, &error)));
        saved.await?;
        self.failed_in_a_row = if stop.is_transient() { self.failed_in_a_row + 1 } else { 0 };
        if self.failed_in_a_row >= PATIENCE { Err(stop) } else { Ok(()) }
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

/// Slices of one project and day that are read side by side.
struct Bundle {
    target: Target,
    tasks: Vec<Task>,
    /// Is it the last of its project and day?
    ends_days: bool,
}

fn bundles(tasks: Vec<(Target, Task)>, most: usize) -> Vec<Bundle> {
    let mut bundles: Vec<Bundle> = Vec::new();
    for (target, task) in tasks {
        let together = |bundle: &&mut Bundle| {
            let day = bundle.tasks.first().map(|task| task.slice.last_day);
            bundle.target.key == target.key && day == Some(task.slice.last_day)
        };
        match bundles.last_mut().filter(together) {
            Some(bundle) if bundle.tasks.len() < most => bundle.tasks.push(task),
            same_day => {
                if let Some(bundle) = same_day {
                    bundle.ends_days = false;
                }
                bundles.push(Bundle { target, tasks: vec![task], ends_days: true });
            }
        }
    }
    bundles
}

/// Applies pages of one project: what is new or changed in their runs, and what else they hold.
fn save_pages(
    w: &mut Write<'_>,
    target: &Target,
    pages: &[SlicePage],
    counts: &mut SyncCounts,
    now: jiff::Timestamp,
) -> Result<(), store::Error> {
    let source = &target.key.source;
    for SlicePage { slice, begins, .. } in pages {
        if *begins {
            w.begin_slice(&target.key, &slice.key, DayRange { first: slice.first_day, last: slice.last_day })?;
        }
    }
    let id = |run: &RunRecord| RunId::of(&target.key, &run.key);
    let runs: Vec<(RunId, &RunRecord)> =
        pages.iter().flat_map(|page| &page.page.runs).map(|run| (id(run), run)).collect();
    let stored = w.stored_runs(runs.iter().map(|(id, _)| *id))?;
    let changes = diff(&runs, &stored);
    w.save_runs(&target.key, &changes.added, &changes.changed, &*target.detection, now)?;
    w.save_returned(&changes.returned)?;
    counts.added += changes.added.len() as u64;
    counts.changed += (changes.changed.len() + changes.returned.len()) as u64;
    counts.unchanged += changes.unchanged as u64;
    for SlicePage { slice, page, .. } in pages {
        w.save_published(&target.key, &page.published)?;
        let place = format!("{}/{}", target.key.key, slice.key);
        save_oddities(w, source, &place, (&page.rejected, &page.drift), now)?;
        // Once each: a run that stands twice in one page has not moved between pages.
        let mut ids: Vec<RunId> = page.runs.iter().map(id).collect();
        ids.sort_unstable();
        ids.dedup();
        let next = page.next.as_ref().map(|next| next.0.as_str());
        w.save_slice_page(&target.key, &slice.key, &ids, (next, page.moved))?;
        counts.pages += 1;
        counts.bytes += page.bytes;
        counts.rejected += page.rejected.len() as u64;
    }
    Ok(())
}

/// Puts rows aside, and notes where answers differ from their documents.
fn save_oddities(
    w: &mut Write<'_>,
    source: &SourceName,
    place: &str,
    (rejected, drift): (&[Rejected], &[Drift]),
    now: jiff::Timestamp,
) -> Result<(), store::Error> {
    for rejected in rejected {
        w.quarantine(source, place, &rejected.reason, &rejected.raw, now)?;
    }
    for drift in drift {
        w.save_drift(source, &drift.record, &drift.field, drift.kind.as_str(), now)?;
    }
    Ok(())
}

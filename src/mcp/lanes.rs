//! Where a tool runs: bounded work at once on the runtime's thread, everything else on a reader thread.
//!
//! A hop to another thread costs more than most answers, and a slow query must not hold up the others. So each call
//! begins on the runtime's thread with a small budget; a run that exceeds it is stopped and begun anew on one of two
//! reader threads, where it may take the whole time of the call. So that nothing is done twice again and again, a tool
//! whose last run took longer goes to a reader thread at once, until a run there is short. A call that waits for the
//! network has a thread beside these, so that it holds up no reading.

use super::{
    Backend, Lane, Limits, OnStep, Principal, Stop, ToolError, answer::Rendered, registry::Entry, schema::Object,
};
use crate::store::CancelFlag;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task, time};
use tokio_util::sync::CancellationToken;

const SLOW_RUNS: usize = 2;

// How much longer than its time a run may take to notice that it is over.
const GRACE: Duration = Duration::from_millis(500);

/// One call on its way to an answer.
pub(super) struct Job {
    pub(super) entry: Arc<Entry>,
    pub(super) backend: Arc<Backend>,
    pub(super) principal: Arc<Principal>,
    pub(super) arguments: Object,
    pub(super) limits: Limits,
    pub(super) started: Instant,
    pub(super) on_step: Option<OnStep>,
}

impl Job {
    // None where the run was stopped by its limit.
    fn run(&self, deadline: Instant, cancelled: CancelFlag) -> Option<Result<Rendered, ToolError>> {
        let cx = self.backend.limited(&self.principal, Some(deadline), cancelled, self.on_step.clone());
        let done = self.entry.run(&cx, &self.arguments, self.limits);
        (!cx.was_stopped()).then_some(done)
    }
}

/// The lanes of one server.
pub(super) struct Lanes {
    slow: Arc<Semaphore>,
    network: Arc<Semaphore>,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self { slow: Arc::new(Semaphore::new(SLOW_RUNS)), network: Arc::new(Semaphore::new(1)) }
    }

    /// Runs the job to its answer, its time limit or its cancellation, whichever is first.
    pub(super) async fn run(&self, job: Job, cancelled: &CancellationToken) -> Result<Rendered, ToolError> {
        let budget = job.limits.fast.min(job.limits.total);
        if !job.entry.is_slow() {
            if let Some(done) = job.run(job.started + budget, CancelFlag::default()) {
                return done;
            }
            job.entry.note_slow(true);
        }
        self.run_slow(job, budget, cancelled).await
    }

    async fn run_slow(&self, job: Job, budget: Duration, cancelled: &CancellationToken) -> Result<Rendered, ToolError> {
        let total = job.limits.of(job.entry.lane);
        let late = Err(ToolError::Stopped(Stop::Time(total)));
        let unwanted = Err(ToolError::Stopped(Stop::Cancelled));
        let deadline = job.started + total;
        let permit = if job.entry.lane == Lane::Network {
            Arc::clone(&self.network).try_acquire_owned().map_err(|_| busy(job.entry.info.name))?
        } else {
            tokio::select! {
                biased;
                () = cancelled.cancelled() => return unwanted,
                permit = Arc::clone(&self.slow).acquire_owned() => permit.map_err(|closed| ToolError::internal(&closed))?,
                () = time::sleep_until(deadline.into()) => return late,
            }
        };

        let flag = CancelFlag::default();
        // However this call ends, its query ends with it.
        let _end = EndOnDrop(flag.clone());
        let run = task::spawn_blocking(move || {
            let begun = Instant::now();
            let done = job.run(deadline, flag);
            job.entry.note_slow(begun.elapsed() > budget);
            drop(permit);
            done
        });
        tokio::select! {
            biased;
            done = run => match done {
                Ok(Some(answer)) => answer,
                Ok(None) => late,
                Err(lost) => Err(ToolError::internal(&lost)),
            },
            () = cancelled.cancelled() => unwanted,
            () = time::sleep_until((deadline + GRACE).into()) => late,
        }
    }
}

/// Two at once would do the same work twice.
fn busy(tool: &str) -> ToolError {
    ToolError::Unavailable {
        what: format!("{tool} runs already for another call"),
        next: "list_sources says how far it is; what it fetches can be asked for page by page".to_owned(),
    }
}

struct EndOnDrop(CancelFlag);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

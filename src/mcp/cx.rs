//! What a tool is given: the cache to read, the time, and what is configured. Nothing that writes.

use super::{Stop, ToolError};
use crate::{
    clock::Clock,
    model::{Day, SourceName},
    store::{CancelFlag, Limit, Reader, Store},
};
use jiff::Timestamp;
use std::{
    cell::{Cell, RefCell},
    sync::{Mutex, PoisonError},
    time::Instant,
};

// As many as can be at work at once on two slow lanes and a few threads of the fast one.
const IDLE_READERS: usize = 4;

/// What is configured, for answers that say what to set or run.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The configured sources.
    pub sources: Vec<SourceName>,
    /// What is wrong with the configuration, one line each, in our words.
    pub problems: Vec<String>,
}

/// What the tools of one server share: the cache, a clock and the configured sources.
///
/// Readers are opened when the first call needs one and kept for the next.
pub struct Backend {
    store: Store,
    clock: Clock,
    setup: Setup,
    idle: Mutex<Vec<Reader>>,
}

impl Backend {
    /// Over the cache `store`, which need not exist yet.
    #[must_use]
    pub fn new(store: Store, clock: Clock, setup: Setup) -> Self {
        Self { store, clock, setup, idle: Mutex::default() }
    }

    /// A context without limits, as tests and one-off calls use it.
    #[must_use]
    pub fn cx(&self) -> ToolCx<'_> {
        self.limited(None, CancelFlag::default())
    }

    /// A context whose run must stop by `deadline`, or once the flag is raised.
    pub(super) fn limited(&self, deadline: Option<Instant>, cancelled: CancelFlag) -> ToolCx<'_> {
        ToolCx {
            backend: self,
            now: self.clock.now(),
            limit: Limit { deadline, cancelled },
            reader: RefCell::default(),
            stopped: Cell::default(),
        }
    }

    fn reader(&self) -> Result<Reader, ToolError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Ok(self.store.reader()?), Ok)
    }

    fn give_back(&self, reader: Reader) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(reader);
        }
    }
}

/// What one run of a tool is given.
pub struct ToolCx<'a> {
    backend: &'a Backend,
    now: Timestamp,
    limit: Limit,
    reader: RefCell<Option<Reader>>,
    stopped: Cell<bool>,
}

impl ToolCx<'_> {
    /// Runs `work` on one unchanging state of the cache. Queries in it stop when the run must end.
    ///
    /// # Errors
    /// What `work` returns; that there is no cache to read; or that the run must end.
    pub fn read<T>(&self, work: impl FnOnce(&Reader) -> Result<T, ToolError>) -> Result<T, ToolError> {
        self.check()?;
        let held = self.reader.take();
        let reader = held.map_or_else(|| self.backend.reader(), Ok)?;
        let done = reader.limited(&self.limit, |reader| reader.snapshot(work));
        match &done {
            Err(ToolError::Stopped(_)) => self.stopped.set(true),
            // A reader that failed is not used again.
            Err(ToolError::Unavailable { .. } | ToolError::Internal { .. }) => return done,
            _ => {}
        }
        self.reader.replace(Some(reader));
        done
    }

    /// May the run go on? For long work between reads.
    ///
    /// # Errors
    /// [`ToolError::Stopped`] where it may not.
    pub fn check(&self) -> Result<(), ToolError> {
        let late = self.limit.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if late || self.limit.cancelled.is_cancelled() {
            self.stopped.set(true);
            return Err(ToolError::Stopped(Stop::Budget));
        }
        Ok(())
    }

    /// The instant that the run began.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The UTC day of [`ToolCx::now`].
    #[must_use]
    pub fn today(&self) -> Day {
        Day::of(self.now)
    }

    /// What is configured.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.backend.setup
    }

    /// Was anything in this run stopped, whatever the tool made of it?
    pub(super) fn was_stopped(&self) -> bool {
        self.stopped.get()
    }
}

impl Drop for ToolCx<'_> {
    fn drop(&mut self) {
        // A reader under which something panicked is not here: it went with the panic.
        if let Some(reader) = self.reader.take() {
            self.backend.give_back(reader);
        }
    }
}

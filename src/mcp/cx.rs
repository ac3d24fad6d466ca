//! What a tool is given: the cache to read, the time, what is configured, and a sync to ask for.

use super::{Fetch, OnStep, Principal, Step, Stop, ToolError};
use crate::{
    clock::Clock,
    model::{Day, SourceName},
    store::{Allowed, CancelFlag, Limit, Reader, Store},
    sync::{Progress, Report},
};
use jiff::Timestamp;
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

// As many as can be at work at once on two slow lanes and a few threads of the fast one.
const IDLE_READERS: usize = 4;

// How often a sync that somebody waits for is asked whether it may go on.
const LOOK: Duration = Duration::from_millis(50);

/// What is configured, for answers that say what to set or run.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The configured sources.
    pub sources: Vec<SourceName>,
    /// What is wrong with the configuration, one line each, in our words.
    pub problems: Vec<String>,
}

impl Setup {
    /// As somebody sees it who may see these projects: what is wrong with the configuration concerns its owner.
    fn seen_by(&self, projects: &Allowed) -> Cow<'_, Self> {
        if *projects == Allowed::All {
            return Cow::Borrowed(self);
        }
        let sources = self.sources.iter().filter(|source| projects.is_some(source)).cloned().collect();
        Cow::Owned(Self { sources, problems: Vec::new() })
    }
}

/// What the tools of one server share: the cache, a clock and the configured sources.
///
/// Readers are opened when the first call needs one and kept for the next.
pub struct Backend {
    store: Store,
    clock: Clock,
    setup: Setup,
    fetch: Option<Arc<dyn Fetch>>,
    idle: Mutex<Vec<Reader>>,
}

impl Backend {
    /// Over the cache `store`, which need not exist yet.
    #[must_use]
    pub fn new(store: Store, clock: Clock, setup: Setup) -> Self {
        Self { store, clock, setup, fetch: None, idle: Mutex::default() }
    }

    /// With a way to the network, for tools that sync.
    #[must_use]
    pub fn with_fetch(self, fetch: Arc<dyn Fetch>) -> Self {
        Self { fetch: Some(fetch), ..self }
    }

    /// A context without limits, as tests and one-off calls use it.
    #[must_use]
    pub fn cx(&self) -> ToolCx<'_> {
        self.limited(&Arc::new(Principal::owner()), None, CancelFlag::default(), None)
    }

    /// A context for who asks, whose run must stop by `deadline`, or once the flag is raised.
    pub(super) fn limited(
        &self,
        principal: &Arc<Principal>,
        deadline: Option<Instant>,
        cancelled: CancelFlag,
        on_step: Option<OnStep>,
    ) -> ToolCx<'_> {
        ToolCx {
            backend: self,
            principal: Arc::clone(principal),
            setup: self.setup.seen_by(&principal.projects),
            now: self.clock.now(),
            limit: Limit { deadline, cancelled },
            on_step,
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
    principal: Arc<Principal>,
    setup: Cow<'a, Setup>,
    now: Timestamp,
    limit: Limit,
    on_step: Option<OnStep>,
    reader: RefCell<Option<Reader>>,
    stopped: Cell<bool>,
}

impl ToolCx<'_> {
    /// Runs `work` on one unchanging state of the cache, which shows what who asks may see. Queries in it stop when the
    /// run must end.
    ///
    /// # Errors
    /// What `work` returns; that there is no cache to read; or that the run must end.
    pub fn read<T>(&self, work: impl FnOnce(&Reader) -> Result<T, ToolError>) -> Result<T, ToolError> {
        self.check()?;
        let held = self.reader.take();
        let reader = held.map_or_else(|| self.backend.reader(), Ok)?;
        let done = reader
            .limited(&self.limit, |reader| reader.snapshot(|reader| reader.showing(&self.principal.projects, work)));
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

    /// Syncs these sources, or all where none is named, for as long as `wait`; what is not done by then is left for the
    /// next sync, which goes on with the next page. Whoever waits for the call hears how far it is.
    ///
    /// # Errors
    /// That who asks may not sync, that this server only reads, that no sync could begin, or that the run must end.
    pub fn sync(&self, only: &[SourceName], wait: Duration) -> Result<Report, ToolError> {
        self.check()?;
        let only = &self.syncable(only)?[..];
        let Some(fetch) = &self.backend.fetch else {
            return Err(ToolError::Unavailable {
                what: "this server only reads its cache".to_owned(),
                next: "run `visibility-mcp sync` where the cache is filled".to_owned(),
            });
        };
        let cancel = CancellationToken::new();
        let until = Instant::now() + wait;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| ToolError::internal(&error))?;
        runtime.block_on(async {
            let mut sync = pin!(fetch.sync(only, cancel.clone(), self.steps()));
            loop {
                tokio::select! {
                    done = &mut sync => return done,
                    () = tokio::time::sleep(LOOK) => {
                        if Instant::now() >= until || self.check().is_err() {
                            cancel.cancel();
                        }
                    }
                }
            }
        })
    }

    /// The sources to sync, of those asked for; none stands for all.
    fn syncable(&self, asked: &[SourceName]) -> Result<Vec<SourceName>, ToolError> {
        if self.principal.may_sync && self.principal.projects == Allowed::All {
            return Ok(asked.to_vec());
        }
        let sources = if asked.is_empty() { &self.setup().sources[..] } else { asked };
        let syncable: Vec<SourceName> = self.principal.syncable(sources).cloned().collect();
        if syncable.is_empty() || !asked.is_empty() && syncable.len() < asked.len() {
            let what = if self.principal.may_sync {
                "a sync fetches every project of a source, and not all of them are open to you"
            } else {
                "you may read here, and not sync; that takes a token with `sync`, or with the scope `visibility:sync`"
            };
            let next = "answer from what is cached; as_of says how fresh it is";
            return Err(ToolError::Unavailable { what: what.to_owned(), next: next.to_owned() });
        }
        Ok(syncable)
    }

    /// Tells whoever waits for the call how far the syncs of all sources are together.
    fn steps(&self) -> Arc<dyn Fn(&Progress) + Send + Sync> {
        let Some(on_step) = self.on_step.clone() else { return Arc::new(|_| ()) };
        let sources: Mutex<BTreeMap<SourceName, (usize, usize)>> = Mutex::default();
        Arc::new(move |progress: &Progress| {
            let mut sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
            sources.insert(progress.source.clone(), (progress.slices_done, progress.slices_planned));
            let done: usize = sources.values().map(|(done, _)| done).sum();
            let planned: usize = sources.values().map(|(_, planned)| planned).sum();
            let (source, runs) = (&progress.source, progress.runs);
            let day = progress.day.map(|day| format!(", now {day}")).unwrap_or_default();
            on_step(Step {
                done: count(done),
                total: (planned > 0).then(|| count(planned)),
                message: format!(
                    "{source}: {} of {} slices, {runs} runs{day}",
                    progress.slices_done, progress.slices_planned
                ),
            });
        })
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

    /// What is configured, of that which who asks may see.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
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

/// A count of slices as the protocol's number.
fn count(slices: usize) -> f64 {
    f64::from(u32::try_from(slices).unwrap_or(u32::MAX))
}

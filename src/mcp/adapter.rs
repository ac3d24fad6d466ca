//! From a call to a tool run, the only place: limits, a caught panic, one log line. Without the protocol's types.

use super::{
    Backend, Registry, ToolCx, ToolError,
    answer::Rendered,
    error::Stop,
    lanes::{Job, Lanes},
    registry::Entry,
    schema::Object,
};
use crate::store::CancelFlag;
use std::{
    any::Any,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use xxhash_rust::xxh3::Xxh3;

// Clients cut or refuse what is longer, whatever is configured.
const HARD_CHARS: usize = 99_000;

// The log's name for calls, so that a server for many can keep all of them and leave out the rest of the detail.
const CALLS: &str = "visibility_mcp::calls";

/// What one call may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// From the call to its answer, waiting included.
    pub total: Duration,
    /// On the runtime's own thread; what takes longer is moved to a reader thread.
    pub fast: Duration,
    /// Characters of the answer as JSON text; never more than 99,000.
    pub max_chars: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { total: Duration::from_secs(30), fast: Duration::from_millis(2), max_chars: 90_000 }
    }
}

impl Limits {
    pub(super) fn chars(self) -> usize {
        self.max_chars.min(HARD_CHARS)
    }
}

/// Answers calls of a registry's tools.
pub(super) struct Adapter {
    pub(super) registry: Registry,
    backend: Arc<Backend>,
    limits: Limits,
    lanes: Lanes,
}

impl Adapter {
    pub(super) fn new(registry: Registry, backend: Arc<Backend>, limits: Limits) -> Self {
        Self { registry, backend, limits, lanes: Lanes::new() }
    }

    /// Answers one call; gives up when it is cancelled.
    pub(super) async fn call(
        &self,
        entry: &Arc<Entry>,
        arguments: Object,
        cancelled: &CancellationToken,
    ) -> Result<Rendered, ToolError> {
        let started = Instant::now();
        let digest = tracing::enabled!(target: CALLS, tracing::Level::INFO).then(|| digest(&arguments));
        let job = Job {
            entry: Arc::clone(entry),
            backend: Arc::clone(&self.backend),
            arguments,
            limits: self.limits,
            started,
        };
        let done = self.lanes.run(job, cancelled).await;
        if let Some(digest) = digest {
            log(entry.info.name, digest, started.elapsed(), &done);
        }
        done
    }
}

// One line for each call: what was refused or failed, and on request what went well, since a line costs half as much
// as the call itself. The arguments may be private, so a digest tells calls apart.
fn log(tool: &str, digest: u64, took: Duration, done: &Result<Rendered, ToolError>) {
    let arguments = format_args!("{digest:016x}");
    let duration_ms = took.as_secs_f64() * 1_000.0;
    match done {
        Ok(answer) => {
            tracing::debug!(target: CALLS, tool, %arguments, duration_ms, bytes = answer.text.len(), outcome = "ok", "call");
        }
        Err(error) => {
            tracing::info!(target: CALLS, tool, %arguments, duration_ms, bytes = 0, outcome = error.class(), "call");
        }
    }
}

/// Answers one call in this thread.
pub(super) fn call_here(
    entry: &Entry,
    arguments: &Object,
    backend: &Backend,
    limits: Limits,
) -> Result<Rendered, ToolError> {
    let cx = backend.limited(Some(Instant::now() + limits.total), CancelFlag::default());
    match run(entry, arguments, &cx, limits) {
        Err(ToolError::Stopped(_)) => Err(ToolError::Stopped(Stop::Time(limits.total))),
        done => done,
    }
}

/// Runs a tool once; a panic in it is a fault of ours like any other.
pub(super) fn run(entry: &Entry, arguments: &Object, cx: &ToolCx<'_>, limits: Limits) -> Result<Rendered, ToolError> {
    // What a panic leaves half done is a reader, which is dropped with it.
    catch_unwind(AssertUnwindSafe(|| entry.run(cx, arguments, limits.chars()))).unwrap_or_else(|panic| {
        Err(ToolError::internal(&format_args!("{} panicked: {}", entry.info.name, panic_words(panic.as_ref()))))
    })
}

fn panic_words(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("?")
}

fn digest(arguments: &Object) -> u64 {
    struct Hashed(Xxh3);
    impl io::Write for Hashed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashed = Hashed(Xxh3::new());
    // A map of JSON values always has a text.
    let _ = serde_json::to_writer(&mut hashed, arguments);
    hashed.0.digest()
}

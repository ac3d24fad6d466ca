//! From a call to a tool run and back, with one log line. Without the protocol's types.

use super::{
    Backend, Limits, OnStep, Registry, ToolCx, ToolError,
    answer::Rendered,
    lanes::{Job, Lanes},
    registry::Entry,
    schema::Object,
};
use crate::store::CancelFlag;
use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use xxhash_rust::xxh3::Xxh3;

// The log's name for calls, so that a server for many can keep all of them and leave out the rest of the detail.
const CALLS: &str = "visibility_mcp::calls";

// What beside the tools is read is small.
const LOOK: Duration = Duration::from_secs(2);

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
        on_step: Option<OnStep>,
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
            on_step,
        };
        let done = self.lanes.run(job, cancelled).await;
        if let Some(digest) = digest {
            log(entry.info.name, digest, started.elapsed(), &done);
        }
        done
    }
}

impl Adapter {
    /// Reads what is beside the tools (lists of documents, completions) on a thread for reading, for a short time.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ToolCx<'_>) -> Result<T, ToolError> + Send + 'static,
    ) -> Result<T, ToolError> {
        let backend = Arc::clone(&self.backend);
        let look = move || {
            let cx = backend.limited(Some(Instant::now() + LOOK), CancelFlag::default(), None);
            work(&cx)
        };
        tokio::task::spawn_blocking(look).await.map_err(|lost| ToolError::internal(&lost))?
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

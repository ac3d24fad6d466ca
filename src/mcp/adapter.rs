//! From a call to a tool run and back, with one log line. Without the protocol's types.

use super::{
    Backend, Limits, OnStep, Principal, Registry, ToolCx, ToolError,
    answer::Rendered,
    calls::{CallRecord, Calls},
    lanes::{Job, Lanes},
    registry::Entry,
    schema::Object,
};
use crate::store::CancelFlag;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

// What beside the tools is read is small.
const LOOK: Duration = Duration::from_secs(2);

/// Answers calls of a registry's tools.
pub(super) struct Adapter {
    pub(super) registry: Registry,
    backend: Arc<Backend>,
    limits: Limits,
    lanes: Lanes,
    calls: Calls,
}

/// A call on its way in: who asks for what, and who hears of its steps.
pub(super) struct Call {
    pub(super) principal: Arc<Principal>,
    pub(super) arguments: Object,
    pub(super) on_step: Option<OnStep>,
}

impl Adapter {
    pub(super) fn new(registry: Registry, backend: Arc<Backend>, limits: Limits, calls: Calls) -> Self {
        Self { registry, backend, limits, lanes: Lanes::new(), calls }
    }

    /// Answers one call; gives up when it is cancelled.
    pub(super) async fn call(
        &self,
        entry: &Arc<Entry>,
        call: Call,
        cancelled: &CancellationToken,
    ) -> Result<Rendered, ToolError> {
        let started = Instant::now();
        let record = CallRecord::of(&self.calls, entry.info.name, &call);
        let job = Job {
            entry: Arc::clone(entry),
            backend: Arc::clone(&self.backend),
            principal: call.principal,
            arguments: call.arguments,
            limits: self.limits,
            started,
            on_step: call.on_step,
        };
        let done = self.lanes.run(job, cancelled).await;
        self.calls.note(record, started.elapsed(), &done);
        done
    }

    /// Reads what is beside the tools (lists of documents, completions) on a thread for reading, for a short time.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        principal: Arc<Principal>,
        work: impl FnOnce(&ToolCx<'_>) -> Result<T, ToolError> + Send + 'static,
    ) -> Result<T, ToolError> {
        let backend = Arc::clone(&self.backend);
        let look = move || {
            let cx = backend.limited(&principal, Some(Instant::now() + LOOK), CancelFlag::default(), None);
            work(&cx)
        };
        tokio::task::spawn_blocking(look).await.map_err(|lost| ToolError::internal(&lost))?
    }
}

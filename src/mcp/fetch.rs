//! The one way from a tool to the network: a sync, asked for by a caller who waits for it.

use super::ToolError;
use crate::{
    model::SourceName,
    sync::{OnProgress, Report},
};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Syncs sources. Whoever starts a server says how, or that it only reads.
pub trait Fetch: Send + Sync {
    /// Syncs these sources, or all where none is named, until done or cancelled. What goes wrong with one source is in
    /// the report; an error is that no sync could begin.
    fn sync<'a>(
        &'a self,
        only: &'a [SourceName],
        cancel: CancellationToken,
        on_progress: OnProgress,
    ) -> BoxFuture<'a, Result<Report, ToolError>>;
}

/// How far a call is, for those who wait for it.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Grows from step to step.
    pub done: f64,
    /// What it grows to, where that is known.
    pub total: Option<f64>,
    /// Where it is, in our words.
    pub message: String,
}

/// Hears of steps.
pub type OnStep = Arc<dyn Fn(Step) + Send + Sync>;

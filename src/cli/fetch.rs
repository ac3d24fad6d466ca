//! The sync that a tool may ask for: the configured sources, as the command line syncs them.

use super::{Context, Failure, sync};
use crate::{
    mcp::{Fetch, ToolError},
    model::SourceName,
    sync::{OnProgress, Report},
};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

/// Syncs what is configured.
pub(super) struct Fetcher(pub(super) Context);

impl Fetch for Fetcher {
    fn sync<'a>(
        &'a self,
        only: &'a [SourceName],
        cancel: CancellationToken,
        on_progress: OnProgress,
    ) -> BoxFuture<'a, Result<Report, ToolError>> {
        Box::pin(async move {
            let only: Vec<String> = only.iter().map(ToString::to_string).collect();
            let refused = |failure: Failure| ToolError::Unavailable { what: failure.error, next: failure.hint };
            let sources = sync::chosen(&self.0, &only).map_err(refused)?;
            let options = sync::options(&self.0, cancel, on_progress);
            Ok(crate::sync::sync(&sources.upstreams, &self.0.store, options).await?)
        })
    }
}

//! From upstreams to the cache: discover, plan, fetch pages, commit each with its cursor.
//!
//! Every page is one transaction that holds its runs and where the next page begins, so that a sync killed at any
//! moment goes on at the next page and ends as if it had never been. Sources run side by side; one failing never
//! hides another's success.

mod changes;
mod detection;
mod lease;
mod plan;
mod preview;
mod reading;
mod redetect;
mod report;
mod source;
mod stop;

pub use changes::{Changes, diff};
pub use detection::AddedBrands;
pub use plan::{PlanOptions, Reason, Task, plan};
pub use preview::{Preview, preview};
pub use redetect::{RedetectProgress, redetect};
pub use report::{Outcome, Progress, Report, SourceReport};

use crate::{
    clock::Clock,
    store::{Store, Writer},
    upstream::Upstream,
};
use futures_util::future::join_all;
use std::{path::PathBuf, sync::Arc};
use tokio_util::sync::CancellationToken;

/// Hears of progress.
pub type OnProgress = Arc<dyn Fn(&Progress) + Send + Sync>;

/// How to sync.
#[derive(Clone)]
pub struct SyncOptions {
    /// How many days back a backfill reaches.
    pub history_days: i32,
    /// Brands to look for beside those of the upstreams.
    pub brands: Arc<AddedBrands>,
    /// The time.
    pub clock: Clock,
    /// Ends the sync after the page that is being committed.
    pub cancel: CancellationToken,
    /// Hears of progress.
    pub on_progress: OnProgress,
}

/// What all sources of one sync share.
struct Shared {
    store: Store,
    writer: Writer,
    options: SyncOptions,
    /// Names this process in leases.
    holder: String,
    lock_path: PathBuf,
}

/// Syncs every source, side by side.
///
/// # Errors
/// Where the cache can't be written at all; what goes wrong with a source is in its report.
pub async fn sync(
    sources: &[Arc<dyn Upstream>],
    store: &Store,
    options: SyncOptions,
) -> Result<Report, crate::store::Error> {
    let writer = store.writer()?;
    let started = options.clock.now();
    let shared = Shared {
        store: store.clone(),
        writer,
        holder: format!("{}-{}", std::process::id(), started.as_nanosecond()),
        lock_path: store.path().to_owned(),
        options,
    };
    let sources = join_all(sources.iter().map(|upstream| source::sync_source(&shared, upstream.as_ref()))).await;
    shared.writer.checkpoint().await?;
    Ok(Report { sources })
}

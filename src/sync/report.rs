//! What a sync did, as data: for people, for tools, for the log.

use crate::{model::Day, model::SourceName, store::SyncCounts};
use serde::Serialize;

/// What a sync of all sources did.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// One entry per source, in the order of the configuration.
    pub sources: Vec<SourceReport>,
}

impl Report {
    /// Did every source do all it had planned, here or in another process?
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.sources.iter().all(|source| !matches!(source.outcome, Outcome::Failed { .. }))
    }
}

/// What a sync of one source did.
#[derive(Clone, Debug, Serialize)]
pub struct SourceReport {
    /// The source.
    pub source: SourceName,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Projects found.
    pub projects: usize,
    /// Slices that the plan held.
    pub slices_planned: usize,
    /// Slices read to their end.
    pub slices_done: usize,
    /// What it moved.
    #[serde(flatten)]
    pub counts: SyncCounts,
}

/// How the sync of a source ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// All that was planned is done.
    Done,
    /// Cancelled; the rest is done next time.
    Cancelled,
    /// Another process syncs it now.
    Busy,
    /// Failed, as a whole or in part; what was committed stays.
    Failed {
        /// One word for the first error.
        class: String,
        /// The first error, in our words.
        error: String,
        /// What mends it.
        hint: String,
    },
}

/// Where a sync is.
#[derive(Clone, Debug, Serialize)]
pub struct Progress {
    /// The source.
    pub source: SourceName,
    /// Slices read to their end.
    pub slices_done: usize,
    /// Slices planned; 0 while projects are being discovered.
    pub slices_planned: usize,
    /// The newest day of the slice that is being read.
    pub day: Option<Day>,
    /// Runs read so far.
    pub runs: u64,
}

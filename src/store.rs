//! The cache: one SQLite file, one writer, read-only readers. SQL is written here and nowhere else.
//!
//! The rest of the program speaks to it through typed methods on [`Reader`] (inside tools) and [`Write`] (inside
//! the sync): no SQL, no rusqlite type and no row id leaves this folder.

mod agreement;
mod allowed;
mod brands;
mod cells;
mod details;
mod domains;
mod error;
mod facts;
mod fts;
mod ingest;
mod models;
mod names;
mod open;
mod packed;
mod presence;
mod prompts;
mod reader;
mod redetect;
mod rollup;
mod runs;
mod scores;
mod slices;
mod sources;
mod sql;
mod sync_log;
mod texts;
mod writer;

pub use agreement::Agreement;
pub use allowed::Allowed;
pub use brands::BrandRow;
pub use cells::{
    Bases, CellQuery, CellTable, CitedBy, CitedList, CitedOrder, CitedQuery, CitedRef, CitedRow, Domains, Rival,
};
pub use details::{CitationRow, FactRow, HistoryRow, RunDetails};
pub use domains::DomainCount;
pub use error::Error;
pub use facts::Detect;
pub use ingest::{PageCounts, StoredRun};
pub use open::Opened;
pub use presence::{BrandLists, Presence};
pub use prompts::{PromptFilter, PromptRow};
pub use reader::{CancelFlag, Limit, Reader};
pub use redetect::Redetection;
pub use runs::{Direction, RunCursor, RunFilter, RunRow, RunSort, SortValue, Stored};
pub use scores::Recompute;
pub use slices::{SliceDone, StoredSlice};
pub use sources::{Coverage, EngineCoverage, ProjectRow, Reach};
pub use sql::{SqlProblem, SqlRows, SqlValue, VIEWS, View};
pub use sync_log::{DriftRow, LastSync, SyncCounts, SyncOutcome};
pub use writer::{Write, Writer};

use std::path::{Path, PathBuf};

/// The cache, by its path. Cheap to clone; connections are made by [`Store::reader`] and [`Store::writer`].
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
}

/// Shorthand of this folder.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Store {
    /// The cache at `path`, which need not exist yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that the file exists with the present schema: creates it, upgrades an older one, refuses a newer
    /// one, and sets a corrupt one aside under a new name.
    ///
    /// # Errors
    /// Where the file can be neither opened nor made.
    pub fn prepare(&self) -> Result<Opened> {
        open::prepare(&self.path)
    }

    /// A read-only connection to an existing cache.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is no cache yet.
    pub fn reader(&self) -> Result<Reader> {
        Reader::open(&self.path)
    }

    /// Starts the writer: a thread that owns the only writing connection of this process.
    ///
    /// # Errors
    /// As [`Store::prepare`].
    pub fn writer(&self) -> Result<Writer> {
        self.prepare()?;
        Writer::start(&self.path)
    }
}

#[cfg(test)]
mod tests;

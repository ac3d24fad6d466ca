//! Stands in for the store until it is there: the same names and signatures, and never a cache.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

/// The cache, by its path.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

impl Store {
    /// The cache at `path`, which need not exist yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// A read-only connection.
    pub(super) fn reader(&self) -> Result<Reader, Error> {
        tracing::debug!(path = ?self.0, "no store yet");
        Err(Error::Missing)
    }
}

/// A read-only connection to the cache.
#[derive(Debug)]
pub struct Reader;

impl Reader {
    pub(super) fn limited<T>(&self, limit: &Limit, work: impl FnOnce(&Self) -> T) -> T {
        let _ = (limit.deadline, limit.cancelled.is_cancelled());
        work(self)
    }

    #[expect(clippy::unused_self, reason = "as the store has it")]
    pub(super) fn snapshot<T, E: From<Error>>(&self, work: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        work(&Self)
    }
}

/// A flag that says that an answer is no longer wanted.
#[derive(Clone, Default, Debug)]
pub(super) struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    pub(super) fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// When a query must stop.
#[derive(Clone, Default, Debug)]
pub(super) struct Limit {
    pub(super) deadline: Option<Instant>,
    pub(super) cancelled: CancelFlag,
}

/// The cache could not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("there is no cache yet")]
    Missing,
    #[error("the query was stopped")]
    #[expect(dead_code, reason = "nothing can be stopped yet")]
    Stopped,
}

impl Error {
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Missing => "run `visibility-mcp sync`, or `visibility-mcp demo` to try it without a key",
            Self::Stopped => "ask for less: a shorter period, one engine, or a smaller limit",
        }
    }
}

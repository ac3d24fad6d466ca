//! Read-only connections, and the limits that a query runs under.

use super::{Result, allowed::Shown, error::Context as _, open, texts::Texts};
use rusqlite::Connection;
use std::{
    cell::RefCell,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

// How many of SQLite's steps pass between two looks at the limit; some 50 microseconds.
const STEPS: i32 = 1_000;

/// A flag that says that an answer is no longer wanted.
#[derive(Clone, Default, Debug)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// Raises the flag.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Is it raised?
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// When a query must stop.
#[derive(Clone, Default, Debug)]
pub struct Limit {
    /// No later than this.
    pub deadline: Option<Instant>,
    /// Or as soon as this is raised.
    pub cancelled: CancelFlag,
}

impl Limit {
    pub(super) fn is_over(&self) -> bool {
        self.cancelled.is_cancelled() || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// A read-only connection to the cache.
pub struct Reader {
    pub(super) connection: Connection,
    pub(super) texts: RefCell<Texts>,
    pub(super) shown: RefCell<Shown>,
    limit: Arc<Mutex<Option<Limit>>>,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let connection = open::connect_reader(path)?;
        let limit: Arc<Mutex<Option<Limit>>> = Arc::default();
        let seen = Arc::clone(&limit);
        connection
            .progress_handler(
                STEPS,
                Some(move || seen.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(Limit::is_over)),
            )
            .context("progress_handler")?;
        Ok(Self { connection, texts: RefCell::default(), shown: RefCell::default(), limit })
    }

    /// Runs `work` with queries that stop with [`super::Error::Stopped`] once the limit is over.
    pub fn limited<T>(&self, limit: &Limit, work: impl FnOnce(&Self) -> T) -> T {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = Some(limit.clone());
        let done = work(self);
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = None;
        done
    }

    /// The limit that queries run under now.
    pub(super) fn limit(&self) -> Option<Limit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs `work` on one unchanging state of the cache, however much a sync writes meanwhile.
    ///
    /// # Errors
    /// What `work` returns, or that the transaction could not begin.
    pub fn snapshot<T, E: From<super::Error>>(&self, work: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E> {
        let transaction = self.connection.unchecked_transaction().context("begin").map_err(E::from)?;
        let done = work(self);
        // Nothing was written: how a read ends does not matter.
        drop(transaction);
        done
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    /// `.cargo/config.toml` says why, and takes it out of the build.
    #[test]
    fn a_reader_keeps_its_pages_while_others_read() {
        let connection = Connection::open_in_memory().unwrap();
        let mut options = connection.prepare("PRAGMA compile_options").unwrap();
        let options = options.query_map((), |row| row.get::<_, String>(0)).unwrap();
        assert!(options.map(Result::unwrap).all(|option| option != "ENABLE_MEMORY_MANAGEMENT"));
    }
}

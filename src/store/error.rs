//! What can go wrong with the cache, by what a person can do about it.

use rusqlite::ErrorCode;

/// The cache could not answer or keep something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no cache file yet.
    #[error("there is no cache yet")]
    Missing,
    /// The file was written by a newer program.
    #[error("the cache has schema version {found}, this program knows up to {known}")]
    Newer {
        /// The file's version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The file is damaged.
    #[error("the cache file is damaged")]
    Corrupt,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// Another process kept the file locked.
    #[error("the cache is busy in another process")]
    Busy,
    /// The file or its folder can't be read or written.
    #[error("the cache can't be read or written: {0}")]
    Access(String),
    /// The query was stopped: cancelled, or over its time.
    #[error("the query was stopped")]
    Stopped,
    /// Another process took this source's lease over.
    #[error("another process syncs this source now")]
    LeaseLost,
    /// A bug of ours: the statement or the row is not what the code expects.
    #[error("{context}: {source}")]
    Sql {
        /// Which query.
        context: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A bug of ours, or a damaged row.
    #[error("a stored value could not be read: {0}")]
    Value(&'static str),
}

impl Error {
    /// The step that mends it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing => "run `visibility-mcp sync`, or `visibility-mcp demo` to try it without a key",
            Self::Newer { .. } => "update visibility-mcp, or name another file with `--cache`",
            Self::Corrupt => "run `visibility-mcp sync`: it sets the damaged file aside and fills a new one",
            Self::Full => "free some space and run `visibility-mcp sync` again; nothing stored is lost",
            Self::Busy => "try again in a few seconds",
            Self::Access(_) => "check the folder's permissions, or name another file with `--cache`",
            Self::Stopped => "ask for less: a shorter period, one engine, or a smaller limit",
            Self::LeaseLost => "nothing to do: the other process goes on",
            Self::Sql { .. } | Self::Value(_) => "please report this",
        }
    }

    /// Is this a rusqlite error that says that the file is damaged?
    pub(super) fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        classify("cache query", source)
    }
}

fn classify(context: &'static str, source: rusqlite::Error) -> Error {
    match source.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => Error::Stopped,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Error::Corrupt,
        Some(ErrorCode::DiskFull) => Error::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy,
        Some(
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::SystemIoFailure,
        ) => Error::Access(source.to_string()),
        _ => Error::Sql { context, source },
    }
}

/// Says which query an error belongs to.
pub(super) trait Context<T> {
    fn context(self, context: &'static str) -> Result<T, Error>;
}

impl<T> Context<T> for Result<T, rusqlite::Error> {
    fn context(self, context: &'static str) -> Result<T, Error> {
        self.map_err(|source| classify(context, source))
    }
}

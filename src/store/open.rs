//! Opening the file: pragmas, schema versions, and what a bad file means.
//!
//! Decided beforehand: missing or older is made current; newer is refused; corrupt is set aside and rebuilt, since
//! this is a cache; busy, full or unreadable is kept and reported.

use super::{Error, Result, error::Context as _};
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};
use std::path::{Path, PathBuf};

const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("migrations/0001-cache.sql")),
    M::up(include_str!("migrations/0002-rollups.sql")),
    M::up(include_str!("migrations/0003-merges.sql")),
    M::up(include_str!("migrations/0004-published-brand.sql")),
    M::up(include_str!("migrations/0005-slice-days-run-keys.sql")),
    M::up(include_str!("migrations/0006-rechecks.sql")),
    M::up(include_str!("migrations/0007-derived-facts.sql")),
    M::up(include_str!("migrations/0008-sources.sql")),
    M::up(include_str!("migrations/0009-models.sql")),
    M::up(include_str!("migrations/0010-window-indexes.sql")),
    M::up(include_str!("migrations/0011-rows-of-days.sql")),
];

/// The version that this program writes.
pub(super) const VERSION: i64 = MIGRATIONS.len().cast_signed() as i64;

// A damaged file of this size or less is found when it is opened; in a larger one when the damage is met.
const CHECKED_BYTES: u64 = 256 << 20;

/// What preparing the file came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Opened {
    /// It was there, with the present schema.
    Current,
    /// It was made.
    Created,
    /// It was upgraded from an older schema.
    Upgraded,
    /// It was damaged: set aside under this name, and a new one made.
    SetAside(PathBuf),
}

pub(super) fn prepare(path: &Path) -> Result<Opened> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::Access(error.to_string()))?;
    }
    match migrate(path) {
        Err(error) if error.is_corrupt() => {
            let aside = set_aside(path)?;
            migrate(path)?;
            Ok(Opened::SetAside(aside))
        }
        other => other,
    }
}

fn migrate(path: &Path) -> Result<Opened> {
    let existing = std::fs::metadata(path).map_or(0, |meta| meta.len());
    let mut connection = connect_writer(path)?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).context("user_version")?;
    if found > VERSION {
        return Err(Error::Newer { found, known: VERSION });
    }
    if found > 0 && existing <= CHECKED_BYTES {
        let verdict: String =
            connection.pragma_query_value(None, "quick_check", |row| row.get(0)).context("quick_check")?;
        if verdict != "ok" {
            return Err(Error::Corrupt);
        }
    }
    if found == VERSION {
        return Ok(Opened::Current);
    }
    Migrations::from_slice(MIGRATIONS).to_latest(&mut connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => Error::from(err),
        _ => Error::Value("schema version"),
    })?;
    Ok(if found == 0 { Opened::Created } else { Opened::Upgraded })
}

/// The only writing connection of a process.
pub(super) fn connect_writer(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).context("open")?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).context("busy_timeout")?;
    // 8 KB pages: answers of 2 KB waste half of a 4 KB page. Only counts while the file is empty.
    connection.pragma_update(None, "page_size", 8192).context("page_size")?;
    connection.pragma_update(None, "journal_mode", "WAL").context("journal_mode")?;
    connection.pragma_update(None, "synchronous", "NORMAL").context("synchronous")?;
    connection.pragma_update(None, "wal_autocheckpoint", 8000).context("wal_autocheckpoint")?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20).context("journal_size_limit")?;
    connection.pragma_update(None, "cache_size", -49_152).context("cache_size")?;
    connection.pragma_update(None, "temp_store", "MEMORY").context("temp_store")?;
    // Each row would look its parents up again, which were looked up or made a moment ago in the same transaction: a
    // tenth of a sync. Tests check the references of whole databases instead.
    connection.pragma_update(None, "foreign_keys", false).context("foreign_keys")?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// A connection that can't write.
pub(super) fn connect_reader(path: &Path) -> Result<Connection> {
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Err(Error::Missing),
        // Such as a file where a folder should be: nothing will ever be there.
        Err(error) => return Err(Error::Access(error.to_string())),
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).context("open")?;
    connection.busy_timeout(std::time::Duration::from_secs(2)).context("busy_timeout")?;
    connection.pragma_update(None, "query_only", true).context("query_only")?;
    connection.pragma_update(None, "cache_size", -16_384).context("cache_size")?;
    connection.pragma_update(None, "temp_store", "MEMORY").context("temp_store")?;
    connection.set_prepared_statement_cache_capacity(128);
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).context("user_version")?;
    match found {
        0 => Err(Error::Missing),
        found if found == VERSION => Ok(connection),
        found if found > VERSION => Err(Error::Newer { found, known: VERSION }),
        _ => Err(Error::Missing),
    }
}

/// Moves the file and its WAL away under a name that is free. Nothing is deleted.
fn set_aside(path: &Path) -> Result<PathBuf> {
    let named = |suffix: &str, n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".corrupt-{n}{suffix}"));
        PathBuf::from(name)
    };
    let n = (1..=u32::MAX).find(|n| !named("", *n).exists()).unwrap_or(u32::MAX);
    for suffix in ["", "-wal", "-shm"] {
        let mut from = path.as_os_str().to_owned();
        from.push(suffix);
        let from = PathBuf::from(from);
        if from.exists() {
            std::fs::rename(&from, named(suffix, n)).map_err(|error| Error::Access(error.to_string()))?;
        }
    }
    Ok(named("", n))
}

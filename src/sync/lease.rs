//! One process at a time syncs a source: a file lock that dies with its holder, and a lease row that readers see.

use super::Shared;
use crate::{model::SourceName, store};
use std::{fs::File, fs::TryLockError, path::PathBuf, time::Duration};

/// How long a lease runs without being renewed; every page renews it.
pub(super) const TTL: Duration = Duration::from_secs(90);

/// A source's lease; the file lock ends with it.
pub(super) struct Lease {
    // Held, never read: closing it is what unlocks.
    _lock: Option<File>,
}

/// Takes the lease, or says that another process has it.
///
/// The file lock decides: whoever gets it knows that no other holder is alive, so that a killed sync can be resumed
/// at once. Where locks are not supported, the lease row's expiry decides alone.
pub(super) async fn take(shared: &Shared, source: &SourceName) -> Result<Lease, store::Error> {
    let lock = File::create(lock_path(shared, source)).map_err(|error| store::Error::Access(error.to_string()))?;
    let lock = match lock.try_lock() {
        Ok(()) => Some(lock),
        Err(TryLockError::WouldBlock) => return Err(store::Error::LeaseLost),
        Err(TryLockError::Error(_)) => None,
    };
    let (name, holder, now, takeover) =
        (source.clone(), shared.holder.clone(), shared.options.clock.now(), lock.is_some());
    shared.writer.write(move |w| w.take_lease(&name, &holder, TTL, takeover, now)).await?;
    Ok(Lease { _lock: lock })
}

fn lock_path(shared: &Shared, source: &SourceName) -> PathBuf {
    let name: String = source
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' })
        .collect();
    let mut path = shared.lock_path.as_os_str().to_owned();
    path.push(format!(".{name}.lock"));
    PathBuf::from(path)
}

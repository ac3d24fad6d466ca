//! The sync's own records: leases, the log of syncs, rows put aside, and how the upstream drifts from its documents.

use super::{Error, Reader, Result, Write, error::Context as _};
use crate::model::SourceName;
use jiff::Timestamp;
use rusqlite::OptionalExtension as _;
use std::time::Duration;

/// What a sync of one source moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct SyncCounts {
    /// Pages committed.
    pub pages: u64,
    /// Bytes of their bodies, as decoded.
    pub bytes: u64,
    /// Runs not seen before.
    pub added: u64,
    /// Runs that changed.
    pub changed: u64,
    /// Runs that did not.
    pub unchanged: u64,
    /// Runs marked as gone.
    pub gone: u64,
    /// Rows put aside.
    pub rejected: u64,
}

/// How a sync ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SyncOutcome {
    /// Everything planned was done.
    Done,
    /// It was cancelled; the rest is done next time.
    Cancelled,
    /// It failed, as a whole or in part.
    Failed {
        /// One word for the error.
        class: String,
        /// The error in our words.
        error: String,
        /// What mends it.
        hint: String,
    },
}

/// The newest entry of a source in the log of syncs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastSync {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none while it runs, or where it was killed.
    pub ended_at: Option<Timestamp>,
    /// `done`, `cancelled`, `failed`; none while it runs, or where it was killed.
    pub outcome: Option<String>,
    /// What it moved so far; none where not all of the source's projects are shown.
    pub counts: Option<SyncCounts>,
    /// The error, in our words.
    pub error: Option<String>,
    /// What mends it.
    pub hint: Option<String>,
}

/// One way in which a source's answers differ from what its API documents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DriftRow {
    /// The record.
    pub record: String,
    /// The field; a stranger's text, cleaned.
    pub field: String,
    /// `new_field`, `missing_field`, `changed_type` or `unknown_value`.
    pub kind: String,
    /// When it was first seen.
    pub first_at: Timestamp,
    /// When it was last seen.
    pub last_at: Timestamp,
}

impl Write<'_> {
    /// Takes or renews a source's lease. `takeover` says that the former holder is known to be dead.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] while another holder's lease runs.
    pub fn take_lease(
        &mut self,
        source: &SourceName,
        holder: &str,
        ttl: Duration,
        takeover: bool,
        now: Timestamp,
    ) -> Result<()> {
        let id = self.source_id(source)?;
        let expires = now.as_millisecond().saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
        let taken = self
            .tx
            .prepare_cached(
                "INSERT INTO lease (source_id, holder, expires_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (source_id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
                 WHERE holder = excluded.holder OR expires_at <= ?4 OR ?5",
            )?
            .execute((id, holder, expires, now.as_millisecond(), takeover))
            .context("lease")?;
        if taken == 1 { Ok(()) } else { Err(Error::LeaseLost) }
    }

    /// Gives a lease back, if it is still this holder's.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn end_lease(&mut self, source: &SourceName, holder: &str) -> Result<()> {
        let id = self.source_id(source)?;
        self.tx.execute("DELETE FROM lease WHERE source_id = ?1 AND holder = ?2", (id, holder)).context("end lease")?;
        Ok(())
    }

    /// Opens an entry in the log of syncs; entries are named by when they began.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn begin_sync(&mut self, source: &SourceName, now: Timestamp) -> Result<()> {
        let id = self.source_id(source)?;
        self.tx
            .execute(
                "INSERT INTO sync_run (source_id, started_at, pages, bytes, added, changed, unchanged, gone, rejected)
                 VALUES (?1, ?2, 0, 0, 0, 0, 0, 0, 0)",
                (id, now.as_millisecond()),
            )
            .context("begin sync")?;
        Ok(())
    }

    /// Brings the newest entry up to date.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn save_sync_counts(&mut self, source: &SourceName, counts: &SyncCounts) -> Result<()> {
        let id = self.source_id(source)?;
        self.tx
            .prepare_cached(
                "UPDATE sync_run SET pages = ?2, bytes = ?3, added = ?4, changed = ?5, unchanged = ?6, gone = ?7, rejected = ?8
                 WHERE id = (SELECT max(id) FROM sync_run WHERE source_id = ?1)",
            )?
            .execute((
                id,
                counts.pages,
                counts.bytes,
                counts.added,
                counts.changed,
                counts.unchanged,
                counts.gone,
                counts.rejected,
            ))
            .context("sync counts")?;
        Ok(())
    }

    /// Closes the newest entry, and forgets all but the newest thousand of the source.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn end_sync(
        &mut self,
        source: &SourceName,
        counts: &SyncCounts,
        outcome: &SyncOutcome,
        now: Timestamp,
    ) -> Result<()> {
        self.save_sync_counts(source, counts)?;
        let id = self.source_id(source)?;
        let (word, failure) = match outcome {
            SyncOutcome::Done => ("done", None),
            SyncOutcome::Cancelled => ("cancelled", None),
            SyncOutcome::Failed { class, error, hint } => ("failed", Some((class, error, hint))),
        };
        self.tx
            .execute(
                "UPDATE sync_run SET ended_at = ?2, outcome = ?3, error_class = ?4, error = ?5, hint = ?6
                 WHERE id = (SELECT max(id) FROM sync_run WHERE source_id = ?1)",
                (
                    id,
                    now.as_millisecond(),
                    word,
                    failure.map(|(class, _, _)| class),
                    failure.map(|(_, error, _)| error),
                    failure.map(|(_, _, hint)| hint),
                ),
            )
            .context("end sync")?;
        self.tx
            .execute(
                "DELETE FROM sync_run WHERE source_id = ?1 AND id NOT IN
                     (SELECT id FROM sync_run WHERE source_id = ?1 ORDER BY id DESC LIMIT 1000)",
                [id],
            )
            .context("old syncs")?;
        Ok(())
    }

    /// Puts a row aside with the reason. The same row is kept once.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn quarantine(
        &mut self,
        source: &SourceName,
        place: &str,
        reason: &str,
        raw: &str,
        now: Timestamp,
    ) -> Result<()> {
        let id = self.source_id(source)?;
        let hash = xxhash_rust::xxh3::xxh3_64(raw.as_bytes()).cast_signed();
        self.tx
            .prepare_cached(
                "INSERT INTO quarantine (source_id, place, reason, hash, raw, first_at, last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
                 ON CONFLICT (source_id, hash) DO UPDATE SET place = excluded.place, reason = excluded.reason, last_at = excluded.last_at",
            )?
            .execute((id, place, reason, hash, raw, now.as_millisecond()))
            .context("quarantine")?;
        Ok(())
    }

    /// Records a drift.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn save_drift(
        &mut self,
        source: &SourceName,
        record: &str,
        field: &str,
        kind: &str,
        now: Timestamp,
    ) -> Result<()> {
        let id = self.source_id(source)?;
        self.tx
            .prepare_cached(
                "INSERT INTO drift (source_id, record, field, kind, first_at, last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
                 ON CONFLICT (source_id, record, field, kind) DO UPDATE SET last_at = excluded.last_at",
            )?
            .execute((id, record, field, kind, now.as_millisecond()))
            .context("drift")?;
        Ok(())
    }

    fn source_id(&self, source: &SourceName) -> Result<i64> {
        self.tx
            .prepare_cached("SELECT id FROM source WHERE name = ?1")?
            .query_row([source.as_str()], |row| row.get(0))
            .optional()
            .context("source")?
            .ok_or(Error::Value("a source that is not stored"))
    }
}

impl Reader {
    /// The newest sync of a source.
    ///
    /// # Errors
    /// [`Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn last_sync(&self, source: &SourceName) -> Result<Option<LastSync>> {
        self.sync_where(source, "1")
    }

    /// The newest sync of a source that did all it had planned.
    ///
    /// # Errors
    /// As [`Reader::last_sync`].
    pub fn last_good_sync(&self, source: &SourceName) -> Result<Option<LastSync>> {
        self.sync_where(source, "r.outcome = 'done'")
    }

    fn sync_where(&self, source: &SourceName, condition: &'static str) -> Result<Option<LastSync>> {
        if !self.shows_some(source)? {
            return Ok(None);
        }
        let whole = self.shows_whole(source);
        self.connection
            .prepare_cached(&format!(
                "SELECT r.started_at, r.ended_at, r.outcome, r.pages, r.bytes, r.added, r.changed, r.unchanged, r.gone, r.rejected,
                        r.error, r.hint
                 FROM sync_run r JOIN source s ON s.id = r.source_id WHERE s.name = ?1 AND {condition} ORDER BY r.id DESC LIMIT 1"
            ))?
            .query_row([source.as_str()], |row| {
                let ended: Option<i64> = row.get(1)?;
                Ok(LastSync {
                    started_at: instant(row.get(0)?),
                    ended_at: ended.map(instant),
                    outcome: row.get(2)?,
                    counts: if whole { Some(counts_at(row, 3)?) } else { None },
                    // Its words may name any project.
                    error: row.get::<_, Option<String>>(10)?.map(|error| if whole { error } else { UNTOLD.0.into() }),
                    hint: row.get::<_, Option<String>>(11)?.map(|hint| if whole { hint } else { UNTOLD.1.into() }),
                })
            })
            .optional()
            .context("last sync")
    }

    /// Does a process sync this source now?
    ///
    /// # Errors
    /// As [`Reader::last_sync`].
    pub fn is_syncing(&self, source: &SourceName, now: Timestamp) -> Result<bool> {
        if !self.shows_some(source)? {
            return Ok(false);
        }
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM lease l JOIN source s ON s.id = l.source_id WHERE s.name = ?1 AND l.expires_at > ?2)",
            )?
            .query_row((source.as_str(), now.as_millisecond()), |row| row.get(0))
            .context("lease")
    }

    /// How many rows of a source are put aside; none where not all of its projects are shown.
    ///
    /// # Errors
    /// As [`Reader::last_sync`].
    pub fn quarantined(&self, source: &SourceName) -> Result<Option<u64>> {
        if !self.shows_whole(source) {
            return Ok(None);
        }
        self.connection
            .prepare_cached("SELECT count(*) FROM quarantine q JOIN source s ON s.id = q.source_id WHERE s.name = ?1")?
            .query_row([source.as_str()], |row| row.get(0))
            .context("quarantine")
    }

    /// Why rows of a source were put aside, with how many of each, most first.
    ///
    /// # Errors
    /// As [`Reader::last_sync`].
    pub fn quarantine_reasons(&self, source: &SourceName) -> Result<Vec<(String, u64)>> {
        if !self.shows_whole(source) {
            return Ok(Vec::new());
        }
        self.connection
            .prepare_cached(
                "SELECT q.reason, count(*) FROM quarantine q JOIN source s ON s.id = q.source_id
                 WHERE s.name = ?1 GROUP BY q.reason ORDER BY count(*) DESC, q.reason LIMIT 10",
            )?
            .query_map([source.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()
            .context("quarantine reasons")
    }

    /// How a source's answers differ from its documents, newest first; none where not all of its projects are shown.
    ///
    /// # Errors
    /// As [`Reader::last_sync`].
    pub fn drift(&self, source: &SourceName) -> Result<Option<Vec<DriftRow>>> {
        if !self.shows_whole(source) {
            return Ok(None);
        }
        self.connection
            .prepare_cached(
                "SELECT d.record, d.field, d.kind, d.first_at, d.last_at FROM drift d JOIN source s ON s.id = d.source_id
                 WHERE s.name = ?1 ORDER BY d.last_at DESC, d.record, d.field LIMIT 200",
            )?
            .query_map([source.as_str()], |row| {
                Ok(DriftRow {
                    record: row.get(0)?,
                    field: row.get(1)?,
                    kind: row.get(2)?,
                    first_at: instant(row.get(3)?),
                    last_at: instant(row.get(4)?),
                })
            })?
            .collect::<Result<_, _>>()
            .map(Some)
            .context("drift")
    }
}

/// A stored instant; one outside the calendar is the epoch.
pub(super) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// What is told of a failed sync to those who do not see all of its projects: the error, and the next step.
const UNTOLD: (&str, &str) = ("its cause is told to those who see all of its projects", "ask whoever runs this server");

fn counts_at(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<SyncCounts> {
    Ok(SyncCounts {
        pages: row.get(at)?,
        bytes: row.get(at + 1)?,
        added: row.get(at + 2)?,
        changed: row.get(at + 3)?,
        unchanged: row.get(at + 4)?,
        gone: row.get(at + 5)?,
        rejected: row.get(at + 6)?,
    })
}

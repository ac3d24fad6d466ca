//! Slices: how far each was read, and what a complete reading proves about its runs.

use super::{Reader, Result, StoredRun, Write, error::Context as _};
use crate::model::{Day, DayRange, ProjectKey, RunId};
use jiff::Timestamp;
use rusqlite::OptionalExtension as _;

/// What is stored of a slice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredSlice {
    /// Its key inside the project.
    pub key: String,
    /// The newest day it covers.
    pub last_day: Day,
    /// The upstream's fingerprint when it was last read whole.
    pub fingerprint: Option<String>,
    /// Where an unfinished reading goes on.
    pub cursor: Option<String>,
    /// When it was last read whole; none if never, or if the present reading is unfinished.
    pub completed_at: Option<Timestamp>,
    /// Runs that had no final status then.
    pub open_runs: u64,
}

/// What came of a slice that was read to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SliceDone {
    /// It is complete; so many runs that it no longer holds were marked.
    Complete {
        /// Runs marked as gone.
        gone: u64,
    },
    /// Rows moved from page to page meanwhile, so that some may have been missed: it must be read again.
    Shifted,
}

impl Reader {
    /// Every stored slice of a project.
    ///
    /// # Errors
    /// [`super::Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn slices(&self, project: &ProjectKey) -> Result<Vec<StoredSlice>> {
        let Some(project) = self.project_id(project)? else { return Ok(Vec::new()) };
        self.connection
            .prepare_cached(
                "SELECT key, last_day, fingerprint, cursor, completed_at, open_runs FROM slice WHERE project_id = ?1",
            )?
            .query_map([project], |row| {
                let completed: Option<i64> = row.get(4)?;
                Ok(StoredSlice {
                    key: row.get(0)?,
                    last_day: Day::from_epoch_days(row.get(1)?),
                    fingerprint: row.get(2)?,
                    cursor: row.get(3)?,
                    completed_at: completed.and_then(|at| Timestamp::from_millisecond(at).ok()),
                    open_runs: row.get(5)?,
                })
            })?
            .collect::<Result<_, _>>()
            .context("slices")
    }
}

impl Write<'_> {
    /// Begins a reading of a slice from its first page.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn begin_slice(&mut self, project: &ProjectKey, key: &str, days: DayRange) -> Result<()> {
        let project = self.project_id(project)?;
        self.tx
            .prepare_cached(
                "INSERT INTO slice (project_id, key, first_day, last_day, pages, pass, shifted, open_runs)
                 VALUES (?1, ?2, ?3, ?4, 0, 1, 0, 0)
                 ON CONFLICT (project_id, key) DO UPDATE SET first_day = excluded.first_day,
                     last_day = excluded.last_day, pages = 0, pass = pass + 1, shifted = 0, cursor = NULL,
                     completed_at = NULL",
            )?
            .execute((project, key, days.first.epoch_days(), days.last.epoch_days()))
            .context("begin slice")?;
        Ok(())
    }

    /// Notes which runs a page held, where the next page begins, and whether rows have moved before this one.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn save_slice_page(
        &mut self,
        project: &ProjectKey,
        key: &str,
        runs: &[RunId],
        (cursor, moved): (Option<&str>, bool),
    ) -> Result<()> {
        let slice = self.slice_id(project, key)?;
        let pass: i64 = self.tx.query_row("SELECT pass FROM slice WHERE id = ?1", [slice], |row| row.get(0))?;
        let mut seen = self.tx.prepare_cached(
            "INSERT INTO slice_run (slice_id, run_id, pass) VALUES (?1, (SELECT id FROM run WHERE public_id = ?2), ?3)
             ON CONFLICT (slice_id, run_id) DO UPDATE SET pass = excluded.pass WHERE pass <> excluded.pass",
        )?;
        let mut shifted = moved;
        for run in runs {
            // No row written: an earlier page of this reading had it already.
            shifted |= seen.execute((slice, run.to_i64(), pass)).context("slice run")? == 0;
        }
        self.tx
            .prepare_cached("UPDATE slice SET cursor = ?2, pages = pages + 1, shifted = max(shifted, ?3), error = NULL WHERE id = ?1")?
            .execute((slice, cursor, shifted))
            .context("slice page")?;
        Ok(())
    }

    /// Declares a slice complete and marks runs that it held before and holds no more, unless rows moved between
    /// its pages. A slice that suddenly holds nothing at all proves nothing, and marks nothing.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn complete_slice(
        &mut self,
        project: &ProjectKey,
        key: &str,
        fingerprint: Option<&str>,
        now: Timestamp,
    ) -> Result<SliceDone> {
        let slice = self.slice_id(project, key)?;
        let (pass, shifted): (i64, bool) =
            self.tx.query_row("SELECT pass, shifted FROM slice WHERE id = ?1", [slice], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        if shifted {
            self.tx
                .execute("UPDATE slice SET cursor = NULL, completed_at = NULL WHERE id = ?1", [slice])
                .context("shifted")?;
            return Ok(SliceDone::Shifted);
        }
        let seen: u64 = self.tx.query_row(
            "SELECT count(*) FROM slice_run WHERE slice_id = ?1 AND pass = ?2",
            (slice, pass),
            |row| row.get(0),
        )?;
        let gone = if seen == 0 { 0 } else { self.mark_gone(slice, pass, now)? };
        self.tx
            .execute(
                "UPDATE slice SET cursor = NULL, completed_at = ?2, fingerprint = ?3, error = NULL, open_runs = (
                     SELECT count(*) FROM slice_run s JOIN run r ON r.id = s.run_id
                     WHERE s.slice_id = ?1 AND r.gone_at IS NULL AND r.status_id NOT IN (3, 4))
                 WHERE id = ?1",
                (slice, now.as_millisecond(), fingerprint),
            )
            .context("complete slice")?;
        Ok(SliceDone::Complete { gone })
    }

    fn mark_gone(&self, slice: i64, pass: i64, now: Timestamp) -> Result<u64> {
        // A run may be in several slices; it is gone when no slice's last reading holds it.
        let mut statement = self.tx.prepare_cached(
            "SELECT r.id, r.project_id, r.day FROM slice_run s JOIN run r ON r.id = s.run_id
             WHERE s.slice_id = ?1 AND s.pass < ?2 AND r.gone_at IS NULL
               AND NOT EXISTS (SELECT 1 FROM slice_run o JOIN slice l ON l.id = o.slice_id
                               WHERE o.run_id = r.id AND o.slice_id <> ?1 AND o.pass = l.pass
                                 AND l.project_id = r.project_id)",
        )?;
        let gone: Vec<(i64, i64, i32)> = statement
            .query_map((slice, pass), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()
            .context("gone runs")?;
        for (run, project, day) in &gone {
            self.tx
                .prepare_cached("UPDATE run SET gone_at = ?2 WHERE id = ?1")?
                .execute((run, now.as_millisecond()))
                .context("gone run")?;
            self.touch_day(*project, *day)?;
        }
        Ok(gone.len() as u64)
    }

    /// Unmarks runs that came back as they were.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn save_returned(&mut self, runs: &[StoredRun]) -> Result<()> {
        for run in runs {
            let (project, day): (i64, i32) = self
                .tx
                .query_row(
                    "UPDATE run SET gone_at = NULL WHERE id = ?1 RETURNING project_id, day",
                    [run.handle()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .context("returned run")?;
            self.touch_day(project, day)?;
        }
        Ok(())
    }

    /// Notes why a slice could not be read to its end; its cursor stays.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn fail_slice(&mut self, project: &ProjectKey, key: &str, error: &str) -> Result<()> {
        let project = self.project_id(project)?;
        self.tx
            .execute("UPDATE slice SET error = ?3 WHERE project_id = ?1 AND key = ?2", (project, key, error))
            .context("slice error")?;
        Ok(())
    }

    /// Forgets how far a slice was read. Its runs stay.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn forget_slice(&mut self, project: &ProjectKey, key: &str) -> Result<()> {
        let slice = self.slice_id(project, key)?;
        self.tx.execute("DELETE FROM slice_run WHERE slice_id = ?1", [slice]).context("runs of a lost slice")?;
        self.tx.execute("DELETE FROM slice WHERE id = ?1", [slice]).context("lost slice")?;
        Ok(())
    }

    fn slice_id(&self, project: &ProjectKey, key: &str) -> Result<i64> {
        let project = self.project_id(project)?;
        self.tx
            .prepare_cached("SELECT id FROM slice WHERE project_id = ?1 AND key = ?2")?
            .query_row((project, key), |row| row.get(0))
            .optional()
            .context("slice")?
            .ok_or(super::Error::Value("a slice that was not begun"))
    }
}

//! Reading brands off the cached answers again, after brands or their spellings have changed.

use super::{Detect, Reader, Result, Write, error::Context as _, facts::Facts};
use crate::model::ProjectKey;
use std::collections::BTreeSet;

/// How far a pass over a project's answers has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Redetection {
    /// Answers read.
    pub runs: u64,
    /// Of these, runs of which other facts are stored now.
    pub changed: u64,
    /// Where the next step goes on.
    after: i64,
    /// Nothing is left to read.
    pub is_done: bool,
}

/// A run to read.
struct Stale {
    id: i64,
    day: i32,
    scope: i64,
    citations_derived: bool,
    /// Its answer as stored: dictionary, size and body.
    answer: (Option<i64>, usize, Vec<u8>),
}

impl Reader {
    /// How many of a project's answers were last read by another detection than the one with this stamp.
    ///
    /// # Errors
    /// [`super::Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn undetected(&self, project: &ProjectKey, stamp: u64) -> Result<u64> {
        let Some(project) = self.project_id(project)? else { return Ok(0) };
        self.connection
            .prepare_cached(
                "SELECT count(*) FROM run NOT INDEXED
                 WHERE project_id = ?1 AND status_id = 3 AND answer_hash IS NOT NULL AND detected IS NOT ?2",
            )?
            .query_row((project, stamp.cast_signed()), |row| row.get(0))
            .context("undetected runs")
    }
}

impl Write<'_> {
    /// Reads the next answers of a project that another detection read before. What was read is marked in the same
    /// transaction, so that a pass can be cut off anywhere and begun anew.
    ///
    /// # Errors
    /// Where a statement fails.
    pub fn redetect(
        &mut self,
        project: &ProjectKey,
        detect: &dyn Detect,
        so_far: Redetection,
        limit: usize,
    ) -> Result<Redetection> {
        let project = self.project_id(project)?;
        let stale = self.stale_runs(project, detect.stamp(), so_far.after, limit)?;
        let tracked = self.brand_ids(project, detect.brands())?;
        let mut next = Redetection { is_done: stale.len() < limit, ..so_far };
        let mut days = BTreeSet::new();
        for run in stale {
            next.runs += 1;
            next.after = run.id;
            if self.read_again(project, &run, &tracked, detect)? {
                next.changed += 1;
                days.insert(run.day);
            }
        }
        for day in days {
            self.touch_day(project, day)?;
        }
        Ok(next)
    }

    fn stale_runs(&self, project: i64, stamp: u64, after: i64, limit: usize) -> Result<Vec<Stale>> {
        self.tx
            .prepare_cached(
                "SELECT r.id, r.day, r.scope_id, r.citations_derived, a.dictionary_id, a.size, a.body
                 FROM run r NOT INDEXED CROSS JOIN answer a ON a.run_id = r.id
                 WHERE r.project_id = ?1 AND r.id > ?2 AND r.status_id = 3 AND r.detected IS NOT ?3
                 ORDER BY r.id LIMIT ?4",
            )?
            .query_map((project, after, stamp.cast_signed(), limit), |row| {
                Ok(Stale {
                    id: row.get(0)?,
                    day: row.get(1)?,
                    scope: row.get(2)?,
                    citations_derived: row.get(3)?,
                    answer: (row.get(4)?, row.get(5)?, row.get(6)?),
                })
            })?
            .collect::<Result<_, _>>()
            .context("runs to read again")
    }

    /// Reads one answer. Returns whether other facts are stored now.
    fn read_again(&mut self, project: i64, run: &Stale, tracked: &[i64], detect: &dyn Detect) -> Result<bool> {
        let (dictionary, size, body) = &run.answer;
        let answer = self.texts.read(self.tx, *dictionary, *size, body)?;
        let citations = self.cited(run.id)?;
        let urls: Vec<&str> = citations.iter().map(|(_, url, _)| url.as_str()).collect();
        let read = detect.facts(&answer, &urls);
        let found = self.facts_by_brand(project, &read)?;
        let stored = Facts::load(self.tx, run.id, &self.names.members(self.tx, run.scope)?)?;
        let mut facts = stored.clone();
        facts.add_derived(tracked, &found);
        let scope = self.names.scope(self.tx, project, facts.members())?;
        let mut moved = facts.save_over(self.tx, run.id, &stored)? || scope != run.scope;
        if run.citations_derived {
            for (position, url, owner) in &citations {
                let brand = detect.owner(url).map(|brand| self.brand_id(project, brand)).transpose()?;
                if brand != *owner {
                    self.tx
                        .prepare_cached("UPDATE citation SET brand_id = ?3 WHERE run_id = ?1 AND position = ?2")?
                        .execute((run.id, position, brand))
                        .context("owner of a citation")?;
                    moved = true;
                }
            }
        }
        self.tx
            .prepare_cached("UPDATE run SET detected = ?2, scope_id = ?3 WHERE id = ?1")?
            .execute((run.id, detect.stamp().cast_signed(), scope))
            .context("detected run")?;
        Ok(moved)
    }

    /// A run's citations: position, URL and brand.
    fn cited(&self, run: i64) -> Result<Vec<(i64, String, Option<i64>)>> {
        self.tx
            .prepare_cached(
                "SELECT c.position, u.url, c.brand_id FROM citation c JOIN url u ON u.id = c.url_id
                 WHERE c.run_id = ?1 ORDER BY c.position",
            )?
            .query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()
            .context("citations of a run")
    }
}

//! Presence run by run in time order: what cells, which are sums, no longer tell.

use super::{CellQuery, Reader, Result, error::Context as _};
use crate::model::{EngineRef, PromptRef};
use rusqlite::{Params, Row};
use std::collections::BTreeSet;

/// Whether a brand is present in each run, in time order within each prompt and engine. Labels are those of cells.
pub type Presence = Vec<(PromptRef, EngineRef, bool)>;

/// Which tracked brands are present in each run, likewise; brands are numbers that mean something within one answer of
/// the store alone.
pub type BrandLists = Vec<(PromptRef, EngineRef, BTreeSet<u32>)>;

/// What both statements of presence read. Only runs that were checked for both halves count.
macro_rules! presence {
    ($index:literal, $of:literal) => {
        concat!(
            "
SELECT r.prompt_id, r.engine_id, coalesce(f.mentions, 0) > 0 OR coalesce(f.citations, 0) > 0, r.created_at, r.id
FROM run r INDEXED BY ",
            $index,
            "
CROSS JOIN scope_brand s ON s.scope_id = r.scope_id AND s.brand_id = ?2 AND s.mentions AND s.citations
LEFT JOIN run_brand f ON f.run_id = r.id AND f.brand_id = ?2
WHERE ",
            $of,
            " AND r.day BETWEEN ?3 AND ?4 AND r.status_id = 3 AND r.gone_at IS NULL"
        )
    };
}

pub(super) const OF_DAYS: &str = presence!("run_by_day", "r.project_id = ?1");
pub(super) const OF_PROMPT: &str = presence!("run_by_prompt_day", "r.prompt_id = ?1");

/// Runs that were checked for every tracked brand, each with the brands present in it; no brand where there is none.
pub(super) const LISTS: &str = "
SELECT r.engine_id, r.created_at, r.id, f.brand_id
FROM run r INDEXED BY run_by_prompt_day
LEFT JOIN run_brand f ON f.run_id = r.id AND (f.mentions > 0 OR f.citations > 0)
WHERE r.prompt_id = ?1 AND r.day BETWEEN ?2 AND ?3 AND r.status_id = 3 AND r.gone_at IS NULL
  AND EXISTS (SELECT 1 FROM scope_brand c WHERE c.scope_id = r.scope_id)
  AND NOT EXISTS (SELECT 1 FROM scope_brand c WHERE c.scope_id = r.scope_id AND NOT (c.mentions AND c.citations))";

/// When a run was made, and its place among those of the same moment.
type Moment = (i64, i64);

impl Reader {
    /// Presence of the query's brand in every run that the query's cells count as checked for presence.
    ///
    /// # Errors
    /// As [`Reader::cells`].
    pub fn presence(&self, query: &CellQuery<'_>) -> Result<Presence> {
        let Some((project, brand)) = self.project_and_brand(query.project, query.brand)? else { return Ok(Vec::new()) };
        let known = self.known(project, brand, query)?;
        let days = (query.days.first.epoch_days(), query.days.last.epoch_days());
        let mut runs = Vec::new();
        self.each_run(OF_DAYS, (project, brand, days.0, days.1), |row| {
            let (prompt, engine) = (row.get(0)?, row.get(1)?);
            if known.counts(prompt, engine) {
                runs.push(((PromptRef(prompt), EngineRef(engine)), (row.get(3)?, row.get(4)?), row.get(2)?));
            }
            Ok(())
        })?;
        Ok(in_order(runs))
    }

    /// The same of these prompts alone.
    ///
    /// # Errors
    /// As [`Reader::cells`].
    pub fn presence_of(&self, query: &CellQuery<'_>, prompts: &[PromptRef]) -> Result<Presence> {
        let Some((_, brand)) = self.project_and_brand(query.project, query.brand)? else { return Ok(Vec::new()) };
        let engine = self.engine_id(query.engine)?;
        let days = (query.days.first.epoch_days(), query.days.last.epoch_days());
        let mut runs = Vec::new();
        for prompt in prompts {
            self.each_run(OF_PROMPT, (prompt.0, brand, days.0, days.1), |row| {
                let on = row.get(1)?;
                if engine.is_none_or(|wanted| wanted == on) {
                    runs.push(((*prompt, EngineRef(on)), (row.get(3)?, row.get(4)?), row.get(2)?));
                }
                Ok(())
            })?;
        }
        Ok(in_order(runs))
    }

    /// The tracked brands present in the runs of these prompts, of runs that were checked for all of them; the query's
    /// brand is not looked at.
    ///
    /// # Errors
    /// As [`Reader::cells`].
    pub fn brand_lists(&self, query: &CellQuery<'_>, prompts: &[PromptRef]) -> Result<BrandLists> {
        let engine = self.engine_id(query.engine)?;
        let days = (query.days.first.epoch_days(), query.days.last.epoch_days());
        let mut runs: Vec<((PromptRef, EngineRef), Moment, BTreeSet<u32>)> = Vec::new();
        for prompt in prompts {
            self.each_run(LISTS, (prompt.0, days.0, days.1), |row| {
                let on = row.get(0)?;
                if engine.is_some_and(|wanted| wanted != on) {
                    return Ok(());
                }
                let (cell, moment) = ((*prompt, EngineRef(on)), (row.get(1)?, row.get(2)?));
                let brand: Option<u32> = row.get(3)?;
                // The rows of a run come together.
                match runs.last_mut().filter(|(_, last, _)| *last == moment) {
                    Some((.., brands)) => brands.extend(brand),
                    None => runs.push((cell, moment, brand.into_iter().collect())),
                }
                Ok(())
            })?;
        }
        Ok(in_order(runs))
    }

    fn each_run(
        &self,
        sql: &str,
        params: impl Params,
        mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params).context("presence")?;
        while let Some(row) = rows.next().context("presence")? {
            each(row).context("presence")?;
        }
        Ok(())
    }
}

/// The runs in time order within each prompt and engine, without their moments.
fn in_order<T>(mut runs: Vec<((PromptRef, EngineRef), Moment, T)>) -> Vec<(PromptRef, EngineRef, T)> {
    runs.sort_by_key(|(cell, moment, _)| (*cell, *moment));
    runs.into_iter().map(|((prompt, engine), _, what)| (prompt, engine, what)).collect()
}

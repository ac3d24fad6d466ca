//! Gaps: runs where a brand was looked for and is absent, and a rival is present.
//!
//! For an own brand the rivals are the competitors, and the rollups know; for any other brand they are all other tracked
//! brands ([`Brand::is_tracked`](crate::model::Brand::is_tracked)), which is read off the rows.

use super::{CellQuery, CellTable};
use crate::{
    model::{EngineRef, PromptRef},
    store::{Reader, Result, error::Context as _},
};
use rusqlite::{OptionalExtension as _, named_params};
use std::collections::HashMap;

macro_rules! standing {
    () => {
        "
iif(r.scope_id IN (SELECT o.scope_id FROM scope_brand o JOIN brand b ON b.id = o.brand_id
                   WHERE o.mentions AND o.citations AND iif(:own, b.kind = 'own', b.id = :brand)),
    (SELECT max(iif(a.brand_id IN (SELECT b.id FROM brand b WHERE iif(:own, b.kind = 'own', b.id = :brand)), 2,
                    a.brand_id IN (SELECT b.id FROM brand b
                                   WHERE iif(:own, b.kind = 'competitor',
                                             b.id <> :brand AND (b.kind <> 'other' OR b.key GLOB 'config:*')))))
     FROM run_brand a
     WHERE a.run_id = r.id AND (coalesce(a.mentions, 0) > 0 OR coalesce(a.citations, 0) > 0)),
    NULL)"
    };
}

/// How run `r` stands to brand `:brand`, which is an own brand where `:own`: 2 where it is present, 1 where a rival is and
/// it is not; only where it was looked for. One look at a run's brands for both.
pub(super) const STANDING: &str = standing!();

/// Is run `r` a gap of that brand?
pub(in crate::store) const GAP: &str = concat!("(", standing!(), " IS 1)");

/// A rival, and in how many gaps of a prompt it is present.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rival {
    /// Its name; a stranger's text.
    pub name: String,
    /// Gaps in which it is present.
    pub runs: u64,
}

fn gap_cells() -> String {
    format!(
        "SELECT r.prompt_id, r.engine_id, count(*) FROM run r INDEXED BY run_by_day
         WHERE r.project_id = :project AND r.day BETWEEN :first AND :last AND r.status_id = 3 AND r.gone_at IS NULL
           AND {GAP}
         GROUP BY r.prompt_id, r.engine_id"
    )
}

fn rivals() -> String {
    format!(
        "SELECT v.name, count(*) FROM run r INDEXED BY run_by_prompt_day
         CROSS JOIN run_brand f ON f.run_id = r.id
         CROSS JOIN brand v ON v.id = f.brand_id
         WHERE r.prompt_id = :prompt AND r.project_id = :project AND r.day BETWEEN :first AND :last
           AND r.status_id = 3 AND r.gone_at IS NULL AND (:engine IS NULL OR r.engine_id = :engine)
           AND iif(:own, v.kind = 'competitor',
                   v.id <> :brand AND (v.kind <> 'other' OR v.key GLOB 'config:*'))
           AND (coalesce(f.mentions, 0) > 0 OR coalesce(f.citations, 0) > 0)
           AND {GAP}
         GROUP BY v.id ORDER BY 2 DESC, 1 LIMIT :most"
    )
}

impl Reader {
    /// The cells of a window with the gaps of the query's own brand, whatever its kind: [`Reader::cells`] has those of
    /// the project's own brand.
    ///
    /// # Errors
    /// As [`Reader::cells`].
    pub fn cells_with_gaps(&self, query: &CellQuery<'_>) -> Result<CellTable> {
        let mut table = self.cells(query)?;
        let Some((project, brand)) = self.project_and_brand(query.project, query.brand)? else { return Ok(table) };
        if !self.is_own(brand)? {
            table.gaps = self.gaps_from_rows(&table, (project, brand), query)?;
        }
        Ok(table)
    }

    /// The gaps of each cell of a table by the raw query alone.
    fn gaps_from_rows(
        &self,
        table: &CellTable,
        (project, brand): (i64, i64),
        query: &CellQuery<'_>,
    ) -> Result<Vec<u32>> {
        let mut statement = self.connection.prepare_cached(&gap_cells())?;
        let values = named_params! {
            ":project": project,
            ":brand": brand,
            ":own": self.is_own(brand)?,
            ":first": query.days.first.epoch_days(),
            ":last": query.days.last.epoch_days(),
        };
        let gaps: HashMap<(PromptRef, EngineRef), u32> = statement
            .query_map(values, |row| Ok(((PromptRef(row.get(0)?), EngineRef(row.get(1)?)), row.get(2)?)))?
            .collect::<Result<_, _>>()
            .context("gaps")?;
        let of = |(prompt, engine)| gaps.get(&(prompt, engine)).copied().unwrap_or(0);
        Ok(table.cells.iter().map(|cell| of((cell.prompt, cell.engine))).collect())
    }

    /// For each of some prompts, the rivals that are present in most of its gaps, most first, then by name.
    ///
    /// # Errors
    /// As [`Reader::cells`].
    pub fn rivals(&self, query: &CellQuery<'_>, prompts: &[PromptRef], most: usize) -> Result<Vec<Vec<Rival>>> {
        let Some((project, brand)) = self.project_and_brand(query.project, query.brand)? else {
            return Ok(prompts.iter().map(|_| Vec::new()).collect());
        };
        let (own, engine) = (self.is_own(brand)?, self.engine_id(query.engine)?);
        let mut statement = self.connection.prepare_cached(&rivals())?;
        let mut found = Vec::with_capacity(prompts.len());
        for prompt in prompts {
            let values = named_params! {
                ":project": project,
                ":prompt": prompt.0,
                ":brand": brand,
                ":own": own,
                ":engine": engine,
                ":first": query.days.first.epoch_days(),
                ":last": query.days.last.epoch_days(),
                ":most": most,
            };
            let rivals = statement.query_map(values, |row| Ok(Rival { name: row.get(0)?, runs: row.get(1)? }))?;
            found.push(rivals.collect::<Result<_, _>>().context("rivals")?);
        }
        Ok(found)
    }

    /// Is this a brand of the project's owner?
    pub(in crate::store) fn is_own(&self, brand: i64) -> Result<bool> {
        let own = self
            .connection
            .prepare_cached("SELECT kind = 'own' FROM brand WHERE id = ?1")?
            .query_row([brand], |row| row.get(0))
            .optional()
            .context("brand")?;
        Ok(own.unwrap_or(false))
    }

    /// How gaps are read from rows, for tests.
    #[cfg(test)]
    pub(in crate::store) fn explain_gaps(&self) -> String {
        [self.explain(&gap_cells()), self.explain(&rivals())].join("\n")
    }

    /// The plan of a statement, a line a step.
    #[cfg(test)]
    pub(in crate::store) fn explain(&self, sql: &str) -> String {
        let mut statement = self.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        // Whatever its values are.
        let mut rows = statement.raw_query();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            lines.push(row.get::<_, String>(3).unwrap());
        }
        lines.join("\n")
    }
}

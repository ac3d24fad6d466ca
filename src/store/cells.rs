//! Reading cells: from the rollups for days that are up to date, from the rows for days that are not.

mod adder;
mod cited;
mod gaps;
mod known;
mod totals;

use super::{
    Error, Reader, Result,
    error::Context as _,
    packed::{BaseCell, BrandCell, unpack_base, unpack_brand},
};
use crate::model::{Basis, BrandKey, Cell, DayRange, EngineRef, ProjectKey, PromptId};
use adder::Adder;
pub use cited::{CitedBy, CitedList, CitedOrder, CitedQuery, CitedRef, CitedRow, Domains};
pub(super) use gaps::GAP;
pub use gaps::Rival;
use known::Known;
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::{BTreeMap, HashSet};
use totals::Totals;

/// Which cells are wanted.
#[derive(Clone, Copy, Debug)]
pub struct CellQuery<'a> {
    /// Of this project,
    pub project: &'a ProjectKey,
    /// seen from this brand,
    pub brand: &'a BrandKey,
    /// over these days,
    pub days: DayRange,
    /// on this engine, or on all,
    pub engine: Option<&'a str>,
    /// of prompts with this topic, or of all,
    pub topic: Option<&'a str>,
    /// of this prompt, or of all,
    pub prompt: Option<PromptId>,
    /// with prompts that name a tracked brand, or without.
    pub include_branded: bool,
}

impl<'a> CellQuery<'a> {
    /// All cells of some days but those of branded prompts.
    #[must_use]
    pub fn new(project: &'a ProjectKey, brand: &'a BrandKey, days: DayRange) -> Self {
        Self { project, brand, days, engine: None, topic: None, prompt: None, include_branded: false }
    }
}

/// Cells of a window, one per prompt and engine.
#[derive(Clone, Debug, Default)]
pub struct CellTable {
    /// The cells, in no particular order.
    pub cells: Vec<Cell>,
    /// For each cell, runs where the own brand is absent and a competitor present.
    pub gaps: Vec<u32>,
    /// The names of the engines in them.
    pub engines: BTreeMap<EngineRef, String>,
    /// Finished runs left out because their prompt is branded.
    pub branded_runs: u64,
    /// Where the figures come from.
    pub bases: Bases,
}

/// Where the counts of a window come from; empty where nothing was checked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bases {
    /// The brand's mentions.
    pub mentions: Vec<Basis>,
    /// Its citations.
    pub citations: Vec<Basis>,
    /// Mentions of all brands, for its share of them.
    pub mention_shares: Vec<Basis>,
    /// Citations of all brands, for its share of them.
    pub citation_shares: Vec<Basis>,
}

/// The same numbers straight from the rows: what a day is counted by while its rollup is behind, and what tests and
/// benchmarks compare the rollups with.
const RAW: &str = "
SELECT r.prompt_id, r.engine_id, r.scope_id, count(*),
       sum(coalesce(f.mentions, 0) > 0), sum(coalesce(f.citations, 0) > 0),
       sum(coalesce(s.mentions AND s.citations, 0) AND (coalesce(f.mentions, 0) > 0 OR coalesce(f.citations, 0) > 0)),
       sum(coalesce(iif(sc.share_mentions = 2, f.derived_mentions, f.mentions), 0)),
       sum(coalesce(iif(sc.share_citations = 2, f.derived_citations, f.citations), 0)),
       sum(coalesce(f.best_citation_position, 0)), count(f.best_citation_position),
       sum(coalesce(f.mention_rank, 0)), count(f.mention_rank),
       count(f.sentiment), total(f.sentiment),
       sum((SELECT coalesce(sum(iif(sc.share_mentions = 2, a.derived_mentions, a.mentions)), 0) FROM run_brand a
            WHERE a.run_id = r.id)),
       sum((SELECT coalesce(sum(iif(sc.share_citations = 2, a.derived_citations, a.citations)), 0) FROM run_brand a
            WHERE a.run_id = r.id)),
       sum(EXISTS (SELECT 1 FROM scope_brand o JOIN brand b ON b.id = o.brand_id
                   WHERE o.scope_id = r.scope_id AND b.kind = 'own' AND o.mentions AND o.citations)
           AND NOT EXISTS (SELECT 1 FROM run_brand a JOIN brand b ON b.id = a.brand_id
                   WHERE a.run_id = r.id AND b.kind = 'own'
                     AND (coalesce(a.mentions, 0) > 0 OR coalesce(a.citations, 0) > 0))
           AND EXISTS (SELECT 1 FROM run_brand a JOIN brand b ON b.id = a.brand_id
                   WHERE a.run_id = r.id AND b.kind = 'competitor'
                     AND (coalesce(a.mentions, 0) > 0 OR coalesce(a.citations, 0) > 0)))
FROM run r INDEXED BY run_by_day
JOIN scope sc ON sc.id = r.scope_id
LEFT JOIN scope_brand s ON s.scope_id = r.scope_id AND s.brand_id = ?2
LEFT JOIN run_brand f ON f.run_id = r.id AND f.brand_id = ?2
WHERE r.project_id = ?1 AND r.day BETWEEN ?3 AND ?4 AND r.status_id = 3 AND r.gone_at IS NULL
GROUP BY r.prompt_id, r.engine_id, r.scope_id";

impl Reader {
    /// The cells of a window.
    ///
    /// # Errors
    /// [`Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn cells(&self, query: &CellQuery<'_>) -> Result<CellTable> {
        Ok(self.cell_series(query, &[query.days])?.pop().unwrap_or_default())
    }

    /// The cells of several windows that do not overlap, early ones first, in one pass; the query's own days are not
    /// looked at. Labels of prompts and engines mean the same in all of them.
    ///
    /// # Errors
    /// As [`Reader::cells`].
    pub fn cell_series(&self, query: &CellQuery<'_>, spans: &[DayRange]) -> Result<Vec<CellTable>> {
        let Some((project, brand)) = self.project_and_brand(query.project, query.brand)? else {
            return Ok(spans.iter().map(|_| CellTable::default()).collect());
        };
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return Ok(Vec::new()) };
        let days = DayRange { first: first.first, last: last.last };
        let known = self.known(project, brand, query)?;
        let mut adders: Vec<Adder> = spans.iter().map(|_| Adder::default()).collect();
        let span_of = |day: i32| {
            let at = spans.partition_point(|span| span.last.epoch_days() < day);
            spans.get(at).is_some_and(|span| span.first.epoch_days() <= day).then_some(at)
        };
        let dirty = self.dirty_days(project, days)?;
        self.each_base_day((project, days), &dirty, |day, blob| {
            let Some(adder) = span_of(day).and_then(|at| adders.get_mut(at)) else { return Ok(()) };
            unpack_base(blob, |cell| adder.add_base(&known, cell))
        })?;
        self.each_brand_day((brand, days), &dirty, |day, blob| {
            let Some(adder) = span_of(day).and_then(|at| adders.get_mut(at)) else { return Ok(()) };
            unpack_brand(blob, |cell| adder.add_brand(&known, cell))
        })?;
        for day in dirty {
            if let Some(adder) = span_of(day).and_then(|at| adders.get_mut(at)) {
                add_raw(&self.connection, (&known, adder), (project, brand), (day, day))?;
            }
        }
        adders.into_iter().map(|adder| self.finish(adder)).collect()
    }

    /// The cells of one window as each of several brands sees them, in the order of the brands; the query's own brand
    /// is not looked at. What does not depend on the brand is read once.
    ///
    /// # Errors
    /// As [`Reader::cells`].
    pub fn cells_by_brand(&self, query: &CellQuery<'_>, brands: &[&BrandKey]) -> Result<Vec<CellTable>> {
        let mut seen = Vec::new();
        for key in brands {
            let found = self.project_and_brand(query.project, key)?;
            let known = found.map(|(project, brand)| self.known(project, brand, query)).transpose()?;
            seen.push((found, known, Adder::default()));
        }
        let Some((project, _)) = seen.iter().find_map(|(found, ..)| *found) else {
            return Ok(brands.iter().map(|_| CellTable::default()).collect());
        };
        let dirty = self.dirty_days(project, query.days)?;
        let mut totals = Totals::default();
        self.each_base_day((project, query.days), &dirty, |_, blob| unpack_base(blob, |cell| totals.add(&cell)))?;
        for (_, known, adder) in &mut seen {
            let Some(known) = known else { continue };
            totals.cells().for_each(|cell| adder.add_base(known, cell));
        }
        let mut tables = Vec::new();
        for (found, known, mut adder) in seen {
            if let (Some((project, brand)), Some(known)) = (found, known) {
                self.each_brand_day((brand, query.days), &dirty, |_, blob| {
                    unpack_brand(blob, |cell| adder.add_brand(&known, cell))
                })?;
                for day in &dirty {
                    add_raw(&self.connection, (&known, &mut adder), (project, brand), (*day, *day))?;
                }
            }
            tables.push(self.finish(adder)?);
        }
        Ok(tables)
    }

    /// The same cells by the raw query alone: slow, and the measure of [`Reader::cells`].
    ///
    /// # Errors
    /// As [`Reader::cells`].
    pub fn cells_from_rows(&self, query: &CellQuery<'_>) -> Result<CellTable> {
        let Some((project, brand)) = self.project_and_brand(query.project, query.brand)? else {
            return Ok(CellTable::default());
        };
        let known = self.known(project, brand, query)?;
        let mut adder = Adder::default();
        let days = (query.days.first.epoch_days(), query.days.last.epoch_days());
        add_raw(&self.connection, (&known, &mut adder), (project, brand), days)?;
        self.finish(adder)
    }

    /// The packed base cells of each day of a window that is up to date.
    fn each_base_day(
        &self,
        (project, days): (i64, DayRange),
        dirty: &HashSet<i32>,
        mut each: impl FnMut(i32, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let sql = "SELECT day, cells FROM day_base WHERE project_id = ?1 AND day BETWEEN ?2 AND ?3";
        self.each_day(sql, (project, days), dirty, &mut each)
    }

    /// The packed cells of one brand, likewise.
    fn each_brand_day(
        &self,
        (brand, days): (i64, DayRange),
        dirty: &HashSet<i32>,
        mut each: impl FnMut(i32, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let sql = "SELECT day, cells FROM day_brand WHERE brand_id = ?1 AND day BETWEEN ?2 AND ?3";
        self.each_day(sql, (brand, days), dirty, &mut each)
    }

    fn each_day(
        &self,
        sql: &str,
        (id, days): (i64, DayRange),
        dirty: &HashSet<i32>,
        each: &mut dyn FnMut(i32, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((id, days.first.epoch_days(), days.last.epoch_days())).context("rollup")?;
        while let Some(row) = rows.next().context("rollup")? {
            let day = row.get(0)?;
            if !dirty.contains(&day) {
                each(day, row.get_ref(1)?.as_blob().unwrap_or_default())?;
            }
        }
        Ok(())
    }

    fn finish(&self, adder: Adder) -> Result<CellTable> {
        let mut table = adder.into_table();
        let mut ids: Vec<EngineRef> = Vec::new();
        for cell in &table.cells {
            if !ids.contains(&cell.engine) {
                ids.push(cell.engine);
            }
        }
        let mut name = self.connection.prepare_cached("SELECT name FROM engine WHERE id = ?1")?;
        for id in ids {
            table.engines.insert(id, name.query_row([id.0], |row| row.get(0)).context("engine")?);
        }
        Ok(table)
    }

    pub(super) fn project_and_brand(&self, project: &ProjectKey, brand: &BrandKey) -> Result<Option<(i64, i64)>> {
        let Some(project) = self.project_id(project)? else { return Ok(None) };
        let brand = self
            .connection
            .prepare_cached("SELECT id FROM brand WHERE project_id = ?1 AND key = ?2")?
            .query_row((project, &brand.0), |row| row.get(0))
            .optional()
            .context("brand")?;
        Ok(brand.map(|brand| (project, brand)))
    }

    /// An engine's id; one that no run has is a number that no cell has.
    pub(super) fn engine_id(&self, engine: Option<&str>) -> Result<Option<u32>> {
        let Some(engine) = engine else { return Ok(None) };
        let id = self
            .connection
            .prepare_cached("SELECT id FROM engine WHERE name = ?1")?
            .query_row([engine], |row| row.get(0))
            .optional()
            .context("engine")?;
        Ok(Some(id.unwrap_or(0)))
    }

    pub(super) fn dirty_days(&self, project: i64, days: DayRange) -> Result<HashSet<i32>> {
        self.connection
            .prepare_cached("SELECT day FROM dirty_day WHERE project_id = ?1 AND day BETWEEN ?2 AND ?3")?
            .query_map((project, days.first.epoch_days(), days.last.epoch_days()), |row| row.get(0))?
            .collect::<Result<_, _>>()
            .context("dirty days")
    }
}

fn add_raw(
    connection: &Connection,
    (known, adder): (&Known, &mut Adder),
    (project, brand): (i64, i64),
    (first, last): (i32, i32),
) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(RAW)?;
    let mut rows = statement.query((project, brand, first, last)).context("cells from rows")?;
    while let Some(row) = rows.next().context("cells from rows")? {
        let (prompt, engine, scope) = (row.get(0)?, row.get(1)?, row.get(2)?);
        adder.add_base(
            known,
            BaseCell {
                prompt,
                engine,
                scope,
                runs: row.get(3)?,
                mentions: row.get(15)?,
                citations: row.get(16)?,
                gaps: row.get(17)?,
            },
        );
        adder.add_brand(
            known,
            BrandCell {
                prompt,
                engine,
                scope,
                mentioned: row.get(4)?,
                cited: row.get(5)?,
                present: row.get(6)?,
                mentions: row.get(7)?,
                citations: row.get(8)?,
                position_sum: row.get(9)?,
                position_runs: row.get(10)?,
                rank_sum: row.get(11)?,
                rank_runs: row.get(12)?,
                sentiment_runs: row.get(13)?,
                sentiment_sum: row.get(14)?,
            },
        );
    }
    Ok(())
}

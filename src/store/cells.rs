//! Reading cells: from the rollups for days that are up to date, from the rows for days that are not.

use super::{
    Error, Reader, Result,
    error::Context as _,
    names::Checked,
    packed::{BaseCell, BrandCell, unpack_base, unpack_brand, unpack_domains},
};
use crate::model::{Basis, BrandKey, Cell, DayRange, EngineRef, ProjectKey, PromptRef};
use rusqlite::{Connection, OptionalExtension as _};
use std::collections::{BTreeMap, HashSet};

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
    /// with prompts that name a tracked brand, or without.
    pub include_branded: bool,
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

/// How often a domain was cited in a window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DomainCount {
    /// The registrable domain.
    pub domain: String,
    /// Finished runs that cite it.
    pub runs: u64,
    /// Citations of it.
    pub citations: u64,
}

/// A prompt where competitors appear and the own brand does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GapCount {
    /// The prompt.
    pub prompt: PromptRef,
    /// Runs where that is so.
    pub gap_runs: u32,
    /// All its finished runs.
    pub runs: u32,
}

#[derive(Clone, Copy, Default)]
struct Scope {
    mentions: Checked,
    citations: Checked,
    share_mentions: Checked,
    share_citations: Checked,
}

/// Which bases were met, a bit each.
#[derive(Clone, Copy, Default)]
struct Met(u8);

impl Met {
    fn add(&mut self, checked: Checked) {
        self.0 |= 1 << checked as u8;
    }

    fn bases(self) -> Vec<Basis> {
        let met = |checked: Checked| (self.0 & (1 << checked as u8) != 0).then(|| checked.basis()).flatten();
        [Checked::Upstream, Checked::Derived].into_iter().filter_map(met).collect()
    }
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

const RAW_DOMAINS: &str = "
SELECT u.domain_id, r.engine_id, p.branded, count(DISTINCT r.id), count(*)
FROM run r INDEXED BY run_by_day
JOIN prompt p ON p.id = r.prompt_id
JOIN citation c ON c.run_id = r.id JOIN url u ON u.id = c.url_id
WHERE r.project_id = ?1 AND r.day BETWEEN ?2 AND ?3 AND r.status_id = 3 AND r.gone_at IS NULL AND u.domain_id IS NOT NULL
GROUP BY u.domain_id, r.engine_id, p.branded";

/// Adds cells up by prompt and engine without hashing: this runs once for every cell of every day. Scopes, prompts
/// and engines are small integers, so what is known of one lies at its number.
struct Adder {
    scopes: Vec<Scope>,
    branded: Vec<bool>,
    engine: Option<u32>,
    /// Of each prompt, its engines and where their cells are: they are few.
    places: Vec<Vec<(u32, usize)>>,
    /// Where the next cell is, if this day is like the one before.
    next: usize,
    /// Of mentions, citations, and the shares of both.
    met: [Met; 4],
    table: CellTable,
}

impl Adder {
    fn cell(&mut self, prompt: u32, engine: u32) -> Option<(&mut Cell, &mut u32)> {
        let is_next = |cell: &Cell| cell.prompt.0 == prompt && cell.engine.0 == engine;
        if !self.table.cells.get(self.next).is_some_and(is_next) {
            self.next = self.place(prompt, engine)?;
        }
        let place = self.next;
        self.next += 1;
        Some((self.table.cells.get_mut(place)?, self.table.gaps.get_mut(place)?))
    }

    fn place(&mut self, prompt: u32, engine: u32) -> Option<usize> {
        let slot = prompt as usize;
        if self.places.len() <= slot {
            self.places.resize(slot + 1, Vec::new());
        }
        let places = self.places.get_mut(slot)?;
        if let Some((_, place)) = places.iter().find(|(known, _)| *known == engine) {
            return Some(*place);
        }
        let place = self.table.cells.len();
        places.push((engine, place));
        self.table.cells.push(Cell { prompt: PromptRef(prompt), engine: EngineRef(engine), ..Cell::default() });
        self.table.gaps.push(0);
        Some(place)
    }

    fn scope(&self, scope: u32) -> Scope {
        self.scopes.get(scope as usize).copied().unwrap_or_default()
    }

    fn is_wanted(&self, prompt: u32, engine: u32) -> bool {
        self.engine.is_none_or(|wanted| wanted == engine)
            && !self.branded.get(prompt as usize).is_some_and(|branded| *branded)
    }

    fn add_base(&mut self, base: BaseCell) {
        if !self.is_wanted(base.prompt, base.engine) {
            if self.engine.is_none_or(|wanted| wanted == base.engine) {
                self.table.branded_runs += u64::from(base.runs);
            }
            return;
        }
        let scope = self.scope(base.scope);
        let halves = [scope.mentions, scope.citations, scope.share_mentions, scope.share_citations];
        self.met.iter_mut().zip(halves).for_each(|(met, checked)| met.add(checked));
        let Some((cell, gaps)) = self.cell(base.prompt, base.engine) else { return };
        let checked = |is: bool| if is { base.runs } else { 0 };
        let (mentions, citations) = (scope.mentions != Checked::No, scope.citations != Checked::No);
        *gaps += base.gaps;
        cell.runs += base.runs;
        cell.mention_checked += checked(mentions);
        cell.citation_checked += checked(citations);
        cell.presence_checked += checked(mentions && citations);
        if scope.share_mentions != Checked::No {
            cell.share_all_mentions += base.mentions;
        }
        if scope.share_citations != Checked::No {
            cell.share_all_citations += base.citations;
        }
    }

    fn add_brand(&mut self, brand: BrandCell) {
        if !self.is_wanted(brand.prompt, brand.engine) {
            return;
        }
        let scope = self.scope(brand.scope);
        let Some((cell, _)) = self.cell(brand.prompt, brand.engine) else { return };
        cell.mentioned += brand.mentioned;
        cell.cited += brand.cited;
        cell.present += brand.present;
        if scope.share_mentions != Checked::No {
            cell.share_mentions += brand.mentions;
        }
        if scope.share_citations != Checked::No {
            cell.share_citations += brand.citations;
        }
        cell.position_sum += brand.position_sum;
        cell.position_runs += brand.position_runs;
        cell.rank_sum += brand.rank_sum;
        cell.rank_runs += brand.rank_runs;
        cell.sentiment_sum += brand.sentiment_sum;
        cell.sentiment_runs += brand.sentiment_runs;
    }
}

impl Reader {
    /// The cells of a window.
    ///
    /// # Errors
    /// [`Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn cells(&self, query: &CellQuery<'_>) -> Result<CellTable> {
        let Some((project, brand)) = self.project_and_brand(query.project, query.brand)? else {
            return Ok(CellTable::default());
        };
        let mut adder = self.adder(project, brand, query)?;
        let dirty = self.dirty_days(project, query.days)?;
        let (first, last) = (query.days.first.epoch_days(), query.days.last.epoch_days());
        let mut statement = self
            .connection
            .prepare_cached("SELECT day, cells FROM day_base WHERE project_id = ?1 AND day BETWEEN ?2 AND ?3")?;
        let mut rows = statement.query((project, first, last)).context("day_base")?;
        while let Some(row) = rows.next().context("day_base")? {
            if !dirty.contains(&row.get(0)?) {
                unpack_base(row.get_ref(1)?.as_blob().unwrap_or_default(), |cell| adder.add_base(cell))?;
            }
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT day, cells FROM day_brand WHERE brand_id = ?1 AND day BETWEEN ?2 AND ?3")?;
        let mut rows = statement.query((brand, first, last)).context("day_brand")?;
        while let Some(row) = rows.next().context("day_brand")? {
            if !dirty.contains(&row.get(0)?) {
                unpack_brand(row.get_ref(1)?.as_blob().unwrap_or_default(), |cell| adder.add_brand(cell))?;
            }
        }
        for day in dirty {
            add_raw(&self.connection, &mut adder, (project, brand), (day, day))?;
        }
        self.finish(adder)
    }

    /// The same cells by the raw query alone: slow, and the measure of [`Reader::cells`].
    ///
    /// # Errors
    /// As [`Reader::cells`].
    pub fn cells_from_rows(&self, query: &CellQuery<'_>) -> Result<CellTable> {
        let Some((project, brand)) = self.project_and_brand(query.project, query.brand)? else {
            return Ok(CellTable::default());
        };
        let mut adder = self.adder(project, brand, query)?;
        let days = (query.days.first.epoch_days(), query.days.last.epoch_days());
        add_raw(&self.connection, &mut adder, (project, brand), days)?;
        self.finish(adder)
    }

    /// The domains cited most in a window, by runs that cite them, then by name.
    ///
    /// # Errors
    /// As [`Reader::cells`].
    pub fn top_domains(
        &self,
        project: &ProjectKey,
        days: DayRange,
        engine: Option<&str>,
        include_branded: bool,
        limit: usize,
    ) -> Result<Vec<DomainCount>> {
        let Some(project) = self.project_id(project)? else { return Ok(Vec::new()) };
        let engine = self.engine_id(engine)?;
        let mut sums: Vec<(u64, u64)> = Vec::new();
        let mut add = |domain: u32, on: u32, branded: u32, runs: u32, citations: u32| {
            if engine.is_none_or(|wanted| wanted == on) && (include_branded || branded == 0) {
                let at = domain as usize;
                if sums.len() <= at {
                    sums.resize(at + 1, (0, 0));
                }
                if let Some(sum) = sums.get_mut(at) {
                    sum.0 += u64::from(runs);
                    sum.1 += u64::from(citations);
                }
            }
        };
        let dirty = self.dirty_days(project, days)?;
        let mut statement = self
            .connection
            .prepare_cached("SELECT day, cells FROM day_domain WHERE project_id = ?1 AND day BETWEEN ?2 AND ?3")?;
        let mut rows =
            statement.query((project, days.first.epoch_days(), days.last.epoch_days())).context("day_domain")?;
        while let Some(row) = rows.next().context("day_domain")? {
            if !dirty.contains(&row.get(0)?) {
                unpack_domains(row.get_ref(1)?.as_blob().unwrap_or_default(), |cell| {
                    add(cell.domain, cell.engine, cell.branded, cell.runs, cell.citations);
                })?;
            }
        }
        let mut statement = self.connection.prepare_cached(RAW_DOMAINS)?;
        for day in dirty {
            let mut rows = statement.query((project, day, day)).context("domains of a day")?;
            while let Some(row) = rows.next().context("domains of a day")? {
                add(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            }
        }
        self.name_domains(&sums, limit)
    }

    /// The first of these sums, which lie at their domains' numbers.
    fn name_domains(&self, sums: &[(u64, u64)], limit: usize) -> Result<Vec<DomainCount>> {
        let mut sums: Vec<(usize, (u64, u64))> =
            sums.iter().copied().enumerate().filter(|(_, (runs, _))| *runs > 0).collect();
        // Ties at the cut are broken by name, so all that tie with the last must be named first.
        sums.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
        let last = sums.get(limit.saturating_sub(1)).map_or((0, 0), |(_, sum)| *sum);
        let mut name = self.connection.prepare_cached("SELECT name FROM domain WHERE id = ?1")?;
        let mut named = Vec::new();
        for (domain, (runs, citations)) in sums.into_iter().take_while(|(_, sum)| *sum >= last) {
            let domain = name.query_row([domain], |row| row.get(0)).context("domain")?;
            named.push(DomainCount { domain, runs, citations });
        }
        named.sort_by(|a, b| (b.runs, b.citations).cmp(&(a.runs, a.citations)).then_with(|| a.domain.cmp(&b.domain)));
        named.truncate(limit);
        Ok(named)
    }

    fn adder(&self, project: i64, brand: i64, query: &CellQuery<'_>) -> Result<Adder> {
        let mut statement = self.connection.prepare_cached(
            "SELECT s.id, m.mentions, m.citations, s.share_mentions, s.share_citations
             FROM scope s JOIN scope_brand m ON m.scope_id = s.id AND m.brand_id = ?2 WHERE s.project_id = ?1",
        )?;
        let known: Vec<(usize, Scope)> = statement
            .query_map((project, brand), |row| {
                let scope = Scope {
                    mentions: row.get(1)?,
                    citations: row.get(2)?,
                    share_mentions: row.get(3)?,
                    share_citations: row.get(4)?,
                };
                Ok((row.get(0)?, scope))
            })?
            .collect::<Result<_, _>>()
            .context("scopes")?;
        let mut scopes = Vec::new();
        for (id, scope) in known {
            put(&mut scopes, id, scope);
        }
        let mut branded = Vec::new();
        if !query.include_branded {
            let mut statement =
                self.connection.prepare_cached("SELECT id FROM prompt WHERE project_id = ?1 AND branded = 1")?;
            for id in statement.query_map([project], |row| row.get::<_, usize>(0))? {
                put(&mut branded, id.context("branded")?, true);
            }
        }
        let engine = self.engine_id(query.engine)?;
        Ok(Adder {
            scopes,
            branded,
            engine,
            places: Vec::new(),
            next: 0,
            met: Default::default(),
            table: CellTable::default(),
        })
    }

    fn finish(&self, adder: Adder) -> Result<CellTable> {
        let mut table = adder.table;
        let [mentions, citations, mention_shares, citation_shares] = adder.met.map(Met::bases);
        table.bases = Bases { mentions, citations, mention_shares, citation_shares };
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

    fn project_and_brand(&self, project: &ProjectKey, brand: &BrandKey) -> Result<Option<(i64, i64)>> {
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
    fn engine_id(&self, engine: Option<&str>) -> Result<Option<u32>> {
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

/// Puts a value at a place of a list that grows as far as it must.
fn put<T: Clone + Default>(list: &mut Vec<T>, at: usize, value: T) {
    if list.len() <= at {
        list.resize(at + 1, T::default());
    }
    if let Some(slot) = list.get_mut(at) {
        *slot = value;
    }
}

fn add_raw(
    connection: &Connection,
    adder: &mut Adder,
    (project, brand): (i64, i64),
    (first, last): (i32, i32),
) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(RAW)?;
    let mut rows = statement.query((project, brand, first, last)).context("cells from rows")?;
    while let Some(row) = rows.next().context("cells from rows")? {
        let (prompt, engine, scope) = (row.get(0)?, row.get(1)?, row.get(2)?);
        adder.add_base(BaseCell {
            prompt,
            engine,
            scope,
            runs: row.get(3)?,
            mentions: row.get(15)?,
            citations: row.get(16)?,
            gaps: row.get(17)?,
        });
        adder.add_brand(BrandCell {
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
        });
    }
    Ok(())
}

//! Cited domains and URLs by prompt and engine: how often, in a window.
//!
//! Domains come from the rollups and, for days that are behind, from the rows; URLs, and the gaps of a brand that is not
//! the project's own, come from the rows.

mod matrix;

use super::{
    CellQuery,
    gaps::STANDING,
    known::{Known, Standing},
};
use crate::{
    model::{CitedCell, DayRange},
    store::{
        Reader, Result,
        error::Context as _,
        packed::{SourceCell, unpack_sources},
    },
};
use matrix::Matrix;
use rusqlite::{OptionalExtension as _, ToSql};
use std::cmp::Reverse;

/// What is counted as one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CitedBy {
    /// A registrable domain.
    #[default]
    Domain,
    /// A URL as it was given.
    Url,
}

/// Which registrable domains count.
#[derive(Clone, Copy, Debug, Default)]
pub enum Domains<'a> {
    /// Every one.
    #[default]
    All,
    /// These alone.
    Only(&'a [String]),
    /// All but these.
    Except(&'a [String]),
}

/// What comes first; equal ones are in the order of their names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CitedOrder {
    /// Most runs, then most citations.
    #[default]
    Runs,
    /// Most gaps, then fewest runs; what has no gap is left out.
    Gaps,
}

/// Which cited domains or URLs are wanted.
#[derive(Clone, Copy, Debug)]
pub struct CitedQuery<'a> {
    /// Over which runs.
    pub runs: CellQuery<'a>,
    /// Domains or URLs.
    pub by: CitedBy,
    /// Of which domains.
    pub domains: Domains<'a>,
    /// In which order. Gaps are counted of domains only.
    pub order: CitedOrder,
}

/// A domain or a URL, as a label that means something within one cache alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CitedRef(u32);

/// How often a domain or a URL was cited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CitedRow {
    /// Its label.
    pub label: CitedRef,
    /// The domain, or the URL as it was given; a stranger's text.
    pub name: String,
    /// The registrable domain; none where a URL has no host.
    pub domain: Option<String>,
    /// Finished runs that cite it.
    pub runs: u64,
    /// Citations of it.
    pub citations: u64,
    /// Of the runs, the gaps: of the query's brand in a list by gaps, else of the project's own brand.
    pub gap_runs: u64,
    /// Of the runs, those where that brand was looked for and is present.
    pub present_runs: u64,
}

/// The first of a list, and how long it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CitedList {
    /// As many as were asked for.
    pub rows: Vec<CitedRow>,
    /// How many there are.
    pub total: usize,
}

/// Sums of one domain or URL.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Sum {
    runs: u32,
    citations: u32,
    gaps: u32,
    present: u32,
}

impl Sum {
    fn add(&mut self, cell: &SourceCell) {
        self.runs += cell.runs;
        self.citations += cell.citations;
        self.gaps += cell.gaps;
        self.present += cell.present;
    }
}

/// A query with its names found in the cache.
struct Plan<'q, 'a> {
    query: &'q CitedQuery<'a>,
    project: i64,
    brand: i64,
    own: bool,
    known: Known,
    /// The domains named, and whether they alone count or all others do.
    domains: Option<(Vec<u32>, bool)>,
}

impl Plan<'_, '_> {
    fn counts(&self, domain: Option<u32>, cell: &SourceCell) -> bool {
        self.known.is_on(cell.engine)
            && self.known.standing(cell.prompt) == Standing::Counts
            && self
                .domains
                .as_ref()
                .is_none_or(|(domains, only)| domain.is_some_and(|domain| domains.contains(&domain)) == *only)
    }
}

/// The same from the rows: a row a citation, those of a run together. Sorting them all by run and domain or URL would
/// take longer than reading them. `domains`: with the domain of each URL.
fn raw(by: CitedBy, domains: bool) -> String {
    let (key, standing, condition) = match by {
        CitedBy::Domain => ("u.domain_id", STANDING, "WHERE u.domain_id IS NOT NULL"),
        CitedBy::Url => ("c.url_id", "NULL", ""),
    };
    let (domain, urls) = match by {
        CitedBy::Url if !domains => ("NULL", ""),
        _ => ("u.domain_id", "CROSS JOIN url u ON u.id = c.url_id"),
    };
    format!(
        "WITH g AS MATERIALIZED (
             SELECT r.id, r.prompt_id, r.engine_id, {standing} AS standing
             FROM run r INDEXED BY run_by_day
             WHERE r.project_id = :project AND r.day BETWEEN :first AND :last AND r.status_id = 3 AND r.gone_at IS NULL)
         SELECT {key}, g.prompt_id, g.engine_id, g.standing IS 1, g.standing IS 2, {domain}, g.id
         FROM g CROSS JOIN citation c ON c.run_id = g.id {urls}
         {condition}"
    )
}

/// The citations of one run, added up by domain or URL.
#[derive(Default)]
struct OfRun {
    run: Option<i64>,
    cited: Vec<(SourceCell, Option<u32>)>,
}

impl OfRun {
    /// Adds a citation of the same run.
    fn add(&mut self, cell: SourceCell, domain: Option<u32>) {
        // There are few in an answer.
        match self.cited.iter_mut().find(|(known, _)| known.domain == cell.domain) {
            Some((known, _)) => known.citations += 1,
            None => self.cited.push((cell, domain)),
        }
    }

    /// Gives what counts, and begins another run.
    fn end(&mut self, next: Option<i64>, plan: &Plan<'_, '_>, each: &mut impl FnMut(SourceCell)) {
        self.run = next;
        for (cell, domain) in self.cited.drain(..) {
            if plan.counts(domain, &cell) {
                each(cell);
            }
        }
    }
}

impl Reader {
    /// The first `upto` domains or URLs that are cited in a window.
    ///
    /// # Errors
    /// [`crate::store::Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn cited(&self, query: &CitedQuery<'_>, upto: usize) -> Result<CitedList> {
        self.ranked(query, upto, false)
    }

    /// The same by the raw query alone: slow, and the measure of [`Reader::cited`].
    ///
    /// # Errors
    /// As [`Reader::cited`].
    pub fn cited_from_rows(&self, query: &CitedQuery<'_>, upto: usize) -> Result<CitedList> {
        self.ranked(query, upto, true)
    }

    /// The cells of some domains or URLs of a list over some days, each by prompt and engine; the query's own days are
    /// not looked at.
    ///
    /// # Errors
    /// As [`Reader::cited`].
    pub fn cited_cells(
        &self,
        query: &CitedQuery<'_>,
        days: DayRange,
        labels: &[CitedRef],
    ) -> Result<Vec<Vec<CitedCell>>> {
        let Some(plan) = self.plan(query)? else { return Ok(labels.iter().map(|_| Vec::new()).collect()) };
        let engines = self
            .connection
            .prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM engine")?
            .query_row((), |row| row.get(0))
            .context("engines")?;
        let mut matrix = Matrix::new(labels.iter().map(|label| label.0), engines);
        self.each_cited(&plan, days, false, |cell| matrix.add(&cell))?;
        Ok(matrix.into_cells())
    }

    fn plan<'q, 'a>(&self, query: &'q CitedQuery<'a>) -> Result<Option<Plan<'q, 'a>>> {
        let runs = &query.runs;
        let Some((project, brand)) = self.project_and_brand(runs.project, runs.brand)? else { return Ok(None) };
        let domains = match query.domains {
            Domains::All => None,
            Domains::Only(names) => Some((self.domain_ids(names)?, true)),
            Domains::Except(names) => Some((self.domain_ids(names)?, false)),
        };
        let known = self.known(project, brand, runs)?;
        Ok(Some(Plan { query, project, brand, own: self.is_own(brand)?, known, domains }))
    }

    fn domain_ids(&self, names: &[String]) -> Result<Vec<u32>> {
        let mut find = self.connection.prepare_cached("SELECT id FROM domain WHERE name = ?1")?;
        let mut ids = Vec::new();
        for name in names {
            ids.extend(find.query_row([name], |row| row.get::<_, u32>(0)).optional().context("domain")?);
        }
        Ok(ids)
    }

    fn ranked(&self, query: &CitedQuery<'_>, upto: usize, from_rows: bool) -> Result<CitedList> {
        let Some(plan) = self.plan(query)? else { return Ok(CitedList::default()) };
        let mut sums: Vec<Sum> = Vec::new();
        self.each_cited(&plan, query.runs.days, from_rows, |cell| {
            let at = cell.domain as usize;
            if sums.len() <= at {
                sums.resize(at + 1, Sum::default());
            }
            if let Some(sum) = sums.get_mut(at) {
                sum.add(&cell);
            }
        })?;
        let order = query.order;
        let key = move |sum: &Sum| match order {
            CitedOrder::Runs => (Reverse(sum.runs), -i64::from(sum.citations)),
            CitedOrder::Gaps => (Reverse(sum.gaps), i64::from(sum.runs)),
        };
        let counts = |sum: &Sum| if order == CitedOrder::Gaps { sum.gaps > 0 } else { sum.runs > 0 };
        let mut found: Vec<(u32, Sum)> = (0..).zip(sums).filter(|(_, sum)| counts(sum)).collect();
        found.sort_by_key(|(_, sum)| key(sum));
        let total = found.len();
        // Ties at the cut are broken by name, so all that tie with the last must be named first.
        let Some(last) = found.get(upto.clamp(1, total.max(1)) - 1).map(|(_, sum)| key(sum)) else {
            return Ok(CitedList::default());
        };
        found.truncate(found.partition_point(|(_, sum)| key(sum) <= last));
        let mut rows = Vec::with_capacity(found.len());
        for (id, sum) in found {
            rows.push((key(&sum), self.named(query.by, id, &sum)?));
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.name.cmp(&b.1.name)));
        rows.truncate(upto);
        Ok(CitedList { rows: rows.into_iter().map(|(_, row)| row).collect(), total })
    }

    fn named(&self, by: CitedBy, id: u32, sum: &Sum) -> Result<CitedRow> {
        let sql = match by {
            CitedBy::Domain => "SELECT name, name FROM domain WHERE id = ?1",
            CitedBy::Url => "SELECT u.url, d.name FROM url u LEFT JOIN domain d ON d.id = u.domain_id WHERE u.id = ?1",
        };
        let name = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (name, domain) = self.connection.prepare_cached(sql)?.query_row([id], name).context("cited")?;
        Ok(CitedRow {
            label: CitedRef(id),
            name,
            domain,
            runs: sum.runs.into(),
            citations: sum.citations.into(),
            gap_runs: sum.gaps.into(),
            present_runs: sum.present.into(),
        })
    }

    /// Every cell that counts, with the label of its URL in place of its domain where URLs are wanted.
    fn each_cited(
        &self,
        plan: &Plan<'_, '_>,
        days: DayRange,
        from_rows: bool,
        mut each: impl FnMut(SourceCell),
    ) -> Result<()> {
        let by_gaps = plan.query.order == CitedOrder::Gaps;
        if from_rows || plan.query.by == CitedBy::Url || by_gaps && !plan.own {
            return self.each_cited_row(plan, (days.first.epoch_days(), days.last.epoch_days()), &mut each);
        }
        let dirty = self.dirty_days(plan.project, days)?;
        let sql = "SELECT day, cells FROM day_source WHERE project_id = ?1 AND day BETWEEN ?2 AND ?3";
        self.each_day(sql, (plan.project, days), &dirty, &mut |_, blob| {
            unpack_sources(blob, |cell| {
                if plan.counts(Some(cell.domain), &cell) {
                    each(cell);
                }
            })
        })?;
        for day in dirty {
            self.each_cited_row(plan, (day, day), &mut each)?;
        }
        Ok(())
    }

    fn each_cited_row(
        &self,
        plan: &Plan<'_, '_>,
        (first, last): (i32, i32),
        each: &mut impl FnMut(SourceCell),
    ) -> Result<()> {
        let sql = raw(plan.query.by, plan.domains.is_some());
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut values: Vec<(&str, &dyn ToSql)> =
            vec![(":project", &plan.project), (":first", &first), (":last", &last)];
        if plan.query.by == CitedBy::Domain {
            values.extend([(":brand", &plan.brand as &dyn ToSql), (":own", &plan.own)]);
        }
        let mut rows = statement.query(values.as_slice()).context("cited rows")?;
        let mut of_run = OfRun::default();
        while let Some(row) = rows.next().context("cited rows")? {
            let run = row.get(6)?;
            if of_run.run != run {
                of_run.end(run, plan, each);
            }
            let cell = SourceCell {
                domain: row.get(0)?,
                prompt: row.get(1)?,
                engine: row.get(2)?,
                runs: 1,
                citations: 1,
                gaps: row.get(3)?,
                present: row.get(4)?,
            };
            of_run.add(cell, row.get(5)?);
        }
        of_run.end(None, plan, each);
        Ok(())
    }

    /// How cited domains and URLs are read from rows, for tests.
    #[cfg(test)]
    pub(in crate::store) fn explain_cited(&self, by: CitedBy) -> String {
        self.explain(&raw(by, true))
    }
}

//! Cited domains: how often, in a window.

use super::{Reader, Result, error::Context as _, packed::unpack_domains};
use crate::model::{DayRange, ProjectKey};

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

const RAW_DOMAINS: &str = "
SELECT u.domain_id, r.engine_id, p.branded, count(DISTINCT r.id), count(*)
FROM run r INDEXED BY run_by_day
JOIN prompt p ON p.id = r.prompt_id
JOIN citation c ON c.run_id = r.id JOIN url u ON u.id = c.url_id
WHERE r.project_id = ?1 AND r.day BETWEEN ?2 AND ?3 AND r.status_id = 3 AND r.gone_at IS NULL AND u.domain_id IS NOT NULL
GROUP BY u.domain_id, r.engine_id, p.branded";

impl Reader {
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
}

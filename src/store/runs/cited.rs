//! Runs by what they cite, and gaps.

use super::{Query, RunFilter};
use crate::store::{Reader, Result, cells::GAP, error::Context as _};
use rusqlite::OptionalExtension as _;
use std::collections::BTreeSet;
use xxhash_rust::xxh3::xxh3_64;

impl Reader {
    /// Narrows a list to runs that cite a domain or a URL, and to gaps. False where nothing stored is so named.
    pub(super) fn by_citation(&self, query: &mut Query, filter: &RunFilter, brand: Option<i64>) -> Result<bool> {
        if let Some(domain) = &filter.domain {
            let found: Option<i64> = self
                .connection
                .prepare_cached("SELECT id FROM domain WHERE name = ?1")?
                .query_row([domain], |row| row.get(0))
                .optional()
                .context("domain")?;
            let Some(id) = found else { return Ok(false) };
            query.with(
                "EXISTS (SELECT 1 FROM citation t CROSS JOIN url u ON u.id = t.url_id
                  WHERE t.run_id = r.id AND u.domain_id = :domain)",
                ":domain",
                id,
            );
        }
        if let Some(url) = &filter.url {
            let found: Option<i64> = self
                .connection
                .prepare_cached("SELECT id FROM url WHERE hash = ?1")?
                .query_row([xxh3_64(url.as_bytes()).cast_signed()], |row| row.get(0))
                .optional()
                .context("url")?;
            let Some(id) = found else { return Ok(false) };
            query.with("EXISTS (SELECT 1 FROM citation t WHERE t.run_id = r.id AND t.url_id = :url)", ":url", id);
        }
        if filter.gap {
            let own = brand.map(|brand| self.is_own(brand)).transpose()?.unwrap_or(false);
            query.with(&format!("r.status_id = 3 AND {GAP}"), ":own", own);
        }
        Ok(true)
    }

    /// Is this registrable domain, or is the domain of this host, cited anywhere in the cache?
    ///
    /// # Errors
    /// As [`Reader::runs`].
    pub fn knows_domain(&self, domain: &str) -> Result<bool> {
        if let Some(domains) = self.shown_domains()? {
            return Ok(domains.contains(domain));
        }
        let mut statement = self.connection.prepare_cached("SELECT 1 FROM domain WHERE name = ?1")?;
        statement.exists([domain]).context("domain")
    }

    /// Some cited domains, to find the nearest to a name among them.
    ///
    /// # Errors
    /// As [`Reader::runs`].
    pub fn some_domains(&self, most: usize) -> Result<Vec<String>> {
        if let Some(domains) = self.shown_domains()? {
            return Ok(domains.into_iter().take(most).collect());
        }
        let mut statement = self.connection.prepare_cached("SELECT name FROM domain ORDER BY id LIMIT ?1")?;
        statement.query_map([most], |row| row.get(0))?.collect::<Result<_, _>>().context("domains")
    }

    /// The domains that the shown projects cite, where not all projects are shown.
    fn shown_domains(&self) -> Result<Option<BTreeSet<String>>> {
        let Some(shown) = self.shown_only() else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT u.domain_id FROM run r INDEXED BY run_by_day
             CROSS JOIN citation c ON c.run_id = r.id CROSS JOIN url u ON u.id = c.url_id
             WHERE r.project_id = ?1 AND u.domain_id IS NOT NULL",
        )?;
        let mut names = self.connection.prepare_cached("SELECT name FROM domain WHERE id = ?1")?;
        let mut domains = BTreeSet::new();
        for project in shown {
            let mut rows = statement.query([project]).context("domains of a project")?;
            while let Some(row) = rows.next().context("domains of a project")? {
                domains.insert(names.query_row([row.get::<_, i64>(0)?], |row| row.get(0)).context("domain")?);
            }
        }
        Ok(Some(domains))
    }
}

//! Runs by what they cite, and gaps.

use super::{Query, RunFilter};
use crate::store::{Reader, Result, cells::GAP, error::Context as _};
use rusqlite::OptionalExtension as _;
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
        let mut statement = self.connection.prepare_cached("SELECT 1 FROM domain WHERE name = ?1")?;
        statement.exists([domain]).context("domain")
    }

    /// Some cited domains, to find the nearest to a name among them.
    ///
    /// # Errors
    /// As [`Reader::runs`].
    pub fn some_domains(&self, most: usize) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached("SELECT name FROM domain ORDER BY id LIMIT ?1")?;
        statement.query_map([most], |row| row.get(0))?.collect::<Result<_, _>>().context("domains")
    }
}

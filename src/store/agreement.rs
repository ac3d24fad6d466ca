//! How far what the upstream says of a brand and what was read off the text agree.

use super::{Reader, Result, error::Context as _};
use crate::model::{BrandKey, DayRange, ProjectKey};

/// Finished runs of some days for which both the upstream and the text say whether a brand is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Agreement {
    /// Runs where both looked for mentions.
    pub mention_runs: u64,
    /// Of these: named by the upstream's count alone.
    pub mentions_upstream_only: u64,
    /// Named in the text alone.
    pub mentions_derived_only: u64,
    /// Runs where both looked for citations.
    pub citation_runs: u64,
    /// Of these: cited by the upstream's count alone.
    pub citations_upstream_only: u64,
    /// Cited by what was read off the citations alone.
    pub citations_derived_only: u64,
}

const AGREEMENT: &str = "
SELECT coalesce(sum(c.mentions = 1), 0),
       coalesce(sum(c.mentions = 1 AND coalesce(f.mentions, 0) > 0 AND coalesce(f.derived_mentions, 0) = 0), 0),
       coalesce(sum(c.mentions = 1 AND coalesce(f.mentions, 0) = 0 AND coalesce(f.derived_mentions, 0) > 0), 0),
       coalesce(sum(c.citations = 1), 0),
       coalesce(sum(c.citations = 1 AND coalesce(f.citations, 0) > 0 AND coalesce(f.derived_citations, 0) = 0), 0),
       coalesce(sum(c.citations = 1 AND coalesce(f.citations, 0) = 0 AND coalesce(f.derived_citations, 0) > 0), 0)
FROM run r INDEXED BY run_by_day
JOIN brand b ON b.project_id = r.project_id AND b.key = ?4
JOIN scope_brand c ON c.scope_id = r.scope_id AND c.brand_id = b.id
LEFT JOIN run_brand f ON f.run_id = r.id AND f.brand_id = b.id
WHERE r.project_id = ?1 AND r.day BETWEEN ?2 AND ?3 AND r.status_id = 3 AND r.gone_at IS NULL
  AND r.detected IS NOT NULL";

impl Reader {
    /// The agreement about a brand over some days. Counts rows: for some weeks at a time.
    ///
    /// # Errors
    /// [`super::Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn agreement(&self, project: &ProjectKey, brand: &BrandKey, days: DayRange) -> Result<Agreement> {
        let Some(project) = self.project_id(project)? else { return Ok(Agreement::default()) };
        self.connection
            .prepare_cached(AGREEMENT)?
            .query_row((project, days.first.epoch_days(), days.last.epoch_days(), &brand.0), |row| {
                Ok(Agreement {
                    mention_runs: row.get(0)?,
                    mentions_upstream_only: row.get(1)?,
                    mentions_derived_only: row.get(2)?,
                    citation_runs: row.get(3)?,
                    citations_upstream_only: row.get(4)?,
                    citations_derived_only: row.get(5)?,
                })
            })
            .context("agreement")
    }
}

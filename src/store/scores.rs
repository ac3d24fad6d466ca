//! What Lumar-like composites are made of, by day, and what an upstream publishes of them.

use super::{Reader, Result, error::Context as _};
use crate::model::{BrandKey, Day, DayRange, ProjectKey, ScoreParts};

/// A run's quality is the mean over its mentions (citations), so it counts as often as there are of them.
const PARTS: &str = "
SELECT r.day, count(*), sum(coalesce(f.mentions, 0) > 0), sum(coalesce(f.citations, 0) > 0),
       sum(coalesce(f.mentions, 0) > 0 OR coalesce(f.citations, 0) > 0),
       sum(f.mention_quality * f.mentions) / sum(iif(f.mention_quality IS NULL, 0, f.mentions)),
       sum(f.citation_quality * f.citations) / sum(iif(f.citation_quality IS NULL, 0, f.citations))
FROM run r INDEXED BY run_by_day
JOIN brand b ON b.project_id = r.project_id AND b.key = ?4
JOIN scope_brand s ON s.scope_id = r.scope_id AND s.brand_id = b.id AND s.mentions AND s.citations
LEFT JOIN run_brand f ON f.run_id = r.id AND f.brand_id = b.id AND f.basis = 'upstream'
WHERE r.project_id = ?1 AND r.day BETWEEN ?2 AND ?3 AND r.status_id = 3 AND r.gone_at IS NULL
GROUP BY r.day ORDER BY r.day";

impl Reader {
    /// The parts of a brand's composites, day by day. Counts rows: for some weeks at a time.
    ///
    /// # Errors
    /// [`super::Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn score_days(&self, project: &ProjectKey, brand: &BrandKey, days: DayRange) -> Result<Vec<(Day, ScoreParts)>> {
        let Some(project) = self.project_id(project)? else { return Ok(Vec::new()) };
        self.connection
            .prepare_cached(PARTS)?
            .query_map((project, days.first.epoch_days(), days.last.epoch_days(), &brand.0), |row| {
                let parts = ScoreParts {
                    runs: row.get(1)?,
                    mentioned: row.get(2)?,
                    cited: row.get(3)?,
                    present: row.get(4)?,
                    mention_quality: row.get(5)?,
                    citation_quality: row.get(6)?,
                };
                Ok((Day::from_epoch_days(row.get(0)?), parts))
            })?
            .collect::<Result<_, _>>()
            .context("score days")
    }

    /// What an upstream publishes of one figure of a brand, over all engines, day by day.
    ///
    /// # Errors
    /// As [`Reader::score_days`].
    pub fn published(
        &self,
        project: &ProjectKey,
        brand: &BrandKey,
        metric: &str,
        days: DayRange,
    ) -> Result<Vec<(Day, f64)>> {
        let Some(project) = self.project_id(project)? else { return Ok(Vec::new()) };
        self.connection
            .prepare_cached(
                "SELECT day, CAST(value AS REAL) FROM published
                 WHERE project_id = ?1 AND day BETWEEN ?2 AND ?3 AND brand = ?4 AND engine = '' AND metric = ?5
                   AND json_type(value) IN ('integer', 'real') ORDER BY day",
            )?
            .query_map((project, days.first.epoch_days(), days.last.epoch_days(), &brand.0, metric), |row| {
                Ok((Day::from_epoch_days(row.get(0)?), row.get(1)?))
            })?
            .collect::<Result<_, _>>()
            .context("published")
    }
}

//! Figures that an upstream publishes of a brand, beside the same from the cached runs, day by day.

use super::{Reader, Result, error::Context as _};
use crate::model::{BrandKey, Day, DayRange, ProjectKey, Recheck, ScoreParts};
use rusqlite::Connection;

/// Computes a published figure, by its name, from what the cached runs of a brand hold. None where it cannot.
pub type Recompute = dyn Fn(&str, &ScoreParts) -> Option<f64>;

/// A run's quality is the mean over its mentions (citations), so it counts as often as there are of them.
const PARTS: &str = "
SELECT count(*), coalesce(sum(coalesce(f.mentions, 0) > 0), 0), coalesce(sum(coalesce(f.citations, 0) > 0), 0),
       coalesce(sum(coalesce(f.mentions, 0) > 0 OR coalesce(f.citations, 0) > 0), 0),
       sum(f.mention_quality * f.mentions) / sum(iif(f.mention_quality IS NULL, 0, f.mentions)),
       sum(f.citation_quality * f.citations) / sum(iif(f.citation_quality IS NULL, 0, f.citations))
FROM run r INDEXED BY run_by_day
JOIN brand b ON b.project_id = r.project_id AND b.key = ?3
JOIN scope_brand s ON s.scope_id = r.scope_id AND s.brand_id = b.id AND s.mentions = 1 AND s.citations = 1
LEFT JOIN run_brand f ON f.run_id = r.id AND f.brand_id = b.id
WHERE r.project_id = ?1 AND r.day = ?2 AND r.status_id = 3 AND r.gone_at IS NULL";

/// Writes one day's rechecks anew.
pub(super) fn recheck(tx: &Connection, project: i64, day: i32, recompute: &Recompute) -> Result<()> {
    tx.prepare_cached("DELETE FROM recheck WHERE project_id = ?1 AND day = ?2")?
        .execute((project, day))
        .context("old rechecks")?;
    let published: Vec<(String, String, f64)> = tx
        .prepare_cached(
            "SELECT brand, metric, CAST(value AS REAL) FROM published
             WHERE project_id = ?1 AND day = ?2 AND brand <> '' AND engine = ''
               AND json_type(value) IN ('integer', 'real') ORDER BY brand, metric",
        )?
        .query_map((project, day), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()
        .context("published")?;
    for of_brand in published.chunk_by(|a, b| a.0 == b.0) {
        let Some((brand, ..)) = of_brand.first() else { continue };
        let parts = parts(tx, project, day, brand)?;
        for (brand, metric, published) in of_brand {
            let Some(computed) = recompute(metric, &parts) else { continue };
            tx.prepare_cached(
                "INSERT INTO recheck (project_id, day, brand, metric, published, computed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((project, day, brand, metric, published, computed))
            .context("recheck")?;
        }
    }
    Ok(())
}

fn parts(tx: &Connection, project: i64, day: i32, brand: &str) -> Result<ScoreParts> {
    tx.prepare_cached(PARTS)?
        .query_row((project, day, brand), |row| {
            Ok(ScoreParts {
                runs: row.get(0)?,
                mentioned: row.get(1)?,
                cited: row.get(2)?,
                present: row.get(3)?,
                mention_quality: row.get(4)?,
                citation_quality: row.get(5)?,
            })
        })
        .context("parts of a score")
}

impl Reader {
    /// The rechecks of some days, by brand, figure and day.
    ///
    /// # Errors
    /// [`super::Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn rechecks(&self, project: &ProjectKey, days: DayRange) -> Result<Vec<Recheck>> {
        let Some(project) = self.project_id(project)? else { return Ok(Vec::new()) };
        self.connection
            .prepare_cached(
                "SELECT brand, metric, day, published, computed FROM recheck
                 WHERE project_id = ?1 AND day BETWEEN ?2 AND ?3 ORDER BY brand, metric, day",
            )?
            .query_map((project, days.first.epoch_days(), days.last.epoch_days()), |row| {
                Ok(Recheck {
                    brand: BrandKey(row.get(0)?),
                    metric: row.get(1)?,
                    day: Day::from_epoch_days(row.get(2)?),
                    published: row.get(3)?,
                    computed: row.get(4)?,
                })
            })?
            .collect::<Result<_, _>>()
            .context("rechecks")
    }
}

//! Which models answered for which engines, and on which days.

use super::{Reader, Result, error::Context as _};
use crate::model::{Day, DayRange, ModelRuns, ProjectKey};

/// From the rollup, and from the rows for days that are behind. Names come last: there are few.
const MODELS: &str = "
SELECT e.name, m.name, c.day, c.runs FROM (
    SELECT engine_id, model_id, day, runs FROM day_model
    WHERE project_id = ?1 AND day BETWEEN ?2 AND ?3
      AND day NOT IN (SELECT day FROM dirty_day WHERE project_id = ?1)
    UNION ALL
    SELECT r.engine_id, r.model_id, r.day, count(*) FROM dirty_day d
    CROSS JOIN run r INDEXED BY run_by_day ON r.project_id = d.project_id AND r.day = d.day
    WHERE d.project_id = ?1 AND d.day BETWEEN ?2 AND ?3 AND r.status_id = 3 AND r.gone_at IS NULL
      AND r.model_id IS NOT NULL
    GROUP BY r.engine_id, r.model_id, r.day
) c JOIN engine e ON e.id = c.engine_id JOIN model m ON m.id = c.model_id
ORDER BY e.name, c.day, m.name";

/// The same straight from the rows: what tests compare the rollup with.
#[cfg(test)]
const RAW: &str = "
SELECT e.name, m.name, r.day, count(*)
FROM run r INDEXED BY run_by_day JOIN engine e ON e.id = r.engine_id JOIN model m ON m.id = r.model_id
WHERE r.project_id = ?1 AND r.day BETWEEN ?2 AND ?3 AND r.status_id = 3 AND r.gone_at IS NULL
GROUP BY e.name, r.day, m.name ORDER BY e.name, r.day, m.name";

impl Reader {
    /// Finished runs of some days by engine, model and day, in this order; runs whose model is unknown are left out.
    ///
    /// # Errors
    /// [`super::Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn models(&self, project: &ProjectKey, days: DayRange) -> Result<Vec<ModelRuns>> {
        self.models_by(MODELS, project, days)
    }

    /// The same by the raw query alone, the measure of [`Reader::models`].
    #[cfg(test)]
    pub(super) fn models_from_rows(&self, project: &ProjectKey, days: DayRange) -> Result<Vec<ModelRuns>> {
        self.models_by(RAW, project, days)
    }

    /// How it is read, for tests.
    #[cfg(test)]
    pub(super) fn explain_models(&self) -> String {
        let mut statement = self.connection.prepare(&format!("EXPLAIN QUERY PLAN {MODELS}")).unwrap();
        let lines = statement.query_map((1, 0, 9), |row| row.get::<_, String>(3)).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    fn models_by(&self, sql: &str, project: &ProjectKey, days: DayRange) -> Result<Vec<ModelRuns>> {
        let Some(project) = self.project_id(project)? else { return Ok(Vec::new()) };
        self.connection
            .prepare_cached(sql)?
            .query_map((project, days.first.epoch_days(), days.last.epoch_days()), |row| {
                Ok(ModelRuns {
                    engine: row.get(0)?,
                    model: row.get(1)?,
                    day: Day::from_epoch_days(row.get(2)?),
                    runs: row.get(3)?,
                })
            })?
            .collect::<Result<_, _>>()
            .context("models")
    }
}

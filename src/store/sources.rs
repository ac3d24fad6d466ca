//! What data is here: sources, projects, and how far they reach.

use super::{Reader, Result, error::Context as _};
use crate::model::{Day, DayRange, ProjectKey, SourceName, Status};
use jiff::Timestamp;
use rusqlite::OptionalExtension as _;
use std::collections::BTreeMap;

/// A stored project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProjectRow {
    /// Source and the upstream's id.
    pub key: ProjectKey,
    /// The upstream's kind: `lumar`, `verseodin` or `lunary`.
    pub upstream: String,
    /// Its name.
    pub name: String,
    /// Its website, where one is given.
    pub website: Option<String>,
    /// No longer listed upstream?
    pub gone: bool,
}

/// How far a project's data reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reach {
    /// First and last day with runs.
    pub days: Option<DayRange>,
    /// The newest day that is over, read to its end after it was over, with no slice of it missing.
    pub last_complete_day: Option<Day>,
}

/// What a project's data holds, and how whole it is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Coverage {
    /// How far it reaches.
    pub reach: Reach,
    /// Runs by engine.
    pub engines: BTreeMap<String, EngineCoverage>,
    /// Prompts known.
    pub prompts: u64,
    /// Slices not yet complete.
    pub missing_slices: u64,
}

/// Runs of one engine by status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EngineCoverage {
    /// Finished.
    pub finished: u64,
    /// Failed.
    pub failed: u64,
    /// Pending, running, or of a status unknown to this program.
    pub open: u64,
}

impl Coverage {
    /// All engines together.
    #[must_use]
    pub fn total(&self) -> EngineCoverage {
        total(&self.engines)
    }
}

fn total(engines: &BTreeMap<String, EngineCoverage>) -> EngineCoverage {
    engines.values().fold(EngineCoverage::default(), |sum, engine| EngineCoverage {
        finished: sum.finished + engine.finished,
        failed: sum.failed + engine.failed,
        open: sum.open + engine.open,
    })
}

impl Reader {
    /// Every project, by source and name.
    ///
    /// # Errors
    /// [`super::Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn projects(&self) -> Result<Vec<ProjectRow>> {
        self.connection
            .prepare_cached(
                "SELECT s.name, p.key, s.upstream, p.name, p.website, p.gone_at IS NOT NULL, p.id
                 FROM project p JOIN source s ON s.id = p.source_id ORDER BY s.name, p.name, p.key",
            )?
            .query_map((), |row| {
                let source: String = row.get(0)?;
                let project = ProjectRow {
                    key: ProjectKey { source: SourceName::from(source.as_str()), key: row.get(1)? },
                    upstream: row.get(2)?,
                    name: row.get(3)?,
                    website: row.get(4)?,
                    gone: row.get(5)?,
                };
                Ok((row.get(6)?, project))
            })?
            .filter_map(|row| match row {
                Ok((id, project)) => self.shows(id).then_some(Ok(project)),
                Err(error) => Some(Err(error)),
            })
            .collect::<Result<_, _>>()
            .context("projects")
    }

    /// How far a project reaches; `days` bounds the counts of runs, not the rest.
    ///
    /// # Errors
    /// As [`Reader::projects`].
    pub fn coverage(&self, project: &ProjectKey, days: Option<DayRange>, now: Timestamp) -> Result<Coverage> {
        let Some(id) = self.project_id(project)? else { return Ok(Coverage::default()) };
        Ok(Coverage {
            reach: self.reach_of(id, now)?,
            engines: self.engine_coverage(id, days)?,
            prompts: self.count("SELECT count(*) FROM prompt WHERE project_id = ?1", id)?,
            missing_slices: self
                .count("SELECT count(*) FROM slice WHERE project_id = ?1 AND completed_at IS NULL", id)?,
        })
    }

    /// How many runs of a project there are in some days, of all engines together.
    ///
    /// # Errors
    /// As [`Reader::projects`].
    pub fn runs_of(&self, project: &ProjectKey, days: DayRange) -> Result<EngineCoverage> {
        let Some(id) = self.project_id(project)? else { return Ok(EngineCoverage::default()) };
        Ok(total(&self.engine_coverage(id, Some(days))?))
    }

    /// How far a project's data reaches: a few looks at indexes, where [`Reader::coverage`] adds up every day.
    ///
    /// # Errors
    /// As [`Reader::projects`].
    pub fn reach(&self, project: &ProjectKey, now: Timestamp) -> Result<Reach> {
        self.project_id(project)?.map_or_else(|| Ok(Reach::default()), |id| self.reach_of(id, now))
    }

    fn reach_of(&self, project: i64, now: Timestamp) -> Result<Reach> {
        Ok(Reach { days: self.days(project)?, last_complete_day: self.last_complete_day(project, now)? })
    }

    /// First and last day of a project that have runs.
    fn days(&self, project: i64) -> Result<Option<DayRange>> {
        // Two looks at the ends of the index, where one query for both would read all of it.
        let end = |sql: &str| -> Result<Option<i32>> {
            self.connection.prepare_cached(sql)?.query_row([project], |row| row.get(0)).context("days")
        };
        let first = end("SELECT min(day) FROM run WHERE project_id = ?1")?;
        let last = end("SELECT max(day) FROM run WHERE project_id = ?1")?;
        Ok(first
            .zip(last)
            .map(|(first, last)| DayRange { first: Day::from_epoch_days(first), last: Day::from_epoch_days(last) }))
    }

    /// Slices of the same days are complete together: up to the day before the first of them was read to its end.
    fn last_complete_day(&self, project: i64, now: Timestamp) -> Result<Option<Day>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT first_day, last_day, completed_at FROM slice WHERE project_id = ?1
             ORDER BY last_day DESC, first_day DESC",
        )?;
        let mut rows = statement.query([project]).context("last complete day")?;
        let mut newest: Option<(DayRange, Option<Day>)> = None;
        while let Some(row) = rows.next().context("last complete day")? {
            let [first, last] = [row.get(0)?, row.get(1)?].map(Day::from_epoch_days);
            let read_at = row.get::<_, Option<i64>>(2)?.and_then(|at| Timestamp::from_millisecond(at).ok());
            let until = read_at.map(|at| Day::of(at.min(now)).plus(-1).min(last));
            match &mut newest {
                Some((days, whole)) if *days == (DayRange { first, last }) => *whole = (*whole).min(until),
                Some((days, whole)) if whole.is_some_and(|day| day >= days.first) => break,
                other => *other = Some((DayRange { first, last }, until)),
            }
        }
        Ok(newest.and_then(|(days, whole)| whole.filter(|day| *day >= days.first)))
    }

    fn engine_coverage(&self, project: i64, days: Option<DayRange>) -> Result<BTreeMap<String, EngineCoverage>> {
        let mut engines: BTreeMap<String, EngineCoverage> = BTreeMap::new();
        for (engine, status, runs) in self.day_counts(project, days)? {
            let engine = engines.entry(engine).or_default();
            match status {
                Status::Finished => engine.finished += runs,
                Status::Failed => engine.failed += runs,
                _ => engine.open += runs,
            }
        }
        Ok(engines)
    }

    /// How many runs of some days there are on each engine with each status.
    pub(super) fn day_counts(&self, project: i64, days: Option<DayRange>) -> Result<Vec<(String, Status, u64)>> {
        let days =
            days.unwrap_or(DayRange { first: Day::from_epoch_days(i32::MIN), last: Day::from_epoch_days(i32::MAX) });
        let dirty = self.dirty_days(project, days)?;
        let mut sums: BTreeMap<(i64, i64), u64> = BTreeMap::new();
        let mut rollup = self.connection.prepare_cached(
            "SELECT day, engine_id, status_id, runs FROM day_count WHERE project_id = ?1 AND day BETWEEN ?2 AND ?3",
        )?;
        let mut rows = rollup.query((project, days.first.epoch_days(), days.last.epoch_days())).context("day_count")?;
        while let Some(row) = rows.next().context("day_count")? {
            if dirty.is_empty() || !dirty.contains(&row.get(0)?) {
                *sums.entry((row.get(1)?, row.get(2)?)).or_default() += row.get::<_, u64>(3)?;
            }
        }
        let mut raw = self.connection.prepare_cached(
            "SELECT engine_id, status_id, count(*) FROM run INDEXED BY run_by_day
             WHERE project_id = ?1 AND day = ?2 AND gone_at IS NULL GROUP BY engine_id, status_id",
        )?;
        for day in dirty {
            let mut rows = raw.query((project, day)).context("runs of a day")?;
            while let Some(row) = rows.next().context("runs of a day")? {
                *sums.entry((row.get(0)?, row.get(1)?)).or_default() += row.get::<_, u64>(2)?;
            }
        }
        let mut engine = self.connection.prepare_cached("SELECT name FROM engine WHERE id = ?1")?;
        let mut status = self.connection.prepare_cached("SELECT name FROM status WHERE id = ?1")?;
        let named = sums.into_iter().map(|((on, is), runs)| {
            let is: String = status.query_row([is], |row| row.get(0)).context("status")?;
            Ok((engine.query_row([on], |row| row.get(0)).context("engine")?, Status::from(is), runs))
        });
        named.collect()
    }

    fn count(&self, sql: &str, project: i64) -> Result<u64> {
        self.connection.prepare_cached(sql)?.query_row([project], |row| row.get(0)).context("count")
    }

    /// The row of a project; none where it is not cached, or not shown.
    pub(super) fn project_id(&self, project: &ProjectKey) -> Result<Option<i64>> {
        let id = self
            .connection
            .prepare_cached(
                "SELECT p.id FROM project p JOIN source s ON s.id = p.source_id WHERE s.name = ?1 AND p.key = ?2",
            )?
            .query_row((project.source.as_str(), &project.key), |row| row.get(0))
            .optional()
            .context("project")?;
        Ok(id.filter(|id| self.shows(*id)))
    }
}

//! Where runs of some days lie in the indexes, and lists of runs with common words, read span after span.

use super::{Direction, Query, RunFilter, RunRow, RunSort};
use crate::{
    model::DayRange,
    store::{Reader, Result, error::Context as _, fts::fts_query},
};
use rusqlite::OptionalExtension as _;

/// How many runs are looked through at a time for common words, from the newest down; then all that are left. The index
/// of words knows runs, not times: so the newest answers with a word are found by looking at few runs first.
/// In tests they are short, so that small worlds cross their ends.
const SPANS: [i64; 3] = if cfg!(test) { [3, 7, 20] } else { [2_000, 16_000, 128_000] };

/// A look at both ends of each day, so that it costs what the days do, not what the runs do.
pub(super) const TIMES: &str = "
WITH RECURSIVE d (day) AS (
    SELECT max(?2, (SELECT min(day) FROM run WHERE project_id = ?1))
    UNION ALL
    SELECT day + 1 FROM d WHERE day < min(?3, (SELECT max(day) FROM run WHERE project_id = ?1))
)
SELECT min((SELECT created_at FROM run INDEXED BY run_by_day
            WHERE project_id = ?1 AND day = d.day ORDER BY created_at LIMIT 1)),
       max((SELECT created_at FROM run INDEXED BY run_by_day
            WHERE project_id = ?1 AND day = d.day ORDER BY created_at DESC LIMIT 1))
FROM d WHERE d.day BETWEEN ?2 AND ?3";

/// Days whose rollups are behind are looked through.
pub(in crate::store) const IDS: &str = "
SELECT min(low), max(high) FROM (
    SELECT low, high FROM day_rows WHERE project_id = ?1 AND day BETWEEN ?2 AND ?3
    UNION ALL
    SELECT min(r.id), max(r.id) FROM dirty_day d
    CROSS JOIN run r INDEXED BY run_by_day ON r.project_id = d.project_id AND r.day = d.day
    WHERE d.project_id = ?1 AND d.day BETWEEN ?2 AND ?3)";

/// The newest runs up to a time: the time of the last of them, how many they are, and between which rows they lie.
const SPAN: &str = "
SELECT min(created_at), count(*), min(id), max(id) FROM (
    SELECT created_at, id FROM run INDEXED BY run_by_time
    WHERE project_id = ?1 AND created_at BETWEEN ?2 AND ?3 ORDER BY created_at DESC LIMIT ?4)";

type Pair = (Option<i64>, Option<i64>);

impl Reader {
    /// Narrows a list to runs with words. False where no run is of the days asked for.
    pub(super) fn by_words(&self, query: &mut Query, filter: &RunFilter) -> Result<bool> {
        if let Some(words) = &filter.answer {
            query.in_answer(words);
        }
        match &filter.text {
            Some(words) if filter.answer.is_some() || self.is_in_prompt(words)? => query.in_text(words),
            Some(words) => query.in_answer(words),
            None => {}
        }
        if let (Some(days), true) = (filter.days, query.has_words()) {
            let Some(ids) = self.ends_of(IDS, query.project, days)? else { return Ok(false) };
            query.between_ids(ids);
        }
        Ok(true)
    }

    /// Does any prompt of the cache hold these words? Words that none holds are the answers' alone.
    fn is_in_prompt(&self, words: &str) -> Result<bool> {
        let mut statement = self.connection.prepare_cached("SELECT 1 FROM prompt_fts WHERE prompt_fts MATCH ?1")?;
        statement.exists([fts_query(words)]).context("prompts with words")
    }

    /// The first and last time of a project's runs of some days. Runs of other days may lie between them.
    pub(super) fn times_of(&self, project: i64, days: DayRange) -> Result<Option<(i64, i64)>> {
        self.ends_of(TIMES, project, days)
    }

    fn ends_of(&self, sql: &str, project: i64, days: DayRange) -> Result<Option<(i64, i64)>> {
        let values = (project, days.first.epoch_days(), days.last.epoch_days());
        let ends: Option<Pair> = self
            .connection
            .prepare_cached(sql)?
            .query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .context("ends of days")?;
        Ok(ends.and_then(|(low, high)| low.zip(high)))
    }

    /// The newest runs that hold words, of `times`, and from `at` down where a page before ended there.
    pub(super) fn newest_with_words(
        &self,
        mut query: Query,
        (from, until): (i64, i64),
        at: Option<i64>,
        limit: usize,
    ) -> Result<Vec<RunRow>> {
        let mut until = at.map_or(until, |at| at.min(until));
        let mut rows = Vec::new();
        query.between_times(from, until);
        for span in SPANS.into_iter().chain([i64::MAX]) {
            let (oldest, count, low, high): (Option<i64>, i64, Option<i64>, Option<i64>) = self
                .connection
                .prepare_cached(SPAN)?
                .query_row((query.project, from, until, span), |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
                })
                .context("span")?;
            let (Some(oldest), Some(ids)) = (oldest, low.zip(high)) else { break };
            let is_last = count < span;
            // Of the time of the last run there may be more runs than were looked at.
            let begin = if is_last { from } else { oldest + 1 };
            query.value(":from", begin);
            query.value(":until", until);
            query.between_ids(ids);
            let missing = limit - rows.len();
            let sql = query.list("INDEXED BY run_by_time", (RunSort::CreatedAt, Direction::Desc), missing);
            rows.extend(self.run_rows(&sql, &query)?);
            if is_last || rows.len() >= limit {
                break;
            }
            until = oldest;
        }
        Ok(rows)
    }
}

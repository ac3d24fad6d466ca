//! How many runs pass a filter: off the rollups where they know it, else counted up to a bound.

use super::{Query, RunFilter};
use crate::{
    model::ProjectKey,
    store::{Reader, Result, error::Context as _},
};

/// So many answers are sorted faster than as many runs are looked through for them.
const FEW: u64 = 1_000;

impl Reader {
    /// How many runs pass a filter, counted up to `cap`.
    ///
    /// # Errors
    /// As [`Reader::runs`].
    pub fn count_runs(&self, project: &ProjectKey, filter: &RunFilter, cap: usize) -> Result<u64> {
        let Some(project) = self.project_id(project)? else { return Ok(0) };
        if let Some(count) = self.count_days(project, filter)? {
            return Ok(count.min(cap as u64));
        }
        let Some(query) = self.filtered(project, filter)? else { return Ok(0) };
        self.first_number(&counting(&query, filter, cap), &query)
    }

    /// The count of a filter that asks for nothing but days, engine and status; none where it asks for more.
    fn count_days(&self, project: i64, filter: &RunFilter) -> Result<Option<u64>> {
        let RunFilter {
            brand: _,
            days: Some(days),
            engine,
            status,
            prompt: None,
            topic: None,
            visible: None,
            cited: None,
            mentioned: None,
            text: None,
            answer: None,
            without_branded: false,
            domain: None,
            url: None,
            gap: false,
            cells: None,
        } = filter
        else {
            return Ok(None);
        };
        let counts = self.day_counts(project, Some(*days))?;
        let asked = counts.iter().filter(|(on, is, _)| {
            engine.as_ref().is_none_or(|engine| engine == on) && status.as_ref().is_none_or(|status| status == is)
        });
        Ok(Some(asked.map(|(_, _, runs)| runs).sum()))
    }

    /// Are the words in so few answers that these are read one by one?
    pub(super) fn holds_few(&self, query: &Query) -> Result<bool> {
        Ok(self.first_number(&query.answers(FEW), query)? < FEW)
    }

    fn first_number(&self, sql: &str, query: &Query) -> Result<u64> {
        let mut statement = self.connection.prepare_cached(sql)?;
        query.bind(&mut statement)?;
        let mut rows = statement.raw_query();
        let count = rows.next().context("count runs")?.map(|row| row.get(0)).transpose().context("count runs")?;
        Ok(count.unwrap_or(0))
    }
}

/// Counting needs no order, so it stays within the days, or ends where answers with the words are enough.
pub(super) fn counting(query: &Query, filter: &RunFilter, cap: usize) -> String {
    match (filter.prompt, filter.days) {
        (None, _) if query.is_by_answer() => query.count_answers(cap),
        (Some(_), Some(_)) => query.count("INDEXED BY run_by_prompt_day", cap),
        (Some(_), None) => query.count("INDEXED BY run_by_prompt", cap),
        (None, Some(_)) => query.count("INDEXED BY run_by_day", cap),
        (None, None) => query.count("INDEXED BY run_by_time", cap),
    }
}

//! Lists of runs: filtered, sorted, one page after the other by key and never by offset.

mod cited;
mod counts;
mod query;
mod spans;

use super::{PromptRow, Reader, Result, error::Context as _, names::Checked, prompts::prompt_row, sync_log::instant};
use crate::model::{Basis, BrandKey, Day, DayRange, EngineRef, ProjectKey, PromptId, PromptRef, RunId, Status};
#[cfg(test)]
use counts::counting;
use jiff::Timestamp;
use query::{COLUMNS, NO_INDEX, Query, joins};
use rusqlite::{OptionalExtension as _, types::Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Which runs are wanted, seen from which brand.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// The brand whose facts are shown and filtered by; none shows none.
    pub brand: Option<BrandKey>,
    /// Only this prompt.
    pub prompt: Option<PromptId>,
    /// Only this topic, in its exact spelling.
    pub topic: Option<String>,
    /// Only this engine.
    pub engine: Option<String>,
    /// Only this status.
    pub status: Option<Status>,
    /// Only these days.
    pub days: Option<DayRange>,
    /// Only runs where the brand is named or cited, or was looked for and is neither.
    pub visible: Option<bool>,
    /// The same for citations alone.
    pub cited: Option<bool>,
    /// The same for mentions alone.
    pub mentioned: Option<bool>,
    /// Only runs whose answer or prompt holds all these words; words in quotation marks must stand together.
    pub text: Option<String>,
    /// The same of the answer alone.
    pub answer: Option<String>,
    /// Leave out prompts that name a tracked brand.
    pub without_branded: bool,
    /// Only runs that cite this registrable domain, or a host below it.
    pub domain: Option<String>,
    /// Only runs that cite exactly this URL.
    pub url: Option<String>,
    /// Only finished runs where the brand was looked for and is absent, and a rival is present.
    pub gap: bool,
    /// Only runs of these prompts on these engines.
    pub cells: Option<BTreeSet<(PromptRef, EngineRef)>>,
}

/// What a list is sorted by; runs without the value come last, equal ones newest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
#[expect(missing_docs, reason = "each is a column of the list")]
pub enum RunSort {
    #[default]
    CreatedAt,
    Status,
    TotalCitations,
    TotalMentions,
    BestPosition,
    AvgSentiment,
}

/// Which end comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Direction {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    #[default]
    Desc,
}

/// The last run of a page: the next one begins behind it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunCursor {
    /// The run.
    pub run: RunId,
    /// Its value of the sort's column; none for the time, and where it has none.
    pub value: Option<SortValue>,
}

/// A value that runs are sorted by.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortValue {
    /// Counts, positions, sentiment.
    Number(f64),
    /// A status.
    Text(String),
}

/// Which of two runs was stored later: how lists break ties of time, within a project and between several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Stored(i64);

/// A run in a list.
#[derive(Clone, PartialEq, Debug)]
pub struct RunRow {
    /// Its public id.
    pub id: RunId,
    /// Its place among runs of the same moment.
    pub stored: Stored,
    /// What the upstream knows it by.
    pub key: Option<String>,
    /// The UTC day it counts for.
    pub day: Day,
    /// When it was made.
    pub created_at: Timestamp,
    /// The engine.
    pub engine: String,
    /// The model, as reported.
    pub model: Option<String>,
    /// Its status.
    pub status: Status,
    /// Its prompt.
    pub prompt: PromptRow,
    /// All citations in the answer, as the upstream counts them.
    pub total_citations: Option<u32>,
    /// Why it failed; a stranger's text.
    pub failure_reason: Option<String>,
    /// The brand's mentions; none where it was not looked for.
    pub mentions: Option<u32>,
    /// The brand's citations; none where they were not looked for.
    pub citations: Option<u32>,
    /// The brand's best citation position.
    pub best_position: Option<u32>,
    /// The brand's sentiment.
    pub sentiment: Option<f64>,
    /// Where the mentions come from.
    pub mention_basis: Option<Basis>,
    /// Where the citations come from.
    pub citation_basis: Option<Basis>,
}

impl RunRow {
    /// Is the brand named or cited? Unknown where a half that could say so was not looked for.
    #[must_use]
    pub fn visible(&self) -> Option<bool> {
        match (self.mentions, self.citations) {
            (Some(1..), _) | (_, Some(1..)) => Some(true),
            (Some(0), Some(0)) => Some(false),
            _ => None,
        }
    }
}

/// A prompt and an engine, as SQL has them in one number.
fn one_number(prompt: PromptRef, engine: EngineRef) -> i64 {
    i64::from(prompt.0) << 32 | i64::from(engine.0)
}

impl RunSort {
    fn column(self) -> &'static str {
        match self {
            Self::CreatedAt => "r.created_at",
            Self::Status => "s.name",
            Self::TotalCitations => "(CASE WHEN c.citations THEN coalesce(f.citations, 0) END)",
            Self::TotalMentions => "(CASE WHEN c.mentions THEN coalesce(f.mentions, 0) END)",
            Self::BestPosition => "f.best_citation_position",
            Self::AvgSentiment => "f.sentiment",
        }
    }

    /// Where a page that ends with this run goes on.
    #[must_use]
    pub fn cursor(self, row: &RunRow) -> RunCursor {
        RunCursor { run: row.id, value: self.value(row) }
    }

    /// The value that a run is sorted by; none for the time, which every run has.
    #[must_use]
    pub fn value(self, row: &RunRow) -> Option<SortValue> {
        match self {
            Self::CreatedAt => None,
            Self::Status => Some(SortValue::Text(row.status.as_str().to_owned())),
            Self::TotalCitations => row.citations.map(|n| SortValue::Number(n.into())),
            Self::TotalMentions => row.mentions.map(|n| SortValue::Number(n.into())),
            Self::BestPosition => row.best_position.map(|n| SortValue::Number(n.into())),
            Self::AvgSentiment => row.sentiment.map(SortValue::Number),
        }
    }
}

impl Reader {
    /// One page of a project's runs and where the next begins. `after` may be a run of another project where runs are
    /// sorted by time.
    ///
    /// # Errors
    /// [`super::Error::Stopped`] over the limit; anything else is a damaged file.
    pub fn runs(
        &self,
        project: &ProjectKey,
        filter: &RunFilter,
        (sort, direction): (RunSort, Direction),
        after: Option<&RunCursor>,
        limit: usize,
    ) -> Result<(Vec<RunRow>, Option<RunCursor>)> {
        let Some(project) = self.project_id(project)? else { return Ok((Vec::new(), None)) };
        let Some(mut query) = self.filtered(project, filter)? else { return Ok((Vec::new(), None)) };
        let mut at = None;
        if let Some(after) = after {
            at = self.start_after(&mut query, (sort, direction), after)?;
            if at.is_none() {
                return Ok((Vec::new(), None));
            }
        }
        let mut rows = self.listed(query, filter, (sort, direction), at, limit + 1)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| sort.cursor(row));
        Ok((rows, next))
    }

    /// The first rows of a list.
    fn listed(
        &self,
        mut query: Query,
        filter: &RunFilter,
        order: (RunSort, Direction),
        at: Option<i64>,
        limit: usize,
    ) -> Result<Vec<RunRow>> {
        match self.way(&mut query, filter, order)? {
            Way::Nowhere => Ok(Vec::new()),
            Way::Index(index) => self.run_rows(&query.list(index, order, limit), &query),
            Way::Spans(times) => self.newest_with_words(query, times, at, limit),
        }
    }

    /// The way that meets no more runs than it must.
    fn way(&self, query: &mut Query, filter: &RunFilter, order: (RunSort, Direction)) -> Result<Way> {
        if filter.prompt.is_none() && query.is_by_answer() && self.holds_few(query)? {
            return Ok(Way::Index(NO_INDEX));
        }
        let by_time = order.0 == RunSort::CreatedAt;
        let mut times = (i64::MIN, i64::MAX);
        if let (Some(days), true) = (filter.days, by_time) {
            let Some(found) = self.times_of(query.project, days)? else { return Ok(Way::Nowhere) };
            times = found;
        }
        if filter.prompt.is_none() && query.has_words() && order == (RunSort::CreatedAt, Direction::Desc) {
            return Ok(Way::Spans(times));
        }
        if filter.days.is_some() && by_time {
            query.between_times(times.0, times.1);
        }
        Ok(Way::Index(match (filter.prompt.is_some(), filter.days.is_some() && !by_time) {
            (true, false) => "INDEXED BY run_by_prompt",
            (true, true) => "INDEXED BY run_by_prompt_day",
            (false, false) => "INDEXED BY run_by_time",
            (false, true) => "INDEXED BY run_by_day",
        }))
    }

    /// The conditions of a filter; none where a name in it matches nothing that is stored.
    fn filtered(&self, project: i64, filter: &RunFilter) -> Result<Option<Query>> {
        let brand: Option<i64> = match &filter.brand {
            None => None,
            Some(brand) => self
                .connection
                .prepare_cached("SELECT id FROM brand WHERE project_id = ?1 AND key = ?2")?
                .query_row((project, &brand.0), |row| row.get(0))
                .optional()
                .context("brand")?,
        };
        let mut query = Query::of(project, brand);
        if let Some(prompt) = filter.prompt {
            let id: Option<i64> = self
                .connection
                .prepare_cached("SELECT id FROM prompt WHERE public_id = ?1")?
                .query_row([prompt.to_i64()], |row| row.get(0))
                .optional()
                .context("prompt")?;
            let Some(id) = id else { return Ok(None) };
            query.with("r.prompt_id = :prompt", ":prompt", id);
        }
        if let Some(topic) = &filter.topic {
            query.with("p.topic = :topic", ":topic", topic.clone());
        }
        if let Some(engine) = &filter.engine {
            query.with("e.name = :engine", ":engine", engine.clone());
        }
        if let Some(status) = &filter.status {
            query.with("s.name = :status", ":status", status.as_str().to_owned());
        }
        if let Some(days) = filter.days {
            query.with("r.day >= :first", ":first", days.first.epoch_days());
            query.with("r.day <= :last", ":last", days.last.epoch_days());
        }
        if filter.without_branded {
            query.and("p.branded = 0");
        }
        if let Some(cells) = &filter.cells {
            let list: Vec<i64> = cells.iter().map(|(prompt, engine)| one_number(*prompt, *engine)).collect();
            query.with(
                "(r.prompt_id << 32 | r.engine_id) IN (SELECT value FROM json_each(:cells))",
                ":cells",
                serde_json::to_string(&list).unwrap_or_default(),
            );
        }
        by_presence(&mut query, filter);
        if !self.by_citation(&mut query, filter, brand)? {
            return Ok(None);
        }
        Ok(self.by_words(&mut query, filter)?.then_some(query))
    }

    /// Begins behind a run, and gives its time. None where that run is not stored: then the cursor is from another cache.
    fn start_after(
        &self,
        query: &mut Query,
        (sort, direction): (RunSort, Direction),
        after: &RunCursor,
    ) -> Result<Option<i64>> {
        let Some(id) = self.handle(after.run)? else { return Ok(None) };
        let created: i64 = self
            .connection
            .prepare_cached("SELECT created_at FROM run WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .context("cursor")?;
        query.value(":at", created);
        query.value(":id", id);
        let sign = if direction == Direction::Asc { ">" } else { "<" };
        let later = "(r.created_at, r.id) < (:at, :id)";
        let column = sort.column();
        match (sort, &after.value) {
            (RunSort::CreatedAt, _) => query.and(&format!("(r.created_at, r.id) {sign} (:at, :id)")),
            (_, None) => query.and(&format!("{column} IS NULL AND {later}")),
            (_, Some(value)) => {
                let value = match value {
                    SortValue::Number(number) => Value::Real(*number),
                    SortValue::Text(text) => Value::Text(text.clone()),
                };
                query.value(":value", value);
                query.and(&format!("({column} {sign} :value OR {column} IS NULL OR ({column} = :value AND {later}))"));
            }
        }
        Ok(Some(created))
    }

    fn run_rows(&self, sql: &str, query: &Query) -> Result<Vec<RunRow>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        query.bind(&mut statement)?;
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next().context("runs")? {
            found.push(run_row(row).context("runs")?);
        }
        Ok(found)
    }

    /// How a list and its count are read, for tests; empty where nothing stored is so named.
    #[cfg(test)]
    pub(super) fn explain_runs(&self, project: &ProjectKey, filter: &RunFilter, sort: RunSort) -> String {
        let id = self.project_id(project).unwrap().unwrap();
        let Some(mut query) = self.filtered(id, filter).unwrap() else { return String::new() };
        let order = (sort, Direction::Desc);
        let index = match self.way(&mut query, filter, order).unwrap() {
            Way::Nowhere => return String::new(),
            Way::Index(index) => index,
            Way::Spans(times) => {
                query.between_times(times.0, times.1);
                "INDEXED BY run_by_time"
            }
        };
        let count = counting(&query, filter, 20);
        format!("{}\n\n{}", self.explain(&query.list(index, order, 20)), self.explain(&count))
    }

    /// One run as a list shows it, seen from a brand, with its handle.
    pub(super) fn run_row(&self, id: RunId, brand: Option<&BrandKey>) -> Result<Option<(i64, RunRow)>> {
        let Some(handle) = self.handle(id)? else { return Ok(None) };
        let sql = format!("{COLUMNS}\nFROM run r{}\nWHERE r.id = :run", joins())
            .replace(":brand", "(SELECT id FROM brand WHERE project_id = r.project_id AND key = :brand)");
        let brand = brand.map(|brand| brand.0.as_str());
        self.connection
            .prepare_cached(&sql)?
            .query_row(rusqlite::named_params! { ":run": handle, ":brand": brand }, |row| {
                Ok((row.get(0)?, run_row(row)?))
            })
            .optional()
            .context("run")
    }
}

/// How a list is read.
enum Way {
    /// Not at all: no run is of the days asked for.
    Nowhere,
    /// Through an index.
    Index(&'static str),
    /// Span after span of these times.
    Spans((i64, i64)),
}

fn by_presence(query: &mut Query, filter: &RunFilter) {
    let mentioned = "coalesce(f.mentions, 0) > 0";
    let cited = "coalesce(f.citations, 0) > 0";
    match filter.mentioned {
        Some(true) => query.and(mentioned),
        Some(false) => query.and("c.mentions AND coalesce(f.mentions, 0) = 0"),
        None => {}
    }
    match filter.cited {
        Some(true) => query.and(cited),
        Some(false) => query.and("c.citations AND coalesce(f.citations, 0) = 0"),
        None => {}
    }
    match filter.visible {
        Some(true) => query.and(&format!("({mentioned} OR {cited})")),
        Some(false) => query.and(&format!("c.mentions AND c.citations AND NOT ({mentioned} OR {cited})")),
        None => {}
    }
}

fn run_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        id: RunId::from_i64(row.get(1)?),
        stored: Stored(row.get(0)?),
        day: Day::from_epoch_days(row.get(2)?),
        created_at: instant(row.get(3)?),
        engine: row.get(4)?,
        model: row.get(5)?,
        status: Status::from(row.get::<_, String>(6)?),
        prompt: prompt_row(row, 7)?,
        total_citations: row.get(12)?,
        failure_reason: row.get(13)?,
        mentions: row.get(14)?,
        citations: row.get(15)?,
        best_position: row.get(16)?,
        sentiment: row.get(17)?,
        key: row.get(18)?,
        mention_basis: row.get::<_, Option<Checked>>(19)?.and_then(Checked::basis),
        citation_basis: row.get::<_, Option<Checked>>(20)?.and_then(Checked::basis),
    })
}

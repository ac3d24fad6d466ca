//! Lists of runs: filtered, sorted, one page after the other by key and never by offset.

mod cited;

use super::{PromptRow, Reader, Result, error::Context as _, names::Checked, prompts::prompt_row, sync_log::instant};
use crate::model::{Basis, BrandKey, Day, DayRange, EngineRef, ProjectKey, PromptId, PromptRef, RunId, Status};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, ToSql, types::Value};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt::Write as _};

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

const COLUMNS: &str = "
SELECT r.id, r.public_id, r.day, r.created_at, e.name, m.name, s.name, p.public_id, p.text, p.topic, p.label, p.branded,
       r.total_citations, r.failure_reason,
       CASE WHEN c.mentions THEN coalesce(f.mentions, 0) END AS mentions,
       CASE WHEN c.citations THEN coalesce(f.citations, 0) END AS citations,
       f.best_citation_position AS position, f.sentiment AS sentiment, r.key, c.mentions, c.citations";

const JOINS: &str = "
CROSS JOIN prompt p ON p.id = r.prompt_id
CROSS JOIN engine e ON e.id = r.engine_id
CROSS JOIN status s ON s.id = r.status_id
LEFT JOIN model m ON m.id = r.model_id
LEFT JOIN scope_brand c ON c.scope_id = r.scope_id AND c.brand_id = :brand
LEFT JOIN run_brand f ON f.run_id = r.id AND f.brand_id = :brand";

/// A prompt and an engine, as SQL has them in one number.
fn one_number(prompt: PromptRef, engine: EngineRef) -> i64 {
    i64::from(prompt.0) << 32 | i64::from(engine.0)
}

/// So many answers are sorted faster than as many runs are looked through for them.
const FEW: u64 = 1_000;

/// A statement and its named values, grown part by part.
struct Query {
    sql: String,
    values: Vec<(&'static str, Value)>,
}

impl Query {
    fn and(&mut self, condition: &str) {
        let _ = write!(self.sql, "\n  AND {condition}");
    }

    fn with(&mut self, condition: &str, name: &'static str, value: impl Into<Value>) {
        self.and(condition);
        self.values.push((name, value.into()));
    }
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
        if let Some(after) = after
            && !self.start_after(&mut query, (sort, direction), after)?
        {
            return Ok((Vec::new(), None));
        }
        let word = if direction == Direction::Asc { "ASC" } else { "DESC" };
        let order = match sort {
            RunSort::CreatedAt => format!("r.created_at {word}, r.id {word}"),
            _ => format!("{} {word} NULLS LAST, r.created_at DESC, r.id DESC", sort.column()),
        };
        let _ = write!(query.sql, "\nORDER BY {order} LIMIT {}", limit + 1);
        let mut rows = self.run_rows(&query)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| sort.cursor(row));
        Ok((rows, next))
    }

    /// How many runs pass a filter, counted up to `cap`.
    ///
    /// # Errors
    /// As [`Reader::runs`].
    pub fn count_runs(&self, project: &ProjectKey, filter: &RunFilter, cap: usize) -> Result<u64> {
        let Some(project) = self.project_id(project)? else { return Ok(0) };
        let Some(query) = self.filtered(project, filter)? else { return Ok(0) };
        let tail = query.sql.split_once("\nFROM run r").map_or("", |(_, tail)| tail);
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM run r{tail} LIMIT {cap})");
        let values: Vec<(&str, &dyn ToSql)> =
            query.values.iter().map(|(name, value)| (*name, value as &dyn ToSql)).collect();
        self.connection.prepare_cached(&sql)?.query_row(values.as_slice(), |row| row.get(0)).context("count runs")
    }

    /// The statement up to its order; none where a name in the filter matches nothing that is stored.
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
        let prompt: Option<i64> = match filter.prompt {
            None => None,
            Some(prompt) => {
                let id = self
                    .connection
                    .prepare_cached("SELECT id FROM prompt WHERE public_id = ?1")?
                    .query_row([prompt.to_i64()], |row| row.get(0))
                    .optional()
                    .context("prompt")?;
                if id.is_none() {
                    return Ok(None);
                }
                id
            }
        };
        let index = self.index(project, prompt, filter)?;
        let mut query = Query {
            sql: format!("{COLUMNS}\nFROM run r {index}{JOINS}\nWHERE r.project_id = :project AND r.gone_at IS NULL"),
            values: vec![(":project", project.into()), (":brand", brand.into())],
        };
        if let Some(prompt) = prompt {
            query.with("r.prompt_id = :prompt", ":prompt", prompt);
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
        if let Some(text) = &filter.text {
            query.with(
                "(r.id IN (SELECT rowid FROM answer_fts WHERE answer_fts MATCH :text)
                  OR r.prompt_id IN (SELECT rowid FROM prompt_fts WHERE prompt_fts MATCH :text))",
                ":text",
                fts_query(text),
            );
        }
        if let Some(text) = &filter.answer {
            query.with(
                "r.id IN (SELECT rowid FROM answer_fts WHERE answer_fts MATCH :answer)",
                ":answer",
                fts_query(text),
            );
        }
        Ok(Some(query))
    }

    /// Words that few answers hold are read from their index; one prompt reads its own; days long past their own;
    /// anything else is read from the newest run down.
    fn index(&self, project: i64, prompt: Option<i64>, filter: &RunFilter) -> Result<&'static str> {
        if prompt.is_some() {
            return Ok("INDEXED BY run_by_prompt");
        }
        if let Some(text) = &filter.answer
            && self.answers_with(text, FEW)? < FEW
        {
            return Ok("NOT INDEXED");
        }
        let Some(days) = filter.days else { return Ok("INDEXED BY run_by_time") };
        let newest: Option<i32> = self
            .connection
            .prepare_cached("SELECT max(day) FROM run WHERE project_id = ?1")?
            .query_row([project], |row| row.get(0))
            .context("newest day")?;
        // The time index is read from the newest run down, so it serves a window that ends near there.
        let long_past = newest.is_some_and(|newest| days.last.epoch_days() + 2 < newest);
        Ok(if long_past { "INDEXED BY run_by_day" } else { "INDEXED BY run_by_time" })
    }

    /// Begins behind a run. False where that run is not stored: then the cursor is from another cache.
    fn start_after(
        &self,
        query: &mut Query,
        (sort, direction): (RunSort, Direction),
        after: &RunCursor,
    ) -> Result<bool> {
        let found: Option<(i64, i64)> = self
            .connection
            .prepare_cached("SELECT created_at, id FROM run WHERE public_id = ?1")?
            .query_row([after.run.to_i64()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .context("cursor")?;
        let Some((created, id)) = found else { return Ok(false) };
        query.values.push((":at", created.into()));
        query.values.push((":id", id.into()));
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
                query.values.push((":value", value));
                query.and(&format!("({column} {sign} :value OR {column} IS NULL OR ({column} = :value AND {later}))"));
            }
        }
        Ok(true)
    }

    fn run_rows(&self, query: &Query) -> Result<Vec<RunRow>> {
        let values: Vec<(&str, &dyn ToSql)> =
            query.values.iter().map(|(name, value)| (*name, value as &dyn ToSql)).collect();
        self.connection
            .prepare_cached(&query.sql)?
            .query_map(values.as_slice(), run_row)?
            .collect::<Result<_, _>>()
            .context("runs")
    }

    /// How the default list of a filter is read, for tests.
    #[cfg(test)]
    pub(super) fn explain_runs(&self, project: &ProjectKey, filter: &RunFilter) -> String {
        self.explain_runs_if_any(project, filter)
    }

    /// The same, empty where nothing stored is so named.
    #[cfg(test)]
    pub(super) fn explain_runs_if_any(&self, project: &ProjectKey, filter: &RunFilter) -> String {
        let project = self.project_id(project).unwrap().unwrap();
        let Some(query) = self.filtered(project, filter).unwrap() else { return String::new() };
        let sql = format!("EXPLAIN QUERY PLAN {}\nORDER BY r.created_at DESC, r.id DESC LIMIT 20", query.sql);
        let values: Vec<(&str, &dyn ToSql)> = query.values.iter().map(|(n, v)| (*n, v as &dyn ToSql)).collect();
        let mut statement = self.connection.prepare(&sql).unwrap();
        let lines = statement.query_map(values.as_slice(), |row| row.get::<_, String>(3)).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    /// One run as a list shows it, seen from a brand, with its handle.
    pub(super) fn run_row(&self, id: RunId, brand: Option<&BrandKey>) -> Result<Option<(i64, RunRow)>> {
        let sql = format!("{COLUMNS}\nFROM run r{JOINS}\nWHERE r.public_id = :run")
            .replace(":brand", "(SELECT id FROM brand WHERE project_id = r.project_id AND key = :brand)");
        let brand = brand.map(|brand| brand.0.as_str());
        self.connection
            .prepare_cached(&sql)?
            .query_row(rusqlite::named_params! { ":run": id.to_i64(), ":brand": brand }, |row| {
                Ok((row.get(0)?, run_row(row)?))
            })
            .optional()
            .context("run")
    }
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

/// A person's words as a full-text query: every word must occur; quoted words stand together. Nothing in them is
/// read as an operator.
pub(super) fn fts_query(text: &str) -> String {
    let mut parts = Vec::new();
    for (i, part) in text.split('"').enumerate() {
        let words: Vec<&str> = if i % 2 == 1 { vec![part.trim()] } else { part.split_whitespace().collect() };
        parts.extend(
            words.into_iter().filter(|word| word.chars().any(char::is_alphanumeric)).map(|word| format!("\"{word}\"")),
        );
    }
    // Nothing to search for matches nothing.
    if parts.is_empty() { "\"\"".to_owned() } else { parts.join(" AND ") }
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

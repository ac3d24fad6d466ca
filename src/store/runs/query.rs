//! A list's statement and its named values, grown part by part.

use super::{Direction, RunSort};
use crate::store::{Result, error::Context as _, fts::fts_query};
use rusqlite::{Statement, types::Value};
use std::fmt::Write as _;

/// What a row of a list is read from.
pub(super) const COLUMNS: &str = "
SELECT r.id, r.public_id, r.day, r.created_at, e.name, m.name, s.name, p.public_id, p.text, p.topic, p.label, p.branded,
       r.total_citations, r.failure_reason,
       CASE WHEN c.mentions THEN coalesce(f.mentions, 0) END AS mentions,
       CASE WHEN c.citations THEN coalesce(f.citations, 0) END AS citations,
       f.best_citation_position AS position, f.sentiment AS sentiment, r.key, c.mentions, c.citations";

/// What is known of a run beside its own row, by the letter that stands for it. Each has at most one row for a run, so
/// a count leaves out what its conditions do not name.
const JOINED: [(&str, &str); 6] = [
    ("p.", "CROSS JOIN prompt p ON p.id = r.prompt_id"),
    ("e.", "CROSS JOIN engine e ON e.id = r.engine_id"),
    ("s.", "CROSS JOIN status s ON s.id = r.status_id"),
    ("m.", "LEFT JOIN model m ON m.id = r.model_id"),
    ("c.", "LEFT JOIN scope_brand c ON c.scope_id = r.scope_id AND c.brand_id = :brand"),
    ("f.", "LEFT JOIN run_brand f ON f.run_id = r.id AND f.brand_id = :brand"),
];

/// Where words are in few answers, these are read one by one.
pub(super) const NO_INDEX: &str = "NOT INDEXED";

/// All of it.
pub(super) fn joins() -> String {
    JOINED.iter().fold(String::new(), |sql, (_, join)| sql + "\n" + join)
}

/// The conditions of a list.
pub(super) struct Query {
    pub(super) project: i64,
    conditions: String,
    values: Vec<(&'static str, Value)>,
    in_text: bool,
    in_answer: bool,
    /// Only answers of runs between `:low` and `:high` are looked through for words.
    between_ids: bool,
}

impl Query {
    pub(super) fn of(project: i64, brand: Option<i64>) -> Self {
        Self {
            project,
            conditions: String::new(),
            values: vec![(":project", project.into()), (":brand", brand.into())],
            in_text: false,
            in_answer: false,
            between_ids: false,
        }
    }

    pub(super) fn and(&mut self, condition: &str) {
        let _ = write!(self.conditions, "\n  AND {condition}");
    }

    /// Gives a name its value; the last one given counts.
    pub(super) fn value(&mut self, name: &'static str, value: impl Into<Value>) {
        self.values.retain(|(known, _)| *known != name);
        self.values.push((name, value.into()));
    }

    pub(super) fn with(&mut self, condition: &str, name: &'static str, value: impl Into<Value>) {
        self.and(condition);
        self.value(name, value);
    }

    /// Words that the answer must hold.
    pub(super) fn in_answer(&mut self, words: &str) {
        self.in_answer = true;
        self.value(":answer", fts_query(words));
    }

    /// Words that the answer or the prompt must hold.
    pub(super) fn in_text(&mut self, words: &str) {
        self.in_text = true;
        self.value(":text", fts_query(words));
    }

    pub(super) fn has_words(&self) -> bool {
        self.in_text || self.in_answer
    }

    /// Does a run pass by its answer's words alone, whatever its prompt holds?
    pub(super) fn is_by_answer(&self) -> bool {
        self.in_answer && !self.in_text
    }

    /// Only runs of these times, which an index by time can be entered and left at.
    pub(super) fn between_times(&mut self, from: i64, until: i64) {
        self.value(":from", from);
        self.value(":until", until);
        self.and("r.created_at BETWEEN :from AND :until");
    }

    /// Says between which rows all runs lie that can pass, so that no other answer is looked through.
    pub(super) fn between_ids(&mut self, (low, high): (i64, i64)) {
        self.between_ids = true;
        self.value(":low", low);
        self.value(":high", high);
    }

    fn within(&self) -> &'static str {
        if self.between_ids { " AND answer_fts.rowid BETWEEN :low AND :high" } else { "" }
    }

    fn conditions(&self, in_answer: bool) -> String {
        let within = self.within();
        let mut sql = format!("\nWHERE r.project_id = :project AND r.gone_at IS NULL{}", self.conditions);
        if self.in_text {
            let _ = write!(
                sql,
                "\n  AND (r.id IN (SELECT rowid FROM answer_fts WHERE answer_fts MATCH :text{within})
                  OR r.prompt_id IN (SELECT rowid FROM prompt_fts WHERE prompt_fts MATCH :text))"
            );
        }
        if in_answer {
            let _ =
                write!(sql, "\n  AND r.id IN (SELECT rowid FROM answer_fts WHERE answer_fts MATCH :answer{within})");
        }
        sql
    }

    /// The rows of a list, read through an index.
    pub(super) fn list(&self, index: &str, (sort, direction): (RunSort, Direction), limit: usize) -> String {
        let word = if direction == Direction::Asc { "ASC" } else { "DESC" };
        let order = match sort {
            RunSort::CreatedAt => format!("r.created_at {word}, r.id {word}"),
            _ => format!("{} {word} NULLS LAST, r.created_at DESC, r.id DESC", sort.column()),
        };
        let (joins, conditions) = (joins(), self.conditions(self.in_answer));
        if sort == RunSort::CreatedAt && index != NO_INDEX {
            return format!("{COLUMNS}\nFROM run r {index}{joins}{conditions}\nORDER BY {order} LIMIT {limit}");
        }
        // What is to be sorted is kept narrow; the columns are read for the page alone.
        let page = joined(&format!("run r {index}"), &conditions, &order);
        format!(
            "{COLUMNS}\nFROM (SELECT r.id AS on_page FROM {page}{conditions}\nORDER BY {order} LIMIT {limit})
             CROSS JOIN run r ON r.id = on_page{joins}\nORDER BY {order}"
        )
    }

    /// How many answers hold the words, whatever else is asked of their runs.
    pub(super) fn answers(&self, cap: u64) -> String {
        let within = self.within();
        format!("SELECT count(*) FROM (SELECT 1 FROM answer_fts WHERE answer_fts MATCH :answer{within} LIMIT {cap})")
    }

    /// How many runs there are, read through an index.
    pub(super) fn count(&self, index: &str, cap: usize) -> String {
        counted(&format!("run r {index}"), &self.conditions(self.in_answer), cap)
    }

    /// The same, read off the index of words.
    pub(super) fn count_answers(&self, cap: usize) -> String {
        let conditions = format!("{}\n  AND answer_fts MATCH :answer{}", self.conditions(false), self.within());
        counted("answer_fts CROSS JOIN run r ON r.id = answer_fts.rowid", &conditions, cap)
    }

    /// Gives a statement the values that it names.
    pub(super) fn bind(&self, statement: &mut Statement<'_>) -> Result<()> {
        for (name, value) in &self.values {
            if let Some(at) = statement.parameter_index(name)? {
                statement.raw_bind_parameter(at, value).context("values of a list")?;
            }
        }
        Ok(())
    }
}

fn counted(from: &str, conditions: &str, cap: usize) -> String {
    format!("SELECT count(*) FROM (SELECT 1 FROM {}{conditions} LIMIT {cap})", joined(from, conditions, ""))
}

/// With what the conditions and the order name.
fn joined(from: &str, conditions: &str, order: &str) -> String {
    let named = JOINED.iter().filter(|(letter, _)| conditions.contains(letter) || order.contains(letter));
    named.fold(from.to_owned(), |sql, (_, join)| sql + "\n" + join)
}

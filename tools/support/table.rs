//! Columnar lists: the names of the columns once, then rows of values.

use crate::{
    analysis::round4,
    mcp::quote::{QuotedLine, cost},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;

/// What the rows of a page may cost. Ids and instants cost more than words, so this is well below what an answer may.
pub(crate) const PAGE_COST: usize = 40_000;

/// A list as columns and rows.
#[derive(Clone, PartialEq, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Table {
    /// Names of the columns
    pub columns: Vec<&'static str>,
    /// One row per item, values in the order of the columns; null where unknown
    #[schemars(schema_with = "any_rows")]
    pub rows: Vec<Vec<Value>>,
}

/// Rows of whatever values: a schema that takes anything, `true` or `{}`, is one that some clients do not take.
pub(crate) fn any_rows(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "array" } })
}

impl Table {
    /// An empty table.
    pub(crate) fn new(columns: impl Into<Vec<&'static str>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// How many of the rows fit an answer of this cost (see [`cost`]), one at least.
    pub(crate) fn fitting(&self, most: usize) -> usize {
        let mut spent = 0;
        let fits = |row: &&Vec<Value>| {
            spent += row.iter().map(|value| cost(&value.to_string())).sum::<usize>();
            spent <= most
        };
        self.rows.iter().take_while(fits).count().max(1)
    }
}

/// A stranger's words in a table: one line of at most so many characters.
pub(crate) fn quoted(text: &str, max_chars: usize) -> Value {
    QuotedLine::new(text, max_chars).as_str().into()
}

/// The same where there may be none.
pub(crate) fn quoted_or_null(text: Option<&str>, max_chars: usize) -> Value {
    text.map_or(Value::Null, |text| quoted(text, max_chars))
}

/// A value in a table; a missing one is null.
pub(crate) fn cell<T: Into<Value>>(value: Option<T>) -> Value {
    match value.map(Into::into) {
        Some(Value::Number(number)) if number.is_f64() => number.as_f64().map(round4).into(),
        Some(value) => value,
        None => Value::Null,
    }
}

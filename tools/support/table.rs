//! Columnar lists: the names of the columns once, then rows of values.

use crate::analysis::round4;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A list as columns and rows.
#[derive(Clone, PartialEq, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Table {
    /// Names of the columns
    pub columns: Vec<&'static str>,
    /// One row per item, values in the order of the columns; null where unknown
    #[schemars(with = "Vec<Vec<serde_json::Value>>")]
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(columns: impl Into<Vec<&'static str>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }
}

/// A value in a table; a missing one is null.
pub(crate) fn cell<T: Into<Value>>(value: Option<T>) -> Value {
    match value.map(Into::into) {
        Some(Value::Number(number)) if number.is_f64() => number.as_f64().map(round4).into(),
        Some(value) => value,
        None => Value::Null,
    }
}

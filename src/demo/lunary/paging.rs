//! `limit`, `page` and the order of a list, read as the real backend reads them: as JavaScript numbers, unchecked.

use super::problem::Problem;
use serde_json::{Value, json};
use std::cmp::Ordering;
use url::form_urlencoded;

/// Which part of the rows to send.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Paging {
    page: f64,
    limit: f64,
    pub(super) offset: usize,
    pub(super) rows: usize,
}

impl Paging {
    /// The paging of a query; `cap` is a limit that a server may put on what is asked for.
    pub(super) fn read(query: &str, cap: Option<u32>) -> Result<Self, Problem> {
        let page = parameter(query, "page").unwrap_or(0.0);
        let asked = parameter(query, "limit").unwrap_or(50.0);
        let limit = cap.map_or(asked, |cap| asked.min(f64::from(cap)));
        Ok(Self { page, limit, rows: count(limit, "LIMIT")?, offset: count(page * limit, "OFFSET")? })
    }

    /// The page, as it was understood.
    pub(super) fn page(&self) -> Value {
        number(self.page)
    }

    /// The limit, as it was understood.
    pub(super) fn limit(&self) -> Value {
        number(self.limit)
    }
}

/// A parameter as a number; given twice it is a list, which is no number.
fn parameter(query: &str, name: &str) -> Option<f64> {
    let mut values =
        form_urlencoded::parse(query.as_bytes()).filter(|(given, _)| given == name).map(|(_, value)| value);
    let first = values.next()?;
    Some(if values.next().is_some() { f64::NAN } else { number_of(&first) })
}

/// A text as JavaScript's `Number` reads it.
pub(super) fn number_of(text: &str) -> f64 {
    let text = text.trim();
    let whole = |digits: &str, radix: u32| u32::from_str_radix(digits, radix).map_or(f64::NAN, f64::from);
    match text {
        "" => 0.0,
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ if text.starts_with("0x") || text.starts_with("0X") => whole(text.split_at(2).1, 16),
        _ if text.starts_with("0b") => whole(text.split_at(2).1, 2),
        _ if text.starts_with("0o") => whole(text.split_at(2).1, 8),
        // Rust also reads `inf` and `nan`.
        _ if text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) => text.parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

/// A number as JavaScript writes it.
fn text_of(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number.abs() >= 1e21 { format!("{number:e}").replace('e', "e+") } else { number.to_string() }
}

/// Numbers up to here are counts; what a page can hold is far below.
const WHOLE: f64 = 9.2e18;

/// A number as the database takes it for a count of rows.
fn count(number: f64, what: &str) -> Result<usize, Problem> {
    if !number.is_finite() || number.fract() != 0.0 || number.abs() >= 1e21 {
        return Err(Problem::syntax("bigint", &text_of(number)));
    }
    if number < 0.0 {
        return Err(Problem::internal(format!("{what} must not be negative")));
    }
    if number >= WHOLE {
        return Err(Problem::internal(format!("value \"{}\" is out of range for type bigint", text_of(number))));
    }
    // Written out without a fraction, and below 2^63.
    Ok(text_of(number).parse().unwrap_or(usize::MAX))
}

/// A number as JSON has it, without a fraction where it has none.
fn number(number: f64) -> Value {
    if number.fract() == 0.0 {
        text_of(number + 0.0).parse::<i64>().map_or(json!(number), Value::from)
    } else {
        json!(number)
    }
}

/// By what rows are sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    CreatedAt,
    Duration,
    Tokens,
    Cost,
    MessagesCount,
}

/// The order of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Order {
    pub(super) key: Key,
    pub(super) descending: bool,
}

impl Order {
    /// The order that a query asks for.
    pub(super) fn read(query: &str) -> Result<Self, Problem> {
        let text =
            |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(given, _)| given == name).map(|(_, v)| v);
        let newest_first = Self { key: Key::CreatedAt, descending: true };
        let Some(field) = text("sortField") else { return Ok(newest_first) };
        let key = match &*field {
            "createdAt" => Key::CreatedAt,
            "duration" => Key::Duration,
            "tokens" => Key::Tokens,
            "cost" => Key::Cost,
            "messagesCount" => Key::MessagesCount,
            // The table of fields is a plain object, which has these as well.
            "toString"
            | "constructor"
            | "valueOf"
            | "hasOwnProperty"
            | "toLocaleString"
            | "isPrototypeOf"
            | "propertyIsEnumerable"
            | "__proto__" => return Err(Problem::internal("syntax error at or near \"desc\"")),
            _ => return Ok(newest_first),
        };
        Ok(Self { key, descending: text("sortDirection").is_some_and(|direction| direction == "desc") })
    }

    /// Compares two figures: what is missing comes last, whichever the direction.
    pub(super) fn compare(self, a: Option<f64>, b: Option<f64>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) if self.descending => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }
}

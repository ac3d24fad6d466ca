//! What a person sees: failures, and answers as indented text and tables. The only place that prints.

use super::Failure;
use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::{Map, Value};
use std::io::{self, Write as _};

/// Data, on stdout. A reader that has seen enough, as `head` has, is no failure; a full disk is.
pub(super) fn data(text: &str) -> io::Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// News, on stderr. Where nobody can be told, the work still counts.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// What went wrong and what mends it, on stderr.
pub(super) fn failure(failure: &Failure) {
    note(&format!("error: {}", failure.error));
    for line in failure.hint.lines().filter(|line| !line.is_empty()) {
        note(&format!("hint: {line}"));
    }
}

/// A tool's answer as a person reads it.
pub(super) fn answer(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(fields) => object(fields, 0, &mut out),
        other => out.push_str(&scalar(other)),
    }
    out.trim_end().to_owned()
}

fn object(fields: &Map<String, Value>, depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    for (name, value) in fields {
        // What marks third-party text for a model is noise to a person.
        if name == "quoted_fields" {
            continue;
        }
        match value {
            Value::Object(inner) if is_table(inner) => table(name, inner, &pad, out),
            Value::Object(inner) => {
                if let Some(line) = one_line(inner) {
                    out.push_str(&format!("{pad}{name}: {line}\n"));
                } else {
                    out.push_str(&format!("{pad}{name}:\n"));
                    object(inner, depth + 1, out);
                }
            }
            Value::Array(items) if items.is_empty() => out.push_str(&format!("{pad}{name}: none\n")),
            Value::Array(items) => list(name, items, depth, out),
            other => out.push_str(&format!("{pad}{name}: {}\n", scalar(other))),
        }
    }
}

fn list(name: &str, items: &[Value], depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    if items.iter().all(|item| !item.is_object()) {
        let long = items.iter().any(|item| scalar(item).len() > 40);
        let lines: Vec<String> = items.iter().map(scalar).collect();
        if long {
            out.push_str(&format!("{pad}{name}:\n"));
            for line in lines {
                out.push_str(&format!("{pad}  - {line}\n"));
            }
        } else {
            out.push_str(&format!("{pad}{name}: {}\n", lines.join(", ")));
        }
        return;
    }
    for item in items.iter().filter_map(Value::as_object) {
        if let Some(line) = one_line(item) {
            out.push_str(&format!("{pad}{name}: {line}\n"));
        } else {
            out.push_str(&format!("{pad}{name}:\n"));
            object(item, depth + 1, out);
        }
    }
}

/// Rates, means, changes, ranges of days and other small things fit a line.
fn one_line(fields: &Map<String, Value>) -> Option<String> {
    let text = |name: &str| fields.get(name).map(scalar);
    let number = |name: &str| fields.get(name).and_then(Value::as_f64);
    let interval = number("low").zip(number("high"));
    if let (Some(hits), Some(runs), Some(prompts)) = (text("hits"), text("runs"), text("prompts")) {
        let counts = format!("{hits} of {runs}, {prompts} prompts");
        return Some(match (number("value"), interval) {
            (Some(value), Some((low, high))) => format!(
                "{}  (95 %: {} to {};  {counts})",
                percent(value),
                percent(low).trim_end_matches(" %"),
                percent(high).trim_end_matches(" %")
            ),
            _ => format!("unknown  ({counts})"),
        });
    }
    if let (Some(verdict), Some(before), Some(now)) = (text("verdict"), text("runs_before"), text("runs_now")) {
        let runs = format!("{before} runs before, {now} now");
        return Some(match (number("difference"), interval) {
            (Some(difference), Some((low, high))) => format!(
                "{verdict}  {:+.1} points  (95 %: {:+.1} to {:+.1};  {runs})",
                difference * 100.0,
                low * 100.0,
                high * 100.0
            ),
            _ => format!("{verdict}  ({runs})"),
        });
    }
    if let (Some(runs), Some(prompts), true) = (text("runs"), text("prompts"), fields.len() <= 5) {
        return Some(match (number("value"), interval) {
            (Some(value), Some((low, high))) => {
                format!("{value:.2}  (95 %: {low:.2} to {high:.2};  {runs} runs, {prompts} prompts)")
            }
            (Some(value), None) => format!("{value:.2}  ({runs} runs, {prompts} prompts)"),
            _ => format!("unknown  ({runs} runs)"),
        });
    }
    if let (Some(first), Some(last), 2) = (text("first"), text("last"), fields.len()) {
        return Some(format!("{first}..{last}"));
    }
    // What is left is shown as the arguments of a call are written, so that a filter can be pasted.
    let small = fields.len() <= 9 && fields.values().all(|value| !value.is_array() && !value.is_object());
    small.then(|| fields.iter().map(|(name, value)| pair(name, &scalar(value))).collect::<Vec<_>>().join("  "))
}

fn pair(name: &str, value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.:/+%".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        format!("{name}={value}")
    } else {
        format!("{name}='{}'", value.replace('\'', r"'\''"))
    }
}

fn percent(fraction: f64) -> String {
    format!("{:.1} %", fraction * 100.0)
}

fn is_table(fields: &Map<String, Value>) -> bool {
    fields.len() == 2
        && fields.get("columns").is_some_and(Value::is_array)
        && fields.get("rows").is_some_and(Value::is_array)
}

/// The table's lines, or one word where it has no rows.
fn table(name: &str, fields: &Map<String, Value>, pad: &str, out: &mut String) {
    let array = |name: &str| fields.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if array("rows").is_empty() {
        out.push_str(&format!("{pad}{name}: none\n"));
        return;
    }
    let columns: Vec<String> = array("columns").iter().map(scalar).collect();
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    table.set_header(&columns);
    for row in array("rows") {
        let cells = row.as_array().map(Vec::as_slice).unwrap_or_default();
        table.add_row(columns.iter().zip(cells).map(|(column, value)| {
            let align = if value.is_string() { CellAlignment::Left } else { CellAlignment::Right };
            Cell::new(in_column(column, value)).set_alignment(align)
        }));
    }
    out.push_str(&format!("{pad}{name}:\n"));
    for line in table.to_string().lines() {
        // The line under the header is enough.
        if line.chars().any(|c| c != '─') {
            out.push_str(format!("{pad}  {line}").trim_end());
            out.push('\n');
        }
    }
}

/// A value as its column's name asks for: rates, shares and their bounds are read more easily in percent.
fn in_column(column: &str, value: &Value) -> String {
    let is_fraction = ["rate", "share"].iter().any(|word| column.contains(word))
        || ["_low", "_high"].iter().any(|end| column.ends_with(end));
    match value.as_f64() {
        Some(fraction) if is_fraction => percent(fraction),
        Some(number) if value.is_f64() => format!("{number:.2}"),
        _ => scalar(value),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

//! What a person sees: failures, and answers as indented text and tables. The only place that prints.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the one place")]

use super::Failure;
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::{Map, Value};

/// Data, on stdout.
pub(super) fn data(text: &str) {
    println!("{text}");
}

/// News, on stderr.
pub(super) fn note(text: &str) {
    eprintln!("{text}");
}

/// What went wrong and what mends it, on stderr.
pub(super) fn failure(failure: &Failure) {
    eprintln!("error: {}", failure.error);
    for line in failure.hint.lines().filter(|line| !line.is_empty()) {
        eprintln!("hint: {line}");
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
            Value::Object(inner) if is_table(inner) => {
                out.push_str(&format!("{pad}{name}:\n"));
                table(inner, &pad, out);
            }
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

/// Rates, means and other small things fit a line.
fn one_line(fields: &Map<String, Value>) -> Option<String> {
    let number = |name: &str| fields.get(name).and_then(Value::as_f64);
    if fields.contains_key("hits") && fields.contains_key("runs") {
        let counts = format!(
            "{} of {}, {} prompts",
            scalar(fields.get("hits")?),
            scalar(fields.get("runs")?),
            scalar(fields.get("prompts")?)
        );
        return Some(match (number("value"), number("low"), number("high")) {
            (Some(value), Some(low), Some(high)) => {
                format!("{:.1} %  (95 %: {:.1} to {:.1};  {counts})", value * 100.0, low * 100.0, high * 100.0)
            }
            _ => format!("unknown  ({counts})"),
        });
    }
    let small = fields.len() <= 9 && fields.values().all(|value| !value.is_array() && !value.is_object());
    small.then(|| fields.iter().map(|(name, value)| format!("{name} {}", scalar(value))).collect::<Vec<_>>().join(", "))
}

fn is_table(fields: &Map<String, Value>) -> bool {
    fields.len() == 2
        && fields.get("columns").is_some_and(Value::is_array)
        && fields.get("rows").is_some_and(Value::is_array)
}

fn table(fields: &Map<String, Value>, pad: &str, out: &mut String) {
    let array = |name: &str| fields.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY);
    table.set_header(array("columns").iter().map(scalar));
    for row in array("rows") {
        table.add_row(row.as_array().map(|cells| cells.iter().map(scalar).collect::<Vec<_>>()).unwrap_or_default());
    }
    for line in table.to_string().lines() {
        out.push_str(&format!("{pad}  {line}\n"));
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

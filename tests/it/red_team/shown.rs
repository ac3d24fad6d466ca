//! What may come out, whatever went in.

use super::poison::MARK;
use serde_json::Value;
use std::collections::BTreeSet;

/// The largest answer of one call, in characters.
const ANSWER_CHARS: usize = 90_000;

/// Checks an answer in both of its halves: clean, bounded, and every stranger's word in a field that says whose it is.
pub fn check_answer(case: &str, answer: &Value, text: &str) {
    assert!(text.chars().count() <= ANSWER_CHARS, "{case}: {} characters", text.chars().count());
    let read: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{case}: {error}: {text}"));
    assert!(read == *answer, "{case}: the halves differ");
    check_clean(case, text);
    let named = answer["quoted_fields"].as_array().unwrap_or_else(|| panic!("{case}: no quoted_fields: {text}"));
    let quoted: BTreeSet<&str> = named.iter().map(|name| name.as_str().unwrap()).collect();
    check_value(case, answer, &quoted, false);
}

/// Checks a result as a client got it: an answer, or words in place of one.
pub fn check_result(case: &str, result: &Value) {
    let text = result["content"][0]["text"].as_str().unwrap();
    if result["isError"] == true {
        check_words(case, text);
    } else {
        check_answer(case, &result["structuredContent"], text);
    }
}

/// Nothing hidden, nothing that a client would load or run by itself.
pub fn check_clean(case: &str, text: &str) {
    let around = |at: usize| {
        let from = text.floor_char_boundary(at.saturating_sub(60));
        &text[from..text.ceil_char_boundary((at + 60).min(text.len()))]
    };
    let mut before = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let after = chars.peek().map_or(' ', |(_, after)| *after);
        let is_pictorial = |c: char| !c.is_ascii() && !c.is_alphanumeric() && !c.is_whitespace();
        let is_kept_together = match c {
            '\u{200d}' => is_pictorial(before) && is_pictorial(after),
            '\u{fe0f}' => is_pictorial(before),
            _ => false,
        };
        assert!(is_kept_together || !is_hidden(c), "{case}: {c:?} in {:?}", around(at));
        let begins_image = c == '!' && after == '[';
        let begins_html = c == '<' && (after.is_ascii_alphabetic() || matches!(after, '/' | '!' | '?'));
        assert!(!begins_image && !begins_html, "{case}: {:?}", around(at));
        before = c;
    }
}

fn is_hidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

/// Does a stranger speak in it?
pub fn is_strangers(text: &str) -> bool {
    text.to_lowercase().contains(&MARK.to_lowercase())
}

fn check_value(case: &str, value: &Value, quoted: &BTreeSet<&str>, inside: bool) {
    match value {
        Value::String(text) => {
            check_clean(case, text);
            assert!(inside || !is_strangers(text), "{case}: outside of the quoted fields: {text}");
        }
        Value::Array(items) => items.iter().for_each(|item| check_value(case, item, quoted, inside)),
        Value::Object(fields) => check_fields(case, fields, quoted, inside),
        _ => {}
    }
}

fn check_fields(case: &str, fields: &serde_json::Map<String, Value>, quoted: &BTreeSet<&str>, inside: bool) {
    let columns = fields.get("columns").and_then(Value::as_array);
    for (name, value) in fields {
        assert!(inside || !is_strangers(name), "{case}: a field is called {name}");
        let inside = inside || quoted.contains(name.as_str());
        match (columns, value.as_array()) {
            // A table's columns are its fields.
            (Some(columns), Some(rows)) if name == "rows" => {
                for cells in rows.iter().filter_map(Value::as_array) {
                    for (column, cell) in columns.iter().zip(cells) {
                        let inside = inside || quoted.contains(column.as_str().unwrap_or_default());
                        check_value(case, cell, quoted, inside);
                    }
                }
            }
            _ => check_value(case, value, quoted, inside),
        }
    }
    // A long quotation says itself that it is one.
    if fields.contains_key("total_chars") && fields.contains_key("truncated") {
        assert!(inside && fields["untrusted"] == true, "{case}: {fields:?}");
    }
}

/// Checks what is said in place of an answer: a few lines of our own words, with the next step.
pub fn check_words(case: &str, words: &str) {
    assert!((1..=3).contains(&words.lines().count()) && words.chars().count() <= 1_300, "{case}: {words}");
    check_clean(case, words);
    let steps = crate::refusals::STEPS;
    assert!(steps.iter().any(|step| words.contains(step)), "{case} has no next step: {words}");
    for hidden in ["the server failed", "SQLite error", "no such table", "fts5", "/tmp", ".sqlite", "panicked"] {
        assert!(!words.contains(hidden), "{case} tells {hidden}: {words}");
    }
}

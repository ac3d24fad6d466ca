//! What happens to stored JSON on its way out: other keys, added keys, one wrapper less, shorter texts.

use serde_json::{Map, Value, json};

/// The key that the server adds to every message.
const ADDED: &str = "enrichments";
/// What is left of a text when `type=llm` is asked for, in UTF-16 units.
const SHORT: usize = 100;

/// `tool_calls` as `toolCalls`.
fn camel_key(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    let mut raised = false;
    for letter in key.chars() {
        match letter {
            '_' | '-' => raised = true,
            _ if raised => {
                name.extend(letter.to_uppercase());
                raised = false;
            }
            _ => name.push(letter),
        }
    }
    name
}

/// The same with every key in camel case, at every depth.
pub(super) fn camel(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.iter().map(|(key, value)| (camel_key(key), camel(value))).collect(),
        Value::Array(list) => list.iter().map(camel).collect(),
        other => other.clone(),
    }
}

/// An input or output as it is sent by exports: one wrapper of its own name less, and truth as a text.
pub(super) fn unwrapped(value: &Value, wrapper: &str) -> Value {
    let value = match value {
        Value::Object(object) if object.len() == 1 => object.get(wrapper).unwrap_or(value),
        _ => value,
    };
    match value {
        Value::Bool(truth) => json!(truth.to_string()),
        _ => camel(value),
    }
}

/// The same with what evaluators would have found in each message: nothing.
pub(super) fn enriched(mut value: Value) -> Value {
    let add = |object: &mut Map<String, Value>| {
        object.insert(ADDED.to_owned(), json!([]));
    };
    match &mut value {
        Value::Object(object) => add(object),
        Value::Array(list) => list.iter_mut().filter_map(Value::as_object_mut).for_each(add),
        _ => {}
    }
    value
}

/// Of a list its last element, and of that a short text.
pub(super) fn shortened_input(value: Value) -> Value {
    match value {
        Value::Array(mut list) => shortened(list.pop().unwrap_or(Value::Null)),
        other => shortened(other),
    }
}

/// The same with a short text as its `content`; lists and plain texts stay whole.
pub(super) fn shortened(mut value: Value) -> Value {
    if let Some(Value::String(content)) = value.get_mut("content") {
        *content = cut(content);
    }
    value
}

/// A text cut as JavaScript cuts it: in the middle of a letter that takes two units, if need be.
fn cut(text: &str) -> String {
    let mut short = String::with_capacity(SHORT);
    let mut units = 0;
    for letter in text.chars() {
        let width = letter.len_utf16();
        if units + width > SHORT {
            if units < SHORT {
                let mut pair = [0; 2];
                letter.encode_utf16(&mut pair);
                short.extend(half(pair.first().copied().unwrap_or_default()));
            }
            break;
        }
        short.push(letter);
        units += width;
    }
    short
}

/// What stands for a lone high surrogate until the body is written, since Rust's texts cannot hold one: the last
/// letters of the last plane, in private use.
const HALVES: u32 = 0x10_f800;
/// The first high surrogate, and how many there are.
const HIGH: (u32, u32) = (0xd800, 0x400);

/// The letter that stands for a high surrogate.
fn half(unit: u16) -> Option<char> {
    char::from_u32(u32::from(unit).checked_sub(HIGH.0)? + HALVES)
}

/// The first half of an emoji.
pub(super) fn lone_surrogate() -> char {
    half(0xd83d).unwrap_or_default()
}

/// A body in which what stands for a lone surrogate is its escape.
pub(super) fn written(body: String) -> String {
    let stands = |letter: char| {
        let unit = u32::from(letter).checked_sub(HALVES)?;
        (unit < HIGH.1).then_some(unit + HIGH.0)
    };
    // These letters alone begin with this byte.
    if !body.as_bytes().contains(&0xf4) {
        return body;
    }
    let mut text = String::with_capacity(body.len() + 64);
    for letter in body.chars() {
        match stands(letter) {
            Some(unit) => text.push_str(&format!("\\u{unit:04x}")),
            None => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_turn_into_camel_case_at_every_depth() {
        let stored = json!({ "tool_calls": [{ "url_citation": { "my-key": 1 } }], "_leading": 2, "plain": 3 });
        let sent = json!({ "toolCalls": [{ "urlCitation": { "myKey": 1 } }], "Leading": 2, "plain": 3 });
        assert_eq!(camel(&stored), sent);
    }

    #[test]
    fn a_wrapper_of_the_same_name_goes_and_messages_are_enriched() {
        for (stored, sent) in [
            (json!({ "input": "text" }), json!("text")),
            (json!({ "input": "text", "more": 1 }), json!({ "input": "text", "more": 1, "enrichments": [] })),
            (json!({ "output": "text" }), json!({ "output": "text", "enrichments": [] })),
            (json!([{ "role": "user" }, "text"]), json!([{ "role": "user", "enrichments": [] }, "text"])),
            (json!({ "content": "x", "enrichments": 7 }), json!({ "content": "x", "enrichments": [] })),
            (json!(true), json!("true")),
            (json!(42), json!(42)),
            (json!([]), json!([])),
            (json!(""), json!("")),
        ] {
            assert_eq!(enriched(unwrapped(&stored, "input")), sent, "{stored}");
        }
    }

    #[test]
    fn a_cut_can_halve_an_emoji() {
        let text = format!("{}😀 and more", "x".repeat(99));
        let body = written(json!({ "content": cut(&text) }).to_string());
        assert_eq!(body, format!("{{\"content\":\"{}\\ud83d\"}}", "x".repeat(99)));
        assert!(serde_json::from_str::<Value>(&body).is_err());
        assert_eq!(cut(&format!("{}😀", "x".repeat(98))), format!("{}😀", "x".repeat(98)));
        assert_eq!(written("\u{10ffff}".to_owned()), "\u{10ffff}");
    }
}

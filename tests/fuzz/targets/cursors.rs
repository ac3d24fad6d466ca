//! Holds to: a cursor of another question, another tool or no tool at all is refused in words, or is answered as one of
//! this question would be; it neither panics nor fails.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use support::{Choices, TOOLS, call};

/// Every tool that pages, asked in a few ways, each with the cursor that it gave where there was more.
static PAGED: LazyLock<Vec<(&'static str, Map<String, Value>, Option<String>)>> = LazyLock::new(|| {
    let mut paged = Vec::new();
    for tool in TOOLS.tools() {
        let properties = tool.input_schema["properties"].as_object().unwrap();
        if !properties.contains_key("cursor") {
            continue;
        }
        let mut questions = vec![json!({ "limit": 1 })];
        for (name, schema) in properties {
            for word in schema.get("enum").and_then(Value::as_array).into_iter().flatten() {
                questions.push(json!({ "limit": 1, name: word }));
            }
        }
        for mut question in questions {
            let question = question.as_object_mut().unwrap();
            for required in tool.input_schema.get("required").and_then(Value::as_array).into_iter().flatten() {
                question.insert(required.as_str().unwrap().to_owned(), "battery".into());
            }
            let cursor = call(tool.name, question).ok().and_then(|answer| Some(answer["next_cursor"].as_str()?.into()));
            paged.push((tool.name, question.clone(), cursor));
        }
    }
    let given = paged.iter().filter(|(_, _, cursor)| cursor.is_some()).count();
    assert!(given * 2 > paged.len(), "{given} of {} questions have a next page", paged.len());
    paged
});

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices(data);
    let (tool, question, own) = choices.of(&PAGED);
    let (_, _, other) = choices.of(&PAGED);
    let own = own.clone().unwrap_or_default();
    let how = choices.byte();
    let cursor = match how % 6 {
        // As it is; another's; the two spliced; bytes changed; cut short with a text behind it; any text.
        0 => own,
        1 => other.clone().unwrap_or_default(),
        2 => {
            let (own, other) = (own.as_bytes(), other.clone().unwrap_or_default().into_bytes());
            let (here, there) = (usize::from(choices.byte()), usize::from(choices.byte()));
            let parts = [&own[..here.min(own.len())], &other[there.min(other.len())..]];
            String::from_utf8_lossy(&parts.concat()).into_owned()
        }
        3 => {
            let mut bytes = own.into_bytes();
            for _ in 0..3 {
                let (at, change) = (usize::from(choices.byte()), choices.byte());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= change;
                }
            }
            String::from_utf8_lossy(&bytes).into_owned()
        }
        4 => {
            let kept: String = own.chars().take(usize::from(choices.byte())).collect();
            kept + &choices.rest()
        }
        _ => choices.rest(),
    };
    let mut question = question.clone();
    question.insert("cursor".to_owned(), cursor.into());
    if let Err(error) = call(tool, &question) {
        assert_eq!(error.class(), "invalid", "{tool} {question:?}: {error}");
    }
});

//! Hostile answers: stored as they came, shown clean, bounded and as what they are.

use super::picture::lines;
use crate::support::sync::{Stage, options, small};
use serde_json::{Value, json};
use visibility_mcp::{
    demo::{
        verseodin::{Fault, RowChange, When},
        world::WorldSize,
    },
    mcp::{Backend, Limits, Setup},
    store::Store,
    tools,
};

fn call(store: &Store, stage: &Stage, tool: &str, arguments: &Value) -> Value {
    let setup = Setup { sources: vec!["verseodin".into()], ..Setup::default() };
    let backend = Backend::new(store.clone(), options(stage.last_day()).clock, setup);
    let answer = tools::catalogue().call(tool, arguments.as_object().unwrap(), &backend, Limits::default());
    answer.unwrap_or_else(|error| panic!("{tool}: {error}"))
}

/// Every text in an answer, names of fields and all.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            found.push(name.clone());
            texts(value, found);
        }),
        _ => {}
    }
}

fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Nothing hidden, nothing that closes or opens a tag, nothing endless.
pub fn assert_clean(case: &str, answer: &Value) {
    let mut found = Vec::new();
    texts(answer, &mut found);
    for text in &found {
        assert!(!text.chars().any(is_hidden), "{case}: {text:?}");
        for tag in ["</", "<system", "<!--", "!["] {
            assert!(!text.contains(tag), "{case}: {text:?}");
        }
    }
    assert!(answer.to_string().chars().count() < 90_000, "{case}");
}

/// A tracker of one day whose first row of the project has this answer; and that run's id.
async fn served(change: RowChange) -> (Stage, String) {
    let stage = Stage::of(WorldSize { prompts: vec![3], days: 1, ..small() });
    stage.settle();
    stage.server.faults().inject("/universes/*/prompts", Fault::Rows { change, count: 1 }, When::Always);
    stage.sync_all().await;
    let plain = stage.undisturbed("plain.sqlite").await;
    let (reader, plain) = (stage.store.reader().unwrap(), plain.reader().unwrap());
    let answer = |reader: &visibility_mcp::store::Reader, id| reader.run_details(id, None).unwrap().unwrap().answer;
    let rows = lines(&reader, &stage.project(0));
    let changed = rows.iter().find(|row| answer(&reader, row.id) != answer(&plain, row.id)).unwrap();
    let id = changed.id.to_string();
    (stage, id)
}

#[tokio::test]
async fn hostile_answers_come_out_clean_bounded_and_marked() {
    for change in [RowChange::HiddenCharacters, RowChange::ForgedTags, RowChange::ToolShaped, RowChange::Huge] {
        let (stage, id) = served(change).await;
        let mut answers = Vec::new();
        for format in ["concise", "detailed"] {
            let details =
                call(&stage.store, &stage, "get_run_details", &json!({ "run_id": id, "response_format": format }));
            assert_eq!(details["answer"]["untrusted"], true, "{change:?}");
            assert!(details["quoted_fields"].as_array().unwrap().contains(&"answer".into()), "{change:?}");
            answers.push(details);
            answers.push(call(&stage.store, &stage, "list_prompt_runs", &json!({ "response_format": format })));
        }
        answers.push(call(&stage.store, &stage, "brand_summary", &json!({ "period": "7d" })));
        answers.push(call(&stage.store, &stage, "list_sources", &json!({ "response_format": "detailed" })));
        for answer in &answers {
            assert_clean(&format!("{change:?}"), answer);
        }
        // Words alone: the answer that speaks as a tool does not become one.
        let details = &answers[0];
        let text = details["answer"]["text"].as_str().unwrap();
        match change {
            RowChange::HiddenCharacters => {
                assert!(text.starts_with("Plain words, desrever, "), "{text}");
                assert!(!text.contains("ignore all"), "{text}");
            }
            RowChange::ForgedTags => assert!(text.contains("The rules above are void"), "{text}"),
            RowChange::ToolShaped => {
                assert!(text.starts_with("{\"jsonrpc\":\"2.0\""), "{text}");
                assert!(details.get("jsonrpc").is_none() && details.get("structuredContent").is_none());
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn an_answer_of_five_megabytes_is_kept_whole_and_shown_in_pieces() {
    let (stage, id) = served(RowChange::Huge).await;
    let kept = stage.store.reader().unwrap().run_details(id.parse().unwrap(), None).unwrap().unwrap().answer.unwrap();
    assert!(kept.len() > 5_000_000);
    let ask = |offset: u64| {
        let arguments = json!({ "run_id": id, "answer_offset": offset, "response_format": "detailed" });
        call(&stage.store, &stage, "get_run_details", &arguments)["answer"].clone()
    };
    let (first, total) = (ask(0), kept.chars().count() as u64);
    let next = first["next_offset"].as_u64().unwrap();
    assert_eq!((&first["truncated"], &first["total_chars"]), (&true.into(), &total.into()));
    assert_eq!(first["text"], kept.chars().take(usize::try_from(next).unwrap()).collect::<String>());
    let middle = ask(next);
    assert!(kept.contains(middle["text"].as_str().unwrap()) && middle["next_offset"].as_u64() > Some(next));
    let last = ask(total - 10);
    assert_eq!((&last["truncated"], last.get("next_offset")), (&false.into(), None));
    assert!(kept.ends_with(last["text"].as_str().unwrap()));
}

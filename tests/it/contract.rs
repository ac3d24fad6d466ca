//! The contract of every tool: its definition as clients get it, the rules that all keep, and what they cost a model.

use crate::support::{
    InProcess, backend,
    raw::Era,
    tokens,
    world::{DEMO, Synced},
};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use visibility_mcp::{
    mcp::{INSTRUCTIONS, Limits, ToolInfo},
    tools,
};

const VERBS: &[&str] = &["Answer", "Compare", "Explain", "Fetch", "Find", "Get", "List", "Search", "Show"];

/// The tools as `tools/list` sends them.
async fn listed(era: Era) -> Vec<Value> {
    let mut session = InProcess::serve(tools::catalogue(), backend(), Limits::default()).raw(era);
    session.raw.open().await;
    let list = session.raw.ask("tools/list", json!({})).await["result"].take();
    list["tools"].as_array().unwrap().clone()
}

#[tokio::test]
async fn definitions_are_those_that_were_reviewed() {
    let tools = listed(Era::Legacy).await;
    assert_eq!(tools, listed(Era::Modern).await, "both eras list the same");
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        assert_json_snapshot!(format!("definition_of_{name}"), tool);
    }
}

#[tokio::test]
async fn every_definition_keeps_the_rules() {
    assert_eq!(tools::catalogue().problems(), Vec::<String>::new());
    let tools = listed(Era::Legacy).await;
    assert!(tools.len() <= 15, "{} tools are too many to choose from", tools.len());
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        let title = tool["title"].as_str().unwrap_or_default();
        assert!(!title.is_empty(), "{name} has no title");
        assert_eq!(tool["annotations"]["title"], title, "{name}");
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{name} does not send {hint}");
        }
        for (schema, least) in [("inputSchema", 0), ("outputSchema", 1)] {
            assert_eq!(tool[schema]["type"], "object", "{name}: {schema}");
            assert!(tool[schema]["properties"].as_object().unwrap().len() >= least, "{name}: {schema}");
            jsonschema::meta::validate(&tool[schema]).unwrap_or_else(|error| panic!("{name}: {schema}: {error}"));
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
        for (argument, schema) in tool["inputSchema"]["properties"].as_object().unwrap() {
            assert!(schema["type"].is_string(), "{name}: {argument} has several types or none");
            assert!(!schema["description"].as_str().unwrap_or_default().is_empty(), "{name}: {argument} has no words");
        }
    }
}

#[test]
fn every_description_answers_what_a_model_asks_of_it() {
    let catalogue = tools::catalogue();
    let names: Vec<&str> = catalogue.tools().map(|tool| tool.name).collect();
    for tool in catalogue.tools() {
        let (name, words) = (tool.name, tool.description);
        assert!(words.len() < 2_048, "{name}: {} bytes, and clients cut at 2,048", words.len());
        let verb = words.split(' ').next().unwrap();
        assert!(VERBS.contains(&verb), "{name}: begin with what it does, not with {verb:?}");
        assert!(words.contains("Returns "), "{name}: say what it returns");
        if reads(tool) {
            assert!(words.contains("no network") && words.contains("no cost"), "{name}: say what a call costs");
            assert!(words.contains("quoted from third parties"), "{name}: say which fields are quoted");
        } else {
            assert!(words.contains("costs requests"), "{name}: say what a call costs");
        }
        let sibling = |other: &&&str| **other != name && words.contains(&format!("`{other}`"));
        assert!(names.iter().any(|other| sibling(&other)), "{name}: name the tool to use instead");
    }
}

/// Words such as `brand_summary` in a text.
fn identifiers(text: &str) -> BTreeSet<&str> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !part(c)).filter(|word| word.contains('_')).collect()
}

/// Every key, and every value of `columns` and `enum`, in a JSON value.
fn vocabulary<'v>(value: &'v Value, words: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                words.insert(key);
                if key == "columns" || key == "enum" {
                    words.extend(value.as_array().into_iter().flatten().filter_map(Value::as_str));
                }
                vocabulary(value, words);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| vocabulary(item, words)),
        _ => {}
    }
}

#[tokio::test]
async fn words_name_only_what_there_is() {
    let tools = listed(Era::Legacy).await;
    let mut answers = Vec::new();
    for tool in tools::catalogue().tools().filter(|tool| reads(tool)) {
        let mut arguments = example(&DEMO, tool);
        arguments["response_format"] = "detailed".into();
        answers.push(DEMO.answer(tool.name, &arguments));
    }
    // Engines have such names too.
    let mut known = BTreeSet::from(["google_ai_overviews"]);
    for value in tools.iter().chain(&answers) {
        vocabulary(value, &mut known);
    }
    known.extend(tools.iter().filter_map(|tool| tool["name"].as_str()));
    let mut texts = vec![("the server's instructions".to_owned(), INSTRUCTIONS)];
    for tool in &tools {
        let name = tool["name"].as_str().unwrap();
        texts.push((name.to_owned(), tool["description"].as_str().unwrap()));
        for (argument, schema) in tool["inputSchema"]["properties"].as_object().unwrap() {
            texts.push((format!("{name}.{argument}"), schema["description"].as_str().unwrap()));
        }
    }
    for (place, text) in texts {
        let unknown: Vec<&str> = identifiers(text).difference(&known).copied().collect();
        assert!(unknown.is_empty(), "{place} names what there is not: {unknown:?}");
    }
    assert!(INSTRUCTIONS.len() < 2_048);
}

#[tokio::test]
async fn the_list_of_tools_is_cheap() {
    let tools = listed(Era::Legacy).await;
    let seen = |tool: &Value| json!([tool["name"], tool["description"], tool["inputSchema"]]);
    let model: usize = tools.iter().map(|tool| tokens::of(&seen(tool))).sum();
    let whole = tokens::of(&json!({ "tools": tools }));
    for tool in &tools {
        println!("{}: {} tokens to a model, {} in all", tool["name"], tokens::of(&seen(tool)), tokens::of(tool));
    }
    println!("{} tools: {model} tokens to a model, {whole} in tools/list", tools.len());
    // What all tools together may cost, however many there are.
    assert!(model <= 6_000 && whole <= 12_000, "{model} and {whole}");
}

/// Does a tool answer from the cache? The one that syncs has its own tests.
fn reads(tool: &ToolInfo) -> bool {
    tool.hints.read_only
}

/// The call that a tool's page shows. `FIRST_RUN` in it stands for the newest finished run.
pub fn example(world: &Synced, tool: &ToolInfo) -> Value {
    let mut arguments = Value::Object(tool.example().unwrap());
    for value in arguments.as_object_mut().unwrap().values_mut().filter(|value| **value == "FIRST_RUN") {
        let newest = world.answer("list_prompt_runs", &json!({ "status": "finished", "limit": 1 }));
        *value = newest["runs"]["rows"][0][0].clone();
    }
    arguments
}

#[test]
fn every_example_works_and_keeps_the_schemas() {
    for tool in tools::catalogue().tools().filter(|tool| reads(tool)) {
        let arguments = example(&DEMO, tool);
        let schema = |schema: &serde_json::Map<String, Value>| jsonschema::validator_for(&json!(schema)).unwrap();
        if let Err(error) = schema(&tool.input_schema).validate(&arguments) {
            panic!("{}: its example breaks its schema: {error}", tool.name);
        }
        for format in ["concise", "detailed"] {
            let mut arguments = arguments.clone();
            arguments["response_format"] = format.into();
            let answer = DEMO.answer(tool.name, &arguments);
            if let Err(error) = schema(&tool.output_schema).validate(&answer) {
                panic!("{} {arguments}: its answer breaks its schema: {error}", tool.name);
            }
        }
    }
}

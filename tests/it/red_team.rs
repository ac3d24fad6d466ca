//! Red team: a cache in which everything that strangers write is hostile, and callers who forge what they send, against
//! every tool, document, plan and completion, over every transport.

mod callers;
mod doors;
mod poison;
mod shown;

use crate::{large_world::Arguments, support::tokens};
use doors::Door;
use poison::{MARK, POISONED};
use serde_json::{Value, json};
use shown::{check_answer, check_clean, check_result, check_words, is_strangers};
use std::{collections::BTreeMap, time::Duration};
use visibility_mcp::{
    mcp::{Limits, ToolError},
    store::VIEWS,
    tools,
};

/// What no answer may exceed, in tokens.
const MOST_TOKENS: usize = 20_000;

fn call(tool: &str, arguments: &Value) -> Result<Value, ToolError> {
    let limits = Limits { total: Duration::from_mins(2), ..Limits::default() };
    tools::catalogue_with_sql().call(tool, arguments.as_object().unwrap(), &POISONED.backend, limits)
}

fn answer(tool: &str, arguments: &Value) -> Value {
    call(tool, arguments).unwrap_or_else(|error| panic!("{tool} {arguments}: {error}"))
}

/// The cells of a table's column, each once.
fn column(answer: &Value, table: &str, name: &str) -> Vec<Value> {
    let table = answer.pointer(table).unwrap_or_else(|| panic!("no {table}: {answer}"));
    let at = table["columns"].as_array().unwrap().iter().position(|column| column == name);
    let at = at.unwrap_or_else(|| panic!("no column {name}: {}", table["columns"]));
    let mut cells: Vec<Value> = Vec::new();
    for row in table["rows"].as_array().unwrap() {
        if !row[at].is_null() && !cells.contains(&row[at]) {
            cells.push(row[at].clone());
        }
    }
    cells
}

/// What each argument can be, as answers show it.
fn names() -> BTreeMap<&'static str, Vec<Value>> {
    let first = |cells: Vec<Value>, most: usize| cells.into_iter().take(most).collect::<Vec<_>>();
    let runs = |arguments: Value| answer("list_prompt_runs", &arguments);
    let older = runs(json!({ "limit": 100, "period": "2025-06-20..2025-06-25" }));
    let failed = runs(json!({ "limit": 1, "status": "failed" }));
    let domains = answer("top_citations", &json!({}));
    let urls = answer("top_citations", &json!({ "by": "url" }));
    let prompts =
        answer("list_prompts", &json!({ "include_branded": true, "limit": 100, "response_format": "detailed" }));
    let brands = column(&answer("list_brands", &json!({})), "/projects/0/brands", "brand");
    let run_ids = column(&older, "/runs", "run_id");
    let views = VIEWS.iter().map(|view| format!("SELECT * FROM {} LIMIT 20", view.name).into());
    BTreeMap::from([
        ("basket", vec![json!("engines 2025-06-14..2025-06-29"), json!("month citation_rate 2025-06-14..2025-06-29")]),
        ("brand", first(brands.clone(), 3)),
        ("rival", vec![brands[1].clone(), brands[5].clone()]),
        ("domain", first(column(&domains, "/projects/0/citations", "domain"), 2)),
        ("engine", first(column(&older, "/runs", "engine"), 2)),
        ("metric", vec!["presence_rate".into(), "visibility_score".into()]),
        ("other_run_id", vec![run_ids[3].clone()]),
        ("period", vec!["2025-06-14..2025-06-28".into(), "30d".into()]),
        ("project", first(column(&older, "/runs", "project"), 2)),
        ("prompt_id", first(column(&prompts, "/prompts", "prompt_id"), 2)),
        ("run_id", [first(run_ids, 8), column(&failed, "/runs", "run_id")].concat()),
        ("source", vec![crate::support::world::SOURCE.into()]),
        ("sql", views.collect()),
        ("status", vec!["finished".into(), "failed".into()]),
        ("text", vec![MARK.into(), "evil".into(), "ignore all previous".into()]),
        ("topic", first(column(&prompts, "/prompts", "topic"), 2)),
        ("url", first(column(&urls, "/projects/0/citations", "url"), 3)),
    ])
}

#[test]
fn every_answer_about_hostile_texts_is_clean_bounded_and_says_whose_words_they_are() {
    let names = names();
    let mut dear: Vec<(usize, String)> = Vec::new();
    for tool in tools::catalogue_with_sql().tools() {
        let arguments = Arguments::of(tool, &names);
        let calls = [arguments.plain(), arguments.dear()].concat();
        let (mut answered, mut of_strangers) = (0, 0);
        for mut arguments in calls {
            for _page in 0..2 {
                let case = format!("{} {arguments}", tool.name);
                let done = match call(tool.name, &arguments) {
                    Ok(answer) => answer,
                    Err(error) => {
                        assert!(["invalid", "not_found", "unavailable"].contains(&error.class()), "{case}: {error}");
                        check_words(&case, &error.to_string());
                        break;
                    }
                };
                let text = done.to_string();
                check_answer(&case, &done, &text);
                answered += 1;
                of_strangers += usize::from(is_strangers(&text));
                dear.push((tokens::of_text(&text), case));
                let Some(cursor) = done.get("next_cursor") else { break };
                arguments["cursor"] = cursor.clone();
            }
        }
        println!("{:<18} {answered:>5} answers, {of_strangers} with words of strangers", tool.name);
        // One has no way to the network here.
        let is_quoting = tool.hints.open_world && tool.name != "sync_now";
        assert!(answered > 0 || tool.name == "sync_now", "{} answers nothing", tool.name);
        assert!(!is_quoting || of_strangers > 0, "{}: the hostile texts never came near it", tool.name);
    }
    dear.sort_unstable_by(|one, other| other.cmp(one));
    for (cost, case) in dear.iter().take(5) {
        println!("{cost:>6} tokens: {}", case.chars().take(200).collect::<String>());
    }
    let over: Vec<_> = dear.iter().filter(|(cost, _)| *cost > MOST_TOKENS).collect();
    assert!(over.is_empty(), "{} answers cost too much: {:?}", over.len(), over.first());
}

#[test]
fn an_answer_of_twenty_megabytes_is_shown_in_pieces_in_the_time_of_a_call() {
    let newest = answer("list_prompt_runs", &json!({ "period": "2025-06-29", "engine": "chatgpt", "limit": 100 }));
    let chars = |run: &Value| {
        let details = answer("get_run_details", &json!({ "run_id": run }));
        details["answer"]["total_chars"].as_u64().unwrap_or_default()
    };
    let runs = column(&newest, "/runs", "run_id");
    let huge = runs.iter().find(|run| chars(run) > 10_000_000).expect("the answer of twenty megabytes");
    let total = chars(huge);
    let limits = Limits::default();
    let timed = |tool: &str, arguments: Value| {
        let registry = tools::catalogue_with_sql();
        let begun = std::time::Instant::now();
        let done = registry.call(tool, arguments.as_object().unwrap(), &POISONED.backend, limits);
        println!("{tool} {arguments}: {:?}", begun.elapsed());
        let done = done.unwrap_or_else(|error| panic!("{tool} {arguments}: {error}"));
        check_answer(tool, &done, &done.to_string());
        assert!(tokens::of(&done) <= MOST_TOKENS, "{tool} {arguments}: {} tokens", tokens::of(&done));
        done
    };
    for (offset, format) in [(0, "concise"), (total / 2, "detailed"), (total - 10, "detailed"), (total + 10, "concise")]
    {
        let arguments = json!({ "run_id": huge, "answer_offset": offset, "response_format": format });
        let piece = timed("get_run_details", arguments)["answer"].clone();
        assert_eq!(piece["total_chars"], total);
        assert_eq!(piece["truncated"], offset + 10 < total, "{offset}");
    }
    for format in ["concise", "detailed"] {
        timed("compare_runs", json!({ "run_id": huge, "response_format": format }));
        timed("search_answers", json!({ "text": "evil", "response_format": format }));
        timed("list_prompt_runs", json!({ "text": MARK, "response_format": format }));
    }
    timed("query_sql", json!({ "sql": "SELECT * FROM runs ORDER BY day DESC" }));
}

#[tokio::test]
async fn every_transport_passes_hostile_texts_on_as_harmlessly() {
    let registry = tools::catalogue_with_sql();
    let names = names();
    for mut door in Door::all().await {
        let name = door.name.clone();
        let mut lists = Vec::new();
        for _ in 0..2 {
            let mut list = String::new();
            for method in ["tools/list", "prompts/list", "resources/templates/list"] {
                list += &door.ask(method, json!({})).await["result"].to_string();
            }
            assert!(!is_strangers(&list), "{name}: a stranger speaks in a list");
            lists.push(list);

            for tool in registry.tools().filter(|tool| tool.name != "sync_now") {
                for arguments in Arguments::of(tool, &names).plain() {
                    let case = format!("{name} {} {arguments}", tool.name);
                    let result = door.call(tool.name, &arguments).await;
                    // Words, where a run failed and has nothing to compare.
                    check_result(&case, &result);
                    assert_eq!(result["content"].as_array().unwrap().len(), 1, "{case}");
                }
            }
        }
        assert_eq!(lists[0], lists[1], "{name}: the lists changed");

        let listed = door.ask("resources/list", json!({})).await["result"]["resources"].take();
        assert!(is_strangers(&listed.to_string()), "{name}: {listed}");
        check_clean(&name, &listed.to_string());
        for resource in listed.as_array().unwrap() {
            let read = door.ask("resources/read", json!({ "uri": resource["uri"] })).await;
            let text = read.pointer("/result/contents/0/text").and_then(Value::as_str);
            let case = format!("{name} {}", resource["uri"]);
            match text {
                Some(text) => check_answer(&case, &serde_json::from_str(text).unwrap(), text),
                // A name may be longer than an argument may be.
                None => check_words(&case, read["error"]["message"].as_str().unwrap()),
            }
        }
        for argument in ["project", "brand", "engine"] {
            let reference = json!({ "type": "ref/prompt", "name": "weekly_review" });
            let params = json!({ "ref": reference, "argument": { "name": argument, "value": "" } });
            let done = door.ask("completion/complete", params).await;
            if let Some(values) = done.pointer("/result/completion/values").and_then(Value::as_array) {
                for value in values {
                    check_clean(&name, value.as_str().unwrap());
                }
            }
        }
        door.close().await;
    }
}

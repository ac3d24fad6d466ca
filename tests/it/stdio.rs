//! The program itself on stdin and stdout, as a client starts it.

use crate::support::{
    program::{Home, PROGRAM},
    raw::{Era, Raw, text},
    surely,
    world::SMALL,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, process::Command};
use tokio::process::Child;
use visibility_mcp::tools;

/// Calls of every tool that reads, which must succeed on any cache with a finished run: those that their pages show.
async fn calls(raw: &mut Raw) -> Vec<(&'static str, Value)> {
    let list = raw.call("list_prompt_runs", json!({ "status": "finished", "limit": 1 })).await;
    let run = &list["structuredContent"]["runs"]["rows"][0][0];
    let mut calls = vec![("list_prompt_runs", json!({ "visible": true })), ("top_citations", json!({ "by": "url" }))];
    for tool in tools::catalogue().tools().filter(|tool| tool.hints.read_only) {
        let mut arguments = Value::Object(tool.example().unwrap());
        for value in arguments.as_object_mut().unwrap().values_mut().filter(|value| **value == "FIRST_RUN") {
            *value = run.clone();
        }
        for format in ["concise", "detailed"] {
            arguments["response_format"] = format.into();
            calls.push((tool.name, arguments.clone()));
        }
    }
    calls
}

/// The schema of each tool's answers.
async fn schemas(raw: &mut Raw) -> BTreeMap<String, jsonschema::Validator> {
    let list = raw.ask("tools/list", json!({})).await["result"].take();
    let tools = list["tools"].as_array().unwrap().clone();
    tools
        .iter()
        .map(|tool| {
            (tool["name"].as_str().unwrap().to_owned(), jsonschema::validator_for(&tool["outputSchema"]).unwrap())
        })
        .collect()
}

#[tokio::test]
async fn every_tool_answers_in_both_eras_and_keeps_its_schema() {
    let home = Home::new();
    let cache = SMALL.copy_to(home.path());
    for era in Era::BOTH {
        let arguments = ["serve", "--demo", "--no-sync", "--cache", cache.to_str().unwrap()];
        let (mut child, mut raw) = home.open(&arguments, era).await;
        let schemas = schemas(&mut raw).await;
        let mut called = Vec::new();
        for (tool, arguments) in calls(&mut raw).await {
            let result = raw.call(tool, arguments.clone()).await;
            let structured = &result["structuredContent"];
            assert_eq!(result["isError"], false, "{tool} {arguments}: {result}");
            assert_eq!(&serde_json::from_str::<Value>(text(&result)).unwrap(), structured, "{tool}: halves differ");
            if let Err(error) = schemas[tool].validate(structured) {
                panic!("{tool} {arguments}: {error}");
            }
            called.push(tool);
        }
        assert!(
            schemas.keys().all(|name| name == "sync_now" || called.contains(&name.as_str())),
            "a tool was not called: {:?}",
            schemas.keys()
        );
        raw.close().await;
        assert_eq!(raw.next().await, None, "stdout holds answers alone");
        assert!(surely("the end", child.wait()).await.unwrap().success());
    }
}

#[tokio::test]
async fn input_that_ends_at_once_is_a_good_end() {
    let home = Home::new();
    let mut child = home.serve(PROGRAM, &["serve", "--no-sync"]);
    let mut raw = Raw::of(&mut child, Era::Legacy);
    raw.close().await;
    assert_eq!(raw.next().await, None);
    assert!(surely("the end", child.wait()).await.unwrap().success());
}

#[cfg(unix)]
#[tokio::test]
async fn a_request_to_stop_is_a_good_end() {
    let home = Home::new();
    let cache = SMALL.copy_to(home.path());
    let arguments = ["serve", "--demo", "--no-sync", "--cache", cache.to_str().unwrap()];
    for opened in [false, true] {
        let mut child = home.serve(PROGRAM, &arguments);
        let mut raw = Raw::of(&mut child, Era::Legacy);
        // Signals are watched before the first message is read.
        raw.open().await;
        if opened {
            raw.call("brand_summary", json!({})).await;
        }
        stop(&child);
        assert_eq!(raw.next().await, None);
        assert!(surely("the end", child.wait()).await.unwrap().success());
    }
}

fn stop(child: &Child) {
    let id = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
}

#[tokio::test]
async fn stdout_holds_protocol_alone_however_much_is_logged() {
    let home = Home::new();
    let cache = SMALL.copy_to(home.path());
    let arguments = ["-vv", "serve", "--demo", "--cache", cache.to_str().unwrap()];
    let (_child, mut raw) = home.open(&arguments, Era::Modern).await;
    for (tool, arguments) in calls(&mut raw).await {
        // Every line that is read on the way to the answer must be a message.
        assert_eq!(raw.call(tool, arguments).await["isError"], false);
    }
}

#[tokio::test]
async fn a_server_without_anything_starts_and_every_tool_says_what_to_do() {
    let home = Home::new();
    let (mut child, mut raw) = home.open(&["serve"], Era::Legacy).await;
    for tool in schemas(&mut raw).await.keys() {
        let arguments = match tool.as_str() {
            "get_run_details" | "compare_runs" => json!({ "run_id": "r0000000000000" }),
            "search_answers" => json!({ "text": "battery" }),
            // What figures mean is known without any data.
            "explain_metric" => continue,
            _ => json!({}),
        };
        let result = raw.call(tool, arguments).await;
        assert!(text(&result).contains("VERSEODIN_API_KEY"), "{tool}: {result}");
        assert!(text(&result).contains("serve --demo"), "{tool}: {result}");
    }
    raw.close().await;
    assert!(surely("the end", child.wait()).await.unwrap().success());
}

#[tokio::test]
async fn lines_that_are_no_messages_do_no_harm() {
    let home = Home::new();
    let cache = SMALL.copy_to(home.path());
    let (_child, mut raw) =
        home.open(&["serve", "--demo", "--no-sync", "--cache", cache.to_str().unwrap()], Era::Legacy).await;
    let long = "x".repeat(300_000);
    for line in ["hello?", "{", "{}", "null", "\"\"", "", "\u{0}\u{1b}[2J", r#"{"jsonrpc":"1.0","id":7}"#, &long] {
        raw.send_line(line).await;
        assert_eq!(raw.call("list_sources", json!({})).await["isError"], false, "after {line:.20}");
    }
}

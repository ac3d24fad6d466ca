//! The server over HTTP: both eras, the older transport, guards, access, and what it writes.

mod access;
mod guards;
mod oauth;
pub mod sse;

use crate::support::{http::HttpProgram, program::Home, raw::Era, world::SMALL};
use serde_json::{Value, json};

async fn value(response: reqwest::Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// The program over a small cache, and the home that holds it.
async fn small(arguments: &[&str]) -> (Home, HttpProgram) {
    let home = Home::new();
    let cache = SMALL.copy_to(home.path());
    let all = [&["--demo", "--no-sync", "--cache", cache.to_str().unwrap()], arguments].concat();
    let program = HttpProgram::start(&home, &all).await;
    (home, program)
}

#[tokio::test]
async fn both_eras_answer_as_stdio_does() {
    let (_home, program) = small(&[]).await;
    let mut lists = Vec::new();
    for era in Era::BOTH {
        let mut client = program.client(era, None);
        assert_eq!(client.open().await, 200);
        let list = client.ask("tools/list", json!({})).await;
        lists.push(list["result"]["tools"].clone());
        let result = client.call("brand_summary", json!({ "project": "Fernvolt · home batteries" })).await;
        assert_eq!(result["isError"], false, "{result}");
        let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, result["structuredContent"]);
        let refused = client.call("list_prompt_runs", json!({ "limit": 1_000 })).await;
        assert_eq!(refused["isError"], true, "{refused}");
        let unknown = client.ask("tools/call", json!({ "name": "no_tool", "arguments": {} })).await;
        assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
        let resource = client.ask("resources/list", json!({})).await;
        assert!(resource["result"]["resources"].as_array().is_some_and(|list| !list.is_empty()), "{resource}");
    }
    assert!(lists[0] == lists[1] && lists[0].as_array().unwrap().len() == 15);
    let (out, log) = program.stop().await;
    assert_eq!(out, "", "stdout is for data");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("visibility_mcp::calls")).collect();
    assert_eq!(lines.len(), 4, "one line a call: {log}");
    let asked = lines.iter().find(|line| line.contains("brand_summary")).unwrap();
    for part in ["arguments=", "duration_ms=", "rows=", "bytes=", "outcome=\"ok\"", "principal=\"owner\""] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
}

#[tokio::test]
async fn a_sync_tells_of_its_steps_over_events_in_both_eras() {
    let home = Home::new();
    let program = HttpProgram::start(&home, &["--demo", "--no-sync", "--history-days", "10"]).await;
    for era in Era::BOTH {
        let mut client = program.client(era, None);
        client.open().await;
        let meta = json!({ "progressToken": "steps" });
        let call = json!({ "name": "sync_now", "arguments": { "source": "demo-verseodin" }, "_meta": meta });
        let messages = client.ask_all("tools/call", call).await;
        let (answer, steps) = messages.split_last().unwrap();
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        let done: Vec<f64> = steps.iter().map(|step| step["params"]["progress"].as_f64().unwrap()).collect();
        assert!(done.is_sorted() && (era == Era::Modern || !done.is_empty()), "{messages:?}");
    }
}

#[tokio::test]
async fn it_says_whether_it_lives_and_is_ready() {
    let (_home, program) = small(&[]).await;
    let client = program.client(Era::Modern, None);
    assert_eq!(client.get("/health/live").send().await.unwrap().status(), 200);
    let ready = client.get("/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), 200);
    assert_eq!(value(ready).await, json!({ "ready": true, "cache": "ok", "sync": "ok" }));

    let home = Home::new();
    let empty = HttpProgram::start(&home, &["--no-sync"]).await;
    let client = empty.client(Era::Modern, None);
    assert_eq!(client.get("/health/live").send().await.unwrap().status(), 200);
    let ready = client.get("/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), 503);
    assert_eq!(value(ready).await["cache"], "empty");
}

#[tokio::test]
async fn calls_at_work_are_answered_when_it_is_told_to_stop() {
    let home = Home::new();
    let program = HttpProgram::start(&home, &["--demo", "--no-sync", "--history-days", "20"]).await;
    let mut client = program.client(Era::Modern, None);
    let call = tokio::spawn(async move { client.call("sync_now", json!({ "wait_seconds": 3 })).await });
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    program.stop().await;
    let result = call.await.unwrap();
    assert_eq!(result["isError"], false, "{result}");
}

#[tokio::test]
async fn figures_and_lines_of_json_are_there_when_asked_for() {
    let (_home, program) = small(&["--metrics", "--log-format", "json"]).await;
    let mut client = program.client(Era::Modern, None);
    client.call("list_sources", json!({})).await;
    client.call("list_prompt_runs", json!({ "limit": 1_000 })).await;
    let text = client.get("/metrics").send().await.unwrap().text().await.unwrap();
    for line in [
        "visibility_mcp_calls_total{tool=\"list_sources\",outcome=\"ok\"} 1",
        "visibility_mcp_calls_total{tool=\"list_prompt_runs\",outcome=\"invalid\"} 1",
        "visibility_mcp_call_duration_seconds_count{tool=\"list_sources\"} 1",
        "visibility_mcp_http_requests_total{route=\"/mcp\",status=\"200\"} 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    let (_, log) = program.stop().await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let call = lines.iter().find(|line| line["tool"] == "list_sources").unwrap_or_else(|| panic!("{log}"));
    assert!(call["outcome"] == "ok" && call["principal"] == "owner" && call["duration_ms"].is_f64(), "{call}");

    let (_home, quiet) = small(&[]).await;
    assert_eq!(quiet.client(Era::Modern, None).get("/metrics").send().await.unwrap().status(), 404);
}

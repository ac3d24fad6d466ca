//! The protocol, in both eras: sessions, lists, calls, and everything that can go wrong with a call.

use crate::support::{
    InProcess, backend, backend_over,
    raw::{Era, Raw, text},
    surely,
    tools::{self, Gate},
};
use rmcp::{
    model::{CallToolRequestParams, ProtocolVersion},
    service::{ClientLifecycleMode, ClientServiceExt as _},
};
use serde_json::{Value, json};
use std::{
    process::{Command, Stdio},
    time::Duration,
};
use visibility_mcp::{
    mcp::{INSTRUCTIONS, Limits, ToolError},
    store::Store,
};

const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

fn names(list: &Value) -> Vec<&str> {
    list["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_sdks_client_works_in_every_lifecycle() {
    let modern = || vec![ProtocolVersion::V_2026_07_28];
    for mode in [
        ClientLifecycleMode::Initialize,
        ClientLifecycleMode::Discover { preferred_versions: modern() },
        ClientLifecycleMode::Auto { preferred_versions: modern(), legacy_version: None },
    ] {
        let server = InProcess::start(Limits::default());
        let client = surely("a session", ().serve_with_lifecycle(server.client, mode)).await.unwrap();
        let listed = client.list_all_tools().await.unwrap();
        assert_eq!(listed.len(), 6);
        let Value::Object(arguments) = json!({ "text": "hello" }) else { unreachable!() };
        let result = client.call_tool(CallToolRequestParams::new("echo").with_arguments(arguments)).await.unwrap();
        assert_eq!(result.structured_content.unwrap()["text"], "hello");
        client.cancel().await.unwrap();
        surely("the server's end", server.done).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_session_begins_with_who_the_server_is() {
    for era in Era::BOTH {
        let mut session = InProcess::start(Limits::default()).raw(era);
        let hello = session.raw.open().await;
        let info = match era {
            Era::Legacy => &hello["serverInfo"],
            Era::Modern => &hello["_meta"][SERVER_INFO],
        };
        assert_eq!(info["name"], "visibility-mcp");
        assert_eq!(info["title"], "AI Visibility");
        assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
        assert!(info["icons"][0]["src"].as_str().unwrap().starts_with("data:image/svg+xml,"));
        assert_eq!(hello["instructions"], INSTRUCTIONS);
        assert_eq!(hello["capabilities"], json!({ "tools": {} }));
        if era == Era::Modern {
            assert_eq!((&hello["ttlMs"], &hello["cacheScope"]), (&json!(300_000), &json!("public")));
        } else {
            assert_eq!(hello["protocolVersion"], "2025-11-25");
        }
    }
}

#[tokio::test]
async fn older_clients_and_those_that_change_their_mind_are_served() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut session = InProcess::start(Limits::default()).raw(Era::Legacy);
        assert_eq!(session.raw.initialize(version).await["result"]["protocolVersion"], version);
    }
    // Some clients probe with discover and then open the old way on the same stream.
    let mut session = InProcess::start(Limits::default()).raw(Era::Modern);
    session.raw.open().await;
    assert!(session.raw.initialize("2025-11-25").await["result"].is_object());
    assert_eq!(session.raw.call("echo", json!({ "text": "x" })).await["isError"], false);
}

#[tokio::test]
async fn tools_are_listed_in_the_registrys_order_with_hints_of_the_era() {
    for era in Era::BOTH {
        let mut session = InProcess::open(Limits::default(), era).await;
        let list = session.raw.ask("tools/list", json!({})).await["result"].take();
        assert_eq!(names(&list), ["echo", "panics", "busy", "deaf", "huge", "cached"]);
        let echo = &list["tools"][0];
        assert_eq!(echo["description"], "Says what it is told.");
        assert_eq!(echo["title"], "Echo");
        assert_eq!(
            echo["annotations"],
            json!({ "title": "Echo", "readOnlyHint": true, "destructiveHint": false, "idempotentHint": true,
                "openWorldHint": true })
        );
        assert_eq!(
            echo["inputSchema"]["properties"]["limit"],
            json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20, "description": "Rows per page." })
        );
        assert_eq!(echo["inputSchema"]["required"], json!(["text"]));
        let modern = era == Era::Modern;
        assert_eq!(list.get("ttlMs"), modern.then_some(&json!(300_000)));
        assert_eq!(list.get("cacheScope"), modern.then_some(&json!("public")));
        assert_eq!(list.get("resultType"), modern.then_some(&json!("complete")));
        let refused = session.raw.ask("tools/list", json!({ "cursor": "x" })).await;
        assert_eq!(refused["error"]["code"], -32602);
    }
}

#[tokio::test]
async fn an_answer_says_the_same_in_both_halves_and_keeps_its_schema() {
    for era in Era::BOTH {
        let mut session = InProcess::open(Limits::default(), era).await;
        let list = session.raw.ask("tools/list", json!({})).await["result"].take();
        let schema = jsonschema::validator_for(&list["tools"][0]["outputSchema"]).unwrap();
        for arguments in [
            json!({ "text": "Zürich \u{1f469}\u{200d}\u{1f467} \"quoted\" \\ \u{7}" }),
            json!({ "text": "", "brand": "Acme", "limit": 100, "period": "2026-10", "response_format": "detailed" }),
        ] {
            let result = session.raw.call("echo", arguments.clone()).await;
            let structured = &result["structuredContent"];
            assert_eq!(result["isError"], false);
            assert_eq!(result["content"].as_array().unwrap().len(), 1);
            assert_eq!(&serde_json::from_str::<Value>(text(&result)).unwrap(), structured);
            assert!(!text(&result).contains(": "), "the text is compact");
            assert_eq!(structured["text"], arguments["text"]);
            if let Err(error) = schema.validate(structured) {
                panic!("{error}");
            }
            let info = result.pointer("/_meta").and_then(|meta| meta.get(SERVER_INFO));
            assert_eq!(info.map(|info| &info["name"]), (era == Era::Modern).then_some(&json!("visibility-mcp")));
        }
    }
}

#[tokio::test]
async fn arguments_may_be_null_or_absent() {
    let mut session = InProcess::open(Limits::default(), Era::Legacy).await;
    for params in [json!({ "name": "huge" }), json!({ "name": "huge", "arguments": null })] {
        let result = session.raw.ask("tools/call", params).await["result"].take();
        assert_eq!(text(&result), "chars is missing; expected a whole number\nchars: How many characters to answer.");
    }
    let result = session.raw.call("echo", json!({ "text": "x", "limit": null, "brand": null })).await;
    assert_eq!(result["structuredContent"]["limit"], 20);
}

#[tokio::test]
async fn a_wrong_argument_is_a_result_that_says_what_is_allowed() {
    let mut session = InProcess::open(Limits::default(), Era::Legacy).await;
    for (arguments, words) in [
        (json!({ "text": "x", "limit": 1000 }), "limit is 1000; allowed 1 to 100"),
        (json!({ "text": "x", "limit": 0 }), "limit is 0; allowed 1 to 100"),
        (json!({ "text": "x", "limit": "5" }), "limit is text; expected a whole number, 1 to 100"),
        (json!({ "txt": "x" }), "\"txt\" is not an argument of echo; did you mean text?\nallowed: "),
        (json!({}), "text is missing; expected text"),
        (json!({ "text": "x", "period": "soon" }), "period is \"soon\"; allowed: 7d, 30d, 90d, a month 2026-10, "),
        (json!({ "text": "x", "response_format": "long" }), "response_format is \"long\"; allowed: concise, detailed"),
    ] {
        let refusal = session.raw.refusal("echo", arguments).await;
        assert!(refusal.starts_with(words), "{refusal}");
    }
    assert_eq!(
        session.raw.refusal("panics", json!({ "x": 1 })).await,
        "\"x\" is not an argument of panics\nit takes no arguments"
    );
}

#[tokio::test]
async fn an_unknown_tool_or_a_malformed_call_is_a_protocol_error() {
    for era in Era::BOTH {
        let mut session = InProcess::open(Limits::default(), era).await;
        let unknown = session.raw.ask("tools/call", json!({ "name": "ecko", "arguments": {} })).await;
        assert_eq!(unknown["error"]["code"], -32602);
        let words = unknown["error"]["message"].as_str().unwrap();
        assert!(words.starts_with("no tool \"ecko\"; did you mean echo? Tools: echo, "), "{words}");
        for params in [json!({ "name": "echo", "arguments": "x" }), json!({ "name": 1 }), json!({})] {
            let malformed = session.raw.ask("tools/call", params).await;
            assert_eq!(malformed["error"]["code"], -32602, "{malformed}");
        }
        let strange = session.raw.ask("tools/dance", json!({})).await;
        assert_eq!(strange["error"]["code"], -32601);
        // What is not JSON is no request, and does no harm.
        session.raw.send_line("hello?").await;
        assert_eq!(session.raw.call("echo", json!({ "text": "x" })).await["isError"], false);
    }
}

#[tokio::test]
async fn ping_is_of_the_older_era() {
    let mut legacy = InProcess::open(Limits::default(), Era::Legacy).await;
    assert_eq!(legacy.raw.ask("ping", json!({})).await["result"], json!({}));
    let mut modern = InProcess::open(Limits::default(), Era::Modern).await;
    // Discovery alone decides for no era yet.
    assert_eq!(modern.raw.call("echo", json!({ "text": "x" })).await["isError"], false);
    assert_eq!(modern.raw.ask("ping", json!({})).await["error"]["code"], -32601);
}

#[tokio::test]
async fn a_panic_is_answered_and_keeps_its_secret() {
    for era in Era::BOTH {
        let mut session = InProcess::open(Limits::default(), era).await;
        let refusal = session.raw.refusal("panics", json!({})).await;
        assert!(refusal.starts_with("the server failed on this call; its log has the cause under e"), "{refusal}");
        assert!(!refusal.contains("secret"));
        assert_eq!(session.raw.call("echo", json!({ "text": "still here" })).await["isError"], false);
    }
}

#[tokio::test]
async fn an_answer_that_no_client_takes_is_refused_with_a_way_out() {
    let mut session = InProcess::open(Limits::default(), Era::Legacy).await;
    // `{"text":""}` is eleven characters.
    let largest = session.raw.call("huge", json!({ "chars": 90_000 - 11 })).await;
    assert_eq!(text(&largest).chars().count(), 90_000);
    for chars in [90_000 - 10, 5_000_000] {
        let refusal = session.raw.refusal("huge", json!({ "chars": chars })).await;
        assert!(refusal.starts_with("the answer would exceed 90000 characters"), "{refusal}");
        assert!(refusal.contains("ask for less"), "{refusal}");
    }
    let mut generous = InProcess::open(Limits { max_chars: usize::MAX, ..Limits::default() }, Era::Legacy).await;
    assert!(generous.raw.refusal("huge", json!({ "chars": 99_500 })).await.contains("99000"));
}

#[tokio::test]
async fn a_missing_cache_is_a_result_that_names_the_step() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path().join("cache.db"));
    let server = InProcess::serve(tools::registry(), backend_over(store.clone()), Limits::default());
    let mut session = server.raw(Era::Legacy);
    session.raw.open().await;
    let refusal = session.raw.refusal("cached", json!({})).await;
    assert!(refusal.starts_with("nothing is synced yet for any source\nrun `visibility-mcp sync`"), "{refusal}");
    // It is looked for anew at every call, so nobody has to start the server again after the first sync.
    store.prepare().unwrap();
    assert_eq!(session.raw.call("cached", json!({})).await["structuredContent"]["done"], true);
}

async fn begin(raw: &mut Raw, tool: &str, key: &str) -> i64 {
    raw.request("tools/call", json!({ "name": tool, "arguments": { "key": key } })).await
}

#[tokio::test]
async fn a_cancelled_call_stops_its_work_and_is_not_answered() {
    for (era, key) in [(Era::Legacy, "cancel, legacy"), (Era::Modern, "cancel, modern")] {
        let mut session = InProcess::open(Limits::default(), era).await;
        let gate = Gate::of(key);
        let id = begin(&mut session.raw, "busy", key).await;
        // Once on the fast lane, stopped there by its budget, and once more on the slow one.
        surely("the slow run", gate.begun.acquire_many(2)).await.unwrap().forget();
        session.raw.cancel(id).await;
        surely("the end of the work", gate.stopped.acquire_many(2)).await.unwrap().forget();
        assert_eq!(session.raw.call("echo", json!({ "text": "x" })).await["isError"], false);
        assert!(!session.raw.has_answer(id));
    }
}

#[tokio::test]
async fn a_call_waiting_for_a_slow_lane_can_be_cancelled() {
    let mut session = InProcess::open(Limits::default(), Era::Legacy).await;
    let gate = Gate::of("queue");
    let running = [begin(&mut session.raw, "deaf", "queue").await, begin(&mut session.raw, "deaf", "queue").await];
    surely("two slow runs", gate.begun.acquire_many(2)).await.unwrap().forget();
    let waiting = begin(&mut session.raw, "deaf", "queue").await;
    session.raw.cancel(waiting).await;
    assert_eq!(session.raw.call("echo", json!({ "text": "x" })).await["isError"], false);
    gate.open();
    for id in running {
        assert_eq!(session.raw.answer(id).await["result"]["structuredContent"]["done"], true);
    }
    assert_eq!(gate.begun.available_permits(), 0, "the cancelled call never began");
}

#[tokio::test]
async fn a_slow_call_never_holds_up_another() {
    let mut session = InProcess::open(Limits::default(), Era::Legacy).await;
    let gate = Gate::of("slow");
    // Two that run and one that waits for a lane.
    let mut slow = Vec::new();
    for _ in 0..3 {
        slow.push(begin(&mut session.raw, "busy", "slow").await);
    }
    surely("a fast run, which tells, and two slow ones", gate.begun.acquire_many(3)).await.unwrap().forget();
    for _ in 0..20 {
        assert_eq!(session.raw.call("echo", json!({ "text": "x" })).await["isError"], false);
    }
    assert!(slow.iter().all(|id| !session.raw.has_answer(*id)));
    gate.open();
    for id in slow {
        assert_eq!(session.raw.answer(id).await["result"]["structuredContent"]["done"], true);
    }
}

#[tokio::test]
async fn a_call_ends_at_its_time_limit_even_if_its_tool_does_not() {
    let limits = Limits { total: Duration::from_millis(50), ..Limits::default() };
    let mut session = InProcess::open(limits, Era::Legacy).await;
    for (tool, key) in [("busy", "late"), ("deaf", "late and deaf")] {
        let refusal = session.raw.refusal(tool, json!({ "key": key })).await;
        assert!(refusal.starts_with("stopped after 0.05 s, the limit of one call\nask for less"), "{refusal}");
        Gate::of(key).open();
    }
}

#[tokio::test]
async fn no_message_at_all_is_a_good_end() {
    let mut session = InProcess::start(Limits::default()).raw(Era::Legacy);
    session.raw.close().await;
    surely("the server's end", session.done).await.unwrap().unwrap();

    let session = InProcess::start(Limits::default()).raw(Era::Legacy);
    session.shutdown.cancel();
    surely("the server's end", session.done).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_call_at_work_is_answered_before_the_server_ends() {
    for (era, key, by_signal) in [
        (Era::Legacy, "end of input", false),
        (Era::Modern, "end of input, modern", false),
        (Era::Legacy, "signal", true),
    ] {
        let mut session = InProcess::open(Limits::default(), era).await;
        let gate = Gate::of(key);
        let id = begin(&mut session.raw, "busy", key).await;
        surely("the slow run", gate.begun.acquire_many(2)).await.unwrap().forget();
        if by_signal {
            session.shutdown.cancel();
        } else {
            session.raw.close().await;
        }
        gate.open();
        assert_eq!(session.raw.answer(id).await["result"]["structuredContent"]["done"], true);
        assert_eq!(session.raw.next().await, None);
        surely("the server's end", session.done).await.unwrap().unwrap();
    }
}

#[test]
fn the_registry_answers_without_a_server_in_the_same_words() {
    let registry = tools::registry();
    assert_eq!(registry.problems(), Vec::<String>::new());
    let call = |name: &str, arguments: Value| {
        let Value::Object(arguments) = arguments else { unreachable!() };
        registry.call(name, &arguments, &backend(), Limits { total: Duration::from_millis(20), ..Limits::default() })
    };
    for tool in registry.tools().filter(|tool| ["echo", "huge"].contains(&tool.name)) {
        let answer = call(tool.name, tool.example().unwrap().into()).unwrap();
        jsonschema::validator_for(&Value::Object((*tool.output_schema).clone())).unwrap().validate(&answer).unwrap();
    }
    assert_eq!(call("echo", json!({ "text": "x", "period": "7d" })).unwrap()["days"], "2026-11-16..2026-11-22");
    let refusal = |name: &str, arguments: Value| call(name, arguments).unwrap_err().to_string();
    assert!(refusal("ecko", json!({})).starts_with("no tool \"ecko\"; did you mean echo?"));
    assert!(refusal("busy", json!({ "key": "never" })).starts_with("stopped after 0.02 s"));
    assert!(refusal("panics", json!({})).starts_with("the server failed"));
    assert!(refusal("huge", json!({ "chars": 90_000 })).starts_with("the answer would exceed"));
    assert!(matches!(call("cached", json!({})), Err(ToolError::NotSynced { .. })));
}

#[test]
fn the_catalogue_keeps_every_rule_of_a_tool() {
    assert_eq!(visibility_mcp::tools::catalogue().problems(), Vec::<String>::new());
}

#[tokio::test]
async fn the_program_itself_serves_on_stdio_and_ends_with_its_input_or_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let mut endings = vec![(Era::Legacy, None), (Era::Modern, None)];
    if cfg!(unix) {
        endings.extend([(Era::Legacy, Some("TERM")), (Era::Modern, Some("INT"))]);
    }
    for (era, signal) in endings {
        let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_visibility-mcp"))
            .args(["serve", "--no-sync", "--cache"])
            .arg(folder.path().join("cache.db"))
            .env_clear()
            .env("HOME", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut raw = Raw::of(&mut child, era);
        raw.open().await;
        let list = raw.ask("tools/list", json!({})).await["result"].take();
        assert!(names(&list).contains(&"list_sources"), "{list}");
        assert!(raw.refusal("list_sources", json!({ "x": 1 })).await.contains("is not an argument of list_sources"));
        match signal {
            None => raw.close().await,
            Some(signal) => {
                let id = child.id().unwrap().to_string();
                assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
            }
        }
        assert_eq!(raw.next().await, None);
        assert!(surely("the program's end", child.wait()).await.unwrap().success());
    }
}

#[test]
fn a_person_chooses_tools_by_name() {
    let registry = tools::registry();
    let chosen = |only: &[&str], except: &[&str]| {
        registry.choose(only, except).map(|chosen| chosen.tools().map(|tool| tool.name).collect::<Vec<_>>())
    };
    assert_eq!(chosen(&[], &[]).unwrap().len(), 6);
    assert_eq!(chosen(&["huge", "echo"], &[]).unwrap(), ["echo", "huge"]);
    assert_eq!(chosen(&["huge", "echo"], &["huge"]).unwrap(), ["echo"]);
    let unknown = chosen(&[], &["hug"]).unwrap_err().to_string();
    assert!(unknown.starts_with("no tool \"hug\"; did you mean huge? Tools: echo, "), "{unknown}");
    let twice = registry.with::<tools::Echo>();
    assert_eq!((twice.tools().count(), twice.problems()), (6, vec!["echo is registered twice".to_owned()]));
}

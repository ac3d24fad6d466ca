//! Who may ask for what: tokens, their projects, and what they must never see.

use super::sse::SseClient;
use crate::support::{
    http::{HttpClient, HttpProgram},
    program::Home,
    raw::Era,
    surely,
    world::{SMALL, SOURCE},
};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, time::Duration};
use visibility_mcp::{access, tools};

const OWN: &str = "Fernvolt · home batteries";
/// What stands in rows of the source that belong to no project: a reason and a field.
const OF_THE_SOURCE: [&str; 2] = ["a reason with a name in it", "named_after_a_project"];

/// A server with these tokens: name, projects, may sync. The tokens come in the same order.
async fn served(listed: &[(&str, &str, bool)], arguments: &[&str]) -> (Home, HttpProgram, Vec<String>) {
    let home = Home::new();
    let cache = SMALL.copy_to(home.path());
    let [reason, field] = OF_THE_SOURCE;
    let rows = format!(
        "INSERT INTO quarantine (source_id, place, reason, hash, raw, first_at, last_at) VALUES (1, '', '{reason}', 1, '', 0, 0);
         INSERT INTO drift (source_id, record, field, kind, first_at, last_at) VALUES (1, 'run', '{field}', 'new', 0, 0);"
    );
    Connection::open(&cache).unwrap().execute_batch(&rows).unwrap();
    let (mut file, mut tokens) = (String::new(), Vec::new());
    for (name, projects, sync) in listed {
        let minted = access::mint().unwrap();
        file += &entry(name, &minted.sha256, projects, *sync);
        tokens.push(minted.token);
    }
    let path = home.join("tokens.toml");
    fs::write(&path, file).unwrap();
    let (cache, path) = (cache.to_str().unwrap().to_owned(), path.to_str().unwrap().to_owned());
    let all = ["--demo", "--no-sync", "--rate", "1000", "--cache", &cache, "--token-file", &path];
    let program = HttpProgram::start(&home, &[&all, arguments].concat()).await;
    (home, program, tokens)
}

fn entry(name: &str, sha256: &str, projects: &str, sync: bool) -> String {
    format!("[[tokens]]\nname = {name:?}\nsha256 = \"{sha256}\"\nprojects = [{projects:?}]\nsync = {sync}\n")
}

fn own() -> String {
    format!("{SOURCE}/{OWN}")
}

#[tokio::test]
async fn without_a_token_that_is_known_nobody_is_let_in() {
    let (_home, program, tokens) = served(&[("all", "*", false)], &["--metrics"]).await;
    for token in [None, Some("vis_wrong"), Some("")] {
        let client = program.client(Era::Modern, token);
        for path in ["/mcp", "/sse", "/metrics", "/other"] {
            let response = surely("a status", client.get(path).send()).await.unwrap();
            assert_eq!(response.status(), 401, "{path} with {token:?}");
            let challenge = response.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Bearer"), "{challenge}");
            assert_eq!(challenge.contains("invalid_token"), token == Some("vis_wrong"), "{challenge}");
        }
        assert_eq!(surely("a status", client.get("/health/live").send()).await.unwrap().status(), 200);
    }
    let mut client = program.client(Era::Modern, Some(&tokens[0]));
    assert_eq!(client.call("list_sources", json!({})).await["isError"], false);
    let (_, log) = program.stop().await;
    assert!(log.contains("principal=\"all\"") && !log.contains(&tokens[0]), "{log}");
}

#[tokio::test]
async fn a_token_that_is_taken_out_of_the_file_is_out() {
    let (home, program, tokens) = served(&[("one", "*", false), ("two", "*", false)], &[]).await;
    let one = program.client(Era::Modern, Some(&tokens[0]));
    let status = async || surely("a status", one.get("/other").send()).await.unwrap().status();
    assert_eq!(status().await, 404, "let in");
    let path = home.join("tokens.toml");
    let file = fs::read_to_string(&path).unwrap();
    let second = file.rfind("[[tokens]]").unwrap();
    // Not within the grain of the file's time.
    tokio::time::sleep(Duration::from_millis(50)).await;
    fs::write(&path, &file[second..]).unwrap();
    let mut last = status().await;
    for _ in 0..100 {
        if last == 401 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        last = status().await;
    }
    assert_eq!(last, 401);
    let two = program.client(Era::Modern, Some(&tokens[1]));
    assert_eq!(surely("a status", two.get("/other").send()).await.unwrap().status(), 404, "the other stays");
}

#[tokio::test]
async fn a_session_is_of_whom_it_was_opened_for() {
    let (_home, program, tokens) = served(&[("one", "*", false), ("two", "*", false)], &[]).await;
    let mut one = program.client(Era::Legacy, Some(&tokens[0]));
    assert_eq!(one.open().await, 200);
    let mut two = program.client(Era::Legacy, Some(&tokens[1]));
    two.session.clone_from(&one.session);
    let ping = json!({ "jsonrpc": "2.0", "id": 7, "method": "ping" });
    assert_eq!(surely("a status", two.message(ping.clone()).send()).await.unwrap().status(), 404);
    assert_eq!(surely("a status", one.message(ping.clone()).send()).await.unwrap().status(), 200);

    let mut stream = SseClient::open(&program, Some(&tokens[0])).await;
    stream.initialize().await;
    let other = SseClient::open(&program, Some(&tokens[1])).await;
    assert_eq!(other.post(&stream.endpoint, &ping).await.status(), 404);
    assert!(stream.ask(8, "ping", json!({})).await["error"].is_null());
}

/// Words that are of the other project alone: its name, its brands, its prompts, runs and cited domains.
fn foreign() -> (Value, BTreeSet<String>) {
    let of = |project: &str| -> (Value, BTreeSet<String>) {
        let ask = |tool: &str, arguments: Value| SMALL.answer(tool, &arguments);
        let column = |table: &Value, name: &str| -> Vec<String> {
            let at = table["columns"].as_array().unwrap().iter().position(|column| column == name).unwrap();
            let rows = table["rows"].as_array().unwrap().iter();
            rows.filter_map(|row| row[at].as_str().map(str::to_owned)).collect()
        };
        let runs = ask("list_prompt_runs", json!({ "project": project, "limit": 100, "response_format": "detailed" }));
        let cited = ask("top_citations", json!({ "project": project, "limit": 100 }));
        let urls = ask("top_citations", json!({ "project": project, "limit": 100, "by": "url" }));
        let brands = ask("list_brands", json!({ "project": project }));
        let mut words: BTreeSet<String> = BTreeSet::from([project.to_owned()]);
        let tables = [
            (&runs["runs"], vec!["run_id", "prompt_id", "prompt"]),
            (&cited["projects"][0]["citations"], vec!["domain"]),
            (&urls["projects"][0]["citations"], vec!["url"]),
            (&brands["projects"][0]["brands"], vec!["brand"]),
        ];
        for (table, columns) in tables {
            words.extend(columns.iter().flat_map(|name| column(table, name)));
        }
        let first = |table: &Value, name: &str| column(table, name)[0].clone();
        let rival = column(&brands["projects"][0]["brands"], "brand").into_iter().last().unwrap();
        let named = json!({
            "project": project,
            "brand": rival,
            "rival": rival,
            "prompt_id": first(&runs["runs"], "prompt_id"),
            "run_id": first(&runs["runs"], "run_id"),
            "other_run_id": first(&runs["runs"], "run_id"),
            "domain": first(&cited["projects"][0]["citations"], "domain"),
            "url": first(&urls["projects"][0]["citations"], "url"),
            "text": rival,
            "source": SOURCE,
            "sql": "SELECT project FROM projects",
        });
        (named, words)
    };
    let projects = SMALL.answer("list_sources", &json!({}));
    let names = projects["sources"][0]["projects"].as_array().unwrap().iter();
    let names: Vec<String> = names.map(|project| project["project"].as_str().unwrap().to_owned()).collect();
    let other = names.iter().find(|name| *name != OWN).unwrap();
    let ((named, theirs), (_, ours)) = (of(other), of(OWN));
    let words = theirs.difference(&ours).filter(|word| word.chars().count() > 4).cloned();
    (named, words.chain(OF_THE_SOURCE.map(str::to_owned)).collect())
}

/// Everything that a client is told in answer to a question.
fn shows(answer: &Value, asked: &Value, words: &BTreeSet<String>) -> Vec<String> {
    let text = answer.to_string();
    let asked = asked.to_string();
    words.iter().filter(|word| text.contains(word.as_str()) && !asked.contains(word.as_str())).cloned().collect()
}

/// A name of the same form that is nowhere, though near.
fn near(name: &str) -> String {
    let turned = |c: char| match c {
        'e' | '9' => char::from(c as u8 - 4),
        'a'..='d' | '0'..='8' => char::from(c as u8 + 1),
        other => other,
    };
    let kept = name.chars().count() - 6;
    name.chars().enumerate().map(|(at, c)| if at < kept { c } else { turned(c) }).collect()
}

/// What is said of one of these names, whichever it is, and but for those that are most like it.
fn said(answer: &Value, names: [&str; 2]) -> String {
    let text = if answer["isError"] == true { &answer["content"][0]["text"] } else { &answer["structuredContent"] };
    let text = names.iter().fold(text.to_string(), |text, name| text.replace(name, "NAME"));
    text.split("nearest").next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn no_tool_with_any_argument_tells_of_another_project() {
    let (named, words) = foreign();
    assert!(words.len() > 40, "{words:?}");
    let (_home, program, tokens) = served(&[("team", &own(), true), ("all", "*", true)], &["--query-sql"]).await;
    let mut team = program.client(Era::Modern, Some(&tokens[0]));
    let mut all = program.client(Era::Modern, Some(&tokens[1]));
    let list = all.call("list_sources", json!({ "response_format": "detailed" })).await;
    let found = shows(&list, &json!({}), &words);
    assert!(OF_THE_SOURCE.iter().all(|word| found.iter().any(|found| found == word)), "{found:?} would be found");
    assert!(found.len() > OF_THE_SOURCE.len(), "{found:?} would be found");

    let (mut tried, mut compared) = (0, 0);
    for tool in tools::catalogue_with_sql().tools() {
        let properties = tool.input_schema["properties"].as_object().cloned().unwrap_or_default();
        let required = tool.input_schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut base = json!({});
        for name in &required {
            let name = name.as_str().unwrap();
            base[name] = named.get(name).cloned().unwrap_or_else(|| panic!("no value for {name} of {}", tool.name));
        }
        let mut calls = vec![base.clone()];
        if properties.contains_key("response_format") {
            let mut call = base.clone();
            call["response_format"] = "detailed".into();
            calls.push(call);
        }
        let strings = properties.iter().filter(|(_, schema)| schema["type"] == "string");
        for (name, _) in strings.clone() {
            let Some(value) = named.get(name.as_str()) else { continue };
            let mut call = base.clone();
            call[name.as_str()] = value.clone();
            calls.push(call.clone());
            if let Some(value) = value.as_str().filter(|value| words.contains(*value)) {
                let nowhere = near(value);
                let theirs = said(&team.call(tool.name, call.clone()).await, [value, &nowhere]);
                call[name.as_str()] = nowhere.as_str().into();
                let answer = team.call(tool.name, call.clone()).await;
                let found = shows(&answer, &call, &words);
                assert!(found.is_empty(), "{} {call} tells of {found:?}: {answer}", tool.name);
                assert_eq!(theirs, said(&answer, [value, &nowhere]), "{} tells {value} from {nowhere}", tool.name);
                call[name.as_str()] = value.into();
                compared += 1;
            }
            if properties.contains_key("response_format") {
                call["response_format"] = "detailed".into();
                calls.push(call);
            }
        }
        // What is asked about, and as few other conditions as there are.
        for mut call in calls {
            if properties.contains_key("wait_seconds") {
                call["wait_seconds"] = 1.into();
            }
            let answer = team.call(tool.name, call.clone()).await;
            let found = shows(&answer, &call, &words);
            assert!(found.is_empty(), "{} {call} tells of {found:?}: {answer}", tool.name);
            tried += 1;
        }
    }
    assert!(tried > 60 && compared > 30, "{tried}, {compared}");
}

#[tokio::test]
async fn counts_resources_completions_and_cursors_are_of_the_own_project_alone() {
    let (named, words) = foreign();
    let (_home, program, tokens) = served(&[("team", &own(), false), ("all", "*", false)], &[]).await;
    let mut team = program.client(Era::Modern, Some(&tokens[0]));
    let mut all = program.client(Era::Modern, Some(&tokens[1]));

    // What the owner is told of the own project is what the team is told of everything.
    for tool in ["list_prompt_runs", "list_prompts", "search_answers", "list_brands", "top_citations", "brand_summary"]
    {
        let mut arguments = json!({});
        if tool == "search_answers" {
            arguments["text"] = "the".into();
        }
        let ours = team.call(tool, arguments.clone()).await["structuredContent"].take();
        arguments["project"] = OWN.into();
        let theirs = all.call(tool, arguments).await["structuredContent"].take();
        assert_eq!(without_cursors(ours), without_cursors(theirs), "{tool}");
    }
    let sources = team.call("list_sources", json!({ "response_format": "detailed" })).await["structuredContent"].take();
    assert_eq!(sources["sources"].as_array().unwrap().len(), 1, "{sources}");
    let source = &sources["sources"][0];
    assert_eq!(source["projects_known"], 1);
    assert!(source.get("quarantined_rows").is_none() && source["last_sync"].get("added").is_none(), "{source}");

    let resources = team.ask("resources/list", json!({})).await;
    assert!(shows(&resources, &json!({}), &words).is_empty(), "{resources}");
    let run = named["run_id"].as_str().unwrap();
    let read = team.ask("resources/read", json!({ "uri": format!("visibility://run/{run}") })).await;
    assert!(read["error"].is_object() && shows(&read, &named, &words).is_empty(), "{read}");
    for argument in ["project", "brand", "engine", "prompt_id"] {
        let reference = json!({ "type": "ref/prompt", "name": "weekly_review" });
        let ask = json!({ "ref": reference, "argument": { "name": argument, "value": "" } });
        let completed = team.ask("completion/complete", ask).await;
        assert!(shows(&completed, &json!({}), &words).is_empty(), "{argument}: {completed}");
    }
    // A cursor that was given to somebody who sees more opens nothing.
    let page = all.call("list_prompt_runs", json!({ "limit": 1 })).await;
    let cursor = page["structuredContent"]["next_cursor"].clone();
    let answer = team.call("list_prompt_runs", json!({ "limit": 1, "cursor": cursor })).await;
    assert!(shows(&answer, &json!({}), &words).is_empty(), "{answer}");
}

fn without_cursors(mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("next_cursor");
    }
    answer
}

#[tokio::test]
async fn who_may_not_sync_or_sees_a_part_of_a_source_has_nothing_synced() {
    let listed = [("reader", "*", false), ("part", &own()[..], true), ("source", "demo-verseodin/*", true)];
    let (_home, program, tokens) = served(&listed, &[]).await;
    let mut clients: Vec<HttpClient> = tokens.iter().map(|token| program.client(Era::Modern, Some(token))).collect();
    let sync = json!({ "wait_seconds": 1 });
    let refused = clients[0].call("sync_now", sync.clone()).await;
    assert!(refused["isError"] == true && refused.to_string().contains("not sync"), "{refused}");
    let list = clients[0].ask("tools/list", json!({})).await.to_string();
    assert!(!list.contains("\"name\":\"sync_now\""), "what would be refused is not offered");
    let refused = clients[1].call("sync_now", sync.clone()).await;
    assert!(refused["isError"] == true && refused.to_string().contains("every project"), "{refused}");
    let done = clients[2].call("sync_now", sync).await;
    assert_eq!(done["isError"], false, "{done}");
    let synced = done["structuredContent"]["sources"]["rows"].as_array().unwrap();
    assert!(synced.len() == 1 && synced[0][0] == SOURCE, "the one source that it sees: {done}");
}

#[tokio::test]
async fn a_token_file_that_cannot_be_used_is_refused_with_the_line() {
    let home = Home::new();
    let path = home.join("tokens.toml");
    for (text, part) in [
        (None, "cannot read"),
        (Some("[[tokens]\n".to_owned()), "line 1"),
        (Some(entry("a", "00", "*", false)), "64 hexadecimal"),
        (Some(entry("a", &"0".repeat(64), "no-slash", false)), "source/project"),
        (Some(entry("owner", &"0".repeat(64), "*", false)), "owner"),
        (Some(entry("a", &"0".repeat(64), "*", false).repeat(2)), "taken"),
    ] {
        if let Some(text) = text {
            fs::write(&path, text).unwrap();
        }
        let refused = tokio::process::Command::new(crate::support::program::PROGRAM)
            .args(["serve", "--http", "127.0.0.1:0", "--token-file", path.to_str().unwrap()])
            .env_clear()
            .envs(home.environment())
            .output();
        let output = surely("a refusal", refused).await.unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && words.contains(part), "{part}: {words}");
    }
}

//! The command line: what a person sees, and the exit code that a script does.

use crate::support::{
    program::{Home, PROGRAM},
    raw::{Era, Raw},
    secrets::{plant, watched},
    surely,
    world::SMALL,
};
use assert_cmd::Command;
use insta::{Settings, assert_snapshot};
use serde_json::Value;
use std::{fmt::Write as _, net::TcpListener, path::PathBuf, process::Stdio, sync::Arc};
use visibility_mcp::demo::verseodin::{ServerOptions, VerseodinServer, WorldTracker};

/// What a run of the program came to.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    /// The whole of it, as a snapshot.
    fn shown(&self) -> String {
        let mut shown = format!("exit code: {}\n", self.code);
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                let _ = write!(shown, "----- {name} -----\n{text}");
            }
        }
        shown
    }
}

/// Runs the program in this home, with these variables beside its own.
fn run_with(home: &Home, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    let keys = variables.iter().filter(|(name, key)| name.ends_with("_KEY") && !key.starts_with('$'));
    keys.for_each(|(_, key)| plant(*key));
    let output = Command::new(PROGRAM)
        .args(arguments)
        .env_clear()
        .envs(home.environment())
        .envs(variables.iter().copied())
        .current_dir(home.path())
        .output();
    let output = watched(output.unwrap());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn run(home: &Home, arguments: &[&str]) -> Run {
    run_with(home, &[], arguments)
}

/// Runs the program on a small cache of demo data.
fn run_on_demo(arguments: &[&str]) -> Run {
    let (home, cache) = demo_home();
    run(&home, &[&["--demo", "--cache", cache.to_str().unwrap()], arguments].concat())
}

fn demo_home() -> (Home, PathBuf) {
    let home = Home::new();
    let cache = SMALL.copy_to(home.path());
    (home, cache)
}

/// Snapshots without what differs from run to run: folders, ports, how long something took, sizes.
fn check(name: &str, run: &Run) {
    let mut settings = Settings::clone_current();
    let temporary = std::env::temp_dir().canonicalize().unwrap();
    settings.add_filter(&format!(r"{}/\.tmp\w+", temporary.display()), "[HOME]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]");
    settings.add_filter(r"in \d+\.\d s", "in [TIME]");
    settings.add_filter(r"\d+\.\d MB", "[SIZE]");
    settings.add_filter(r"(started_at|ended_at)='?20(2[6-9]|[3-9]\d)-[\d:TZ.-]+", "$1=[TIME]");
    settings.add_filter(r"20\d\d-\d\d-\d\dT[\d:.]+Z +ERROR", "[TIME] ERROR");
    settings.set_omit_expression(true);
    settings.bind(|| assert_snapshot!(name, run.shown()));
}

/// A tracker with the small world, and the variables that configure it.
fn tracker() -> (VerseodinServer, String) {
    let tracker = Arc::new(WorldTracker::new(Arc::clone(&SMALL.world)));
    let server = VerseodinServer::spawn_on_thread(tracker, ServerOptions::unhurried()).unwrap();
    let address = server.base_url();
    (server, address)
}

#[test]
fn help_and_version() {
    let home = Home::new();
    check("help", &run(&home, &["--help"]));
    let version = run(&home, &["--version"]);
    assert_eq!(
        (version.code, version.stdout.as_str()),
        (0, concat!("visibility-mcp ", env!("CARGO_PKG_VERSION"), "\n"))
    );
    check("no_such_command", &run(&home, &["summarise"]));
}

#[test]
fn tools_are_listed_for_people_and_for_programs() {
    let home = Home::new();
    check("tools", &run(&home, &["tools"]));
    let listed = run(&home, &["tools", "--json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert!(listed["tools"].as_array().unwrap().iter().all(|tool| tool["inputSchema"]["type"] == "object"));
}

#[tokio::test]
async fn demo_shows_a_summary_and_a_configuration_that_works() {
    let home = Home::new();
    let demo = run(&home, &["demo"]);
    assert_eq!(demo.code, 0, "{}", demo.stderr);
    for words in
        ["brand_summary", "Fernvolt", "presence_rate:", "by_engine:", "top_sources:", "claude_desktop_config.json"]
    {
        assert!(demo.stdout.contains(words), "no {words} in:\n{}", demo.stdout);
    }
    assert!(demo.stderr.starts_with("Syncing demo data"), "{}", demo.stderr);

    let (start, end) = (demo.stdout.find("\n{\n").unwrap(), demo.stdout.find("\n}\n").unwrap());
    let config: Value = serde_json::from_str(&demo.stdout[start..end + 2]).unwrap();
    let server = &config["mcpServers"]["visibility-demo"];
    let arguments: Vec<&str> = server["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let mut child = home.serve(server["command"].as_str().unwrap(), &arguments);
    let mut raw = Raw::of(&mut child, Era::Legacy);
    assert_eq!(raw.open().await["serverInfo"]["name"], "visibility-mcp");
    let summary = raw.call("brand_summary", serde_json::json!({})).await;
    assert_eq!(summary["isError"], false, "it serves what the demo has built: {summary}");
    raw.close().await;
    assert!(surely("the end", child.wait()).await.unwrap().success());
}

#[test]
fn sync_with_nothing_configured_says_what_to_set() {
    check("sync_nothing_configured", &run(&Home::new(), &["sync"]));
}

#[test]
fn sync_tells_how_far_it_is_and_what_it_did() {
    let (server, address) = tracker();
    let home = Home::new();
    let variables = [("VERSEODIN_API_KEY", server.key()), ("VERSEODIN_BASE_URL", &address)];
    check("sync", &run_with(&home, &variables, &["sync", "--history-days", "3660"]));
    // What may still change is read again, and nothing is new.
    check("sync_again", &run_with(&home, &variables, &["sync", "--history-days", "3660"]));
    let report = run_with(&home, &variables, &["sync", "--json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["sources"][0]["outcome"], "done");
    check("sync_no_such_source", &run_with(&home, &variables, &["sync", "--only", "lumar"]));
}

#[test]
fn a_wrong_key_is_named_and_never_shown() {
    let (_server, address) = tracker();
    let home = Home::new();
    let key = format!("vso_{}", "1f".repeat(24));
    let variables = [("VERSEODIN_API_KEY", key.as_str()), ("VERSEODIN_BASE_URL", &address)];
    for (name, arguments) in [
        ("wrong_key_sync", &["sync"][..]),
        ("wrong_key_status", &["status"]),
        ("wrong_key_call", &["call", "brand_summary"]),
    ] {
        let run = run_with(&home, &variables, arguments);
        assert!(!run.shown().contains(&key[4..20]), "the key is shown");
        assert_eq!(run.code, 1);
        check(name, &run);
    }
    let loud = run_with(&home, &variables, &["-vv", "sync"]);
    assert!(!loud.shown().contains(&key[4..20]), "the key is in the log");
}

#[test]
fn a_placeholder_for_a_key_is_named() {
    let variables = [("VERSEODIN_API_KEY", "${VERSEODIN_API_KEY}")];
    check("placeholder_sync", &run_with(&Home::new(), &variables, &["sync"]));
    check("placeholder_status", &run_with(&Home::new(), &variables, &["status"]));
}

#[test]
fn no_network_is_said_plainly() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}/api/v1");
    let key = format!("vso_{}", "1f".repeat(24));
    let variables = [("VERSEODIN_API_KEY", key.as_str()), ("VERSEODIN_BASE_URL", &address)];
    check("no_network", &run_with(&Home::new(), &variables, &["sync"]));
}

#[test]
fn status_shows_what_is_cached() {
    check("status", &run_on_demo(&["status"]));
    check("status_without_anything", &run(&Home::new(), &["status"]));
    let json: Value = serde_json::from_str(&run_on_demo(&["status", "--json"]).stdout).unwrap();
    // The cache was filled by one of the demo's trackers.
    assert_eq!(json["sources"][2]["projects"].as_array().unwrap().len(), 2);
}

#[test]
fn call_shows_an_answer_to_a_person() {
    let project = "project=Fernvolt · home batteries";
    check("call_brand_summary", &run_on_demo(&["call", "brand_summary", project]));
    check("call_list_prompt_runs", &run_on_demo(&["call", "list_prompt_runs", project, "limit=3", "cited=true"]));
    check("call_list_sources", &run_on_demo(&["call", "list_sources"]));
}

#[test]
fn call_gives_json_alone_to_a_program() {
    let by_pairs = run_on_demo(&["call", "list_prompt_runs", "limit=3", "--json"]);
    assert_eq!((by_pairs.code, by_pairs.stderr.as_str()), (0, ""));
    let answer: Value = serde_json::from_str(&by_pairs.stdout).unwrap();
    assert_eq!(answer["runs"]["rows"].as_array().unwrap().len(), 3);
    for same in [
        &["call", "list_prompt_runs", "--json", r#"{"limit":3}"#][..],
        &["call", "list_prompt_runs", "--json", "limit=3"],
        &["call", "--json", r#"{"limit": 3}"#, "list_prompt_runs"],
    ] {
        assert_eq!(run_on_demo(same).stdout, by_pairs.stdout, "{same:?}");
    }
}

#[test]
fn a_wrong_call_says_what_is_allowed() {
    for (name, arguments) in [
        ("call_nosuch", &["call", "nosuch"][..]),
        ("call_brand_sumary", &["call", "brand_sumary"]),
        ("call_limit_abc", &["call", "list_prompt_runs", "limit=abc"]),
        ("call_limit_1000", &["call", "list_prompt_runs", "limit=1000"]),
        ("call_no_pair", &["call", "list_prompt_runs", "chatgpt"]),
        ("call_broken_json", &["call", "list_prompt_runs", "--json", r#"{"limit": 3"#]),
        ("call_unknown_brand", &["call", "brand_summary", "brand=Watmere"]),
    ] {
        let run = run_on_demo(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{arguments:?}");
        check(name, &run);
    }
    check("call_without_anything", &run(&Home::new(), &["call", "brand_summary"]));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure_and_a_full_disk_is() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let with_stdout = |stdout: Stdio| {
        let mut program = std::process::Command::new(PROGRAM);
        program.arg("tools").env_clear().stdout(stdout).stderr(Stdio::piped()).output().unwrap()
    };
    let done = with_stdout(writer.into());
    assert_eq!((done.status.code(), String::from_utf8(done.stderr).unwrap().as_str()), (Some(0), ""));
    // A disk that is always full.
    let Ok(full) = std::fs::File::create("/dev/full") else { return };
    let done = with_stdout(full.into());
    let words = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(1), "{words}");
    assert!(words.starts_with("error: ") && words.contains("space"), "{words}");
}

#[test]
fn a_cache_that_cannot_be_is_said_plainly() {
    let home = Home::new();
    std::fs::write(home.join("file"), "").unwrap();
    let cache = home.join("file").join("cache.sqlite");
    let cache = cache.to_str().unwrap();
    check("no_place_for_the_cache", &run(&home, &["--demo", "--cache", cache, "sync"]));
    check("no_place_for_the_cache_call", &run(&home, &["--cache", cache, "call", "list_sources"]));
    std::fs::write(home.join("config.toml"), "cache = 5\n").unwrap();
    check("broken_config", &run(&home, &["--config", "config.toml", "status"]));
    check("no_config", &run(&home, &["--config", "nowhere.toml", "status"]));
}

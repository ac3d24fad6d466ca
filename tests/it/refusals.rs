//! What tools say when they cannot answer: always what is wrong and the next step, never a path, never a secret.

use crate::support::world::{DEMO, SMALL, SOURCE, backend_of, call, folder, sync_server};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::{fmt::Write as _, sync::Arc};
use visibility_mcp::{
    clock::Clock,
    config::{self, Overrides},
    demo::verseodin::{ServerOptions, VerseodinServer, WorldTracker},
    mcp::{Backend, Setup},
    store::Store,
    tools,
};

/// What a next step is made of: an argument to give, a tool to call, a command to run, a setting to set.
pub const STEPS: [&str; 14] = [
    "allowed",
    "call ",
    "take ",
    "give ",
    "use ",
    "leave ",
    "run `",
    "set ",
    "name one",
    "nearest:",
    "engines here",
    "expected",
    "write ",
    "views: ",
];

fn check_words(words: &str, case: &str) {
    assert!((1..=3).contains(&words.lines().count()), "{case}: {words}");
    assert!(STEPS.iter().any(|step| words.contains(step)), "{case} has no next step: {words}");
    for hidden in ["/tmp", "/home", "caches", ".sqlite", "SELECT", "vso_"] {
        assert!(!words.contains(hidden), "{case} tells {hidden}: {words}");
    }
}

#[test]
fn every_refusal_names_a_next_step() {
    let page = |arguments: Value| DEMO.answer("list_prompt_runs", &arguments)["next_cursor"].clone();
    let of_another = page(json!({ "limit": 1, "sort": "status" }));
    let run = DEMO.answer("list_prompt_runs", &json!({ "limit": 1 }))["runs"]["rows"][0][0].clone();
    let mut told = String::new();
    for (tool, arguments) in [
        ("list_sources", json!({ "projects": "x" })),
        ("list_sources", json!({ "project": "x" })),
        ("list_sources", json!({ "response_format": "long" })),
        ("list_prompt_runs", json!({ "project": "Fernvold" })),
        ("list_prompt_runs", json!({ "brand": "Watmere" })),
        ("list_prompt_runs", json!({ "brand": " " })),
        ("list_prompt_runs", json!({ "engine": "chatgbt" })),
        ("list_prompt_runs", json!({ "topic": "price" })),
        ("list_prompt_runs", json!({ "prompt_id": "p0000000000000" })),
        ("list_prompt_runs", json!({ "prompt_id": "3" })),
        ("list_prompt_runs", json!({ "status": "nonsense" })),
        ("list_prompt_runs", json!({ "period": "last week" })),
        ("list_prompt_runs", json!({ "period": "2026-11-20..2026-11-01" })),
        ("list_prompt_runs", json!({ "limit": 1_000 })),
        ("list_prompt_runs", json!({ "limit": "five" })),
        ("list_prompt_runs", json!({ "text": "?! ..." })),
        ("list_prompt_runs", json!({ "sort": "sentiment" })),
        ("list_prompt_runs", json!({ "cursor": "nonsense" })),
        ("list_prompt_runs", json!({ "cursor": of_another })),
        ("list_prompt_runs", json!({ "visible": "yes" })),
        ("list_prompt_runs", json!({ "brands": "Fernvolt" })),
        ("get_run_details", json!({})),
        ("get_run_details", json!({ "run_id": "nonsense" })),
        ("get_run_details", json!({ "run_id": "r0000000000000" })),
        ("get_run_details", json!({ "run_id": run, "brand": "Nobody" })),
        ("get_run_details", json!({ "run_id": run, "answer_offset": -1 })),
        ("brand_summary", json!({ "project": "home batteries" })),
        ("brand_summary", json!({ "brand": "nobody.example" })),
        ("brand_summary", json!({ "engine": "copilot" })),
        ("brand_summary", json!({ "period": "0d" })),
        ("brand_summary", json!({ "include_branded": 1 })),
    ] {
        let case = format!("{tool} {arguments}").replace(of_another.as_str().unwrap(), "CURSOR");
        let case = case.replace(run.as_str().unwrap(), "RUN");
        let words = match DEMO.call(tool, arguments) {
            Ok(answer) => panic!("{case} is answered: {answer}"),
            Err(error) => error.to_string(),
        };
        check_words(&words, &case);
        let _ = write!(told, "{case}\n    {}\n\n", words.replace('\n', "\n    "));
    }
    assert_snapshot!("refusals", told.trim_end());
}

#[test]
fn a_list_without_rows_says_why() {
    for (arguments, words) in [
        (json!({ "period": "2020-01" }), "no run in 2020-01-01..2020-01-31: the cache holds 2026-09-22..2026-11-21"),
        (json!({ "text": "xylophone" }), "no run passes these filters; leave some out"),
        (json!({ "mentioned": true, "status": "failed" }), "no run passes these filters; leave some out"),
    ] {
        let answer = DEMO.answer("list_prompt_runs", &arguments);
        assert_eq!(answer["total"], 0);
        assert!(answer["caveats"].as_array().unwrap().contains(&json!(words)), "{}", answer["caveats"]);
    }
    let answer = DEMO.answer("brand_summary", &json!({ "period": "2020-01" }));
    assert!(answer["caveats"][0].as_str().unwrap().contains("no finished run in 2020-01-01..2020-01-31"));
    assert_eq!(answer["summaries"][0]["presence_rate"], json!({ "hits": 0, "runs": 0, "prompts": 0 }));
}

/// What each tool says over this backend.
fn every_tool(backend: &Backend) -> String {
    let mut told = String::new();
    for tool in tools::catalogue().tools() {
        let arguments = match tool.name {
            "get_run_details" | "compare_runs" => json!({ "run_id": "r0000000000000" }),
            "search_answers" => json!({ "text": "battery" }),
            "explain_metric" => json!({ "metric": "presence_rate" }),
            _ => json!({}),
        };
        let words = match call(backend, tool.name, arguments) {
            Ok(answer) => {
                let caveats = answer["caveats"].as_array().unwrap().iter().map(|caveat| caveat.as_str().unwrap());
                let remedies = answer["sources"].as_array().into_iter().flatten().filter_map(|source| {
                    Some(format!(
                        "{}; {}",
                        source["last_sync"]["error"].as_str()?,
                        source["last_sync"]["remedy"].as_str()?
                    ))
                });
                let words: Vec<String> = caveats.map(str::to_owned).chain(remedies).collect();
                assert!(!words.is_empty(), "{} says nothing: {answer}", tool.name);
                words.join("\n")
            }
            Err(error) => {
                let words = error.to_string();
                check_words(&words, tool.name);
                words
            }
        };
        let _ = write!(told, "{}\n    {}\n\n", tool.name, words.replace('\n', "\n    "));
    }
    told.trim_end().to_owned()
}

fn noon() -> Clock {
    Clock::fixed("2026-11-22T12:00:00Z".parse().unwrap())
}

#[test]
fn with_nothing_configured_every_tool_says_what_to_set() {
    let store = Store::at(folder("nothing").join("cache.sqlite"));
    assert_snapshot!("nothing_configured", every_tool(&backend_of(&store, &noon(), &[])));
    // A cache without a project is no better than none.
    store.prepare().unwrap();
    assert_snapshot!("nothing_configured_empty_cache", every_tool(&backend_of(&store, &noon(), &[])));
}

#[test]
fn before_the_first_sync_every_tool_says_what_to_run() {
    let store = Store::at(folder("unsynced").join("cache.sqlite"));
    assert_snapshot!("not_synced", every_tool(&backend_of(&store, &noon(), &[SOURCE])));
    store.prepare().unwrap();
    assert_snapshot!("not_synced_empty_cache", every_tool(&backend_of(&store, &noon(), &[SOURCE])));
}

#[test]
fn a_placeholder_in_the_configuration_is_named_by_every_tool() {
    let overrides = Overrides { cache: Some("cache.sqlite".into()), ..Overrides::default() };
    let environment = |name: &str| (name == config::VERSEODIN_API_KEY).then(|| "YOUR-KEY-HERE".to_owned());
    let config = config::load(&overrides, &environment).unwrap();
    let setup = Setup { sources: Vec::new(), problems: config.problems };
    let store = Store::at(folder("placeholder").join("cache.sqlite"));
    assert_snapshot!("placeholder", every_tool(&Backend::new(store, noon(), setup)));
}

#[test]
fn a_refused_key_is_named_by_every_tool() {
    let tracker = Arc::new(WorldTracker::new(Arc::clone(&SMALL.world)));
    let server = VerseodinServer::spawn_on_thread(tracker, ServerOptions::unhurried()).unwrap();
    server.revoke_key();
    let store = Store::at(folder("refused").join("cache.sqlite"));
    assert!(!sync_server(&server, &store, &noon()).is_success());
    assert_snapshot!("refused_key", every_tool(&backend_of(&store, &noon(), &[SOURCE])));

    // What is cached is still answered from, with the failure as a caveat.
    let copy = Store::at(SMALL.copy_to(&folder("refused-later")));
    sync_server(&server, &copy, &SMALL.clock);
    let backend = backend_of(&copy, &SMALL.clock, &[SOURCE]);
    for (tool, arguments) in [("brand_summary", json!({})), ("list_prompt_runs", json!({}))] {
        let answer = call(&backend, tool, arguments).unwrap();
        let caveats = answer["caveats"].to_string();
        assert!(caveats.contains("the key was refused (401)") && caveats.contains("VERSEODIN_API_KEY"), "{caveats}");
    }
}

/// The fields that a tracker's own list of runs can be sorted by, and ours.
const SORTS: [(&str, &str); 6] = [
    ("createdAt", "created_at"),
    ("status", "status"),
    ("totalBrandCitations", "total_citations"),
    ("totalBrandMentions", "total_mentions"),
    ("bestBrandPosition", "best_position"),
    ("avgBrandSentiment", "avg_sentiment"),
];

/// The fields of a run in that list, and our columns.
const FIELDS: [(&str, &str); 9] = [
    ("id", "run_id"),
    ("status", "status"),
    ("aiProviderType", "engine"),
    ("brandVisible", "visible"),
    ("totalBrandCitations", "total_citations"),
    ("totalBrandMentions", "total_mentions"),
    ("bestBrandPosition", "best_position"),
    ("avgBrandSentiment", "avg_sentiment"),
    ("createdAt", "created_at"),
];

/// `getAiVisibilityPromptRuns(aiVisibilityPromptId, aiVisibilityBrandId, dateRange, first: 20, orderBy)` of Lumar.
#[test]
fn what_lumars_list_of_runs_can_be_asked_ours_can_too() {
    let gap = &DEMO.answer("brand_summary", &json!({}))["summaries"][0]["worst_gaps"]["rows"][0];
    let query = json!({
        "prompt_id": gap[0],
        "brand": DEMO.world.brands(0)[0].name,
        "period": "2026-11-01..2026-11-10",
        "limit": 20,
    });
    let default = DEMO.answer("list_prompt_runs", &query);
    let columns = default["runs"]["columns"].as_array().unwrap();
    for (theirs, ours) in FIELDS {
        assert!(columns.contains(&json!(ours)), "{theirs} has no column {ours}");
    }
    // Ten days on four engines, less what did not run: more than one page of twenty.
    assert_eq!(default["total"], 40);
    assert!(default["next_cursor"].is_string(), "pageInfo.hasNextPage and endCursor");
    let at = columns.iter().position(|column| column == "created_at").unwrap();
    let days: Vec<&str> =
        default["runs"]["rows"].as_array().unwrap().iter().map(|row| &row[at].as_str().unwrap()[..10]).collect();
    assert_eq!((days[0], days[19]), ("2026-11-10", "2026-11-06"), "createdAt DESC");
    for (theirs, ours) in SORTS {
        for order in ["asc", "desc"] {
            let mut query = query.clone();
            (query["sort"], query["order"]) = (ours.into(), order.into());
            let sorted = DEMO.answer("list_prompt_runs", &query);
            assert_eq!(sorted["total"], 40, "{theirs} {order}");
        }
    }
}

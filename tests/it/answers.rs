//! What tools answer: golden answers on the demo world, their cost to a model, and lists that are whole page by page.

use crate::support::{
    tokens,
    world::{DEMO, SMALL, SOURCE, Synced, WIDE, backend_of, call, folder, sync_tracker},
};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};
use visibility_mcp::{
    demo::{
        verseodin::{PromptRow, TrackedBrand, Tracker, Universe, WorldTracker},
        world::{Take, World, WorldSize},
    },
    model::Day,
    store::Store,
};

const SORTS: [&str; 6] =
    ["created_at", "status", "total_citations", "total_mentions", "best_position", "avg_sentiment"];

/// A column of a table, as JSON values.
fn column<'t>(table: &'t Value, name: &str) -> Vec<&'t Value> {
    let columns = table["columns"].as_array().unwrap();
    let at = columns.iter().position(|column| column == name).unwrap_or_else(|| panic!("no column {name}: {table}"));
    table["rows"].as_array().unwrap().iter().map(|row| &row[at]).collect()
}

/// The newest run that passes a filter.
fn newest(world: &Synced, filter: Value) -> String {
    let mut arguments = filter;
    arguments["limit"] = 1.into();
    let list = world.answer("list_prompt_runs", &arguments);
    column(&list["runs"], "run_id")[0].as_str().unwrap().to_owned()
}

fn with(arguments: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut arguments = arguments.clone();
    arguments[name] = value.into();
    arguments
}

#[test]
fn golden_answers() {
    let cited = newest(&DEMO, json!({ "status": "finished", "cited": true, "engine": "chatgpt" }));
    let failed = newest(&DEMO, json!({ "status": "failed" }));
    let fernvolt = "Fernvolt · home batteries";
    for (name, tool, arguments) in [
        ("list_sources", "list_sources", json!({})),
        ("list_prompt_runs", "list_prompt_runs", json!({ "limit": 4 })),
        (
            "list_prompt_runs_where_absent",
            "list_prompt_runs",
            json!({ "project": fernvolt, "visible": false, "status": "finished", "limit": 3, "sort": "total_citations" }),
        ),
        ("get_run_details", "get_run_details", json!({ "run_id": cited })),
        ("get_run_details_of_a_failure", "get_run_details", json!({ "run_id": failed })),
        ("brand_summary", "brand_summary", json!({ "project": fernvolt })),
        (
            "brand_summary_of_a_competitor",
            "brand_summary",
            json!({ "brand": "wattmere.example", "period": "7d", "engine": "grok" }),
        ),
    ] {
        for format in ["concise", "detailed"] {
            let arguments = with(&arguments, "response_format", format);
            // The arguments stand in the snapshot's head, so that it can be read alone.
            assert_json_snapshot!(
                format!("{name}_{format}"),
                DEMO.answer(tool, &arguments),
                &format!("{tool} {arguments}")
            );
        }
    }
}

#[test]
fn default_answers_fit_two_thousand_tokens() {
    for world in [&DEMO, &SMALL, &WIDE] {
        let project = world.world.project_name(0).to_owned();
        for (tool, arguments) in [
            ("list_sources", json!({})),
            ("list_prompt_runs", json!({})),
            ("list_prompt_runs", json!({ "project": project })),
            ("get_run_details", json!({ "run_id": newest(world, json!({ "status": "finished" })) })),
            ("brand_summary", json!({ "project": project })),
            ("brand_summary", json!({})),
        ] {
            let cost = tokens::of(&world.answer(tool, &arguments));
            println!("{} prompts: {tool} {arguments}: {cost} tokens", world.world.prompt_count(0));
            assert!(cost <= 2_000, "{tool} {arguments}: {cost} tokens");
        }
    }
}

#[test]
fn no_answer_passes_twenty_thousand_tokens() {
    for world in [&DEMO, &WIDE] {
        let mut calls = vec![
            ("list_sources", json!({ "response_format": "detailed" })),
            ("brand_summary", json!({ "response_format": "detailed", "period": "90d", "include_branded": true })),
        ];
        calls.push(("list_prompt_runs", json!({ "limit": 100, "response_format": "detailed" })));
        calls.push(("list_prompt_runs", json!({ "status": "failed", "limit": 100, "response_format": "detailed" })));
        // Runs with the most to show.
        let most = world.answer("list_prompt_runs", &json!({ "sort": "total_citations", "limit": 5 }));
        for run in column(&most["runs"], "run_id") {
            calls.push(("get_run_details", json!({ "run_id": run, "response_format": "detailed" })));
        }
        for (tool, arguments) in calls {
            let cost = tokens::of(&world.answer(tool, &arguments));
            println!("{tool} {arguments}: {cost} tokens");
            assert!(cost <= 20_000, "{tool} {arguments}: {cost} tokens");
        }
    }
}

#[test]
fn a_summary_of_many_projects_shows_some_and_names_others() {
    let size = WorldSize { prompts: vec![2; 45], days: 2, ..WorldSize::demo() };
    let world = Arc::new(World::new(size, 7, "2026-11-20".parse().unwrap()));
    let store = Store::at(folder("many").join("cache.sqlite"));
    assert!(sync_tracker(Arc::new(WorldTracker::new(Arc::clone(&world))), &store, &DEMO.clock).is_success());
    let backend = backend_of(&store, &DEMO.clock, &[SOURCE]);
    for (format, shown, most) in [("concise", 2, 2_000), ("detailed", 8, 20_000)] {
        let answer = call(&backend, "brand_summary", json!({ "response_format": format })).unwrap();
        assert_eq!(answer["summaries"].as_array().unwrap().len(), shown);
        assert!(answer["caveats"][0].as_str().unwrap().starts_with(&format!("{shown} of 45 projects are shown; name")));
        assert!(tokens::of(&answer) <= most, "{format}: {}", tokens::of(&answer));
        for tool in ["top_citations", "find_gaps"] {
            let answer = call(&backend, tool, json!({ "response_format": format })).unwrap();
            assert_eq!(answer["projects"].as_array().unwrap().len(), shown);
            assert!(tokens::of(&answer) <= most, "{tool} {format}: {}", tokens::of(&answer));
        }
        let sources = call(&backend, "list_sources", json!({ "response_format": format })).unwrap();
        assert!(tokens::of(&sources) <= most, "{format}: {}", tokens::of(&sources));
        let of_source = &sources["sources"][0];
        assert_eq!(of_source["projects_known"], 45);
        let (whole, more) = (&of_source["projects"], &of_source["more_projects"]);
        assert_eq!(whole.as_array().unwrap().len() + more.as_array().unwrap().len(), 45);
        // What is only named can be asked for.
        let asked = call(&backend, "list_sources", json!({ "project": more[3] })).unwrap();
        assert_eq!(asked["sources"][0]["projects"][0]["project"], more[3]);
    }
}

/// A tracker whose every text is as long and as dear as can be: long questions and answers in another script, endless
/// links.
struct Dear(Universe);

impl Dear {
    fn new() -> Self {
        let brand = |name: &str| TrackedBrand {
            name: name.repeat(40),
            website: "https://www.dear.example/".to_owned(),
            tokens: Vec::new(),
        };
        Self(Universe::new("dear", brand("高"), Vec::new()))
    }
}

impl Tracker for Dear {
    fn universes(&self) -> Vec<Universe> {
        vec![self.0.clone()]
    }

    fn days(&self, _: &str) -> Vec<Day> {
        vec!["2026-11-20".parse().unwrap()]
    }

    fn rows(&self, _: &str, day: Day, _: Take) -> Vec<PromptRow> {
        let row = |number: u32| {
            let question = format!("{number} {}", "最も信頼できる家庭用蓄電池はどれですか".repeat(100));
            let links = (0..60).map(|i| format!("https://www.dear.example/{number}-{i}/{}", "x7-q".repeat(120)));
            let row = PromptRow::pending(&self.0, day, "chatgpt", number, &question);
            row.completed(&self.0, &"蓄電池を選ぶときは容量と保証期間を比べます。".repeat(700), links.collect())
        };
        (1..=40).map(row).collect()
    }
}

#[test]
fn the_dearest_texts_fit_as_well() {
    let store = Store::at(folder("dear").join("cache.sqlite"));
    let report = sync_tracker(Arc::new(Dear::new()), &store, &DEMO.clock);
    assert!(report.is_success(), "{report:?}");
    let backend = backend_of(&store, &DEMO.clock, &[SOURCE]);
    let ask = |tool: &str, arguments: Value| {
        let answer = call(&backend, tool, arguments.clone()).unwrap();
        let cost = tokens::of(&answer);
        println!("{tool} {arguments}: {cost} tokens");
        assert!(cost <= 20_000, "{tool} {arguments}: {cost} tokens");
        answer
    };
    let detailed = json!({ "limit": 100, "response_format": "detailed" });
    let page = ask("list_prompt_runs", detailed.clone());
    assert!(page["caveats"].to_string().contains("follow next_cursor"), "{}", page["caveats"]);
    // Nothing is lost by pages that end early.
    let (mut shown, mut next) = (page["runs"]["rows"].as_array().unwrap().len(), page.get("next_cursor").cloned());
    while let Some(cursor) = next {
        let page = ask("list_prompt_runs", with(&detailed, "cursor", cursor));
        shown += page["runs"]["rows"].as_array().unwrap().len();
        next = page.get("next_cursor").cloned();
    }
    assert_eq!(shown, 40);
    let run = &page["runs"]["rows"][0][0];
    for format in ["concise", "detailed"] {
        ask("get_run_details", json!({ "run_id": run, "response_format": format }));
        ask("brand_summary", json!({ "response_format": format }));
        ask("top_citations", json!({ "by": "url", "limit": 100, "response_format": format }));
        ask("find_gaps", json!({ "limit": 100, "response_format": format }));
        ask("list_sources", json!({ "response_format": format }));
        for tool in ["list_brands", "list_prompts"] {
            ask(tool, json!({ "response_format": format, "limit": 100 }));
        }
        ask(
            "search_answers",
            json!({ "text": "蓄電池を選ぶときは容量と保証期間を比べます", "limit": 100, "response_format": format }),
        );
        let other = &page["runs"]["rows"][1][0];
        ask("compare_runs", json!({ "run_id": run, "other_run_id": other, "response_format": format }));
        ask("explain_metric", json!({ "metric": "presence_rate", "response_format": format }));
    }
}

/// Every row of a list, page by page, as often as a page gives it.
fn pages(world: &Synced, arguments: &Value) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut arguments = arguments.clone();
    loop {
        let answer = world.answer("list_prompt_runs", &arguments);
        pages.push(answer["runs"]["rows"].as_array().unwrap().clone());
        match answer.get("next_cursor") {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => return pages,
        }
    }
}

#[test]
fn pages_joined_are_the_whole_list_in_every_order() {
    let day = |filter: Value| with(&filter, "period", "2025-06-27..2025-06-29");
    let all = SMALL.world.engine_count() * 3 * (SMALL.world.prompt_count(0) + SMALL.world.prompt_count(1));
    for scope in [json!({}), json!({ "project": SMALL.world.project_name(0) })] {
        let several = scope.get("project").is_none();
        let expected = if several { all } else { SMALL.world.engine_count() * 3 * SMALL.world.prompt_count(0) };
        for sort in SORTS {
            for order in ["asc", "desc"] {
                let arguments = with(&with(&day(scope.clone()), "sort", sort), "order", order);
                let case = arguments.to_string();
                let small: Vec<Vec<Value>> = pages(&SMALL, &with(&arguments, "limit", 7));
                assert!(small.iter().rev().skip(1).all(|page| page.len() == 7), "{case}: a page is short");
                let small = small.concat();
                let large = pages(&SMALL, &with(&arguments, "limit", 100)).concat();
                assert_eq!(small, large, "{case}: the size of pages changes the list");
                let runs: HashSet<&str> = small.iter().map(|row| row[0].as_str().unwrap()).collect();
                assert_eq!((small.len(), runs.len()), (expected, expected), "{case}: runs are lost or twice");
                check_order(&small, sort, order, &case);
            }
        }
    }
}

/// Sorted by the column, rows without a value last.
fn check_order(rows: &[Value], sort: &str, order: &str, case: &str) {
    let at = match sort {
        "created_at" => 1,
        "status" => 3,
        "total_citations" => 6,
        "total_mentions" => 7,
        "best_position" => 8,
        _ => 9,
    };
    for pair in rows.windows(2) {
        let (a, b) = (&pair[0][at], &pair[1][at]);
        if b.is_null() {
            continue;
        }
        assert!(!a.is_null(), "{case}: a run without a value comes before one with");
        let ascends = match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a <= b,
            _ => a.as_str() <= b.as_str(),
        };
        assert!(a == b || ascends == (order == "asc"), "{case}: {a} before {b}");
    }
}

#[test]
fn a_list_counts_what_it_lists() {
    for arguments in [
        json!({ "period": "2025-06-29" }),
        json!({ "period": "2025-06-29", "status": "failed" }),
        json!({ "visible": true }),
        json!({ "visible": false }),
        json!({ "cited": true, "mentioned": false }),
        json!({ "include_branded": false, "engine": "gemini" }),
        json!({ "text": "battery" }),
        json!({ "text": "no answer holds these words" }),
        json!({ "brand": "Ambrelle", "cited": true }),
    ] {
        let listed = pages(&SMALL, &with(&arguments, "limit", 100)).concat().len();
        let first = SMALL.answer("list_prompt_runs", &arguments);
        assert_eq!(first["total"], listed, "{arguments}");
        assert_eq!(first["total_is_capped"], false, "{arguments}");
    }
    let capped = DEMO.answer("list_prompt_runs", &json!({ "limit": 1 }));
    assert_eq!((&capped["total"], &capped["total_is_capped"]), (&json!(1_000), &json!(true)));
}

#[test]
fn a_long_answer_comes_in_pieces_that_join() {
    let runs = DEMO.answer("list_prompt_runs", &json!({ "status": "finished", "limit": 100, "period": "7d" }));
    let mut cut = 0;
    for run in column(&runs["runs"], "run_id").into_iter().step_by(7) {
        let whole = DEMO.answer("get_run_details", &json!({ "run_id": run, "response_format": "detailed" }));
        let (mut offset, mut joined) = (Some(0), String::new());
        while let Some(at) = offset {
            let piece = DEMO.answer("get_run_details", &json!({ "run_id": run, "answer_offset": at }));
            joined += piece["answer"]["text"].as_str().unwrap();
            assert_eq!(piece["answer"]["truncated"], piece["answer"].get("next_offset").is_some());
            offset = piece["answer"]["next_offset"].as_u64();
            cut += usize::from(offset.is_some());
        }
        assert_eq!(whole["answer"]["text"], joined);
        assert_eq!(whole["answer"]["total_chars"], joined.chars().count());
    }
    println!("{cut} answers were cut");
}

#[test]
fn citations_and_the_record_come_in_pieces_that_join() {
    let most = WIDE.answer("list_prompt_runs", &json!({ "sort": "total_citations", "limit": 3 }));
    for run in column(&most["runs"], "run_id") {
        let ask = |name: &str, offset: &Value, format: &str| {
            let arguments = json!({ "run_id": run, name: offset, "response_format": format });
            WIDE.answer("get_run_details", &arguments)
        };
        let whole = ask("citations_offset", &0.into(), "detailed");
        assert_eq!(whole.get("next_citations_offset"), None);
        let mut rows = Vec::new();
        let mut next = json!(0);
        while !next.is_null() {
            let piece = ask("citations_offset", &next, "concise");
            rows.extend(piece["citations"]["rows"].as_array().unwrap().clone());
            next = piece["next_citations_offset"].clone();
        }
        assert_eq!(rows.len() as u64, whole["citations_known"].as_u64().unwrap());
        assert_eq!(Value::from(rows), whole["citations"]["rows"]);

        let mut record = String::new();
        let mut next = json!(0);
        while !next.is_null() {
            let piece = ask("record_offset", &next, "detailed")["upstream_record"].take();
            record.push_str(piece["text"].as_str().unwrap());
            next = piece["next_offset"].clone();
        }
        let record: Value = serde_json::from_str(&record).unwrap();
        assert_eq!(record["response_text"], Value::Null, "the answer is beside it");
    }
}

#[test]
fn a_run_and_its_neighbours_are_one_prompt_on_one_engine() {
    let run = newest(&DEMO, json!({ "status": "finished", "period": "2026-11-10" }));
    let details = |run: &Value| DEMO.answer("get_run_details", &json!({ "run_id": run }));
    let here = details(&run.into());
    let mut days = BTreeMap::new();
    for (name, run) in [("before", &here["previous_run_id"]), ("after", &here["next_run_id"])] {
        let other = details(run);
        assert_eq!((&other["prompt_id"], &other["engine"]), (&here["prompt_id"], &here["engine"]));
        days.insert(name, other["day"].as_str().unwrap().to_owned());
    }
    assert_eq!((days["before"].as_str(), days["after"].as_str()), ("2026-11-09", "2026-11-11"));
}

//! Tools that list, search, compare and explain: golden answers, cost, and everything counted again from the world.

use crate::support::{
    tokens,
    world::{DEMO, SMALL, SOURCE, Synced, WIDE, backend_of, call, folder, sync_tracker},
};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use visibility_mcp::{
    demo::{
        verseodin::WorldTracker,
        world::{World, WorldRun, WorldSize},
    },
    mcp::Backend,
    model::{DayRange, Status},
    store::Store,
};

const FERNVOLT: &str = "Fernvolt · home batteries";

fn with(arguments: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut arguments = arguments.clone();
    arguments[name] = value.into();
    arguments
}

fn column<'t>(table: &'t Value, name: &str) -> Vec<&'t Value> {
    let columns = table["columns"].as_array().unwrap();
    let at = columns.iter().position(|column| column == name).unwrap_or_else(|| panic!("no column {name}: {table}"));
    table["rows"].as_array().unwrap().iter().map(|row| &row[at]).collect()
}

/// The rows of a table, each by column.
fn rows(table: &Value) -> Vec<BTreeMap<String, Value>> {
    let columns: Vec<String> =
        table["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    let row = |row: &Value| columns.iter().cloned().zip(row.as_array().unwrap().iter().cloned()).collect();
    table["rows"].as_array().unwrap().iter().map(row).collect()
}

/// The newest finished run that passes a filter.
fn newest(world: &Synced, filter: &Value) -> Value {
    let list = world.answer("list_prompt_runs", &with(&with(filter, "limit", 1), "status", "finished"));
    column(&list["runs"], "run_id")[0].clone()
}

/// Every page of a list.
fn pages(ask: &dyn Fn(&Value) -> Value, arguments: &Value) -> Vec<Value> {
    let mut pages = Vec::new();
    let mut arguments = arguments.clone();
    loop {
        let page = ask(&arguments);
        let next = page.get("next_cursor").cloned();
        pages.push(page);
        match next {
            Some(cursor) => arguments["cursor"] = cursor,
            None => return pages,
        }
        assert!(pages.len() < 2_000, "pages without end: {arguments}");
    }
}

fn round4(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[track_caller]
fn close(shown: &Value, expected: Option<f64>, case: &str) {
    match expected {
        Some(expected) => {
            let shown = shown.as_f64().unwrap_or_else(|| panic!("{case}: {shown} is not {expected}"));
            assert!((shown - round4(expected)).abs() < 1e-9, "{case}: {shown} is not {expected}");
        }
        None => assert!(shown.is_null(), "{case}: {shown}"),
    }
}

/// What each tool is asked by default, on one project and on all.
fn plain_calls(world: &Synced) -> Vec<(&'static str, Value)> {
    let project = world.world.project_name(0).to_owned();
    let run = newest(world, &json!({}));
    let before = world.call("compare_runs", json!({ "run_id": run })).is_ok();
    let mut calls = vec![
        ("list_brands", json!({})),
        ("list_brands", json!({ "project": project })),
        ("list_prompts", json!({})),
        ("list_prompts", json!({ "project": project })),
        ("search_answers", json!({ "text": "the" })),
        ("search_answers", json!({ "text": "the", "project": project })),
        ("explain_metric", json!({})),
        ("explain_metric", json!({ "metric": "presence_rate" })),
    ];
    if before {
        calls.push(("compare_runs", json!({ "run_id": run })));
    }
    // Of two prompts, so that there is nothing in common and all of it to say.
    let runs =
        world.answer("list_prompt_runs", &json!({ "status": "finished", "sort": "total_citations", "limit": 2 }));
    let runs = column(&runs["runs"], "run_id");
    calls.push(("compare_runs", json!({ "run_id": runs[0], "other_run_id": runs[1] })));
    calls
}

#[test]
fn golden_answers() {
    let run = newest(&DEMO, &json!({ "engine": "chatgpt", "cited": true }));
    let other = newest(&DEMO, &json!({ "project": FERNVOLT, "engine": "grok" }));
    for (name, tool, arguments) in [
        ("list_brands", "list_brands", json!({ "limit": 4 })),
        ("list_prompts", "list_prompts", json!({ "limit": 4 })),
        (
            "list_prompts_by_flip_rate",
            "list_prompts",
            json!({ "project": FERNVOLT, "sort": "flip_rate", "limit": 3, "text": "battery", "period": "7d" }),
        ),
        ("search_answers", "search_answers", json!({ "text": "aware \"raised its prices\"", "limit": 2 })),
        (
            "search_answers_without_a_hit",
            "search_answers",
            json!({ "text": "xylophone", "period": "7d", "project": FERNVOLT }),
        ),
        ("compare_runs", "compare_runs", json!({ "run_id": run })),
        ("compare_runs_of_two_prompts", "compare_runs", json!({ "run_id": run, "other_run_id": other })),
        ("explain_metric", "explain_metric", json!({ "metric": "mention share", "project": FERNVOLT })),
        ("explain_metric_all", "explain_metric", json!({})),
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
        for (tool, arguments) in plain_calls(world) {
            let cost = tokens::of(&world.answer(tool, &arguments));
            println!("{} prompts: {tool} {arguments}: {cost} tokens", world.world.prompt_count(0));
            assert!(cost <= 2_000, "{tool} {arguments}: {cost} tokens");
        }
    }
}

#[test]
fn no_answer_passes_twenty_thousand_tokens() {
    for world in [&DEMO, &WIDE] {
        for (tool, arguments) in plain_calls(world) {
            let mut arguments = with(&arguments, "response_format", "detailed");
            if ["list_brands", "list_prompts", "search_answers"].contains(&tool) {
                arguments["limit"] = 100.into();
            }
            if tool == "list_prompts" {
                arguments["period"] = "90d".into();
            }
            let cost = tokens::of(&world.answer(tool, &arguments));
            println!("{tool} {arguments}: {cost} tokens");
            assert!(cost <= 20_000, "{tool} {arguments}: {cost} tokens");
        }
    }
}

#[test]
fn many_projects_fit_and_are_listed_whole() {
    let size = WorldSize { prompts: vec![2; 70], days: 2, ..WorldSize::demo() };
    let world = Arc::new(World::new(size, 7, "2026-11-20".parse().unwrap()));
    let store = Store::at(folder("many-lists").join("cache.sqlite"));
    assert!(sync_tracker(Arc::new(WorldTracker::new(Arc::clone(&world))), &store, &DEMO.clock).is_success());
    let backend = backend_of(&store, &DEMO.clock, &[SOURCE]);
    let ask = |tool: &'static str, backend: &Backend, arguments: &Value| {
        let answer = call(backend, tool, arguments.clone()).unwrap();
        let (most, cost) =
            (if arguments.get("response_format").is_some() { 20_000 } else { 2_000 }, tokens::of(&answer));
        println!("{tool} {arguments}: {cost} tokens");
        assert!(cost <= most, "{tool} {arguments}: {cost} tokens");
        answer
    };
    for format in [json!({}), json!({ "response_format": "detailed", "limit": 100 })] {
        for (tool, more) in [("list_prompts", json!({})), ("explain_metric", json!({ "metric": "presence rate" }))] {
            let mut arguments = format.clone();
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            if tool == "explain_metric" {
                arguments.as_object_mut().unwrap().remove("limit");
            }
            let answer = ask(tool, &backend, &arguments);
            assert!(
                answer["caveats"][0].as_str().unwrap().contains("of 70 projects are shown"),
                "{}",
                answer["caveats"]
            );
        }
        let ask_brands = |arguments: &Value| ask("list_brands", &backend, arguments);
        let seen: usize = pages(&ask_brands, &format)
            .iter()
            .flat_map(|page| page["projects"].as_array().unwrap())
            .map(|project| project["brands"]["rows"].as_array().unwrap().len())
            .sum();
        assert_eq!(seen, (0..70).map(|project| world.brands(project).len()).sum::<usize>());
        let ask_answers = |arguments: &Value| ask("search_answers", &backend, arguments);
        let found = pages(&ask_answers, &with(&format, "text", "the"));
        let runs: Vec<String> =
            found.iter().flat_map(|page| column(&page["answers"], "run_id")).map(Value::to_string).collect();
        assert_eq!(found[0]["total"], runs.len().min(1_000));
        assert_eq!(runs.iter().collect::<BTreeSet<_>>().len(), runs.len());
    }
}

/// Finished runs of a project on some days, in the order of time.
fn finished<'w>(world: &'w Synced, project: usize, days: (&str, &str)) -> Vec<WorldRun<'w>> {
    let days = DayRange { first: days.0.parse().unwrap(), last: days.1.parse().unwrap() };
    let mut runs: Vec<WorldRun<'w>> =
        (0..days.days()).flat_map(|i| world.world.day_runs(project, days.first.plus(i))).collect();
    runs.retain(|run| run.status == Status::Finished);
    runs.sort_by_key(|run| run.created_at);
    runs
}

fn is_present(run: &WorldRun<'_>, brand: usize) -> bool {
    run.mentions_of(brand) > 0 || run.citations_of(brand).count() > 0
}

/// Flips and pairs of consecutive runs, engine by engine.
fn flips(runs: &[&WorldRun<'_>]) -> (usize, usize) {
    let engines: BTreeSet<usize> = runs.iter().map(|run| run.engine).collect();
    let mut sums = (0, 0);
    for engine in engines {
        let seen: Vec<bool> = runs.iter().filter(|run| run.engine == engine).map(|run| is_present(run, 0)).collect();
        sums.0 += seen.windows(2).filter(|pair| pair[0] != pair[1]).count();
        sums.1 += seen.len() - 1;
    }
    sums
}

/// The mean share of brands in both of two consecutive runs.
fn brand_lists(runs: &[&WorldRun<'_>], brands: usize) -> Option<f64> {
    let engines: BTreeSet<usize> = runs.iter().map(|run| run.engine).collect();
    let mut shares = Vec::new();
    for engine in engines {
        let lists: Vec<BTreeSet<usize>> = runs
            .iter()
            .filter(|run| run.engine == engine)
            .map(|run| (0..brands).filter(|brand| is_present(run, *brand)).collect())
            .collect();
        for pair in lists.windows(2) {
            let either = pair[0].union(&pair[1]).count();
            if either > 0 {
                shares.push(pair[0].intersection(&pair[1]).count() as f64 / either as f64);
            }
        }
    }
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

#[test]
fn a_prompt_has_the_figures_that_a_plain_count_gives() {
    for (project, period, days, engine) in [
        (0, "30d", ("2026-10-22", "2026-11-20"), None),
        (1, "7d", ("2026-11-14", "2026-11-20"), None),
        (0, "2026-10", ("2026-10-01", "2026-10-31"), Some("grok")),
    ] {
        let mut arguments = json!({
            "project": DEMO.world.project_name(project), "period": period, "response_format": "detailed", "limit": 100,
        });
        if let Some(engine) = engine {
            arguments["engine"] = engine.into();
        }
        let mut runs = finished(&DEMO, project, days);
        runs.retain(|run| engine.is_none_or(|engine| run.engine_name == engine));
        for sort in ["runs", "flip_rate"] {
            let answer = DEMO.answer("list_prompts", &with(&arguments, "sort", sort));
            let summary = &answer["projects"][0];
            assert_eq!(summary["period"], json!({ "first": days.0, "last": days.1 }));
            assert_eq!(summary["runs"], runs.len(), "{arguments}");
            let listed = rows(&answer["prompts"]);
            let prompts = DEMO.world.prompts(project);
            assert_eq!((listed.len(), &answer["total"]), (prompts.len(), &json!(prompts.len())));
            for row in listed {
                let case = format!("{arguments} {}", row["prompt"]);
                let at = prompts.iter().position(|prompt| prompt.text == row["prompt"]).unwrap();
                let own: Vec<&WorldRun<'_>> = runs.iter().filter(|run| run.prompt == at).collect();
                let share = |hits: usize| Some(hits as f64 / own.len() as f64);
                let count = |is: &dyn Fn(&WorldRun<'_>) -> bool| own.iter().filter(|run| is(run)).count();
                assert_eq!(row["runs"], own.len(), "{case}");
                assert_eq!(row["branded"], !prompts[at].names.is_empty(), "{case}");
                close(&row["presence_rate"], share(count(&|run| is_present(run, 0))), &case);
                close(&row["mention_rate"], share(count(&|run| run.mentions_of(0) > 0)), &case);
                close(&row["citation_rate"], share(count(&|run| run.citations_of(0).count() > 0)), &case);
                let (flips, pairs) = flips(&own);
                close(&row["flip_rate"], Some(flips as f64 / pairs as f64), &case);
                close(&row["brand_list_overlap"], brand_lists(&own, DEMO.world.brands(project).len()), &case);
                let [low, value, high] = ["low", "presence_rate", "high"].map(|name| row[name].as_f64().unwrap());
                assert!(low <= value && value <= high, "{case}");
            }
            let topics: u64 = column(&summary["topics"], "prompts").iter().filter_map(|count| count.as_u64()).sum();
            assert_eq!(
                topics,
                prompts.iter().filter(|_| !summary["topics"]["rows"].as_array().unwrap().is_empty()).count() as u64
            );
        }
    }
}

#[test]
fn the_runs_of_a_prompt_can_be_listed_and_are_as_many() {
    let arguments = json!({ "engine": "gemini", "period": "7d", "project": FERNVOLT });
    let answer = DEMO.answer("list_prompts", &arguments);
    let mut filter = answer["projects"][0]["runs_filter"].clone();
    filter["limit"] = 100.into();
    for row in rows(&answer["prompts"]) {
        filter["prompt_id"] = row["prompt_id"].clone();
        let all = DEMO.answer("list_prompt_runs", &filter);
        assert_eq!(all["total"], row["runs"], "{}", row["prompt"]);
        let present = DEMO.answer("list_prompt_runs", &with(&filter, "visible", true));
        let share = present["total"].as_f64().unwrap() / all["total"].as_f64().unwrap();
        close(&row["presence_rate"], Some(share), &row["prompt"].to_string());
    }
    filter.as_object_mut().unwrap().remove("prompt_id");
    assert_eq!(DEMO.answer("list_prompt_runs", &filter)["total"], answer["projects"][0]["runs"]);
}

#[test]
fn pages_of_prompts_joined_are_the_whole_list_in_every_order() {
    let ask = |arguments: &Value| DEMO.answer("list_prompts", arguments);
    let joined = |arguments: &Value| -> Vec<BTreeMap<String, Value>> {
        pages(&ask, arguments).iter().flat_map(|page| rows(&page["prompts"])).collect()
    };
    let whole = (0..2).map(|project| DEMO.world.prompt_count(project)).sum::<usize>();
    for sort in ["runs", "presence_rate", "citation_rate", "flip_rate", "prompt"] {
        for order in ["asc", "desc"] {
            let arguments = json!({ "sort": sort, "order": order, "period": "7d", "response_format": "detailed" });
            let small = joined(&with(&arguments, "limit", 3));
            let large = joined(&with(&arguments, "limit", 100));
            assert_eq!(small, large, "{arguments}");
            let ids: BTreeSet<String> = small.iter().map(|row| row["prompt_id"].to_string()).collect();
            assert_eq!((small.len(), ids.len()), (whole, whole), "{arguments}: prompts are lost or twice");
            for pair in small.windows(2) {
                let (a, b) = (&pair[0][sort], &pair[1][sort]);
                let ascends = match (a.as_f64(), b.as_f64()) {
                    (Some(a), Some(b)) => a <= b,
                    (None, Some(_)) => panic!("{arguments}: a prompt without a value comes before one with"),
                    (Some(_), None) => order == "asc",
                    (None, None) => a.as_str().map(str::to_lowercase) <= b.as_str().map(str::to_lowercase),
                };
                assert!(a == b || ascends == (order == "asc"), "{arguments}: {a} before {b}");
            }
        }
    }
    // An order of its own where none is given, and prompts that were not run last in each.
    let names = column(&ask(&json!({ "sort": "prompt", "project": FERNVOLT }))["prompts"], "prompt")
        .iter()
        .map(|text| text.as_str().unwrap().to_lowercase())
        .collect::<Vec<_>>();
    assert!(names.is_sorted());
    let none = ask(&json!({ "period": "2020-01", "project": FERNVOLT }));
    assert_eq!((&none["total"], &none["projects"][0]["prompts_without_runs"]), (&json!(12), &json!(12)));
    assert!(none["caveats"][0].as_str().unwrap().contains("no finished run in 2020-01-01..2020-01-31"));
    assert!(column(&none["prompts"], "presence_rate").iter().all(|value| value.is_null()));
}

#[test]
fn prompts_are_filtered_by_words_topic_and_branding() {
    let count =
        |arguments: Value| usize::try_from(DEMO.answer("list_prompts", &arguments)["total"].as_u64().unwrap()).unwrap();
    let prompts = || (0..2).flat_map(|project| DEMO.world.prompts(project));
    assert_eq!(count(json!({ "include_branded": false })), prompts().filter(|prompt| prompt.names.is_empty()).count());
    let holds = |word: &str| {
        let is = |text: &str| text.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|part| part == word);
        prompts().filter(|prompt| is(&prompt.text)).count()
    };
    for word in ["battery", "best", "xylophone"] {
        assert_eq!(count(json!({ "text": word.to_uppercase() })), holds(word), "{word}");
    }
}

#[test]
fn every_brand_is_listed_once_with_its_domain() {
    for limit in [1, 3, 100] {
        let ask = |arguments: &Value| DEMO.answer("list_brands", arguments);
        let listed = pages(&ask, &json!({ "limit": limit }));
        let mut found: Vec<(String, Value)> = Vec::new();
        for page in &listed {
            let projects = page["projects"].as_array().unwrap();
            let on_page: usize =
                projects.iter().map(|project| project["brands"]["rows"].as_array().unwrap().len()).sum();
            assert!(on_page <= limit);
            for project in projects {
                let name = project["project"].as_str().unwrap();
                found.extend(rows(&project["brands"]).into_iter().map(|row| (name.to_owned(), row["brand"].clone())));
            }
        }
        let mut expected: Vec<(String, Value)> = (0..2)
            .flat_map(|project| {
                let name = DEMO.world.project_name(project).to_owned();
                DEMO.world.brands(project).iter().map(move |brand| (name.clone(), json!(brand.name)))
            })
            .collect();
        found.sort_by_key(|(project, brand)| format!("{project} {brand}"));
        expected.sort_by_key(|(project, brand)| format!("{project} {brand}"));
        assert_eq!(found, expected);
    }
}

/// The newest answers of the world that hold all of these, first the newest.
fn holding(world: &Synced, parts: &[&str]) -> BTreeSet<(String, String)> {
    let runs = world.world.runs().filter(|run| run.answer.is_some());
    let folded = |text: &str| -> String {
        let words: Vec<String> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
        format!(" {} ", words.join(" "))
    };
    let holds = |run: &WorldRun<'_>| {
        let text = folded(run.answer.as_deref().unwrap_or_default());
        parts.iter().all(|part| text.contains(&folded(part)))
    };
    runs.filter(holds).map(|run| (run.created_at.to_string(), run.engine_name.to_owned())).collect()
}

#[test]
fn a_search_finds_what_a_plain_reading_finds() {
    for (text, parts) in [
        ("AWARE spring", vec!["aware", "spring"]),
        ("\"raised its prices\"", vec!["raised its prices"]),
        ("Fernvolt \"look for\"", vec!["fernvolt", "look for"]),
        ("NEAR(battery warranty) text:price* -cost", vec!["near", "battery", "warranty", "text price", "cost"]),
    ] {
        let ask = |arguments: &Value| SMALL.answer("search_answers", arguments);
        let arguments = json!({ "text": text, "limit": 7 });
        let found = pages(&ask, &arguments);
        let all: Vec<BTreeMap<String, Value>> = found.iter().flat_map(|page| rows(&page["answers"])).collect();
        let expected = holding(&SMALL, &parts);
        println!("{text}: {} answers", all.len());
        assert_eq!(all.is_empty(), text.contains('*'), "{text}: is this case of any use?");
        let seen: BTreeSet<(String, String)> = all
            .iter()
            .map(|row| (row["created_at"].as_str().unwrap().to_owned(), row["engine"].as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(seen, expected, "{text}");
        assert_eq!(found[0]["total"], all.len(), "{text}");
        let runs: BTreeSet<String> = all.iter().map(|row| row["run_id"].to_string()).collect();
        assert_eq!(runs.len(), all.len(), "{text}: answers are lost or twice");
        assert!(all.windows(2).all(|pair| pair[0]["created_at"].as_str() >= pair[1]["created_at"].as_str()), "{text}");
        for row in &all {
            let snippet = row["snippet"].as_str().unwrap();
            assert!(snippet.chars().count() <= 240, "{snippet}");
            let lower = snippet.to_lowercase();
            let first = parts.iter().any(|part| part.split(' ').all(|word| lower.contains(word)));
            assert!(first, "{text}: {snippet}");
        }
        let large = pages(&ask, &with(&arguments, "limit", 100));
        let large: Vec<BTreeMap<String, Value>> = large.iter().flat_map(|page| rows(&page["answers"])).collect();
        assert_eq!(all, large, "{text}: the size of pages changes the list");
    }
    let capped = DEMO.answer("search_answers", &json!({ "text": "the" }));
    assert_eq!((&capped["total"], &capped["total_is_capped"]), (&json!(1_000), &json!(true)));
    assert_eq!(capped["answers"]["rows"].as_array().unwrap().len(), 10);
}

#[test]
fn two_runs_differ_as_the_world_says() {
    let day = |day: &str| finished(&DEMO, 0, (day, day));
    let brands = DEMO.world.brands(0);
    for now in day("2026-11-12").iter().step_by(5) {
        let list = DEMO.answer(
            "list_prompt_runs",
            &json!({ "project": FERNVOLT, "period": "2026-11-12", "engine": now.engine_name, "prompt_id": now.prompt_text }),
        );
        let run = column(&list["runs"], "run_id")[0];
        let answer = DEMO.answer("compare_runs", &json!({ "run_id": run, "response_format": "detailed" }));
        let earlier = finished(&DEMO, 0, ("2026-10-20", "2026-11-11"));
        let before = earlier
            .iter()
            .filter(|run| (run.prompt, run.engine) == (now.prompt, now.engine))
            .max_by_key(|run| run.created_at)
            .unwrap();
        let runs = rows(&answer["runs"]);
        assert_eq!((&runs[0]["role"], &runs[0]["run_id"]), (&json!("this"), run));
        assert_eq!(runs[1]["created_at"], before.created_at.to_string());
        assert_eq!(
            (&answer["same_prompt"], &answer["model_changed"]),
            (&json!(true), &json!(now.model != before.model))
        );
        let mut expected: BTreeMap<&str, &str> = BTreeMap::new();
        for (i, brand) in brands.iter().enumerate() {
            let fate = match (is_present(now, i), is_present(before, i)) {
                (true, true) => "stayed",
                (true, false) => "entered",
                (false, true) => "left",
                (false, false) => continue,
            };
            expected.insert(&brand.name, fate);
        }
        let shown = rows(&answer["brands"]);
        let found: BTreeMap<&str, &str> =
            shown.iter().map(|row| (row["brand"].as_str().unwrap(), row["change"].as_str().unwrap())).collect();
        assert_eq!(found, expected, "{} on {}", now.prompt_text, now.engine_name);
        let stayed = expected.values().filter(|fate| **fate == "stayed").count();
        let share = (!expected.is_empty()).then(|| stayed as f64 / expected.len() as f64);
        close(&answer["brand_overlap"], share, now.prompt_text);
        let own = shown.iter().find(|row| row["kind"] == "own");
        if let Some(own) = own {
            assert_eq!(own["citations"], now.citations_of(0).count());
            assert_eq!(own["other_mentions"], before.mentions_of(0));
        }
        let similarity = answer["text_similarity"].as_f64().unwrap();
        assert!((0.0..1.0).contains(&similarity));
        let text = now.answer.as_deref().unwrap();
        let old = before.answer.as_deref().unwrap();
        for sentence in answer["entered"].as_array().unwrap() {
            // What would be a tag to a reader stands a space apart.
            let sentence = sentence.as_str().unwrap().trim_end_matches('…').replace("< ", "<");
            assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(&sentence), "{sentence}");
            assert!(!old.split('\n').any(|line| line == sentence), "{sentence}");
        }
    }
}

#[test]
fn a_comparison_comes_in_pieces_that_join() {
    let list = DEMO.answer("list_prompt_runs", &json!({ "status": "finished", "sort": "total_citations", "limit": 9 }));
    let runs = column(&list["runs"], "run_id");
    for pair in runs.chunks_exact(2) {
        let arguments = json!({ "run_id": pair[0], "other_run_id": pair[1] });
        let (mut entered, mut domains, mut offset) = (0, 0, Some(0));
        while let Some(at) = offset {
            let piece = DEMO.answer("compare_runs", &with(&arguments, "offset", at));
            entered += piece["entered"].as_array().unwrap().len();
            domains += piece["domains"]["rows"].as_array().unwrap().len();
            offset = piece["next_offset"].as_u64();
            if offset.is_none() {
                assert_eq!((&json!(entered), &json!(domains)), (&piece["entered_sentences"], &piece["domains_known"]));
            }
        }
    }
    let same = DEMO.answer("compare_runs", &json!({ "run_id": runs[0], "other_run_id": runs[1] }));
    let turned = DEMO.answer("compare_runs", &json!({ "run_id": runs[1], "other_run_id": runs[0] }));
    assert_eq!(same["text_similarity"], turned["text_similarity"]);
    assert_eq!(same["entered_sentences"], turned["left_sentences"]);
    assert_eq!(same["domain_overlap"], turned["domain_overlap"]);
}

#[test]
fn every_metric_is_explained_under_its_names() {
    let all = DEMO.answer("explain_metric", &json!({}));
    for name in column(&all["metrics"], "name") {
        let loose = name.as_str().unwrap().replace('_', " ").to_uppercase();
        for given in [name.as_str().unwrap(), &loose] {
            let answer = DEMO.answer("explain_metric", &json!({ "metric": given }));
            assert_eq!(&answer["metric"]["name"], name, "{given}");
            assert_eq!(column(&answer["metric"]["upstream_fields"], "upstream"), ["lumar", "verseodin", "lunary"]);
        }
    }
    for (given, name) in
        [("sentiment", "avg_sentiment"), ("presence", "presence_rate"), ("mention share", "mention_share_of_voice")]
    {
        assert_eq!(DEMO.answer("explain_metric", &json!({ "metric": given }))["metric"]["name"], name);
    }
    let cited = DEMO.answer("explain_metric", &json!({ "metric": "citation_rate", "project": FERNVOLT }));
    let table = &cited["projects"][0]["agreement"];
    assert_eq!(column(table, "fact"), ["cited"]);
    assert_eq!(column(table, "runs")[0], finished(&DEMO, 0, ("2026-10-22", "2026-11-20")).len());
    // What it means can be told before there is anything to count.
    let empty = backend_of(&Store::at(folder("unexplained").join("cache.sqlite")), &DEMO.clock, &[SOURCE]);
    let told = call(&empty, "explain_metric", json!({ "metric": "verdict" })).unwrap();
    assert_eq!(told["metric"]["name"], "verdict");
}

#[test]
fn refusals_name_a_next_step() {
    let cursor = |tool: &str, arguments: Value| DEMO.answer(tool, &arguments)["next_cursor"].clone();
    let prompts = cursor("list_prompts", json!({ "limit": 1 }));
    let failed = DEMO.answer("list_prompt_runs", &json!({ "status": "failed", "limit": 1 }));
    let first = DEMO.answer("list_prompt_runs", &json!({ "status": "finished", "order": "asc", "limit": 1 }));
    let (failed, first) = (&column(&failed["runs"], "run_id")[0].clone(), &column(&first["runs"], "run_id")[0].clone());
    for (tool, arguments, words) in [
        ("list_brands", json!({ "project": "Fernvold" }), "projects here"),
        ("list_brands", json!({ "cursor": prompts }), "cursor is not one that this tool gave"),
        ("list_brands", json!({ "limit": 0 }), "allowed 1 to 100"),
        ("list_prompts", json!({ "text": "?!" }), "give one word"),
        ("list_prompts", json!({ "sort": "sentiment" }), "allowed: runs"),
        ("list_prompts", json!({ "topic": "prize" }), "topic"),
        ("list_prompts", json!({ "cursor": prompts, "sort": "prompt" }), "leave cursor out"),
        ("list_prompts", json!({ "engine": "chatgbt" }), "engines here"),
        ("search_answers", json!({}), "text"),
        ("search_answers", json!({ "text": " \"\" * " }), "give one word"),
        ("search_answers", json!({ "text": "a", "brand": "nobody.example" }), "no brand"),
        ("search_answers", json!({ "text": "a", "cursor": prompts }), "leave cursor out"),
        ("compare_runs", json!({ "run_id": "nonsense" }), "take run_id from list_prompt_runs"),
        ("compare_runs", json!({ "run_id": failed }), "no answer to compare"),
        ("compare_runs", json!({ "run_id": first }), "give other_run_id"),
        ("compare_runs", json!({ "run_id": first, "other_run_id": first }), "are the same run"),
        ("explain_metric", json!({ "metric": "presense_rate" }), "nearest:"),
        ("explain_metric", json!({ "metric": "share" }), "call explain_metric without metric"),
        ("explain_metric", json!({ "metric": "vibes", "project": "x" }), "call explain_metric without metric"),
    ] {
        let case = format!("{tool} {arguments}");
        let error = DEMO.call(tool, arguments).map(|answer| panic!("{case} is answered: {answer}")).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(words) && (1..=3).contains(&said.lines().count()), "{case}: {said}");
    }
}

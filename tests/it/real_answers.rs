//! Real answers of AI assistants, served as a tracker would and synced: the figures are those of a plain count.
//!
//! The data lies outside of the repository, in `../shared/data/real-answers` or below `VISIBILITY_MCP_SHARED`. Where it
//! is not, these tests say so and pass. Two readings of it stand side by side: [`tracker`] serves it, [`plain`] counts
//! it, and they share nothing but the records themselves.

mod plain;
mod tracker;

use crate::support::{
    tokens,
    world::{SOURCE, backend_of, call, folder, sync_tracker},
};
use plain::{Count, Scope};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};
use visibility_mcp::{
    clock::Clock,
    demo::verseodin::{ServerOptions, VerseodinServer},
    mcp::Backend,
    store::Store,
};

/// A record of the data: one answer.
#[derive(Deserialize)]
struct Record {
    prompt: Option<String>,
    prompt_id: String,
    engine: String,
    model: Option<String>,
    captured_at: String,
    answer_text: Option<String>,
    links: Vec<Link>,
    brands: Vec<Named>,
}

#[derive(Deserialize)]
struct Link {
    url: Option<String>,
    domain: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Record {
    /// The question; where it is withheld, its id stands for it.
    fn question(&self) -> &str {
        self.prompt.as_deref().unwrap_or(&self.prompt_id)
    }

    fn day(&self) -> &str {
        &self.captured_at[..10]
    }
}

/// A file of the data, and the brands that its universe tracks, its own first, each with the domain that is its.
struct File {
    name: &'static str,
    brands: &'static [(&'static str, &'static str)],
    records: Vec<Record>,
}

/// The brands that are named most, with the domains under which the data cites them.
const FILES: [(&str, &[(&str, &str)]); 3] = [
    (
        "ai-product-bench",
        &[
            ("Philips", "philips.com"),
            ("Google", "google.com"),
            ("Apple", "apple.com"),
            ("ASUS", "asus.com"),
            ("Amazon", "amazon.com"),
            ("Breville", "breville.com"),
        ],
    ),
    (
        "spyglasses-chatgpt-runs",
        &[
            ("bose", "bose.com"),
            ("sony", "sony.com"),
            ("anker", "soundcore.com"),
            ("sennheiser", "sennheiser.com"),
            ("apple", "apple.com"),
        ],
    ),
    (
        "citationos-sample",
        &[
            ("Morgan & Morgan", "forthepeople.com"),
            ("Wilshire Law Firm", "wilshirelawfirm.com"),
            ("Zehl & Associates", "zehllaw.com"),
        ],
    ),
];

fn data() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "where a person keeps the data is no setting of the program")]
    let shared = std::env::var("VISIBILITY_MCP_SHARED").map(PathBuf::from);
    shared.unwrap_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared")).join("data/real-answers")
}

/// The synced data, where there is any.
struct Real {
    files: Arc<Vec<File>>,
    backend: Backend,
}

/// The files of the data; none where one of them is missing.
fn files() -> Option<Arc<Vec<File>>> {
    let read = |(name, brands): (&'static str, _)| {
        let lines = fs::read_to_string(data().join(format!("{name}.jsonl"))).ok()?;
        let records = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Some(File { name, brands, records })
    };
    FILES.into_iter().map(read).collect::<Option<Vec<File>>>().map(Arc::new)
}

static REAL: LazyLock<Option<Real>> = LazyLock::new(|| {
    let files = files()?;
    let store = Store::at(folder("real").join("cache.sqlite"));
    let clock = Clock::fixed("2026-11-22T12:00:00Z".parse().unwrap());
    let report = sync_tracker(Arc::new(tracker::Served::new(Arc::clone(&files))), &store, &clock);
    assert!(report.is_success(), "{report:?}");
    assert_eq!(report.sources[0].counts.rejected, 0, "every row is understood");
    let records: usize = files.iter().map(|file| file.records.len()).sum();
    assert_eq!(report.sources[0].counts.added, records as u64, "every answer is a run");
    Some(Real { files, backend: backend_of(&store, &clock, &[SOURCE]) })
});

#[test]
#[ignore = "serves the data to a person, who runs the program against it, until it is killed"]
fn serve_it_to_a_person() {
    let server = VerseodinServer::spawn_on_thread(
        Arc::new(tracker::Served::new(files().expect("the data is not there"))),
        ServerOptions::unhurried(),
    )
    .unwrap();
    println!("export VERSEODIN_BASE_URL={} VERSEODIN_API_KEY={}", server.base_url(), server.key());
    loop {
        std::thread::park();
    }
}

/// The data, or nothing and a word about it.
fn real() -> Option<&'static Real> {
    let real = REAL.as_ref();
    if real.is_none() {
        println!(
            "skipped: there is no data in {}; set VISIBILITY_MCP_SHARED to the folder that holds data/",
            data().display()
        );
    }
    real
}

impl Real {
    fn answer(&self, tool: &str, arguments: &Value) -> Value {
        call(&self.backend, tool, arguments.clone()).unwrap_or_else(|error| panic!("{tool} {arguments}: {error}"))
    }
}

/// Every file from its own brand and from its first rival, in whole, by engine and over a part of its days.
fn scopes(file: &File) -> Vec<Scope<'_>> {
    let mut days: Vec<&str> = file.records.iter().map(Record::day).collect();
    days.sort_unstable();
    let whole = Scope { brand: 0, first: days[0], last: days[days.len() - 1], engine: None, branded: false };
    let middle = days[days.len() / 2];
    let mut scopes = vec![
        whole,
        Scope { branded: true, ..whole },
        Scope { brand: 1, ..whole },
        Scope { last: middle, ..whole },
        Scope { first: middle, brand: 1, branded: true, ..whole },
    ];
    let mut engines: Vec<&str> = file.records.iter().map(|record| record.engine.as_str()).collect();
    engines.sort_unstable();
    engines.dedup();
    scopes.extend(engines.into_iter().map(|engine| Scope { engine: Some(engine), ..whole }));
    scopes
}

fn arguments(file: &File, scope: &Scope<'_>) -> Value {
    let mut arguments = json!({
        "project": file.name,
        "brand": file.brands[scope.brand].0,
        "period": format!("{}..{}", scope.first, scope.last),
        "include_branded": scope.branded,
        "response_format": "detailed",
    });
    if let Some(engine) = scope.engine {
        arguments["engine"] = engine.into();
    }
    arguments
}

#[test]
fn summaries_of_real_answers_are_those_of_a_plain_count() {
    let Some(real) = real() else { return };
    for file in real.files.iter() {
        for scope in scopes(file) {
            let case = format!("{}: {scope:?}", file.name);
            let summary = &real.answer("brand_summary", &arguments(file, &scope))["summaries"][0];
            let count = Count::of(file, &scope);
            assert!(count.runs > 0, "{case} is empty");
            check(summary, &count, &scope, &case);
        }
    }
}

fn check(summary: &Value, count: &Count, scope: &Scope<'_>, case: &str) {
    let rate = |name: &str| (summary[name]["hits"].as_u64().unwrap(), summary[name]["runs"].as_u64().unwrap());
    assert_eq!(summary["runs"], count.runs, "{case}");
    assert_eq!(summary["prompts"], count.prompts, "{case}");
    assert_eq!(summary["branded_runs_left_out"], count.left_out, "{case}");
    assert_eq!(rate("citation_rate"), (count.cited, count.runs), "{case}");
    // A tracker of this kind counts how often the own brand is named, and nobody else: rivals are read off the text.
    let ((named, of_named), (present, of_present)) = (rate("mention_rate"), rate("presence_rate"));
    // Rivals are read off the text; one of these files has none.
    let is_known = scope.brand == 0 || summary["basis"]["mentions"] != json!([]);
    let looked_for = if is_known { count.runs } else { 0 };
    assert_eq!((of_named, of_present), (looked_for, looked_for), "{case}");
    if looked_for == 0 {
        assert_eq!((named, present), (0, 0), "{case}");
    } else if scope.brand == 0 {
        assert_eq!((named, present), (count.named, count.present), "{case}");
    } else {
        assert!(named.max(count.cited) <= present && present <= named + count.cited, "{case}: {present} of {named}");
    }
    assert_eq!(rate("citation_share_of_voice"), (count.citations, count.citations_of_all), "{case}");
    let mean = &summary["avg_citation_position"];
    assert_eq!(mean["runs"], count.positions.len(), "{case}");
    if !count.positions.is_empty() {
        let expected = count.positions.iter().sum::<usize>() as f64 / count.positions.len() as f64;
        assert!((mean["value"].as_f64().unwrap() - expected).abs() < 1e-4, "{case}: {mean} is not {expected}");
    }
    for row in summary["by_engine"]["rows"].as_array().unwrap() {
        let engine = &count.engines[row[0].as_str().unwrap()];
        assert_eq!(row[1], engine.0, "{case}: {row}");
        let expected = engine.1 as f64 / engine.0 as f64;
        assert!((row[6].as_f64().unwrap() - expected).abs() < 1e-4, "{case}: {row}");
    }
    assert_eq!(summary["by_engine"]["rows"].as_array().unwrap().len(), count.engines.len(), "{case}");
    let rows = summary["top_sources"]["rows"].as_array().unwrap();
    let domains: Vec<(&str, u64, u64)> =
        rows.iter().map(|row| (row[0].as_str().unwrap(), row[1].as_u64().unwrap(), row[3].as_u64().unwrap())).collect();
    assert_eq!(domains, count.top_domains(20), "{case}");
}

#[test]
fn lists_of_real_answers_hold_what_a_plain_count_counts() {
    let Some(real) = real() else { return };
    for file in real.files.iter() {
        for scope in scopes(file) {
            let count = Count::of(file, &scope);
            let with = |name: &str, value: bool| {
                let mut arguments = arguments(file, &scope);
                arguments[name] = value.into();
                arguments["limit"] = 1.into();
                let list = real.answer("list_prompt_runs", &arguments);
                (list["total"].as_u64().unwrap(), list["total_is_capped"].as_bool().unwrap())
            };
            // In a period every run is counted.
            let listed = |count: u64| (count, false);
            let case = format!("{}: {scope:?}", file.name);
            assert_eq!(with("cited", true), listed(count.cited), "{case}");
            assert_eq!(with("cited", false), listed(count.runs - count.cited), "{case}");
            if scope.brand == 0 {
                assert_eq!(with("mentioned", true), listed(count.named), "{case}");
                assert_eq!(with("visible", true), listed(count.present), "{case}");
                assert_eq!(with("visible", false), listed(count.runs - count.present), "{case}");
            }
        }
    }
}

#[test]
fn words_are_found_in_real_answers_and_questions() {
    let Some(real) = real() else { return };
    for (file, words) in real.files.iter().zip([
        &["warranty", "wirecutter", "quietest", "ninja", "dishwasher safe", "5 quart"][..],
        &["headphones", "travel", "earbuds"],
        &["attorney", "florida", "settlements"],
    ]) {
        for words in words {
            let list = real.answer("list_prompt_runs", &json!({ "project": file.name, "text": words, "limit": 1 }));
            let expected = plain::holding(file, words);
            assert!(expected > 0, "{}: nobody says {words}", file.name);
            assert_eq!(list["total"], expected.min(1_000), "{}: {words}", file.name);
        }
    }
}

#[test]
fn a_real_answer_fits_and_is_whole() {
    let Some(real) = real() else { return };
    let mut largest = BTreeMap::new();
    let mut measure = |tool: &'static str, arguments: &Value| {
        let answer = real.answer(tool, arguments);
        let most = largest.entry((tool, arguments.get("response_format").is_some())).or_insert((0, String::new()));
        *most = most.clone().max((tokens::of(&answer), arguments.to_string()));
        answer
    };
    measure("list_sources", &json!({}));
    for file in real.files.iter() {
        let detailed = json!({ "project": file.name, "limit": 100, "response_format": "detailed" });
        measure("list_prompt_runs", &json!({ "project": file.name }));
        measure("list_prompt_runs", &detailed);
        measure("brand_summary", &json!({ "project": file.name, "period": "2025-05-01..2026-11-20" }));
        let list = json!({ "project": file.name, "sort": "total_citations", "limit": 100 });
        for row in real.answer("list_prompt_runs", &list)["runs"]["rows"].as_array().unwrap().iter().step_by(3) {
            measure("get_run_details", &json!({ "run_id": row[0] }));
            let whole = measure("get_run_details", &json!({ "run_id": row[0], "response_format": "detailed" }));
            assert_eq!(whole.get("next_citations_offset"), None, "{}", row[0]);
            let question = whole["prompt"]["text"].as_str().unwrap();
            assert!(file.records.iter().any(|record| record.question() == question), "nobody asked {question}");
        }
    }
    for ((tool, detailed), (cost, arguments)) in largest {
        println!("{tool} {arguments}: {cost} tokens");
        assert!(cost <= if detailed { 20_000 } else { 2_000 }, "{tool} {arguments}: {cost} tokens");
    }
}

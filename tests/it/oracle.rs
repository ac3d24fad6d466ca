//! Every figure of every tool, recomputed from the cache's rows by another program: `tests/oracle/oracle.py`.
//!
//! What is asked is read off each tool's schema, so a new tool is asked without a word here; the oracle of its answers
//! must be written, or these tests fail. The caches are the demo's, random ones, Lumar's, Lunary's, and one of two
//! trackers.

mod bare;
mod dice;
mod exact;
mod golden;
mod questions;
mod worlds;

use crate::support::world::DEMO;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};
use worlds::Cached;

/// How many answers with runs behind them are traced in one cache; each takes many pages of a list.
const TRACED: usize = 12;

/// Asks a cache all it is asked and has the oracle recompute the answers.
fn judge(cached: &Cached, rounds: usize) {
    let mut lines = questions::ask(cached, rounds);
    let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &lines {
        *asked.entry(line["tool"].as_str().unwrap()).or_default() += 1;
    }
    for tool in questions::tools() {
        assert!(asked.contains_key(tool.name), "{}: `{}` was not asked", cached.name, tool.name);
    }
    let mut traced = Vec::new();
    for line in &lines {
        counted(&line["answer"], &mut traced);
    }
    let step = traced.len().div_ceil(TRACED).max(1);
    let traced: Vec<Value> = traced.into_iter().step_by(step).map(|(filter, _)| filter).collect();
    lines.extend(traced.into_iter().map(|filter| {
        let runs = listed(cached, &filter);
        json!({ "exact": "traced", "question": filter, "value": runs })
    }));
    lines.extend(exact::of_cache(cached, rounds));
    lines.splice(0..0, texts(cached, &lines));
    recompute(cached.store.path(), &cached.name, &lines);
}

/// The texts of all runs, and the records of those that were asked for: compressed in the cache, so that the oracle must
/// be given them.
fn texts(cached: &Cached, lines: &[Value]) -> Vec<Value> {
    let reader = cached.store.reader().unwrap();
    let asked: BTreeSet<&str> = lines.iter().filter_map(|line| line["arguments"]["run_id"].as_str()).collect();
    let text = |run: String| {
        let id = run.parse().unwrap();
        let record = asked.contains(run.as_str()).then(|| reader.raw_record(id).unwrap());
        json!({ "texts_of": run, "answer": reader.answer(id).unwrap(), "record": record })
    };
    questions::named(cached).into_iter().flat_map(|project| project.runs).map(text).collect()
}

/// Has the oracle recompute these lines.
fn recompute(cache: &Path, name: &str, lines: &[Value]) {
    let file = cache.with_file_name(format!("{name}.jsonl"));
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    fs::write(&file, lines.join("\n")).unwrap();
    if let Some(output) = python("oracle.py", &[cache, &file]) {
        println!("{name}:\n{output}");
    }
}

/// What a program of the oracle's folder prints, which must succeed. None where there is no Python.
fn python(program: &str, arguments: &[&Path]) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a test has no settings")]
    let is_required = std::env::var("CI").is_ok();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let output = match Command::new("python3").arg(folder.join(program)).args(arguments).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            assert!(!is_required, "there is no python3; install Python 3.11 or newer, which the oracle needs");
            println!("not checked: the oracle needs python3, and there is none");
            return None;
        }
        output => output.unwrap(),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?}: {}\n{stdout}{stderr}", output.status);
    Some(stdout)
}

/// Every `runs_filter` of an answer that stands beside a count of `runs`, with that count.
fn counted(answer: &Value, found: &mut Vec<(Value, u64)>) {
    match answer {
        Value::Object(fields) => {
            let runs = fields.get("runs").and_then(Value::as_u64);
            if let (Some(filter), Some(runs)) = (fields.get("runs_filter"), runs) {
                found.push((filter.clone(), runs));
            }
            fields.values().for_each(|value| counted(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| counted(item, found)),
        _ => {}
    }
}

/// The ids of all runs that `list_prompt_runs` gives for a filter, page by page.
fn listed(cached: &Cached, filter: &Value) -> BTreeSet<String> {
    let mut arguments = filter.clone();
    arguments["limit"] = 100.into();
    let (mut ids, mut rows) = (BTreeSet::new(), 0);
    loop {
        let page = cached.answer("list_prompt_runs", &arguments);
        let runs = page["runs"]["rows"].as_array().unwrap();
        rows += runs.len();
        ids.extend(runs.iter().map(|row| row[0].as_str().unwrap().to_owned()));
        match page.get("next_cursor") {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => break,
        }
    }
    assert_eq!(ids.len(), rows, "{}: a run is listed twice for {filter}", cached.name);
    ids
}

#[test]
fn the_demo_is_what_its_rows_say() {
    judge(&worlds::demo(), 60);
}

#[test]
fn random_worlds_are_what_their_rows_say() {
    for seed in 1..=4 {
        judge(&worlds::random(seed), 30);
    }
}

#[test]
fn many_prompts_are_what_their_rows_say() {
    judge(&worlds::wide(), 12);
}

#[tokio::test]
async fn facts_that_no_tracker_gives_are_what_their_rows_say() {
    for seed in 1..=3 {
        judge(&bare::world(seed).await, 40);
    }
}

#[tokio::test]
async fn lumar_is_what_its_rows_say() {
    let (_stage, cached) = worlds::lumar().await;
    judge(&cached, 30);
}

#[tokio::test]
async fn lunary_is_what_its_rows_say() {
    let (_stage, cached) = worlds::lunary().await;
    judge(&cached, 30);
}

#[tokio::test]
async fn two_trackers_of_one_name_are_what_their_rows_say() {
    let (_stages, cached) = worlds::two().await;
    judge(&cached, 30);
}

#[test]
fn figures_of_bare_counts_are_those_of_the_oracle() {
    let cached = worlds::demo();
    let mut lines = exact::of_counts();
    lines.extend(exact::of_labelled(&exact::labels(&cached)));
    recompute(cached.store.path(), "bare counts", &lines);
}

#[test]
fn the_variance_is_that_of_the_textbooks() {
    if let Some(output) = python("check_variance.py", &[]) {
        println!("{output}");
    }
}

#[test]
fn every_golden_answer_names_exactly_the_runs_it_counted() {
    let cached = worlds::demo();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots");
    let mut tracer = golden::Tracer::new(&cached);
    let mut answers = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_golden = name.starts_with("it__answers__") || name.starts_with("it__tools_");
        let text = fs::read_to_string(&path).unwrap();
        let (_, golden) = text.split_once("\n---\n").unwrap();
        if is_golden && let Ok(answer @ Value::Object(_)) = serde_json::from_str(golden) {
            tracer.trace(&name, &answer);
            answers += 1;
        }
    }
    println!("{} figures of {answers} golden answers were traced", tracer.traced);
    assert!(answers >= 40 && tracer.traced >= 300, "{} figures of {answers} answers", tracer.traced);
    // What they were recorded from, so that the demo of these tests and of those is the same.
    assert_eq!(cached.store.path(), DEMO.store.path());
}

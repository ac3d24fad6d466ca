//! Our rows beside those of the real backend: the same keys, in the same order, and no type that it never sent.
//!
//! Its answers are no part of the project; where they are absent nothing is compared.

use super::*;
use std::{fs, path::Path};

/// Where the recorded answers lie, below some folder above the project.
const RECORDED: &str = "shared/data/lunary-recorded";

/// The bodies of recorded answers whose name begins so.
fn recorded(prefix: &str) -> Vec<Value> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join(RECORDED));
    let Some(folder) = above.into_iter().find(|folder| folder.is_dir()) else {
        println!("nothing to compare: there is no `{RECORDED}` beside the project");
        return Vec::new();
    };
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with(prefix));
    paths.sort();
    let read = |path| serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap();
    paths.into_iter().map(read).filter_map(|answer| answer.get("body").cloned()).collect()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// What each key of some rows holds; keys of free JSON are not looked into.
fn types<'v>(rows: impl IntoIterator<Item = &'v Value>) -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut types: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for row in rows {
        for (key, value) in row.as_object().unwrap() {
            types.entry(key.clone()).or_default().insert(kind(value));
            if matches!(key.as_str(), "tokens" | "user" | "toxicity") {
                for (inner, value) in value.as_object().into_iter().flatten() {
                    types.entry(format!("{key}.{inner}")).or_default().insert(kind(value));
                }
            }
        }
    }
    types
}

/// What we send where the recorded answers happen to hold one kind only: said by the notes that came with them.
fn is_noted(key: &str, kind: &str) -> bool {
    let noted = [
        ("feedbacks", "list"),
        ("parentFeedback", "object"),
        ("templateVersionId", "number"),
        ("templateSlug", "text"),
        ("error", "text"),
        ("traceId", "text"),
        ("tags", "null"),
    ];
    // Inputs and outputs are anything.
    noted.contains(&(key, kind)) || matches!(key, "input" | "output") || key.starts_with("enrichment-")
}

fn compare(ours: &BTreeMap<String, BTreeSet<&'static str>>, theirs: &BTreeMap<String, BTreeSet<&'static str>>) {
    for (key, kinds) in ours.iter().filter(|(key, _)| !key.starts_with("enrichment-")) {
        let known = theirs.get(key).unwrap_or_else(|| panic!("`{key}` is never sent"));
        for kind in kinds {
            assert!(known.contains(kind) || is_noted(key, kind), "`{key}` is never {kind}, only {known:?}");
        }
    }
    for key in theirs.keys().filter(|key| !key.starts_with("enrichment-")) {
        assert!(ours.contains_key(key), "`{key}` is missing");
    }
}

#[tokio::test]
async fn rows_of_lists_are_like_the_recorded_ones() {
    let answers = recorded("list_");
    let theirs: Vec<&Value> = answers.iter().filter_map(|body| body["data"].as_array()).flatten().collect();
    if theirs.is_empty() {
        return;
    }
    let stage = stage().await;
    let ours = stage.all("").await;
    compare(&types(&ours), &types(theirs.iter().copied()));
    let order = |row: &Value| -> Vec<String> {
        row.as_object().unwrap().keys().filter(|key| !key.starts_with("enrichment-")).cloned().collect()
    };
    assert_eq!(order(&ours[0]), order(theirs[0]));
}

#[tokio::test]
async fn single_runs_are_like_the_recorded_ones() {
    let theirs = recorded("one_");
    if theirs.is_empty() {
        return;
    }
    let stage = stage().await;
    let mut ours = Vec::new();
    for id in stage.stored().iter().filter(|run| run.is("llm")).step_by(5).map(|run| run.id.clone()) {
        ours.push(stage.ok(&format!("/runs/{id}")).await);
    }
    compare(&types(&ours), &types(&theirs));
}

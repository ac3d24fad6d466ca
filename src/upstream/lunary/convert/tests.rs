//! Runs as data: what becomes of each shape, and of all that was recorded from a real server.

use super::*;
use crate::upstream::{
    Page,
    lunary::{
        RunFilter,
        pages::{self, Answer, Asked, Place},
    },
};
use serde_json::json;
use std::{fs, path::Path};

const PROJECT: &str = "846ec2e8-3d2c-4c28-a0aa-2a710117d73a";

fn settings(filter: RunFilter) -> Settings {
    Settings { engines: Engines::default(), filter: Filter::new(filter), salt: 0 }
}

fn run_with(changes: &Value) -> Value {
    let mut run = json!({
        "id": "3b420e08-5210-43b8-aa31-80a2daff575c", "projectId": PROJECT, "isPublic": false, "feedback": null,
        "parentFeedback": null, "feedbacks": null, "type": "llm", "name": "gpt-4o-mini",
        "createdAt": "2026-11-20T18:17:06.219Z", "endedAt": "2026-11-20T18:17:23.761Z", "duration": "00:00:17.542",
        "templateVersionId": null, "templateSlug": null, "cost": 6.735e-05,
        "tokens": {"prompt": 1, "cachedPrompt": 0, "completion": 2, "total": 3},
        "toxicity": {"input": {"isToxic": null, "labels": null}}, "tags": ["weekly"],
        "input": [{"role": "system", "content": "S", "enrichments": []},
            {"role": "user", "content": " Which  Crawler? ", "enrichments": []}],
        "output": {"role": "assistant", "content": "Acme.", "annotations": [
            {"type": "url_citation", "urlCitation": {"url": "https://acme.example/a"}}], "enrichments": []},
        "error": null, "status": "success", "params": {"maxTokens": 5}, "metadata": {"citations": ["https://b.example"]},
        "user": {"id": 1, "externalId": "u-1", "createdAt": "x", "lastSeen": "y", "props": null}, "scores": []});
    for (name, value) in changes.as_object().unwrap() {
        run[name] = value.clone();
    }
    run
}

fn page_of(rows: &[Value], filter: RunFilter) -> Page {
    let body = json!({"page": 0, "limit": 1000, "data": rows}).to_string();
    let day = "2026-11-20".parse().unwrap();
    let place = Place::of(None, day);
    let asked = Asked { what: "runs", project: PROJECT, day, place: &place, limit: 1000 };
    match pages::read(asked, &settings(filter), &body).unwrap() {
        Answer::Page(page) => *page,
        Answer::NoRoom => panic!("no room"),
    }
}

fn convert(changes: &Value) -> RunRecord {
    let mut page = page_of(&[run_with(changes)], RunFilter::default());
    assert!(page.rejected.is_empty(), "{:?}", page.rejected);
    page.runs.remove(0)
}

#[test]
fn a_run_keeps_everything() {
    let run = convert(&json!({}));
    assert_eq!(run.key, "3b420e08-5210-43b8-aa31-80a2daff575c");
    assert_eq!(run.upstream_id.as_deref(), Some(run.key.as_str()));
    assert_eq!((run.prompt.key.as_str(), run.prompt.text.as_str()), ("which crawler?", " Which  Crawler? "));
    assert_eq!((run.engine.as_str(), run.model.as_deref()), ("chatgpt", Some("gpt-4o-mini")));
    assert_eq!((run.surface, &run.status, run.web_search), (Surface::Api, &Status::Finished, None));
    assert_eq!((run.day.to_string().as_str(), run.started_at), ("2026-11-20", Some(run.created_at)));
    assert_eq!(run.finished_at.map(|at| at.to_string()).as_deref(), Some("2026-11-20T18:17:23.761Z"));
    assert_eq!((run.answer.as_deref(), run.failure_reason.as_deref()), (Some("Acme."), None));
    assert_eq!(run.source_urls, ["https://acme.example/a", "https://b.example"]);
    assert_eq!((run.citations, run.facts.len(), run.cost_usd), (None, 0, Some(6.735e-05)));
    // The answer's text is left out of the record, and nothing else is.
    let mut whole = run_with(&json!({}));
    whole["output"]["content"] = Value::Null;
    assert_eq!(serde_json::from_str::<Value>(&run.raw).unwrap(), whole);
}

#[test]
fn days_are_of_utc_and_times_may_be_written_in_other_ways() {
    for (written, at) in [
        ("2026-11-20T18:17:06Z", "2026-11-20T18:17:06Z"),
        ("2026-11-21T01:17:06.5+02:00", "2026-11-20T23:17:06.5Z"),
        ("2026-11-20T18:17:06.123456", "2026-11-20T18:17:06.123456Z"),
        ("2026-11-20 18:17:06.1+00", "2026-11-20T18:17:06.1Z"),
    ] {
        let run = convert(&json!({"createdAt": written, "cost": "0.5"}));
        assert_eq!((run.created_at.to_string().as_str(), run.cost_usd), (at, Some(0.5)), "{written}");
        assert_eq!(run.day.to_string(), "2026-11-20");
    }
}

#[test]
fn statuses_and_reasons_are_put_into_our_words() {
    for (status, error, expected, reason) in [
        (json!("started"), json!(null), Status::Running, None),
        (json!("success"), json!({"message": "x"}), Status::Finished, None),
        (json!(null), json!(null), Status::Unknown("none".into()), None),
        (json!("Paused"), json!(null), Status::Unknown("paused".into()), None),
        (json!("error"), json!({"message": "429 Too Many", "stack": "s"}), Status::Failed, Some("429 Too Many")),
        (json!("error"), json!({"error": {"message": "inner"}}), Status::Failed, Some("inner")),
        (json!("error"), json!(" plain "), Status::Failed, Some("plain")),
        (json!("error"), json!({"code": 5, "enrichments": []}), Status::Failed, Some(r#"{"code":5}"#)),
        (json!("error"), json!(null), Status::Failed, Some(NO_REASON)),
        (json!("error"), json!({"enrichments": []}), Status::Failed, Some(NO_REASON)),
        (json!("error"), json!(""), Status::Failed, Some(NO_REASON)),
    ] {
        let run = convert(&json!({"status": status, "error": error}));
        assert_eq!((&run.status, run.failure_reason.as_deref()), (&expected, reason), "{status} {error}");
    }
}

#[test]
fn a_prompt_is_its_template_or_what_was_asked() {
    let long = "x ".repeat(400);
    let hashed = format!("text:{:016x}", xxh3_64(long.trim().as_bytes()));
    for (changes, key, label) in [
        (json!({"templateSlug": "top-tools", "templateVersionId": 7}), "template:top-tools", Some("top-tools")),
        (json!({"templateVersionId": 7}), "template-version:7", Some("7")),
        (json!({"templateVersionId": "7"}), "template-version:7", Some("7")),
        (json!({"input": "WHICH\n crawler?"}), "which crawler?", None),
        (json!({"input": null}), "(no prompt)", None),
        (json!({"input": long}), hashed.as_str(), None),
    ] {
        let prompt = convert(&changes).prompt;
        assert_eq!((prompt.key.as_str(), prompt.label.as_deref()), (key, label), "{changes}");
        assert_eq!(prompt.topic, None);
    }
}

#[test]
fn a_model_is_the_name_of_a_call_and_a_parameter_of_other_runs() {
    let all = || RunFilter { types: vec!["*".into()], ..RunFilter::default() };
    for (changes, model, engine) in [
        (json!({"name": null, "params": {"model": "claude-3"}}), Some("claude-3"), "claude"),
        (json!({"name": null, "params": {}}), None, "unknown"),
        (json!({"name": "House-Model"}), Some("House-Model"), "house-model"),
        (
            json!({"type": "agent", "name": "Researcher", "params": {"model": "sonar-pro"}}),
            Some("sonar-pro"),
            "perplexity",
        ),
        (json!({"type": "agent", "name": "Researcher"}), Some("Researcher"), "researcher"),
    ] {
        let page = page_of(&[run_with(&changes)], all());
        assert_eq!((page.runs[0].model.as_deref(), page.runs[0].engine.as_str()), (model, engine), "{changes}");
    }
}

#[test]
fn other_types_are_left_out_and_foreign_and_broken_runs_are_put_aside() {
    let rows = [
        run_with(&json!({"id": "a", "type": "agent"})),
        run_with(&json!({"id": "b", "projectId": "other"})),
        run_with(&json!({"id": "../c"})),
        run_with(&json!({"id": "d", "createdAt": null})),
        run_with(&json!({"id": null})),
        run_with(&json!({"id": "f", "enrichment-1": {}, "novelty": 1})),
        json!(3),
    ];
    let page = page_of(&rows, RunFilter::default());
    assert_eq!(page.runs.iter().map(|run| run.key.as_str()).collect::<Vec<_>>(), ["f"]);
    let reasons: Vec<&str> = page.rejected.iter().map(|rejected| rejected.reason.as_str()).collect();
    insta::assert_snapshot!(reasons.join("\n"), @r"
    `id` is not an id
    `createdAt` is missing or no instant
    `id` is null
    a Run is not a readable object
    it belongs to another project than the key
    ");
    let drift: Vec<String> = page.drift.iter().map(|drift| format!("{} {}", drift.field, drift.kind)).collect();
    assert_eq!(drift, ["novelty new_field"]);
}

#[test]
fn evaluators_that_run_later_change_nothing() {
    let hash = |changes: &Value| convert(changes).raw_hash;
    let before = hash(&json!({}));
    let user = json!({"id": 1, "externalId": "u-1", "createdAt": "x", "lastSeen": "z", "props": {"vip": true}});
    assert_eq!(hash(&json!({"enrichment-7": {"result": true}, "toxicity": {}, "user": user})), before);
    assert_ne!(hash(&json!({"feedback": {"thumb": "up"}})), before);
    assert_ne!(hash(&json!({"scores": [{"label": "l", "value": 1}]})), before);
    let models = |salt| {
        let row = run_with(&json!({}));
        let body = json!([row]).to_string();
        let (day, limit) = ("2026-11-20".parse().unwrap(), 10);
        let place = Place::of(None, day);
        let asked = Asked { what: "runs", project: PROJECT, day, place: &place, limit };
        let settings = Settings { salt, ..settings(RunFilter::default()) };
        match pages::read(asked, &settings, &body).unwrap() {
            Answer::Page(page) => page.runs[0].raw_hash,
            Answer::NoRoom => panic!("no room"),
        }
    };
    assert_ne!(models(1), models(0));
}

#[test]
fn a_value_too_deep_to_be_read_is_kept_as_text() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let row = run_with(&json!({"output": "DEEP"})).to_string().replace("\"DEEP\"", &deep);
    let body = format!("{{\"limit\":1000,\"data\":[{row}]}}");
    let day = "2026-11-20".parse().unwrap();
    let place = Place::of(None, day);
    let asked = Asked { what: "runs", project: PROJECT, day, place: &place, limit: 1000 };
    let Answer::Page(page) = pages::read(asked, &settings(RunFilter::default()), &body).unwrap() else { panic!() };
    assert_eq!(page.runs[0].answer.as_deref(), Some(deep.as_str()));
}

/// Every run that was recorded from a real server can be read, and none loses its answer.
#[test]
fn recorded_runs_are_understood() {
    // Beside the checkout, not in it: it is other people's data.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/lunary-recorded");
    let Ok(files) = fs::read_dir(&folder) else {
        println!("skipped: there are no recorded answers at {}", folder.display());
        return;
    };
    let (mut read, mut answered, mut cited, mut engines) = (0, 0, 0, std::collections::BTreeSet::new());
    for file in files {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let Ok(recorded) = serde_json::from_str::<Value>(&text) else { continue };
        let body = match (recorded.get("body"), recorded.get("body_text").and_then(Value::as_str)) {
            (_, Some(text)) => serde_json::from_str(&super::super::repair::repair(text)).unwrap(),
            (Some(body), _) => body.clone(),
            _ => continue,
        };
        let rows = match body.get("data") {
            Some(Value::Array(rows)) => rows.clone(),
            _ if body.get("projectId").is_some() => vec![body],
            _ => continue,
        };
        for mut row in rows {
            let all = RunFilter { types: vec!["*".into()], ..RunFilter::default() };
            row["createdAt"] = json!("2026-11-20T10:00:00.000Z");
            let project = row["projectId"].as_str().unwrap().to_owned();
            row["projectId"] = json!(PROJECT);
            let page = page_of(std::slice::from_ref(&row), all);
            assert_eq!((page.runs.len(), page.rejected.len()), (1, 0), "{} {project} {row}", path.display());
            let new: Vec<_> = page.drift.iter().filter(|drift| drift.kind.as_str() == "new_field").collect();
            assert!(new.is_empty(), "{} {new:?}", path.display());
            let run = &page.runs[0];
            let has_answer = run.status == Status::Finished && row["type"] == "llm";
            assert!(!has_answer || run.answer.is_some() || row["output"].is_null(), "{} {row}", path.display());
            assert!(run.status != Status::Failed || run.failure_reason.is_some());
            read += 1;
            answered += u32::from(run.answer.is_some());
            cited += u32::from(!run.source_urls.is_empty());
            engines.insert(run.engine.clone());
        }
    }
    println!("{read} runs, {answered} answers, {cited} with sources, engines {engines:?}");
    assert!(read > 100 && answered > 50 && cited > 5);
}

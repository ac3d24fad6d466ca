//! Two trackers that follow the same brands: one question, two answers side by side, each with its source.

use crate::support::{
    lumar::LumarStage,
    sync::{Stage, done, sync_into},
    world::{backend_of, call},
};
use serde_json::{Value, json};
use visibility_mcp::clock::Clock;

fn sources(answer: &Value) -> Vec<&str> {
    answer["summaries"].as_array().unwrap().iter().map(|summary| summary["source"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn tools_answer_for_either_tracker_and_for_both() {
    let (lumar, verseodin) = (LumarStage::small(), Stage::small());
    lumar.settle();
    verseodin.settle();
    let report = sync_into(&lumar.store, &[lumar.upstream(), verseodin.upstream()], lumar.last_day()).await;
    report.sources.into_iter().for_each(|source| drop(done(source)));
    let clock = Clock::fixed(lumar.last_day().plus(1).start() + jiff::SignedDuration::from_hours(20));
    let backend = backend_of(&lumar.store, &clock, &["lumar", "verseodin"]);
    let ask = |tool: &str, arguments: Value| call(&backend, tool, arguments).unwrap();

    let listed = ask("list_sources", json!({}));
    let names: Vec<&str> =
        listed["sources"].as_array().unwrap().iter().map(|source| source["upstream"].as_str().unwrap()).collect();
    assert_eq!(names, ["lumar", "verseodin"]);

    let project = lumar.world.project_name(0);
    let period = "2026-11-17..2026-11-20";
    let both = ask("brand_summary", json!({ "project": project, "period": period }));
    assert_eq!(sources(&both), ["lumar", "verseodin"]);
    let as_of: Vec<&str> = both["as_of"].as_array().unwrap().iter().map(|of| of["source"].as_str().unwrap()).collect();
    assert_eq!(as_of, ["lumar", "verseodin"]);
    // The same answers, so the same figures, although one tracker counts by brand and the other by its own brand alone.
    let [one, other] = [&both["summaries"][0], &both["summaries"][1]];
    for figure in ["runs", "prompts", "presence_rate", "mention_rate", "citation_rate"] {
        assert_eq!(one[figure], other[figure], "{figure}");
    }
    assert!(one["avg_sentiment"]["value"].is_number() && other["avg_sentiment"].get("value").is_none());
    for source in ["lumar", "verseodin"] {
        let named = ask("brand_summary", json!({ "project": format!("{source}/{project}"), "period": period }));
        assert_eq!(sources(&named), [source]);
    }

    let runs = ask("list_prompt_runs", json!({ "project": project, "period": period, "limit": 100 }));
    let place = runs["runs"]["columns"].as_array().unwrap().iter().position(|column| column == "project").unwrap();
    for source in ["lumar", "verseodin"] {
        let of_source = format!("{source}/{project}");
        let shown = runs["runs"]["rows"].as_array().unwrap().iter().filter(|row| row[place] == of_source).count();
        assert!(shown > 0, "{of_source} in {runs}");
        let named = ask("list_prompt_runs", json!({ "project": of_source, "period": period, "limit": 100 }));
        assert_eq!(named["seen_from"][0]["source"], source);
    }
}

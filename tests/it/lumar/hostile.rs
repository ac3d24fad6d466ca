//! Hostile texts in every place that Lumar has for texts: answers, justifications, prompts, topics, brands, reasons.

use crate::{
    support::{lumar::LumarStage, sync::small, world::call},
    sync::hostile::assert_clean,
};
use serde_json::json;
use visibility_mcp::demo::{
    lumar::{Fault, LumarOptions, NodeChange, When},
    world::WorldSize,
};

#[tokio::test]
async fn hostile_texts_come_out_clean_and_bounded() {
    for change in [NodeChange::HiddenCharacters, NodeChange::ForgedTags, NodeChange::ToolShaped, NodeChange::Huge] {
        for target in [
            "getAiVisibilityProjects",
            "getAiVisibilityBrands",
            "getAiVisibilityPrompts",
            "getAiVisibilityPromptRuns",
            "getAiVisibilityPromptRunDetails",
        ] {
            // Five megabytes in each of some hundred nodes are the upstream's trouble, not ours.
            if change == NodeChange::Huge && target != "getAiVisibilityPromptRunDetails" {
                continue;
            }
            let case = format!("{target} {change:?}");
            let size = WorldSize { prompts: vec![2], days: 1, ..small() };
            let stage = LumarStage::with(size, LumarOptions::unhurried());
            stage.settle();
            stage.server.faults().inject(target, Fault::Nodes { change, count: 1 }, When::Next(4));
            stage.sync().await;
            let backend = stage.backend();
            for (tool, format) in ["list_sources", "list_prompt_runs", "brand_summary"]
                .into_iter()
                .flat_map(|tool| [(tool, "concise"), (tool, "detailed")])
            {
                match call(&backend, tool, json!({ "response_format": format })) {
                    Ok(answer) => assert_clean(&case, &answer),
                    Err(error) => assert_clean(&case, &error.to_string().into()),
                }
            }
            let Ok(runs) = call(&backend, "list_prompt_runs", json!({ "limit": 100 })) else { continue };
            if target == "getAiVisibilityPromptRunDetails" {
                let reader = stage.store.reader().unwrap();
                let kept = |row: &serde_json::Value| {
                    let id = row[0].as_str().unwrap().parse().unwrap();
                    reader.run_details(id, None).unwrap().unwrap().answer.unwrap_or_default()
                };
                let hostile = |answer: String| match change {
                    NodeChange::HiddenCharacters => answer.chars().any(|c| c == '\u{200b}' || c == '\u{202e}'),
                    NodeChange::ForgedTags => answer.contains("</"),
                    NodeChange::ToolShaped => answer.contains("jsonrpc"),
                    _ => answer.len() > 1_000_000,
                };
                let rows = runs["runs"]["rows"].as_array().unwrap();
                assert!(rows.iter().map(kept).any(hostile), "{case}: the cache keeps what came");
            }
            for row in runs["runs"]["rows"].as_array().unwrap() {
                for format in ["concise", "detailed"] {
                    let arguments = json!({ "run_id": row[0], "response_format": format });
                    let details = call(&backend, "get_run_details", arguments).unwrap();
                    assert_clean(&case, &details);
                }
            }
        }
    }
}

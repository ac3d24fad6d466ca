//! What a run looks like in a list, by itself and among its relatives, and that it tells what the world knows.

use super::*;

#[tokio::test]
async fn a_run_by_itself_has_other_fields_than_in_a_list() {
    let stage = stage().await;
    let rows = stage.all("type=llm&type=llm").await;
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let listed: BTreeSet<String> = ["templateSlug", "parentFeedback", "feedbacks"].map(str::to_owned).into();
    let single: BTreeSet<String> = BTreeSet::from(["traceId".to_owned()]);
    let mut enriched = 0;
    for row in rows.iter().step_by(7).chain(rows.iter().filter(|row| keys(row).iter().any(|k| k.starts_with("enri")))) {
        let one = stage.ok(&format!("/runs/{}", row["id"].as_str().unwrap())).await;
        assert_eq!(&keys(row) - &keys(&one), listed);
        assert_eq!(&keys(&one) - &keys(row), single);
        assert_eq!(one["toxicity"], json!({ "input": {}, "output": {} }));
        for (key, value) in one.as_object().unwrap() {
            if key.starts_with("enrichment-") {
                enriched += 1;
                assert!(value.get("createdAt").is_some() && row[key].get("createdAt").is_none());
            } else if key != "toxicity" && key != "traceId" {
                assert_eq!(value, &row[key], "{key}");
            }
        }
    }
    assert!(enriched > 0);
}

#[tokio::test]
async fn rows_have_the_types_that_were_seen() {
    let stage = stage().await;
    let rows = stage.all("date=gte.2000-01-01").await;
    assert_eq!(rows.len(), LLM_ROWS + OTHERS * DAYS);
    let types = ["agent", "chain", "chat", "custom-event", "llm", "retriever", "thread", "tool"];
    assert_eq!(kinds(&rows, "type"), types.map(str::to_owned).into());
    assert_eq!(kinds(&rows, "status"), ["error", "null", "started", "success"].map(str::to_owned).into());
    for row in &rows {
        let is_llm = row["type"] == "llm";
        let timeless = matches!(row["type"].as_str(), Some("thread" | "chat" | "custom-event"));
        assert_eq!(row["status"].is_null(), timeless, "{row}");
        assert!(ids::uuid_of(row["id"].as_str().unwrap()).is_some());
        assert_eq!(row["createdAt"].as_str().unwrap().len(), "2026-11-21T00:00:00.000Z".len());
        assert_eq!(row["endedAt"].is_null(), row["duration"].is_null());
        assert!(row["duration"].is_null() || row["duration"].is_string());
        assert!(row["templateVersionId"].is_null() || row["templateVersionId"].is_i64());
        assert_eq!(row["templateVersionId"].is_null(), row["templateSlug"].is_null());
        let tokens = &row["tokens"];
        assert_eq!(tokens["cachedPrompt"], 0);
        let sum = tokens["prompt"].as_i64().unwrap_or(0) + tokens["completion"].as_i64().unwrap_or(0);
        assert_eq!(tokens["total"], sum);
        assert!(row["params"].is_object() && row["scores"].is_array() && row["isPublic"].is_boolean());
        assert!(row["user"].is_null() || row["user"]["id"].is_i64() && row["user"]["externalId"].is_string());
        if is_llm && row["status"] != "success" {
            assert!(row["cost"].is_null() && row["output"].is_null(), "{row}");
        }
        assert!(!row.to_string().contains("url_citation\":") && !row.to_string().contains("max_tokens"), "{row}");
        for side in ["input", "output", "error"] {
            if row[side].is_object() {
                assert_eq!(row[side]["enrichments"], json!([]), "{side}");
            }
        }
    }
    let llm: Vec<&Value> = rows.iter().filter(|row| row["type"] == "llm").collect();
    for field in ["cost", "user", "feedback", "templateSlug", "error", "output"] {
        assert!(llm.iter().any(|row| row[field].is_null()) && llm.iter().any(|row| !row[field].is_null()), "{field}");
    }
    let errors: Vec<&Value> = llm.iter().filter(|row| row["status"] == "error").map(|row| &row["error"]).collect();
    assert!(errors.iter().any(|error| error.is_object()) && errors.iter().any(|error| error.is_string()), "{errors:?}");
    let shapes = |side: &str| llm.iter().map(|row| shape(&row[side])).collect::<BTreeSet<_>>();
    assert_eq!(shapes("input"), ["list of messages", "list of parts", "message", "text"].map(str::to_owned).into());
    let outputs = [
        "annotated",
        "cited",
        "list after tool",
        "list of messages",
        "message",
        "nothing",
        "parts",
        "searched",
        "text",
    ];
    assert_eq!(shapes("output"), outputs.map(str::to_owned).into());
}

/// In which of the shapes a text comes.
fn shape(value: &Value) -> String {
    let first = |field: &str| value[0].get(field);
    let name = match value {
        Value::Null => "nothing",
        Value::String(_) => "text",
        Value::Array(_) if first("toolCalls").is_some() => "list after tool",
        Value::Array(_) if first("content").is_some_and(Value::is_array) => "list of parts",
        Value::Array(_) => "list of messages",
        _ if value.get("searchResults").is_some() => "searched",
        _ if value.get("annotations").is_some() => "annotated",
        _ if value.get("citations").is_some() => "cited",
        _ if value["content"].is_array() => "parts",
        _ => "message",
    };
    name.to_owned()
}

#[tokio::test]
async fn a_run_says_what_the_world_knows() {
    let stage = stage().await;
    let world = small_world();
    let mut seen = 0;
    for run in world.runs().filter(|run| run.project == 0) {
        let row = stage.ok(&format!("/runs/{}", stage.tracker.run_id(0, run.day, run.prompt, run.engine))).await;
        let text = row.to_string();
        assert!(row["createdAt"].as_str().unwrap().starts_with(&run.day.to_string()));
        assert!(row["input"].to_string().contains(&json!(run.prompt_text).to_string()), "{text}");
        let status = match (&run.answer, run.failure) {
            (Some(_), _) => "success",
            (None, Some(_)) => "error",
            (None, None) => "started",
        };
        assert_eq!(row["status"], status);
        let output = row["output"].to_string();
        for mention in &run.mentions {
            let brand = &world.brands(0)[mention.brand];
            let names = brand.spellings().any(|name| output.to_lowercase().contains(&name.to_lowercase()));
            assert!(names, "{}: {output}", brand.name);
        }
        for citation in &run.citations {
            assert!(output.contains(&citation.url), "{}: {output}", citation.url);
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[tokio::test]
async fn a_run_under_two_chats_is_listed_twice() {
    let stage = stage().await;
    let id = stage.tracker.run_id(0, newest(), 1, 0);
    let rows: Vec<Value> = stage.all("").await.into_iter().filter(|row| row["id"] == *id).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["parentFeedback"], Value::Null);
    assert_eq!(rows[1]["parentFeedback"], json!({ "thumb": "up" }));
    let threads = stage.all("type=thread").await;
    assert_eq!(threads.len(), DAYS);
    assert_eq!(threads[0]["feedbacks"], json!([{ "thumb": "up" }]));
    assert_eq!(threads[0]["messagesCount"], 1);
    assert!(threads[0].get("firstMessage").is_some());
    assert!(stage.all("status=success").await[0].get("messagesCount").is_none());
}

#[tokio::test]
async fn one_chat_with_an_object_as_input_spoils_the_list_of_threads() {
    let stage = stage().await;
    let thread = stage.stored_run(|run| run.is("thread"));
    let id = "11111111-1111-4111-8111-111111111111";
    let chat = Run {
        kind: "chat".to_owned(),
        parent: Some(thread.id),
        input: json!({ "text": "x" }),
        ..Run::started(id, "", thread.created_at, "")
    };
    stage.server.add(0, chat);
    assert_eq!(stage.get("/runs?type=thread").await.status, 500);
    assert_eq!(stage.get("/runs?type=llm&type=llm").await.status, 200);
    stage.server.remove(id);
    assert_eq!(stage.get("/runs?type=thread").await.status, 200);
}

#[tokio::test]
async fn relatives_are_a_bare_list_of_raw_rows_oldest_first() {
    let stage = stage().await;
    let agent = stage.stored_run(|run| run.is("agent"));
    let rows = stage.ok(&format!("/runs/{}/related", agent.id)).await;
    let rows = rows.as_array().unwrap();
    // The agent, its chain, tool and retriever, and the runs of the first prompt below the chain.
    assert_eq!(rows.len(), 4 + ENGINES);
    assert_eq!(rows[0]["id"], *agent.id);
    assert!(texts(rows, "createdAt").is_sorted());
    let chain = rows.iter().find(|row| row["type"] == "chain").unwrap();
    assert_eq!((&chain["parentRunId"], &chain["cost"]), (&json!(agent.id), &json!(0)));
    let run = rows.iter().find(|row| row["type"] == "llm").unwrap();
    assert_eq!(run["parentRunId"], chain["id"]);
    assert!(run.get("promptTokens").is_some() && run.get("tokens").is_none());
    let one = stage.ok(&format!("/runs/{}", run["id"].as_str().unwrap())).await;
    assert_eq!(one["traceId"], *agent.id);
    assert_eq!(stage.ok("/runs/00000000-0000-4000-8000-000000000000/related").await, json!([]));
    assert_eq!(stage.get("/runs/nope/related").await.status, 500);
}

#[tokio::test]
async fn an_export_is_whole_and_adds_nothing() {
    let stage = stage().await;
    let got = stage.get("/runs/export?type=llm&exportFormat=jsonl&date=gte.2026-11-20&limit=1").await;
    assert_eq!((got.status, got.headers["content-type"].as_str()), (200, "application/jsonl"));
    let rows: Vec<Value> = got.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), LLM_ROWS / 2);
    assert!(!got.text().contains("\"enrichments\""));
    assert!(rows.iter().any(|row| row["output"].to_string().len() > 500));
    for query in ["", "?type=llm", "?type=llm&exportFormat=xml", "?type=agent&exportFormat=jsonl"] {
        let got = stage.get(&format!("/runs/export{query}")).await;
        assert_eq!((got.status, got.json()["error"].as_str()), (422, Some("Error")), "{query}");
    }
}

#[tokio::test]
async fn templates_are_listed_with_their_versions() {
    let stage = stage().await;
    let templates = stage.ok("/templates").await;
    let versions: BTreeSet<i64> =
        templates.as_array().unwrap().iter().map(|t| t["versions"][0]["id"].as_i64().unwrap()).collect();
    let rows = stage.all("").await;
    let used: BTreeSet<i64> = rows.iter().filter_map(|row| row["templateVersionId"].as_i64()).collect();
    assert_eq!(versions, used);
    assert_eq!(stage.get_of(EMPTY, "/templates").await.json(), json!([]));
}

//! Each field of the two documented queries, and where it is in our answers.

use crate::support::{lumar::LumarStage, world::call};
use serde_json::{Value, json};

/// The first documented query, as it is documented but for the variables.
const PROMPT_RUNS: &str = "query GetAiVisibilityPromptRuns(
  $accountId: ObjectID! $aiVisibilityPromptId: ObjectID! $aiVisibilityBrandId: ObjectID! $dateRange: AiVisibilityDateRangeInput
) {
  getAiVisibilityPromptRuns(
    accountId: $accountId aiVisibilityPromptId: $aiVisibilityPromptId aiVisibilityBrandId: $aiVisibilityBrandId
    dateRange: $dateRange first: 20 orderBy: [{ field: createdAt, direction: DESC }]
  ) {
    nodes {
      id rawId status aiProviderType brandVisible totalBrandCitations totalBrandMentions bestBrandPosition
      avgBrandSentiment createdAt
    }
    pageInfo { hasNextPage endCursor }
    totalCount
  }
}";

/// The second.
const RUN_DETAILS: &str = "query GetAiVisibilityPromptRunDetails(
  $accountId: ObjectID! $aiVisibilityPromptRunId: ObjectID! $aiVisibilityBrandId: ObjectID!
) {
  getAiVisibilityPromptRunDetails(
    accountId: $accountId aiVisibilityPromptRunId: $aiVisibilityPromptRunId aiVisibilityBrandId: $aiVisibilityBrandId
  ) {
    aiProviderType promptText topicName fullAnswerText brandVisible totalBrandCitations totalBrandMentions
    bestBrandPosition avgBrandSentiment visibilityScore
    brandCitations { url position citationQualityScore }
    brandMentions { brandName brandType brandMentionQualityScore sentiment sentimentJustification }
    otherBrandCitations { url position brandName brandType }
    createdAt
  }
}";

/// Asks the server as a script would.
async fn ask(stage: &LumarStage, query: &str, variables: Value) -> Value {
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[expect(clippy::disallowed_methods, reason = "another client than the program's")]
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let request = client
        .post(stage.server.base_url())
        .header("x-api-key", stage.server.service_key())
        .header("content-type", "application/json")
        .body(json!({ "query": query, "variables": variables }).to_string());
    let body = request.send().await.unwrap().text().await.unwrap();
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"].clone()
}

fn engine(provider: &Value) -> Value {
    match provider.as_str().unwrap() {
        "OpenAiApi" => "chatgpt".into(),
        "GeminiApi" => "gemini".into(),
        "PerplexityApi" => "perplexity".into(),
        "AnthropicApi" => "claude".into(),
        "GoogleAiMode" => "google_ai_mode".into(),
        "GoogleAiOverview" => "google_ai_overviews".into(),
        "GrokApi" => "grok".into(),
        other => panic!("{other}"),
    }
}

fn same_number(ours: &Value, theirs: &Value, what: &str) {
    match (ours.as_f64(), theirs.as_f64()) {
        (Some(ours), Some(theirs)) => assert!((ours - theirs).abs() < 1e-4, "{what}: {ours} {theirs}"),
        (ours, theirs) => assert_eq!(ours, theirs, "{what}"),
    }
}

fn instant(value: &Value) -> jiff::Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn every_field_of_the_documented_queries_is_in_an_answer() {
    let stage = LumarStage::small();
    stage.settle();
    stage.sync_all().await;
    let backend = stage.backend();
    let own = stage.world.brands(0)[0].name.clone();
    let project = stage.world.project_name(0).to_owned();
    let variables = json!({
        "accountId": stage.server.account_of(0),
        "aiVisibilityPromptId": stage.server.prompt_id(0, 1),
        "aiVisibilityBrandId": stage.server.brand_id(0, &own),
        "dateRange": { "start": "2026-11-18", "end": "2026-11-20" },
    });
    let theirs = ask(&stage, PROMPT_RUNS, variables.clone()).await["getAiVisibilityPromptRuns"].take();
    let text = &stage.world.prompts(0)[1].text;
    // The same variables and sort.
    let ours = call(
        &backend,
        "list_prompt_runs",
        json!({
            "project": project, "prompt_id": text, "brand": own, "period": "2026-11-18..2026-11-20",
            "sort": "created_at", "order": "desc", "limit": 20, "response_format": "detailed",
        }),
    )
    .unwrap();
    assert_eq!(ours["total"], theirs["totalCount"]);
    assert_eq!(ours.get("next_cursor").is_some(), theirs["pageInfo"]["hasNextPage"].as_bool().unwrap());
    let columns = ours["runs"]["columns"].as_array().unwrap();
    let (rows, nodes) = (ours["runs"]["rows"].as_array().unwrap(), theirs["nodes"].as_array().unwrap());
    assert!(!nodes.is_empty() && rows.len() == nodes.len());
    for node in nodes {
        let value = |row: &Value, column: &str| row[columns.iter().position(|name| name == column).unwrap()].clone();
        let row = rows.iter().find(|row| value(row, "upstream_key") == node["id"]).unwrap();
        let row = |column: &str| value(row, column);
        // rawId is the number at the end of the id.
        assert!(base64_tail(node["id"].as_str().unwrap()).ends_with(node["rawId"].as_str().unwrap()));
        assert_eq!(row("status").as_str().unwrap(), node["status"].as_str().unwrap().to_lowercase());
        assert_eq!(row("engine"), engine(&node["aiProviderType"]));
        assert_eq!(row("visible"), node["brandVisible"]);
        same_number(&row("total_citations"), &node["totalBrandCitations"], "totalBrandCitations");
        same_number(&row("total_mentions"), &node["totalBrandMentions"], "totalBrandMentions");
        same_number(&row("best_position"), &node["bestBrandPosition"], "bestBrandPosition");
        same_number(&row("avg_sentiment"), &node["avgBrandSentiment"], "avgBrandSentiment");
        assert_eq!(instant(&row("created_at")), instant(&node["createdAt"]));
    }
    // As many sorts as the documents have, each accepted.
    for sort in ["created_at", "status", "total_citations", "total_mentions", "best_position", "avg_sentiment"] {
        call(&backend, "list_prompt_runs", json!({ "project": project, "sort": sort })).unwrap();
    }

    let mut seen = [0; 3];
    for node in nodes.iter().filter(|node| node["status"] == "Finished") {
        let mut variables = variables.clone();
        variables["aiVisibilityPromptRunId"] = node["id"].clone();
        let theirs = ask(&stage, RUN_DETAILS, variables).await["getAiVisibilityPromptRunDetails"].take();
        let id = |row: &Value| row[0].clone();
        let key = |row: &Value| row[columns.iter().position(|name| name == "upstream_key").unwrap()].clone();
        let run = id(rows.iter().find(|row| key(row) == node["id"]).unwrap());
        let ours =
            call(&backend, "get_run_details", json!({ "run_id": run, "brand": own, "response_format": "detailed" }))
                .unwrap();
        seen[0] += check_details(&ours, &theirs, &own);
        seen[1] += check_citations(&ours, &theirs);
        seen[2] += 1;
    }
    assert!(seen.iter().all(|seen| *seen > 0), "{seen:?}: nothing was compared");
}

/// The run's own fields and its mentions; how many there are of these.
fn check_details(ours: &Value, theirs: &Value, own: &str) -> usize {
    assert_eq!(ours["engine"], engine(&theirs["aiProviderType"]));
    assert_eq!(ours["prompt"]["text"], theirs["promptText"]);
    assert_eq!(ours["topic"], theirs["topicName"]);
    let answer = visibility_mcp::mcp::quote::clean(theirs["fullAnswerText"].as_str().unwrap());
    assert!(answer.starts_with(ours["answer"]["text"].as_str().unwrap()));
    let seen = &ours["seen_from"];
    assert_eq!(seen["visible"], theirs["brandVisible"]);
    same_number(&seen["total_citations"], &theirs["totalBrandCitations"], "totalBrandCitations");
    same_number(&seen["total_mentions"], &theirs["totalBrandMentions"], "totalBrandMentions");
    same_number(&seen["best_position"], &theirs["bestBrandPosition"], "bestBrandPosition");
    same_number(&seen["avg_sentiment"], &theirs["avgBrandSentiment"], "avgBrandSentiment");
    assert_eq!(instant(&ours["created_at"]), instant(&theirs["createdAt"]));
    let columns = ours["brands"]["columns"].as_array().unwrap();
    let brands = ours["brands"]["rows"].as_array().unwrap();
    let fact = brands.iter().find(|row| row[0] == own).unwrap();
    let fact = |column: &str| fact[columns.iter().position(|name| name == column).unwrap()].clone();
    same_number(&fact("visibility_score"), &theirs["visibilityScore"], "visibilityScore");
    let mentions = theirs["brandMentions"].as_array().unwrap();
    for mention in mentions {
        assert_eq!(fact("kind"), mention["brandType"].as_str().unwrap().to_lowercase());
        let justification = mention["sentimentJustification"].as_str().unwrap();
        assert!(fact("sentiment_justification").as_str().unwrap().contains(justification.trim()));
        // What has no place of its own, quality by mention and sentiment by mention, is in the tracker's own record.
        let record = ours["upstream_record"]["text"].as_str().unwrap();
        for field in ["brandMentionQualityScore", "sentiment"] {
            assert!(record.contains(&format!("\"{field}\":{}", mention[field])), "{field} in {record}");
        }
    }
    mentions.len()
}

/// Own citations and others'; how many there are.
fn check_citations(ours: &Value, theirs: &Value) -> usize {
    let columns = ours["citations"]["columns"].as_array().unwrap();
    let rows = ours["citations"]["rows"].as_array().unwrap();
    let place = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let find = |citation: &Value| rows.iter().find(|row| row[place("url")] == citation["url"]).unwrap();
    let (own, others) =
        (theirs["brandCitations"].as_array().unwrap(), theirs["otherBrandCitations"].as_array().unwrap());
    for citation in own {
        let row = find(citation);
        same_number(&row[place("quality")], &citation["citationQualityScore"], "citationQualityScore");
        assert_eq!(row[place("kind")], "own");
    }
    for citation in others {
        let row = find(citation);
        if !citation["brandName"].is_null() {
            assert_eq!(row[place("brand")], citation["brandName"]);
            assert_eq!(row[place("kind")], citation["brandType"].as_str().unwrap().to_lowercase());
        }
    }
    // In the order of the positions given.
    let mut given: Vec<(u64, &str)> = own
        .iter()
        .chain(others)
        .map(|citation| (citation["position"].as_u64().unwrap(), citation["url"].as_str().unwrap()))
        .collect();
    given.sort_unstable();
    given.dedup();
    let listed: Vec<&str> = rows.iter().map(|row| row[place("url")].as_str().unwrap()).collect();
    assert_eq!(listed, given.iter().map(|(_, url)| *url).collect::<Vec<_>>());
    given.len()
}

/// The text behind a global id.
fn base64_tail(id: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    String::from_utf8(URL_SAFE_NO_PAD.decode(id).unwrap()).unwrap()
}

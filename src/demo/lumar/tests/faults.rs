//! Faults do what they say, to the requests that they are about and no others.

use super::*;
use std::time::Duration;

const RUNS: &str = "getAiVisibilityPromptRuns";

fn two(stage: &Stage) -> String {
    let field = |n: usize| {
        format!(
            "p{n}: {RUNS}(accountId: \"{}\", aiVisibilityPromptId: \"{}\", aiVisibilityBrandId: \"{}\", first: 3) \
             {{ nodes {{ id rawId status aiProviderType totalBrandMentions brandVisible createdAt }} }}",
            stage.server.account_of(0),
            stage.server.prompt_id(0, n),
            stage.own()
        )
    };
    format!("query Two {{ {} {} }}", field(0), field(1))
}

#[tokio::test]
async fn statuses_can_be_made_to_fail() {
    let stage = stage().await;
    let faults = stage.server.faults();
    faults.inject(RUNS, Fault::Internal, When::Next(1));
    assert_eq!(stage.ask("{ version }", Value::Null).await.status, 200);
    let got = stage.ask(&two(&stage), Value::Null).await;
    assert_eq!((got.status, got.code().as_str()), (500, "INTERNAL_SERVER_ERROR"));
    assert_eq!(stage.ask(&two(&stage), Value::Null).await.status, 200);
    faults.clear();
    faults.inject("Two", Fault::TooMany { retry_after: Some(7) }, When::Always);
    for _ in 0..3 {
        let got = stage.ask(&two(&stage), Value::Null).await;
        assert_eq!((got.status, got.headers["retry-after"].as_str()), (429, "7"));
    }
    faults.clear();
    faults.inject("", Fault::Html, When::Always);
    let html = stage.ask("{ version }", Value::Null).await;
    assert_eq!((html.status, html.headers["content-type"].as_str()), (502, "text/html"));
}

#[tokio::test]
async fn bodies_can_be_made_to_break() {
    let stage = stage().await;
    let query = two(&stage);
    let whole = stage.ask(&query, Value::Null).await;
    assert_eq!(whole.cut, None);
    let faults = stage.server.faults();
    faults.inject(RUNS, Fault::Truncated, When::Next(1));
    let cut = stage.ask(&query, Value::Null).await;
    assert_eq!((cut.status, cut.cut), (200, Some(io::ErrorKind::UnexpectedEof)));
    assert!(!cut.body.is_empty() && whole.body.starts_with(&cut.body));
    faults.clear();
    faults.inject(RUNS, Fault::Reset, When::Next(1));
    assert_eq!(stage.ask(&query, Value::Null).await.cut, Some(io::ErrorKind::ConnectionReset));
    faults.clear();
    faults.inject(RUNS, Fault::Drip { chunk: 400, pause: Duration::from_millis(1) }, When::Next(1));
    let dripped = stage.ask(&query, Value::Null).await;
    assert_eq!((dripped.body == whole.body, dripped.cut), (true, None));
}

#[tokio::test]
async fn one_alias_can_fail_while_the_other_has_its_data() {
    let stage = stage().await;
    let partial = Fault::Partial { nth: 1, code: "INTERNAL_SERVER_ERROR" };
    stage.server.faults().inject(RUNS, partial.clone(), When::Always);
    let got = stage.ask(&two(&stage), Value::Null).await;
    assert_eq!((got.status, got.code().as_str()), (200, "INTERNAL_SERVER_ERROR"));
    let answer = got.json();
    assert_eq!((&answer["errors"][0]["path"], &answer["data"]["p1"]), (&json!(["p1"]), &Value::Null));
    assert_eq!(answer["data"]["p0"]["nodes"].as_array().unwrap().len(), 3);
    assert_eq!(stage.server.requests()[0].codes, ["INTERNAL_SERVER_ERROR"]);
    let strict = stage_with(LumarOptions { failure_nulls_all: true, ..LumarOptions::unhurried() }).await;
    strict.server.faults().inject(RUNS, partial, When::Always);
    let got = strict.ask(&two(&strict), Value::Null).await;
    assert_eq!((got.status, &got.json()["data"]), (200, &Value::Null));
    strict.server.faults().clear();
    strict.server.faults().inject(RUNS, Fault::NoData, When::Always);
    assert_eq!(strict.ask(&two(&strict), Value::Null).await.json(), json!({ "data": null }));
}

#[tokio::test]
async fn nodes_can_be_made_to_break_the_contract() {
    let stage = stage().await;
    let query = two(&stage);
    let clean = stage.data(&query, Value::Null).await;
    let nodes = |data: &Value| data["p0"]["nodes"].as_array().unwrap().clone();
    for change in [
        NodeChange::Gone,
        NodeChange::MissingId,
        NodeChange::NullFields,
        NodeChange::WrongTypes,
        NodeChange::UnknownStatus,
        NodeChange::UnknownProvider,
        NodeChange::BadTime,
        NodeChange::ExtraFields,
    ] {
        stage.server.faults().inject(RUNS, Fault::Nodes { change, count: 2 }, When::Always);
        let (was, is) = (nodes(&clean), nodes(&stage.data(&query, Value::Null).await));
        assert!(is[0] != was[0] && is[1] != was[1], "{change:?}");
        assert_eq!(is[2..], was[2..], "{change:?}");
        if change == NodeChange::NullFields {
            assert_eq!((&is[0]["id"], &is[0]["status"]), (&was[0]["id"], &Value::Null));
        }
        stage.server.faults().clear();
    }
    let prompts = format!("{{ p: getAiVisibilityPrompts({}) {{ nodes {{ content }} }} }}", stage.seen_by(&stage.own()));
    for (change, least) in [
        (NodeChange::HiddenCharacters, 50),
        (NodeChange::ForgedTags, 50),
        (NodeChange::ToolShaped, 50),
        (NodeChange::Huge, 5_000_000),
    ] {
        stage.server.faults().inject("getAiVisibilityPrompts", Fault::Nodes { change, count: 1 }, When::Always);
        let data = stage.data(&prompts, Value::Null).await;
        assert!(data["p"]["nodes"][0]["content"].as_str().unwrap().len() > least, "{change:?}");
        stage.server.faults().clear();
    }
}

#[tokio::test]
async fn cursors_can_be_ignored_and_answers_far_too_deep() {
    let stage = stage().await;
    let faults = stage.server.faults();
    let page = |after: &str| {
        format!(
            "{{ {RUNS}(accountId: \"{}\", aiVisibilityPromptId: \"{}\", aiVisibilityBrandId: \"{}\", first: 3{after}) \
             {{ nodes {{ rawId }} pageInfo {{ endCursor }} }} }}",
            stage.server.account_of(0),
            stage.server.prompt_id(0, 0),
            stage.own()
        )
    };
    faults.inject(RUNS, Fault::CursorIgnored, When::Always);
    let first = stage.data(&page(""), Value::Null).await;
    assert_eq!(first, stage.data(&page(", after: \"OQ\""), Value::Null).await);
    faults.clear();
    faults.inject(RUNS, Fault::Deep { levels: 100_000 }, When::Always);
    let deep = stage.ask(&page(""), Value::Null).await;
    assert!(deep.status == 200 && deep.text().contains(&"[".repeat(100_000)));
    assert!(serde_json::from_slice::<Value>(&deep.body).is_err());
}

#[tokio::test]
async fn credentials_can_be_lost_on_the_way() {
    let stage = stage().await;
    let faults = stage.server.faults();
    faults.inject(RUNS, Fault::RevokeCredentials, When::After { skip: 1, count: 1 });
    assert_eq!(stage.ask(&two(&stage), Value::Null).await.status, 200);
    assert_eq!(stage.ask(&two(&stage), Value::Null).await.status, 401);
    assert_eq!(stage.ask("{ me { id } }", Value::Null).await.status, 401);
    stage.server.restore_credentials();
    assert_eq!(stage.ask(&two(&stage), Value::Null).await.status, 200);
}

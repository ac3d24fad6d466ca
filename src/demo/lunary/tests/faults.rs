//! Faults do what they say.

use super::*;
use crate::demo::hostile::{FORGED_TAGS, TOOL_SHAPED};
use std::time::Duration;

/// Is the row as odd as it should be?
type Holds = fn(&Value) -> bool;

#[tokio::test]
async fn faults_of_the_way_spoil_the_answer() {
    let stage = stage().await;
    let whole = stage.get("/runs").await;
    for (fault, status, cut) in [
        (Fault::Internal, 500, false),
        (Fault::Html, 502, false),
        (Fault::TooMany { retry_after: Some(7) }, 429, false),
        (Fault::TooMany { retry_after: None }, 429, false),
        (Fault::Reset, 200, true),
        (Fault::Truncated, 200, true),
        (Fault::Closed, 0, false),
        (Fault::Drip { chunk: 20_000, pause: Duration::from_millis(1) }, 200, false),
    ] {
        stage.server.faults().inject("/runs/$", fault.clone(), When::Next(1));
        let got = stage.get("/runs").await;
        assert_eq!(got.status, status, "{fault:?}");
        let broken = got.cut.is_some() || !got.body.ends_with(b"]}") && status == 200;
        assert_eq!(broken, cut, "{fault:?}: {:?}", got.cut);
        match &fault {
            Fault::TooMany { retry_after } => {
                let said = got.headers.get("retry-after").map(|text| text.parse().unwrap());
                assert_eq!(said, *retry_after);
                assert!(got.text().starts_with("Sometimes"));
            }
            Fault::Closed => assert!(got.body.is_empty()),
            Fault::Drip { .. } => assert_eq!(got.body, whole.body),
            _ => {}
        }
        assert_eq!(stage.get("/runs").await.body, whole.body, "after {fault:?}");
    }
    stage.server.faults().inject("", Fault::RevokeKeys, When::Next(1));
    assert_eq!([stage.get("/runs").await.status, stage.get("/runs").await.status], [401, 401]);
}

#[tokio::test]
async fn a_server_can_fail_to_do_what_it_was_asked() {
    let stage = stage().await;
    let ids = async |query: &str| texts(&stage.rows(query).await, "id");
    let window = "?status=error&limit=1000";
    let (failed, whole) = (ids(window).await, ids("?limit=1000").await);
    stage.server.faults().inject("/runs", Fault::FiltersIgnored, When::Next(1));
    assert_eq!(ids(window).await, whole);
    assert_eq!(ids(window).await, failed);

    stage.server.faults().inject("/runs", Fault::LimitCapped(20), When::Always);
    let page = stage.ok("/runs?limit=100&page=2").await;
    assert_eq!(page["limit"], 20);
    assert_eq!(texts(page["data"].as_array().unwrap(), "id"), whole[40..60]);
    stage.server.faults().clear();

    stage.server.faults().inject("/runs", Fault::OutOfOrder, When::Next(1));
    let odd = ids("?limit=9").await;
    assert_ne!(odd, whole[..9]);
    assert_eq!(odd.iter().collect::<BTreeSet<_>>(), whole[..9].iter().collect::<BTreeSet<_>>());

    stage.server.faults().inject("/runs", Fault::Repeated { count: 2 }, When::Next(1));
    let again = ids("?limit=5").await;
    let wanted = [0, 0, 1, 1, 2].map(|n| whole[n].clone());
    assert_eq!(again, wanted);
}

#[tokio::test]
async fn odd_rows_break_one_promise_each() {
    use RowChange::{
        BadCreatedAt, ExtraFields, ForgedTags, HiddenCharacters, Huge, MissingId, NullCreatedAt, NullId,
        NumberDuration, StringCost, ToolShaped, UnknownStatus, UnknownType, WrongTypes,
    };
    let stage = stage().await;
    let content = |row: &Value| row["output"]["content"].as_str().unwrap_or_default().to_owned();
    let cases: [(RowChange, Holds); 10] = [
        (MissingId, |row| row.get("id").is_none()),
        (NullId, |row| row["id"].is_null() && row.get("id").is_some()),
        (WrongTypes, |row| row["id"] == 7 && row["tags"] == "seven" && row["createdAt"] == 7),
        (UnknownType, |row| row["type"] == "oracle-of-delphi"),
        (UnknownStatus, |row| row["status"] == "half_done"),
        (BadCreatedAt, |row| row["createdAt"] == "the day before yesterday"),
        (NullCreatedAt, |row| row["createdAt"].is_null()),
        (NumberDuration, |row| row["duration"].is_number()),
        (StringCost, |row| row["cost"].is_string()),
        (ExtraFields, |row| row.get("siblingRunId").is_some() && row["nested"]["deep"].is_array()),
    ];
    for (change, holds) in cases {
        stage.server.faults().inject("/runs", Fault::Rows { change, count: 2 }, When::Next(1));
        let rows = stage.rows("?limit=3").await;
        assert_eq!(rows.iter().map(holds).collect::<Vec<_>>(), [true, true, false], "{change:?}");
    }
    for (change, text) in
        [(ForgedTags, FORGED_TAGS), (ToolShaped, TOOL_SHAPED), (HiddenCharacters, "\u{200b}"), (Huge, "A sentence")]
    {
        stage.server.faults().inject("/runs", Fault::Rows { change, count: 1 }, When::Next(1));
        let rows = stage.rows("?limit=1").await;
        assert!(content(&rows[0]).contains(text), "{change:?}");
        assert!(change != Huge || content(&rows[0]).len() > 5_000_000);
    }
    let one = format!("/runs/{}", stage.tracker.run_id(0, newest(), 4, 2));
    stage.server.faults().inject("/runs/*", Fault::Rows { change: UnknownStatus, count: 1 }, When::Next(1));
    assert_eq!(stage.rows("?limit=1").await[0]["status"].as_str().map(|status| status == "half_done"), Some(false));
    assert_eq!(stage.ok(&one).await["status"], "half_done");
}

#[tokio::test]
async fn bodies_can_be_too_deep_or_hold_half_letters() {
    let stage = stage().await;
    stage.server.faults().inject("/runs", Fault::Deep { levels: 5_000 }, When::Next(1));
    let deep = stage.get("/runs?limit=2").await.text();
    assert!(deep.contains(&"[".repeat(5_000)) && serde_json::from_str::<Value>(&deep).is_err());
    stage.server.faults().inject("/runs", Fault::LoneSurrogates, When::Next(1));
    let halves = stage.get("/runs?limit=4").await.text();
    assert!(halves.matches("\\ud83d\"").count() >= 4, "{halves}");
    assert!(serde_json::from_str::<Value>(&halves).is_err());
    assert!(serde_json::from_str::<Value>(&halves.replace("\\ud83d", "")).is_ok());
}

//! Pages and their order: section 3 of what was observed.

use super::*;
use std::time::{Duration, Instant};

#[tokio::test]
async fn limits_and_pages_are_read_as_javascript_reads_numbers() {
    let stage = stage().await;
    // The query, and the limit, the page and the number of rows that come back.
    for (query, limit, page, rows) in [
        ("", json!(50), json!(0), 50),
        ("?limit=1", json!(1), json!(0), 1),
        ("?limit=20000", json!(20_000), json!(0), LLM_ROWS),
        ("?limit=99999999999", json!(99_999_999_999_i64), json!(0), LLM_ROWS),
        ("?limit=0", json!(0), json!(0), 0),
        ("?limit=", json!(0), json!(0), 0),
        ("?limit=1e2", json!(100), json!(0), 100),
        ("?limit=0x10", json!(16), json!(0), 16),
        ("?limit=%2010", json!(10), json!(0), 10),
        ("?limit=10&page=1.5", json!(10), json!(1.5), 10),
        ("?limit=10&page=1000", json!(10), json!(1_000), 0),
        ("?page=", json!(50), json!(0), 50),
        ("?offset=7&cursor=x&order=asc&sort=asc&name=x&userId=1&user=1", json!(50), json!(0), 50),
        (
            "?startTime=2030-01-01&endTime=2000-01-01&minDuration=1&maxDuration=0&exportType=csv",
            json!(50),
            json!(0),
            50,
        ),
    ] {
        let got = stage.ok(&format!("/runs{query}")).await;
        assert_eq!(got.as_object().unwrap().keys().collect::<Vec<_>>(), ["page", "limit", "data"], "{query}");
        assert_eq!((&got["limit"], &got["page"]), (&limit, &page), "{query}");
        assert_eq!(got["data"].as_array().unwrap().len(), rows, "{query}");
    }
}

#[tokio::test]
async fn wrong_limits_pages_and_orders_are_errors_of_the_database() {
    let stage = stage().await;
    let bigint = |text: &str| format!("invalid input syntax for type bigint: \"{text}\"");
    for (query, message) in [
        ("limit=-1", "LIMIT must not be negative".to_owned()),
        ("limit=abc", bigint("NaN")),
        ("limit=1.5", bigint("1.5")),
        ("limit=NaN", bigint("NaN")),
        ("limit=Infinity", bigint("Infinity")),
        ("limit=10&limit=20", bigint("NaN")),
        ("limit=10&page=-1", "OFFSET must not be negative".to_owned()),
        ("page=abc", bigint("NaN")),
        ("limit=5&page=1.5", bigint("7.5")),
        ("page=1e30", bigint("5e+31")),
        ("page=1e18", "value \"50000000000000000000\" is out of range for type bigint".to_owned()),
        ("sortField=toString", "syntax error at or near \"desc\"".to_owned()),
    ] {
        for path in ["/runs", "/runs/count"] {
            let got = stage.get(&format!("{path}?{query}")).await;
            assert_eq!((got.status, got.message()), (500, message.clone()), "{path}?{query}");
        }
    }
}

#[tokio::test]
async fn a_page_begins_at_page_times_limit() {
    let stage = stage().await;
    let all = texts(&stage.rows("?limit=100").await, "id");
    assert_eq!(texts(&stage.rows("?limit=10&page=1.5").await, "id"), all[15..25]);
    assert_eq!(texts(&stage.rows("?limit=7&page=3").await, "id"), all[21..28]);
    for target in ["/v1/runs/", "/V1/RUNS", "/v1/Runs/?"] {
        let key = format!("Bearer {}", stage.server.private_key(0));
        let got = request(&stage.server, "GET", target, &[("authorization", &key)]).await;
        assert_eq!(texts(got.json()["data"].as_array().unwrap(), "id"), all[..50], "{target}");
    }
}

#[tokio::test]
async fn walking_in_any_step_finds_the_same_rows_in_the_same_order() {
    let stage = stage().await;
    let whole = texts(&stage.rows("?limit=1000").await, "id");
    assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), LLM);
    for step in [7, 50, 100, 1_000] {
        for order in ["", "&sortField=createdAt&sortDirection=asc"] {
            let mut walked = Vec::new();
            for page in 0.. {
                let rows = texts(&stage.rows(&format!("?limit={step}&page={page}{order}")).await, "id");
                if rows.is_empty() {
                    break;
                }
                walked.extend(rows);
            }
            if !order.is_empty() {
                walked.reverse();
            }
            assert_eq!(walked.len(), whole.len(), "{step}{order}");
            assert_eq!(walked.iter().collect::<BTreeSet<_>>(), whole.iter().collect::<BTreeSet<_>>(), "{step}{order}");
            assert!(!order.is_empty() || walked == whole, "{step}");
        }
    }
}

#[tokio::test]
async fn orders_are_exact_and_put_nothing_last() {
    let stage = stage().await;
    let field = |row: &Value, field: &str| match field {
        "createdAt" => row["createdAt"].as_str().map(|at| at.parse::<Timestamp>().unwrap().as_duration().as_secs_f64()),
        "duration" => row["duration"]
            .as_str()
            .map(|text| text.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap())),
        "tokens" => row["tokens"]["total"].as_f64(),
        _ => row["cost"].as_f64(),
    };
    for (query, by, descending) in [
        ("", "createdAt", true),
        ("sortField=createdAt&sortDirection=desc", "createdAt", true),
        ("sortField=createdAt&sortDirection=DESC", "createdAt", false),
        ("sortField=createdAt", "createdAt", false),
        ("sortDirection=asc", "createdAt", true),
        ("sortField=endedAt&sortDirection=asc", "createdAt", true),
        ("sortField=duration&sortDirection=desc", "duration", true),
        ("sortField=duration&sortDirection=asc", "duration", false),
        ("sortField=tokens", "tokens", false),
        ("sortField=tokens&sortDirection=desc", "tokens", true),
        ("sortField=cost&sortDirection=desc", "cost", true),
        ("sortField=cost&sortDirection=x", "cost", false),
    ] {
        let rows = stage.all(query).await;
        assert_eq!(rows.len(), LLM_ROWS, "{query}");
        let values: Vec<Option<f64>> = rows.iter().map(|row| field(row, by)).collect();
        let known: Vec<f64> = values.iter().copied().flatten().collect();
        assert!(values[..known.len()].iter().all(Option::is_some), "{query}: nothing comes last");
        let sorted = known.windows(2).all(|w| if descending { w[0] >= w[1] } else { w[0] <= w[1] });
        assert!(sorted, "{query}");
    }
    let threads = stage.all("type=thread&sortField=messagesCount&sortDirection=desc").await;
    assert_eq!(threads.len(), DAYS);
}

#[tokio::test]
async fn count_counts_the_page() {
    let stage = stage().await;
    for (query, count) in [
        ("", 50),
        ("?limit=7", 7),
        ("?limit=100000", LLM_ROWS),
        ("?limit=100&page=3", LLM_ROWS - 300),
        ("?limit=0", 0),
        ("?type=thread", DAYS),
    ] {
        let got = stage.get(&format!("/runs/count{query}")).await;
        assert_eq!((got.status, got.text()), (200, count.to_string()), "{query}");
        assert_eq!(got.headers["content-type"], "application/json; charset=utf-8");
    }
}

#[tokio::test]
async fn a_day_of_a_big_project_is_answered_without_making_the_others() {
    // 100 prompts, 4 engines, a year: 146,000 runs.
    let world = World::new(WorldSize { prompts: vec![100], days: 365, ..WorldSize::demo() }, 7, newest());
    let tracker = Arc::new(WorldTracker::new(Arc::new(world)));
    let server = LunaryServer::start(tracker.clone(), LunaryOptions::unhurried()).await.unwrap();
    let stage = Stage { server, tracker };
    let window = "date=gte.2026-06-01T00:00:00Z&date=lt.2026-06-02T00:00:00Z&type=llm&type=llm";
    let ask = async || {
        let start = Instant::now();
        assert_eq!(stage.all(window).await.len(), 401);
        let run = stage.tracker.run_id(0, "2026-03-01".parse().unwrap(), 99, 3);
        assert_eq!(stage.ok(&format!("/runs/{run}")).await["id"], run);
        start.elapsed()
    };
    ask().await;
    // Generous, since the machine may be busy; making the year would take far longer.
    assert!(ask().await < Duration::from_secs(1));
}

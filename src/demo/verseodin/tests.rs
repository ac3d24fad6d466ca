//! The server keeps to its documentation, and its faults do what they say; all over real HTTP on loopback.

use super::*;
use crate::demo::world::{World, WorldSize};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A server of a small world, and the means to ask it.
struct Stage {
    server: VerseodinServer,
    tracker: Arc<WorldTracker>,
    own: String,
}

struct Got {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    /// Why reading stopped before the promised end, if it did.
    cut: Option<io::ErrorKind>,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn number(&self, header: &str) -> i64 {
        self.headers[header].parse().unwrap()
    }

    fn kind(&self) -> String {
        self.json()["error"]["type"].as_str().unwrap().to_owned()
    }
}

fn newest() -> Day {
    "2026-11-21".parse().unwrap()
}

fn small_world() -> World {
    World::new(WorldSize { prompts: vec![12, 5], days: 6, ..WorldSize::demo() }, 7, newest())
}

async fn stage_with(options: ServerOptions) -> Stage {
    let tracker = Arc::new(WorldTracker::new(Arc::new(small_world())));
    let server = VerseodinServer::start(tracker.clone(), options).await.unwrap();
    let own = tracker.universe_id(0).to_owned();
    Stage { server, tracker, own }
}

async fn stage() -> Stage {
    stage_with(ServerOptions::unhurried()).await
}

/// One request over a connection of its own.
async fn request(server: &VerseodinServer, method: &str, path: &str, authorization: Option<&str>) -> Got {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let authorization = authorization.map(|value| format!("authorization: {value}\r\n")).unwrap_or_default();
    let head = format!("{method} {BASE}{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{authorization}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let cut = stream.read_to_end(&mut bytes).await.err().map(|error| error.kind());
    let at = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: BTreeMap<_, _> =
        lines.filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.to_lowercase(), v.to_owned())).collect();
    let body = bytes[at + 4..].to_vec();
    let short = headers.get("content-length").is_some_and(|length| body.len() < length.parse().unwrap());
    Got { status, headers, body, cut: cut.or(short.then_some(io::ErrorKind::UnexpectedEof)) }
}

impl Stage {
    async fn get(&self, path: &str) -> Got {
        request(&self.server, "GET", path, Some(&format!("Bearer {}", self.server.key()))).await
    }

    /// A path below the universe, which must be answered with 200.
    async fn ok(&self, path: &str) -> Value {
        let got = self.get(&format!("/universes/{}{path}", self.own)).await;
        assert_eq!(got.status, 200, "{path}: {}", String::from_utf8_lossy(&got.body));
        got.json()
    }

    /// The rows of a page.
    async fn rows(&self, query: &str) -> Vec<Value> {
        self.ok(&format!("/prompts{query}")).await["data"].as_array().unwrap().clone()
    }

    async fn fails(&self, path: &str, status: u16) {
        let got = self.get(&path.replace("{own}", &self.own)).await;
        assert_eq!(got.status, status, "{path}: {}", String::from_utf8_lossy(&got.body));
        let kind = match status {
            400 => "invalid_request_error",
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found",
            429 => "rate_limit_error",
            _ => "api_error",
        };
        assert_eq!(got.kind(), kind, "{path}");
        assert!(got.json()["error"]["message"].is_string());
        assert!(got.headers.contains_key("x-ratelimit-reset"), "{path}");
    }
}

#[tokio::test]
async fn universes_are_those_of_the_owner_that_are_completed() {
    let stage = stage().await;
    let list = stage.get("/universes").await.json();
    assert_eq!(list["count"], 2);
    let first = &list["universes"][0];
    assert_eq!(first["id"], stage.own.as_str());
    assert_eq!(first["website"], "https://www.fernvolt.example/");
    assert_eq!((&first["status"], &first["latest_day"]), (&"completed".into(), &"2026-11-21".into()));
    let detail = stage.ok("").await;
    assert_eq!(detail["data"]["result_json"]["prompts"].as_array().unwrap().len(), 12);
    assert_eq!(detail["data"]["competitors"].as_array().unwrap().len(), 5);
    let days = stage.ok("/days").await;
    assert_eq!((&days["data"][0], days["data"].as_array().unwrap().len()), (&"2026-11-21".into(), 6));
    assert_eq!(stage.ok("/engines").await["data"], json!(["chatgpt", "claude", "gemini", "grok"]));
    assert_eq!(stage.get("/metrics").await.json()["data"].as_array().unwrap().len(), 11);
}

#[tokio::test]
async fn errors_have_the_documented_status_and_envelope() {
    let stage = stage().await;
    let foreign = stage.tracker.universes().into_iter().find(|u| u.foreign).unwrap().id;
    let nobody = "00000000-0000-4000-8000-000000000000";
    let own = "/universes/{own}";
    for (path, status) in [
        ("/universes/nonsense".to_owned(), 400),
        (format!("/universes/{nobody}"), 404),
        (format!("/universes/{nobody}/prompts"), 404),
        (format!("/universes/{foreign}"), 403),
        (format!("/universes/{foreign}/days"), 403),
        (format!("{own}/prompts?day=2026-02-30"), 400),
        (format!("{own}/prompts?limit=0"), 400),
        (format!("{own}/prompts?limit=1001"), 400),
        (format!("{own}/prompts?offset=-1"), 400),
        (format!("{own}/prompts?engine=perplexity"), 400),
        (format!("{own}/prompts?status=done"), 400),
        (format!("{own}/prompts?day=2020-01-01"), 404),
        (format!("{own}/prompts/0"), 400),
        (format!("{own}/prompts/99"), 404),
        (format!("{own}/history?day=2020-01-01"), 404),
        (format!("{own}/history/2026-11-21/perplexity"), 404),
        (format!("{own}/history/yesterday/chatgpt"), 400),
        (format!("{own}/metrics/fame"), 400),
        (format!("{own}/tabs/everything"), 400),
        (format!("{own}/brands/Nobody"), 404),
        (format!("{own}/brands?day=2020-01-01"), 404),
        ("/prompts/1".to_owned(), 400),
        (format!("/prompts/{nobody}"), 404),
        ("/elsewhere".to_owned(), 404),
    ] {
        stage.fails(&path, status).await;
    }
    let key = format!("Bearer {}", stage.server.key());
    let posted = request(&stage.server, "POST", "/universes", Some(&key)).await;
    assert_eq!((posted.status, posted.kind().as_str()), (400, "invalid_request_error"));
}

#[tokio::test]
async fn only_the_key_opens() {
    let stage = stage().await;
    let stranger = format!("Bearer vso_{}", "1".repeat(48));
    for wrong in [None, Some("Bearer vso_short"), Some("Basic abc"), Some(stranger.as_str())] {
        let got = request(&stage.server, "GET", "/universes", wrong).await;
        assert_eq!((got.status, got.kind().as_str()), (401, "authentication_error"), "{wrong:?}");
    }
    stage.server.revoke_key();
    stage.fails("/universes", 401).await;
    stage.server.restore_key();
    assert_eq!(stage.get("/universes").await.status, 200);
    assert_eq!(stage.server.key().len(), 52);
    stage.server.faults().inject("/metrics", Fault::RevokeKey, When::After { skip: 1, count: 1 });
    assert_eq!(stage.get("/metrics").await.status, 200);
    stage.fails("/metrics", 401).await;
    stage.fails("/universes", 401).await;
}

#[tokio::test]
async fn rows_carry_every_documented_column_and_no_other() {
    let stage = stage().await;
    let documented: BTreeSet<&str> = "id day user_id universe_id job_id prompt_id prompt_text engine engine_account \
        website competitor_websites priority_level provider attempts snapshot_id status error_text created_at \
        started_at finished_at response_text appeared_links appeared_links_unique appeared_links_run1 \
        appeared_links_run2 my_citations competitor_citations total_citations_count my_domain_citations_count \
        my_brand_mentions_count model_used web_search_triggered cost_milli_cents"
        .split_whitespace()
        .collect();
    let mut statuses = BTreeSet::new();
    for day in ["2026-11-21", "2026-11-20", "2026-11-19"] {
        for row in stage.rows(&format!("?day={day}")).await {
            assert_eq!(row.as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>(), documented);
            assert_eq!(row["website"]["url"], "https://www.fernvolt.example/");
            assert!(row["competitor_websites"][0].is_object());
            let status = row["status"].as_str().unwrap().to_owned();
            assert_eq!(row["error_text"].is_string(), status == "failed");
            assert_eq!(row["finished_at"].is_string(), status == "completed" || status == "failed");
            assert_eq!(row["response_text"].as_str().is_some_and(|text| !text.is_empty()), status == "completed");
            assert!(row["created_at"].as_str().unwrap().ends_with('Z'));
            statuses.insert(status);
        }
    }
    assert_eq!(statuses.len(), 4, "{statuses:?}");
}

#[tokio::test]
async fn counts_on_rows_are_the_worlds() {
    let stage = stage().await;
    let world = stage.tracker.world();
    let day = newest().plus(-2);
    for row in stage.rows(&format!("?day={day}")).await {
        let prompt = usize::try_from(row["prompt_id"].as_u64().unwrap()).unwrap() - 1;
        let engine = world.engines().position(|e| row["engine"] == e).unwrap();
        let run = world.run(0, day, prompt, engine).unwrap();
        assert_eq!(row["prompt_text"], run.prompt_text);
        assert_eq!(row["response_text"].as_str(), run.answer.as_deref());
        assert_eq!(row["my_brand_mentions_count"], run.mentions_of(0));
        assert_eq!(row["my_domain_citations_count"], run.citations_of(0).count());
        let links: Vec<_> = run.citations.iter().map(|c| c.url.as_str()).collect();
        assert_eq!(row["appeared_links"], json!(links));
        if run.answer.is_some() {
            assert_eq!(row["my_citations"], json!(run.citations_of(0).collect::<Vec<_>>()));
            assert_eq!(row["model_used"], run.model);
        }
    }
}

#[tokio::test]
async fn pages_are_walked_by_offset_until_empty() {
    let stage = stage().await;
    let all = stage.rows("").await;
    assert_eq!(all.len(), 48);
    assert!(all.iter().all(|row| row["day"] == "2026-11-21"));
    let mut walked = Vec::new();
    for offset in (0..).step_by(20) {
        let page = stage.ok(&format!("/prompts?limit=20&offset={offset}")).await;
        assert_eq!((&page["limit"], &page["offset"]), (&20.into(), &offset.into()));
        let rows = page["data"].as_array().unwrap();
        if rows.is_empty() {
            break;
        }
        walked.extend(rows.clone());
    }
    assert_eq!(walked, all);
    let order: Vec<_> = all.iter().map(|row| (row["engine"].as_str(), row["prompt_id"].as_u64())).collect();
    assert!(!order.is_sorted() && !order.iter().rev().is_sorted());
    let of_grok = stage.rows("?engine=grok&status=completed").await;
    assert!(!of_grok.is_empty() && of_grok.iter().all(|r| r["engine"] == "grok" && r["status"] == "completed"));
}

#[tokio::test]
async fn one_row_is_found_by_number_and_by_uuid() {
    let stage = stage().await;
    let row = stage.ok("/prompts/3?engine=gemini&day=2026-11-18").await["data"].clone();
    assert_eq!((&row["prompt_id"], &row["engine"], &row["day"]), (&3.into(), &"gemini".into(), &"2026-11-18".into()));
    let same = stage.get(&format!("/prompts/{}", row["id"].as_str().unwrap())).await.json();
    assert_eq!(same["data"], row);
}

#[tokio::test]
async fn aggregates_follow_from_the_rows() {
    let stage = stage().await;
    let world = stage.tracker.world();
    let day = newest().plus(-1);
    let row = stage.ok(&format!("/history/{day}/gemini")).await["data"].clone();
    let runs: Vec<_> = world.day_runs(0, day).filter(|run| run.engine == 1 && run.answer.is_some()).collect();
    let naming = |brand: usize| runs.iter().filter(|run| run.mentions_of(brand) > 0).count();
    let coverage = 100.0 * crate::demo::rng::real(naming(0)) / crate::demo::rng::real(runs.len());
    assert_eq!(row["ai_trust_mentions"], naming(0));
    assert!((row["ai_coverage_over_time"].as_f64().unwrap() - coverage).abs() < 0.01);

    let brands = stage.ok(&format!("/brands?day={day}&engine=gemini")).await;
    assert_eq!((&brands["day"], &brands["engine"]), (&day.to_string().into(), &"gemini".into()));
    let rows = brands["data"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    let share: f64 = rows.iter().map(|row| row["share_of_voice"].as_f64().unwrap()).sum();
    assert!((share - 100.0).abs() < 0.1, "{share}");
    for (i, row) in rows.iter().enumerate() {
        let brand = world.brands(0).iter().position(|b| row["brand_name"] == b.name.as_str()).unwrap();
        assert_eq!(row["visibility_rank"], i + 1);
        assert_eq!(row["trust_mentions"], naming(brand));
        assert_eq!(row["geo_prompt_count"], runs.iter().filter(|run| run.citations_of(brand).count() > 0).count());
    }
    let one = stage.ok(&format!("/brands/kessel%20%26%20VOSS?day={day}&engine=gemini")).await;
    assert_eq!(one["data"]["brand_name"], "Kessel & Voss");

    let points = stage.ok("/metrics/ai_trust_mentions?days=3&engine=gemini").await;
    assert_eq!(points["results"].as_array().unwrap().len(), 3);
    assert_eq!(points["results"][1], json!({ "day": day, "engine": "gemini", "value": naming(0) }));
    let tab = stage.ok(&format!("/tabs/ai_visibility?day={day}")).await;
    assert_eq!((tab["results"].as_array().unwrap().len(), &tab["tab"]), (4, &"ai_visibility".into()));
    let history = stage.ok("/history").await;
    assert!(history["data"].as_array().unwrap().iter().all(|row| row["day"] == "2026-11-21"));
}

#[tokio::test]
async fn every_answer_tells_the_limit_and_429_tells_how_long() {
    let stage = stage_with(ServerOptions { capacity: 3, refill_per_second: 0.01, ..ServerOptions::default() }).await;
    for remaining in [2, 1, 0] {
        let got = stage.get("/universes").await;
        assert_eq!(
            (got.status, got.number("x-ratelimit-limit"), got.number("x-ratelimit-remaining")),
            (200, 3, remaining)
        );
        assert!(!got.headers.contains_key("retry-after"));
    }
    let refused = stage.get("/universes").await;
    assert_eq!((refused.status, refused.kind().as_str()), (429, "rate_limit_error"));
    assert!((90..=100).contains(&refused.number("retry-after")));
    // The reset time is when the bucket is full: long after one request is possible.
    let wait = refused.number("x-ratelimit-reset") - crate::clock::Clock::system().now().as_second();
    assert!((280..=301).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_rerun_changes_rows_in_place_and_a_recreated_row_has_another_uuid() {
    let stage = stage().await;
    let day = newest().plus(-1);
    let query = format!("?day={day}");
    let by_key = |rows: Vec<Value>, column: &str| -> BTreeMap<String, Value> {
        rows.into_iter().map(|r| (format!("{} {}", r["engine"], r["prompt_id"]), r[column].clone())).collect()
    };
    let before = stage.rows(&query).await;
    stage.server.rerun(&stage.own, day);
    let after = stage.rows(&query).await;
    assert_eq!(by_key(before.clone(), "id"), by_key(after.clone(), "id"));
    assert_ne!(by_key(before, "response_text"), by_key(after.clone(), "response_text"));
    stage.server.recreate(&stage.own, day);
    let again = stage.rows(&query).await;
    assert_eq!(by_key(after.clone(), "response_text"), by_key(again.clone(), "response_text"));
    assert!(by_key(after, "id").values().all(|id| !again.iter().any(|row| row["id"] == *id)));
    stage.server.delete(&stage.own, day, "grok", 2);
    let rows = stage.rows(&query).await;
    assert_eq!(rows.len(), 47);
    stage.server.edit(&stage.own, day, |rows| rows.retain(|row| row.engine != "claude"));
    assert_eq!(stage.rows(&query).await.len(), 35);
}

#[tokio::test]
async fn a_day_grows_settles_and_is_followed_by_another() {
    let stage = stage().await;
    stage.server.grow(&stage.own, newest(), Some(10));
    assert_eq!(stage.rows("").await.len(), 10);
    stage.server.grow(&stage.own, newest(), Some(0));
    assert_eq!(stage.ok("/days").await["data"][0], "2026-11-20");
    stage.server.grow(&stage.own, newest(), None);
    let is_open = |rows: &[Value]| rows.iter().any(|row| row["finished_at"].is_null());
    assert!(is_open(&stage.rows("").await));
    stage.server.settle(&stage.own, newest());
    assert!(!is_open(&stage.rows("").await));
    let tomorrow = stage.tracker.world().until(newest().plus(1));
    stage.server.replace(Arc::new(WorldTracker::new(Arc::new(tomorrow))));
    assert_eq!(stage.ok("/days").await["data"][0], "2026-11-22");
    assert!(is_open(&stage.rows("").await));
}

#[tokio::test]
async fn statuses_can_be_made_to_fail() {
    let stage = stage().await;
    let faults = stage.server.faults();
    faults.inject("/universes", Fault::Internal, When::Next(1));
    stage.fails("/universes", 500).await;
    assert_eq!(stage.get("/universes").await.status, 200);
    faults.inject("", Fault::Unavailable, When::Always);
    stage.fails("/metrics", 503).await;
    faults.clear();
    faults.inject("", Fault::TooMany { retry_after: Some(7) }, When::Next(1));
    assert_eq!(stage.get("/metrics").await.number("retry-after"), 7);
    faults.inject("", Fault::TooMany { retry_after: None }, When::Next(1));
    let bare = stage.get("/metrics").await;
    assert!(bare.status == 429 && !bare.headers.contains_key("retry-after"));
    faults.clear();
    faults.inject("", Fault::Html, When::Always);
    let html = stage.get("/metrics").await;
    assert_eq!((html.status, html.headers["content-type"].as_str()), (502, "text/html"));
    assert!(serde_json::from_slice::<Value>(&html.body).is_err());
}

#[tokio::test]
async fn bodies_can_be_made_to_break() {
    let stage = stage().await;
    let path = format!("/universes/{}/prompts", stage.own);
    let whole = stage.get(&path).await;
    assert_eq!(whole.cut, None);
    stage.server.faults().inject(&path, Fault::Truncated, When::Next(1));
    let cut = stage.get(&path).await;
    assert_eq!((cut.status, cut.cut), (200, Some(io::ErrorKind::UnexpectedEof)));
    assert!(!cut.body.is_empty() && whole.body.starts_with(&cut.body));
    stage.server.faults().clear();
    stage.server.faults().inject(&path, Fault::Reset, When::Next(1));
    assert_eq!(stage.get(&path).await.cut, Some(io::ErrorKind::ConnectionReset));
    stage.server.faults().clear();
    let drip = Fault::Drip { chunk: 4_096, pause: Duration::from_millis(1) };
    stage.server.faults().inject(&path, drip, When::Next(1));
    let dripped = stage.get(&path).await;
    assert_eq!((dripped.body == whole.body, dripped.cut), (true, None));
}

#[tokio::test]
async fn rows_can_be_made_to_break_the_contract() {
    let stage = stage().await;
    let path = "/universes/*/prompts";
    let clean = stage.rows("").await;
    for change in [
        RowChange::MissingId,
        RowChange::MissingPromptText,
        RowChange::WrongTypes,
        RowChange::UnknownEngine,
        RowChange::UnknownStatus,
        RowChange::ExtraFields,
        RowChange::NullFields,
        RowChange::HiddenCharacters,
        RowChange::ForgedTags,
        RowChange::ToolShaped,
        RowChange::Huge,
    ] {
        stage.server.faults().inject(path, Fault::Rows { change, count: 2 }, When::Always);
        let rows = stage.rows("").await;
        assert!(rows[0] != clean[0] && rows[1] != clean[1], "{change:?}");
        assert_eq!(rows[2..], clean[2..], "{change:?}");
        if change == RowChange::Huge {
            assert!(rows[0]["response_text"].as_str().unwrap().len() > 5_000_000);
        }
        stage.server.faults().clear();
    }
}

#[tokio::test]
async fn paging_can_be_made_to_go_wrong() {
    let stage = stage().await;
    let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
    stage.server.faults().inject("/universes/*/prompts", Fault::OffsetIgnored, When::Always);
    assert_eq!(stage.rows("?limit=5").await, stage.rows("?limit=5&offset=500").await);
    stage.server.faults().clear();
    stage.server.faults().inject("/universes/*/prompts", Fault::Shifting, When::Always);
    let (first, second) = (stage.rows("?limit=24").await, stage.rows("?limit=24&offset=24").await);
    assert_eq!(id(&first[23]), id(&second[0]));
    let seen: BTreeSet<_> = first.iter().chain(&second).map(id).collect();
    assert_eq!(seen.len(), 47);
}

#[tokio::test]
async fn requests_are_logged_with_their_status() {
    let stage = stage().await;
    stage.get("/universes").await;
    stage.get("/metrics?x=1").await;
    stage.server.revoke_key();
    stage.get("/metrics").await;
    let log: Vec<_> = stage.server.requests().into_iter().map(|r| (r.method, r.path, r.query, r.status)).collect();
    let line = |path: &str, query: &str, status| ("GET".to_owned(), path.to_owned(), query.to_owned(), status);
    assert_eq!(log, [line("/universes", "", 200), line("/metrics", "x=1", 200), line("/metrics", "", 401)]);
    stage.server.clear_requests();
    assert!(stage.server.requests().is_empty());
}

#[test]
fn it_runs_without_a_runtime_and_stops_when_dropped() {
    let tracker = Arc::new(WorldTracker::new(Arc::new(small_world())));
    let server = VerseodinServer::spawn_on_thread(tracker, ServerOptions::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let key = format!("Bearer {}", server.key());
    assert_eq!(runtime.block_on(request(&server, "GET", "/universes", Some(&key))).status, 200);
    let address = server.address;
    drop(server);
    // The port is let go soon after; a bounded number of looks, no fixed time.
    let gone = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        std::net::TcpStream::connect(address).is_err()
    });
    assert!(gone);
}

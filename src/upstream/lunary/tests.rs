//! Lunary over the wire: what is asked, what becomes of the answers, and of the failures.

mod failures;
mod slices;

use super::*;
use crate::upstream::http::tests::quick;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request as Received, ResponseTemplate,
    matchers::{any, header, method, path},
};

const KEY: &str = "5a1e0000-0000-4000-8000-0000000000aa";
const PROJECT: &str = "846ec2e8-3d2c-4c28-a0aa-2a710117d73a";
const DAY: &str = "2026-11-20";

fn run(id: usize, time: &str) -> Value {
    json!({"id": format!("r-{id}"), "projectId": PROJECT, "type": "llm", "name": "gpt-4o", "status": "success",
        "createdAt": format!("{DAY}T{time}Z"), "input": "Which?", "output": format!("Answer {id}.")})
}

/// So many runs of one millisecond.
fn tied(ids: std::ops::Range<usize>, time: &str) -> Vec<Value> {
    ids.map(|id| run(id, time)).collect()
}

fn ok(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_raw(body.to_owned(), "application/json")
        .insert_header("rate-limit-total", "150")
        .insert_header("rate-limit-remaining", "149")
        .insert_header("rate-limit-reset", "1795317689.066789")
}

fn refused(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(json!({ "message": message }).to_string(), "application/json")
}

/// What of the protocol matters for paging: bounds on `createdAt`, whose dot must be encoded, the order, and a limit.
#[derive(Clone)]
struct Runs {
    /// In the order of their times.
    runs: Vec<Value>,
    /// The most rows that are given, and whether the answer says so.
    cap: Option<(usize, bool)>,
}

impl Runs {
    fn answer(&self, query: &str) -> ResponseTemplate {
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name));
        // A dot inside a value: the filter is dropped.
        let bound =
            |name: &str| value(name).filter(|value| !value.contains('.')).map(|value| value.replace("%2E", "."));
        let (from, end) = (bound("date=gte."), bound("date=lt."));
        let asked: usize = value("limit=").unwrap().parse().unwrap();
        let most = self.cap.map_or(asked, |(cap, _)| cap.min(asked));
        let is_asked_for = |run: &&Value| {
            let at = run["createdAt"].as_str().unwrap();
            from.as_deref().is_none_or(|from| at >= from) && end.as_deref().is_none_or(|end| at < end)
        };
        let rows: Vec<&Value> = self.runs.iter().filter(is_asked_for).take(most).collect();
        match self.cap {
            Some((_, false)) => ok(&json!({ "data": rows }).to_string()),
            _ => ok(&json!({ "page": 0, "limit": most, "data": rows }).to_string()),
        }
    }
}

/// A server that fails the test by naming any request which nobody prepared.
struct World {
    server: MockServer,
}

impl World {
    async fn new() -> Self {
        let server = MockServer::start().await;
        Mock::given(any())
            .respond_with(|request: &Received| {
                ResponseTemplate::new(418).set_body_string(format!("unexpected {} {}", request.method, request.url))
            })
            .with_priority(255)
            .mount(&server)
            .await;
        Self { server }
    }

    async fn of(runs: Vec<Value>, cap: Option<(usize, bool)>) -> Self {
        let (world, runs) = (Self::new().await, Runs { runs, cap });
        let answer = move |request: &Received| runs.answer(request.url.query().unwrap_or_default());
        Self::mock("runs").respond_with(answer).mount(&world.server).await;
        world
    }

    fn mock(at: &str) -> wiremock::MockBuilder {
        Mock::given(method("GET"))
            .and(path(format!("/v1/{at}")))
            .and(header("authorization", format!("Bearer {KEY}").as_str()))
    }

    async fn give(&self, at: &str, response: ResponseTemplate) {
        Self::mock(at).respond_with(response).mount(&self.server).await;
    }

    fn config(&self) -> LunaryConfig {
        LunaryConfig {
            source: "lunary".into(),
            api_key: KEY.into(),
            base_url: format!("{}/v1", self.server.uri()).parse().unwrap(),
            key_variable: "LUNARY_API_KEY".into(),
            project_name: None,
            runs: RunFilter::default(),
            run_details: false,
            models: vec![],
            limits: Limits { max_bytes: 1_000_000, ..quick() },
        }
    }

    fn client(&self) -> Lunary {
        Lunary::new(self.config()).unwrap()
    }

    /// What was asked, in order.
    async fn asked(&self) -> Vec<String> {
        let requests = self.server.received_requests().await.unwrap();
        let line = |request: &Received| {
            let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("{}{query}", request.url.path().trim_start_matches("/v1/"))
        };
        requests.iter().map(line).collect()
    }
}

fn project() -> ProjectRecord {
    ProjectRecord {
        key: PROJECT.into(),
        account: None,
        name: "lunary".into(),
        website: None,
        brands: vec![],
        latest_day: None,
        raw: String::new(),
    }
}

fn slice() -> Slice {
    Slice::of_day(DAY.parse().unwrap())
}

async fn page(client: &Lunary, cursor: Option<&Cursor>) -> Result<Page, Error> {
    client.page(&project(), &slice(), cursor, &|_, _| false).await
}

/// Reads the day to its end: the ids of each page.
async fn read_day(client: &Lunary) -> Result<Vec<Vec<String>>, Error> {
    let (mut pages, mut cursor) = (vec![], None);
    loop {
        let page = page(client, cursor.as_ref()).await?;
        pages.push(page.runs.iter().map(|run| run.key.clone()).collect());
        assert!(page.next.is_none() || page.next != cursor, "it does not get on");
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(pages),
        }
    }
}

fn ids(pages: &[Vec<String>]) -> Vec<&str> {
    pages.iter().flatten().map(String::as_str).collect()
}

fn told(error: &Error) -> String {
    let text = error.to_string();
    // The time differs from run to run.
    let text = text.split_once(" tries in ").map_or(text.as_str(), |(head, _)| head);
    format!("{}: {text}\n  hint: {}", error.class(), error.hint())
}

#[tokio::test]
async fn the_project_is_read_off_a_run_and_has_no_brands_of_its_own() {
    let world = World::of(vec![run(1, "10:00:00.000")], None).await;
    let config = LunaryConfig { project_name: Some("Helper".into()), ..world.config() };
    let found = Lunary::new(config).unwrap().fetch_projects().await.unwrap();
    let [project] = found.items.as_slice() else { panic!("{found:?}") };
    assert_eq!((project.key.as_str(), project.name.as_str()), (PROJECT, "Helper"));
    assert_eq!((project.brands.len(), project.latest_day), (0, Some(DAY.parse().unwrap())));
    assert_eq!(world.asked().await, ["runs?limit=1"]);
    assert_eq!(world.client().fetch_projects().await.unwrap().items[0].name, "lunary");
}

#[tokio::test]
async fn a_project_without_runs_is_none_and_no_failure() {
    let world = World::of(vec![], None).await;
    let found = world.client().fetch_projects().await.unwrap();
    assert!(found.items.is_empty() && found.failed.is_empty() && found.rejected.is_empty());
    let runs = RunFilter { types: vec!["agent".into()], ..RunFilter::default() };
    Lunary::new(LunaryConfig { runs, ..world.config() }).unwrap().fetch_projects().await.unwrap();
    assert_eq!(world.asked().await, ["runs?limit=1", "runs?limit=1", "runs?date=gte.1970-01-02&limit=1"]);
}

#[tokio::test]
async fn a_day_is_read_by_time() {
    let runs = vec![run(1, "00:00:00.000"), run(2, "10:00:00.001"), run(3, "10:00:00.001"), run(4, "23:59:59.999")];
    let world = World::of(runs, None).await;
    let client = Lunary { page_rows: 2, ..world.client() };
    let pages = read_day(&client).await.unwrap();
    assert_eq!(pages, [vec!["r-1", "r-2"], vec!["r-3", "r-4"]]);
    let tail = "&date=lt.2026-11-21T00:00:00Z&sortField=createdAt&sortDirection=asc";
    let from = |time: &str, limit: u32| format!("runs?date=gte.2026-11-20T{time}Z{tail}&limit={limit}");
    let (start, second) = ("00:00:00%2E000", "10:00:00%2E001");
    // Two rows of the second instant fill a page: no room for what follows.
    assert_eq!(world.asked().await, [from(start, 2), from(second, 2), from(second, 4)]);
}

#[tokio::test]
async fn more_runs_of_one_millisecond_than_a_page_holds_are_read_whole() {
    let runs = [vec![run(0, "09:00:00.000")], tied(1..8, "10:00:00.500"), tied(8..10, "11:00:00.000")].concat();
    for page_rows in [1, 2, 3, 7, 8, 20] {
        let world = World::of(runs.clone(), None).await;
        let client = Lunary { page_rows, ..world.client() };
        let pages = read_day(&client).await.unwrap();
        let expected: Vec<String> = (0..10).map(|id| format!("r-{id}")).collect();
        assert_eq!(ids(&pages), expected, "{page_rows}");
    }
}

#[tokio::test]
async fn a_server_that_gives_less_than_asked_for_is_read_whole_whether_it_says_so_or_not() {
    let runs: Vec<Value> = (0..10).map(|id| run(id, &format!("10:00:0{}.000", id / 2))).collect();
    for cap in [(3, true), (3, false), (4, true), (100, false)] {
        let world = World::of(runs.clone(), Some(cap)).await;
        let pages = read_day(&world.client()).await.unwrap();
        let expected: Vec<String> = (0..10).map(|id| format!("r-{id}")).collect();
        assert_eq!(ids(&pages), expected, "{cap:?}");
    }
    // And where its pages are too small for a millisecond, it says so rather than losing runs.
    let world = World::of(tied(0..5, "10:00:00.000"), Some((3, true))).await;
    insta::assert_snapshot!(told(&read_day(&world.client()).await.unwrap_err()), @r"
    decode: the answer to runs of 2026-11-20 is not what the API documents: more runs begin in one millisecond than one page can hold
      hint: the API may have changed; update visibility-mcp, or report this
    ");
}

#[tokio::test]
async fn rows_that_were_not_asked_for_condemn_the_page() {
    let next_day = || {
        let mut run = run(9, "10:00:00.000");
        run["createdAt"] = json!("2026-11-21T00:00:00.000Z");
        run
    };
    let of_before = || {
        let mut run = run(8, "10:00:00.000");
        run["createdAt"] = json!("2026-11-19T23:59:59.999Z");
        run
    };
    let mut messages = vec![];
    for rows in [
        vec![run(1, "10:00:00.000"), next_day()],
        vec![of_before()],
        vec![run(1, "11:00:00.000"), run(2, "10:00:00.000")],
    ] {
        let world = World::new().await;
        world.give("runs", ok(&json!({"page": 0, "limit": 1000, "data": rows}).to_string())).await;
        messages.push(page(&world.client(), None).await.unwrap_err().to_string());
    }
    insta::assert_snapshot!(messages.join("\n"), @r"
    the answer to runs of 2026-11-20 is not what the API documents: it has runs of other days than asked for, so the date filter was dropped
    the answer to runs of 2026-11-20 is not what the API documents: it has runs of other days than asked for, so the date filter was dropped
    the answer to runs of 2026-11-20 is not what the API documents: its runs are not in the order of their times, which was asked for
    ");
}

#[tokio::test]
async fn a_run_that_is_listed_twice_is_one_run_and_the_same_one_every_time() {
    let twin = |feedback: Value| {
        let mut run = run(1, "10:00:00.000");
        run["parentFeedback"] = feedback;
        run
    };
    let (one, other) = (twin(json!(null)), twin(json!({"thumb": "up"})));
    let mut hashes = vec![];
    for runs in [vec![one.clone(), other.clone()], vec![other, one]] {
        let world = World::of(runs, None).await;
        let page = page(&world.client(), None).await.unwrap();
        assert_eq!(page.runs.len(), 1);
        hashes.push(page.runs[0].raw_hash);
    }
    assert_eq!(hashes[0], hashes[1]);
}

#[tokio::test]
async fn a_run_of_another_project_is_put_aside_and_of_another_type_left_out() {
    let mut foreign = run(1, "10:00:00.000");
    foreign["projectId"] = json!("d8160dd6-0b7d-401b-8acd-2ab13533c291");
    let mut agent = run(2, "10:00:00.000");
    agent["type"] = json!("agent");
    let world = World::of(vec![foreign, agent, run(3, "10:00:00.000")], None).await;
    let page = page(&world.client(), None).await.unwrap();
    assert_eq!(page.runs.iter().map(|run| run.key.as_str()).collect::<Vec<_>>(), ["r-3"]);
    assert_eq!(page.rejected.len(), 1);
    assert_eq!(page.rejected[0].reason, "it belongs to another project than the key");
}

#[tokio::test]
async fn half_an_emoji_costs_no_page() {
    let world = World::new().await;
    let row = run(1, "10:00:00.000").to_string().replace("Answer 1.", r"Cut \ud83d and \\ud83d, whole \ud83d\ude00");
    world.give("runs", ok(&format!("{{\"page\":0,\"limit\":1000,\"data\":[{row}]}}"))).await;
    let page = page(&world.client(), None).await.unwrap();
    assert_eq!(page.runs[0].answer.as_deref(), Some("Cut \u{fffd} and \\ud83d, whole \u{1f600}"));
}

#[tokio::test]
async fn other_envelopes_are_read_too() {
    let row = run(1, "10:00:00.000");
    for body in [json!([row]), json!({"data": [row]}), json!({"limit": "1000", "data": [row]}), json!({"data": null})] {
        let world = World::new().await;
        let text = body.to_string();
        // What follows the row, where the server does not say that it is all.
        world.give("runs", ok(&text)).await;
        let pages = read_day(&world.client()).await.unwrap();
        assert_eq!(ids(&pages).len(), usize::from(!body["data"].is_null() || body.is_array()), "{text}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_asked_for_in_smaller_pages() {
    let runs: Vec<Value> = (0..60).map(|id| run(id, &format!("10:00:{id:02}.000"))).collect();
    let world = World::of(runs, None).await;
    let limits = Limits { max_bytes: 4_000, ..quick() };
    let client = Lunary { page_rows: 100, ..Lunary::new(LunaryConfig { limits, ..world.config() }).unwrap() };
    let pages = read_day(&client).await.unwrap();
    assert_eq!((ids(&pages).len(), pages[0].len()), (60, 10));
}

#[test]
fn a_cursor_that_cannot_be_read_begins_the_day_anew() {
    let day: Day = DAY.parse().unwrap();
    let start = Place::of(None, day);
    for text in ["", "from:x:", "from:1:", "from:1795600000000", "page:2", "from:1795132800000:zz"] {
        assert_eq!(Place::of(Some(&Cursor(text.to_owned())), day), start, "{text}");
    }
    let later = Place::of(Some(&Cursor("from:1795132800001:00000000000000ff,0000000000000001".to_owned())), day);
    assert_eq!(later.from, 1_795_132_800_001);
}

#[tokio::test]
async fn a_runs_trace_is_asked_for_once_and_believed_of_the_same_project_alone() {
    let mut open = run(3, "10:00:00.000");
    open["status"] = json!("started");
    let world = World::of(vec![run(1, "09:00:00.000"), run(2, "09:30:00.000"), open], None).await;
    let detail = |id: &str, project: &str| json!({"id": id, "projectId": project, "traceId": "t-1"}).to_string();
    world.give("runs/r-1", ok(&detail("r-1", PROJECT))).await;
    world.give("runs/r-2", ok(&detail("r-2", "another"))).await;
    let client = Lunary::new(LunaryConfig { run_details: true, ..world.config() }).unwrap();
    let first = page(&client, None).await.unwrap();
    assert_eq!(world.asked().await[1..], ["runs/r-1", "runs/r-2"]);
    let traces: Vec<bool> = first.runs.iter().map(|run| run.raw.ends_with(",\"traceId\":\"t-1\"}")).collect();
    assert_eq!(traces, [true, false, false]);
    assert!(first.runs.iter().all(|run| serde_json::from_str::<Value>(&run.raw).is_ok()));

    // What is stored with its trace is not asked for again; without it, it is.
    let stored: Vec<(String, u64)> = first.runs.iter().map(|run| (run.key.clone(), run.raw_hash)).collect();
    let known = |key: &str, hash: u64| stored.iter().any(|(known, stored)| (known.as_str(), *stored) == (key, hash));
    let again = client.page(&project(), &slice(), None, &known).await.unwrap();
    assert_eq!(world.asked().await[3..], [world.asked().await[0].clone(), "runs/r-2".to_owned()]);
    let hashes: Vec<u64> = again.runs.iter().map(|run| run.raw_hash).collect();
    assert_eq!(hashes, stored.iter().map(|(_, hash)| *hash).collect::<Vec<_>>());
}

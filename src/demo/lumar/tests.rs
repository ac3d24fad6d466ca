//! The server keeps to its documentation; all over real HTTP on loopback, as a client would ask.

mod entry;
mod faults;
mod figures;
mod lists;
mod queries;

use super::*;
use crate::demo::world::{World, WorldSize};
use serde_json::json;
use std::collections::BTreeMap;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A server of a small world, and the means to ask it.
struct Stage {
    server: LumarServer,
    tracker: Arc<WorldTracker>,
    auth: String,
}

struct Got {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    /// Why reading stopped before the promised end, if it did.
    cut: Option<io::ErrorKind>,
}

impl Got {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The code of the first error.
    fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The message of the first error.
    fn message(&self) -> String {
        self.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
    }
}

fn newest() -> Day {
    "2026-11-21".parse().unwrap()
}

fn small_world() -> World {
    World::new(WorldSize { prompts: vec![6, 5], days: 6, ..WorldSize::demo() }, 7, newest())
}

/// One request over a connection of its own.
async fn post(server: &LumarServer, auth: &str, body: &str) -> Got {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n{auth}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
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

async fn stage_of(tracker: WorldTracker, options: LumarOptions) -> Stage {
    let tracker = Arc::new(tracker);
    let server = LumarServer::start(tracker.clone(), options).await.unwrap();
    let auth = format!("x-api-key: {}\r\n", server.service_key());
    Stage { server, tracker, auth }
}

async fn stage_with(options: LumarOptions) -> Stage {
    stage_of(WorldTracker::new(Arc::new(small_world())), options).await
}

async fn stage() -> Stage {
    stage_with(LumarOptions::unhurried()).await
}

impl Stage {
    async fn ask(&self, query: &str, variables: Value) -> Got {
        let body = json!({ "query": query, "variables": variables }).to_string();
        post(&self.server, &self.auth, &body).await
    }

    /// The data of an answer, which must have no errors.
    async fn data(&self, query: &str, variables: Value) -> Value {
        let got = self.ask(query, variables).await;
        assert_eq!(got.status, 200, "{}", got.text());
        let answer = got.json();
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    /// The arguments that a query about project 0 and its own brand begins with.
    fn seen_by(&self, brand: &str) -> String {
        format!(
            "accountId: \"{}\", aiVisibilityProjectId: \"{}\", aiVisibilityBrandId: \"{brand}\"",
            self.server.account_of(0),
            self.server.project_id(0)
        )
    }

    /// The global id of project 0's own brand.
    fn own(&self) -> String {
        self.server.brand_id(0, "Fernvolt")
    }

    /// The nodes of a connection that is asked for by its field, arguments and selection.
    async fn nodes(&self, field: &str, arguments: &str, selection: &str) -> Vec<Value> {
        let query = format!("{{ list: {field}({arguments}, first: 1000) {{ nodes {{ {selection} }} totalCount }} }}");
        let list = self.data(&query, Value::Null).await["list"].clone();
        let nodes = list["nodes"].as_array().unwrap().clone();
        assert_eq!(list["totalCount"], nodes.len());
        nodes
    }

    /// The runs of a prompt of project 0, as a brand sees them.
    async fn runs(&self, prompt: usize, brand: &str, more: &str, selection: &str) -> Vec<Value> {
        let arguments = format!(
            "accountId: \"{}\", aiVisibilityPromptId: \"{}\", aiVisibilityBrandId: \"{brand}\"{more}",
            self.server.account_of(0),
            self.server.prompt_id(0, prompt)
        );
        self.nodes("getAiVisibilityPromptRuns", &arguments, selection).await
    }
}

#[test]
fn it_runs_without_a_runtime_and_stops_when_dropped() {
    let tracker = Arc::new(WorldTracker::new(Arc::new(small_world())));
    let server = LumarServer::spawn_on_thread(tracker, LumarOptions::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let got = runtime.block_on(post(&server, "", r#"{"query":"{ version }"}"#));
    assert_eq!((got.status, got.json()), (200, json!({ "data": { "version": "demo" } })));
    let address = server.address;
    drop(server);
    // The port is let go soon after; a bounded number of looks, no fixed time.
    let gone = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        std::net::TcpStream::connect(address).is_err()
    });
    assert!(gone);
}

//! The server does what the real backend was seen to do; all over real HTTP on loopback.

use super::*;
use crate::demo::world::{World, WorldSize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

mod changes;
mod entry;
mod faults;
mod filters;
mod lists;
mod recorded;
mod runs;

/// The project without runs, and the one of another organisation.
const EMPTY: usize = 2;
const FOREIGN: usize = 3;
/// Prompts, engines and days of the first project.
const PROMPTS: usize = 16;
const ENGINES: usize = 6;
const DAYS: usize = 4;
/// Its llm runs, and one more row: a run under two chats is listed twice, every day.
const LLM: usize = PROMPTS * ENGINES * DAYS;
const LLM_ROWS: usize = LLM + DAYS;
/// Rows of other types, every day.
const OTHERS: usize = 8;

/// A server of a small world, and the means to ask it.
struct Stage {
    server: LunaryServer,
    tracker: Arc<WorldTracker>,
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
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The body as a lenient reader has it, who takes half an emoji for a question mark.
    fn json(&self) -> Value {
        let text = self.text().replace("\\ud83d", "?");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }
}

fn newest() -> Day {
    "2026-11-21".parse().unwrap()
}

fn small_world() -> World {
    let size = WorldSize { prompts: vec![PROMPTS, 5], engines: ENGINES, days: 4, ..WorldSize::demo() };
    World::new(size, 7, newest())
}

async fn stage_with(options: LunaryOptions) -> Stage {
    let tracker = Arc::new(WorldTracker::new(Arc::new(small_world())));
    let server = LunaryServer::start(tracker.clone(), options).await.unwrap();
    Stage { server, tracker }
}

async fn stage() -> Stage {
    stage_with(LunaryOptions::unhurried()).await
}

/// One request over a connection of its own.
async fn request(server: &LunaryServer, method: &str, target: &str, headers: &[(&str, &str)]) -> Got {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let head = format!("{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let cut = stream.read_to_end(&mut bytes).await.err().map(|error| error.kind());
    let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
        return Got { status: 0, headers: BTreeMap::new(), body: bytes, cut };
    };
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
    /// A path below the base, with the key of the first project.
    async fn get(&self, path: &str) -> Got {
        self.get_of(0, path).await
    }

    async fn get_of(&self, project: usize, path: &str) -> Got {
        let key = format!("Bearer {}", self.server.private_key(project));
        request(&self.server, "GET", &format!("/v1{path}"), &[("authorization", &key)]).await
    }

    async fn ok(&self, path: &str) -> Value {
        let got = self.get(path).await;
        assert_eq!(got.status, 200, "{path}: {}", got.text());
        got.json()
    }

    /// The rows of a list.
    async fn rows(&self, query: &str) -> Vec<Value> {
        self.ok(&format!("/runs{query}")).await["data"].as_array().unwrap().clone()
    }

    /// All rows that a filter lets through.
    async fn all(&self, filter: &str) -> Vec<Value> {
        self.rows(&format!("?{filter}&limit=100000")).await
    }

    /// Everything there is, as the server keeps it.
    fn stored(&self) -> Vec<Run> {
        let days = self.tracker.days(0);
        days.into_iter().flat_map(|day| self.tracker.runs(0, day, false)).collect()
    }

    /// The first stored run that fits.
    fn stored_run(&self, fits: impl Fn(&Run) -> bool) -> Run {
        self.stored().into_iter().find(|run| fits(run)).unwrap()
    }
}

/// The values of a text field, in order.
fn texts(rows: &[Value], field: &str) -> Vec<String> {
    rows.iter().map(|row| row[field].as_str().unwrap_or("null").to_owned()).collect()
}

/// The different values of a text field.
fn kinds(rows: &[Value], field: &str) -> BTreeSet<String> {
    texts(rows, field).into_iter().collect()
}

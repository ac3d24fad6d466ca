//! A server over HTTP, the built program, and a client of it that hides nothing.

use super::{
    program::Home,
    raw::Era,
    secrets::{none_in, plant},
    surely,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

pub const MODERN: &str = "2026-07-28";

/// The program, serving.
pub struct HttpProgram {
    pub child: Child,
    pub base: String,
    /// Read on as it comes: a server whose log nobody takes would wait.
    log: JoinHandle<String>,
}

impl HttpProgram {
    /// Starts a server at a port that is free.
    pub async fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut child = Command::new(super::program::PROGRAM)
            .args(["serve", "--http", "127.0.0.1:0"])
            .args(arguments)
            .env_clear()
            .envs(home.environment())
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        let base = loop {
            let mut line = String::new();
            let read = surely("a line of the log", log.read_line(&mut line)).await.unwrap();
            assert!(read > 0, "the server did not start: {seen}");
            if let Some((_, rest)) = line.split_once("MCP at ") {
                break rest.split("/mcp").next().unwrap().to_owned();
            }
            seen += &line;
        };
        none_in("the log", &seen);
        let log = tokio::spawn(async move {
            let mut rest = String::new();
            log.read_to_string(&mut rest).await.unwrap();
            rest
        });
        Self { child, base, log }
    }

    /// Asks it to stop, and gives back all that it wrote meanwhile: stdout, and the log.
    pub async fn stop(mut self) -> (String, String) {
        let id = rustix::process::Pid::from_raw(self.child.id().unwrap().cast_signed()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let mut out = String::new();
        let mut stdout = self.child.stdout.take().unwrap();
        let log = surely("the log", self.log).await.unwrap();
        surely("stdout", stdout.read_to_string(&mut out)).await.unwrap();
        none_in("the log", &log);
        none_in("stdout", &out);
        assert!(surely("the end", self.child.wait()).await.unwrap().success(), "{log}");
        (out, log)
    }

    pub fn client(&self, era: Era, token: Option<&str>) -> HttpClient {
        token.iter().filter(|token| token.len() > 20).for_each(|token| plant(*token));
        HttpClient {
            client: plain_client(),
            base: self.base.clone(),
            era,
            token: token.map(str::to_owned),
            session: None,
            last_id: 0,
        }
    }
}

/// A client of `/mcp`.
pub struct HttpClient {
    client: Client,
    pub base: String,
    era: Era,
    pub token: Option<String>,
    pub session: Option<String>,
    last_id: i64,
}

impl HttpClient {
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.with_token(self.client.get(format!("{}{path}", self.base)))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.with_token(self.client.post(format!("{}{path}", self.base)))
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// A message, as its era has it, on its way to `/mcp`.
    pub fn message(&self, mut message: Value) -> RequestBuilder {
        let mut request = self.post("/mcp").header("accept", "application/json, text/event-stream");
        if self.era == Era::Modern {
            request = request.header("mcp-protocol-version", MODERN);
            request = request.header("mcp-method", message["method"].as_str().unwrap());
            if let Some(name) = message["params"]["name"].as_str().or_else(|| message["params"]["uri"].as_str()) {
                request = request.header("mcp-name", name);
            }
            for (name, value) in [
                ("protocolVersion", json!(MODERN)),
                ("clientCapabilities", json!({})),
                ("clientInfo", json!({ "name": "http", "version": "1" })),
            ] {
                message["params"]["_meta"][format!("io.modelcontextprotocol/{name}")] = value;
            }
        } else if let Some(session) = &self.session {
            request = request.header("mcp-protocol-version", "2025-11-25").header("mcp-session-id", session);
        }
        in_json(request, &message)
    }

    /// Opens a session, in the era that has them.
    pub async fn open(&mut self) -> StatusCode {
        if self.era == Era::Modern {
            return StatusCode::OK;
        }
        let client = json!({ "name": "http", "version": "1" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        let opening = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let response = surely("a session", self.message(opening).send()).await.unwrap();
        let status = response.status();
        if status.is_success() {
            self.session = Some(response.headers()["mcp-session-id"].to_str().unwrap().to_owned());
            messages(response).await;
            let done = self.message(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
            assert_eq!(surely("a note", done.send()).await.unwrap().status(), StatusCode::ACCEPTED);
        }
        status
    }

    /// All messages of the answer to a request, the answer last.
    pub async fn ask_all(&mut self, method: &str, params: Value) -> Vec<Value> {
        self.last_id += 1;
        let message = json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params });
        let what: String = format!("the answer to {method} {}", message["params"]).chars().take(300).collect();
        surely(&what, async { messages(self.message(message).send().await.unwrap()).await }).await
    }

    pub async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.ask_all(method, params).await.pop().expect("an answer")
    }

    /// Calls a tool and gives back its result.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await;
        answer.get("result").cloned().unwrap_or_else(|| panic!("{tool}: no result: {answer}"))
    }
}

/// A client of anything on loopback.
#[expect(clippy::disallowed_methods, reason = "the program's own client is for upstreams")]
pub fn plain_client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

/// A request with this body.
pub fn in_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

/// The messages of a response, of one as JSON or of a stream of events.
pub async fn messages(response: Response) -> Vec<Value> {
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let status = response.status();
    let text = surely("a body", response.text()).await.unwrap();
    none_in("a body", &text);
    match kind.as_deref() {
        Some("application/json") => vec![serde_json::from_str(&text).unwrap()],
        Some("text/event-stream") => {
            let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
            data.filter(|data| !data.is_empty()).map(|data| serde_json::from_str(data).unwrap()).collect()
        }
        kind => panic!("{status} {kind:?}: {text}"),
    }
}

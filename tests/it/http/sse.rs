//! HTTP+SSE of 2024-11-05: one stream out, messages posted in.

use super::small;
use crate::support::{
    http::{HttpProgram, in_json, plain_client},
    raw::Era,
    surely,
};
use futures_util::StreamExt as _;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

/// A client of the older transport.
pub struct SseClient {
    client: reqwest::Client,
    token: Option<String>,
    base: String,
    pub endpoint: String,
    stream: std::pin::Pin<Box<dyn futures_util::Stream<Item = String> + Send>>,
    rest: String,
}

impl SseClient {
    pub async fn open(program: &HttpProgram, token: Option<&str>) -> Self {
        let response = surely("a stream", program.client(Era::Legacy, token).get("/sse").send()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let stream = response.bytes_stream().map(|part| String::from_utf8(part.unwrap().to_vec()).unwrap());
        let client = plain_client();
        let (base, token) = (program.base.clone(), token.map(str::to_owned));
        let mut opened =
            Self { client, token, base, endpoint: String::new(), stream: Box::pin(stream), rest: String::new() };
        let (kind, endpoint) = opened.event().await.unwrap();
        assert_eq!(kind, "endpoint");
        opened.endpoint = endpoint;
        opened
    }

    /// The next event: its kind and its data.
    pub async fn event(&mut self) -> Option<(String, String)> {
        loop {
            if let Some(end) = self.rest.find("\n\n") {
                let event: String = self.rest.drain(..end + 2).collect();
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if let (Some(kind), Some(data)) = (field("event:"), field("data:")) {
                    return Some((kind.to_owned(), data.to_owned()));
                }
                continue;
            }
            self.rest += &surely("an event", self.stream.next()).await?;
        }
    }

    pub async fn post(&self, endpoint: &str, message: &Value) -> Response {
        let request = in_json(self.client.post(format!("{}{endpoint}", self.base)), message);
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        surely("a status", request.send()).await.unwrap()
    }

    pub async fn ask(&mut self, id: i64, method: &str, params: Value) -> Value {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        assert_eq!(self.post(&self.endpoint, &message).await.status(), StatusCode::ACCEPTED);
        loop {
            let (kind, data) = self.event().await.expect("an answer");
            assert_eq!(kind, "message");
            let message: Value = serde_json::from_str(&data).unwrap();
            if message["id"] == id {
                return message;
            }
        }
    }

    pub async fn initialize(&mut self) {
        let client = json!({ "name": "sse", "version": "1" });
        let params = json!({ "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": client });
        let opened = self.ask(0, "initialize", params).await;
        assert_eq!(opened["result"]["protocolVersion"], "2024-11-05", "{opened}");
        let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(self.post(&self.endpoint, &note).await.status(), StatusCode::ACCEPTED);
    }
}

#[tokio::test]
async fn a_client_that_speaks_nothing_newer_is_answered() {
    let (_home, program) = small(&[]).await;
    let mut client = SseClient::open(&program, None).await;
    client.initialize().await;
    let list = client.ask(1, "tools/list", json!({})).await;
    assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 15);
    let call = json!({ "name": "list_sources", "arguments": {} });
    let answer = client.ask(2, "tools/call", call).await;
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    let refused = client.post(&client.endpoint, &json!("no message")).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let strange = client.post("/messages?sessionId=00000000-0000-0000-0000-000000000000", &json!({})).await;
    assert_eq!(strange.status(), StatusCode::NOT_FOUND);
    // Its stream ends when the server does.
    program.stop().await;
    assert_eq!(client.event().await, None);
}

#[tokio::test]
async fn a_session_ends_with_its_stream() {
    let (_home, program) = small(&["--max-sessions", "1"]).await;
    let first = SseClient::open(&program, None).await;
    let endpoint = first.endpoint.clone();
    drop(first);
    // The server learns of it when it next looks at the connection.
    let client = program.client(Era::Legacy, None);
    let mut opened = false;
    for _ in 0..100 {
        let response = surely("a status", client.get("/sse").send()).await.unwrap();
        opened = response.status() == 200;
        if opened {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(opened, "the first session made room");
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let late = surely("a status", in_json(client.post(&endpoint), &message).send()).await.unwrap();
    assert_eq!(late.status(), StatusCode::NOT_FOUND);
}

//! A client that speaks JSON-RPC by the line, in either era, so that tests see what is on the wire.
//!
//! It talks to any pair of streams: a server in this process, or a spawned program's stdin and stdout.

use super::{secrets::none_in, surely};
use serde_json::{Value, json};
use std::collections::HashMap;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, Lines},
    process::Child,
};

/// How the client opens a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Era {
    /// With `initialize`, as revisions up to 2025-11-25 do.
    Legacy,
    /// With metadata in every request, as 2026-07-28 does.
    Modern,
}

impl Era {
    pub const BOTH: [Self; 2] = [Self::Legacy, Self::Modern];
}

pub struct Raw {
    era: Era,
    writer: Option<Box<dyn AsyncWrite + Unpin + Send>>,
    lines: Lines<BufReader<Box<dyn AsyncRead + Unpin + Send>>>,
    // Answers that came while another was awaited.
    early: HashMap<i64, Value>,
    notifications: Vec<Value>,
    last_id: i64,
}

impl Raw {
    pub fn new(
        reader: impl AsyncRead + Unpin + Send + 'static,
        writer: impl AsyncWrite + Unpin + Send + 'static,
        era: Era,
    ) -> Self {
        let reader: Box<dyn AsyncRead + Unpin + Send> = Box::new(reader);
        Self {
            era,
            writer: Some(Box::new(writer)),
            lines: BufReader::new(reader).lines(),
            early: HashMap::new(),
            notifications: Vec::new(),
            last_id: 0,
        }
    }

    /// A client of a child that was spawned with piped stdin and stdout.
    pub fn of(child: &mut Child, era: Era) -> Self {
        let stdout = child.stdout.take().expect("stdout is piped");
        Self::new(stdout, child.stdin.take().expect("stdin is piped"), era)
    }

    /// Opens the session and gives back what the server says of itself.
    pub async fn open(&mut self) -> Value {
        let result = match self.era {
            Era::Legacy => self.initialize("2025-11-25").await,
            Era::Modern => self.ask("server/discover", json!({})).await,
        };
        result.get("result").cloned().unwrap_or_else(|| panic!("no session: {result}"))
    }

    /// The handshake of the older revisions.
    pub async fn initialize(&mut self, version: &str) -> Value {
        self.era = Era::Legacy;
        let client = json!({ "name": "raw", "version": "1" });
        let params = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client });
        let result = self.ask("initialize", params).await;
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        result
    }

    /// Sends a request and gives back its id.
    pub async fn request(&mut self, method: &str, mut params: Value) -> i64 {
        self.last_id += 1;
        if self.era == Era::Modern {
            for (name, value) in [
                ("protocolVersion", json!("2026-07-28")),
                ("clientCapabilities", json!({})),
                ("clientInfo", json!({ "name": "raw", "version": "1" })),
            ] {
                params["_meta"][format!("io.modelcontextprotocol/{name}")] = value;
            }
        }
        let id = self.last_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        id
    }

    /// Sends a request and gives back the whole answer to it.
    pub async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.request(method, params).await;
        self.answer(id).await
    }

    /// Calls a tool and gives back its result.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await;
        answer.get("result").cloned().unwrap_or_else(|| panic!("no result: {answer}"))
    }

    /// Calls a tool that must refuse, and gives back its words.
    pub async fn refusal(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        assert!(result.get("structuredContent").is_none(), "{result}");
        text(&result).to_owned()
    }

    /// The answer to the request of this id; others may come before it.
    pub async fn answer(&mut self, id: i64) -> Value {
        loop {
            if let Some(answer) = self.early.remove(&id) {
                return answer;
            }
            let message = self.next().await.unwrap_or_else(|| panic!("the stream ended before the answer to {id}"));
            match message.get("id").and_then(Value::as_i64) {
                Some(id) => assert!(self.early.insert(id, message).is_none(), "{id} was answered twice"),
                None => self.notifications.push(message),
            }
        }
    }

    /// Calls a tool and asks to hear of its progress; gives back the request's id, which is the token too.
    pub async fn begin(&mut self, tool: &str, arguments: Value) -> i64 {
        let token = self.last_id + 1;
        let params = json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": token } });
        self.request("tools/call", params).await
    }

    /// What was heard of a call's progress so far.
    pub fn progress(&self, token: i64) -> Vec<&Value> {
        let is = |message: &&Value| {
            message["method"] == "notifications/progress" && message["params"]["progressToken"] == token
        };
        self.notifications.iter().filter(is).map(|message| &message["params"]).collect()
    }

    /// Reads until something was heard of a call's progress.
    pub async fn hear_progress(&mut self, token: i64) {
        while self.progress(token).is_empty() {
            let message = self.next().await.expect("the stream ended before any progress");
            match message.get("id").and_then(Value::as_i64) {
                Some(id) => assert!(self.early.insert(id, message).is_none(), "{id} was answered twice"),
                None => self.notifications.push(message),
            }
        }
    }

    /// Was this request answered by what has been read so far?
    pub fn has_answer(&self, id: i64) -> bool {
        self.early.contains_key(&id)
    }

    /// Tells the server that an answer is no longer wanted.
    pub async fn cancel(&mut self, id: i64) {
        let params = json!({ "requestId": id, "reason": "test" });
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params })).await;
    }

    pub async fn send(&mut self, message: &Value) {
        self.send_line(&message.to_string()).await;
    }

    /// Sends a line, whatever is in it.
    pub async fn send_line(&mut self, line: &str) {
        let writer = self.writer.as_mut().expect("the input is still open");
        writer.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        writer.flush().await.unwrap();
    }

    /// The next message, or none at the end; every line must be one.
    pub async fn next(&mut self) -> Option<Value> {
        let line = surely("a message", self.lines.next_line()).await.unwrap()?;
        none_in("a message", &line);
        Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("not a message ({error}): {line}")))
    }

    /// Closes the server's input.
    pub async fn close(&mut self) {
        if let Some(mut writer) = self.writer.take() {
            let _ = writer.shutdown().await;
        }
    }
}

/// The text of a result.
pub fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {result}"))
}

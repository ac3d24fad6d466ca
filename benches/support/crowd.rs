//! Clients that want little of a server: sessions with nothing to do, and readers that take their answers by the byte.

use super::wrk;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    runtime::Runtime,
};

// A slow reader takes so much of an answer at a time.
const SIP: usize = 512;
const BETWEEN_SIPS: Duration = Duration::from_millis(500);

/// They are there until this is dropped.
pub struct Crowd {
    runtime: Runtime,
    address: String,
    idle: Vec<Idle>,
}

/// A session, and the stream that its client listens on.
struct Idle {
    headers: Vec<(&'static str, String)>,
    stream: TcpStream,
}

impl Crowd {
    /// Opens so many sessions.
    pub fn of_sessions(address: &str, token: &str, sessions: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut idle = Vec::new();
        runtime.block_on(async {
            for _ in 0..sessions {
                idle.push(session(address, token).await);
            }
        });
        Self { runtime, address: address.to_owned(), idle }
    }

    /// So many readers join, that ask for a large answer over and over.
    pub fn with_readers(self, token: &str, readers: usize, (tool, arguments): &(&'static str, Value)) -> Self {
        let asked = request("POST", &wrk::headers(tool, token), &wrk::message(tool, arguments));
        for _ in 0..readers {
            self.runtime.spawn(reader(self.address.clone(), asked.clone()));
        }
        self
    }

    /// How many sessions' streams are still open.
    pub fn open(&self) -> usize {
        let is_open = |idle: &&Idle| {
            let mut byte = [0];
            match idle.stream.try_read(&mut byte) {
                Ok(read) => read > 0,
                Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
            }
        };
        self.idle.iter().filter(is_open).count()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // As clients leave: a session that nobody ends is there for some minutes more.
        let ended = std::mem::take(&mut self.idle);
        self.runtime.block_on(async {
            for idle in ended {
                let mut stream = TcpStream::connect(&self.address).await.unwrap();
                stream.write_all(&request("DELETE", &idle.headers, "")).await.unwrap();
                head(&mut stream).await;
            }
        });
    }
}

fn request(method: &str, headers: &[(&'static str, String)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    format!("{text}\r\n{body}").into_bytes()
}

/// The head of an answer, and whatever of its body came with it.
async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read_buf(&mut bytes).await.unwrap();
        assert!(read > 0, "the server hung up");
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Opens a session and the stream of it.
async fn session(address: &str, token: &str) -> Idle {
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("accept", "application/json, text/event-stream".to_owned()),
        ("authorization", format!("Bearer {token}")),
    ];
    let client = json!({ "name": "idle", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    let opening = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }).to_string();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&request("POST", &headers, &opening)).await.unwrap();
    let said = head(&mut stream).await;
    let id = said.lines().find_map(|line| line.to_lowercase().strip_prefix("mcp-session-id: ").map(str::to_owned));
    headers.push(("mcp-session-id", id.unwrap_or_else(|| panic!("no session: {said}"))));
    headers.push(("mcp-protocol-version", "2025-11-25".to_owned()));
    // A connection of its own: the rest of the first answer is of no interest.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let done = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string();
    stream.write_all(&request("POST", &headers, &done)).await.unwrap();
    assert!(head(&mut stream).await.contains(" 202 "));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&request("GET", &headers, "")).await.unwrap();
    assert!(head(&mut stream).await.contains(" 200 "));
    Idle { headers, stream }
}

/// Asks, and reads a little of the answer at a time; asks again when the server has had enough.
async fn reader(address: String, asked: Vec<u8>) {
    loop {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        if let Ok(mut stream) = socket.connect(address.parse().unwrap()).await
            && stream.write_all(&asked).await.is_ok()
        {
            let mut sip = [0; SIP];
            while matches!(stream.read(&mut sip).await, Ok(read) if read > 0) {
                tokio::time::sleep(BETWEEN_SIPS).await;
            }
        }
        tokio::time::sleep(BETWEEN_SIPS).await;
    }
}

//! What no request gets past, on any route.

use super::small;
use crate::support::{http::plain_client, program::Home, raw::Era, surely};
use futures_util::FutureExt as _;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const ROUTES: [(&str, &str); 7] = [
    ("POST", "/mcp"),
    ("GET", "/sse"),
    ("POST", "/messages?sessionId=1"),
    ("GET", "/metrics"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/no-such-route"),
];

#[tokio::test]
async fn a_strange_host_or_origin_is_refused_everywhere() {
    let (_home, program) =
        small(&["--metrics", "--allow-host", "mcp.example.com", "--allow-origin", "https://app.example.com"]).await;
    let client = program.client(Era::Modern, None);
    let status = async |method: &str, path: &str, name: &str, value: &str| {
        let request = if method == "GET" { client.get(path) } else { client.post(path) };
        surely("a status", request.header(name, value).send()).await.unwrap().status()
    };
    for (method, path) in ROUTES {
        for (name, value) in [
            ("host", "evil.example"),
            ("host", "127.0.0.1.evil.example"),
            ("host", "localhost.:80x"),
            ("origin", "http://evil.example"),
            ("origin", "https://localhost.evil.example"),
            ("origin", "null"),
            ("origin", "file://localhost"),
        ] {
            assert_eq!(status(method, path, name, value).await, 403, "{method} {path} {name}: {value}");
        }
    }
    for (name, value) in [
        ("host", "mcp.example.com"),
        ("host", "MCP.example.com:443"),
        ("host", "localhost:1"),
        ("host", "[::1]:1"),
        ("origin", "http://localhost:6274"),
        ("origin", "http://127.0.0.1"),
        ("origin", "https://app.example.com"),
    ] {
        assert_eq!(status("GET", "/health/live", name, value).await, 200, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_call_and_bring_a_token() {
    let (_home, program) = small(&[]).await;
    let client = plain_client();
    let preflight = client
        .request(Method::OPTIONS, format!("{}/mcp", program.base))
        .header("origin", "http://localhost:6274")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,mcp-session-id")
        .send();
    let response = surely("a preflight", preflight).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-origin"], "http://localhost:6274");
    let allowed = response.headers()["access-control-allow-headers"].to_str().unwrap().to_owned();
    assert!(allowed.contains("authorization") && allowed.contains("mcp-session-id"), "{allowed}");
    let foreign = client
        .request(Method::OPTIONS, format!("{}/mcp", program.base))
        .header("origin", "http://evil.example")
        .header("access-control-request-method", "POST");
    let response = surely("a preflight", foreign.send()).await.unwrap();
    assert!(!response.headers().contains_key("access-control-allow-origin"), "{response:?}");
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_message_is_refused_and_the_server_goes_on() {
    let (_home, program) = small(&[]).await;
    let mut client = program.client(Era::Modern, None);
    let huge = client.post("/mcp").header("content-type", "application/json").body("x".repeat(2 << 20));
    assert_eq!(surely("a status", huge.send()).await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
    for body in ["", "{", "[]", "null", "{\"jsonrpc\":\"2.0\"}", "\u{0}"] {
        let odd = client.post("/mcp").header("content-type", "application/json");
        let odd = odd.header("accept", "application/json, text/event-stream").body(body);
        let status = surely("a status", odd.send()).await.unwrap().status();
        assert!(status.is_client_error(), "{body:?}: {status}");
    }
    let result = client.call("list_sources", json!({})).await;
    assert_eq!(result["isError"], false, "{result}");
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let (_home, program) = small(&["--rate", "1"]).await;
    let client = program.client(Era::Modern, None);
    let mut refused = None;
    for _ in 0..30 {
        let response = surely("a status", client.get("/metrics").send()).await.unwrap();
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(response);
            break;
        }
    }
    let refused = refused.expect("a burst is bounded");
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..60).contains(&wait), "{wait}");
    assert_eq!(surely("a status", client.get("/health/live").send()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn sessions_are_bounded_and_given_back() {
    let (_home, program) = small(&["--max-sessions", "2"]).await;
    let mut clients = [0, 1, 2].map(|_| program.client(Era::Legacy, None));
    assert_eq!(clients[0].open().await, 200);
    assert_eq!(clients[1].open().await, 200);
    assert_eq!(clients[2].open().await, 503, "no room for a third");
    // Nor by saying that it is of the newer era.
    let client = json!({ "name": "http", "version": "1" });
    let params = json!({ "protocolVersion": "2026-07-28", "capabilities": {}, "clientInfo": client });
    let opening = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
    let request = clients[2].message(opening).header("mcp-protocol-version", "2026-07-28");
    let request = request.header("mcp-method", "initialize");
    assert_eq!(surely("a status", request.send()).await.unwrap().status(), 503);
    let stream = surely("a status", clients[2].get("/sse").send()).await.unwrap();
    assert_eq!(stream.status(), 503, "nor for one of the older transport");
    // Those of the newer era need none.
    let result = program.client(Era::Modern, None).call("list_sources", json!({})).await;
    assert_eq!(result["isError"], false);
    let end = plain_client()
        .delete(format!("{}/mcp", program.base))
        .header("mcp-session-id", clients[0].session.clone().unwrap())
        .send();
    assert!(surely("the end of a session", end).await.unwrap().status().is_success());
    assert_eq!(clients[2].open().await, 200, "a session that was ended makes room");
    assert_eq!(
        clients[0].message(json!({ "jsonrpc": "2.0", "id": 9, "method": "ping" })).send().await.unwrap().status(),
        404
    );
}

#[tokio::test]
async fn slow_clients_hold_up_nobody() {
    let (_home, program) = small(&[]).await;
    let address = program.base.strip_prefix("http://").unwrap().to_owned();
    let mut slow = Vec::new();
    for i in 0..60 {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        // Half of them never end their headers, half their body.
        let head = if i % 2 == 0 {
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-".to_owned()
        } else {
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
                .to_owned()
        };
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let mut client = program.client(Era::Modern, None);
    for _ in 0..5 {
        let result = client.call("list_sources", json!({})).await;
        assert_eq!(result["isError"], false);
    }
    let mut byte = [0];
    assert!(slow[0].read(&mut byte).now_or_never().is_none_or(|read| read.is_ok()));
}

#[tokio::test]
async fn it_does_not_open_to_others_without_saying_who_may_ask() {
    let home = Home::new();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refused = tokio::process::Command::new(crate::support::program::PROGRAM)
            .args(["serve", "--http", address])
            .env_clear()
            .envs(home.environment())
            .output();
        let output = surely("a refusal", refused).await.unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && words.contains("--token-file"), "{words}");
    }
}

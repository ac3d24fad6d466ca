//! Holds to: after any lines on stdin the server still answers a good request, every line that it writes is a message
//! of JSON-RPC, and it ends when its input does.
//!
//! The first byte says whether a session is opened before the lines; a server to which nobody has opened one may end.
#![no_main]

mod support;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::{cell::RefCell, sync::LazyLock, time::Duration};
use support::{CACHE, TOOLS, limits};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf},
    runtime::Runtime,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use visibility_mcp::mcp::{Server, transport};

const OPENING: &str = concat!(
    r#"{"jsonrpc":"2.0","id":"the opening","method":"initialize","params":{"protocolVersion":"2025-11-25","#,
    r#""capabilities":{},"clientInfo":{"name":"fuzz","version":"1"}}}"#,
    "\n",
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    "\n",
);
const QUESTION: &str = concat!(
    "\n",
    r#"{"jsonrpc":"2.0","id":"the last question","method":"tools/call","params":{"name":"list_brands","arguments":{}}}"#,
    "\n",
);

const PATIENCE: Duration = Duration::from_secs(15);

static SERVER: LazyLock<Server> =
    LazyLock::new(|| Server::new(TOOLS.clone(), std::sync::Arc::clone(&CACHE.backend), limits()));

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(transport::runtime().unwrap());
}

fuzz_target!(|data: &[u8]| {
    let Some((&how, lines)) = data.split_first() else { return };
    // The cache is made by a runtime of its own.
    LazyLock::force(&SERVER);
    RUNTIME.with_borrow(|runtime| runtime.block_on(talk(how % 4 != 0, lines)));
});

async fn talk(opened: bool, lines: &[u8]) {
    let (client, theirs) = tokio::io::duplex(1 << 20);
    let (reader, writer) = tokio::io::split(theirs);
    let serving = tokio::spawn(transport::serve(SERVER.clone(), reader, writer, CancellationToken::new()));
    let (reader, mut writer) = tokio::io::split(client);
    let mut answers = BufReader::new(reader).lines();
    let told = async {
        let opening = if opened { OPENING } else { "" };
        for part in [opening.as_bytes(), lines, QUESTION.as_bytes()] {
            // Whoever has been refused may have hung up.
            if writer.write_all(part).await.is_err() {
                assert!(!opened, "the server hung up");
            }
        }
    };
    let heard = async {
        while let Some(message) = next(&mut answers).await {
            if message["id"] == "the last question" {
                assert!(!opened || message["result"]["isError"] == false, "{message}");
                return true;
            }
        }
        false
    };
    let ((), answered) = timeout(PATIENCE, async { tokio::join!(told, heard) }).await.expect("no answer comes");
    assert!(answered || !opened, "a good request is not answered");
    writer.shutdown().await.ok();
    while timeout(PATIENCE, next(&mut answers)).await.expect("the output does not end").is_some() {}
    let served = timeout(PATIENCE, serving).await.expect("the server does not end").unwrap();
    assert!(served.is_ok() || !opened, "{served:?}");
}

/// The next message; every line is one.
async fn next(lines: &mut Lines<BufReader<ReadHalf<DuplexStream>>>) -> Option<Value> {
    let line = lines.next_line().await.expect("the output is UTF-8")?;
    let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("no message ({error}): {line}"));
    let is_message = message["method"].is_string() || message["result"].is_object() || message["error"].is_object();
    assert!(message["jsonrpc"] == "2.0" && is_message, "no message: {line}");
    Some(message)
}

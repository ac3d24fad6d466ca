//! Load by `wrk`, which others can run too: what it sends, and what it says of the answers.

use serde::Deserialize;
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

/// What is asked, again and again, in turn.
#[derive(Clone, Debug)]
pub struct Load {
    /// Tools and their arguments.
    pub calls: Vec<(&'static str, Value)>,
    /// Connections at once.
    pub connections: u32,
    /// For so long.
    pub seconds: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Came {
    /// Answers.
    pub answers: u32,
    /// For so long, in microseconds.
    pub micros: f64,
    /// The time that half of the answers took at most, in microseconds.
    pub p50: f64,
    /// The time that 99 of 100 took at most, in microseconds.
    pub p99: f64,
    /// Connections refused, broken off or timed out.
    pub broken: u64,
    /// Answers that say that something failed.
    pub failed: u64,
    /// Bytes of the largest answer.
    pub largest: usize,
}

impl Came {
    /// Answers in a second.
    pub fn a_second(&self) -> f64 {
        f64::from(self.answers) / self.micros * 1e6
    }

    /// Answers that were not as they should be.
    pub fn wrong(&self) -> u64 {
        self.broken + self.failed
    }
}

// Each thread of wrk counts for itself; the last word adds up.
const SCRIPT: &str = r#"
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init()
    asked, failed, largest, requests = 0, 0, 0, {}
    for i, call in ipairs(calls) do requests[i] = wrk.format("POST", "/mcp", call.headers, call.body) end
end
function request()
    asked = asked + 1
    return requests[asked % #requests + 1]
end
function response(status, headers, body)
    if #body > largest then largest = #body end
    if status ~= 200 or not body:find('"isError":false', 1, true) then failed = failed + 1 end
end
function done(summary, latency)
    local errors = summary.errors
    local lost, most = 0, 0
    for _, thread in ipairs(threads) do
        lost, most = lost + thread:get("failed"), math.max(most, thread:get("largest"))
    end
    io.write(string.format(
        '\nCAME {"answers":%d,"micros":%d,"p50":%d,"p99":%d,"broken":%d,"failed":%d,"largest":%d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.timeout, lost, most))
end
"#;

/// Is it there?
pub fn is_there() -> bool {
    Command::new("wrk").arg("-v").output().is_ok()
}

/// The headers of a call in the newest era of the protocol.
pub fn headers(tool: &str, token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("content-type", "application/json".to_owned()),
        ("accept", "application/json, text/event-stream".to_owned()),
        ("authorization", format!("Bearer {token}")),
        ("mcp-protocol-version", "2026-07-28".to_owned()),
        ("mcp-method", "tools/call".to_owned()),
        ("mcp-name", tool.to_owned()),
    ]
}

/// The message of a call.
pub fn message(tool: &str, arguments: &Value) -> String {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "wrk", "version": "4" },
    });
    let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string()
}

impl Load {
    /// Puts it on the server at this address, such as `127.0.0.1:8080`.
    pub fn on(&self, address: &str, token: &str, folder: &Path) -> Came {
        let mut script = "local calls = {\n".to_owned();
        for (tool, arguments) in &self.calls {
            let set: Vec<String> =
                headers(tool, token).iter().map(|(name, value)| format!("[{name:?}]={value:?}")).collect();
            let set = set.join(",");
            script += &format!("{{ headers = {{{set}}}, body = [=[{}]=] }},\n", message(tool, arguments));
        }
        script += &format!("}}\n{SCRIPT}");
        let path = folder.join("load.lua");
        fs::write(&path, script).unwrap();
        let (connections, seconds) = (self.connections.to_string(), format!("{}s", self.seconds));
        let run = Command::new("wrk")
            .args(["-t1", "-c", &connections, "-d", &seconds, "--timeout", "20s", "-s", path.to_str().unwrap()])
            .arg(format!("http://{address}/mcp"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        let came = said.lines().find_map(|line| line.strip_prefix("CAME "));
        serde_json::from_str(came.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&run.stderr)))).unwrap()
    }
}

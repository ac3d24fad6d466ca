//! Children: this program started again with a job, or the server itself, and what the system says of them.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// Does a job in a child of this program and gives back what it printed.
pub fn run(words: &[&str]) -> String {
    let done = again(words).stderr(Stdio::inherit()).output().unwrap();
    assert!(done.status.success(), "the child `{}` failed: {}", words.join(" "), done.status);
    String::from_utf8(done.stdout).unwrap()
}

/// This program, started again with a job.
pub fn again(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("--child").args(words);
    command
}

/// The server itself, over this cache.
pub fn server(cache: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visibility-mcp"));
    command.args(["serve", "--no-sync", "--cache", cache]);
    command
}

/// A field of `/proc/PID/status` in bytes; none where there is no such thing.
pub fn status_bytes(pid: &str, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// A client of a child that speaks JSON-RPC by the line.
pub struct Client {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    line: String,
    next: u64,
}

impl Client {
    /// Starts a server and opens a session with it.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut client = Self { child, input, output, line: String::new(), next: 1 };
        let params =
            r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}"#;
        client.ask("initialize", params);
        client.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        client
    }

    fn send(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Sends a request and waits for its answer, which is not looked at.
    pub fn ask(&mut self, method: &str, params: &str) -> &str {
        let id = self.next;
        self.next += 1;
        self.send(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#));
        self.line.clear();
        let read = self.output.read_line(&mut self.line).unwrap();
        assert!(read > 0, "the server ended before its answer to {method}");
        &self.line
    }

    /// Calls a tool; the answer is not looked at.
    pub fn call(&mut self, tool: &str, arguments: &str) -> &str {
        self.ask("tools/call", &format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#))
    }

    /// What a tool answers, as data.
    pub fn answer(&mut self, tool: &str, arguments: &str) -> Value {
        let answer: Value = serde_json::from_str(self.call(tool, arguments)).unwrap();
        let result = answer.get("result").cloned().unwrap_or_else(|| panic!("{tool}: {answer}"));
        assert_ne!(result["isError"], true, "{tool}: {result}");
        result["structuredContent"].clone()
    }

    /// Memory that the server holds, in bytes.
    pub fn resident_bytes(&self) -> Option<u64> {
        status_bytes(&self.child.id().to_string(), "VmRSS")
    }

    /// CPU time of the server so far, in microseconds; none where the system does not say.
    pub fn cpu_micros(&self) -> Option<f64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        let nanos = tasks.filter_map(|task| {
            let schedstat = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            schedstat.split_whitespace().next()?.parse::<f64>().ok()
        });
        Some(nanos.sum::<f64>() / 1_000.0)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A server ends with its input, but nobody waits for that here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

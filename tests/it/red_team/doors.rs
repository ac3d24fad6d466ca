//! The ways in: stdio and HTTP in both eras, and HTTP+SSE.

use super::{poison::POISONED, shown::is_strangers};
use crate::{
    http::sse::SseClient,
    support::{
        http::{HttpClient, HttpProgram},
        program::Home,
        raw::{Era, Raw},
    },
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};
use tokio::process::Child;

/// The program over the poisoned cache, and a client of it.
pub struct Door {
    pub name: String,
    cache: PathBuf,
    way: Way,
    _home: Home,
}

enum Way {
    Stdio(Box<Raw>, Child),
    Http(HttpClient, HttpProgram),
    Sse(SseClient, HttpProgram, i64),
}

impl Door {
    /// Each of the five.
    pub async fn all() -> Vec<Self> {
        let mut doors = Vec::new();
        for era in Era::BOTH {
            let (home, cache, arguments) = at_home();
            let arguments: Vec<&str> = ["serve"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
            let (child, raw) = home.open(&arguments, era).await;
            let way = Way::Stdio(Box::new(raw), child);
            doors.push(Self { name: format!("stdio {era:?}"), cache, way, _home: home });
        }
        for era in Era::BOTH {
            let (home, cache, program) = serving().await;
            let mut client = program.client(era, None);
            assert_eq!(client.open().await, 200);
            doors.push(Self { name: format!("HTTP {era:?}"), cache, way: Way::Http(client, program), _home: home });
        }
        let (home, cache, program) = serving().await;
        let mut client = SseClient::open(&program, None).await;
        client.initialize().await;
        doors.push(Self { name: "SSE".into(), cache, way: Way::Sse(client, program, 0), _home: home });
        doors
    }

    pub async fn ask(&mut self, method: &str, params: Value) -> Value {
        match &mut self.way {
            Way::Stdio(raw, _) => raw.ask(method, params).await,
            Way::Http(client, _) => client.ask(method, params).await,
            Way::Sse(client, _, last_id) => {
                *last_id += 1;
                client.ask(*last_id, method, params).await
            }
        }
    }

    /// Can this be a name or an address here? The newer era repeats them in a header.
    pub fn carries(&self, text: &str) -> bool {
        let is_plain =
            text.len() < 2_000 && text.trim() == text && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        is_plain || !matches!(&self.way, Way::Http(client, _) if client.session.is_none())
    }

    /// Calls a tool: its result.
    pub async fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await;
        answer.get("result").cloned().unwrap_or_else(|| panic!("{} {tool} {arguments}: no result: {answer}", self.name))
    }

    /// Ends the program, and gives back the cache file as it left it.
    pub async fn close(self) -> Vec<u8> {
        match self.way {
            Way::Stdio(mut raw, mut child) => {
                raw.close().await;
                assert!(child.wait().await.unwrap().success(), "{}", self.name);
            }
            Way::Http(_, program) | Way::Sse(_, program, _) => {
                let (_, log) = program.stop().await;
                assert!(
                    !is_strangers(&log) && !log.contains("passwd"),
                    "{}: it logs what it was told: {log}",
                    self.name
                );
            }
        }
        fs::read(self.cache).unwrap()
    }
}

fn at_home() -> (Home, PathBuf, Vec<String>) {
    let home = Home::new();
    let cache = POISONED.copy_to(home.path());
    let arguments =
        ["--demo", "--no-sync", "--query-sql", "--cache", cache.to_str().unwrap()].map(str::to_owned).into();
    (home, cache, arguments)
}

async fn serving() -> (Home, PathBuf, HttpProgram) {
    let (home, cache, mut arguments) = at_home();
    arguments.extend(["--rate", "100000"].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let program = HttpProgram::start(&home, &arguments).await;
    (home, cache, program)
}

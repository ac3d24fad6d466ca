//! Goals H1-H3 and the load of a team: the server over HTTP beside a bare axum handler that gives the same answers, for
//! minutes while a sync writes, and with a crowd of idle sessions and slow readers around it. Needs `wrk`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has nothing better to do than stop and say so"
)]
#![allow(clippy::cast_precision_loss, reason = "measures are shown with three digits")]

mod support;

use serde_json::{Value, json};
use std::{
    cell::RefCell,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};
use support::{
    Start, cache,
    child::{self, status_bytes},
    crowd::Crowd,
    goals::Goals,
    paired::{Arm, in_turn, median, ratio},
    wrk::{self, Came, Load},
};
use visibility_mcp::access;

const MB: f64 = 1_048_576.0;

/// How long, and with how many.
struct Scale {
    rounds: usize,
    seconds: u64,
    /// Of the long load, in seconds.
    long: u64,
    sessions: usize,
    readers: usize,
}

fn main() -> ExitCode {
    match Start::read() {
        Start::Child(words) => {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words[..] {
                ["build", days, path] => println!("{}", cache::build(days, path)),
                ["bare", answers] => bare(answers),
                _ => panic!("no such job"),
            }
            ExitCode::SUCCESS
        }
        Start::Measure { short, rebuild } => {
            if !wrk::is_there() {
                println!("wrk is not there; install it (its package has that name) and start again");
                return ExitCode::FAILURE;
            }
            let scale = if short {
                Scale { rounds: 1, seconds: 1, long: 5, sessions: 50, readers: 5 }
            } else {
                Scale { rounds: 5, seconds: 5, long: 600, sessions: 500, readers: 50 }
            };
            let cache = cache::caches(if short { 1 } else { 3 }, rebuild).pop().unwrap();
            // A copy, since a sync will write to it.
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("http");
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            let copy = folder.join("cache.sqlite");
            fs::copy(&cache.path, &copy).unwrap();

            let mut goals = Goals::default();
            let team = Team::start(&folder, &copy);
            team.beside_bare(&mut goals, &scale);
            team.for_long(&mut goals, &scale);
            team.in_a_crowd(&mut goals, &scale);
            drop(team);
            fs::remove_dir_all(&folder).unwrap();
            goals.finish()
        }
    }
}

/// A bare handler: reads the message as JSON and gives the tool's answer as it was given to it.
fn bare(answers: &str) {
    use axum::{Json, Router, routing::post, serve::ListenerExt as _};
    let answers: Value = serde_json::from_str(&fs::read_to_string(answers).unwrap()).unwrap();
    let answers: &'static Value = Box::leak(Box::new(answers));
    let answer = async |Json(message): Json<Value>| {
        let result = &answers[message["params"]["name"].as_str().unwrap()];
        Json(json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        eprintln!("MCP at http://{}/mcp;", listener.local_addr().unwrap());
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        axum::serve(listener, Router::new().route("/mcp", post(answer))).await.unwrap();
    });
}

/// A server that says where it is.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = log.by_ref().find_map(|line| {
            let line = line.unwrap();
            Some(line.split_once("MCP at http://")?.1.split_once('/')?.0.to_owned())
        });
        // A full pipe would hold it up.
        thread::spawn(move || log.for_each(drop));
        Self { child, address: address.unwrap() }
    }

    fn resident_mb(&self) -> f64 {
        status_bytes(&self.child.id().to_string(), "VmRSS").unwrap_or(0) as f64 / MB
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server with two tokens: of those who work, and of the crowd around them.
struct Team<'a> {
    folder: &'a Path,
    cache: &'a Path,
    server: Served,
    token: String,
    crowd_token: String,
}

impl<'a> Team<'a> {
    fn start(folder: &'a Path, cache: &'a Path) -> Self {
        let [token, crowd_token] = [access::mint().unwrap(), access::mint().unwrap()];
        let entry = |name, minted: &access::Minted| {
            format!("[[tokens]]\nname = {name:?}\nsha256 = {:?}\nprojects = [\"*\"]\n", minted.sha256)
        };
        let file = folder.join("tokens.toml");
        fs::write(&file, entry("team", &token) + &entry("crowd", &crowd_token)).unwrap();
        let mut command = child::server(cache.to_str().unwrap());
        command.args(["--http", "127.0.0.1:0", "--rate", "100000", "--max-sessions", "1000", "--token-file"]).arg(file);
        let server = Served::start(command);
        Self { folder, cache, server, token: token.token, crowd_token: crowd_token.token }
    }

    fn put(&self, load: &Load, server: &Served) -> Came {
        load.on(&server.address, &self.token, self.folder)
    }

    /// The result of a call, as JSON.
    fn result(&self, tool: &str, arguments: &Value) -> Value {
        let body = wrk::message(tool, arguments);
        let mut command = Command::new("curl");
        command.args(["-s", "--data-binary", &body]).arg(format!("http://{}/mcp", self.server.address));
        for (name, value) in wrk::headers(tool, &self.token) {
            command.args(["-H", &format!("{name}: {value}")]);
        }
        let said = command.output().unwrap().stdout;
        let answer: Value = serde_json::from_slice(&said).unwrap();
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        answer["result"].clone()
    }

    fn beside_bare(&self, goals: &mut Goals, scale: &Scale) {
        let calls = calls();
        let answers: Value = calls.iter().map(|(tool, asked)| ((*tool).to_owned(), self.result(tool, asked))).collect();
        let file = self.folder.join("answers.json");
        fs::write(&file, answers.to_string()).unwrap();
        let bare = Served::start(child::again(&["bare", file.to_str().unwrap()]));
        for (at, call) in calls.into_iter().enumerate() {
            let tool = call.0;
            let load = Load { calls: vec![call], connections: 16, seconds: scale.seconds };
            let came = came_in_turn(scale, &mut [(&|| self.put(&load, &bare)), (&|| self.put(&load, &self.server))]);
            let [throughput, slowest] = [Came::a_second, |came: &Came| came.p99].map(|of| {
                let [bare, ours] = [0, 1].map(|arm: usize| came[arm].iter().map(of).collect::<Vec<f64>>());
                (median(&bare), median(&ours), ratio(&ours, &bare))
            });
            let what = |what: &str| format!("{tool}, 16 connections: {what}");
            goals.note("H1", &what("bare axum"), throughput.0, "/s");
            goals.note("H1", &what("this server"), throughput.1, "/s");
            let (kept, p99) = (what("throughput beside bare axum"), what("p99 beside bare axum"));
            // What a tool reads is its own affair: the stack is what the goal is about.
            if at == 0 {
                goals.at_least("H1", &kept, throughput.2, 0.40, "x");
                goals.at_most("H1", &p99, slowest.2, 2.5, "x");
                let one = Load { connections: 1, ..load };
                goals.at_most("H2", "one connection: p50", self.put(&one, &self.server).p50 / 1_000.0, 1.0, "ms");
            } else {
                goals.note("H1", &kept, throughput.2, "x");
                goals.note("H1", &p99, slowest.2, "x");
            }
            let wrong: u64 = came.iter().flatten().map(Came::wrong).sum();
            goals.oracle(&what("answers without error"), none_of(wrong, came[1].len()));
        }
    }

    /// Minutes of questions while a sync writes into the same cache.
    fn for_long(&self, goals: &mut Goals, scale: &Scale) {
        let load = Load { calls: calls().split_off(1), connections: 16, seconds: scale.long };
        let (ended, synced) = (AtomicBool::new(false), AtomicU64::new(0));
        let (came, memory) = thread::scope(|scope| {
            scope.spawn(|| self.sync_until(&ended, &synced));
            let memory = scope.spawn(|| {
                let (began, mut seen) = (Instant::now(), Vec::new());
                while !ended.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(500));
                    seen.push((began.elapsed().as_secs_f64() / scale.long as f64, self.server.resident_mb()));
                }
                seen
            });
            let came = self.put(&load, &self.server);
            ended.store(true, Ordering::Relaxed);
            (came, memory.join().unwrap())
        });
        let what = |what: &str| format!("{} s, 16 connections, a sync beside it: {what}", scale.long);
        goals.oracle(&what("answers without error"), none_of(came.wrong(), came.answers.try_into().unwrap()));
        let limit = 400_000;
        goals.oracle(
            &what("no answer above its limit"),
            if came.largest <= limit { Ok(1) } else { Err(format!("{} bytes", came.largest)) },
        );
        goals.note("load", &what("answers"), came.a_second(), "/s");
        goals.note("load", &what("p99"), came.p99 / 1_000.0, "ms");
        goals.note("load", &what("syncs that ended well"), synced.load(Ordering::Relaxed) as f64, "");
        goals.note("load", &what("largest answer"), came.largest as f64 / 1_024.0, "KB");
        let part = |from: f64, to: f64| -> Vec<f64> {
            memory.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, held)| *held).collect()
        };
        // The caches of SQLite fill at first.
        let (early, late) = (median(&part(0.2, 0.4)), median(&part(0.8, 1.1)));
        goals.note("load", &what("memory, second fifth"), early, "MB");
        goals.at_most("load", &what("memory, last fifth beside the second"), late / early, 1.1, "x");
    }

    /// The demo's projects, of more and more days: every sync has something to write.
    fn sync_until(&self, ended: &AtomicBool, synced: &AtomicU64) {
        for days in (2..).step_by(2) {
            if ended.load(Ordering::Relaxed) {
                return;
            }
            let mut sync = Command::new(env!("CARGO_BIN_EXE_visibility-mcp"));
            sync.args(["sync", "--demo", "--history-days", &days.to_string(), "--cache"]).arg(self.cache);
            let done = sync.stdin(Stdio::null()).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            synced.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn in_a_crowd(&self, goals: &mut Goals, scale: &Scale) {
        let load = Load { calls: calls().split_off(1), connections: 16, seconds: scale.seconds };
        let (address, token) = (&self.server.address, &self.crowd_token);
        let before = self.server.resident_mb();
        let crowd = Crowd::of_sessions(address, token, scale.sessions);
        let each = (self.server.resident_mb() - before) * 1_024.0 / scale.sessions as f64;
        goals.at_most("H3", "memory of an open session", each, 160.0, "KB");
        let all = |crowd: &Crowd| {
            (crowd.open() == scale.sessions).then_some(crowd.open()).ok_or("some were closed".to_owned())
        };
        goals.oracle("sessions are open", all(&crowd));
        drop(crowd);

        let large = ("list_prompt_runs", json!({ "project": PROJECT, "limit": 100, "response_format": "detailed" }));
        let in_crowd = || {
            let crowd = Crowd::of_sessions(address, token, scale.sessions);
            let crowd = crowd.with_readers(token, scale.readers, &large);
            thread::sleep(Duration::from_secs(1));
            let came = self.put(&load, &self.server);
            assert_eq!(crowd.open(), scale.sessions, "sessions were closed");
            came
        };
        let came = came_in_turn(scale, &mut [(&|| self.put(&load, &self.server)), &in_crowd]);
        let [alone, crowded] = [0, 1].map(|arm: usize| came[arm].iter().map(|came| came.p99).collect::<Vec<f64>>());
        let what = format!("{} idle sessions, {} slow readers", scale.sessions, scale.readers);
        goals.note("load", "p99 alone", median(&alone) / 1_000.0, "ms");
        goals.at_most("load", &format!("{what}: p99 beside alone"), ratio(&crowded, &alone), 1.5, "x");
        let wrong: u64 = came.iter().flatten().map(Came::wrong).sum();
        goals.oracle(&format!("{what}: answers without error"), none_of(wrong, crowded.len()));
    }
}

/// Each in turn; their answers round by round.
fn came_in_turn(scale: &Scale, arms: &mut [&dyn Fn() -> Came]) -> Vec<Vec<Came>> {
    let came: Vec<RefCell<Vec<Came>>> = arms.iter().map(|_| RefCell::default()).collect();
    let mut timed: Vec<Arm<'_>> = Vec::new();
    for (arm, came) in arms.iter().zip(&came) {
        timed.push(Box::new(move || {
            came.borrow_mut().push(arm());
            0.0
        }));
    }
    in_turn(scale.rounds, &mut timed);
    drop(timed);
    // The first is to warm up.
    came.into_iter().map(|came| came.into_inner().split_off(1)).collect()
}

const PROJECT: &str = "bench/Fernvolt · home batteries";

/// What is asked: something that reads nothing, then what teams ask.
fn calls() -> Vec<(&'static str, Value)> {
    vec![
        ("explain_metric", json!({})),
        ("brand_summary", json!({ "project": PROJECT })),
        ("list_prompt_runs", json!({ "project": PROJECT, "limit": 20 })),
    ]
}

fn none_of(wrong: u64, of: usize) -> Result<usize, String> {
    if wrong == 0 { Ok(of) } else { Err(format!("{wrong} were not")) }
}

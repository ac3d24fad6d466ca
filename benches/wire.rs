//! Goals T1, T2 and M1-M3: the server as a client meets it on stdio, beside a bare loop and beside plain rmcp.

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

use serde_json::Value;
use std::{cell::RefCell, process::Command, process::ExitCode, time::Instant};
use support::{
    Start,
    cache::{self, Cache},
    child::{self, Client},
    goals::Goals,
    paired::{self, Arm, in_turn, median, micros_of, ratio},
    servers,
};

fn main() -> ExitCode {
    match Start::read() {
        Start::Child(words) => {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words[..] {
                ["build", days, path] => println!("{}", cache::build(days, path)),
                ["serve", kind] => servers::serve(kind, None),
                ["serve", kind, path] => servers::serve(kind, Some(path)),
                _ => panic!("no such job"),
            }
            ExitCode::SUCCESS
        }
        Start::Measure { short, rebuild } => {
            let mut goals = Goals::default();
            let cache = cache::caches(if short { 1 } else { 3 }, rebuild).pop().unwrap();
            let (rounds, calls) = if short { (3, 500) } else { (9, 4_000) };
            if !paired::pin() {
                eprintln!("not bound to one CPU: ratios will be further apart");
            }
            no_op(&mut goals, rounds, calls);
            tools(&mut goals, &cache, rounds, calls / 4);
            starting(&mut goals, &cache, if short { 3 } else { 15 });
            memory(&mut goals, &cache, if short { 500 } else { 10_000 });
            goals.finish()
        }
    }
}

fn serve(kind: &str) -> Command {
    child::again(&["serve", kind])
}

/// The median time of a call, and CPU time per call, of each server in turn.
fn calls_in_turn(
    clients: &[RefCell<Client>],
    rounds: usize,
    calls: usize,
    tool: &str,
    arguments: &str,
) -> [Vec<Vec<f64>>; 2] {
    let cpu: RefCell<Vec<Vec<f64>>> = RefCell::new(vec![Vec::new(); clients.len()]);
    let mut arms: Vec<Arm<'_>> = Vec::new();
    for (i, client) in clients.iter().enumerate() {
        let cpu = &cpu;
        arms.push(Box::new(move || {
            let mut client = client.borrow_mut();
            let before = client.cpu_micros().unwrap_or(f64::NAN);
            let time = micros_of(calls, |_| assert!(client.call(tool, arguments).len() > 40));
            cpu.borrow_mut()[i].push((client.cpu_micros().unwrap_or(f64::NAN) - before) / calls as f64);
            time
        }));
    }
    let times = in_turn(rounds, &mut arms);
    drop(arms);
    [times, cpu.into_inner().into_iter().map(|mut cpu| cpu.split_off(1)).collect()]
}

fn no_op(goals: &mut Goals, rounds: usize, calls: usize) {
    let clients = ["bare", "rmcp", "ours"].map(|kind| RefCell::new(Client::start(serve(kind))));
    let answers: Vec<Value> =
        clients.iter().map(|client| client.borrow_mut().answer(servers::NO_OP, r#"{"say":"hello"}"#)).collect();
    goals.oracle("no-op: three servers say the same", equal(&answers));
    let [times, cpu] = calls_in_turn(&clients, rounds, calls, servers::NO_OP, r#"{"say":"hello"}"#);
    for (i, what) in ["bare loop", "plain rmcp", "this server"].iter().enumerate() {
        goals.note("T1", &format!("no-op, {what}: round trip"), median(&times[i]), "us");
        goals.note("T1", &format!("no-op, {what}: CPU per call"), median(&cpu[i]), "us");
    }
    goals.at_most("T1", "no-op beside the bare loop", ratio(&times[2], &times[0]), 3.0, "x");
    goals.at_most("T1", "no-op beside plain rmcp", ratio(&times[2], &times[1]), 1.3, "x");
}

fn equal(answers: &[Value]) -> Result<usize, String> {
    match answers.windows(2).find(|pair| pair[0] != pair[1]) {
        Some(pair) => Err(format!("{} is not {}", pair[0], pair[1])),
        None => Ok(answers.len()),
    }
}

/// The calls that are timed: a tool, its arguments, and its goal beside the bare loop.
fn calls_of(cache: &Cache, path: &str) -> Vec<(&'static str, String, f64)> {
    let mut client = Client::start(child::server(path));
    let listed = client.answer("list_prompt_runs", r#"{"limit":20,"status":"finished"}"#);
    let run = listed["runs"]["rows"][3][0].as_str().unwrap().to_owned();
    let detailed = client.answer("list_prompt_runs", r#"{"limit":3,"response_format":"detailed"}"#);
    let column = detailed["runs"]["columns"].as_array().unwrap().iter().position(|name| name == "prompt_id").unwrap();
    let prompt = detailed["runs"]["rows"][0][column].as_str().unwrap().to_owned();
    let wide = if cache.days >= 60 { "30d" } else { "7d" };
    vec![
        ("list_prompt_runs", format!(r#"{{"prompt_id":"{prompt}","limit":20}}"#), 1.6),
        ("get_run_details", format!(r#"{{"run_id":"{run}"}}"#), 1.6),
        ("brand_summary", format!(r#"{{"period":"{wide}"}}"#), 1.3),
        ("list_sources", "{}".to_owned(), 1.6),
    ]
}

fn tools(goals: &mut Goals, cache: &Cache, rounds: usize, calls: usize) {
    let path = cache.path.to_str().unwrap();
    for (tool, arguments, bound) in calls_of(cache, path) {
        let clients = [child::again(&["serve", "bare-tools", path]), child::server(path)]
            .map(|command| RefCell::new(Client::start(command)));
        let answers: Vec<Value> = clients.iter().map(|client| client.borrow_mut().answer(tool, &arguments)).collect();
        goals.oracle(&format!("{tool}: server and bare loop answer the same"), equal(&answers));
        let calls = if tool == "brand_summary" { (calls / 20).max(10) } else { calls };
        let [times, cpu] = calls_in_turn(&clients, rounds, calls, tool, &arguments);
        let name = format!("{}, {tool} {arguments}", cache.name).replace('|', "/");
        goals.note("T2", &format!("{name}, bare loop: round trip"), median(&times[0]), "us");
        goals.note("T2", &format!("{name}, this server: round trip"), median(&times[1]), "us");
        goals.note("T2", &format!("{name}, CPU per call beside the bare loop"), ratio(&cpu[1], &cpu[0]), "x");
        goals.at_most(
            "T2",
            &format!("{tool} beside the bare loop doing the same"),
            ratio(&times[1], &times[0]),
            bound,
            "x",
        );
    }
}

fn starting(goals: &mut Goals, cache: &Cache, spawns: usize) {
    let path = cache.path.to_str().unwrap();
    let summary = if cache.days >= 60 { r#"{"period":"30d"}"# } else { r#"{"period":"7d"}"# };
    let millis = |began: Instant| began.elapsed().as_secs_f64() * 1e3;
    let spawned = |command: Command| {
        let began = Instant::now();
        drop(Client::start(command));
        // Ending the child is in the time of both alike, and small.
        millis(began)
    };
    let answered = |tool: &'static str, arguments: &'static str| {
        let began = Instant::now();
        let mut client = Client::start(child::server(path));
        let length = client.call(tool, arguments).len();
        assert!(length > 200, "{tool} answered {length} bytes");
        millis(began)
    };
    let mut arms: Vec<Arm<'_>> = vec![
        Box::new(|| spawned(serve("bare"))),
        Box::new(|| spawned(child::server(path))),
        Box::new(|| answered("list_prompt_runs", r#"{"limit":20}"#)),
        Box::new(|| answered("brand_summary", summary)),
    ];
    let times = in_turn(spawns, &mut arms);
    goals.note("M1", "spawn to initialize, bare loop", median(&times[0]), "ms");
    goals.at_most("M1", "spawn to initialize", median(&times[1]), 15.0, "ms");
    goals.at_most("M1", "spawn to initialize beside the bare loop", ratio(&times[1], &times[0]), 4.0, "x");
    goals.at_most("M1", &format!("{}: spawn to first list_prompt_runs", cache.name), median(&times[2]), 20.0, "ms");
    goals.at_most("M1", &format!("{}: spawn to first brand_summary", cache.name), median(&times[3]), 20.0, "ms");
}

fn memory(goals: &mut Goals, cache: &Cache, calls: usize) {
    let path = cache.path.to_str().unwrap();
    let mb = |client: &Client| client.resident_bytes().map_or(f64::NAN, |bytes| bytes as f64 / 1e6);
    let known = calls_of(cache, path);
    let mut client = Client::start(child::server(path));
    let _ = client.ask("tools/list", "{}");
    let idle = mb(&client);
    if idle.is_nan() {
        return;
    }
    goals.at_most("M2", "memory of an idle server", idle, 12.0, "MB");
    // Summaries are a thousandth of the calls, since each takes as long as a hundred others.
    for i in 0..calls {
        let call = if i % 1_000 == 999 { 2 } else { i % 2 };
        let (tool, arguments, _) = &known[call];
        let _ = client.call(tool, arguments);
    }
    goals.at_most("M2", &format!("{}: memory after {calls} calls", cache.name), mb(&client), 24.0, "MB");
    let size = std::fs::metadata(env!("CARGO_BIN_EXE_visibility-mcp")).unwrap().len();
    goals.at_most("M3", "stripped binary (thin LTO; the release's is smaller)", size as f64 / 1e6, 14.0, "MB");
}

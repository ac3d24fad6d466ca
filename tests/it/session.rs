//! A new user's session with the program: five questions in at most three calls each, and the files that show it.
//!
//! `docs/session.md` and `docs/session.jsonl` are what this client and the server said to each other, and what follows
//! from it. Where they differ from that, the test fails; `INSTA_UPDATE=always` writes them anew, as it does snapshots.

use crate::support::{
    program::{Home, PROGRAM},
    surely, tokens,
};
use serde_json::{Value, json};
use std::{fmt::Write as _, fs, path::Path, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
};
use tokio_util::sync::CancellationToken;
use visibility_mcp::{
    clock::Clock,
    demo::{
        lumar::{self as demo_lumar, LumarOptions, LumarServer},
        lunary::{self as demo_lunary, LunaryOptions, LunaryServer},
        verseodin::{self as demo_verseodin, ServerOptions, VerseodinServer},
        world::{World, WorldBrand, WorldSize},
    },
    model::{Brand, BrandKey, BrandKind},
    store::Store,
    sync::{AddedBrands, SyncOptions, sync},
    upstream::{
        self, Upstream,
        lumar::{Credential, Lumar, LumarConfig},
        lunary::{Lunary, LunaryConfig, RunFilter},
        verseodin::{Verseodin, VerseodinConfig},
    },
};

const CALLS_OF_A_QUESTION: usize = 3;

/// The demo's sources on a day long ago, so that its age is the same on any day that a test is run.
async fn demo_cache(home: &Home) -> String {
    let world =
        Arc::new(World::new(WorldSize { prompts: vec![12, 8], ..WorldSize::demo() }, 7, "2025-06-30".parse().unwrap()));
    let limits = upstream::Limits::default();

    let tracker = demo_lumar::WorldTracker::new(Arc::clone(&world));
    let lumar = LumarServer::spawn_on_thread(Arc::new(tracker), LumarOptions::unhurried()).unwrap();
    let (id, secret) = lumar.user_key();
    let lumar_client = Lumar::new(LumarConfig {
        source: "demo-lumar".into(),
        credential: Credential::UserKey { id: id.into(), secret: secret.into() },
        key_variables: Vec::new(),
        base_url: lumar.base_url().parse().unwrap(),
        accounts: Vec::new(),
        brands: Vec::new(),
        limits,
    });

    let tracker = demo_lunary::WorldTracker::new(Arc::clone(&world));
    let lunary = LunaryServer::spawn_on_thread(Arc::new(tracker), LunaryOptions::unhurried()).unwrap();
    let lunary_client = Lunary::new(LunaryConfig {
        source: "demo-lunary".into(),
        api_key: lunary.private_key(0).into(),
        base_url: lunary.base_url().parse().unwrap(),
        key_variable: String::new(),
        project_name: Some(world.project_name(0).to_owned()),
        runs: RunFilter::default(),
        run_details: false,
        models: Vec::new(),
        limits,
    });

    let tracker = demo_verseodin::WorldTracker::new(Arc::clone(&world));
    let verseodin = VerseodinServer::spawn_on_thread(Arc::new(tracker), ServerOptions::unhurried()).unwrap();
    let verseodin_client = Verseodin::new(VerseodinConfig {
        source: "demo-verseodin".into(),
        api_key: verseodin.key().to_owned().into(),
        base_url: verseodin.base_url().parse().unwrap(),
        key_variable: String::new(),
        limits,
    });

    let sources: Vec<Arc<dyn Upstream>> =
        vec![Arc::new(lumar_client.unwrap()), Arc::new(lunary_client.unwrap()), Arc::new(verseodin_client.unwrap())];
    let store = Store::at(home.join("cache.sqlite"));
    let options = SyncOptions {
        history_days: 90,
        brands: Arc::new(AddedBrands::from([("demo-lunary".into(), configured(world.brands(0)))])),
        clock: Clock::fixed("2025-06-30T20:00:00Z".parse().unwrap()),
        cancel: CancellationToken::new(),
        on_progress: Arc::new(|_| ()),
    };
    let report = sync(&sources, &store, options).await.unwrap();
    assert!(report.is_success(), "{report:?}");
    store.path().to_str().unwrap().to_owned()
}

/// The world's brands as the demo's configuration has them.
fn configured(brands: &[WorldBrand]) -> Vec<Brand> {
    let brand = |brand: &WorldBrand| Brand {
        key: BrandKey::configured(&brand.name),
        name: brand.name.clone(),
        kind: if brand.own { BrandKind::Own } else { BrandKind::Competitor },
        domains: vec![brand.domain.clone()],
        aliases: brand.aliases.clone(),
        exact: Vec::new(),
        excluded: Vec::new(),
    };
    brands.iter().map(brand).collect()
}

/// A client of the program that keeps what goes over the wire.
struct Client {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// The lines of the transcript.
    said: Vec<String>,
    last_id: u32,
}

impl Client {
    fn of(mut child: Child) -> Self {
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let about = "a new user's session with `visibility-mcp serve --demo`, message by message; docs/session.md says what \
                     it shows, tests/it/session.rs writes both";
        Self {
            _child: child,
            input,
            output: BufReader::new(output).lines(),
            said: vec![json!({ "about": about }).to_string()],
            last_id: 0,
        }
    }

    fn note(&mut self, from: &str, line: &str) {
        let version = format!(r#""version":"{}""#, env!("CARGO_PKG_VERSION"));
        let line = line.replace(&version, r#""version":"[VERSION]""#);
        self.said.push(format!(r#"{{"from":"{from}","message":{line}}}"#));
    }

    async fn send(&mut self, message: &Value) {
        let line = message.to_string();
        self.note("client", &line);
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        self.input.flush().await.unwrap();
    }

    /// Sends a request and gives back its result; nothing else may come before it.
    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        let line = surely("an answer", self.output.next_line()).await.unwrap().expect("the server goes on");
        self.note("server", &line);
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["id"], id, "{answer}");
        answer["result"].take()
    }

    async fn open(&mut self) {
        let client = json!({ "name": "new-user", "version": "1" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        self.ask("initialize", params).await;
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    }
}

/// The session as a person reads it: questions, the calls for each, and what follows.
struct Session {
    client: Client,
    page: String,
    calls: usize,
}

impl Session {
    fn question(&mut self, question: &str) {
        self.calls = 0;
        let _ = write!(self.page, "\n## {question}\n\n");
    }

    /// Calls a tool as a client does that reads only its answers.
    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.calls += 1;
        assert!(self.calls <= CALLS_OF_A_QUESTION, "a question needs more than {CALLS_OF_A_QUESTION} calls");
        let mut result = self.client.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await;
        assert_eq!(result["isError"], false, "{tool} {arguments}: {result}");
        let answer = result["structuredContent"].take();
        let (line, cost) = (self.client.said.len(), tokens::of(&answer));
        let _ = writeln!(self.page, "{}. `{tool}` `{arguments}` (line {line}, {cost} tokens)", self.calls);
        answer
    }

    fn answer(&mut self, sentences: &[String]) {
        let _ = write!(self.page, "\n> {}\n", sentences.join("\n> "));
    }
}

/// The rows of a table, each a function from a column's name to its value.
fn rows(table: &Value) -> Vec<impl Fn(&str) -> Value + '_> {
    let at = move |name: &str| {
        let columns = table["columns"].as_array().unwrap_or_else(|| panic!("no table: {table}"));
        columns.iter().position(|column| column == name).unwrap_or_else(|| panic!("no column {name}: {table}"))
    };
    table["rows"].as_array().unwrap().iter().map(|row| move |name: &str| row[at(name)].clone()).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// A fraction as people say it.
fn percent(value: &Value) -> String {
    format!("{:.1} %", value.as_f64().unwrap_or_else(|| panic!("no number: {value}")) * 100.0)
}

fn points(value: &Value) -> String {
    format!("{:+.1} points", value.as_f64().unwrap_or_else(|| panic!("no number: {value}")) * 100.0)
}

/// A rate, with how sure it is and what it is out of.
fn rate(rate: &Value) -> String {
    let (low, high) = (percent(&rate["low"]), percent(&rate["high"]));
    let (hits, runs, prompts) = (&rate["hits"], &rate["runs"], &rate["prompts"]);
    format!("{} ({low} to {high}; {hits} of {runs} answers to {prompts} prompts)", percent(&rate["value"]))
}

/// A change, and whether it is one.
fn moved(change: &Value) -> String {
    let by = || points(&change["difference"]);
    match text(&change["verdict"]) {
        "within_noise" => {
            let least = percent(&change["smallest_detectable"]);
            format!(
                "{}, no more than chance: less than {} points could not have been seen",
                by(),
                &least[..least.len() - 2]
            )
        }
        "too_little_data" => "too little data to say".to_owned(),
        up_or_down => {
            format!("{} ({} to {}), which is {up_or_down}", by(), points(&change["low"]), points(&change["high"]))
        }
    }
}

/// Arguments that an answer gave, and some of the client's own.
fn with(given: &Value, own: &Value) -> Value {
    let mut arguments = given.clone();
    arguments.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    arguments
}

fn days(range: &Value) -> String {
    format!("{} to {}", text(&range["first"]), text(&range["last"]))
}

#[tokio::test]
async fn five_questions_of_a_new_user_take_three_calls_each() {
    let home = Home::new();
    let cache = demo_cache(&home).await;
    let child = home.serve(PROGRAM, &["serve", "--demo", "--no-sync", "--cache", &cache]);
    let mut client = Client::of(child);
    client.open().await;
    let mut session = Session { client, page: String::from(HEAD), calls: 0 };
    let summary = visible(&mut session).await;
    rivals(&mut session, &summary).await;
    sources(&mut session, &summary).await;
    one_prompt(&mut session, &summary).await;
    trust(&mut session, &summary).await;
    let transcript = session.client.said.join("\n") + "\n";
    let differ: Vec<String> = [("session.md", session.page), ("session.jsonl", transcript)]
        .iter()
        .filter_map(|(name, now)| kept(name, now))
        .collect();
    assert!(
        differ.is_empty(),
        "the program says something else now: {}\nrun `INSTA_UPDATE=always cargo test session`, and read `git diff docs` as a user would",
        differ.join("; ")
    );
}

const HEAD: &str = "# A first session

Five questions of a new user, the tool calls that answer them, and the answers. The client is a program that takes every
argument from an answer before it; [session.jsonl](session.jsonl) is all that it and `visibility-mcp serve --demo` said
to each other, a message per line, beginning with the handshake. Each call names the line of its answer there.

The data are the demo's, with fewer prompts and as a sync of 30 June 2025 left them: that they end long ago is a caveat
of every answer. The sentences are put together from the answers alone, by the test that makes this session
(`tests/it/session.rs`); `INSTA_UPDATE=always cargo test session` writes both files anew.
";

/// How visible are we, and is it changing? Gives back the summary that the other questions go on from.
async fn visible(session: &mut Session) -> Value {
    session.question("How visible are we, and is it changing?");
    let all = session.call("brand_summary", json!({})).await;
    let project = &all["summaries"][0]["project"];
    let one = session.call("brand_summary", json!({ "project": project })).await;
    let trend = session.call("visibility_trend", json!({ "project": project })).await;
    let summary = &one["summaries"][0];
    let trend = &trend["projects"][0];
    let by_engine = rows(&summary["by_engine"]);
    let best =
        by_engine.iter().max_by(|a, b| a("presence_rate").as_f64().partial_cmp(&b("presence_rate").as_f64()).unwrap());
    let best = best.unwrap();
    let weeks = rows(&trend["series"]);
    session.answer(&[
        format!(
            "From {}, {} was named or cited in {}, most on {} ({}).",
            days(&summary["period"]),
            text(&summary["brand"]),
            rate(&summary["presence_rate"]),
            text(&best("engine")),
            percent(&best("presence_rate")),
        ),
        format!(
            "Against the same number of days before: {}. Over the {} weeks since {}, the second half against the first: {}.",
            moved(&summary["change"]["presence_rate"]),
            weeks.len(),
            text(&weeks[0]("start")),
            moved(&trend["change"]),
        ),
    ]);
    summary.clone()
}

async fn rivals(session: &mut Session, summary: &Value) {
    session.question("Who beats us, and where?");
    let (project, own) = (&summary["project"], text(&summary["brand"]));
    let compared = session.call("compare_brands", json!({ "project": project })).await;
    let gaps = session.call("find_gaps", json!({ "project": project, "kind": "prompts", "limit": 5 })).await;
    let worst = &rows(&gaps["projects"][0]["prompts"])[0];
    let there = json!({ "project": project, "prompt_id": worst("prompt_id"), "limit": 3 });
    let there = session.call("compare_brands", there).await;

    let (compared, gaps) = (&compared["projects"][0], &gaps["projects"][0]);
    let named = |row: &dyn Fn(&str) -> Value| format!("{} ({})", text(&row("brand")), percent(&row("presence_rate")));
    let board = rows(&compared["leaderboard"]);
    let ours = board.iter().position(|row| row("brand") == own).unwrap();
    let ahead: Vec<String> = board[..ours].iter().map(|row| named(row)).collect();
    let sure = rows(&compared["head_to_head"]).iter().filter(|row| row("verdict") == "down").count();
    let first_there = &rows(&there["projects"][0]["leaderboard"])[0];
    session.answer(&[
        format!(
            "{} brands are ahead of {} in the same {} answers: {}; with {sure} of them it is more than chance.",
            ahead.len(),
            named(&board[ours]),
            compared["runs"],
            ahead.join(", "),
        ),
        format!(
            "A rival appears without {own} in {}. The worst prompt is “{}”: {} of {} answers; the first there is {}.",
            rate(&gaps["gap_rate"]),
            text(&worst("prompt")),
            worst("gap_runs"),
            worst("runs"),
            named(first_there),
        ),
    ]);
}

async fn sources(session: &mut Session, summary: &Value) {
    session.question("Which sources should we win?");
    let (project, own) = (&summary["project"], text(&summary["brand"]));
    // A rival's own site cannot be won.
    let cited = session.call("top_citations", json!({ "project": project, "owner": "other", "limit": 5 })).await;
    let gaps = session.call("find_gaps", json!({ "project": project, "kind": "sources", "limit": 6 })).await;
    let gaps = rows(&gaps["projects"][0]["sources"]);
    let open: Vec<_> = gaps.iter().filter(|row| row("kind") == "other").collect();
    let (best, next) = (open[0], open[1]);
    let pages = json!({ "project": project, "domain": best("domain"), "limit": 3 });
    let pages = session.call("top_citations", pages).await;

    let all = &cited["projects"][0]["runs"];
    let cited = rows(&cited["projects"][0]["citations"]);
    let of = cited.iter().find(|row| row("domain") == best("domain")).unwrap();
    let page = &rows(&pages["projects"][0]["citations"])[0];
    session.answer(&[
        format!(
            "{}: {} of {all} answers cite it ({}), and in {} of them a rival appears without {own}; then {}, with {}.",
            text(&best("domain")),
            of("runs"),
            percent(&of("consistency")),
            best("gap_runs"),
            text(&next("domain")),
            next("gap_runs"),
        ),
        format!("Its page cited most is {}, in {} answers.", text(&page("url")), page("runs")),
    ]);
}

/// What changed in the answers of one engine to one prompt?
async fn one_prompt(session: &mut Session, summary: &Value) {
    session.question("What changed in ChatGPT's answers to this prompt?");
    let (project, own) = (&summary["project"], text(&summary["brand"]));
    let engine =
        rows(&summary["by_engine"]).iter().map(|row| row("engine")).find(|engine| engine == "chatgpt").unwrap();
    let prompts =
        json!({ "project": project, "engine": engine, "include_branded": false, "sort": "flip_rate", "limit": 3 });
    let prompts = session.call("list_prompts", prompts).await;
    let prompt = &rows(&prompts["prompts"])[0];
    let own_runs = json!({ "prompt_id": prompt("prompt_id"), "limit": 6 });
    let runs = session.call("list_prompt_runs", with(&prompts["projects"][0]["runs_filter"], &own_runs)).await;
    let runs = rows(&runs["runs"]);
    // The newest two neighbours of which one has the brand.
    let pair = runs.windows(2).find(|pair| pair[0]("visible") != pair[1]("visible")).unwrap();
    let pair = json!({ "run_id": pair[0]("run_id"), "other_run_id": pair[1]("run_id") });
    let changed = session.call("compare_runs", pair).await;

    let both = rows(&changed["runs"]);
    let (now, before) = (both[0]("created_at"), both[1]("created_at"));
    let names = |table: &str, column: &str, change: &str| {
        let found: Vec<String> = rows(&changed[table])
            .iter()
            .filter(|row| row("change") == change)
            .map(|row| text(&row(column)).to_owned())
            .collect();
        if found.is_empty() { "none".to_owned() } else { found.join(", ") }
    };
    session.answer(&[
        format!(
            "From {} to {}, in the answers to “{}”: brands that entered: {}; left: {}; stayed: {}.",
            &text(&before)[..10],
            &text(&now)[..10],
            text(&changed["prompt"]),
            names("brands", "brand", "entered"),
            names("brands", "brand", "left"),
            names("brands", "brand", "stayed"),
        ),
        format!(
            "{} sentences entered and {} left; cited domains that entered: {}; left: {}. One pair is an anecdote: {own} comes or \
             goes in {} of consecutive answers, and is in {} of {}.",
            changed["entered_sentences"],
            changed["left_sentences"],
            names("domains", "domain", "entered"),
            names("domains", "domain", "left"),
            percent(&prompt("flip_rate")),
            percent(&prompt("presence_rate")),
            prompt("runs"),
        ),
    ]);
}

async fn trust(session: &mut Session, summary: &Value) {
    session.question("Can I trust this number?");
    let (project, own, figure) = (&summary["project"], text(&summary["brand"]), &summary["presence_rate"]);
    let sources = session.call("list_sources", json!({ "project": project })).await;
    let meaning = session.call("explain_metric", json!({ "project": project, "metric": "presence_rate" })).await;
    let behind = with(&summary["runs_filter"], &json!({ "visible": true, "limit": 3 }));
    let behind = session.call("list_prompt_runs", behind).await;
    assert_eq!(
        (&behind["total"], &behind["total_is_capped"]),
        (&figure["hits"], &json!(false)),
        "the runs are those counted"
    );

    let source = &sources["sources"][0];
    let data = &source["projects"][0];
    let agreement: Vec<String> = rows(&meaning["projects"][0]["agreement"])
        .iter()
        .map(|row| format!("{} in {} of {} answers", text(&row("fact")), percent(&row("agreement")), row("runs")))
        .collect();
    session.answer(&[
        format!(
            "The {} is of “{}”; the filter that came with it lists {} answers, as many as it counts for {own}.",
            percent(&figure["value"]),
            text(&meaning["metric"]["definition"]),
            behind["total"],
        ),
        format!(
            "Tracker and text agree whether {own} is {}. The cache holds {} to {} with {} missing pieces; {} finished and {} \
             failed answers, and those that failed count nowhere. The last whole sync was at {}.",
            agreement.join(", "),
            text(&data["first_day"]),
            text(&data["last_complete_day"]),
            data["missing_slices"],
            data["finished_runs"],
            data["failed_runs"],
            text(&source["last_good_sync_at"]),
        ),
    ]);
}

/// Where a file of the documents differs from what it should be; none where it was written anew.
fn kept(name: &str, now: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the variable of the snapshots' library, which means the same here")]
    let update = std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if update {
        fs::write(&path, now).unwrap();
        return None;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept == now {
        return None;
    }
    let line = now.lines().zip(kept.lines()).position(|(now, kept)| now != kept);
    let line = line.unwrap_or_else(|| now.lines().count().min(kept.lines().count()));
    Some(format!("docs/{name} line {}", line + 1))
}

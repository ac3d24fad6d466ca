//! What answers cost a model on one large world: five hundred prompts, forty brands, eight engines, four hundred days.
//!
//! The arguments come from each tool's own input schema, so that a new one is tried without a change here.

use crate::support::{
    tokens,
    world::{SOURCE, folder, sync_server},
};
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use visibility_mcp::{
    clock::Clock,
    demo::{
        verseodin::{PromptRow, ServerOptions, Tracker, Universe, VerseodinServer, WorldTracker},
        world::{Take, World, WorldRun, WorldSize},
    },
    mcp::{Backend, Fetch, Limits, Registry, Setup, ToolError, ToolInfo},
    model::{Day, SourceName, Status},
    store::{Store, VIEWS},
    sync::{OnProgress, Report},
    tools,
};

const PROMPTS: usize = 500;
const DAYS: i32 = 400;
/// The newest days, in which every prompt is asked each month; before them it is asked now and then, so that four
/// hundred days are synced in the time of a test.
const DENSE_DAYS: i32 = 60;

/// A tracker that asks each day a rotating share of its prompts, of all engines.
struct Rotating {
    world: Arc<World>,
    universe: Universe,
}

impl Rotating {
    fn new() -> Self {
        let size = WorldSize {
            prompts: vec![PROMPTS],
            engines: 8,
            days: DAYS,
            brands: 40,
            domains: 5_000,
            answer_bytes: 500,
            citations: 2.5,
            ..WorldSize::million()
        };
        let world = Arc::new(World::new(size, 7, "2026-11-20".parse().unwrap()));
        let universe = WorldTracker::new(Arc::clone(&world)).universes().remove(0);
        Self { world, universe }
    }

    fn is_asked(&self, prompt: usize, day: Day) -> bool {
        let age = self.world.days().last.epoch_days() - day.epoch_days();
        let every = if age < DENSE_DAYS { 30 } else { 250 };
        (i32::try_from(prompt).unwrap() + day.epoch_days()) % every == 0
    }

    fn row(&self, run: &WorldRun<'_>) -> PromptRow {
        let number = u32::try_from(run.prompt + 1).unwrap();
        let mut row = PromptRow::pending(&self.universe, run.day, run.engine_name, number, run.prompt_text);
        row.created_at = run.created_at;
        row.started_at = run.started_at;
        row.finished_at = run.finished_at;
        match run.status {
            Status::Finished => {
                // What `completed` would read off the texts, which the world knows already: it has forty brands to look for.
                let links: Vec<String> = run.citations.iter().map(|citation| citation.url.clone()).collect();
                let mine: Vec<String> = run.citations_of(0).map(str::to_owned).collect();
                let theirs = run.citations.iter().filter(|citation| citation.brand.is_some_and(|brand| brand > 0));
                PromptRow {
                    status: "completed".to_owned(),
                    response_text: run.answer.clone(),
                    total_citations_count: links.len(),
                    my_domain_citations_count: mine.len(),
                    my_brand_mentions_count: run.mentions_of(0),
                    my_citations: Some(mine),
                    competitor_citations: Some(theirs.map(|citation| citation.url.clone()).collect()),
                    appeared_links_unique: links.clone(),
                    appeared_links_run1: links.clone(),
                    appeared_links: links,
                    model_used: Some(run.model.to_owned()),
                    ..row
                }
            }
            Status::Failed => row.failed(run.failure.unwrap_or("unknown")),
            _ => row,
        }
    }
}

impl Tracker for Rotating {
    fn universes(&self) -> Vec<Universe> {
        vec![self.universe.clone()]
    }

    fn days(&self, _: &str) -> Vec<Day> {
        let first = self.world.days().first;
        (0..DAYS).map(|i| first.plus(i)).collect()
    }

    fn rows(&self, _: &str, day: Day, take: Take) -> Vec<PromptRow> {
        (0..PROMPTS)
            .filter(|prompt| self.is_asked(*prompt, day))
            .flat_map(|prompt| (0..self.world.engine_count()).map(move |engine| (prompt, engine)))
            .filter_map(|(prompt, engine)| self.world.run_take(0, day, prompt, engine, take))
            .map(|run| self.row(&run))
            .collect()
    }
}

/// The large world in a cache, and the tracker that it came from.
struct Large {
    catalogue: Registry,
    backend: Backend,
    /// A value for each argument that is a name, as answers give them.
    names: BTreeMap<&'static str, Vec<Value>>,
}

static LARGE: LazyLock<Large> = LazyLock::new(Large::sync);

/// Reads from the tracker again, as a server does that was started with it.
struct Again {
    server: VerseodinServer,
    store: Store,
    clock: Clock,
}

impl Fetch for Again {
    fn sync<'a>(
        &'a self,
        _: &'a [SourceName],
        _: CancellationToken,
        _: OnProgress,
    ) -> BoxFuture<'a, Result<Report, ToolError>> {
        Box::pin(async { Ok(sync_server(&self.server, &self.store, &self.clock)) })
    }
}

impl Large {
    fn sync() -> Self {
        let tracker = Rotating::new();
        let world = Arc::clone(&tracker.world);
        let server = VerseodinServer::spawn_on_thread(Arc::new(tracker), ServerOptions::unhurried()).unwrap();
        let store = Store::at(folder("large").join("cache.sqlite"));
        let clock = Clock::fixed("2026-11-21T20:00:00Z".parse().unwrap());
        let report = sync_server(&server, &store, &clock);
        assert!(report.is_success(), "{report:?}");
        let setup = Setup { sources: vec![SOURCE.into()], problems: Vec::new() };
        let backend = Backend::new(store.clone(), clock.clone(), setup);
        let backend = backend.with_fetch(Arc::new(Again { server, store, clock }));
        let mut large = Self { catalogue: tools::catalogue_with_sql(), backend, names: BTreeMap::new() };
        large.names = large.names_in(&world);
        large
    }

    fn answer(&self, tool: &str, arguments: &Value) -> Value {
        self.call(tool, arguments).unwrap_or_else(|error| panic!("{tool} {arguments}: {error}"))
    }

    fn call(&self, tool: &str, arguments: &Value) -> Result<Value, ToolError> {
        let limits = Limits { total: Duration::from_mins(5), ..Limits::default() };
        self.catalogue.call(tool, arguments.as_object().unwrap(), &self.backend, limits)
    }

    fn names_in(&self, world: &World) -> BTreeMap<&'static str, Vec<Value>> {
        let first = |tool: &str, table: &str, arguments: Value| {
            self.answer(tool, &arguments).pointer(table).unwrap_or_else(|| panic!("{tool}: no {table}"))["rows"][0][0]
                .clone()
        };
        let newest = first("list_prompt_runs", "/runs", json!({ "status": "finished" }));
        let most = first("list_prompt_runs", "/runs", json!({ "sort": "total_citations", "period": "30d" }));
        let failed = first("list_prompt_runs", "/runs", json!({ "status": "failed" }));
        let domain = first("top_citations", "/projects/0/citations", json!({}));
        let url = first("top_citations", "/projects/0/citations", json!({ "by": "url" }));
        let prompt = first("list_prompts", "/prompts", json!({ "include_branded": false }));
        let rivals = [1, 39].map(|brand| Value::from(world.brands(0)[brand].name.clone()));
        let views = VIEWS.iter().map(|view| format!("SELECT * FROM {}", view.name).into());
        let days = world.days();
        let basket = |rule: &str| format!("{rule} {}..{}", days.first, days.last).into();
        BTreeMap::from([
            ("basket", vec![basket("engines"), basket("month citation_rate")]),
            ("brand", rivals.to_vec()),
            ("rival", rivals.to_vec()),
            ("domain", vec![domain]),
            ("engine", vec!["chatgpt".into()]),
            ("metric", vec!["presence_rate".into()]),
            ("other_run_id", vec![most.clone()]),
            ("period", vec![format!("{DAYS}d").into()]),
            ("project", vec![world.project_name(0).into()]),
            ("prompt_id", vec![prompt]),
            ("run_id", vec![newest, most, failed]),
            ("source", vec![SOURCE.into()]),
            ("sql", views.collect()),
            ("status", vec!["finished".into(), "failed".into()]),
            ("text", vec!["for".into()]),
            // This tracker has none; that there is none is an answer too.
            ("topic", vec!["home".into()]),
            ("url", vec![url]),
        ])
    }
}

/// Arguments by what their schemas say they are.
pub struct Arguments<'t> {
    tool: &'t ToolInfo,
    /// Those without which there is no call, with the values to try.
    required: Vec<(&'t str, Vec<Value>)>,
    /// One of a few words; none of them is left out.
    choices: Vec<(&'t str, Vec<Value>)>,
    flags: Vec<&'t str>,
    /// Numbers other than the limit, at their bounds and beside them.
    numbers: Vec<(&'t str, Vec<Value>)>,
    names: Vec<(&'t str, Vec<Value>)>,
    limit: Option<Value>,
}

impl<'t> Arguments<'t> {
    pub fn of(tool: &'t ToolInfo, names: &BTreeMap<&'static str, Vec<Value>>) -> Self {
        let schema = &tool.input_schema;
        let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut found = Self {
            tool,
            required: Vec::new(),
            choices: Vec::new(),
            flags: Vec::new(),
            numbers: Vec::new(),
            names: Vec::new(),
            limit: None,
        };
        for (name, schema) in schema["properties"].as_object().unwrap() {
            let known = || {
                names.get(name.as_str()).cloned().unwrap_or_else(|| {
                    panic!("{}: a new argument {name} that is free text; say in `names_in` what it can be", tool.name)
                })
            };
            match (schema["type"].as_str().unwrap(), schema.get("enum")) {
                // Pages are followed where there are more.
                _ if name == "cursor" => {}
                _ if required.iter().any(|required| required == name) => found.required.push((name, known())),
                (_, Some(words)) => found.choices.push((name, words.as_array().unwrap().clone())),
                ("boolean", _) => found.flags.push(name),
                ("integer", _) if name == "limit" => found.limit = Some(schema["maximum"].clone()),
                ("integer", _) => {
                    let (low, high) = (schema["minimum"].as_u64().unwrap(), schema["maximum"].as_u64().unwrap());
                    found.numbers.push((name, vec![low.into(), (low + 1).into(), high.into()]));
                }
                _ => found.names.push((name, known())),
            }
        }
        found
    }

    /// Calls that give only what must be given.
    pub fn plain(&self) -> Vec<Value> {
        let mut calls = vec![json!({})];
        for (name, values) in &self.required {
            calls = product(&calls, name, values);
        }
        calls
    }

    /// The calls that may cost most.
    pub fn dear(&self) -> Vec<Value> {
        let mut base = self.plain();
        if let Some(limit) = &self.limit {
            base = product(&base, "limit", std::slice::from_ref(limit));
        }
        let detailed = |calls: &[Value]| {
            let has = self.choices.iter().any(|(name, _)| *name == "response_format");
            if has { product(calls, "response_format", &["detailed".into()]) } else { calls.to_vec() }
        };
        let mut wide = base.clone();
        if let Some((name, longest)) = self.names.iter().find(|(name, _)| *name == "period") {
            wide = product(&base, name, longest);
        }
        // Each choice with each other.
        let mut all = wide.clone();
        for (name, words) in &self.choices {
            let mut with = product(&all, name, words);
            // What the default does where it is none of the words.
            if !self.tool.input_schema["properties"][*name].as_object().unwrap().contains_key("default") {
                with.append(&mut all);
            }
            all = with;
        }
        // All flags up; each of the others alone beside what is dear anyway; and the newest days, which are full.
        let (wide, base) = (detailed(&wide), detailed(&base));
        let up = self.flags.iter().fold(wide.clone(), |calls, flag| product(&calls, flag, &[true.into()]));
        for flag in &self.flags {
            all.extend(product(&wide, flag, &[true.into(), false.into()]));
        }
        for (name, values) in self.names.iter().chain(&self.numbers) {
            all.extend(product(&wide, name, values));
        }
        all.extend([up, base].concat());
        all.sort_by_key(Value::to_string);
        all.dedup();
        all
    }
}

/// Each call with each value of an argument.
fn product(calls: &[Value], name: &str, values: &[Value]) -> Vec<Value> {
    let with = |call: &Value, value: &Value| {
        let mut call: Map<String, Value> = call.as_object().unwrap().clone();
        call.insert(name.to_owned(), value.clone());
        Value::Object(call)
    };
    calls.iter().flat_map(|call| values.iter().map(move |value| with(call, value))).collect()
}

/// The costs of a tool's calls, the dearest first, and how many of them were refused.
fn costs(calls: &[Value], tool: &str) -> (Vec<(usize, Value)>, usize) {
    let (mut costs, mut refused) = (Vec::new(), 0);
    for call in calls {
        let mut call = call.clone();
        // The page after the first costs no more, and may.
        for _ in 0..2 {
            let answer = match LARGE.call(tool, &call) {
                Ok(answer) => answer,
                // Not every value goes with every other, but it is said what is wrong, at a price that fits too.
                Err(error @ (ToolError::Invalid { .. } | ToolError::NotFound { .. })) => {
                    refused += 1;
                    Value::from(error.to_string())
                }
                Err(error) => panic!("{tool} {call}: {error}"),
            };
            costs.push((tokens::of(&answer), call.clone()));
            let Some(cursor) = answer.get("next_cursor") else { break };
            call["cursor"] = cursor.clone();
        }
    }
    costs.sort_by_key(|(cost, _)| Reverse(*cost));
    (costs, refused)
}

/// Asks every tool, prints what it cost, and finds those that cost more than allowed.
fn check(what: &str, most: usize, calls: fn(&Arguments<'static>) -> Vec<Value>) {
    println!(
        "{what}: at most {most} tokens\n{:<18} {:>6} {:>6} {:>8}  dearest call",
        "tool", "tokens", "calls", "refused"
    );
    let mut dear = Vec::new();
    for tool in LARGE.catalogue.tools() {
        let (costs, refused) = costs(&calls(&Arguments::of(tool, &LARGE.names)), tool.name);
        let (cost, call) = &costs[0];
        println!("{:<18} {cost:>6} {:>6} {refused:>8}  {call}", tool.name, costs.len());
        assert!(refused * 2 < costs.len(), "{}: most calls are refused, so that little is tried", tool.name);
        let over = costs.iter().take_while(|(cost, _)| *cost > most);
        dear.extend(over.map(|(cost, call)| format!("{} {call}: {cost} tokens, {most} allowed", tool.name)));
    }
    assert!(dear.is_empty(), "{}", dear.join("\n"));
}

#[test]
fn default_answers_fit_two_thousand_tokens() {
    check("default arguments", 2_000, Arguments::plain);
}

#[test]
fn no_answer_passes_twenty_thousand_tokens() {
    check("dearest arguments", 20_000, Arguments::dear);
}

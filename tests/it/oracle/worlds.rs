//! The caches that are asked: each filled by the real client, with a clock that stands still.

use super::dice::Dice;
use crate::support::{
    lumar::{LUMAR, LumarStage},
    lunary::{LUNARY, LunaryStage},
    sync::{Stage, done, small, sync_into},
    world::{DEMO, SOURCE, backend_of, call, folder, sync_tracker},
};
use serde_json::Value;
use std::sync::Arc;
use visibility_mcp::{
    clock::Clock,
    demo::{
        lumar::LumarOptions,
        verseodin::WorldTracker,
        world::{World, WorldSize},
    },
    mcp::{Backend, ToolError},
    model::BrandKind,
    store::Store,
};

/// A cache, and what asks it.
pub struct Cached {
    pub name: String,
    pub store: Store,
    pub clock: Clock,
    backend: Backend,
}

impl Cached {
    pub fn new(name: &str, store: &Store, now: &str, sources: &[&str]) -> Self {
        let clock = Clock::fixed(now.parse().unwrap());
        let backend = backend_of(store, &clock, sources);
        Self { name: name.to_owned(), store: store.clone(), clock, backend }
    }

    /// A tool's answer to a call that must succeed.
    pub fn answer(&self, tool: &str, arguments: &Value) -> Value {
        self.ask(tool, arguments).unwrap_or_else(|error| panic!("{}: {tool} {arguments}: {error}", self.name))
    }

    /// A tool's answer, or its words.
    pub fn ask(&self, tool: &str, arguments: &Value) -> Result<Value, ToolError> {
        call(&self.backend, tool, arguments.clone())
    }
}

/// The world of the golden answers.
pub fn demo() -> Cached {
    let now = DEMO.clock.now().to_string();
    Cached::new("demo", &DEMO.store, &now, &[SOURCE])
}

fn of_world(name: &str, size: WorldSize, seed: u64) -> Cached {
    let world = Arc::new(World::new(size, seed, "2026-11-21".parse().unwrap()));
    let store = Store::at(folder(name).join("cache.sqlite"));
    let now = "2026-11-21T20:00:00Z";
    let report = sync_tracker(Arc::new(WorldTracker::new(world)), &store, &Clock::fixed(now.parse().unwrap()));
    assert!(report.is_success(), "{report:?}");
    Cached::new(name, &store, now, &[SOURCE])
}

/// A small world whose every size is thrown.
pub fn random(seed: u64) -> Cached {
    let mut dice = Dice::new(seed);
    let mut size = |from: u64, to: u64| usize::try_from(from + dice.below(to - from + 1)).unwrap();
    let size = WorldSize {
        prompts: vec![size(2, 14), size(1, 7)],
        engines: size(1, 5),
        days: i32::try_from(size(2, 24)).unwrap(),
        brands: size(1, 7),
        domains: size(3, 40),
        answer_bytes: 400,
        citations: 0.5 + size(0, 4) as f64,
        mentions: 0.5 + size(0, 3) as f64,
    };
    of_world(&format!("random-{seed}"), size, seed)
}

/// More prompts than any table of Student's t has rows.
pub fn wide() -> Cached {
    let size = WorldSize { prompts: vec![70], engines: 2, days: 6, brands: 5, ..small() };
    of_world("wide", size, 11)
}

/// Lumar's: sentiment, quality scores, brands that nobody tracks.
pub async fn lumar() -> (LumarStage, Cached) {
    let size = WorldSize { prompts: vec![9, 4], days: 16, ..small() };
    let stage = LumarStage::with(size, LumarOptions::unhurried());
    stage.settle();
    stage.sync_all().await;
    let cached = Cached::new("lumar", &stage.store, "2026-11-21T20:00:00Z", &[LUMAR]);
    (stage, cached)
}

/// Lunary's, where brands are read off every answer, one of them neither ours nor a competitor; after some runs went.
pub async fn lunary() -> (LunaryStage, Cached) {
    let mut stage = LunaryStage::of(WorldSize { prompts: vec![8, 3], days: 12, ..small() });
    stage.brands.last_mut().unwrap().kind = BrandKind::Other;
    stage.sync_all().await;
    stage.settle();
    for run in stage.calls(true).iter().rev().step_by(7).take(5) {
        stage.server.remove(&run.id);
    }
    done(stage.sync_on(stage.last_day().plus(1)).await);
    let cached = Cached::new("lunary", &stage.store, "2026-11-22T20:00:00Z", &[LUNARY]);
    (stage, cached)
}

/// Two trackers in one cache that follow the same projects.
pub async fn two() -> ((LumarStage, Stage), Cached) {
    let (lumar, verseodin) = (LumarStage::small(), Stage::small());
    lumar.settle();
    verseodin.settle();
    let report = sync_into(&lumar.store, &[lumar.upstream(), verseodin.upstream()], lumar.last_day()).await;
    report.sources.into_iter().for_each(|source| drop(done(source)));
    let cached = Cached::new("two", &lumar.store, "2026-11-21T20:00:00Z", &["lumar", "verseodin"]);
    ((lumar, verseodin), cached)
}

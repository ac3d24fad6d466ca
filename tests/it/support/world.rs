//! Caches that tests share: worlds synced by the real client from the embedded server, at a fixed time.
//!
//! Each is built once, by the first test that asks for it. Their clocks stand still, so their answers never change.

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};
use url::Url;
use visibility_mcp::{
    clock::Clock,
    demo::{
        verseodin::{ServerOptions, Tracker, VerseodinServer, WorldTracker},
        world::{World, WorldSize},
    },
    mcp::{Backend, Limits, Setup, ToolError},
    model::SourceName,
    store::Store,
    sync::{Report, SyncOptions},
    tools,
    upstream::{
        self, Upstream,
        verseodin::{Verseodin, VerseodinConfig},
    },
};

/// The source that the program's own demo has, so that `--demo` takes a cache made here for its own.
pub const SOURCE: &str = "demo-verseodin";

/// Two projects over nine weeks, seen in the evening of their last day: some runs of that day are still open.
pub static DEMO: LazyLock<Synced> = LazyLock::new(|| {
    let size = WorldSize { prompts: vec![12, 8], days: 61, ..WorldSize::demo() };
    Synced::world("demo", size, "2026-11-21", "2026-11-21T20:00:00Z")
});

/// A few days of a small tracker, long ago, so that its age is the same on any day that a test is run.
pub static SMALL: LazyLock<Synced> = LazyLock::new(|| {
    let size = WorldSize { prompts: vec![6, 4], days: 5, ..WorldSize::demo() };
    Synced::world("small", size, "2025-06-29", "2025-06-30T06:00:00Z")
});

/// Many prompts, engines and brands.
pub static WIDE: LazyLock<Synced> = LazyLock::new(|| {
    let size = WorldSize {
        prompts: vec![500],
        engines: 6,
        days: 1,
        brands: 40,
        domains: 2_000,
        answer_bytes: 300,
        ..WorldSize::million()
    };
    Synced::world("wide", size, "2026-11-20", "2026-11-21T20:00:00Z")
});

/// A synced cache and what asks it.
pub struct Synced {
    pub world: Arc<World>,
    pub store: Store,
    pub clock: Clock,
    backend: Backend,
}

impl Synced {
    fn world(name: &str, size: WorldSize, last_day: &str, now: &str) -> Self {
        let world = Arc::new(World::new(size, 7, last_day.parse().unwrap()));
        let store = Store::at(folder(name).join("cache.sqlite"));
        let clock = Clock::fixed(now.parse().unwrap());
        let report = sync_tracker(Arc::new(WorldTracker::new(Arc::clone(&world))), &store, &clock);
        assert!(report.is_success(), "{report:?}");
        let backend = backend_of(&store, &clock, &[SOURCE]);
        Self { world, store, clock, backend }
    }

    /// A tool's answer, or its words.
    pub fn call(&self, tool: &str, arguments: Value) -> Result<Value, ToolError> {
        call(&self.backend, tool, arguments)
    }

    /// A tool's answer to a call that must succeed.
    pub fn answer(&self, tool: &str, arguments: &Value) -> Value {
        self.call(tool, arguments.clone()).unwrap_or_else(|error| panic!("{tool} {arguments}: {error}"))
    }

    /// A copy of the cache file, for a program that may write to it.
    pub fn copy_to(&self, folder: &Path) -> PathBuf {
        let path = folder.join("cache.sqlite");
        fs::copy(self.store.path(), &path).unwrap();
        path
    }
}

/// Calls a tool of the catalogue.
pub fn call(backend: &Backend, tool: &str, arguments: Value) -> Result<Value, ToolError> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object: {arguments}") };
    let limits = Limits { total: Duration::from_mins(1), ..Limits::default() };
    tools::catalogue().call(tool, &arguments, backend, limits)
}

/// A backend over a cache, with these sources configured.
pub fn backend_of(store: &Store, clock: &Clock, sources: &[&str]) -> Backend {
    let sources = sources.iter().map(|name| SourceName::from(*name)).collect();
    Backend::new(store.clone(), clock.clone(), Setup { sources, problems: Vec::new() })
}

/// Serves a tracker and syncs all of it into a store.
pub fn sync_tracker(tracker: Arc<dyn Tracker>, store: &Store, clock: &Clock) -> Report {
    let server = VerseodinServer::spawn_on_thread(tracker, ServerOptions::unhurried()).unwrap();
    sync_server(&server, store, clock)
}

/// Syncs all that a server has into a store, on a thread of its own, so that tests with a runtime can wait for it too.
pub fn sync_server(server: &VerseodinServer, store: &Store, clock: &Clock) -> Report {
    let (store, clock) = (store.clone(), clock.clone());
    let client = Verseodin::new(VerseodinConfig {
        source: SOURCE.into(),
        api_key: server.key().to_owned().into(),
        base_url: Url::parse(&server.base_url()).unwrap(),
        key_variable: "VERSEODIN_API_KEY".to_owned(),
        // A large world is made slowly where other programs are at work too.
        limits: upstream::Limits {
            read_timeout: std::time::Duration::from_mins(10),
            total_timeout: std::time::Duration::from_mins(20),
            ..upstream::Limits::default()
        },
    });
    let sources: Vec<Arc<dyn Upstream>> = vec![Arc::new(client.unwrap())];
    let work = move || {
        let options = SyncOptions {
            history_days: 3_650,
            brands: Arc::default(),
            clock,
            cancel: tokio_util::sync::CancellationToken::default(),
            on_progress: Arc::new(|_| ()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(visibility_mcp::sync::sync(&sources, &store, options)).unwrap()
    };
    std::thread::spawn(work).join().unwrap()
}

/// A new folder below the target folder. Those that earlier test runs left there are removed.
pub fn folder(name: &str) -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("caches");
    fs::create_dir_all(&all).unwrap();
    for entry in fs::read_dir(&all).unwrap().flatten() {
        let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > Duration::from_hours(1)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    tempfile::Builder::new().prefix(name).tempdir_in(&all).unwrap().keep()
}

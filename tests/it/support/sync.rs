//! What tests of the sync share: a tracker on loopback, a cache in a folder of its own, and a clock that stands still.

use super::secrets::plant;
use secrecy::SecretString;
use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use visibility_mcp::{
    clock::Clock,
    demo::{
        verseodin::{LoggedRequest, ServerOptions, Tracker, VerseodinServer, WorldTracker},
        world::{World, WorldSize},
    },
    model::{Day, ProjectKey},
    store::Store,
    sync::{Outcome, Report, SourceReport, SyncOptions},
    upstream::{
        Limits, Upstream,
        verseodin::{Verseodin, VerseodinConfig},
    },
};

/// The newest day of most worlds; the clock stands in its evening.
pub const TODAY: &str = "2026-11-20";

pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// Two projects of a few prompts over four days: 12 and 9 runs a day.
pub fn small() -> WorldSize {
    WorldSize {
        prompts: vec![4, 3],
        engines: 3,
        days: 4,
        brands: 4,
        domains: 20,
        answer_bytes: 500,
        citations: 2.5,
        mentions: 1.5,
    }
}

/// One project of more rows a day than fit a page of the API.
pub fn paged(days: i32) -> WorldSize {
    WorldSize { prompts: vec![550], engines: 2, days, answer_bytes: 200, citations: 1.0, ..small() }
}

/// Tries that are over soon: a test waits for nobody.
pub fn quick() -> Limits {
    Limits {
        tries: 3,
        first_delay: Duration::from_millis(1),
        max_delay: Duration::from_secs(2),
        budget: Duration::from_secs(10),
        ..Limits::default()
    }
}

/// A tracker and a cache.
pub struct Stage {
    pub server: VerseodinServer,
    pub world: Arc<World>,
    pub tracker: WorldTracker,
    pub store: Store,
    pub folder: TempDir,
}

impl Stage {
    /// The small world.
    pub fn small() -> Self {
        Self::of(small())
    }

    pub fn of(size: WorldSize) -> Self {
        Self::with(size, 7, day(TODAY), |tracker| tracker)
    }

    /// A world of this seed that ends on this day, served by what `dress` makes of its tracker.
    pub fn with<T: Tracker + 'static>(
        size: WorldSize,
        seed: u64,
        last_day: Day,
        dress: impl FnOnce(WorldTracker) -> T,
    ) -> Self {
        let world = Arc::new(World::new(size, seed, last_day));
        let tracker = WorldTracker::new(Arc::clone(&world));
        let served = Arc::new(dress(tracker.clone()));
        let server = VerseodinServer::spawn_on_thread(served, ServerOptions::unhurried()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("cache.sqlite"));
        Self { server, world, tracker, store, folder }
    }

    /// Another cache of the same tracker.
    pub fn other_cache(&self, name: &str) -> Store {
        Store::at(self.folder.path().join(name))
    }

    pub fn universe(&self, project: usize) -> &str {
        self.tracker.universe_id(project)
    }

    pub fn project(&self, project: usize) -> ProjectKey {
        ProjectKey { source: "verseodin".into(), key: self.universe(project).to_owned() }
    }

    pub fn projects(&self) -> Vec<ProjectKey> {
        (0..self.world.project_count()).map(|project| self.project(project)).collect()
    }

    /// The last day of the world.
    pub fn last_day(&self) -> Day {
        self.world.days().last
    }

    /// Ends the open runs of the last day.
    pub fn settle(&self) {
        for project in 0..self.world.project_count() {
            self.server.settle(self.universe(project), self.last_day());
        }
    }

    /// A client of the server.
    pub fn upstream(&self) -> Arc<dyn Upstream> {
        self.upstream_named("verseodin", self.server.key(), quick())
    }

    pub fn upstream_named(&self, source: &str, key: &str, limits: Limits) -> Arc<dyn Upstream> {
        let config = VerseodinConfig {
            source: source.into(),
            api_key: SecretString::from(key.to_owned()),
            base_url: self.server.base_url().parse().unwrap(),
            key_variable: "VERSEODIN_API_KEY".to_owned(),
            limits,
        };
        Arc::new(Verseodin::new(config).unwrap())
    }

    /// Syncs in the evening of the world's last day.
    pub async fn sync(&self) -> SourceReport {
        self.sync_on(self.last_day()).await
    }

    /// Syncs in the evening of this day.
    pub async fn sync_on(&self, today: Day) -> SourceReport {
        sync_into(&self.store, &[self.upstream()], today).await.sources.remove(0)
    }

    /// Syncs and leaves no doubt that all was done.
    pub async fn sync_all(&self) -> SourceReport {
        done(self.sync().await)
    }

    /// Another cache, filled from what the server serves now, without any disturbance.
    pub async fn undisturbed(&self, name: &str) -> Store {
        self.server.faults().clear();
        let store = self.other_cache(name);
        done(sync_into(&store, &[self.upstream()], self.last_day()).await.sources.remove(0));
        store
    }

    /// The program, set up for this stage by its environment alone.
    pub fn program(&self, cache: &Path) -> Command {
        plant(self.server.key());
        let mut program = Command::new(env!("CARGO_BIN_EXE_visibility-mcp"));
        program
            .env_clear()
            .env("HOME", self.folder.path())
            .env("VISIBILITY_MCP_CACHE", cache)
            .env("VERSEODIN_API_KEY", self.server.key())
            .env("VERSEODIN_BASE_URL", self.server.base_url())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        program
    }

    /// Rows and history asked for since the log was last cleared, as path and query, in order.
    pub fn pages_read(&self) -> Vec<String> {
        let is_page =
            |request: &LoggedRequest| request.path.ends_with("/prompts") || request.path.ends_with("/history");
        self.server.requests().iter().filter(|request| is_page(request)).map(address).collect()
    }
}

/// What a request asked for.
pub fn address(request: &LoggedRequest) -> String {
    format!("{}?{}", request.path, request.query)
}

pub fn options(today: Day) -> SyncOptions {
    let evening = today.start() + jiff::SignedDuration::from_hours(18);
    SyncOptions {
        history_days: 90,
        brands: Arc::default(),
        clock: Clock::fixed(evening),
        cancel: CancellationToken::new(),
        on_progress: Arc::new(|_| {}),
    }
}

pub async fn sync_into(store: &Store, sources: &[Arc<dyn Upstream>], today: Day) -> Report {
    super::surely("the sync's end", visibility_mcp::sync::sync(sources, store, options(today))).await.unwrap()
}

/// The report of a sync that did all it had planned.
pub fn done(report: SourceReport) -> SourceReport {
    assert_eq!(report.outcome, Outcome::Done, "{report:?}");
    assert_eq!(report.slices_done, report.slices_planned, "{report:?}");
    report
}

/// Class, error and hint of a sync that failed.
pub fn failure(report: &SourceReport) -> (&str, &str, &str) {
    match &report.outcome {
        Outcome::Failed { class, error, hint } => (class, error, hint),
        other => panic!("it did not fail: {other:?}"),
    }
}

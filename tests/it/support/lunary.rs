//! What tests of Lunary share: its server on loopback, the brands that a user configures, a cache, and a clock that
//! stands still.

use super::{
    secrets::plant,
    sync::{TODAY, day, done, options, quick, small},
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};
use tempfile::TempDir;
use visibility_mcp::{
    clock::Clock,
    demo::{
        lunary::{LunaryOptions, LunaryServer, Run, Tracker as _, WorldTracker},
        world::{World, WorldBrand, WorldSize},
    },
    mcp::Backend,
    model::{Brand, BrandKey, BrandKind, Day, ProjectKey},
    store::{RunDetails, Store},
    sync::{AddedBrands, Report, SourceReport, SyncOptions},
    upstream::{
        Upstream,
        lunary::{Lunary, LunaryConfig, RunFilter},
    },
};

/// The source's name.
pub const LUNARY: &str = "lunary";

/// A Lunary server over a world, of which the key opens the first project, and a cache.
pub struct LunaryStage {
    pub server: LunaryServer,
    pub world: Arc<World>,
    pub tracker: WorldTracker,
    pub brands: Vec<Brand>,
    pub store: Store,
    pub folder: TempDir,
}

impl LunaryStage {
    /// Eight prompts, so that there are templates, gateways and engines that are asked in one instant; four days.
    pub fn small() -> Self {
        Self::of(WorldSize { prompts: vec![8, 3], ..small() })
    }

    pub fn of(size: WorldSize) -> Self {
        Self::until(size, day(TODAY))
    }

    pub fn until(size: WorldSize, last_day: Day) -> Self {
        let world = Arc::new(World::new(size, 7, last_day));
        let tracker = WorldTracker::new(Arc::clone(&world));
        let server = LunaryServer::spawn_on_thread(Arc::new(tracker.clone()), LunaryOptions::unhurried()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("cache.sqlite"));
        let brands = configured(world.brands(0));
        Self { server, world, tracker, brands, store, folder }
    }

    pub fn other_cache(&self, name: &str) -> Store {
        Store::at(self.folder.path().join(name))
    }

    pub fn last_day(&self) -> Day {
        self.world.days().last
    }

    /// The name that the project is given.
    pub fn name(&self) -> &str {
        self.world.project_name(0)
    }

    pub fn project(&self) -> ProjectKey {
        ProjectKey { source: LUNARY.into(), key: self.server.project_id(0) }
    }

    /// Ends the open runs of the last day.
    pub fn settle(&self) {
        (0..self.world.project_count()).for_each(|project| self.server.settle(project, self.last_day()));
    }

    /// The rows of the key's project as the server has them at first, of all types.
    pub fn served(&self, settled: bool) -> Vec<Run> {
        self.tracker.days(0).into_iter().flat_map(|day| self.tracker.runs(0, day, settled)).collect()
    }

    /// Of these the model calls.
    pub fn calls(&self, settled: bool) -> Vec<Run> {
        self.served(settled).into_iter().filter(|run| run.kind == "llm").collect()
    }

    pub fn config(&self) -> LunaryConfig {
        LunaryConfig {
            source: LUNARY.into(),
            api_key: self.server.private_key(0).into(),
            base_url: self.server.base_url().parse().unwrap(),
            key_variable: "LUNARY_API_KEY".to_owned(),
            project_name: Some(self.name().to_owned()),
            runs: RunFilter::default(),
            run_details: false,
            models: Vec::new(),
            limits: quick(),
        }
    }

    pub fn upstream(&self) -> Arc<dyn Upstream> {
        Arc::new(Lunary::new(self.config()).unwrap())
    }

    /// Brands as the configuration adds them to the source.
    pub fn added(&self) -> AddedBrands {
        AddedBrands::from([(LUNARY.into(), self.brands.clone())])
    }

    /// Syncs these sources with the brands of this one.
    pub async fn sync_with(&self, store: &Store, sources: &[Arc<dyn Upstream>], today: Day) -> Report {
        let options = SyncOptions { brands: Arc::new(self.added()), ..options(today) };
        super::surely("the sync's end", visibility_mcp::sync::sync(sources, store, options)).await.unwrap()
    }

    pub async fn sync_into(&self, store: &Store) -> SourceReport {
        self.sync_with(store, &[self.upstream()], self.last_day()).await.sources.remove(0)
    }

    /// Syncs in the evening of this day.
    pub async fn sync_on(&self, today: Day) -> SourceReport {
        self.sync_with(&self.store, &[self.upstream()], today).await.sources.remove(0)
    }

    /// Syncs in the evening of the last day.
    pub async fn sync(&self) -> SourceReport {
        self.sync_on(self.last_day()).await
    }

    /// Syncs and leaves no doubt that all was done.
    pub async fn sync_all(&self) -> SourceReport {
        done(self.sync().await)
    }

    /// Another cache, filled from what the server serves now, without any disturbance.
    pub async fn undisturbed(&self, name: &str) -> Store {
        self.server.faults().clear();
        let store = self.other_cache(name);
        done(self.sync_into(&store).await);
        store
    }

    /// The runs of the project that a cache lists, whole, oldest first.
    pub fn listed(&self, store: &Store) -> Vec<RunDetails> {
        crate::sync::picture::listed(&store.reader().unwrap(), &self.project())
    }

    /// The same by the id that Lunary has for each.
    pub fn by_key(&self) -> BTreeMap<String, RunDetails> {
        self.listed(&self.store).into_iter().map(|run| (run.row.key.clone().unwrap(), run)).collect()
    }

    /// The days of which pages of runs were asked for since the log was last cleared.
    pub fn days_read(&self) -> Vec<Day> {
        let day = |query: &str| query.strip_prefix("date=gte.").map(|rest| rest[..10].parse().unwrap());
        let requests = self.server.requests();
        let pages = requests.iter().filter(|request| request.path == "/runs" && request.query.contains("sortField"));
        let mut days: Vec<Day> = pages.map(|request| day(&request.query).unwrap()).collect();
        days.sort_unstable();
        days.dedup();
        days
    }

    /// What tools ask, in the evening after the last day.
    pub fn backend(&self) -> Backend {
        let clock = Clock::fixed(self.last_day().plus(1).start() + jiff::SignedDuration::from_hours(20));
        super::world::backend_of(&self.store, &clock, &[LUNARY])
    }

    /// The program, set up for this stage by its environment and a file that describes the brands.
    pub fn program(&self, cache: &Path) -> Command {
        let file = self.folder.path().join("config.toml");
        std::fs::write(&file, self.file(&self.brands)).unwrap();
        self.program_with(cache, &file)
    }

    pub fn program_with(&self, cache: &Path, file: &Path) -> Command {
        plant(self.server.private_key(0));
        let mut program = Command::new(env!("CARGO_BIN_EXE_visibility-mcp"));
        program
            .env_clear()
            .env("HOME", self.folder.path())
            .env("VISIBILITY_MCP_CACHE", cache)
            .env("VISIBILITY_MCP_CONFIG", file)
            .env("LUNARY_API_KEY", self.server.private_key(0))
            .env("LUNARY_BASE_URL", self.server.base_url())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        program
    }

    /// A configuration file with these brands.
    pub fn file(&self, brands: &[Brand]) -> String {
        // TOML takes the texts and lists of JSON.
        let mut file = format!("[sources.lunary]\nupstream = \"lunary\"\nproject_name = {}\n", json!(self.name()));
        for brand in brands {
            file.push_str(&format!(
                "[[sources.lunary.brands]]\nname = {}\nkind = \"{}\"\naliases = {}\ndomains = {}\n",
                json!(brand.name),
                brand.kind.as_str(),
                json!(brand.aliases),
                json!(brand.domains)
            ));
        }
        file
    }
}

/// The world's brands, as somebody would write them into the configuration, the own one first.
pub fn configured(brands: &[WorldBrand]) -> Vec<Brand> {
    let brand = |brand: &WorldBrand| Brand {
        key: BrandKey::configured(&brand.name),
        name: brand.name.clone(),
        kind: if brand.own { BrandKind::Own } else { BrandKind::Competitor },
        domains: vec![brand.domain.clone()],
        aliases: brand.aliases.clone(),
        exact: Vec::new(),
        excluded: Vec::new(),
    };
    let brands: Vec<Brand> = brands.iter().map(brand).collect();
    assert_eq!(brands[0].kind, BrandKind::Own);
    brands
}

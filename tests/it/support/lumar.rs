//! What tests of Lumar share: its server on loopback, a cache in a folder of its own, and a clock that stands still.

use super::{
    secrets::plant,
    sync::{TODAY, day, done, quick, small, sync_into},
};
use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};
use tempfile::TempDir;
use visibility_mcp::{
    clock::Clock,
    demo::{
        lumar::{LumarOptions, LumarServer, WorldTracker},
        world::{World, WorldSize},
    },
    mcp::Backend,
    model::Day,
    store::Store,
    sync::SourceReport,
    upstream::{
        Upstream,
        lumar::{Credential, Lumar, LumarConfig},
    },
};

/// The source's name.
pub const LUMAR: &str = "lumar";

/// A Lumar server over a world, and a cache.
pub struct LumarStage {
    pub server: LumarServer,
    pub world: Arc<World>,
    pub store: Store,
    pub folder: TempDir,
}

impl LumarStage {
    /// Two projects of a few prompts over four days.
    pub fn small() -> Self {
        Self::with(small(), LumarOptions::unhurried())
    }

    pub fn with(size: WorldSize, options: LumarOptions) -> Self {
        Self::dressed(size, day(TODAY), options, |tracker| tracker)
    }

    pub fn dressed(
        size: WorldSize,
        last_day: Day,
        options: LumarOptions,
        dress: impl FnOnce(WorldTracker) -> WorldTracker,
    ) -> Self {
        let world = Arc::new(World::new(size, 7, last_day));
        let tracker = dress(WorldTracker::new(Arc::clone(&world)));
        let server = LumarServer::spawn_on_thread(Arc::new(tracker), options).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("cache.sqlite"));
        Self { server, world, store, folder }
    }

    pub fn other_cache(&self, name: &str) -> Store {
        Store::at(self.folder.path().join(name))
    }

    pub fn last_day(&self) -> Day {
        self.world.days().last
    }

    /// Ends the open runs of the last day.
    pub fn settle(&self) {
        (0..self.world.project_count()).for_each(|project| self.server.settle(project, self.last_day()));
    }

    /// A client with the user key.
    pub fn upstream(&self) -> Arc<dyn Upstream> {
        let (id, secret) = self.server.user_key();
        self.upstream_with(Credential::UserKey { id: id.into(), secret: secret.into() }, &[])
    }

    /// A client with the service account's key.
    pub fn upstream_of_service(&self) -> Arc<dyn Upstream> {
        self.upstream_with(Credential::ServiceKey(self.server.service_key().into()), &self.server.account_ids()[..1])
    }

    fn upstream_with(&self, credential: Credential, accounts: &[String]) -> Arc<dyn Upstream> {
        let config = LumarConfig {
            source: LUMAR.into(),
            credential,
            key_variables: vec!["LUMAR_USER_KEY_ID".to_owned(), "LUMAR_USER_KEY_SECRET".to_owned()],
            base_url: self.server.base_url().parse().unwrap(),
            accounts: accounts.to_vec(),
            brands: Vec::new(),
            limits: quick(),
        };
        Arc::new(Lumar::new(config).unwrap())
    }

    pub async fn sync(&self) -> SourceReport {
        sync_into(&self.store, &[self.upstream()], self.last_day()).await.sources.remove(0)
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

    /// What tools ask, in the evening after the last day.
    pub fn backend(&self) -> Backend {
        let clock = Clock::fixed(self.last_day().plus(1).start() + jiff::SignedDuration::from_hours(20));
        super::world::backend_of(&self.store, &clock, &[LUMAR])
    }

    /// The program, set up for this stage by its environment alone.
    pub fn program(&self, cache: &Path) -> Command {
        let (id, secret) = self.server.user_key();
        plant(&*secret);
        let mut program = Command::new(env!("CARGO_BIN_EXE_visibility-mcp"));
        program
            .env_clear()
            .env("HOME", self.folder.path())
            .env("VISIBILITY_MCP_CACHE", cache)
            .env("LUMAR_USER_KEY_ID", id)
            .env("LUMAR_USER_KEY_SECRET", secret)
            .env("LUMAR_BASE_URL", self.server.base_url())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        program
    }
}

//! What tests share: a raw client of the protocol, tools that misbehave, servers in this process.

pub mod http;
pub mod issuer;
pub mod lumar;
pub mod lunary;
pub mod program;
pub mod raw;
pub mod secrets;
pub mod sync;
pub mod tokens;
pub mod tools;
pub mod world;

use raw::{Era, Raw};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{io::DuplexStream, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use visibility_mcp::{
    clock::Clock,
    mcp::{
        Backend, Limits, Registry, Server, Setup,
        transport::{ServeError, serve},
    },
    store::Store,
};

/// Waits for what must come; only a hang is an error, never slowness.
pub async fn surely<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(Duration::from_mins(1), future).await.unwrap_or_else(|_| panic!("{what} never came"))
}

/// A server in this process, and the client's end of its streams.
pub struct InProcess {
    pub client: DuplexStream,
    pub shutdown: CancellationToken,
    pub done: JoinHandle<Result<(), ServeError>>,
}

impl InProcess {
    /// Serves the misbehaving tools, without a cache.
    pub fn start(limits: Limits) -> Self {
        Self::serve(tools::registry(), backend(), limits)
    }

    pub fn serve(registry: Registry, backend: Backend, limits: Limits) -> Self {
        let (client, theirs) = tokio::io::duplex(64 * 1024);
        let (reader, writer) = tokio::io::split(theirs);
        let shutdown = CancellationToken::new();
        let server = Server::new(registry, Arc::new(backend), limits);
        let done = tokio::spawn(serve(server, reader, writer, shutdown.clone()));
        Self { client, shutdown, done }
    }

    /// A raw client of it, its session not yet open.
    pub fn raw(self, era: Era) -> Session {
        let (reader, writer) = tokio::io::split(self.client);
        Session { raw: Raw::new(reader, writer, era), shutdown: self.shutdown, done: self.done }
    }

    /// A raw client of it with an open session.
    pub async fn open(limits: Limits, era: Era) -> Session {
        let mut session = Self::start(limits).raw(era);
        session.raw.open().await;
        session
    }
}

/// A raw client and the server that it talks to.
pub struct Session {
    pub raw: Raw,
    pub shutdown: CancellationToken,
    pub done: JoinHandle<Result<(), ServeError>>,
}

/// A backend whose cache does not exist.
pub fn backend() -> Backend {
    backend_over(Store::at(std::env::temp_dir().join("visibility-mcp-tests").join("there-is-no-such-file.db")))
}

/// A backend over this cache, at noon of 22 November 2026.
pub fn backend_over(store: Store) -> Backend {
    let setup = Setup { sources: vec!["lumar".into()], problems: Vec::new() };
    Backend::new(store, Clock::fixed("2026-11-22T12:00:00Z".parse().unwrap()), setup)
}

//! The server over HTTP: Streamable HTTP at `/mcp`, HTTP+SSE of 2024-11-05 at `/sse` and `/messages`, health, figures.
//!
//! Every route passes the same guards (`guard`): Host, Origin, who asks, rate, size, how many at once.

mod connections;
mod guard;
mod health;
mod resource;
mod sessions;
mod sse;

pub use guard::{Authenticate, Denied, Open};
pub use resource::{ProtectedResource, READ, SYNC};

use super::{Backend, Limits, Registry, Server, metrics::Metrics};
use axum::{
    Router,
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware,
    routing::{get, post},
};
use guard::Guards;
use rmcp::{
    ServerHandler,
    transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService},
};
use sessions::Sessions;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_util::sync::CancellationToken;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// What one server gives to all its clients.
#[derive(Clone, Debug)]
pub struct HttpLimits {
    /// Bytes of a request's body.
    pub body: usize,
    /// How long a body may take to come in.
    pub body_time: Duration,
    /// Requests a second of one client, and as many in a burst as ten seconds of them.
    pub rate: u32,
    /// Requests at work at once.
    pub at_once: usize,
    /// Of them, those of one client.
    pub at_once_each: usize,
    /// Open sessions of the older protocol eras, both transports together.
    pub sessions: usize,
    /// How long a session may be idle.
    pub idle: Duration,
    /// Open connections.
    pub connections: usize,
    /// How long a client may take to read a part of an answer.
    pub write_time: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            body_time: Duration::from_secs(20),
            rate: 20,
            at_once: 256,
            at_once_each: 64,
            sessions: 512,
            idle: Duration::from_mins(5),
            connections: 2_048,
            write_time: Duration::from_secs(30),
        }
    }
}

/// How a server over HTTP is set up.
pub struct HttpOptions {
    /// Names that clients may call the server by, beside the loopback ones.
    pub hosts: Vec<String>,
    /// Origins of web pages that may call it, beside those of loopback.
    pub origins: Vec<String>,
    /// Who may ask.
    pub access: Arc<dyn Authenticate>,
    /// What the server is to an issuer of tokens, where it has one.
    pub resource: Option<Arc<ProtectedResource>>,
    /// Show figures at `/metrics`.
    pub metrics: bool,
    /// What each client gets.
    pub limits: HttpLimits,
}

/// A server over HTTP, ready to take connections.
pub struct HttpServer {
    app: Router,
    guards: Arc<Guards>,
    sessions: Arc<Sessions>,
    limits: HttpLimits,
}

/// The runtime for HTTP.
///
/// # Errors
/// Where the system has no resources for it.
pub fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(16).build()
}

impl HttpServer {
    /// A server of these tools over this backend.
    #[must_use]
    pub fn new(registry: Registry, backend: Arc<Backend>, limits: Limits, options: HttpOptions) -> Self {
        let metrics = options.metrics.then(|| Arc::new(Metrics::new()));
        let writing = registry.tools().filter(|tool| !tool.hints.read_only).map(|tool| tool.name).collect();
        let server = Server::for_many(registry, Arc::clone(&backend), limits, metrics.clone());
        Self::with(server, backend, options, writing, metrics)
    }

    /// The same routes, guards and limits around any server of the protocol. Whoever asks it is in the extensions of the
    /// `Parts` that come with a request; its health is that of this backend.
    #[must_use]
    pub fn around(server: impl ServerHandler + Clone, backend: Arc<Backend>, options: HttpOptions) -> Self {
        let metrics = options.metrics.then(|| Arc::new(Metrics::new()));
        Self::with(server, backend, options, Vec::new(), metrics)
    }

    fn with<S: ServerHandler + Clone>(
        server: S,
        backend: Arc<Backend>,
        options: HttpOptions,
        writing: Vec<&'static str>,
        metrics: Option<Arc<Metrics>>,
    ) -> Self {
        let sessions = Arc::new(Sessions::new(&options.limits));
        let guards = Arc::new(Guards::new(&options, writing, Arc::clone(&sessions), metrics));
        let sse = get(sse::open::<S>).with_state((server.clone(), Arc::clone(&sessions)));

        let config = StreamableHttpServerConfig::default()
            .with_json_response(true)
            // The guards have looked at these, and at the size.
            .disable_allowed_hosts()
            .with_max_request_body_bytes(options.limits.body)
            .with_cancellation_token(sessions.closing.clone());
        let streamable =
            StreamableHttpService::new(move || Ok(server.clone()), Arc::clone(&sessions.streamable), config);

        let mut app = Router::new()
            .route_service("/mcp", streamable)
            .route("/sse", sse)
            .route("/messages", post(sse::message).with_state(Arc::clone(&sessions)))
            .route("/health/live", get(health::live))
            .route("/health/ready", get(health::ready).with_state(backend));
        if let Some(resource) = &options.resource {
            let describe = get(resource::describe).with_state(Arc::clone(resource));
            let below = format!("{}/{{*path}}", resource::WELL_KNOWN);
            app = app.route(resource::WELL_KNOWN, describe.clone()).route(&below, describe);
        }
        if options.metrics {
            app = app.route("/metrics", get(guard::figures).with_state(Arc::clone(&guards)));
        }
        let app = app
            .fallback(|| async { (StatusCode::NOT_FOUND, "no such route; MCP is at /mcp\n") })
            .layer(middleware::from_fn_with_state(Arc::clone(&guards), guard::guard))
            .layer(cors(Arc::clone(&guards)));
        Self { app, guards, sessions, limits: options.limits }
    }

    /// Serves until `shutdown`; then calls at work are given ten seconds to finish.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        connections::serve(self, listener, shutdown).await;
    }
}

/// Web pages of allowed origins may call, and read which session they were given.
fn cors(guards: Arc<Guards>) -> CorsLayer {
    let allowed = move |origin: &HeaderValue, _: &Parts| guards.allows_origin(origin);
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(allowed))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        // All that they ask for: a wildcard would leave out the token.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([HeaderName::from_static("mcp-session-id"), header::WWW_AUTHENTICATE])
}

/// Where the other end of a connection is.
#[derive(Clone, Copy, Debug)]
struct Peer(SocketAddr);

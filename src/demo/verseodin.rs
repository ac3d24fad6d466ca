//! An embedded server that speaks the Verseodin API on loopback, written from its documentation alone.
//!
//! It serves any [`Tracker`] and knows nothing of the client that reads from it. Where the documentation leaves a
//! choice open, the choice is an option or a sentence here:
//! - A day without any row is "not found"; a page beyond the last row is empty ([`ServerOptions::missing_day_is_404`]).
//! - A history row exists as soon as one row of its day and engine is in a final status, and counts completed rows.
//! - The filter `engine` takes the documented engines and those that the tracker has rows of.
//! - Requests without a valid key take no token, and are told that the bucket is full.

mod aggregates;
mod answers;
mod faults;
mod limits;
mod query;
mod state;
mod tracker;
mod world;

pub use super::faults::When;
pub use faults::{Fault, Faults, RowChange};
pub use tracker::{PromptRow, Site, TrackedBrand, Tracker, Universe};
pub use world::WorldTracker;

use super::{
    doors::{self, Line},
    lock,
    world::Take,
};
use crate::{clock::Clock, model::Day};
use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use jiff::Timestamp;
use limits::{Bucket, Standing};
use query::{Problem, Query};
use serde_json::json;
use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The path below which everything is served.
const BASE: &str = "/api/v1";
/// Requests that the log remembers; a demo may run for days.
const LOGGED: usize = 50_000;
/// How the server behaves where the documentation gives a number or leaves a choice.
#[derive(Clone, PartialEq, Debug)]
pub struct ServerOptions {
    /// Tokens of the bucket; documented as 60.
    pub capacity: u32,
    /// Tokens that come back per second; documented as 1.
    pub refill_per_second: f64,
    /// Is a day without rows answered with 404 on `/prompts`, or with an empty page?
    pub missing_day_is_404: bool,
    /// The key that opens the server: `vso_` and 48 hexadecimal digits.
    pub key: String,
}

impl Default for ServerOptions {
    /// As documented.
    fn default() -> Self {
        Self {
            capacity: 60,
            refill_per_second: 1.0,
            missing_day_is_404: true,
            key: format!("vso_{}", "0de30".repeat(10).split_at(48).0),
        }
    }
}

impl ServerOptions {
    /// As documented, but with a bucket that does not slow a test or a demo down.
    #[must_use]
    pub fn unhurried() -> Self {
        Self { capacity: 100_000, refill_per_second: 100_000.0, ..Self::default() }
    }
}

/// A request that was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedRequest {
    /// The method.
    pub method: String,
    /// The path below the base, as sent: `/universes/…/prompts`.
    pub path: String,
    /// The query without its question mark; empty where there was none.
    pub query: String,
    /// When the answer began.
    pub at: Timestamp,
    /// The status sent.
    pub status: u16,
}

/// What handlers share.
struct Inner {
    state: Mutex<state::State>,
    faults: Faults,
    bucket: Mutex<Bucket>,
    key: Mutex<Option<String>>,
    log: Mutex<Vec<LoggedRequest>>,
    options: ServerOptions,
}

/// A running server; it stops when dropped.
pub struct VerseodinServer {
    inner: Arc<Inner>,
    address: SocketAddr,
    stop: CancellationToken,
}

impl fmt::Debug for VerseodinServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerseodinServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl VerseodinServer {
    /// Starts a server on a free port of 127.0.0.1, on the current runtime.
    ///
    /// # Errors
    /// When the port cannot be opened.
    pub async fn start(tracker: Arc<dyn Tracker>, options: ServerOptions) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let server = Self::new(listener.local_addr()?, tracker, options);
        tokio::spawn(doors::serve(listener, app(&server.inner), server.stop.clone()));
        Ok(server)
    }

    /// Starts a server on a thread and a runtime of its own, for callers that have none.
    ///
    /// # Errors
    /// When the port cannot be opened or the thread cannot be made.
    pub fn spawn_on_thread(tracker: Arc<dyn Tracker>, options: ServerOptions) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let server = Self::new(listener.local_addr()?, tracker, options);
        doors::serve_on_thread("demo-verseodin", listener, app(&server.inner), server.stop.clone())?;
        Ok(server)
    }

    fn new(address: SocketAddr, tracker: Arc<dyn Tracker>, options: ServerOptions) -> Self {
        let inner = Inner {
            state: Mutex::new(state::State::new(tracker)),
            faults: Faults::default(),
            bucket: Mutex::new(Bucket::full(options.capacity, options.refill_per_second)),
            key: Mutex::new(Some(options.key.clone())),
            log: Mutex::default(),
            options,
        };
        Self { inner: Arc::new(inner), address, stop: CancellationToken::new() }
    }

    /// The address to give a client: scheme, host, port and base path, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}{BASE}", self.address)
    }

    /// The key that opens the server, or opened it before it was revoked.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.inner.options.key
    }

    /// The faults to switch on and off.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// The requests answered so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        lock(&self.inner.log).clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        lock(&self.inner.log).clear();
    }

    /// From now on the key is answered with 401.
    pub fn revoke_key(&self) {
        *lock(&self.inner.key) = None;
    }

    /// The key is good again.
    pub fn restore_key(&self) {
        *lock(&self.inner.key) = Some(self.inner.options.key.clone());
    }

    /// Serves another tracker from now on, such as the same world with a later last day. What happened to days stays.
    pub fn replace(&self, tracker: Arc<dyn Tracker>) {
        lock(&self.inner.state).replace(tracker);
    }

    /// Runs a day again: the rows keep their UUIDs, and their answers are those of another take.
    pub fn rerun(&self, universe: &str, day: Day) {
        lock(&self.inner.state).edit(universe, day, |edits| edits.take.number += 1);
    }

    /// Ends the open runs of a day.
    pub fn settle(&self, universe: &str, day: Day) {
        lock(&self.inner.state).edit(universe, day, |edits| {
            edits.take = Take { settled: true, ..edits.take };
        });
    }

    /// Deletes the rows of a day and makes them again: same content, other UUIDs, another order.
    pub fn recreate(&self, universe: &str, day: Day) {
        lock(&self.inner.state).edit(universe, day, |edits| edits.recreated += 1);
    }

    /// Deletes a row.
    pub fn delete(&self, universe: &str, day: Day, engine: &str, prompt_id: u32) {
        lock(&self.inner.state).edit(universe, day, |edits| {
            edits.gone.insert((engine.to_owned(), prompt_id));
        });
    }

    /// Lets a day have only so many rows so far, the first in the order they are served; none lets it have all.
    pub fn grow(&self, universe: &str, day: Day, rows: Option<usize>) {
        lock(&self.inner.state).edit(universe, day, |edits| edits.grown_to = rows);
    }

    /// Changes the rows of a day in any way, from now on.
    pub fn edit(&self, universe: &str, day: Day, change: impl Fn(&mut Vec<PromptRow>) + Send + Sync + 'static) {
        lock(&self.inner.state).edit(universe, day, |edits| edits.patches.push(Box::new(change)));
    }

    /// Stops the server: no new connection, and answers under way have a fraction of a second.
    pub fn shutdown(&self) {
        self.stop.cancel();
    }
}

impl Drop for VerseodinServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn app(inner: &Arc<Inner>) -> Router {
    Router::new().fallback(handle).with_state(Arc::clone(inner))
}

/// What is sent, before headers and faults of the way.
struct Reply {
    status: StatusCode,
    content_type: &'static str,
    body: String,
    retry_after: Option<u64>,
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        Self {
            status: StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            content_type: "application/json",
            body: json!({ "error": { "type": problem.kind, "message": problem.message } }).to_string(),
            retry_after: None,
        }
    }
}

async fn handle(State(inner): State<Arc<Inner>>, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let path = request.uri().path().strip_prefix(BASE).unwrap_or_default();
    let query = request.uri().query().unwrap_or_default();
    let faults = inner.faults.strike(path);
    if faults.contains(&Fault::RevokeKey) {
        *lock(&inner.key) = None;
    }
    let key = check_key(&inner, &request);
    let standing = standing(&inner, key.is_ok());
    let mut reply = reply(&inner, &request, path, query, key, standing, &faults);
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    for (name, value) in [
        ("x-ratelimit-limit", HeaderValue::from(standing.limit)),
        ("x-ratelimit-remaining", HeaderValue::from(standing.remaining)),
        ("x-ratelimit-reset", HeaderValue::from(standing.reset)),
    ] {
        headers.insert(HeaderName::from_static(name), value);
    }
    if let Some(seconds) = reply.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    doors::send(&mut response, std::mem::take(&mut reply.body), faults::way(&faults), line);
    let mut log = lock(&inner.log);
    if log.len() >= LOGGED {
        log.drain(..LOGGED / 2);
    }
    log.push(LoggedRequest {
        method: request.method().to_string(),
        path: path.to_owned(),
        query: query.to_owned(),
        at: Clock::system().now(),
        status: reply.status.as_u16(),
    });
    response
}

fn check_key(inner: &Inner, request: &Request) -> Result<(), Problem> {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .ok_or_else(|| Problem::unauthenticated("Missing API key"))?;
    if !query::is_key(given) {
        return Err(Problem::unauthenticated("Malformed API key"));
    }
    match lock(&inner.key).as_deref() {
        Some(key) if key == given => Ok(()),
        _ => Err(Problem::unauthenticated("Unknown or revoked API key")),
    }
}

fn standing(inner: &Inner, charged: bool) -> Standing {
    let now = Clock::system().now();
    if charged {
        return lock(&inner.bucket).take(Instant::now(), now);
    }
    let limit = inner.options.capacity;
    Standing { limit, remaining: limit, reset: now.as_second(), retry_after: None }
}

fn reply(
    inner: &Inner,
    request: &Request,
    path: &str,
    query: &str,
    key: Result<(), Problem>,
    standing: Standing,
    faults: &[Fault],
) -> Reply {
    for fault in faults {
        match fault {
            Fault::Internal => return Problem::internal("Something went wrong").into(),
            Fault::Unavailable => return Problem::unavailable().into(),
            Fault::TooMany { retry_after } => return Reply { retry_after: *retry_after, ..Problem::too_many().into() },
            Fault::Html => {
                return Reply {
                    status: StatusCode::BAD_GATEWAY,
                    content_type: "text/html",
                    body: "<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>"
                        .to_owned(),
                    retry_after: None,
                };
            }
            _ => {}
        }
    }
    let answered = key.and_then(|()| {
        if request.method() != axum::http::Method::GET {
            return Err(Problem::invalid("Only GET is supported"));
        }
        if standing.retry_after.is_some() {
            return Err(Problem::too_many());
        }
        let segments: Option<Vec<String>> = path.split('/').filter(|s| !s.is_empty()).map(query::decode).collect();
        let segments = segments.ok_or_else(|| Problem::invalid("The path is not UTF-8"))?;
        let query = Query::read(query, |engine| knows_engine(inner, engine, &segments))?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        answers::answer(inner, &segments, &query, faults)
    });
    match answered {
        Ok(body) => Reply { status: StatusCode::OK, content_type: "application/json", body, retry_after: None },
        Err(problem) => Reply { retry_after: standing.retry_after.filter(|_| problem.status == 429), ..problem.into() },
    }
}

/// The engines that may be asked for: those that are documented, and any that the universe has rows of.
fn knows_engine(inner: &Inner, engine: &str, segments: &[String]) -> bool {
    matches!(engine, "chatgpt" | "gemini" | "grok" | "claude")
        || segments.get(1).is_some_and(|universe| {
            let mut state = lock(&inner.state);
            let newest = state.days(universe).first().copied();
            newest.is_some_and(|day| state.rows(universe, day).iter().any(|row| row.engine == engine))
        })
}

#[cfg(test)]
mod tests;

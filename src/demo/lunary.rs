//! An embedded server that speaks the runs API of Lunary on loopback, written from what its documentation says and what
//! the real backend was seen to do; where the two disagree it does what was seen.
//!
//! It serves any [`Tracker`] and knows nothing of the client that reads from it. What was neither written nor seen:
//! - `feedback` with a thumb of null finds the runs without a thumb, those without any feedback among them.
//! - `languages` and `topics` beside another filter restrict nothing, since nobody evaluates here.
//! - `firstMessage` is the input of a thread's first chat, `messagesCount` the number of its chats.
//! - `search` looks through JSON without spaces between its parts.
//! - Exports are JSON lines; CSV is refused, and neither traces nor threads carry what lies below them.
//! - A path that needs no key is counted by the rate limit like any other.

mod answers;
mod auth;
mod checks;
mod company;
mod export;
mod faults;
mod filters;
mod ids;
mod json;
mod limits;
mod list;
mod messages;
mod names;
mod options;
mod paging;
mod problem;
mod reply;
mod rows;
mod select;
mod serve;
mod state;
mod tracker;
mod world;

pub use super::faults::When;
pub use faults::{Fault, Faults, RowChange};
pub use options::LunaryOptions;
pub use tracker::{Project, Run, Template, Tracker, User};
pub use world::WorldTracker;

use super::{doors, lock};
use crate::model::Day;
use jiff::Timestamp;
use limits::Windows;
use serde_json::Value;
use state::State;
use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio_util::sync::CancellationToken;

/// The path below which everything is served.
const BASE: &str = "/v1";

/// A request that was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedRequest {
    /// The method.
    pub method: String,
    /// The path below the base, as sent: `/runs`.
    pub path: String,
    /// The query without its question mark, as sent; empty where there was none.
    pub query: String,
    /// When the answer began.
    pub at: Timestamp,
    /// The status sent, or that would have been sent on a connection that was closed.
    pub status: u16,
}

/// What handlers share.
struct Inner {
    state: Mutex<State>,
    faults: Faults,
    windows: Mutex<Windows>,
    revoked: AtomicBool,
    log: Mutex<Vec<LoggedRequest>>,
    options: LunaryOptions,
}

/// A running server; it stops when dropped.
pub struct LunaryServer {
    inner: Arc<Inner>,
    address: SocketAddr,
    stop: CancellationToken,
}

impl fmt::Debug for LunaryServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LunaryServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl LunaryServer {
    /// Starts a server on a free port of 127.0.0.1, on the current runtime.
    ///
    /// # Errors
    /// When the port cannot be opened.
    pub async fn start(tracker: Arc<dyn Tracker>, options: LunaryOptions) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let server = Self::new(listener.local_addr()?, tracker, options);
        tokio::spawn(doors::serve(listener, serve::app(&server.inner), server.stop.clone()));
        Ok(server)
    }

    /// Starts a server on a thread and a runtime of its own, for callers that have none.
    ///
    /// # Errors
    /// When the port cannot be opened or the thread cannot be made.
    pub fn spawn_on_thread(tracker: Arc<dyn Tracker>, options: LunaryOptions) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let server = Self::new(listener.local_addr()?, tracker, options);
        doors::serve_on_thread("demo-lunary", listener, serve::app(&server.inner), server.stop.clone())?;
        Ok(server)
    }

    fn new(address: SocketAddr, tracker: Arc<dyn Tracker>, options: LunaryOptions) -> Self {
        let inner = Inner {
            state: Mutex::new(State::new(tracker)),
            faults: Faults::default(),
            windows: Mutex::new(Windows::new(options.rate_limit.unwrap_or(u32::MAX), options.rate_period)),
            revoked: AtomicBool::new(false),
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

    fn project(&self, n: usize) -> Option<Project> {
        lock(&self.inner.state).tracker().projects().get(n).cloned()
    }

    /// The key that reads a project, by place; empty when there is no such project.
    #[must_use]
    pub fn private_key(&self, project: usize) -> String {
        self.project(project).map(|project| project.private_key).unwrap_or_default()
    }

    /// The key that may only send runs to a project, by place: the project's id. Empty when there is no such project.
    #[must_use]
    pub fn public_key(&self, project: usize) -> String {
        self.project_id(project)
    }

    /// The key of the first project's organisation, which does not open runs.
    #[must_use]
    pub fn org_key(&self) -> String {
        auth::organisation_key(self.project(0).map_or(0, |project| project.organisation))
    }

    /// The token of a person who is logged in, who may name any project of the first one's organisation.
    #[must_use]
    pub fn session_token(&self) -> &'static str {
        auth::SESSION
    }

    /// The id of a project, by place; empty when there is no such project.
    #[must_use]
    pub fn project_id(&self, n: usize) -> String {
        self.project(n).map(|project| project.id).unwrap_or_default()
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

    /// From now on every key is one that never was.
    pub fn revoke_keys(&self) {
        self.inner.revoked.store(true, Ordering::Relaxed);
    }

    /// The keys are good again.
    pub fn restore_keys(&self) {
        self.inner.revoked.store(false, Ordering::Relaxed);
    }

    /// Serves another tracker from now on, such as the same world with a later last day. What happened to runs stays.
    pub fn replace(&self, tracker: Arc<dyn Tracker>) {
        lock(&self.inner.state).replace(tracker);
    }

    /// Ends the open runs of a project's day.
    pub fn settle(&self, project: usize, day: Day) {
        lock(&self.inner.state).settle(project, day);
    }

    /// Changes the runs of a project in any way, from now on. It is given all of them at once, so a project of
    /// millions of runs is better left alone.
    pub fn edit(&self, project: usize, change: impl Fn(&mut Vec<Run>) + Send + Sync + 'static) {
        lock(&self.inner.state).edit(project, Box::new(change));
    }

    /// Deletes a run: it is in no list any more, nor found by its id, and nothing tells.
    pub fn remove(&self, run: &str) {
        lock(&self.inner.state).remove(run);
    }

    /// Gives feedback on a run, merged key by key with what it has; null takes it away.
    pub fn feedback(&self, run: &str, feedback: Value) {
        lock(&self.inner.state).feedback(run, feedback);
    }

    /// Replaces the tags of a run.
    pub fn tag(&self, run: &str, tags: &[&str]) {
        lock(&self.inner.state).tag(run, tags.iter().map(|tag| (*tag).to_owned()).collect());
    }

    /// Adds a run to a project. Its time is the caller's, so it can appear deep in the list.
    pub fn add(&self, project: usize, run: Run) {
        lock(&self.inner.state).add(project, run);
    }

    /// Stops the server: no new connection, and answers under way have a fraction of a second.
    pub fn shutdown(&self) {
        self.stop.cancel();
    }
}

impl Drop for LunaryServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests;

//! An embedded server that speaks the AI Visibility part of Lumar's GraphQL API on loopback, written from its
//! documentation alone.
//!
//! It serves any [`Tracker`] and knows nothing of the client that reads from it. `schema.graphql` is the contract; a
//! request is checked against it as real GraphQL servers do. Where the documentation contradicts itself or is silent,
//! the choice is an option of [`LumarOptions`] or a sentence here:
//! - A `dateRange` is in UTC days, both ends inside, and is about `createdAt`. Without one the score series, the runs
//!   and the cited URLs are those of all days, and figures of topics, prompts and brands are null.
//! - A run that is open or failed has counts of 0 for every brand, as one that does not know the brand.
//! - A merged variant is no brand any more: it cannot be asked about, and its figures are the target's.
//! - The limit per address counts every request, also refused ones; no header tells of it.

mod answers;
mod auth;
mod cx;
mod execute;
mod faults;
mod figures;
mod ids;
mod judge;
mod limits;
mod lists;
mod options;
mod problem;
mod request;
mod roots;
mod runs;
mod schema;
mod select;
mod state;
mod tracker;
mod values;
mod world;

pub use super::faults::When;
pub use auth::Credential;
pub use faults::{Fault, Faults, NodeChange};
pub use options::LumarOptions;
pub use schema::inferred_fields;
pub use tracker::{Account, Brand, Citation, Mention, Place, Project, Prompt, Run, Tracker};
pub use values::Spelling;
pub use world::WorldTracker;

use super::{doors, lock};
use crate::{clock::Clock, model::Day};
use auth::Auth;
use ids::kind;
use jiff::Timestamp;
use limits::Windows;
use schema::Schema;
use serde_json::Value;
use state::State;
use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};
use tokio_util::sync::CancellationToken;

/// The path of the API.
const PATH: &str = "/graphql";
/// Requests that the log remembers; a demo may run for days.
const LOGGED: usize = 20_000;

/// A request that was answered.
#[derive(Clone, PartialEq, Debug)]
pub struct LoggedRequest {
    /// The operation's name, where it has one.
    pub operation: Option<String>,
    /// The root fields in order of first appearance, each with how often it stands there.
    pub fields: Vec<(String, usize)>,
    /// The variables, as sent.
    pub variables: Value,
    /// What the request proved itself with.
    pub credential: Credential,
    /// When the answer began.
    pub at: Timestamp,
    /// The status sent.
    pub status: u16,
    /// The codes of the errors in the answer.
    pub codes: Vec<String>,
}

impl LoggedRequest {
    /// How often a root field stands in the request.
    #[must_use]
    pub fn count(&self, field: &str) -> usize {
        self.fields.iter().find(|(name, _)| name == field).map_or(0, |(_, count)| *count)
    }
}

/// What handlers share.
struct Inner {
    schema: Schema,
    state: Mutex<State>,
    auth: Mutex<Auth>,
    faults: Faults,
    windows: Mutex<Windows>,
    log: Mutex<Vec<LoggedRequest>>,
    options: LumarOptions,
}

/// A running server; it stops when dropped.
pub struct LumarServer {
    inner: Arc<Inner>,
    address: SocketAddr,
    stop: CancellationToken,
}

impl fmt::Debug for LumarServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LumarServer").field("address", &self.address).finish_non_exhaustive()
    }
}

impl LumarServer {
    /// Starts a server on a free port of 127.0.0.1, on the current runtime.
    ///
    /// # Errors
    /// When the port cannot be opened.
    pub async fn start(tracker: Arc<dyn Tracker>, options: LumarOptions) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let server = Self::new(listener.local_addr()?, tracker, options);
        tokio::spawn(doors::serve(listener, execute::app(&server.inner), server.stop.clone()));
        Ok(server)
    }

    /// Starts a server on a thread and a runtime of its own, for callers that have none.
    ///
    /// # Errors
    /// When the port cannot be opened or the thread cannot be made.
    pub fn spawn_on_thread(tracker: Arc<dyn Tracker>, options: LumarOptions) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let server = Self::new(listener.local_addr()?, tracker, options);
        doors::serve_on_thread("demo-lumar", listener, execute::app(&server.inner), server.stop.clone())?;
        Ok(server)
    }

    fn new(address: SocketAddr, tracker: Arc<dyn Tracker>, options: LumarOptions) -> Self {
        let inner = Inner {
            schema: Schema::without(&options.unknown_fields),
            state: Mutex::new(State::new(tracker)),
            auth: Mutex::new(Auth::new(options.session_life, options.session_requests)),
            faults: Faults::default(),
            windows: Mutex::new(Windows::new(options.rate_limit, options.rate_period)),
            log: Mutex::default(),
            options,
        };
        Self { inner: Arc::new(inner), address, stop: CancellationToken::new() }
    }

    /// The URL to give a client, path included.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// The id and the secret of the user key.
    #[must_use]
    pub fn user_key(&self) -> (String, String) {
        Auth::user_key()
    }

    /// The key of the first account's service account.
    #[must_use]
    pub fn service_key(&self) -> String {
        self.service_key_of(0)
    }

    /// The key of the service account of one of the user's accounts, by place.
    #[must_use]
    pub fn service_key_of(&self, account: usize) -> String {
        Auth::service_key(account)
    }

    /// The global ids of the user's accounts.
    #[must_use]
    pub fn account_ids(&self) -> Vec<String> {
        let tracker = lock(&self.inner.state).tracker();
        let own = tracker.accounts().iter().filter(|account| !account.foreign);
        own.map(|account| ids::encode(kind::ACCOUNT, account.id)).collect()
    }

    /// The global id of a project, by place; empty when there is no such project.
    #[must_use]
    pub fn project_id(&self, n: usize) -> String {
        let tracker = lock(&self.inner.state).tracker();
        tracker.projects().get(n).map(|project| ids::encode(kind::PROJECT, project.id)).unwrap_or_default()
    }

    /// The global id of the account that a project, by place, belongs to; empty when there is no such project.
    #[must_use]
    pub fn account_of(&self, n: usize) -> String {
        let tracker = lock(&self.inner.state).tracker();
        tracker.projects().get(n).map(|project| ids::encode(kind::ACCOUNT, project.account)).unwrap_or_default()
    }

    /// The global id of a project's brand of this name, listed or merged; empty when there is none.
    #[must_use]
    pub fn brand_id(&self, project: usize, name: &str) -> String {
        let tracker = lock(&self.inner.state).tracker();
        let brands = tracker.projects().get(project).map_or(&[][..], |project| &project.brands);
        let found = brands.iter().find(|brand| brand.name == name);
        found.map(|brand| ids::encode(kind::BRAND, brand.id)).unwrap_or_default()
    }

    /// The global id of a project's prompt, both by place; empty when there is none.
    #[must_use]
    pub fn prompt_id(&self, project: usize, n: usize) -> String {
        let tracker = lock(&self.inner.state).tracker();
        let prompt = tracker.projects().get(project).and_then(|project| project.prompts.get(n));
        prompt.map(|prompt| ids::encode(kind::PROMPT, prompt.id)).unwrap_or_default()
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

    /// From now on neither the user key, nor a session, nor a service key opens anything.
    pub fn revoke_credentials(&self) {
        lock(&self.inner.auth).revoked = true;
    }

    /// The keys are good again; sessions have to be made anew.
    pub fn restore_credentials(&self) {
        let mut auth = lock(&self.inner.auth);
        auth.revoked = false;
        auth.end_sessions();
    }

    /// Ends every session; the keys stay good.
    pub fn end_sessions(&self) {
        lock(&self.inner.auth).end_sessions();
    }

    /// Serves another tracker from now on, such as the same world with a later last day. What happened stays.
    pub fn replace(&self, tracker: Arc<dyn Tracker>) {
        lock(&self.inner.state).replace(tracker);
    }

    /// Merges a brand into another, both by global id: the variant is listed no more, and its figures are the target's.
    /// Does nothing when one of them is no brand's id.
    pub fn merge(&self, variant: &str, target: &str) {
        let brand = |id: &str| ids::decode(kind::BRAND, id);
        if let (Some(variant), Some(target)) = (brand(variant), brand(target)) {
            lock(&self.inner.state).merge(variant, target, Clock::system().now());
        }
    }

    /// Deletes a project, topic, prompt, brand or run, by global id: it is not returned any more, and nothing tells.
    pub fn remove(&self, id: &str) {
        lock(&self.inner.state).remove(id);
    }

    /// Ends the open runs of a project's day, the project by place.
    pub fn settle(&self, project: usize, day: Day) {
        lock(&self.inner.state).settle(project, day);
    }

    /// Runs every prompt of a project's day again: one more run of each engine, beside those that are there.
    pub fn rerun(&self, project: usize, day: Day) {
        let mut state = lock(&self.inner.state);
        let prompts = state.tracker().projects().get(project).map_or(0, |project| project.prompts.len());
        for prompt in 0..prompts {
            state.add_take(Place { project, prompt, day });
        }
    }

    /// Changes the runs of a project, prompt by prompt and day by day, in any way, from now on.
    pub fn edit(&self, project: usize, change: impl Fn(&mut Vec<Run>) + Send + Sync + 'static) {
        lock(&self.inner.state).edit(project, Box::new(change));
    }

    /// Stops the server: no new connection, and answers under way have a fraction of a second.
    pub fn shutdown(&self) {
        self.stop.cancel();
    }
}

impl Drop for LumarServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests;

//! Sessions of the older protocol eras: how many, whose they are, and their end.

use super::HttpLimits;
use crate::mcp::Principal;
use rmcp::{
    model::ClientJsonRpcMessage,
    transport::streamable_http_server::session::local::{LocalSessionManager, SessionConfig},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The sessions of a server.
pub(super) struct Sessions {
    /// Those of Streamable HTTP. The library ends them when they are idle.
    pub(super) streamable: Arc<LocalSessionManager>,
    /// Whose they are, by id.
    owners: Mutex<HashMap<String, String>>,
    /// Those of HTTP+SSE.
    pub(super) sse: Mutex<HashMap<String, SseSession>>,
    most: usize,
    /// All end.
    pub(super) closing: CancellationToken,
}

/// A session of HTTP+SSE.
pub(super) struct SseSession {
    pub(super) principal: Arc<Principal>,
    pub(super) incoming: mpsc::Sender<ClientJsonRpcMessage>,
}

impl Sessions {
    pub(super) fn new(limits: &HttpLimits) -> Self {
        let mut session_config = SessionConfig::default();
        session_config.keep_alive = Some(limits.idle);
        let mut streamable = LocalSessionManager::default();
        streamable.session_config = session_config;
        Self {
            streamable: Arc::new(streamable),
            owners: Mutex::default(),
            sse: Mutex::default(),
            most: limits.sessions,
            closing: CancellationToken::new(),
        }
    }

    pub(super) fn lock_sse(&self) -> MutexGuard<'_, HashMap<String, SseSession>> {
        self.sse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are open.
    pub(super) async fn count(&self) -> usize {
        self.streamable.sessions.read().await.len() + self.lock_sse().len()
    }

    /// Is there room for one more?
    pub(super) async fn has_room(&self) -> bool {
        self.count().await < self.most
    }

    /// Takes note of whose a new session is, and forgets those that have ended.
    pub(super) async fn opened(&self, id: &str, principal: &Principal) {
        let open = self.streamable.sessions.read().await;
        let mut owners = self.owners();
        owners.retain(|known, _| open.contains_key(known.as_str()));
        owners.insert(id.to_owned(), principal.name.clone());
    }

    /// Is this a session of the principal's? Another's is as unknown as none.
    pub(super) fn is_of(&self, id: &str, principal: &Principal) -> bool {
        self.owners().get(id).is_some_and(|owner| *owner == principal.name)
    }
}

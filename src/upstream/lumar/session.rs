//! Who asks: a service key as it is, or a session that a user key opens and renews.

use crate::upstream::http::Auth;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// How long before its end a session is renewed.
const MARGIN: Duration = Duration::from_mins(2);

/// The credential of a Lumar source.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A user's key, which opens a session.
    UserKey {
        /// The key's id.
        id: SecretString,
        /// Its secret.
        secret: SecretString,
    },
    /// A service account's key, `lmr_sa_...`, sent as it is.
    ServiceKey(SecretString),
}

impl Credential {
    /// Is there a text in every part of it that can be sent?
    pub(super) fn is_usable(&self) -> bool {
        match self {
            Self::UserKey { id, secret } => [id, secret].iter().all(|part| Auth::Token((*part).clone()).is_usable()),
            Self::ServiceKey(key) => Auth::ApiKey(key.clone()).is_usable(),
        }
    }

    /// The input of the mutation that opens a session; none where none is needed.
    pub(super) fn session_input(&self) -> Option<Value> {
        match self {
            Self::UserKey { id, secret } => Some(json!({
                "userKeyId": id.expose_secret().trim(),
                "secret": secret.expose_secret().trim(),
                "name": "visibility-mcp",
            })),
            Self::ServiceKey(_) => None,
        }
    }
}

/// An open session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) token: SecretString,
    /// When it is to be renewed; none where its end is not known.
    renew_at: Option<Instant>,
}

impl Session {
    /// A session whose end is told in the upstream's own time.
    pub(super) fn new(token: SecretString, expires_at: Option<Timestamp>, date: Option<Timestamp>) -> Self {
        let life = expires_at.zip(date).map(|(end, now)| end.duration_since(now));
        // One that has ended before it began tells nothing of its end.
        let life = life.and_then(|life| Duration::try_from(life).ok()).filter(|life| !life.is_zero());
        let wait = life.map(|life| life.saturating_sub(MARGIN).max(life / 2));
        Self { token, renew_at: wait.and_then(|wait| Instant::now().checked_add(wait)) }
    }

    /// Is it to be used no longer?
    pub(super) fn is_over(&self) -> bool {
        self.renew_at.is_some_and(|at| Instant::now() >= at)
    }
}

/// The session that all requests share, and how many there have been.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    pub(super) current: Option<Session>,
    pub(super) count: u64,
}

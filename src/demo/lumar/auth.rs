//! Who asks: sessions made of a user key, and service keys.

use super::{
    ids::{self, kind},
    problem::Problem,
};
use crate::demo::rng::uuid;
use axum::http::HeaderMap;
use jiff::Timestamp;
use std::{collections::BTreeMap, time::Duration};
use xxhash_rust::xxh3::xxh3_64;

/// What a request proved itself with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Credential {
    /// Nothing, or nothing that counts.
    Nothing,
    /// A session's token in `x-auth-token`.
    Session,
    /// A service account's key in `x-api-key`.
    ServiceKey,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Identity {
    Nobody,
    User,
    /// A service account of one account, by number.
    Service(u64),
}

impl Identity {
    pub(super) fn credential(self) -> Credential {
        match self {
            Self::Nobody => Credential::Nothing,
            Self::User => Credential::Session,
            Self::Service(_) => Credential::ServiceKey,
        }
    }
}

/// The number of the user and of its key.
pub(super) const USER: u64 = 501;
const USER_KEY: u64 = 601;
const FIRST_SERVICE: u64 = 701;

#[derive(Clone, Debug)]
struct Session {
    expires_at: Timestamp,
    requests_left: Option<u32>,
}

/// Credentials and sessions of one server.
#[derive(Debug)]
pub(super) struct Auth {
    sessions: BTreeMap<String, Session>,
    made: u64,
    pub(super) revoked: bool,
    life: Duration,
    requests: Option<u32>,
}

impl Auth {
    pub(super) fn new(life: Duration, requests: Option<u32>) -> Self {
        Self { sessions: BTreeMap::new(), made: 0, revoked: false, life, requests }
    }

    /// The id and the secret of the user key.
    pub(super) fn user_key() -> (String, String) {
        (ids::encode(kind::USER_KEY, USER_KEY), uuid(xxh3_64(b"user key"), &[]).replace('-', ""))
    }

    /// The key of an account's service account.
    pub(super) fn service_key(account: usize) -> String {
        let id = FIRST_SERVICE + crate::demo::rng::place(account);
        format!("lmr_sa_{id}_{}", uuid(xxh3_64(b"service key"), &[id]).replace('-', ""))
    }

    /// Opens a session for a user key: its token and when it ends.
    pub(super) fn open(&mut self, id: &str, secret: &str, now: Timestamp) -> Result<(String, Timestamp), Problem> {
        let key = Self::user_key();
        if self.revoked || (id != key.0 && id != USER_KEY.to_string()) || secret != key.1 {
            return Err(Problem::wrong_user_key());
        }
        self.made += 1;
        let token = uuid(xxh3_64(b"session"), &[self.made]).replace('-', "");
        let expires_at = now.checked_add(self.life).unwrap_or(Timestamp::MAX);
        self.sessions.insert(token.clone(), Session { expires_at, requests_left: self.requests });
        Ok((token, expires_at))
    }

    /// Ends every session; the keys stay good.
    pub(super) fn end_sessions(&mut self) {
        self.sessions.clear();
    }

    /// Who sends these headers; counts the request. `accounts` are those of the user, in order.
    pub(super) fn identify(&mut self, headers: &HeaderMap, accounts: &[u64], now: Timestamp) -> Identity {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if self.revoked {
            return Identity::Nobody;
        }
        if let Some(token) = header("x-auth-token") {
            let Some(session) = self.sessions.get_mut(token) else { return Identity::Nobody };
            if now >= session.expires_at || session.requests_left == Some(0) {
                return Identity::Nobody;
            }
            session.requests_left = session.requests_left.map(|left| left - 1);
            return Identity::User;
        }
        let given = header("x-api-key").unwrap_or_default();
        let known = accounts.iter().enumerate().find(|(ix, _)| Self::service_key(*ix) == given);
        known.map_or(Identity::Nobody, |(_, account)| Identity::Service(*account))
    }
}

//! An issuer's keys: found by its metadata, kept for an hour, fetched by one for all.

use crate::upstream::{Error, issuer};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use std::{
    str::FromStr as _,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};
use url::Url;

const KEEP: Duration = Duration::from_hours(1);
// What a client makes up must not become requests to the issuer.
const EVERY: Duration = Duration::from_secs(30);
// Until there are keys nobody is let in, so that the wait is shorter.
const EVERY_AT_FIRST: Duration = Duration::from_secs(5);
const WITHIN: Duration = Duration::from_secs(10);

/// Why no key is there.
#[derive(Debug)]
pub(super) enum Missing {
    /// The issuer has none of that name that signs so.
    Key,
    /// The issuer could not be asked yet.
    All {
        /// Seconds until it will be again.
        again_s: u64,
    },
}

/// The keys of one issuer.
pub(super) struct Keys {
    issuer: String,
    documents: Vec<Url>,
    known: RwLock<Option<Arc<Known>>>,
    /// When they were asked for last. Who holds it asks for them, and the others wait.
    asked: tokio::sync::Mutex<Option<Instant>>,
}

struct Known {
    keys: Vec<Key>,
    since: Instant,
}

struct Key {
    name: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl Known {
    fn find(&self, name: Option<&str>, algorithm: Algorithm) -> Vec<DecodingKey> {
        let fits = |key: &&Key| {
            key.algorithms.contains(&algorithm) && name.is_none_or(|name| key.name.as_deref() == Some(name))
        };
        self.keys.iter().filter(fits).map(|key| key.key.clone()).collect()
    }
}

impl Keys {
    pub(super) fn new(issuer: &str, at: &Url) -> Self {
        Self {
            issuer: issuer.to_owned(),
            documents: documents(at),
            known: RwLock::default(),
            asked: tokio::sync::Mutex::default(),
        }
    }

    /// The keys of this name, or of any where a token names none, that sign in this way.
    pub(super) async fn find(
        self: &Arc<Self>,
        name: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<DecodingKey>, Missing> {
        let known = match self.known() {
            Some(known) if known.since.elapsed() < KEEP => Some(known),
            // One waits for newer ones, the others go on with what there is.
            Some(known) if self.asked.try_lock().is_err() => Some(known),
            known => self.refreshed(known.as_deref()).await,
        };
        let Some(known) = known else { return Err(Missing::All { again_s: EVERY_AT_FIRST.as_secs() }) };
        let mut found = known.find(name, algorithm);
        if found.is_empty() {
            // Keys are changed without notice.
            found = self.refreshed(Some(&known)).await.map(|known| known.find(name, algorithm)).unwrap_or_default();
        }
        if found.is_empty() { Err(Missing::Key) } else { Ok(found) }
    }

    /// Asks for the keys, where nobody has done so lately.
    pub(super) async fn prepare(self: &Arc<Self>) {
        self.refreshed(None).await;
    }

    fn known(&self) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The keys after those that were seen, if there are newer ones now.
    async fn refreshed(self: &Arc<Self>, seen: Option<&Known>) -> Option<Arc<Known>> {
        let (keys, seen) = (Arc::clone(self), seen.map(|known| known.since));
        // A client that goes away must not take with it what all wait for.
        let _ = tokio::spawn(async move { keys.refresh(seen).await }).await;
        self.known()
    }

    async fn refresh(&self, seen: Option<Instant>) {
        let mut asked = self.asked.lock().await;
        let known = self.known();
        if known.as_ref().map(|known| known.since) != seen {
            // Another has fetched them meanwhile.
            return;
        }
        let every = if known.is_some() { EVERY } else { EVERY_AT_FIRST };
        if asked.is_some_and(|at| at.elapsed() < every) {
            return;
        }
        let fetched = tokio::time::timeout(WITHIN, self.fetch()).await;
        match fetched.unwrap_or_else(|_| Err("it took too long".to_owned())) {
            Ok(keys) => {
                tracing::info!(issuer = self.issuer, keys = keys.len(), "the issuer's keys were read");
                // The first ones do not count: an issuer that changes its keys just then is asked again at once.
                *asked = known.map(|_| Instant::now());
                let known = Arc::new(Known { keys, since: Instant::now() });
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
            }
            Err(error) => {
                let effect = if known.is_some() { "those known are used on" } else { "no token of it is accepted yet" };
                tracing::warn!(issuer = self.issuer, error, "the issuer's keys could not be read; {effect}");
                *asked = Some(Instant::now());
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<Key>, String> {
        let at = self.keys_at().await?;
        let text = issuer::fetch("the issuer's keys", at).await.map_err(|error| error.to_string())?;
        let set: Set = serde_json::from_str(&text).map_err(|_| "its keys are not a JSON Web Key Set".to_owned())?;
        let keys: Vec<Key> = set.keys.into_iter().filter_map(key).collect();
        if keys.is_empty() {
            Err("none of its keys checks a signature that this server knows".to_owned())
        } else {
            Ok(keys)
        }
    }

    /// Where the keys are, as the first document says that is there.
    async fn keys_at(&self) -> Result<Url, String> {
        let mut problem = String::new();
        for document in &self.documents {
            match issuer::fetch("the issuer's metadata", document.clone()).await {
                Ok(text) => match self.read(&text) {
                    Ok(url) => return Ok(url),
                    Err(found) => problem = found.to_owned(),
                },
                // Nobody is there, so that the other documents are not either.
                Err(error @ Error::Network { .. }) => return Err(error.to_string()),
                Err(error) if problem.is_empty() => problem = error.to_string(),
                Err(_) => {}
            }
        }
        Err(problem)
    }

    fn read(&self, text: &str) -> Result<Url, &'static str> {
        let metadata: Metadata = serde_json::from_str(text).map_err(|_| "its metadata is not what RFC 8414 says")?;
        if metadata.issuer != self.issuer {
            return Err(
                "its metadata is of another issuer; --oauth-issuer must be what it calls itself, letter by letter",
            );
        }
        let at = Url::parse(&metadata.jwks_uri).map_err(|_| "the address of its keys is none")?;
        // That of keys may have a query, unlike the issuer's own.
        let mut plain = at.clone();
        plain.set_query(None);
        issuer::check(&plain).map_err(|_| "the address of its keys is not one to trust: https, without a password")?;
        Ok(at)
    }
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

/// Where an issuer's metadata may be: as RFC 8414 has it, and as `OpenID` Connect has it, both ways.
fn documents(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let mut paths = vec![
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
        format!("{path}/.well-known/openid-configuration"),
    ];
    paths.dedup();
    let at = |path: String| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    };
    paths.into_iter().map(at).collect()
}

/// A key that is for signatures. What it is says how it may sign, never the token.
fn key(value: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let common = &jwk.common;
    let signs = common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
    let checks = common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    let mut algorithms = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => vec![
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => vec![Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P384 => vec![Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => vec![Algorithm::EdDSA],
        _ => return None,
    };
    if let Some(only) = common.key_algorithm {
        let only = Algorithm::from_str(&only.to_string()).ok()?;
        algorithms.retain(|algorithm| *algorithm == only);
    }
    let usable = signs && checks && !algorithms.is_empty();
    let key = usable.then(|| DecodingKey::from_jwk(&jwk).ok()).flatten()?;
    Some(Key { name: jwk.common.key_id, algorithms, key })
}

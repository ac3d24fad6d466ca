//! Tokens of an issuer (OAuth 2.1): signed by it, for this server, in time, with the scope to read.

mod keys;
mod signatures;

use super::{PERSON, PROGRAM, is_vouched};
use crate::{
    mcp::{
        Principal,
        http::{Authenticate, Denied, ProtectedResource, READ, SYNC},
    },
    store::Allowed,
    upstream::issuer,
};
use axum::http::{StatusCode, header};
use futures_util::future::BoxFuture;
use jsonwebtoken::{Header, Validation, decode, decode_header, errors::ErrorKind};
use keys::{Keys, Missing};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use url::Url;

// Clocks of two machines differ.
const LEEWAY_S: u64 = 30;
const LONGEST_TOKEN: usize = 16 << 10;
const LONGEST_NAME: usize = 255;
// What an access token may call itself: RFC 9068, and issuers that are older than it.
const TYPES: [&str; 3] = ["at+jwt", "application/at+jwt", "jwt"];

/// The addresses cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// The issuer's.
    #[error("the issuer {url:?} cannot be used: {problem}")]
    Issuer {
        /// As given.
        url: String,
        /// Why not.
        problem: &'static str,
    },
    /// The server's own.
    #[error("the resource {url:?} cannot be used: {problem}")]
    Resource {
        /// As given.
        url: String,
        /// Why not.
        problem: &'static str,
    },
}

/// The tokens of an issuer.
pub struct OAuth {
    resource: Arc<ProtectedResource>,
    keys: Arc<Keys>,
    validation: Validation,
    projects_claim: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    /// One; the library would take a list.
    #[serde(rename = "iss")]
    _issuer: String,
    #[serde(rename = "sub")]
    subject: Option<String>,
    client_id: Option<String>,
    scope: Option<Listed>,
    // As some issuers have it.
    scp: Option<Listed>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Several words, in either of the ways that issuers write them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Listed {
    Spaced(String),
    Each(Vec<String>),
}

impl Listed {
    fn words(&self) -> Vec<&str> {
        match self {
            Self::Spaced(text) => text.split_whitespace().collect(),
            Self::Each(words) => words.iter().map(String::as_str).collect(),
        }
    }
}

/// Why a token does not let in.
#[derive(Debug)]
enum Refused {
    Invalid(&'static str),
    Scope(String, &'static str),
    Projects(&'static str),
    NoKeys { again_s: u64 },
}

impl OAuth {
    /// Tokens of this issuer for the server at this address. With a claim, that names the projects of each; without one
    /// all are open.
    ///
    /// # Errors
    /// That an address cannot be one of these.
    pub fn new(issuer: &str, resource: &str, projects_claim: Option<String>) -> Result<Self, OAuthError> {
        let checked = |url: &str| {
            let parsed = Url::parse(url).map_err(|_| "it is not an address")?;
            issuer::check(&parsed).map(|()| parsed)
        };
        let at = checked(issuer).map_err(|problem| OAuthError::Issuer { url: issuer.to_owned(), problem })?;
        let url = checked(resource).map_err(|problem| OAuthError::Resource { url: resource.to_owned(), problem })?;
        signatures::install();
        let resource = ProtectedResource::new(resource, url, issuer);
        let mut validation = Validation { leeway: LEEWAY_S, validate_nbf: true, ..Validation::default() };
        validation.set_issuer(&[issuer]);
        validation.set_audience(&resource.audience());
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        let keys = Arc::new(Keys::new(issuer, &at));
        Ok(Self { resource: Arc::new(resource), keys, validation, projects_claim })
    }

    /// What the server is to the issuer.
    #[must_use]
    pub fn resource(&self) -> Arc<ProtectedResource> {
        Arc::clone(&self.resource)
    }

    /// Fetches the issuer's keys before anybody needs them. An issuer that is down is asked again when somebody does.
    pub async fn prepare(&self) {
        self.keys.prepare().await;
    }

    /// The answer to a token that is not accepted, and to none: with words for a person and a client.
    pub(super) fn unauthorized(&self, words: &'static str) -> Denied {
        self.denied(&Refused::Invalid(words))
    }

    async fn check(&self, token: &str) -> Result<Principal, Refused> {
        if token.len() > LONGEST_TOKEN {
            return Err(Refused::Invalid("the token is longer than this server reads"));
        }
        let header = decode_header(token)
            .map_err(|_| Refused::Invalid("the token is not a JWT signed in a way that this server knows"))?;
        if header.crit.is_some() || header.typ.as_ref().is_some_and(|kind| !is_access_token(kind)) {
            return Err(Refused::Invalid("the token is of another kind than an access token"));
        }
        let claims = self.signed(token, &header).await?;
        self.principal(&claims)
    }

    async fn signed(&self, token: &str, header: &Header) -> Result<Claims, Refused> {
        let keys = self.keys.find(header.kid.as_deref(), header.alg).await.map_err(|missing| match missing {
            Missing::Key => Refused::Invalid("the token is not signed with a key of the issuer"),
            Missing::All { again_s } => Refused::NoKeys { again_s },
        })?;
        let mut validation = self.validation.clone();
        // The key has said that this is how it signs.
        validation.algorithms = vec![header.alg];
        let mut refused = Refused::Invalid("the token is not signed with a key of the issuer");
        for key in keys {
            match decode::<Claims>(token, &key, &validation) {
                Ok(checked) => return Ok(checked.claims),
                Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {}
                Err(error) => refused = Refused::Invalid(words(error.kind())),
            }
        }
        Err(refused)
    }

    fn principal(&self, claims: &Claims) -> Result<Principal, Refused> {
        let name = name(claims).ok_or(Refused::Invalid("the token does not say whose it is"))?;
        let scopes: Vec<&str> = [&claims.scope, &claims.scp].into_iter().flatten().flat_map(Listed::words).collect();
        if !scopes.contains(&READ) {
            return Err(Refused::Scope(
                READ.to_owned(),
                "the token lacks the scope visibility:read; ask the issuer for it",
            ));
        }
        let projects = match &self.projects_claim {
            None => Allowed::All,
            Some(claim) => projects(claims.others.get(claim))?,
        };
        Ok(Principal { name, projects, may_sync: scopes.contains(&SYNC) })
    }

    fn denied(&self, refused: &Refused) -> Denied {
        let at = self.resource.described_at();
        let challenge = |error: &str, scope: &str| {
            let challenge = format!("Bearer realm=\"visibility-mcp\"{error}, resource_metadata=\"{at}\"{scope}");
            (header::WWW_AUTHENTICATE, challenge)
        };
        let error = |code: &str, words: &str| format!(", error=\"{code}\", error_description=\"{words}\"");
        let scope = |scopes: &str| format!(", scope=\"{scopes}\"");
        match refused {
            Refused::Invalid(words) => Denied {
                status: StatusCode::UNAUTHORIZED,
                header: challenge(&error("invalid_token", words), &scope(READ)),
                words,
            },
            Refused::Scope(scopes, words) => Denied {
                status: StatusCode::FORBIDDEN,
                header: challenge(&error("insufficient_scope", words), &scope(scopes)),
                words,
            },
            // No token that a client could ask for is better: without a code it does not ask again and again.
            Refused::Projects(words) => Denied { status: StatusCode::FORBIDDEN, header: challenge("", ""), words },
            Refused::NoKeys { again_s } => Denied {
                status: StatusCode::SERVICE_UNAVAILABLE,
                header: (header::RETRY_AFTER, again_s.to_string()),
                words: "the issuer of tokens cannot be reached, so that no token can be checked; try again later",
            },
        }
    }
}

impl Authenticate for OAuth {
    fn authenticate<'a>(&'a self, token: Option<&'a str>) -> BoxFuture<'a, Result<Arc<Principal>, Denied>> {
        Box::pin(async move {
            let Some(token) = token else {
                let at = self.resource.described_at();
                let challenge =
                    format!("Bearer realm=\"visibility-mcp\", resource_metadata=\"{at}\", scope=\"{READ}\"");
                return Err(Denied {
                    status: StatusCode::UNAUTHORIZED,
                    header: (header::WWW_AUTHENTICATE, challenge),
                    words: "a token is needed: Authorization: Bearer TOKEN; the metadata says which issuer has it",
                });
            };
            self.check(token).await.map(Arc::new).map_err(|refused| self.denied(&refused))
        })
    }

    fn to_sync(&self, principal: &Principal) -> Option<Denied> {
        is_vouched(&principal.name).then(|| {
            // Both, or a client would give up the one for the other.
            let scopes = format!("{READ} {SYNC}");
            self.denied(&Refused::Scope(scopes, "to sync takes the scope visibility:sync; ask the issuer for it"))
        })
    }
}

fn is_access_token(kind: &str) -> bool {
    TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind))
}

/// Nothing of the token itself: it is a stranger's.
fn words(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "the token has expired; get a new one from the issuer",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::InvalidAudience => {
            "the token is for another server; ask the issuer for one with this as its resource"
        }
        ErrorKind::MissingRequiredClaim(_) => "the token lacks one of the claims exp, iss and aud",
        _ => "the token cannot be read",
    }
}

fn name(claims: &Claims) -> Option<String> {
    let (prefix, id) = match (&claims.subject, &claims.client_id) {
        (Some(subject), _) => (PERSON, subject),
        (None, Some(client)) => (PROGRAM, client),
        (None, None) => return None,
    };
    let fits = !id.is_empty() && id.len() <= LONGEST_NAME && !id.chars().any(char::is_control);
    fits.then(|| format!("{prefix}{id}"))
}

fn projects(claim: Option<&Value>) -> Result<Allowed, Refused> {
    let Some(claim) = claim else {
        return Err(Refused::Projects(
            "the token does not list the projects that it opens; its issuer must add the claim",
        ));
    };
    let listed = Listed::deserialize(claim).ok();
    let names = listed.map(|listed| listed.words().into_iter().map(str::to_owned).collect());
    names.and_then(|names| super::projects(names).ok()).ok_or(Refused::Projects(
        "the token's claim of projects must list source/project, source/* or *; names with spaces need an array",
    ))
}

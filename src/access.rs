//! Access: who may ask a server over HTTP, and for what. The tokens of a file, each with its projects, and those of an
//! issuer.

mod oauth;
mod tokens;

pub use oauth::{OAuth, OAuthError};
pub use tokens::{Minted, TokenFile, TokenFileError, mint};

use crate::{
    mcp::{
        Principal,
        http::{Authenticate, Denied},
    },
    store::Allowed,
};
use futures_util::future::BoxFuture;
use std::sync::Arc;

// Names of principals that an issuer vouches for. A person and a program of the same id are two.
const PERSON: &str = "oauth:";
const PROGRAM: &str = "oauth-client:";

/// Is a principal of this name one that an issuer vouches for?
fn is_vouched(name: &str) -> bool {
    name.starts_with(PERSON) || name.starts_with(PROGRAM)
}

/// The projects that names open.
fn projects(names: Vec<String>) -> Result<Allowed, String> {
    if names.iter().any(|name| name == "*") {
        return Ok(Allowed::All);
    }
    if names.is_empty() {
        return Err("none; list `source/project`, or `source/*`, or `*` for all".to_owned());
    }
    match names.iter().find(|name| !name.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())) {
        Some(odd) => Err(format!("{odd:?} is not `source/project`; list_sources shows both")),
        None => Ok(Allowed::Only(names.into_iter().collect())),
    }
}

/// The tokens of a file and those of an issuer, told apart by how they begin.
pub struct Both {
    /// The file's.
    pub file: TokenFile,
    /// The issuer's.
    pub oauth: Arc<OAuth>,
}

impl Authenticate for Both {
    fn authenticate<'a>(&'a self, token: Option<&'a str>) -> BoxFuture<'a, Result<Arc<Principal>, Denied>> {
        match token {
            Some(known) if known.starts_with(tokens::PREFIX) => Box::pin(async move {
                let found = self.file.authenticate(token).await;
                // A client with a token that was taken out is told where it may get another.
                found.map_err(|denied| self.oauth.unauthorized(denied.words))
            }),
            _ => self.oauth.authenticate(token),
        }
    }

    fn to_sync(&self, principal: &Principal) -> Option<Denied> {
        self.oauth.to_sync(principal)
    }
}

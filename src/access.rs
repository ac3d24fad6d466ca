//! Access: who may ask a server over HTTP, and for what. The tokens of a file, each with its projects, and those of an
//! issuer.

mod oauth;
mod tokens;

pub use oauth::{OAuth, OAuthError};
pub use tokens::{Minted, TokenFile, TokenFileError, mint};

use crate::mcp::{
    Principal,
    http::{Authenticate, Denied},
};
use futures_util::future::BoxFuture;
use std::sync::Arc;

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

//! What the server is to an issuer of tokens and its clients: a protected resource (RFC 9728).

use axum::{
    Json,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use std::sync::Arc;
use url::Url;

/// The scope of those who may read.
pub const READ: &str = "visibility:read";
/// The scope of those who may have sources synced as well.
pub const SYNC: &str = "visibility:sync";

pub(super) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The server as clients and the issuer of their tokens know it.
#[derive(Debug)]
pub struct ProtectedResource {
    name: String,
    url: Url,
    issuer: String,
}

impl ProtectedResource {
    /// The server at this address, for tokens of this issuer; both are told to clients letter by letter.
    #[must_use]
    pub fn new(name: &str, url: Url, issuer: &str) -> Self {
        Self { name: name.to_owned(), url, issuer: issuer.to_owned() }
    }

    /// What tokens for this server have as their audience: its address as given, or as a client writes the same.
    #[must_use]
    pub fn audience(&self) -> [&str; 2] {
        [&self.name, self.url.as_str()]
    }

    /// The name in its address.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Where its description is, as clients reach it.
    #[must_use]
    pub fn described_at(&self) -> String {
        format!("{}{}", self.url.origin().ascii_serialization(), self.path())
    }

    /// A resource's path goes behind the well-known one.
    fn path(&self) -> String {
        format!("{WELL_KNOWN}{}", if self.url.path() == "/" { "" } else { self.url.path() })
    }

    /// Is its description at this path? There are clients that look at the shorter one only.
    pub(super) fn is_described_at(&self, path: &str) -> bool {
        path == WELL_KNOWN || path == self.path()
    }

    fn description(&self) -> Value {
        json!({
            "resource": self.name,
            "authorization_servers": [self.issuer],
            "scopes_supported": [READ, SYNC],
            "bearer_methods_supported": ["header"],
            "resource_name": "visibility-mcp",
        })
    }
}

pub(super) async fn describe(State(resource): State<Arc<ProtectedResource>>, uri: Uri) -> Response {
    if resource.is_described_at(uri.path()) {
        Json(resource.description()).into_response()
    } else {
        (StatusCode::NOT_FOUND, "no such resource here\n").into_response()
    }
}

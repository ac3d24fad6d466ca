//! What an issuer of tokens publishes: small documents that anybody may read. No key is sent, no redirect followed.

use super::{
    Error,
    http::{Auth, Http, HttpConfig, Limits, Request, is_loopback},
    rate::Quota,
};
use std::time::Duration;
use url::Url;

// Somebody who wants to be let in waits for it.
const LIMITS: Limits = Limits {
    connect_timeout: Duration::from_secs(5),
    read_timeout: Duration::from_secs(5),
    total_timeout: Duration::from_secs(5),
    tries: 1,
    budget: Duration::from_secs(5),
    first_delay: Duration::ZERO,
    max_delay: Duration::ZERO,
    max_bytes: 256 * 1024,
};
const ONE: Quota = Quota { capacity: 1, refill: Duration::from_secs(1) };

/// Can what is published at this address be believed? Whoever is on the way to it must not be able to write it.
///
/// # Errors
/// What is wrong with the address.
pub fn check(url: &Url) -> Result<(), &'static str> {
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        "http" => return Err("it is plain http, which is for this machine alone; use https"),
        _ => return Err("it is not an https address"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has a query or a fragment");
    }
    Ok(())
}

/// The document at this address. `what` names it in errors.
///
/// # Errors
/// Any [`Error`]; what may pass is not tried again.
pub async fn fetch(what: &str, url: Url) -> Result<String, Error> {
    let config = HttpConfig {
        base_url: url.clone(),
        auth: Auth::PerRequest,
        key_variable: String::new(),
        quota: ONE,
        limits: LIMITS,
    };
    Http::new(config)?.fetch(&Request { what: what.to_owned(), url }).await
}

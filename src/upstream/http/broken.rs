//! What went wrong with a connection, in our words.

use super::clean;
use crate::upstream::Error;
use std::{error::Error as _, io, time::Duration};

/// No answer, or half of one.
pub(super) fn broken(error: &reqwest::Error) -> Error {
    let chain = chain(error);
    tracing::debug!(error = %clean(&chain), "the connection failed");
    let what = match io_kind(error) {
        _ if error.is_timeout() && error.is_connect() => "no connection was made in time",
        _ if error.is_timeout() => "no answer came in time",
        _ if error.is_dns() => "the host name could not be resolved",
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused",
        Some(io::ErrorKind::InvalidData) if error.is_connect() => "no secure connection could be made",
        _ if error.is_connect() => "no connection could be made",
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe) => {
            "the connection was reset"
        }
        _ if error.is_body() || error.is_decode() => "the answer was cut off or damaged",
        _ => "the connection broke before an answer came",
    };
    Error::Network { what: what.to_owned(), tries: 1, waited: Duration::ZERO }
}

fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    let mut source = error.source();
    let mut kind = None;
    while let Some(error) = source {
        // The innermost one: outer ones wrap it as `Other`.
        kind = error.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
        source = error.source();
    }
    kind
}

pub(super) fn chain(error: &reqwest::Error) -> String {
    // The address holds ids only, but it is long and told apart by the request's name.
    let mut text = String::new();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text.trim_start_matches(": ").to_owned()
}

//! What can go wrong with an upstream, by meaning, each with the step that mends it.

use std::time::Duration;

/// An upstream did not give what was asked for.
///
/// Its text is ours alone: what the upstream wrote goes to the log, cleaned, never into an answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The credential is missing, malformed, unknown or revoked (401).
    #[error("the key was refused ({status})")]
    Unauthorized {
        /// The HTTP status.
        status: u16,
        /// The variable that holds the credential.
        variable: String,
    },
    /// The credential may not read this (403).
    #[error("the key may not read {what}")]
    Forbidden {
        /// What was refused, such as `universe 1f0c…`.
        what: String,
    },
    /// There is no such thing (404), where that is an error.
    #[error("{what} does not exist upstream")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The upstream calls our request wrong (400, 405, 422).
    #[error("the upstream refused the request for {what} as invalid ({status})")]
    Invalid {
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
    },
    /// Too many requests (429), still so after waiting.
    #[error("the rate limit was still exceeded after {tries} tries in {}", seconds(*waited))]
    RateLimited {
        /// How many times it was tried.
        tries: u32,
        /// From the first try to the last.
        waited: Duration,
        /// What the upstream asked us to wait, where it did.
        retry_after: Option<Duration>,
    },
    /// The upstream failed (5xx) and kept failing.
    #[error("the upstream failed with status {status}, {tries} tries in {}", seconds(*waited))]
    Server {
        /// The last HTTP status.
        status: u16,
        /// How many times it was tried.
        tries: u32,
        /// From the first try to the last.
        waited: Duration,
        /// What the upstream asked us to wait, where it did.
        retry_after: Option<Duration>,
    },
    /// No answer, or a broken one: refused, reset, timed out, cut off.
    #[error("{what}, {tries} tries in {}", seconds(*waited))]
    Network {
        /// What happened, such as `the connection was refused`.
        what: String,
        /// How many times it was tried.
        tries: u32,
        /// From the first try to the last.
        waited: Duration,
    },
    /// An answer that is not what the contract says.
    #[error("the answer to {what} is not what the API documents: {detail}")]
    Decode {
        /// What was asked for.
        what: String,
        /// What is wrong, without any text of the answer.
        detail: String,
    },
    /// An answer over the size limit.
    #[error("the answer to {what} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// The limit in bytes.
        limit: u64,
    },
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

impl Error {
    /// May the same request succeed a little later? This decides what is retried, and nothing else does.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Server { .. } | Self::Network { .. })
    }

    /// Does it concern the whole source, so that asking for other projects or slices is useless?
    #[must_use]
    pub fn is_fatal_to_source(&self) -> bool {
        matches!(self, Self::Unauthorized { .. } | Self::RateLimited { .. } | Self::Network { .. })
    }

    /// One word for logs, the sync log and metrics.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Unauthorized { .. } => "unauthorized",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound { .. } => "not_found",
            Self::Invalid { .. } => "invalid",
            Self::RateLimited { .. } => "rate_limited",
            Self::Server { .. } => "server",
            Self::Network { .. } => "network",
            Self::Decode { .. } => "decode",
            Self::TooLarge { .. } => "too_large",
        }
    }

    /// The step that mends it, as one line.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unauthorized { variable, .. } => {
                format!("set `{variable}` to a valid key, or remove this source")
            }
            Self::Forbidden { what } => format!("use a key whose owner can read {what}, or leave it out of the config"),
            Self::NotFound { .. } => "check the id in the tracker; cached data is kept".to_owned(),
            Self::Invalid { .. } | Self::Decode { .. } => {
                "the API may have changed; update visibility-mcp, or report this".to_owned()
            }
            Self::RateLimited { .. } => {
                "run `visibility-mcp sync` again in a minute; it resumes where it stopped".to_owned()
            }
            Self::Server { .. } => {
                "the upstream has trouble; run `visibility-mcp sync` again later, it resumes".to_owned()
            }
            Self::Network { .. } => {
                "check the network and the base URL; `visibility-mcp sync` resumes where it stopped".to_owned()
            }
            Self::TooLarge { .. } => "report this; the rest of the source is still synced".to_owned(),
        }
    }
}

//! What can go wrong with an upstream, by meaning, each with the step that mends it.

use std::time::Duration;

/// An upstream did not give what was asked for.
///
/// Its text is ours alone: what the upstream wrote goes to the log, cleaned, never into an answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The source is configured in a way that cannot work: asking again is of no use.
    #[error("{problem}")]
    Config {
        /// What is wrong.
        problem: String,
        /// The step that mends it.
        fix: String,
    },
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
    #[error("the rate limit was still exceeded after {}{}", effort(*tries, *waited), asked(*retry_after))]
    RateLimited {
        /// How many times it was tried.
        tries: u32,
        /// From the first try to the last.
        waited: Duration,
        /// What the upstream asked us to wait, where it did.
        retry_after: Option<Duration>,
    },
    /// The upstream failed (5xx) and kept failing.
    #[error("the upstream failed with status {status}, {}{}", effort(*tries, *waited), asked(*retry_after))]
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
    #[error("{what}, {}", effort(*tries, *waited))]
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

fn effort(tries: u32, waited: Duration) -> String {
    let word = if tries == 1 { "try" } else { "tries" };
    format!("{tries} {word} in {:.1} s", waited.as_secs_f64())
}

fn asked(retry_after: Option<Duration>) -> String {
    let asked = retry_after.filter(|wait| !wait.is_zero());
    asked.map_or_else(String::new, |wait| format!("; it asks to wait {:.0} s", wait.as_secs_f64().ceil()))
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
        matches!(
            self,
            Self::Config { .. } | Self::Unauthorized { .. } | Self::RateLimited { .. } | Self::Network { .. }
        )
    }

    /// What the upstream asked us to wait, where it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The same error with how often, and for how long, it was tried.
    #[must_use]
    pub(super) fn after(mut self, spent_tries: u32, spent: Duration) -> Self {
        if let Self::RateLimited { tries, waited, .. }
        | Self::Server { tries, waited, .. }
        | Self::Network { tries, waited, .. } = &mut self
        {
            *tries = spent_tries;
            *waited = spent;
        }
        self
    }

    /// One word for logs, the sync log and metrics.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Config { .. } => "config",
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
            Self::Config { fix, .. } => fix.clone(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_transient_and_what_stops_a_source() {
        let (tries, waited, retry_after) = (1, Duration::ZERO, None);
        let what = || "universe u1".to_owned();
        let cases = [
            (Error::Config { problem: what(), fix: what() }, false, true),
            (Error::Unauthorized { status: 401, variable: what() }, false, true),
            (Error::Forbidden { what: what() }, false, false),
            (Error::NotFound { what: what() }, false, false),
            (Error::Invalid { what: what(), status: 400 }, false, false),
            (Error::RateLimited { tries, waited, retry_after }, true, true),
            (Error::Server { status: 503, tries, waited, retry_after }, true, false),
            (Error::Network { what: what(), tries, waited }, true, true),
            (Error::Decode { what: what(), detail: what() }, false, false),
            (Error::TooLarge { what: what(), limit: 1 }, false, false),
        ];
        for (error, transient, fatal) in cases {
            assert_eq!((error.is_transient(), error.is_fatal_to_source()), (transient, fatal), "{}", error.class());
            assert!(!error.hint().is_empty());
        }
    }

    #[test]
    fn the_text_says_how_often_and_how_long() {
        let error = Error::Server { status: 503, tries: 0, waited: Duration::ZERO, retry_after: None };
        insta::assert_snapshot!(error.clone().after(1, Duration::from_millis(40)), @"the upstream failed with status 503, 1 try in 0.0 s");
        insta::assert_snapshot!(error.after(5, Duration::from_millis(12_340)), @"the upstream failed with status 503, 5 tries in 12.3 s");
        let error = Error::RateLimited { tries: 1, waited: Duration::ZERO, retry_after: Some(Duration::from_hours(1)) };
        insta::assert_snapshot!(error, @"the rate limit was still exceeded after 1 try in 0.0 s; it asks to wait 3600 s");
    }
}

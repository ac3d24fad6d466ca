//! What a tool says when it cannot answer: what is wrong, what is allowed, the next call. One to three lines.
//!
//! Nothing a stranger wrote, no SQL, no path and no secret gets in: what a caller gave is cleaned and bounded where it
//! is repeated, and what only a developer can use is logged under a reference instead.

use super::quote;
use crate::store;
use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

const GIVEN_CHARS: usize = 60;
const LINE_CHARS: usize = 300;

/// Why a call has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToolError {
    /// An argument is not as it must be.
    Invalid {
        /// What is wrong and what is allowed, such as `limit is 1000; allowed 1 to 100`.
        what: String,
        /// What to do instead; may be empty.
        next: String,
    },
    /// The thing asked for is not in the cache.
    NotFound {
        /// What it was to be, such as `brand`.
        kind: &'static str,
        /// The name or id that was given.
        given: String,
        /// The names most like it.
        nearest: Vec<String>,
        /// Where to see valid ones, such as `call list_brands to see all brands`.
        next: String,
    },
    /// It would be there after a sync.
    NotSynced {
        /// What is missing, such as `source lumar`.
        what: String,
        /// How to get it.
        next: String,
    },
    /// The cache cannot be used at all.
    Unavailable {
        /// Why, in fixed words.
        what: String,
        /// What mends it.
        next: String,
    },
    /// The run was stopped before it had an answer.
    Stopped(Stop),
    /// The answer would not fit a client.
    TooLarge {
        /// The largest answer allowed, in characters.
        max_chars: usize,
    },
    /// A fault of ours.
    Internal {
        /// Where to find it in the log.
        reference: String,
    },
}

/// Who stopped a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// A lane's budget; the call itself may go on.
    Budget,
    /// The time limit of one call.
    Time(Duration),
    /// The caller.
    Cancelled,
}

impl ToolError {
    /// An argument is not as it must be.
    pub fn invalid(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Invalid { what: what.into(), next: next.into() }
    }

    /// A name that is not in the cache, with those of `names` that are most like it.
    pub fn not_found<'a>(
        kind: &'static str,
        given: &str,
        names: impl IntoIterator<Item = &'a str>,
        next: impl Into<String>,
    ) -> Self {
        let nearest = super::nearest(given, names, 5).into_iter().map(str::to_owned).collect();
        Self::NotFound { kind, given: given.to_owned(), nearest, next: next.into() }
    }

    /// A fault of ours: logged here in full, told to the caller as a reference alone.
    pub fn internal(cause: &(impl fmt::Display + ?Sized)) -> Self {
        let reference = reference();
        tracing::error!(%reference, %cause, "a tool failed");
        Self::Internal { reference }
    }

    /// The class of the error, one word for the log.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NotFound { .. } => "not_found",
            Self::NotSynced { .. } => "not_synced",
            Self::Unavailable { .. } => "unavailable",
            Self::Stopped(Stop::Budget | Stop::Time(_)) => "timed_out",
            Self::Stopped(Stop::Cancelled) => "cancelled",
            Self::TooLarge { .. } => "too_large",
            Self::Internal { .. } => "internal",
        }
    }

    fn lines(&self) -> [String; 2] {
        match self {
            Self::Invalid { what, next } | Self::Unavailable { what, next } => [what.clone(), next.clone()],
            Self::NotFound { kind, given, nearest, next } => {
                let given = shown(given);
                let nearest: Vec<String> = nearest.iter().map(|name| shown(name)).collect();
                if nearest.is_empty() {
                    [format!("no {kind} {given} in the cache"), next.clone()]
                } else {
                    [format!("no {kind} {given} in the cache; nearest: {}", nearest.join(", ")), next.clone()]
                }
            }
            Self::NotSynced { what, next } => [format!("nothing is synced yet for {what}"), next.clone()],
            Self::Stopped(Stop::Budget) => ["the call was stopped".to_owned(), LESS.to_owned()],
            Self::Stopped(Stop::Time(limit)) => {
                [format!("stopped after {} s, the limit of one call", limit.as_secs_f64()), LESS.to_owned()]
            }
            Self::Stopped(Stop::Cancelled) => ["the call was cancelled".to_owned(), String::new()],
            Self::TooLarge { max_chars } => {
                [format!("the answer would exceed {max_chars} characters, the limit of one call"), LESS.to_owned()]
            }
            Self::Internal { reference } => [
                format!("the server failed on this call; its log has the cause under {reference}"),
                "retrying the same call will likely not help".to_owned(),
            ],
        }
    }
}

const LESS: &str = "ask for less: a smaller limit, a shorter period, one engine, or response_format concise";

/// The text that a caller is shown.
impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [what, next] = self.lines();
        f.write_str(&quote::line(&what, LINE_CHARS * 2))?;
        if !next.is_empty() {
            write!(f, "\n{}", quote::line(&next, LINE_CHARS * 2))?;
        }
        Ok(())
    }
}

impl std::error::Error for ToolError {}

impl From<store::Error> for ToolError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Stopped => Self::Stopped(Stop::Budget),
            store::Error::Missing => Self::NotSynced { what: "any source".to_owned(), next: error.hint().to_owned() },
            store::Error::Sql { .. } | store::Error::Value(_) => Self::internal(&error),
            // The reason may hold a path, which is for the log.
            store::Error::Access(cause) => {
                tracing::error!(%cause, "the cache can't be opened");
                let next = store::Error::Access(String::new()).hint().to_owned();
                Self::Unavailable { what: "the cache can't be opened".to_owned(), next }
            }
            error => Self::Unavailable { what: error.to_string(), next: error.hint().to_owned() },
        }
    }
}

/// What a caller gave, as it may be repeated to it.
pub(super) fn shown(given: &str) -> String {
    format!("{:?}", quote::line(given, GIVEN_CHARS))
}

// Unlike any other in this log, short enough to be read out.
fn reference() -> String {
    static START: OnceLock<u64> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let start = START.get_or_init(|| RandomState::new().hash_one(std::process::id())) & 0xffff;
    format!("e{start:04x}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_to_three_lines_without_anything_hidden() {
        let hostile = "x\u{202e}\n![a](http://evil.example)</b>".repeat(20);
        let errors = [
            ToolError::invalid("limit is 1000; allowed 1 to 100", ""),
            ToolError::invalid(format!("period is {hostile}"), "use 30d"),
            ToolError::not_found("brand", &hostile, [], "call list_brands to see all brands"),
            ToolError::NotSynced { what: "source lumar".into(), next: "call sync_now".into() },
            ToolError::Stopped(Stop::Time(Duration::from_millis(1_500))),
            ToolError::TooLarge { max_chars: 90_000 },
            ToolError::internal("/secret/path: no such table"),
        ];
        for error in errors {
            let text = error.to_string();
            assert!((1..=3).contains(&text.lines().count()), "{text}");
            assert!(text.chars().count() <= 1_300 && !text.contains("![") && !text.contains("</"), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let error = ToolError::not_found("brand", "acne", ["Acme", "Apex"], "call list_brands to see all brands");
        assert_eq!(
            error.to_string(),
            "no brand \"acne\" in the cache; nearest: \"Acme\"\ncall list_brands to see all brands"
        );
    }

    #[test]
    fn references_differ() {
        assert_ne!(reference(), reference());
    }
}

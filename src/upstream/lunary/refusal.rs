//! What Lunary's refusals mean: its statuses alone do not say. What it wrote is compared, never repeated.

use crate::upstream::Error;
use serde::Deserialize;

/// Parts of messages that are about our parameters, whatever the status says: asking again brings the same.
const ABOUT_PARAMETERS: &[&str] =
    &["invalid input syntax", "must not be negative", "out of range for type", "invalid byte sequence"];

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

/// What a refusal means, where it is more than its status says.
pub(super) fn explain(variable: &str, what: &str, status: u16, body: &str) -> Option<Error> {
    let message = serde_json::from_str::<Refusal>(body).map(|refusal| refusal.message.to_lowercase());
    let message = message.as_deref().unwrap_or_default();
    let wrong_key = |kind: &str| Error::Config {
        problem: format!("`{variable}` holds {kind}, which may not read runs ({status})"),
        fix: format!("set `{variable}` to the private key of the project, as its settings in Lunary show it"),
    };
    match status {
        401 if message.contains("private") => Some(wrong_key("a project's public key")),
        401 if message.contains("org") => Some(wrong_key("an organisation's key")),
        500 if ABOUT_PARAMETERS.iter().any(|part| message.contains(part)) => {
            Some(Error::Invalid { what: what.to_owned(), status })
        }
        _ => None,
    }
}

/// What it means that there is no list of runs (404).
pub(super) fn no_list(variable: &str) -> Error {
    Error::Config {
        problem: "there is no list of runs at this address, or no key arrived there (404)".to_owned(),
        fix: format!(
            "check the base URL, which goes up to and with `/v1`, and that `{variable}` holds a project's private key"
        ),
    }
}

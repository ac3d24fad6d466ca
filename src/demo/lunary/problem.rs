//! An error as the API tells it.

use serde_json::{Value, json};

/// A status and its message. Wrong parameters are no 400 here: the real backend lets its database stumble over them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Problem {
    pub(super) status: u16,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self { status: 500, message: message.into() }
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        Self { status: 401, message: message.to_owned() }
    }

    /// The answer to an unknown path, and to a request without a key.
    pub(super) fn not_found() -> Self {
        Self { status: 404, message: "Not Found".to_owned() }
    }

    pub(super) fn no_run() -> Self {
        Self { status: 404, message: "Run not found".to_owned() }
    }

    pub(super) fn unprocessable(message: &str) -> Self {
        Self { status: 422, message: message.to_owned() }
    }

    /// What the database says to a text that is no value of the type.
    pub(super) fn syntax(kind: &str, text: &str) -> Self {
        Self::internal(format!("invalid input syntax for type {kind}: \"{text}\""))
    }

    pub(super) fn body(&self) -> Value {
        if self.status == 422 {
            return json!({ "error": "Error", "message": self.message });
        }
        json!({ "message": self.message })
    }
}

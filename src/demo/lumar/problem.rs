//! What goes into `errors`: a message, a code, and for errors of one field the path to it.

use serde_json::{Value, json};

/// An error as GraphQL servers tell it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Problem {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The body is no request.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new("BAD_REQUEST", message)
    }

    /// The query is no GraphQL.
    pub(super) fn syntax(message: impl Into<String>) -> Self {
        Self::new("GRAPHQL_PARSE_FAILED", message)
    }

    /// The query does not fit the schema.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new("GRAPHQL_VALIDATION_FAILED", message)
    }

    /// A value is out of bounds.
    pub(super) fn input(message: impl Into<String>) -> Self {
        Self::new("BAD_USER_INPUT", message)
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new("UNAUTHENTICATED", "You must be logged in to access this resource.")
    }

    pub(super) fn wrong_user_key() -> Self {
        Self::new("INCORRECT_USER_KEY_ID_OR_SECRET", "Incorrect user key id or secret.")
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new("FORBIDDEN", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ENTITY_NOT_FOUND", message)
    }

    pub(super) fn internal() -> Self {
        Self::new("INTERNAL_SERVER_ERROR", "Something went wrong.")
    }

    /// The error as it stands in `errors`.
    pub(super) fn json(&self, path: Option<&str>) -> Value {
        let mut error = json!({ "message": self.message });
        if let (Some(path), Some(object)) = (path, error.as_object_mut()) {
            object.insert("path".to_owned(), json!([path]));
        }
        if let Some(object) = error.as_object_mut() {
            object.insert("extensions".to_owned(), json!({ "code": self.code }));
        }
        error
    }
}

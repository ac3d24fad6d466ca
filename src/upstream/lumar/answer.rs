//! The GraphQL envelope: data, errors beside it, and what each error means to us.

use super::document;
use crate::upstream::{Error, http::Reply};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::{borrow::Cow, collections::HashMap, time::Duration};

/// What a question is about, for errors.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct About {
    /// What is asked for, such as `prompt runs of project X`.
    pub(super) what: String,
    /// What a missing right would be a right to, such as `project X`.
    pub(super) scope: String,
}

impl About {
    /// Something of a project or an account.
    pub(super) fn of(name: &str, scope: String) -> Self {
        Self { what: format!("{name} of {scope}"), scope }
    }
}

/// An answer taken apart.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    /// The answers by alias; none where there is no data at all.
    pub(super) data: Option<HashMap<Cow<'a, str>, &'a RawValue>>,
    /// What went wrong.
    pub(super) complaints: Vec<Complaint>,
}

/// One entry of `errors`.
#[derive(Clone, Debug)]
pub(super) struct Complaint {
    /// The alias under which it happened; none where it is about the whole request.
    pub(super) alias: Option<String>,
    /// Its code, upper case; empty where it has none.
    pub(super) code: String,
    /// The upstream's words: read here, and never shown.
    pub(super) message: String,
    /// The line of the document.
    pub(super) line: Option<usize>,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    errors: Value,
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Key<'_> {}

impl std::hash::Hash for Key<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<'a> Answer<'a> {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// What the status says, where the body is no GraphQL answer; [`Error::Decode`] where the status is fine.
    pub(super) fn read(reply: &'a Reply, what: &str) -> Result<Self, Error> {
        let decode = |detail: &str| Error::Decode { what: what.to_owned(), detail: detail.to_owned() };
        let refused = |detail: &str| reply.refusal.clone().unwrap_or_else(|| decode(detail));
        let wire: Wire<'a> = serde_json::from_str(&reply.body).map_err(|_| refused("it is no GraphQL answer"))?;
        let complaints: Vec<Complaint> = match &wire.errors {
            Value::Array(errors) => errors.iter().map(Complaint::read).collect(),
            Value::Null => vec![],
            other => vec![Complaint::read(other)],
        };
        let data = match wire.data {
            None => None,
            Some(data) => {
                let read = serde_json::from_str::<HashMap<Key<'a>, &'a RawValue>>(data.get());
                let read = read.map_err(|_| refused("`data` is not an object"))?;
                Some(read.into_iter().map(|(key, value)| (key.0, value)).collect())
            }
        };
        match (&data, &reply.refusal) {
            (None, Some(refusal)) if complaints.is_empty() => Err(refusal.clone()),
            (None, None) if complaints.is_empty() => Err(decode("`data` is missing")),
            _ => Ok(Self { data, complaints }),
        }
    }

    /// What it says to each of so many questions, in their order; nothing to those that another's failure took along.
    pub(super) fn to_each(
        &self,
        questions: usize,
        about: &About,
        error: impl Fn(&Complaint) -> Error,
    ) -> Vec<Option<Result<Box<RawValue>, Error>>> {
        let whole = self.complaints.iter().find(|complaint| complaint.alias.is_none());
        let blames_some = self.complaints.iter().any(|complaint| complaint.alias.is_some());
        let answer = |number| {
            let alias = document::alias(number);
            let own = self.complaints.iter().find(|complaint| complaint.alias.as_ref() == Some(&alias));
            let value = self.data.as_ref().and_then(|data| data.get(&*alias));
            match (own, value) {
                // Half an answer is none: it would be taken for the whole.
                (Some(complaint), _) => Some(Err(error(complaint))),
                (None, Some(value)) if value.get() != "null" => Some(Ok((*value).to_owned())),
                // Where an answer may not be null, the failure of one takes all others along.
                (None, _) if blames_some && self.is_empty() => None,
                (None, _) => Some(Err(match whole {
                    Some(complaint) => error(complaint),
                    None => Error::NotFound { what: about.what.clone() },
                })),
            }
        };
        (0..questions).map(answer).collect()
    }

    /// Is there not one answer in it?
    pub(super) fn is_empty(&self) -> bool {
        self.data.as_ref().is_none_or(|data| data.values().all(|value| value.get() == "null"))
    }
}

impl Complaint {
    fn read(error: &Value) -> Self {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let extensions = error.get("extensions");
        let code = text(extensions.and_then(|e| e.get("code")).or_else(|| error.get("code")));
        let message = error.as_str().map_or_else(|| text(error.get("message")), str::to_owned);
        let path = error.get("path").and_then(|path| path.get(0)).and_then(Value::as_str);
        let line = error.get("locations").and_then(|places| places.get(0)?.get("line")?.as_u64());
        Self {
            alias: path.map(str::to_owned),
            code: code.trim().to_uppercase(),
            message,
            line: line.and_then(|line| usize::try_from(line).ok()),
        }
    }

    /// Was the session or the key refused?
    pub(super) fn is_unauthenticated(&self) -> bool {
        matches!(&*self.code, "UNAUTHENTICATED" | "INCORRECT_USER_KEY_ID_OR_SECRET" | "INVALID_TOKEN" | "TOKEN_EXPIRED")
    }

    /// Does the server call the request too much at once?
    pub(super) fn is_too_much(&self) -> bool {
        let text = self.message.to_lowercase();
        let code = self.code.to_lowercase();
        let counted = ["alias", "root field", "depth", "cost", "token", "nodes", "selections", "operations"];
        let over = ["too many", "too deep", "too high", "maximum", "exceed", "limit"];
        text.contains("complex")
            || code.contains("complex")
            || text.contains("too large")
            || code.contains("too_large")
            || (over.iter().any(|word| text.contains(word)) && counted.iter().any(|word| text.contains(word)))
    }

    /// What it means to us.
    pub(super) fn error(&self, about: &About, variable: &str, refusal: Option<&Error>) -> Error {
        let (tries, waited, retry_after) = (1, Duration::ZERO, None);
        let (what, scope) = (about.what.clone(), about.scope.clone());
        let text = self.message.to_lowercase();
        let says = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
        match &*self.code {
            _ if self.is_unauthenticated() => Error::Unauthorized { status: 401, variable: variable.to_owned() },
            "FORBIDDEN" | "INSUFFICIENT_PERMISSIONS" | "UNAUTHORIZED" => Error::Forbidden { what: scope },
            "ENTITY_NOT_FOUND" | "NOT_FOUND" => Error::NotFound { what },
            "BAD_USER_INPUT" if says(&["not found", "not exist", "n't exist", "no such", "missing"]) => {
                Error::NotFound { what }
            }
            "RATE_LIMITED" | "RATE_LIMIT_EXCEEDED" | "TOO_MANY_REQUESTS" | "THROTTLED" => {
                Error::RateLimited { tries, waited, retry_after }
            }
            "INTERNAL_SERVER_ERROR" | "SERVICE_UNAVAILABLE" | "TIMEOUT" | "GATEWAY_TIMEOUT" => {
                Error::Server { status: 500, tries, waited, retry_after }
            }
            "" if says(&["internal", "timeout", "timed out", "unavailable"]) => {
                Error::Server { status: 500, tries, waited, retry_after }
            }
            _ => match refusal {
                Some(Error::Forbidden { .. }) => Error::Forbidden { what: scope },
                Some(refusal) => refusal.clone(),
                None => Error::Invalid { what, status: 400 },
            },
        }
    }
}

/// What makes a whole answer worth another try: it holds nothing, for a reason that passes.
pub(super) fn judge(reply: &Reply, about: &About) -> Result<(), Error> {
    // An answer with data is large, and is not looked through twice.
    if reply.refusal.is_some() || !reply.body.contains("\"errors\"") {
        return Ok(());
    }
    let Ok(answer) = Answer::read(reply, &about.what) else { return Ok(()) };
    if !answer.is_empty() {
        return Ok(());
    }
    let whole = answer.complaints.iter().filter(|complaint| complaint.alias.is_none() && !complaint.is_too_much());
    let errors = whole.map(|complaint| complaint.error(about, "", None));
    errors.into_iter().find(Error::is_transient).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;

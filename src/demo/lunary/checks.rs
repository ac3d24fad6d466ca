//! What a filter asks of a run.

use super::tracker::Run;
use crate::model::Day;
use jiff::Timestamp;
use serde_json::Value;

/// How two figures are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Gt,
    Gte,
    Lt,
    Lte,
    Eq,
    Neq,
}

impl Op {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "gt" => Self::Gt,
            "gte" => Self::Gte,
            "lt" => Self::Lt,
            "lte" => Self::Lte,
            "eq" => Self::Eq,
            "neq" => Self::Neq,
            _ => return None,
        })
    }

    fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Gt => left > right,
            Self::Gte => left >= right,
            Self::Lt => left < right,
            Self::Lte => left <= right,
            Self::Eq => left == right,
            Self::Neq => left != right,
        }
    }
}

/// One condition.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Check {
    Type(String),
    /// An agent or a chain at the top, or right under a chat.
    Trace,
    Status(String),
    Models(Vec<String>),
    Tags(Vec<String>),
    Date(Op, Timestamp),
    /// In lower case.
    Search(String),
    Metadata(String, String),
    Users(Vec<i64>),
    Templates(Vec<i64>),
    Thumbs(Vec<Option<String>>),
    Tokens(Op, f64),
    Cost(Op, f64),
    /// In seconds.
    Duration(Op, f64),
    /// A type, and a part of the name in lower case.
    Called(&'static str, String),
    /// Understood, but without a value that restricts.
    Open,
    Never,
}

impl Check {
    /// Does the run meet it? `tops` tells whether it is at the top or right under a chat.
    pub(super) fn meets(&self, run: &Run, tops: &mut dyn FnMut(&Run) -> bool) -> bool {
        let amount = |op: &Op, value: Option<f64>, bound: &f64| value.is_some_and(|value| op.holds(&value, bound));
        match self {
            Self::Type(kind) => run.is(kind),
            Self::Trace => (run.is("agent") || run.is("chain")) && tops(run),
            Self::Status(status) => run.status.as_ref() == Some(status),
            Self::Models(models) => run.name.as_ref().is_some_and(|name| models.contains(name)),
            Self::Tags(tags) => run.tags.iter().flatten().any(|tag| tags.contains(tag)),
            Self::Date(op, at) => op.holds(&run.created_at, at),
            Self::Search(text) => [&run.input, &run.output].iter().any(|json| holds_text(json, text)),
            Self::Metadata(key, value) => run.metadata.get(key).is_some_and(|found| reads(found, value)),
            Self::Users(users) => run.user.as_ref().is_some_and(|user| users.contains(&user.id)),
            Self::Templates(ids) => run.template.as_ref().is_some_and(|template| ids.contains(&template.id)),
            Self::Thumbs(thumbs) => {
                let thumb = run.feedback.get("thumb").and_then(Value::as_str);
                thumbs.iter().any(|wanted| wanted.as_deref() == thumb)
            }
            Self::Tokens(op, bound) => amount(op, Some(total_tokens(run)), bound),
            Self::Cost(op, bound) => amount(op, run.cost, bound),
            Self::Duration(op, bound) => amount(op, seconds(run), bound),
            Self::Called(kind, part) => {
                run.is(kind) && run.name.as_ref().is_some_and(|name| name.to_lowercase().contains(part))
            }
            Self::Open => true,
            Self::Never => false,
        }
    }

    /// Can a run of this day meet it?
    pub(super) fn allows_day(&self, day: Day) -> bool {
        let Self::Date(op, at) = self else { return true };
        match op {
            Op::Gt | Op::Gte => day >= Day::of(*at),
            Op::Lt | Op::Lte => day <= Day::of(*at),
            Op::Eq => day == Day::of(*at),
            Op::Neq => true,
        }
    }
}

/// Tokens in all, 0 where none were counted.
pub(super) fn total_tokens(run: &Run) -> f64 {
    let tokens = run.prompt_tokens.unwrap_or(0) + run.completion_tokens.unwrap_or(0);
    f64::from(i32::try_from(tokens).unwrap_or(i32::MAX))
}

/// How long it took, when it has ended.
pub(super) fn seconds(run: &Run) -> Option<f64> {
    Some(run.ended_at?.duration_since(run.created_at).as_secs_f64())
}

/// Does the JSON text hold this text, whatever the case of its letters?
fn holds_text(json: &Value, lower: &str) -> bool {
    json.to_string().to_lowercase().contains(lower)
}

/// Is the value this text, as it reads in a URL?
fn reads(value: &Value, text: &str) -> bool {
    match value {
        Value::String(value) => value == text,
        Value::Bool(value) => text == if *value { "true" } else { "false" },
        Value::Number(value) => value.to_string() == text,
        _ => false,
    }
}

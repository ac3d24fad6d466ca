//! Reads the filters of a query off its raw text, as the real backend does: `name=part.part`, joined by `&`.
//!
//! A filter that is not understood is dropped without a word, and the answer is wider than what was asked for. One that
//! is understood in form but not in value restricts nothing, yet still removes the default of llm runs only.

use super::{
    checks::{Check, Op},
    ids,
    paging::number_of,
    problem::Problem,
    tracker::Run,
};
use crate::model::Day;
use jiff::{Timestamp, civil, tz::TimeZone};
use serde_json::Value;
use url::form_urlencoded;

/// What a query asks for.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Filters {
    /// Joined by "or" instead of "and".
    pub(super) any: bool,
    pub(super) checks: Vec<Check>,
    /// `type=llm` was asked for once: texts are cut.
    pub(super) shortened: bool,
    /// `type=thread` was asked for: rows have two more fields.
    pub(super) threads: bool,
    /// Only children of this run; no filter of the others' kind, and always joined by "and".
    pub(super) parent: Option<String>,
}

/// The filters and how many parts each has.
const FILTERS: &[(&str, usize)] = &[
    ("type", 1),
    ("status", 1),
    ("models", 1),
    ("tags", 1),
    ("date", 2),
    ("search", 1),
    ("metadata", 2),
    ("users", 1),
    ("feedback", 1),
    ("tokens", 3),
    ("cost", 2),
    ("duration", 2),
    ("tools", 1),
    ("retrievers", 1),
    ("templates", 1),
    ("user-props", 2),
    ("languages", 2),
    ("topics", 2),
    ("intents", 1),
    ("pii", 2),
    ("string", 4),
    ("length", 3),
    ("regex", 2),
    ("json", 3),
    ("sentiment", 3),
];

impl Filters {
    /// The filters of a query; with `ignored` as if none had been understood.
    pub(super) fn read(query: &str, ignored: bool) -> Result<Self, Problem> {
        let mut filters = Self::default();
        if !ignored {
            filters.parent = parent(query)?;
            filters.understand(query)?;
        }
        if filters.checks.is_empty() {
            filters.checks.push(Check::Type("llm".to_owned()));
        }
        Ok(filters)
    }

    fn understand(&mut self, query: &str) -> Result<(), Problem> {
        let mut segments = query.split('&').peekable();
        self.any = segments.next_if_eq(&"OR").is_some();
        let mut lonely = false;
        let mut types: Vec<String> = Vec::new();
        for segment in segments {
            let (name, value) = segment.split_once('=').map_or((segment, None), |(name, value)| (name, Some(value)));
            let Some((name, most)) = FILTERS.iter().find(|(known, _)| *known == name) else { continue };
            let value =
                value.ok_or_else(|| Problem::internal("undefined is not an object (evaluating 'params.split')"))?;
            let parts: Vec<&str> = value.split('.').collect();
            if value.is_empty() || parts.len() > *most {
                continue;
            }
            match *name {
                "type" => types.push(decoded(value)),
                "languages" | "topics" | "intents" | "pii" => lonely = true,
                _ => {}
            }
            self.checks.extend(check(name, &parts)?);
        }
        // The conditions of these four come from a join that nothing is left of when they stand alone.
        if lonely && self.checks.is_empty() {
            return Err(Problem::internal("reduce of empty array with no initial value"));
        }
        self.shortened = types == ["llm"];
        self.threads = types == ["thread"];
        Ok(())
    }

    /// Does the run meet them?
    pub(super) fn meet(&self, run: &Run, tops: &mut dyn FnMut(&Run) -> bool) -> bool {
        if self.parent.is_some() && run.parent != self.parent {
            return false;
        }
        if self.any {
            self.checks.iter().any(|check| check.meets(run, tops))
        } else {
            self.checks.iter().all(|check| check.meets(run, tops))
        }
    }

    /// Can a run of this day meet them? Saves making days that nobody asked for.
    pub(super) fn allow_day(&self, day: Day) -> bool {
        self.any || self.checks.iter().all(|check| check.allows_day(day))
    }
}

/// The run whose children are asked for.
fn parent(query: &str) -> Result<Option<String>, Problem> {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let Some((_, text)) = parameters.find(|(name, value)| name == "parentRunId" && !value.is_empty()) else {
        return Ok(None);
    };
    ids::uuid_of(&text).map(Some).ok_or_else(|| Problem::syntax("uuid", &text))
}

/// What a filter checks; nothing when it is dropped.
fn check(name: &str, parts: &[&str]) -> Result<Option<Check>, Problem> {
    let part = |n: usize| parts.get(n).copied().unwrap_or_default();
    let first = decoded(part(0));
    // An operator with an escape in it is read as no operator at all.
    let escaped = matches!(name, "date" | "cost" | "duration" | "tokens") && part(0).contains('%');
    if escaped {
        return Ok(None);
    }
    Ok(Some(match name {
        "type" if first == "trace" => Check::Trace,
        "type" => Check::Type(first),
        "status" => Check::Status(first),
        "models" => Check::Models(values(part(0))),
        "tags" => Check::Tags(values(part(0))),
        "date" => date(&first, &decoded(part(1)))?,
        "search" => Check::Search(first.to_lowercase()),
        "metadata" if parts.len() < 2 => Check::Open,
        "metadata" => Check::Metadata(first, decoded(part(1))),
        "users" => Check::Users(numbers(part(0))?),
        "templates" => Check::Templates(numbers(part(0))?),
        "feedback" => Check::Thumbs(thumbs(part(0))?),
        "tokens" if parts.len() < 3 => Check::Open,
        "tokens" if first != "total" => {
            return Err(Problem::internal(format!("column reference \"{first}_tokens\" is ambiguous")));
        }
        "tokens" => Check::Tokens(operator(part(1))?, figure(part(2))?),
        "cost" | "duration" => {
            let op = operator(&first)?;
            match (name, parts.len()) {
                (_, 1) => Check::Open,
                ("cost", _) => Check::Cost(op, figure(part(1))?),
                _ => Check::Duration(op, figure(part(1))?),
            }
        }
        "tools" => Check::Called("tool", first.to_lowercase()),
        "retrievers" => Check::Called("retriever", first.to_lowercase()),
        "user-props" => Check::Never,
        // No condition of their own where nobody evaluates; see `understand` for when they stand alone.
        "languages" | "topics" => return Ok(None),
        "intents" | "pii" => return Err(Problem::internal("reduce of empty array with no initial value")),
        "string" | "length" | "regex" | "json" => {
            let column = if first == "input" { "input" } else { "output" };
            return Err(Problem::internal(format!("column reference \"{column}\" is ambiguous")));
        }
        _ => return Err(Problem::internal("missing FROM-clause entry for table \"er\"")),
    }))
}

/// A text with its escapes undone once; a plus is a plus.
pub(super) fn decoded(text: &str) -> String {
    let form = format!("text={}", text.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(form.as_bytes()).next().map(|(_, text)| text.into_owned()).unwrap_or_default()
}

/// The values of a part; they are decoded twice, and only commas that stand there before that part them.
fn values(part: &str) -> Vec<String> {
    part.replace("%2C", ",").split(',').map(|value| decoded(&decoded(value))).collect()
}

fn numbers(part: &str) -> Result<Vec<i64>, Problem> {
    let number = |text: String| text.trim().parse().map_err(|_| Problem::syntax("bigint", &text));
    values(part).into_iter().map(number).collect()
}

/// The thumbs asked for; none stands for feedback without one.
fn thumbs(part: &str) -> Result<Vec<Option<String>>, Problem> {
    // The commas of an object with several keys part it as well, which leaves two broken halves.
    let thumb = |text: String| {
        let value: Value = serde_json::from_str(&text)
            .map_err(|_| Problem::internal(format!("JSON Parse error: Unexpected identifier \"{text}\"")))?;
        match value.get("thumb") {
            Some(Value::String(thumb)) => Ok(Some(thumb.clone())),
            Some(Value::Null) => Ok(None),
            _ => Err(Problem::internal("operator does not exist: jsonb ->> json")),
        }
    };
    values(part).into_iter().map(thumb).collect()
}

fn operator(text: &str) -> Result<Op, Problem> {
    Op::named(text).ok_or_else(|| Problem::internal(format!("Unsupported operator: {text}")))
}

fn figure(part: &str) -> Result<f64, Problem> {
    let text = decoded(part);
    let number = number_of(&text);
    if number.is_nan() { Err(Problem::syntax("double precision", &text)) } else { Ok(number) }
}

/// A bound on the time of creation. A time that cannot be read is no bound.
fn date(op: &str, text: &str) -> Result<Check, Problem> {
    let Some(at) = instant(text) else { return Ok(Check::Open) };
    Ok(Check::Date(operator(op)?, at))
}

/// A time as JavaScript's `Date` reads it, which knows no microseconds.
fn instant(text: &str) -> Option<Timestamp> {
    let utc = |time: civil::DateTime| TimeZone::UTC.to_timestamp(time).ok();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let at = match shape.as_str() {
        "0000" => utc(format!("{text}-01-01").parse::<civil::Date>().ok()?.to_datetime(civil::Time::midnight()))?,
        "0000-00" => utc(format!("{text}-01").parse::<civil::Date>().ok()?.to_datetime(civil::Time::midnight()))?,
        "0000-00-00" => utc(text.parse::<civil::Date>().ok()?.to_datetime(civil::Time::midnight()))?,
        _ if shape.starts_with("0000-00-00T") || shape.starts_with("0000-00-00 ") => {
            text.parse().ok().or_else(|| utc(text.parse::<civil::DateTime>().ok()?))?
        }
        _ => return None,
    };
    Timestamp::from_millisecond(at.as_millisecond()).ok()
}

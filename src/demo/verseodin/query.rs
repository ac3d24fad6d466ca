//! Reads a request: path, query and key, strictly, and the errors that come of it.

use crate::model::Day;
use url::form_urlencoded;

/// An error as the API tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Problem {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) message: String,
}

impl Problem {
    fn new(status: u16, kind: &'static str, message: &str) -> Self {
        Self { status, kind, message: message.to_owned() }
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::new(400, "invalid_request_error", message)
    }

    pub(super) fn unauthenticated(message: &str) -> Self {
        Self::new(401, "authentication_error", message)
    }

    pub(super) fn forbidden(message: &str) -> Self {
        Self::new(403, "permission_error", message)
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::new(404, "not_found", message)
    }

    pub(super) fn too_many() -> Self {
        Self::new(429, "rate_limit_error", "Rate limit exceeded")
    }

    pub(super) fn internal(message: &str) -> Self {
        Self::new(500, "api_error", message)
    }

    pub(super) fn unavailable() -> Self {
        Self::new(503, "api_error", "Backend unreachable")
    }
}

/// The parameters that any path knows; unknown ones are not looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Query {
    pub(super) day: Option<Day>,
    pub(super) engine: Option<String>,
    pub(super) days: Option<i32>,
    pub(super) status: Option<String>,
    pub(super) limit: usize,
    pub(super) offset: usize,
}

impl Default for Query {
    fn default() -> Self {
        Self { day: None, engine: None, days: None, status: None, limit: 200, offset: 0 }
    }
}

impl Query {
    /// The query of a request. `known_engine` says which engines may be asked for.
    pub(super) fn read(text: &str, known_engine: impl Fn(&str) -> bool) -> Result<Self, Problem> {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match &*name {
                "day" => query.day = Some(day_of(&value)?),
                "engine" if known_engine(&value) => query.engine = Some(value.into_owned()),
                "engine" => return Err(Problem::invalid("Unknown engine")),
                "days" => {
                    let days = value.parse().ok().filter(|days| *days >= 1);
                    query.days = Some(days.ok_or_else(|| Problem::invalid("days must be a positive integer"))?);
                }
                "status" if matches!(&*value, "pending" | "processing" | "completed" | "failed") => {
                    query.status = Some(value.into_owned());
                }
                "status" => return Err(Problem::invalid("Unknown status")),
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=1_000).contains(limit));
                    query.limit = limit.ok_or_else(|| Problem::invalid("limit must be between 1 and 1000"))?;
                }
                "offset" => {
                    query.offset = value.parse().map_err(|_| Problem::invalid("offset must be 0 or more"))?;
                }
                _ => {}
            }
        }
        Ok(query)
    }

    /// Does it ask for this engine, by name or by asking for all?
    pub(super) fn wants_engine(&self, engine: &str) -> bool {
        self.engine.as_deref().is_none_or(|wanted| wanted == engine)
    }
}

/// A day, in its one spelling.
pub(super) fn day_of(text: &str) -> Result<Day, Problem> {
    text.parse().map_err(|_| Problem::invalid("day must be a date of the form YYYY-MM-DD"))
}

/// A UUID, in lower case.
pub(super) fn uuid_of(text: &str) -> Result<String, Problem> {
    let groups = text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    if groups && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Problem::invalid("id must be a UUID"))
    }
}

/// Has the text the form of a key?
pub(super) fn is_key(text: &str) -> bool {
    text.strip_prefix("vso_").is_some_and(|hex| hex.len() == 48 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A path segment with its percent escapes undone; none where they are no UTF-8.
pub(super) fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let escape = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match escape {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_strictly() {
        let read = |text: &str| Query::read(text, |engine| engine == "grok");
        let query = read("day=2026-05-01&engine=grok&limit=1000&offset=3&other=x").unwrap();
        assert_eq!((query.limit, query.offset), (1_000, 3));
        assert_eq!(read("").unwrap(), Query::default());
        for bad in
            ["day=2026-5-1", "engine=x", "limit=0", "limit=1001", "limit=x", "offset=-1", "status=done", "days=0"]
        {
            assert_eq!(read(bad).unwrap_err().status, 400, "{bad}");
        }
    }

    #[test]
    fn segments_are_decoded() {
        assert_eq!(decode("Kessel%20%26%20Voss").as_deref(), Some("Kessel & Voss"));
        assert_eq!(decode("100%").as_deref(), Some("100%"));
        assert_eq!(decode("%zz+").as_deref(), Some("%zz+"));
        assert_eq!(decode("%ff"), None);
        assert!(uuid_of("00000000-0000-4000-8000-00000000000g").is_err());
    }
}

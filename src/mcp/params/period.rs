//! `period`: which days a question is about, as people write it.

use crate::{
    mcp::error::shown,
    model::{Day, DayRange},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, str::FromStr};

/// The last days, a month, a range or a day; the last 30 days where left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period(Span);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Span {
    Last(i32),
    Month(DayRange),
    Days(DayRange),
}

impl Period {
    /// The last `days` days.
    #[must_use]
    pub fn last(days: i32) -> Self {
        Self(Span::Last(days.clamp(1, DayRange::MAX_DAYS)))
    }

    /// The days that are meant, where `anchor` is the newest day that the last days end with.
    #[must_use]
    pub fn days(self, anchor: Day) -> DayRange {
        match self.0 {
            Span::Last(days) => DayRange::ending(anchor, days),
            Span::Month(days) | Span::Days(days) => days,
        }
    }
}

impl Default for Period {
    fn default() -> Self {
        Self::last(30)
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let span = last(text).or_else(|| month(text)).or_else(|| days(text));
        let Some(span) = span else {
            return Err(format!(
                "period is {}; allowed: 7d, 30d, 90d, a month 2026-10, a range 2026-10-01..2026-10-31 or a day 2026-10-15",
                shown(text)
            ));
        };
        match span {
            Span::Days(range) if range.last < range.first => {
                Err(format!("period is {range}, which ends before it begins; write the earlier day first"))
            }
            Span::Days(range) if range.days() > DayRange::MAX_DAYS => {
                Err(format!("period has {} days; allowed 1 to {}", range.days(), DayRange::MAX_DAYS))
            }
            Span::Last(days) if !(1..=DayRange::MAX_DAYS).contains(&days) => {
                Err(format!("period has {days} days; allowed 1 to {}", DayRange::MAX_DAYS))
            }
            span => Ok(Self(span)),
        }
    }
}

fn last(text: &str) -> Option<Span> {
    let days = text.strip_suffix(['d', 'D'])?;
    (!days.is_empty() && days.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| Span::Last(days.parse().unwrap_or(i32::MAX)))
}

fn month(text: &str) -> Option<Span> {
    let first: Day = format!("{text}-01").parse().ok()?;
    let last = first.date().last_of_month().to_string().parse().ok()?;
    Some(Span::Month(DayRange { first, last }))
}

fn days(text: &str) -> Option<Span> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    Some(Span::Days(DayRange { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? }))
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Span::Last(days) => write!(f, "{days}d"),
            Span::Month(days) => days.first.date().strftime("%Y-%m").fmt(f),
            Span::Days(days) if days.first == days.last => days.first.fmt(f),
            Span::Days(days) => days.fmt(f),
        }
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl JsonSchema for Period {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": 40,
            "description": "UTC days: 7d, 30d, 2026-10, 2026-10-01..2026-10-31.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn every_form_is_read_and_written_back() {
        let anchor = day("2026-11-20");
        for (text, days) in [
            ("7d", "2026-11-14..2026-11-20"),
            ("1d", "2026-11-20..2026-11-20"),
            ("2026-10", "2026-10-01..2026-10-31"),
            ("2024-02", "2024-02-01..2024-02-29"),
            ("2026-10-03..2026-10-05", "2026-10-03..2026-10-05"),
            ("2026-10-15", "2026-10-15..2026-10-15"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.days(anchor).to_string(), days, "{text}");
            assert_eq!(period.to_string(), text);
        }
        assert_eq!(Period::default().to_string(), "30d");
    }

    #[test]
    fn other_text_is_refused_with_what_is_allowed() {
        for text in ["", "d", "last week", "2026", "2026-13", "2026-02-30", "2026-1-2", "30", "-7d", "2026-10.."] {
            let error = text.parse::<Period>().unwrap_err();
            assert!(error.contains("allowed: 7d, 30d, 90d, a month"), "{error}");
        }
        for (text, words) in [
            ("2026-10-05..2026-10-03", "ends before it begins"),
            ("0d", "period has 0 days; allowed 1 to 3660"),
            ("99999999999d", "allowed 1 to 3660"),
            ("1990-01-01..2026-01-01", "allowed 1 to 3660"),
        ] {
            let error = text.parse::<Period>().unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}

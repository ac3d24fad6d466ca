//! A UTC calendar day, and ranges of them: the grain of every figure.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A UTC calendar day, kept as days since 1970-01-01; written `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, with = "String")]
pub struct Day(i32);

/// The text is not a calendar day.
#[derive(Debug, thiserror::Error)]
#[error("not a day of the form YYYY-MM-DD")]
pub struct InvalidDay;

impl Day {
    /// The day that holds this instant, in UTC.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        Self(i32::try_from(instant.as_second().div_euclid(86_400)).unwrap_or(i32::MAX))
    }

    /// The day so many days after 1970-01-01.
    #[must_use]
    pub fn from_epoch_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn epoch_days(self) -> i32 {
        self.0
    }

    /// This day moved by `days`, back when negative.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// The Monday of its calendar week.
    #[must_use]
    pub fn monday(self) -> Self {
        // 1970-01-01 was a Thursday.
        self.plus(-(self.epoch_days().saturating_add(3)).rem_euclid(7))
    }

    /// The first instant of the day.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(i64::from(self.0) * 86_400).unwrap_or(Timestamp::MAX)
    }

    /// The calendar date; days outside the calendar's range are its ends.
    #[must_use]
    pub fn date(self) -> Date {
        TimeZone::UTC.to_datetime(self.start()).date()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date().fmt(f)
    }
}

impl std::str::FromStr for Day {
    type Err = InvalidDay;

    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        // jiff would also read `20260401` or a date with a time; a day has one spelling here.
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(i, b)| match i {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
        let date: Date = if shape { text.parse().map_err(|_| InvalidDay)? } else { return Err(InvalidDay) };
        date.to_zoned(TimeZone::UTC).map(|zoned| Self::of(zoned.timestamp())).map_err(|_| InvalidDay)
    }
}

impl TryFrom<String> for Day {
    type Error = InvalidDay;
    fn try_from(text: String) -> Result<Self, InvalidDay> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

/// Days from `first` to `last`, both inside.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(inline, with = "std::collections::BTreeMap<String, String>")]
pub struct DayRange {
    /// The first day.
    pub first: Day,
    /// The last day, itself inside.
    pub last: Day,
}

impl DayRange {
    /// The longest range that a question may be about.
    pub const MAX_DAYS: i32 = 3_660;

    /// The `days` days that end with `last`; one day at least.
    #[must_use]
    pub fn ending(last: Day, days: i32) -> Self {
        Self { first: last.plus(1 - days.max(1)), last }
    }

    /// How many days are inside.
    #[must_use]
    pub fn days(self) -> i32 {
        self.last.0.saturating_sub(self.first.0).saturating_add(1)
    }

    /// The range of equal length that ends the day before this one begins.
    #[must_use]
    pub fn before(self) -> Self {
        Self::ending(self.first.plus(-1), self.days())
    }

    /// Is the day inside?
    #[must_use]
    pub fn contains(self, day: Day) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

impl fmt::Display for DayRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_spelling() {
        for good in ["1969-12-31", "1970-01-01", "2024-02-29", "2026-11-22"] {
            assert_eq!(good.parse::<Day>().unwrap().to_string(), good);
        }
        for bad in ["2026-02-30", "20261122", "2026-11-22T00:00", "2026-1-2", "+026-11-22", ""] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_range_before_has_equal_length_and_touches() {
        let range = DayRange::ending("2026-03-01".parse().unwrap(), 30);
        assert_eq!(range.days(), 30);
        assert_eq!(range.before().days(), 30);
        assert_eq!(range.before().last.plus(1), range.first);
    }
}

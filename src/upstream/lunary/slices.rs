//! Which days there are to read, and by what one sees that a day has changed: how many runs it holds.
//!
//! Recent days are counted each by itself. Of older weeks the whole is counted: if it is the same, none of its days is
//! read again, so that a sync with nothing to do costs some 25 requests for 90 days.

use super::{LOOK_BACK_DAYS, Lunary};
use crate::{
    model::{Day, DayRange},
    upstream::{Discovery, Error, Slice, http::Request},
};

/// The count is of a page, and so it has to be a page for everything.
const NO_LIMIT: u32 = 1_000_000_000;

/// Days that are counted together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Span {
    Day(Day),
    /// From this Monday on.
    Week(Day),
}

impl Span {
    /// The days counted, which may go beyond those asked for: a week cut at the window's edge would change every day.
    fn days(self) -> DayRange {
        match self {
            Self::Day(day) => DayRange { first: day, last: day },
            Self::Week(monday) => DayRange { first: monday, last: monday.plus(6) },
        }
    }
}

/// What is to be counted for some days, the newest first.
fn spans(days: DayRange) -> Vec<Span> {
    let first_counted = days.last.plus(1 - LOOK_BACK_DAYS).monday().max(days.first);
    let mut spans = vec![];
    let mut day = days.last;
    while day >= first_counted {
        spans.push(Span::Day(day));
        day = day.plus(-1);
    }
    while day >= days.first {
        let monday = day.monday();
        spans.push(Span::Week(monday));
        day = monday.plus(-1);
    }
    spans
}

impl Lunary {
    pub(super) async fn discover_slices(&self, days: DayRange) -> Result<Discovery<Slice>, Error> {
        let mut found = Discovery { items: vec![], rejected: vec![], failed: vec![], drift: vec![] };
        let mut is_served = true;
        for span in spans(days) {
            let count = if is_served { self.count(span).await? } else { None };
            is_served &= count.is_some();
            let DayRange { first, last } = span.days();
            let mut day = last.min(days.last);
            while day >= first.max(days.first) {
                // Today is read even so: its first run may come at any moment, and it costs one request.
                if count != Some(0) || day == days.last {
                    found.items.push(self.slice(day, span, count));
                }
                day = day.plus(-1);
            }
        }
        Ok(found)
    }

    fn slice(&self, day: Day, span: Span, count: Option<u64>) -> Slice {
        let mark = match span {
            Span::Day(_) => "",
            Span::Week(_) => "w",
        };
        Slice {
            fingerprint: count.map(|count| format!("{mark}{count}{}", self.variant)),
            fingerprint_is_proof: count.is_some(),
            runs: count.filter(|_| matches!(span, Span::Day(_)) && self.settings.filter.is_default()),
            ..Slice::of_day(day)
        }
    }

    /// How many runs some days hold; none where the server does not count.
    async fn count(&self, span: Span) -> Result<Option<u64>, Error> {
        let DayRange { first, last } = span.days();
        let end = last.plus(1);
        // Here the type shortens nothing, and without it all types are counted.
        let kind = if self.settings.filter.is_llm_only() { "type=llm&" } else { "" };
        let query = format!("{kind}date=gte.{first}T00:00:00Z&date=lt.{end}T00:00:00Z&limit={NO_LIMIT}");
        let mut url = self.http.url(["runs", "count"]);
        url.set_query(Some(&query));
        let request = Request { what: format!("the count of runs from {first} to {last}"), url };
        match self.fetch(&request).await {
            Ok(body) => Ok(body.trim().trim_matches('"').parse().ok()),
            Err(Error::NotFound { .. } | Error::Invalid { .. } | Error::Server { .. } | Error::Decode { .. }) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// How many requests a slice takes, about.
    pub(super) fn requests_for(&self, slice: &Slice) -> u64 {
        let runs = slice.runs.unwrap_or(0);
        1 + runs / self.page_rows + if self.run_details { runs } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_weeks_are_counted_by_day_and_others_whole() {
        let days = |last: &str, days| DayRange::ending(last.parse().unwrap(), days);
        let text = |range| {
            let span = |span: &Span| match span {
                Span::Day(day) => day.to_string(),
                Span::Week(monday) => format!("{monday}w"),
            };
            spans(range).iter().map(span).collect::<Vec<_>>().join(" ")
        };
        // A Sunday: the look-back is its week.
        assert_eq!(
            text(days("2026-11-22", 9)),
            "2026-11-22 2026-11-21 2026-11-20 2026-11-19 2026-11-18 2026-11-17 2026-11-16 2026-11-09w"
        );
        assert_eq!(text(days("2026-11-17", 3)), "2026-11-17 2026-11-16 2026-11-15");
        assert_eq!(text(days("2026-11-17", 1)), "2026-11-17");
        // A Saturday: seven days back is the Sunday of the week before, all of whose days are counted.
        assert_eq!(spans(days("2026-11-21", 90)).len(), 13 + 11);
        assert_eq!(spans(days("2026-11-22", 90)).len(), 7 + 12);
    }
}

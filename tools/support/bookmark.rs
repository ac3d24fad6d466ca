//! Where a list of a question about figures goes on: a cursor that holds its days too.

use super::{Bound, Question};
use crate::{
    mcp::{
        ToolError,
        params::{Cursor, Period},
    },
    model::DayRange,
};

/// Where a list goes on that a question about figures gave.
pub(crate) struct Bookmark {
    bound: Bound,
    days: DayRange,
    /// Where, as the tool counts: rows shown before, or a day. 0 is the beginning.
    pub at: usize,
}

impl Bookmark {
    /// The place that a cursor names, or the beginning. The days are those of the first page, whatever was synced since:
    /// the question is asked for them. `what` is what else makes it another list.
    pub(crate) fn read(
        cursor: Option<&Cursor>,
        question: &mut Question,
        period: Option<Period>,
        what: &str,
    ) -> Result<Self, ToolError> {
        let asked: Vec<String> = question
            .asked
            .iter()
            .map(|one| format!("{} {:?} {:?}", one.target.row.key.source, one.target.row.key.key, one.brand.key))
            .collect();
        let narrowed = (&question.engine, &question.topic, question.prompt, question.include_branded);
        let bound = Bound::to(&format!("{asked:?} {narrowed:?} {period:?} {what}"));
        let Some(parts) = bound.read(cursor)? else { return Ok(Self { bound, days: question.days, at: 0 }) };
        let (days, at) = parse(&parts).ok_or_else(Cursor::refused)?;
        question.days = days;
        Ok(Self { bound, days, at })
    }

    /// The cursor of the page that begins at `at`.
    pub(crate) fn cursor(&self, at: usize) -> String {
        self.bound.write(&[self.days.first.to_string(), self.days.last.to_string(), at.to_string()])
    }
}

fn parse(parts: &[&str]) -> Option<(DayRange, usize)> {
    let [first, last, at] = parts else { return None };
    let days = DayRange { first: first.parse().ok()?, last: last.parse().ok()? };
    (1..=DayRange::MAX_DAYS).contains(&days.days()).then_some((days, at.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_place_are_read_and_nothing_else_is() {
        let days = DayRange { first: "2026-10-01".parse().unwrap(), last: "2026-10-31".parse().unwrap() };
        assert_eq!(parse(&["2026-10-01", "2026-10-31", "70"]), Some((days, 70)));
        for bad in [
            &[][..],
            &["2026-10-01"],
            &["2026-10-01", "2026-10-31"],
            &["2026-10-31", "2026-10-01", "1"],
            &["2026-10-01", "2026-10-31", "1", "1"],
            &["2026-10-01", "2026-10-31", "-1"],
            &["1990-01-01", "2026-10-31", "1"],
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}

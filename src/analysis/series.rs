//! A window cut into days, weeks or months, and what all of them have in common.

use crate::model::{Cell, Day, DayRange, EngineRef, PromptRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a window is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Interval {
    /// By day.
    Day,
    /// By week, from Monday on.
    #[default]
    Week,
    /// By calendar month.
    Month,
}

/// The days of the window that belong together, in order: they touch and are the whole window. With each, whether it is
/// a whole day, week or month that is over by `last_complete`.
#[must_use]
pub fn buckets(window: DayRange, interval: Interval, last_complete: Option<Day>) -> Vec<(DayRange, bool)> {
    let mut buckets = Vec::new();
    let mut first = window.first;
    while first <= window.last {
        let whole = around(first, interval);
        let days = DayRange { first, last: whole.last.min(window.last) };
        buckets.push((days, days == whole && last_complete.is_some_and(|complete| days.last <= complete)));
        first = days.last.plus(1);
    }
    buckets
}

/// The day, week or month that holds this day.
fn around(day: Day, interval: Interval) -> DayRange {
    match interval {
        Interval::Day => DayRange { first: day, last: day },
        Interval::Week => DayRange { first: day.monday(), last: day.monday().plus(6) },
        Interval::Month => {
            let date = day.date();
            let into = i32::from(date.day()) - 1;
            DayRange { first: day.plus(-into), last: day.plus(i32::from(date.days_in_month()) - 1 - into) }
        }
    }
}

/// The two halves of a window, the later one longer by a day where the days are odd; none of a single day.
#[must_use]
pub fn halves(window: DayRange) -> Option<(DayRange, DayRange)> {
    let half = window.days() / 2;
    let middle = window.first.plus(half);
    (half > 0).then(|| {
        (DayRange { first: window.first, last: middle.plus(-1) }, DayRange { first: middle, last: window.last })
    })
}

/// Which cells were checked in every bucket that has runs, so that no bucket is better for other prompts or engines.
/// It sees the buckets one after the other, since all of them together may be more than a memory holds.
#[derive(Clone, Debug, Default)]
pub struct Alike {
    buckets: usize,
    /// Of each cell, the buckets that have it, and its checked runs in all of them.
    seen: BTreeMap<(PromptRef, EngineRef), (usize, u64)>,
}

impl Alike {
    /// Takes note of one bucket's cells.
    pub fn see(&mut self, cells: &[Cell], checked: impl Fn(&Cell) -> u32) {
        let mut here: BTreeMap<(PromptRef, EngineRef), u64> = BTreeMap::new();
        for cell in cells.iter().filter(|cell| checked(cell) > 0) {
            *here.entry((cell.prompt, cell.engine)).or_default() += u64::from(checked(cell));
        }
        self.buckets += usize::from(!here.is_empty());
        for (key, runs) in here {
            let (times, all) = self.seen.entry(key).or_default();
            *times += 1;
            *all += runs;
        }
    }

    /// The cells that every bucket has.
    pub fn cells(&self) -> impl Iterator<Item = (PromptRef, EngineRef)> {
        self.seen.iter().filter(|(_, (times, _))| *times == self.buckets).map(|(key, _)| *key)
    }

    /// Keeps of these cells those that every bucket has.
    pub fn keep(&self, cells: &mut Vec<Cell>) {
        let is_alike =
            |cell: &Cell| self.seen.get(&(cell.prompt, cell.engine)).is_some_and(|(n, _)| *n == self.buckets);
        cells.retain(is_alike);
    }

    /// How many cells some bucket lacks, and their checked runs.
    #[must_use]
    pub fn left_out(&self) -> (u32, u64) {
        let others = self.seen.values().filter(|(times, _)| *times < self.buckets);
        others.fold((0, 0), |(cells, runs), (_, more)| (cells + 1, runs + more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(text: &str) -> DayRange {
        let (first, last) = text.split_once("..").unwrap();
        DayRange { first: first.parse().unwrap(), last: last.parse().unwrap() }
    }

    fn told(window: &str, interval: Interval, complete: &str) -> Vec<String> {
        let cut = buckets(range(window), interval, complete.parse().ok());
        cut.iter().map(|(days, whole)| format!("{days}{}", if *whole { "" } else { " cut" })).collect()
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        // 2026-11-16 is a Monday.
        assert_eq!(
            told("2026-11-06..2026-11-18", Interval::Week, "2026-11-18"),
            ["2026-11-06..2026-11-08 cut", "2026-11-09..2026-11-15", "2026-11-16..2026-11-18 cut"]
        );
        assert_eq!(
            told("2024-02-01..2024-04-29", Interval::Month, "2024-04-30"),
            ["2024-02-01..2024-02-29", "2024-03-01..2024-03-31", "2024-04-01..2024-04-29 cut"]
        );
        // The last day is not over; nor is anything where no day is.
        assert_eq!(
            told("2026-11-20..2026-11-21", Interval::Day, "2026-11-20"),
            ["2026-11-20..2026-11-20", "2026-11-21..2026-11-21 cut"]
        );
        assert_eq!(told("2026-11-20..2026-11-20", Interval::Day, ""), ["2026-11-20..2026-11-20 cut"]);
    }

    #[test]
    fn a_window_has_two_halves_and_a_day_has_none() {
        let half = |text: &str| halves(range(text)).map(|(before, now)| format!("{before} {now}"));
        assert_eq!(half("2026-11-01..2026-11-04").unwrap(), "2026-11-01..2026-11-02 2026-11-03..2026-11-04");
        assert_eq!(half("2026-11-01..2026-11-05").unwrap(), "2026-11-01..2026-11-02 2026-11-03..2026-11-05");
        assert_eq!(half("2026-11-01..2026-11-01"), None);
    }

    fn cell(prompt: u32, engine: u32, checked: u32) -> Cell {
        Cell { prompt: PromptRef(prompt), engine: EngineRef(engine), presence_checked: checked, ..Cell::default() }
    }

    fn alike(weeks: &mut [Vec<Cell>]) -> (u32, u64) {
        let mut alike = Alike::default();
        for cells in weeks.iter() {
            alike.see(cells, |cell| cell.presence_checked);
        }
        for cells in weeks.iter_mut() {
            alike.keep(cells);
        }
        alike.left_out()
    }

    #[test]
    fn only_what_every_bucket_with_runs_has_is_kept() {
        // (0, 0) is everywhere; (1, 0) comes later; (2, 0) was not checked in the last; the second has no runs at all.
        let mut weeks = [
            vec![cell(0, 0, 2), cell(2, 0, 5)],
            vec![],
            vec![cell(0, 0, 1), cell(1, 0, 3), cell(2, 0, 1)],
            vec![cell(0, 0, 1), cell(1, 0, 4), cell(2, 0, 0)],
        ];
        assert_eq!(alike(&mut weeks), (2, 5 + 3 + 1 + 4));
        assert_eq!(weeks.map(|cells| cells.len()), [1, 0, 1, 1]);
    }

    proptest! {
        #[test]
        fn buckets_are_the_window_without_holes(first in 0..40_000_i32, days in 1..500_i32, which in 0..3_usize) {
            let first = Day::from_epoch_days(first);
            let window = DayRange { first, last: first.plus(days - 1) };
            let interval = [Interval::Day, Interval::Week, Interval::Month][which];
            let cut = buckets(window, interval, Some(window.last));
            prop_assert_eq!(cut.iter().map(|(days, _)| days.days()).sum::<i32>(), days);
            prop_assert!(cut.windows(2).all(|pair| pair[0].0.last.plus(1) == pair[1].0.first));
            prop_assert_eq!((cut[0].0.first, cut[cut.len() - 1].0.last), (window.first, window.last));
            // All but the ends are whole.
            prop_assert!(cut.iter().skip(1).rev().skip(1).all(|(_, whole)| *whole));
        }

        #[test]
        fn every_checked_run_is_kept_or_counted(
            weeks in prop::collection::vec(prop::collection::vec((0..5_u32, 0..2_u32, 0..4_u32), 0..8), 1..5),
        ) {
            let mut weeks: Vec<Vec<Cell>> =
                weeks.into_iter().map(|week| week.into_iter().map(|(p, e, n)| cell(p, e, n)).collect()).collect();
            let sum = |weeks: &[Vec<Cell>]| weeks.iter().flatten().map(|cell| u64::from(cell.presence_checked)).sum::<u64>();
            let before = sum(&weeks);
            let (_, runs) = alike(&mut weeks);
            prop_assert_eq!(sum(&weeks) + runs, before);
            let prompts: Vec<std::collections::BTreeSet<_>> = weeks.iter()
                .map(|cells| cells.iter().filter(|cell| cell.presence_checked > 0).map(|cell| (cell.prompt, cell.engine)).collect())
                .filter(|keys: &std::collections::BTreeSet<_>| !keys.is_empty())
                .collect();
            prop_assert!(prompts.windows(2).all(|pair| pair[0] == pair[1]));
        }
    }
}

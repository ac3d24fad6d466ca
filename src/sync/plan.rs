//! What to fetch, in which order, from where on: a pure function of what is offered and what is stored.

use crate::{
    model::Day,
    store::StoredSlice,
    upstream::{Cursor, Slice},
};
use serde::Serialize;
use std::collections::HashMap;

/// For so many days open runs are asked for at every sync, after that once a day.
const FRESH_DAYS: i32 = 30;

/// What a plan is made by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlanOptions {
    /// The day now.
    pub today: Day,
    /// How many days back a backfill reaches, today included.
    pub history_days: i32,
    /// For how many days, its own included, a slice may still change.
    pub look_back_days: i32,
}

/// Why a slice is fetched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was never read whole.
    New,
    /// Its reading was cut off.
    Resume,
    /// Its fingerprint is another one.
    Changed,
    /// It was read while it could still change.
    LookBack,
    /// It held runs without a final status.
    OpenRuns,
}

/// A slice to fetch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    /// The slice.
    pub slice: Slice,
    /// Where to go on; none for a reading from the start.
    pub cursor: Option<Cursor>,
    /// Why.
    pub reason: Reason,
}

/// The slices to fetch, newest first.
#[must_use]
pub fn plan(offered: Vec<Slice>, stored: &[StoredSlice], options: PlanOptions) -> Vec<Task> {
    let stored: HashMap<&str, &StoredSlice> = stored.iter().map(|slice| (slice.key.as_str(), slice)).collect();
    let oldest = options.today.plus(1 - options.history_days.max(1));
    let mut tasks: Vec<Task> = offered
        .into_iter()
        .filter_map(|slice| {
            let known = stored.get(slice.key.as_str()).copied();
            let reason = reason(&slice, known, oldest, options)?;
            let cursor = known.filter(|_| reason == Reason::Resume).and_then(|known| known.cursor.clone()).map(Cursor);
            Some(Task { slice, cursor, reason })
        })
        .collect();
    tasks.sort_by(|a, b| b.slice.last_day.cmp(&a.slice.last_day).then_with(|| a.slice.key.cmp(&b.slice.key)));
    tasks
}

fn reason(slice: &Slice, known: Option<&StoredSlice>, oldest: Day, options: PlanOptions) -> Option<Reason> {
    let Some(known) = known else { return (slice.last_day >= oldest).then_some(Reason::New) };
    let Some(completed_at) = known.completed_at else {
        // What was begun is ended, however old it has become meanwhile.
        let reason = if known.cursor.is_some() { Reason::Resume } else { Reason::New };
        return Some(reason);
    };
    if slice.fingerprint.is_some() && slice.fingerprint != known.fingerprint {
        return Some(Reason::Changed);
    }
    // Read before it was final? So a slice that left the window since its last reading is read once more.
    // An equal fingerprint is proof for the rest of the day on which the slice was read.
    let proven = slice.fingerprint_is_proof && slice.fingerprint.is_some() && Day::of(completed_at) >= options.today;
    if completed_at < slice.last_day.plus(options.look_back_days).start() && !proven {
        return Some(Reason::LookBack);
    }
    // Runs that nobody ends any more would have their slice read at every sync, for ever.
    let is_fresh = slice.last_day.plus(FRESH_DAYS) >= options.today || Day::of(completed_at) < options.today;
    (known.open_runs > 0 && is_fresh).then_some(Reason::OpenRuns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn offered(last_day: &str) -> Slice {
        Slice::of_day(day(last_day))
    }

    fn stored(last_day: &str, completed: Option<&str>, cursor: Option<&str>, open_runs: u64) -> StoredSlice {
        StoredSlice {
            key: last_day.to_owned(),
            last_day: day(last_day),
            fingerprint: None,
            cursor: cursor.map(str::to_owned),
            completed_at: completed.map(|at| at.parse().unwrap()),
            open_runs,
        }
    }

    fn reasons(offered: Vec<Slice>, stored: &[StoredSlice]) -> Vec<(String, Reason, Option<String>)> {
        let options = PlanOptions { today: day("2026-11-22"), history_days: 10, look_back_days: 2 };
        plan(offered, stored, options)
            .into_iter()
            .map(|task| (task.slice.key, task.reason, task.cursor.map(|cursor| cursor.0)))
            .collect()
    }

    #[test]
    fn an_empty_cache_fetches_all_in_reach_newest_first() {
        let days = ["2026-11-12", "2026-11-20", "2026-11-13", "2026-11-22"].map(offered).to_vec();
        let planned: Vec<String> = reasons(days, &[]).into_iter().map(|(key, ..)| key).collect();
        assert_eq!(planned, ["2026-11-22", "2026-11-20", "2026-11-13"]);
    }

    #[test]
    fn each_state_of_a_slice_has_its_reason_or_none() {
        use Reason::{LookBack, New, OpenRuns, Resume};
        type Case = (StoredSlice, Option<(Reason, Option<&'static str>)>);
        let cases: Vec<Case> = vec![
            // Today and yesterday may still change, whenever they were read.
            (stored("2026-11-22", Some("2026-11-22T10:00:00Z"), None, 0), Some((LookBack, None))),
            (stored("2026-11-21", Some("2026-11-22T10:00:00Z"), None, 0), Some((LookBack, None))),
            // Older, and read after it was final: done.
            (stored("2026-11-20", Some("2026-11-22T10:00:00Z"), None, 0), None),
            // Older, but last read while it could still change.
            (stored("2026-11-19", Some("2026-11-20T23:59:59Z"), None, 0), Some((LookBack, None))),
            (stored("2026-11-18", Some("2026-11-20T00:00:00Z"), None, 0), None),
            // Runs still open are asked for again.
            (stored("2026-11-17", Some("2026-11-22T10:00:00Z"), None, 3), Some((OpenRuns, None))),
            // Cut off in the middle, or before the first page; also when out of reach by now.
            (stored("2026-11-16", None, Some("prompts:1000"), 0), Some((Resume, Some("prompts:1000")))),
            (stored("2026-11-15", None, None, 0), Some((New, None))),
            (stored("2026-08-01", None, Some("history"), 0), Some((Resume, Some("history")))),
        ];
        for (slice, expected) in cases {
            let found = reasons(vec![offered(&slice.key)], std::slice::from_ref(&slice));
            let found = found.first().map(|(_, reason, cursor)| (*reason, cursor.as_deref()));
            assert_eq!(found, expected, "{slice:?}");
        }
    }

    #[test]
    fn runs_that_nobody_ends_are_asked_for_once_a_day() {
        for (completed, expected) in [("2026-11-22T00:00:00Z", None), ("2026-11-21T23:59:59Z", Some(Reason::OpenRuns))]
        {
            let slice = stored("2026-10-22", Some(completed), None, 2);
            let found = reasons(vec![offered("2026-10-22")], &[slice]).first().map(|(_, reason, _)| *reason);
            assert_eq!(found, expected, "{completed}");
        }
    }

    #[test]
    fn a_new_fingerprint_is_a_reason() {
        let mut slice = offered("2026-11-14");
        let mut known = stored("2026-11-14", Some("2026-11-22T10:00:00Z"), None, 0);
        known.fingerprint = Some("12".to_owned());
        slice.fingerprint = Some("12".to_owned());
        assert_eq!(reasons(vec![slice.clone()], std::slice::from_ref(&known)), []);
        slice.fingerprint = Some("13".to_owned());
        assert_eq!(reasons(vec![slice], &[known])[0].1, Reason::Changed);
    }

    #[test]
    fn a_fingerprint_that_is_proof_is_believed_until_the_day_is_over() {
        use Reason::{Changed, LookBack, OpenRuns};
        // (last day, completed at, runs open, fingerprint then and now, why it is read)
        let cases = [
            ("2026-11-22", "2026-11-22T00:00:00Z", 0, ("7", "7"), None),
            ("2026-11-22", "2026-11-22T10:00:00Z", 2, ("7", "7"), Some(OpenRuns)),
            ("2026-11-22", "2026-11-22T10:00:00Z", 0, ("7", "8"), Some(Changed)),
            ("2026-11-22", "2026-11-21T23:59:59Z", 0, ("7", "7"), Some(LookBack)),
            ("2026-11-21", "2026-11-21T12:00:00Z", 0, ("7", "7"), Some(LookBack)),
            ("2026-11-20", "2026-11-22T00:00:00Z", 0, ("7", "7"), None),
        ];
        for (last_day, completed, open, (then, now), expected) in cases {
            let known =
                StoredSlice { fingerprint: Some(then.to_owned()), ..stored(last_day, Some(completed), None, open) };
            let fingerprint = Some(now.to_owned());
            let slice = Slice { fingerprint, fingerprint_is_proof: true, ..offered(last_day) };
            let found = reasons(vec![slice], &[known]).first().map(|(_, reason, _)| *reason);
            assert_eq!(found, expected, "{last_day} {completed} {open} {then} {now}");
        }
    }
}

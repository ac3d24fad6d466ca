//! The model behind an engine, and when it became another one. A model that shows up for a day or two is flicker.

use crate::model::{Day, ModelRuns};
use std::collections::BTreeMap;

/// An engine began to answer as another model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelChange {
    /// The engine.
    pub engine: String,
    /// The first day of the new model.
    pub day: Day,
    /// The model before.
    pub from: String,
    /// The model from then on.
    pub to: String,
}

/// On so many days with runs a model must be the dominant one, on either side of a change.
const STEADY_DAYS: usize = 3;
/// Or on one day in so many, where that is less.
const STEADY_SHARE: usize = 5;

/// A model that was the dominant one on days with runs that follow each other.
#[derive(Clone, Debug)]
struct Stretch<'a> {
    model: &'a str,
    first: Day,
    days: usize,
}

/// The changes of the dominant model of each engine, newest first. Rows come in any order.
#[must_use]
pub fn model_changes(rows: &[ModelRuns]) -> Vec<ModelChange> {
    let mut engines: BTreeMap<&str, BTreeMap<Day, BTreeMap<&str, u64>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.runs > 0) {
        let day = engines.entry(&row.engine).or_default().entry(row.day).or_default();
        *day.entry(&row.model).or_default() += row.runs;
    }
    let mut changes = Vec::new();
    for (engine, days) in engines {
        let least = STEADY_DAYS.min(days.len().div_ceil(STEADY_SHARE));
        let steady = steady(stretches(&days), least);
        changes.extend(steady.iter().zip(steady.iter().skip(1)).map(|(before, now)| ModelChange {
            engine: engine.to_owned(),
            day: now.first,
            from: before.model.to_owned(),
            to: now.model.to_owned(),
        }));
    }
    changes.sort_by(|a, b| b.day.cmp(&a.day).then_with(|| a.engine.cmp(&b.engine)));
    changes
}

/// Days of one dominant model joined. Of models with as many runs, the one of the day before stays.
fn stretches<'a>(days: &BTreeMap<Day, BTreeMap<&'a str, u64>>) -> Vec<Stretch<'a>> {
    let mut stretches: Vec<Stretch<'a>> = Vec::new();
    for (day, models) in days {
        let most = models.values().max();
        let mut dominant = models.iter().filter(|(_, runs)| Some(*runs) == most).map(|(model, _)| *model);
        let last = stretches.last_mut();
        match (dominant.next(), last) {
            (Some(first), Some(last)) if first == last.model || dominant.any(|model| model == last.model) => {
                last.days += 1;
            }
            (Some(model), _) => stretches.push(Stretch { model, first: *day, days: 1 }),
            (None, _) => {}
        }
    }
    stretches
}

/// Takes out what is too short, the shortest first, and joins what is then side by side.
fn steady(mut stretches: Vec<Stretch<'_>>, least: usize) -> Vec<Stretch<'_>> {
    loop {
        let shortest = stretches.iter().enumerate().min_by_key(|(_, stretch)| stretch.days);
        let Some((at, _)) = shortest.filter(|(_, stretch)| stretch.days < least) else { return stretches };
        stretches.remove(at);
        stretches.dedup_by(|next, kept| {
            let same = next.model == kept.model;
            if same {
                kept.days += next.days;
            }
            same
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One letter a day, its model; a dot is a day without runs.
    fn days(models: &str) -> Vec<ModelRuns> {
        models
            .chars()
            .zip(0..)
            .filter(|(model, _)| *model != '.')
            .map(|(model, day)| ModelRuns {
                engine: "x".to_owned(),
                model: model.to_string(),
                day: Day::from_epoch_days(day),
                runs: 4,
            })
            .collect()
    }

    fn told(models: &str) -> Vec<String> {
        let changes = model_changes(&days(models));
        changes.iter().map(|change| format!("{}{}{}", change.from, change.day.epoch_days(), change.to)).collect()
    }

    #[test]
    fn changes_are_told_and_flicker_is_not() {
        for (models, changes) in [
            ("aaaaaaaaaa", vec![]),
            // Ten days: two are enough.
            ("aaaaabbbbb", vec!["a5b"]),
            ("aaaaaaaabb", vec!["a8b"]),
            ("aaaaaaaaab", vec![]),
            ("aaaabaaaaa", vec![]),
            // Thirty days: three are needed.
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaabb", vec![]),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaabbb", vec!["a27b"]),
            // Slowly: it goes on as b from the first b that stays.
            ("aaabaabbabbbbbbbbbb", vec!["a6b"]),
            // Newest first.
            ("aaaaabbbbbccccc", vec!["b10c", "a5b"]),
            // Days without runs are nothing.
            ("aa...aa.....b.b..bb", vec!["a12b"]),
            // Two days: one is enough.
            ("ab", vec!["a1b"]),
            ("", vec![]),
        ] {
            assert_eq!(told(models), changes, "{models}");
        }
    }

    #[test]
    fn the_dominant_model_of_a_day_is_the_one_with_most_runs() {
        let row = |day: i32, model: &str, runs: u64| ModelRuns {
            engine: "x".to_owned(),
            model: model.to_owned(),
            day: Day::from_epoch_days(day),
            runs,
        };
        let rows = [row(0, "b", 9), row(0, "a", 1), row(1, "b", 5), row(1, "a", 5), row(2, "a", 6), row(2, "b", 5)];
        let changes = model_changes(&rows);
        assert_eq!(changes.len(), 1);
        assert_eq!((changes[0].from.as_str(), changes[0].to.as_str(), changes[0].day.epoch_days()), ("b", "a", 2));
        let turned: Vec<ModelRuns> = rows.iter().rev().cloned().collect();
        assert_eq!(model_changes(&turned), changes);
    }

    proptest! {
        #[test]
        fn every_change_is_from_one_model_to_another_and_they_follow_each_other(models in "[abc.]{0,40}") {
            let changes = model_changes(&days(&models));
            prop_assert!(changes.iter().all(|change| change.from != change.to));
            for pair in changes.windows(2) {
                prop_assert!(pair[0].day > pair[1].day);
                prop_assert_eq!(&pair[0].from, &pair[1].to);
            }
        }
    }
}

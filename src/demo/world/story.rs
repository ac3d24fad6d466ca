//! What changes over time: a model that is replaced, a competitor that rises.
//!
//! Both hang on absolute seasons of eight weeks and not on the world's last day, so that a world with a later last
//! day tells the same past. Any eight weeks hold exactly one change of model, and a competitor whose rise shows.

use super::real;
use crate::model::{Day, DayRange};

/// Days of a season.
pub(super) const SEASON: i32 = 56;
/// How far a rise goes, in log-odds.
const RISE: f64 = 3.0;
/// The season in which the changing engine's model is called 5-1 (spring of 2026).
const FIRST_SEASON: i32 = 366;

/// Which engine changes its model.
pub(super) const CHANGING_ENGINE: usize = 0;

/// The number of the model's generation: it moves on in the middle of each season.
pub(super) fn generation(day: Day) -> i32 {
    (day.epoch_days() + SEASON / 2).div_euclid(SEASON)
}

/// The changing engine's model of a generation.
pub(super) fn model(base: &str, generation: i32) -> String {
    let number = generation - FIRST_SEASON;
    format!("{}-{}", major(base, number), number.rem_euclid(8) + 1)
}

/// `gpt-5` is followed by `gpt-6` after eight generations, so that a later model never has an earlier name.
fn major(base: &str, number: i32) -> String {
    match base.rsplit_once('-').and_then(|(stem, version)| Some((stem, version.parse::<i32>().ok()?))) {
        Some((stem, version)) => format!("{stem}-{}", version + number.div_euclid(8)),
        None => base.to_owned(),
    }
}

/// How a generation differs in its habits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    /// Added to the log-odds of naming the own brand.
    pub(super) own: f64,
    /// Added to the log-odds of naming a competitor.
    pub(super) rivals: f64,
    /// Multiplies the number of links.
    pub(super) links: f64,
    /// Length of answers, in percent.
    pub(super) length: usize,
}

/// No change at all.
pub(super) const STEADY: Shift = Shift { own: 0.0, rivals: 0.0, links: 1.0, length: 100 };

/// Generations are by turns generous and curt.
pub(super) fn shift(generation: i32) -> Shift {
    if generation.rem_euclid(2) == 0 {
        Shift { own: 0.45, rivals: -0.05, links: 1.3, length: 112 }
    } else {
        Shift { own: -0.45, rivals: 0.05, links: 0.7, length: 88 }
    }
}

/// What the story adds to the log-odds of naming the competitor at this place on this day. Competitors take turns:
/// each rises through one season and sinks back slowly over those of all the others.
pub(super) fn rise(rival: usize, rivals: usize, day: Day) -> f64 {
    let turns = i32::try_from(rivals.max(2)).unwrap_or(i32::MAX / SEASON);
    let start = i32::try_from(rival).unwrap_or(0) * SEASON;
    let since = f64::from((day.epoch_days() - start).rem_euclid(turns * SEASON)) / f64::from(SEASON);
    if since < 1.0 { RISE * since } else { RISE * (f64::from(turns) - since) / f64::from(turns - 1) }
}

/// What the story adds to a competitor at some time: spread over the numbers as it is over the days. The mean alone
/// would not do, since the probability is not linear in it.
pub(super) fn sample_rise(number: usize) -> f64 {
    RISE * (real(number % 3) * 2.0 + 1.0) / 6.0
}

/// The competitor whose rise shows most in these days, as its place among `rivals`.
pub(super) fn rising(rivals: usize, days: DayRange) -> usize {
    let third = (days.days() / 3).max(1);
    let mean =
        |rival, first: Day| (0..third).map(|i| rise(rival, rivals, first.plus(i))).sum::<f64>() / f64::from(third);
    let gain = |rival| mean(rival, days.last.plus(1 - third)) - mean(rival, days.first);
    (0..rivals).max_by(|a, b| gain(*a).total_cmp(&gain(*b))).unwrap_or(0)
}

/// Log-odds as a probability.
pub(super) fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// The log-odds to add to all of these so that their mean probability is `target`, found by halving.
pub(super) fn calibrate(log_odds: &[f64], target: f64) -> f64 {
    let mean = |shift: f64| log_odds.iter().map(|x| probability(x + shift)).sum::<f64>() / real(log_odds.len().max(1));
    let (mut low, mut high) = (-12.0, 12.0);
    for _ in 0..24 {
        let middle = f64::midpoint(low, high);
        if mean(middle) < target { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_eight_weeks_hold_one_model_change_and_a_rise() {
        for last in 20_500..20_500 + 3 * SEASON {
            let days = DayRange::ending(Day::from_epoch_days(last), SEASON);
            assert_eq!(generation(days.last.plus(1)) - generation(days.first), 1);
            let rival = rising(5, days);
            let gain = rise(rival, 5, days.last.plus(-9)) - rise(rival, 5, days.first.plus(9));
            assert!(gain > 0.6, "{last}: {gain}");
        }
    }

    #[test]
    fn a_later_model_has_a_later_name() {
        assert_eq!(model("gpt-5", 366), "gpt-5-1");
        assert_eq!(model("gpt-5", 373), "gpt-5-8");
        assert_eq!(model("gpt-5", 374), "gpt-6-1");
        assert_eq!(model("gpt-5", 365), "gpt-4-8");
    }
}

//! Ranked lists of changes: which of many small tests may be called a change.

use super::{Change, Verdict, real};
use statrs::function::factorial::ln_binomial;

/// The share of changes called up or down in a list that may be chance.
const FALSE_DISCOVERIES: f64 = 0.05;

/// Fisher's exact test of two rates of one prompt, as (hits, runs): the chance of a split at least this uneven if
/// nothing changed. For lists of prompts, where each one is its own question and has too few runs for anything else.
#[must_use]
pub fn exact_p(before: (u64, u64), now: (u64, u64)) -> f64 {
    let (hits, runs) = (before.0.min(before.1), before.1);
    let (more_hits, more_runs) = (now.0.min(now.1), now.1);
    let (all_hits, all_runs) = (hits.saturating_add(more_hits), runs.saturating_add(more_runs));
    let log_chance =
        |k: u64| ln_binomial(runs, k) + ln_binomial(more_runs, all_hits - k) - ln_binomial(all_runs, all_hits);
    let seen = log_chance(hits);
    // Splits as likely as the one seen count as uneven, and rounding must not lose them.
    let limit = seen + 1e-7;
    let splits = all_hits.saturating_sub(more_runs)..=all_hits.min(runs);
    let p: f64 = splits.map(log_chance).filter(|log| *log <= limit).map(f64::exp).sum();
    if p.is_finite() { p.clamp(0.0, 1.0) } else { 1.0 }
}

/// Which of these tests are discoveries when a share `rate` of the discoveries may be false (Benjamini-Hochberg), in
/// the order given. What is not a number is none.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64], rate: f64) -> Vec<bool> {
    let mut sorted: Vec<f64> = p_values.iter().copied().filter(|p| !p.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let tests = real(p_values.len() as u64);
    let allowed = |rank: usize| rate * real(rank as u64 + 1) / tests;
    let limit = sorted.iter().enumerate().rev().find(|(rank, p)| **p <= allowed(*rank)).map(|(_, p)| *p);
    p_values.iter().map(|p| limit.is_some_and(|limit| *p <= limit)).collect()
}

/// Takes changes as one list: of those that stay called up or down, one in twenty may be chance (Benjamini-Hochberg).
/// The others become `within_noise`. Returns how many tests were made: comparisons with fewer prompts or runs than a
/// verdict takes are none, whatever came out; those that came out too wide to say anything are.
pub fn control_changes<'c>(changes: impl IntoIterator<Item = &'c mut Change>) -> usize {
    let mut tests: Vec<(f64, &mut Change)> = changes
        .into_iter()
        .filter(|change| change.has_enough_data())
        .filter_map(|change| Some((change.p_value?, change)))
        .collect();
    let p_values: Vec<f64> = tests.iter().map(|(p, _)| *p).collect();
    for ((_, change), found) in tests.iter_mut().zip(benjamini_hochberg(&p_values, FALSE_DISCOVERIES)) {
        if matches!(change.verdict, Verdict::Up | Verdict::Down) && !found {
            change.verdict = Verdict::WithinNoise;
        }
    }
    p_values.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::change,
        model::{Cell, PromptRef},
    };
    use proptest::prelude::*;

    #[test]
    fn fisher_by_hand() {
        // 3 of 3 against 0 of 3: one split in twenty each way.
        assert!((exact_p((3, 3), (0, 3)) - 0.1).abs() < 1e-9);
        // The tea cup table: 3 of 4 against 1 of 4.
        assert!((exact_p((3, 4), (1, 4)) - 34.0 / 70.0).abs() < 1e-9);
        assert!((exact_p((5, 10), (5, 10)) - 1.0).abs() < 1e-9);
        assert!((exact_p((0, 0), (5, 10)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_published_example_of_false_discovery_control() {
        // Benjamini and Hochberg 1995, section 4.2: the four smallest of fifteen at 5 %.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let found = benjamini_hochberg(&p, 0.05);
        assert_eq!(found.iter().filter(|found| **found).count(), 4);
        assert!(found.iter().take(4).all(|found| *found));
        assert_eq!(benjamini_hochberg(&[f64::NAN, 0.01], 0.05), [false, true]);
        assert!(benjamini_hochberg(&[], 0.05).is_empty());
    }

    #[test]
    fn what_does_not_pass_is_within_noise() {
        let nothing: [Cell; 0] = [];
        let of = |verdict: Verdict, p: f64, prompts: u32| Change {
            verdict,
            p_value: Some(p),
            prompts,
            runs_before: 30,
            runs_now: 30,
            ..change(&nothing, &nothing, |_| (0, 0))
        };
        // Four tests: 0.0125, 0.025, 0.0375 and 0.05 are allowed. The one that is too wide to say anything was made all
        // the same, the one of two prompts was not.
        let mut list = [
            of(Verdict::Up, 0.03, 20),
            of(Verdict::Up, 0.01, 20),
            of(Verdict::TooLittleData, 0.4, 20),
            of(Verdict::Down, 0.04, 20),
            of(Verdict::TooLittleData, 0.0001, 2),
        ];
        assert_eq!(control_changes(&mut list), 4);
        let verdicts: Vec<Verdict> = list.iter().map(|change| change.verdict).collect();
        let (noise, little) = (Verdict::WithinNoise, Verdict::TooLittleData);
        assert_eq!(verdicts, [noise, Verdict::Up, little, noise, little]);
    }

    #[test]
    fn one_test_alone_is_what_it_was_and_many_need_stronger_ones() {
        let cell = |prompt: u32, present: u32| Cell {
            prompt: PromptRef(prompt),
            present,
            presence_checked: 10,
            ..Cell::default()
        };
        let before: Vec<Cell> = (0..8).map(|prompt| cell(prompt, 1)).collect();
        let now: Vec<Cell> = (0..8).map(|prompt| cell(prompt, 6 + prompt % 2)).collect();
        let found = change(&before, &now, |cell| (cell.present, cell.presence_checked));
        let mut alone = [Change { p_value: Some(0.04), ..found }];
        assert_eq!((control_changes(&mut alone), alone[0].verdict), (1, Verdict::Up));
        // Of twenty, 0.05 x 1 / 20 = 0.0025 is allowed for the smallest.
        let still = Change { p_value: Some(0.6), verdict: Verdict::WithinNoise, ..found };
        let mut many = vec![alone[0], Change { p_value: Some(0.002), ..found }];
        many.extend([still; 18]);
        assert_eq!(control_changes(&mut many), 20);
        assert_eq!([many[0].verdict, many[1].verdict], [Verdict::WithinNoise, Verdict::Up]);
    }

    proptest! {
        #[test]
        fn an_exact_p_is_a_chance_and_has_no_direction(a in 0..60_u64, n in 0..60_u64, b in 0..60_u64, m in 0..60_u64) {
            let p = exact_p((a, n), (b, m));
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!((p - exact_p((b, m), (a, n))).abs() < 1e-9);
        }
    }
}

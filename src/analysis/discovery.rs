//! Ranked lists of changes: which of many small tests may be called a change.

use super::real;
use statrs::function::factorial::ln_binomial;

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

#[cfg(test)]
mod tests {
    use super::*;
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

    proptest! {
        #[test]
        fn an_exact_p_is_a_chance_and_has_no_direction(a in 0..60_u64, n in 0..60_u64, b in 0..60_u64, m in 0..60_u64) {
            let p = exact_p((a, n), (b, m));
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!((p - exact_p((b, m), (a, n))).abs() < 1e-9);
        }
    }
}

//! Two rates that were measured apart, by two trackers, say: is the gap between them more than both may be off?
//!
//! The interval of the difference is put together from the two intervals (the method of variance estimates recovery,
//! MOVER): each end is as far from the difference as the two ends that lead there together, as the sides of a right
//! angle. It needs nothing but the intervals, keeps their asymmetry, and holds where either rate is near 0 or 1.

use super::{Rate, ratio::square};

/// The difference of two independent rates, with its 95 % interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Apart {
    /// The first less the second.
    pub difference: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Apart {
    /// Is the gap more than the intervals allow?
    #[must_use]
    pub fn is_beyond_noise(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// How far two independent rates are apart; none where either has nothing to count.
#[must_use]
pub fn apart(a: &Rate, b: &Rate) -> Option<Apart> {
    let (value_a, low_a, high_a) = (a.value?, a.low?, a.high?);
    let (value_b, low_b, high_b) = (b.value?, b.low?, b.high?);
    let difference = value_a - value_b;
    let reach = |one: f64, other: f64| (square(one) + square(other)).sqrt();
    let low = difference - reach(value_a - low_a, high_b - value_b);
    let high = difference + reach(high_a - value_a, value_b - low_b);
    Some(Apart { difference, low: low.max(-1.0), high: high.min(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(value: f64, low: f64, high: f64) -> Rate {
        Rate { value: Some(value), low: Some(low), high: Some(high), hits: 1, runs: 2, prompts: 1 }
    }

    #[test]
    fn a_case_by_hand() {
        // 0.50 (0.38 to 0.60) and 0.20 (0.16 to 0.25): 0.30;
        // down sqrt(0.12^2 + 0.05^2) = 0.13, up sqrt(0.10^2 + 0.04^2) = 0.107703.
        let gap = apart(&rate(0.5, 0.38, 0.6), &rate(0.2, 0.16, 0.25)).unwrap();
        assert!((gap.difference - 0.3).abs() < 1e-12 && (gap.low - 0.17).abs() < 1e-12, "{gap:?}");
        assert!((gap.high - 0.407_703).abs() < 1e-6 && gap.is_beyond_noise(), "{gap:?}");
        // 0.30 (0.22 to 0.41) and 0.20 (0.14 to 0.28): 0.10 - sqrt(0.08^2 + 0.08^2) < 0.
        assert!(!apart(&rate(0.3, 0.22, 0.41), &rate(0.2, 0.14, 0.28)).unwrap().is_beyond_noise());
        // The intervals overlap and the rates are apart all the same, as it must be: 0.1 - 0.05 * sqrt(2) > 0.
        assert!(apart(&rate(0.3, 0.25, 0.35), &rate(0.2, 0.15, 0.25)).unwrap().is_beyond_noise());
    }

    #[test]
    fn the_published_example() {
        // Newcombe 1998, table II, contrast (a): 56 of 70 against 48 of 80 by Wilson's intervals: 0.0524 to 0.3339.
        let wilson = |hits: u64, runs: u64| Rate::of_one_prompt(hits, runs);
        let gap = apart(&wilson(56, 70), &wilson(48, 80)).unwrap();
        assert!((gap.low - 0.0524).abs() < 5e-5 && (gap.high - 0.3339).abs() < 5e-5, "{gap:?}");
    }

    #[test]
    fn nothing_counted_is_no_gap() {
        assert_eq!(apart(&Rate::default(), &rate(0.2, 0.1, 0.3)), None);
        assert_eq!(apart(&rate(0.2, 0.1, 0.3), &Rate::default()), None);
    }

    proptest! {
        #[test]
        fn turned_round_it_is_its_own_opposite(a in 0..30_u64, n in 1..40_u64, b in 0..30_u64, m in 1..40_u64) {
            let (one, other) = (Rate::of_one_prompt(a, n), Rate::of_one_prompt(b, m));
            let (there, back) = (apart(&one, &other).unwrap(), apart(&other, &one).unwrap());
            prop_assert!((there.difference + back.difference).abs() < 1e-12);
            prop_assert!((there.low + back.high).abs() < 1e-12 && (there.high + back.low).abs() < 1e-12);
            prop_assert!(-1.0 <= there.low && there.low <= there.difference && there.difference <= there.high);
            prop_assert!(there.high <= 1.0);
            prop_assert!(!apart(&one, &one).unwrap().is_beyond_noise());
        }
    }
}

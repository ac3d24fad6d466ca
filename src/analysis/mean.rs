//! A mean over runs (positions, ranks, sentiment) with its interval.

use super::{count, ratio::Ratio, real, shown};
use schemars::JsonSchema;
use serde::Serialize;

/// A mean over the runs where there is something to average, with its 95 % interval.
///
/// `low` and `high` are absent where no spread between prompts was seen: one prompt, or all prompts alike.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, JsonSchema)]
pub struct Mean {
    /// The mean
    #[serde(serialize_with = "shown", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub value: Option<f64>,
    /// Lower end of the 95 % interval
    #[serde(serialize_with = "shown", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub low: Option<f64>,
    /// Upper end
    #[serde(serialize_with = "shown", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    pub high: Option<f64>,
    /// Runs averaged
    pub runs: u64,
    /// Distinct prompts behind it
    pub prompts: u32,
}

impl Mean {
    /// The mean of per-prompt (sum, runs), with an interval that is robust to prompts that differ: Student's t at
    /// the linearised variance. Sums that are not finite are left out with their runs.
    pub fn of<I>(prompts: I) -> Self
    where
        I: IntoIterator<Item = (f64, u64)>,
        I::IntoIter: Clone,
    {
        let sums = prompts.into_iter().filter(|(sum, _)| sum.is_finite()).map(|(sum, runs)| (sum, real(runs)));
        Self::from_ratio(&Ratio::of(sums))
    }

    /// The same, for what cannot be below `floor`: positions and ranks begin at 1.
    #[must_use]
    pub fn at_least(mut self, floor: f64) -> Self {
        self.low = self.low.zip(self.value).map(|(low, value)| low.max(floor).min(value));
        self
    }

    pub(super) fn from_ratio(ratio: &Ratio) -> Self {
        let Some(value) = ratio.value() else { return Self::default() };
        let half = ratio.variance().map(|variance| ratio.reach() * variance.sqrt());
        // Residuals of equal prompts are zero but for the last bits.
        let half = half.filter(|half| half.is_finite() && *half > value.abs() * 1e-9 && *half > 0.0);
        Self {
            value: Some(value),
            low: half.map(|half| value - half).filter(|low| low.is_finite()),
            high: half.map(|half| value + half).filter(|high| high.is_finite()),
            runs: count(ratio.whole),
            prompts: ratio.clusters,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_case_by_hand() {
        // Mean 30/12 = 2.5; residuals -1, 0, 1; v = 3/2 * 2 / 144, se = 0.1443376; t(2) = 4.302653.
        let mean = Mean::of([(9.0, 4), (10.0, 4), (11.0, 4)]);
        assert_eq!((mean.value, mean.runs, mean.prompts), (Some(2.5), 12, 3));
        assert!((mean.low.unwrap() - (2.5 - 0.621_035)).abs() < 1e-5, "{mean:?}");
        assert_eq!(mean.at_least(2.0).low, Some(2.0));
    }

    #[test]
    fn no_spread_seen_is_no_interval() {
        for mean in [Mean::of([(3.0, 2)]), Mean::of([(0.1 * 3.0, 3), (0.1, 1), (0.7, 7)])] {
            assert!(mean.value.is_some() && mean.low.is_none() && mean.high.is_none(), "{mean:?}");
        }
        assert_eq!(Mean::of([]), Mean::default());
    }

    proptest! {
        #[test]
        fn it_is_finite_and_in_order_for_any_sums(
            prompts in prop::collection::vec((any::<f64>(), any::<u32>()), 0..20),
        ) {
            let mean = Mean::of(prompts.into_iter().map(|(sum, runs)| (sum, u64::from(runs))));
            for figure in [mean.value, mean.low, mean.high].into_iter().flatten() {
                prop_assert!(figure.is_finite());
            }
            if let (Some(value), Some(low), Some(high)) = (mean.value, mean.low, mean.high) {
                prop_assert!(low <= value && value <= high);
            }
        }

        #[test]
        fn neither_order_nor_prompts_whose_runs_all_failed_matter(
            (rows, turned) in prop::collection::vec((0..90_u32, 0..9_u64), 1..20)
                .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
            failed in 0..9_usize,
        ) {
            let sums = |rows: Vec<(u32, u64)>| rows.into_iter().map(|(sum, runs)| (f64::from(sum), runs));
            let mean = Mean::of(sums(rows.clone()));
            let with = Mean::of(sums(turned).chain(std::iter::repeat_n((0.0, 0), failed)).collect::<Vec<_>>());
            prop_assert_eq!((mean.value, mean.runs, mean.prompts), (with.value, with.runs, with.prompts));
            let gap = mean.low.zip(with.low).map_or(0.0, |(a, b)| (a - b).abs());
            prop_assert!(gap < 1e-9 && mean.low.is_some() == with.low.is_some(), "{:?} {:?}", mean, with);
        }

        #[test]
        fn two_halves_of_a_window_add_up(
            halves in prop::collection::vec(((1..90_u32, 1..9_u64), (1..90_u32, 1..9_u64)), 1..20),
        ) {
            let of = |rows: Vec<(u32, u64)>| Mean::of(rows.into_iter().map(|(sum, runs)| (f64::from(sum), runs)));
            let whole = of(halves.iter().map(|(a, b)| (a.0 + b.0, a.1 + b.1)).collect());
            let (first, second): (Vec<_>, Vec<_>) = halves.into_iter().unzip();
            let (first, second) = (of(first), of(second));
            let sum = |mean: &Mean| mean.value.unwrap() * real(mean.runs);
            prop_assert_eq!(first.runs + second.runs, whole.runs);
            prop_assert!((sum(&first) + sum(&second) - sum(&whole)).abs() < 1e-6);
        }
    }
}

//! A rate with its interval, and the counts it comes from.

use super::{
    count,
    ratio::{Ratio, Z, wilson},
    real, shown,
};
use schemars::JsonSchema;
use serde::Serialize;

/// A share of runs (or of mentions, for share of voice) with its 95 % interval; fractions 0 to 1.
///
/// With nothing to count, `value`, `low` and `high` are absent.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, JsonSchema)]
pub struct Rate {
    /// hits / runs
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
    /// What was counted
    pub hits: u64,
    /// Out of how many
    pub runs: u64,
    /// Distinct prompts behind it
    pub prompts: u32,
}

impl Rate {
    /// The rate of per-prompt sums of (hits, runs), with an interval that is robust to prompts that differ.
    ///
    /// The variance gives an effective sample size, never above the runs; the interval is Wilson's at
    /// that size with Student's t. Where the data show no variance at all (every run a hit, none, or one prompt
    /// only), each prompt counts as one trial, as if its runs had repeated each other: the cautious reading. Prompts
    /// of unequal size count as the number of equal ones that would tell as much.
    pub fn of<I>(prompts: I) -> Self
    where
        I: IntoIterator<Item = (u64, u64)>,
        I::IntoIter: Clone,
    {
        let sums = prompts.into_iter().map(|(hits, runs)| (real(hits.min(runs)), real(runs)));
        Self::from_ratio(&Ratio::of(sums))
    }

    /// The rate of one prompt's runs, for a question about that prompt alone: there the runs are the sample, and
    /// the interval is Wilson's own. It says nothing about other prompts.
    #[must_use]
    pub fn of_one_prompt(hits: u64, runs: u64) -> Self {
        let hits = hits.min(runs);
        if runs == 0 {
            return Self::default();
        }
        let value = real(hits) / real(runs);
        let (low, high) = wilson(value, real(runs), Z);
        Self { value: Some(value), low: Some(low), high: Some(high), hits, runs, prompts: 1 }
    }

    pub(super) fn from_ratio(ratio: &Ratio) -> Self {
        let Some(value) = ratio.value() else { return Self::default() };
        let (low, high) = match ratio.variance() {
            Some(variance) if value > 0.0 && value < 1.0 => {
                let effective = (value * (1.0 - value) / variance).min(ratio.whole);
                wilson(value, effective, ratio.reach())
            }
            // No variance was estimated, so there is no t to allow for its error.
            _ => wilson(value, ratio.equal_prompts(), Z),
        };
        Self {
            value: Some(value),
            low: Some(low),
            high: Some(high),
            hits: count(ratio.part),
            runs: count(ratio.whole),
            prompts: ratio.clusters,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn close(actual: Option<f64>, expected: f64) -> bool {
        actual.is_some_and(|actual| (actual - expected).abs() < 5e-5)
    }

    #[test]
    fn a_case_by_hand() {
        // Four prompts of five runs, p = 12/20; residuals 2 1 -1 -2; v = 4/3 * 10 / 400 = 1/30.
        // n_eff = 0.24 * 30 = 7.2; t(3) = 3.182446, t2 = 10.127964; t2/n_eff = 1.406662.
        // Centre (0.6 + 0.703331) / 2.406662 = 0.541552.
        let rate = Rate::of([(5, 5), (4, 5), (2, 5), (1, 5)]);
        assert_eq!((rate.value, rate.hits, rate.runs, rate.prompts), (Some(0.6), 12, 20, 4));
        let half = 3.182_446 * (1.0_f64 / 30.0 + 10.127_964 / 207.36).sqrt() / 2.406_662;
        assert!(close(rate.low, 0.541_552 - half) && close(rate.high, 0.541_552 + half), "{rate:?}");
    }

    #[test]
    fn prompts_that_always_agree_with_themselves_count_once_each() {
        // Ten prompts of 30 runs, five all hits and five none: v = 10/9 * 10 * 15^2 / 300^2, so n_eff = 9.
        let rate = Rate::of((0..10).map(|k| (if k < 5 { 30 } else { 0 }, 30)));
        let (low, high) = wilson(0.5, 9.0, 2.262_157);
        assert!(close(rate.low, low) && close(rate.high, high), "{rate:?}");
    }

    #[test]
    fn all_or_none_is_as_sure_as_its_prompts() {
        let none = Rate::of([(0, 50); 20]);
        assert_eq!((none.value, none.low), (Some(0.0), Some(0.0)));
        assert!(close(none.high, 0.1611), "{none:?}");
        let all = Rate::of([(50, 50); 20]);
        assert!(close(all.low, 0.8389) && all.high == Some(1.0), "{all:?}");
        // One prompt tells next to nothing about others, however often it was asked; about itself, much.
        assert!(Rate::of([(250, 500)]).high > Some(0.9));
        assert!(Rate::of_one_prompt(250, 500).high < Some(0.55));
    }

    #[test]
    fn nothing_counted_is_absent_not_zero() {
        let nothing = Rate::of([(0, 0), (0, 0)]);
        assert_eq!(nothing, Rate::of_one_prompt(0, 0));
        assert_eq!(serde_json::to_value(nothing).unwrap(), json!({ "hits": 0, "runs": 0, "prompts": 0 }));
        let third = serde_json::to_value(Rate::of([(1, 3)])).unwrap();
        assert_eq!(third.get("value"), Some(&json!(0.3333)));
    }

    #[test]
    fn its_schema_knows_no_null() {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        let schema = serde_json::to_value(settings.into_generator().into_root_schema_for::<Rate>()).unwrap();
        assert_eq!(schema["required"], json!(["hits", "runs", "prompts"]));
        assert_eq!(schema["properties"]["value"]["type"], json!("number"));
        assert!(!schema.to_string().contains("null"), "{schema}");
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds_for_any_counts(
            prompts in prop::collection::vec((any::<u32>(), any::<u32>()), 0..40),
            scale in prop::sample::select(vec![1_u32, 1 << 20, 1 << 28]),
        ) {
            let sums = prompts.iter().map(|(h, n)| (u64::from(h / scale), u64::from(n / scale)));
            let rate = Rate::of(sums);
            prop_assert_eq!(rate.value.is_some(), rate.runs > 0);
            if let (Some(value), Some(low), Some(high)) = (rate.value, rate.low, rate.high) {
                prop_assert!(0.0 <= low && low <= value && value <= high && high <= 1.0, "{:?}", rate);
                prop_assert!(rate.hits <= rate.runs && u64::from(rate.prompts) <= rate.runs);
            }
        }

        #[test]
        fn the_order_of_prompts_is_nothing(prompts in prop::collection::vec((0..30_u64, 0..30_u64), 1..30)) {
            let (rate, turned) = (Rate::of(prompts.clone()), Rate::of(prompts.into_iter().rev()));
            prop_assert_eq!((rate.hits, rate.runs, rate.value), (turned.hits, turned.runs, turned.value));
            let gap = rate.low.zip(turned.low).map_or(0.0, |(a, b)| (a - b).abs());
            prop_assert!(gap < 1e-9);
        }

        #[test]
        fn more_of_the_same_prompts_narrows_it(
            prompts in prop::collection::vec((0..5_u64, 5..9_u64), 2..20),
        ) {
            let once = Rate::of(prompts.clone());
            let twice = Rate::of(prompts.iter().chain(&prompts).copied().collect::<Vec<_>>());
            let width = |rate: &Rate| rate.high.zip(rate.low).map_or(0.0, |(high, low)| high - low);
            prop_assert!(width(&twice) <= width(&once) + 1e-12, "{:?} {:?}", once, twice);
        }

        #[test]
        fn another_hit_never_lowers_the_value(hits in 0..20_u64, prompts in prop::collection::vec((0..10_u64, 10..20_u64), 0..9)) {
            let with = |first| Rate::of(std::iter::once((first, 20)).chain(prompts.iter().copied()).collect::<Vec<_>>());
            prop_assert!(with(hits).value <= with(hits + 1).value);
        }
    }
}

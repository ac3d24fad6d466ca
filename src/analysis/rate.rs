//! A rate with its interval, and the counts it comes from.

use super::{
    count,
    ratio::{Ratio, Z, reach, square, wilson},
    real, shown,
};
use schemars::JsonSchema;
use serde::Serialize;

/// At so many prompts' worth of hits (or misses, where these are fewer) the variance is believed by half. Chosen by the
/// worlds of `benches/coverage.rs`: with 1, the worst kind is held 92 times in 100 and not 94; 2.5 only widens.
const HALF_BELIEVED: f64 = 2.0;

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
    /// The variance gives an effective sample size, never above the runs; the interval is Wilson's at that size with
    /// Student's t. Where the data show no variance at all (every run a hit, none, or one prompt only), each prompt
    /// counts as one trial, as if its runs had repeated each other: the cautious reading. Where only a few prompts
    /// have hits, or only a few have misses, the size lies between the two. Prompts of unequal size count as the
    /// number of equal ones that would tell as much.
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
                let seen = (value * (1.0 - value) / variance).min(ratio.whole);
                let (size, estimated) = believed(value, seen, ratio.equal_prompts());
                // What is assumed has no error of its own: the degrees of freedom are Satterthwaite's.
                wilson(value, size, reach(ratio.freedom() / square(estimated)))
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

/// The effective sample size where the variance says `seen` and the cautious reading `repeated`, and how much of the
/// variance behind it is estimated, not assumed.
///
/// A variance is only as good as what it was seen in. One hit in one prompt looks like independent runs whatever the
/// truth is, since it takes two hits to see whether they come together; and hits are often few because the prompts
/// that would have had many are not among those asked. So the smaller variance is moved towards the cautious one, the
/// more so the fewer prompts' worth of hits (or of misses, where these are fewer) it was seen in.
fn believed(value: f64, seen: f64, repeated: f64) -> (f64, f64) {
    let worth = value.min(1.0 - value) * seen;
    let doubt = square(HALF_BELIEVED) / (square(HALF_BELIEVED) + square(worth));
    let inverse = 1.0 / seen + doubt * (1.0 / repeated - 1.0 / seen).max(0.0);
    (1.0 / inverse, 1.0 - doubt / repeated / inverse)
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
        // Seen: 0.24 * 30 = 7.2, which is 0.4 * 7.2 = 2.88 prompts' worth of misses; doubt 4 / (4 + 8.2944) = 0.325351.
        // 1/n_eff = 1/7.2 + 0.325351 * (1/4 - 1/7.2) = 0.175039; estimated 1 - 0.325351 / 4 / 0.175039 = 0.535316.
        // t(3 / 0.535316^2) = t(10.468895) = 2.214685, t2 = 4.904831, t2/n_eff = 0.858537.
        // Centre (0.6 + 0.429268) / 1.858537 = 0.553806.
        let rate = Rate::of([(5, 5), (4, 5), (2, 5), (1, 5)]);
        assert_eq!((rate.value, rate.hits, rate.runs, rate.prompts), (Some(0.6), 12, 20, 4));
        let half = 2.214_685 * (0.24 * 0.175_039 + 4.904_831 / 4.0 * 0.175_039_f64.powi(2)).sqrt() / 1.858_537;
        assert!(close(rate.low, 0.553_806 - half) && close(rate.high, 0.553_806 + half), "{rate:?}");
    }

    #[test]
    fn prompts_that_always_agree_with_themselves_count_once_each() {
        // Ten prompts of 30 runs, five all hits and five none: v = 10/9 * 10 * 15^2 / 300^2, so n_eff = 9,
        // which is below the 10 of the cautious reading. Worth 4.5, doubt 4 / 24.25 = 0.164948; estimated
        // 1 - 0.164948 / 10 * 9 = 0.851546; t(9 / 0.851546^2) = t(12.411546) = 2.170827.
        let rate = Rate::of((0..10).map(|k| (if k < 5 { 30 } else { 0 }, 30)));
        let (low, high) = wilson(0.5, 9.0, 2.170_827);
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
    fn one_hit_does_not_make_it_sure() {
        // One hit in 20 prompts of 50: p = 1/1000, v = p^2, so seen is 999 and one prompt's worth of hits (0.999).
        // Doubt 4 / 4.998001 = 0.800320; 1/n_eff = 1/999 + 0.800320 * (1/20 - 1/999) = 0.040216, n_eff = 24.8658.
        // Estimated 1 - 0.800320 / 20 / 0.040216 = 0.005, so t is the normal quantile.
        // By the variance alone the end would be 0.0062, far below the 0.1611 of no hit.
        let one = Rate::of((0..20).map(|k| (u64::from(k == 0), 50)));
        let (low, high) = wilson(0.001, 24.8658, Z);
        assert!(close(one.low, low) && close(one.high, high) && close(one.high, 0.1355), "{one:?}");
        // With many prompts' worth of both, the variance is believed.
        let (size, estimated) = believed(0.5, 750.0, 300.0);
        assert!(size > 749.9 && estimated > 0.9999);
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

    type Prompts = Vec<(u64, u64)>;

    /// Prompts, and the same in another order.
    fn shuffled() -> impl Strategy<Value = (Prompts, Prompts)> {
        let prompts = prop::collection::vec((0..30_u64, 0..30_u64), 1..30);
        prompts.prop_flat_map(|prompts| (Just(prompts.clone()), Just(prompts).prop_shuffle()))
    }

    fn gap(a: Option<f64>, b: Option<f64>) -> f64 {
        a.zip(b).map_or(0.0, |(a, b)| (a - b).abs())
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
        fn the_order_of_prompts_is_nothing((rows, turned) in shuffled()) {
            let (rate, turned) = (Rate::of(rows), Rate::of(turned));
            prop_assert_eq!((rate.hits, rate.runs, rate.value), (turned.hits, turned.runs, turned.value));
            prop_assert!(gap(rate.low, turned.low) < 1e-9 && gap(rate.high, turned.high) < 1e-9);
        }

        #[test]
        fn prompts_whose_runs_all_failed_are_nothing((rows, _) in shuffled(), failed in 0..9_usize) {
            let with = rows.iter().copied().chain(std::iter::repeat_n((0, 0), failed));
            prop_assert_eq!(Rate::of(with.collect::<Vec<_>>()), Rate::of(rows));
        }

        #[test]
        fn two_halves_of_a_window_add_up(
            halves in prop::collection::vec(((0..30_u64, 0..30_u64), (0..30_u64, 0..30_u64)), 1..30),
        ) {
            let both = halves.iter().map(|(a, b)| (a.0.min(a.1) + b.0.min(b.1), a.1 + b.1));
            let whole = Rate::of(both.collect::<Vec<_>>());
            let (first, second): (Vec<_>, Vec<_>) = halves.into_iter().unzip();
            let (first, second) = (Rate::of(first), Rate::of(second));
            prop_assert_eq!((first.hits + second.hits, first.runs + second.runs), (whole.hits, whole.runs));
            if let (Some(a), Some(b), Some(value)) = (first.value, second.value, whole.value) {
                prop_assert!(a.min(b) - 1e-12 <= value && value <= a.max(b) + 1e-12);
            }
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

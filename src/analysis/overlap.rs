//! Overlap: how much two sets have in common, and how much a prompt's lists of brands do from run to run.

use super::{Mean, fraction};
use crate::model::{EngineRef, PromptRef};
use std::collections::{BTreeMap, BTreeSet};

/// What two sets have in common, of all that is in either (Jaccard). None where both are empty: there is nothing to
/// have in common.
#[must_use]
pub fn overlap<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> Option<f64> {
    fraction(a.intersection(b).count() as u64, a.union(b).count() as u64)
}

/// The mean overlap of the sets of brands in consecutive runs of one prompt on one engine, for each prompt that has such
/// a pair; `runs` of the mean are the pairs. A pair without a brand in either run is left out.
///
/// Runs come in time order within each prompt and engine; how those interleave does not matter.
pub fn brand_list_overlap<T: Ord>(
    runs: impl IntoIterator<Item = (PromptRef, EngineRef, BTreeSet<T>)>,
) -> BTreeMap<PromptRef, Mean> {
    let mut runs: Vec<_> = runs.into_iter().collect();
    // Stable, so time order stays.
    runs.sort_by_key(|(prompt, engine, _)| (*prompt, *engine));
    let mut sums: BTreeMap<PromptRef, (f64, u64)> = BTreeMap::new();
    for ((prompt, engine, before), (next_prompt, next_engine, now)) in runs.iter().zip(runs.iter().skip(1)) {
        if (prompt, engine) != (next_prompt, next_engine) {
            continue;
        }
        if let Some(common) = overlap(before, now) {
            let sum = sums.entry(*prompt).or_default();
            sum.0 += common;
            sum.1 += 1;
        }
    }
    sums.into_iter().map(|(prompt, sum)| (prompt, Mean::of([sum]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(prompt: u32, engine: u32, brands: &[u32]) -> (PromptRef, EngineRef, BTreeSet<u32>) {
        (PromptRef(prompt), EngineRef(engine), brands.iter().copied().collect())
    }

    #[test]
    fn the_overlap_is_what_is_common_of_all_there_is() {
        let set = |items: &[u32]| items.iter().copied().collect::<BTreeSet<u32>>();
        // {2} of {1, 2, 3, 4}.
        assert_eq!(overlap(&set(&[1, 2]), &set(&[2, 3, 4])), Some(0.25));
        assert_eq!(overlap(&set(&[1]), &set(&[])), Some(0.0));
        assert_eq!(overlap(&set(&[]), &set(&[])), None);
    }

    #[test]
    fn only_neighbours_of_one_prompt_on_one_engine_are_compared() {
        let means = brand_list_overlap([
            run(0, 0, &[1, 2]),
            run(0, 1, &[7]),
            run(0, 0, &[2]),
            run(0, 0, &[2]),
            run(0, 1, &[]),
            run(1, 0, &[]),
            run(1, 0, &[]),
        ]);
        // Engine 0: 1/2 and 1/1; engine 1: 0/1. Prompt 1 never names a brand.
        let found: Vec<_> = means.into_iter().map(|(prompt, mean)| (prompt.0, mean.value, mean.runs)).collect();
        assert_eq!(found, [(0, Some(0.5), 3)]);
    }

    proptest! {
        #[test]
        fn it_is_symmetric_bounded_and_one_of_equals_alone(
            a in prop::collection::btree_set(0..9_u32, 0..6),
            b in prop::collection::btree_set(0..9_u32, 0..6),
        ) {
            prop_assert_eq!(overlap(&a, &b), overlap(&b, &a));
            if let Some(value) = overlap(&a, &b) {
                prop_assert!((0.0..=1.0).contains(&value));
                prop_assert_eq!(value >= 1.0, a == b);
            }
        }
    }
}

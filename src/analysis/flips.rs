//! Volatility: how often presence differs from one run to the next.

use super::Rate;
use crate::model::{EngineRef, PromptRef};
use std::collections::BTreeMap;

/// The share of consecutive finished runs of one prompt on one engine whose presence differs: `hits` are the flips,
/// `runs` the consecutive pairs.
///
/// Runs come in time order within each prompt and engine; how those interleave does not matter.
pub fn flip_rate(runs: impl IntoIterator<Item = (PromptRef, EngineRef, bool)>) -> Rate {
    Rate::of(flips(runs).iter().map(|(_, flips, pairs)| (*flips, *pairs)))
}

/// The flip rate of each prompt by itself, for questions about that prompt alone; prompts without a pair have none.
pub fn flip_rates(runs: impl IntoIterator<Item = (PromptRef, EngineRef, bool)>) -> BTreeMap<PromptRef, Rate> {
    flips(runs).into_iter().map(|(prompt, flips, pairs)| (prompt, Rate::of_one_prompt(flips, pairs))).collect()
}

/// Flips and pairs of each prompt that has a pair.
fn flips(runs: impl IntoIterator<Item = (PromptRef, EngineRef, bool)>) -> Vec<(PromptRef, u64, u64)> {
    let mut runs: Vec<_> = runs.into_iter().collect();
    // Stable, so time order stays.
    runs.sort_by_key(|(prompt, engine, _)| (*prompt, *engine));
    let mut prompts: Vec<(PromptRef, u64, u64)> = Vec::new();
    for ((prompt, engine, before), (next_prompt, next_engine, now)) in runs.iter().zip(runs.iter().skip(1)) {
        if (prompt, engine) != (next_prompt, next_engine) {
            continue;
        }
        let flips = u64::from(before != now);
        match prompts.last_mut().filter(|(last, ..)| last == prompt) {
            Some((_, hits, pairs)) => {
                *hits += flips;
                *pairs += 1;
            }
            None => prompts.push((*prompt, flips, 1)),
        }
    }
    prompts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(prompt: u32, engine: u32, present: bool) -> (PromptRef, EngineRef, bool) {
        (PromptRef(prompt), EngineRef(engine), present)
    }

    #[test]
    fn a_flip_is_counted_within_one_prompt_on_one_engine_only() {
        let rate = flip_rate([
            run(0, 0, true),
            run(1, 0, false),
            run(0, 1, false),
            run(0, 0, false),
            run(0, 0, true),
            run(0, 1, false),
            run(1, 0, false),
        ]);
        // (0, 0): two flips of two pairs; (0, 1): none of one; (1, 0): none of one.
        assert_eq!((rate.hits, rate.runs, rate.prompts), (2, 4, 2));
        assert_eq!(flip_rate([run(0, 0, true)]), Rate::default());
    }

    #[test]
    fn one_prompts_flips_are_its_own() {
        let rates = flip_rates([run(0, 0, true), run(0, 0, false), run(0, 0, true), run(1, 0, true), run(1, 1, false)]);
        // Prompt 0: two flips of two pairs; prompt 1 has one run on either engine, so no pair.
        assert_eq!(rates.into_iter().collect::<Vec<_>>(), [(PromptRef(0), Rate::of_one_prompt(2, 2))]);
    }

    proptest! {
        #[test]
        fn pairs_are_runs_less_one_each(runs in prop::collection::vec((0..4_u32, 0..3_u32, any::<bool>()), 0..60)) {
            let runs: Vec<_> = runs.into_iter().map(|(prompt, engine, present)| run(prompt, engine, present)).collect();
            let cells: std::collections::BTreeSet<_> = runs.iter().map(|(prompt, engine, _)| (*prompt, *engine)).collect();
            let (all, each) = (flip_rate(runs.iter().copied()), flip_rates(runs.iter().copied()));
            prop_assert_eq!(all.runs, (runs.len() - cells.len()) as u64);
            let sums = each.values().fold((0, 0), |sum, rate| (sum.0 + rate.hits, sum.1 + rate.runs));
            prop_assert_eq!(sums, (all.hits, all.runs));
        }
    }
}

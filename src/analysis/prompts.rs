//! The figures of single prompts: their runs are the sample, and nothing is said of other prompts.

use super::{Mean, Rate};
use crate::model::{Cell, PromptRef};
use std::collections::BTreeMap;

/// The figures of one brand in the runs of one prompt.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct PromptFigures {
    /// Finished runs, checked or not.
    pub runs: u64,
    /// Runs that name or cite the brand, of those checked for both.
    pub presence_rate: Rate,
    /// Runs that name it, of those checked.
    pub mention_rate: Rate,
    /// Runs that cite it, of those checked.
    pub citation_rate: Rate,
    /// Its place among the brands named, over runs that name it.
    pub avg_mention_rank: Mean,
}

/// The figures of each prompt that has cells, over all engines in them.
#[must_use]
pub fn by_prompt(cells: &[Cell]) -> BTreeMap<PromptRef, PromptFigures> {
    let mut sums: BTreeMap<PromptRef, [u64; 9]> = BTreeMap::new();
    for cell in cells {
        let counts = [
            cell.runs,
            cell.present,
            cell.presence_checked,
            cell.mentioned,
            cell.mention_checked,
            cell.cited,
            cell.citation_checked,
            cell.rank_sum,
            cell.rank_runs,
        ];
        for (sum, count) in sums.entry(cell.prompt).or_default().iter_mut().zip(counts) {
            *sum += u64::from(count);
        }
    }
    let figures = |[runs, p, pn, m, mn, c, cn, rank, ranks]: [u64; 9]| PromptFigures {
        runs,
        presence_rate: Rate::of_one_prompt(p, pn),
        mention_rate: Rate::of_one_prompt(m, mn),
        citation_rate: Rate::of_one_prompt(c, cn),
        avg_mention_rank: Mean::of([(super::real(rank), ranks)]),
    };
    sums.into_iter().map(|(prompt, sums)| (prompt, figures(sums))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{analysis::Figures, model::EngineRef};
    use proptest::prelude::*;

    fn a_cell(prompt: u32, engine: u32, present: u32) -> Cell {
        Cell {
            prompt: PromptRef(prompt),
            engine: EngineRef(engine),
            runs: 12,
            presence_checked: 10,
            present,
            mention_checked: 11,
            mentioned: present,
            rank_sum: 2 * present,
            rank_runs: present,
            ..Cell::default()
        }
    }

    #[test]
    fn engines_of_a_prompt_are_added_up_and_prompts_are_not() {
        let figures = by_prompt(&[a_cell(0, 0, 4), a_cell(0, 1, 1), a_cell(1, 0, 0)]);
        let first = figures[&PromptRef(0)];
        // 4 + 1 of 10 + 10; ranks 8 + 2 over 5 runs.
        assert_eq!((first.runs, first.presence_rate), (24, Rate::of_one_prompt(5, 20)));
        assert_eq!((first.avg_mention_rank.value, first.avg_mention_rank.runs), (Some(2.0), 5));
        assert_eq!(first.citation_rate, Rate::default(), "not looked for is not zero");
        let second = figures[&PromptRef(1)];
        assert_eq!((second.presence_rate.value, second.avg_mention_rank), (Some(0.0), Mean::default()));
    }

    proptest! {
        #[test]
        fn they_add_up_to_the_figures_of_all(cells in prop::collection::vec((0..5_u32, 0..3_u32, 0..10_u32), 0..30)) {
            let cells: Vec<Cell> = cells.into_iter().map(|(prompt, engine, present)| a_cell(prompt, engine, present)).collect();
            let (each, all) = (by_prompt(&cells), Figures::of(&cells));
            prop_assert_eq!(each.values().map(|prompt| prompt.runs).sum::<u64>(), all.runs);
            prop_assert_eq!(each.values().map(|prompt| prompt.presence_rate.hits).sum::<u64>(), all.presence_rate.hits);
            prop_assert_eq!(each.values().map(|prompt| prompt.mention_rate.runs).sum::<u64>(), all.mention_rate.runs);
            prop_assert_eq!(each.len() as u64, u64::from(all.prompts));
        }
    }
}

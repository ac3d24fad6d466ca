//! Figures of what answers cite: how steadily a domain or URL is cited, how widely, and whether that changed.

use super::{Change, Rate, change};
use crate::model::{Cell, CitedCell, EngineRef, PromptRef};

/// The figures of one domain or URL.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CitedFigures {
    /// Runs that cite it, of all finished runs in scope.
    pub consistency: Rate,
    /// Prompts with a run that cites it.
    pub prompts: u32,
    /// Its consistency times its prompts.
    pub influence: Option<f64>,
    /// Its consistency now less that in the window before.
    pub change: Change,
}

/// What figures are out of: the finished runs of a window and of the one before, by prompt and engine.
#[derive(Clone, Debug)]
pub struct CitedScope {
    now: Vec<Cell>,
    before: Vec<Cell>,
    /// Runs by prompt, in the order of prompts.
    prompts: Vec<(PromptRef, u64)>,
    one_prompt: bool,
}

impl CitedScope {
    /// The scope of these cells. A question about one prompt alone takes its runs as the sample.
    #[must_use]
    pub fn new(now: &[Cell], before: &[Cell], one_prompt: bool) -> Self {
        let empty = |cells: &[Cell]| {
            let mut cells: Vec<Cell> =
                cells.iter().map(|cell| Cell { citation_checked: cell.runs, cited: 0, ..*cell }).collect();
            cells.sort_by_key(|cell| (cell.prompt, cell.engine));
            cells
        };
        let (now, before) = (empty(now), empty(before));
        let mut prompts: Vec<(PromptRef, u64)> = Vec::new();
        for cell in &now {
            match prompts.last_mut().filter(|(prompt, _)| *prompt == cell.prompt) {
                Some((_, runs)) => *runs += u64::from(cell.runs),
                None => prompts.push((cell.prompt, cell.runs.into())),
            }
        }
        Self { now, before, prompts, one_prompt }
    }

    /// All finished runs in scope.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.prompts.iter().map(|(_, runs)| runs).sum()
    }

    /// The prompts that they are of.
    #[must_use]
    pub fn prompts(&self) -> u32 {
        u32::try_from(self.prompts.len()).unwrap_or(u32::MAX)
    }

    /// The figures of one domain or URL, whose cells are sorted by prompt.
    pub fn figures(&mut self, now: &[CitedCell], before: &[CitedCell]) -> CitedFigures {
        let mut hits = now.chunk_by(|a, b| a.prompt == b.prompt).peekable();
        let mut sums = Vec::with_capacity(self.prompts.len());
        let mut prompts = 0;
        for (prompt, runs) in &self.prompts {
            let is_it = |cells: &&[CitedCell]| cells.first().is_some_and(|cell| cell.prompt == *prompt);
            let cited = hits.next_if(is_it).map_or(0, |cells| cells.iter().map(|cell| u64::from(cell.runs)).sum());
            prompts += u32::from(cited > 0);
            sums.push((cited, *runs));
        }
        let consistency = match sums.as_slice() {
            [(cited, runs)] if self.one_prompt => Rate::of_one_prompt(*cited, *runs),
            _ => Rate::of(sums.iter().copied()),
        };
        set(&mut self.now, now, |cell| cell.runs);
        set(&mut self.before, before, |cell| cell.runs);
        let change = change(&self.before, &self.now, |cell| (cell.cited, cell.citation_checked));
        set(&mut self.now, now, |_| 0);
        set(&mut self.before, before, |_| 0);
        let influence = consistency.value.map(|value| value * f64::from(prompts));
        CitedFigures { consistency, prompts, influence, change }
    }
}

/// Writes what is cited into the cells of a scope, which are sorted.
fn set(scope: &mut [Cell], cited: &[CitedCell], runs: impl Fn(&CitedCell) -> u32) {
    let key = |prompt: PromptRef, engine: EngineRef| (prompt, engine);
    for found in cited {
        let wanted = key(found.prompt, found.engine);
        if let Ok(at) = scope.binary_search_by_key(&wanted, |cell| key(cell.prompt, cell.engine))
            && let Some(cell) = scope.get_mut(at)
        {
            cell.cited = runs(found).min(cell.citation_checked);
        }
    }
}

/// The gaps of one prompt: runs where the brand was looked for and is absent, and a rival is present.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PromptGaps {
    /// The prompt.
    pub prompt: PromptRef,
    /// Its gaps.
    pub gap_runs: u64,
    /// Its finished runs in which the brand was looked for.
    pub checked: u64,
    /// Its finished runs.
    pub runs: u64,
}

impl PromptGaps {
    /// The gaps of this prompt, of the runs in which the brand was looked for; the runs are the sample.
    #[must_use]
    pub fn rate(&self) -> Rate {
        Rate::of_one_prompt(self.gap_runs, self.checked)
    }
}

/// The gaps of every prompt, of cells and the gaps in each: most gaps first, then fewest runs.
#[must_use]
pub fn prompt_gaps(cells: &[Cell], gaps: &[u32]) -> Vec<PromptGaps> {
    let mut parts: Vec<PromptGaps> = cells
        .iter()
        .zip(gaps)
        .map(|(cell, gaps)| PromptGaps {
            prompt: cell.prompt,
            gap_runs: (*gaps).into(),
            checked: cell.presence_checked.into(),
            runs: cell.runs.into(),
        })
        .collect();
    parts.sort_by_key(|part| part.prompt);
    parts.dedup_by(|next, kept| {
        let same = next.prompt == kept.prompt;
        if same {
            kept.gap_runs += next.gap_runs;
            kept.checked += next.checked;
            kept.runs += next.runs;
        }
        same
    });
    parts.sort_by(|a, b| b.gap_runs.cmp(&a.gap_runs).then_with(|| a.runs.cmp(&b.runs)));
    parts
}

/// The gaps of all prompts, of the runs in which the brand was looked for.
#[must_use]
pub fn gap_rate(prompts: &[PromptGaps]) -> Rate {
    Rate::of(prompts.iter().map(|prompt| (prompt.gap_runs, prompt.checked)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Verdict;
    use proptest::prelude::*;

    fn cell(prompt: u32, engine: u32, runs: u32) -> Cell {
        let (prompt, engine) = (PromptRef(prompt), EngineRef(engine));
        Cell { prompt, engine, runs, presence_checked: runs, ..Cell::default() }
    }

    fn cited(prompt: u32, engine: u32, runs: u32) -> CitedCell {
        let (prompt, engine) = (PromptRef(prompt), EngineRef(engine));
        CitedCell { prompt, engine, runs, citations: runs, gap_runs: 0 }
    }

    #[test]
    fn figures_of_a_source_by_hand() {
        // Two prompts of 10 runs on two engines each; cited in 4 + 2 of prompt 1 and in none of prompt 2.
        let now: Vec<Cell> = [(2, 1), (1, 1), (1, 2), (2, 2)].map(|(prompt, engine)| cell(prompt, engine, 5)).into();
        let mut scope = CitedScope::new(&now, &[], false);
        let found = scope.figures(&[cited(1, 1, 4), cited(1, 2, 2)], &[]);
        // 6 of 20; one prompt, so the influence is 0.3 x 1.
        assert_eq!((found.consistency.hits, found.consistency.runs), (6, 20));
        assert_eq!((found.consistency.value, found.prompts, found.influence), (Some(0.3), 1, Some(0.3)));
        assert_eq!(found.consistency, Rate::of([(6, 10), (0, 10)]));
        assert_eq!(found.change.verdict, Verdict::TooLittleData);
        // Nothing of one is left for the next.
        let none = scope.figures(&[], &[]);
        assert_eq!((none.consistency.hits, none.prompts, none.influence), (0, 0, Some(0.0)));
        // Of one prompt alone the runs are the sample.
        let mut one = CitedScope::new(&now[1..3], &[], true);
        assert_eq!(one.figures(&[cited(1, 1, 4)], &[]).consistency, Rate::of_one_prompt(4, 10));
        assert_eq!(CitedScope::new(&[], &[], false).figures(&[], &[]).influence, None);
    }

    #[test]
    fn a_change_of_a_source_is_that_of_its_cells() {
        let scope: Vec<Cell> = (0..12).map(|prompt| cell(prompt, 0, 10)).collect();
        let with = |hits: u32| -> Vec<Cell> {
            scope.iter().map(|cell| Cell { citation_checked: 10, cited: hits + cell.prompt.0 % 2, ..*cell }).collect()
        };
        let of = |hits: u32| -> Vec<CitedCell> { (0..12).map(|prompt| cited(prompt, 0, hits + prompt % 2)).collect() };
        let found = CitedScope::new(&scope, &scope, false).figures(&of(5), &of(2));
        assert_eq!(found.change, change(&with(2), &with(5), |cell| (cell.cited, cell.citation_checked)));
        assert_eq!(
            (found.change.verdict, found.change.difference.map(|d| (d * 10.0).round())),
            (Verdict::Up, Some(3.0))
        );
    }

    #[test]
    fn gaps_of_prompts_by_hand() {
        let cells = [cell(3, 1, 4), cell(1, 1, 5), cell(3, 2, 4), cell(2, 1, 9), cell(4, 1, 2)];
        let found = prompt_gaps(&cells, &[1, 3, 2, 0, 0]);
        let rows: Vec<_> = found.iter().map(|gaps| (gaps.prompt.0, gaps.gap_runs, gaps.runs)).collect();
        // Prompts 1 and 3 have three gaps each, of 5 and of 8 runs.
        assert_eq!(rows, [(1, 3, 5), (3, 3, 8), (4, 0, 2), (2, 0, 9)]);
        assert_eq!((gap_rate(&found).hits, gap_rate(&found).runs), (6, 24));
        assert_eq!(found[0].rate().value, Some(0.6));
    }

    proptest! {
        #[test]
        fn gaps_of_prompts_add_up(cells in prop::collection::vec((0..6_u32, 0..3_u32, 0..9_u32, 0..9_u32), 0..30)) {
            let gaps: Vec<u32> = cells.iter().map(|(.., runs, gaps)| *gaps.min(runs)).collect();
            let cells: Vec<Cell> = cells.iter().map(|(prompt, engine, runs, _)| cell(*prompt, *engine, *runs)).collect();
            let found = prompt_gaps(&cells, &gaps);
            prop_assert_eq!(found.iter().map(|one| one.gap_runs).sum::<u64>(), gaps.iter().map(|n| u64::from(*n)).sum::<u64>());
            prop_assert_eq!(found.iter().map(|one| one.runs).sum::<u64>(), cells.iter().map(|c| u64::from(c.runs)).sum::<u64>());
            prop_assert!(found.is_sorted_by_key(|one| (std::cmp::Reverse(one.gap_runs), one.runs)));
            prop_assert!(found.iter().all(|one| one.gap_runs <= one.checked));
        }

        #[test]
        fn a_source_is_never_cited_in_more_runs_than_there_are(
            scope in prop::collection::btree_map((0..5_u32, 0..3_u32), 1..9_u32, 0..12),
            found in prop::collection::btree_map((0..6_u32, 0..3_u32), 1..9_u32, 0..12),
        ) {
            let cells: Vec<Cell> = scope.iter().map(|((prompt, engine), runs)| cell(*prompt, *engine, *runs)).collect();
            // A source is cited in runs of the scope alone.
            let hits: Vec<CitedCell> = found.iter().filter_map(|(key, runs)| {
                Some(cited(key.0, key.1, *runs.min(scope.get(key)?)))
            }).collect();
            let figures = CitedScope::new(&cells, &cells, false).figures(&hits, &hits);
            prop_assert_eq!(figures.consistency.hits, hits.iter().map(|cell| u64::from(cell.runs)).sum::<u64>());
            prop_assert_eq!(figures.consistency.runs, cells.iter().map(|cell| u64::from(cell.runs)).sum::<u64>());
            prop_assert!(figures.prompts <= figures.consistency.prompts);
            prop_assert!(figures.change.difference.is_none_or(|difference| difference.abs() < 1e-12));
        }
    }
}

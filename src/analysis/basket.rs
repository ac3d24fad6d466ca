//! The common basket of engines: the prompts that all of them were asked, so that none is better for easier questions.

use crate::model::{Cell, EngineRef, PromptRef};
use std::collections::{BTreeMap, BTreeSet};

/// Engines on common ground.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Basket {
    /// The engines compared, in the order of their labels.
    pub engines: Vec<EngineRef>,
    /// Engines that were asked too little of the same, and so are not compared.
    pub apart: Vec<EngineRef>,
    /// Prompts in the basket: each has a checked run on every engine compared.
    pub prompts: u32,
    /// Prompts with a checked run that are not in it.
    pub prompts_left_out: u32,
    /// The cells of these prompts on these engines.
    pub cells: Vec<Cell>,
}

/// The basket of these cells. Engines are taken up from the one with most prompts on; one with which the basket would
/// hold less than half of all prompts stays apart.
#[must_use]
pub fn basket(cells: &[Cell]) -> Basket {
    let mut asked: BTreeMap<EngineRef, BTreeSet<PromptRef>> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| cell.presence_checked > 0) {
        asked.entry(cell.engine).or_default().insert(cell.prompt);
    }
    let all: BTreeSet<PromptRef> = asked.values().flatten().copied().collect();
    let mut order: Vec<(EngineRef, &BTreeSet<PromptRef>)> =
        asked.iter().map(|(engine, prompts)| (*engine, prompts)).collect();
    order.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
    let mut basket = Basket::default();
    let mut common: Option<BTreeSet<PromptRef>> = None;
    for (engine, prompts) in order {
        let with = common.as_ref().map_or_else(|| prompts.clone(), |common| common & prompts);
        if common.is_none() || with.len() * 2 >= all.len() {
            basket.engines.push(engine);
            common = Some(with);
        } else {
            basket.apart.push(engine);
        }
    }
    basket.engines.sort_unstable();
    basket.apart.sort_unstable();
    let common = common.unwrap_or_default();
    let counted = |prompts: usize| u32::try_from(prompts).unwrap_or(u32::MAX);
    basket.prompts = counted(common.len());
    basket.prompts_left_out = counted(all.len() - common.len());
    let inside = |cell: &&Cell| basket.engines.contains(&cell.engine) && common.contains(&cell.prompt);
    basket.cells = cells.iter().filter(inside).copied().collect();
    basket
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell(prompt: u32, engine: u32, checked: u32) -> Cell {
        let (prompt, engine) = (PromptRef(prompt), EngineRef(engine));
        Cell { prompt, engine, runs: checked.max(1), presence_checked: checked, ..Cell::default() }
    }

    #[test]
    fn a_case_by_hand() {
        // Engine 0: prompts 0 to 9. Engine 1: 0 to 6, of which 3 was not checked. Engine 2: 5 to 9, which would leave 5
        // and 6 alone, less than half of ten.
        let cells: Vec<Cell> = (0..10)
            .map(|prompt| cell(prompt, 0, 4))
            .chain((0..7).map(|prompt| cell(prompt, 1, if prompt == 3 { 0 } else { 2 })))
            .chain((5..10).map(|prompt| cell(prompt, 2, 1)))
            .collect();
        let found = basket(&cells);
        assert_eq!((found.engines, found.apart), (vec![EngineRef(0), EngineRef(1)], vec![EngineRef(2)]));
        assert_eq!((found.prompts, found.prompts_left_out), (6, 4));
        assert_eq!(found.cells.len(), 12);
        assert_eq!(basket(&[]), Basket::default());
    }

    #[test]
    fn half_is_enough() {
        let cells: Vec<Cell> =
            (0..4).map(|prompt| cell(prompt, 3, 1)).chain((0..2).map(|prompt| cell(prompt, 1, 1))).collect();
        let found = basket(&cells);
        assert_eq!((found.engines, found.prompts), (vec![EngineRef(1), EngineRef(3)], 2));
    }

    proptest! {
        #[test]
        fn every_engine_has_every_prompt_and_nothing_is_forgotten(
            rows in prop::collection::vec((0..8_u32, 0..4_u32, 0..3_u32), 0..40),
        ) {
            let cells: Vec<Cell> = rows.into_iter().map(|(prompt, engine, checked)| cell(prompt, engine, checked)).collect();
            let found = basket(&cells);
            for engine in &found.engines {
                let prompts: BTreeSet<PromptRef> = found.cells.iter()
                    .filter(|cell| cell.engine == *engine && cell.presence_checked > 0).map(|cell| cell.prompt).collect();
                prop_assert_eq!(prompts.len(), found.prompts as usize);
            }
            let checked = cells.iter().filter(|cell| cell.presence_checked > 0);
            let all: BTreeSet<PromptRef> = checked.clone().map(|cell| cell.prompt).collect();
            let engines: BTreeSet<EngineRef> = checked.map(|cell| cell.engine).collect();
            prop_assert_eq!((found.prompts + found.prompts_left_out) as usize, all.len());
            prop_assert_eq!(found.engines.len() + found.apart.len(), engines.len());
            prop_assert!(found.engines.len() < 2 || found.prompts as usize * 2 >= all.len());
        }
    }
}

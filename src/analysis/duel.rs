//! Two brands on the same prompts: where one appears, the other, both or neither.

use crate::model::{Cell, PromptRef};
use std::collections::BTreeMap;

/// How the prompts that were checked for two brands divide between them; the four add up to those prompts. A brand has
/// a prompt if it is present in at least one of its runs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Duel {
    /// Prompts where the first brand alone appears.
    pub only_us: u32,
    /// Prompts where the second alone does, with the runs that show it; most runs first.
    pub only_them: Vec<(PromptRef, u32)>,
    /// Prompts where both do, if not always in the same run.
    pub both: u32,
    /// Prompts where neither does.
    pub neither: u32,
}

/// How the prompts divide. Both sides take their labels from one answer of the store.
#[must_use]
pub fn duel(us: &[Cell], them: &[Cell]) -> Duel {
    let (us, them) = (present(us), present(them));
    let mut duel = Duel::default();
    for (prompt, ours) in us {
        let Some(theirs) = them.get(&prompt) else { continue };
        match (ours > 0, *theirs > 0) {
            (true, false) => duel.only_us += 1,
            (false, true) => duel.only_them.push((prompt, *theirs)),
            (true, true) => duel.both += 1,
            (false, false) => duel.neither += 1,
        }
    }
    duel.only_them.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    duel
}

/// Of every prompt that was checked, the runs that show the brand.
fn present(cells: &[Cell]) -> BTreeMap<PromptRef, u32> {
    let mut prompts = BTreeMap::new();
    for cell in cells.iter().filter(|cell| cell.presence_checked > 0) {
        let runs: &mut u32 = prompts.entry(cell.prompt).or_default();
        *runs = runs.saturating_add(cell.present.min(cell.presence_checked));
    }
    prompts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EngineRef;
    use proptest::prelude::*;

    fn cell(prompt: u32, engine: u32, present: u32, checked: u32) -> Cell {
        let (prompt, engine) = (PromptRef(prompt), EngineRef(engine));
        Cell { prompt, engine, runs: 9, present, presence_checked: checked, ..Cell::default() }
    }

    #[test]
    fn a_case_by_hand() {
        // 0: us alone, on one engine of two. 1 and 2: they alone, 2 in more runs. 3: both. 4: neither. 5: not checked
        // for them. 6: not checked for us.
        let us = [cell(0, 0, 0, 3), cell(0, 1, 1, 3), cell(1, 0, 0, 3), cell(2, 0, 0, 3), cell(3, 0, 3, 3)];
        let us = [&us[..], &[cell(4, 0, 0, 3), cell(5, 0, 2, 3), cell(6, 0, 0, 0)]].concat();
        let them = [cell(0, 0, 0, 3), cell(1, 0, 1, 3), cell(2, 0, 1, 3), cell(2, 1, 2, 3), cell(3, 0, 1, 3)];
        let them = [&them[..], &[cell(4, 0, 0, 3), cell(5, 0, 0, 0), cell(6, 0, 3, 3)]].concat();
        let found = duel(&us, &them);
        assert_eq!((found.only_us, found.both, found.neither), (1, 1, 1));
        assert_eq!(found.only_them, [(PromptRef(2), 3), (PromptRef(1), 1)]);
    }

    fn cells() -> impl Strategy<Value = Vec<Cell>> {
        prop::collection::vec((0..9_u32, 0..3_u32, 0..3_u32, 0..3_u32), 0..30)
            .prop_map(|rows| rows.into_iter().map(|(p, e, present, checked)| cell(p, e, present, checked)).collect())
    }

    proptest! {
        #[test]
        fn the_four_are_all_prompts_that_both_were_checked_on(us in cells(), them in cells()) {
            let found = duel(&us, &them);
            let checked = |cells: &[Cell]| -> std::collections::BTreeSet<PromptRef> {
                cells.iter().filter(|cell| cell.presence_checked > 0).map(|cell| cell.prompt).collect()
            };
            let compared = checked(&us).intersection(&checked(&them)).count();
            prop_assert_eq!((found.only_us + found.both + found.neither) as usize + found.only_them.len(), compared);
            let turned = duel(&them, &us);
            prop_assert_eq!((found.only_us as usize, found.both), (turned.only_them.len(), turned.both));
        }
    }
}

//! Adding up the cells of some domains or URLs without hashing: places are numbers, so each lies at its number.

use crate::{
    model::{CitedCell, EngineRef, PromptRef},
    store::packed::SourceCell,
};

#[derive(Clone, Copy, Default)]
struct Counts {
    runs: u32,
    citations: u32,
    gaps: u32,
}

/// Counts by domain or URL, then prompt in the order of appearance, then engine.
pub(super) struct Matrix {
    engines: usize,
    /// Of each domain or URL, one more than its place among those wanted; 0 for others.
    places: Vec<usize>,
    /// Of each prompt, one more than its row; 0 for those not yet seen.
    rows: Vec<usize>,
    prompts: Vec<u32>,
    wanted: Vec<Vec<Counts>>,
}

impl Matrix {
    /// For these domains or URLs, each once, on engines with ids below `engines`.
    pub(super) fn new(labels: impl Iterator<Item = u32>, engines: usize) -> Self {
        let mut matrix =
            Self { engines, places: Vec::new(), rows: Vec::new(), prompts: Vec::new(), wanted: Vec::new() };
        for label in labels {
            matrix.wanted.push(Vec::new());
            let place = matrix.wanted.len();
            if let Some(slot) = slot(&mut matrix.places, label) {
                *slot = place;
            }
        }
        matrix
    }

    pub(super) fn add(&mut self, cell: &SourceCell) {
        let place = self.places.get(cell.domain as usize).copied().unwrap_or(0);
        let engine = cell.engine as usize;
        if place == 0 || engine >= self.engines {
            return;
        }
        let Some(row) = slot(&mut self.rows, cell.prompt) else { return };
        if *row == 0 {
            self.prompts.push(cell.prompt);
            *row = self.prompts.len();
        }
        let at = (*row - 1) * self.engines + engine;
        let Some(counts) = self.wanted.get_mut(place - 1) else { return };
        if counts.len() <= at {
            counts.resize(at + 1, Counts::default());
        }
        if let Some(counts) = counts.get_mut(at) {
            counts.runs += cell.runs;
            counts.citations += cell.citations;
            counts.gaps += cell.gaps;
        }
    }

    /// The cells of each domain or URL, sorted by prompt, then engine.
    pub(super) fn into_cells(self) -> Vec<Vec<CitedCell>> {
        let mut order: Vec<(u32, usize)> = self.prompts.iter().copied().zip(0..).collect();
        order.sort_unstable();
        let cells = |counts: Vec<Counts>| {
            let mut cells = Vec::new();
            for (prompt, row) in &order {
                let engines = counts.iter().skip(row * self.engines).take(self.engines);
                for (engine, counts) in (0..).zip(engines).filter(|(_, counts)| counts.runs > 0) {
                    cells.push(CitedCell {
                        prompt: PromptRef(*prompt),
                        engine: EngineRef(engine),
                        runs: counts.runs,
                        citations: counts.citations,
                        gap_runs: counts.gaps,
                    });
                }
            }
            cells
        };
        self.wanted.into_iter().map(cells).collect()
    }
}

/// The place of a number in a list that grows as far as it must.
fn slot(list: &mut Vec<usize>, at: u32) -> Option<&mut usize> {
    let at = at as usize;
    if list.len() <= at {
        list.resize(at + 1, 0);
    }
    list.get_mut(at)
}

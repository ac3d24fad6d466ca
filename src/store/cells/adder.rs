//! Adding packed cells up by prompt and engine.

use super::{
    Bases, CellTable,
    known::{Known, Standing},
};
use crate::{
    model::{Basis, Cell, EngineRef, PromptRef},
    store::{
        names::Checked,
        packed::{BaseCell, BrandCell},
    },
};

/// Which bases were met, a bit each.
#[derive(Clone, Copy, Default)]
struct Met(u8);

impl Met {
    fn add(&mut self, checked: Checked) {
        self.0 |= 1 << checked as u8;
    }

    fn bases(self) -> Vec<Basis> {
        let met = |checked: Checked| (self.0 & (1 << checked as u8) != 0).then(|| checked.basis()).flatten();
        [Checked::Upstream, Checked::Derived].into_iter().filter_map(met).collect()
    }
}

/// Adds cells up by prompt and engine without hashing: this runs once for every cell of every day.
#[derive(Default)]
pub(super) struct Adder {
    /// Of each prompt, its engines and where their cells are: they are few.
    places: Vec<Vec<(u32, usize)>>,
    /// Where the next cell is, if this day is like the one before.
    next: usize,
    /// Of mentions, citations, and the shares of both.
    met: [Met; 4],
    table: CellTable,
}

impl Adder {
    fn cell(&mut self, prompt: u32, engine: u32) -> Option<(&mut Cell, &mut u32)> {
        let is_next = |cell: &Cell| cell.prompt.0 == prompt && cell.engine.0 == engine;
        if !self.table.cells.get(self.next).is_some_and(is_next) {
            self.next = self.place(prompt, engine)?;
        }
        let place = self.next;
        self.next += 1;
        Some((self.table.cells.get_mut(place)?, self.table.gaps.get_mut(place)?))
    }

    fn place(&mut self, prompt: u32, engine: u32) -> Option<usize> {
        let slot = prompt as usize;
        if self.places.len() <= slot {
            self.places.resize(slot + 1, Vec::new());
        }
        let places = self.places.get_mut(slot)?;
        if let Some((_, place)) = places.iter().find(|(known, _)| *known == engine) {
            return Some(*place);
        }
        let place = self.table.cells.len();
        places.push((engine, place));
        self.table.cells.push(Cell { prompt: PromptRef(prompt), engine: EngineRef(engine), ..Cell::default() });
        self.table.gaps.push(0);
        Some(place)
    }

    pub(super) fn add_base(&mut self, known: &Known, base: BaseCell) {
        if !known.is_on(base.engine) {
            return;
        }
        match known.standing(base.prompt) {
            Standing::Counts => {}
            Standing::Branded => return self.table.branded_runs += u64::from(base.runs),
            Standing::Other => return,
        }
        let scope = known.scope(base.scope);
        let halves = [scope.mentions, scope.citations, scope.share_mentions, scope.share_citations];
        self.met.iter_mut().zip(halves).for_each(|(met, checked)| met.add(checked));
        let Some((cell, gaps)) = self.cell(base.prompt, base.engine) else { return };
        let checked = |is: bool| if is { base.runs } else { 0 };
        let (mentions, citations) = (scope.mentions != Checked::No, scope.citations != Checked::No);
        *gaps += base.gaps;
        cell.runs += base.runs;
        cell.mention_checked += checked(mentions);
        cell.citation_checked += checked(citations);
        cell.presence_checked += checked(mentions && citations);
        if scope.share_mentions != Checked::No {
            cell.share_all_mentions += base.mentions;
        }
        if scope.share_citations != Checked::No {
            cell.share_all_citations += base.citations;
        }
    }

    pub(super) fn add_brand(&mut self, known: &Known, brand: BrandCell) {
        if !known.is_on(brand.engine) || known.standing(brand.prompt) != Standing::Counts {
            return;
        }
        let scope = known.scope(brand.scope);
        let Some((cell, _)) = self.cell(brand.prompt, brand.engine) else { return };
        cell.mentioned += brand.mentioned;
        cell.cited += brand.cited;
        cell.present += brand.present;
        if scope.share_mentions != Checked::No {
            cell.share_mentions += brand.mentions;
        }
        if scope.share_citations != Checked::No {
            cell.share_citations += brand.citations;
        }
        cell.position_sum += brand.position_sum;
        cell.position_runs += brand.position_runs;
        cell.rank_sum += brand.rank_sum;
        cell.rank_runs += brand.rank_runs;
        cell.sentiment_sum += brand.sentiment_sum;
        cell.sentiment_runs += brand.sentiment_runs;
    }

    /// The sums, without the names of engines.
    pub(super) fn into_table(self) -> CellTable {
        let mut table = self.table;
        let [mentions, citations, mention_shares, citation_shares] = self.met.map(Met::bases);
        table.bases = Bases { mentions, citations, mention_shares, citation_shares };
        table
    }
}

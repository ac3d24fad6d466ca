//! Base cells of many days added up to one for each prompt, engine and scope, which is all that brands see differently.

use crate::store::packed::BaseCell;

/// The sums, in the order of appearance.
#[derive(Default)]
pub(super) struct Totals {
    /// Of each prompt, where its cells are: they are few.
    places: Vec<Vec<usize>>,
    /// Where the next cell is, if this day is like the one before.
    next: usize,
    cells: Vec<BaseCell>,
}

impl Totals {
    pub(super) fn add(&mut self, cell: &BaseCell) {
        if !self.cells.get(self.next).is_some_and(|known| is_same(known, cell)) {
            self.next = self.place(cell);
        }
        if let Some(sum) = self.cells.get_mut(self.next) {
            sum.runs += cell.runs;
            sum.mentions += cell.mentions;
            sum.citations += cell.citations;
            sum.gaps += cell.gaps;
        }
        self.next += 1;
    }

    fn place(&mut self, cell: &BaseCell) -> usize {
        let slot = cell.prompt as usize;
        if self.places.len() <= slot {
            self.places.resize(slot + 1, Vec::new());
        }
        let place = self.cells.len();
        let Some(places) = self.places.get_mut(slot) else { return place };
        let is_known = |place: &usize| self.cells.get(*place).is_some_and(|known| is_same(known, cell));
        if let Some(known) = places.iter().copied().find(|place| is_known(place)) {
            return known;
        }
        places.push(place);
        let (prompt, engine, scope) = (cell.prompt, cell.engine, cell.scope);
        self.cells.push(BaseCell { prompt, engine, scope, ..BaseCell::default() });
        place
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = BaseCell> + '_ {
        self.cells.iter().copied()
    }
}

fn is_same(a: &BaseCell, b: &BaseCell) -> bool {
    (a.prompt, a.engine, a.scope) == (b.prompt, b.engine, b.scope)
}

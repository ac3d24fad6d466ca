//! The packed form of a day's cited domains by prompt and engine: domain by domain, a cell mostly in two or three bytes.
//!
//! There are as many cells as runs times the domains that each cites, so they are kept shorter than others: most hold one
//! run, whose counts are then bits beside its engine.

use super::{FORM, Numbers, put};
use crate::store::Result;

/// How often a domain was cited in a day in answers to one prompt on one engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::store) struct SourceCell {
    pub(in crate::store) domain: u32,
    pub(in crate::store) prompt: u32,
    /// Below 2^28.
    pub(in crate::store) engine: u32,
    /// Finished runs that cite it.
    pub(in crate::store) runs: u32,
    pub(in crate::store) citations: u32,
    /// Of these runs: the own brand was looked for and is absent, and a competitor is present.
    pub(in crate::store) gaps: u32,
    /// Of these runs: the own brand was looked for and is present.
    pub(in crate::store) present: u32,
}

/// One run: its gap and presence are bits too.
const ONE_RUN: u32 = 1;
const GAP: u32 = 2;
const PRESENT: u32 = 4;
/// As many citations as runs.
const ONCE_EACH: u32 = 8;

/// Cells must be sorted by domain, then prompt.
pub(in crate::store) fn pack_sources(cells: &[SourceCell]) -> Vec<u8> {
    let mut out = vec![FORM];
    let mut last_domain = 0;
    for group in cells.chunk_by(|a, b| a.domain == b.domain) {
        let domain = group.first().map_or(last_domain, |cell| cell.domain);
        put(&mut out, domain.wrapping_sub(last_domain));
        put(&mut out, u32::try_from(group.len()).unwrap_or(u32::MAX));
        last_domain = domain;
        let mut last_prompt = 0;
        for cell in group {
            put(&mut out, cell.prompt.wrapping_sub(last_prompt));
            last_prompt = cell.prompt;
            put_counts(&mut out, cell);
        }
    }
    out
}

fn put_counts(out: &mut Vec<u8>, cell: &SourceCell) {
    let one = cell.runs == 1 && cell.gaps <= 1 && cell.present <= 1;
    let once = cell.citations == cell.runs;
    let bit = |is: bool, bit: u32| if is { bit } else { 0 };
    let bits = bit(one, ONE_RUN)
        | bit(one && cell.gaps == 1, GAP)
        | bit(one && cell.present == 1, PRESENT)
        | bit(once, ONCE_EACH);
    put(out, cell.engine << 4 | bits);
    if !one {
        for value in [cell.runs, cell.gaps, cell.present] {
            put(out, value);
        }
    }
    if !once {
        put(out, cell.citations);
    }
}

pub(in crate::store) fn unpack_sources(blob: &[u8], mut each: impl FnMut(SourceCell)) -> Result<()> {
    let mut numbers = Numbers::of(blob)?;
    let mut domain = 0u32;
    while !numbers.is_done() {
        domain = domain.wrapping_add(numbers.next()?);
        let mut prompt = 0u32;
        for _ in 0..numbers.next()? {
            prompt = prompt.wrapping_add(numbers.next()?);
            let head = numbers.next()?;
            let (runs, gaps, present) = if head & ONE_RUN == 0 {
                (numbers.next()?, numbers.next()?, numbers.next()?)
            } else {
                (1, u32::from(head & GAP != 0), u32::from(head & PRESENT != 0))
            };
            let citations = if head & ONCE_EACH == 0 { numbers.next()? } else { runs };
            each(SourceCell { domain, prompt, engine: head >> 4, runs, citations, gaps, present });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cells_of_sources_read_back(
            rows in prop::collection::vec((any::<[u32; 2]>(), 0_u32..1 << 28, prop::array::uniform4(0_u32..4)), 0..50),
            large in any::<[u32; 4]>(),
        ) {
            let mut cells: Vec<SourceCell> = rows.iter().map(|&([domain, prompt], engine, [runs, citations, gaps, present])| {
                SourceCell { domain: domain % 5, prompt, engine, runs, citations, gaps, present }
            }).collect();
            let [runs, citations, gaps, present] = large;
            cells.push(SourceCell { domain: 7, prompt: 1, engine: 2, runs, citations, gaps, present });
            cells.sort_by_key(|cell| (cell.domain, cell.prompt, cell.engine));
            let mut back = Vec::new();
            unpack_sources(&pack_sources(&cells), |cell| back.push(cell)).unwrap();
            prop_assert_eq!(back, cells);
        }

        #[test]
        fn damaged_blobs_of_sources_are_errors_or_cells_never_panics(blob in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack_sources(&blob, |_| ());
        }
    }

    #[test]
    fn one_run_that_cites_a_domain_once_takes_two_bytes() {
        let cell = |prompt| SourceCell { domain: 3, prompt, engine: 5, runs: 1, citations: 1, gaps: 1, present: 0 };
        let cells: Vec<SourceCell> = (1..=50).map(cell).collect();
        // A form, a domain, a count, then two bytes a cell.
        assert_eq!(pack_sources(&cells).len(), 3 + 2 * 50);
    }
}

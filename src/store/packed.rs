//! The packed form of a day's rollup: rows of small integers, sorted, the first column as differences, LEB128.
//!
//! A window of 90,000 runs is some 30 blobs instead of 90,000 rows: decoding costs a few nanoseconds a number where
//! a row costs some hundred. A first byte names the form, so that it can change.

mod source;

use super::{Error, Result};

pub(super) use source::{SourceCell, pack_sources, unpack_sources};

const FORM: u8 = 1;

/// What one prompt on one engine gave in a day, whatever the brand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct BaseCell {
    pub(super) prompt: u32,
    pub(super) engine: u32,
    pub(super) scope: u32,
    /// Finished runs.
    pub(super) runs: u32,
    /// Mentions of all brands of the scope, and citations attributed to them.
    pub(super) mentions: u32,
    pub(super) citations: u32,
    /// Runs where the own brand was looked for and is absent, and a competitor is present.
    pub(super) gaps: u32,
}

/// What one brand got in those runs; only where it appears.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct BrandCell {
    pub(super) prompt: u32,
    pub(super) engine: u32,
    pub(super) scope: u32,
    pub(super) mentioned: u32,
    pub(super) cited: u32,
    pub(super) present: u32,
    pub(super) mentions: u32,
    pub(super) citations: u32,
    pub(super) position_sum: u32,
    pub(super) position_runs: u32,
    pub(super) rank_sum: u32,
    pub(super) rank_runs: u32,
    pub(super) sentiment_runs: u32,
    pub(super) sentiment_sum: f64,
}

/// How often a domain was cited in a day on one engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct DomainCell {
    pub(super) domain: u32,
    pub(super) engine: u32,
    /// In answers to branded prompts?
    pub(super) branded: u32,
    pub(super) runs: u32,
    pub(super) citations: u32,
}

fn put(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Reads packed numbers one after the other.
struct Numbers<'a>(std::slice::Iter<'a, u8>);

impl<'a> Numbers<'a> {
    fn of(blob: &'a [u8]) -> Result<Self> {
        let mut bytes = blob.iter();
        if bytes.next() == Some(&FORM) { Ok(Self(bytes)) } else { Err(Error::Value("a packed day")) }
    }

    fn is_done(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    #[inline]
    fn next(&mut self) -> Result<u32> {
        let mut value = 0u32;
        let mut shift = 0u32;
        for byte in self.0.by_ref() {
            value |= u32::from(byte & 0x7f).wrapping_shl(shift);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            shift += 7;
        }
        Err(Error::Value("a packed day"))
    }

    fn float(&mut self) -> Result<f64> {
        let bytes = self.0.as_slice().first_chunk::<8>().ok_or(Error::Value("a packed day"))?;
        let value = f64::from_le_bytes(*bytes);
        self.0 = self.0.as_slice().get(8..).unwrap_or_default().iter();
        Ok(value)
    }
}

pub(super) fn pack_base(cells: &[BaseCell]) -> Vec<u8> {
    let mut out = vec![FORM];
    let mut last = 0;
    for cell in cells {
        put(&mut out, cell.prompt.wrapping_sub(last));
        last = cell.prompt;
        for value in [cell.engine, cell.scope, cell.runs, cell.mentions, cell.citations, cell.gaps] {
            put(&mut out, value);
        }
    }
    out
}

pub(super) fn unpack_base(blob: &[u8], mut each: impl FnMut(BaseCell)) -> Result<()> {
    let mut numbers = Numbers::of(blob)?;
    let mut prompt = 0u32;
    while !numbers.is_done() {
        prompt = prompt.wrapping_add(numbers.next()?);
        each(BaseCell {
            prompt,
            engine: numbers.next()?,
            scope: numbers.next()?,
            runs: numbers.next()?,
            mentions: numbers.next()?,
            citations: numbers.next()?,
            gaps: numbers.next()?,
        });
    }
    Ok(())
}

pub(super) fn pack_brand(cells: &[BrandCell]) -> Vec<u8> {
    let mut out = vec![FORM];
    let mut last = 0;
    for cell in cells {
        put(&mut out, cell.prompt.wrapping_sub(last));
        last = cell.prompt;
        let values = [
            cell.engine,
            cell.scope,
            cell.mentioned,
            cell.cited,
            cell.present,
            cell.mentions,
            cell.citations,
            cell.position_sum,
            cell.position_runs,
            cell.rank_sum,
            cell.rank_runs,
            cell.sentiment_runs,
        ];
        for value in values {
            put(&mut out, value);
        }
        if cell.sentiment_runs > 0 {
            out.extend_from_slice(&cell.sentiment_sum.to_le_bytes());
        }
    }
    out
}

pub(super) fn unpack_brand(blob: &[u8], mut each: impl FnMut(BrandCell)) -> Result<()> {
    let mut numbers = Numbers::of(blob)?;
    let mut prompt = 0u32;
    while !numbers.is_done() {
        prompt = prompt.wrapping_add(numbers.next()?);
        let mut cell = BrandCell {
            prompt,
            engine: numbers.next()?,
            scope: numbers.next()?,
            mentioned: numbers.next()?,
            cited: numbers.next()?,
            present: numbers.next()?,
            mentions: numbers.next()?,
            citations: numbers.next()?,
            position_sum: numbers.next()?,
            position_runs: numbers.next()?,
            rank_sum: numbers.next()?,
            rank_runs: numbers.next()?,
            sentiment_runs: numbers.next()?,
            sentiment_sum: 0.0,
        };
        if cell.sentiment_runs > 0 {
            cell.sentiment_sum = numbers.float()?;
        }
        each(cell);
    }
    Ok(())
}

pub(super) fn pack_domains(cells: &[DomainCell]) -> Vec<u8> {
    let mut out = vec![FORM];
    let mut last = 0;
    for cell in cells {
        put(&mut out, cell.domain.wrapping_sub(last));
        last = cell.domain;
        for value in [cell.engine, cell.branded, cell.runs, cell.citations] {
            put(&mut out, value);
        }
    }
    out
}

pub(super) fn unpack_domains(blob: &[u8], mut each: impl FnMut(DomainCell)) -> Result<()> {
    let mut numbers = Numbers::of(blob)?;
    let mut domain = 0u32;
    while !numbers.is_done() {
        domain = domain.wrapping_add(numbers.next()?);
        each(DomainCell {
            domain,
            engine: numbers.next()?,
            branded: numbers.next()?,
            runs: numbers.next()?,
            citations: numbers.next()?,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn base_cells_read_back(rows in prop::collection::vec(any::<[u32; 7]>(), 0..50)) {
            let cells: Vec<BaseCell> = rows.iter().map(|&[prompt, engine, scope, runs, mentions, citations, gaps]| {
                BaseCell { prompt, engine, scope, runs, mentions, citations, gaps }
            }).collect();
            let mut back = Vec::new();
            unpack_base(&pack_base(&cells), |cell| back.push(cell)).unwrap();
            prop_assert_eq!(back, cells);
        }

        #[test]
        fn brand_cells_read_back(rows in prop::collection::vec((any::<[u32; 8]>(), 0u32..3, -1e6..1e6), 0..50)) {
            let cells: Vec<BrandCell> = rows.iter().map(|&([prompt, engine, scope, mentioned, cited, present, mentions, citations], sentiment_runs, sum)| {
                BrandCell {
                    prompt, engine, scope, mentioned, cited, present, mentions, citations, sentiment_runs,
                    sentiment_sum: if sentiment_runs > 0 { sum } else { 0.0 }, ..BrandCell::default()
                }
            }).collect();
            let mut back = Vec::new();
            unpack_brand(&pack_brand(&cells), |cell| back.push(cell)).unwrap();
            prop_assert_eq!(back, cells);
        }

        #[test]
        fn damaged_blobs_are_errors_or_cells_never_panics(blob in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack_base(&blob, |_| ());
            let _ = unpack_brand(&blob, |_| ());
            let _ = unpack_domains(&blob, |_| ());
        }
    }
}

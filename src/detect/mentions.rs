//! Finding spellings in words: one pass for all of them, then the leftmost and longest that stand as words.

use super::{
    address::{Address, Kind, addresses},
    boundary,
    fold::{self, Case, Folded},
    prose::Words,
};
use crate::model::Brand;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
    ops::Range,
};

/// What a spelling stands for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Meaning {
    /// Only in this letter case.
    exact: Option<String>,
    /// The brand, by index; none for a phrase that means no brand.
    brand: Option<usize>,
    /// The spelling as the brand has it.
    alias: String,
}

/// A place where a text names a brand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Hit<'d> {
    pub(super) brand: usize,
    pub(super) alias: &'d str,
    /// In the words.
    pub(super) at: Range<usize>,
}

/// All spellings of some brands.
#[derive(Clone, Debug)]
pub(super) struct Spellings {
    search: Option<AhoCorasick>,
    /// What each pattern of the search may stand for, the first that fits.
    meanings: Vec<Vec<Meaning>>,
}

/// A table for every state is fast and large: up to this many bytes of spellings.
const TABLE_BYTES: usize = 64 * 1_024;

/// How many texts are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Texts {
    /// One: what is searched by is made quickly.
    One,
    /// Many: it searches quickly.
    Many,
}

impl Spellings {
    /// The spellings of these brands; where two have the same one, it is that of the first.
    pub(super) fn of(brands: &[&Brand], texts: Texts) -> Self {
        let mut patterns: BTreeMap<String, Vec<Meaning>> = BTreeMap::new();
        for (ix, brand) in brands.iter().enumerate() {
            for (key, meaning) in meanings(ix, brand) {
                patterns.entry(key).or_default().push(meaning);
            }
        }
        for meanings in patterns.values_mut() {
            // What is exact before what is not, brands before phrases that are none; else in the order of the brands.
            meanings.sort_by_key(|meaning| (meaning.brand.is_none(), meaning.exact.is_none()));
        }
        let bytes: usize = patterns.keys().map(String::len).sum();
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(match texts {
                Texts::One => Some(AhoCorasickKind::NoncontiguousNFA),
                Texts::Many => (bytes <= TABLE_BYTES).then_some(AhoCorasickKind::DFA),
            })
            .build(patterns.keys())
            .ok()
            .filter(|_| !patterns.is_empty());
        Self { search, meanings: patterns.into_values().collect() }
    }

    /// The places in some words where a brand is named, in their order.
    pub(super) fn hits(&self, words: &Words) -> Vec<Hit<'_>> {
        let Some(search) = &self.search else { return Vec::new() };
        let folded = Folded::of(&words.text, Case::Fold);
        let mut candidates: Vec<(Range<usize>, usize)> = search
            .find_overlapping_iter(folded.text.as_ref())
            .map(|found| (found.range(), found.pattern().as_usize()))
            .filter(|(at, _)| stands_alone(&folded.text, at))
            .collect();
        if candidates.is_empty() {
            return Vec::new();
        }
        candidates.sort_unstable_by_key(|(at, _)| (at.start, Reverse(at.end)));
        let mut addresses = Addresses { all: addresses(&words.text), next: 0 };
        let (mut hits, mut free) = (Vec::new(), 0);
        for (at, pattern) in candidates {
            if at.start < free {
                continue;
            }
            let place = folded.origin(at.clone());
            let (Some(meanings), Some(text)) = (self.meanings.get(pattern), words.text.get(place.clone())) else {
                continue;
            };
            let Some(meaning) = meanings.iter().find(|meaning| meaning.fits(text)) else { continue };
            if addresses.hold(&place) {
                continue;
            }
            free = at.end;
            hits.extend(meaning.brand.map(|brand| Hit { brand, alias: &meaning.alias, at: place }));
        }
        hits
    }
}

impl Meaning {
    fn fits(&self, text: &str) -> bool {
        self.exact.as_ref().is_none_or(|exact| *exact == fold::exact(text))
    }
}

/// The spellings of a brand and the phrases that it excludes, each with what it is searched by.
fn meanings(ix: usize, brand: &Brand) -> Vec<(String, Meaning)> {
    let excluded: BTreeMap<String, &String> = brand.excluded.iter().map(|phrase| (fold::key(phrase), phrase)).collect();
    let exact: HashSet<String> = brand.exact.iter().map(|spelling| fold::key(spelling)).collect();
    let loose = std::iter::once(&brand.name)
        .chain(&brand.aliases)
        .map(|alias| (fold::key(alias), alias, None))
        // A spelling with exact forms counts in these alone; one that is excluded as it is, not at all.
        .filter(|(key, ..)| !exact.contains(key) && !excluded.contains_key(key));
    let strict = brand.exact.iter().map(|alias| (fold::key(alias), alias, Some(fold::exact(alias))));
    let named = loose
        .chain(strict)
        .map(|(key, alias, exact)| (key, Meaning { exact, brand: Some(ix), alias: alias.trim().to_owned() }));
    let other = excluded
        .iter()
        .map(|(key, phrase)| (key.clone(), Meaning { exact: None, brand: None, alias: (*phrase).clone() }));
    // One character says too little.
    named.chain(other).filter(|(key, _)| key.chars().count() > 1).collect()
}

fn stands_alone(text: &str, at: &Range<usize>) -> bool {
    let (before, name, after) = (text.get(..at.start), text.get(at.clone()), text.get(at.end..));
    let (Some(before), Some(name), Some(after)) = (before, name, after) else { return false };
    boundary::is_word(before, name, after)
}

/// Addresses, asked about places that come in order.
struct Addresses {
    all: Vec<Address>,
    next: usize,
}

impl Addresses {
    /// Does an address hold this place or a part of it? Not if the place is the whole of a bare domain or a handle: a
    /// brand may be called so.
    fn hold(&mut self, place: &Range<usize>) -> bool {
        let ended = |address: &&Address| address.at.end <= place.start;
        self.next += self.all.get(self.next..).unwrap_or_default().iter().take_while(ended).count();
        let rest = self.all.get(self.next..).unwrap_or_default().iter();
        rest.take_while(|address| address.at.start < place.end).any(|address| {
            let whole = place.start <= address.at.start && address.at.end <= place.end;
            !(whole && matches!(address.kind, Kind::Domain | Kind::Handle))
        })
    }
}

//! Brands and domains on the two sides of a comparison.

use super::{
    super::support::{Table, cell, quoted},
    Side,
};
use crate::{analysis::overlap, store::FactRow};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a brand or a domain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Entered,
    Left,
    Stayed,
    /// One side was not looked at for it.
    Unknown,
}

impl Fate {
    /// Of what is there or not on this side and on the other; none where it is on neither.
    fn of(here: Option<bool>, there: Option<bool>) -> Option<Self> {
        match (here, there) {
            (Some(true), Some(true)) => Some(Self::Stayed),
            (Some(true), Some(false)) => Some(Self::Entered),
            (Some(false), Some(true)) => Some(Self::Left),
            (Some(true), None) | (None, Some(true)) => Some(Self::Unknown),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Left => "left",
            Self::Stayed => "stayed",
            Self::Unknown => "unknown",
        }
    }
}

/// A brand that is on one side at least.
pub(super) struct BrandFate<'s> {
    fate: Fate,
    name: &'s str,
    kind: &'s str,
    here: Option<&'s FactRow>,
    there: Option<&'s FactRow>,
}

/// The brands: what entered first, then what left, what stayed, and what is not known.
pub(super) fn brands<'s>(this: &'s Side, other: &'s Side) -> Vec<BrandFate<'s>> {
    let one_project = this.target.row.key == other.target.row.key;
    // Keys of brands mean something within their project alone.
    let key = |fact: &FactRow| if one_project { fact.brand.0.clone() } else { fact.name.to_lowercase() };
    let mut both: BTreeMap<String, (Option<&FactRow>, Option<&FactRow>)> = BTreeMap::new();
    for fact in &this.run.facts {
        both.entry(key(fact)).or_default().0 = Some(fact);
    }
    for fact in &other.run.facts {
        both.entry(key(fact)).or_default().1 = Some(fact);
    }
    let mut fates: Vec<BrandFate<'_>> = both
        .into_values()
        .filter_map(|(here, there)| {
            let fact = here.or(there)?;
            let fate = Fate::of(here.and_then(present), there.and_then(present))?;
            Some(BrandFate { fate, name: &fact.name, kind: &fact.kind, here, there })
        })
        .collect();
    let own_first = |kind: &str| kind != "own";
    fates.sort_by_key(|one| (one.fate, own_first(one.kind), one.name));
    fates
}

/// Is the brand named or cited? Unknown where a half that could say so was not looked for.
fn present(fact: &FactRow) -> Option<bool> {
    match (fact.mentions, fact.citations) {
        (Some(1..), _) | (_, Some(1..)) => Some(true),
        (Some(0), Some(0)) => Some(false),
        _ => None,
    }
}

/// The overlap of the brands of which both sides are known.
pub(super) fn shared(brands: &[BrandFate<'_>]) -> Option<f64> {
    let on = |sides: [Fate; 2]| -> BTreeSet<usize> {
        brands.iter().enumerate().filter(|(_, one)| sides.contains(&one.fate)).map(|(i, _)| i).collect()
    };
    overlap(&on([Fate::Entered, Fate::Stayed]), &on([Fate::Left, Fate::Stayed]))
}

/// Some of the brands.
pub(super) fn brand_table(brands: &[BrandFate<'_>], from: usize, most: usize) -> Table {
    let mut table =
        Table::new(["brand", "kind", "change", "mentions", "other_mentions", "citations", "other_citations"]);
    table.rows = brands
        .iter()
        .skip(from)
        .take(most)
        .map(|one| {
            vec![
                quoted(one.name, 120),
                one.kind.into(),
                one.fate.word().into(),
                cell(one.here.and_then(|fact| fact.mentions)),
                cell(one.there.and_then(|fact| fact.mentions)),
                cell(one.here.and_then(|fact| fact.citations)),
                cell(one.there.and_then(|fact| fact.citations)),
            ]
        })
        .collect();
    table
}

/// A domain that is cited on one side at least, with its citations on either.
pub(super) struct DomainFate<'s> {
    fate: Fate,
    name: &'s str,
    here: u32,
    there: u32,
}

/// The domains, in the same order.
pub(super) fn domains<'s>(this: &'s Side, other: &'s Side) -> Vec<DomainFate<'s>> {
    let mut both: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for domain in this.run.citations.iter().filter_map(|citation| citation.domain.as_deref()) {
        both.entry(domain).or_default().0 += 1;
    }
    for domain in other.run.citations.iter().filter_map(|citation| citation.domain.as_deref()) {
        both.entry(domain).or_default().1 += 1;
    }
    let mut fates: Vec<DomainFate<'_>> = both
        .into_iter()
        .filter_map(|(name, (here, there))| {
            Some(DomainFate { fate: Fate::of(Some(here > 0), Some(there > 0))?, name, here, there })
        })
        .collect();
    fates.sort_by_key(|one| (one.fate, one.name));
    fates
}

/// The domains that a run cites.
pub(super) fn domain_names(side: &Side) -> BTreeSet<&str> {
    side.run.citations.iter().filter_map(|citation| citation.domain.as_deref()).collect()
}

/// Some of the domains.
pub(super) fn domain_table(domains: &[DomainFate<'_>], from: usize, most: usize) -> Table {
    let mut table = Table::new(["domain", "change", "citations", "other_citations"]);
    table.rows = domains
        .iter()
        .skip(from)
        .take(most)
        .map(|one| vec![quoted(one.name, 120), one.fate.word().into(), one.here.into(), one.there.into()])
        .collect();
    table
}

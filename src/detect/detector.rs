//! The detector: a project's brands, made ready for reading texts.

use super::{
    mentions::{Spellings, Texts},
    prose::Page,
};
use crate::model::{Brand, BrandFact, BrandKey, host_of};
use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
    sync::Arc,
};
use xxhash_rust::xxh3::Xxh3Default;

/// Raise it when a text could read differently than before: what was read off texts is then read anew.
const VERSION: u32 = 1;

/// Finds a project's brands in texts and among links. Clones share what was compiled.
#[derive(Clone, Debug)]
pub struct Detector {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// In their order; a brand is known by its index here.
    keys: Vec<BrandKey>,
    spellings: Spellings,
    domains: BTreeMap<String, usize>,
    stamp: u64,
}

/// A brand named in a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mention<'d> {
    /// The brand.
    pub brand: &'d BrandKey,
    /// The spelling that was found, as the brand has it.
    pub alias: &'d str,
    /// Where it begins in the text as given, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

impl Detector {
    /// A detector of these brands. Where two have the same spelling or domain, it belongs to the one whose key comes
    /// first; the order in which they are given does not matter.
    #[must_use]
    pub fn of(brands: &[Brand]) -> Self {
        Self::made(brands, Texts::Many)
    }

    /// The same detector for one text alone: it is made much faster than it reads.
    #[must_use]
    pub fn of_one_text(brands: &[Brand]) -> Self {
        Self::made(brands, Texts::One)
    }

    fn made(brands: &[Brand], texts: Texts) -> Self {
        let mut brands: Vec<&Brand> = brands.iter().collect();
        brands.sort_by_cached_key(|brand| identity(brand));
        let mut domains = BTreeMap::new();
        for (ix, brand) in brands.iter().enumerate() {
            for domain in brand.domains.iter().filter_map(|domain| host_of(domain)) {
                domains.entry(domain).or_insert(ix);
            }
        }
        let inner = Inner {
            keys: brands.iter().map(|brand| brand.key.clone()).collect(),
            spellings: Spellings::of(&brands, texts),
            domains,
            stamp: stamp(&brands),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Changes when what is found in some text could: with the brands' keys, spellings and domains, and with the rules.
    /// Does not depend on the order of the brands, nor on that of a brand's spellings.
    #[must_use]
    pub fn stamp(&self) -> u64 {
        self.inner.stamp
    }

    /// The brands that a text names, in the order of the text; they do not overlap.
    #[must_use]
    pub fn mentions(&self, text: &str) -> Vec<Mention<'_>> {
        let words = Page::read(text).words;
        let hits = self.inner.spellings.hits(&words).into_iter();
        hits.filter_map(|hit| {
            let at = words.origin(hit.at);
            Some(Mention { brand: self.inner.keys.get(hit.brand)?, alias: hit.alias, start: at.start, end: at.end })
        })
        .collect()
    }

    /// The brand whose domain is the URL's host or above it. The longest domain wins.
    #[must_use]
    pub fn owner(&self, url: &str) -> Option<&BrandKey> {
        let host = host_of(url)?;
        let mut hosts = iter::successors(Some(host.as_str()), |host| Some(host.split_once('.')?.1));
        let brand = hosts.find_map(|host| self.inner.domains.get(host))?;
        self.inner.keys.get(*brand)
    }

    /// What is to say of every brand that the text names or that one of the citations belongs to, in the order of the
    /// brands' keys. Both counts are always there; one of them may be zero.
    pub fn facts<'u>(&self, text: &str, citations: impl IntoIterator<Item = &'u str>) -> Vec<BrandFact> {
        let mut facts: BTreeMap<&BrandKey, BrandFact> = BTreeMap::new();
        let mut rank = 0;
        for mention in self.mentions(text) {
            let fact = facts.entry(mention.brand).or_insert_with(|| nothing_yet(mention.brand));
            fact.mentions = fact.mentions.map(|count| count.saturating_add(1));
            fact.mention_rank.get_or_insert_with(|| {
                rank += 1;
                rank
            });
        }
        for (position, url) in (1..).zip(citations) {
            if let Some(brand) = self.owner(url) {
                let fact = facts.entry(brand).or_insert_with(|| nothing_yet(brand));
                fact.citations = fact.citations.map(|count| count.saturating_add(1));
                fact.best_citation_position.get_or_insert(position);
            }
        }
        facts.into_values().collect()
    }
}

/// A fact of a brand that was looked for.
fn nothing_yet(brand: &BrandKey) -> BrandFact {
    BrandFact { mentions: Some(0), citations: Some(0), ..BrandFact::unchecked(brand.clone()) }
}

/// What makes a difference to detection, in an order of its own: the key, and lists of words.
fn identity(brand: &Brand) -> (&str, [Vec<&str>; 4]) {
    fn sorted<'b>(words: impl Iterator<Item = &'b String>) -> Vec<&'b str> {
        let words: BTreeSet<&str> = words.map(String::as_str).collect();
        words.into_iter().collect()
    }
    // The name is a spelling like any other.
    let spellings = iter::once(&brand.name).chain(&brand.aliases);
    let [exact, excluded, domains] = [&brand.exact, &brand.excluded, &brand.domains];
    (&brand.key.0, [sorted(spellings), sorted(exact.iter()), sorted(excluded.iter()), sorted(domains.iter())])
}

fn stamp(brands: &[&Brand]) -> u64 {
    let mut hash = Xxh3Default::new();
    hash.update(&VERSION.to_le_bytes());
    let mut word = |word: &str| {
        hash.update(&word.len().to_le_bytes());
        hash.update(word.as_bytes());
    };
    for brand in brands {
        let (key, lists) = identity(brand);
        word(key);
        for list in lists {
            word(&list.len().to_string());
            list.into_iter().for_each(&mut word);
        }
    }
    hash.digest()
}

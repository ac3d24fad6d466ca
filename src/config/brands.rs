//! Brands in the configuration file: a name alone, or a table with what the brand is known by.

use crate::model::{Brand, BrandKey, BrandKind, UpstreamKind, host_of};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::fmt;

/// An item of `brands`.
#[derive(Debug)]
pub(super) enum Entry {
    /// The name, domain or id of a brand that the upstream knows.
    Name(String),
    /// A brand as the configuration describes it.
    Table(Table),
}

/// A table of `[[sources.NAME.brands]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    /// The name people know it by.
    name: String,
    /// Whose it is.
    kind: Option<BrandKind>,
    /// Its own hosts.
    #[serde(default)]
    domains: Vec<String>,
    /// Other spellings of its name.
    #[serde(default)]
    aliases: Vec<String>,
    /// Spellings that count only in exactly this letter case.
    #[serde(default)]
    exact: Vec<String>,
    /// Phrases that hold a spelling and mean something else.
    #[serde(default)]
    excluded: Vec<String>,
}

impl Entry {
    fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Table(table) => &table.name,
        }
    }
}

// By hand: an untagged enum would tell of a misspelt key that the data matched no variant.
impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrTable)
    }
}

struct TextOrTable;

impl<'de> Visitor<'de> for TextOrTable {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a brand's name, or a table with its `name`")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Entry, E> {
        Ok(Entry::Name(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(map)).map(Entry::Table)
    }
}

/// The names of all of them, for upstreams that track brands themselves.
pub(super) fn names(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.name().trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// The brands described in tables. An upstream that knows no brands has its own one from here: the one that says so,
/// else the first, unless that says otherwise.
///
/// # Errors
/// What is wrong with one of them, after which none can be used.
pub(super) fn described(entries: &[Entry], upstream: UpstreamKind) -> Result<Vec<Brand>, String> {
    let tables = || {
        entries.iter().filter_map(|entry| match entry {
            Entry::Table(table) => Some(table),
            Entry::Name(_) => None,
        })
    };
    let own = tables().filter(|table| table.kind == Some(BrandKind::Own)).count();
    if own > 1 {
        return Err(format!("{own} brands are of kind `own`; leave one, and make the others `competitor` or `other`"));
    }
    let mut brands: Vec<Brand> = vec![];
    for table in tables() {
        let is_first = brands.is_empty() && own == 0 && upstream == UpstreamKind::Lunary;
        let usual = if is_first { BrandKind::Own } else { BrandKind::Competitor };
        let brand = table.brand(usual)?;
        if brands.iter().any(|known| known.key == brand.key) {
            return Err(format!(
                "the brand `{}` is there twice; put all that it is known by into one table",
                brand.name
            ));
        }
        brands.push(brand);
    }
    Ok(brands)
}

impl Table {
    fn brand(&self, usual: BrandKind) -> Result<Brand, String> {
        let name = self.name.trim();
        if name.is_empty() {
            return Err("a brand has an empty name; set `name` in its `brands` table".to_owned());
        }
        let host = |domain: &String| {
            let host = host_of(domain).filter(|host| host.contains('.'));
            host.ok_or_else(|| format!("`{domain}` is no domain of the brand `{name}`; write it as in `example.com`"))
        };
        let mut domains = self.domains.iter().map(host).collect::<Result<Vec<_>, _>>()?;
        domains.dedup();
        let (mut aliases, exact) = (texts(&self.aliases), texts(&self.exact));
        // What counts in one letter case is a spelling, too.
        for spelling in &exact {
            if spelling != name && !aliases.contains(spelling) {
                aliases.push(spelling.clone());
            }
        }
        Ok(Brand {
            key: BrandKey::configured(name),
            name: name.to_owned(),
            kind: self.kind.unwrap_or(usual),
            domains,
            aliases,
            exact,
            excluded: texts(&self.excluded),
        })
    }
}

/// Trimmed, without empty ones.
fn texts(given: &[String]) -> Vec<String> {
    given.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

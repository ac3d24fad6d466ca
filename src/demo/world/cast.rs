//! Who appears: the brands of each project and the sites that answers cite.
//!
//! Every name is made up and every domain lies under the reserved `.example`.

use super::themes::{NAME_PARTS, SITE_PARTS, Theme};

/// A brand that a project tracks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorldBrand {
    /// The name people know it by.
    pub name: String,
    /// Other spellings of the name.
    pub aliases: Vec<String>,
    /// Its domain; hosts below it are its own as well.
    pub domain: String,
    /// Is it the project's own brand?
    pub own: bool,
}

impl WorldBrand {
    /// Every spelling, the name first.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// The home page.
    #[must_use]
    pub fn website(&self) -> String {
        format!("https://www.{}/", self.domain)
    }

    /// The name as it stands in paths of URLs.
    pub(super) fn slug(&self) -> &str {
        self.domain.split('.').next().unwrap_or_default()
    }
}

/// The brands of a project: those of its theme, then coined ones. `number` keeps the coined ones of two projects apart.
pub(super) fn brands(theme: &Theme, number: usize, count: usize) -> Vec<WorldBrand> {
    // Only the first project of a theme has its written brands; no brand is tracked by two projects.
    let written = if number < super::themes::THEMES.len() { theme.brands } else { &[] };
    // Eight projects take turns; later ones begin where no earlier one comes.
    let coined = (0..).map(|i| coin(number / 8 * 100_000 + i * 8 + number % 8));
    written
        .iter()
        .map(|(name, aliases, domain)| WorldBrand {
            name: (*name).to_owned(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            domain: (*domain).to_owned(),
            own: false,
        })
        .chain(coined)
        .take(count)
        .enumerate()
        .map(|(i, brand)| WorldBrand { own: i == 0, ..brand })
        .collect()
}

fn coin(number: usize) -> WorldBrand {
    let (heads, tails) = NAME_PARTS;
    let head = heads.get(number % heads.len()).copied().unwrap_or_default();
    // The tail moves on with every round of heads, or the factor that both counts share would repeat pairs.
    let tail = tails.get((number + number / heads.len()) % tails.len()).copied().unwrap_or_default();
    let round = number / (heads.len() * tails.len());
    let name = if round == 0 { format!("{head}{tail}") } else { format!("{head}{tail} {}", round + 1) };
    let domain = format!("{}.example", name.to_lowercase().replace(' ', "-"));
    let aliases = if number.is_multiple_of(3) { vec![format!("{name} Group")] } else { Vec::new() };
    WorldBrand { name, aliases, domain, own: false }
}

/// Hosts of sites that belong to no brand, the widely cited ones first.
pub(super) fn hosts(count: usize) -> Vec<String> {
    let (heads, tails) = SITE_PARTS;
    (0..count)
        .map(|i| {
            let head = heads.get(i % heads.len()).copied().unwrap_or_default();
            let tail = tails.get((i + i / heads.len()) % tails.len()).copied().unwrap_or_default();
            match i / (heads.len() * tails.len()) {
                0 => format!("{head}-{tail}.example"),
                round => format!("{head}-{tail}{round}.example"),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::themes::THEMES;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_brands_share_a_name_or_a_domain() {
        let all: Vec<_> = (0..3).flat_map(|n| brands(&THEMES[n % 2], n, 400)).collect();
        let names: BTreeSet<_> = all.iter().flat_map(WorldBrand::spellings).map(str::to_lowercase).collect();
        let domains: BTreeSet<_> = all.iter().map(|b| &b.domain).collect();
        assert_eq!(names.len(), all.iter().map(|b| b.spellings().count()).sum::<usize>());
        assert_eq!(domains.len(), all.len());
        assert!(domains.iter().all(|domain| domain.ends_with(".example")));
    }

    #[test]
    fn twenty_thousand_sites_are_all_different() {
        let hosts = hosts(20_000);
        assert_eq!(hosts.iter().collect::<BTreeSet<_>>().len(), 20_000);
    }
}

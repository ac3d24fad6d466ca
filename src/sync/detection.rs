//! The brands of a project as they are looked for: the upstream's, and what the configuration adds to them.

use crate::{
    detect::{Detector, cited_urls},
    model::{Brand, BrandFact, BrandKey, CitationRecord, SourceName},
    store::Detect,
};
use std::collections::BTreeMap;

/// Brands that the configuration adds to those of a source's projects.
pub type AddedBrands = BTreeMap<SourceName, Vec<Brand>>;

/// A project's brands, and what reads them off its answers.
#[derive(Debug)]
pub(super) struct Detection {
    /// All of them.
    pub(super) brands: Vec<Brand>,
    tracked: Vec<BrandKey>,
    detector: Detector,
}

impl Detection {
    pub(super) fn of(roster: &[Brand], added: &[Brand]) -> Self {
        let mut brands = roster.to_vec();
        for brand in added {
            add(&mut brands, brand);
        }
        let tracked: Vec<Brand> = brands.iter().filter(|brand| brand.is_tracked()).cloned().collect();
        let detector = Detector::of(&tracked);
        Self { brands, tracked: tracked.into_iter().map(|brand| brand.key).collect(), detector }
    }
}

/// Adds a configured brand: to the brand that has one of its names, or as one of its own.
fn add(brands: &mut Vec<Brand>, added: &Brand) {
    let is_called =
        |brand: &Brand, name: &str| spellings(brand).any(|spelling| spelling.to_lowercase() == name.to_lowercase());
    let known = brands.iter_mut().find(|brand| spellings(added).any(|name| is_called(brand, name)));
    let Some(brand) = known else {
        brands.push(added.clone());
        return;
    };
    let names: Vec<String> = spellings(added).filter(|name| !is_called(brand, name)).map(str::to_owned).collect();
    brand.aliases.extend(names);
    for (list, more) in
        [(&mut brand.domains, &added.domains), (&mut brand.exact, &added.exact), (&mut brand.excluded, &added.excluded)]
    {
        let new: Vec<String> = more.iter().filter(|text| !list.contains(text)).cloned().collect();
        list.extend(new);
    }
    // A brand that an upstream merely met is tracked once it is named here. Its own brand stays its own.
    brand.kind = brand.kind.min(added.kind);
}

fn spellings(brand: &Brand) -> impl Iterator<Item = &str> {
    std::iter::once(brand.name.as_str()).chain(brand.aliases.iter().map(String::as_str))
}

impl Detect for Detection {
    fn stamp(&self) -> u64 {
        self.detector.stamp()
    }

    fn brands(&self) -> &[BrandKey] {
        &self.tracked
    }

    fn is_branded(&self, prompt: &str) -> bool {
        !self.detector.mentions(prompt).is_empty()
    }

    fn citations(&self, answer: &str, beside: &[String]) -> Vec<CitationRecord> {
        let cited = |url: String| CitationRecord { brand: self.owner(&url).cloned(), url, quality: None };
        cited_urls(answer, beside).into_iter().map(cited).collect()
    }

    fn facts(&self, answer: &str, citations: &[&str]) -> Vec<BrandFact> {
        self.detector.facts(answer, citations.iter().copied())
    }

    fn owner(&self, url: &str) -> Option<&BrandKey> {
        self.detector.owner(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BrandKind;

    fn brand(name: &str, kind: BrandKind) -> Brand {
        Brand {
            key: BrandKey(name.to_lowercase()),
            name: name.to_owned(),
            kind,
            domains: vec![],
            aliases: vec![],
            exact: vec![],
            excluded: vec![],
        }
    }

    #[test]
    fn a_configured_brand_adds_to_the_one_that_has_its_name_or_stands_alone() {
        let roster = [brand("Acme", BrandKind::Own), brand("Umbra", BrandKind::Other), brand("Met", BrandKind::Other)];
        let acme = Brand {
            aliases: vec!["ACME Corp".to_owned()],
            domains: vec!["acme.example".to_owned()],
            ..brand("acme", BrandKind::Competitor)
        };
        let globex = Brand { key: BrandKey::configured("Globex"), ..brand("Globex", BrandKind::Other) };
        let detection = Detection::of(&roster, &[acme, brand("UMBRA", BrandKind::Competitor), globex]);
        let own = &detection.brands[0];
        assert_eq!(
            (own.kind, &*own.aliases, &*own.domains),
            (BrandKind::Own, &["ACME Corp".to_owned()][..], &["acme.example".to_owned()][..])
        );
        // Brands that nobody asked for are not looked for.
        let tracked: Vec<&str> = detection.brands().iter().map(|key| key.0.as_str()).collect();
        assert_eq!(tracked, ["acme", "umbra", "config:globex"]);
    }
}

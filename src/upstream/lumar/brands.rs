//! Whose brand is whose, and which of them are tracked.

use super::{contract::BRAND, ids};
use crate::{
    model::{Brand, BrandKey, BrandKind, ProjectRecord, host_of},
    upstream::{
        DriftKind, Rejected,
        fields::{DriftLog, Fields, Unreadable, clean},
    },
};
use serde_json::value::RawValue;

const MAX_NAME: usize = 200;
/// A brand may be merged into one that was merged itself, but not in a circle.
const MAX_MERGES: usize = 8;

/// A brand as the list gives it.
#[derive(Debug)]
struct Listed {
    id: String,
    raw_id: Option<String>,
    name: String,
    kind: BrandKind,
    is_primary: bool,
    domain: Option<String>,
    merged_into: Option<String>,
}

impl Listed {
    fn read(row: &RawValue, drift: &DriftLog) -> Result<Self, Unreadable> {
        let row = Fields::read(&BRAND, row, drift)?;
        let id = row.word("id")?;
        if !ids::is_id(&id) {
            return Err(Unreadable("`id` is not an id".to_owned()));
        }
        let kind = match row.opt_word("type").map(|kind| kind.to_lowercase()).as_deref() {
            Some("own") => BrandKind::Own,
            Some("competitor") => BrandKind::Competitor,
            Some("other") | None => BrandKind::Other,
            Some(_) => {
                drift.note(BRAND.record, "type", DriftKind::UnknownValue);
                BrandKind::Other
            }
        };
        let raw_id = row.opt_word("rawId").map(std::borrow::Cow::into_owned).or_else(|| ids::raw_id(&id));
        let domain = row.opt_word("domain").and_then(|domain| host_of(&domain));
        let name = row.opt_word("name").map(|name| clean(&name, MAX_NAME)).filter(|name| !name.is_empty());
        Ok(Self {
            name: name.or_else(|| domain.clone()).unwrap_or_else(|| id.clone().into_owned()),
            id: id.into_owned(),
            raw_id,
            kind,
            is_primary: row.opt_boolean("primary").unwrap_or(false),
            domain,
            merged_into: row.opt_word("mergedIntoAiVisibilityBrandRawId").map(std::borrow::Cow::into_owned),
        })
    }
}

/// The primary brand, as the project itself names it.
#[derive(Clone, Debug, Default)]
pub(super) struct Primary {
    pub(super) id: Option<String>,
    pub(super) raw_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) domain: Option<String>,
}

/// The brands of a project: its own first, then competitors, then others; merged variants are names of their targets.
pub(super) fn roster(rows: &[Box<RawValue>], primary: &Primary, drift: &DriftLog) -> (Vec<Brand>, Vec<Rejected>) {
    let (mut listed, mut rejected): (Vec<Listed>, _) = (vec![], vec![]);
    for row in rows {
        match Listed::read(row, drift) {
            Ok(brand) if listed.iter().any(|known| known.id == brand.id) => {}
            Ok(brand) => listed.push(brand),
            Err(unreadable) => rejected.push(unreadable.reject(row.get())),
        }
    }
    let is_primary = |brand: &Listed| {
        brand.is_primary
            || primary.id.as_ref() == Some(&brand.id)
            || (primary.raw_id.is_some() && primary.raw_id == brand.raw_id)
    };
    let (merged, standing): (Vec<Listed>, Vec<Listed>) =
        listed.into_iter().partition(|brand| brand.merged_into.is_some() && !is_primary(brand));
    let mut brands: Vec<(Option<String>, bool, Brand)> = standing
        .into_iter()
        .map(|brand| {
            let first = is_primary(&brand);
            let kind = if first { BrandKind::Own } else { brand.kind };
            let mut domains: Vec<String> = brand.domain.into_iter().collect();
            domains.extend(primary.domain.clone().filter(|domain| first && !domains.contains(domain)));
            let (key, name) = (BrandKey(brand.id), brand.name);
            (brand.raw_id, first, Brand { key, name, kind, domains, aliases: vec![], exact: vec![], excluded: vec![] })
        })
        .collect();
    if let Some(id) = primary.id.as_ref().filter(|_| brands.iter().all(|(_, first, _)| !first)) {
        let name = primary.name.clone().or_else(|| primary.domain.clone()).unwrap_or_else(|| id.clone());
        let (key, domains) = (BrandKey(id.clone()), primary.domain.iter().cloned().collect());
        brands.push((
            primary.raw_id.clone(),
            true,
            Brand { key, name, kind: BrandKind::Own, domains, aliases: vec![], exact: vec![], excluded: vec![] },
        ));
    }
    for variant in &merged {
        let mut target = variant.merged_into.as_ref();
        for _ in 0..MAX_MERGES {
            let next = merged.iter().find(|other| other.raw_id.is_some() && other.raw_id.as_ref() == target);
            target = match next {
                Some(next) => next.merged_into.as_ref(),
                None => break,
            };
        }
        // A target that is not listed leaves nobody to give the name to.
        if let Some((.., brand)) = brands.iter_mut().find(|(raw, ..)| raw.is_some() && raw.as_ref() == target) {
            if !is_called(brand, &variant.name) {
                brand.aliases.push(variant.name.clone());
            }
            brand.domains.extend(variant.domain.clone().filter(|domain| !brand.domains.contains(domain)));
        }
    }
    // Stable, so that brands of a kind stay in the order of their names.
    brands.sort_by_key(|(_, first, brand)| (brand.kind, !first));
    (brands.into_iter().map(|(.., brand)| brand).collect(), rejected)
}

/// The brands whose view of each run is read, the own one first: own, competitors, and those that the user lists.
pub(super) fn tracked<'a>(project: &'a ProjectRecord, listed: &[String]) -> Vec<&'a Brand> {
    let wanted = |brand: &Brand| {
        listed.iter().any(|wanted| {
            let wanted = wanted.trim();
            brand.key.0 == wanted
                || is_called(brand, wanted)
                || ids::raw_id(&brand.key.0).as_deref() == Some(wanted)
                || host_of(wanted).is_some_and(|host| brand.domains.contains(&host))
        })
    };
    project.brands.iter().filter(|brand| brand.kind != BrandKind::Other || wanted(brand)).collect()
}

/// The brand of this name.
pub(super) fn named<'a>(project: &'a ProjectRecord, name: &str) -> Option<&'a Brand> {
    project.brands.iter().find(|brand| is_called(brand, name.trim()))
}

fn is_called(brand: &Brand, name: &str) -> bool {
    let name = name.to_lowercase();
    brand.name.to_lowercase() == name || brand.aliases.iter().any(|alias| alias.to_lowercase() == name)
}

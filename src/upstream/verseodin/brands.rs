//! Whose brand is whose: read off the universe, the brand list, and what a row captured when it ran.

use super::contract::{BRAND_ROW, WEBSITE};
use crate::{
    model::{Brand, BrandKey, BrandKind, ProjectRecord, host_of, registrable_domain},
    upstream::{
        Rejected,
        fields::{DriftLog, Fields, clean},
    },
};
use serde_json::value::RawValue;

/// Where the universe's record may list its competitors: the key's name is not documented.
const COMPETITOR_LISTS: &[&str] =
    &["competitors", "competitor_websites", "competitor_urls", "competitor_domains", "competitor_list"];
const ADDRESSES: &[&str] = &["url", "domain", "website", "website_url", "site", "host", "link"];
const NAMES: &[&str] = &["brand_name", "name", "brand", "title", "label"];
const ALIASES: &[&str] = &["brand_tokens", "aliases", "tokens"];
const MAX_NAME: usize = 200;

/// A website as configured: any of it may be missing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Site {
    pub(super) host: Option<String>,
    pub(super) name: Option<String>,
    pub(super) aliases: Vec<String>,
}

impl Site {
    /// Reads a URL, a name, or an object that holds them.
    pub(super) fn read(value: &RawValue, drift: &DriftLog) -> Self {
        let text = value.get();
        if text.starts_with('{') {
            return Fields::read(&WEBSITE, value, drift).map(|fields| Self::of_object(&fields)).unwrap_or_default();
        }
        Self::of_text(&serde_json::from_str::<String>(text).unwrap_or_default())
    }

    fn of_text(text: &str) -> Self {
        match host_with_dot(text) {
            Some(host) => Self { host: Some(host), ..Self::default() },
            None => Self { name: name(text), ..Self::default() },
        }
    }

    fn of_object(fields: &Fields<'_, '_>) -> Self {
        let text = |names| fields.first_of(names).and_then(|name| fields.opt_word(name));
        Self {
            host: text(ADDRESSES).and_then(|address| host_of(&address)),
            name: text(NAMES).and_then(|text| name(&text)),
            aliases: aliases(fields),
        }
    }

    fn is_empty(&self) -> bool {
        self.host.is_none() && self.name.is_none()
    }
}

/// A bare word such as `Acme` has a host as well, in a URL's eyes; a domain has a dot.
fn host_with_dot(text: &str) -> Option<String> {
    if text.trim().contains(char::is_whitespace) {
        return None;
    }
    host_of(text).filter(|host| host.contains('.'))
}

fn name(text: &str) -> Option<String> {
    let name = clean(text.trim(), MAX_NAME);
    (!name.is_empty()).then_some(name)
}

fn aliases(fields: &Fields<'_, '_>) -> Vec<String> {
    let Some(list) = fields.first_of(ALIASES) else { return vec![] };
    let texts = fields.opt_texts(list).unwrap_or_default();
    // One text may hold them all: `Acme, Acme Tools`.
    texts.iter().flat_map(|text| text.split([',', '\n'])).filter_map(name).collect()
}

/// The websites of a list under the first of these names.
fn sites(fields: &Fields<'_, '_>, lists: &[&'static str], drift: &DriftLog) -> Vec<Site> {
    let Some(list) = fields.first_of(lists) else { return vec![] };
    let sites: Vec<Site> = if fields.get(list).is_some_and(|value| value.get().starts_with('"')) {
        // One text that holds them all.
        let texts = fields.opt_texts(list).unwrap_or_default();
        texts.iter().flat_map(|text| text.split([',', ';', '\n'])).map(Site::of_text).collect()
    } else {
        fields.opt_list(list).unwrap_or_default().into_iter().map(|item| Site::read(item, drift)).collect()
    };
    sites.into_iter().filter(|site| !site.is_empty()).collect()
}

/// A brand while it is put together.
struct Draft {
    brand: Brand,
    /// Its name was given as a brand's, not made from a domain or the universe's name.
    named: bool,
}

/// The brands of a universe: its own first, then the competitors in the order in which they are configured.
pub(super) struct Roster(Vec<Draft>);

impl Roster {
    /// Reads the universe's record; `listed` is what the list of universes says of its website.
    pub(super) fn of_universe(
        detail: &Fields<'_, '_>,
        universe_name: &str,
        listed: Option<&str>,
        drift: &DriftLog,
    ) -> Self {
        let mut own = detail.get("website").map(|value| Site::read(value, drift)).unwrap_or_default();
        own.host = own.host.or_else(|| listed.and_then(host_of));
        let given = detail.first_of(&["brand_name", "brand"]).and_then(|field| detail.opt_word(field));
        own.name = given.and_then(|text| name(&text)).or(own.name);
        own.aliases.extend(aliases(detail));
        let key = own.host.clone().unwrap_or_else(|| "own".to_owned());
        let mut roster = Self(vec![]);
        roster.add(own, BrandKind::Own, key, Some(universe_name));
        for site in sites(detail, COMPETITOR_LISTS, drift) {
            if let Some(key) = site.host.clone().or_else(|| site.name.as_ref().map(|name| name.to_lowercase())) {
                roster.add(site, BrandKind::Competitor, key, None);
            }
        }
        roster
    }

    fn add(&mut self, site: Site, kind: BrandKind, key: String, fallback: Option<&str>) {
        if self.0.iter().any(|draft| draft.brand.key.0 == key) {
            return;
        }
        let named = site.name.is_some();
        let fallback = || fallback.and_then(name).or_else(|| site.host.as_deref().map(label));
        let name = site.name.clone().or_else(fallback).unwrap_or_else(|| key.clone());
        let mut brand =
            Brand { key: BrandKey(key), name, kind, domains: vec![], aliases: vec![], exact: vec![], excluded: vec![] };
        brand.domains.extend(site.host);
        for alias in site.aliases {
            add_alias(&mut brand, alias);
        }
        self.0.push(Draft { brand, named });
    }

    /// Adds the rows of `GET /universes/{id}/brands`: the own brand and every competitor, by name.
    pub(super) fn add_listed(&mut self, rows: Vec<&RawValue>, drift: &DriftLog) -> Vec<Rejected> {
        let mut rejected = vec![];
        for row in rows {
            let listed = Fields::read(&BRAND_ROW, row, drift).and_then(|fields| fields.word("brand_name"));
            match listed.map(|text| name(&text)) {
                Ok(Some(name)) => self.add_name(name),
                Ok(None) => {}
                Err(unreadable) => rejected.push(unreadable.reject(row.get())),
            }
        }
        rejected
    }

    fn add_name(&mut self, name: String) {
        let host = host_with_dot(&name);
        let known = |draft: &&mut Draft| match &host {
            Some(host) => draft.brand.owns_host(host),
            None => {
                is_called(&draft.brand, &name) || draft.brand.domains.iter().any(|d| fold(&label(d)) == fold(&name))
            }
        };
        match self.0.iter_mut().find(known) {
            Some(_) if host.is_some() => {}
            Some(draft) if draft.named => add_alias(&mut draft.brand, name),
            Some(draft) => {
                draft.brand.aliases.retain(|alias| fold(alias) != fold(&name));
                draft.brand.name = name;
                draft.named = true;
            }
            None => {
                let site = Site { name: host.is_none().then(|| name.clone()), host: host.clone(), aliases: vec![] };
                let key = host.unwrap_or_else(|| name.to_lowercase());
                self.add(site, BrandKind::Competitor, key, None);
            }
        }
    }

    pub(super) fn into_brands(self) -> Vec<Brand> {
        self.0.into_iter().map(|draft| draft.brand).collect()
    }
}

fn add_alias(brand: &mut Brand, alias: String) {
    if !is_called(brand, &alias) {
        brand.aliases.push(alias);
    }
}

fn is_called(brand: &Brand, name: &str) -> bool {
    brand.name.to_lowercase() == name.to_lowercase()
        || brand.aliases.iter().any(|alias| alias.to_lowercase() == name.to_lowercase())
}

/// The name in a domain: `acme` of `shop.acme.co.uk`.
fn label(host: &str) -> String {
    // An address may have dots alone between two others.
    registrable_domain(host).split('.').find(|part| !part.is_empty()).unwrap_or(host).to_owned()
}

/// Letters and digits alone, lower case: `Acme Tools` and `acme-tools` are the same.
fn fold(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The competitors that were tracked when a row ran, each with its key in the project.
#[derive(Debug)]
pub(super) struct Rivals {
    tracked: Vec<(BrandKey, Option<String>)>,
}

impl Rivals {
    /// Those that the row lists itself.
    pub(super) fn captured(list: &[&RawValue], project: &ProjectRecord, drift: &DriftLog) -> Self {
        let mut tracked: Vec<(BrandKey, Option<String>)> = vec![];
        for site in list.iter().map(|item| Site::read(item, drift)).filter(|site| !site.is_empty()) {
            let key = key_in(project, &site);
            if let Some(key) = key.filter(|key| tracked.iter().all(|(known, _)| known != key)) {
                tracked.push((key, site.host));
            }
        }
        Self { tracked }
    }

    /// Those of the project, for rows that list none.
    pub(super) fn configured(project: &ProjectRecord) -> Self {
        let rivals = project.brands.iter().filter(|brand| brand.kind == BrandKind::Competitor);
        let with_domain = rivals.filter(|brand| !brand.domains.is_empty());
        Self { tracked: with_domain.map(|brand| (brand.key.clone(), None)).collect() }
    }

    /// Their keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &BrandKey> {
        self.tracked.iter().map(|(key, _)| key)
    }

    /// The competitor that owns this host: of several, the one with the longest domain.
    pub(super) fn owner<'a>(&'a self, project: &'a ProjectRecord, host: &str) -> Option<&'a BrandKey> {
        let captured = self.tracked.iter().filter_map(|(key, domain)| Some((domain.as_deref()?, key)));
        let configured = project
            .brands
            .iter()
            .filter(|brand| brand.kind != BrandKind::Own)
            .flat_map(|brand| brand.domains.iter().map(move |domain| (domain.as_str(), &brand.key)));
        captured
            .chain(configured)
            .filter(|(domain, _)| is_below(host, domain))
            .max_by_key(|(d, _)| d.len())
            .map(|(_, key)| key)
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The key that a site has in the project, or would have had; none for the own brand's.
fn key_in(project: &ProjectRecord, site: &Site) -> Option<BrandKey> {
    let by_host = |host: &str| project.brands.iter().find(|brand| brand.domains.iter().any(|domain| domain == host));
    let by_name = |name: &str| project.brands.iter().find(|brand| is_called(brand, name));
    let known = site.host.as_deref().and_then(by_host).or_else(|| site.name.as_deref().and_then(by_name));
    match known {
        Some(brand) => (brand.kind != BrandKind::Own).then(|| brand.key.clone()),
        None => site.host.clone().or_else(|| site.name.as_ref().map(|name| name.to_lowercase())).map(BrandKey),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(json: &str) -> Site {
        Site::read(serde_json::from_str(json).unwrap(), &DriftLog::default())
    }

    #[test]
    fn a_site_is_read_from_whatever_describes_it() {
        for (json, host, name) in [
            (r#""https://www.Globex.example/path""#, Some("globex.example"), None),
            (r#""globex.example""#, Some("globex.example"), None),
            (r#""Globex""#, None, Some("Globex")),
            (r#""Globex Corp.""#, None, Some("Globex Corp.")),
            (r#"{"url":"https://globex.example","location":"US"}"#, Some("globex.example"), None),
            (r#"{"domain":"globex.example","name":"Globex"}"#, Some("globex.example"), Some("Globex")),
            (r#"{"website":null,"brand_name":" Globex\u202e "}"#, None, Some("Globex")),
            (r#"{"url":{"href":"x"}}"#, None, None),
            ("null", None, None),
            ("7", None, None),
            (r#""""#, None, None),
        ] {
            let site = site(json);
            assert_eq!((site.host.as_deref(), site.name.as_deref()), (host, name), "{json}");
        }
        assert_eq!(site(r#"{"name":"A","brand_tokens":["a, b","c"]}"#).aliases, ["a", "b", "c"]);
    }

    #[test]
    fn a_brand_without_a_name_has_that_of_its_domain() {
        for (host, name) in [("shop.acme.co.uk", "acme"), ("acme..example", "example"), ("a...exampl,e", "exampl,e")] {
            assert_eq!(label(host), name, "{host}");
        }
    }

    #[test]
    fn the_longest_domain_owns_a_host() {
        let brand = |key: &str, kind| Brand {
            key: BrandKey(key.into()),
            name: key.into(),
            kind,
            domains: vec![key.into()],
            aliases: vec![],
            exact: vec![],
            excluded: vec![],
        };
        let brands = vec![
            brand("acme.example", BrandKind::Own),
            brand("globex.example", BrandKind::Competitor),
            brand("cloud.globex.example", BrandKind::Competitor),
        ];
        let (key, name, raw) = (String::new(), String::new(), String::new());
        let project = ProjectRecord { key, account: None, name, website: None, brands, latest_day: None, raw };
        let listed: Vec<&RawValue> = serde_json::from_str(r#"["hooli.example", "www.acme.example"]"#).unwrap();
        let rivals = Rivals::captured(&listed, &project, &DriftLog::default());
        assert_eq!(rivals.keys().map(|key| key.0.as_str()).collect::<Vec<_>>(), ["hooli.example"]);
        for (host, owner) in [
            ("globex.example", Some("globex.example")),
            ("blog.globex.example", Some("globex.example")),
            ("a.cloud.globex.example", Some("cloud.globex.example")),
            ("hooli.example", Some("hooli.example")),
            ("notglobex.example", None),
            ("acme.example", None),
        ] {
            assert_eq!(rivals.owner(&project, host).map(|key| key.0.as_str()), owner, "{host}");
        }
    }
}

//! Cited domains: named by people, and owned by brands.

use crate::{
    mcp::{ToolError, params::DomainName},
    model::{Brand, BrandKey, BrandKind, host_of, registrable_domain},
    store::Reader,
};

/// The registrable domain of a domain, host or URL; one that nothing in the cache cites is a slip of the pen.
pub(crate) fn domain_named(reader: &Reader, name: &DomainName) -> Result<String, ToolError> {
    let host = host_of(name.as_str()).filter(|host| host.contains('.') || host.starts_with('['));
    let Some(host) = host else {
        return Err(ToolError::invalid("domain is no host and no URL", "give one such as example.com"));
    };
    let domain = registrable_domain(&host).to_owned();
    if reader.knows_domain(&domain)? {
        return Ok(domain);
    }
    let known = reader.some_domains(2_000)?;
    let next = "no answer in the cache cites it; call top_citations to see cited domains";
    Err(ToolError::not_found("domain", &domain, known.iter().map(String::as_str), next))
}

/// The first of these brands that a registrable domain belongs to.
pub(crate) fn owner_of<'b>(brands: &'b [Brand], domain: &str) -> Option<&'b Brand> {
    let owns = |brand: &&Brand| brand.domains.iter().any(|host| registrable_domain(host) == domain);
    brands.iter().find(owns)
}

/// Whose a brand is, seen from the one asked about: its own, a rival's, or neither.
pub(crate) fn kind_beside(brand: &Brand, asked: &Brand) -> BrandKind {
    let same = brand.key == asked.key || brand.kind == BrandKind::Own && asked.kind == BrandKind::Own;
    match brand.kind {
        _ if same => BrandKind::Own,
        BrandKind::Other => BrandKind::Other,
        _ => BrandKind::Competitor,
    }
}

/// Every registrable domain of a brand that is of this kind beside the one asked about.
pub(crate) fn domains_of_kind(brands: &[Brand], asked: &BrandKey, kind: BrandKind) -> Vec<String> {
    let Some(asked) = brands.iter().find(|brand| brand.key == *asked) else { return Vec::new() };
    let mut domains: Vec<String> = brands
        .iter()
        .flat_map(|brand| &brand.domains)
        .map(|host| registrable_domain(host).to_owned())
        // A domain of several brands is the first one's, as in `owner_of`.
        .filter(|domain| owner_of(brands, domain).is_some_and(|owner| kind_beside(owner, asked) == kind))
        .collect();
    domains.sort();
    domains.dedup();
    domains
}

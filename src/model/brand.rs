//! Brands: a name with aliases and domains, and whose it is.

use serde::{Deserialize, Serialize};
use url::Url;

/// A brand's key inside its project: the upstream's id, or for upstreams without one a stable text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BrandKey(pub String);

/// Whose brand it is, seen from the project.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum BrandKind {
    /// The project's own brand.
    Own,
    /// A rival that the project tracks.
    Competitor,
    /// Any other brand that turned up.
    Other,
}

impl BrandKind {
    /// The kind's name in answers and the cache.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Competitor => "competitor",
            Self::Other => "other",
        }
    }
}

/// A brand of a project.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Brand {
    /// Its key inside the project.
    pub key: BrandKey,
    /// The name people know it by.
    pub name: String,
    /// Whose it is.
    pub kind: BrandKind,
    /// Hosts that are its own, themselves and everything below them; lower case, without `www.`.
    pub domains: Vec<String>,
    /// Other spellings of its name.
    pub aliases: Vec<String>,
    /// Those of its spellings that count only in exactly this letter case, such as `Gap`.
    pub exact: Vec<String>,
    /// Phrases that hold a spelling and mean something else, such as `apple pie`.
    pub excluded: Vec<String>,
}

impl BrandKey {
    const CONFIGURED: &str = "config:";

    /// The key of a brand that the configuration names and the upstream does not have.
    #[must_use]
    pub fn configured(name: &str) -> Self {
        Self(format!("{}{}", Self::CONFIGURED, name.trim().to_lowercase()))
    }
}

impl Brand {
    /// Is it looked for in answers? Other brands that an upstream met are not: there is no end to them. Those that the
    /// configuration names are.
    #[must_use]
    pub fn is_tracked(&self) -> bool {
        self.kind != BrandKind::Other || self.key.0.starts_with(BrandKey::CONFIGURED)
    }

    /// Is this host one of the brand's domains, or below one?
    #[must_use]
    pub fn owns_host(&self, host: &str) -> bool {
        self.domains
            .iter()
            .any(|domain| host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    }
}

/// The host of a URL or of a bare `example.com/path`, lower case and without `www.`; none where there is no host.
#[must_use]
pub fn host_of(url: &str) -> Option<String> {
    let url = url.trim();
    let parsed = match Url::parse(url) {
        // `example.com:8080` parses as a URL of scheme `example.com`; no real scheme has a dot.
        Ok(parsed) if !parsed.scheme().contains('.') => parsed,
        _ => Url::parse(&format!("https://{url}")).ok()?,
    };
    let host = parsed.host_str()?.trim_end_matches('.');
    let host = host.strip_prefix("www.").unwrap_or(host);
    (!host.is_empty()).then(|| host.to_owned())
}

/// The domain that one registers (`example.co.uk` of `blog.example.co.uk`), by the public suffix list; an address
/// or a name that is itself a public suffix is returned whole.
#[must_use]
pub fn registrable_domain(host: &str) -> &str {
    if host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[') {
        return host;
    }
    psl::domain_str(host).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_off_urls_as_people_write_them() {
        let cases = [
            ("https://www.Example.com/a?b#c", Some("example.com")),
            ("example.com", Some("example.com")),
            ("blog.example.co.uk/post", Some("blog.example.co.uk")),
            ("http://user:pass@example.com:8080/", Some("example.com")),
            ("https://münchen.example/", Some("xn--mnchen-3ya.example")),
            ("example.com:8080/x", Some("example.com")),
            ("mailto:a@example.com", None),
            ("", None),
            ("not a url", None),
        ];
        for (url, host) in cases {
            assert_eq!(host_of(url).as_deref(), host, "{url}");
        }
    }

    #[test]
    fn a_domain_owns_itself_and_what_is_below_it_only() {
        let brand = Brand {
            key: BrandKey("a".into()),
            name: "Acme".into(),
            kind: BrandKind::Own,
            domains: vec!["acme.com".into()],
            aliases: vec![],
            exact: vec![],
            excluded: vec![],
        };
        assert!(brand.owns_host("acme.com") && brand.owns_host("shop.acme.com"));
        assert!(!brand.owns_host("notacme.com") && !brand.owns_host("acme.com.evil.example"));
    }

    #[test]
    fn registrable_domains_follow_the_public_suffix_list() {
        for (host, domain) in [
            ("blog.example.co.uk", "example.co.uk"),
            ("a.b.example.com", "example.com"),
            ("127.0.0.1", "127.0.0.1"),
            ("localhost", "localhost"),
            ("co.uk", "co.uk"),
        ] {
            assert_eq!(registrable_domain(host), domain);
        }
    }
}

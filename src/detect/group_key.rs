//! One key for the spellings of a URL that lead to the same page.

/// Query parameters that say where a visitor came from, and nothing about the page; besides all that begin with `utm_`.
const TRACKING: &[&str] = &[
    "_ga",
    "_gl",
    "_gsid",
    "_hsenc",
    "_hsmi",
    "dclid",
    "fbclid",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "igsh",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "ref_src",
    "ref_url",
    "srsltid",
    "ttclid",
    "twclid",
    "wbraid",
    "yclid",
];

/// The URL for comparing with others: scheme and host in lower case, without tracking parameters, text fragment
/// (`#:~:text=...`) and the path's last slash. It is not meant for visiting.
#[must_use]
pub fn group_key(url: &str) -> String {
    // Assistants leave entities of HTML undecoded.
    let url = url.trim().replace("&amp;", "&");
    let (url, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut key = format!("{}://{}{}", scheme.to_lowercase(), host.to_lowercase(), path.trim_end_matches('/'));
    let kept = query.split('&').filter(|parameter| !parameter.is_empty() && !is_tracking(parameter));
    for (sign, parameter) in std::iter::once('?').chain(std::iter::repeat('&')).zip(kept) {
        key.push(sign);
        key.push_str(parameter);
    }
    let fragment = fragment.split(":~:").next().unwrap_or_default();
    if !fragment.is_empty() {
        key.push('#');
        key.push_str(fragment);
    }
    key
}

fn is_tracking(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
    name.starts_with("utm_") || TRACKING.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_page_have_one_key() {
        for (url, key) in [
            ("https://a.example/x?utm_source=chatgpt.com", "https://a.example/x"),
            ("HTTPS://A.Example/X/", "https://a.example/X"),
            ("https://a.example/?id=3&utm_medium=x&gclid=1&b=2", "https://a.example?id=3&b=2"),
            ("https://a.example/x?a=1&amp;UTM_id=2", "https://a.example/x?a=1"),
            ("https://a.example/x#:~:text=Acme%20is,good.", "https://a.example/x"),
            ("https://a.example/x#part:~:text=Acme", "https://a.example/x#part"),
            ("https://a.example/x#part", "https://a.example/x#part"),
            ("www.a.example/", "https://www.a.example"),
            ("", "https://"),
        ] {
            assert_eq!(group_key(url), key, "{url}");
        }
    }
}

//! Links: which pages an answer cites, in the order in which a reader meets them.

use super::{
    address::{Kind, addresses},
    group_key::group_key,
    prose::Page,
};
use crate::model::host_of;
use std::{collections::HashSet, ops::Range};

/// Longer URLs are dropped.
const URL_BYTES: usize = 4_096;

/// A page that a text cites.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The URL as given, with its tracking parameters.
    pub url: String,
    /// Where the reader meets it first: the byte offset of the link, or of the mark that leads to its footnote.
    pub start: usize,
}

/// The links of a text in order of first appearance, each page once.
#[must_use]
pub fn links(text: &str) -> Vec<Link> {
    let page = Page::read(text);
    let mut found = bare(&page);
    found.extend(page.links);
    found.extend(page.unused);
    // What stands in a footnote is met where the footnote's mark stands, in the footnote's own order.
    let mut found: Vec<(usize, usize, String)> =
        found.into_iter().map(|(at, url)| (met_at(&page.notes, at), at, url)).collect();
    found.sort();
    let mut seen = HashSet::new();
    let is_new = |(start, _, url): (usize, usize, String)| {
        (is_page(&url) && seen.insert(group_key(&url))).then_some(Link { url, start })
    };
    found.into_iter().filter_map(is_new).collect()
}

/// The URLs that a text cites, then those that stand beside it and are not among them.
#[must_use]
pub fn cited_urls(text: &str, beside: &[String]) -> Vec<String> {
    let mut urls: Vec<String> = links(text).into_iter().map(|link| link.url).collect();
    let mut seen: HashSet<String> = urls.iter().map(|url| group_key(url)).collect();
    urls.extend(beside.iter().filter(|url| is_page(url) && seen.insert(group_key(url))).cloned());
    urls
}

/// URLs that are written out, but not those that are the text of a link.
fn bare(page: &Page) -> Vec<(usize, String)> {
    let urls = addresses(&page.words.text).into_iter().filter(|address| address.kind == Kind::Url);
    urls.filter_map(|address| {
        let url = page.words.text.get(address.at.clone())?;
        let at = page.words.origin(address.at.clone()).start;
        holding(&page.linked, at).is_none().then(|| (at, url.to_owned()))
    })
    .collect()
}

/// Where a reader meets what stands at this place.
fn met_at(notes: &[(Range<usize>, usize)], at: usize) -> usize {
    let next = notes.partition_point(|(note, _)| note.start <= at);
    let note = next.checked_sub(1).and_then(|last| notes.get(last));
    note.filter(|(note, _)| note.contains(&at)).map_or(at, |(_, mark)| *mark)
}

/// The range that holds this place, of ranges that are in order and do not overlap.
fn holding(ranges: &[Range<usize>], at: usize) -> Option<&Range<usize>> {
    let next = ranges.partition_point(|range| range.start <= at);
    ranges.get(next.checked_sub(1)?).filter(|range| range.contains(&at))
}

/// Is this the URL of a page on the web?
fn is_page(url: &str) -> bool {
    // The scheme must be followed by a host: `https://` alone would read as a host called `https`.
    let after = |scheme: &str| {
        let (start, rest) = url.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let rest = ["https://", "http://", "www."].into_iter().find_map(after);
    rest.is_some_and(|rest| rest.starts_with(char::is_alphanumeric)) && url.len() <= URL_BYTES && host_of(url).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str) -> Vec<String> {
        links(text).into_iter().map(|link| link.url).collect()
    }

    #[test]
    fn links_come_in_the_order_in_which_they_are_met() {
        let text = "Acme[^2] and Bolt[^1], see https://3.example/x.\n\n[^1]: https://1.example\n\
                    [^2]: Acme's site, https://2.example and [more](https://4.example)\n";
        let expected = ["https://2.example", "https://4.example", "https://1.example", "https://3.example/x"];
        assert_eq!(urls(text), expected);
        assert_eq!(links(text)[0].start, 4);
    }

    #[test]
    fn reference_links_are_met_where_they_are_used() {
        let text = "[1]: https://1.example\n\nBolt ([b][2]) and Acme [1].\n\n[2]: <https://2.example> \"Bolt\"\n[3]: https://3.example\n";
        assert_eq!(urls(text), ["https://2.example", "https://1.example", "https://3.example"]);
    }

    #[test]
    fn a_page_is_cited_once_and_kept_as_first_written() {
        let text = "[a](https://a.example/x?utm_source=chatgpt.com) then https://a.example/x/ and \
                    [https://a.example/y](https://a.example/z)";
        assert_eq!(urls(text), ["https://a.example/x?utm_source=chatgpt.com", "https://a.example/z"]);
        let beside =
            ["https://a.example/z#:~:text=b".to_owned(), "https://b.example".to_owned(), "mailto:a@b".to_owned()];
        assert_eq!(cited_urls("https://a.example/z", &beside), ["https://a.example/z", "https://b.example"]);
    }

    #[test]
    fn only_pages_of_the_web_are_cited() {
        let long = format!("https://a.example/{}", "x".repeat(URL_BYTES));
        for text in [
            "[a](mailto:a@b.example) [b](javascript:alert(1)) [c](data:text/plain,x) [d](/x) [e]() [f](#g)",
            "![i](https://a.example/i.png) acme.com ftp://a.example https:// http://?",
            "```\nhttps://a.example\n```",
            &long,
        ] {
            assert_eq!(urls(text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn bare_urls_are_found_in_tables_and_lists() {
        let text = "1. Acme – https://1.example/a_b_c\n2. Bolt (www.2.example)\n\n| a | b |\n|--|--|\n| x | https://3.example |\n";
        assert_eq!(urls(text), ["https://1.example/a_b_c", "www.2.example", "https://3.example"]);
    }
}

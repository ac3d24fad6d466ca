//! HTML inside Markdown: which of it a reader sees, and where its links lead.

use memchr::{memchr, memmem};
use std::ops::Range;

/// A piece of HTML.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// What a reader sees.
    Text(Range<usize>),
    /// A tag, from `<` to `>`.
    Tag(Range<usize>),
}

/// The pieces of some HTML in their order; comments, scripts and styles are left out. A tag ends at the first `>`.
pub(super) fn pieces(html: &str) -> Vec<Piece> {
    let bytes = html.as_bytes();
    let find = |what: u8, from: usize| bytes.get(from..).and_then(|rest| memchr(what, rest)).map(|at| from + at);
    let (mut pieces, mut text, mut at) = (Vec::new(), 0, 0);
    while let Some(open) = find(b'<', at) {
        if !bytes.get(open + 1).is_some_and(|next| next.is_ascii_alphabetic() || b"/!?".contains(next)) {
            at = open + 1;
            continue;
        }
        if text < open {
            pieces.push(Piece::Text(text..open));
        }
        let close = if starts_with(bytes, open, b"<!--") {
            behind(bytes, open, b"-->")
        } else {
            let close = find(b'>', open).map_or(bytes.len(), |at| at + 1);
            pieces.push(Piece::Tag(open..close));
            unseen(bytes, open).map_or(close, |end| behind(bytes, close, end))
        };
        (text, at) = (close, close);
    }
    if text < bytes.len() {
        pieces.push(Piece::Text(text..bytes.len()));
    }
    pieces
}

/// What ends an element that readers do not see the inside of.
fn unseen(bytes: &[u8], open: usize) -> Option<&'static [u8]> {
    if starts_with(bytes, open, b"<script") {
        Some(b"</script>")
    } else if starts_with(bytes, open, b"<style") {
        Some(b"</style>")
    } else {
        None
    }
}

fn starts_with(bytes: &[u8], at: usize, word: &[u8]) -> bool {
    bytes.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word))
}

/// Where what ends with these bytes ends, or all of it.
fn behind(bytes: &[u8], from: usize, end: &[u8]) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    memmem::find(rest, end).map_or(bytes.len(), |at| from + at + end.len())
}

/// Where an `<a href="...">` leads.
pub(super) fn href(tag: &str) -> Option<String> {
    let attributes = tag.strip_prefix("<a").or_else(|| tag.strip_prefix("<A"))?;
    if !attributes.starts_with(|c: char| c.is_ascii_whitespace()) {
        return None;
    }
    let attributes = attributes.trim_end_matches('>');
    let named =
        |at: &usize| attributes.get(..*at).is_some_and(|before| before.ends_with(|c: char| c.is_ascii_whitespace()));
    let lower = attributes.to_ascii_lowercase();
    let at = lower.match_indices("href").map(|(at, _)| at).find(named)?;
    let value = attributes.get(at + 4..)?.trim_start().strip_prefix('=')?.trim_start();
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next()?,
        _ => value.split(|c: char| c.is_ascii_whitespace()).next()?,
    };
    Some(value.trim().replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_what_is_between_tags() {
        let html = "<p title='Acme'>One <!-- two > --> 3 < 4<br/><script>let x = '<b>';</script>five<style>a{}";
        let seen: Vec<&str> = pieces(html)
            .into_iter()
            .filter_map(|piece| if let Piece::Text(range) = piece { html.get(range) } else { None })
            .collect();
        assert_eq!(seen, ["One ", " 3 < 4", "five"]);
    }

    #[test]
    fn links_lead_to_their_href() {
        for (tag, href_of) in [
            ("<a href=\"https://acme.example/?a=1&amp;b=2\" title='x'>", Some("https://acme.example/?a=1&b=2")),
            ("<a class=x href='https://acme.example'>", Some("https://acme.example")),
            ("<A HREF = https://acme.example target=_blank>", Some("https://acme.example")),
            ("<a data-href=\"https://no.example\">", None),
            ("<abbr href=\"https://no.example\">", None),
            ("<a>", None),
        ] {
            assert_eq!(href(tag).as_deref(), href_of, "{tag}");
        }
    }
}

//! Addresses in words: URLs, e-mail addresses, bare domains and handles, which name no brand though they hold its name.

use super::boundary::is_spaced_letter;
use memchr::memchr3_iter;
use std::ops::Range;

/// What kind of address it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// With a scheme, with `www.`, or a domain with a path.
    Url,
    /// `name@host`
    Email,
    /// `acme.com` and nothing after it.
    Domain,
    /// `@acme`
    Handle,
}

/// An address and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Address {
    pub(super) kind: Kind,
    pub(super) at: Range<usize>,
}

/// The addresses in some words in their order; they do not overlap.
pub(super) fn addresses(words: &str) -> Vec<Address> {
    let mut scan = Scan { words, free: 0 };
    let mut found = Vec::new();
    let mut from = 0;
    for at in memchr3_iter(b'.', b'@', b':', words.as_bytes()) {
        if at < from {
            continue;
        }
        match scan.address(at) {
            Ok(address) => {
                (from, scan.free) = (address.at.end, address.at.end);
                found.push(address);
            }
            Err(read_to) => from = read_to,
        }
    }
    found
}

struct Scan<'w> {
    words: &'w str,
    /// Where the last address ended: the next one cannot begin before.
    free: usize,
}

impl Scan<'_> {
    /// The address around this `.`, `@` or `:`, or how far one need not look again.
    fn address(&mut self, at: usize) -> Result<Address, usize> {
        match self.words.as_bytes().get(at) {
            Some(b':') => self.with_scheme(at),
            Some(b'@') => {
                let start = self.back(at, is_local);
                self.email_or_handle(start, at)
            }
            _ => self.domain(at),
        }
    }

    fn with_scheme(&self, colon: usize) -> Result<Address, usize> {
        let rest = self.after(colon);
        if !rest.starts_with("://") {
            return Err(colon + 1);
        }
        // No scheme in use is longer, and a word may be glued to it.
        let before = self.words.get(self.free..colon).unwrap_or_default();
        let letters = before.bytes().rev().take(12).take_while(u8::is_ascii_alphabetic).count();
        let scheme = before.get(before.len() - letters..).unwrap_or_default().to_ascii_lowercase();
        let length = ["https", "http"].into_iter().find(|known| scheme.ends_with(known)).map_or(letters, str::len);
        if length == 0 {
            return Err(colon + 3);
        }
        Ok(Address { kind: Kind::Url, at: colon - length..self.url_end(colon + 3) })
    }

    fn domain(&self, dot: usize) -> Result<Address, usize> {
        let start = self.back(dot, is_host);
        let end = dot + length(self.after(dot), is_host_or_dot);
        let host = self.words.get(start..end).unwrap_or_default().trim_end_matches(['.', '-']);
        let end = start + host.len();
        if self.after(end).starts_with('@') {
            return self.email_or_handle(self.back(dot, is_local), end);
        }
        let is_www = host.get(..4).is_some_and(|www| www.eq_ignore_ascii_case("www.")) && host.len() > 4;
        if !is_www && !is_domain(host) {
            return Err((dot + 1).max(end));
        }
        let port = self.after(end).strip_prefix(':').map_or(0, |rest| length(rest, |c| c.is_ascii_digit()));
        let port = if port > 0 { port + 1 } else { 0 };
        let path = self.after(end + port).starts_with(['/', '?', '#']);
        let kind = if is_www || path || port > 0 { Kind::Url } else { Kind::Domain };
        let end = if is_www || path { self.url_end(end + port) } else { end + port };
        Ok(Address { kind, at: start..end })
    }

    fn email_or_handle(&self, start: usize, at: usize) -> Result<Address, usize> {
        let rest = self.after(at + 1);
        let name = rest.get(..length(rest, is_handle)).unwrap_or_default().trim_end_matches(['.', '-']);
        if name.is_empty() {
            return Err(at + 1);
        }
        let end = at + 1 + name.len();
        if start == at {
            return Ok(Address { kind: Kind::Handle, at: start..end });
        }
        // A repository as git writes it, `git@host:path`.
        let path = self
            .after(end)
            .strip_prefix(':')
            .map_or("", |rest| trimmed(rest.get(..length(rest, is_url)).unwrap_or("")));
        let end = if path.is_empty() { end } else { end + 1 + path.len() };
        Ok(Address { kind: Kind::Email, at: start..end })
    }

    fn after(&self, at: usize) -> &str {
        self.words.get(at..).unwrap_or_default()
    }

    /// Where the run of such characters that ends at `at` begins.
    fn back(&self, at: usize, part: fn(char) -> bool) -> usize {
        let before = self.words.get(self.free..at).unwrap_or_default();
        at - before.chars().rev().take_while(|c| part(*c)).map(char::len_utf8).sum::<usize>()
    }

    /// Where the URL whose host begins at `host`, or whose rest does, ends.
    fn url_end(&self, host: usize) -> usize {
        let rest = self.after(host);
        let name = length(rest, |c| is_host_or_dot(c) || "@:%_".contains(c));
        let after = rest.get(name..).unwrap_or_default();
        let path = if after.starts_with(['/', '?', '#']) { length(after, is_url) } else { 0 };
        host + trimmed(rest.get(..name + path).unwrap_or_default()).len()
    }
}

/// How long the run of such characters is that a text begins with.
fn length(text: &str, part: impl Fn(char) -> bool) -> usize {
    text.find(|c| !part(c)).unwrap_or(text.len())
}

fn is_host(c: char) -> bool {
    c == '-' || is_spaced_letter(c)
}

fn is_host_or_dot(c: char) -> bool {
    c == '.' || is_host(c)
}

fn is_local(c: char) -> bool {
    is_host_or_dot(c) || "_+%".contains(c)
}

fn is_handle(c: char) -> bool {
    is_host_or_dot(c) || c == '_'
}

/// May this stand in the path of a URL as people write it, that is, also unescaped?
fn is_url(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !"<>\"`|\\^[]“”„«»「」『』（）【】、。，！？；：《》".contains(c)
}

/// A URL without the punctuation of the sentence around it.
fn trimmed(url: &str) -> &str {
    let count = |what: char| url.matches(what).count();
    let (mut round, mut curly) = ((count('('), count(')')), (count('{'), count('}')));
    let mut url = url;
    let mut loose = (0, usize::MAX);
    while let Some(last) = url.chars().next_back() {
        let pair = match last {
            ')' => &mut round,
            '}' => &mut curly,
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '(' | '{' | '’' | '‘' | '…' => {
                &mut loose
            }
            _ => break,
        };
        if pair.1 <= pair.0 {
            break;
        }
        pair.1 -= 1;
        url = url.get(..url.len() - last.len_utf8()).unwrap_or_default();
    }
    url
}

/// Is this a host name under a top-level domain that exists? Not where a capital shows that a sentence begins after
/// the point: in `by Acme.Live prices`, a space was lost.
fn is_domain(host: &str) -> bool {
    let Some((rest, top)) = host.rsplit_once('.') else { return false };
    let begins_sentence = top.starts_with(char::is_uppercase) && top.contains(char::is_lowercase);
    let known = || psl::suffix(top.to_lowercase().as_bytes()).is_some_and(|suffix| suffix.is_known());
    !begins_sentence && rest.split('.').all(|label| !label.is_empty()) && known()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &str) -> Vec<(Kind, &str)> {
        addresses(words).into_iter().map(|address| (address.kind, &words[address.at])).collect()
    }

    #[test]
    fn addresses_are_told_from_words() {
        use Kind::{Domain, Email, Handle, Url};
        for (words, expected) in [
            ("see https://a.example/x_(y)?q=1#z.", vec![(Url, "https://a.example/x_(y)?q=1#z")]),
            ("(https://a.example/x), next", vec![(Url, "https://a.example/x")]),
            ("more.https://a.example", vec![(Url, "https://a.example")]),
            ("Sourcehttps://a.example", vec![(Url, "https://a.example")]),
            ("www.acme.com!", vec![(Url, "www.acme.com")]),
            ("acme.com and docs.acme.com/x.", vec![(Domain, "acme.com"), (Url, "docs.acme.com/x")]),
            ("acme.com's, acme.com:8080", vec![(Domain, "acme.com"), (Url, "acme.com:8080")]),
            ("j.doe+x@acme.co.uk, @acme", vec![(Email, "j.doe+x@acme.co.uk"), (Handle, "@acme")]),
            ("git@acme.com:acme/x.git: go", vec![(Email, "git@acme.com:acme/x.git")]),
            ("访问acme.com了解", vec![(Domain, "acme.com")]),
            ("详见https://acme.com/docs。", vec![(Url, "https://acme.com/docs")]),
            ("пример.рф", vec![(Domain, "пример.рф")]),
            ("ftp://acme.com", vec![(Url, "ftp://acme.com")]),
            ("https://a.example[1]", vec![(Url, "https://a.example")]),
        ] {
            assert_eq!(found(words), expected, "{words}");
        }
        for words in
            ["e.g. Acme", "3.5 v1.2.3", "Capital One.Discover it", "Acme.Live prices", "Node.js", "a :// b", "U.S."]
        {
            assert_eq!(found(words), [], "{words}");
        }
    }
}

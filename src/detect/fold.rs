//! Letters as they are compared: one letter case, one apostrophe, one hyphen, one space, nothing invisible.
//!
//! ASCII letters keep their case, since the search does not look at it; so most text needs no copy at all.

use super::{boundary::is_mark, offsets::Offsets};
use icu_normalizer::properties::CanonicalComposition;
use memchr::{memchr, memmem};
use std::{borrow::Cow, ops::Range};

/// What happens to letter case beyond ASCII.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Case {
    Fold,
    Keep,
}

/// A text made ready for comparing.
#[derive(Clone, Debug)]
pub(super) struct Folded<'t> {
    pub(super) text: Cow<'t, str>,
    offsets: Offsets,
}

impl<'t> Folded<'t> {
    pub(super) fn of(text: &'t str, case: Case) -> Self {
        let bytes = text.as_bytes();
        if text.is_ascii() && memchr(b'\t', bytes).is_none() && memmem::find(bytes, b"  ").is_none() {
            return Self { text: Cow::Borrowed(text), offsets: Offsets::same(text.len()) };
        }
        let mut fold = Fold { text, out: String::with_capacity(text.len()), offsets: Offsets::default(), case };
        fold.run();
        Self { text: Cow::Owned(fold.out), offsets: fold.offsets }
    }

    /// Where a range of the folded text stands in the text as given.
    pub(super) fn origin(&self, range: Range<usize>) -> Range<usize> {
        self.offsets.start(range.start)..self.offsets.end(range.end)
    }
}

/// A spelling as it is searched for: folded and without ASCII capitals.
pub(super) fn key(spelling: &str) -> String {
    Folded::of(spelling.trim(), Case::Fold).text.trim().to_ascii_lowercase()
}

/// A spelling of which only the letter case counts besides its letters.
pub(super) fn exact(spelling: &str) -> String {
    Folded::of(spelling.trim(), Case::Keep).text.trim().to_owned()
}

/// What a character becomes.
enum Becomes {
    Itself,
    Other(char),
    Space,
    Nothing,
}

struct Fold<'t> {
    text: &'t str,
    out: String,
    offsets: Offsets,
    case: Case,
}

impl Fold<'_> {
    fn run(&mut self) {
        // What was read but not yet copied begins here.
        let mut waiting = 0;
        let mut at = 0;
        let mut after_space = false;
        while let Some(byte) = self.text.as_bytes().get(at) {
            let space = *byte == b' ';
            if byte.is_ascii() && *byte != b'\t' && !(space && after_space) {
                after_space = space;
                at += 1;
                continue;
            }
            self.copy(waiting..at);
            let Some(c) = self.text.get(at..).and_then(|rest| rest.chars().next()) else { break };
            let range = at..at + c.len_utf8();
            (at, waiting) = (range.end, range.end);
            match becomes(c, self.case) {
                Becomes::Space if after_space => continue,
                Becomes::Nothing => continue,
                Becomes::Space => self.push(' ', range),
                Becomes::Other(other) => self.push(other, range),
                Becomes::Itself if self.compose(c, &range) => {}
                Becomes::Itself => self.copy(range),
            }
            after_space = self.out.ends_with(' ');
        }
        self.copy(waiting..self.text.len());
    }

    fn copy(&mut self, range: Range<usize>) {
        if let Some(part) = self.text.get(range.clone()) {
            self.out.push_str(part);
            self.offsets.copied(part.len(), range.start);
        }
    }

    fn push(&mut self, c: char, origin: Range<usize>) {
        self.out.push(c);
        self.offsets.made(c.len_utf8(), origin);
    }

    /// Joins an accent to the letter before it where both make one character.
    fn compose(&mut self, accent: char, range: &Range<usize>) -> bool {
        if !is_mark(accent) {
            return false;
        }
        let Some(letter) = self.out.chars().next_back() else { return false };
        let Some(whole) = CanonicalComposition::new().compose(letter, accent) else { return false };
        self.out.pop();
        let origin = self.offsets.take_back(letter.len_utf8());
        let whole = if self.case == Case::Fold { lower(whole).unwrap_or(whole) } else { whole };
        self.push(whole, origin.start..range.end);
        true
    }
}

fn becomes(c: char, case: Case) -> Becomes {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{02BC}' => Becomes::Other('\''),
        '\u{2010}' | '\u{2011}' | '\u{2013}' => Becomes::Other('-'),
        ' ' | '\t' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => {
            Becomes::Space
        }
        // Soft hyphen, zero width, direction marks, joiners, variation selectors, the byte order mark.
        '\u{AD}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206F}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' => Becomes::Nothing,
        // The wide forms of ASCII that Chinese and Japanese texts use.
        '\u{FF01}'..='\u{FF5E}' => {
            u8::try_from(u32::from(c) - 0xFEE0).map_or(Becomes::Itself, |ascii| Becomes::Other(char::from(ascii)))
        }
        _ if case == Case::Fold => lower(c).map_or(Becomes::Itself, Becomes::Other),
        _ => Becomes::Itself,
    }
}

/// The small letter, where there is another one. Each character becomes one character.
fn lower(c: char) -> Option<char> {
    match c {
        // Capitals do not tell the Turkish letters with and without a dot apart.
        'İ' | 'ı' => Some('i'),
        'ς' => Some('σ'),
        _ => c.to_lowercase().next().filter(|small| *small != c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_to_a_reader_is_equal() {
        for (one, other) in [
            ("L’Oréal", "l'oréal"),
            ("L\u{2BC}ORE\u{301}AL", "l'oréal"),
            ("Coca‑Cola", "coca-cola"),
            ("Coca–Cola", "coca-cola"),
            ("Red\u{A0}Bull", "red bull"),
            ("Red \u{202F}  Bull", "red bull"),
            ("Red\tBull", "red bull"),
            ("Ac\u{200B}me\u{AD}", "acme"),
            ("ＳＯＮＹ", "sony"),
            ("ЯНДЕКС", "яндекс"),
            ("İŞBANK", "işbank"),
            ("VAKIFBANK", "vakıfbank"),
            ("ΚΩΤΣΌΒΟΛΟΣ", "κωτσόβολος"),
            ("Vie\u{323}\u{302}t", "việt"),
        ] {
            assert_eq!(key(one), key(other), "{one}");
        }
        for (one, other) in [("Nestlé", "nestle"), ("groß", "gross"), ("a\nb", "a b")] {
            assert_ne!(key(one), key(other), "{one}");
        }
        assert_eq!(exact("Gap’s"), exact("Gap's"));
        assert_ne!(exact("ÉCLAIR"), exact("Éclair"));
    }

    #[test]
    fn offsets_are_those_of_the_text_as_given() {
        let text = "“Red \u{A0}Bull’s” E\u{301}cl";
        let folded = Folded::of(text, Case::Fold);
        let found = |part: &str| {
            let at = folded.text.find(part).unwrap();
            &text[folded.origin(at..at + part.len())]
        };
        assert_eq!(found("Red Bull"), "Red \u{A0}Bull");
        assert_eq!(found("'"), "’");
        assert_eq!(found("é"), "E\u{301}");
        assert_eq!(found("cl"), "cl");
    }

    #[test]
    fn plain_ascii_is_not_copied() {
        assert!(matches!(Folded::of("Acme is good.\nYes.", Case::Fold).text, Cow::Borrowed(_)));
    }
}

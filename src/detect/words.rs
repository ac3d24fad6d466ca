//! The words that a person searches for, found again in a text as the full-text index found them.
//!
//! Both split text where a character is no letter and no digit, and look at neither letter case nor accents.

use icu_normalizer::properties::{CanonicalDecomposition, CanonicalDecompositionBorrowed, Decomposed};
use std::ops::Range;

/// A search: words, and words in quotation marks that stand together.
#[derive(Clone, Debug)]
pub struct Words(Vec<Vec<String>>);

impl Words {
    /// What a person typed. Nothing in it is an operator.
    #[must_use]
    pub fn of(search: &str) -> Self {
        let mut phrases = Vec::new();
        for (i, part) in search.split('"').enumerate() {
            let parts: Vec<&str> = if i % 2 == 1 { vec![part] } else { part.split_whitespace().collect() };
            phrases.extend(parts.into_iter().map(|part| tokens(part).into_iter().map(|(word, _)| word).collect()));
        }
        phrases.retain(|phrase: &Vec<String>| !phrase.is_empty());
        Self(phrases)
    }

    /// Is there nothing to search for?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where the first of them stands in a text, in bytes.
    #[must_use]
    pub fn first_in(&self, text: &str) -> Option<Range<usize>> {
        let tokens = tokens(text);
        let found = self.0.iter().filter_map(|phrase| {
            let hit = tokens.windows(phrase.len()).find(|window| window.iter().map(|(word, _)| word).eq(phrase))?;
            Some(hit.first()?.1.start..hit.last()?.1.end)
        });
        found.min_by_key(|hit| hit.start)
    }
}

/// The words of a text, folded, each with its place.
fn tokens(text: &str) -> Vec<(String, Range<usize>)> {
    let letters = CanonicalDecomposition::new();
    let mut tokens: Vec<(String, Range<usize>)> = Vec::new();
    let mut open = false;
    for (at, c) in text.char_indices() {
        let mark = is_accent(c);
        if !(c.is_alphanumeric() || (mark && open)) {
            open = false;
            continue;
        }
        let end = at + c.len_utf8();
        if !open {
            tokens.push((String::new(), at..end));
            open = true;
        }
        if let Some((word, place)) = tokens.last_mut() {
            place.end = end;
            if !mark {
                let bare = bare(c, &letters);
                word.extend(bare.to_lowercase().map(|c| if c == 'ς' { 'σ' } else { c }));
            }
        }
    }
    tokens
}

fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// A letter without its accents.
fn bare(c: char, letters: &CanonicalDecompositionBorrowed<'_>) -> char {
    match letters.decompose(c) {
        Decomposed::Expansion(first, second) if is_accent(second) => bare(first, letters),
        Decomposed::Singleton(other) if other != c => bare(other, letters),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whatever_their_case_and_accents() {
        for (search, text, hit) in [
            ("nestle", "Buy NESTLÉ now", Some("NESTLÉ")),
            ("Nestlé", "or nestle\u{301}, or not", Some("nestle\u{301}")),
            ("\"long life\"", "life long, a long-life cell", Some("long-life")),
            ("long \"cell of\"", "a cell, long", Some("long")),
            ("ΟΔΟΣ", "η οδός", Some("οδός")),
            ("light", "lightning", None),
            ("NEAR(a* -b) OR \"c", "the nearest OR", Some("OR")),
            ("Ångström", "angstrom", Some("angstrom")),
        ] {
            assert_eq!(Words::of(search).first_in(text).and_then(|hit| text.get(hit)), hit, "{search} in {text}");
        }
    }

    #[test]
    fn what_holds_no_word_is_no_search() {
        for search in ["", " ?! ", "\"\"", "* ^ ("] {
            assert!(Words::of(search).is_empty(), "{search}");
        }
        assert!(!Words::of("\"a b").is_empty());
    }
}

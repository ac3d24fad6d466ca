//! Where words begin and end, in scripts with and without spaces.

use icu_properties::{
    CodePointMapData,
    props::{GeneralCategory, GeneralCategoryGroup, Script},
};

/// Korean particles, which are written onto the word that they belong to.
const PARTICLES: &[&str] = &[
    "으로", "에서", "에게", "보다", "처럼", "까지", "부터", "은", "는", "이", "가", "을", "를", "의", "에", "와", "과",
    "도", "로", "만",
];

/// Does a name that stands between these two parts of a text stand there as a word of its own? `name` is the name
/// as it stands there.
pub(super) fn is_word(before: &str, name: &str, after: &str) -> bool {
    let (Some(first), Some(last)) = (name.chars().next(), name.chars().next_back()) else { return false };
    let opens = before.chars().next_back().is_none_or(|c| breaks(c, first));
    opens && (after.chars().next().is_none_or(|c| breaks(last, c)) || takes_particle(last, after))
}

/// Is there a boundary between these neighbours?
fn breaks(left: char, right: char) -> bool {
    // A mark belongs to what it stands on, whatever that is.
    if is_mark(right) {
        return false;
    }
    if !is_part(left) || !is_part(right) {
        return true;
    }
    if left.is_ascii() && right.is_ascii() {
        return false;
    }
    let (left, right) = (Writing::of(left), Writing::of(right));
    match (left, right) {
        (Writing::Unspaced, _) | (_, Writing::Unspaced) => true,
        (Writing::Katakana, right) => right != Writing::Katakana,
        (_, Writing::Katakana) => true,
        _ => false,
    }
}

/// Is this character part of a word: a letter, a digit, a mark or `_`?
pub(super) fn is_part(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    GeneralCategoryGroup::Letter.contains(category)
        || GeneralCategoryGroup::Mark.contains(category)
        || category == GeneralCategory::DecimalNumber
}

/// Is this an accent or another mark that combines with the character before it?
pub(super) fn is_mark(c: char) -> bool {
    !c.is_ascii() && GeneralCategoryGroup::Mark.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

/// Is this a letter of a script that writes its words apart?
pub(super) fn is_spaced_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || (!c.is_ascii() && is_part(c) && Writing::of(c) == Writing::Spaced)
}

/// How words are told apart in writing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Writing {
    Spaced,
    Unspaced,
    Katakana,
    Hangul,
}

impl Writing {
    fn of(c: char) -> Self {
        // The long vowel mark is of no script, and stands in katakana.
        if c.is_ascii() {
            return Self::Spaced;
        }
        if c == 'ー' {
            return Self::Katakana;
        }
        match CodePointMapData::<Script>::new().get(c) {
            Script::Han | Script::Hiragana | Script::Thai | Script::Lao | Script::Khmer => Self::Unspaced,
            Script::Katakana => Self::Katakana,
            Script::Hangul => Self::Hangul,
            _ => Self::Spaced,
        }
    }
}

/// Does a Korean particle follow, or two, and then the word's end?
fn takes_particle(last: char, after: &str) -> bool {
    let carries = Writing::of(last) == Writing::Hangul || is_latin(last) || last.is_ascii_digit();
    carries && without_particle(after).any(|rest| ends(rest) || without_particle(rest).any(ends))
}

fn without_particle(text: &str) -> impl Iterator<Item = &str> {
    PARTICLES.iter().filter_map(|particle| text.strip_prefix(particle))
}

fn ends(rest: &str) -> bool {
    rest.chars().next().is_none_or(|c| !is_part(c))
}

fn is_latin(c: char) -> bool {
    CodePointMapData::<Script>::new().get(c) == Script::Latin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_alone_where_a_reader_sees_them() {
        for (before, name, after) in [
            ("", "Acme", ""),
            ("(", "Acme", ")"),
            ("", "Acme", "'s"),
            ("", "Acme", "-like"),
            ("", "Acme", "™"),
            ("", "Acme", "²"),
            ("使用", "Acme", "的"),
            ("", "小米", "手机"),
            ("", "ソニー", "は"),
            ("新", "ソニー", "製"),
            ("ซื้อ", "Acme", "ที่"),
            ("", "삼성", "은 좋다"),
            ("", "삼성", "에서는 "),
            ("", "Acme", "의"),
            ("", "Yahoo!", "Finance"),
        ] {
            assert!(is_word(before, name, after), "{before}|{name}|{after}");
        }
        for (before, name, after) in [
            ("", "Acme", "s"),
            ("pl", "Acme", ""),
            ("", "Acme", "2"),
            ("", "Acme", "_x"),
            ("", "Acme", "\u{301}"),
            ("É", "Acme", ""),
            ("", "ソニー", "ック"),
            ("", "삼성", "전자"),
            ("", "삼성", "은행"),
            ("한국", "삼성", ""),
            ("", "Яндекс", "ом"),
        ] {
            assert!(!is_word(before, name, after), "{before}|{name}|{after}");
        }
    }
}

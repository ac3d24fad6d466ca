//! The sentence around a place in a text.

use std::ops::Range;

/// How far a sentence is followed to either side, in bytes.
const REACH: usize = 300;

/// After these a point ends no sentence.
const ABBREVIATIONS: &[&str] = &[
    "e.g", "i.e", "etc", "vs", "cf", "approx", "no", "st", "mr", "mrs", "ms", "dr", "prof", "inc", "ltd", "corp", "co",
    "llc", "bros", "jr", "sr", "u.s", "u.k", "a.m", "p.m", "fig", "vol", "z.b", "bzw", "ca", "usw",
];

/// The sentence that holds the span, or the list item or table cell. It is bounded by line breaks and by `.`, `!`, `?`
/// before a space, and reaches at most 300 bytes to either side.
#[must_use]
pub fn sentence_around(text: &str, span: Range<usize>) -> Range<usize> {
    let from = text.floor_char_boundary(span.start);
    let to = text.ceil_char_boundary(span.end.max(from));
    let first = text.ceil_char_boundary(from.saturating_sub(REACH));
    let last = text.floor_char_boundary(to.saturating_add(REACH));
    let (before, after) = (text.get(first..from).unwrap_or_default(), text.get(to..last).unwrap_or_default());
    // A bar bounds a cell only in a line that is a table's row.
    let row = line_of(text, from, first, last).starts_with('|');
    let mut start = before.rfind('\n').map_or(first, |at| first + at + 1);
    let mut end = after.find('\n').map_or(last, |at| to + at);
    if row {
        start = text.get(start..from).and_then(|part| part.rfind('|')).map_or(start, |at| start + at + 1);
        end = text.get(to..end).and_then(|part| part.find('|')).map_or(end, |at| to + at);
    }
    start = ends(text, start..from).last().unwrap_or(start);
    end = ends(text, to..end).next().unwrap_or(end);
    // What ends inside the span itself is no end, but an abbreviation's point may stand right behind it.
    let part = text.get(start..end).unwrap_or_default();
    let lead = part.len() - part.trim_start().len();
    let trail = part.len() - part.trim_end().len();
    (start + lead).min(from)..(end - trail).max(to)
}

/// The sentences of a text in order, each trimmed: bounded as in [`sentence_around`], a table's row whole. Parts without
/// a letter or digit are left out.
#[must_use]
pub fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        let row = line.trim_start().starts_with('|');
        let stops = if row { Vec::new() } else { ends(text, at..end).collect() };
        for stop in stops.into_iter().chain([end]) {
            sentences.push(text.get(at..stop).unwrap_or_default().trim());
            at = stop.max(at);
        }
    }
    sentences.retain(|sentence| sentence.contains(char::is_alphanumeric));
    sentences
}

fn line_of(text: &str, at: usize, first: usize, last: usize) -> &str {
    let start = text.get(first..at).and_then(|before| before.rfind('\n')).map_or(first, |line| first + line + 1);
    text.get(start..last).unwrap_or_default().trim_start()
}

/// Where sentences end inside of a range: behind the closing marks that follow the stop.
fn ends(text: &str, range: Range<usize>) -> impl Iterator<Item = usize> {
    let part = text.get(range.clone()).unwrap_or_default();
    part.char_indices().filter_map(move |(at, c)| {
        let stop = range.start + at;
        let behind = stop + c.len_utf8();
        if matches!(c, '。' | '！' | '？') {
            return Some(behind);
        }
        if !matches!(c, '.' | '!' | '?') {
            return None;
        }
        let rest = text.get(behind..)?;
        let closing = rest.len() - rest.trim_start_matches(['"', '\'', '”', '’', ')', ']', '*', '_', '»']).len();
        let next = rest.get(closing..)?;
        let ends = next.is_empty() || next.starts_with(char::is_whitespace);
        (ends && (c != '.' || !is_abbreviation(text, stop, next))).then_some(behind + closing)
    })
}

/// Does the point at `stop` belong to the word before it?
fn is_abbreviation(text: &str, stop: usize, next: &str) -> bool {
    if next.trim_start().starts_with(char::is_lowercase) {
        return true;
    }
    let window = text.get(text.ceil_char_boundary(stop.saturating_sub(12))..stop).unwrap_or_default();
    let word = window.rsplit(|c: char| !c.is_alphanumeric() && c != '.').next().unwrap_or_default();
    // An initial, or the number of a list item.
    let single = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    let number = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()) && begins_line(text, stop - word.len());
    single || number || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

fn begins_line(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.trim_end_matches([' ', '\t', '*', '#']).is_empty()
        || before.trim_end_matches([' ', '\t', '*', '#']).ends_with('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around<'t>(text: &'t str, word: &str) -> &'t str {
        let at = text.find(word).unwrap();
        &text[sentence_around(text, at..at + word.len())]
    }

    #[test]
    fn a_sentence_is_what_a_reader_takes_for_one() {
        for (text, sentence) in [
            ("One. Acme is good. Two.", "Acme is good."),
            ("One! Is Acme good? Two.", "Is Acme good?"),
            ("Try it, e.g. with Acme Inc. as 3.5 does. Two.", "Try it, e.g. with Acme Inc. as 3.5 does."),
            ("Line\n- **Acme**: good\n- more", "- **Acme**: good"),
            ("| Bolt | Acme is fine | x |", "Acme is fine"),
            ("a | b. Acme | c", "Acme | c"),
            ("很好。Acme不错！好", "Acme不错！"),
            ("He said \"yes.\" Acme won.", "Acme won."),
            ("1. Acme is first. Then", "1. Acme is first."),
            ("Acme", "Acme"),
            ("By J. Acme of the U.S. army. No.", "By J. Acme of the U.S. army."),
        ] {
            assert_eq!(around(text, "Acme"), sentence, "{text}");
        }
    }

    #[test]
    fn sentences_are_all_there_is_to_read() {
        let text = "# Best cells\n\nOne is. Two, e.g. this!  \n---\n| a | b. c |\n- 1.5 V? Yes\n很好。好";
        let found = ["# Best cells", "One is.", "Two, e.g. this!", "| a | b. c |", "- 1.5 V?", "Yes", "很好。", "好"];
        assert_eq!(sentences(text), found);
        assert!(sentences(" \n--- ").is_empty());
    }

    #[test]
    fn a_sentence_is_bounded() {
        let text = format!("{}Acme{}", "é ".repeat(1_000), " é".repeat(1_000));
        let at = text.find("Acme").unwrap();
        let range = sentence_around(&text, at..at + 4);
        assert!(range.start + 300 >= at && range.end <= at + 304 && text.get(range).is_some());
        assert_eq!(sentence_around("ab", 7..9), 0..2, "a span behind the text is at its end");
    }
}

//! The mentions in an answer, each with its place and the sentence around it, read off the text as it is asked for.

use super::super::support::Table;
use crate::{
    detect::{Detector, sentence_around},
    mcp::quote::{QuotedLine, chars_shown},
    model::Brand,
};
use serde_json::Value;

// Sentences in rare scripts are dear: fewer of them then.
const MOST_COST: usize = 10_000;

/// The first mentions of tracked brands in an answer, with so many characters of each sentence, and how many there are.
pub(super) fn mentions(answer: &str, brands: &[Brand], (most, chars): (usize, usize)) -> (usize, Table) {
    let tracked: Vec<Brand> = brands.iter().filter(|brand| brand.is_tracked()).cloned().collect();
    let detector = Detector::of_one_text(&tracked);
    let found = detector.mentions(answer);
    let mut table = Table::new(["brand", "spelling", "offset", "sentence"]);
    let (mut counted, mut offset) = (0, 0);
    for mention in found.iter().take(most) {
        offset += chars_shown(answer.get(counted..mention.start).unwrap_or_default());
        counted = mention.start;
        let name = tracked.iter().find(|brand| brand.key == *mention.brand).map_or("", |brand| &brand.name);
        let span = mention.start..mention.end;
        let sentence = answer.get(sentence_around(answer, span.clone())).unwrap_or_default();
        let sentence = if sentence.chars().count() > chars {
            QuotedLine::around(answer, span, chars)
        } else {
            QuotedLine::new(sentence, chars)
        };
        let line = |text: &str| -> Value { QuotedLine::new(text, 120).as_str().into() };
        table.rows.push(vec![line(name), line(mention.alias), offset.into(), sentence.as_str().into()]);
    }
    table.rows.truncate(table.fitting(MOST_COST));
    (found.len(), table)
}

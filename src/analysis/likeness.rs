//! Likeness: how much of two texts is the same words in the same order, and which sentences entered or left.

use super::fraction;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::HashMap;

/// What is compared of a text, in words and in sentences: the time taken grows with the square of it.
const MOST: usize = 3_000;

/// How alike two texts are, 0 to 1: twice the words that they share in order / words of both (Dice, on the longest
/// common subsequence). Letter case and punctuation do not count; a letter of a script without spaces is a word. None
/// where neither holds a word. Of long texts the first 3,000 words are compared.
#[must_use]
pub fn likeness(a: &str, b: &str) -> Option<f64> {
    let mut known = HashMap::new();
    let (a, b) = (words(a, &mut known, MOST), words(b, &mut known, MOST));
    let same: usize = capture_diff_slices(Algorithm::Myers, &a, &b)
        .iter()
        .map(|op| if let DiffOp::Equal { len, .. } = op { *len } else { 0 })
        .sum();
    fraction(2 * same as u64, (a.len() + b.len()) as u64)
}

/// Is a text so long that [`likeness`] and [`entered_and_left`] leave its end out?
#[must_use]
pub fn is_compared_in_part(text: &str) -> bool {
    // A sentence has a word at least, so it has more words than sentences.
    words(text, &mut HashMap::new(), MOST + 1).len() > MOST
}

/// The first `most` words as numbers, equal ones alike.
fn words(text: &str, known: &mut HashMap<String, usize>, most: usize) -> Vec<usize> {
    let mut words: Vec<usize> = Vec::new();
    let mut number = |word: String| {
        let next = known.len();
        *known.entry(word).or_insert(next)
    };
    for part in text.split(|c: char| !c.is_alphanumeric()) {
        let mut word = String::new();
        for c in part.chars().flat_map(char::to_lowercase) {
            // Beyond here are the scripts of China and Japan.
            if c >= '\u{2e80}' {
                if !word.is_empty() {
                    words.push(number(std::mem::take(&mut word)));
                }
                words.push(number(c.to_string()));
            } else {
                word.push(c);
            }
        }
        if !word.is_empty() {
            words.push(number(word));
        }
        if words.len() >= most {
            break;
        }
    }
    words.truncate(most);
    words
}

/// The items that are in `now` alone and those that are in `before` alone, in their order; what only moved is neither.
/// Of long lists the first 3,000 items are compared.
#[must_use]
pub fn entered_and_left<'t>(before: &[&'t str], now: &[&'t str]) -> (Vec<&'t str>, Vec<&'t str>) {
    let (before, now) = (before.get(..MOST).unwrap_or(before), now.get(..MOST).unwrap_or(now));
    let (mut entered, mut left) = (Vec::new(), Vec::new());
    for op in capture_diff_slices(Algorithm::Myers, before, now) {
        if !matches!(op, DiffOp::Equal { .. }) {
            left.extend_from_slice(before.get(op.old_range()).unwrap_or_default());
            entered.extend_from_slice(now.get(op.new_range()).unwrap_or_default());
        }
    }
    let (gone, new) = (counts(&left), counts(&entered));
    (without(&entered, gone), without(&left, new))
}

fn counts<'t>(items: &[&'t str]) -> HashMap<&'t str, usize> {
    let mut counts = HashMap::new();
    for item in items {
        *counts.entry(*item).or_default() += 1;
    }
    counts
}

/// The items less as many of each as there are on the other side: those only moved.
fn without<'t>(items: &[&'t str], mut others: HashMap<&'t str, usize>) -> Vec<&'t str> {
    let stays = |item: &&&str| match others.get_mut(**item) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    items.iter().filter(stays).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn likeness_counts_shared_words_in_order() {
        // "a b c d" and "A, c. e": a and c are shared; 2 x 2 / (4 + 3).
        assert_eq!(likeness("a b c d", "A, c. e"), Some(4.0 / 7.0));
        assert_eq!(likeness("b a", "a b"), Some(0.5));
        assert_eq!(likeness("", "a"), Some(0.0));
        assert_eq!(likeness("...", ""), None);
        // 2 x 3 of 4 + 4 letters.
        assert_eq!(likeness("蓄電池は", "蓄電池が"), Some(0.75));
    }

    #[test]
    fn of_a_long_text_the_first_words_are_compared() {
        let text = |words: usize| "word ".repeat(words);
        assert!(!is_compared_in_part(&text(3_000)) && is_compared_in_part(&text(3_001)));
        assert_eq!(likeness(&text(3_000), &format!("{} and no more", text(3_000))), Some(1.0));
    }

    #[test]
    fn what_moved_neither_entered_nor_left() {
        let (entered, left) = entered_and_left(&["a", "b", "c", "c"], &["b", "c", "a", "d"]);
        assert_eq!((entered, left), (vec!["d"], vec!["c"]));
        assert_eq!(entered_and_left(&[], &["x"]), (vec!["x"], vec![]));
    }

    #[test]
    fn endless_texts_take_no_endless_time() {
        let text = |from: usize| (from..from + 50_000).map(|i| format!("w{i}. ")).collect::<Vec<_>>().concat();
        assert_eq!(likeness(&text(0), &text(100_000)), Some(0.0));
    }

    proptest! {
        #[test]
        fn both_sides_balance(
            before in prop::collection::vec("[a-d]", 0..12),
            now in prop::collection::vec("[a-d]", 0..12),
        ) {
            let before: Vec<&str> = before.iter().map(String::as_str).collect();
            let now: Vec<&str> = now.iter().map(String::as_str).collect();
            let (entered, left) = entered_and_left(&before, &now);
            prop_assert_eq!(before.len() + entered.len(), now.len() + left.len());
            prop_assert!(entered.iter().all(|item| !left.contains(item)));
            let (a, b) = (before.join(" "), now.join(" "));
            prop_assert_eq!(likeness(&a, &b).is_some_and(|value| value >= 1.0), a == b && !a.is_empty());
        }
    }
}

//! The questions that a project asks: no two alike, every fifth one naming a tracked brand.

use super::{cast::WorldBrand, themes::Theme};
use std::collections::HashSet;

/// A question that a project asks every day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorldPrompt {
    /// The question.
    pub text: String,
    /// The topic it is filed under.
    pub topic: &'static str,
    /// The brands it names, by index; empty for a question that is open to all.
    pub names: Vec<usize>,
}

const OPEN_FORMS: usize = 8;

/// A question open to all brands.
fn open(form: usize, theme: &Theme, need: &str, audience: &str) -> String {
    let (thing, things) = theme.thing;
    let text = match form % OPEN_FORMS {
        0 => format!("What is the best {thing} for {need} {audience}?"),
        1 => format!("Which {things} would you recommend for {need} {audience}?"),
        2 => format!("How do I choose a {thing} for {need} {audience}?"),
        3 => format!("Top 5 {things} for {need} {audience}, with prices"),
        4 => format!("cheap but good {thing} {need} {audience}"),
        5 => format!("Compare the leading {things} for {need} {audience}."),
        6 => format!("I need a {thing} for {need} {audience} – which makers should I call first?"),
        _ => format!("What do experts say about {things} for {need} {audience}?"),
    };
    tidy(&text)
}

/// A question about brands by name.
fn branded(form: usize, theme: &Theme, need: &str, audience: &str, first: &str, second: &str) -> String {
    let (thing, things) = theme.thing;
    let text = match form % 4 {
        0 => format!("Is {first} a good {thing} for {need} {audience}?"),
        1 => format!("{first} or {second}: which is better for {need} {audience}?"),
        2 => format!("What are alternatives to {first} for {need} {audience}?"),
        _ => format!("What do customers say about {things} from {first} {audience}?"),
    };
    tidy(&text)
}

/// Without the double spaces and the space before a mark that an empty audience leaves.
fn tidy(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace(" ?", "?")
        .replace(" ,", ",")
        .replace(" .", ".")
        .replace(" :", ":")
}

/// The questions of a project.
pub(super) fn prompts(theme: &Theme, brands: &[WorldBrand], count: usize) -> Vec<WorldPrompt> {
    let mut seen = HashSet::new();
    (0..count)
        .map(|i| {
            let (topic, needs) = theme.topics.get(i % theme.topics.len()).copied().unwrap_or_default();
            let round = i / theme.topics.len();
            let need = needs.get(round % needs.len().max(1)).copied().unwrap_or_default();
            let audience = theme.audiences.get((i * 3 + round) % theme.audiences.len()).copied().unwrap_or_default();
            // The need moves on with the topic's round, the form a little faster, so that pairs repeat late.
            let form = i + round / needs.len().max(1);
            let (base, names) = match (i % 5 == 3).then(|| pair(i / 5, brands)).flatten() {
                Some([(a, first), (b, second)]) => {
                    let text = branded(i / 5, theme, need, audience, &first.name, &second.name);
                    let names = if text.contains(&second.name) { vec![a, b] } else { vec![a] };
                    (text, names)
                }
                None => (open(form, theme, need, audience), Vec::new()),
            };
            let mut text = base.clone();
            let mut again = 1;
            while !seen.insert(text.clone()) {
                again += 1;
                text = format!("{base} (asked another way, {again})");
            }
            WorldPrompt { text, topic, names }
        })
        .collect()
}

/// Two brands to ask about: the own one every other time, else a competitor; and another competitor.
fn pair(number: usize, brands: &[WorldBrand]) -> Option<[(usize, &WorldBrand); 2]> {
    let rivals = brands.len().checked_sub(1).filter(|rivals| *rivals >= 2)?;
    let first = if number.is_multiple_of(2) { 0 } else { 1 + number % rivals };
    let second = 1 + (number + 1) % rivals;
    Some([(first, brands.get(first)?), (second, brands.get(second)?)])
}

#[cfg(test)]
mod tests {
    use super::super::{cast, themes::THEMES};
    use super::*;

    #[test]
    fn no_question_is_asked_twice_and_some_name_a_brand() {
        for (n, theme) in THEMES.iter().enumerate() {
            let brands = cast::brands(theme, n, 6);
            let prompts = prompts(theme, &brands, 500);
            let texts: HashSet<_> = prompts.iter().map(|p| &p.text).collect();
            assert_eq!(texts.len(), 500);
            assert_eq!(prompts.iter().filter(|p| !p.names.is_empty()).count(), 100);
            for prompt in &prompts {
                let named: Vec<_> = (0..6).filter(|i| prompt.text.contains(&brands[*i].name)).collect();
                let mut told = prompt.names.clone();
                told.sort_unstable();
                assert_eq!(named, told, "{}", prompt.text);
                assert!(!prompt.text.contains("  ") && !prompt.text.contains(" ?"), "{}", prompt.text);
            }
            assert!(prompts.iter().take(24).all(|p| !p.text.contains("another way")));
        }
    }
}

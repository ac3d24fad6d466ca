//! Patterns with `*` for any text, letter case aside.

/// A pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Glob(String);

impl Glob {
    /// The pattern of a text.
    pub(super) fn of(pattern: &str) -> Self {
        Self(pattern.trim().to_lowercase())
    }

    /// Is the whole text as the pattern says?
    pub(super) fn matches(&self, text: &str) -> bool {
        is_like(&self.0, &text.to_lowercase())
    }

    /// How many characters it gives: the more, the more it says.
    pub(super) fn weight(&self) -> usize {
        self.0.chars().filter(|c| *c != '*').count()
    }
}

/// As [`Glob::matches`], of two texts in lower case.
pub(super) fn is_like(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').map_or((None, rest), |(middle, tail)| (Some(middle), tail));
    // The first place that fits is as good as any, since what lies between may be anything.
    for part in middle.into_iter().flat_map(|middle| middle.split('*')) {
        let Some(at) = text.find(part) else { return false };
        text = text.get(at + part.len()..).unwrap_or_default();
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, text, expected) in [
            ("gpt-4o", "GPT-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-*", "gpt-4o-mini", true),
            ("*", "", true),
            ("*-mini", "gpt-4o-mini", true),
            ("gpt*mini", "gptmini", true),
            ("gpt*tpt", "gpt", false),
            ("a*a", "a", false),
            ("llama-*-sonar-*", "llama-3.1-sonar-large", true),
            ("llama-*-sonar-*", "llama-3.1-large", false),
            ("*b*b*", "abxb", true),
            ("*b*b*", "abx", false),
            ("Ü*", "über", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(Glob::of(pattern).matches(text), expected, "{pattern} {text}");
        }
    }
}

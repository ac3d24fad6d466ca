//! Brands in text: whether a text names one. Pure; no I/O.

use crate::model::Brand;

/// Names of brands to look for: whole words, whatever their case.
#[derive(Clone, Debug, Default)]
pub struct BrandNames {
    names: Vec<String>,
}

impl BrandNames {
    /// The names and aliases of these brands. Names of one character match too much and are left out.
    pub fn of<'a>(brands: impl IntoIterator<Item = &'a Brand>) -> Self {
        let mut names: Vec<String> = brands
            .into_iter()
            .flat_map(|brand| std::iter::once(&brand.name).chain(&brand.aliases))
            .map(|name| name.trim().to_lowercase())
            .filter(|name| name.chars().count() > 1)
            .collect();
        names.sort();
        names.dedup();
        Self { names }
    }

    /// Does the text name one of them?
    #[must_use]
    pub fn occur_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.names.iter().any(|name| {
            text.match_indices(name.as_str()).any(|(at, found)| {
                let before = text.get(..at).and_then(|text| text.chars().next_back());
                let after = text.get(at + found.len()..).and_then(|text| text.chars().next());
                !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BrandKey, BrandKind};

    #[test]
    fn names_are_whole_words_in_any_case() {
        let brand = Brand {
            key: BrandKey("a".into()),
            name: "Acme".into(),
            kind: BrandKind::Own,
            domains: vec![],
            aliases: vec!["Café Zwei".into(), "X".into()],
        };
        let names = BrandNames::of([&brand]);
        for text in ["Is ACME good?", "acme's best", "(acme)", "das CAFÉ ZWEI am Eck"] {
            assert!(names.occur_in(text), "{text}");
        }
        for text in ["acmeology", "placme", "x", "", "café drei"] {
            assert!(!names.occur_in(text), "{text}");
        }
    }
}

//! Reads names off prose the plain way: lower-case words, longest spelling first, none in URLs or e-mail addresses.
//!
//! It shares no code with the writer of the world's answers or with the server's detection, so each can check the other.

/// A text without its URLs and e-mail addresses, in lower case; what is left of them is a space.
pub(crate) fn without_addresses(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut plain = String::with_capacity(lower.len());
    let mut rest = lower.as_str();
    while let Some(start) = rest.find("http://").into_iter().chain(rest.find("https://")).min() {
        let (before, from) = rest.split_at(start);
        plain.push_str(before);
        plain.push(' ');
        let end = from.find(|c: char| c.is_whitespace() || ")>]|\"".contains(c)).unwrap_or(from.len());
        rest = from.split_at(end).1;
    }
    plain.push_str(rest);
    if !plain.contains('@') {
        return plain;
    }
    plain.split(' ').map(|word| if word.contains('@') { "" } else { word }).collect::<Vec<_>>().join(" ")
}

/// How often each of several brands, given by their spellings, is named in a text.
pub(crate) fn count_names<S: AsRef<str>>(text: &str, brands: &[Vec<S>]) -> Vec<u32> {
    let plain = without_addresses(text);
    let mut spellings: Vec<(String, usize)> = brands
        .iter()
        .enumerate()
        .flat_map(|(brand, all)| all.iter().map(move |s| (s.as_ref().to_lowercase(), brand)))
        .filter(|(spelling, _)| !spelling.is_empty())
        .collect();
    spellings.sort_by_key(|(spelling, _)| std::cmp::Reverse(spelling.len()));
    let mut counts = vec![0; brands.len()];
    let mut rest = plain.as_str();
    let mut in_word = false;
    while let Some(next) = rest.chars().next() {
        let found = (!in_word && next.is_alphanumeric())
            .then(|| {
                spellings.iter().find_map(|(spelling, brand)| {
                    let after = rest.strip_prefix(spelling.as_str())?;
                    after.chars().next().is_none_or(|c| !c.is_alphanumeric()).then_some((*brand, after))
                })
            })
            .flatten();
        if let Some((brand, after)) = found {
            if let Some(count) = counts.get_mut(brand) {
                *count += 1;
            }
            rest = after;
            in_word = true;
        } else {
            in_word = next.is_alphanumeric();
            rest = rest.split_at(next.len_utf8()).1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_outside_addresses() {
        let brands = [vec!["Acme", "Acme Pro"], vec!["K & V"]];
        let cases = [
            ("Acme, ACME's and **acme**.", [3, 0]),
            ("Acme Pro is one name.", [1, 0]),
            ("Acmeish things, megaacme", [0, 0]),
            ("[here](https://acme.example/acme) or http://x.example/acme", [0, 0]),
            ("mail acme@acme.example now", [0, 0]),
            ("k & v and Acme\u{a0}too", [1, 1]),
        ];
        for (text, counts) in cases {
            assert_eq!(count_names(text, &brands), counts, "{text}");
        }
    }
}

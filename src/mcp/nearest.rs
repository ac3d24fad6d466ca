//! Which names are most like the one that was given: what turns "unknown" into "did you mean".

/// Of `names`, the `max` most like `given`, best first; none where nothing is like it.
pub fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>, max: usize) -> Vec<&'a str> {
    let given = folded(given);
    let mut ranked: Vec<(usize, &str)> =
        names.into_iter().filter_map(|name| Some((unlikeness(&given, &folded(name))?, name))).collect();
    ranked.sort_unstable();
    ranked.dedup();
    ranked.into_iter().map(|(_, name)| name).take(max).collect()
}

// Lower case, letters and digits alone, and no longer than a name is.
fn folded(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(64).collect()
}

// Smaller is more alike; none is not alike.
fn unlikeness(given: &[char], name: &[char]) -> Option<usize> {
    let (short, long) = if given.len() <= name.len() { (given, name) } else { (name, given) };
    if short.len() >= 3 && long.windows(short.len()).any(|window| window == short) {
        return Some(usize::from(short.len() != long.len()));
    }
    let edits = edits(given, name);
    (edits <= 1.max(long.len() / 3)).then_some(edits)
}

// How many slips lie between the two: a letter too much, too few, wrong, or swapped with the next.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut least = (at(&above, j + 1) + 1).min(at(&row, j) + 1).min(at(&above, j) + usize::from(x != y));
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                least = least.min(at(&before, j - 1) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_parts_of_names_are_found_and_other_names_are_not() {
        let names = ["list_sources", "list_brands", "get_run_details", "brand_summary"];
        assert_eq!(nearest("lst_source", names, 1), ["list_sources"]);
        assert_eq!(nearest("listBrands", names, 1), ["list_brands"]);
        assert_eq!(nearest("summary", names, 3), ["brand_summary"]);
        assert!(nearest("weather", names, 3).is_empty());
        assert!(nearest("", names, 3).is_empty());
        assert_eq!(nearest("acne", ["Acme", "Apex Running", "ACNE Studios"], 3), ["ACNE Studios", "Acme"]);
    }

    #[test]
    fn edits_are_counted() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        for (a, b, count) in
            [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("brnad", "brand", 1)]
        {
            assert_eq!(edits(&chars(a), &chars(b)), count);
        }
    }
}

//! What a person searches for, as the full-text index reads it.

/// A person's words as a full-text query: every word must occur; quoted words stand together. Nothing in them is
/// read as an operator.
pub(super) fn fts_query(text: &str) -> String {
    // The index would read a query up to a nought, and find its last quotation mark missing.
    let text = text.replace('\0', " ");
    let mut parts = Vec::new();
    for (i, part) in text.split('"').enumerate() {
        let words: Vec<&str> = if i % 2 == 1 { vec![part.trim()] } else { part.split_whitespace().collect() };
        parts.extend(
            words.into_iter().filter(|word| word.chars().any(char::is_alphanumeric)).map(|word| format!("\"{word}\"")),
        );
    }
    // Nothing to search for matches nothing.
    if parts.is_empty() { "\"\"".to_owned() } else { parts.join(" AND ") }
}

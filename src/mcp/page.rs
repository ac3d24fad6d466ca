//! A tool's Markdown page: the description that the model reads, and the example that tests run.

use serde_json::{Map, Value};

/// The text up to the first `## `.
pub(super) fn description(page: &'static str) -> &'static str {
    let end = if page.starts_with("## ") { 0 } else { page.find("\n## ").unwrap_or(page.len()) };
    page.get(..end).unwrap_or(page).trim()
}

/// The arguments in the JSON block under `## Example`.
pub(super) fn example(page: &str) -> Result<Map<String, Value>, String> {
    let section = page.split("\n## ").find_map(|section| section.strip_prefix("Example")).ok_or("no `## Example`")?;
    let block = section.split_once("```json").and_then(|(_, rest)| rest.split_once("```"));
    let (json, _) = block.ok_or("no JSON block under `## Example`")?;
    serde_json::from_str(json).map_err(|error| format!("the example is not a JSON object: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "Lists things.\n\nUse it first.\n\n## Example\n\n```json\n{\"limit\": 3}\n```\n\n## More\ntext";

    #[test]
    fn a_page_is_words_and_an_example() {
        assert_eq!(description(PAGE), "Lists things.\n\nUse it first.");
        assert_eq!(Value::Object(example(PAGE).unwrap()), serde_json::json!({"limit": 3}));
        assert_eq!(description("## Example"), "");
        assert!(example("text").is_err() && example("x\n## Example\n").is_err());
        assert!(example("x\n## Example\n```json\n[]\n```").is_err());
    }
}

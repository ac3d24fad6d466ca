//! What a text costs a model, by the tokens of one that is in wide use.

use serde_json::Value;

/// Tokens of a text.
pub fn of_text(text: &str) -> usize {
    tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len()
}

/// Tokens of a value as compact JSON, as answers are sent.
pub fn of(value: &Value) -> usize {
    of_text(&value.to_string())
}

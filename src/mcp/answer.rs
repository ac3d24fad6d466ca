//! An answer as it is sent: the JSON text and the JSON value of the same thing, within a bound.

use super::ToolError;
use serde::Serialize;
use serde_json::Value;
use std::io;

/// One answer in the two forms that clients read; they say the same.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) text: String,
    pub(super) value: Value,
}

impl Rendered {
    /// Renders an answer of at most `max_chars` characters; a longer one costs no more than the bound.
    pub(super) fn of<T: Serialize>(answer: &T, max_chars: usize) -> Result<Self, ToolError> {
        let mut bounded = Bounded { bytes: Vec::with_capacity(512), room: max_chars.saturating_mul(4) };
        if let Err(error) = serde_json::to_writer(&mut bounded, answer) {
            return Err(if error.is_io() { ToolError::TooLarge { max_chars } } else { ToolError::internal(&error) });
        }
        let text = String::from_utf8(bounded.bytes).map_err(|error| ToolError::internal(&error))?;
        if text.len() > max_chars && text.chars().count() > max_chars {
            return Err(ToolError::TooLarge { max_chars });
        }
        let value = serde_json::to_value(answer).map_err(|error| ToolError::internal(&error))?;
        Ok(Self { text, value })
    }
}

// Refuses what does not fit, so that a runaway answer does not fill the memory first.
struct Bounded {
    bytes: Vec<u8>,
    room: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.room = self.room.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_counts_characters_and_is_exact() {
        // Two quotation marks and the text itself.
        assert!(Rendered::of(&"ä".repeat(98), 100).is_ok());
        assert_eq!(Rendered::of(&"ä".repeat(99), 100).unwrap_err(), ToolError::TooLarge { max_chars: 100 });
        assert_eq!(Rendered::of(&vec!["a"; 1_000_000], 100).unwrap_err(), ToolError::TooLarge { max_chars: 100 });
    }

    #[test]
    fn text_and_value_say_the_same() {
        let rendered = Rendered::of(&serde_json::json!({"b": [1.5, null], "a": "x\u{7}\"ä"}), 100).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&rendered.text).unwrap(), rendered.value);
    }
}

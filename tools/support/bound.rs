//! Cursors that are bound to their question: text that only the tool which gave it reads.
//!
//! A hash of the question comes first, then whatever tells where the list goes on. A cursor of another question is
//! refused instead of giving a list with holes.

use crate::mcp::{ToolError, params::Cursor};
use xxhash_rust::xxh3::xxh3_64;

/// The question that cursors belong to.
#[derive(Clone, Copy)]
pub(crate) struct Bound(u64);

impl Bound {
    /// The question whose arguments, the cursor and the size of pages aside, are these words.
    pub(crate) fn to(question: &str) -> Self {
        Self(xxh3_64(question.as_bytes()))
    }

    /// The parts of a cursor; none for the first page.
    pub(crate) fn read(self, cursor: Option<&Cursor>) -> Result<Option<Vec<&str>>, ToolError> {
        let Some(cursor) = cursor else { return Ok(None) };
        let mut parts = cursor.as_str().split('~');
        if parts.next().and_then(|part| u64::from_str_radix(part, 36).ok()) != Some(self.0) {
            return Err(Cursor::refused());
        }
        Ok(Some(parts.collect()))
    }

    /// A cursor of these parts: plain ASCII, without `~`.
    pub(crate) fn write(self, parts: &[String]) -> String {
        format!("{}~{}", base36(self.0), parts.join("~"))
    }
}

/// A short name for a text within one question.
pub(crate) fn short_name(text: &str) -> String {
    base36(xxh3_64(text.as_bytes()))
}

fn base36(mut value: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(u32::try_from(value % 36).unwrap_or(0), 36).unwrap_or('0'));
        value /= 36;
        if value == 0 {
            return digits.iter().rev().collect();
        }
    }
}

//! Public ids: short, stable over rebuilds of the cache, and made from what the upstream calls the thing.

use super::ProjectKey;
use serde::{Deserialize, Serialize};
use std::fmt;
use xxhash_rust::xxh3::Xxh3;

/// The text is not an id of this kind.
#[derive(Debug, thiserror::Error)]
#[error("not an id of this kind")]
pub struct InvalidId;

/// A run's id: `r` and 13 letters or digits, the hash of source, project and the run's natural key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, with = "String")]
pub struct RunId(u64);

/// A prompt's id: `p` and 13 letters or digits, the hash of source, project and the prompt's key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline, with = "String")]
pub struct PromptId(u64);

// Crockford's alphabet: no i, l, o, u, so an id survives being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn hash(project: &ProjectKey, key: &str) -> u64 {
    let mut hasher = Xxh3::new();
    for part in [project.source.as_str(), project.key.as_str(), key] {
        // The length in front keeps ("ab", "c") and ("a", "bc") apart.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.digest()
}

fn write(f: &mut fmt::Formatter<'_>, prefix: char, value: u64) -> fmt::Result {
    let digits: String =
        (0..13).rev().map(|i| char::from(*ALPHABET.get(((value >> (5 * i)) & 31) as usize).unwrap_or(&b'0'))).collect();
    write!(f, "{prefix}{digits}")
}

fn read(prefix: u8, text: &str) -> Result<u64, InvalidId> {
    let digits = text.as_bytes().strip_prefix(&[prefix]).filter(|d| d.len() == 13).ok_or(InvalidId)?;
    let value = digits.iter().try_fold(0u128, |value, byte| {
        let digit = ALPHABET.iter().position(|c| c == byte)?;
        Some(value << 5 | digit as u128)
    });
    value.and_then(|v| u64::try_from(v).ok()).ok_or(InvalidId)
}

macro_rules! public_id {
    ($name:ident, $prefix:literal) => {
        impl $name {
            /// The id of what the upstream calls `key` in this project.
            #[must_use]
            pub fn of(project: &ProjectKey, key: &str) -> Self {
                Self(hash(project, key))
            }

            /// As the store keeps it.
            #[must_use]
            pub(crate) fn to_i64(self) -> i64 {
                self.0.cast_signed()
            }

            /// As the store kept it.
            #[must_use]
            pub(crate) fn from_i64(value: i64) -> Self {
                Self(value.cast_unsigned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write(f, $prefix as char, self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                read($prefix, text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

public_id!(RunId, b'r');
public_id!(PromptId, b'p');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_other_text_does_not() {
        let project = ProjectKey { source: "verseodin".into(), key: "u1".into() };
        let id = RunId::of(&project, "2026-11-20/chatgpt/1");
        assert_eq!(id.to_string().parse::<RunId>().unwrap(), id);
        assert_eq!(RunId::from_i64(id.to_i64()), id);
        assert_ne!(id, RunId::of(&project, "2026-11-20/chatgpt/2"));
        for bad in ["", "r", "p0000000000000", "r000000000000", "rzzzzzzzzzzzzz", "r00000000000ü"] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }
}

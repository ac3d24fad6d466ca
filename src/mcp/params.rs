//! The arguments that mean the same in every tool: each type checks what its schema says, in the same words.

mod period;

pub use period::Period;

use super::{ToolError, error::shown};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::{borrow::Cow, fmt};

/// For tools that take no arguments.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
pub struct NoParams {}

/// How many rows a page has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "u32")]
pub struct Limit(u32);

impl Limit {
    /// The smallest.
    pub const MIN: u32 = 1;
    /// The largest.
    pub const MAX: u32 = 100;

    /// The number of rows.
    #[must_use]
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

// From a float, since some clients send 20 as 20.0, and both are integers to JSON Schema.
impl TryFrom<f64> for Limit {
    type Error = String;

    fn try_from(given: f64) -> Result<Self, String> {
        (Self::MIN..=Self::MAX)
            .find(|limit| (f64::from(*limit) - given).abs() < f64::EPSILON)
            .map(Self)
            .ok_or_else(|| format!("limit is {given}; allowed {} to {}", Self::MIN, Self::MAX))
    }
}

impl From<Limit> for u32 {
    fn from(limit: Limit) -> Self {
        limit.0
    }
}

impl JsonSchema for Limit {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "minimum": Self::MIN,
            "maximum": Self::MAX,
            "description": "Rows per page.",
        })
    }
}

/// Where the next page begins: opaque, as an answer gave it in `next_cursor`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Cursor(String);

impl Cursor {
    // A list over several projects says where each goes on: room for five hundred.
    const MAX_CHARS: usize = 8_192;

    /// A cursor of our own making; it must be plain ASCII.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The cursor's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What to answer where the text is no cursor of this tool, or one of another question.
    #[must_use]
    pub fn refused() -> ToolError {
        ToolError::invalid(
            "cursor is not one that this tool gave for these filters",
            "leave cursor out for the first page, then pass next_cursor as it was given",
        )
    }
}

impl TryFrom<String> for Cursor {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if (1..=Self::MAX_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text))
        } else {
            Err("cursor is not one that a tool gave; pass next_cursor as it was given, or leave cursor out")
        }
    }
}

impl JsonSchema for Cursor {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Cursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": Self::MAX_CHARS,
            "description": "The last next_cursor.",
        })
    }
}

/// How much an answer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseFormat {
    /// What the next decision needs.
    #[default]
    Concise,
    /// Everything, with ids.
    Detailed,
}

impl ResponseFormat {
    /// Is everything wanted?
    #[must_use]
    pub fn is_detailed(self) -> bool {
        self == Self::Detailed
    }
}

impl JsonSchema for ResponseFormat {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ResponseFormat".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "enum": ["concise", "detailed"],
            "description": "detailed: everything.",
        })
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $field:literal, $max:literal, $description:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
        #[serde(transparent)]
        pub struct $type(String);

        impl $type {
            /// The name or id as it was given, without white space around it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = String;

            fn try_from(given: &str) -> Result<Self, String> {
                bounded($field, given, $max).map(Self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(NameVisitor { field: $field, max: $max }).map(Self)
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "maxLength": $max, "description": $description })
            }
        }
    };
}

name!(
    /// A project, by name or id.
    ProjectName, "project", 200, "Project; default all."
);
name!(
    /// A brand, by name, alias, domain or id.
    BrandName, "brand", 200, "Brand, alias or domain; default the own."
);
name!(
    /// An engine, by name.
    EngineName, "engine", 80, "Engine, such as chatgpt."
);
name!(
    /// A prompt, by id.
    PromptName, "prompt_id", 200, "Prompt id, number or text."
);
name!(
    /// A topic, by name.
    TopicName, "topic", 200, "Topic."
);
name!(
    /// A cited domain, by any host or URL of it.
    DomainName, "domain", 300, "Cited domain, such as example.com."
);
name!(
    /// A source, by its configured name.
    SourceText, "source", 80, "Source, by the name it has in list_sources."
);

fn bounded(field: &str, given: &str, max: usize) -> Result<String, String> {
    let given = given.trim();
    if given.is_empty() {
        return Err(format!("{field} is empty; expected a name or id, or leave it out"));
    }
    let chars = given.chars().count();
    if chars > max {
        return Err(format!("{field} has {chars} characters; allowed 1 to {max}"));
    }
    Ok(given.to_owned())
}

// Ids that are all digits arrive as numbers from some clients.
struct NameVisitor {
    field: &'static str,
    max: usize,
}

impl de::Visitor<'_> for NameVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as text", self.field)
    }

    fn visit_str<E: de::Error>(self, given: &str) -> Result<String, E> {
        bounded(self.field, given, self.max).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, given: u64) -> Result<String, E> {
        Ok(given.to_string())
    }

    fn visit_i64<E: de::Error>(self, given: i64) -> Result<String, E> {
        Ok(given.to_string())
    }
}

/// The words for an argument that is not one of a few, for tools with choices of their own.
#[must_use]
pub fn not_one_of(field: &str, given: &str, allowed: &[&str]) -> ToolError {
    ToolError::invalid(format!("{field} is {}; allowed: {}", shown(given), allowed.join(", ")), "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_limit_says_and_keeps_its_bounds() {
        for (given, limit) in [(json!(1), 1), (json!(100), 100), (json!(20.0), 20)] {
            assert_eq!(serde_json::from_value::<Limit>(given).unwrap().get(), limit);
        }
        for given in [json!(0), json!(101), json!(-3), json!(2.5), json!(1e300)] {
            let error = serde_json::from_value::<Limit>(given.clone()).unwrap_err().to_string();
            assert!(error.starts_with("limit is ") && error.ends_with("; allowed 1 to 100"), "{error}");
        }
        assert_eq!(
            serde_json::from_value::<Limit>(json!(1000)).unwrap_err().to_string(),
            "limit is 1000; allowed 1 to 100"
        );
        assert_eq!(serde_json::to_value(Limit::default()).unwrap(), json!(20));
    }

    #[test]
    fn a_cursor_is_opaque_and_bounded() {
        assert_eq!(serde_json::from_value::<Cursor>(json!("djEuMTIz-_=")).unwrap().as_str(), "djEuMTIz-_=");
        for bad in [json!(""), json!("a b"), json!("ä"), json!("a".repeat(8_193))] {
            assert!(serde_json::from_value::<Cursor>(bad).is_err());
        }
    }

    #[test]
    fn a_name_is_trimmed_bounded_and_may_be_a_number() {
        assert_eq!(serde_json::from_value::<BrandName>(json!(" Acme ")).unwrap().as_str(), "Acme");
        assert_eq!(serde_json::from_value::<ProjectName>(json!(4711)).unwrap().as_str(), "4711");
        for (bad, words) in [
            (json!("  "), "brand is empty; expected a name or id, or leave it out"),
            (json!("x".repeat(201)), "brand has 201 characters; allowed 1 to 200"),
            (json!([]), "invalid type: sequence, expected brand as text"),
        ] {
            assert_eq!(serde_json::from_value::<BrandName>(bad).unwrap_err().to_string(), words);
        }
    }
}

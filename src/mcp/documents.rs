//! Documents: what the protocol calls resources. Each is the answer of a tool under an address.

use super::{ToolCx, ToolError, schema::Object};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

const ID_CHARS: usize = 400;

// What stands in an id as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A kind of document, declared.
#[derive(Clone, Copy)]
pub struct Documents {
    /// What stands before the id, such as `visibility://run/`.
    pub prefix: &'static str,
    /// What the id is of, such as `run`.
    pub name: &'static str,
    /// As people see it.
    pub title: &'static str,
    /// What one holds.
    pub description: &'static str,
    /// The id's name in the address.
    pub variable: &'static str,
    /// The tool whose answer it is,
    pub tool: &'static str,
    /// its argument that the id is,
    pub argument: &'static str,
    /// and its others.
    pub others: &'static [(&'static str, &'static str)],
    /// Those that are worth a list; others can be asked for all the same.
    pub list: fn(&ToolCx<'_>) -> Result<Vec<Document>, ToolError>,
}

/// A document in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Its id.
    pub id: String,
    /// As people see it.
    pub title: String,
}

impl Documents {
    /// The address of any of them, as a template.
    #[must_use]
    pub fn template(&self) -> String {
        format!("{}{{{}}}", self.prefix, self.variable)
    }

    /// The address of one.
    #[must_use]
    pub fn address(&self, id: &str) -> String {
        format!("{}{}", self.prefix, utf8_percent_encode(id, PLAIN))
    }

    /// The arguments of the tool that answers for this address; none where it is not one of these.
    pub(super) fn arguments(&self, address: &str) -> Option<Object> {
        let id = percent_decode_str(address.strip_prefix(self.prefix)?).decode_utf8().ok()?.into_owned();
        if id.trim().is_empty() || id.chars().count() > ID_CHARS {
            return None;
        }
        let mut arguments = Object::new();
        arguments.insert(self.argument.to_owned(), id.into());
        arguments.extend(self.others.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
        Some(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const RUNS: Documents = Documents {
        prefix: "visibility://run/",
        name: "run",
        title: "Run",
        description: "A run.",
        variable: "id",
        tool: "get_run",
        argument: "run_id",
        others: &[("response_format", "detailed")],
        list: |_| Ok(Vec::new()),
    };

    #[test]
    fn an_id_survives_its_address() {
        assert_eq!(RUNS.template(), "visibility://run/{id}");
        for id in ["r0123", "a/b c", "Ünï %2F?#"] {
            let arguments = RUNS.arguments(&RUNS.address(id)).unwrap();
            assert_eq!(json!(arguments), json!({ "run_id": id, "response_format": "detailed" }));
        }
        for other in ["visibility://run/", "visibility://runs/1", "file:///etc/passwd", "visibility://run/%ff"] {
            assert_eq!(RUNS.arguments(other), None, "{other}");
        }
    }
}

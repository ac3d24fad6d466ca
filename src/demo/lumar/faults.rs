//! Faults that a test switches on: which operations they hit, how often, and what they do to an answer.

use super::request::Selected;
use crate::demo::{
    doors::Way,
    faults::{Rules, When},
    hostile::{FORGED_TAGS, TOOL_SHAPED, hidden_characters, huge},
};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What goes wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// 500 with `errors` and no data.
    Internal,
    /// A 502 page in HTML, as a proxy in front would send it.
    Html,
    /// 429 in plain text, with or without `Retry-After` in seconds.
    TooMany {
        /// The seconds to say; none leaves the header out.
        retry_after: Option<u64>,
    },
    /// The user key and all service keys are revoked and every session ends, for this request and all that follow.
    RevokeCredentials,
    /// Every session ends; a new one can be made.
    EndSessions,
    /// The connection is reset in the middle of the body.
    Reset,
    /// The body ends in the middle, although `Content-Length` promises all of it.
    Truncated,
    /// The body comes in drops.
    Drip {
        /// Bytes of a drop.
        chunk: usize,
        /// Pause before each drop.
        pause: Duration,
    },
    /// HTTP 200 in which one of the fields asked for is null, with its error, and the others have their data.
    Partial {
        /// Which of the fields that the fault is about, from 0.
        nth: usize,
        /// The error's code.
        code: &'static str,
    },
    /// `{"data": null}` and no error.
    NoData,
    /// The first nodes (or the one object) are not as promised.
    Nodes {
        /// What is done to them.
        change: NodeChange,
        /// To how many.
        count: usize,
    },
    /// Before the request is answered, the prompts whose runs it lists get another run of each engine on their newest
    /// day: every later page moves on.
    Arriving,
    /// `after` is not looked at: the first page for ever.
    CursorIgnored,
    /// Instead of nodes, lists inside lists, this deep.
    Deep {
        /// How deep.
        levels: usize,
    },
}

/// What is done to a node, as far as it has the fields; the last four keep the contract with a hostile text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeChange {
    /// Null instead of the node.
    Gone,
    /// No `id` and no `rawId`.
    MissingId,
    /// Null in every field but `id` and `rawId`.
    NullFields,
    /// Numbers for texts, texts for numbers.
    WrongTypes,
    /// A status that is not documented.
    UnknownStatus,
    /// A provider that is not documented.
    UnknownProvider,
    /// A creation time that is none.
    BadTime,
    /// Fields that nobody asked for.
    ExtraFields,
    /// Texts with zero-width, direction-changing, tag and control characters.
    HiddenCharacters,
    /// Texts that close tags they never opened and speak as the system.
    ForgedTags,
    /// Texts shaped like the result of a tool call.
    ToolShaped,
    /// Texts of 5 MB.
    Huge,
}

/// The faults of a server.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Rules<(String, Fault)>,
}

/// A fault that a request met, and what it is about.
pub(super) type Met = (String, Fault);

impl Faults {
    /// Switches a fault on for requests of this operation name or with this root field; empty for every request.
    pub fn inject(&self, target: &str, fault: Fault, when: When) {
        self.rules.add(target, (target.to_owned(), fault), when);
    }

    /// Switches all faults off.
    pub fn clear(&self) {
        self.rules.clear();
    }

    /// The faults that this request meets; counts it.
    pub(super) fn strike(&self, operation: Option<&str>, fields: &[String]) -> Vec<Met> {
        self.rules.strike(|target| {
            target.is_empty() || operation == Some(target) || fields.iter().any(|field| field == target)
        })
    }
}

/// How a body with these faults gets to the client; the first of them decides.
pub(super) fn way(faults: &[Met]) -> Way {
    let of = |(_, fault): &Met| match fault {
        Fault::Reset => Some(Way::Reset),
        Fault::Truncated => Some(Way::Truncated),
        Fault::Drip { chunk, pause } => Some(Way::Drip(*chunk, *pause)),
        _ => None,
    };
    faults.iter().find_map(of).unwrap_or_default()
}

/// Is this root field what the fault is about? A fault about an operation is about all its fields.
pub(super) fn is_about(target: &str, root: &Selected) -> bool {
    !target.starts_with("get") || target == root.name
}

/// The nodes of a root field's answer: those of a connection, the items of a list, or the object itself.
fn nodes(value: &mut Value) -> Vec<&mut Value> {
    if value.get("nodes").is_some_and(Value::is_array) {
        return value.get_mut("nodes").and_then(Value::as_array_mut).into_iter().flatten().collect();
    }
    match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(_) => vec![value],
        _ => Vec::new(),
    }
}

/// Changes the first nodes of a root field's answer.
pub(super) fn change(value: &mut Value, change: NodeChange, count: usize) {
    for node in nodes(value).into_iter().take(count) {
        change.apply(node);
    }
}

impl NodeChange {
    fn apply(self, node: &mut Value) {
        if self == Self::Gone {
            *node = Value::Null;
        }
        let Some(fields) = node.as_object_mut() else { return };
        match self {
            Self::Gone => {}
            Self::MissingId => fields.retain(|name, _| name != "id" && name != "rawId"),
            Self::NullFields => {
                let all = fields.iter_mut().filter(|(name, _)| *name != "id" && *name != "rawId");
                all.for_each(|(_, value)| *value = Value::Null);
            }
            Self::WrongTypes => {
                for (name, value) in fields.iter_mut().filter(|(name, _)| *name != "id") {
                    *value = match value {
                        Value::String(_) => json!(17),
                        Value::Number(_) => json!("seven"),
                        Value::Bool(_) => json!("yes"),
                        Value::Array(_) => json!({ name: "none" }),
                        _ => json!([]),
                    };
                }
            }
            Self::UnknownStatus => put(fields, "status", &json!("Throttled")),
            Self::UnknownProvider => put(fields, "aiProviderType", &json!("DeepSeekApi")),
            Self::BadTime => put(fields, "createdAt", &json!("yesterday")),
            Self::ExtraFields => {
                fields.insert("mood".to_owned(), json!(0.4));
                fields.insert("nestedExtra".to_owned(), json!({ "deep": [{ "deeper": null }] }));
            }
            Self::HiddenCharacters => texts(fields, &hidden_characters()),
            Self::ForgedTags => texts(fields, FORGED_TAGS),
            Self::ToolShaped => texts(fields, TOOL_SHAPED),
            Self::Huge => texts(fields, &huge()),
        }
    }
}

fn put(fields: &mut Map<String, Value>, name: &str, value: &Value) {
    if let Some(field) = fields.get_mut(name) {
        *field = value.clone();
    }
}

/// Writes into every field that holds what others wrote.
fn texts(fields: &mut Map<String, Value>, text: &str) {
    for name in ["fullAnswerText", "promptText", "content", "name", "topicName", "failureReason"] {
        put(fields, name, &json!(text));
    }
}

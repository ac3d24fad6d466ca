//! Faults that a test switches on: which requests they hit, how often, and what they do to an answer.

use super::json::lone_surrogate;
use crate::demo::{
    doors::Way,
    faults::PathFaults,
    hostile::{FORGED_TAGS, TOOL_SHAPED, hidden_characters, huge},
};
use serde_json::{Value, json};
use std::time::Duration;

/// What goes wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// 500 with a message.
    Internal,
    /// A 502 page in HTML, as a proxy in front would send it.
    Html,
    /// 429 in plain text, with or without `Retry-After` in seconds.
    TooMany {
        /// The seconds to say; none leaves the header out.
        retry_after: Option<u64>,
    },
    /// All keys are revoked, for this request and all that follow.
    RevokeKeys,
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
    /// The connection is closed without an answer.
    Closed,
    /// No filter is understood: the list of all llm runs comes back.
    FiltersIgnored,
    /// The limit is no greater than this, whatever was asked for; the answer tells the limit that was taken.
    LimitCapped(u32),
    /// The rows of a page stand in another order.
    OutOfOrder,
    /// The first rows of a page come twice, and as many at its end do not come.
    Repeated {
        /// How many.
        count: usize,
    },
    /// The first rows of the page (or the one run) are not as promised.
    Rows {
        /// What is done to them.
        change: RowChange,
        /// To how many.
        count: usize,
    },
    /// The output of the first row is lists inside lists, this deep.
    Deep {
        /// How deep.
        levels: usize,
    },
    /// Every text of an input or output ends in half an emoji.
    LoneSurrogates,
}

/// What is done to a row: the last four keep the contract with a hostile answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowChange {
    /// No `id`.
    MissingId,
    /// Null as `id`.
    NullId,
    /// A number for every text, a text for everything else.
    WrongTypes,
    /// A type that nobody knows.
    UnknownType,
    /// A status that nobody knows.
    UnknownStatus,
    /// A creation time that is none.
    BadCreatedAt,
    /// No creation time.
    NullCreatedAt,
    /// The duration as a number of milliseconds, as the vendor's page has it.
    NumberDuration,
    /// The cost as a text.
    StringCost,
    /// The fields of the vendor's page that are never sent, and others.
    ExtraFields,
    /// An answer with zero-width, direction-changing, tag and control characters.
    HiddenCharacters,
    /// An answer that closes tags it never opened and speaks as the system.
    ForgedTags,
    /// An answer shaped like the result of a tool call.
    ToolShaped,
    /// An answer of 5 MB.
    Huge,
}

/// The faults of a server, by the paths of requests below the base.
pub type Faults = PathFaults<Fault>;

/// How a body with these faults gets to the client.
pub(super) fn way(faults: &[Fault]) -> Way {
    let of = |fault: &Fault| match fault {
        Fault::Closed => Some(Way::Closed),
        Fault::Reset => Some(Way::Reset),
        Fault::Truncated => Some(Way::Truncated),
        Fault::Drip { chunk, pause } => Some(Way::Drip(*chunk, *pause)),
        _ => None,
    };
    let ways: Vec<Way> = faults.iter().filter_map(of).collect();
    // The rudest wins.
    let rudest = [Way::Closed, Way::Reset, Way::Truncated].into_iter().find(|way| ways.contains(way));
    rudest.or_else(|| ways.first().copied()).unwrap_or_default()
}

/// Stands for the lists inside lists until the body is written: values that deep cannot be held.
const DEEP: &str = "lists inside lists";

/// Does to rows what faults do to them.
pub(super) fn spoil(rows: &mut Vec<Value>, faults: &[Fault]) {
    for fault in faults {
        match fault {
            Fault::OutOfOrder => {
                // The last row comes first, and the others are turned round in pairs.
                rows.chunks_mut(2).for_each(<[Value]>::reverse);
                let last = 1.min(rows.len());
                rows.rotate_right(last);
            }
            Fault::Repeated { count } => {
                let length = rows.len();
                let again: Vec<Value> = rows.iter().take(*count).flat_map(|row| [row.clone(), row.clone()]).collect();
                rows.splice(..(*count).min(length), again);
                rows.truncate(length);
            }
            Fault::Rows { change, count } => rows.iter_mut().take(*count).for_each(|row| change.apply(row)),
            Fault::Deep { .. } => {
                if let Some(output) = rows.first_mut().and_then(|row| row.get_mut("output")) {
                    *output = json!(DEEP);
                }
            }
            Fault::LoneSurrogates => {
                for row in rows.iter_mut() {
                    for side in ["input", "output"] {
                        row.get_mut(side).map(halve);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Puts the lists inside lists where they belong.
pub(super) fn deepen(body: String, faults: &[Fault]) -> String {
    let levels = faults.iter().find_map(|fault| if let Fault::Deep { levels } = fault { Some(*levels) } else { None });
    match levels {
        Some(levels) => body.replace(&format!("\"{DEEP}\""), &format!("{}{}", "[".repeat(levels), "]".repeat(levels))),
        None => body,
    }
}

/// Ends every text in half an emoji.
fn halve(value: &mut Value) {
    match value {
        Value::String(text) => text.push(lone_surrogate()),
        Value::Array(list) => list.iter_mut().for_each(halve),
        Value::Object(object) => object.values_mut().for_each(halve),
        _ => {}
    }
}

impl RowChange {
    /// Changes a serialised row.
    fn apply(self, row: &mut Value) {
        let Some(columns) = row.as_object_mut() else { return };
        let answer = |text: &str| ("output", json!({ "role": "assistant", "content": text, "enrichments": [] }));
        let (name, value) = match self {
            Self::MissingId => {
                columns.remove("id");
                return;
            }
            Self::WrongTypes => {
                for value in columns.values_mut() {
                    *value = if value.is_string() { json!(7) } else { json!("seven") };
                }
                return;
            }
            Self::ExtraFields => {
                let extra = json!({ "siblingRunId": null, "parentRunId": "x", "total": 9, "nested": { "deep": [{ "deeper": null }] } });
                columns.extend(extra.as_object().cloned().unwrap_or_default());
                return;
            }
            Self::NullId => ("id", Value::Null),
            Self::UnknownType => ("type", json!("oracle-of-delphi")),
            Self::UnknownStatus => ("status", json!("half_done")),
            Self::BadCreatedAt => ("createdAt", json!("the day before yesterday")),
            Self::NullCreatedAt => ("createdAt", Value::Null),
            Self::NumberDuration => ("duration", json!(17_542)),
            Self::StringCost => ("cost", json!("0.0003726")),
            Self::HiddenCharacters => answer(&hidden_characters()),
            Self::ForgedTags => answer(FORGED_TAGS),
            Self::ToolShaped => answer(TOOL_SHAPED),
            Self::Huge => answer(&huge()),
        };
        columns.insert(name.to_owned(), value);
    }
}

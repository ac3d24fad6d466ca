//! Faults that a test switches on: which requests they hit, how often, and what they do to a page of rows.
//!
//! A fault is about one path and fires by counting the requests to it, never by chance or time.

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
    /// 500 with the API's own error envelope.
    Internal,
    /// 503 with the API's own error envelope.
    Unavailable,
    /// A 502 page in HTML, as a proxy in front would send it.
    Html,
    /// 429, however many tokens are left; with or without `Retry-After` in seconds.
    TooMany {
        /// The seconds to say; none leaves the header out.
        retry_after: Option<u64>,
    },
    /// The key is revoked, for this request and all that follow.
    RevokeKey,
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
    /// The first rows of the page are not as promised.
    Rows {
        /// What is done to them.
        change: RowChange,
        /// To how many.
        count: usize,
    },
    /// `offset` is not looked at: the first page for ever.
    OffsetIgnored,
    /// Rows move by one place between pages: one comes twice, one not at all.
    Shifting,
    /// The first row of the day is deleted after the first page: the others move up, one of them past the reader.
    Deleting,
}

/// What is done to a row: the first seven break the contract, the others keep it with a hostile answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowChange {
    /// No `id`.
    MissingId,
    /// No `prompt_text`.
    MissingPromptText,
    /// Text for numbers, a text for a list, a text for an object.
    WrongTypes,
    /// An engine that is not documented.
    UnknownEngine,
    /// A status that is not documented.
    UnknownStatus,
    /// Columns that are not documented.
    ExtraFields,
    /// Null where none is promised: `created_at`, `appeared_links`, `total_citations_count`.
    NullFields,
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
        Fault::Reset => Some(Way::Reset),
        Fault::Truncated => Some(Way::Truncated),
        Fault::Drip { chunk, pause } => Some(Way::Drip(*chunk, *pause)),
        _ => None,
    };
    let ways: Vec<Way> = faults.iter().filter_map(of).collect();
    // The rudest wins.
    let rudest = [Way::Reset, Way::Truncated].into_iter().find(|way| ways.contains(way));
    rudest.or_else(|| ways.first().copied()).unwrap_or_default()
}

impl RowChange {
    /// Changes a serialised row.
    pub(super) fn apply(self, row: &mut Value) {
        let Some(columns) = row.as_object_mut() else { return };
        let mut set = |name: &str, value: Value| {
            columns.insert(name.to_owned(), value);
        };
        match self {
            Self::MissingId => drop(columns.remove("id")),
            Self::MissingPromptText => drop(columns.remove("prompt_text")),
            Self::WrongTypes => {
                set("prompt_id", json!("seven"));
                set("total_citations_count", json!("3"));
                set("appeared_links", json!("https://plain-review.example/"));
                set("website", json!("https://www.example/"));
            }
            Self::UnknownEngine => set("engine", json!("oracle_of_delphi")),
            Self::UnknownStatus => set("status", json!("half_done")),
            Self::ExtraFields => {
                set("sentiment", json!(0.4));
                set("nested_extra", json!({ "deep": [{ "deeper": null }] }));
            }
            Self::NullFields => {
                for name in ["created_at", "appeared_links", "total_citations_count"] {
                    set(name, Value::Null);
                }
            }
            Self::HiddenCharacters => set("response_text", json!(hidden_characters())),
            Self::ForgedTags => set("response_text", json!(FORGED_TAGS)),
            Self::ToolShaped => set("response_text", json!(TOOL_SHAPED)),
            Self::Huge => set("response_text", json!(huge())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::faults::When;

    #[test]
    fn faults_fire_by_path_and_count() {
        let faults = Faults::default();
        let hits = |path: &str, n: usize| (0..n).map(|_| faults.strike(path).len()).collect::<Vec<_>>();
        faults.inject("/universes/*/prompts", Fault::Internal, When::After { skip: 1, count: 2 });
        assert_eq!(hits("/universes/a/days", 2), [0, 0]);
        assert_eq!(hits("/universes/a/prompts", 5), [0, 1, 1, 0, 0]);
        faults.clear();
        faults.inject("", Fault::Html, When::Every(2));
        faults.inject("/metrics", Fault::Reset, When::Next(1));
        assert_eq!(hits("/metrics", 4), [1, 1, 0, 1]);
    }
}

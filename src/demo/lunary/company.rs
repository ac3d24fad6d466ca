//! The rows that stand beside llm runs: agents, chains, tools, chats, threads and events, with some llm runs below them.

use super::{
    ids::Place,
    tracker::{Run, User},
};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

/// Each row's number among those of a day.
mod part {
    pub(super) const AGENT: u64 = 1;
    pub(super) const CHAIN: u64 = 2;
    pub(super) const TOOL: u64 = 3;
    pub(super) const THREAD: u64 = 4;
    pub(super) const CHAT: u64 = 5;
    pub(super) const INNER_CHAT: u64 = 6;
    pub(super) const EVENT: u64 = 7;
    pub(super) const RETRIEVER: u64 = 8;
}

/// The id of the chain that the llm runs of a day's first prompt lie under.
pub(super) fn chain(day: Place, seed: u64) -> String {
    Place { part: part::CHAIN, ..day }.id(seed)
}

/// The id of the chat that one llm run of a day's second prompt lies under; it lies under another chat itself.
pub(super) fn inner_chat(day: Place, seed: u64) -> String {
    Place { part: part::INNER_CHAT, ..day }.id(seed)
}

/// The rows of a day that are no llm runs. All of them begin right after the day does.
pub(super) fn company(day: Place, seed: u64, person: &User) -> Vec<Run> {
    let id = |part: u64| Place { part, ..day }.id(seed);
    let row = |part: u64, kind: &str, name: Option<&str>, parent: Option<u64>| {
        let micros = i64::try_from(part).unwrap_or(0) * 1_000_237;
        let start = day.day.start();
        let created_at: Timestamp = start.checked_add((60_000_000 + micros).microseconds()).unwrap_or(start);
        let timed = kind != "thread" && kind != "chat" && kind != "custom-event";
        Run {
            kind: kind.to_owned(),
            name: name.map(str::to_owned),
            parent: parent.map(id),
            status: timed.then(|| "success".to_owned()),
            ended_at: created_at
                .checked_add((250 * i64::try_from(part).unwrap_or(0)).milliseconds())
                .ok()
                .filter(|_| timed),
            input: Value::Null,
            ..Run::started(&id(part), "", created_at, "")
        }
    };
    let said = json!({ "role": "user", "content": "Has anything changed since yesterday?" });
    let answer = json!({ "role": "assistant", "content": "Nothing that stands out." });
    vec![
        Run {
            input: json!({ "input": "all prompts" }),
            output: json!({ "done": true }),
            metadata: json!({ "batch_size": 4 }),
            tags: Some(vec!["visibility".to_owned()]),
            ..row(part::AGENT, "agent", Some("visibility-check"), None)
        },
        Run {
            input: json!("first prompt"),
            output: json!(true),
            ..row(part::CHAIN, "chain", Some("ask-all"), Some(part::AGENT))
        },
        Run {
            input: json!({ "query": "news" }),
            output: json!(["nothing new"]),
            ..row(part::TOOL, "tool", Some("web_search"), Some(part::AGENT))
        },
        Run {
            input: json!("news"),
            output: json!([{ "source": "archive", "title": "Last week" }]),
            ..row(part::RETRIEVER, "retriever", Some("archive"), Some(part::AGENT))
        },
        Run {
            input: answer.clone(),
            tags: Some(vec!["support".to_owned()]),
            user: Some(person.clone()),
            ..row(part::THREAD, "thread", None, None)
        },
        Run {
            input: json!([said]),
            output: json!([answer]),
            feedback: json!({ "thumb": "up" }),
            user: Some(person.clone()),
            ..row(part::CHAT, "chat", None, Some(part::THREAD))
        },
        Run { input: json!([said]), ..row(part::INNER_CHAT, "chat", None, Some(part::CHAT)) },
        Run { metadata: json!({ "exported": true }), ..row(part::EVENT, "custom-event", Some("report-sent"), None) },
    ]
}

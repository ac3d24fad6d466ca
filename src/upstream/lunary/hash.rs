//! The hash of a run: equal where nothing changed but what changes by itself.

use super::{contract::ENRICHMENT, text::ENRICHMENTS};
use serde_json::Value;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::Xxh3;

/// What the server says of a person on all of their runs, newest state only: no change of a run.
const OF_THE_PERSON: &[&str] = &["lastSeen", "props"];

/// The hash of a run's fields. Evaluators that run later and what is told anew of the person do not count; feedback,
/// tags, metadata and scores do. The order of keys means nothing.
pub(super) fn hash_of(run: &BTreeMap<String, Value>) -> u64 {
    let mut hasher = Xxh3::new();
    let is_volatile = |name: &str| name == ENRICHMENTS || name == "toxicity" || name.starts_with(ENRICHMENT);
    for (name, value) in run.iter().filter(|(name, _)| !is_volatile(name)) {
        feed_text(&mut hasher, name);
        let left_out = if name == "user" { OF_THE_PERSON } else { &[] };
        feed(&mut hasher, value, left_out);
    }
    hasher.digest()
}

fn feed_text(hasher: &mut Xxh3, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

fn feed(hasher: &mut Xxh3, value: &Value, left_out: &[&str]) {
    match value {
        Value::Null => hasher.update(b"n"),
        Value::Bool(value) => hasher.update(if *value { b"t" } else { b"f" }),
        Value::Number(number) => {
            hasher.update(b"#");
            feed_text(hasher, &number.to_string());
        }
        Value::String(text) => {
            hasher.update(b"\"");
            feed_text(hasher, text);
        }
        Value::Array(items) => {
            hasher.update(b"[");
            for item in items {
                feed(hasher, item, &[]);
            }
            hasher.update(b"]");
        }
        Value::Object(object) => {
            let is_kept = |name: &str| name != ENRICHMENTS && !left_out.contains(&name);
            let mut fields: Vec<_> = object.iter().filter(|(name, _)| is_kept(name)).collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            hasher.update(b"{");
            for (name, value) in fields {
                feed_text(hasher, name);
                feed(hasher, value, &[]);
            }
            hasher.update(b"}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_changes_by_itself_is_no_change() {
        let hash = |run: Value| hash_of(&serde_json::from_value(run).unwrap());
        let run = json!({"id": "1", "output": {"content": "x", "enrichments": []}, "toxicity": {}, "tags": ["a"],
            "user": {"id": 1, "lastSeen": "a", "props": null}, "feedback": null});
        let with = |pointer: &str, value: Value| {
            let mut run = run.clone();
            *run.pointer_mut(pointer).unwrap() = value;
            hash(run)
        };
        assert_eq!(hash(run.clone()), with("/output/enrichments", json!([{"label": "pii"}])));
        assert_eq!(hash(run.clone()), with("/toxicity", json!({"output": {"isToxic": true}})));
        assert_eq!(hash(run.clone()), with("/user", json!({"props": {"a": 1}, "lastSeen": "b", "id": 1})));
        assert_eq!(hash(run.clone()), with("/output", json!({"content": "x"})));
        let mut evaluated = run.clone();
        evaluated["enrichment-9"] = json!({"result": 1});
        assert_eq!(hash(run.clone()), hash(evaluated));
        for (pointer, value) in [
            ("/output/content", json!("y")),
            ("/tags", json!(["a", "b"])),
            ("/tags", json!(["ab"])),
            ("/feedback", json!({"thumb": "up"})),
            ("/user/id", json!(2)),
            ("/id", json!(1)),
        ] {
            assert_ne!(hash(run.clone()), with(pointer, value), "{pointer}");
        }
    }
}

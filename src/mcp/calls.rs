//! What is noted of every call: one log line, and figures for who watches the server. Never arguments or answers.

use super::{ToolError, adapter::Call, answer::Rendered, metrics::Metrics, schema::Object};
use serde_json::Value;
use std::{io, sync::Arc, time::Duration};
use tracing::Level;
use xxhash_rust::xxh3::Xxh3;

// The log's name for calls, so that a server for many can keep all of them and leave out the rest of the detail.
const CALLS: &str = "visibility_mcp::calls";

/// Where calls are noted.
#[derive(Clone, Default)]
pub(super) struct Calls {
    /// A line for each call that went well too: a server for many keeps a record, one for its owner need not, since a
    /// line costs half as much as the call itself.
    pub(super) log_all: bool,
    pub(super) metrics: Option<Arc<Metrics>>,
}

/// What is known of a call before it is answered.
pub(super) struct CallRecord {
    tool: &'static str,
    /// The arguments may be private, so a digest tells calls apart.
    digest: Option<u64>,
    principal: String,
}

impl CallRecord {
    pub(super) fn of(calls: &Calls, tool: &'static str, call: &Call) -> Self {
        // Whatever becomes of it, a line may be due.
        let is_due = calls.metrics.is_some() || tracing::enabled!(target: CALLS, Level::INFO);
        Self {
            tool,
            digest: is_due.then(|| digest(&call.arguments)),
            principal: if is_due { call.principal.name.clone() } else { String::new() },
        }
    }
}

impl Calls {
    /// Notes how a call ended: what was refused or failed, and on request what went well.
    pub(super) fn note(&self, record: CallRecord, took: Duration, done: &Result<Rendered, ToolError>) {
        let Some(digest) = record.digest else { return };
        let outcome = done.as_ref().map_or_else(ToolError::class, |_| "ok");
        let bytes = done.as_ref().map_or(0, |answer| answer.text.len());
        if let Some(metrics) = &self.metrics {
            metrics.call(record.tool, outcome, took, bytes);
        }
        let (tool, principal) = (record.tool, record.principal);
        let arguments = format_args!("{digest:016x}");
        let duration_ms = took.as_secs_f64() * 1_000.0;
        let quiet = done.is_ok() && !self.log_all;
        if quiet && !tracing::enabled!(target: CALLS, Level::DEBUG) {
            return;
        }
        let rows = done.as_ref().map_or(0, |answer| rows(&answer.value));
        if quiet {
            tracing::debug!(target: CALLS, tool, %arguments, duration_ms, rows, bytes, outcome, principal, "call");
        } else {
            tracing::info!(target: CALLS, tool, %arguments, duration_ms, rows, bytes, outcome, principal, "call");
        }
    }
}

/// The rows of all tables of an answer.
fn rows(value: &Value) -> usize {
    match value {
        Value::Object(fields) => {
            let own = fields.get("rows").and_then(Value::as_array).filter(|_| fields.contains_key("columns"));
            own.map_or_else(|| fields.values().map(rows).sum(), Vec::len)
        }
        Value::Array(items) => items.iter().map(rows).sum(),
        _ => 0,
    }
}

fn digest(arguments: &Object) -> u64 {
    struct Hashed(Xxh3);
    impl io::Write for Hashed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashed = Hashed(Xxh3::new());
    // A map of JSON values always has a text.
    let _ = serde_json::to_writer(&mut hashed, arguments);
    hashed.0.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_those_of_all_tables() {
        let table = serde_json::json!({ "columns": ["a"], "rows": [[1], [2]] });
        let answer =
            serde_json::json!({ "runs": table, "projects": [{ "gaps": table, "rows": 7 }], "note": [1, 2, 3] });
        assert_eq!(rows(&answer), 4);
    }
}

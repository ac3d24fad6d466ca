//! `sync_now`: fetch what is new, now.

use super::support::{Table, no_source};
use crate::{
    mcp::{
        Hints, Lane, Tool, ToolCx, ToolError,
        params::{ResponseFormat, SourceText},
        quote::line,
    },
    model::SourceName,
    sync::{Outcome, SourceReport},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// The tool.
pub struct SyncNow;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    #[serde(default)]
    source: Option<SourceText>,
    /// Stop after this long; what is fetched stays.
    #[serde(default = "wait")]
    #[schemars(range(min = 1, max = 280))]
    wait_seconds: u32,
    #[serde(default)]
    response_format: ResponseFormat,
}

/// Below the minute after which many clients give up on a call.
fn wait() -> u32 {
    50
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    /// Every source is read as far as it can be now
    complete: bool,
    sources: Table,
    caveats: Vec<String>,
}

impl Tool for SyncNow {
    const NAME: &'static str = "sync_now";
    const TITLE: &'static str = "Sync now";
    const PAGE: &'static str = include_str!("sync_now.md");
    const HINTS: Hints = Hints::FETCH;
    const LANE: Lane = Lane::Network;

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        if !(1..=280).contains(&params.wait_seconds) {
            return Err(ToolError::invalid(format!("wait_seconds is {}; allowed 1 to 280", params.wait_seconds), ""));
        }
        if cx.setup().sources.is_empty() {
            return Err(no_source(cx.setup()));
        }
        let only: Vec<SourceName> = match &params.source {
            None => Vec::new(),
            Some(name) => vec![configured(cx, name)?],
        };
        let report = cx.sync(&only, Duration::from_secs(params.wait_seconds.into()))?;
        Ok(answer(&report.sources, params.response_format))
    }
}

/// The configured source of this name.
fn configured(cx: &ToolCx<'_>, name: &SourceText) -> Result<SourceName, ToolError> {
    let sources = &cx.setup().sources;
    let found = sources.iter().find(|source| source.as_str().eq_ignore_ascii_case(name.as_str()));
    found.cloned().ok_or_else(|| {
        let names = sources.iter().map(SourceName::as_str);
        ToolError::not_found("source", name.as_str(), names, "leave source out to sync all that are configured")
    })
}

fn answer(sources: &[SourceReport], format: ResponseFormat) -> Answer {
    let mut columns = vec!["source", "outcome", "slices_done", "slices_planned", "added", "changed", "error", "remedy"];
    if format.is_detailed() {
        columns.extend(["projects", "unchanged", "gone", "put_aside", "pages", "size_bytes"]);
    }
    let mut table = Table::new(columns);
    let mut caveats = Vec::new();
    for source in sources {
        let (outcome, error, hint) = match &source.outcome {
            Outcome::Done => ("done", Value::Null, Value::Null),
            Outcome::Cancelled => ("stopped", Value::Null, Value::Null),
            Outcome::Busy => ("busy", Value::Null, Value::Null),
            Outcome::Failed { error, hint, .. } => ("failed", line(error, 300).into(), line(hint, 300).into()),
        };
        let name = &source.source;
        match &source.outcome {
            Outcome::Cancelled => caveats.push(format!("{name} is not read whole yet; call sync_now again to go on")),
            Outcome::Busy => {
                caveats.push(format!("{name} is being synced elsewhere; list_sources says when it is done"));
            }
            _ => {}
        }
        let counts = &source.counts;
        let mut row = vec![
            name.as_str().into(),
            outcome.into(),
            source.slices_done.into(),
            source.slices_planned.into(),
            counts.added.into(),
            counts.changed.into(),
            error,
            hint,
        ];
        if format.is_detailed() {
            row.push(source.projects.into());
            row.extend([counts.unchanged, counts.gone, counts.rejected, counts.pages, counts.bytes].map(Value::from));
        }
        table.rows.push(row);
    }
    let complete = sources.iter().all(|source| source.outcome == Outcome::Done);
    Answer { complete, sources: table, caveats }
}

//! A change on what both sides have, as answers show it.

use crate::analysis::{Change, Verdict, round4};
use schemars::JsonSchema;
use serde::Serialize;

/// A change on the prompts and engines seen in both periods.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Moved {
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    difference: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    high: Option<f64>,
    /// What data like this would have shown four times in five
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    smallest_detectable: Option<f64>,
    prompts: u32,
    runs_before: u64,
    runs_now: u64,
    /// Runs without a partner in the other period
    runs_left_out: u64,
}

impl From<Change> for Moved {
    fn from(change: Change) -> Self {
        let left_out = change.left_out.runs_before + change.left_out.runs_now;
        Self {
            verdict: change.verdict,
            difference: change.difference.map(round4),
            low: change.low.map(round4),
            high: change.high.map(round4),
            smallest_detectable: change.smallest_detectable.map(round4),
            prompts: change.prompts,
            runs_before: change.runs_before,
            runs_now: change.runs_now,
            runs_left_out: left_out,
        }
    }
}

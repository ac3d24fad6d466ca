//! `as_of`: how fresh and how whole the data behind an answer is, per source.

use super::Target;
use crate::{
    analysis::{fraction, round4},
    mcp::{ToolCx, ToolError},
    model::{Day, DayRange, SourceName},
    store::{EngineCoverage, Reader},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Freshness of one source.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(crate) struct AsOf {
    /// The source
    pub source: String,
    /// Last UTC day that is complete
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_complete_day: Option<Day>,
    /// End of the last sync that did all it had planned, UTC
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_at: Option<String>,
    /// Runs without a final status / all runs, in the period or in the last 30 days
    pub open_share: f64,
    /// Failed runs / all runs there
    pub failed_share: f64,
    /// A sync runs now
    pub syncing: bool,
}

super::open::open_object!(AsOf);

/// Freshness of the sources behind these projects over a period, and what is worth a warning.
pub(crate) fn as_of(
    cx: &ToolCx<'_>,
    reader: &Reader,
    targets: &[Target],
    days: DayRange,
    caveats: &mut Vec<String>,
) -> Result<Vec<AsOf>, ToolError> {
    let mut sources: BTreeMap<SourceName, (EngineCoverage, Option<Day>)> = BTreeMap::new();
    for target in targets {
        let total = reader.runs_of(&target.row.key, days)?;
        let (sum, day) = sources.entry(target.row.key.source.clone()).or_insert((EngineCoverage::default(), None));
        sum.finished += total.finished;
        sum.failed += total.failed;
        sum.open += total.open;
        *day = (*day).max(reader.reach(&target.row.key, cx.now())?.last_complete_day);
    }
    sources.into_iter().map(|(source, (sum, day))| freshness(cx, reader, &source, sum, day, caveats)).collect()
}

fn freshness(
    cx: &ToolCx<'_>,
    reader: &Reader,
    source: &SourceName,
    sum: EngineCoverage,
    last_complete_day: Option<Day>,
    caveats: &mut Vec<String>,
) -> Result<AsOf, ToolError> {
    let all = sum.finished + sum.failed + sum.open;
    let share = |part: u64| fraction(part, all).map_or(0.0, round4);
    let last = reader.last_sync(source)?;
    if let Some(error) = last.as_ref().and_then(|last| last.error.as_ref()) {
        let hint = last.as_ref().and_then(|last| last.hint.clone()).unwrap_or_default();
        caveats.push(format!("the last sync of {source} failed: {error}; {hint}"));
    }
    if last_complete_day.is_some_and(|day| day.plus(3) < cx.today()) {
        caveats.push(format!(
            "{source}: the data ends days before today; run `visibility-mcp sync` if newer days are expected"
        ));
    }
    if all >= 20 && sum.failed * 5 > all {
        caveats.push(format!("{source}: more than a fifth of the runs in the period failed"));
    }
    let ended = reader.last_good_sync(source)?.and_then(|sync| sync.ended_at);
    Ok(AsOf {
        source: source.to_string(),
        last_complete_day,
        last_sync_at: ended.map(|at| at.to_string()),
        open_share: share(sum.open),
        failed_share: share(sum.failed),
        syncing: reader.is_syncing(source, cx.now())?,
    })
}

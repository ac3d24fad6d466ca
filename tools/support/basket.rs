//! Baskets: the prompts and engines that a fair comparison keeps, by a name that `list_prompt_runs` takes.
//!
//! The name says by which rule a basket is filled and over which days, so that a list of fewer days or of one engine,
//! such as a row of the comparison, is still of the same prompts and engines.

use super::Metric;
use crate::{
    analysis::{Alike, Interval, basket, buckets},
    mcp::ToolError,
    model::{Cell, DayRange, EngineRef, PromptRef},
    store::{CellQuery, CellTable, Reader},
};
use serde_json::{Value, from_value};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// Buckets whose cells are held at once: of a big project's year they are more than a memory should hold.
const AT_ONCE: usize = 32;

/// A basket's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BasketName {
    /// The prompts that all engines compared were asked, on these engines.
    Engines(DayRange),
    /// The prompts and engines that were looked at for a figure in every day, week or month.
    Alike(Interval, Metric, DayRange),
}

impl BasketName {
    /// The days over which it is filled.
    pub(crate) fn days(self) -> DayRange {
        match self {
            Self::Engines(days) | Self::Alike(.., days) => days,
        }
    }

    /// What is in it of a project, for its own days whatever those of the query.
    pub(crate) fn cells(
        self,
        reader: &Reader,
        query: &CellQuery<'_>,
    ) -> Result<BTreeSet<(PromptRef, EngineRef)>, ToolError> {
        let of = |cells: &[Cell]| cells.iter().map(|cell| (cell.prompt, cell.engine)).collect();
        match self {
            Self::Engines(days) => {
                let table = reader.cells(&CellQuery { days, engine: None, ..*query })?;
                Ok(of(&basket(&table.cells).cells))
            }
            Self::Alike(interval, metric, days) => {
                let cut: Vec<DayRange> = buckets(days, interval, None).into_iter().map(|(days, _)| days).collect();
                Ok(alike(reader, query, &cut, metric)?.cells().collect())
            }
        }
    }
}

/// The prompts and engines that every bucket with data has.
pub(crate) fn alike(
    reader: &Reader,
    query: &CellQuery<'_>,
    buckets: &[DayRange],
    metric: Metric,
) -> Result<Alike, ToolError> {
    let mut alike = Alike::default();
    each_bucket(reader, query, buckets, |_, table| alike.see(&table.cells, |cell| metric.checked(cell)))?;
    Ok(alike)
}

/// The cells of bucket after bucket, with its place.
pub(crate) fn each_bucket(
    reader: &Reader,
    query: &CellQuery<'_>,
    buckets: &[DayRange],
    mut each: impl FnMut(usize, CellTable),
) -> Result<(), ToolError> {
    for (i, some) in buckets.chunks(AT_ONCE).enumerate() {
        let tables = reader.cell_series(query, some)?;
        tables.into_iter().enumerate().for_each(|(j, table)| each(i * AT_ONCE + j, table));
    }
    Ok(())
}

/// The name as it is written in JSON, which is the name that serde knows.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

impl fmt::Display for BasketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engines(days) => write!(f, "engines {days}"),
            Self::Alike(interval, metric, days) => write!(f, "{} {} {days}", word(interval), word(metric)),
        }
    }
}

impl FromStr for BasketName {
    type Err = ToolError;

    fn from_str(text: &str) -> Result<Self, ToolError> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let days = parts.last().and_then(|days| range(days));
        let named = |text: &str| Value::from(text);
        let found = match (parts.as_slice(), days) {
            (["engines", _], Some(days)) => Some(Self::Engines(days)),
            ([interval, metric, _], Some(days)) => from_value(named(interval))
                .ok()
                .zip(from_value(named(metric)).ok())
                .map(|(interval, metric)| Self::Alike(interval, metric, days)),
            _ => None,
        };
        found.ok_or_else(|| {
            ToolError::invalid(
                "basket is not one that a tool gave",
                "pass it as it stands in runs_filter, or leave it out for all prompts and engines",
            )
        })
    }
}

fn range(text: &str) -> Option<DayRange> {
    let (first, last) = text.split_once("..")?;
    let days = DayRange { first: first.parse().ok()?, last: last.parse().ok()? };
    (1..=DayRange::MAX_DAYS).contains(&days.days()).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written_and_nothing_else_is() {
        let days = range("2026-10-01..2026-10-31").unwrap();
        for name in [BasketName::Engines(days), BasketName::Alike(Interval::Week, Metric::CitationRate, days)] {
            assert_eq!(name.to_string().parse::<BasketName>().unwrap(), name);
        }
        for bad in ["", "engines", "engines 30d", "week 2026-10-01..2026-10-31", "week runs 2026-10-01..2026-10-31"] {
            assert!(bad.parse::<BasketName>().is_err(), "{bad}");
        }
        assert_eq!(range("2026-10-31..2026-10-01"), None);
    }
}

//! Figures that a tracker publishes, beside the same figures from the cache.

use super::{Table, cell};
use crate::{
    analysis::{Recheck, ScoreParts, distance},
    mcp::{ToolError, quote::QuotedLine},
    model::{Brand, Day, DayRange, ProjectKey},
    store::{Reader, ScoreDay},
};
use std::collections::HashMap;

/// A figure by its name in the cache, and how it is computed here.
type Figure = (&'static str, fn(&ScoreParts) -> Option<f64>);

const FIGURES: [Figure; 3] = [
    ("visibility_index", ScoreParts::visibility_index),
    ("quality_score", ScoreParts::quality_score),
    ("presence_rate_percent", ScoreParts::presence_percent),
];

/// How far the published figures of these brands are from what the cached runs come to, over some days. None where the
/// tracker publishes nothing that can be recomputed.
pub(crate) fn rechecked(
    reader: &Reader,
    project: &ProjectKey,
    brands: &[Brand],
    days: DayRange,
) -> Result<Option<Table>, ToolError> {
    let mut table = Table::new(["brand", "figure", "days", "mean_difference", "greatest_difference", "on_day"]);
    for brand in brands {
        let mut parts: Option<HashMap<Day, ScoreParts>> = None;
        for (name, compute) in FIGURES {
            let published = reader.published(project, &brand.key, name, days)?;
            if published.is_empty() {
                continue;
            }
            if parts.is_none() {
                let rows = reader.score_days(project, &brand.key, days)?;
                parts = Some(rows.iter().map(|row| (row.day, parts_of(row))).collect());
            }
            let computed = |day: &Day| parts.as_ref().and_then(|parts| parts.get(day)).and_then(compute);
            let rechecks: Vec<Recheck> = published
                .iter()
                .filter_map(|(day, published)| {
                    Some(Recheck { day: *day, published: *published, computed: computed(day)? })
                })
                .collect();
            let Some((mean, greatest, day)) = distance(&rechecks) else { continue };
            table.rows.push(vec![
                QuotedLine::new(&brand.name, 120).as_str().into(),
                name.into(),
                rechecks.len().into(),
                cell(Some(mean)),
                cell(Some(greatest)),
                day.to_string().into(),
            ]);
        }
    }
    Ok((!table.rows.is_empty()).then_some(table))
}

fn parts_of(row: &ScoreDay) -> ScoreParts {
    ScoreParts {
        runs: row.runs,
        mentioned: row.mentioned,
        cited: row.cited,
        present: row.present,
        mention_quality: row.mention_quality,
        citation_quality: row.citation_quality,
    }
}

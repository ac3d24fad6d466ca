//! Figures that a tracker publishes, beside the same figures from the cache.

use super::{Table, cell};
use crate::{
    analysis::{Recheck, distance, presence_percent, quality_score, visibility_index},
    mcp::{ToolError, quote::QuotedLine},
    model::{Brand, Day, DayRange, ProjectKey, ScoreParts},
    store::Reader,
};
use std::collections::HashMap;

/// A figure by its name in the cache, and how it is computed here.
type Figure = (&'static str, fn(&ScoreParts) -> Option<f64>);

const FIGURES: [Figure; 3] = [
    ("visibility_index", visibility_index),
    ("quality_score", quality_score),
    ("presence_rate_percent", presence_percent),
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
                parts = Some(reader.score_days(project, &brand.key, days)?.into_iter().collect());
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

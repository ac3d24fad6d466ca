//! Figures that a tracker publishes, beside the same figures from the cache.

use super::{Table, cell};
use crate::{
    analysis::distance,
    mcp::{ToolError, quote::QuotedLine},
    model::{Brand, DayRange, ProjectKey},
    store::Reader,
};

/// How far the published figures of these brands are from what the cached runs come to, over some days. None where the
/// tracker publishes nothing that can be recomputed.
pub(crate) fn rechecked(
    reader: &Reader,
    project: &ProjectKey,
    brands: &[Brand],
    days: DayRange,
) -> Result<Option<Table>, ToolError> {
    let mut table = Table::new(["brand", "figure", "days", "mean_difference", "greatest_difference", "on_day"]);
    for rechecks in reader.rechecks(project, days)?.chunk_by(|a, b| (&a.brand, &a.metric) == (&b.brand, &b.metric)) {
        let Some(first) = rechecks.first() else { continue };
        let Some(brand) = brands.iter().find(|brand| brand.key == first.brand) else { continue };
        let Some((mean, greatest, day)) = distance(rechecks) else { continue };
        table.rows.push(vec![
            QuotedLine::new(&brand.name, 120).as_str().into(),
            first.metric.as_str().into(),
            rechecks.len().into(),
            cell(Some(mean)),
            cell(Some(greatest)),
            day.to_string().into(),
        ]);
    }
    Ok((!table.rows.is_empty()).then_some(table))
}

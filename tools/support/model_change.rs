//! The model behind an engine changed inside the window: what a verdict must be read with.

use super::Question;
use crate::{
    analysis::model_changes,
    mcp::{ToolError, quote::line},
    model::DayRange,
    store::Reader,
};

/// So many are told.
const MOST: usize = 3;

/// Says which engines asked about answered as another model from some day of `days` on, the newest change first.
pub(crate) fn note_model_changes(
    reader: &Reader,
    question: &Question,
    days: DayRange,
    caveats: &mut Vec<String>,
) -> Result<(), ToolError> {
    let mut changes = Vec::new();
    for one in &question.asked {
        let mut rows = reader.models(&one.target.row.key, days)?;
        rows.retain(|row| question.engine.as_ref().is_none_or(|engine| *engine == row.engine));
        for change in model_changes(&rows) {
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
    }
    changes.sort_by(|a, b| b.day.cmp(&a.day).then_with(|| a.engine.cmp(&b.engine)));
    let more = changes.len().saturating_sub(MOST);
    caveats.extend(changes.iter().take(MOST).map(|change| {
        let [engine, to, from] = [&change.engine, &change.to, &change.from].map(|name| line(name, 60));
        format!("model_change: {engine} answered as {to} from {}, before as {from}", change.day)
    }));
    if more > 0 {
        caveats.push(format!("model_change: {more} earlier ones in {days}"));
    }
    Ok(())
}

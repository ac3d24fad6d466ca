//! Where two sources measure the same brand on the same engine and days, and do not come to the same.

use super::{Asked, Question};
use crate::{
    analysis::{Figures, Rate, apart, by_engine, round4},
    mcp::{ToolError, quote::line},
    model::{Brand, DayRange},
    store::{CellQuery, CellTable, Reader},
};

/// So many are told.
const MOST: usize = 2;

/// One rate that two sources do not agree about.
struct Gap {
    size: f64,
    words: String,
}

/// Says where sources differ by more than their intervals allow, the largest gaps first. `tables` are the cells of each
/// project asked about.
pub(crate) fn note_disagreements(
    reader: &Reader,
    question: &Question,
    tables: &[CellTable],
    caveats: &mut Vec<String>,
) -> Result<(), ToolError> {
    let sides: Vec<(&Asked, &CellTable)> = question.asked.iter().zip(tables).collect();
    let mut gaps = Vec::new();
    for (i, (one, table)) in sides.iter().enumerate() {
        for (other, other_table) in sides.iter().skip(i + 1) {
            let same_source = one.target.row.key.source == other.target.row.key.source;
            if same_source || !is_same(&one.brand, &other.brand) {
                continue;
            }
            let Some(days) = common_days(question.days, one, other) else { continue };
            if days == question.days {
                gaps.extend(gaps_between((one, table), (other, other_table)));
            } else {
                let cells = |asked: &Asked| reader.cells(&CellQuery { days, ..question.query(asked) });
                gaps.extend(gaps_between((one, &cells(one)?), (other, &cells(other)?)));
            }
        }
    }
    gaps.sort_by(|a, b| b.size.total_cmp(&a.size));
    caveats.extend(gaps.into_iter().take(MOST).map(|gap| gap.words));
    Ok(())
}

/// The same name, or a domain that both own.
fn is_same(one: &Brand, other: &Brand) -> bool {
    one.name.to_lowercase() == other.name.to_lowercase()
        || one.domains.iter().any(|domain| other.domains.contains(domain))
}

/// The days of the window for which both have data.
fn common_days(days: DayRange, one: &Asked, other: &Asked) -> Option<DayRange> {
    let (a, b) = (one.reach.days?, other.reach.days?);
    let first = days.first.max(a.first).max(b.first);
    let last = days.last.min(a.last).min(b.last);
    (first <= last).then_some(DayRange { first, last })
}

/// Of each engine that both asked, the rate that is furthest apart, if it is apart at all.
fn gaps_between((one, table): (&Asked, &CellTable), (other, other_table): (&Asked, &CellTable)) -> Vec<Gap> {
    let figures = |table: &CellTable| -> Vec<(String, Figures)> {
        let named = |(engine, figures)| Some((table.engines.get(&engine)?.clone(), figures));
        by_engine(&table.cells).into_iter().filter_map(named).collect()
    };
    let others = figures(other_table);
    let mut gaps = Vec::new();
    for (engine, ours) in figures(table) {
        let Some((_, theirs)) = others.iter().find(|(name, _)| *name == engine) else { continue };
        let rates = |figures: &Figures| [figures.presence_rate, figures.mention_rate, figures.citation_rate];
        let names = ["presence_rate", "mention_rate", "citation_rate"];
        let found = names.into_iter().zip(rates(&ours).into_iter().zip(rates(theirs))).filter_map(|(name, (a, b))| {
            let gap = apart(&a, &b).filter(crate::analysis::Apart::is_beyond_noise)?;
            Some((gap.difference.abs(), name, a, b))
        });
        let Some((size, name, a, b)) = found.max_by(|a, b| a.0.total_cmp(&b.0)) else { continue };
        let words = format!(
            "source_disagreement: {name} of {} on {} is {} in {} and {} in {}",
            line(&one.brand.name, 60),
            line(&engine, 40),
            shown(&a),
            one.target.row.key.source,
            shown(&b),
            other.target.row.key.source,
        );
        gaps.push(Gap { size, words });
    }
    gaps
}

fn shown(rate: &Rate) -> String {
    let [value, low, high] = [rate.value, rate.low, rate.high].map(|figure| figure.map_or(0.0, round4));
    format!("{value:?} ({low:?} to {high:?})")
}

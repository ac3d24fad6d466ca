//! The tables of a comparison of brands.

use super::{
    super::support::{Table, cell},
    Contender,
};
use crate::{
    analysis::{Change, Pairing, control_changes, difference, duel},
    mcp::{ToolError, params::ResponseFormat, quote::QuotedLine},
    model::PromptRef,
    store::Reader,
};
use serde_json::{Value, json};

fn name(contender: &Contender) -> Value {
    QuotedLine::new(&contender.brand.name, 80).as_str().into()
}

/// The figures of every brand, side by side.
pub(super) fn leaderboard(shown: &[&Contender], format: ResponseFormat) -> Table {
    let mut columns = vec![
        "brand",
        "kind",
        "presence_rate",
        "presence_low",
        "presence_high",
        "mention_rate",
        "citation_rate",
        "mention_share_of_voice",
        "citation_share_of_voice",
        "avg_mention_rank",
    ];
    if format.is_detailed() {
        columns.extend(["present_runs", "checked_runs", "mention_basis", "citation_basis"]);
    }
    let mut table = Table::new(columns);
    for contender in shown {
        let figures = &contender.figures;
        let mut row = vec![
            name(contender),
            contender.brand.kind.as_str().into(),
            cell(figures.presence_rate.value),
            cell(figures.presence_rate.low),
            cell(figures.presence_rate.high),
            cell(figures.mention_rate.value),
            cell(figures.citation_rate.value),
            cell(figures.mention_share_of_voice.value),
            cell(figures.citation_share_of_voice.value),
            cell(figures.avg_mention_rank.value),
        ];
        if format.is_detailed() {
            let bases = &contender.table.bases;
            row.extend([figures.presence_rate.hits.into(), figures.presence_rate.runs.into()]);
            row.extend([json!(bases.mentions), json!(bases.citations)]);
        }
        table.rows.push(row);
    }
    table
}

/// One brand against each of the others.
pub(super) fn head_to_head(own: &Contender, others: &[&Contender]) -> Table {
    let mut table = Table::new([
        "rival",
        "only_us",
        "only_them",
        "both",
        "neither",
        "difference",
        "low",
        "high",
        "verdict",
        "smallest_detectable",
    ]);
    let less = |other: &&Contender| {
        let (them, us) = (&other.table.cells, &own.table.cells);
        difference(them, us, Pairing::PromptAndEngine, |cell| (cell.present, cell.presence_checked))
    };
    let mut changes: Vec<Change> = others.iter().map(less).collect();
    control_changes(&mut changes);
    for (other, change) in others.iter().zip(changes) {
        let prompts = duel(&own.table.cells, &other.table.cells);
        table.rows.push(vec![
            name(other),
            prompts.only_us.into(),
            prompts.only_them.len().into(),
            prompts.both.into(),
            prompts.neither.into(),
            cell(change.difference),
            cell(change.low),
            cell(change.high),
            change.verdict.as_str().into(),
            cell(change.smallest_detectable),
        ]);
    }
    table
}

/// Prompts, and in how many runs of each the rival appears.
pub(super) fn prompts(reader: &Reader, list: &[(PromptRef, u32)]) -> Result<Table, ToolError> {
    let mut table = Table::new(["prompt_id", "prompt", "rival_runs"]);
    let refs: Vec<PromptRef> = list.iter().map(|(prompt, _)| *prompt).collect();
    for (prompt, (_, runs)) in reader.prompts(&refs)?.into_iter().zip(list) {
        let text = QuotedLine::new(&prompt.text, 90);
        table.rows.push(vec![prompt.id.to_string().into(), text.as_str().into(), (*runs).into()]);
    }
    Ok(table)
}

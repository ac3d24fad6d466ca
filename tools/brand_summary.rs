//! `brand_summary`: how a brand is doing, in one call.

use super::support::{
    AsOf, Asked, Moved, Names, Question, RunsFilter, Sourced, Table, cell, note_disagreements, note_model_changes,
    owner_of, read,
};
use crate::{
    analysis::{Figures, Mean, Rate, by_engine, change, fraction, prompt_gaps},
    mcp::{
        Tool, ToolCx, ToolError,
        params::{BrandName, EngineName, Period, ProjectName, ResponseFormat},
        quote::{QuotedFields, QuotedLine},
    },
    model::{BrandKind, DayRange, PromptRef},
    store::{Bases, CellQuery, CellTable, Reader},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The tool.
pub struct BrandSummary;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    #[serde(default)]
    project: Option<ProjectName>,
    #[serde(default)]
    brand: Option<BrandName>,
    #[serde(default)]
    engine: Option<EngineName>,
    #[serde(default)]
    period: Period,
    /// Count branded prompts too.
    #[serde(default)]
    include_branded: bool,
    #[serde(default)]
    response_format: ResponseFormat,
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    /// One per project that has the brand; side by side, never to be added up
    summaries: Vec<Summary>,
    as_of: Vec<AsOf>,
    caveats: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Summary {
    project: QuotedLine,
    source: String,
    brand: QuotedLine,
    kind: BrandKind,
    period: DayRange,
    compared_with: DayRange,
    basis: Sourced,
    /// Finished runs in scope
    runs: u64,
    prompts: u32,
    /// Finished runs left out because their prompt names a tracked brand
    branded_runs_left_out: u64,
    presence_rate: Rate,
    mention_rate: Rate,
    citation_rate: Rate,
    /// hits: its mentions; runs: mentions of all tracked brands
    mention_share_of_voice: Rate,
    /// hits: its citations; runs: citations of all tracked brands
    citation_share_of_voice: Rate,
    avg_citation_position: Mean,
    avg_mention_rank: Mean,
    avg_sentiment: Mean,
    change: Changes,
    by_engine: Table,
    /// runs: finished runs that cite the domain
    top_sources: Table,
    /// Prompts where a competitor appears and the own brand does not; own brand only
    worst_gaps: Table,
    /// Arguments for `list_prompt_runs` that give the runs counted here
    runs_filter: RunsFilter,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Changes {
    presence_rate: Moved,
    mention_rate: Moved,
    citation_rate: Moved,
}

impl Tool for BrandSummary {
    const NAME: &'static str = "brand_summary";
    const TITLE: &'static str = "Brand summary";
    const PAGE: &'static str = include_str!("brand_summary.md");

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        read(cx, |reader| answer(cx, reader, &params))
    }
}

fn answer(cx: &ToolCx<'_>, reader: &Reader, params: &Params) -> Result<Answer, ToolError> {
    let mut caveats = Vec::new();
    let most = if params.response_format.is_detailed() { 8 } else { 2 };
    let names = Names {
        project: params.project.as_ref(),
        brand: params.brand.as_ref(),
        engine: params.engine.as_ref(),
        period: params.period,
        include_branded: params.include_branded,
        ..Names::default()
    };
    let question = Question::find(cx, reader, &names, most, &mut caveats)?;
    let rows = match (params.response_format.is_detailed(), question.asked.len()) {
        (true, _) => 20,
        (false, 1) => 5,
        (false, _) => 1,
    };
    let tables: Vec<CellTable> =
        question.asked.iter().map(|one| reader.cells(&question.query(one))).collect::<Result<_, _>>()?;
    let summaries = question
        .asked
        .iter()
        .zip(&tables)
        .map(|(one, now)| {
            let summary = summary(reader, (&question, one, now), rows, &mut caveats)?;
            question.note_if_empty(one, summary.runs, &mut caveats);
            Ok(summary)
        })
        .collect::<Result<Vec<_>, ToolError>>()?;
    note_disagreements(reader, &question, &tables, &mut caveats)?;
    let both_windows = DayRange { first: question.days.before().first, last: question.days.last };
    note_model_changes(reader, &question, both_windows, &mut caveats)?;
    Ok(Answer {
        quoted_fields: QuotedFields(&["project", "brand", "engine", "domain", "owner", "prompt", "caveats"]),
        summaries,
        as_of: question.as_of(cx, reader, &mut caveats)?,
        caveats,
    })
}

fn summary(
    reader: &Reader,
    (question, one, now): (&Question, &Asked, &CellTable),
    rows: usize,
    caveats: &mut Vec<String>,
) -> Result<Summary, ToolError> {
    let (query, days) = (question.query(one), question.days);
    let before = reader.cells(&CellQuery { days: days.before(), ..query })?;
    let figures = Figures::of(&now.cells);
    let name = one.project();
    warn(&figures, &now.bases, (one, name.as_str()), caveats);
    Ok(Summary {
        project: name,
        source: one.target.row.key.source.to_string(),
        brand: QuotedLine::new(&one.brand.name, 120),
        kind: one.brand.kind,
        period: days,
        compared_with: days.before(),
        basis: (&now.bases).into(),
        runs: figures.runs,
        prompts: figures.prompts,
        branded_runs_left_out: now.branded_runs,
        presence_rate: figures.presence_rate,
        mention_rate: figures.mention_rate,
        citation_rate: figures.citation_rate,
        mention_share_of_voice: figures.mention_share_of_voice,
        citation_share_of_voice: figures.citation_share_of_voice,
        avg_citation_position: figures.avg_citation_position,
        avg_mention_rank: figures.avg_mention_rank,
        avg_sentiment: figures.avg_sentiment,
        change: Changes {
            presence_rate: change(&before.cells, &now.cells, |cell| (cell.present, cell.presence_checked)).into(),
            mention_rate: change(&before.cells, &now.cells, |cell| (cell.mentioned, cell.mention_checked)).into(),
            citation_rate: change(&before.cells, &now.cells, |cell| (cell.cited, cell.citation_checked)).into(),
        },
        by_engine: engines(now, rows > 1),
        top_sources: sources(reader, &query, one, figures.runs, rows)?,
        worst_gaps: gaps(reader, one, now, rows)?,
        runs_filter: question.runs_filter(one),
    })
}

/// What a reader of these figures must know; only what matters here.
fn warn(figures: &Figures, bases: &Bases, (one, project): (&Asked, &str), caveats: &mut Vec<String>) {
    if figures.runs == 0 {
        return;
    }
    if figures.mention_rate.runs == 0 {
        caveats.push(format!(
            "{project}: mentions of {} are not counted, so no mention rate",
            QuotedLine::new(&one.brand.name, 120).as_str()
        ));
    }
    if bases.mention_shares.is_empty() {
        caveats.push(format!(
            "{project}: no mention share of voice, since mentions of not every tracked brand are counted"
        ));
    }
    for (what, own, shares) in
        [("mention", &bases.mentions, &bases.mention_shares), ("citation", &bases.citations, &bases.citation_shares)]
    {
        let words = format!("{what} share of voice is read off the text, where the tracker counts not all brands");
        if !shares.is_empty() && own != shares && !caveats.contains(&words) {
            caveats.push(words);
        }
    }
    if figures.citation_share_of_voice.runs == 0 && one.brands.iter().any(|brand| brand.kind == BrandKind::Competitor) {
        caveats.push(format!("{project}: no citation of a tracked brand in the period, so no citation share of voice"));
    }
    if figures.prompts < 10 {
        caveats.push(format!("{project}: only {} prompts, so intervals are wide and rough", figures.prompts));
    }
}

/// `whole`: every figure. Where several projects stand side by side there is room for presence alone.
fn engines(cells: &CellTable, whole: bool) -> Table {
    let mut columns = vec!["engine", "runs", "presence_rate", "presence_low", "presence_high"];
    if whole {
        columns.extend(["mention_rate", "citation_rate", "citation_share_of_voice", "avg_citation_position"]);
    }
    let mut table = Table::new(columns);
    let mut rows: Vec<(String, Figures)> = by_engine(&cells.cells)
        .into_iter()
        .map(|(engine, figures)| (cells.engines.get(&engine).cloned().unwrap_or_default(), figures))
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    for (engine, figures) in rows {
        let mut row = vec![
            QuotedLine::new(&engine, 80).as_str().into(),
            figures.runs.into(),
            cell(figures.presence_rate.value),
            cell(figures.presence_rate.low),
            cell(figures.presence_rate.high),
        ];
        if whole {
            row.extend([
                cell(figures.mention_rate.value),
                cell(figures.citation_rate.value),
                cell(figures.citation_share_of_voice.value),
                cell(figures.avg_citation_position.value),
            ]);
        }
        table.rows.push(row);
    }
    table
}

fn sources(reader: &Reader, query: &CellQuery<'_>, one: &Asked, runs: u64, limit: usize) -> Result<Table, ToolError> {
    let mut table = Table::new(["domain", "runs", "share_of_runs", "citations", "owner", "kind"]);
    let domains = reader.top_domains(query.project, query.days, query.engine, query.include_branded, limit)?;
    table.rows = domains
        .into_iter()
        .map(|found| {
            let owner = owner_of(&one.brands, &found.domain);
            vec![
                QuotedLine::new(&found.domain, 120).as_str().into(),
                found.runs.into(),
                cell(fraction(found.runs, runs)),
                found.citations.into(),
                owner.map_or(Value::Null, |brand| QuotedLine::new(&brand.name, 120).as_str().into()),
                owner.map_or(Value::Null, |brand| brand.kind.as_str().into()),
            ]
        })
        .collect();
    Ok(table)
}

/// The prompts with most runs where a competitor appears and the own brand does not.
fn gaps(reader: &Reader, one: &Asked, cells: &CellTable, limit: usize) -> Result<Table, ToolError> {
    let mut table = Table::new(["prompt_id", "prompt", "gap_runs", "runs"]);
    if one.brand.kind != BrandKind::Own {
        return Ok(table);
    }
    let mut worst = prompt_gaps(&cells.cells, &cells.gaps);
    worst.retain(|prompt| prompt.gap_runs > 0);
    worst.truncate(limit);
    let refs: Vec<PromptRef> = worst.iter().map(|prompt| prompt.prompt).collect();
    table.rows = reader
        .prompts(&refs)?
        .into_iter()
        .zip(worst)
        .map(|(prompt, gaps)| {
            vec![
                prompt.id.to_string().into(),
                QuotedLine::new(&prompt.text, 90).as_str().into(),
                gaps.gap_runs.into(),
                gaps.runs.into(),
            ]
        })
        .collect();
    Ok(table)
}

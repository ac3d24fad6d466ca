//! `compare_engines`: one brand on each engine, on the prompts that all of them were asked.

use super::support::{
    AsOf, Asked, BasketName, Names, Question, RunsFilter, Table, cell, note_disagreements, note_model_changes, read,
};
use crate::{
    analysis::{Basket, Change, Figures, Pairing, basket, control_changes, difference},
    mcp::{
        Tool, ToolCx, ToolError,
        params::{BrandName, Period, ProjectName, PromptName, ResponseFormat, TopicName},
        quote::{QuotedFields, QuotedLine},
    },
    model::{Basis, Cell, DayRange, EngineRef},
    store::{CellTable, Reader},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The tool.
pub struct CompareEngines;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    #[serde(default)]
    project: Option<ProjectName>,
    #[serde(default)]
    brand: Option<BrandName>,
    #[serde(default)]
    topic: Option<TopicName>,
    #[serde(default)]
    prompt_id: Option<PromptName>,
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
    /// Side by side, never to be added up
    projects: Vec<Compared>,
    as_of: Vec<AsOf>,
    caveats: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Compared {
    project: QuotedLine,
    source: String,
    brand: QuotedLine,
    period: DayRange,
    mention_basis: Vec<Basis>,
    citation_basis: Vec<Basis>,
    /// Prompts in the basket
    prompts: u32,
    prompts_left_out: u32,
    /// Finished runs in the basket
    runs: u64,
    runs_left_out: u64,
    engines: Table,
    /// Engines that were asked too little of the same
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Option<Vec<QuotedLine>>")]
    engines_apart: Vec<QuotedLine>,
    /// Presence rate of each engine less that of the best
    against_best: Table,
    runs_filter: RunsFilter,
}

/// One engine in the basket.
struct Engine {
    name: String,
    cells: Vec<Cell>,
    figures: Figures,
}

impl Tool for CompareEngines {
    const NAME: &'static str = "compare_engines";
    const TITLE: &'static str = "Compare engines";
    const PAGE: &'static str = include_str!("compare_engines.md");

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
        topic: params.topic.as_ref(),
        prompt: params.prompt_id.as_ref(),
        period: params.period,
        include_branded: params.include_branded,
        ..Names::default()
    };
    let question = Question::find(cx, reader, &names, most, &mut caveats)?;
    let tables: Vec<CellTable> =
        question.asked.iter().map(|one| reader.cells(&question.query(one))).collect::<Result<_, _>>()?;
    let sides = question.asked.iter().zip(&tables);
    let projects =
        sides.map(|(one, table)| compared((&question, one, table), params.response_format, &mut caveats)).collect();
    if question.prompt.is_some() {
        caveats.push("intervals are of this prompt's own runs; one prompt gives no verdict".to_owned());
    }
    note_disagreements(reader, &question, &tables, &mut caveats)?;
    note_model_changes(reader, &question, question.days, &mut caveats)?;
    Ok(Answer {
        quoted_fields: QuotedFields(&["project", "brand", "engine", "engines_apart", "caveats"]),
        projects,
        as_of: question.as_of(cx, reader, &mut caveats)?,
        caveats,
    })
}

fn compared(
    (question, one, table): (&Question, &Asked, &CellTable),
    format: ResponseFormat,
    caveats: &mut Vec<String>,
) -> Compared {
    let basket = basket(&table.cells);
    let name = |engine: &EngineRef| table.engines.get(engine).cloned().unwrap_or_default();
    let mut engines: Vec<Engine> = basket
        .engines
        .iter()
        .map(|engine| {
            let cells: Vec<Cell> = basket.cells.iter().filter(|cell| cell.engine == *engine).copied().collect();
            Engine { name: name(engine), figures: question.figures(&cells), cells }
        })
        .collect();
    engines.sort_by(|a, b| {
        let value = |engine: &Engine| engine.figures.presence_rate.value.unwrap_or(-1.0);
        value(b).total_cmp(&value(a)).then_with(|| a.name.cmp(&b.name))
    });
    let count = |cells: &[Cell]| cells.iter().map(|cell| u64::from(cell.runs)).sum::<u64>();
    let (finished, runs) = (count(&table.cells), count(&basket.cells));
    question.note_if_empty(one, finished, caveats);
    let project = one.project();
    note(&basket, project.as_str(), finished, caveats);
    Compared {
        project,
        source: one.target.row.key.source.to_string(),
        brand: QuotedLine::new(&one.brand.name, 120),
        period: question.days,
        mention_basis: table.bases.mentions.clone(),
        citation_basis: table.bases.citations.clone(),
        prompts: basket.prompts,
        prompts_left_out: basket.prompts_left_out,
        runs,
        runs_left_out: finished - runs,
        engines: rates(&engines, format),
        engines_apart: basket.apart.iter().map(|engine| QuotedLine::new(&name(engine), 80)).collect(),
        against_best: against_best(&engines),
        runs_filter: RunsFilter {
            basket: (finished > runs).then(|| BasketName::Engines(question.days).to_string()),
            ..question.runs_filter(one)
        },
    }
}

/// What a reader of these tables must know.
fn note(basket: &Basket, project: &str, finished: u64, caveats: &mut Vec<String>) {
    if finished > 0 && basket.engines.is_empty() {
        caveats.push(format!("{project}: no run was looked at for both mentions and citations of the brand"));
    } else if basket.engines.len() == 1 {
        caveats.push(format!("{project}: there is one engine only, so nothing to compare"));
    }
    if !basket.apart.is_empty() {
        caveats.push(format!(
            "{project}: {} of the engines were asked so few of the same prompts that they are not compared",
            basket.apart.len()
        ));
    }
}

fn rates(engines: &[Engine], format: ResponseFormat) -> Table {
    let mut columns = vec![
        "engine",
        "runs",
        "presence_rate",
        "presence_low",
        "presence_high",
        "mention_rate",
        "citation_rate",
        "citation_share_of_voice",
        "avg_citation_position",
    ];
    if format.is_detailed() {
        columns.extend(["present_runs", "checked_runs", "mention_share_of_voice", "avg_mention_rank"]);
    }
    let mut table = Table::new(columns);
    for Engine { name, figures, .. } in engines {
        let mut row = vec![
            QuotedLine::new(name, 80).as_str().into(),
            figures.runs.into(),
            cell(figures.presence_rate.value),
            cell(figures.presence_rate.low),
            cell(figures.presence_rate.high),
            cell(figures.mention_rate.value),
            cell(figures.citation_rate.value),
            cell(figures.citation_share_of_voice.value),
            cell(figures.avg_citation_position.value),
        ];
        if format.is_detailed() {
            row.extend([
                figures.presence_rate.hits.into(),
                figures.presence_rate.runs.into(),
                cell(figures.mention_share_of_voice.value),
                cell(figures.avg_mention_rank.value),
            ]);
        }
        table.rows.push(row);
    }
    table
}

/// Each engine but the first less the first, which is the best.
fn against_best(engines: &[Engine]) -> Table {
    let mut table =
        Table::new(["engine", "best", "difference", "low", "high", "verdict", "smallest_detectable", "prompts"]);
    let Some((best, others)) = engines.split_first() else { return table };
    let less_best = |engine: &Engine| -> Change {
        difference(&best.cells, &engine.cells, Pairing::Prompt, |cell| (cell.present, cell.presence_checked))
    };
    let mut changes: Vec<Change> = others.iter().map(less_best).collect();
    control_changes(&mut changes);
    table.rows = others
        .iter()
        .zip(changes)
        .map(|(engine, change)| {
            vec![
                QuotedLine::new(&engine.name, 80).as_str().into(),
                QuotedLine::new(&best.name, 80).as_str().into(),
                cell(change.difference),
                cell(change.low),
                cell(change.high),
                change.verdict.as_str().into(),
                cell(change.smallest_detectable),
                change.prompts.into(),
            ]
        })
        .collect();
    table
}

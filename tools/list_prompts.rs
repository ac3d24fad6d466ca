//! `list_prompts`: prompts with their runs, presence and volatility, page by page.

mod order;

use super::support::{
    AsOf, Asked, Names, PAGE_COST, Question, RunsFilter, Sourced, Table, cell, quoted, quoted_or_null, read,
};
use crate::{
    analysis::{PromptFigures, Rate, brand_list_overlap, by_prompt, flip_rates},
    detect::Words,
    mcp::{
        Tool, ToolCx, ToolError,
        params::{BrandName, Cursor, EngineName, Limit, Period, ProjectName, ResponseFormat, TopicName},
        quote::{QuotedFields, QuotedLine},
    },
    model::{DayRange, PromptRef},
    store::{Direction, PromptFilter, PromptRow, Reader},
};
use order::Order;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The tool.
pub struct ListPrompts;

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
    topic: Option<TopicName>,
    #[serde(default)]
    period: Period,
    /// With branded prompts.
    #[serde(default = "yes")]
    include_branded: bool,
    /// Words that the prompt must hold, all of them.
    #[serde(default)]
    #[schemars(length(max = 300))]
    text: Option<String>,
    /// Nulls come last.
    #[serde(default)]
    sort: Sort,
    /// desc where left out; asc for sort prompt.
    #[serde(default)]
    order: Option<Direction>,
    #[serde(default)]
    limit: Limit,
    #[serde(default)]
    cursor: Option<Cursor>,
    #[serde(default)]
    response_format: ResponseFormat,
}

fn yes() -> bool {
    true
}

/// What prompts are sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Sort {
    #[default]
    Runs,
    PresenceRate,
    CitationRate,
    FlipRate,
    Prompt,
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    /// Side by side, never to be added up
    projects: Vec<Project>,
    prompts: Table,
    /// Prompts that pass the filters
    total: usize,
    /// Give it as cursor for the next page; absent at the end
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    next_cursor: Option<String>,
    as_of: Vec<AsOf>,
    caveats: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Project {
    project: QuotedLine,
    source: String,
    brand: QuotedLine,
    period: DayRange,
    basis: Sourced,
    /// Of those that pass the filters
    prompts: usize,
    prompts_without_runs: usize,
    /// Finished runs in scope, `text` aside
    runs: u64,
    /// topic, prompts (detailed)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Table")]
    topics: Option<Table>,
    /// With a row's `prompt_id`: arguments for `list_prompt_runs` that give its runs
    runs_filter: RunsFilter,
}

/// A prompt in the list.
struct Item {
    /// Its project, by index.
    project: usize,
    label: PromptRef,
    prompt: PromptRow,
    figures: PromptFigures,
    flips: Rate,
}

impl Tool for ListPrompts {
    const NAME: &'static str = "list_prompts";
    const TITLE: &'static str = "List prompts";
    const PAGE: &'static str = include_str!("list_prompts.md");

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        read(cx, |reader| answer(cx, reader, &params))
    }
}

fn answer(cx: &ToolCx<'_>, reader: &Reader, params: &Params) -> Result<Answer, ToolError> {
    if params.text.as_ref().is_some_and(|text| Words::of(text).is_empty()) {
        return Err(ToolError::invalid("text holds no word to search for", "give one word or more, or leave text out"));
    }
    let detailed = params.response_format.is_detailed();
    let mut caveats = Vec::new();
    let names = Names {
        project: params.project.as_ref(),
        brand: params.brand.as_ref(),
        engine: params.engine.as_ref(),
        topic: params.topic.as_ref(),
        period: params.period,
        include_branded: params.include_branded,
        ..Names::default()
    };
    let question = Question::find(cx, reader, &names, if detailed { 8 } else { 2 }, &mut caveats)?;
    let mut items = Vec::new();
    let mut projects = Vec::new();
    for (i, one) in question.asked.iter().enumerate() {
        let (found, project) = listed(reader, (&question, one, i), params)?;
        question.note_if_empty(one, project.runs, &mut caveats);
        items.extend(found);
        projects.push(project);
    }
    let total = items.len();
    if total == 0 {
        caveats.push("no prompt passes these filters; leave some out".to_owned());
    }

    let order = Order::of(&question, params);
    let mut page = order.page(items, params.cursor.as_ref())?;
    let rest = page.len();
    page.truncate(params.limit.get());
    let mut prompts = table(reader, &question, &mut page, params)?;
    let fitting = prompts.fitting(PAGE_COST);
    if fitting < page.len() {
        caveats
            .push(format!("the page ends after {fitting} prompts, so that it fits; follow next_cursor for the rest"));
    }
    prompts.rows.truncate(fitting);
    page.truncate(fitting);
    Ok(Answer {
        quoted_fields: QuotedFields(&["project", "brand", "prompt", "topic", "topics", "caveats"]),
        projects,
        prompts,
        total,
        next_cursor: page.last().filter(|_| rest > page.len()).map(|item| order.cursor(item)),
        as_of: question.as_of(cx, reader, &mut caveats)?,
        caveats,
    })
}

/// The prompts of one project, and what there is to say of them together.
fn listed(
    reader: &Reader,
    (question, one, i): (&Question, &Asked, usize),
    params: &Params,
) -> Result<(Vec<Item>, Project), ToolError> {
    let query = question.query(one);
    let cells = reader.cells(&query)?;
    let mut figures = by_prompt(&cells.cells);
    let mut flips = match params.sort {
        Sort::FlipRate => flip_rates(reader.presence(&query)?),
        _ => BTreeMap::new(),
    };
    let filter = PromptFilter {
        topic: question.topic.as_deref(),
        text: params.text.as_deref(),
        without_branded: !question.include_branded,
    };
    let items: Vec<Item> = reader
        .prompts_of(query.project, filter)?
        .into_iter()
        .map(|(label, prompt)| Item {
            project: i,
            label,
            prompt,
            figures: figures.remove(&label).unwrap_or_default(),
            flips: flips.remove(&label).unwrap_or_default(),
        })
        .collect();
    let project = Project {
        project: one.project(),
        source: one.target.row.key.source.to_string(),
        brand: QuotedLine::new(&one.brand.name, 120),
        period: question.days,
        basis: (&cells.bases).into(),
        prompts: items.len(),
        prompts_without_runs: items.iter().filter(|item| item.figures.runs == 0).count(),
        runs: cells.cells.iter().map(|cell| u64::from(cell.runs)).sum(),
        topics: params.response_format.is_detailed().then(|| topics(&items)),
        runs_filter: question.runs_filter(one),
    };
    Ok((items, project))
}

/// The topics with most prompts.
fn topics(items: &[Item]) -> Table {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for topic in items.iter().filter_map(|item| item.prompt.topic.as_deref()) {
        *counts.entry(topic).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, prompts)| std::cmp::Reverse(*prompts));
    let mut table = Table::new(["topic", "prompts"]);
    table.rows = counts.into_iter().take(50).map(|(topic, prompts)| vec![quoted(topic, 80), prompts.into()]).collect();
    table
}

/// The rows of a page. What is costly to read is read for these prompts alone.
fn table(reader: &Reader, question: &Question, page: &mut [Item], params: &Params) -> Result<Table, ToolError> {
    let detailed = params.response_format.is_detailed();
    let several = question.asked.len() > 1;
    let mut columns = vec!["prompt_id", "prompt", "topic", "branded", "runs", "presence_rate", "low", "high"];
    if detailed {
        columns.extend(["mention_rate", "citation_rate", "avg_mention_rank", "brand_list_overlap"]);
    }
    columns.push("flip_rate");
    if several {
        columns.push("project");
    }
    let mut overlaps = BTreeMap::new();
    for (i, one) in question.asked.iter().enumerate() {
        let query = question.query(one);
        let labels: Vec<PromptRef> = page.iter().filter(|item| item.project == i).map(|item| item.label).collect();
        if params.sort != Sort::FlipRate {
            let mut flips = flip_rates(reader.presence_of(&query, &labels)?);
            for item in page.iter_mut().filter(|item| item.project == i) {
                item.flips = flips.remove(&item.label).unwrap_or_default();
            }
        }
        if detailed {
            overlaps.extend(brand_list_overlap(reader.brand_lists(&query, &labels)?));
        }
    }
    let mut table = Table::new(columns);
    table.rows = page
        .iter()
        .map(|item| {
            let (prompt, figures) = (&item.prompt, &item.figures);
            let mut cells: Vec<Value> = vec![
                prompt.id.to_string().into(),
                quoted(&prompt.text, if detailed { 300 } else { 90 }),
                quoted_or_null(prompt.topic.as_deref(), 80),
                prompt.branded.into(),
                figures.runs.into(),
                cell(figures.presence_rate.value),
                cell(figures.presence_rate.low),
                cell(figures.presence_rate.high),
            ];
            if detailed {
                cells.extend([
                    cell(figures.mention_rate.value),
                    cell(figures.citation_rate.value),
                    cell(figures.avg_mention_rank.value),
                    cell(overlaps.get(&item.label).and_then(|mean| mean.value)),
                ]);
            }
            cells.push(cell(item.flips.value));
            if several {
                cells.extend(question.asked.get(item.project).map(|one| quoted(&one.target.name, 120)));
            }
            cells
        })
        .collect();
    Ok(table)
}

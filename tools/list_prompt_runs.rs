//! `list_prompt_runs`: runs, filtered and sorted as the trackers' own pages do, page by page.

mod pages;

use super::support::{
    AsOf, BasketName, PAGE_COST, Table, Target, anchor, as_of, brand_named, cell, domain_named, no_brand,
    projects_named, prompt_named, read, with_engine, with_topic,
};
use crate::{
    mcp::{
        Tool, ToolCx, ToolError,
        params::{
            BrandName, Cursor, DomainName, EngineName, Limit, Period, ProjectName, PromptName, ResponseFormat,
            TopicName, not_one_of,
        },
        quote::{QuotedFields, QuotedLine},
    },
    model::{Basis, Brand, BrandKey, DayRange, EngineRef, PromptRef, Status},
    store::{CellQuery, Direction, Reach, Reader, RunFilter, RunRow, RunSort},
};
use pages::{Place, Places};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// The tool.
pub struct ListPromptRuns;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    #[serde(default)]
    project: Option<ProjectName>,
    #[serde(default)]
    brand: Option<BrandName>,
    #[serde(default)]
    prompt_id: Option<PromptName>,
    #[serde(default)]
    topic: Option<TopicName>,
    #[serde(default)]
    engine: Option<EngineName>,
    /// pending, running, finished or failed.
    #[serde(default)]
    #[schemars(length(max = 40))]
    status: Option<String>,
    /// 7d, 30d, 90d, a month 2026-10, a range 2026-10-01..2026-10-31 or a day; all days where left out.
    #[serde(default)]
    period: Option<Period>,
    /// true: the brand is named or cited; false: looked for and absent.
    #[serde(default)]
    visible: Option<bool>,
    /// The same for citations alone.
    #[serde(default)]
    cited: Option<bool>,
    /// The same for mentions alone.
    #[serde(default)]
    mentioned: Option<bool>,
    /// true: the brand is absent and a rival present.
    #[serde(default)]
    gap: bool,
    /// Of another answer's filter.
    #[serde(default)]
    #[schemars(length(max = 80))]
    basket: Option<String>,
    #[serde(default)]
    domain: Option<DomainName>,
    /// A cited URL, exactly.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    url: Option<String>,
    /// Words in the answer or prompt; "in quotes" side by side.
    #[serde(default)]
    #[schemars(length(max = 300))]
    text: Option<String>,
    /// With branded prompts.
    #[serde(default = "yes")]
    include_branded: bool,
    /// Nulls come last.
    #[serde(default)]
    sort: RunSort,
    #[serde(default)]
    order: Direction,
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

impl Params {
    fn status(&self) -> Option<Status> {
        self.status.as_ref().map(|status| Status::from(status.trim().to_lowercase()))
    }
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    runs: Table,
    /// Runs that pass the filters; counted up to 1000, in a period and without text up to 100000
    total: u64,
    /// total is a lower bound
    total_is_capped: bool,
    /// Give it as cursor for the next page; absent at the end
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    next_cursor: Option<String>,
    /// The brand that each project's runs are seen from
    seen_from: Vec<SeenFrom>,
    as_of: Vec<AsOf>,
    caveats: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SeenFrom {
    project: QuotedLine,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "QuotedLine")]
    brand: Option<QuotedLine>,
    /// Where the brand's mentions on this page come from (upstream: the tracker, derived: the answers' text)
    mention_basis: Vec<Basis>,
    citation_basis: Vec<Basis>,
}

/// A project to list, and the filter for it.
struct Listed {
    target: Target,
    brand: Option<Brand>,
    filter: RunFilter,
}

/// Runs that are counted: all of a list that a period bounds, such as those behind a figure; else so many. Words are
/// looked for in every answer that is counted.
const COUNTED: usize = 1_000;
const COUNTED_IN_PERIOD: usize = 100_000;

impl Tool for ListPromptRuns {
    const NAME: &'static str = "list_prompt_runs";
    const TITLE: &'static str = "List prompt runs";
    const PAGE: &'static str = include_str!("list_prompt_runs.md");

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        read(cx, |reader| answer(cx, reader, &params))
    }
}

fn answer(cx: &ToolCx<'_>, reader: &Reader, params: &Params) -> Result<Answer, ToolError> {
    let mut caveats = Vec::new();
    let targets = projects_named(cx, reader, params.project.as_ref())?;
    check_names(cx, reader, &targets, params)?;
    let reaches: Vec<Reach> =
        targets.iter().map(|target| reader.reach(&target.row.key, cx.now())).collect::<Result<_, _>>()?;
    let newest = anchor(cx, &reaches);
    let days = params.period.map(|period| period.days(newest));
    let listed = listed(reader, &targets, params, days)?;

    let places = Places::read(params.cursor.as_ref(), &question(&listed, params), listed.len())?;
    let limit = params.limit.get();
    let order = (params.sort, params.order);
    let mut merged = Vec::new();
    for (i, item) in listed.iter().enumerate() {
        let after = match places.of(i) {
            Place::Start => None,
            Place::After(cursor) => Some(cursor),
        };
        let (rows, _) = reader.runs(&item.target.row.key, &item.filter, order, after, limit + 1)?;
        merged.extend(rows.into_iter().map(|row| (i, row)));
    }
    merged.sort_by(|a, b| pages::compare(order, &a.1, &b.1));
    let found = merged.len();
    merged.truncate(limit);
    let mut runs = table(&merged, &listed, params.response_format);
    let fitting = runs.fitting(PAGE_COST);
    if fitting < merged.len() {
        caveats.push(format!("the page ends after {fitting} runs, so that it fits; follow next_cursor for the rest"));
    }
    runs.rows.truncate(fitting);
    merged.truncate(fitting);
    let more = found > merged.len();
    let next_cursor = more.then(|| places.after(&merged, params.sort));

    let is_bounded = params.period.is_some() && params.text.is_none();
    let counted = if is_bounded { COUNTED_IN_PERIOD } else { COUNTED };
    let mut total = 0;
    for item in &listed {
        total += reader.count_runs(&item.target.row.key, &item.filter, counted + 1)?;
    }
    let total_is_capped = total > counted as u64;
    if total == 0 {
        caveats.push(nothing_found(&reaches, days));
    }
    let shown: Vec<Target> = listed.iter().map(|item| item.target.clone()).collect();
    Ok(Answer {
        quoted_fields: QuotedFields(&[
            "prompt",
            "topic",
            "project",
            "engine",
            "model",
            "failure_reason",
            "upstream_key",
            "brand",
            "caveats",
        ]),
        runs,
        total: total.min(counted as u64),
        total_is_capped,
        next_cursor,
        seen_from: listed
            .iter()
            .enumerate()
            .map(|(i, item)| {
                let bases = |of: fn(&RunRow) -> Option<Basis>| -> Vec<Basis> {
                    let met: BTreeSet<Basis> =
                        merged.iter().filter(|(at, _)| *at == i).filter_map(|(_, row)| of(row)).collect();
                    met.into_iter().collect()
                };
                SeenFrom {
                    project: QuotedLine::new(&item.target.name, 120),
                    source: item.target.row.key.source.to_string(),
                    brand: item.brand.as_ref().map(|brand| QuotedLine::new(&brand.name, 120)),
                    mention_basis: bases(|row| row.mention_basis),
                    citation_basis: bases(|row| row.citation_basis),
                }
            })
            .collect(),
        as_of: as_of(cx, reader, &shown, days.unwrap_or(DayRange::ending(newest, 30)), &mut caveats)?,
        caveats,
    })
}

/// What the cursor belongs to.
fn question(listed: &[Listed], params: &Params) -> String {
    let filters: Vec<String> = listed
        .iter()
        .map(|item| {
            // A period that moves with the newest day must not change the question from page to page.
            let mut filter = item.filter.clone();
            filter.days = filter.days.filter(|_| params.period.is_none());
            // Nor may what a sync puts into a basket.
            filter.cells = None;
            format!("{:?} {filter:?}", item.target.row.key)
        })
        .collect();
    format!("{filters:?} {:?} {:?} {:?} {:?}", params.basket, params.period, params.sort, params.order)
}

/// The projects that have the brand asked for, each with its filter.
fn listed(
    reader: &Reader,
    targets: &[Target],
    params: &Params,
    days: Option<DayRange>,
) -> Result<Vec<Listed>, ToolError> {
    let prompt = params.prompt_id.as_ref().map(|name| prompt_named(reader, targets, name)).transpose()?;
    let domain = params.domain.as_ref().map(|name| domain_named(reader, name)).transpose()?;
    let mut listed = Vec::new();
    let mut names = Vec::new();
    for target in targets {
        let brands: Vec<Brand> = reader.brands(&target.row.key)?.into_iter().map(|row| row.brand).collect();
        let brand = brand_named(&brands, params.brand.as_ref());
        if brand.is_none() && params.brand.is_some() {
            names.extend(brands.into_iter().map(|brand| brand.name));
            continue;
        }
        let filter = RunFilter {
            brand: brand.as_ref().map(|brand: &Brand| -> BrandKey { brand.key.clone() }),
            prompt,
            topic: params.topic.as_ref().map(|topic| topic.as_str().to_owned()),
            engine: params.engine.as_ref().map(|engine| engine.as_str().to_lowercase()),
            status: params.status(),
            days,
            visible: params.visible,
            cited: params.cited,
            mentioned: params.mentioned,
            text: params.text.clone(),
            answer: None,
            without_branded: !params.include_branded,
            domain: domain.clone(),
            url: params.url.clone(),
            gap: params.gap,
            cells: None,
        };
        let filter = RunFilter { cells: in_basket(reader, (target, &filter), params)?, ..filter };
        listed.push(Listed { target: target.clone(), brand, filter });
    }
    if let (true, Some(name)) = (listed.is_empty(), &params.brand) {
        return Err(no_brand(name, names.iter().map(String::as_str)));
    }
    Ok(listed)
}

/// The prompts and engines of the basket that is asked for: what is in it depends on all that narrows the list but its
/// days, and as one brand sees it.
fn in_basket(
    reader: &Reader,
    (target, filter): (&Target, &RunFilter),
    params: &Params,
) -> Result<Option<BTreeSet<(PromptRef, EngineRef)>>, ToolError> {
    let Some(name) = &params.basket else { return Ok(None) };
    let name: BasketName = name.parse()?;
    let Some(brand) = &filter.brand else { return Ok(Some(BTreeSet::new())) };
    let query = CellQuery {
        engine: filter.engine.as_deref(),
        topic: filter.topic.as_deref(),
        prompt: filter.prompt,
        include_branded: params.include_branded,
        ..CellQuery::new(&target.row.key, brand, name.days())
    };
    Ok(Some(name.cells(reader, &query)?))
}

/// An engine, a status or a topic that no run has is a slip of the pen, not an empty list.
fn check_names(cx: &ToolCx<'_>, reader: &Reader, targets: &[Target], params: &Params) -> Result<(), ToolError> {
    if let Some(engine) = &params.engine {
        with_engine(cx, reader, targets, engine)?;
    }
    if let Some(text) = &params.text
        && !text.chars().any(char::is_alphanumeric)
    {
        return Err(ToolError::invalid("text holds no word to search for", "give one word or more, or leave text out"));
    }
    check_status(reader, targets, params)?;
    match &params.topic {
        Some(topic) => with_topic(reader, targets, topic).map(drop),
        None => Ok(()),
    }
}

/// A status that is none of the four may still be a tracker's own.
fn check_status(reader: &Reader, targets: &[Target], params: &Params) -> Result<(), ToolError> {
    let Some(status @ Status::Unknown(_)) = params.status() else { return Ok(()) };
    let filter = RunFilter { status: Some(status), ..RunFilter::default() };
    for target in targets {
        if reader.count_runs(&target.row.key, &filter, 1)? > 0 {
            return Ok(());
        }
    }
    let given = params.status.as_deref().unwrap_or_default();
    Err(not_one_of("status", given, &["pending", "running", "finished", "failed"]))
}

fn nothing_found(reaches: &[Reach], days: Option<DayRange>) -> String {
    let reach = reaches.iter().filter_map(|reach| reach.days);
    let (first, last) = (reach.clone().map(|days| days.first).min(), reach.map(|days| days.last).max());
    match (first, last, days) {
        (Some(first), Some(last), Some(days)) if days.last < first || days.first > last => {
            format!("no run in {days}: the cache holds {first}..{last}")
        }
        _ => "no run passes these filters; leave some out".to_owned(),
    }
}

fn table(rows: &[(usize, RunRow)], listed: &[Listed], format: ResponseFormat) -> Table {
    let several = listed.len() > 1;
    let mut columns = vec!["run_id", "created_at", "engine", "status", "prompt"];
    columns.extend(["visible", "total_citations", "total_mentions", "best_position", "avg_sentiment"]);
    if several {
        columns.push("project");
    }
    if format.is_detailed() {
        columns.extend([
            "prompt_id",
            "topic",
            "model",
            "day",
            "answer_citations",
            "branded",
            "failure_reason",
            "upstream_key",
        ]);
    }
    let mut table = Table::new(columns);
    let quoted = |text: &str, max: usize| -> Value { QuotedLine::new(text, max).as_str().into() };
    table.rows = rows
        .iter()
        .map(|(i, row)| {
            let prompt_chars = if format.is_detailed() { 300 } else { 90 };
            let mut cells = vec![
                row.id.to_string().into(),
                row.created_at.to_string().into(),
                quoted(&row.engine, 80),
                quoted(row.status.as_str(), 40),
                quoted(&row.prompt.text, prompt_chars),
                cell(row.visible()),
                cell(row.citations),
                cell(row.mentions),
                cell(row.best_position),
                cell(row.sentiment),
            ];
            if several {
                cells.push(listed.get(*i).map_or(Value::Null, |item| quoted(&item.target.name, 120)));
            }
            if format.is_detailed() {
                let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, |text| quoted(text, 200));
                cells.extend([
                    row.prompt.id.to_string().into(),
                    text(&row.prompt.topic),
                    text(&row.model),
                    row.day.to_string().into(),
                    cell(row.total_citations),
                    row.prompt.branded.into(),
                    text(&row.failure_reason),
                    text(&row.key),
                ]);
            }
            cells
        })
        .collect();
    table
}

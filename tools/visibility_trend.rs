//! `visibility_trend`: one figure by day, week or month, and whether it moved.

use super::support::{
    AsOf, Asked, BasketName, Bookmark, Metric, Moved, Names, Question, RunsFilter, Table, alike, cell, each_bucket,
    note_model_changes, read,
};
use crate::{
    analysis::{Alike, Interval, buckets, change, halves},
    mcp::{
        Tool, ToolCx, ToolError,
        params::{BrandName, Cursor, EngineName, Period, ProjectName, PromptName, ResponseFormat, TopicName},
        quote::{QuotedFields, QuotedLine},
    },
    model::{Basis, DayRange},
    store::{CellTable, Reader},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The tool.
pub struct VisibilityTrend;

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
    prompt_id: Option<PromptName>,
    /// The figure.
    #[serde(default)]
    metric: Metric,
    /// Weeks begin on Monday.
    #[serde(default)]
    interval: Interval,
    /// As everywhere; default 90d.
    #[serde(default)]
    period: Option<Period>,
    /// Count branded prompts too.
    #[serde(default)]
    include_branded: bool,
    /// Only prompts and engines that every row has.
    #[serde(default)]
    like_for_like: bool,
    #[serde(default)]
    cursor: Option<Cursor>,
    #[serde(default)]
    response_format: ResponseFormat,
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    #[schemars(with = "String")]
    metric: Metric,
    #[schemars(with = "String")]
    interval: Interval,
    /// Side by side, never to be added up
    projects: Vec<Trend>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    next_cursor: Option<String>,
    as_of: Vec<AsOf>,
    caveats: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Trend {
    project: QuotedLine,
    source: String,
    brand: QuotedLine,
    period: DayRange,
    basis: Vec<Basis>,
    /// Finished runs in scope
    runs: u64,
    series: Table,
    /// The second half of the days with data against the first
    change: Moved,
    /// Prompt x engine cells that `like_for_like` leaves out
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    cells_left_out: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    runs_left_out: Option<u64>,
    runs_filter: RunsFilter,
}

/// Rows of an answer, all projects together: some forty tokens each.
const ROWS: usize = 280;

impl Tool for VisibilityTrend {
    const NAME: &'static str = "visibility_trend";
    const TITLE: &'static str = "Visibility trend";
    const PAGE: &'static str = include_str!("visibility_trend.md");

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
        topic: params.topic.as_ref(),
        prompt: params.prompt_id.as_ref(),
        period: params.period.unwrap_or(Period::last(90)),
        include_branded: params.include_branded,
    };
    let mut question = Question::find(cx, reader, &names, most, &mut caveats)?;
    let what = format!("{:?} {:?} {}", params.metric, params.interval, params.like_for_like);
    let page = Bookmark::read(params.cursor.as_ref(), &mut question, params.period, &what)?;
    let rest = rest(&question, params.interval, page.at);
    let (now, later) = rest.split_at(rest.len().min(ROWS / question.asked.len().max(1)));
    let projects = question
        .asked
        .iter()
        .map(|one| trend(reader, (&question, one), params, now, &mut caveats))
        .collect::<Result<Vec<_>, ToolError>>()?;
    if !later.is_empty() {
        caveats.push(format!("{} later rows are not shown; follow next_cursor for the rest", later.len()));
    }
    if question.prompt.is_some() {
        caveats.push("intervals are of this prompt's own runs; one prompt gives no verdict".to_owned());
    }
    note_model_changes(reader, &question, question.days, &mut caveats)?;
    Ok(Answer {
        quoted_fields: QuotedFields(&["project", "brand", "caveats"]),
        metric: params.metric,
        interval: params.interval,
        projects,
        next_cursor: later.first().map(|days| page.cursor(place(*days))),
        as_of: question.as_of(cx, reader, &mut caveats)?,
        caveats,
    })
}

/// A bucket in a cursor: its first day, since older days may be read while somebody follows the pages.
fn place(days: DayRange) -> usize {
    usize::try_from(days.first.epoch_days()).unwrap_or(0)
}

/// Of these days those between a project's first and last day with runs.
fn with_data(one: &Asked, days: DayRange) -> Option<DayRange> {
    let reach = one.reach.days?;
    let part = DayRange { first: days.first.max(reach.first), last: days.last.min(reach.last) };
    (part.first <= part.last).then_some(part)
}

/// The buckets from a place on for which some project has data.
fn rest(question: &Question, interval: Interval, at: usize) -> Vec<DayRange> {
    let has_data = |days: &DayRange| question.asked.iter().any(|one| with_data(one, *days).is_some());
    let all = buckets(question.days, interval, None).into_iter().map(|(days, _)| days);
    all.filter(|days| place(*days) >= at).filter(has_data).collect()
}

fn trend(
    reader: &Reader,
    (question, one): (&Question, &Asked),
    params: &Params,
    page: &[DayRange],
    caveats: &mut Vec<String>,
) -> Result<Trend, ToolError> {
    let metric = params.metric;
    let mut cut = buckets(question.days, params.interval, one.reach.last_complete_day);
    cut.retain(|(days, _)| with_data(one, *days).is_some());
    for (days, whole) in &mut cut {
        *whole &= with_data(one, *days) == Some(*days);
    }
    let days: Vec<DayRange> = cut.iter().map(|(days, _)| *days).collect();
    let query = question.query(one);
    let alike = params.like_for_like.then(|| alike(reader, &query, &days, metric)).transpose()?;
    let covered = with_data(one, question.days).unwrap_or(question.days);
    let spans: Vec<DayRange> = halves(covered).map_or(vec![covered], |(first, second)| vec![first, second]);
    let mut parts = reader.cell_series(&query, &spans)?;
    let count = |parts: &[CellTable]| -> u64 {
        parts.iter().flat_map(|table| &table.cells).map(|cell| u64::from(cell.runs)).sum()
    };
    let finished = count(&parts);
    let mut basis: Vec<Basis> = parts.iter().flat_map(|table| metric.bases(&table.bases)).collect();
    basis.sort_unstable();
    basis.dedup();
    if let Some(alike) = &alike {
        for table in &mut parts {
            alike.keep(&mut table.cells);
        }
    }
    let runs = count(&parts);
    let second = parts.pop().unwrap_or_default();
    let first = parts.pop().unwrap_or_default();
    question.note_if_empty(one, finished, caveats);
    cut.retain(|(days, _)| page.contains(days));
    let page = cut;
    let series = series(reader, (question, one), (params, alike.as_ref()), &page)?;
    let left_out = alike.map(|alike| alike.left_out());
    let basket = left_out.map(|_| BasketName::Alike(params.interval, metric, question.days).to_string());
    note(one, (&series, page.len()), (finished, left_out), caveats);
    Ok(Trend {
        project: one.project(),
        source: one.target.row.key.source.to_string(),
        brand: QuotedLine::new(&one.brand.name, 120),
        period: question.days,
        basis,
        runs,
        series,
        change: change(&first.cells, &second.cells, |cell| metric.counts(cell)).into(),
        cells_left_out: left_out.map(|(cells, _)| cells),
        runs_left_out: left_out.map(|(_, runs)| runs),
        runs_filter: RunsFilter { basket, ..question.runs_filter(one) },
    })
}

/// What a reader of these rows must know.
fn note(
    one: &Asked,
    (series, buckets): (&Table, usize),
    (runs, left_out): (u64, Option<(u32, u64)>),
    caveats: &mut Vec<String>,
) {
    let project = one.project();
    let project = project.as_str();
    if runs > 0 && series.rows.len() < buckets {
        caveats.push(format!(
            "{project}: {} of {buckets} rows have no finished run and are left out",
            buckets - series.rows.len()
        ));
    }
    let is_empty = |row: &Vec<Value>| row.iter().any(Value::is_null);
    if !series.rows.is_empty() && series.rows.iter().all(is_empty) {
        caveats.push(match left_out {
            Some(_) => format!("{project}: no prompt and engine is in every row; ask without like_for_like"),
            None => format!("{project}: nothing was counted for this figure"),
        });
    }
}

fn series(
    reader: &Reader,
    (question, one): (&Question, &Asked),
    (params, alike): (&Params, Option<&Alike>),
    page: &[(DayRange, bool)],
) -> Result<Table, ToolError> {
    let by_day = params.interval == Interval::Day;
    let mut columns = vec!["start"];
    columns.extend((!by_day).then_some("end"));
    columns.extend(["value", "low", "high", "hits", "runs", "prompts", "whole"]);
    let mut series = Table::new(columns);
    let days: Vec<DayRange> = page.iter().map(|(days, _)| *days).collect();
    each_bucket(reader, &question.query(one), &days, |at, mut table| {
        let Some((days, whole)) = page.get(at).copied().filter(|_| !table.cells.is_empty()) else { return };
        if let Some(alike) = alike {
            alike.keep(&mut table.cells);
        }
        let rate = params.metric.rate(&question.figures(&table.cells));
        let mut row = vec![days.first.to_string().into()];
        row.extend((!by_day).then(|| days.last.to_string().into()));
        row.extend([cell(rate.value), cell(rate.low), cell(rate.high)]);
        row.extend([rate.hits.into(), rate.runs.into(), rate.prompts.into(), whole.into()]);
        series.rows.push(row);
    })?;
    Ok(series)
}

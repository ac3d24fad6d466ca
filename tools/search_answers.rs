//! `search_answers`: full-text search in answers, with the words around the first hit.

use super::support::{
    AsOf, Bound, PAGE_COST, Table, Target, anchor, as_of, brand_named, cell, no_brand, projects_named, prompt_named,
    quoted, quoted_or_null, read, with_engine, with_topic,
};
use crate::{
    detect::Words,
    mcp::{
        Tool, ToolCx, ToolError,
        params::{BrandName, Cursor, EngineName, Limit, Period, ProjectName, PromptName, ResponseFormat, TopicName},
        quote::{QuotedFields, QuotedLine},
    },
    model::{Brand, BrandKey, DayRange},
    store::{Direction, Reach, Reader, RunCursor, RunFilter, RunRow, RunSort},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cmp::Reverse;

/// The tool.
pub struct SearchAnswers;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Words to find; "in quotes" side by side.
    #[schemars(length(min = 1, max = 300))]
    text: String,
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
    /// 7d, 30d, a month or a range; all days where left out.
    #[serde(default)]
    period: Option<Period>,
    /// With branded prompts.
    #[serde(default = "yes")]
    include_branded: bool,
    #[serde(default)]
    limit: Option<Limit>,
    #[serde(default)]
    cursor: Option<Cursor>,
    #[serde(default)]
    response_format: ResponseFormat,
}

fn yes() -> bool {
    true
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    /// Of the answers on this page
    projects: Vec<Project>,
    answers: Table,
    /// Answers that hold the words; counted up to 1000
    total: u64,
    /// total is a lower bound
    total_is_capped: bool,
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
    /// The brand that visible is about
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "QuotedLine")]
    brand: Option<QuotedLine>,
}

/// A project to search, and the filter for it.
struct Searched {
    target: Target,
    brand: Option<Brand>,
    filter: RunFilter,
}

const COUNTED: usize = 1_000;
const NEWEST_FIRST: (RunSort, Direction) = (RunSort::CreatedAt, Direction::Desc);

impl Tool for SearchAnswers {
    const NAME: &'static str = "search_answers";
    const TITLE: &'static str = "Search answers";
    const PAGE: &'static str = include_str!("search_answers.md");

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        read(cx, |reader| answer(cx, reader, &params))
    }
}

fn answer(cx: &ToolCx<'_>, reader: &Reader, params: &Params) -> Result<Answer, ToolError> {
    let words = words(&params.text)?;
    let mut caveats = Vec::new();
    let targets = projects_named(cx, reader, params.project.as_ref())?;
    if let Some(engine) = &params.engine {
        with_engine(cx, reader, &targets, engine)?;
    }
    if let Some(topic) = &params.topic {
        with_topic(reader, &targets, topic)?;
    }
    let reaches: Vec<Reach> =
        targets.iter().map(|target| reader.reach(&target.row.key, cx.now())).collect::<Result<_, _>>()?;
    let newest = anchor(cx, &reaches);
    let days = params.period.map(|period| period.days(newest));
    let searched = searched(reader, &targets, params, days)?;

    let bound = Bound::to(&question(&searched, params));
    // The order is one over all projects, so the last run shown says where each of them goes on.
    let last = match bound.read(params.cursor.as_ref())?.as_deref() {
        None => None,
        Some([run]) => Some(RunCursor { run: run.parse().map_err(|_| Cursor::refused())?, value: None }),
        Some(_) => return Err(Cursor::refused()),
    };
    let limit = params.limit.map_or(10, Limit::get);
    let mut merged = Vec::new();
    let mut total = 0;
    for (i, item) in searched.iter().enumerate() {
        let (rows, _) = reader.runs(&item.target.row.key, &item.filter, NEWEST_FIRST, last.as_ref(), limit + 1)?;
        merged.extend(rows.into_iter().map(|row| (i, row)));
        if total <= COUNTED as u64 {
            total += reader.count_runs(&item.target.row.key, &item.filter, COUNTED + 1)?;
        }
    }
    merged.sort_by_key(|(_, row)| Reverse((row.created_at, row.stored)));
    let found = merged.len();
    merged.truncate(limit);
    let mut answers = table(cx, reader, (&merged, &words), searched.len() > 1, &searched, params.response_format)?;
    let fitting = answers.fitting(PAGE_COST);
    if fitting < merged.len() {
        caveats
            .push(format!("the page ends after {fitting} answers, so that it fits; follow next_cursor for the rest"));
    }
    answers.rows.truncate(fitting);
    merged.truncate(fitting);
    if total == 0 {
        caveats.push(nothing_found(&params.text, days));
    }
    let on_page = |i: usize| merged.iter().any(|(at, _)| *at == i);
    let shown: Vec<&Searched> =
        searched.iter().enumerate().filter(|(i, _)| on_page(*i)).map(|(_, item)| item).collect();
    Ok(Answer {
        quoted_fields: QuotedFields(&["project", "brand", "engine", "prompt", "snippet", "topic", "model", "caveats"]),
        projects: shown
            .iter()
            .map(|item| Project {
                project: QuotedLine::new(&item.target.name, 120),
                source: item.target.row.key.source.to_string(),
                brand: item.brand.as_ref().map(|brand| QuotedLine::new(&brand.name, 120)),
            })
            .collect(),
        next_cursor: merged.last().filter(|_| found > merged.len()).map(|(_, row)| bound.write(&[row.id.to_string()])),
        answers,
        total: total.min(COUNTED as u64),
        total_is_capped: total > COUNTED as u64,
        as_of: as_of(cx, reader, &targets, days.unwrap_or(DayRange::ending(newest, 30)), &mut caveats)?,
        caveats,
    })
}

fn words(text: &str) -> Result<Words, ToolError> {
    let words = Words::of(text);
    if words.is_empty() {
        return Err(ToolError::invalid(
            "text holds no word to search for",
            "give one word or more; put words that must stand together in quotation marks",
        ));
    }
    Ok(words)
}

/// The projects that have the brand asked for, each with its filter.
fn searched(
    reader: &Reader,
    targets: &[Target],
    params: &Params,
    days: Option<DayRange>,
) -> Result<Vec<Searched>, ToolError> {
    let prompt = params.prompt_id.as_ref().map(|name| prompt_named(reader, targets, name)).transpose()?;
    let mut searched = Vec::new();
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
            days,
            answer: Some(params.text.clone()),
            without_branded: !params.include_branded,
            ..RunFilter::default()
        };
        searched.push(Searched { target: target.clone(), brand, filter });
    }
    match &params.brand {
        Some(name) if searched.is_empty() => Err(no_brand(name, names.iter().map(String::as_str))),
        _ => Ok(searched),
    }
}

/// What the cursor belongs to.
fn question(searched: &[Searched], params: &Params) -> String {
    let filters: Vec<String> = searched
        .iter()
        .map(|item| {
            // A period that moves with the newest day must not change the question from page to page.
            let filter = RunFilter { days: None, ..item.filter.clone() };
            format!("{:?} {filter:?}", item.target.row.key)
        })
        .collect();
    format!("{filters:?} {:?}", params.period)
}

fn nothing_found(text: &str, days: Option<DayRange>) -> String {
    // Words of these scripts stand without spaces, and the index takes what stands between two marks for one word.
    if text.chars().any(|c| c >= '\u{2e80}' && c.is_alphabetic()) {
        return "no answer holds these words; where words stand without spaces, only whole clauses are found"
            .to_owned();
    }
    let when = days.map_or_else(String::new, |days| format!(" in {days}"));
    format!("no answer{when} holds all these words; give fewer, or leave filters out")
}

fn table(
    cx: &ToolCx<'_>,
    reader: &Reader,
    (rows, words): (&[(usize, RunRow)], &Words),
    several: bool,
    searched: &[Searched],
    format: ResponseFormat,
) -> Result<Table, ToolError> {
    let detailed = format.is_detailed();
    let (prompt_chars, snippet_chars) = if detailed { (300, 600) } else { (90, 240) };
    let mut columns = vec!["run_id", "created_at", "engine", "prompt", "snippet", "visible"];
    if several {
        columns.push("project");
    }
    if detailed {
        columns.extend(["prompt_id", "topic", "model"]);
    }
    let mut table = Table::new(columns);
    for (i, row) in rows {
        cx.check()?;
        let text = reader.answer(row.id)?.unwrap_or_default();
        let hit = words.first_in(&text).unwrap_or(0..0);
        let mut cells: Vec<Value> = vec![
            row.id.to_string().into(),
            row.created_at.to_string().into(),
            quoted(&row.engine, 80),
            quoted(&row.prompt.text, prompt_chars),
            QuotedLine::around(&text, hit, snippet_chars).as_str().into(),
            cell(row.visible()),
        ];
        if several {
            cells.push(quoted_or_null(searched.get(*i).map(|item| item.target.name.as_str()), 120));
        }
        if detailed {
            cells.extend([
                row.prompt.id.to_string().into(),
                quoted_or_null(row.prompt.topic.as_deref(), 80),
                quoted_or_null(row.model.as_deref(), 120),
            ]);
        }
        table.rows.push(cells);
    }
    Ok(table)
}

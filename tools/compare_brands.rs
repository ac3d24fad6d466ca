//! `compare_brands`: all tracked brands on the same runs, and one of them against each rival.

mod tables;

use super::support::{AsOf, Asked, Bookmark, Names, Question, RunsFilter, Table, brand_named, no_brand, read};
use crate::{
    analysis::{Figures, duel},
    mcp::{
        Tool, ToolCx, ToolError,
        params::{BrandName, Cursor, EngineName, Limit, Period, ProjectName, PromptName, ResponseFormat, TopicName},
        quote::{QuotedFields, QuotedLine, cost, line},
    },
    model::{Basis, Brand, BrandKey, DayRange},
    store::{Bases, CellTable, Reader},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The tool.
pub struct CompareBrands;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    #[serde(default)]
    project: Option<ProjectName>,
    #[serde(default)]
    brand: Option<BrandName>,
    /// Brand whose prompts to list, where the other is absent.
    #[serde(default)]
    rival: Option<BrandName>,
    #[serde(default)]
    engine: Option<EngineName>,
    #[serde(default)]
    topic: Option<TopicName>,
    #[serde(default)]
    prompt_id: Option<PromptName>,
    #[serde(default)]
    period: Period,
    /// Count branded prompts too.
    #[serde(default)]
    include_branded: bool,
    /// Brands, and prompts of the rival; default 10, detailed 20.
    #[serde(default)]
    limit: Option<Limit>,
    #[serde(default)]
    cursor: Option<Cursor>,
    #[serde(default)]
    response_format: ResponseFormat,
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    /// Side by side, never to be added up
    projects: Vec<Compared>,
    /// Goes on with `only_them_prompts`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    next_cursor: Option<String>,
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
    /// Finished runs in scope
    runs: u64,
    prompts: u32,
    branded_runs_left_out: u64,
    leaderboard: Table,
    brands_not_shown: usize,
    /// Columns of prompts; difference: presence rate of the brand less the rival's
    head_to_head: Table,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Table")]
    only_them_prompts: Option<Table>,
    runs_filter: RunsFilter,
}

/// One brand, as all runs in scope show it.
struct Contender {
    brand: Brand,
    table: CellTable,
    figures: Figures,
}

/// Brands of an answer, all projects together: both rows of one are some hundred tokens.
const BRANDS: usize = 100;
/// What the prompts of the rival may cost in one answer.
const PROMPTS_COST: usize = 20_000;

impl Tool for CompareBrands {
    const NAME: &'static str = "compare_brands";
    const TITLE: &'static str = "Compare brands";
    const PAGE: &'static str = include_str!("compare_brands.md");

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
        period: params.period,
        include_branded: params.include_branded,
    };
    let mut question = Question::find(cx, reader, &names, most, &mut caveats)?;
    let rivals = rivals(&question, params.rival.as_ref())?;
    let wanted: Vec<Option<&BrandKey>> = rivals.iter().map(Option::as_ref).collect();
    let page = Bookmark::read(params.cursor.as_ref(), &mut question, Some(params.period), &format!("{wanted:?}"))?;
    let limit = limit(params, question.asked.len());
    let mut lists = Vec::new();
    let mut projects = Vec::new();
    for (one, rival) in question.asked.iter().zip(&rivals) {
        let (compared, list) = compared(reader, (&question, one), (params, limit), rival.as_ref(), &mut caveats)?;
        projects.push(compared);
        lists.push(list);
    }
    let next = list_prompts(reader, &mut projects, &lists, (page.at, limit))?;
    if question.prompt.is_some() {
        caveats.push("intervals are of this prompt's own runs; one prompt gives no verdict".to_owned());
    }
    Ok(Answer {
        quoted_fields: QuotedFields(&["project", "brand", "rival", "prompt", "engine", "topic", "caveats"]),
        projects,
        next_cursor: next.map(|next| page.cursor(next)),
        as_of: question.as_of(cx, reader, &mut caveats)?,
        caveats,
    })
}

/// Of each project, the rival whose prompts are asked for.
fn rivals(question: &Question, name: Option<&BrandName>) -> Result<Vec<Option<BrandKey>>, ToolError> {
    let Some(name) = name else { return Ok(question.asked.iter().map(|_| None).collect()) };
    let found: Vec<Option<BrandKey>> =
        question.asked.iter().map(|one| brand_named(&one.brands, Some(name)).map(|brand| brand.key)).collect();
    if found.iter().all(Option::is_none) {
        let brands = question.asked.iter().flat_map(|one| &one.brands);
        return Err(match no_brand(name, brands.map(|brand| brand.name.as_str())) {
            ToolError::NotFound { given, nearest, .. } => {
                let next = "leave rival out to see all brands, or give one of them".to_owned();
                ToolError::NotFound { kind: "rival", given, nearest, next }
            }
            error => error,
        });
    }
    if question.asked.iter().zip(&found).any(|(one, key)| key.as_ref() == Some(&one.brand.key)) {
        return Err(ToolError::invalid("rival is the brand itself", "give another brand as rival, or leave rival out"));
    }
    Ok(found)
}

/// How many brands of each project are shown, and prompts of the rival.
fn limit(params: &Params, projects: usize) -> usize {
    let default = match (params.response_format.is_detailed(), projects) {
        (true, _) => 20,
        (false, 1) => 10,
        (false, _) => 4,
    };
    params.limit.map_or(default, Limit::get).min(BRANDS / projects.max(1))
}

/// The prompts where the rival alone appears, with the runs that show it.
type OnlyThem = Option<Vec<(crate::model::PromptRef, u32)>>;

fn compared(
    reader: &Reader,
    (question, one): (&Question, &Asked),
    (params, limit): (&Params, usize),
    rival: Option<&BrandKey>,
    caveats: &mut Vec<String>,
) -> Result<(Compared, OnlyThem), ToolError> {
    let contenders = contenders(reader, (question, one), rival)?;
    let is = |contender: &&Contender, key: &BrandKey| contender.brand.key == *key;
    let own = contenders.iter().find(|contender| is(contender, &one.brand.key));
    let runs = own.map_or(0, |own| own.figures.runs);
    question.note_if_empty(one, runs, caveats);
    if runs > 0 {
        note(one, &contenders, caveats);
    }
    let always = |contender: &Contender| contender.brand.key == one.brand.key || Some(&contender.brand.key) == rival;
    let shown: Vec<&Contender> = contenders
        .iter()
        .enumerate()
        .filter(|(place, contender)| *place < limit || always(contender))
        .map(|(_, contender)| contender)
        .collect();
    let others: Vec<&Contender> = shown.iter().copied().filter(|other| other.brand.key != one.brand.key).collect();
    let list = own.zip(rival).and_then(|(own, rival)| {
        let rival = contenders.iter().find(|contender| is(contender, rival))?;
        Some(duel(&own.table.cells, &rival.table.cells).only_them)
    });
    let compared = Compared {
        project: one.project(),
        source: one.target.row.key.source.to_string(),
        brand: QuotedLine::new(&one.brand.name, 120),
        period: question.days,
        runs,
        prompts: own.map_or(0, |own| own.figures.prompts),
        branded_runs_left_out: own.map_or(0, |own| own.table.branded_runs),
        brands_not_shown: contenders.len() - shown.len(),
        head_to_head: own.map_or_else(Table::default, |own| tables::head_to_head(own, &others)),
        leaderboard: tables::leaderboard(&shown, params.response_format),
        only_them_prompts: None,
        runs_filter: question.runs_filter(one),
    };
    Ok((compared, list))
}

/// All tracked brands and those that are named, the one seen most first.
fn contenders(
    reader: &Reader,
    (question, one): (&Question, &Asked),
    rival: Option<&BrandKey>,
) -> Result<Vec<Contender>, ToolError> {
    let is_named = |brand: &Brand| brand.key == one.brand.key || Some(&brand.key) == rival;
    let brands: Vec<&Brand> = one.brands.iter().filter(|brand| brand.is_tracked() || is_named(brand)).collect();
    let keys: Vec<&BrandKey> = brands.iter().map(|brand| &brand.key).collect();
    let tables = reader.cells_by_brand(&question.query(one), &keys)?;
    let mut contenders: Vec<Contender> = brands
        .into_iter()
        .zip(tables)
        .map(|(brand, table)| Contender { brand: brand.clone(), figures: question.figures(&table.cells), table })
        .collect();
    let value = |figure: Option<f64>| figure.unwrap_or(-1.0);
    contenders.sort_by(|a, b| {
        let presence = |contender: &Contender| value(contender.figures.presence_rate.value);
        let share = |contender: &Contender| value(contender.figures.mention_share_of_voice.value);
        presence(b)
            .total_cmp(&presence(a))
            .then_with(|| share(b).total_cmp(&share(a)))
            .then_with(|| a.brand.name.cmp(&b.brand.name))
    });
    Ok(contenders)
}

/// What a reader of these tables must know.
fn note(one: &Asked, contenders: &[Contender], caveats: &mut Vec<String>) {
    let project = one.project();
    let project = project.as_str();
    if contenders.len() < 2 {
        caveats.push(format!("{project}: no other brand is tracked here"));
    }
    let counted = |bases: fn(&Bases) -> &Vec<Basis>, basis: Basis| -> Vec<&str> {
        let of = |contender: &&Contender| bases(&contender.table.bases).contains(&basis);
        contenders.iter().filter(of).map(|contender| contender.brand.name.as_str()).collect()
    };
    for (what, bases) in
        [("mentions", (|bases| &bases.mentions) as fn(&Bases) -> &Vec<Basis>), ("citations", |bases| &bases.citations)]
    {
        let (upstream, derived) = (counted(bases, Basis::Upstream), counted(bases, Basis::Derived));
        if let (Some(first), false) = (upstream.first(), derived.is_empty()) {
            let more = if upstream.len() > 1 { format!(" and {} more", upstream.len() - 1) } else { String::new() };
            caveats.push(format!(
                "{project}: {what} of {}{more} are the tracker's count, those of {} brands are read off the text",
                line(first, 60),
                derived.len()
            ));
        }
    }
    let checked = contenders.iter().map(|contender| contender.figures.presence_rate.runs);
    if checked.clone().min() != checked.max() {
        caveats
            .push(format!("{project}: not every brand was looked for in all runs, so rates and shares differ in runs"));
    }
}

/// Puts a page of every list of prompts into its project: as many of each as fit, so that one cursor goes on with all.
/// Returns where it goes on.
fn list_prompts(
    reader: &Reader,
    projects: &mut [Compared],
    lists: &[OnlyThem],
    (at, limit): (usize, usize),
) -> Result<Option<usize>, ToolError> {
    let mut pages = Vec::new();
    for list in lists {
        let page = list.as_ref().map(|list| list.iter().skip(at).take(limit).copied().collect::<Vec<_>>());
        pages.push(page.map(|page| tables::prompts(reader, &page)).transpose()?);
    }
    let row_cost = |row: usize| -> usize {
        let rows = pages.iter().flatten().filter_map(|table| table.rows.get(row));
        rows.flatten().map(|value: &Value| cost(&value.to_string())).sum()
    };
    let mut spent = 0;
    let fits = |row: &usize| {
        spent += row_cost(*row);
        spent <= PROMPTS_COST
    };
    let fitting = (0..limit).take_while(fits).count().max(1);
    for (project, page) in projects.iter_mut().zip(pages) {
        project.only_them_prompts = page.map(|mut table| {
            table.rows.truncate(fitting);
            table
        });
    }
    let next = at.saturating_add(fitting);
    Ok(lists.iter().flatten().any(|list| list.len() > next).then_some(next))
}

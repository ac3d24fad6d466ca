//! `find_gaps`: prompts where rivals appear and the brand does not, and what such answers cite.

use super::support::{
    AsOf, Asked, Names, Pages, Question, RunsFilter, Table, cell, domains_of_kind, kind_beside, owner_of, read,
    rows_a_page,
};
use crate::{
    analysis::{PromptGaps, Rate, fraction, gap_rate, prompt_gaps},
    mcp::{
        Tool, ToolCx, ToolError,
        params::{BrandName, Cursor, EngineName, Limit, Period, ProjectName, ResponseFormat, TopicName},
        quote::{QuotedFields, QuotedLine},
    },
    model::{Brand, BrandKind, DayRange, PromptRef},
    store::{CellQuery, CitedBy, CitedOrder, CitedQuery, CitedRef, CitedRow, Domains, Reader},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The tool.
pub struct FindGaps;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    #[serde(default)]
    project: Option<ProjectName>,
    #[serde(default)]
    brand: Option<BrandName>,
    /// Which tables.
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    engine: Option<EngineName>,
    #[serde(default)]
    topic: Option<TopicName>,
    #[serde(default)]
    period: Period,
    /// Count branded prompts too.
    #[serde(default)]
    include_branded: bool,
    #[serde(default)]
    limit: Option<Limit>,
    #[serde(default)]
    cursor: Option<Cursor>,
    #[serde(default)]
    response_format: ResponseFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Kind {
    Prompts,
    Sources,
    #[default]
    Both,
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    /// One per project that has the brand; side by side, never to be added up
    projects: Vec<OfProject>,
    /// Give it as cursor for the next rows; absent at the end
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    next_cursor: Option<String>,
    as_of: Vec<AsOf>,
    caveats: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct OfProject {
    project: QuotedLine,
    source: String,
    brand: QuotedLine,
    period: DayRange,
    gap_rate: Rate,
    branded_runs_left_out: u64,
    /// Prompts with a gap
    total_prompts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Table")]
    prompts: Option<Table>,
    /// Sources cited in a gap
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "usize")]
    total_sources: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Table")]
    sources: Option<Table>,
    runs_filter: RunsFilter,
}

impl Tool for FindGaps {
    const NAME: &'static str = "find_gaps";
    const TITLE: &'static str = "Find gaps";
    const PAGE: &'static str = include_str!("find_gaps.md");

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        read(cx, |reader| answer(cx, reader, &params))
    }
}

/// How the tables are filled.
struct Wanted {
    kind: Kind,
    rows: usize,
    detailed: bool,
}

fn answer(cx: &ToolCx<'_>, reader: &Reader, params: &Params) -> Result<Answer, ToolError> {
    let mut caveats = Vec::new();
    let detailed = params.response_format.is_detailed();
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
    let particular = format!("{} {:?}", FindGaps::NAME, params.kind);
    let asked = (&question, params.period);
    let mut pages = Pages::read(params.cursor.as_ref(), asked, &particular, question.asked.len() * 2)?;
    let rows = rows_a_page(params.limit, question.asked.len());
    let wanted = Wanted { kind: params.kind, rows, detailed };
    let mut projects = Vec::new();
    for (i, one) in question.asked.iter().enumerate() {
        let found = of_project(reader, (&question, one), &wanted, (&mut pages, 2 * i), &mut caveats)?;
        projects.extend(found);
    }
    Ok(Answer {
        quoted_fields: QuotedFields(&["project", "brand", "prompt", "topic", "rivals", "domain", "owner", "caveats"]),
        projects,
        next_cursor: pages.next_cursor(),
        as_of: question.as_of(cx, reader, &mut caveats)?,
        caveats,
    })
}

/// The gaps of one project; none where both its tables ended on an earlier page.
fn of_project(
    reader: &Reader,
    (question, one): (&Question, &Asked),
    wanted: &Wanted,
    (pages, list): (&mut Pages, usize),
    caveats: &mut Vec<String>,
) -> Result<Option<OfProject>, ToolError> {
    let query = question.query(one);
    let cells = reader.cells_with_gaps(&query)?;
    let all = prompt_gaps(&cells.cells, &cells.gaps);
    let rate = gap_rate(&all);
    let worst: Vec<PromptGaps> = all.iter().filter(|prompt| prompt.gap_runs > 0).copied().collect();
    let (shown, shown_sources) = (pages.shown(list), pages.shown(list + 1));
    if shown + shown_sources == 0 {
        warn((question, one), &rate, all.iter().map(|prompt| prompt.runs).sum(), caveats);
    }
    let prompts = if ends(shown, worst.len()) || wanted.kind == Kind::Sources {
        None
    } else {
        let end = worst.len().min(shown + wanted.rows);
        let mut table = prompts(reader, &query, worst.get(shown..end).unwrap_or_default(), wanted)?;
        pages.keep(list, &mut table.rows, worst.len());
        Some(table)
    };
    let mut total_sources = None;
    let mut cited = None;
    if wanted.kind != Kind::Prompts {
        let own = domains_of_kind(&one.brands, &one.brand.key, BrandKind::Own);
        let domains = Domains::Except(&own);
        let query = CitedQuery { runs: query, by: CitedBy::Domain, domains, order: CitedOrder::Gaps };
        let found = reader.cited(&query, shown_sources + wanted.rows)?;
        total_sources = Some(found.total);
        if !ends(shown_sources, found.total) {
            let mut table =
                sources(reader, (&query, one), found.rows.get(shown_sources..).unwrap_or_default(), wanted)?;
            pages.keep(list + 1, &mut table.rows, found.total);
            cited = Some(table);
        }
    }
    if prompts.is_none() && cited.is_none() {
        return Ok(None);
    }
    Ok(Some(OfProject {
        project: one.project(),
        source: one.target.row.key.source.to_string(),
        brand: QuotedLine::new(&one.brand.name, 120),
        period: question.days,
        gap_rate: rate,
        branded_runs_left_out: cells.branded_runs,
        total_prompts: worst.len(),
        prompts,
        total_sources,
        sources: cited,
        runs_filter: RunsFilter { gap: Some(true), ..question.runs_filter(one) },
    }))
}

/// Did a list end on an earlier page? One that is empty is shown so once.
fn ends(shown: usize, total: usize) -> bool {
    shown > 0 && shown >= total
}

/// What a reader of these figures must know.
fn warn((question, one): (&Question, &Asked), rate: &Rate, runs: u64, caveats: &mut Vec<String>) {
    question.note_if_empty(one, runs, caveats);
    let project = one.project();
    let project = project.as_str();
    if runs > 0 && rate.runs == 0 {
        caveats.push(format!(
            "{project}: the brand was not looked for in both mentions and citations, so no gap is known"
        ));
    } else if rate.runs < runs {
        caveats
            .push(format!("{project}: the brand was looked for in {} of {runs} runs; the rest say nothing", rate.runs));
    }
    let is_rival = |other: &&Brand| match one.brand.kind {
        BrandKind::Own => other.kind == BrandKind::Competitor,
        _ => other.is_tracked() && other.key != one.brand.key,
    };
    if !one.brands.iter().any(|other| is_rival(&other)) {
        caveats.push(format!("{project}: no rival is tracked, so there are no gaps"));
    }
}

fn prompts(reader: &Reader, query: &CellQuery<'_>, page: &[PromptGaps], wanted: &Wanted) -> Result<Table, ToolError> {
    let mut columns = vec!["prompt_id", "prompt", "gap_runs", "runs", "gap_rate", "low", "high", "rivals"];
    if wanted.detailed {
        columns.push("topic");
    }
    let mut table = Table::new(columns);
    let labels: Vec<PromptRef> = page.iter().map(|prompt| prompt.prompt).collect();
    let rivals = reader.rivals(query, &labels, 3)?;
    for ((prompt, gaps), rivals) in reader.prompts(&labels)?.into_iter().zip(page).zip(rivals) {
        let rate = gaps.rate();
        let names: Vec<QuotedLine> = rivals.iter().map(|rival| QuotedLine::new(&rival.name, 60)).collect();
        let mut row = vec![
            prompt.id.to_string().into(),
            QuotedLine::new(&prompt.text, if wanted.detailed { 300 } else { 90 }).as_str().into(),
            rate.hits.into(),
            rate.runs.into(),
            cell(rate.value),
            cell(rate.low),
            cell(rate.high),
            names.iter().map(QuotedLine::as_str).collect::<Vec<_>>().into(),
        ];
        if wanted.detailed {
            row.push(prompt.topic.map_or(Value::Null, |topic| QuotedLine::new(&topic, 120).as_str().into()));
        }
        table.rows.push(row);
    }
    Ok(table)
}

fn sources(
    reader: &Reader,
    (query, one): (&CitedQuery<'_>, &Asked),
    page: &[CitedRow],
    wanted: &Wanted,
) -> Result<Table, ToolError> {
    let mut columns = vec!["domain", "owner", "kind", "gap_runs", "runs", "gap_share", "prompts"];
    if wanted.detailed {
        // Runs that cite it and in which the brand is present.
        columns.push("brand_runs");
    }
    let mut table = Table::new(columns);
    let labels: Vec<CitedRef> = page.iter().map(|row| row.label).collect();
    let cells = reader.cited_cells(query, query.runs.days, &labels)?;
    for (row, cells) in page.iter().zip(cells) {
        let owner = row.domain.as_ref().and_then(|domain| owner_of(&one.brands, domain));
        let kind = owner.map_or(BrandKind::Other, |owner| kind_beside(owner, &one.brand));
        let with_gap = cells.chunk_by(|a, b| a.prompt == b.prompt).filter(|of| of.iter().any(|cell| cell.gap_runs > 0));
        let mut values = vec![
            QuotedLine::new(&row.name, 120).as_str().into(),
            owner.map_or(Value::Null, |owner| QuotedLine::new(&owner.name, 80).as_str().into()),
            kind.as_str().into(),
            row.gap_runs.into(),
            row.runs.into(),
            cell(fraction(row.gap_runs, row.runs)),
            with_gap.count().into(),
        ];
        if wanted.detailed {
            values.push(row.present_runs.into());
        }
        table.rows.push(values);
    }
    Ok(table)
}

//! `top_citations`: the domains and URLs that answers cite most, whose they are, and how that changes.

use super::support::{
    AsOf, Asked, Names, Pages, Question, RunsFilter, Table, cell, domain_named, domains_of_kind, kind_beside, owner_of,
    read, rows_a_page,
};
use crate::{
    analysis::{CitedFigures, CitedScope, control_changes},
    mcp::{
        Tool, ToolCx, ToolError,
        params::{
            BrandName, Cursor, DomainName, EngineName, Limit, Period, ProjectName, PromptName, ResponseFormat,
            TopicName,
        },
        quote::{QuotedFields, QuotedLine},
    },
    model::{BrandKind, DayRange},
    store::{CellQuery, CitedBy, CitedOrder, CitedQuery, CitedRef, CitedRow, Domains, Reader},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The tool.
pub struct TopCitations;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    #[serde(default)]
    project: Option<ProjectName>,
    #[serde(default)]
    brand: Option<BrandName>,
    /// What a row is; url where domain is given.
    #[serde(default)]
    by: Option<By>,
    #[serde(default)]
    domain: Option<DomainName>,
    /// Only those of the brand, of its rivals, or of neither.
    #[serde(default)]
    owner: Option<Owner>,
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
    #[serde(default)]
    limit: Option<Limit>,
    #[serde(default)]
    cursor: Option<Cursor>,
    #[serde(default)]
    response_format: ResponseFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum By {
    Domain,
    Url,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Owner {
    Own,
    Competitor,
    Other,
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
    compared_with: DayRange,
    /// Finished runs in scope
    runs: u64,
    prompts: u32,
    branded_runs_left_out: u64,
    /// Rows of all pages
    total: usize,
    /// Rows whose change could be tested, of the first 100
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "usize")]
    tested: Option<usize>,
    citations: Table,
    runs_filter: RunsFilter,
}

impl Tool for TopCitations {
    const NAME: &'static str = "top_citations";
    const TITLE: &'static str = "Top citations";
    const PAGE: &'static str = include_str!("top_citations.md");

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        read(cx, |reader| answer(cx, reader, &params))
    }
}

/// So many rows, the first ones, are tested as one list, whatever page is asked for.
const TESTED: usize = 100;

/// What is asked beside the question.
struct Wanted {
    by: CitedBy,
    domain: Option<String>,
    owner: Option<Owner>,
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
        prompt: params.prompt_id.as_ref(),
        period: params.period,
        include_branded: params.include_branded,
    };
    let question = Question::find(cx, reader, &names, if detailed { 8 } else { 2 }, &mut caveats)?;
    let domain = params.domain.as_ref().map(|name| domain_named(reader, name)).transpose()?;
    let by = match (params.by, &domain) {
        (Some(By::Url), _) | (None, Some(_)) => CitedBy::Url,
        _ => CitedBy::Domain,
    };
    let particular = format!("{} {by:?} {domain:?} {:?}", TopCitations::NAME, params.owner);
    let asked = (&question, params.period);
    let mut pages = Pages::read(params.cursor.as_ref(), asked, &particular, question.asked.len())?;
    let rows = rows_a_page(params.limit, question.asked.len());
    let wanted = Wanted { by, domain, owner: params.owner, rows, detailed };
    let mut projects = Vec::new();
    for (list, one) in question.asked.iter().enumerate() {
        let shown = pages.shown(list);
        let mut found = of_project(reader, (&question, one), &wanted, shown)?;
        question.note_if_empty(one, found.runs, &mut caveats);
        if found.runs > 0 && found.total == 0 {
            caveats.push(format!("{}: no finished run in scope cites one", found.project.as_str()));
        }
        pages.keep(list, &mut found.citations.rows, found.total);
        // A list that ended on an earlier page is not shown again.
        if shown == 0 || shown < found.total {
            projects.push(found);
        }
    }
    Ok(Answer {
        quoted_fields: QuotedFields(&["project", "brand", "domain", "url", "owner", "topic", "caveats"]),
        projects,
        next_cursor: pages.next_cursor(),
        as_of: question.as_of(cx, reader, &mut caveats)?,
        caveats,
    })
}

fn of_project(
    reader: &Reader,
    (question, one): (&Question, &Asked),
    wanted: &Wanted,
    shown: usize,
) -> Result<OfProject, ToolError> {
    let (runs, days) = (question.query(one), question.days);
    let now = reader.cells(&runs)?;
    let before = reader.cells(&CellQuery { days: days.before(), ..runs })?;
    let named = domains(one, wanted);
    let query = CitedQuery { runs, by: wanted.by, domains: named.as_domains(), order: CitedOrder::Runs };
    let tests = shown < TESTED;
    let end = shown + wanted.rows;
    let list = reader.cited(&query, if tests { end.max(TESTED) } else { end })?;
    let from = if tests { 0 } else { shown };
    let rows = list.rows.get(from..).unwrap_or_default();
    let labels: Vec<CitedRef> = rows.iter().map(|row| row.label).collect();
    let cells_now = reader.cited_cells(&query, days, &labels)?;
    let cells_before = if tests { reader.cited_cells(&query, days.before(), &labels)? } else { Vec::new() };
    let mut scope = CitedScope::new(&now.cells, &before.cells, question.prompt.is_some());
    let nothing = Vec::new();
    let mut figures: Vec<CitedFigures> = cells_now
        .iter()
        .zip(cells_before.iter().chain(std::iter::repeat(&nothing)))
        .map(|(now, before)| scope.figures(now, before))
        .collect();
    let tested = control_changes(figures.iter_mut().take(if tests { TESTED } else { 0 }).map(|one| &mut one.change));
    let mut table = Table::new(columns(wanted));
    let page = rows.iter().zip(&figures).zip(from..).skip(shown - from).take(wanted.rows);
    table.rows = page.map(|((row, figures), at)| line((one, row), figures, wanted, at < TESTED)).collect();
    Ok(OfProject {
        project: one.project(),
        source: one.target.row.key.source.to_string(),
        brand: QuotedLine::new(&one.brand.name, 120),
        period: days,
        compared_with: days.before(),
        runs: scope.runs(),
        prompts: scope.prompts(),
        branded_runs_left_out: now.branded_runs,
        total: list.total,
        tested: tests.then_some(tested),
        citations: table,
        runs_filter: question.runs_filter(one),
    })
}

/// The domains that are asked for.
enum Named {
    All,
    Only(Vec<String>),
    Except(Vec<String>),
}

impl Named {
    fn as_domains(&self) -> Domains<'_> {
        match self {
            Self::All => Domains::All,
            Self::Only(domains) => Domains::Only(domains),
            Self::Except(domains) => Domains::Except(domains),
        }
    }
}

fn domains(one: &Asked, wanted: &Wanted) -> Named {
    let of = |kind| domains_of_kind(&one.brands, &one.brand.key, kind);
    let by_owner = match wanted.owner {
        None => Named::All,
        Some(Owner::Own) => Named::Only(of(BrandKind::Own)),
        Some(Owner::Competitor) => Named::Only(of(BrandKind::Competitor)),
        Some(Owner::Other) => Named::Except([of(BrandKind::Own), of(BrandKind::Competitor)].concat()),
    };
    let Some(domain) = &wanted.domain else { return by_owner };
    let is_in = match &by_owner {
        Named::All => true,
        Named::Only(domains) => domains.contains(domain),
        Named::Except(domains) => !domains.contains(domain),
    };
    Named::Only(if is_in { vec![domain.clone()] } else { Vec::new() })
}

fn columns(wanted: &Wanted) -> Vec<&'static str> {
    let mut columns = vec![if wanted.by == CitedBy::Url { "url" } else { "domain" }, "owner", "kind", "runs"];
    columns.extend(["consistency", "low", "high", "prompts", "influence", "citations", "change", "verdict"]);
    if wanted.detailed {
        columns.extend(["change_low", "change_high", "smallest_detectable"]);
        if wanted.by == CitedBy::Url {
            columns.push("domain");
        }
    }
    columns
}

fn line((one, row): (&Asked, &CitedRow), figures: &CitedFigures, wanted: &Wanted, tested: bool) -> Vec<Value> {
    let owner = row.domain.as_ref().and_then(|domain| owner_of(&one.brands, domain));
    let kind = owner.map_or(BrandKind::Other, |owner| kind_beside(owner, &one.brand));
    let quoted = |text: &str, max: usize| -> Value { QuotedLine::new(text, max).as_str().into() };
    let (rate, change) = (figures.consistency, figures.change);
    let moved = |value: Option<f64>| cell(value.filter(|_| tested));
    let mut cells = vec![
        quoted(&row.name, if wanted.detailed { 400 } else { 160 }),
        owner.map_or(Value::Null, |owner| quoted(&owner.name, 80)),
        kind.as_str().into(),
        row.runs.into(),
        cell(rate.value),
        cell(rate.low),
        cell(rate.high),
        figures.prompts.into(),
        cell(figures.influence),
        row.citations.into(),
        moved(change.difference),
        if tested { change.verdict.as_str().into() } else { Value::Null },
    ];
    if wanted.detailed {
        cells.extend([moved(change.low), moved(change.high), moved(change.smallest_detectable)]);
        if wanted.by == CitedBy::Url {
            cells.push(row.domain.as_ref().map_or(Value::Null, |domain| quoted(domain, 120)));
        }
    }
    cells
}

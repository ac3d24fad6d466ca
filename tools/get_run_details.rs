//! `get_run_details`: one run whole, the answer in pieces.

mod mentions;

use super::support::{AsOf, Table, anchor, as_of, brand_named, cell, no_brand, projects_named, read};
use crate::{
    mcp::{
        Tool, ToolCx, ToolError,
        params::{BrandName, ResponseFormat},
        quote::{Quoted, QuotedFields, QuotedLine, cost},
    },
    model::{Basis, Brand, Day, DayRange, PromptId, RunId},
    store::{CitationRow, FactRow, HistoryRow, Reader, RunDetails},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The tool.
pub struct GetRunDetails;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Run id, as `list_prompt_runs` gives it.
    #[schemars(length(min = 1, max = 80))]
    run_id: String,
    #[serde(default)]
    brand: Option<BrandName>,
    /// Where in the answer to begin, in characters.
    #[serde(default)]
    #[schemars(range(max = 100_000_000))]
    answer_offset: u32,
    /// How many citations to pass over.
    #[serde(default)]
    #[schemars(range(max = 100_000_000))]
    citations_offset: u32,
    /// Where in the tracker's record to begin; detailed only.
    #[serde(default)]
    #[schemars(range(max = 100_000_000))]
    record_offset: u32,
    #[serde(default)]
    response_format: ResponseFormat,
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    #[schemars(with = "String")]
    run_id: RunId,
    /// What the tracker knows the run by (detailed)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "QuotedLine")]
    upstream_key: Option<QuotedLine>,
    source: String,
    project: QuotedLine,
    engine: QuotedLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "QuotedLine")]
    model: Option<QuotedLine>,
    /// consumer: the product people use; api: the model's API
    surface: String,
    status: QuotedLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "QuotedLine")]
    failure_reason: Option<QuotedLine>,
    #[schemars(with = "String")]
    day: Day,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    finished_at: Option<String>,
    prompt: Quoted,
    #[schemars(with = "String")]
    prompt_id: PromptId,
    /// The tracker's own number or name of the prompt
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "QuotedLine")]
    prompt_label: Option<QuotedLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "QuotedLine")]
    topic: Option<QuotedLine>,
    /// The prompt names a tracked brand
    branded: bool,
    /// Absent while there is no answer
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quoted")]
    answer: Option<Quoted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Seen")]
    seen_from: Option<Seen>,
    /// Citations in the answer, as the tracker counts them
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    answer_citations: Option<u32>,
    citations_known: usize,
    /// Give it as `citations_offset` for those that follow; absent at the end
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "usize")]
    next_citations_offset: Option<usize>,
    /// Where the citations come from
    citation_basis: Basis,
    citations: Table,
    brands: Table,
    mentions_known: usize,
    /// Tracked brands named in the answer, read off its text; offset in characters
    mentions: Table,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    web_search: Option<bool>,
    /// US dollars (detailed)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    cost_usd: Option<f64>,
    /// Former states, newest first (detailed)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Table")]
    history: Option<Table>,
    former_states: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    previous_run_id: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    next_run_id: Option<RunId>,
    /// When a complete sync no longer found it upstream
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    gone_at: Option<String>,
    /// The tracker's own record as JSON text, less the answer (detailed)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quoted")]
    upstream_record: Option<Quoted>,
    as_of: Vec<AsOf>,
    caveats: Vec<String>,
}

/// The run as one brand sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Seen {
    brand: QuotedLine,
    /// Named or cited
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    visible: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    total_citations: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    total_mentions: Option<u32>,
    /// Place of its first citation, 1 is best
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    best_position: Option<u32>,
    /// On the tracker's own scale
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    avg_sentiment: Option<f64>,
}

const QUOTED: QuotedFields = QuotedFields(&[
    "prompt",
    "answer",
    "citations",
    "brands",
    "mentions",
    "seen_from",
    "project",
    "engine",
    "model",
    "status",
    "topic",
    "prompt_label",
    "upstream_key",
    "failure_reason",
    "upstream_record",
    "history",
    "caveats",
]);

impl Tool for GetRunDetails {
    const NAME: &'static str = "get_run_details";
    const TITLE: &'static str = "Get run details";
    const PAGE: &'static str = include_str!("get_run_details.md");

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        read(cx, |reader| answer(cx, reader, &params))
    }
}

fn answer(cx: &ToolCx<'_>, reader: &Reader, params: &Params) -> Result<Answer, ToolError> {
    let projects = projects_named(cx, reader, None)?;
    let unknown = || {
        ToolError::not_found(
            "run",
            &params.run_id,
            [],
            "take run_id from list_prompt_runs; it has the form r and 13 letters or digits",
        )
    };
    let id: RunId = params.run_id.trim().parse().map_err(|_| unknown())?;
    let key = reader.project_of(id)?.ok_or_else(unknown)?;
    let target = projects.into_iter().find(|target| target.row.key == key).ok_or_else(unknown)?;
    let rows = reader.brands(&key)?;
    let listed: Vec<Brand> = rows.iter().filter(|row| !row.gone).map(|row| row.brand.clone()).collect();
    let brands: Vec<Brand> = rows.into_iter().map(|row| row.brand).collect();
    let brand = brand_named(&brands, params.brand.as_ref());
    if let (None, Some(name)) = (&brand, &params.brand) {
        return Err(no_brand(name, brands.iter().map(|brand| brand.name.as_str())));
    }
    let found = reader.run_details(id, brand.as_ref().map(|brand| &brand.key))?.ok_or_else(unknown)?;

    let mut caveats = Vec::new();
    if found.gone_at.is_some() {
        caveats.push("the tracker no longer has this run; it is left out of figures and lists".to_owned());
    }
    if found.row.status.is_open() {
        caveats.push("this run has no final status yet; a later sync reads it again".to_owned());
    }
    let days = DayRange::ending(anchor(cx, &[reader.reach(&key, cx.now())?]), 30);
    let as_of = as_of(cx, reader, std::slice::from_ref(&target), days, &mut caveats)?;
    let record = if params.response_format.is_detailed() { reader.raw_record(id)? } else { None };
    Ok(render(params, &target.name, (brand.as_ref(), &listed), &found, record.as_deref(), (as_of, caveats)))
}

fn render(
    params: &Params,
    project: &str,
    (brand, listed_brands): (Option<&Brand>, &[Brand]),
    run: &RunDetails,
    record: Option<&str>,
    (as_of, mut caveats): (Vec<AsOf>, Vec<String>),
) -> Answer {
    let detailed = params.response_format.is_detailed();
    let quoted = |text: &Option<String>, max: usize| text.as_ref().map(|text| QuotedLine::new(text, max));
    let (answer_cost, listed, url_cost) = if detailed { (12_000, 200, 8_000) } else { (2_400, 10, 900) };
    let passed = (params.citations_offset as usize).min(run.citations.len());
    let rest = run.citations.get(passed..).unwrap_or_default();
    let listed = listed_citations(rest, listed, url_cost);
    let brands = brands(&run.facts, detailed, &mut caveats);
    let row = &run.row;
    let answer = run.answer.as_deref().unwrap_or_default();
    let (mentions_known, mentions) =
        mentions::mentions(answer, &nameable(listed_brands, &run.facts), if detailed { (60, 300) } else { (3, 120) });
    Answer {
        quoted_fields: QUOTED,
        run_id: row.id,
        upstream_key: quoted(&row.key, 200).filter(|_| detailed),
        source: run.project.source.to_string(),
        project: QuotedLine::new(project, 120),
        engine: QuotedLine::new(&row.engine, 80),
        model: quoted(&row.model, 120),
        surface: run.surface.clone(),
        status: QuotedLine::new(row.status.as_str(), 40),
        failure_reason: quoted(&row.failure_reason, 500),
        day: row.day,
        created_at: row.created_at.to_string(),
        started_at: run.started_at.map(|at| at.to_string()),
        finished_at: run.finished_at.map(|at| at.to_string()),
        prompt: Quoted::new(&row.prompt.text, if detailed { 3_000 } else { 500 }),
        prompt_id: row.prompt.id,
        prompt_label: quoted(&row.prompt.label, 80),
        topic: quoted(&row.prompt.topic, 120),
        branded: row.prompt.branded,
        answer: run.answer.as_ref().map(|text| Quoted::at(text, params.answer_offset as usize, answer_cost)),
        seen_from: brand.map(|brand| Seen {
            brand: QuotedLine::new(&brand.name, 120),
            visible: row.visible(),
            total_citations: row.citations,
            total_mentions: row.mentions,
            best_position: row.best_position,
            avg_sentiment: row.sentiment,
        }),
        answer_citations: row.total_citations,
        citations_known: run.citations.len(),
        next_citations_offset: (listed < rest.len()).then_some(passed + listed),
        citation_basis: run.citation_basis,
        citations: citations(rest, listed),
        brands,
        mentions_known,
        mentions,
        web_search: run.web_search,
        cost_usd: run.cost_usd.filter(|_| detailed),
        history: detailed.then(|| history(&run.history)),
        former_states: run.history.len(),
        previous_run_id: run.previous,
        next_run_id: run.next,
        gone_at: run.gone_at.map(|at| at.to_string()),
        upstream_record: record.map(|record| Quoted::at(record, params.record_offset as usize, 4_000)),
        as_of,
        caveats,
    }
}

/// The brands that the text may name: all but those that were looked for in it and are not there.
fn nameable(brands: &[Brand], facts: &[FactRow]) -> Vec<Brand> {
    let absent = |brand: &&Brand| facts.iter().any(|fact| fact.brand == brand.key && fact.derived_mentions == Some(0));
    brands.iter().filter(|brand| !absent(brand)).cloned().collect()
}

const URL_CHARS: usize = 400;

// Justifications may be long, and in a dear script.
const BRANDS_COST: usize = 10_000;

fn line(text: &str, max: usize) -> Value {
    QuotedLine::new(text, max).as_str().into()
}

/// How many citations are shown: URLs may be long, and what they come to is bounded too.
fn listed_citations(rows: &[CitationRow], most: usize, most_cost: usize) -> usize {
    let mut spent = 0;
    let fits = |row: &&CitationRow| {
        spent += cost(QuotedLine::new(&row.url, URL_CHARS).as_str());
        spent <= most_cost
    };
    // One at least, or whoever follows the pages would not get on.
    rows.iter().take(most).take_while(fits).count().max(1).min(rows.len())
}

fn citations(rows: &[CitationRow], listed: usize) -> Table {
    let mut table = Table::new(["position", "url", "domain", "brand", "kind", "quality"]);
    table.rows = rows
        .iter()
        .take(listed)
        .map(|row| {
            let (brand, kind) = row
                .brand
                .as_ref()
                .map_or((Value::Null, Value::Null), |(name, kind)| (line(name, 120), kind.clone().into()));
            let domain = row.domain.as_deref().map_or(Value::Null, |domain| line(domain, 120));
            vec![row.position.into(), line(&row.url, URL_CHARS), domain, brand, kind, cell(row.quality)]
        })
        .collect();
    table
}

/// Brands that appear; all that were looked for when detailed. What is too much for one answer is left out, and said.
fn brands(facts: &[FactRow], detailed: bool, caveats: &mut Vec<String>) -> Table {
    let mut table = Table::new([
        "brand",
        "kind",
        "mention_basis",
        "mentions",
        "derived_mentions",
        "citation_basis",
        "citations",
        "best_position",
        "mention_rank",
        "sentiment",
        "sentiment_justification",
        "visibility_score",
    ]);
    let appears = |fact: &&FactRow| {
        let named = fact.mentions.max(fact.derived_mentions) > Some(0);
        detailed || fact.kind == "own" || named || fact.citations > Some(0)
    };
    table.rows = facts
        .iter()
        .filter(appears)
        .map(|fact| {
            vec![
                line(&fact.name, 120),
                fact.kind.clone().into(),
                cell(fact.mention_basis.map(Basis::as_str)),
                cell(fact.mentions),
                cell(fact.derived_mentions),
                cell(fact.citation_basis.map(Basis::as_str)),
                cell(fact.citations),
                cell(fact.best_position),
                cell(fact.mention_rank),
                cell(fact.sentiment),
                fact.sentiment_justification.as_deref().map_or(Value::Null, |text| line(text, 500)),
                cell(fact.visibility_score),
            ]
        })
        .collect();
    let known = table.rows.len();
    table.rows.truncate(table.fitting(BRANDS_COST));
    if table.rows.len() < known {
        let cut = known - table.rows.len();
        caveats.push(format!(
            "{cut} more brands are left out of `brands`; give `brand` to see the run as one of them sees it"
        ));
    }
    table
}

fn history(rows: &[HistoryRow]) -> Table {
    let mut table = Table::new(["replaced_at", "status", "answer_differed", "facts"]);
    table.rows = rows
        .iter()
        .map(|row| {
            vec![
                row.replaced_at.to_string().into(),
                line(&row.status, 40),
                row.answer_differs.into(),
                line(&row.facts, 500),
            ]
        })
        .collect();
    table
}

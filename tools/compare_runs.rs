//! `compare_runs`: what changed between two answers.

mod sides;

use super::support::{AsOf, Table, Target, anchor, as_of, projects_named, quoted, quoted_or_null, read};
use crate::{
    analysis::{entered_and_left, is_compared_in_part, likeness, overlap, round4},
    detect::sentences,
    mcp::{
        Tool, ToolCx, ToolError,
        params::ResponseFormat,
        quote::{QuotedFields, QuotedLine},
    },
    model::{DayRange, RunId},
    store::{Reader, RunDetails},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The tool.
pub struct CompareRuns;

/// Its arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Run id, as `list_prompt_runs` gives it.
    #[schemars(length(min = 1, max = 80))]
    run_id: String,
    /// Run to compare it with; default the finished one before it.
    #[serde(default)]
    #[schemars(length(min = 1, max = 80))]
    other_run_id: Option<String>,
    /// How many entries of each list to pass over.
    #[serde(default)]
    #[schemars(range(max = 100_000_000))]
    offset: u32,
    #[serde(default)]
    response_format: ResponseFormat,
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    /// This run and the other
    runs: Table,
    prompt: QuotedLine,
    /// Where it is another prompt
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "QuotedLine")]
    other_prompt: Option<QuotedLine>,
    same_prompt: bool,
    /// Absent where a model is not known
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    model_changed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    text_similarity: Option<f64>,
    entered_sentences: usize,
    left_sentences: usize,
    /// In this answer alone
    entered: Vec<QuotedLine>,
    /// In the other answer alone
    left: Vec<QuotedLine>,
    /// Absent where neither names a tracked brand
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    brand_overlap: Option<f64>,
    brands_known: usize,
    brands: Table,
    /// Absent where neither cites anything
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    domain_overlap: Option<f64>,
    domains_known: usize,
    domains: Table,
    /// Give it as `offset` for what follows in each list; absent at the end
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "usize")]
    next_offset: Option<usize>,
    as_of: Vec<AsOf>,
    caveats: Vec<String>,
}

/// One of the two: its project and itself, with its answer.
struct Side {
    target: Target,
    run: RunDetails,
    answer: String,
}

impl Tool for CompareRuns {
    const NAME: &'static str = "compare_runs";
    const TITLE: &'static str = "Compare runs";
    const PAGE: &'static str = include_str!("compare_runs.md");

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        let (this, other, as_of, caveats) = read(cx, |reader| sides(cx, reader, &params))?;
        Ok(compared(&params, &this, &other, (as_of, caveats)))
    }
}

type Sides = (Side, Side, Vec<AsOf>, Vec<String>);

fn sides(cx: &ToolCx<'_>, reader: &Reader, params: &Params) -> Result<Sides, ToolError> {
    let targets = projects_named(cx, reader, None)?;
    let this = side(reader, &targets, &params.run_id)?;
    let other = match &params.other_run_id {
        Some(other) => other.clone(),
        None => reader.finished_before(this.run.row.id)?.map(|id| id.to_string()).ok_or_else(|| {
            ToolError::invalid(
                "no finished run of this prompt on this engine comes before this one",
                "give other_run_id; list_prompt_runs with its prompt_id lists the runs there are",
            )
        })?,
    };
    let other = side(reader, &targets, &other)?;
    if this.run.row.id == other.run.row.id {
        return Err(ToolError::invalid(
            "run_id and other_run_id are the same run",
            "give two runs, or leave other_run_id out for the run before",
        ));
    }
    let mut caveats = Vec::new();
    let (a, b) = (&this.run.row, &other.run.row);
    if a.prompt.id != b.prompt.id {
        caveats.push("the runs are of different prompts, so the answers need have nothing in common".to_owned());
    }
    if a.engine != b.engine {
        caveats.push("the runs are of different engines".to_owned());
    }
    if b.created_at > a.created_at {
        caveats.push("the other run is the newer one: what entered is what it no longer has".to_owned());
    }
    if this.run.gone_at.is_some() || other.run.gone_at.is_some() {
        caveats.push("the tracker no longer has one of these runs".to_owned());
    }
    if is_compared_in_part(&this.answer) || is_compared_in_part(&other.answer) {
        caveats.push(
            "an answer is longer than 3,000 words: text_similarity is of the first 3,000 of each, entered and left of \
             the first 3,000 sentences"
                .to_owned(),
        );
    }
    let mut targets = vec![this.target.clone()];
    if other.target.row.key != this.target.row.key {
        targets.push(other.target.clone());
    }
    let reaches =
        targets.iter().map(|target| reader.reach(&target.row.key, cx.now())).collect::<Result<Vec<_>, _>>()?;
    let days = DayRange::ending(anchor(cx, &reaches), 30);
    let as_of = as_of(cx, reader, &targets, days, &mut caveats)?;
    Ok((this, other, as_of, caveats))
}

fn side(reader: &Reader, targets: &[Target], id: &str) -> Result<Side, ToolError> {
    let unknown = || {
        ToolError::not_found(
            "run",
            id,
            [],
            "take run_id from list_prompt_runs; it has the form r and 13 letters or digits",
        )
    };
    let parsed: RunId = id.trim().parse().map_err(|_| unknown())?;
    let mut run = reader.run_details(parsed, None)?.ok_or_else(unknown)?;
    let target = targets.iter().find(|target| target.row.key == run.project).cloned().ok_or_else(unknown)?;
    let Some(answer) = run.answer.take() else {
        return Err(ToolError::invalid(
            format!("run {parsed} has no answer to compare"),
            "give a run that list_prompt_runs lists with status finished",
        ));
    };
    Ok(Side { target, run, answer })
}

fn compared(params: &Params, this: &Side, other: &Side, (as_of, caveats): (Vec<AsOf>, Vec<String>)) -> Answer {
    let detailed = params.response_format.is_detailed();
    let (most, chars) = if detailed { (40, 300) } else { (8, 140) };
    let from = params.offset as usize;
    let page = |texts: &[&str]| -> Vec<QuotedLine> {
        texts.iter().skip(from).take(most).map(|text| QuotedLine::new(text, chars)).collect()
    };
    let (entered, left) = entered_and_left(&sentences(&other.answer), &sentences(&this.answer));
    let (brands, domains) = (sides::brands(this, other), sides::domains(this, other));
    let (a, b) = (&this.run.row, &other.run.row);
    let longest = [entered.len(), left.len(), brands.len(), domains.len()].into_iter().max().unwrap_or_default();
    let end = from.saturating_add(most);
    Answer {
        quoted_fields: QuotedFields(&[
            "runs",
            "prompt",
            "other_prompt",
            "entered",
            "left",
            "brands",
            "domains",
            "caveats",
        ]),
        runs: runs(this, other),
        prompt: QuotedLine::new(&a.prompt.text, 300),
        other_prompt: (a.prompt.id != b.prompt.id).then(|| QuotedLine::new(&b.prompt.text, 300)),
        same_prompt: a.prompt.id == b.prompt.id,
        model_changed: a.model.as_ref().zip(b.model.as_ref()).map(|(a, b)| a != b),
        text_similarity: likeness(&other.answer, &this.answer).map(round4),
        entered_sentences: entered.len(),
        left_sentences: left.len(),
        entered: page(&entered),
        left: page(&left),
        brand_overlap: sides::shared(&brands).map(round4),
        brands_known: brands.len(),
        brands: sides::brand_table(&brands, from, most),
        domain_overlap: overlap(&sides::domain_names(this), &sides::domain_names(other)).map(round4),
        domains_known: domains.len(),
        domains: sides::domain_table(&domains, from, most),
        next_offset: (end < longest).then_some(end),
        as_of,
        caveats,
    }
}

fn runs(this: &Side, other: &Side) -> Table {
    let mut table =
        Table::new(["role", "run_id", "created_at", "engine", "model", "status", "project", "source", "answer_chars"]);
    table.rows = [("this", this), ("other", other)]
        .into_iter()
        .map(|(role, side)| {
            let row = &side.run.row;
            vec![
                role.into(),
                row.id.to_string().into(),
                row.created_at.to_string().into(),
                quoted(&row.engine, 80),
                quoted_or_null(row.model.as_deref(), 120),
                quoted(row.status.as_str(), 40),
                quoted(&side.target.name, 120),
                side.target.row.key.source.to_string().into(),
                side.answer.chars().count().into(),
            ]
        })
        .collect();
    table
}

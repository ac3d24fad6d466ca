//! `explain_metric`: what a figure means and where it comes from.

use super::support::{AsOf, Names, Question, RunsFilter, Table, agreement, read};
use crate::{
    analysis::{DEFINITIONS, Definition, Origin, origin},
    mcp::{
        Tool, ToolCx, ToolError,
        params::{Period, ProjectName, ResponseFormat},
        quote::{QuotedFields, QuotedLine},
    },
    model::DayRange,
    store::Reader,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The tool.
pub struct ExplainMetric;

/// Its arguments.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Name of a figure, such as `presence_rate`; all where left out.
    #[serde(default)]
    #[schemars(length(min = 1, max = 80))]
    metric: Option<String>,
    #[serde(default)]
    project: Option<ProjectName>,
    #[serde(default)]
    response_format: ResponseFormat,
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    /// Absent without metric
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Metric")]
    metric: Option<Metric>,
    /// All names; where no metric is named
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Table")]
    metrics: Option<Table>,
    /// How far trackers and texts agree about the own brand
    projects: Vec<Project>,
    as_of: Vec<AsOf>,
    caveats: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Metric {
    name: &'static str,
    definition: &'static str,
    formula: &'static str,
    denominator: &'static str,
    unit: &'static str,
    interval: &'static str,
    upstream_fields: Table,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Project {
    project: QuotedLine,
    source: String,
    brand: QuotedLine,
    period: DayRange,
    agreement: Table,
    /// Arguments for `list_prompt_runs` that give the runs of these days
    runs_filter: RunsFilter,
}

impl Tool for ExplainMetric {
    const NAME: &'static str = "explain_metric";
    const TITLE: &'static str = "Explain metric";
    const PAGE: &'static str = include_str!("explain_metric.md");

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        let found = params.metric.as_deref().map(named).transpose()?;
        let mut caveats = Vec::new();
        let (projects, as_of) = match found {
            Some((_, origin)) => known(cx, &params, origin, &mut caveats)?,
            None => (Vec::new(), Vec::new()),
        };
        Ok(Answer {
            quoted_fields: QuotedFields(&["project", "brand", "caveats"]),
            metrics: found.is_none().then(|| all(params.response_format)),
            metric: found.map(|(definition, origin)| explained(definition, origin)),
            projects,
            as_of,
            caveats,
        })
    }
}

/// The figure of this name, however it is written: its own, or one that ends or begins with it and no other does.
fn named(name: &str) -> Result<(&'static Definition, &'static Origin), ToolError> {
    let fold = |name: &str| name.to_lowercase().replace([' ', '-'], "_").trim_matches('_').to_owned();
    let wanted = fold(name);
    let mut alike = DEFINITIONS.iter().filter(|definition| {
        let name = definition.name;
        let other = name.strip_prefix("avg_").unwrap_or(name);
        let short = other.trim_end_matches("_rate").trim_end_matches("_of_voice").trim_end_matches("_score");
        !wanted.is_empty() && (wanted == other || wanted == short)
    });
    let exact = DEFINITIONS.iter().find(|definition| definition.name == wanted);
    let found = exact.or_else(|| alike.next().filter(|_| alike.next().is_none()));
    let names = DEFINITIONS.iter().map(|definition| definition.name);
    found.and_then(|found| Some((found, origin(found.name)?))).ok_or_else(|| {
        ToolError::not_found("metric", name, names, "call explain_metric without metric to see all names")
    })
}

fn all(format: ResponseFormat) -> Table {
    let detailed = format.is_detailed();
    let mut columns = vec!["name", "definition"];
    if detailed {
        columns.extend(["denominator", "unit"]);
    }
    let mut table = Table::new(columns);
    table.rows = DEFINITIONS
        .iter()
        .map(|definition| {
            let mut cells: Vec<Value> = vec![definition.name.into(), definition.definition.into()];
            if detailed {
                cells.extend([definition.denominator.into(), definition.unit.into()]);
            }
            cells
        })
        .collect();
    table
}

fn explained(definition: &Definition, origin: &Origin) -> Metric {
    let mut upstream_fields = Table::new(["upstream", "fields"]);
    upstream_fields.rows = [("lumar", origin.lumar), ("verseodin", origin.verseodin), ("lunary", origin.lunary)]
        .into_iter()
        .map(|(upstream, fields)| vec![upstream.into(), fields.into()])
        .collect();
    Metric {
        name: definition.name,
        definition: definition.definition,
        formula: origin.formula,
        denominator: definition.denominator,
        unit: definition.unit,
        interval: origin.interval,
        upstream_fields,
    }
}

type Known = (Vec<Project>, Vec<AsOf>);

/// What the cache says of it. What a figure means can be told without one.
fn known(cx: &ToolCx<'_>, params: &Params, origin: &Origin, caveats: &mut Vec<String>) -> Result<Known, ToolError> {
    if origin.facts.is_empty() && params.project.is_none() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut said = Vec::new();
    match read(cx, |reader| projects(cx, reader, params, origin, &mut said)) {
        Ok(known) => {
            caveats.append(&mut said);
            Ok(known)
        }
        // Nothing is cached yet, or a project has no own brand: what the figure means holds all the same.
        Err(error @ (ToolError::NotSynced { .. } | ToolError::Unavailable { .. } | ToolError::Invalid { .. })) => {
            caveats.push(format!("no agreement: {}", error.to_string().replace('\n', "; ")));
            Ok((Vec::new(), Vec::new()))
        }
        Err(error) => Err(error),
    }
}

fn projects(
    cx: &ToolCx<'_>,
    reader: &Reader,
    params: &Params,
    origin: &Origin,
    caveats: &mut Vec<String>,
) -> Result<Known, ToolError> {
    // A full answer has room for four projects, the runs of all prompts among them.
    let names =
        Names { project: params.project.as_ref(), period: Period::last(30), include_branded: true, ..Names::default() };
    let most = if params.response_format.is_detailed() { 8 } else { 3 };
    let question = Question::find(cx, reader, &names, most, caveats)?;
    let mut projects = Vec::new();
    for one in &question.asked {
        let brands = std::slice::from_ref(&one.brand);
        let found = agreement(reader, &one.target.row.key, brands, question.days)?.map(|mut table| {
            table
                .rows
                .retain(|row| row.get(1).and_then(Value::as_str).is_some_and(|fact| origin.facts.contains(&fact)));
            table
        });
        match found.filter(|table| !table.rows.is_empty()) {
            Some(agreement) => projects.push(Project {
                project: one.project(),
                source: one.target.row.key.source.to_string(),
                brand: QuotedLine::new(&one.brand.name, 120),
                period: question.days,
                agreement,
                runs_filter: question.runs_filter(one),
            }),
            None => caveats.push(format!(
                "{}: no run of the last 30 days lets tracker and text be compared for this",
                one.project().as_str()
            )),
        }
    }
    let as_of = question.as_of(cx, reader, caveats)?;
    Ok((projects, as_of))
}

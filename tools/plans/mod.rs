//! The five plans for the usual jobs, the documents, and what completes their arguments.

use super::support::{brand_named, projects_named, read};
use crate::{
    analysis::DEFINITIONS,
    mcp::{
        Document, Documents, Plan, ToolCx, ToolError,
        params::{BrandName, ProjectName},
        quote::line,
    },
    model::{Brand, Status},
    store::{Direction, Reader, RunFilter, RunSort},
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

macro_rules! plan {
    ($name:literal, $title:literal) => {
        Plan { name: $name, title: $title, page: include_str!(concat!($name, ".md")) }
    };
}

/// The plans, in the order in which a person would read them.
pub(super) const PLANS: &[Plan] = &[
    plan!("weekly_review", "Weekly review"),
    plan!("gap_analysis", "Gap analysis"),
    plan!("source_outreach", "Source outreach"),
    plan!("engine_comparison", "Engine comparison"),
    plan!("data_quality", "Data quality"),
];

/// The documents: runs, projects and metrics.
pub(super) const DOCUMENTS: &[Documents] = &[
    Documents {
        prefix: "visibility://run/",
        name: "run",
        title: "Run",
        description: "One run whole: prompt, answer, citations, mentions and history, as get_run_details has it.",
        variable: "id",
        tool: "get_run_details",
        argument: "run_id",
        others: &[("response_format", "detailed")],
        // They are too many for a list.
        list: |_| Ok(Vec::new()),
    },
    Documents {
        prefix: "visibility://project/",
        name: "project",
        title: "Project",
        description: "What is here of one project and how fresh it is, as list_sources has it.",
        variable: "id",
        tool: "list_sources",
        argument: "project",
        others: &[("response_format", "detailed")],
        list: projects,
    },
    Documents {
        prefix: "visibility://metric/",
        name: "metric",
        title: "Metric",
        description: "What one figure means and how it is computed, as explain_metric has it.",
        variable: "name",
        tool: "explain_metric",
        argument: "metric",
        others: &[],
        list: |_| Ok(DEFINITIONS.iter().map(|metric| document(metric.name)).collect()),
    },
];

// As many as a list of documents, or of completions, may well have.
const MANY: usize = 100;

fn document(name: &str) -> Document {
    Document { id: name.to_owned(), title: line(name, 120) }
}

fn projects(cx: &ToolCx<'_>) -> Result<Vec<Document>, ToolError> {
    read(cx, |reader| {
        let targets = projects_named(cx, reader, None)?;
        // The source makes it one of a kind.
        let of = |target: &super::support::Target| Document {
            id: format!("{}/{}", target.row.key.source, target.row.name),
            title: line(&target.name, 120),
        };
        Ok(targets.iter().take(MANY).map(of).collect())
    })
}

/// What may be meant by an argument; names that strangers wrote are cleaned.
pub(super) fn complete(cx: &ToolCx<'_>, argument: &str, others: &Map<String, Value>) -> Result<Vec<String>, ToolError> {
    let given = |name: &str| others.get(name).and_then(Value::as_str).filter(|value| !value.trim().is_empty());
    match argument {
        "metric" => return Ok(DEFINITIONS.iter().map(|metric| metric.name.to_owned()).collect()),
        "period" => return Ok(["7d", "30d", "90d"].map(str::to_owned).into()),
        _ => {}
    }
    let project = given("project").and_then(|name| ProjectName::try_from(name).ok());
    let brand = given("brand").and_then(|name| BrandName::try_from(name).ok());
    read(cx, |reader| {
        let targets = projects_named(cx, reader, project.as_ref())?;
        let mut names = BTreeSet::new();
        for target in &targets {
            let key = &target.row.key;
            match argument {
                "project" => {
                    names.insert(line(&target.name, 200));
                }
                "brand" => names.extend(brands(reader, target)?.iter().map(|brand| line(&brand.name, 200))),
                "engine" => {
                    let engines = reader.coverage(key, None, cx.now())?.engines;
                    names.extend(engines.keys().map(|engine| line(engine, 80)));
                }
                "topic" => names.extend(reader.topics(key)?.iter().map(|topic| line(topic, 200))),
                "run_id" => {
                    let brand = brand_named(&brands(reader, target)?, brand.as_ref());
                    let filter = RunFilter {
                        brand: brand.map(|brand| brand.key),
                        status: Some(Status::Finished),
                        ..RunFilter::default()
                    };
                    let (runs, _) = reader.runs(key, &filter, (RunSort::CreatedAt, Direction::Desc), None, 20)?;
                    names.extend(runs.iter().map(|run| run.id.to_string()));
                }
                _ => {}
            }
        }
        Ok(names.into_iter().collect())
    })
}

fn brands(reader: &Reader, target: &super::support::Target) -> Result<Vec<Brand>, ToolError> {
    Ok(reader.brands(&target.row.key)?.into_iter().map(|row| row.brand).collect())
}

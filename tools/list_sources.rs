//! `list_sources`: what data is here, and how fresh and whole it is.

use super::support::{Table, Target, agreement, all_projects, cell, projects_named, rechecked};
use crate::{
    mcp::{
        Tool, ToolCx, ToolError,
        params::{ProjectName, ResponseFormat},
        quote::{QuotedFields, QuotedLine},
    },
    model::{Brand, BrandKind, Day, DayRange, SourceName},
    store::{LastSync, Reader},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The tool.
pub struct ListSources;

/// Its arguments.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    #[serde(default)]
    project: Option<ProjectName>,
    #[serde(default)]
    response_format: ResponseFormat,
}

/// Its answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    quoted_fields: QuotedFields,
    sources: Vec<Source>,
    /// What to know before using the data
    caveats: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Source {
    source: String,
    /// lumar, verseodin or lunary
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    upstream: Option<String>,
    /// Configured in this server; one that is not still answers from the cache
    configured: bool,
    /// A sync runs now
    syncing: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Sync")]
    last_sync: Option<Sync>,
    /// End of the last sync that did all it had planned, UTC
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    last_good_sync_at: Option<String>,
    /// Rows that could not be understood and were put aside
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    quarantined_rows: Option<u64>,
    /// Reasons and counts of rows put aside (detailed)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Table")]
    quarantine: Option<Table>,
    /// Ways in which the API differs from its documents
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "usize")]
    drift_count: Option<usize>,
    /// record, field, kind, last seen (detailed)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Table")]
    drift: Option<Table>,
    projects: Vec<Project>,
    projects_known: usize,
    /// Names of the projects for which there was no room; ask for one with `project`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more_projects: Vec<QuotedLine>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Sync {
    started_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    ended_at: Option<String>,
    /// done, cancelled, failed, running, or interrupted (the process died; the next sync resumes)
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    added: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    changed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    unchanged: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    remedy: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
struct Project {
    project: QuotedLine,
    /// The upstream's id (detailed)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "QuotedLine")]
    project_id: Option<QuotedLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "QuotedLine")]
    website: Option<QuotedLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    first_day: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    last_day: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    last_complete_day: Option<Day>,
    finished_runs: u64,
    failed_runs: u64,
    open_runs: u64,
    prompts: u64,
    brands: usize,
    /// Days or other slices not read whole yet
    missing_slices: u64,
    engines: Vec<QuotedLine>,
    /// Runs by engine and status (detailed)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Table")]
    runs_by_engine: Option<Table>,
    /// Figures of the last 30 days as the tracker publishes them, beside the same from the cached runs (detailed)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Table")]
    rechecked: Option<Table>,
    /// Runs of the last 30 days where the tracker's facts of the own brand and those read off the text agree (detailed)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Table")]
    agreement: Option<Table>,
    /// No longer listed by the tracker; its data stays
    gone: bool,
}

impl Tool for ListSources {
    const NAME: &'static str = "list_sources";
    const TITLE: &'static str = "List sources";
    const PAGE: &'static str = include_str!("list_sources.md");

    type Params = Params;
    type Answer = Answer;

    fn call(cx: &ToolCx<'_>, params: Params) -> Result<Answer, ToolError> {
        let answer = cx.read(|reader| {
            let mut names: BTreeSet<SourceName> = BTreeSet::new();
            let projects: Vec<Target> = if params.project.is_some() {
                projects_named(cx, reader, params.project.as_ref())?
            } else {
                names.extend(cx.setup().sources.iter().cloned());
                all_projects(reader)?
            };
            names.extend(projects.iter().map(|project| project.row.key.source.clone()));
            let format = params.response_format;
            let room = Room::of(format, names.len());
            let sources = names.iter().map(|name| source(cx, reader, name, &projects, (format, room)));
            sources.collect::<Result<Vec<_>, _>>()
        });
        let sources = match answer {
            // Nothing was ever synced: that is an answer here.
            Err(ToolError::NotSynced { .. }) => cx.setup().sources.iter().map(unsynced).collect(),
            other => other?,
        };
        let mut caveats: Vec<String> = cx.setup().problems.clone();
        let failures: Vec<String> = sources.iter().filter_map(failure).collect();
        let failed = !failures.is_empty();
        caveats.extend(failures);
        if sources.is_empty() {
            caveats.push(
                "no source is configured and nothing is cached: set `VERSEODIN_API_KEY`, or `LUMAR_USER_KEY_ID` and `LUMAR_USER_KEY_SECRET`, and run `visibility-mcp sync`, or start with `serve --demo`"
                    .to_owned(),
            );
        } else if !failed && sources.iter().all(|source: &Source| source.projects.is_empty()) {
            caveats.push(
                "nothing is cached yet: run `visibility-mcp sync`, or wait for this server's first sync".to_owned(),
            );
        }
        let quoted_fields = QuotedFields(&[
            "project",
            "project_id",
            "website",
            "more_projects",
            "engines",
            "runs_by_engine",
            "rechecked",
            "agreement",
            "drift",
            "caveats",
        ]);
        Ok(Answer { quoted_fields, sources, caveats })
    }
}

/// How many projects of a source are shown whole, and how many of the others are named.
#[derive(Clone, Copy)]
struct Room {
    whole: usize,
    named: usize,
}

impl Room {
    fn of(format: ResponseFormat, sources: usize) -> Self {
        let (whole, named) = if format.is_detailed() { (40, 400) } else { (10, 50) };
        let sources = sources.max(1);
        Self { whole: (whole / sources).max(1), named: named / sources }
    }
}

/// In the words that the other tools have for it.
fn failure(source: &Source) -> Option<String> {
    let last = source.last_sync.as_ref()?;
    Some(format!("the last sync of {} failed: {}; {}", source.source, last.error.as_ref()?, last.remedy.as_ref()?))
}

fn unsynced(name: &SourceName) -> Source {
    Source {
        source: name.to_string(),
        upstream: None,
        configured: true,
        syncing: false,
        last_sync: None,
        last_good_sync_at: None,
        quarantined_rows: Some(0),
        quarantine: None,
        drift_count: Some(0),
        drift: None,
        projects: Vec::new(),
        projects_known: 0,
        more_projects: Vec::new(),
    }
}

fn source(
    cx: &ToolCx<'_>,
    reader: &Reader,
    name: &SourceName,
    projects: &[Target],
    (format, room): (ResponseFormat, Room),
) -> Result<Source, ToolError> {
    let own: Vec<&Target> = projects.iter().filter(|project| project.row.key.source == *name).collect();
    let syncing = reader.is_syncing(name, cx.now())?;
    let drift = reader.drift(name)?;
    let (mut quarantine, mut drift_table) = (None, None);
    if format.is_detailed() {
        let mut table = Table::new(["reason", "rows"]);
        table.rows =
            reader.quarantine_reasons(name)?.into_iter().map(|(why, rows)| vec![why.into(), rows.into()]).collect();
        quarantine = Some(table);
        let mut table = Table::new(["record", "field", "kind", "last_seen_at"]);
        table.rows = drift
            .iter()
            .flatten()
            .take(50)
            .map(|drift| {
                let field = QuotedLine::new(&drift.field, 64);
                vec![
                    drift.record.clone().into(),
                    field.as_str().into(),
                    drift.kind.clone().into(),
                    drift.last_at.to_string().into(),
                ]
            })
            .collect();
        drift_table = Some(table);
    }
    Ok(Source {
        source: name.to_string(),
        upstream: own.first().map(|project| project.row.upstream.clone()),
        configured: cx.setup().sources.contains(name),
        syncing,
        last_sync: reader.last_sync(name)?.map(|last| sync(last, syncing)),
        last_good_sync_at: reader.last_good_sync(name)?.and_then(|sync| sync.ended_at).map(|at| at.to_string()),
        quarantined_rows: reader.quarantined(name)?,
        quarantine,
        drift_count: drift.as_ref().map(Vec::len),
        drift: drift_table,
        projects: own
            .iter()
            .take(room.whole)
            .map(|target| project(cx, reader, target, format))
            .collect::<Result<_, _>>()?,
        projects_known: own.len(),
        more_projects: own
            .iter()
            .skip(room.whole)
            .take(room.named)
            .map(|target| QuotedLine::new(&target.name, 60))
            .collect(),
    })
}

fn sync(last: LastSync, syncing: bool) -> Sync {
    let unended = if syncing { "running" } else { "interrupted" };
    Sync {
        started_at: last.started_at.to_string(),
        ended_at: last.ended_at.map(|at| at.to_string()),
        outcome: last.outcome.unwrap_or_else(|| unended.to_owned()),
        added: last.counts.as_ref().map(|counts| counts.added),
        changed: last.counts.as_ref().map(|counts| counts.changed),
        unchanged: last.counts.as_ref().map(|counts| counts.unchanged),
        error: last.error,
        remedy: last.hint,
    }
}

fn project(cx: &ToolCx<'_>, reader: &Reader, target: &Target, format: ResponseFormat) -> Result<Project, ToolError> {
    let row = &target.row;
    let coverage = reader.coverage(&row.key, None, cx.now())?;
    let total = coverage.total();
    let mut table = None;
    if format.is_detailed() {
        let mut runs = Table::new(["engine", "finished", "failed", "open"]);
        runs.rows = coverage
            .engines
            .iter()
            .map(|(engine, runs)| {
                let engine = QuotedLine::new(engine, 80);
                vec![engine.as_str().into(), runs.finished.into(), runs.failed.into(), cell(Some(runs.open))]
            })
            .collect();
        table = Some(runs);
    }
    let brands: Vec<Brand> =
        reader.brands(&row.key)?.into_iter().filter(|row| !row.gone).map(|row| row.brand).collect();
    let (mut recheck, mut agreed) = (None, None);
    if let (true, Some(last)) = (format.is_detailed(), coverage.reach.last_complete_day) {
        let tracked: Vec<Brand> =
            brands.iter().filter(|brand| brand.kind != BrandKind::Other).take(8).cloned().collect();
        let days = DayRange::ending(last, 30);
        recheck = rechecked(reader, &row.key, &tracked, days)?;
        let own: Vec<Brand> = tracked.into_iter().filter(|brand| brand.kind == BrandKind::Own).collect();
        agreed = agreement(reader, &row.key, &own, days)?;
    }
    Ok(Project {
        project: QuotedLine::new(&target.name, 120),
        project_id: format.is_detailed().then(|| QuotedLine::new(&row.key.key, 80)),
        website: row.website.as_ref().map(|website| QuotedLine::new(website, 120)),
        first_day: coverage.reach.days.map(|days| days.first),
        last_day: coverage.reach.days.map(|days| days.last),
        last_complete_day: coverage.reach.last_complete_day,
        finished_runs: total.finished,
        failed_runs: total.failed,
        open_runs: total.open,
        prompts: coverage.prompts,
        brands: brands.len(),
        missing_slices: coverage.missing_slices,
        engines: coverage.engines.keys().take(30).map(|engine| QuotedLine::new(engine, 80)).collect(),
        runs_by_engine: table,
        rechecked: recheck,
        agreement: agreed,
        gone: row.gone,
    })
}

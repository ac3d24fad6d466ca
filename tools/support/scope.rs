//! From the names in arguments to projects, brands and prompts; an unknown name is answered with the nearest ones.

use crate::{
    mcp::{
        Setup, ToolCx, ToolError,
        params::{BrandName, EngineName, ProjectName, PromptName, TopicName},
        quote::line,
    },
    model::{Brand, BrandKind, Day, PromptId, host_of},
    store::{ProjectRow, Reach, Reader},
};
use std::collections::BTreeSet;

/// A project, and how it is called where several are shown.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The project.
    pub row: ProjectRow,
    /// Its name, with the source in front where another source has a project of that name.
    pub name: String,
}

/// Reads the cache; a cache that does not exist yet is answered with what to set or run.
pub(crate) fn read<T>(cx: &ToolCx<'_>, work: impl FnOnce(&Reader) -> Result<T, ToolError>) -> Result<T, ToolError> {
    cx.read(work).map_err(|error| match error {
        ToolError::NotSynced { .. } => nothing_cached(cx.setup(), &[]),
        error => error,
    })
}

/// The answer of every tool while there is nothing to answer from. `failures` are the last syncs' errors and hints.
fn nothing_cached(setup: &Setup, failures: &[(String, String)]) -> ToolError {
    if let Some((error, hint)) = failures.first() {
        return ToolError::Unavailable {
            what: format!("nothing is cached yet, since the last sync failed: {error}"),
            next: hint.clone(),
        };
    }
    if setup.sources.is_empty() {
        return no_source(setup);
    }
    let names: Vec<&str> = setup.sources.iter().map(crate::model::SourceName::as_str).collect();
    ToolError::NotSynced {
        what: names.join(", "),
        next: "run `visibility-mcp sync`, or wait for the server's first sync to commit its first pages".to_owned(),
    }
}

/// The answer of every tool where there is nothing to answer from and nothing to fetch from.
pub(crate) fn no_source(setup: &Setup) -> ToolError {
    let problem = setup.problems.first().map_or_else(String::new, |problem| format!(" ({problem})"));
    ToolError::Unavailable {
        what: format!("nothing is cached yet, and no source is configured{problem}"),
        next: "set `VERSEODIN_API_KEY`, `LUNARY_API_KEY`, or `LUMAR_USER_KEY_ID` and `LUMAR_USER_KEY_SECRET`, for this server and run `visibility-mcp sync`, or start it with `serve --demo` to try it"
            .to_owned(),
    }
}

/// All projects, each by the name that means it alone.
pub(crate) fn all_projects(reader: &Reader) -> Result<Vec<Target>, ToolError> {
    let rows = reader.projects()?;
    let target = |row: &ProjectRow| {
        let twin = rows.iter().any(|other| other.key != row.key && other.name.eq_ignore_ascii_case(&row.name));
        let name = if twin { format!("{}/{}", row.key.source, row.name) } else { row.name.clone() };
        Target { row: row.clone(), name }
    };
    Ok(rows.iter().map(target).collect())
}

/// The projects that a question is about: those named, which several sources may have, or all.
pub(crate) fn projects_named(
    cx: &ToolCx<'_>,
    reader: &Reader,
    name: Option<&ProjectName>,
) -> Result<Vec<Target>, ToolError> {
    let targets = all_projects(reader)?;
    if targets.is_empty() {
        return Err(nothing_cached(cx.setup(), &failures(cx, reader)?));
    }
    let Some(name) = name else { return Ok(targets) };
    let wanted = name.as_str().to_lowercase();
    let is = |target: &&Target| {
        let row = &target.row;
        [row.name.to_lowercase(), row.key.key.to_lowercase(), format!("{}/{}", row.key.source, row.name).to_lowercase()]
            .contains(&wanted)
    };
    let found: Vec<Target> = targets.iter().filter(is).cloned().collect();
    if found.is_empty() {
        let names = targets.iter().map(|target| target.name.as_str());
        let next = here("projects", names.clone(), "call list_sources to see all projects");
        return Err(ToolError::not_found("project", name.as_str(), names, next));
    }
    // Several where several sources have one of that name: they are answered side by side.
    Ok(found)
}

fn failures(cx: &ToolCx<'_>, reader: &Reader) -> Result<Vec<(String, String)>, ToolError> {
    let mut failures = Vec::new();
    for source in &cx.setup().sources {
        if let Some(last) = reader.last_sync(source)?
            && let (Some(error), Some(hint)) = (last.error, last.hint)
        {
            failures.push((format!("{source}: {error}"), hint));
        }
    }
    Ok(failures)
}

/// The brand that a question is about: the one named by name, alias, domain or key, or the project's own.
pub(crate) fn brand_named(brands: &[Brand], name: Option<&BrandName>) -> Option<Brand> {
    let Some(name) = name else {
        return brands.iter().find(|brand| brand.kind == BrandKind::Own).cloned();
    };
    let wanted = name.as_str().to_lowercase();
    let named = |brand: &&Brand| {
        brand.name.to_lowercase() == wanted
            || brand.key.0.to_lowercase() == wanted
            || brand.aliases.iter().any(|alias| alias.to_lowercase() == wanted)
    };
    let host = host_of(name.as_str()).filter(|host| host.contains('.'));
    let owns = |brand: &&Brand| host.as_ref().is_some_and(|host| brand.owns_host(host));
    brands.iter().find(named).or_else(|| brands.iter().find(owns)).cloned()
}

/// The refusal of a brand that none of the projects asked about has; `names` are those that they have.
pub(crate) fn no_brand<'a>(name: &BrandName, names: impl Iterator<Item = &'a str> + Clone) -> ToolError {
    let next = here("brands", names.clone(), "leave brand out to use the project's own brand");
    ToolError::not_found("brand", name.as_str(), names, next)
}

/// All the names there are, where they are few, and the next step.
pub(crate) fn here<'a>(kind: &str, names: impl Iterator<Item = &'a str>, next: &str) -> String {
    let names: Vec<String> = names.map(|name| format!("{:?}", line(name, 60))).collect();
    if (1..=8).contains(&names.len()) { format!("{kind} here: {}; {next}", names.join(", ")) } else { next.to_owned() }
}

/// The prompt with this id, number or exact text.
pub(crate) fn prompt_named(reader: &Reader, targets: &[Target], name: &PromptName) -> Result<PromptId, ToolError> {
    let mut found = Vec::new();
    for target in targets {
        found.extend(reader.find_prompts(&target.row.key, name.as_str())?);
    }
    match found.as_slice() {
        [] => Err(ToolError::not_found(
            "prompt",
            name.as_str(),
            [],
            "take prompt_id from list_prompt_runs with response_format detailed, or give the prompt's exact text",
        )),
        [one] => Ok(one.id),
        several => {
            let ids: Vec<String> = several.iter().map(|prompt| prompt.id.to_string()).collect();
            Err(ToolError::invalid(
                format!("prompt_id {:?} stands for several prompts", name.as_str()),
                format!("name one as {}", ids.join(" or ")),
            ))
        }
    }
}

/// The day that `7d`, `30d` and the like end with: the last complete day, else the newest with data, else yesterday.
pub(crate) fn anchor(cx: &ToolCx<'_>, reaches: &[Reach]) -> Day {
    let complete = reaches.iter().filter_map(|reach| reach.last_complete_day).max();
    let newest = reaches.iter().filter_map(|reach| reach.days).map(|days| days.last).max();
    complete.or(newest).unwrap_or_else(|| cx.today().plus(-1))
}

/// The projects of these that have runs on an engine. None is refused.
pub(crate) fn with_engine(
    cx: &ToolCx<'_>,
    reader: &Reader,
    targets: &[Target],
    engine: &EngineName,
) -> Result<Vec<Target>, ToolError> {
    let wanted = engine.as_str().to_lowercase();
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    for target in targets {
        let engines = reader.coverage(&target.row.key, None, cx.now())?.engines;
        if engines.contains_key(&wanted) {
            found.push(target.clone());
        }
        known.extend(engines.into_keys());
    }
    if found.is_empty() {
        let next = format!("engines here: {}", known.into_iter().take(20).collect::<Vec<_>>().join(", "));
        return Err(ToolError::not_found("engine", engine.as_str(), [], next));
    }
    Ok(found)
}

/// The projects of these that have prompts with a topic. None is refused.
pub(crate) fn with_topic(reader: &Reader, targets: &[Target], topic: &TopicName) -> Result<Vec<Target>, ToolError> {
    let (mut found, mut known) = (Vec::new(), Vec::new());
    for target in targets {
        let topics = reader.topics(&target.row.key)?;
        if topics.iter().any(|known| known == topic.as_str()) {
            found.push(target.clone());
        }
        known.extend(topics);
    }
    if found.is_empty() {
        let next = if known.is_empty() {
            "this tracker has no topics; leave topic out"
        } else {
            "use one of these, in this spelling"
        };
        return Err(ToolError::not_found("topic", topic.as_str(), known.iter().map(String::as_str), next));
    }
    Ok(found)
}

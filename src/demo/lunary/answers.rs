//! The endpoints.

use super::{
    Inner,
    auth::Access,
    export,
    faults::{self, Fault},
    filters::decoded,
    ids,
    list::Listed,
    problem::Problem,
    reply::Reply,
    rows::{self, Style},
    select::{id_of, select},
    state::{Found, State},
};
use crate::demo::lock;
use serde_json::{Value, json};

/// Is the path (below the base) open to those without a key?
pub(super) fn is_public(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let of_run = path.strip_prefix("/runs/").and_then(|rest| rest.split_once('/'));
    path == "/health" || matches!(of_run, Some((_, "feedback" | "public")))
}

/// Answers a GET of a path below the base, for one who may ask.
pub(super) fn answer(
    inner: &Inner,
    path: &str,
    query: &str,
    access: Option<Access>,
    faults: &[Fault],
) -> Result<Reply, Problem> {
    let mut state = lock(&inner.state);
    let lower = path.to_ascii_lowercase();
    let segments: Vec<&str> = lower.split('/').skip(1).collect();
    // An id is told back as it was sent.
    let id = path.split('/').nth(2).unwrap_or_default();
    match (segments.as_slice(), access) {
        (["health"], _) => Ok(Reply::json(&json!({ "status": "OK" }))),
        (["runs", _, "feedback"], _) => feedback(&mut state, id),
        (["runs", _, "public"], _) => public(&mut state, id),
        (["runs"], Some(access)) => page(&mut state, access, query, faults),
        (["runs", "count"], Some(access)) => count(&mut state, access, query, faults),
        (["runs", "export"], Some(access)) => export::export(&mut state, access, query, faults),
        (["runs", _], Some(access)) => one(&mut state, access, id, faults),
        (["runs", _, "related"], Some(access)) => related(&mut state, access, id),
        (["templates"], Some(access)) => {
            let tracker = state.tracker();
            let templates = access.project.map(|project| tracker.templates(project)).unwrap_or_default();
            Ok(Reply::json(&json!(templates)))
        }
        _ => Err(Problem::not_found()),
    }
}

fn page(state: &mut State, access: Access, query: &str, faults: &[Fault]) -> Result<Reply, Problem> {
    let asked = select(state, access, query, faults, false)?;
    if asked.filters.threads && asked.rows.iter().any(has_broken_chat) {
        return Err(Problem::internal("undefined is not an object (evaluating 'message.content')"));
    }
    let project = access.project.map(|project| id_of(&state.projects(), project)).unwrap_or_default();
    let style = Style { shortened: asked.filters.shortened, threads: asked.filters.threads, plain: false };
    let mut data: Vec<Value> = asked.rows.iter().map(|row| rows::listed(row, &project, style)).collect();
    faults::spoil(&mut data, faults);
    let body = json!({ "page": asked.paging.page(), "limit": asked.paging.limit(), "data": data });
    Ok(Reply::json(&faults::deepen(body.to_string(), faults)))
}

/// Has the thread a chat whose input is an object? The list of threads stumbles over it.
fn has_broken_chat(row: &Listed) -> bool {
    row.chats.iter().flatten().any(|chat| chat.input.is_object())
}

/// The rows of the page, and not those of the whole list.
fn count(state: &mut State, access: Access, query: &str, faults: &[Fault]) -> Result<Reply, Problem> {
    Ok(Reply::json(&select(state, access, query, faults, false)?.rows.len()))
}

fn one(state: &mut State, access: Access, id: &str, faults: &[Fault]) -> Result<Reply, Problem> {
    let found = find(state, id, Some(access))?.ok_or_else(Problem::no_run)?;
    let top = state.above(&found.run).last().map(|run| run.id.clone());
    let project = id_of(&state.projects(), found.project);
    let mut row = vec![rows::single(&found.run, &project, top.as_deref())];
    faults::spoil(&mut row, faults);
    let body = row.first().map(Value::to_string).unwrap_or_default();
    Ok(Reply::json(&faults::deepen(body, faults)))
}

/// The run and all below it, oldest first.
fn related(state: &mut State, access: Access, id: &str) -> Result<Reply, Problem> {
    let mut family: Vec<Found> = find(state, id, Some(access))?.into_iter().collect();
    let mut next = 0;
    while let Some(found) = family.get(next).cloned() {
        let below = state.below(&found).into_iter();
        let fresh: Vec<Found> = below
            .filter(|run| family.iter().all(|known| known.run.id != run.id))
            .map(|run| Found { project: found.project, run })
            .collect();
        family.extend(fresh);
        next += 1;
    }
    family.sort_by_key(|found| found.run.created_at);
    let projects = state.projects();
    let rows: Vec<Value> = family.iter().map(|found| rows::raw(&found.run, &id_of(&projects, found.project))).collect();
    Ok(Reply::json(&json!(rows)))
}

fn feedback(state: &mut State, id: &str) -> Result<Reply, Problem> {
    let found = find(state, id, None)?.ok_or_else(Problem::no_run)?;
    if found.run.feedback.is_null() {
        return Ok(Reply { status: 204, ..Reply::json(&String::new()) });
    }
    Ok(Reply::json(&super::json::camel(&found.run.feedback)))
}

fn public(state: &mut State, id: &str) -> Result<Reply, Problem> {
    let found = find(state, id, None)?.filter(|found| found.run.is_public);
    let found = found.ok_or_else(|| Problem::internal("Run not found. It might not be public."))?;
    let project = id_of(&state.projects(), found.project);
    Ok(Reply::json(&rows::single(&found.run, &project, None)))
}

/// A run by the text that stands in the path, in the organisation of the one who asks.
fn find(state: &mut State, text: &str, access: Option<Access>) -> Result<Option<Found>, Problem> {
    let text = decoded(text);
    let id = ids::uuid_of(&text).ok_or_else(|| Problem::syntax("uuid", &text))?;
    let projects = state.projects();
    let is_own = |found: &Found| {
        let organisation = projects.get(found.project).map(|project| project.organisation);
        access.is_none_or(|access| organisation == Some(access.organisation))
    };
    Ok(state.find(&id).filter(is_own))
}

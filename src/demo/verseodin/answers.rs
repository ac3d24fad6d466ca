//! The fourteen paths: what each answers, out of the rows as they stand.

use super::{
    Inner,
    aggregates::{History, METRICS, histories, tab_columns},
    faults::Fault,
    lock,
    query::{Problem, Query, uuid_of},
    tracker::{PromptRow, TrackedBrand, Universe},
};
use crate::model::Day;
use serde::Serialize;
use serde_json::{Value, json};

/// A page of rows. The rows are not turned into JSON values unless a fault wants to change them.
#[derive(Serialize)]
struct Page<'r> {
    data: Vec<&'r PromptRow>,
    limit: usize,
    offset: usize,
}

/// The answer to a path (its decoded segments) and query, as JSON text.
pub(super) fn answer(inner: &Inner, path: &[&str], query: &Query, faults: &[Fault]) -> Result<String, Problem> {
    let value = match *path {
        ["metrics"] => json!({ "data": METRICS }),
        ["universes"] => universes(inner),
        ["universes", id] => json!({ "data": detail(&universe(inner, id)?) }),
        ["universes", id, "days"] => {
            let universe = universe(inner, id)?;
            json!({ "data": lock(&inner.state).days(&universe.id) })
        }
        ["universes", id, "engines"] => json!({ "data": engines(inner, &universe(inner, id)?) }),
        ["universes", id, "history"] => {
            let universe = universe(inner, id)?;
            let rows = history(inner, &universe, query, |history| Value::Object(history.row()))?;
            json!({ "data": rows })
        }
        ["universes", id, "history", day, engine] => {
            let universe = universe(inner, id)?;
            let query =
                Query { day: Some(super::query::day_of(day)?), engine: Some(engine.to_owned()), ..Query::default() };
            let row = history(inner, &universe, &query, |history| Value::Object(history.row()))?.pop();
            json!({ "data": row })
        }
        ["universes", id, "metrics", metric] => metric_points(inner, &universe(inner, id)?, metric, query)?,
        ["universes", id, "tabs", tab] => tab_rows(inner, &universe(inner, id)?, tab, query)?,
        ["universes", id, "brands"] => brands(inner, &universe(inner, id)?, None, query)?,
        ["universes", id, "brands", brand] => brands(inner, &universe(inner, id)?, Some(brand), query)?,
        ["universes", id, "prompts"] => return prompts(inner, &universe(inner, id)?, query, faults),
        ["universes", id, "prompts", number] => prompt(inner, &universe(inner, id)?, number, query)?,
        ["prompts", id] => prompt_by_uuid(inner, id)?,
        _ => return Err(Problem::not_found("No such path")),
    };
    Ok(value.to_string())
}

fn universe(inner: &Inner, id: &str) -> Result<Universe, Problem> {
    let id = uuid_of(id)?;
    let found = lock(&inner.state).universes().into_iter().find(|universe| universe.id == id);
    match found {
        None => Err(Problem::not_found("Universe not found")),
        Some(universe) if universe.foreign => Err(Problem::forbidden("You do not own this universe")),
        Some(universe) => Ok(universe),
    }
}

fn universes(inner: &Inner) -> Value {
    let mut state = lock(&inner.state);
    let listed: Vec<Value> = state
        .universes()
        .into_iter()
        .filter(|universe| universe.status == "completed" && !universe.foreign)
        .map(|universe| {
            let latest = state.days(&universe.id).first().copied();
            // Here the website is a text; on prompt rows it is an object.
            json!({ "id": universe.id, "universe_name": universe.universe_name, "website": universe.own.website,
                    "status": universe.status, "latest_day": latest })
        })
        .collect();
    json!({ "count": listed.len(), "universes": listed })
}

fn detail(universe: &Universe) -> Value {
    let competitor =
        |brand: &TrackedBrand| json!({ "name": brand.name, "url": brand.website, "brand_tokens": brand.spellings() });
    let prompt = |(i, text): (usize, &String)| json!({ "prompt_id": i + 1, "prompt": text });
    json!({
        "id": universe.id,
        "user_id": universe.user_id,
        "universe_name": universe.universe_name,
        "website": universe.own.website,
        "competitors": universe.competitors.iter().map(competitor).collect::<Vec<_>>(),
        "brand_tokens": universe.own.spellings(),
        "result_json": { "prompts": universe.prompts.iter().enumerate().map(prompt).collect::<Vec<_>>() },
        "location": universe.location,
        "status": universe.status,
        "created_at": universe.created_at,
        "updated_at": universe.created_at,
    })
}

/// Engines with rows on the newest week of days: enough for a tracker that does not change its engines.
fn engines(inner: &Inner, universe: &Universe) -> Vec<String> {
    let mut state = lock(&inner.state);
    let days = state.days(&universe.id);
    let mut engines: Vec<String> = days
        .iter()
        .take(7)
        .flat_map(|day| state.rows(&universe.id, *day).iter().map(|row| row.engine.clone()).collect::<Vec<_>>())
        .collect();
    engines.sort_unstable();
    engines.dedup();
    engines
}

/// The days that a query is about: the one it names, the last so many, or the newest.
fn days(inner: &Inner, universe: &Universe, query: &Query) -> Vec<Day> {
    if let Some(day) = query.day {
        return vec![day];
    }
    let mut days = lock(&inner.state).days(&universe.id);
    let newest = days.first().copied();
    let span = query.days.unwrap_or(1);
    days.retain(|day| newest.is_some_and(|newest| newest.epoch_days() - day.epoch_days() < span));
    days
}

/// The day that a query for rows is about: the one it names, or the newest.
fn one_day(inner: &Inner, universe: &Universe, query: &Query) -> Result<Day, Problem> {
    let newest = || lock(&inner.state).days(&universe.id).first().copied();
    query.day.or_else(newest).ok_or_else(|| Problem::not_found("The universe has no day with rows"))
}

/// Something of every history row that the query asks for, newest first. No row at all is "not found".
fn history<T>(
    inner: &Inner,
    universe: &Universe,
    query: &Query,
    read: impl Fn(&History<'_>) -> T,
) -> Result<Vec<T>, Problem> {
    let mut found = Vec::new();
    for day in days(inner, universe, query) {
        let rows = lock(&inner.state).rows(&universe.id, day);
        found.extend(histories(universe, day, &rows).iter().filter(|h| query.wants_engine(h.engine())).map(&read));
    }
    if found.is_empty() { Err(Problem::not_found("No history row for these filters")) } else { Ok(found) }
}

fn metric_points(inner: &Inner, universe: &Universe, metric: &str, query: &Query) -> Result<Value, Problem> {
    if !METRICS.contains(&metric) {
        return Err(Problem::invalid("Unknown metric: see GET /metrics"));
    }
    let points = history(inner, universe, query, |history| {
        let mut row = history.row();
        let mut take = |name: &str| row.remove(name).unwrap_or(Value::Null);
        json!({ "day": take("day"), "engine": take("engine"), "value": take(metric) })
    })?;
    Ok(json!({ "metric": metric, "results": points }))
}

fn tab_rows(inner: &Inner, universe: &Universe, tab: &str, query: &Query) -> Result<Value, Problem> {
    let columns = tab_columns(tab).ok_or_else(|| Problem::invalid("Unknown tab"))?;
    let rows = history(inner, universe, query, |history| {
        let mut row = history.row();
        row.retain(|name, _| matches!(name.as_str(), "day" | "engine") || columns.contains(&name.as_str()));
        Value::Object(row)
    })?;
    Ok(json!({ "tab": tab, "results": rows }))
}

/// The brands of the most recent history row, or one of them by its name as listed, in any case.
fn brands(inner: &Inner, universe: &Universe, name: Option<&str>, query: &Query) -> Result<Value, Problem> {
    let first = |history: &History<'_>| (history.engine().to_owned(), history.row().remove("day"), history.brands());
    let (engine, day, rows) = history(inner, universe, &Query { days: None, ..query.clone() }, first)?
        .into_iter()
        .next()
        .ok_or_else(|| Problem::not_found("No history row for these filters"))?;
    let Some(name) = name else { return Ok(json!({ "day": day, "engine": engine, "data": rows })) };
    let lower = name.to_lowercase();
    let row = rows
        .iter()
        .find(|row| row.brand_name.to_lowercase() == lower)
        .ok_or_else(|| Problem::not_found("Brand not found"))?;
    Ok(json!({ "day": day, "engine": engine, "data": row }))
}

fn prompts(inner: &Inner, universe: &Universe, query: &Query, faults: &[Fault]) -> Result<String, Problem> {
    let day = one_day(inner, universe, query)?;
    let all = lock(&inner.state).rows(&universe.id, day);
    let mut rows: Vec<&PromptRow> = all.iter().filter(|row| query.wants_engine(&row.engine)).collect();
    if rows.is_empty() && inner.options.missing_day_is_404 {
        return Err(Problem::not_found("No rows for these filters"));
    }
    rows.retain(|row| query.status.as_ref().is_none_or(|status| *status == row.status));
    let offset = if faults.contains(&Fault::OffsetIgnored) { 0 } else { query.offset };
    if offset > 0 && faults.contains(&Fault::Shifting) && !rows.is_empty() {
        rows.rotate_right(1);
    }
    if offset > 0 && faults.contains(&Fault::Deleting) && !rows.is_empty() {
        rows.remove(0);
    }
    let (limit, first) = (query.limit, offset);
    let data: Vec<&PromptRow> = rows.into_iter().skip(offset).take(limit).collect();
    let changes: Vec<_> = faults
        .iter()
        .filter_map(|fault| if let Fault::Rows { change, count } = fault { Some((*change, *count)) } else { None })
        .collect();
    // What is sent back is the offset asked for, even where it was not looked at.
    let offset = query.offset;
    if changes.is_empty() {
        return serde_json::to_string(&Page { data, limit, offset })
            .map_err(|error| Problem::internal(&error.to_string()));
    }
    let mut data: Vec<Value> = data.iter().filter_map(|row| serde_json::to_value(row).ok()).collect();
    for (change, count) in changes {
        // The first rows of the day, whichever page they are on.
        data.iter_mut().take(count.saturating_sub(first)).for_each(|row| change.apply(row));
    }
    Ok(json!({ "data": data, "limit": limit, "offset": offset }).to_string())
}

fn prompt(inner: &Inner, universe: &Universe, number: &str, query: &Query) -> Result<Value, Problem> {
    let number = number
        .parse::<u32>()
        .ok()
        .filter(|number| *number >= 1)
        .ok_or_else(|| Problem::invalid("prompt_id must be a positive integer"))?;
    let day = one_day(inner, universe, query)?;
    let rows = lock(&inner.state).rows(&universe.id, day);
    let found = rows.iter().find(|row| row.prompt_id == number && query.wants_engine(&row.engine));
    found.map(|row| json!({ "data": row })).ok_or_else(|| Problem::not_found("Prompt not found"))
}

fn prompt_by_uuid(inner: &Inner, id: &str) -> Result<Value, Problem> {
    let id = uuid_of(id)?;
    let mut state = lock(&inner.state);
    for universe in state.universes() {
        for day in state.days(&universe.id) {
            if let Some(row) = state.rows(&universe.id, day).iter().find(|row| row.id == id) {
                if universe.foreign {
                    return Err(Problem::forbidden("You do not own this prompt"));
                }
                return Ok(json!({ "data": row }));
            }
        }
    }
    Err(Problem::not_found("Prompt not found"))
}

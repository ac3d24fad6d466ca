//! Which runs a list holds, in which order.

use super::{
    checks::{seconds, total_tokens},
    filters::Filters,
    paging::{Key, Order},
    state::{Found, State},
    tracker::Run,
};
use serde_json::Value;
use std::sync::Arc;

/// A row of a list: a run, and what the list tells of the runs around it.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) run: Arc<Run>,
    /// The feedback of a chat above it; a run below several chats is listed once for each.
    pub(super) parent_feedback: Value,
    /// Of a thread, its chats.
    pub(super) chats: Option<Vec<Arc<Run>>>,
}

/// So many rows of a project from an offset on. The order has no second key: rows of one instant stand as they were made.
pub(super) fn list(
    state: &mut State,
    project: usize,
    filters: &Filters,
    order: Order,
    (offset, count): (usize, usize),
) -> Vec<Listed> {
    let mut days = state.days(project);
    days.retain(|day| filters.allow_day(*day));
    let by_time = order.key == Key::CreatedAt;
    if by_time && order.descending {
        days.reverse();
    }
    let wanted = offset.saturating_add(count);
    let mut listed = Vec::new();
    for day in days {
        // Of a list by time, later days cannot be in front.
        if by_time && listed.len() >= wanted {
            break;
        }
        let rows = state.rows(project, day);
        let matching = |run: &&Arc<Run>| filters.meet(run, &mut |run| at_top(state, run));
        let mut matching: Vec<Arc<Run>> = rows.iter().filter(matching).cloned().collect();
        if by_time && order.descending {
            matching.reverse();
        }
        listed.extend(matching.iter().flat_map(|run| repeated(state, project, run)));
    }
    if !by_time {
        listed.sort_by(|a, b| order.compare(figure(a, order.key), figure(b, order.key)));
    }
    listed.into_iter().skip(offset).take(count).collect()
}

/// At the top, or right under a chat: where a trace begins.
fn at_top(state: &mut State, run: &Run) -> bool {
    run.parent.is_none() || state.above(run).first().is_some_and(|parent| parent.is("chat"))
}

/// The run once for each chat above it, and at least once.
fn repeated(state: &mut State, project: usize, run: &Arc<Run>) -> Vec<Listed> {
    let chats = run.is("thread").then(|| {
        let below = state.below(&Found { project, run: Arc::clone(run) });
        below.into_iter().filter(|run| run.is("chat")).collect::<Vec<_>>()
    });
    let above = if run.parent.is_some() { state.above(run) } else { Vec::new() };
    let mut feedbacks: Vec<Value> = above.iter().filter(|r| r.is("chat")).map(|chat| chat.feedback.clone()).collect();
    if feedbacks.is_empty() {
        feedbacks.push(Value::Null);
    }
    let listed = |parent_feedback| Listed { run: Arc::clone(run), parent_feedback, chats: chats.clone() };
    feedbacks.into_iter().map(listed).collect()
}

fn figure(row: &Listed, key: Key) -> Option<f64> {
    match key {
        Key::CreatedAt => None,
        Key::Duration => seconds(&row.run),
        Key::Tokens => Some(total_tokens(&row.run)),
        Key::Cost => row.run.cost,
        Key::MessagesCount => row.chats.as_ref().map(|chats| f64::from(u32::try_from(chats.len()).unwrap_or(u32::MAX))),
    }
}

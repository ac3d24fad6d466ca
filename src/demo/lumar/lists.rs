//! Lists in the API's manner: sorted by the fields asked for, cut into pages by cursors that are base64 of an offset.
//!
//! A cursor is the place of an item counted from 1, and nothing is kept between requests, so a row that arrives at the
//! front moves every later page by one.

use super::{problem::Problem, request::Selected};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// Items of a page that does not say how many.
const DEFAULT_PAGE: usize = 15;
/// Bounds of `first` and `last`.
const MOST: usize = 1_000;

/// A field to sort by, and whether downwards.
pub(super) type Order<'o> = (&'o str, bool);

/// Sorts nodes by `orderBy`, or by the default. Nodes alike in all that are kept in the order of their numbers, or of
/// their URLs; null comes last either way.
pub(super) fn sort(nodes: &mut [Value], arguments: &Map<String, Value>, default: &[Order<'_>]) {
    let asked: Vec<Order<'_>> = arguments
        .get("orderBy")
        .and_then(Value::as_array)
        .map(|orders| orders.iter().filter_map(order).collect())
        .unwrap_or_default();
    let orders = if asked.is_empty() { default } else { &asked };
    let down = orders.first().is_some_and(|(_, down)| *down);
    nodes.sort_by(|a, b| {
        let by_fields = orders.iter().map(|(field, down)| compare(a.get(field), b.get(field), *down));
        by_fields.fold(Ordering::Equal, Ordering::then).then_with(|| {
            let ids = number(a).cmp(&number(b));
            if down { ids.reverse() } else { ids }
        })
    });
}

fn order(value: &Value) -> Option<Order<'_>> {
    Some((value.get("field")?.as_str()?, value.get("direction")?.as_str()? == "DESC"))
}

fn number(node: &Value) -> Option<u64> {
    node.get("rawId")?.as_str()?.parse().ok()
}

fn compare(a: Option<&Value>, b: Option<&Value>, down: bool) -> Ordering {
    let turn = |ordering: Ordering| if down { ordering.reverse() } else { ordering };
    match (a.filter(|a| !a.is_null()), b.filter(|b| !b.is_null())) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            turn(a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0)))
        }
        (Some(a), Some(b)) => turn(a.as_str().cmp(&b.as_str())),
    }
}

/// A page of the nodes as a connection.
pub(super) fn page(nodes: &[Value], root: &Selected) -> Result<Value, Problem> {
    let total = nodes.len();
    let (first, last) = (bound(root, "first")?, bound(root, "last")?);
    if first.is_some() && last.is_some() {
        return Err(Problem::input("Only one of \"first\" and \"last\" can be given."));
    }
    let from = cursor(root, "after")?.unwrap_or(0).min(total);
    let to = cursor(root, "before")?.map_or(total, |before| before.saturating_sub(1).min(total)).max(from);
    let (from, to) = match last {
        Some(last) => (from.max(to.saturating_sub(last)), to),
        None => (from, to.min(from + first.unwrap_or(DEFAULT_PAGE))),
    };
    let window = nodes.get(from..to).unwrap_or_default();
    let at = |place: usize| STANDARD_NO_PAD.encode(place.to_string());
    let edges: Vec<Value> = if root.wants(&["edges"]) {
        window.iter().enumerate().map(|(i, node)| json!({ "cursor": at(from + i + 1), "node": node })).collect()
    } else {
        Vec::new()
    };
    Ok(json!({
        "nodes": window,
        "edges": edges,
        "pageInfo": {
            "hasNextPage": to < total,
            "hasPreviousPage": from > 0,
            "startCursor": (from < to).then(|| at(from + 1)),
            "endCursor": (from < to).then(|| at(to)),
        },
        "totalCount": total,
    }))
}

fn bound(root: &Selected, name: &str) -> Result<Option<usize>, Problem> {
    let Some(value) = root.arguments.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
    match number.filter(|number| (1..=MOST).contains(number)) {
        Some(number) => Ok(Some(number)),
        None => Err(Problem::input(format!("\"{name}\" must be between 1 and {MOST}."))),
    }
}

fn cursor(root: &Selected, name: &str) -> Result<Option<usize>, Problem> {
    let Some(text) = root.arguments.get(name).and_then(Value::as_str) else { return Ok(None) };
    let bytes = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok();
    let place = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    place.map(Some).ok_or_else(|| Problem::input(format!("\"{name}\" is not a valid cursor.")))
}

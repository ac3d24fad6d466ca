//! Pages of runs over several projects: where each project's list goes on, and how their rows are merged.

use super::super::support::Bound;
use crate::{
    mcp::{ToolError, params::Cursor},
    model::RunId,
    store::{Direction, RunCursor, RunRow, RunSort, SortValue},
};
use std::cmp::Ordering;

/// Where a project's list goes on.
pub(super) enum Place<'a> {
    /// At its first run.
    Start,
    /// Behind this one.
    After(&'a RunCursor),
}

/// Where every project's list goes on.
pub(super) struct Places {
    bound: Bound,
    places: Vec<Option<RunCursor>>,
}

impl Places {
    /// The places that a cursor of this question names, one per project, or all starts.
    pub(super) fn read(cursor: Option<&Cursor>, question: &str, projects: usize) -> Result<Self, ToolError> {
        let bound = Bound::to(question);
        let Some(parts) = bound.read(cursor)? else { return Ok(Self { bound, places: vec![None; projects] }) };
        let places = parts
            .into_iter()
            .map(|part| if part == "-" { Ok(None) } else { read_place(part).map(Some).ok_or_else(Cursor::refused) });
        let places = places.collect::<Result<Vec<_>, _>>()?;
        if places.len() == projects { Ok(Self { bound, places }) } else { Err(Cursor::refused()) }
    }

    /// Where the list of project `i` goes on.
    pub(super) fn of(&self, i: usize) -> Place<'_> {
        match self.places.get(i) {
            Some(Some(cursor)) => Place::After(cursor),
            _ => Place::Start,
        }
    }

    /// The cursor behind these rows.
    pub(super) fn after(&self, rows: &[(usize, RunRow)], sort: RunSort) -> String {
        let mut places = self.places.clone();
        for (i, row) in rows {
            if let Some(place) = places.get_mut(*i) {
                *place = Some(sort.cursor(row));
            }
        }
        let places: Vec<String> = places.iter().map(Option::as_ref).map(write_place).collect();
        self.bound.write(&places)
    }
}

fn write_place(place: Option<&RunCursor>) -> String {
    match place {
        None => "-".to_owned(),
        Some(RunCursor { run, value: None }) => run.to_string(),
        Some(RunCursor { run, value: Some(SortValue::Number(number)) }) => format!("{run}n{number}"),
        Some(RunCursor { run, value: Some(SortValue::Text(text)) }) => {
            let hex: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("{run}t{}", hex.concat())
        }
    }
}

fn read_place(text: &str) -> Option<RunCursor> {
    let (run, rest) = text.split_at_checked(14)?;
    let run: RunId = run.parse().ok()?;
    let value = match rest.split_at_checked(1) {
        None => None,
        Some(("n", number)) => Some(SortValue::Number(number.parse().ok().filter(|number: &f64| number.is_finite())?)),
        Some(("t", hex)) => {
            let digits: Vec<char> = hex.chars().collect();
            let bytes: Option<Vec<u8>> =
                digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok()).collect();
            Some(SortValue::Text(String::from_utf8(bytes?).ok()?))
        }
        Some(_) => return None,
    };
    Some(RunCursor { run, value })
}

/// The order of a list, as the store sorts one project's.
pub(super) fn compare((sort, direction): (RunSort, Direction), a: &RunRow, b: &RunRow) -> Ordering {
    let turn = |order: Ordering| if direction == Direction::Desc { order.reverse() } else { order };
    let newest = || b.created_at.cmp(&a.created_at);
    if sort == RunSort::CreatedAt {
        return turn(a.created_at.cmp(&b.created_at));
    }
    match (sort.value(a), sort.value(b)) {
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(SortValue::Number(a)), Some(SortValue::Number(b))) => turn(a.total_cmp(&b)).then_with(newest),
        (Some(SortValue::Text(a)), Some(SortValue::Text(b))) => turn(a.cmp(&b)).then_with(newest),
        _ => newest(),
    }
}

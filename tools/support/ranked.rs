//! Pages of ranked lists: counted anew for each page, which begins behind so many rows of each list.
//!
//! A cursor says for each list how many rows were shown.

use super::{Bound, Question};
use crate::mcp::{
    ToolError,
    params::{Cursor, Period},
    quote::cost,
};
use serde_json::Value;

// Numbers cost more than words, and odd URLs most of all, so this is far below what an answer may cost.
const PAGE_COST: usize = 24_000;

/// How far each list of an answer was shown.
pub(crate) struct Pages {
    bound: Bound,
    shown: Vec<usize>,
    more: bool,
}

impl Pages {
    /// Where each of `lists` lists goes on: at its start, or where the cursor says. The question is what was found of its
    /// names, the period as it was given, and `particular` to the tool.
    pub(crate) fn read(
        cursor: Option<&Cursor>,
        (question, period): (&Question, Period),
        particular: &str,
        lists: usize,
    ) -> Result<Self, ToolError> {
        // A period that moves with the newest day must not change the question from page to page.
        let projects: Vec<_> = question.asked.iter().map(|one| (&one.target.row.key, &one.brand.key)).collect();
        let Question { engine, topic, prompt, include_branded, .. } = question;
        let text = format!("{projects:?} {period:?} {engine:?} {topic:?} {prompt:?} {include_branded} {particular}");
        let bound = Bound::to(&text);
        let Some(parts) = bound.read(cursor)? else { return Ok(Self { bound, shown: vec![0; lists], more: false }) };
        let shown: Result<Vec<usize>, _> = parts.into_iter().map(str::parse).collect();
        match shown {
            Ok(shown) if shown.len() == lists && shown.iter().all(|shown| *shown < 1 << 30) => {
                Ok(Self { bound, shown, more: false })
            }
            _ => Err(Cursor::refused()),
        }
    }

    /// How many rows of a list were shown.
    pub(crate) fn shown(&self, list: usize) -> usize {
        self.shown.get(list).copied().unwrap_or(0)
    }

    /// Of the rows that follow in a list of `total`, those that fit are kept.
    pub(crate) fn keep(&mut self, list: usize, rows: &mut Vec<Vec<Value>>, total: usize) {
        let room = PAGE_COST / self.shown.len().max(1);
        let mut spent = 0;
        let fits = |row: &&Vec<Value>| {
            spent += row.iter().map(|value| cost(&value.to_string())).sum::<usize>();
            spent <= room
        };
        let fitting = rows.iter().take_while(fits).count().max(1);
        rows.truncate(fitting);
        if let Some(shown) = self.shown.get_mut(list) {
            *shown += rows.len();
            self.more |= *shown < total && !rows.is_empty();
        }
    }

    /// The cursor behind what was kept; none at the end of every list.
    pub(crate) fn next_cursor(&self) -> Option<String> {
        let shown: Vec<String> = self.shown.iter().map(usize::to_string).collect();
        self.more.then(|| self.bound.write(&shown))
    }
}

/// Rows of each table on a page: as asked for, else so many that an answer about several projects stays short.
pub(crate) fn rows_a_page(limit: Option<crate::mcp::params::Limit>, projects: usize) -> usize {
    match (limit, projects) {
        (Some(limit), _) => limit.get(),
        (None, 0 | 1) => 10,
        (None, _) => 4,
    }
}

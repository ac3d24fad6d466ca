//! The order of prompts, and where a page of them goes on.
//!
//! A cursor names the last prompt shown and the value that it was sorted by, so that a page goes on at the same place
//! also where a sync has moved that prompt since.

use super::{
    super::support::{Bound, Question},
    Item, Params, Sort,
};
use crate::{
    mcp::{ToolError, params::Cursor},
    model::PromptId,
    store::Direction,
};
use std::cmp::Ordering;

/// How prompts are sorted.
pub(super) struct Order {
    bound: Bound,
    sort: Sort,
    direction: Direction,
}

/// The place of a prompt in the order.
struct Key<'i> {
    has_runs: bool,
    value: Option<f64>,
    item: &'i Item,
}

impl Order {
    /// The order asked for.
    pub(super) fn of(question: &Question, params: &Params) -> Self {
        let plain = if params.sort == Sort::Prompt { Direction::Asc } else { Direction::Desc };
        let direction = params.order.unwrap_or(plain);
        let about: Vec<String> =
            question.asked.iter().map(|one| format!("{:?} {:?}", one.target.row.key, one.brand.key)).collect();
        // A period that moves with the newest day must not change the question from page to page.
        let narrowed = (&question.engine, &question.topic, params.period, question.include_branded, &params.text);
        let bound = Bound::to(&format!("{about:?} {narrowed:?} {:?} {direction:?}", params.sort));
        Self { bound, sort: params.sort, direction }
    }

    /// The prompts from the cursor on, in order.
    pub(super) fn page(&self, mut items: Vec<Item>, cursor: Option<&Cursor>) -> Result<Vec<Item>, ToolError> {
        items.sort_by(|a, b| self.compare(&self.key(a), &self.key(b)));
        let Some(parts) = self.bound.read(cursor)? else { return Ok(items) };
        let [id, has_runs, value] = parts.as_slice() else { return Err(Cursor::refused()) };
        let id: PromptId = id.parse().map_err(|_| Cursor::refused())?;
        let value = match *value {
            "-" => None,
            bits => Some(u64::from_str_radix(bits, 16).map(f64::from_bits).map_err(|_| Cursor::refused())?),
        };
        let item = items.iter().find(|item| item.prompt.id == id).ok_or_else(Cursor::refused)?;
        let last = Key { has_runs: *has_runs == "1", value, item };
        let start = items.partition_point(|item| self.compare(&self.key(item), &last).is_le());
        Ok(items.split_off(start))
    }

    /// The cursor behind a prompt.
    pub(super) fn cursor(&self, item: &Item) -> String {
        let key = self.key(item);
        let value = key.value.map_or_else(|| "-".to_owned(), |value| format!("{:x}", value.to_bits()));
        self.bound.write(&[item.prompt.id.to_string(), u8::from(key.has_runs).to_string(), value])
    }

    fn key<'i>(&self, item: &'i Item) -> Key<'i> {
        let figures = &item.figures;
        let value = match self.sort {
            Sort::Runs => u32::try_from(figures.runs).ok().map(f64::from),
            Sort::PresenceRate => figures.presence_rate.value,
            Sort::CitationRate => figures.citation_rate.value,
            Sort::FlipRate => item.flips.value,
            Sort::Prompt => None,
        };
        Key { has_runs: figures.runs > 0, value, item }
    }

    /// Prompts with runs first, then those with a value, then by the value; equal ones by their words.
    fn compare(&self, a: &Key<'_>, b: &Key<'_>) -> Ordering {
        let turn = |order: Ordering| if self.direction == Direction::Desc { order.reverse() } else { order };
        let by_value = match (a.value, b.value) {
            (Some(a), Some(b)) => turn(a.total_cmp(&b)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        let words = |key: &Key<'_>| key.item.prompt.text.to_lowercase();
        let by_words = || {
            let order = words(a).cmp(&words(b));
            if self.sort == Sort::Prompt { turn(order) } else { order }
        };
        let place = |key: &Key<'_>| (key.item.project, key.item.prompt.id);
        b.has_runs.cmp(&a.has_runs).then(by_value).then_with(by_words).then_with(|| place(a).cmp(&place(b)))
    }
}

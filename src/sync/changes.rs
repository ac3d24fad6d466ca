//! What a page changes: a pure function of the page and of what is stored.

use crate::{
    model::{RunId, RunRecord},
    store::StoredRun,
};
use std::collections::HashMap;

/// A page, sorted by what there is to do. A run that stands twice in a page counts once, as it stands last.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    /// Not stored yet.
    pub added: Vec<(RunId, &'a RunRecord)>,
    /// Stored, with another record.
    pub changed: Vec<(StoredRun, &'a RunRecord)>,
    /// Stored with the same record, but marked as gone.
    pub returned: Vec<StoredRun>,
    /// Stored with the same record.
    pub unchanged: usize,
}

/// Compares a page with what is stored of its runs.
#[must_use]
#[expect(clippy::implicit_hasher, reason = "the store answers with this one")]
pub fn diff<'a>(page: &[(RunId, &'a RunRecord)], stored: &HashMap<RunId, StoredRun>) -> Changes<'a> {
    let last: HashMap<RunId, usize> = page.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
    let mut changes = Changes::default();
    for (place, (id, record)) in page.iter().enumerate() {
        if last.get(id) != Some(&place) {
            continue;
        }
        match stored.get(id) {
            None => changes.added.push((*id, record)),
            Some(known) if known.raw_hash != record.raw_hash => changes.changed.push((*known, record)),
            Some(known) if known.gone => changes.returned.push(*known),
            Some(_) => changes.unchanged += 1,
        }
    }
    changes
}

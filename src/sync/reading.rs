//! One slice on its way: where its next page begins, and the guards against an upstream that never comes to an end.

use super::{Task, stop::Stop};
use crate::{
    store::SliceDone,
    upstream::{Cursor, Page, Slice, Wanted},
};
use std::collections::HashSet;

// A reading of a slice that never ends is ended: far more pages than any real slice has.
const MAX_PAGES: usize = 100_000;
// How often a slice whose rows keep moving is read before it is left for the next sync.
const READINGS: usize = 3;

pub(super) struct Reading {
    pub(super) slice: Slice,
    /// Is its next page the first of a reading?
    pub(super) begins: bool,
    cursor: Option<Cursor>,
    seen: HashSet<Cursor>,
    digest: Option<u64>,
    pages: usize,
    readings: usize,
}

impl Reading {
    pub(super) fn of(task: Task) -> Self {
        let Task { slice, cursor, .. } = task;
        let begins = cursor.is_none();
        Self { slice, begins, cursor, seen: HashSet::new(), digest: None, pages: 0, readings: 1 }
    }

    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted { slice: &self.slice, cursor: self.cursor.as_ref() }
    }

    /// Takes note of a page, and refuses one that leads nowhere.
    pub(super) fn note(&mut self, page: &Page) -> Result<(), Stop> {
        self.pages += 1;
        // Empty pages may well be equal: the last page of runs and the first of another kind.
        let has_rows = !page.runs.is_empty() || !page.rejected.is_empty();
        let repeats = has_rows && self.digest.replace(page.digest) == Some(page.digest);
        let returns = page.next.as_ref().is_some_and(|next| !self.seen.insert(next.clone()));
        if repeats || returns || self.pages > MAX_PAGES {
            return Err(Stop::Loop);
        }
        self.begins = false;
        self.cursor.clone_from(&page.next);
        Ok(())
    }

    /// Is there a page after the last one noted?
    pub(super) fn goes_on(&self) -> bool {
        self.cursor.is_some()
    }

    /// What the end of a reading came to: how many runs are gone, or that the slice must be read again.
    pub(super) fn end(&mut self, done: SliceDone) -> Result<Option<u64>, Stop> {
        match done {
            SliceDone::Complete { gone } => Ok(Some(gone)),
            SliceDone::Shifted if self.readings < READINGS => {
                self.readings += 1;
                (self.begins, self.cursor, self.digest) = (true, None, None);
                self.seen.clear();
                Ok(None)
            }
            SliceDone::Shifted => Err(Stop::Moving { slice: self.slice.key.clone(), readings: READINGS }),
        }
    }
}

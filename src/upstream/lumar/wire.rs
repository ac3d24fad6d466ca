//! What stands around records: connections with their pages.

use super::contract::FRAME;
use crate::upstream::{
    Error,
    fields::{DriftLog, Fields},
};
use serde_json::value::RawValue;

/// A page of a list.
#[derive(Debug)]
pub(super) struct Connection<'a> {
    /// Its rows.
    pub(super) nodes: Vec<&'a RawValue>,
    /// The cursor of its last row, where more rows follow.
    pub(super) next: Option<String>,
}

impl<'a> Connection<'a> {
    /// Reads one, as nodes or as edges.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`] when there are no rows to be seen, or more of them without a cursor to go on from.
    pub(super) fn read(what: &str, raw: &'a RawValue, drift: &DriftLog) -> Result<Self, Error> {
        let wrong = |detail: &str| Error::Decode { what: what.to_owned(), detail: detail.to_owned() };
        let frame = Fields::read(&FRAME, raw, drift).map_err(|why| wrong(&why.0))?;
        let mut nodes = match (frame.opt_list("nodes"), frame.opt_list("edges")) {
            (Some(nodes), _) => nodes,
            (None, Some(edges)) => edges
                .into_iter()
                .filter_map(|edge| Fields::read(&FRAME, edge, drift).ok().and_then(|edge| edge.get("node")))
                .collect(),
            (None, None) => return Err(wrong("`nodes` is missing")),
        };
        nodes.retain(|node| node.get() != "null");
        let page = frame.opt_object("pageInfo", &FRAME);
        let goes_on = page.as_ref().and_then(|page| page.opt_boolean("hasNextPage")).unwrap_or(false);
        let cursor = page.as_ref().and_then(|page| page.opt_word("endCursor"));
        match (goes_on, cursor) {
            (false, _) => Ok(Self { nodes, next: None }),
            (true, Some(cursor)) => Ok(Self { nodes, next: Some(cursor.into_owned()) }),
            (true, None) => Err(wrong("`endCursor` is missing where more rows follow")),
        }
    }
}

//! Who asks: what they may see, and whether they may sync.

use crate::{model::SourceName, store::Allowed};

/// Who asks. On stdio and on the command line it is the owner of the cache.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    /// How the log names them.
    pub name: String,
    /// The projects that they may see.
    pub projects: Allowed,
    /// May they have a source synced?
    pub may_sync: bool,
}

impl Principal {
    /// Whoever started the program.
    #[must_use]
    pub fn owner() -> Self {
        Self { name: "owner".to_owned(), projects: Allowed::All, may_sync: true }
    }

    /// Those of some sources that they may have synced: a sync tells of every project of its source.
    pub(super) fn syncable<'a>(&self, sources: &'a [SourceName]) -> impl Iterator<Item = &'a SourceName> {
        sources.iter().filter(|source| self.may_sync && self.projects.is_whole(source))
    }
}

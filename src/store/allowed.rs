//! Which projects a reader shows. Whoever asks through it may see these alone: the others are not there, in any list,
//! count, name or error.

use super::{Reader, Result, error::Context as _};
use crate::model::SourceName;
use std::collections::BTreeSet;

/// The projects that somebody may see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// All that are cached, and all that will be.
    All,
    /// Those of these names: `source/id`, `source/name`, or `source/*` for all of a source.
    Only(BTreeSet<String>),
}

impl Allowed {
    /// May all projects of this source be seen, those to come as well?
    #[must_use]
    pub fn is_whole(&self, source: &SourceName) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(&format!("{source}/*")),
        }
    }

    /// May any project of this source be seen?
    #[must_use]
    pub fn is_some(&self, source: &SourceName) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|name| name.split('/').next() == Some(source.as_str())),
        }
    }

    fn holds(&self, source: &str, key: &str, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => ["*", key, name].iter().any(|part| names.contains(&format!("{source}/{part}"))),
        }
    }
}

/// What a reader shows: every project, or those of these rows.
#[derive(Clone, Debug, Default)]
pub(super) enum Shown {
    #[default]
    All,
    Only {
        projects: BTreeSet<i64>,
        /// Sources of which every project is shown.
        whole: BTreeSet<String>,
    },
}

impl Reader {
    /// Runs `work` with a reader that shows the allowed projects alone.
    ///
    /// # Errors
    /// What `work` returns, or that the projects cannot be read.
    pub fn showing<T, E: From<super::Error>>(
        &self,
        allowed: &Allowed,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let shown = self.resolve(allowed).map_err(E::from)?;
        // A reader under which `work` panics is never used again.
        self.shown.replace(shown);
        let done = work(self);
        self.shown.replace(Shown::All);
        done
    }

    fn resolve(&self, allowed: &Allowed) -> Result<Shown> {
        let Allowed::Only(names) = allowed else { return Ok(Shown::All) };
        let mut statement = self
            .connection
            .prepare_cached("SELECT p.id, s.name, p.key, p.name FROM project p JOIN source s ON s.id = p.source_id")?;
        let mut rows = statement.query(()).context("projects that may be seen")?;
        let mut projects = BTreeSet::new();
        while let Some(row) = rows.next().context("projects that may be seen")? {
            let [source, key, name]: [String; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
            if allowed.holds(&source, &key, &name) {
                projects.insert(row.get(0)?);
            }
        }
        let whole = names.iter().filter_map(|name| name.strip_suffix("/*")).map(str::to_owned).collect();
        Ok(Shown::Only { projects, whole })
    }

    /// Is this project shown?
    pub(super) fn shows(&self, project: i64) -> bool {
        match &*self.shown.borrow() {
            Shown::All => true,
            Shown::Only { projects, .. } => projects.contains(&project),
        }
    }

    /// Is every project of this source shown? Else what is known of the source as a whole is not told.
    pub(super) fn shows_whole(&self, source: &SourceName) -> bool {
        match &*self.shown.borrow() {
            Shown::All => true,
            Shown::Only { whole, .. } => whole.contains(source.as_str()),
        }
    }

    /// Is any project of this source shown?
    pub(super) fn shows_some(&self, source: &SourceName) -> Result<bool> {
        let Shown::Only { projects, .. } = &*self.shown.borrow() else { return Ok(true) };
        if self.shows_whole(source) {
            return Ok(true);
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT p.id FROM project p JOIN source s ON s.id = p.source_id WHERE s.name = ?1")?;
        let ids = statement.query_map([source.as_str()], |row| row.get(0))?;
        let ids: BTreeSet<i64> = ids.collect::<Result<_, _>>().context("projects of a source")?;
        Ok(!projects.is_disjoint(&ids))
    }

    /// The shown projects where not all are.
    pub(super) fn shown_only(&self) -> Option<BTreeSet<i64>> {
        match &*self.shown.borrow() {
            Shown::All => None,
            Shown::Only { projects, .. } => Some(projects.clone()),
        }
    }
}

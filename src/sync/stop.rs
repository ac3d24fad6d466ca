//! Why a source or a slice stopped, and what that means for the rest.

use super::Outcome;
use crate::{store, upstream};

/// Why a source or a slice stopped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    #[error("cancelled")]
    Cancelled,
    #[error(transparent)]
    Upstream(#[from] upstream::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the upstream serves the same page again and again")]
    Loop,
    #[error("rows moved from page to page in each of {readings} readings of {slice}")]
    Moving { slice: String, readings: usize },
}

impl Stop {
    /// Is it useless to go on with the next slice?
    pub(super) fn ends_source(&self) -> bool {
        match self {
            Self::Cancelled | Self::Store(_) => true,
            Self::Upstream(error) => error.is_fatal_to_source(),
            Self::Loop | Self::Moving { .. } => false,
        }
    }

    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Upstream(error) if error.is_transient())
    }

    pub(super) fn outcome(&self) -> Outcome {
        let (class, hint) = match self {
            Self::Cancelled => return Outcome::Cancelled,
            Self::Store(store::Error::LeaseLost) => return Outcome::Busy,
            Self::Upstream(error) => (error.class(), error.hint()),
            Self::Store(error) => ("cache", error.hint().to_owned()),
            Self::Loop => {
                ("loop", "the API ignores its paging; report this, the rest of the source is synced".to_owned())
            }
            Self::Moving { .. } => {
                ("moving", "what was read is kept; the next sync reads it again, since rows may be missing".to_owned())
            }
        };
        Outcome::Failed { class: class.to_owned(), error: self.to_string(), hint }
    }
}

//! Where the figures beside it come from.

use crate::{model::Basis, store::Bases};
use serde::Serialize;

/// upstream: the tracker's own facts; derived: read off the answers' text. Mention ranks are always derived.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sourced {
    mentions: Vec<Basis>,
    citations: Vec<Basis>,
    /// Of all brands, where it is another
    #[serde(skip_serializing_if = "Option::is_none")]
    mention_share_of_voice: Option<Vec<Basis>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    citation_share_of_voice: Option<Vec<Basis>>,
}

super::open::open_object!(Sourced);

impl From<&Bases> for Sourced {
    fn from(bases: &Bases) -> Self {
        let other = |shares: &Vec<Basis>, own: &Vec<Basis>| Some(shares.clone()).filter(|shares| shares != own);
        Self {
            mentions: bases.mentions.clone(),
            citations: bases.citations.clone(),
            mention_share_of_voice: other(&bases.mention_shares, &bases.mentions),
            citation_share_of_voice: other(&bases.citation_shares, &bases.citations),
        }
    }
}

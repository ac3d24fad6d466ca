//! The figures that can be followed from day to day.

use crate::{
    analysis::{Figures, Rate},
    model::{Basis, Cell},
    store::Bases,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A figure that can be followed from day to day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Metric {
    #[default]
    PresenceRate,
    MentionRate,
    CitationRate,
    MentionShareOfVoice,
    CitationShareOfVoice,
}

impl Metric {
    /// The figure.
    pub(crate) fn rate(self, figures: &Figures) -> Rate {
        match self {
            Self::PresenceRate => figures.presence_rate,
            Self::MentionRate => figures.mention_rate,
            Self::CitationRate => figures.citation_rate,
            Self::MentionShareOfVoice => figures.mention_share_of_voice,
            Self::CitationShareOfVoice => figures.citation_share_of_voice,
        }
    }

    /// Hits, and what they are out of.
    pub(crate) fn counts(self, cell: &Cell) -> (u32, u32) {
        match self {
            Self::PresenceRate => (cell.present, cell.presence_checked),
            Self::MentionRate => (cell.mentioned, cell.mention_checked),
            Self::CitationRate => (cell.cited, cell.citation_checked),
            Self::MentionShareOfVoice => (cell.share_mentions, cell.share_all_mentions),
            Self::CitationShareOfVoice => (cell.share_citations, cell.share_all_citations),
        }
    }

    /// Runs that were looked at for it.
    pub(crate) fn checked(self, cell: &Cell) -> u32 {
        match self {
            Self::PresenceRate => cell.presence_checked,
            Self::MentionRate | Self::MentionShareOfVoice => cell.mention_checked,
            Self::CitationRate | Self::CitationShareOfVoice => cell.citation_checked,
        }
    }

    /// Where it comes from.
    pub(crate) fn bases(self, bases: &Bases) -> Vec<Basis> {
        match self {
            Self::PresenceRate => [bases.mentions.clone(), bases.citations.clone()].concat(),
            Self::MentionRate => bases.mentions.clone(),
            Self::CitationRate => bases.citations.clone(),
            Self::MentionShareOfVoice => bases.mention_shares.clone(),
            Self::CitationShareOfVoice => bases.citation_shares.clone(),
        }
    }
}

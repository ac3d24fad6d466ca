//! Cells: what one prompt on one engine gave for one brand over a span of days, as counts and sums.
//!
//! `store` makes them, `analysis` turns them into figures. Only finished runs are in them.

use super::{BrandKey, Day};

/// A prompt, as a label that means something within one answer of the store alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct PromptRef(pub(crate) u32);

/// An engine, as a label that means something within one answer of the store alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct EngineRef(pub(crate) u32);

/// Counts of one brand in one prompt x engine cell. Every field adds up over days.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Cell {
    /// The prompt.
    pub prompt: PromptRef,
    /// The engine.
    pub engine: EngineRef,
    /// Finished runs.
    pub runs: u32,
    /// Finished runs checked for mentions of the brand.
    pub mention_checked: u32,
    /// Finished runs checked for citations of the brand.
    pub citation_checked: u32,
    /// Finished runs checked for both.
    pub presence_checked: u32,
    /// Of `mention_checked`, runs that name the brand.
    pub mentioned: u32,
    /// Of `citation_checked`, runs that cite it.
    pub cited: u32,
    /// Of `presence_checked`, runs that do either.
    pub present: u32,
    /// The brand's mentions in runs where every tracked brand was checked for mentions.
    pub share_mentions: u32,
    /// Mentions of all tracked brands in those runs.
    pub share_all_mentions: u32,
    /// The brand's citations in runs where every tracked brand was checked for citations.
    pub share_citations: u32,
    /// Citations attributed to any tracked brand in those runs.
    pub share_all_citations: u32,
    /// Sum of the brand's first citation positions.
    pub position_sum: u32,
    /// Runs in that sum.
    pub position_runs: u32,
    /// Sum of the brand's mention ranks.
    pub rank_sum: u32,
    /// Runs in that sum.
    pub rank_runs: u32,
    /// Sum of its sentiment, on the upstream's own scale.
    pub sentiment_sum: f64,
    /// Runs in that sum.
    pub sentiment_runs: u32,
}

/// Finished runs of one prompt on one engine that cite one domain or URL. Every count adds up over days.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CitedCell {
    /// The prompt.
    pub prompt: PromptRef,
    /// The engine.
    pub engine: EngineRef,
    /// Runs that cite it.
    pub runs: u32,
    /// Citations of it in them.
    pub citations: u32,
    /// Of the runs, those where the brand asked about is absent and a rival present.
    pub gap_runs: u32,
}

/// What the finished runs of one day hold of one brand.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ScoreParts {
    /// Finished runs that were checked for the brand.
    pub runs: u64,
    /// Those that name it.
    pub mentioned: u64,
    /// Those that cite one of its domains.
    pub cited: u64,
    /// Those that do either.
    pub present: u64,
    /// Mean quality of its mentions, 0 to 100.
    pub mention_quality: Option<f64>,
    /// Mean quality of its citations, 0 to 100.
    pub citation_quality: Option<f64>,
}

/// How many finished runs of one engine a model answered on one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelRuns {
    /// The engine.
    pub engine: String,
    /// The model; a stranger's text.
    pub model: String,
    /// The day.
    pub day: Day,
    /// Finished runs.
    pub runs: u64,
}

/// A figure that an upstream publishes of a brand and a day, beside the same computed from the cached runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Recheck {
    /// The brand.
    pub brand: BrandKey,
    /// The figure's name in the cache.
    pub metric: String,
    /// The day.
    pub day: Day,
    /// What the upstream publishes.
    pub published: f64,
    /// What the cached runs come to.
    pub computed: f64,
}

impl Recheck {
    /// Computed less published.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.computed - self.published
    }
}

//! What Lumar's evaluators would say of an answer: deterministic judgements of each citation and each mention.
//!
//! - A citation's quality begins at 96 for the first position, falls by 5 with each further one down to 20 at the
//!   least, and swings by 12 to either side.
//! - A mention's quality begins at 90 for the first brand named, falls by 6 with each brand named before it and by 3
//!   with each earlier mention of the same brand, down to 20 at the least, and swings by 12 to either side.
//! - A mention's sentiment lies around 64, with a standard deviation of 13.
//!
//! All are kept within 0 to 100 and have one decimal place.

use super::tracker::{Project, Run};
use crate::{
    demo::rng::{Dice, place, real},
    model::Status,
};
use jiff::Timestamp;

/// A run without its text: what figures and listings need of it.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) id: u64,
    pub(super) engine: String,
    pub(super) status: Status,
    pub(super) created_at: Timestamp,
    pub(super) failure: Option<String>,
    /// One per brand that is named or cited.
    pub(super) marks: Vec<Mark>,
}

/// What one answer does for one brand: counts and sums.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Mark {
    /// By place among the project's brands.
    pub(super) brand: usize,
    pub(super) mentions: u32,
    pub(super) mention_quality: f64,
    pub(super) sentiment: f64,
    pub(super) citations: u32,
    pub(super) citation_quality: f64,
    pub(super) positions: f64,
    /// The best position; 0 where there is none.
    pub(super) best: u32,
}

impl Mark {
    /// Adds what the same answer does for a variant of the brand.
    pub(super) fn join(&mut self, other: &Self) {
        self.mentions += other.mentions;
        self.mention_quality += other.mention_quality;
        self.sentiment += other.sentiment;
        self.citations += other.citations;
        self.citation_quality += other.citation_quality;
        self.positions += other.positions;
        self.best = match (self.best, other.best) {
            (0, best) | (best, 0) => best,
            (a, b) => a.min(b),
        };
    }
}

/// One citation, judged.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct JudgedCitation<'r> {
    pub(super) url: &'r str,
    pub(super) brand: Option<usize>,
    pub(super) position: u32,
    pub(super) quality: f64,
}

/// One mention, judged.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct JudgedMention {
    pub(super) brand: usize,
    pub(super) quality: f64,
    pub(super) sentiment: f64,
}

impl JudgedMention {
    /// Why the sentiment is what it is.
    pub(super) fn justification(&self) -> &'static str {
        match self.sentiment {
            x if x >= 75.0 => "The answer recommends the brand in warm words.",
            x if x >= 55.0 => "The answer names the brand among good choices.",
            x if x >= 40.0 => "The answer names the brand without praise or blame.",
            _ => "The answer names the brand with reservations.",
        }
    }
}

const CITATION: u64 = 1;
const MENTION: u64 = 2;

fn score(value: f64) -> f64 {
    (value.clamp(0.0, 100.0) * 10.0).round() / 10.0
}

/// The citations of a run, in order.
pub(super) fn citations(run: &Run) -> impl Iterator<Item = JudgedCitation<'_>> {
    run.citations.iter().enumerate().map(|(ix, citation)| {
        let mut dice = Dice::at(run.id, &[CITATION, place(ix)]);
        let quality = (96.0 - 5.0 * real(ix)).max(20.0) + 24.0 * (dice.unit() - 0.5);
        JudgedCitation {
            url: &citation.url,
            brand: citation.brand,
            position: u32::try_from(ix + 1).unwrap_or(u32::MAX),
            quality: score(quality),
        }
    })
}

/// The mentions of a run: one for each time that a brand is named, brand by brand.
pub(super) fn mentions<'r>(run: &'r Run, project: &'r Project) -> impl Iterator<Item = JudgedMention> + 'r {
    run.mentions.iter().enumerate().flat_map(move |(rank, mention)| {
        let brand = project.brands.get(mention.brand).map_or(0, |brand| brand.id);
        (0..mention.count).map(move |nth| {
            let mut dice = Dice::at(run.id, &[MENTION, brand, u64::from(nth)]);
            let quality = 90.0 - 6.0 * real(rank) - 3.0 * f64::from(nth);
            JudgedMention {
                brand: mention.brand,
                quality: score(quality.max(20.0) + 24.0 * (dice.unit() - 0.5)),
                sentiment: score(64.0 + 13.0 * dice.bell()),
            }
        })
    })
}

/// A run without its text.
pub(super) fn facts(run: &Run, project: &Project) -> Facts {
    let mut marks: Vec<Mark> = Vec::new();
    let mut mark = |brand: usize, change: Mark| match marks.iter_mut().find(|mark| mark.brand == brand) {
        Some(mark) => mark.join(&change),
        None => marks.push(Mark { brand, ..change }),
    };
    for mention in mentions(run, project) {
        let (mention_quality, sentiment) = (mention.quality, mention.sentiment);
        mark(mention.brand, Mark { mentions: 1, mention_quality, sentiment, ..Mark::default() });
    }
    for citation in citations(run) {
        let Some(brand) = citation.brand else { continue };
        let change = Mark {
            citations: 1,
            citation_quality: citation.quality,
            positions: f64::from(citation.position),
            best: citation.position,
            ..Mark::default()
        };
        mark(brand, change);
    }
    Facts {
        id: run.id,
        engine: run.engine.clone(),
        status: run.status.clone(),
        created_at: run.created_at,
        failure: run.failure.clone(),
        marks,
    }
}

//! The published figures of a brand in some scope: a project, a prompt, a topic or a span of days.
//!
//! Over the finished runs of the scope, the brand's merged variants counting as the brand:
//! - `totalRuns`: their number. With none of them every average, rate and share is null.
//! - `totalBrandMentions`, `totalBrandCitations`: how often answers name the brand and cite its domain.
//! - `avgBrandMentionQualityScore` (MQ), `avgBrandSentiment`: the mean over its mentions; null without any.
//! - `avgCitationQualityScore` (CQ), `avgBrandPosition`: the mean over its citations; null without any.
//! - `avgVisibilityIndex`, and under its old name `avgVisibilityScore`:
//!   `0.25 CQ sqrt(runs citing it / runs) + 0.75 MQ sqrt(runs naming it / runs)`, where a missing quality counts as 0.
//! - `avgPresenceRate`: 100 times the share of runs that name or cite it.
//! - `avgQualityScore`: `0.75 MQ + 0.25 CQ`; where one of the two is missing, the other alone; null without both.
//! - `mentionShareOfVoice`, `citationShareOfVoice`: 100 times the brand's mentions (citations) over those of all
//!   brands of the project, whatever their type.
//!
//! One run's `visibilityScore` is the index of that run alone. Figures have two decimal places.

use super::judge::{Facts, Mark};
use crate::model::Status;
use serde_json::{Map, Value, json};

/// The names of all figures that need runs to be counted.
pub(super) const METRICS: [&str; 14] = [
    "avgVisibilityScore",
    "avgVisibilityIndex",
    "avgCitationQualityScore",
    "avgBrandMentionQualityScore",
    "avgBrandPosition",
    "avgBrandSentiment",
    "avgPresenceRate",
    "avgQualityScore",
    "mentionShareOfVoice",
    "citationShareOfVoice",
    "totalRuns",
    "totalBrandCitations",
    "totalBrandMentions",
    "topBrands",
];

/// One brand's sums.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    cited: u32,
    mentioned: u32,
    present: u32,
    sums: Mark,
}

/// The sums of a scope, for every brand.
#[derive(Clone, Debug, Default)]
pub(super) struct Board {
    runs: u32,
    brands: Vec<Tally>,
}

/// A brand's part in one answer, variants joined; `roots` tells for each brand by place which brand it counts as.
pub(super) fn part(facts: &Facts, roots: &[Option<usize>], brand: usize) -> Mark {
    let mut whole = Mark { brand, ..Mark::default() };
    for mark in facts.marks.iter().filter(|mark| roots.get(mark.brand) == Some(&Some(brand))) {
        whole.join(mark);
    }
    whole
}

/// Counts as a run's part for every brand it touches.
fn parts(facts: &Facts, roots: &[Option<usize>]) -> Vec<Mark> {
    let mut joined: Vec<Mark> = Vec::with_capacity(facts.marks.len());
    for mark in &facts.marks {
        let Some(Some(root)) = roots.get(mark.brand).copied() else { continue };
        match joined.iter_mut().find(|other| other.brand == root) {
            Some(other) => other.join(mark),
            None => joined.push(Mark { brand: root, ..*mark }),
        }
    }
    joined
}

impl Board {
    /// Counts a run, if it is finished.
    pub(super) fn add(&mut self, facts: &Facts, roots: &[Option<usize>]) {
        if facts.status != Status::Finished {
            return;
        }
        self.runs += 1;
        self.brands.resize_with(roots.len(), Tally::default);
        for mark in parts(facts, roots) {
            let Some(tally) = self.brands.get_mut(mark.brand) else { continue };
            tally.cited += u32::from(mark.citations > 0);
            tally.mentioned += u32::from(mark.mentions > 0);
            tally.present += 1;
            tally.sums.join(&mark);
        }
    }

    /// Finished runs counted.
    pub(super) fn runs(&self) -> u32 {
        self.runs
    }

    /// A brand's index; null without runs.
    pub(super) fn index(&self, brand: usize) -> Option<f64> {
        let tally = self.brands.get(brand)?;
        let rate = |hits: u32| (f64::from(hits) / f64::from(self.runs)).sqrt();
        let mean = |sum: f64, n: u32| if n == 0 { 0.0 } else { sum / f64::from(n) };
        let (mark, runs) = (&tally.sums, self.runs);
        (runs > 0).then(|| {
            round(
                0.25 * mean(mark.citation_quality, mark.citations) * rate(tally.cited)
                    + 0.75 * mean(mark.mention_quality, mark.mentions) * rate(tally.mentioned),
            )
        })
    }

    /// A brand's figures, by name.
    pub(super) fn figures(&self, brand: usize) -> Map<String, Value> {
        let tally = self.brands.get(brand).copied().unwrap_or_default();
        let mark = tally.sums;
        let mean = |sum: f64, n: u32| (n > 0).then(|| sum / f64::from(n));
        let quality = (mean(mark.mention_quality, mark.mentions), mean(mark.citation_quality, mark.citations));
        let combined = match quality {
            (Some(mentions), Some(citations)) => Some(0.75 * mentions + 0.25 * citations),
            (one, other) => one.or(other),
        };
        let all = |count: fn(&Mark) -> u32| self.brands.iter().map(|tally| count(&tally.sums)).sum::<u32>();
        let share = |count: fn(&Mark) -> u32| mean(100.0 * f64::from(count(&mark)), all(count));
        let of = |value: Option<f64>| json!(value.map(round));
        let index = of(self.index(brand).or((self.runs > 0).then_some(0.0)));
        let columns = [
            ("avgVisibilityScore", index.clone()),
            ("avgVisibilityIndex", index),
            ("avgCitationQualityScore", of(quality.1)),
            ("avgBrandMentionQualityScore", of(quality.0)),
            ("avgBrandPosition", of(mean(mark.positions, mark.citations))),
            ("avgBrandSentiment", of(mean(mark.sentiment, mark.mentions))),
            ("avgPresenceRate", of(mean(100.0 * f64::from(tally.present), self.runs))),
            ("avgQualityScore", of(combined)),
            ("mentionShareOfVoice", of(share(|mark| mark.mentions))),
            ("citationShareOfVoice", of(share(|mark| mark.citations))),
            ("totalRuns", json!(self.runs)),
            ("totalBrandCitations", json!(mark.citations)),
            ("totalBrandMentions", json!(mark.mentions)),
        ];
        columns.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The brands with the highest index above 0, by place, best first.
    pub(super) fn top(&self, count: usize) -> Vec<(usize, f64)> {
        let of = |brand| Some((brand, self.index(brand)?)).filter(|(_, index)| *index > 0.0);
        let mut ranked: Vec<(usize, f64)> = (0..self.brands.len()).filter_map(of).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked.truncate(count);
        ranked
    }
}

/// To two decimal places.
pub(super) fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

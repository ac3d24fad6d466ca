//! Lumar's composites, recomputed from cached runs, and how far they are from what Lumar publishes.

use super::{fraction, real};
use crate::model::Day;

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

impl ScoreParts {
    /// `avgVisibilityIndex`, formerly `avgVisibilityScore`: 0.25 x citation quality x sqrt(citation rate) +
    /// 0.75 x mention quality x sqrt(mention rate), 0 to 100. None without runs, and where a quality that it needs is
    /// not known.
    #[must_use]
    pub fn visibility_index(&self) -> Option<f64> {
        let part = |weight: f64, quality: Option<f64>, hits: u64| match hits {
            0 => Some(0.0),
            hits => Some(weight * quality? * fraction(hits, self.runs)?.sqrt()),
        };
        fraction(0, self.runs)?;
        Some(part(0.25, self.citation_quality, self.cited)? + part(0.75, self.mention_quality, self.mentioned)?)
    }

    /// `avgQualityScore`: 75 % mention quality and 25 % citation quality; where there is one of them, that alone.
    #[must_use]
    pub fn quality_score(&self) -> Option<f64> {
        match (self.mention_quality, self.citation_quality) {
            (Some(mentions), Some(citations)) => Some(0.75 * mentions + 0.25 * citations),
            (one, other) => one.or(other),
        }
    }

    /// `avgPresenceRate`: the share of runs that name or cite it, in per cent.
    #[must_use]
    pub fn presence_percent(&self) -> Option<f64> {
        fraction(self.present, self.runs).map(|share| 100.0 * share)
    }
}

/// One published figure of one day, beside the same computed from the cache.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Recheck {
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

/// How far rechecks are off as a whole: the mean and the greatest distance, and the day of that.
#[must_use]
pub fn distance(rechecks: &[Recheck]) -> Option<(f64, f64, Day)> {
    let worst = rechecks.iter().max_by(|a, b| a.difference().abs().total_cmp(&b.difference().abs()))?;
    let sum: f64 = rechecks.iter().map(|recheck| recheck.difference().abs()).sum();
    Some((sum / real(rechecks.len() as u64), worst.difference().abs(), worst.day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> ScoreParts {
        ScoreParts {
            runs: 16,
            mentioned: 9,
            cited: 4,
            present: 10,
            mention_quality: Some(80.0),
            citation_quality: Some(60.0),
        }
    }

    #[test]
    fn the_composites_are_those_of_the_documents() {
        // 0.25 x 60 x sqrt(4/16) + 0.75 x 80 x sqrt(9/16)
        assert_eq!(parts().visibility_index(), Some(7.5 + 45.0));
        assert_eq!(parts().quality_score(), Some(75.0));
        assert_eq!(parts().presence_percent(), Some(62.5));
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        assert_eq!(ScoreParts::default().visibility_index(), None);
        assert_eq!(ScoreParts::default().presence_percent(), None);
        assert_eq!(ScoreParts { citation_quality: None, ..parts() }.visibility_index(), None);
        // Without a citation its quality is not needed.
        let unseen = ScoreParts { cited: 0, citation_quality: None, ..parts() };
        assert_eq!((unseen.visibility_index(), unseen.quality_score()), (Some(45.0), Some(80.0)));
        assert_eq!(ScoreParts { runs: 3, ..ScoreParts::default() }.visibility_index(), Some(0.0));
    }

    #[test]
    fn the_greatest_distance_is_named_by_its_day() {
        let recheck = |day: i32, computed: f64| Recheck { day: Day::from_epoch_days(day), published: 50.0, computed };
        assert_eq!(distance(&[]), None);
        let found = distance(&[recheck(1, 50.0), recheck(2, 47.0), recheck(3, 51.5)]);
        assert_eq!(found, Some((1.5, 3.0, Day::from_epoch_days(2))));
    }
}

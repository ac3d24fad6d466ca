//! Lumar's composites, recomputed from cached runs, and how far they are from what Lumar publishes.

use super::{fraction, real};
use crate::model::{Day, Recheck, ScoreParts};

/// `avgVisibilityIndex`, formerly `avgVisibilityScore`: 0.25 x citation quality x sqrt(citation rate) +
/// 0.75 x mention quality x sqrt(mention rate), 0 to 100. None without runs, and where a quality that it needs is
/// not known.
#[must_use]
pub fn visibility_index(parts: &ScoreParts) -> Option<f64> {
    let part = |weight: f64, quality: Option<f64>, hits: u64| match hits {
        0 => Some(0.0),
        hits => Some(weight * quality? * fraction(hits, parts.runs)?.sqrt()),
    };
    fraction(0, parts.runs)?;
    Some(part(0.25, parts.citation_quality, parts.cited)? + part(0.75, parts.mention_quality, parts.mentioned)?)
}

/// `avgQualityScore`: 75 % mention quality and 25 % citation quality; where there is one of them, that alone.
#[must_use]
pub fn quality_score(parts: &ScoreParts) -> Option<f64> {
    match (parts.mention_quality, parts.citation_quality) {
        (Some(mentions), Some(citations)) => Some(0.75 * mentions + 0.25 * citations),
        (one, other) => one.or(other),
    }
}

/// `avgPresenceRate`: the share of runs that name or cite it, in per cent.
#[must_use]
pub fn presence_percent(parts: &ScoreParts) -> Option<f64> {
    fraction(parts.present, parts.runs).map(|share| 100.0 * share)
}

/// A published figure by its name in the cache, computed from its parts. None for a figure that has no formula here.
#[must_use]
pub fn recompute(metric: &str, parts: &ScoreParts) -> Option<f64> {
    match metric {
        "visibility_index" => visibility_index(parts),
        "quality_score" => quality_score(parts),
        "presence_rate_percent" => presence_percent(parts),
        _ => None,
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
    use crate::model::BrandKey;

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
        assert_eq!(visibility_index(&parts()), Some(7.5 + 45.0));
        assert_eq!(quality_score(&parts()), Some(75.0));
        assert_eq!(presence_percent(&parts()), Some(62.5));
        assert_eq!(recompute("quality_score", &parts()), Some(75.0));
        assert_eq!(recompute("runs", &parts()), None);
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        assert_eq!(visibility_index(&ScoreParts::default()), None);
        assert_eq!(presence_percent(&ScoreParts::default()), None);
        assert_eq!(visibility_index(&ScoreParts { citation_quality: None, ..parts() }), None);
        // Without a citation its quality is not needed.
        let unseen = ScoreParts { cited: 0, citation_quality: None, ..parts() };
        assert_eq!((visibility_index(&unseen), quality_score(&unseen)), (Some(45.0), Some(80.0)));
        assert_eq!(visibility_index(&ScoreParts { runs: 3, ..ScoreParts::default() }), Some(0.0));
    }

    #[test]
    fn the_greatest_distance_is_named_by_its_day() {
        let recheck = |day: i32, computed: f64| Recheck {
            brand: BrandKey("b".to_owned()),
            metric: "visibility_index".to_owned(),
            day: Day::from_epoch_days(day),
            published: 50.0,
            computed,
        };
        assert_eq!(distance(&[]), None);
        let found = distance(&[recheck(1, 50.0), recheck(2, 47.0), recheck(3, 51.5)]);
        assert_eq!(found, Some((1.5, 3.0, Day::from_epoch_days(2))));
    }
}

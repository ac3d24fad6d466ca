//! Pure arithmetic on cells: rates, intervals, shares, comparisons. No I/O, no clock.
//!
//! Runs of one prompt are not independent, so every interval here counts prompts, not runs, as what was sampled.
//! Figures are exact while they are computed with; they are rounded to four decimals where they are serialised.

mod apart;
mod basket;
mod change;
mod definitions;
mod discovery;
mod duel;
mod figures;
mod flips;
mod likeness;
mod mean;
mod models;
mod origins;
mod overlap;
mod prompts;
mod rate;
mod ratio;
mod score;
mod series;
#[cfg(test)]
mod simulation;
mod sources;

pub use apart::{Apart, apart};
pub use basket::{Basket, basket};
pub use change::{Change, LeftOut, Pairing, Verdict, change, change_in_mean, difference, difference_in_mean};
pub use definitions::{DEFINITIONS, Definition, definition};
pub use discovery::{benjamini_hochberg, control_changes, exact_p};
pub use duel::{Duel, duel};
pub use figures::{Figures, by_engine};
pub use flips::{flip_rate, flip_rates};
pub use likeness::{entered_and_left, is_compared_in_part, likeness};
pub use mean::Mean;
pub use models::{ModelChange, model_changes};
pub use origins::{Origin, origin};
pub use overlap::{brand_list_overlap, overlap};
pub use prompts::{PromptFigures, by_prompt};
pub use rate::Rate;
pub use score::{distance, presence_percent, quality_score, recompute, visibility_index};
pub use series::{Alike, Interval, buckets, halves};
pub use sources::{CitedFigures, CitedScope, PromptGaps, gap_rate, prompt_gaps};

use serde::Serializer;

/// A figure as it is shown: four decimals, and no negative zero.
#[must_use]
pub fn round4(value: f64) -> f64 {
    let rounded = (value * 1e4).round() / 1e4;
    // Scaling up overflows near the ends of the range, where there are no decimals to round.
    if rounded.is_finite() { rounded + 0.0 } else { value }
}

/// Serialises a figure as it is shown. An absent one is left out by its field before this is asked.
#[expect(clippy::ref_option, reason = "serde hands the field over by reference")]
fn shown<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.serialize_f64(round4(*value)),
        None => serializer.serialize_none(),
    }
}

/// A part of a whole; none of nothing.
#[must_use]
pub fn fraction(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| real(part) / real(whole))
}

/// A count as a number to compute with. Exact below 2^53, which no count of runs reaches.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn real(count: u64) -> f64 {
    count.cast_signed() as f64
}

/// The count that a sum of counts is.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of counts; `as` saturates")]
fn count(sum: f64) -> u64 {
    sum.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_for_people() {
        for (value, text) in
            [(1.0 / 3.0, "0.3333"), (0.5, "0.5"), (-0.000_01, "0.0"), (f64::MAX, "1.7976931348623157e+308")]
        {
            assert_eq!(serde_json::to_string(&round4(value)).unwrap(), text);
        }
    }
}

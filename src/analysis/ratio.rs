//! The one estimator behind every figure: a ratio of sums over prompts, and how far it may be off.
//!
//! Prompts are the clusters: they are taken as sampled, and whatever was seen of one prompt (other days, other
//! engines) as dependent in an unknown way. The variance is the linearised one in its jackknife form, from what
//! leaving each prompt out does to the ratio:
//!
//! `(K - 1) / K * sum ((part_k - ratio * whole_k) / (1 - whole_k / whole))^2 / whole^2`
//!
//! For prompts of equal size that is the textbook's `K / (K - 1) * sum (part_k - ratio * whole_k)^2 / whole^2`. For
//! others it is larger, and it has fewer degrees of freedom: one less than the number of equal prompts that would
//! tell as much, `whole^2 / sum whole_k^2`. Without both, a prompt that was asked far more often than the rest
//! makes intervals that hold the truth in 8 cases of 10.

use statrs::distribution::{Continuous, ContinuousCDF, StudentsT};

/// The normal quantile of a two-sided 95 % interval.
pub(super) const Z: f64 = 1.959_963_984_540_054;
/// The normal quantile of 80 %.
const Z_POWER: f64 = 0.841_621_233_572_914;

/// A ratio of sums over prompts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ratio {
    pub(super) part: f64,
    pub(super) whole: f64,
    value: f64,
    /// `1 / whole`.
    inverse: f64,
    /// Prompts with something in the denominator.
    pub(super) clusters: u32,
    /// Sum over prompts of the squared `(part_k - ratio * whole_k) / (1 - whole_k / whole)`.
    squares: f64,
    /// Sum over prompts of the squared `whole_k`.
    sizes: f64,
}

impl Ratio {
    /// The ratio of these totals, before any prompt was seen.
    pub(super) fn of_totals(part: f64, whole: f64) -> Self {
        Self { part, whole, value: part / whole, inverse: 1.0 / whole, clusters: 0, squares: 0.0, sizes: 0.0 }
    }

    /// Takes in one prompt's sums. A prompt with nothing in its denominator says nothing.
    pub(super) fn see(&mut self, part: f64, whole: f64) {
        if whole > 0.0 {
            // A prompt that is all there is leaves nothing when left out; `variance` knows.
            self.squares += square((part - self.value * whole) / (1.0 - whole * self.inverse));
            self.sizes += square(whole);
            self.clusters += 1;
        }
    }

    /// The ratio of these per-prompt sums.
    pub(super) fn of(prompts: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let (part, whole) = prompts.clone().fold((0.0, 0.0), |(p, w), (part, whole)| (p + part, w + whole));
        let mut ratio = Self::of_totals(part, whole);
        prompts.for_each(|(part, whole)| ratio.see(part, whole));
        ratio
    }

    /// The ratio itself; none without a denominator, or where the sums leave the range of numbers.
    pub(super) fn value(&self) -> Option<f64> {
        (self.clusters > 0 && self.value.is_finite()).then_some(self.value)
    }

    /// Its variance; one prompt alone shows none.
    pub(super) fn variance(&self) -> Option<f64> {
        let k = f64::from(self.clusters);
        let variance = (k - 1.0) / k * self.squares / square(self.whole);
        (self.clusters > 1 && variance.is_finite()).then_some(variance)
    }

    /// How many prompts of equal size would tell as much.
    pub(super) fn equal_prompts(&self) -> f64 {
        (square(self.whole) / self.sizes).clamp(1.0, f64::from(self.clusters).max(1.0))
    }

    /// The degrees of freedom of the variance.
    pub(super) fn freedom(&self) -> f64 {
        (self.equal_prompts() - 1.0).max(1.0)
    }

    /// How many standard errors a 95 % interval reaches to each side.
    pub(super) fn reach(&self) -> f64 {
        reach(self.freedom())
    }

    /// How many standard errors more a difference must be for four in five intervals to leave out zero.
    pub(super) fn power(&self) -> f64 {
        t_quantile(0.8, Z_POWER, self.freedom())
    }
}

pub(super) fn square(x: f64) -> f64 {
    x * x
}

/// How many standard errors a 95 % interval reaches to each side, where these have so many degrees of freedom.
pub(super) fn reach(freedom: f64) -> f64 {
    t_quantile(0.975, Z, freedom)
}

/// The quantile of Student's t at `p`, whose normal quantile is `z`.
fn t_quantile(p: f64, z: f64, freedom: f64) -> f64 {
    // The Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5): right to ten digits from 100 degrees on.
    let z2 = square(z);
    let terms = [
        (z2 + 1.0) / 4.0,
        ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0,
        (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0,
        ((((79.0 * z2 + 776.0) * z2 + 1482.0) * z2 - 1920.0) * z2 - 945.0) / 92_160.0,
    ];
    let expansion = z + z * terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom);
    if freedom >= 100.0 {
        return expansion;
    }
    let Ok(student) = StudentsT::new(0.0, 1.0, freedom) else { return f64::INFINITY };
    // Newton's steps do the rest; statrs' own inverse is slower, and stops early for some arguments (its tests say
    // so), but it is the better start where the tails are heavy.
    let mut t = if freedom < 4.0 { student.inverse_cdf(p) } else { expansion };
    for _ in 0..3 {
        let next = t - (student.cdf(t) - p) / student.pdf(t);
        if next.is_finite() && next > 0.0 {
            t = next;
        }
    }
    t
}

/// The chance of a t at least this far from zero on either side, if nothing is there.
pub(super) fn two_sided_p(t: f64, freedom: f64) -> Option<f64> {
    let p = 2.0 * StudentsT::new(0.0, 1.0, freedom).ok()?.sf(t.abs());
    p.is_finite().then(|| p.clamp(0.0, 1.0))
}

/// Wilson's interval for a fraction seen in `size` independent trials, at a reach of `t` standard errors.
pub(super) fn wilson(fraction: f64, size: f64, t: f64) -> (f64, f64) {
    let t2 = t * t;
    let shrink = 1.0 + t2 / size;
    let centre = (fraction + t2 / (2.0 * size)) / shrink;
    let half = t * (fraction * (1.0 - fraction) / size + t2 / (4.0 * size * size)).sqrt() / shrink;
    // Exact at the ends, whatever the last bit of the root says.
    let low = if (centre - half).is_finite() { (centre - half).clamp(0.0, fraction) } else { 0.0 };
    let high = if (centre + half).is_finite() { (centre + half).clamp(fraction, 1.0) } else { 1.0 };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_printed_tables() {
        for (p, z, freedom, expected) in [
            (0.975, Z, 1.0, 12.706_205),
            (0.975, Z, 2.0, 4.302_653),
            (0.975, Z, 5.0, 2.570_582),
            (0.975, Z, 19.0, 2.093_024),
            (0.975, Z, 100.0, 1.983_972),
            (0.8, Z_POWER, 2.0, 1.060_660),
            (0.8, Z_POWER, 5.0, 0.919_544),
            (0.8, Z_POWER, 19.0, 0.860_951),
        ] {
            let t = t_quantile(p, z, freedom);
            assert!((t - expected).abs() < 1e-6, "{p} {freedom}: {t}");
        }
    }

    #[test]
    fn quantiles_fall_towards_the_normal_one() {
        for (p, z) in [(0.975, Z), (0.8, Z_POWER)] {
            let mut last = f64::INFINITY;
            for tenths in (10..2_000).chain([10_000, 100_000, 1_000_000, 10_000_000]) {
                let freedom = f64::from(tenths) / 10.0;
                let t = t_quantile(p, z, freedom);
                assert!(t < last && t > z, "{freedom}: {t}");
                if freedom < 1e4 {
                    let back = StudentsT::new(0.0, 1.0, freedom).unwrap().cdf(t);
                    assert!((back - p).abs() < 1e-8, "{freedom}: {back}");
                }
                last = t;
            }
            assert!(last - z < 1e-5);
        }
    }

    #[test]
    fn the_variance_is_what_leaving_prompts_out_does() {
        let prompts = [(6.0, 10.0), (4.0, 5.0), (2.0, 5.0), (0.0, 30.0)];
        let ratio = Ratio::of(prompts.into_iter());
        let value = ratio.value().unwrap();
        let without = |skip: usize| {
            let rest = prompts.iter().enumerate().filter(|(k, _)| *k != skip).map(|(_, sums)| *sums);
            Ratio::of(rest).value().unwrap()
        };
        let jackknife = 0.75 * (0..4).map(|k| square(value - without(k))).sum::<f64>();
        assert!((ratio.variance().unwrap() - jackknife).abs() < 1e-12);
        assert!((ratio.equal_prompts() - 2500.0 / 1050.0).abs() < 1e-12);
        // Of equal size: the textbook's form.
        let equal = Ratio::of([(3.0, 5.0), (4.0, 5.0), (2.0, 5.0)].into_iter());
        assert!((equal.variance().unwrap() - 3.0 / 2.0 * 2.0 / 225.0).abs() < 1e-12);
        assert!((equal.freedom() - 2.0).abs() < 1e-12);
    }

    #[test]
    fn wilson_is_the_textbook_interval() {
        // 10 of 40: Wilson's 95 % interval is 0.1419 to 0.4019.
        let (low, high) = wilson(0.25, 40.0, Z);
        assert!((low - 0.1419).abs() < 5e-5 && (high - 0.4019).abs() < 5e-5, "{low} {high}");
    }
}

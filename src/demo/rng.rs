//! Chance that is a pure function of a seed and coordinates, so that nothing has to be stored to be repeated.
//!
//! Splitmix, 64 bits wide: a full-period generator of one word of state, good enough for a stage set and nothing else.

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Dice whose throws depend on the seed, the coordinates and nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice for this place: equal seeds and coordinates give equal throws.
    pub(crate) fn at(seed: u64, coordinates: &[u64]) -> Self {
        // The step in between keeps (1, 2) and (2, 1) apart.
        Self(coordinates.iter().fold(mix(seed), |state, place| mix(state.wrapping_add(STEP) ^ mix(*place))))
    }

    /// The next 64 bits.
    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number from 0 up to and without 1.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.word() >> 32).unwrap_or(0)) / 4_294_967_296.0
    }

    /// A whole number below `n`; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = u128::from(u64::try_from(n).unwrap_or(u64::MAX));
        usize::try_from((u128::from(self.word()) * n) >> 64).unwrap_or(0)
    }

    /// A whole number below `n`, small ones far more often: how sites share the links of the web.
    pub(crate) fn skewed(&mut self, n: usize) -> usize {
        let wide = self.below(n);
        self.below(wide + 1)
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of the list; none when it is empty.
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }

    /// One of the phrases; empty when there are none.
    pub(crate) fn phrase<'a>(&mut self, list: &[&'a str]) -> &'a str {
        self.pick(list).copied().unwrap_or_default()
    }

    /// A number around 0 with standard deviation 1, never beyond 3.5: the sum of twelve throws, centred.
    pub(crate) fn bell(&mut self) -> f64 {
        let sum: f64 = (0..12).map(|_| self.unit()).sum();
        (sum - 6.0).clamp(-3.5, 3.5)
    }

    /// A count whose mean is `mean` (Knuth's method: meant for small means).
    pub(crate) fn count(&mut self, mean: f64) -> usize {
        let floor = (-mean.clamp(0.0, 30.0)).exp();
        let mut product = self.unit();
        let mut count = 0;
        while product > floor {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

/// Splitmix's finaliser: every bit of the input reaches every bit of the output.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A small whole number as a real one.
pub(crate) fn real(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// An index as a coordinate.
pub(crate) fn place(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// A UUID (version 4 in form) that is a pure function of the seed and the coordinates.
pub(crate) fn uuid(seed: u64, coordinates: &[u64]) -> String {
    let mut dice = Dice::at(seed, coordinates);
    let (high, low) = (dice.word(), dice.word());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_decide_and_their_order_counts() {
        assert_eq!(Dice::at(1, &[2, 3]).word(), Dice::at(1, &[2, 3]).word());
        assert_ne!(Dice::at(1, &[2, 3]).word(), Dice::at(1, &[3, 2]).word());
        assert_ne!(Dice::at(1, &[2]).word(), Dice::at(1, &[2, 0]).word());
    }

    #[test]
    fn throws_have_the_means_they_promise() {
        let mut dice = Dice::at(7, &[]);
        let n = 20_000;
        let hits = (0..n).filter(|_| dice.chance(0.3)).count();
        assert!((5_700..6_300).contains(&hits), "{hits}");
        let total: usize = (0..n).map(|_| dice.count(5.0)).sum();
        assert!((98_000..102_000).contains(&total), "{total}");
        let bell: f64 = (0..n).map(|_| dice.bell()).sum();
        assert!(bell.abs() / real(n) < 0.03, "{bell}");
        assert!((0..n).all(|_| dice.below(3) < 3) && dice.below(0) == 0);
    }

    #[test]
    fn a_uuid_has_the_form_of_version_4() {
        let id = uuid(1, &[2]);
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
        assert_eq!(id.matches('-').count(), 4);
    }
}

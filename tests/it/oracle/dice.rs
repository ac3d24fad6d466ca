//! Chance with a fixed seed: the same questions every time.

/// Dice.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next 32 bits (xorshift64*).
    fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    /// A whole number below `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        (self.word() * n) >> 32
    }

    /// A number from 0 up to and without 1.
    pub fn unit(&mut self) -> f64 {
        self.word() as f64 / 4_294_967_296.0
    }

    /// One of the list.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
}

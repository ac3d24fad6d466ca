//! The token bucket of a key, as documented: capacity 60, one token back per second, every request costs one.

use jiff::Timestamp;
use tokio::time::Instant;

/// What the rate-limit headers say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// Unix second at which the bucket is full again.
    pub(super) reset: i64,
    /// Seconds until one request is possible; none when it was let through.
    pub(super) retry_after: Option<u64>,
}

/// A bucket of tokens. Its clock is the runtime's, so a test that pauses time pauses the bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    capacity: u32,
    refill_per_second: f64,
    tokens: f64,
    filled_at: Instant,
}

impl Bucket {
    pub(super) fn full(capacity: u32, refill_per_second: f64) -> Self {
        // A bucket that never fills would make the waiting time infinite.
        let refill_per_second = refill_per_second.max(1e-6);
        Self { capacity, refill_per_second, tokens: f64::from(capacity), filled_at: Instant::now() }
    }

    /// Takes a token for a request that comes now.
    pub(super) fn take(&mut self, now: Instant, wall: Timestamp) -> Standing {
        let gained = now.saturating_duration_since(self.filled_at).as_secs_f64() * self.refill_per_second;
        self.tokens = (self.tokens + gained).min(f64::from(self.capacity));
        self.filled_at = now;
        let through = self.tokens >= 1.0;
        if through {
            self.tokens -= 1.0;
        }
        let seconds_to = |tokens: f64| seconds((tokens - self.tokens).max(0.0) / self.refill_per_second);
        Standing {
            limit: self.capacity,
            remaining: (0..self.capacity).rev().find(|n| f64::from(*n) <= self.tokens).unwrap_or(0),
            reset: wall.as_second().saturating_add_unsigned(seconds_to(f64::from(self.capacity))),
            retry_after: (!through).then(|| seconds_to(1.0).max(1)),
        }
    }
}

/// Whole seconds, rounded up.
fn seconds(seconds: f64) -> u64 {
    let duration = std::time::Duration::try_from_secs_f64(seconds).unwrap_or(std::time::Duration::MAX);
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_bucket_empties_refuses_and_refills() {
        let mut bucket = Bucket::full(3, 1.0);
        let (now, wall) = (bucket.filled_at, Timestamp::from_second(1_000).unwrap());
        let first = bucket.take(now, wall);
        assert_eq!(first, Standing { limit: 3, remaining: 2, reset: 1_001, retry_after: None });
        bucket.take(now, wall);
        assert_eq!(bucket.take(now, wall).remaining, 0);
        let refused = bucket.take(now, wall);
        assert_eq!(refused, Standing { limit: 3, remaining: 0, reset: 1_003, retry_after: Some(1) });
        assert_eq!(bucket.take(now + Duration::from_millis(1_500), wall).retry_after, None);
        assert_eq!(bucket.take(now + Duration::from_secs(61), wall).remaining, 2);
    }
}

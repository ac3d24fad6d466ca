//! The token bucket of a credential: set from what the upstream documents, corrected by what its headers say.
//!
//! Written by hand rather than with `governor`, whose limiter can neither be read without taking a token nor be
//! lowered to what the server says is left. The whole state is one instant, when the bucket is full again, which is
//! also the form in which a correction needs no bookkeeping: it can only move that instant later.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What the upstream allows a credential.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Quota {
    /// Requests that a full bucket holds.
    pub(super) capacity: u32,
    /// How long an empty bucket takes to fill.
    pub(super) refill: Duration,
}

/// What an answer says about the bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Observed {
    /// `X-RateLimit-Limit`: how many tokens a full bucket holds.
    pub(super) limit: Option<u32>,
    /// `X-RateLimit-Remaining`: tokens left after this request.
    pub(super) remaining: Option<u32>,
    /// How long the credential has to keep still: on a 429.
    pub(super) pause: Option<Duration>,
}

/// The bucket itself: no clock, no I/O.
#[derive(Clone, Debug)]
struct Bucket {
    quota: Quota,
    full_at: Instant,
    paused_until: Instant,
}

/// No server holds a larger bucket; a header that says so is not believed.
const MAX_CAPACITY: u32 = 100_000;

impl Bucket {
    fn new(quota: Quota, now: Instant) -> Self {
        Self { quota, full_at: now, paused_until: now }
    }

    /// Time that one token takes to come back.
    fn interval(&self) -> Duration {
        self.quota.refill / self.quota.capacity.max(1)
    }

    /// Takes a token, or says how long to wait before asking again.
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let paused = self.paused_until.saturating_duration_since(now);
        if !paused.is_zero() {
            return Err(paused);
        }
        let full_at = self.full_at.max(now) + self.interval();
        let room = self.interval() * self.quota.capacity.max(1);
        match full_at.saturating_duration_since(now).checked_sub(room) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                self.full_at = full_at;
                Ok(())
            }
        }
    }

    /// Believes the server where it is the stricter one. What it says holds for when the request was sent: what came
    /// back since belongs to us.
    fn observe(&mut self, sent_at: Instant, now: Instant, seen: Observed) {
        if let Some(limit) = seen.limit.filter(|limit| (1..=MAX_CAPACITY).contains(limit)) {
            // What is missing is tokens, and they come back at another speed now.
            let missing = self.full_at.saturating_duration_since(now);
            self.full_at = now + missing * self.quota.capacity / limit;
            self.quota.capacity = limit;
        }
        if let Some(remaining) = seen.remaining {
            let missing = self.quota.capacity.saturating_sub(remaining);
            self.full_at = self.full_at.max(sent_at + self.interval() * missing);
        }
        if let Some(pause) = seen.pause {
            self.paused_until = self.paused_until.max(now + pause);
        }
    }
}

/// The bucket shared by all requests of a credential.
#[derive(Debug)]
pub(super) struct RateLimit {
    bucket: Mutex<Bucket>,
    /// Held while waiting, so that requests go in the order in which they came.
    queue: tokio::sync::Mutex<()>,
}

impl RateLimit {
    /// A full bucket.
    pub(super) fn new(quota: Quota) -> Self {
        Self { bucket: Mutex::new(Bucket::new(quota, Instant::now())), queue: tokio::sync::Mutex::new(()) }
    }

    /// Waits for a token; the result is when it was taken.
    ///
    /// # Errors
    ///
    /// How long the wait would be, when it is longer than `patience`.
    pub(super) async fn acquire(&self, patience: Duration) -> Result<Instant, Duration> {
        let _turn = self.queue.lock().await;
        loop {
            let now = Instant::now();
            let wait = match self.bucket().take(now) {
                Ok(()) => return Ok(now),
                Err(wait) if wait > patience => return Err(wait),
                Err(wait) => wait,
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Corrects the bucket by an answer to a request sent at `sent_at`.
    pub(super) fn observe(&self, sent_at: Instant, seen: Observed) {
        self.bucket().observe(sent_at, Instant::now(), seen);
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        // The bucket is plain data: a panic elsewhere cannot leave it half written.
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const VERSEODIN: Quota = Quota { capacity: 60, refill: Duration::from_mins(1) };

    fn millis(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// How many tokens can be taken at once.
    fn left(bucket: &Bucket, now: Instant) -> u32 {
        let mut bucket = bucket.clone();
        let mut count = 0;
        while bucket.take(now).is_ok() {
            count += 1;
        }
        count
    }

    #[test]
    fn a_bucket_empties_and_refills() {
        let start = Instant::now();
        let mut bucket = Bucket::new(VERSEODIN, start);
        for _ in 0..60 {
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert_eq!(bucket.take(start), Err(SECOND));
        assert_eq!(bucket.take(start + millis(400)), Err(millis(600)));
        for (after, tokens) in [(999, 0), (1_000, 1), (2_500, 2), (59_999, 59), (60_000, 60), (600_000, 60)] {
            assert_eq!(left(&bucket, start + millis(after)), tokens, "after {after} ms");
        }
    }

    #[test]
    fn the_stricter_of_server_and_bucket_is_believed() {
        let start = Instant::now();
        // (taken here, the server's limit, the server's remaining, tokens left right after)
        let cases = [
            (1, Some(60), Some(59), 59),  // agreed
            (1, Some(60), Some(20), 20),  // somebody else uses the key
            (1, Some(60), Some(0), 0),    //
            (10, Some(60), Some(59), 50), // answers out of order: requests under way are not forgotten
            (1, Some(30), Some(29), 29),  // a smaller bucket than documented
            (1, Some(120), Some(119), 119),
            (1, Some(0), None, 59), // nonsense
            (1, Some(u32::MAX), None, 59),
            (1, None, Some(1_000), 59),
            (1, None, None, 59),
        ];
        for (taken, limit, remaining, expected) in cases {
            let mut bucket = Bucket::new(VERSEODIN, start);
            for _ in 0..taken {
                bucket.take(start).unwrap();
            }
            bucket.observe(start, start, Observed { limit, remaining, pause: None });
            assert_eq!(left(&bucket, start), expected, "{taken} {limit:?} {remaining:?}");
        }
    }

    #[test]
    fn a_slow_answer_costs_no_tokens() {
        let start = Instant::now();
        let mut bucket = Bucket::new(VERSEODIN, start);
        for _ in 0..60 {
            bucket.take(start).unwrap();
        }
        // At one token a second, each answer takes 0.9 s and says that nothing is left.
        let mut now = start;
        for _ in 0..20 {
            now += SECOND;
            assert_eq!(bucket.take(now), Ok(()));
            bucket.observe(now, now + millis(900), Observed { remaining: Some(0), ..Observed::default() });
        }
    }

    #[test]
    fn a_pause_holds_everyone_and_is_never_shortened() {
        let start = Instant::now();
        let mut bucket = Bucket::new(VERSEODIN, start);
        let pause = |seconds| Observed { pause: Some(SECOND * seconds), ..Observed::default() };
        bucket.observe(start, start, pause(30));
        bucket.observe(start, start, pause(2));
        assert_eq!(bucket.take(start), Err(SECOND * 30));
        assert_eq!(bucket.take(start + SECOND * 30), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_wait_for_their_token_in_order() {
        let rate = RateLimit::new(Quota { capacity: 2, refill: SECOND * 2 });
        let start = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..5 {
            waits.push((rate.acquire(SECOND * 60).await.unwrap() - start).as_secs());
        }
        assert_eq!(waits, [0, 0, 1, 2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_its_patience() {
        let rate = RateLimit::new(VERSEODIN);
        let now = Instant::now();
        rate.observe(now, Observed { pause: Some(SECOND * 3600), ..Observed::default() });
        assert_eq!(rate.acquire(SECOND * 60).await, Err(SECOND * 3600));
    }
}

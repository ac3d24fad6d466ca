//! The limit of requests per client address: so many in a window that begins with the first of them.

use crate::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// What the three headers say, and whether the request is let through.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Standing {
    pub(super) total: u32,
    pub(super) remaining: u32,
    /// When the window ends.
    pub(super) reset: Timestamp,
    /// Whole seconds until then; none when the request is let through.
    pub(super) retry_after: Option<u64>,
}

impl Standing {
    /// The end of the window in seconds since 1970, with a fraction.
    pub(super) fn reset_text(&self) -> String {
        let micros = self.reset.as_microsecond();
        format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
    }
}

struct Window {
    began: Instant,
    reset: Timestamp,
    left: u32,
}

/// Counts requests per address. Its clock is the runtime's, so a test that pauses time pauses the windows.
pub(super) struct Windows {
    limit: u32,
    period: Duration,
    open: HashMap<String, Window>,
}

impl Windows {
    pub(super) fn new(limit: u32, period: Duration) -> Self {
        Self { limit, period, open: HashMap::new() }
    }

    /// Counts a request of this address that comes now.
    pub(super) fn take(&mut self, address: &str, now: Instant) -> Standing {
        let fresh = || {
            let period = SignedDuration::try_from(self.period).unwrap_or_default();
            let wall = Clock::system().now();
            Window { began: now, reset: wall.checked_add(period).unwrap_or(wall), left: self.limit }
        };
        let window = self.open.entry(address.to_owned()).or_insert_with(fresh);
        if now.saturating_duration_since(window.began) >= self.period {
            *window = fresh();
        }
        let through = window.left > 0;
        window.left = window.left.saturating_sub(1);
        let wait = self.period.saturating_sub(now.saturating_duration_since(window.began)).as_secs();
        Standing {
            total: self.limit,
            remaining: window.left,
            reset: window.reset,
            retry_after: (!through).then_some(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_fixed_from_its_first_request_and_full_again_after_it() {
        let mut windows = Windows::new(2, Duration::from_mins(1));
        let now = Instant::now();
        let mut take = |address: &str, after: u64| {
            let standing = windows.take(address, now + Duration::from_secs(after));
            (standing.remaining, standing.retry_after)
        };
        assert_eq!(take("a", 0), (1, None));
        assert_eq!(take("a", 30), (0, None));
        assert_eq!(take("a", 31), (0, Some(29)));
        assert_eq!(take("b", 31), (1, None));
        assert_eq!(take("a", 60), (1, None));
    }
}

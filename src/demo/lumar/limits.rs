//! The limit of requests per address: so many in a window that begins with the first of them.

use std::{collections::HashMap, net::IpAddr, time::Duration};
use tokio::time::Instant;

/// Counts requests per address. Its clock is the runtime's, so a test that pauses time pauses the windows.
#[derive(Debug)]
pub(super) struct Windows {
    limit: u32,
    period: Duration,
    open: HashMap<IpAddr, (Instant, u32)>,
}

impl Windows {
    pub(super) fn new(limit: u32, period: Duration) -> Self {
        Self { limit, period, open: HashMap::new() }
    }

    /// Counts a request that comes now; is it let through?
    pub(super) fn admit(&mut self, address: IpAddr, now: Instant) -> bool {
        let (began, count) = self.open.entry(address).or_insert((now, 0));
        if now.saturating_duration_since(*began) >= self.period {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_fills_and_the_next_one_begins() {
        let mut windows = Windows::new(2, Duration::from_mins(5));
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let now = Instant::now();
        assert_eq!([0; 3].map(|_| windows.admit(here, now)), [true, true, false]);
        assert!(windows.admit(there, now));
        assert!(!windows.admit(here, now + Duration::from_secs(299)));
        assert!(windows.admit(here, now + Duration::from_mins(5)));
    }
}

//! What one call may take: time, and room in the client's context.

use super::Lane;
use std::time::Duration;

// Clients cut or refuse what is longer, whatever is configured.
const HARD_CHARS: usize = 99_000;

/// What one call may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// From the call to its answer, waiting included.
    pub total: Duration,
    /// The same for calls that wait for the network.
    pub network: Duration,
    /// On the runtime's own thread; what takes longer is moved to a reader thread.
    pub fast: Duration,
    /// Characters of the answer as JSON text; never more than 99,000.
    pub max_chars: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(30),
            network: Duration::from_mins(5),
            fast: Duration::from_millis(2),
            max_chars: 90_000,
        }
    }
}

impl Limits {
    /// From the call to its answer, in a lane.
    pub(super) fn of(self, lane: Lane) -> Duration {
        if lane == Lane::Network { self.network } else { self.total }
    }

    pub(super) fn chars(self) -> usize {
        self.max_chars.min(HARD_CHARS)
    }
}

//! How the server behaves where an installation can choose.

use std::time::Duration;

/// How the server behaves; the default is that of the real backend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LunaryOptions {
    /// Requests that an address may send in [`LunaryOptions::rate_period`], 150 by default; none is no limit, and no
    /// headers that tell of one.
    pub rate_limit: Option<u32>,
    /// A minute.
    pub rate_period: Duration,
}

impl Default for LunaryOptions {
    fn default() -> Self {
        Self { rate_limit: Some(150), rate_period: Duration::from_mins(1) }
    }
}

impl LunaryOptions {
    /// Without a limit, so as not to slow a test or a demo down.
    #[must_use]
    pub fn unhurried() -> Self {
        Self { rate_limit: None, ..Self::default() }
    }
}

//! What an answer's headers say: how long to wait, how much is left of the rate limit, when it was given.

use crate::upstream::rate::Observed;
use jiff::Timestamp;
use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, HeaderName, RETRY_AFTER},
};
use std::time::Duration;

/// A wait that no upstream asks for in earnest; longer ones count as this.
const MAX_ASKED: Duration = Duration::from_hours(24);

fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn instant(headers: &HeaderMap, name: HeaderName) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::parse(headers.get(name)?.to_str().ok()?).ok()?;
    Some(zoned.timestamp())
}

/// The answer's own time.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    instant(headers, DATE)
}

/// `Retry-After` in seconds, or as a date, which is read against the answer's own `Date`.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let wait = if let Some(seconds) = number::<f64>(headers, RETRY_AFTER.as_str()) {
        Duration::try_from_secs_f64(seconds).ok()?
    } else {
        let until = instant(headers, RETRY_AFTER)?;
        until.duration_since(date(headers)?).try_into().unwrap_or(Duration::ZERO)
    };
    Some(wait.min(MAX_ASKED))
}

/// The rate limit as the answer tells it. A pause is never longer than `patience`: what comes then is a 429 at worst.
pub(super) fn observed(status: StatusCode, headers: &HeaderMap, first_delay: Duration, patience: Duration) -> Observed {
    // Two spellings: `X-RateLimit-Limit`, and Lunary's `Rate-Limit-Total`.
    let count = |names: [&str; 2]| names.iter().find_map(|name| number::<u32>(headers, name));
    let remaining = count(["x-ratelimit-remaining", "rate-limit-remaining"]);
    let pause = if status == StatusCode::TOO_MANY_REQUESTS {
        Some(retry_after(headers).unwrap_or(first_delay))
    } else if remaining == Some(0) {
        window_end(headers).map(|wait| wait.min(patience))
    } else {
        None
    };
    Observed { limit: count(["x-ratelimit-limit", "rate-limit-total"]), remaining, pause }
}

/// How long a window that begins anew as a whole still lasts, by `Rate-Limit-Reset` in Unix seconds with a fraction.
/// `X-RateLimit-Reset` is when a bucket is full again, not when it may be asked again: of no use here.
fn window_end(headers: &HeaderMap) -> Option<Duration> {
    let reset = number::<f64>(headers, "rate-limit-reset")?;
    #[expect(clippy::cast_precision_loss, reason = "seconds of this era, far below 2^53")]
    let now = date(headers)?.as_second() as f64;
    Duration::try_from_secs_f64((reset - now).max(0.0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_window_that_is_used_up_is_waited_for_and_no_longer_than_one_has_patience() {
        let date = ("date", "Sun, 22 Nov 2026 12:00:00 GMT");
        let reset = ("rate-limit-reset", "1795348830.5");
        let cases = [
            (200, vec![("rate-limit-total", "150"), ("rate-limit-remaining", "7"), date, reset], Some(150), None),
            (200, vec![("rate-limit-remaining", "0"), date, reset], None, Some(30_500)),
            (200, vec![("rate-limit-remaining", "0"), date, ("rate-limit-reset", "9e99")], None, None),
            (200, vec![("rate-limit-remaining", "0"), date, ("rate-limit-reset", "1895348830")], None, Some(90_000)),
            (200, vec![("rate-limit-remaining", "0"), reset], None, None),
            (429, vec![("rate-limit-remaining", "0"), date, reset, ("retry-after", "57")], None, Some(57_000)),
            (429, vec![], None, Some(500)),
        ];
        for (status, pairs, limit, pause) in cases {
            let status = StatusCode::from_u16(status).unwrap();
            let seen = observed(status, &headers(&pairs), Duration::from_millis(500), Duration::from_secs(90));
            assert_eq!((seen.limit, seen.pause), (limit, pause.map(Duration::from_millis)), "{status} {pairs:?}");
        }
    }
}

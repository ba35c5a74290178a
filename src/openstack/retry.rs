//! Trying again: how often, how long between, and when not.
//!
//! One rule for every request: exponential back-off with jitter, each wait between half and all
//! of `base · 2ⁿ`, capped; what the cloud asks for by `Retry-After` is a floor that the cap does
//! not cut. A wait that does not fit before the deadline ends the work at once, since waiting
//! for nothing is billed too.

use std::time::Duration;

/// How requests are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryConfig {
    /// Tries after the first.
    pub max_retries: u32,
    /// The longest wait before the first retry; it doubles with each.
    pub base_delay: Duration,
    /// No wait of our own choosing is longer.
    pub max_delay: Duration,
    /// One try takes at most this long.
    pub operation_timeout: Duration,
}

impl RetryConfig {
    /// The wait before retry `n` (from 0), for a random `fraction` from 0 to 1.
    pub(super) fn delay(&self, n: u32, fraction: f64) -> Duration {
        let doubled = self
            .base_delay
            .saturating_mul(2u32.saturating_pow(n))
            .min(self.max_delay);
        doubled.mul_f64(0.5 + 0.5 * fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: RetryConfig = RetryConfig {
        max_retries: 3,
        base_delay: Duration::from_millis(500),
        max_delay: Duration::from_secs(10),
        operation_timeout: Duration::from_secs(30),
    };

    #[test]
    fn each_wait_is_between_half_and_all_of_the_doubled_base() {
        for (n, whole) in [(0, 500), (1, 1000), (2, 2000), (3, 4000), (4, 8000)] {
            assert_eq!(CONFIG.delay(n, 0.0), Duration::from_millis(whole / 2));
            assert_eq!(CONFIG.delay(n, 1.0), Duration::from_millis(whole));
        }
    }

    #[test]
    fn no_wait_is_longer_than_the_cap_however_many_retries() {
        for n in [5, 31, 32, u32::MAX] {
            assert_eq!(CONFIG.delay(n, 1.0), Duration::from_secs(10));
        }
    }
}

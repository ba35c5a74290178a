//! Trying again: how often, how long between, and when not.
//!
//! One rule for every request: exponential back-off with jitter, each wait between half and all
//! of `base · 2ⁿ`, capped; what the cloud asks for by `Retry-After` is a floor that the cap does
//! not cut. A wait that does not fit before the deadline ends the work at once, since waiting
//! for nothing is billed too.

use std::future::Future;
use std::time::Duration;

use rand::RngExt;

use super::connection::Connection;
use super::error::Error;
use crate::deadline::Deadline;

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
    fn delay(&self, n: u32, fraction: f64) -> Duration {
        let doubled = self
            .base_delay
            .saturating_mul(2u32.saturating_pow(n))
            .min(self.max_delay);
        doubled.mul_f64(0.5 + 0.5 * fraction)
    }
}

impl Connection {
    /// Runs an operation until it succeeds, fails for good, or neither tries nor time are left.
    ///
    /// `operation` is called once a try. It is tried again when its error
    /// [is retryable](Error::is_retryable). The name stands in every log line about it.
    ///
    /// # Errors
    /// The last try's error; one that [is out of time](Error::is_out_of_time) when the next
    /// wait would not end before the deadline.
    pub(crate) async fn execute_action<T, F, Fut>(
        &self,
        deadline: Deadline,
        config: &RetryConfig,
        op_name: &str,
        mut operation: F,
    ) -> Result<T, Error>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        for n in 0.. {
            let error = match operation().await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if !error.is_retryable() {
                return Err(error);
            }
            if deadline.remaining().is_zero() {
                return Err(Error::out_of_time(Some(error)));
            }
            if n >= config.max_retries {
                return Err(error);
            }
            self.back_off(deadline, config, op_name, n, error).await?;
        }
        unreachable!("the loop ends by returning")
    }

    /// Waits before retry `n` (from 0) of what ended in this error.
    ///
    /// # Errors
    /// Out of time, where the wait would not end before the deadline.
    pub(super) async fn back_off(
        &self,
        deadline: Deadline,
        config: &RetryConfig,
        op_name: &str,
        n: u32,
        error: Error,
    ) -> Result<(), Error> {
        let fraction = self.with_rng(|rng| rng.random::<f64>());
        let wait = config
            .delay(n, fraction)
            .max(error.retry_after().unwrap_or_default());
        if !deadline.fits(wait) {
            tracing::warn!(operation = op_name, %error, "no time left to try again");
            return Err(Error::out_of_time(Some(error)));
        }
        tracing::warn!(
            operation = op_name,
            retry = n + 1,
            wait_ms = wait.as_millis() as u64,
            %error,
            "trying again"
        );
        tokio::time::sleep(wait).await;
        self.count_retry();
        Ok(())
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

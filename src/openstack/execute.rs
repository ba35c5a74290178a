//! Carrying an operation out: trying again by the one rule of [`RetryConfig`], under the deadline.

use std::future::Future;

use rand::RngExt;

use super::connection::Connection;
use super::error::Error;
use super::retry::RetryConfig;
use crate::deadline::Deadline;

impl Connection {
    /// Runs an operation until it succeeds, fails for good, or neither tries nor time are left.
    ///
    /// `operation` is called once a try. It is tried again when its error
    /// [is retryable](Error::is_retryable). The name stands in every log line about it.
    ///
    /// # Errors
    /// The last try's error; one that [is out of time](Error::is_out_of_time) when the next
    /// wait would not end before the deadline.
    pub async fn execute_action<T, F, Fut>(
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
        }
        unreachable!("the loop ends by returning")
    }
}

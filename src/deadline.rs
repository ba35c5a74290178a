//! The time there is: one instant that bounds everything a pass does.
//!
//! A deadline is an instant of tokio's clock, never of the wall clock: it cannot jump, and a
//! simulation can pause it. Everything that talks to the network takes one.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// The instant after which no request may be on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// The deadline passed before the work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the deadline passed")]
pub struct Expired;

impl Deadline {
    /// A deadline at this instant of tokio's clock.
    pub(crate) fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// A deadline this long from now.
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// The instant itself.
    pub(crate) fn instant(self) -> Instant {
        self.0
    }

    /// How long until then; zero once it has passed.
    pub(crate) fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether work that takes this long would still be done in time.
    pub(crate) fn fits(self, duration: Duration) -> bool {
        duration < self.remaining()
    }

    /// This deadline or one this long from now, whichever comes first.
    pub(crate) fn within(self, duration: Duration) -> Self {
        Self(self.0.min(Instant::now() + duration))
    }

    /// Runs a future until it is done or the deadline has come, when it is dropped.
    ///
    /// # Errors
    /// [`Expired`] when the deadline came first.
    pub async fn bound<T>(self, work: impl Future<Output = T>) -> Result<T, Expired> {
        timeout_at(self.0, work).await.map_err(|_| Expired)
    }
}

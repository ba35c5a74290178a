//! The wall clock of one pass: read once, then carried on by tokio's clock.
//!
//! Reading the time once and handing it on keeps every decision of a pass consistent, and lets
//! a simulation run the same code at any instant, however fast.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// The wall clock as read at one instant, and how far tokio's clock has come since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    read: DateTime<Utc>,
    at: Instant,
}

impl Clock {
    /// A clock that shows this time now.
    pub(crate) fn showing(now: DateTime<Utc>) -> Self {
        Self {
            read: now,
            at: Instant::now(),
        }
    }

    /// The time as it was when the clock was read.
    pub(crate) fn started_at(&self) -> DateTime<Utc> {
        self.read
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        let elapsed = TimeDelta::from_std(self.at.elapsed()).unwrap_or(TimeDelta::MAX);
        self.read
            .checked_add_signed(elapsed)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

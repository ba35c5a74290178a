//! The time that an invocation has.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::Datelike;
use tokio::time::Instant;

use super::{Handler, Invocation};
use crate::deadline::Deadline;
use crate::settings::TimeBounds;

/// No invocation of Lambda is longer: a deadline further ahead is a clock that is wrong.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// A deadline of this year is none: `cargo lambda watch` sends one.
const NO_DEADLINE: i32 = 1970;

impl Handler {
    /// The invocation's own deadline, less what is kept free before it.
    pub(super) fn deadline(
        &self,
        invocation: &Invocation,
        begun: Instant,
        bounds: TimeBounds,
    ) -> Deadline {
        if invocation.deadline.year() == NO_DEADLINE {
            if !self
                .has_told_of_missing_deadline
                .swap(true, Ordering::Relaxed)
            {
                tracing::warn!(
                    timeout = ?bounds.default_timeout,
                    "the runtime gave no deadline; a pass takes SNAPSENTRY_DEFAULT_TIMEOUT"
                );
            }
            return Deadline::at(begun + bounds.default_timeout);
        }
        let left = (invocation.deadline - invocation.now).to_std();
        let left = left.unwrap_or_default().min(LONGEST);
        Deadline::at(begun + left.saturating_sub(bounds.deadline_margin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::LambdaPlatform;
    use crate::settings::{Environment, LocalFiles};

    #[tokio::test(start_paused = true)]
    async fn no_invocation_has_longer_than_a_quarter_of_an_hour_and_one_of_1970_has_its_own_time() {
        let environment = [
            ("SNAPSENTRY_DEADLINE_MARGIN", "2s"),
            ("SNAPSENTRY_DEFAULT_TIMEOUT", "60s"),
        ];
        let environment: Environment = environment.into_iter().collect();
        let bounds = TimeBounds::of(&environment);
        let handler = Handler::new(environment, Box::new(LocalFiles), Box::new(LambdaPlatform));
        let rows = [
            ("2026-11-24T17:00:30Z", 28),
            ("2026-11-24T17:15:00Z", 898),
            ("2026-11-24T17:15:01Z", 898),
            ("2126-01-01T00:00:00Z", 898),
            ("2026-11-24T17:00:01Z", 0),
            ("2026-11-24T16:59:59Z", 0),
            ("1971-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", 0),
            ("1970-01-01T00:10:00Z", 60),
            ("1970-12-31T23:59:59Z", 60),
        ];
        let begun = Instant::now();
        for (deadline, seconds) in rows {
            let invocation = Invocation {
                request_id: "one".into(),
                invoked_function_arn: String::new(),
                deadline: deadline.parse().expect("an instant"),
                now: "2026-11-24T17:00:00Z".parse().expect("an instant"),
                seed: 1,
            };
            let left = handler.deadline(&invocation, begun, bounds).instant() - begun;
            assert_eq!(left, Duration::from_secs(seconds), "{deadline}");
        }
    }
}

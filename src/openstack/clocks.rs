//! How far the cloud's clock is from ours.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};

use super::response::date_of;
use crate::lock::lock;
use crate::transport::Response;

/// What the answers have told of the cloud's clock.
#[derive(Debug, Default)]
pub(super) struct Clocks(Mutex<Option<TimeDelta>>);

impl Clocks {
    /// Compares the `Date` of an answer, where it has one, with our clock at its arrival.
    pub(super) fn compare(&self, response: &Response, now: DateTime<Utc>) {
        let Some(date) = date_of(response) else {
            return;
        };
        let seen = date - now;
        let mut difference = lock(&self.0);
        if difference.is_none_or(|so_far| so_far.abs() < seen.abs()) {
            *difference = Some(seen);
        }
    }

    /// How far the cloud's clock is ahead; nothing where no answer had a `Date`. Of several it is
    /// the one that differs most: whatever is decided by it is on the safe side.
    pub(super) fn difference(&self) -> Option<TimeDelta> {
        *lock(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(dates: &[Option<&str>]) -> Option<i64> {
        let clocks = Clocks::default();
        let now = "2026-11-22T09:10:00Z".parse().expect("an instant");
        for date in dates {
            let mut response = Response::default();
            if let Some(date) = date {
                let date = date.parse().expect("a header's value");
                response.headers_mut().insert(http::header::DATE, date);
            }
            clocks.compare(&response, now);
        }
        clocks
            .difference()
            .map(|difference| difference.num_seconds())
    }

    #[test]
    fn the_answer_that_differs_most_counts_and_one_without_a_date_proves_nothing() {
        let ahead = Some("Sun, 22 Nov 2026 09:11:00 GMT");
        let behind = Some("Sun, 22 Nov 2026 09:08:00 GMT");
        for (dates, wanted) in [
            (vec![], None),
            (vec![None, Some("yesterday")], None),
            (vec![ahead], Some(60)),
            (vec![behind], Some(-120)),
            (vec![ahead, behind, None], Some(-120)),
            (vec![behind, ahead], Some(-120)),
        ] {
            assert_eq!(difference(&dates), wanted, "{dates:?}");
        }
    }
}

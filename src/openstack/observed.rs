//! What a pass has learnt of the cloud from its answers so far.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::auth::Token;
use super::connection::RequestKind;
use super::error::Error;
use super::response::date_of;
use crate::deadline::Deadline;
use crate::lock::lock;
use crate::transport::Response;

#[derive(Debug, Default)]
pub(super) struct Observed {
    /// The slowest answer of each kind.
    slowest: Mutex<BTreeMap<RequestKind, Duration>>,
    /// When the latest request of a listing left.
    last_listing: Mutex<Option<Instant>>,
    /// How far the cloud's clock is ahead of ours.
    clock_difference: Mutex<Option<TimeDelta>>,
    left_out: AtomicUsize,
    /// The serial of the latest token with which the cloud has answered.
    answered_with: AtomicU64,
    no_microversion: AtomicBool,
}

impl Observed {
    /// A request leaves now.
    pub(super) fn leaves(&self, kind: RequestKind, now: Instant) {
        if kind == RequestKind::List {
            *lock(&self.last_listing) = Some(now);
        }
    }

    /// When the latest request of a listing left: later than it was wanted where it had to wait
    /// for others.
    pub(super) fn last_listing(&self) -> Option<Instant> {
        *lock(&self.last_listing)
    }

    pub(super) fn took(&self, kind: RequestKind, took: Duration) {
        let mut slowest = lock(&self.slowest);
        let so_far = slowest.entry(kind).or_default();
        *so_far = took.max(*so_far);
    }

    /// Refuses to begin what would probably not be done before the deadline, judged by the
    /// slowest answer of its kind, or before the first by the slowest of any but listings.
    pub(super) fn check_time(&self, deadline: Deadline, kind: RequestKind) -> Result<(), Error> {
        let slowest = lock(&self.slowest);
        let expected = slowest.get(&kind).copied().unwrap_or_else(|| {
            slowest
                .iter()
                .filter(|(kind, _)| **kind != RequestKind::List)
                .map(|(_, slowest)| *slowest)
                .max()
                .unwrap_or_default()
        });
        if deadline.fits(expected) {
            Ok(())
        } else {
            Err(Error::out_of_time(None))
        }
    }

    /// Compares the `Date` of an answer, where it has one, with our clock at its arrival.
    pub(super) fn compare_clocks(&self, response: &Response, now: DateTime<Utc>) {
        let Some(date) = date_of(response) else {
            return;
        };
        let seen = date - now;
        let mut difference = lock(&self.clock_difference);
        if difference.is_none_or(|so_far| so_far.abs() < seen.abs()) {
            *difference = Some(seen);
        }
    }

    /// How far the cloud's clock is ahead; nothing where no answer had a `Date`. Of several it is
    /// the one that differs most: whatever is decided by it is on the safe side.
    pub(super) fn clock_difference(&self) -> Option<TimeDelta> {
        *lock(&self.clock_difference)
    }

    /// Counts rows of a listing that do not say what they are.
    pub(super) fn leave_out(&self, rows: usize) {
        self.left_out.fetch_add(rows, Ordering::Relaxed);
    }

    pub(super) fn rows_left_out(&self) -> usize {
        self.left_out.load(Ordering::Relaxed)
    }

    pub(super) fn answered_with(&self, token: &Token) {
        self.answered_with
            .fetch_max(token.serial, Ordering::Relaxed);
    }

    /// Whether the cloud has answered with this token, or a later one.
    pub(super) fn has_answered_with(&self, token: &Token) -> bool {
        self.answered_with.load(Ordering::Relaxed) >= token.serial
    }

    /// Whether the cloud may know the microversion that is asked for.
    pub(super) fn may_know_microversion(&self) -> bool {
        !self.no_microversion.load(Ordering::Relaxed)
    }

    pub(super) fn refused_microversion(&self) {
        self.no_microversion.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(dates: &[Option<&str>]) -> Option<i64> {
        let observed = Observed::default();
        let now = "2026-11-22T09:10:00Z".parse().expect("an instant");
        for date in dates {
            let mut response = Response::default();
            if let Some(date) = date {
                let date = date.parse().expect("a header's value");
                response.headers_mut().insert(http::header::DATE, date);
            }
            observed.compare_clocks(&response, now);
        }
        observed
            .clock_difference()
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

    #[tokio::test(start_paused = true)]
    async fn the_slowest_of_its_kind_tells_what_fits_and_before_the_first_any_but_a_listing() {
        let observed = Observed::default();
        let fits = |noted: &[(RequestKind, u64)], kind, seconds| {
            for (kind, took) in noted {
                observed.took(*kind, Duration::from_secs(*took));
            }
            let deadline = Deadline::after(Duration::from_secs(seconds));
            observed.check_time(deadline, kind).is_ok()
        };
        assert!(fits(&[], RequestKind::Create, 1), "nothing is known yet");
        assert!(fits(&[(RequestKind::List, 40)], RequestKind::Create, 1));
        assert!(!fits(&[(RequestKind::Login, 3)], RequestKind::Create, 3));
        assert!(fits(&[], RequestKind::Create, 4));
        assert!(!fits(&[(RequestKind::Delete, 7)], RequestKind::Create, 7));
        assert!(fits(&[(RequestKind::Create, 1)], RequestKind::Create, 2));
        assert!(!fits(
            &[(RequestKind::Create, 2), (RequestKind::Create, 1)],
            RequestKind::Create,
            2
        ));
        assert!(!fits(&[], RequestKind::Delete, 7));
        assert!(!fits(&[], RequestKind::List, 40));
    }
}

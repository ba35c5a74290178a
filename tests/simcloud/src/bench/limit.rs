//! The physical limit of a case: the sum of what cannot overlap.

use std::time::Duration;

use super::weather::Weather;

/// Rows on a page of the listing.
const PAGE: usize = 1000;

/// What of a pass has to follow one another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limit {
    /// Requests, one after the other: each takes the cloud's latency.
    pub(super) requests: usize,
    /// Pages among them that have up to a thousand rows.
    pub(super) pages: usize,
    /// What has to be waited for besides.
    pub(super) waits: Duration,
}

impl Limit {
    /// Logging in, then the longer of two listings that go side by side.
    pub(super) fn of_looking(volumes: usize, snapshots: usize) -> Self {
        let pages = pages(volumes).max(pages(snapshots));
        Self {
            requests: 1 + pages,
            pages,
            waits: Duration::ZERO,
        }
    }

    /// And then this many requests, so many of them side by side.
    pub(super) fn then(self, requests: usize, side_by_side: usize) -> Self {
        Self {
            requests: self.requests + requests.div_ceil(side_by_side),
            ..self
        }
    }

    /// And then waiting.
    pub(super) fn waiting(self, waits: Duration) -> Self {
        Self {
            waits: self.waits + waits,
            ..self
        }
    }

    /// The time it takes: by the latency alone, or, where there is none, by what the cloud on
    /// its own takes for a page.
    pub(super) fn time(self, weather: Weather, page_alone: Duration) -> Duration {
        let each = match weather {
            Weather::Still => page_alone * u32::try_from(self.pages).unwrap_or(u32::MAX),
            _ => weather.mean() * u32::try_from(self.requests).unwrap_or(u32::MAX),
        };
        each + self.waits
    }
}

/// Pages of a listing by a filter. A full page always has a next one, if only an empty one;
/// and an empty listing is repeated without the filter.
fn pages(rows: usize) -> usize {
    if rows == 0 { 2 } else { rows / PAGE + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_listing_counts_and_creations_go_side_by_side() {
        let limit = Limit::of_looking(1_000, 18_000).then(300, 16);
        assert_eq!(limit.requests, 1 + 19 + 19);
        let limit = limit.waiting(Duration::from_secs(3));
        let time = limit.time(Weather::Fixed, Duration::ZERO);
        assert_eq!(time, Duration::from_millis(39 * 20 + 3_000));
    }

    #[test]
    fn without_latency_the_clouds_own_time_for_pages_counts() {
        let limit = Limit::of_looking(0, 100_000);
        let time = limit.time(Weather::Still, Duration::from_millis(3));
        assert_eq!(time, Duration::from_millis(101 * 3));
    }
}

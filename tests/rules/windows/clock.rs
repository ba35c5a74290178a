//! What the clocks of a zone show, worked out a second time and from the definition alone: a
//! boundary is the first instant at which the wall clock shows the nominal start or later.

use std::ops::Range;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Utc};
use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;

/// From one change of the clocks to the next: the first second, and the offset of all of them.
struct Stretch {
    from: i64,
    offset: i64,
}

/// A zone as the stretches between its changes.
pub(super) struct Clock {
    pub(super) zone: String,
    stretches: Vec<Stretch>,
}

/// A change of the clocks, by UTC, with the offsets before and after it.
pub(super) struct Change {
    instant: NaiveDateTime,
    offsets: [i64; 2],
}

impl Change {
    /// The stretch of wall-clock time that the change leaves out or repeats.
    pub(super) fn disputed(&self) -> (NaiveDateTime, NaiveDateTime) {
        let [one, other] = self
            .offsets
            .map(|offset| self.instant + TimeDelta::seconds(offset));
        (one.min(other), one.max(other))
    }
}

impl Clock {
    pub(super) fn of(zone: &str) -> Self {
        let rules = TimeZoneDatabase::bundled()
            .get(zone)
            .unwrap_or_else(|error| panic!("{error}"));
        let mut stretches = vec![Stretch {
            from: i64::MIN,
            offset: rules.to_offset(Timestamp::MIN).seconds().into(),
        }];
        let horizon: Timestamp = "2045-01-01T00:00:00Z".parse().expect("a fixed text");
        for change in rules.following(Timestamp::MIN) {
            if change.timestamp() > horizon {
                break;
            }
            stretches.push(Stretch {
                from: change.timestamp().as_second(),
                offset: change.offset().seconds().into(),
            });
        }
        stretches.dedup_by_key(|stretch| stretch.offset);
        Self {
            zone: zone.to_owned(),
            stretches,
        }
    }

    /// The changes of the clocks in these years.
    pub(super) fn changes(&self, years: Range<i32>) -> Vec<Change> {
        self.stretches
            .windows(2)
            .filter(|pair| years.contains(&second(pair[1].from).year()))
            .map(|pair| Change {
                instant: second(pair[1].from).naive_utc(),
                offsets: [pair[0].offset, pair[1].offset],
            })
            .collect()
    }

    /// The changes of the clocks from one instant to another.
    pub(super) fn changes_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> impl Iterator<Item = DateTime<Utc>> {
        let index = |instant: DateTime<Utc>| {
            let seconds = instant.timestamp();
            self.stretches
                .partition_point(|stretch| stretch.from < seconds)
        };
        let between = &self.stretches[index(from)..index(to)];
        between.iter().map(|stretch| second(stretch.from))
    }

    /// The first instant at which the wall clock shows this time or a later one.
    pub(super) fn first_instant_of(&self, civil: NaiveDateTime) -> DateTime<Utc> {
        let civil = civil.and_utc().timestamp();
        // No wall clock is two days off: what ended before shows nothing as late as this.
        let two_days_before = civil - 2 * 86_400;
        let later = self
            .stretches
            .partition_point(|stretch| stretch.from < two_days_before);
        let stretches = &self.stretches[later.saturating_sub(1)..];
        let ends = stretches[1..].iter().map(|next| next.from);
        stretches
            .iter()
            .zip(ends.chain([i64::MAX]))
            .map(|(stretch, end)| (stretch.from.max(civil - stretch.offset), end))
            .find(|(first, end)| first < end)
            .map(|(first, _)| second(first))
            .expect("the last stretch has no end")
    }
}

/// The instant this many seconds after the year 1970 began.
pub(super) fn second(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("no zone's rules leave the calendar")
}

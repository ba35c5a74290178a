//! When a window begins and ends: worked out a second time, in another way than the program
//! does it, so that a mistake there is not repeated here.
//!
//! A wall clock reaches a time when it shows it, or a later one, for the first time. That one
//! sentence covers the skipped hour and the one that occurs twice.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::meaning::{Kind, Schedule};

/// The stretch of time in which a policy wants one snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it.
    pub end: DateTime<Utc>,
    /// What a person would write for the start.
    pub nominal: NaiveDateTime,
}

impl Window {
    /// Whether an instant lies in it.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.start <= at && at < self.end
    }
}

/// A time zone whose rules are compiled in.
#[derive(Clone, Debug)]
struct Zone(TimeZone);

thread_local! {
    static ZONES: TimeZoneDatabase = TimeZoneDatabase::bundled();
}

impl Zone {
    fn named(name: &str) -> Self {
        let zone = ZONES.with(|zones| zones.get(name));
        Self(zone.unwrap_or_else(|_| panic!("{name} is a zone that the drawing made up")))
    }

    fn offset(&self, at: i64) -> i64 {
        let at = Timestamp::from_second(at).expect("the simulation stays in this century");
        self.0.to_offset(at).seconds().into()
    }

    fn wall(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.naive_utc() + TimeDelta::seconds(self.offset(at.timestamp()))
    }

    /// The first instant at which the wall clock shows this time or a later one.
    fn reaches(&self, wall: NaiveDateTime) -> DateTime<Utc> {
        let wall = wall.and_utc().timestamp();
        let (from, to) = (wall - 26 * 3600, wall + 26 * 3600);
        let mut candidates = vec![wall - self.offset(from)];
        let begin = Timestamp::from_second(from).expect("the simulation stays in this century");
        for change in self.0.following(begin) {
            let at = change.timestamp().as_second();
            if at > to {
                break;
            }
            candidates.extend([at, wall - i64::from(change.offset().seconds())]);
        }
        candidates.sort_unstable();
        let reached = candidates
            .into_iter()
            .find(|&at| at + self.offset(at) >= wall)
            .expect("every wall clock gets there within a day");
        DateTime::from_timestamp(reached, 0).expect("the simulation stays in this century")
    }
}

/// The nominal starts around a date, in order.
fn nominal_starts(schedule: &Schedule, date: NaiveDate) -> Vec<NaiveDateTime> {
    let minutes = i64::from(schedule.start_minute);
    let at_start = |date: NaiveDate| date.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes);
    match schedule.kind {
        Kind::Express => (-1..=1)
            .flat_map(|day| {
                let midnight = (date + TimeDelta::days(day)).and_time(NaiveTime::MIN);
                (0..24 / schedule.interval_hours)
                    .map(move |n| (midnight, i64::from(n * schedule.interval_hours)))
            })
            .map(|(midnight, hours)| midnight + TimeDelta::hours(hours))
            .collect(),
        Kind::Daily => (-2..=2)
            .map(|day| at_start(date + TimeDelta::days(day)))
            .collect(),
        Kind::Weekly => (-8..=8)
            .map(|day| date + TimeDelta::days(day))
            .filter(|date| date.weekday().num_days_from_sunday() == schedule.weekday)
            .map(at_start)
            .collect(),
        Kind::Monthly => (-2..=2)
            .map(|months| {
                let month = date.year() * 12 + date.month0() as i32 + months;
                let first = NaiveDate::from_ymd_opt(
                    month.div_euclid(12),
                    month.rem_euclid(12) as u32 + 1,
                    1,
                )
                .expect("the simulation stays in this century");
                let days = u32::from(first.num_days_in_month()).min(schedule.day);
                at_start(first + Days::new(u64::from(days - 1)))
            })
            .collect(),
    }
}

/// The window of a policy that is active at an instant.
pub fn window_at(schedule: &Schedule, now: DateTime<Utc>) -> Window {
    let zone = Zone::named(schedule.zone);
    let mut before: Option<(NaiveDateTime, DateTime<Utc>)> = None;
    for nominal in nominal_starts(schedule, zone.wall(now).date()) {
        let start = zone.reaches(nominal);
        if start > now {
            let (nominal, begun) = before.expect("the first start lies before now");
            return Window {
                start: begun,
                end: start,
                nominal,
            };
        }
        before = Some((nominal, start));
    }
    unreachable!("the last start lies after now");
}

/// When the retention of a window's snapshot ends.
pub fn expires_at(schedule: &Schedule, window: &Window) -> DateTime<Utc> {
    let days = TimeDelta::days(schedule.retention_days.into());
    Zone::named(schedule.zone)
        .reaches(window.nominal + days)
        .max(window.end)
}

/// An instant as the policy's zone writes it: RFC 3339, to the second.
pub fn in_zone(schedule: &Schedule, at: DateTime<Utc>) -> String {
    let offset = Zone::named(schedule.zone).offset(at.timestamp());
    let wall = at.naive_utc() + TimeDelta::seconds(offset);
    let stamp = wall.format("%Y-%m-%dT%H:%M:%S");
    match offset / 60 {
        0 => format!("{stamp}Z"),
        minutes => {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.abs();
            format!("{stamp}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
    }
}

/// An instant as RFC 3339 in UTC, to the second.
pub fn in_utc(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daily(zone: &'static str, start_minute: u32) -> Schedule {
        Schedule {
            kind: Kind::Daily,
            zone,
            start_minute,
            weekday: 0,
            day: 1,
            interval_hours: 6,
            retention_days: 2,
        }
    }

    #[test]
    fn a_day_on_which_the_clocks_go_back_has_a_window_of_25_hours() {
        let now = "2026-10-25T12:00:00Z".parse().expect("a date");
        let window = window_at(&daily("Europe/Berlin", 0), now);
        assert_eq!(in_utc(window.start), "2026-10-24T22:00:00Z");
        assert_eq!(in_utc(window.end), "2026-10-25T23:00:00Z");
    }

    #[test]
    fn a_skipped_start_is_the_first_instant_after_the_gap() {
        let now = "2026-03-29T12:00:00Z".parse().expect("a date");
        let schedule = daily("Europe/Berlin", 150);
        let window = window_at(&schedule, now);
        assert_eq!(in_utc(window.start), "2026-03-29T01:00:00Z");
        assert_eq!(
            in_zone(&schedule, window.start),
            "2026-03-29T03:00:00+02:00"
        );
        // Retention is counted from half past two, which the next days have.
        let expires = expires_at(&schedule, &window);
        assert_eq!(in_utc(expires), "2026-03-31T00:30:00Z");
    }
}

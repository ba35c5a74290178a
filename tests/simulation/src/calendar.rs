//! When a window begins and ends: worked out a second time, in another way than the program
//! does it, so that a mistake there is not repeated here.
//!
//! A wall clock reaches a time when it shows it, or a later one, for the first time. That one
//! sentence covers the skipped hour and the one that occurs twice.

use std::cell::RefCell;
use std::collections::HashMap;

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
    /// Windows that were worked out before: a window is the same for all of its instants.
    static KNOWN: RefCell<HashMap<Schedule, Vec<Window>>> = RefCell::default();
}

/// So many windows of a schedule, and so many schedules, are kept.
const KEPT: (usize, usize) = (64, 512);

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
        Kind::Daily => {
            let mut minutes: Vec<u32> = schedule.times.minutes().collect();
            minutes.sort_unstable();
            if minutes.is_empty() {
                minutes.push(schedule.start_minute);
            }
            let at = |day: i64, minute: u32| {
                let midnight = (date + TimeDelta::days(day)).and_time(NaiveTime::MIN);
                midnight + TimeDelta::minutes(minute.into())
            };
            (-2..=2)
                .flat_map(|day| minutes.iter().map(move |minute| at(day, *minute)))
                .collect()
        }
        Kind::Weekly => (-8..=8)
            .map(|day| date + TimeDelta::days(day))
            .filter(|date| date.weekday().num_days_from_sunday() == schedule.weekday)
            .map(at_start)
            .collect(),
        Kind::Monthly => (-2..=2)
            .map(|months| {
                let month = date.year() * 12 + date.month0() as i32 + months;
                (month.div_euclid(12), month.rem_euclid(12) as u32 + 1)
            })
            .map(|(year, month)| at_start(day_of(year, month, schedule.day)))
            .collect(),
        Kind::Yearly => (-2..=2)
            .map(|years| day_of(date.year() + years, schedule.month, schedule.day))
            .map(at_start)
            .collect(),
    }
}

/// This day of a month, or the last one that it has.
fn day_of(year: i32, month: u32, day: u32) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(year, month, 1);
    let first = first.expect("the simulation stays in this century");
    let days = u32::from(first.num_days_in_month()).min(day);
    first + Days::new(u64::from(days - 1))
}

/// The window of a policy that is active at an instant. Of two starts that the clocks put at one
/// instant, the first begins a window of no length, which does not exist.
pub fn window_at(schedule: &Schedule, now: DateTime<Utc>) -> Window {
    let known = KNOWN.with_borrow(|known| {
        let of = known.get(schedule)?;
        of.iter().rev().find(|window| window.contains(now)).copied()
    });
    known.unwrap_or_else(|| {
        let window = worked_out(schedule, now);
        KNOWN.with_borrow_mut(|known| {
            let (windows, schedules) = KEPT;
            if known.len() >= schedules {
                known.clear();
            }
            let of = known.entry(*schedule).or_default();
            if of.len() >= windows {
                of.clear();
            }
            of.push(window);
        });
        window
    })
}

fn worked_out(schedule: &Schedule, now: DateTime<Utc>) -> Window {
    let zone = Zone::named(schedule.zone);
    let starts = nominal_starts(schedule, zone.wall(now).date());
    let begun = starts.partition_point(|nominal| zone.reaches(*nominal) <= now);
    let nominal = starts[begun - 1];
    Window {
        start: zone.reaches(nominal),
        end: zone.reaches(starts[begun]),
        nominal,
    }
}

/// The window before this one.
pub fn window_before(schedule: &Schedule, window: &Window) -> Window {
    window_at(schedule, window.start - TimeDelta::seconds(1))
}

/// Whether the clocks put the start before this window's at the same instant.
pub fn skips_a_window(schedule: &Schedule, window: &Window) -> bool {
    let zone = Zone::named(schedule.zone);
    let starts = nominal_starts(schedule, window.nominal.date());
    let earlier = starts.iter().filter(|start| **start < window.nominal);
    let last = earlier.max().map(|start| zone.reaches(*start));
    last == Some(window.start)
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
            zone,
            start_minute,
            retention_days: 2,
            ..Schedule::of(Kind::Daily)
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

    #[test]
    fn of_two_times_in_a_gap_only_the_later_has_a_window() {
        let schedule = Schedule {
            times: crate::meaning::Times::of(&[150, 1320, 120]),
            ..daily("Europe/Berlin", 0)
        };
        let windows = ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"];
        let windows = windows.map(|now| {
            let window = window_at(&schedule, now.parse().expect("a date"));
            let nominal = window.nominal.format("%d %H:%M").to_string();
            (in_utc(window.start), in_utc(window.end), nominal)
        });
        let owned = |one: [&str; 3]| (one[0].to_owned(), one[1].to_owned(), one[2].to_owned());
        let wanted = [
            ["2026-03-28T21:00:00Z", "2026-03-29T01:00:00Z", "28 22:00"],
            ["2026-03-29T01:00:00Z", "2026-03-29T20:00:00Z", "29 02:30"],
        ];
        assert_eq!(windows, wanted.map(owned));
    }

    #[test]
    fn a_year_from_a_leap_day_begins_on_the_last_of_february_in_others() {
        let schedule = Schedule {
            month: 2,
            day: 29,
            ..Schedule::of(Kind::Yearly)
        };
        let window = window_at(&schedule, "2028-02-28T23:59:59Z".parse().expect("a date"));
        assert_eq!(in_utc(window.start), "2027-02-28T00:00:00Z");
        assert_eq!(in_utc(window.end), "2028-02-29T00:00:00Z");
    }
}

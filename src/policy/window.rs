//! The windows of a policy: the stretches of time in which it wants exactly one snapshot.
//!
//! A window lies between two neighbouring boundaries, and a boundary is a nominal start turned
//! into an instant. No window has a length of its own, so they touch each other over
//! every change of the clocks, and no night asks for two snapshots or for none.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::Policy;

/// The first instant of the years that are written with four digits, and that after the last.
const REACH: [DateTime<Utc>; 2] = [first_of_year(0), first_of_year(10_000)];

const fn first_of_year(year: i32) -> DateTime<Utc> {
    match NaiveDate::from_ymd_opt(year, 1, 1) {
        Some(day) => day.and_time(NaiveTime::MIN).and_utc(),
        None => DateTime::UNIX_EPOCH,
    }
}

/// A half-open stretch of time, from `start` up to but not including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant of the window.
    pub start: DateTime<Utc>,
    /// The first instant of the next window.
    pub end: DateTime<Utc>,
    /// What the wall clock should have shown at the start. Where it skips that time the start
    /// is later, and retention still counts from here.
    nominal_start: NaiveDateTime,
}

impl Window {
    /// Whether the instant lies in the window.
    pub fn contains(&self, instant: DateTime<Utc>) -> bool {
        self.start <= instant && instant < self.end
    }
}

impl Policy {
    /// The policy's window that contains this instant. Every instant has one.
    ///
    /// An instant outside the years 0 to 9999, which no event and no cloud can name, is taken for
    /// the nearest inside them.
    pub fn window_at(&self, now: DateTime<Utc>) -> Window {
        let now = now.clamp(REACH[0], REACH[1] - TimeDelta::nanoseconds(1));
        let mut nominal_start = self.schedule.latest_until(self.zone.civil_at(now));
        let mut start = self.zone.first_instant_of(nominal_start);
        loop {
            let nominal_end = self.schedule.following(nominal_start);
            let end = self.zone.first_instant_of(nominal_end);
            if now < end {
                return Window {
                    start,
                    end,
                    nominal_start,
                };
            }
            // Where the clocks were put back they show a time before one that has come already;
            // and of starts that fall into one gap only the last begins a window.
            (nominal_start, start) = (nominal_end, end);
        }
    }

    /// When a snapshot that serves the window expires.
    ///
    /// That is the retention days after the window's start, at the same wall-clock time, but
    /// never before the window ends: an expired snapshot would be deleted, its window would look
    /// unserved, and the next would be taken, over and over.
    pub fn expires_at(&self, window: &Window) -> DateTime<Utc> {
        self.retention_ends_at(window).max(window.end)
    }

    /// Whether snapshots of this window are kept for longer than the retention asks for,
    /// because it is shorter than the window. A policy's default retention never counts as too
    /// short: 30 days stand for a month, also for one of 31.
    pub fn retention_falls_short_of(&self, window: &Window) -> bool {
        self.retention_days < super::read::default_retention_days(self.kind)
            && self.retention_ends_at(window) < window.end
    }

    fn retention_ends_at(&self, window: &Window) -> DateTime<Utc> {
        let days = Days::new(self.retention_days.into());
        self.zone.first_instant_of(window.nominal_start + days)
    }
}

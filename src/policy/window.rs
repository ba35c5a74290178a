//! The windows of a policy: the stretches of time in which it wants exactly one snapshot.
//!
//! A schedule is an endless row of *nominal* starts: dates with a time of day, as a person would write
//! them into a diary. What they mean in a zone, where some of them do not exist and some occur twice,
//! is decided in one place only, when they are turned into instants.
//!
//! A window lies between two neighbouring boundaries, and a boundary is a nominal start turned
//! into an instant. No window has a length of its own, so they touch each other over
//! every change of the clocks, and no night asks for two snapshots or for none.

use chrono::{
    DateTime, Datelike, Days, Month, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta,
    Timelike, Utc, Weekday,
};

use super::Policy;

/// When a policy's windows start, nominally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Schedule {
    /// Every so many hours from midnight. The hours divide the day.
    Express { interval_hours: u32 },
    /// Every day at these times, which are different, sorted, and at least one.
    Daily { times: Vec<NaiveTime> },
    /// On this day of every week at this time.
    Weekly { weekday: Weekday, time: NaiveTime },
    /// On this day (1 to 31) of every month at this time, or on the month's last day where it
    /// is shorter.
    Monthly { day: u32, time: NaiveTime },
    /// In this month of every year, on the day as above.
    Yearly {
        month: Month,
        day: u32,
        time: NaiveTime,
    },
}

impl Schedule {
    /// The latest nominal start that is not after this time.
    pub(super) fn latest_until(&self, civil: NaiveDateTime) -> NaiveDateTime {
        let date = civil.date();
        match self {
            Self::Express { interval_hours } => {
                let since_midnight = civil.hour() / interval_hours * interval_hours;
                date.and_time(NaiveTime::MIN) + TimeDelta::hours(since_midnight.into())
            }
            Self::Daily { times } => match times.iter().rfind(|time| **time <= civil.time()) {
                Some(time) => date.and_time(*time),
                None => (date - Days::new(1)).and_time(times[times.len() - 1]),
            },
            Self::Weekly { weekday, time } => {
                let since_weekday = date.weekday().days_since(*weekday);
                let this_week = (date - Days::new(since_weekday.into())).and_time(*time);
                if this_week <= civil {
                    this_week
                } else {
                    this_week - Days::new(7)
                }
            }
            Self::Monthly { day, time } => {
                let this_month = day_of_month(date, *day).and_time(*time);
                if this_month <= civil {
                    this_month
                } else {
                    day_of_month(date - Months::new(1), *day).and_time(*time)
                }
            }
            Self::Yearly { month, day, time } => {
                let of_year = |year| in_year(year, *month, *day).and_time(*time);
                let this_year = of_year(date.year());
                if this_year <= civil {
                    this_year
                } else {
                    of_year(date.year() - 1)
                }
            }
        }
    }

    /// The nominal start that follows this one.
    pub(super) fn following(&self, start: NaiveDateTime) -> NaiveDateTime {
        let date = start.date();
        match self {
            Self::Express { interval_hours } => start + TimeDelta::hours((*interval_hours).into()),
            Self::Daily { times } => match times.iter().find(|time| **time > start.time()) {
                Some(time) => date.and_time(*time),
                None => (date + Days::new(1)).and_time(times[0]),
            },
            Self::Weekly { .. } => start + Days::new(7),
            Self::Monthly { day, time } => {
                day_of_month(date + Months::new(1), *day).and_time(*time)
            }
            Self::Yearly { month, day, time } => {
                in_year(date.year() + 1, *month, *day).and_time(*time)
            }
        }
    }
}

/// This day of the month that the date lies in, or the month's last one.
fn day_of_month(date: NaiveDate, day: u32) -> NaiveDate {
    let last = u32::from(date.num_days_in_month());
    date - Days::new(date.day().into()) + Days::new(day.min(last).into())
}

/// This day of this month of a year, or the month's last one.
fn in_year(year: i32, month: Month, day: u32) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(year, month.number_from_month(), 1);
    day_of_month(first.expect("every month has a first day"), day)
}

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

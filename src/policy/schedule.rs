//! The rhythm of a policy on the calendar and the wall clock, as if no zone existed.
//!
//! Every schedule is an endless row of *nominal* starts: dates with a time of day, as a person
//! would write them into a diary. What they mean in a zone, where some of them do not exist and
//! some occur twice, is decided in one place only, when they are turned into instants.

use chrono::{
    Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday,
};

/// When a policy's windows start, nominally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Schedule {
    /// Every so many hours from midnight. The hours divide the day.
    Express { interval_hours: u32 },
    /// Every day at this time.
    Daily { time: NaiveTime },
    /// On this day of every week at this time.
    Weekly { weekday: Weekday, time: NaiveTime },
    /// On this day (1 to 31) of every month at this time, or on the month's last day where it
    /// is shorter.
    Monthly { day: u32, time: NaiveTime },
}

impl Schedule {
    /// The latest nominal start that is not after this time.
    pub(super) fn latest_until(&self, civil: NaiveDateTime) -> NaiveDateTime {
        let date = civil.date();
        match *self {
            Self::Express { interval_hours } => {
                let since_midnight = civil.hour() / interval_hours * interval_hours;
                date.and_time(NaiveTime::MIN) + TimeDelta::hours(since_midnight.into())
            }
            Self::Daily { time } => {
                let today = date.and_time(time);
                if today <= civil {
                    today
                } else {
                    today - Days::new(1)
                }
            }
            Self::Weekly { weekday, time } => {
                let since_weekday = date.weekday().days_since(weekday);
                let this_week = (date - Days::new(since_weekday.into())).and_time(time);
                if this_week <= civil {
                    this_week
                } else {
                    this_week - Days::new(7)
                }
            }
            Self::Monthly { day, time } => {
                let this_month = day_of_month(date, day).and_time(time);
                if this_month <= civil {
                    this_month
                } else {
                    day_of_month(date - Months::new(1), day).and_time(time)
                }
            }
        }
    }

    /// The nominal start that follows this one.
    pub(super) fn following(&self, start: NaiveDateTime) -> NaiveDateTime {
        match *self {
            Self::Express { interval_hours } => start + TimeDelta::hours(interval_hours.into()),
            Self::Daily { .. } => start + Days::new(1),
            Self::Weekly { .. } => start + Days::new(7),
            Self::Monthly { day, time } => {
                day_of_month(start.date() + Months::new(1), day).and_time(time)
            }
        }
    }
}

/// This day of the month that the date lies in, or the month's last one.
fn day_of_month(date: NaiveDate, day: u32) -> NaiveDate {
    let last = u32::from(date.num_days_in_month());
    date - Days::new(date.day().into()) + Days::new(day.min(last).into())
}

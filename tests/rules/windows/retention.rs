//! How long a snapshot is kept, and how its dates are written.

use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly, Yearly};

use super::{at, policy};

/// A snapshot of the window of `now` expires at this instant.
fn assert_expiry(kind: PolicyKind, settings: &[(&str, &str)], now: &str, expected: &str) {
    let policy = policy(kind, settings);
    let window = policy.window_at(at(now));
    assert_eq!(
        policy.expires_at(&window),
        at(expected),
        "{settings:?} at {now}"
    );
}

#[test]
fn retention_counts_days_from_the_start_of_the_window() {
    let now = "2026-11-25T09:10:00Z";
    for (kind, expected) in [
        (Express, "2026-11-26T06:00:00Z"),
        (Daily, "2026-11-27T00:00:00Z"),
        (Weekly, "2026-11-29T00:00:00Z"),
        (Monthly, "2026-12-01T00:00:00Z"),
        (Yearly, "2027-01-01T00:00:00Z"),
    ] {
        assert_expiry(kind, &[], now, expected);
    }
    assert_expiry(
        Daily,
        &[("retention-days", "14")],
        now,
        "2026-12-09T00:00:00Z",
    );
    assert_expiry(
        Daily,
        &[("retention-days", "36500")],
        now,
        "2126-11-01T00:00:00Z",
    );
}

#[test]
fn retention_ends_at_the_same_wall_clock_time_after_a_change_of_the_clocks() {
    let settings = [
        ("timezone", "Europe/Berlin"),
        ("start-time", "12:00"),
        ("retention-days", "3"),
    ];
    assert_expiry(
        Daily,
        &settings,
        "2024-03-30T13:00:00+01:00",
        "2024-04-02T12:00:00+02:00",
    );
    assert_expiry(
        Daily,
        &settings,
        "2024-10-26T13:00:00+02:00",
        "2024-10-29T12:00:00+01:00",
    );
}

#[test]
fn retention_counts_from_the_nominal_time_where_a_gap_moved_the_start() {
    let settings = [
        ("timezone", "Europe/Berlin"),
        ("start-time", "02:30"),
        ("retention-days", "2"),
    ];
    assert_expiry(
        Daily,
        &settings,
        "2024-03-31T12:00:00+02:00",
        "2024-04-02T02:30:00+02:00",
    );
}

#[test]
fn retention_counts_from_the_day_that_a_start_stood_for() {
    // Both the skipped 30th and the 31st start with the 31st: the later one counts.
    let apia = ("timezone", "Pacific/Apia");
    let now = "2011-12-31T00:00:00+14:00";
    assert_expiry(
        Daily,
        &[apia, ("retention-days", "2")],
        now,
        "2012-01-02T00:00:00+14:00",
    );
    // At ten in the morning they are two, and that of the skipped day ran until ten.
    let at_ten = [apia, ("retention-days", "2"), ("start-time", "10:00")];
    assert_expiry(Daily, &at_ten, now, "2012-01-01T10:00:00+14:00");
}

#[test]
fn a_retention_that_ends_in_a_gap_ends_right_after_it() {
    let settings = [
        ("timezone", "Europe/Berlin"),
        ("start-time", "02:30"),
        ("retention-days", "2"),
    ];
    assert_expiry(
        Daily,
        &settings,
        "2024-03-29T12:00:00+01:00",
        "2024-03-31T03:00:00+02:00",
    );
    assert_expiry(
        Daily,
        &[
            ("timezone", "Pacific/Apia"),
            ("start-time", "10:00"),
            ("retention-days", "2"),
        ],
        "2011-12-28T12:00:00-10:00",
        "2011-12-31T00:00:00+14:00",
    );
}

#[test]
fn a_retention_that_ends_at_a_repeated_time_ends_the_first_time() {
    let settings = [
        ("timezone", "Europe/Berlin"),
        ("start-time", "02:30"),
        ("retention-days", "2"),
    ];
    assert_expiry(
        Daily,
        &settings,
        "2024-10-25T12:00:00+02:00",
        "2024-10-27T02:30:00+02:00",
    );
}

#[test]
fn a_retention_shorter_than_the_window_ends_with_the_window() {
    assert_expiry(
        Weekly,
        &[("retention-days", "2")],
        "2026-11-25T09:10:00Z",
        "2026-11-29T00:00:00Z",
    );
    assert_expiry(
        Monthly,
        &[("retention-days", "1"), ("start-day-of-month", "31")],
        "2027-02-28T00:00:00Z",
        "2027-03-31T00:00:00Z",
    );
    assert_expiry(
        Yearly,
        &[("retention-days", "30"), ("start-month", "3")],
        "2026-11-25T09:10:00Z",
        "2027-03-01T00:00:00Z",
    );
    // 365 days do not last through a leap year.
    assert_expiry(Yearly, &[], "2028-06-15T00:00:00Z", "2029-01-01T00:00:00Z");
    // Thirty days do not last through a month of 31.
    assert_expiry(Monthly, &[], "2026-12-15T00:00:00Z", "2027-01-01T00:00:00Z");
}

#[test]
fn each_of_several_times_a_day_is_kept_for_as_long() {
    let settings = [("times", "02:00,14:00"), ("retention-days", "1")];
    for (now, expected) in [
        ("2026-11-25T09:10:00Z", "2026-11-26T02:00:00Z"),
        ("2026-11-25T14:00:00Z", "2026-11-26T14:00:00Z"),
    ] {
        assert_expiry(Daily, &settings, now, expected);
    }
    // Where a gap moved several starts into one instant, the last of them counts.
    assert_expiry(
        Daily,
        &[
            ("timezone", "Europe/Berlin"),
            ("times", "02:15,02:45"),
            ("retention-days", "1"),
        ],
        "2024-03-31T03:00:00+02:00",
        "2024-04-01T02:45:00+02:00",
    );
}

#[test]
fn an_hourly_snapshot_is_kept_for_whole_days() {
    let settings = [("interval-hours", "1"), ("retention-days", "7")];
    assert_expiry(
        Express,
        &settings,
        "2026-11-25T09:10:00Z",
        "2026-12-02T09:00:00Z",
    );
}

#[test]
fn a_retention_that_falls_short_of_the_window_is_told() {
    let now = at("2026-12-15T00:00:00Z");
    for (kind, days, short) in [
        (Express, "1", false),
        (Daily, "1", false),
        (Weekly, "6", true),
        (Weekly, "7", false),
        (Monthly, "29", true),
        (Monthly, "30", false),
        (Monthly, "31", false),
        (Yearly, "364", true),
        (Yearly, "365", false),
        (Yearly, "3650", false),
    ] {
        let policy = policy(kind, &[("retention-days", days)]);
        let window = policy.window_at(now);
        assert_eq!(
            policy.retention_falls_short_of(&window),
            short,
            "{kind} {days}"
        );
    }
    let monthly = policy(Monthly, &[("retention-days", "28")]);
    let february = monthly.window_at(at("2027-02-10T00:00:00Z"));
    assert!(
        !monthly.retention_falls_short_of(&february),
        "28 days cover that month"
    );
}

#[test]
fn dates_are_written_by_the_policys_wall_clock() {
    for (zone, instant, written) in [
        ("UTC", "2026-11-22T09:10:00Z", "2026-11-22T09:10:00Z"),
        (
            "Europe/London",
            "2026-11-22T09:10:00Z",
            "2026-11-22T09:10:00Z",
        ),
        (
            "Europe/London",
            "2026-07-01T09:10:00Z",
            "2026-07-01T10:10:00+01:00",
        ),
        (
            "Europe/Berlin",
            "2026-11-22T09:10:00Z",
            "2026-11-22T10:10:00+01:00",
        ),
        (
            "Asia/Kathmandu",
            "2026-11-22T20:10:00Z",
            "2026-11-23T01:55:00+05:45",
        ),
        (
            "Pacific/Marquesas",
            "2026-11-22T09:10:00Z",
            "2026-11-21T23:40:00-09:30",
        ),
        (
            "Pacific/Kiritimati",
            "2026-12-31T12:00:00Z",
            "2027-01-01T02:00:00+14:00",
        ),
        // The two halves of a repeated hour differ by their offset.
        (
            "Europe/Berlin",
            "2024-10-27T00:30:00Z",
            "2024-10-27T02:30:00+02:00",
        ),
        (
            "Europe/Berlin",
            "2024-10-27T01:30:00Z",
            "2024-10-27T02:30:00+01:00",
        ),
        // Fractions of a second are dropped, never rounded up.
        (
            "UTC",
            "2026-11-22T09:10:00.999999999Z",
            "2026-11-22T09:10:00Z",
        ),
    ] {
        let policy = policy(Daily, &[("timezone", zone)]);
        assert_eq!(policy.in_zone(at(instant)), written, "{zone}");
    }
}

#[test]
fn a_date_with_an_odd_offset_is_still_the_same_instant() {
    for (zone, instant, written) in [
        // 44:30 behind, 53:28 ahead and 1:15 behind, to the nearest minute.
        (
            "Africa/Monrovia",
            "1971-06-01T00:00:30Z",
            "1971-05-31T23:16:30-00:44",
        ),
        (
            "Europe/Berlin",
            "1800-01-01T00:00:00Z",
            "1800-01-01T00:53:00+00:53",
        ),
        (
            "Europe/London",
            "1800-01-01T00:00:00Z",
            "1799-12-31T23:59:00-00:01",
        ),
    ] {
        let policy = policy(Daily, &[("timezone", zone)]);
        assert_eq!(policy.in_zone(at(instant)), written, "{zone}");
        assert_eq!(at(written), at(instant));
    }
}

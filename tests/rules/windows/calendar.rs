//! The rhythms on an undisturbed calendar.

use snapsentry::policy::PolicyKind::{Daily, Express, Monthly, Weekly, Yearly};

use super::{assert_window, assert_windows, at, policy};

#[test]
fn a_window_contains_its_start_and_not_its_end() {
    let daily = policy(Daily, &[]);
    let window = daily.window_at(at("2026-11-22T09:10:00Z"));
    assert!(window.contains(at("2026-11-22T00:00:00Z")));
    assert!(window.contains(at("2026-11-22T23:59:59.999999999Z")));
    assert!(!window.contains(at("2026-11-23T00:00:00Z")));
    assert!(!window.contains(at("2026-11-21T23:59:59.999999999Z")));
}

#[test]
fn a_daily_window_runs_from_midnight_to_midnight_by_default() {
    assert_windows(
        &policy(Daily, &[]),
        &[
            "2026-11-21T00:00:00Z",
            "2026-11-22T00:00:00Z",
            "2026-11-23T00:00:00Z",
        ],
    );
}

#[test]
fn a_daily_window_runs_from_the_start_time_of_a_day_to_that_of_the_next() {
    assert_windows(
        &policy(Daily, &[("start-time", "21:35:59")]),
        &[
            "2026-12-30T21:35:00Z",
            "2026-12-31T21:35:00Z",
            "2027-01-01T21:35:00Z",
        ],
    );
}

#[test]
fn a_day_is_that_of_the_policys_zone() {
    assert_window(
        &policy(Daily, &[("timezone", "Asia/Kathmandu")]),
        "2026-11-22T00:00:00+05:45",
        "2026-11-23T00:00:00+05:45",
    );
    assert_window(
        &policy(
            Daily,
            &[("timezone", "Pacific/Kiritimati"), ("start-time", "1:00")],
        ),
        "2026-11-22T01:00:00+14:00",
        "2026-11-23T01:00:00+14:00",
    );
}

#[test]
fn a_weekly_window_starts_on_sunday_by_default() {
    assert_windows(
        &policy(Weekly, &[]),
        &[
            "2026-11-15T00:00:00Z",
            "2026-11-22T00:00:00Z",
            "2026-11-29T00:00:00Z",
        ],
    );
}

#[test]
fn a_weekly_window_starts_on_each_day_that_can_be_asked_for() {
    // The week of Sunday, 22 November 2026, each at half past four.
    let days = [
        "sunday",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
    ];
    for (day, date) in days.into_iter().zip(22..) {
        let weekly = policy(
            Weekly,
            &[("start-day-of-week", day), ("start-time", "04:30")],
        );
        let week_after = date + 7;
        let end = match week_after {
            ..=30 => format!("2026-11-{week_after}T04:30:00Z"),
            _ => format!("2026-12-{:02}T04:30:00Z", week_after - 30),
        };
        assert_window(&weekly, &format!("2026-11-{date}T04:30:00Z"), &end);
    }
}

#[test]
fn a_weekly_window_starts_at_its_time_and_not_earlier_that_day() {
    let weekly = policy(
        Weekly,
        &[("start-day-of-week", "mon"), ("start-time", "18:00")],
    );
    let before = weekly.window_at(at("2026-11-23T17:59:59Z"));
    assert_eq!(before.start, at("2026-11-16T18:00:00Z"));
    let from = weekly.window_at(at("2026-11-23T18:00:00Z"));
    assert_eq!(from.start, at("2026-11-23T18:00:00Z"));
}

#[test]
fn a_monthly_window_starts_on_the_first_by_default() {
    assert_windows(
        &policy(Monthly, &[]),
        &[
            "2026-11-01T00:00:00Z",
            "2026-12-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
        ],
    );
}

#[test]
fn a_monthly_window_starts_at_its_time_and_not_earlier_that_day() {
    assert_windows(
        &policy(
            Monthly,
            &[("start-day-of-month", "15"), ("start-time", "06:00")],
        ),
        &[
            "2026-12-15T06:00:00Z",
            "2027-01-15T06:00:00Z",
            "2027-02-15T06:00:00Z",
        ],
    );
}

#[test]
fn the_thirty_first_is_the_last_day_of_a_shorter_month() {
    assert_windows(
        &policy(
            Monthly,
            &[("start-day-of-month", "31"), ("start-time", "12:00")],
        ),
        &[
            "2026-12-31T12:00:00Z",
            "2027-01-31T12:00:00Z",
            "2027-02-28T12:00:00Z",
            "2027-03-31T12:00:00Z",
            "2027-04-30T12:00:00Z",
            "2027-05-31T12:00:00Z",
            "2027-06-30T12:00:00Z",
            "2027-07-31T12:00:00Z",
            "2027-08-31T12:00:00Z",
            "2027-09-30T12:00:00Z",
            "2027-10-31T12:00:00Z",
            "2027-11-30T12:00:00Z",
            "2027-12-31T12:00:00Z",
            "2028-01-31T12:00:00Z",
            "2028-02-29T12:00:00Z",
            "2028-03-31T12:00:00Z",
        ],
    );
}

#[test]
fn february_decides_what_the_twenty_ninth_and_thirtieth_are() {
    for (day, in_2027, in_2028, march) in [
        ("28", "2027-02-28", "2028-02-28", "28"),
        ("29", "2027-02-28", "2028-02-29", "29"),
        ("30", "2027-02-28", "2028-02-29", "30"),
    ] {
        let monthly = policy(Monthly, &[("start-day-of-month", day)]);
        for (february, year) in [(in_2027, 2027), (in_2028, 2028)] {
            assert_window(
                &monthly,
                &format!("{february}T00:00:00Z"),
                &format!("{year}-03-{march}T00:00:00Z"),
            );
        }
    }
}

#[test]
fn an_express_policy_cuts_the_day_from_midnight() {
    for hours in [1, 2, 3, 4, 6, 8, 12] {
        let mut boundaries: Vec<String> = (0..24 / hours)
            .map(|cut| format!("2026-11-22T{:02}:00:00+05:30", cut * hours))
            .collect();
        boundaries.push("2026-11-23T00:00:00+05:30".to_owned());
        let boundaries: Vec<&str> = boundaries.iter().map(String::as_str).collect();
        let hours = hours.to_string();
        assert_windows(
            &policy(
                Express,
                &[("interval-hours", &hours), ("timezone", "Asia/Kolkata")],
            ),
            &boundaries,
        );
    }
}

#[test]
fn with_several_times_of_day_a_window_runs_from_each_to_the_one_that_follows() {
    assert_windows(
        &policy(Daily, &[("times", "14:00, 2:00,21:30")]),
        &[
            "2026-12-30T21:30:00Z",
            "2026-12-31T02:00:00Z",
            "2026-12-31T14:00:00Z",
            "2026-12-31T21:30:00Z",
            "2027-01-01T02:00:00Z",
            "2027-01-01T14:00:00Z",
        ],
    );
    // Midnight and the minute before it are as far apart as the clock says.
    assert_windows(
        &policy(Daily, &[("times", "23:59,00:00")]),
        &[
            "2026-11-21T23:59:00Z",
            "2026-11-22T00:00:00Z",
            "2026-11-22T23:59:00Z",
            "2026-11-23T00:00:00Z",
        ],
    );
}

#[test]
fn the_times_of_day_are_read_in_place_of_the_start_time() {
    assert_windows(
        &policy(Daily, &[("times", "02:00,14:00"), ("start-time", "09:00")]),
        &[
            "2026-11-22T02:00:00Z",
            "2026-11-22T14:00:00Z",
            "2026-11-23T02:00:00Z",
        ],
    );
}

#[test]
fn a_yearly_window_starts_on_the_first_of_january_by_default() {
    assert_windows(
        &policy(Yearly, &[]),
        &[
            "2026-01-01T00:00:00Z",
            "2027-01-01T00:00:00Z",
            "2028-01-01T00:00:00Z",
            "2029-01-01T00:00:00Z",
        ],
    );
}

#[test]
fn a_yearly_window_starts_on_that_day_of_that_month_and_not_earlier_that_day() {
    let settings = [
        ("start-month", "july"),
        ("start-day-of-month", "4"),
        ("start-time", "18:30"),
        ("timezone", "America/New_York"),
    ];
    let yearly = policy(Yearly, &settings);
    assert_windows(
        &yearly,
        &[
            "2025-07-04T18:30:00-04:00",
            "2026-07-04T18:30:00-04:00",
            "2027-07-04T18:30:00-04:00",
        ],
    );
    let before = yearly.window_at(at("2026-07-04T18:29:59-04:00"));
    assert_eq!(before.start, at("2025-07-04T18:30:00-04:00"));
}

#[test]
fn a_day_that_the_month_does_not_have_that_year_is_its_last() {
    for (month, day, boundaries) in [
        (
            "2",
            "29",
            ["2027-02-28", "2028-02-29", "2029-02-28", "2030-02-28"],
        ),
        (
            "february",
            "31",
            ["2027-02-28", "2028-02-29", "2029-02-28", "2030-02-28"],
        ),
        (
            "apr",
            "31",
            ["2027-04-30", "2028-04-30", "2029-04-30", "2030-04-30"],
        ),
        (
            "12",
            "99",
            ["2027-12-31", "2028-12-31", "2029-12-31", "2030-12-31"],
        ),
    ] {
        let yearly = policy(
            Yearly,
            &[("start-month", month), ("start-day-of-month", day)],
        );
        let boundaries = boundaries.map(|date| format!("{date}T00:00:00Z"));
        assert_windows(&yearly, &boundaries.each_ref().map(String::as_str));
    }
}

#[test]
fn an_express_policy_knows_no_start_time() {
    assert_window(
        &policy(Express, &[("start-time", "03:00")]),
        "2026-11-22T06:00:00Z",
        "2026-11-22T12:00:00Z",
    );
}

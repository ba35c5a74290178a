//! Windows over changes of the clocks, as people on the spot would tell them.

use chrono::TimeDelta;
use snapsentry::policy::PolicyKind::{Daily, Express, Monthly, Weekly, Yearly};

use super::{assert_window, assert_windows, at, policy};

#[test]
fn the_day_the_clocks_go_forward_is_a_window_of_23_hours() {
    assert_windows(
        &policy(Daily, &[("timezone", "Europe/Berlin")]),
        &[
            "2024-03-30T00:00:00+01:00",
            "2024-03-31T00:00:00+01:00",
            "2024-04-01T00:00:00+02:00",
            "2024-04-02T00:00:00+02:00",
        ],
    );
}

#[test]
fn the_night_the_clocks_go_back_is_one_window_of_25_hours() {
    let daily = policy(Daily, &[("timezone", "Europe/Berlin")]);
    assert_windows(
        &daily,
        &[
            "2024-10-26T00:00:00+02:00",
            "2024-10-27T00:00:00+02:00",
            "2024-10-28T00:00:00+01:00",
            "2024-10-29T00:00:00+01:00",
        ],
    );
    let window = daily.window_at(at("2024-10-27T23:30:00+01:00"));
    assert_eq!(window.end - window.start, TimeDelta::hours(25));
}

#[test]
fn a_skipped_start_time_means_the_first_instant_after_the_gap() {
    // Berlin skips 02:00 to 03:00: half past two is three o'clock, not half past three.
    assert_windows(
        &policy(
            Daily,
            &[("timezone", "Europe/Berlin"), ("start-time", "02:30")],
        ),
        &[
            "2024-03-30T02:30:00+01:00",
            "2024-03-31T03:00:00+02:00",
            "2024-04-01T02:30:00+02:00",
        ],
    );
}

#[test]
fn the_edges_of_a_gap_are_its_first_instant_and_the_one_after_it() {
    for (start_time, boundary) in [
        ("01:59", "2024-03-31T01:59:00+01:00"),
        ("02:00", "2024-03-31T03:00:00+02:00"),
        ("02:59", "2024-03-31T03:00:00+02:00"),
        ("03:00", "2024-03-31T03:00:00+02:00"),
        ("03:01", "2024-03-31T03:01:00+02:00"),
    ] {
        let daily = policy(
            Daily,
            &[("timezone", "Europe/Berlin"), ("start-time", start_time)],
        );
        let window = daily.window_at(at("2024-03-31T12:00:00+02:00"));
        assert_eq!(window.start, at(boundary), "{start_time}");
    }
}

#[test]
fn a_start_time_that_occurs_twice_means_the_earlier() {
    let daily = policy(
        Daily,
        &[("timezone", "Europe/Berlin"), ("start-time", "02:30")],
    );
    assert_windows(
        &daily,
        &[
            "2024-10-26T02:30:00+02:00",
            "2024-10-27T02:30:00+02:00",
            "2024-10-28T02:30:00+01:00",
        ],
    );
    // The clock shows 02:10 for the second time, and half past two has been already.
    let window = daily.window_at(at("2024-10-27T02:10:00+01:00"));
    assert_eq!(window.start, at("2024-10-27T02:30:00+02:00"));
}

#[test]
fn the_edges_of_a_repeated_hour_are_told_apart() {
    for (start_time, boundary) in [
        ("01:59", "2024-10-27T01:59:00+02:00"),
        ("02:00", "2024-10-27T02:00:00+02:00"),
        ("02:59", "2024-10-27T02:59:00+02:00"),
        ("03:00", "2024-10-27T03:00:00+01:00"),
    ] {
        let daily = policy(
            Daily,
            &[("timezone", "Europe/Berlin"), ("start-time", start_time)],
        );
        let window = daily.window_at(at("2024-10-27T12:00:00+01:00"));
        assert_eq!(window.start, at(boundary), "{start_time}");
    }
}

#[test]
fn an_express_window_grows_and_shrinks_with_its_wall_clock() {
    let express = policy(Express, &[("timezone", "Europe/Berlin")]);
    assert_windows(
        &express,
        &[
            "2024-03-31T00:00:00+01:00",
            "2024-03-31T06:00:00+02:00",
            "2024-03-31T12:00:00+02:00",
            "2024-03-31T18:00:00+02:00",
            "2024-04-01T00:00:00+02:00",
        ],
    );
    assert_windows(
        &express,
        &[
            "2024-10-27T00:00:00+02:00",
            "2024-10-27T06:00:00+01:00",
            "2024-10-27T12:00:00+01:00",
            "2024-10-27T18:00:00+01:00",
            "2024-10-28T00:00:00+01:00",
        ],
    );
}

#[test]
fn weeks_and_months_go_by_the_wall_clock_too() {
    let berlin = ("timezone", "Europe/Berlin");
    assert_windows(
        &policy(Weekly, &[berlin, ("start-time", "02:30")]),
        &[
            "2024-03-24T02:30:00+01:00",
            "2024-03-31T03:00:00+02:00",
            "2024-04-07T02:30:00+02:00",
        ],
    );
    assert_windows(
        &policy(
            Monthly,
            &[
                berlin,
                ("start-time", "02:30"),
                ("start-day-of-month", "31"),
            ],
        ),
        &[
            "2024-02-29T02:30:00+01:00",
            "2024-03-31T03:00:00+02:00",
            "2024-04-30T02:30:00+02:00",
        ],
    );
}

#[test]
fn a_day_without_midnight_starts_at_its_first_instant() {
    for (zone, start, end) in [
        (
            "Asia/Beirut",
            "2024-03-31T01:00:00+03:00",
            "2024-04-01T00:00:00+03:00",
        ),
        (
            "America/Havana",
            "2024-03-10T01:00:00-04:00",
            "2024-03-11T00:00:00-04:00",
        ),
        (
            "America/Sao_Paulo",
            "2018-11-04T01:00:00-02:00",
            "2018-11-05T00:00:00-02:00",
        ),
    ] {
        assert_window(&policy(Daily, &[("timezone", zone)]), start, end);
        let express = policy(Express, &[("timezone", zone), ("interval-hours", "12")]);
        assert_eq!(express.window_at(at(start)).start, at(start), "{zone}");
    }
}

#[test]
fn an_hour_before_midnight_that_is_repeated_belongs_to_the_old_day() {
    // Sao Paulo went from midnight back to eleven at night.
    let zone = ("timezone", "America/Sao_Paulo");
    assert_windows(
        &policy(Daily, &[zone]),
        &[
            "2019-02-16T00:00:00-02:00",
            "2019-02-17T00:00:00-03:00",
            "2019-02-18T00:00:00-03:00",
        ],
    );
    assert_windows(
        &policy(Daily, &[zone, ("start-time", "23:30")]),
        &[
            "2019-02-15T23:30:00-02:00",
            "2019-02-16T23:30:00-02:00",
            "2019-02-17T23:30:00-03:00",
        ],
    );
}

#[test]
fn lord_howe_moves_its_clocks_by_half_an_hour() {
    let daily = policy(
        Daily,
        &[("timezone", "Australia/Lord_Howe"), ("start-time", "01:45")],
    );
    assert_windows(
        &daily,
        &[
            "2024-04-06T01:45:00+11:00",
            "2024-04-07T01:45:00+11:00",
            "2024-04-08T01:45:00+10:30",
        ],
    );
    let in_the_gap = policy(
        Daily,
        &[("timezone", "Australia/Lord_Howe"), ("start-time", "2:15")],
    );
    assert_windows(
        &in_the_gap,
        &[
            "2024-10-05T02:15:00+10:30",
            "2024-10-06T02:30:00+11:00",
            "2024-10-07T02:15:00+11:00",
        ],
    );
}

#[test]
fn troll_moves_its_clocks_by_two_hours() {
    assert_windows(
        &policy(
            Daily,
            &[("timezone", "Antarctica/Troll"), ("start-time", "01:30")],
        ),
        &[
            "2024-03-30T01:30:00Z",
            "2024-03-31T03:00:00+02:00",
            "2024-04-01T01:30:00+02:00",
        ],
    );
    assert_windows(
        &policy(
            Daily,
            &[("timezone", "Antarctica/Troll"), ("start-time", "01:30")],
        ),
        &[
            "2024-10-26T01:30:00+02:00",
            "2024-10-27T01:30:00+02:00",
            "2024-10-28T01:30:00Z",
        ],
    );
}

#[test]
fn offsets_of_odd_seconds_are_kept_to_the_second() {
    // Monrovia was 44 minutes and 30 seconds behind until 1972.
    assert_windows(
        &policy(
            Daily,
            &[("timezone", "Africa/Monrovia"), ("start-time", "00:30")],
        ),
        &[
            "1972-01-05T01:14:30Z",
            "1972-01-06T01:14:30Z",
            "1972-01-07T00:44:30Z",
            "1972-01-08T00:30:00Z",
        ],
    );
}

#[test]
fn an_hour_that_is_skipped_has_no_hourly_window_of_its_own() {
    let settings = [("timezone", "Europe/Berlin"), ("interval-hours", "1")];
    assert_windows(
        &policy(Express, &settings),
        &[
            "2024-03-31T00:00:00+01:00",
            "2024-03-31T01:00:00+01:00",
            "2024-03-31T03:00:00+02:00",
            "2024-03-31T04:00:00+02:00",
        ],
    );
    // An hour that comes twice is one window of two hours.
    assert_windows(
        &policy(Express, &settings),
        &[
            "2024-10-27T01:00:00+02:00",
            "2024-10-27T02:00:00+02:00",
            "2024-10-27T03:00:00+01:00",
            "2024-10-27T04:00:00+01:00",
        ],
    );
}

#[test]
fn half_an_hour_that_is_skipped_leaves_a_window_of_half_an_hour() {
    let settings = [("timezone", "Australia/Lord_Howe"), ("interval-hours", "1")];
    assert_windows(
        &policy(Express, &settings),
        &[
            "2024-10-06T01:00:00+10:30",
            "2024-10-06T02:30:00+11:00",
            "2024-10-06T03:00:00+11:00",
            "2024-10-06T04:00:00+11:00",
        ],
    );
}

#[test]
fn times_of_day_that_fall_into_one_gap_begin_one_window() {
    let settings = [
        ("timezone", "Europe/Berlin"),
        ("times", "02:00,02:15,02:45,12:00"),
    ];
    assert_windows(
        &policy(Daily, &settings),
        &[
            "2024-03-30T02:45:00+01:00",
            "2024-03-30T12:00:00+01:00",
            "2024-03-31T03:00:00+02:00",
            "2024-03-31T12:00:00+02:00",
            "2024-04-01T02:00:00+02:00",
            "2024-04-01T02:15:00+02:00",
        ],
    );
}

#[test]
fn times_of_day_in_and_right_after_a_gap_begin_one_window() {
    let settings = [
        ("timezone", "Europe/Berlin"),
        ("times", "02:30,03:00,03:01"),
    ];
    assert_windows(
        &policy(Daily, &settings),
        &[
            "2024-03-30T03:01:00+01:00",
            "2024-03-31T03:00:00+02:00",
            "2024-03-31T03:01:00+02:00",
            "2024-04-01T02:30:00+02:00",
        ],
    );
}

#[test]
fn times_of_day_that_come_twice_begin_their_windows_the_first_time() {
    let settings = [
        ("timezone", "Europe/Berlin"),
        ("times", "02:15,02:45,12:00"),
    ];
    let daily = policy(Daily, &settings);
    assert_windows(
        &daily,
        &[
            "2024-10-26T12:00:00+02:00",
            "2024-10-27T02:15:00+02:00",
            "2024-10-27T02:45:00+02:00",
            "2024-10-27T12:00:00+01:00",
        ],
    );
    // The clock shows 02:20 for the second time, and a quarter to three has been already.
    let window = daily.window_at(at("2024-10-27T02:20:00+01:00"));
    assert_eq!(window.start, at("2024-10-27T02:45:00+02:00"));
}

#[test]
fn years_go_by_the_wall_clock_too() {
    assert_windows(
        &policy(
            Yearly,
            &[
                ("timezone", "Europe/Berlin"),
                ("start-time", "02:30"),
                ("start-month", "mar"),
                ("start-day-of-month", "31"),
            ],
        ),
        &[
            "2023-03-31T02:30:00+02:00",
            "2024-03-31T03:00:00+02:00",
            "2025-03-31T02:30:00+02:00",
        ],
    );
}

//! Every setting: its default, its odd spellings, and what is refused.

use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly};
use snapsentry::policy::read;

use super::{
    assert_default, assert_invalid, assert_same, default_policy, enabled, metadata, read_with,
};

#[test]
fn retention_days_have_a_default_for_each_policy() {
    for (kind, days) in [(Express, 1), (Daily, 2), (Weekly, 7), (Monthly, 30)] {
        let key = format!("x-snapsentry-{kind}-retention-days");
        assert_eq!(default_policy(kind).retention_days(), days);
        assert_default(
            kind,
            &key,
            &["", "0", "-0", "-1", "-30", "-99999999999999999999"],
        );
    }
}

#[test]
fn retention_days_are_a_decimal_number_up_to_a_hundred_years() {
    let key = "x-snapsentry-daily-retention-days";
    assert_eq!(
        assert_same(
            Daily,
            key,
            &["14", "+14", "014", "0000000000000000000000014"]
        )
        .retention_days(),
        14
    );
    assert_eq!(assert_same(Daily, key, &["1"]).retention_days(), 1);
    assert_eq!(assert_same(Daily, key, &["36500"]).retention_days(), 36_500);
    assert_invalid(
        Daily,
        key,
        &[
            "36501",
            "4294967296",
            "4294967297",
            "9223372036854775808",
            "99999999999999999999",
        ],
    );
    assert_invalid(
        Daily,
        key,
        &[
            "7 days", " 7", "7 ", "7.0", "7.5", "1e3", "0x10", "1_000", "1,000", "+", "-", "--7",
            "+-7", "seven", "٧", " ",
        ],
    );
}

#[test]
fn retention_is_by_time_also_where_an_older_tool_wrote_count() {
    for kind in PolicyKind::ALL {
        let key = format!("x-snapsentry-{kind}-retention-type");
        assert_default(kind, &key, &["time", "count", ""]);
        assert_invalid(kind, &key, &["size", "Time", "COUNT", " time"]);
    }
}

#[test]
fn a_time_zone_is_one_of_the_iana_database() {
    for kind in PolicyKind::ALL {
        let key = format!("x-snapsentry-{kind}-timezone");
        assert_eq!(default_policy(kind).timezone(), "UTC");
        assert_default(kind, &key, &["", "UTC", "utc"]);
        for (name, shown) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("Asia/Calcutta", "Asia/Calcutta"),
            (
                "America/Argentina/Buenos_Aires",
                "America/Argentina/Buenos_Aires",
            ),
            ("Etc/GMT+12", "Etc/GMT+12"),
            ("EST5EDT", "EST5EDT"),
        ] {
            assert_eq!(enabled(read_with(kind, &key, name)).timezone(), shown);
        }
        assert_invalid(
            kind,
            &key,
            &[
                "Mars/Olympus",
                "Berlin",
                "Local",
                "CEST",
                "+02:00",
                "UTC+2",
                " UTC",
                "UTC ",
                "Europe/Berlin/Mitte",
                "Etc/Unknown",
                "../etc/localtime",
                ":UTC",
                "EST5EDT,M3.2.0,M11.1.0",
            ],
        );
    }
}

#[test]
fn a_start_time_is_hours_and_minutes_and_its_seconds_are_dropped() {
    for kind in [Daily, Weekly, Monthly] {
        let key = format!("x-snapsentry-{kind}-start-time");
        assert_default(kind, &key, &["", "00:00", "0:00", "00:00:00", "00:00:59"]);
        let nine = assert_same(kind, &key, &["09:05", "9:05", "09:05:00", "9:05:59"]);
        assert_ne!(nine, default_policy(kind));
        assert_same(kind, &key, &["23:59", "23:59:59"]);
        assert_invalid(
            kind,
            &key,
            &[
                "24:00",
                "23:60",
                "12:00:60",
                "12",
                "12:",
                ":30",
                "12:0",
                "12:000",
                "012:00",
                "12:00:0",
                "12:00:000",
                "12:00:00:00",
                "12:00:",
                "12.30",
                "1230",
                "-1:00",
                "+1:00",
                " 9:00",
                "9:00 ",
                "9:00am",
                "12:-1",
                "noon",
                "１２:00",
                "12:00:00.5",
            ],
        );
    }
}

#[test]
fn express_does_not_read_a_start_time() {
    assert_default(
        Express,
        "x-snapsentry-express-start-time",
        &["09:00", "nonsense"],
    );
}

#[test]
fn a_day_of_the_week_is_a_name_or_a_number_from_sunday() {
    let key = "x-snapsentry-weekly-start-day-of-week";
    assert_default(Weekly, key, &["", "sunday", "Sunday", "SUN", "sun", "0"]);
    let spellings = [
        ["sunday", "Sun", "0"],
        ["monday", "MON", "1"],
        ["Tuesday", "tue", "2"],
        ["WEDNESDAY", "Wed", "3"],
        ["thursday", "thu", "4"],
        ["fRiDaY", "fri", "5"],
        ["saturday", "sat", "6"],
    ];
    let policies = spellings.map(|same| assert_same(Weekly, key, &same));
    for (index, policy) in policies.iter().enumerate() {
        assert!(
            !policies[..index].contains(policy),
            "{policy:?} stands for two days"
        );
    }
    assert_invalid(
        Weekly,
        key,
        &[
            "7",
            "-1",
            "someday",
            "tues",
            "thurs",
            "m",
            "mo",
            "sund",
            " monday",
            "monday ",
            "sonntag",
            "1.0",
            "99999999999999999999",
        ],
    );
}

#[test]
fn a_day_of_the_month_outside_every_month_is_the_nearest_inside() {
    let key = "x-snapsentry-monthly-start-day-of-month";
    assert_default(
        Monthly,
        key,
        &["", "1", "+1", "01", "0", "-5", "-99999999999999999999"],
    );
    let last = assert_same(Monthly, key, &["31", "32", "99", "99999999999999999999"]);
    assert_ne!(last, enabled(read_with(Monthly, key, "30")));
    assert_invalid(
        Monthly,
        key,
        &["first", "last", "15th", "1.5", " 1", "1 ", "0x1"],
    );
}

#[test]
fn the_older_key_of_the_monthly_day_is_read_where_the_newer_is_missing() {
    let (newer, older) = (
        "x-snapsentry-monthly-start-day-of-month",
        "x-snapsentry-monthly-day-of-month",
    );
    let fifteenth = enabled(read_with(Monthly, newer, "15"));
    assert_eq!(enabled(read_with(Monthly, older, "15")), fifteenth);
    assert_default(Monthly, older, &[""]);
    assert_invalid(Monthly, older, &["first"]);
    for (newer_value, older_value) in [("15", "3"), ("", "15"), ("15", ""), ("15", "first")] {
        let both = metadata(&[
            ("x-snapsentry-monthly-enabled", "true"),
            (newer, newer_value),
            (older, older_value),
        ]);
        assert_eq!(
            enabled(read(Monthly, &both)),
            fifteenth,
            "{newer_value:?} {older_value:?}"
        );
    }
}

#[test]
fn express_has_three_intervals() {
    let key = "x-snapsentry-express-interval-hours";
    assert_default(
        Express,
        key,
        &["", "6", "+6", "06", "0", "-8", "-99999999999999999999"],
    );
    let (eight, twelve) = (
        assert_same(Express, key, &["8", "08"]),
        assert_same(Express, key, &["12"]),
    );
    assert!(eight != twelve && eight != default_policy(Express));
    assert_invalid(
        Express,
        key,
        &[
            "1",
            "2",
            "3",
            "4",
            "5",
            "7",
            "9",
            "11",
            "13",
            "24",
            "6h",
            "six",
            "6.0",
            "99999999999999999999",
        ],
    );
}

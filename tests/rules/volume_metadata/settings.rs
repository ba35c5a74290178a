//! Every setting: its default, its odd spellings, and what is refused.

use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly, Yearly};
use snapsentry::policy::read;

use super::{
    assert_default, assert_invalid, assert_same, default_policy, enabled, metadata, read_with,
};

#[test]
fn retention_days_have_a_default_for_each_policy() {
    for (kind, days) in [
        (Express, 1),
        (Daily, 2),
        (Weekly, 7),
        (Monthly, 30),
        (Yearly, 365),
    ] {
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
    for kind in [Daily, Weekly, Monthly, Yearly] {
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
    for kind in [Monthly, Yearly] {
        let key = format!("x-snapsentry-{kind}-start-day-of-month");
        assert_default(
            kind,
            &key,
            &["", "1", "+1", "01", "0", "-5", "-99999999999999999999"],
        );
        let last = assert_same(kind, &key, &["31", "32", "99", "99999999999999999999"]);
        assert_ne!(last, enabled(read_with(kind, &key, "30")));
        assert_invalid(
            kind,
            &key,
            &["first", "last", "15th", "1.5", " 1", "1 ", "0x1"],
        );
    }
}

#[test]
fn a_month_is_a_name_or_a_number_from_january() {
    let key = "x-snapsentry-yearly-start-month";
    assert_default(Yearly, key, &["", "1", "01", "+1", "january", "JAN", "Jan"]);
    let spellings = [
        ["january", "Jan", "1"],
        ["february", "FEB", "2"],
        ["March", "mar", "3"],
        ["april", "apr", "4"],
        ["may", "MAY", "5"],
        ["june", "jun", "6"],
        ["JULY", "jul", "7"],
        ["august", "Aug", "8"],
        ["september", "sep", "9"],
        ["oCtObEr", "oct", "10"],
        ["november", "nov", "11"],
        ["december", "dec", "12"],
    ];
    let policies = spellings.map(|same| assert_same(Yearly, key, &same));
    for (index, policy) in policies.iter().enumerate() {
        assert!(
            !policies[..index].contains(policy),
            "{policy:?} stands for two months"
        );
    }
    assert_invalid(
        Yearly,
        key,
        &[
            "0",
            "13",
            "-1",
            "sept",
            "janu",
            "j",
            " may",
            "may ",
            "märz",
            "januar",
            "1.0",
            "257",
            "99999999999999999999",
        ],
    );
}

#[test]
fn other_policies_have_no_month_and_no_day_of_it() {
    assert_default(Monthly, "x-snapsentry-monthly-start-month", &["7", "x"]);
    assert_default(Daily, "x-snapsentry-daily-start-day-of-month", &["7", "x"]);
    assert_default(Weekly, "x-snapsentry-weekly-times", &["01:00,02:00", "x"]);
    // The older key of the day is the monthly policy's alone.
    assert_default(Yearly, "x-snapsentry-yearly-day-of-month", &["7", "x"]);
    assert_default(Yearly, "x-snapsentry-monthly-day-of-month", &["7", "x"]);
}

#[test]
fn times_of_day_are_different_ones_separated_by_commas_in_any_order() {
    let key = "x-snapsentry-daily-times";
    assert_same(
        Daily,
        key,
        &[
            "02:00,14:00",
            "14:00,02:00",
            "2:00,14:00",
            "02:00 , 14:00",
            " 02:00,\t14:00 ",
            "02:00:59,14:00:01",
        ],
    );
    let one = assert_same(Daily, key, &["06:30", " 06:30 "]);
    let by_start_time = enabled(read_with(Daily, "x-snapsentry-daily-start-time", "06:30"));
    assert_eq!(one, by_start_time, "one time is what a start time says");
    let many = |count: u32| -> String {
        let times: Vec<String> = (0..count)
            .map(|n| format!("{:02}:{:02}", n % 24, n))
            .collect();
        times.join(",")
    };
    enabled(read_with(Daily, key, &many(24)));
    assert_invalid(
        Daily,
        key,
        &[
            &many(25),
            "02:00,02:00",
            "02:00,2:00",
            "02:00:10,02:00:20",
            "02:00,",
            ",02:00",
            "02:00,,14:00",
            ",",
            " ",
            "02:00;14:00",
            "02:00 14:00",
            "02:00,24:00",
            "02:00,noon",
            "02:00,14:00\n",
            "[02:00,14:00]",
        ],
    );
}

#[test]
fn several_times_of_day_hide_the_start_time_and_an_empty_value_does_not() {
    let with = |times: &str, start_time: &str| {
        let metadata = metadata(&[
            ("x-snapsentry-daily-enabled", "true"),
            ("x-snapsentry-daily-times", times),
            ("x-snapsentry-daily-start-time", start_time),
        ]);
        read(Daily, &metadata)
    };
    let times_alone = enabled(read_with(Daily, "x-snapsentry-daily-times", "02:00,14:00"));
    for start_time in ["", "09:00", "nonsense", "null"] {
        assert_eq!(enabled(with("02:00,14:00", start_time)), times_alone);
    }
    let start_time_alone = enabled(read_with(Daily, "x-snapsentry-daily-start-time", "09:00"));
    assert_eq!(enabled(with("", "09:00")), start_time_alone);
}

#[test]
fn keep_at_most_is_a_number_from_1_to_1000_and_anything_else_is_refused() {
    for kind in PolicyKind::ALL {
        let key = format!("x-snapsentry-{kind}-keep-at-most");
        assert_default(kind, &key, &[""]);
        for (text, number) in [("1", 1), ("7", 7), ("+7", 7), ("007", 7), ("1000", 1000)] {
            let policy = enabled(read_with(kind, &key, text));
            assert_eq!(policy.keep_at_most(), Some(number), "{text}");
        }
        assert_invalid(
            kind,
            &key,
            &[
                "0",
                "-0",
                "-1",
                "1001",
                "4294967297",
                "99999999999999999999",
                "seven",
                "7.0",
                " 7",
                "7 ",
                "0x7",
                "unlimited",
            ],
        );
    }
}

#[test]
fn keep_last_is_a_number_from_0_to_100_and_anything_else_is_refused() {
    for kind in PolicyKind::ALL {
        let key = format!("x-snapsentry-{kind}-keep-last");
        assert_default(kind, &key, &[""]);
        for (text, number) in [("0", 0), ("-0", 0), ("1", 1), ("+3", 3), ("100", 100)] {
            let state = read_with(kind, &key, text);
            assert_eq!(state.keep_last(), Some(number), "{text}");
            assert_eq!(enabled(state).keep_last(), Some(number), "{text}");
        }
        for text in [
            "-1",
            "101",
            "99999999999999999999",
            "one",
            "1.0",
            " 1",
            "all",
        ] {
            let state = read_with(kind, &key, text);
            assert_eq!(state.keep_last(), None, "{text}");
            assert_invalid(kind, &key, &[text]);
        }
    }
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
fn express_has_the_intervals_that_divide_a_day() {
    let key = "x-snapsentry-express-interval-hours";
    assert_default(
        Express,
        key,
        &["", "6", "+6", "06", "0", "-8", "-99999999999999999999"],
    );
    let mut policies = Vec::new();
    for (same, other) in [
        ("1", "+1"),
        ("2", "02"),
        ("3", "003"),
        ("4", "+4"),
        ("6", "06"),
        ("8", "08"),
        ("12", "+12"),
    ] {
        let policy = assert_same(Express, key, &[same, other]);
        assert!(!policies.contains(&policy), "{same} stands for two");
        policies.push(policy);
    }
    assert_invalid(
        Express,
        key,
        &[
            "5",
            "7",
            "9",
            "10",
            "11",
            "13",
            "24",
            "6h",
            "six",
            "6.0",
            "0.5",
            "99999999999999999999",
        ],
    );
}

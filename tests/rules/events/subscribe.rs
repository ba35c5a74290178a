//! Events that tag a volume.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use snapsentry::event::{Request, SubscribeRequest};
use snapsentry::policy::{PolicyKind, Setting};

use crate::events::requests::{VOLUME, accepted, all_refused, subscribe, subscription, with};

/// What is written of a setting that an event for this policy gives in this field.
fn written(policy: &str, field: &str, value: &Value) -> String {
    let event = with(subscription(policy), json!({field: value}));
    let Request::Subscribe(request) = accepted(&event) else {
        panic!("{event}")
    };
    let settings: Vec<(Setting, String)> = request.settings.into_iter().collect();
    let [(setting, text)] = settings.as_slice() else {
        panic!("{event} gave {settings:?}")
    };
    assert_eq!(setting.field(), Some(field));
    text.clone()
}

/// These values of a field are refused, and the message has these words.
fn all_values_refused(policy: &str, field: &str, values: &[Value], words: &[&str]) {
    for value in values {
        let event = with(subscription(policy), json!({field: value}));
        let shown: String = value.to_string().chars().take(60).collect();
        let words = [&[field, shown.as_str(), "accepted is"], words].concat();
        all_refused(vec![(event, &words)]);
    }
}

#[test]
fn a_subscription_needs_no_more_than_volume_and_policy() {
    for policy in PolicyKind::ALL {
        let request = accepted(&subscription(policy.as_str()));
        let Request::Subscribe(subscribe) = request else {
            panic!("{request:?}")
        };
        let expected = SubscribeRequest {
            dry_run: false,
            volume_id: VOLUME.to_owned(),
            policy,
            enabled: true,
            settings: BTreeMap::new(),
        };
        assert_eq!(subscribe, expected);
    }
}

#[test]
fn volume_and_policy_are_required_and_checked() {
    let event = |volume: Value, policy: Value| json!({"phase": "subscribe", "volume_id": volume, "policy": policy});
    let upper = event(json!(VOLUME.to_uppercase()), json!("daily"));
    let Request::Subscribe(request) = accepted(&upper) else {
        panic!()
    };
    assert_eq!(request.volume_id, VOLUME);
    let policies = &["policy", "express", "daily", "weekly", "monthly", "yearly"];
    all_refused(vec![
        (
            json!({"phase": "subscribe", "policy": "daily"}),
            &["volume_id", "missing", "UUID"],
        ),
        (
            json!({"phase": "subscribe", "volume_id": VOLUME}),
            &["policy", "missing", "express"],
        ),
        (
            event(json!("v1"), json!("daily")),
            &["volume_id", "v1", "UUID"],
        ),
        (event(json!(1), json!("daily")), &["volume_id", "UUID"]),
        (
            event(json!([VOLUME]), json!("daily")),
            &["volume_id", "UUID"],
        ),
        (event(json!(VOLUME), json!("hourly")), policies),
        (event(json!(VOLUME), json!("Daily")), policies),
        (event(json!(VOLUME), json!(["daily", "weekly"])), policies),
    ]);
}

#[test]
fn enabled_is_a_boolean_and_true_where_it_is_not_given() {
    assert!(subscribe(json!({})).enabled);
    assert!(subscribe(json!({"enabled": true})).enabled);
    assert!(!subscribe(json!({"enabled": false})).enabled);
    for value in [json!("true"), json!(1), json!(null)] {
        let event = with(subscription("daily"), json!({"enabled": value}));
        all_refused(vec![(event, &["enabled", "true or false"])]);
    }
}

#[test]
fn numbers_of_a_subscription_have_their_bounds() {
    let rows: [(&str, &str, &[u32], &[i64]); 5] = [
        ("daily", "retention_days", &[1, 36_500], &[0, 36_501, -1]),
        ("yearly", "keep_at_most", &[1, 1000], &[0, 1001, -1]),
        ("express", "keep_last", &[0, 1, 100], &[101, -1]),
        ("monthly", "day_of_month", &[1, 31], &[0, 32, -1]),
        (
            "express",
            "interval_hours",
            &[1, 2, 3, 4, 6, 8, 12],
            &[0, 5, 7, 24, -6],
        ),
    ];
    for (policy, field, good, bad) in rows {
        for number in good {
            assert_eq!(written(policy, field, &json!(number)), number.to_string());
        }
        let bad: Vec<Value> = bad.iter().map(|number| json!(number)).collect();
        all_values_refused(policy, field, &bad, &[]);
        let no_whole_numbers = [json!("7"), json!(7.0), json!(7.5), json!(1e300), json!([7])];
        all_values_refused(policy, field, &no_whole_numbers, &[]);
    }
}

#[test]
fn null_is_refused_with_the_advice_to_leave_the_field_out() {
    for setting in Setting::ALL {
        let Some(field) = setting.field() else {
            continue;
        };
        let owner = PolicyKind::ALL
            .into_iter()
            .find(|kind| setting.key(*kind).is_some());
        let policy = owner.expect("some policy has it").as_str();
        all_values_refused(policy, field, &[json!(null)], &["leave the field out"]);
    }
}

#[test]
fn a_timezone_is_an_iana_name_and_comes_out_in_its_own_capitals() {
    for (given, name) in [
        ("UTC", "UTC"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        (
            "America/Argentina/Buenos_Aires",
            "America/Argentina/Buenos_Aires",
        ),
        ("Asia/Calcutta", "Asia/Calcutta"),
    ] {
        assert_eq!(written("daily", "timezone", &json!(given)), name);
    }
    let wrong = [
        "",
        "Local",
        "Berlin",
        "CEST",
        "+02:00",
        "Etc/Unknown",
        "../etc/passwd",
        " UTC",
    ]
    .map(|text| json!(text));
    all_values_refused("daily", "timezone", &wrong, &["IANA"]);
    all_values_refused("daily", "timezone", &[json!(2)], &["IANA"]);
}

/// No time of day.
const NO_TIMES: [&str; 19] = [
    "",
    "24:00",
    "12:60",
    "12:00:60",
    "12",
    "12:0",
    "012:00",
    "12:000",
    ":30",
    "12:",
    "12:00:",
    "12:00:00:00",
    "-1:00",
    "+1:00",
    "12.00",
    "noon",
    " 12:00",
    "12:00 ",
    "１２:00",
];

#[test]
fn a_start_time_is_hours_and_minutes_with_or_without_seconds() {
    for good in ["00:00", "23:59", "9:30", "09:30", "23:59:59", "1:02:03"] {
        for policy in ["daily", "weekly", "monthly", "yearly"] {
            assert_eq!(written(policy, "start_time", &json!(good)), good);
        }
    }
    let wrong = NO_TIMES.map(|text| json!(text));
    all_values_refused("daily", "start_time", &wrong, &["HH:MM"]);
    let wrong = [json!(1200), json!(["12:00"])];
    all_values_refused("daily", "start_time", &wrong, &["HH:MM"]);
}

#[test]
fn times_are_a_list_of_different_times_and_are_written_with_commas() {
    for (given, text) in [
        (json!(["02:00", "14:00"]), "02:00,14:00"),
        (json!(["14:00", "2:00:30"]), "14:00,2:00:30"),
        (json!(["06:30"]), "06:30"),
    ] {
        assert_eq!(written("daily", "times", &given), text);
    }
    let many = |count: usize| -> Value {
        let times: Vec<String> = (0..count)
            .map(|n| format!("{:02}:{n:02}", n % 24))
            .collect();
        json!(times)
    };
    assert_eq!(written("daily", "times", &many(24)).split(',').count(), 24);
    let mut wrong = vec![
        many(25),
        json!([]),
        json!(["02:00", "02:00"]),
        json!(["02:00", "2:00"]),
        json!(["02:00:10", "02:00:20"]),
        json!(["02:00,14:00"]),
        json!(["02:00", null]),
        json!(["02:00", 14]),
        json!([["02:00"]]),
        json!("02:00,14:00"),
        json!({"02:00": true}),
    ];
    wrong.extend(NO_TIMES.map(|text| json!(["02:30", text])));
    all_values_refused(
        "daily",
        "times",
        &wrong,
        &["list of 1 to 24 different times"],
    );
}

#[test]
fn a_day_of_week_is_a_name_in_any_case_or_a_number_from_sunday() {
    for (given, text) in [
        (json!("sunday"), "sunday"),
        (json!("Saturday"), "Saturday"),
        (json!("WED"), "WED"),
        (json!("thu"), "thu"),
        (json!("0"), "0"),
        (json!("6"), "6"),
        (json!(0), "0"),
        (json!(6), "6"),
    ] {
        assert_eq!(written("weekly", "day_of_week", &given), text);
    }
    let wrong = [
        json!(""),
        json!("7"),
        json!(7),
        json!(-1),
        json!(1.0),
        json!("su"),
        json!("sund"),
        json!("Sonntag"),
        json!(" mon"),
        json!(["mon"]),
        json!("mon,tue"),
    ];
    all_values_refused("weekly", "day_of_week", &wrong, &["0 to 6"]);
}

#[test]
fn a_month_is_a_name_in_any_case_or_a_number_from_january() {
    for (given, text) in [
        (json!("january"), "january"),
        (json!("DEC"), "DEC"),
        (json!("12"), "12"),
        (json!(1), "1"),
        (json!(12), "12"),
    ] {
        assert_eq!(written("yearly", "month", &given), text);
    }
    let wrong = [
        json!(""),
        json!(0),
        json!(13),
        json!(-1),
        json!(1.0),
        json!("0"),
        json!("13"),
        json!("sept"),
        json!(" may"),
        json!(["may"]),
    ];
    all_values_refused("yearly", "month", &wrong, &["1 to 12"]);
}

#[test]
fn a_setting_that_does_not_belong_to_the_policy_is_refused_with_those_that_do() {
    let all = ["express", "daily", "weekly", "monthly", "yearly"].as_slice();
    let settings = [
        ("retention_days", json!(3), all),
        ("keep_at_most", json!(3), all),
        ("keep_last", json!(3), all),
        ("timezone", json!("UTC"), all),
        ("start_time", json!("01:00"), &all[1..]),
        ("times", json!(["01:00"]), &["daily"]),
        ("day_of_week", json!("mon"), &["weekly"]),
        ("month", json!(2), &["yearly"]),
        ("day_of_month", json!(31), &["monthly", "yearly"]),
        ("interval_hours", json!(8), &["express"]),
    ];
    for (field, value, owners) in settings {
        for policy in PolicyKind::ALL {
            let event = with(subscription(policy.as_str()), json!({field: value}));
            if owners.contains(&policy.as_str()) {
                accepted(&event);
            } else {
                let own = "retention_days, keep_at_most, keep_last, timezone";
                let words = [field, policy.as_str(), own];
                all_refused(vec![(event, &words)]);
            }
        }
    }
}

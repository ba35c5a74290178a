//! Events that tag a volume.

use serde_json::{Value, json};
use snapsentry::event::{Request, SubscribeRequest};
use snapsentry::policy::PolicyKind;

use crate::events::requests::{VOLUME, accepted, all_refused, subscribe, subscription, with};

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
            enabled_given: false,
            retention_days: None,
            timezone: None,
            start_time: None,
            day_of_week: None,
            day_of_month: None,
            interval_hours: None,
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
    let policies = &["policy", "express", "daily", "weekly", "monthly"];
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
fn enabled_is_a_boolean_and_it_is_known_whether_it_was_given() {
    let unsaid = subscribe(json!({}));
    assert_eq!((unsaid.enabled, unsaid.enabled_given), (true, false));
    let on = subscribe(json!({"enabled": true}));
    assert_eq!((on.enabled, on.enabled_given), (true, true));
    let off = subscribe(json!({"enabled": false}));
    assert_eq!((off.enabled, off.enabled_given), (false, true));
    let text = with(subscription("daily"), json!({"enabled": "true"}));
    all_refused(vec![(text, &["enabled", "true or false"])]);
}

#[test]
fn numbers_of_a_subscription_have_their_bounds() {
    let rows: [(&str, &str, &[u32], Vec<Value>); 3] = [
        (
            "daily",
            "retention_days",
            &[1, 36_500],
            vec![
                json!(0),
                json!(36_501),
                json!(-1),
                json!("7"),
                json!(7.0),
                json!(1e300),
            ],
        ),
        (
            "monthly",
            "day_of_month",
            &[1, 31],
            vec![json!(0), json!(32), json!(-1), json!("31"), json!(1.5)],
        ),
        (
            "express",
            "interval_hours",
            &[6, 8, 12],
            vec![
                json!(0),
                json!(1),
                json!(7),
                json!(24),
                json!("6"),
                json!(-6),
            ],
        ),
    ];
    for (policy, field, good, bad) in rows {
        for &number in good {
            let event = with(subscription(policy), json!({field: number}));
            let Request::Subscribe(read) = accepted(&event) else {
                panic!()
            };
            let all = [read.retention_days, read.day_of_month, read.interval_hours];
            assert_eq!(
                all.into_iter().flatten().collect::<Vec<_>>(),
                [number],
                "{field}"
            );
        }
        for value in bad {
            let event = with(subscription(policy), json!({field: value}));
            all_refused(vec![(event, &[field, &value.to_string(), "accepted is"])]);
        }
    }
}

#[test]
fn a_timezone_is_an_iana_name_and_comes_out_in_its_own_capitals() {
    let rows = [
        ("UTC", "UTC"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        (
            "America/Argentina/Buenos_Aires",
            "America/Argentina/Buenos_Aires",
        ),
        ("Asia/Calcutta", "Asia/Calcutta"),
    ];
    for (written, name) in rows {
        let read = subscribe(json!({"timezone": written}));
        assert_eq!(read.timezone.as_deref(), Some(name), "{written}");
    }
    for wrong in [
        "",
        "Local",
        "Berlin",
        "CEST",
        "+02:00",
        "Etc/Unknown",
        "../etc/passwd",
        " UTC",
    ] {
        let event = with(subscription("daily"), json!({"timezone": wrong}));
        all_refused(vec![(event, &["timezone", wrong, "IANA"])]);
    }
    let number = with(subscription("daily"), json!({"timezone": 2}));
    all_refused(vec![(number, &["timezone", "IANA"])]);
}

#[test]
fn a_start_time_is_hours_and_minutes_with_or_without_seconds() {
    for good in ["00:00", "23:59", "9:30", "09:30", "23:59:59", "1:02:03"] {
        let read = subscribe(json!({"start_time": good}));
        assert_eq!(read.start_time.as_deref(), Some(good));
    }
    let bad = [
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
    for wrong in bad {
        let event = with(subscription("daily"), json!({"start_time": wrong}));
        all_refused(vec![(event, &["start_time", "HH:MM"])]);
    }
    let number = with(subscription("daily"), json!({"start_time": 1200}));
    all_refused(vec![(number, &["start_time", "1200", "HH:MM"])]);
}

#[test]
fn a_day_of_week_is_a_name_in_any_case_or_a_number_from_sunday() {
    let rows = [
        (json!("sunday"), "sunday"),
        (json!("Saturday"), "Saturday"),
        (json!("WED"), "WED"),
        (json!("thu"), "thu"),
        (json!("0"), "0"),
        (json!("6"), "6"),
        (json!(0), "0"),
        (json!(6), "6"),
    ];
    for (written, read) in rows {
        let event = with(subscription("weekly"), json!({"day_of_week": written}));
        let Request::Subscribe(request) = accepted(&event) else {
            panic!()
        };
        assert_eq!(request.day_of_week.as_deref(), Some(read));
    }
    let bad = [
        json!(""),
        json!("7"),
        json!(7),
        json!(-1),
        json!(1.0),
        json!("su"),
        json!("sund"),
        json!("Sonntag"),
        json!("00"),
        json!(" mon"),
        json!(["mon"]),
        json!("mon,tue"),
    ];
    for wrong in bad {
        let event = with(subscription("weekly"), json!({"day_of_week": wrong}));
        all_refused(vec![(
            event,
            &["day_of_week", &wrong.to_string(), "0 to 6"],
        )]);
    }
}

#[test]
fn a_setting_that_does_not_belong_to_the_policy_is_refused_with_those_that_do() {
    let settings = [
        (
            "retention_days",
            json!(3),
            ["express", "daily", "weekly", "monthly"].as_slice(),
        ),
        (
            "timezone",
            json!("UTC"),
            &["express", "daily", "weekly", "monthly"],
        ),
        (
            "start_time",
            json!("01:00"),
            &["daily", "weekly", "monthly"],
        ),
        ("day_of_week", json!("mon"), &["weekly"]),
        ("day_of_month", json!(31), &["monthly"]),
        ("interval_hours", json!(8), &["express"]),
    ];
    for (field, value, owners) in settings {
        for policy in PolicyKind::ALL {
            let event = with(subscription(policy.as_str()), json!({field: value}));
            if owners.contains(&policy.as_str()) {
                accepted(&event);
            } else {
                let words = [field, policy.as_str(), "retention_days, timezone"];
                all_refused(vec![(event, &words)]);
            }
        }
    }
}

//! Events: what is accepted, what it becomes, and what is said of the rest.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use snapsentry::event::{Glimpse, PassRequest, Phase, Request, SubscribeRequest};
use snapsentry::plan::Shard;
use snapsentry::policy::PolicyKind;

const VOLUME: &str = "7d3e2a4c-52a6-4b5c-9f0e-1c2d3e4f5a6b";

fn accepted(event: &Value) -> Request {
    Request::parse(event).unwrap_or_else(|error| panic!("{event}: {error}"))
}

fn refused(event: &Value) -> String {
    match Request::parse(event) {
        Ok(request) => panic!("{event} was accepted as {request:?}"),
        Err(error) => error.to_string(),
    }
}

/// Each event is refused, and the message has every one of these words.
fn all_refused(rows: Vec<(Value, &[&str])>) {
    for (event, words) in rows {
        let message = refused(&event);
        for word in words {
            assert!(message.contains(word), "{event}\nlacks {word:?}: {message}");
        }
        assert!(!message.contains('\n'), "{message}");
    }
}

fn pass(event: &Value) -> PassRequest {
    match accepted(event) {
        Request::Snapshot(pass) | Request::Expire(pass) => pass,
        other => panic!("{other:?}"),
    }
}

fn subscribe(settings: Value) -> SubscribeRequest {
    match accepted(&with(subscription("daily"), settings)) {
        Request::Subscribe(subscribe) => subscribe,
        other => panic!("{other:?}"),
    }
}

fn subscription(policy: &str) -> Value {
    json!({"phase": "subscribe", "volume_id": VOLUME, "policy": policy})
}

fn with(mut event: Value, fields: Value) -> Value {
    let fields = fields.as_object().expect("fields are an object").clone();
    let object = event.as_object_mut().expect("an event is an object");
    object.extend(fields);
    event
}

fn envelope(detail: Value) -> Value {
    json!({
        "version": "0", "id": "0b2c3d4e-5f60-4718-89a0-b1c2d3e4f506",
        "detail-type": "Scheduled Event", "source": "aws.events", "account": "123456789012",
        "time": "2026-11-22T09:10:00Z", "region": "eu-central-1", "resources": [],
        "detail": detail
    })
}

#[test]
fn every_sample_event_is_accepted_as_it_is() {
    let rows = [
        ("snapshot", Phase::Snapshot, false),
        ("expire", Phase::Expire, false),
        ("snapshot-dry-run", Phase::Snapshot, true),
        ("expire-dry-run", Phase::Expire, true),
        ("eventbridge-snapshot", Phase::Snapshot, false),
        ("eventbridge-expire", Phase::Expire, false),
        ("snapshot-shard", Phase::Snapshot, false),
        ("snapshot-volumes", Phase::Snapshot, false),
        ("subscribe-express", Phase::Subscribe, false),
        ("subscribe-daily", Phase::Subscribe, false),
        ("subscribe-weekly", Phase::Subscribe, false),
        ("subscribe-monthly", Phase::Subscribe, false),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let files: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<String> = rows.iter().map(|row| format!("{}.json", row.0)).collect();
    assert_eq!(
        files, expected,
        "a sample without a row here, or the other way round"
    );
    for (name, phase, dry_run) in rows {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let event: Value = serde_json::from_str(&text).unwrap();
        let request = accepted(&event);
        assert_eq!(
            (request.phase(), request.dry_run()),
            (phase, dry_run),
            "{name}"
        );
        if let Request::Subscribe(subscribe) = request {
            assert!(name.ends_with(subscribe.policy.as_str()), "{name}");
        }
    }
}

#[test]
fn a_phase_alone_is_a_request_over_everything() {
    let everything = PassRequest::default();
    assert_eq!(
        accepted(&json!({"phase": "snapshot"})),
        Request::Snapshot(everything.clone())
    );
    assert_eq!(
        accepted(&json!({"phase": "expire"})),
        Request::Expire(everything)
    );
}

#[test]
fn the_phase_is_required_and_one_of_three() {
    let names = &["phase", "snapshot", "expire", "subscribe"];
    all_refused(vec![
        (json!({}), names),
        (json!({"dry_run": true}), names),
        (json!({"phase": "Snapshot"}), names),
        (json!({"phase": "delete"}), names),
        (json!({"phase": ""}), names),
        (json!({"phase": null}), names),
        (json!({"phase": 1}), names),
        (json!({"phase": ["snapshot"]}), names),
    ]);
}

#[test]
fn a_payload_that_is_no_object_is_refused() {
    all_refused(vec![
        (json!(null), &["null", "JSON object", "phase"]),
        (json!([{"phase": "snapshot"}]), &["an array", "JSON object"]),
        (json!("snapshot"), &["a string", "JSON object"]),
        (json!(7), &["a number", "JSON object"]),
        (json!(true), &["a boolean", "JSON object"]),
    ]);
}

#[test]
fn an_envelope_is_opened_and_its_detail_is_the_request() {
    let detail = json!({"phase": "expire", "dry_run": true, "shard": {"index": 1, "count": 2}});
    assert_eq!(accepted(&envelope(detail.clone())), accepted(&detail));
    let own = with(envelope(detail.clone()), json!({"replay-name": "again"}));
    assert_eq!(accepted(&own), accepted(&detail));
}

#[test]
fn an_envelope_without_a_phase_is_refused_and_told_of_the_constant_input() {
    let advice = &["phase", "constant Input"];
    all_refused(vec![
        (envelope(json!({})), advice),
        (envelope(json!({"dry_run": true})), advice),
        (envelope(json!(null)), advice),
        (envelope(json!("snapshot")), advice),
        (
            json!({"detail-type": "Scheduled Event", "source": "aws.events"}),
            advice,
        ),
        (
            json!({"detail": {"phase": "snapshot"}}),
            &["detail-type", "constant Input"],
        ),
        (
            json!({"detail-type": "x", "detail": {"phase": "snapshot"}}),
            &["source", "constant Input"],
        ),
    ]);
}

#[test]
fn a_field_beside_an_envelopes_detail_is_refused_since_it_would_be_lost() {
    let detail = json!({"phase": "expire"});
    all_refused(vec![
        (
            with(envelope(detail.clone()), json!({"dry_run": true})),
            &["dry_run", "inside detail"],
        ),
        (
            with(envelope(detail.clone()), json!({"volume_id": VOLUME})),
            &["volume_id", "inside detail"],
        ),
        (
            with(envelope(detail), json!({"phase": "expire"})),
            &["detail", "no such field"],
        ),
    ]);
}

#[test]
fn an_unknown_field_is_refused_with_the_fields_of_the_phase() {
    let pass: &[&str] = &["phase, dry_run, as_of, volume_ids, shard"];
    all_refused(vec![
        (
            json!({"phase": "snapshot", "dryrun": true}),
            &["dryrun", pass[0]],
        ),
        (
            json!({"phase": "expire", "DRY_RUN": true}),
            &["DRY_RUN", pass[0]],
        ),
        (
            json!({"phase": "expire", "volume_id": VOLUME}),
            &["volume_id", pass[0], "subscribe only"],
        ),
        (
            json!({"phase": "snapshot", "policy": "daily", "enabled": true}),
            &["enabled, policy", pass[0], "subscribe only"],
        ),
        (
            with(
                subscription("daily"),
                json!({"as_of": "2026-11-22T09:10:00Z"}),
            ),
            &[
                "as_of",
                "retention_days",
                "interval_hours",
                "snapshot and expire only",
            ],
        ),
        (
            with(
                subscription("daily"),
                json!({"shard": {"index": 0, "count": 1}}),
            ),
            &["shard", "volume_id, policy, enabled"],
        ),
        (
            with(subscription("daily"), json!({"retention": 3})),
            &["retention", "retention_days"],
        ),
        (
            json!({"phase": "snapshot", "shard": {"index": 0, "count": 1, "of": 2}}),
            &["shard.of", "index", "count"],
        ),
    ]);
}

#[test]
fn null_is_never_a_value() {
    let pass = ["dry_run", "as_of", "volume_ids", "shard"];
    for field in pass {
        let message = refused(&json!({"phase": "snapshot", field: null}));
        assert!(
            message.starts_with(field) && message.contains("null"),
            "{message}"
        );
    }
    let daily = [
        "dry_run",
        "enabled",
        "retention_days",
        "timezone",
        "start_time",
    ];
    let own = [
        ("weekly", "day_of_week"),
        ("monthly", "day_of_month"),
        ("express", "interval_hours"),
    ];
    let all = daily.map(|field| ("daily", field)).into_iter().chain(own);
    for (policy, field) in all.chain([("daily", "volume_id"), ("daily", "policy")]) {
        let message = refused(&with(subscription(policy), json!({field: null})));
        assert!(
            message.starts_with(field) && message.contains("null"),
            "{message}"
        );
    }
}

#[test]
fn dry_run_is_a_boolean_and_false_unless_said() {
    assert!(!pass(&json!({"phase": "expire"})).dry_run);
    assert!(!pass(&json!({"phase": "expire", "dry_run": false})).dry_run);
    assert!(pass(&json!({"phase": "expire", "dry_run": true})).dry_run);
    assert!(subscribe(json!({"dry_run": true})).dry_run);
    for wrong in [
        json!("true"),
        json!(1),
        json!("yes"),
        json!([true]),
        json!({}),
    ] {
        let event = json!({"phase": "expire", "dry_run": wrong});
        all_refused(vec![(
            event,
            &["dry_run", "true or false", &wrong.to_string()],
        )]);
    }
}

#[test]
fn as_of_is_an_rfc_3339_instant_of_a_dry_run() {
    let rows = [
        ("2026-11-22T09:10:00Z", "2026-11-22T09:10:00Z"),
        ("2026-11-22T10:10:00+01:00", "2026-11-22T09:10:00Z"),
        ("2026-11-22T09:10:00.250Z", "2026-11-22T09:10:00.250Z"),
    ];
    for (written, instant) in rows {
        let event = json!({"phase": "snapshot", "dry_run": true, "as_of": written});
        assert_eq!(
            pass(&event).as_of,
            Some(instant.parse().unwrap()),
            "{written}"
        );
    }
    let wrong = [
        json!("2026-11-22"),
        json!("2026-11-22T09:10:00"),
        json!("yesterday"),
        json!(""),
        json!(1_795_000_000),
        json!("1969-12-31T23:59:59Z"),
        json!("9999-12-31T23:59:59Z"),
    ];
    for value in wrong {
        let event = json!({"phase": "snapshot", "dry_run": true, "as_of": value});
        all_refused(vec![(event, &["as_of", "RFC 3339", &value.to_string()])]);
    }
    let instant = "2026-11-22T09:10:00Z";
    all_refused(vec![
        (
            json!({"phase": "snapshot", "as_of": instant}),
            &["as_of", "dry_run"],
        ),
        (
            json!({"phase": "expire", "dry_run": false, "as_of": instant}),
            &["as_of", "dry_run"],
        ),
    ]);
}

#[test]
fn volume_ids_are_1_to_500_uuids_in_any_case() {
    let other = "B1F4C9DE-0A3F-4E57-8D21-6F7A8B9C0D1E";
    let event = json!({"phase": "snapshot", "volume_ids": [VOLUME, other, VOLUME]});
    let expected = BTreeSet::from([VOLUME.to_owned(), other.to_lowercase()]);
    assert_eq!(pass(&event).volume_ids, Some(expected));

    let ids = |count: usize| -> Vec<String> {
        (0..count)
            .map(|n| format!("00000000-0000-4000-8000-{n:012}"))
            .collect()
    };
    let most = json!({"phase": "expire", "volume_ids": ids(500)});
    assert_eq!(pass(&most).volume_ids.map(|ids| ids.len()), Some(500));

    let event = |value: Value| json!({"phase": "expire", "volume_ids": value});
    let limits = &["volume_ids", "1 to 500"];
    all_refused(vec![
        (event(json!(ids(501))), &["volume_ids", "501", "1 to 500"]),
        (event(json!([])), limits),
        (event(json!(VOLUME)), limits),
        (event(json!({"0": VOLUME})), limits),
        (event(json!([VOLUME, 7])), &["volume_ids[1]", "7", "UUID"]),
        (event(json!([null])), &["volume_ids[0]", "null", "UUID"]),
        (
            event(json!(["my-volume"])),
            &["volume_ids[0]", "my-volume", "UUID"],
        ),
        (event(json!([""])), &["volume_ids[0]", "UUID"]),
        (
            event(json!([VOLUME.replace('-', "")])),
            &["volume_ids[0]", "UUID"],
        ),
        (
            event(json!([VOLUME.replace('7', "g")])),
            &["volume_ids[0]", "UUID"],
        ),
        (
            event(json!([format!("{{{VOLUME}}}")])),
            &["volume_ids[0]", "UUID"],
        ),
        (
            event(json!([format!(" {VOLUME}")])),
            &["volume_ids[0]", "UUID"],
        ),
    ]);
}

#[test]
fn a_shard_is_an_index_below_a_count_of_at_most_256() {
    let event = |shard: Value| json!({"phase": "snapshot", "shard": shard});
    for (index, count) in [(0, 1), (3, 4), (255, 256)] {
        let shard = pass(&event(json!({"index": index, "count": count}))).shard;
        assert_eq!(shard, Some(Shard { index, count }));
    }
    all_refused(vec![
        (
            event(json!({"index": 4, "count": 4})),
            &["shard.index", "4", "0 to 3"],
        ),
        (
            event(json!({"index": 0, "count": 0})),
            &["shard.count", "0", "1 to 256"],
        ),
        (
            event(json!({"index": 0, "count": 257})),
            &["shard.count", "257", "256"],
        ),
        (
            event(json!({"index": 0, "count": 18_446_744_073_709_551_615_u64})),
            &["shard.count", "256"],
        ),
        (
            event(json!({"index": 4_294_967_296_u64, "count": 4})),
            &["shard.index", "0 to 3"],
        ),
        (
            event(json!({"index": -1, "count": 4})),
            &["shard.index", "-1"],
        ),
        (
            event(json!({"index": 0.5, "count": 4})),
            &["shard.index", "0.5"],
        ),
        (
            event(json!({"index": "0", "count": 4})),
            &["shard.index", "\"0\""],
        ),
        (
            event(json!({"index": null, "count": 4})),
            &["shard.index", "null"],
        ),
        (event(json!({"count": 4})), &["shard.index", "missing"]),
        (event(json!({"index": 0})), &["shard.count", "missing"]),
        (event(json!({})), &["shard.index", "missing"]),
        (event(json!([0, 4])), &["shard", "index < count"]),
        (event(json!("0/4")), &["shard", "index < count"]),
    ]);
}

proptest! {
    #[test]
    fn the_shards_of_all_indexes_are_disjoint_and_cover_everything(
        key in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        count in 1_u32..=256,
    ) {
        let shares = (0..count).filter(|&index| Shard { index, count }.contains(&key));
        prop_assert_eq!(shares.count(), 1);
    }

    #[test]
    fn no_payload_panics_and_every_refusal_says_something(
        phase in prop::sample::select(vec!["snapshot", "expire", "subscribe", "other"]),
        fields in prop::collection::btree_map(
            prop::sample::select(vec![
                "dry_run", "as_of", "volume_ids", "shard", "volume_id", "policy", "enabled",
                "retention_days", "timezone", "start_time", "day_of_week", "day_of_month",
                "interval_hours", "detail", "detail-type", "source", "nonsense",
            ]),
            any_value(),
            0..6,
        ),
    ) {
        let mut event = json!({"phase": phase});
        for (field, value) in fields {
            event[field] = value;
        }
        let glimpse = Glimpse::of(&event);
        match Request::parse(&event) {
            Ok(request) => {
                prop_assert_eq!(glimpse.phase, Some(request.phase()));
                prop_assert_eq!(glimpse.dry_run, request.dry_run());
            }
            Err(error) => prop_assert!(error.to_string().len() > 20),
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[0-9:]{0,8}".prop_map(Value::from),
        Just(json!(VOLUME)),
        Just(json!("daily")),
        Just(json!("2026-11-22T09:10:00Z")),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("index|count|phase|[a-z]{0,4}", inner, 0..4)
                .prop_map(|map| json!(map)),
        ]
    })
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

#[test]
fn a_long_value_is_cut_in_the_message() {
    let message = refused(&json!({"phase": "x".repeat(10_000)}));
    assert!(message.len() < 300, "{}", message.len());
    let message = refused(&json!({"phase": "snapshot", "x".repeat(10_000): 1, "\n": 2}));
    assert!(message.len() < 400 && !message.contains('\n'), "{message}");
    let message = refused(&json!({"phase": "ü".repeat(10_000)}));
    assert!(message.chars().count() < 300);
}

#[test]
fn a_glimpse_tells_phase_and_dry_run_of_whatever_comes() {
    let rows = [
        (json!({"phase": "snapshot"}), Some(Phase::Snapshot), false),
        (
            json!({"phase": "expire", "dry_run": true}),
            Some(Phase::Expire),
            true,
        ),
        (
            json!({"phase": "subscribe", "nonsense": 1}),
            Some(Phase::Subscribe),
            false,
        ),
        (
            json!({"phase": "expire", "dry_run": true, "as_of": "bad"}),
            Some(Phase::Expire),
            true,
        ),
        (
            json!({"phase": "expire", "dry_run": "true"}),
            Some(Phase::Expire),
            false,
        ),
        (json!({"phase": "other", "dry_run": true}), None, true),
        (json!({"dry_run": true}), None, true),
        (
            envelope(json!({"phase": "expire", "dry_run": true})),
            Some(Phase::Expire),
            true,
        ),
        (envelope(json!({"dry_run": true})), None, true),
        (envelope(json!("expire")), None, false),
        (json!({"detail-type": "x"}), None, false),
        (json!([1]), None, false),
        (json!(null), None, false),
        (json!("snapshot"), None, false),
    ];
    for (payload, phase, dry_run) in rows {
        assert_eq!(
            Glimpse::of(&payload),
            Glimpse { phase, dry_run },
            "{payload}"
        );
    }
}

#[test]
fn phases_are_called_what_events_and_metrics_call_them() {
    let names = [Phase::Snapshot, Phase::Expire, Phase::Subscribe].map(Phase::as_str);
    assert_eq!(names, ["snapshot", "expire", "subscribe"]);
}

//! What holds for events of every phase, and for what is none.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use snapsentry::event::{Event, EventLabels, Phase, Request};

use crate::events::requests::{
    VOLUME, all_refused, envelope, pass, read, refused, subscribe, subscription, with,
};

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
        ("snapshot-cloud", Phase::Snapshot, false),
        ("targets-snapshot", Phase::Targets, false),
        ("targets-expire", Phase::Targets, false),
        ("subscribe-express", Phase::Subscribe, false),
        ("subscribe-hourly", Phase::Subscribe, false),
        ("subscribe-daily", Phase::Subscribe, false),
        ("subscribe-keep-seven", Phase::Subscribe, false),
        ("subscribe-weekly", Phase::Subscribe, false),
        ("subscribe-monthly", Phase::Subscribe, false),
        ("subscribe-yearly", Phase::Subscribe, false),
        ("report", Phase::Report, false),
        ("report-attention", Phase::Report, false),
        ("report-widget", Phase::Report, false),
        ("restore", Phase::Restore, false),
        ("restore-dry-run", Phase::Restore, true),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let files: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    let expected: BTreeSet<String> = rows.iter().map(|row| format!("{}.json", row.0)).collect();
    assert_eq!(
        files, expected,
        "a sample without a row here, or the other way round"
    );
    for (name, phase, dry_run) in rows {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let event: Value = serde_json::from_str(&text).unwrap();
        let request = read(&event);
        assert_eq!(
            (request.phase(), request.dry_run()),
            (phase, dry_run),
            "{name}"
        );
        if let Event::Cloud {
            request: Request::Subscribe(subscribe),
            ..
        } = request
        {
            let policy = match name {
                "subscribe-hourly" => "express",
                "subscribe-keep-seven" => "daily",
                _ => name.trim_start_matches("subscribe-"),
            };
            assert_eq!(subscribe.policy.as_str(), policy, "{name}");
        }
    }
}

#[test]
fn the_phase_is_required_and_one_of_those_there_are() {
    let names = &[
        "phase",
        "snapshot",
        "expire",
        "subscribe",
        "targets",
        "restore",
    ];
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
fn an_unknown_field_is_refused_with_the_fields_of_the_phase() {
    let pass: &[&str] = &["phase, cloud, dry_run, as_of, volume_ids, shard"];
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
            &["shard", "cloud, dry_run, volume_id, policy, enabled"],
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

proptest! {
    #[test]
    fn no_payload_panics_and_every_refusal_says_something(
        phase in prop::sample::select(vec!["snapshot", "expire", "subscribe", "targets", "other"]),
        fields in prop::collection::btree_map(
            prop::sample::select(vec![
                "dry_run", "as_of", "volume_ids", "shard", "volume_id", "policy", "enabled",
                "retention_days", "timezone", "start_time", "day_of_week", "day_of_month",
                "interval_hours", "cloud", "for", "spread_seconds", "detail", "detail-type", "source", "nonsense",
            ]),
            any_value(),
            0..6,
        ),
    ) {
        let mut event = json!({"phase": phase});
        for (field, value) in fields {
            event[field] = value;
        }
        let labels = EventLabels::of(&event);
        match Event::parse(&event) {
            Ok(request) => {
                prop_assert_eq!(labels.phase, Some(request.phase()));
                prop_assert_eq!(labels.dry_run, request.dry_run());
                prop_assert_eq!(labels.cloud.as_ref(), request.cloud());
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
fn a_long_value_is_cut_in_the_message() {
    let message = refused(&json!({"phase": "x".repeat(10_000)}));
    assert!(message.len() < 300, "{}", message.len());
    let message = refused(&json!({"phase": "snapshot", "x".repeat(10_000): 1, "\n": 2}));
    assert!(message.len() < 400 && !message.contains('\n'), "{message}");
    let message = refused(&json!({"phase": "ü".repeat(10_000)}));
    assert!(message.chars().count() < 300);
}

#[test]
fn labels_tell_phase_and_dry_run_of_whatever_comes() {
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
            EventLabels::of(&payload),
            EventLabels {
                phase,
                dry_run,
                cloud: None
            },
            "{payload}"
        );
    }
}

#[test]
fn phases_are_called_what_events_and_metrics_call_them() {
    for phase in Phase::ALL {
        assert_eq!(Phase::named(phase.as_str()), Some(phase));
        assert!(Phase::all_in_words().contains(&format!("\"{phase}\"")));
    }
    let names = [
        Phase::Snapshot,
        Phase::Expire,
        Phase::Subscribe,
        Phase::Targets,
    ];
    let names = names.map(Phase::as_str);
    assert_eq!(names, ["snapshot", "expire", "subscribe", "targets"]);
}

//! Each way of asking wrongly.

use bytes::Bytes;
use serde_json::{Value, json};
use simcloud::lambda::Deadline;

use crate::world::{MINUTE, World, daily};

const ABSENT: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn a_bad_event_is_refused_with_the_field_and_what_is_accepted() {
    let world = World::new().await;
    let mut function = world.function().await;
    let snapshot = |field: &str, value: Value| {
        let mut event = json!({"phase": "snapshot"});
        event[field] = value;
        event
    };
    let subscribe = |policy: &str, field: &str, value: Value| {
        let mut event = json!({"phase": "subscribe", "volume_id": ABSENT, "policy": policy});
        event[field] = value;
        event
    };
    let too_many: Vec<String> = (0..501)
        .map(|n| format!("00000000-0000-4000-8000-{n:012}"))
        .collect();
    let rows: Vec<(Value, &[&str])> = vec![
        (json!({}), &["phase", "snapshot", "expire", "subscribe"]),
        (json!({"phase": null}), &["phase"]),
        (json!({"phase": "targets"}), &["for", "snapshot", "expire"]),
        (
            json!({"phase": "targets", "for": "expire", "spread_seconds": 241}),
            &["spread_seconds", "240"],
        ),
        (
            json!({"phase": "targets", "for": "expire", "cloud": "blue"}),
            &["cloud"],
        ),
        (
            snapshot("cloud", json!("a b")),
            &["cloud", "A-Z a-z 0-9 . _ -"],
        ),
        (
            subscribe("daily", "cloud", json!("")),
            &["cloud", "1 to 64"],
        ),
        (json!({"phase": 7}), &["phase"]),
        (json!({"phase": "Snapshot"}), &["phase", "snapshot"]),
        (json!([]), &["phase"]),
        (json!("snapshot"), &["phase"]),
        (json!(null), &["phase"]),
        (snapshot("dryrun", json!(true)), &["dryrun", "dry_run"]),
        (snapshot("policy", json!("daily")), &["policy"]),
        (snapshot("volume_id", json!(ABSENT)), &["volume_id"]),
        (snapshot("dry_run", json!("yes")), &["dry_run", "true"]),
        (
            snapshot("as_of", json!("2026-11-22T09:10:00Z")),
            &["as_of", "dry_run"],
        ),
        (snapshot("volume_ids", json!([])), &["volume_ids", "500"]),
        (
            snapshot("volume_ids", json!(too_many)),
            &["volume_ids", "500"],
        ),
        (
            snapshot("volume_ids", json!(["x"])),
            &["volume_ids", "UUID"],
        ),
        (snapshot("volume_ids", json!(ABSENT)), &["volume_ids"]),
        (
            snapshot("shard", json!({"index": 4, "count": 4})),
            &["shard", "index"],
        ),
        (
            snapshot("shard", json!({"index": 0, "count": 257})),
            &["shard", "256"],
        ),
        (
            snapshot("shard", json!({"index": 0, "count": 0})),
            &["shard", "count"],
        ),
        (
            snapshot("shard", json!({"index": -1, "count": 4})),
            &["shard", "index"],
        ),
        (snapshot("shard", json!({"count": 4})), &["shard", "index"]),
        (
            snapshot("shard", json!({"index": 0, "count": 4, "of": 1})),
            &["of"],
        ),
        (json!({"phase": "expire", "enabled": true}), &["enabled"]),
        (
            json!({"phase": "subscribe", "policy": "daily"}),
            &["volume_id"],
        ),
        (
            json!({"phase": "subscribe", "volume_id": ABSENT}),
            &["policy"],
        ),
        (
            json!({"phase": "subscribe", "volume_id": "x", "policy": "daily"}),
            &["volume_id", "UUID"],
        ),
        (
            subscribe("hourly", "dry_run", json!(true)),
            &["policy", "express"],
        ),
        (
            subscribe("daily", "volume_ids", json!([ABSENT])),
            &["volume_ids"],
        ),
        (
            subscribe("daily", "shard", json!({"index": 0, "count": 1})),
            &["shard"],
        ),
        (
            subscribe("daily", "as_of", json!("2026-11-22T09:10:00Z")),
            &["as_of"],
        ),
        (subscribe("daily", "enabled", json!(null)), &["enabled"]),
        (
            subscribe("daily", "retention_days", json!(null)),
            &["retention_days"],
        ),
        (
            subscribe("daily", "retention_days", json!(0)),
            &["retention_days", "36500"],
        ),
        (
            subscribe("daily", "retention_days", json!(36501)),
            &["retention_days", "36500"],
        ),
        (
            subscribe("daily", "timezone", json!("Mars/Olympus")),
            &["timezone", "IANA"],
        ),
        (
            subscribe("daily", "start_time", json!("25:00")),
            &["start_time", "HH:MM"],
        ),
        (
            subscribe("daily", "day_of_week", json!("monday")),
            &["day_of_week"],
        ),
        (
            subscribe("daily", "day_of_month", json!(1)),
            &["day_of_month"],
        ),
        (
            subscribe("daily", "interval_hours", json!(6)),
            &["interval_hours"],
        ),
        (
            subscribe("weekly", "day_of_week", json!("someday")),
            &["day_of_week"],
        ),
        (
            subscribe("monthly", "day_of_month", json!(32)),
            &["day_of_month", "31"],
        ),
        (
            subscribe("monthly", "day_of_month", json!(0)),
            &["day_of_month", "31"],
        ),
        (
            subscribe("express", "interval_hours", json!(7)),
            &["interval_hours", "12"],
        ),
        (
            subscribe("express", "interval_hours", json!(5)),
            &["interval_hours", "1, 2, 3, 4, 6, 8 or 12"],
        ),
        (
            subscribe("yearly", "month", json!(13)),
            &["month", "1 to 12"],
        ),
        (
            subscribe("monthly", "month", json!(3)),
            &["month", "monthly"],
        ),
        (
            subscribe("weekly", "times", json!(["01:00"])),
            &["times", "weekly"],
        ),
        (
            subscribe("daily", "times", json!(["01:00", "1:00"])),
            &["times", "different"],
        ),
        (
            subscribe("daily", "keep_at_most", json!(0)),
            &["keep_at_most", "1 to 1000"],
        ),
        (
            subscribe("daily", "keep_last", json!(101)),
            &["keep_last", "0 to 100"],
        ),
        (
            subscribe("daily", "keep_last", json!(null)),
            &["keep_last", "null", "leave the field out"],
        ),
        (
            subscribe("express", "start_time", json!("06:00")),
            &["start_time"],
        ),
    ];
    for (event, words) in rows {
        let run = function.run(event.clone()).await;
        let message = run.fails("InvalidEvent");
        for word in words {
            assert!(message.contains(word), "{event}: lacks {word:?}: {message}");
        }
    }
    for as_of in ["2026-11-22", "2026-11-22T09:10:00", "yesterday"] {
        let event = json!({"phase": "snapshot", "dry_run": true, "as_of": as_of});
        let run = function.run(event).await;
        run.fails_with("InvalidEvent", &["as_of", "RFC 3339"]);
    }
    assert_eq!(world.cloud.journal().total(), 0, "before any call");
}

#[tokio::test]
async fn a_payload_that_is_no_json_is_refused_and_the_sandbox_lives_on() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    let mut function = world.function().await;
    let raw = Bytes::from_static(b"{phase: snapshot}");
    let refused = function
        .function
        .invoke_raw(raw, Deadline::After(MINUTE))
        .await;
    assert!(refused.result.is_err());
    assert_eq!(world.cloud.journal().total(), 0);
    assert_eq!(function.snapshot().await.did(), "created 1");
}

#[tokio::test]
async fn what_follows_the_json_is_not_left_unread() {
    let world = World::new().await;
    let volume = world.volume(&[&daily()]);
    let expired = [
        world.expired(&volume, &daily(), 1),
        world.expired(&volume, &daily(), 2),
    ];
    let mut function = world.function().await;
    for raw in [
        r#"{"phase": "expire"}, "dry_run": true}"#,
        r#"{"phase": "expire"} {"dry_run": true}"#,
        r#"{"phase": "expire"}}"#,
        r#"{"phase": "expire"}x"#,
    ] {
        let raw = Bytes::from_static(raw.as_bytes());
        let refused = function
            .function
            .invoke_raw(raw, Deadline::After(MINUTE))
            .await;
        assert_ne!(refused.failure().error_type, "InvalidEvent");
        assert!(refused.log.join("").contains("trailing characters"));
    }
    assert_eq!(world.cloud.journal().total(), 0);
    assert!(expired.iter().all(|snapshot| world.has(snapshot)));
    let blanks = Bytes::from_static(b" {\"phase\": \"expire\"}\r\n\t ");
    let run = function
        .function
        .invoke_raw(blanks, Deadline::After(MINUTE))
        .await;
    assert_eq!(run.answer()["phase"], "expire");
}

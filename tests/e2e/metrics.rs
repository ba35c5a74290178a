//! One line of embedded metrics an invocation. That its figures are the answer's, that there is
//! one for each run and none for a dry one, is checked for every run; see `world::promises`.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use simcloud::{Fault, Kind, Route};

use crate::world::{World, daily};

const NAMES: [&str; 16] = [
    "SnapshotsCreated",
    "SnapshotsAdopted",
    "SnapshotsFailed",
    "SnapshotsPending",
    "SnapshotsDeferred",
    "SnapshotsDeleted",
    "SnapshotsCleaned",
    "VolumesDue",
    "VolumesManaged",
    "VolumesInvalid",
    "RequestsSent",
    "RequestsRetried",
    "DurationMs",
    "InvocationsFailed",
    "OldestDueAgeSeconds",
    "OldestExpiredAgeSeconds",
];

/// Whether it is how many seconds ago that was, to a minute.
fn is_age(metric: &Value, since: DateTime<Utc>) -> bool {
    let age = (Utc::now() - since).num_seconds();
    metric
        .as_i64()
        .is_some_and(|metric| (metric - age).abs() <= 60)
}

#[tokio::test]
async fn the_line_declares_every_metric_and_has_every_member() {
    let world = World::new().await;
    let good = world.snapshot().await;
    let bad = world.run(json!({"phase": "expire", "shard": 1})).await;
    for line in [good.metrics(), bad.metrics()] {
        let declared = &line["_aws"]["CloudWatchMetrics"];
        assert_eq!(declared.as_array().map(Vec::len), Some(1));
        let declared = &declared[0];
        assert_eq!(declared["Namespace"], "SnapSentry");
        assert_eq!(declared["Dimensions"], json!([["Project", "Phase"]]));
        let names: BTreeSet<&str> = declared["Metrics"]
            .as_array()
            .expect("metrics")
            .iter()
            .filter_map(|one| one["Name"].as_str())
            .collect();
        assert_eq!(names, BTreeSet::from(NAMES));
        for name in NAMES {
            assert!(line[name].is_u64(), "{name}: {line}");
        }
        let at = line["_aws"]["Timestamp"]
            .as_i64()
            .and_then(DateTime::from_timestamp_millis);
        let age = Utc::now() - at.expect("milliseconds since 1970");
        assert!(
            (TimeDelta::zero()..TimeDelta::minutes(1)).contains(&age),
            "{age}"
        );
    }
    assert_eq!(good.metrics().get("ErrorType"), None);
    assert_eq!(bad.metrics()["ErrorType"], "InvalidEvent");
    assert_eq!(bad.metrics()["Phase"], "expire");
}

#[tokio::test]
async fn the_project_is_the_setting_or_the_tokens_or_unknown() {
    let world = World::of(|config| config.project_name = "blue".into()).await;
    assert_eq!(world.snapshot().await.metrics()["Project"], "blue");
    let refused = world.run(json!({"phase": "nothing"})).await;
    assert_eq!(refused.metrics()["Project"], "unknown");
    let world = world.set("SNAPSENTRY_PROJECT", "green");
    assert_eq!(world.snapshot().await.metrics()["Project"], "green");
    let refused = world.run(json!({"phase": "nothing"})).await;
    assert_eq!(refused.metrics()["Project"], "green");
    let broken = world.set("OS_AUTH_URL", "");
    let run = broken.snapshot().await;
    run.fails("InvalidConfiguration");
    assert_eq!(run.metrics()["Project"], "green");
}

#[tokio::test]
async fn a_refused_dry_run_prints_none() {
    // The standing check of each run counts them.
    let world = World::new().await;
    for event in [
        json!({"phase": "nothing", "dry_run": true}),
        json!({"phase": "snapshot", "dry_run": true, "unknown": 1}),
        json!({"phase": "subscribe", "dry_run": true}),
    ] {
        world.run(event).await.fails("InvalidEvent");
    }
}

#[tokio::test]
async fn failed_invocations_are_counted_by_error_type() {
    let world = World::new().await;
    world
        .cloud
        .inject(Fault::on(Route::ListVolumes, Kind::status(403)).forever());
    let run = world.snapshot().await;
    let line = run.metrics();
    assert_eq!(line["ErrorType"], "DiscoveryFailed");
    assert_eq!(line["InvocationsFailed"], 1);
    let sent = world.cloud.journal().total();
    assert_eq!(line["RequestsSent"], sent);
}

#[tokio::test]
async fn the_oldest_expired_age_is_that_of_the_oldest_one_that_may_go() {
    let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", "1");
    let volume = world.volume(&[&daily()]);
    world.expired(&volume, &daily(), 3);
    world.expired(&volume, &daily(), 5);
    let held = daily()
        .expired(&volume, 9)
        .meta("x-snapsentry-hold", "true");
    world.cloud.add_snapshot(held);
    let run = world.expire().await;
    assert_eq!(run.did(), "deleted 1, kept 1");
    let age = &run.metrics()["OldestExpiredAgeSeconds"];
    assert!(
        is_age(age, Utc::now() - TimeDelta::hours(5)),
        "as seen at the start: {age}"
    );
    let run = world.expire().await;
    assert_eq!(run.metrics()["OldestExpiredAgeSeconds"], 0);
}

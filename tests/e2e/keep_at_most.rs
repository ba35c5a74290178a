//! Retention by number: what a policy keeps too many of goes, whatever its age.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use simcloud::webhook::Webhook;
use simcloud::{Fault, Kind, Latency, Route, SnapshotSpec};

use crate::world::{Policy, World, daily, held, rfc3339, side_by_side};

const EXPIRY: &str = "x-snapsentry-snapshot-expiry-date";

/// A snapshot of so many days ago that is good for months.
fn aged(policy: &Policy, volume: &str, days: i64) -> SnapshotSpec {
    let made = policy.start - TimeDelta::days(days);
    policy
        .snapshot_of(volume)
        .created_at(made)
        .meta("x-snapsentry-snapshot-window-start", rfc3339(made))
}

/// A volume with this many of them, which it has by id, the newest first.
fn with_snapshots(world: &World, policy: &Policy, count: i64) -> (String, Vec<String>) {
    let volume = world.volume(&[policy]);
    let ids = (0..count)
        .map(|days| world.cloud.add_snapshot(aged(policy, &volume, days)))
        .collect();
    (volume, ids)
}

fn there(world: &World, ids: &[String]) -> Vec<bool> {
    ids.iter().map(|id| world.has(id)).collect()
}

#[tokio::test]
async fn the_newest_stay_and_the_others_go_although_they_have_not_expired() {
    let world = World::new().await;
    let policy = daily().with("keep-at-most", "2");
    let (_, ids) = with_snapshots(&world, &policy, 4);
    let run = world.expire().await;
    run.is_quiet();
    assert_eq!(run.did(), "deleted 2");
    assert_eq!(there(&world, &ids), [true, true, false, false]);
    assert_eq!(run.metrics()["OldestExpiredAgeSeconds"], 0);
    world.expire().await.is_quiet();
    assert_eq!(world.count(Route::DeleteSnapshot), 2);
}

#[tokio::test]
async fn the_plan_and_the_log_say_by_which_rule_each_goes() {
    let world = World::new().await;
    let policy = daily().with("keep-at-most", "2");
    let (volume, ids) = with_snapshots(&world, &policy, 3);
    let expired = world.expired(&volume, &policy, 5);
    let date = |id: &str| world.cloud.snapshot(id).expect("it").metadata[EXPIRY].clone();
    let action = |id: &str, reason: &str| -> Value {
        json!({
            "action": "delete", "snapshot_id": id, "volume_id": volume, "reason": reason,
            "expired_at": date(id),
        })
    };
    let expected = [action(&expired, "expired"), action(&ids[2], "keep-at-most")];
    assert_eq!(world.plan("expire").await, expected);
    let run = world.expire().await;
    assert_eq!(run.did(), "deleted 2");
    let mut said: Vec<(String, String)> = run
        .said("snapshot deleted")
        .iter()
        .map(|line| {
            let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
            (text("snapshot_id"), text("reason"))
        })
        .collect();
    said.sort();
    let mut lines = vec![
        (expired, "expired".to_owned()),
        (ids[2].clone(), "keep-at-most".to_owned()),
    ];
    lines.sort();
    assert_eq!(said, lines);
}

#[tokio::test]
async fn nothing_goes_by_number_where_the_policy_does_not_say_so_for_certain() {
    let most = |policy: Policy| policy.with("keep-at-most", "1");
    let rows = [
        ("off", most(daily()).with("enabled", "false"), "true"),
        (
            "unreadable switch",
            most(daily()).with("enabled", "maybe"),
            "true",
        ),
        (
            "another unreadable key",
            most(daily()).with("timezone", "Mars"),
            "true",
        ),
        (
            "an unreadable number",
            daily().with("keep-at-most", "one"),
            "true",
        ),
        ("out of range", daily().with("keep-at-most", "0"), "true"),
        ("null", daily().with("keep-at-most", "null"), "true"),
        ("empty", daily().with("keep-at-most", ""), "true"),
        ("not managed", most(daily()), "false"),
        ("not readably managed", most(daily()), "True"),
    ];
    side_by_side(rows, async |(what, policy, is_managed)| {
        let world = World::new().await;
        let (volume, _) = with_snapshots(&world, &policy, 3);
        let mut metadata = world.cloud.volume(&volume).expect("it").metadata;
        metadata.insert("x-snapsentry-managed".into(), is_managed.into());
        world.cloud.set_metadata(&volume, metadata);
        let run = world.expire().await;
        assert_eq!(run.did(), "", "{what}");
        assert_eq!(world.removed(), 0, "{what}");
    })
    .await;
}

#[tokio::test]
async fn keep_last_is_stronger_and_what_is_held_neither_counts_nor_goes() {
    let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", "3");
    let policy = daily().with("keep-at-most", "1");
    let (_, ids) = with_snapshots(&world, &policy, 5);
    assert_eq!(world.expire().await.did(), "deleted 2");
    assert_eq!(there(&world, &ids), [true, true, true, false, false]);

    let world = World::new().await;
    let policy = daily().with("keep-at-most", "2").with("keep-last", "0");
    let volume = world.volume(&[&policy]);
    let ids: Vec<String> = (0..5)
        .map(|days| {
            let snapshot = aged(&policy, &volume, days);
            let snapshot = if days == 1 || days == 4 {
                held(snapshot)
            } else {
                snapshot
            };
            world.cloud.add_snapshot(snapshot)
        })
        .collect();
    assert_eq!(world.expire().await.did(), "deleted 1");
    assert_eq!(there(&world, &ids), [true, true, true, false, true]);
}

#[tokio::test]
async fn a_failed_deletion_is_notified_of_with_the_snapshots_metadata() {
    let webhook = Webhook::start().await.expect("a port");
    let world = World::new()
        .await
        .set("SNAPSENTRY_WEBHOOK_URL", webhook.url("/"));
    let policy = daily().with("keep-at-most", "1");
    let (volume, ids) = with_snapshots(&world, &policy, 2);
    let refused = Fault::on(Route::DeleteSnapshot, Kind::status(403));
    world.cloud.inject(refused.forever());
    let run = world.expire().await;
    assert_eq!(run.did(), "failed 1");
    let body = webhook.received().remove(0).json();
    let metadata = world.cloud.snapshot(&ids[1]).expect("it").metadata;
    let expected = json!({
        "service": "snapsentry", "volume_id": volume, "snapshot_id": ids[1],
        "message": run.only_failure()["error"], "snapshot_metadata": metadata,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_policys_own_keep_last_takes_the_place_of_the_deployments() {
    side_by_side(
        [
            ("3", "0", "kept 3"),
            ("0", "3", "deleted 4"),
            ("1", "9", "deleted 3, kept 1"),
            ("", "2", "deleted 2, kept 2"),
        ],
        async |(own, deployments, did)| {
            let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", deployments);
            let policy = daily().with("keep-last", own);
            let volume = world.volume(&[&policy]);
            let count = if own == "3" { 3 } else { 4 };
            for days in 1..=count {
                world.expired(&volume, &policy, 24 * days);
            }
            assert_eq!(world.expire().await.did(), did, "{own:?} {deployments}");
        },
    )
    .await;
}

#[tokio::test]
async fn it_is_judged_by_the_instant_of_a_dry_run_too() {
    let world = World::new().await;
    let policy = daily().with("keep-at-most", "1");
    let (_, ids) = with_snapshots(&world, &policy, 2);
    // Long after both have expired the newest stays by keep-last alone.
    let as_of = (Utc::now() + TimeDelta::days(999)).to_rfc3339();
    let event = json!({"phase": "expire", "dry_run": true, "as_of": as_of});
    let run = world.run(event).await;
    assert_eq!(run.did(), "kept 1");
    assert_eq!(run.plan()[0]["snapshot_id"], ids[1].as_str());
    assert_eq!(run.plan()[0]["reason"], "expired");
}

#[tokio::test]
async fn beside_a_snapshot_pass_that_meets_twins_it_leaves_one() {
    let world =
        World::of(|config| config.latency = Latency::Fixed(Duration::from_millis(50))).await;
    let policy = daily().with("keep-at-most", "1");
    let volume = world.volume(&[&policy]);
    world.taken(&volume, &policy);
    let later = policy.start + TimeDelta::minutes(5);
    let later = policy.snapshot_of(&volume).created_at(later);
    let later = world.cloud.add_snapshot(later);
    let (taken, expired) = tokio::join!(world.snapshot(), world.expire());
    assert_eq!(world.only_snapshot_of(&volume).id, later);
    assert_eq!(
        (taken.did(), expired.did()),
        ("".into(), "deleted 1".into())
    );
}

#[tokio::test]
async fn of_three_twins_none_goes_where_a_look_does_not_reach_back_to_the_first() {
    let world = World::of(|config| config.osapi_max_limit = 3).await;
    let policy = daily().with("keep-at-most", "2");
    let volume = world.volume(&[&policy]);
    for minute in 0..3 {
        let at = policy.start + TimeDelta::minutes(minute);
        let twin = policy.snapshot_of(&volume).created_at(at);
        world.cloud.add_snapshot(twin);
    }
    // What this pass makes of another volume fills the first page of the look with two of them.
    world.volume(&[&daily()]);
    assert_eq!(world.snapshot().await.did(), "created 1");
    assert_eq!(world.cloud.snapshots_of(&volume).len(), 3);
    assert_eq!(world.expire().await.did(), "deleted 1");
}

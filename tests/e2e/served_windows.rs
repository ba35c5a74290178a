//! Which snapshots serve a window, and which do not.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use simcloud::{Fault, Kind, Route, SnapshotSpec, VolumeSpec, When};

use crate::world::{World, daily, managed};

#[tokio::test]
async fn a_window_is_served_in_any_state_but_error_error_deleting_and_deleting() {
    let serving = [
        "available",
        "creating",
        "updating",
        "unmanaging",
        "backing-up",
        "restoring",
    ];
    let lost = ["error", "error_deleting", "deleting"];
    let world = World::new().await;
    let policy = daily();
    let with_snapshot_in = |status: &&str| {
        let volume = world.volume(&[&policy]);
        let snapshot = policy.snapshot_of(&volume).status(*status);
        world.cloud.add_snapshot(snapshot);
        volume
    };
    let served: Vec<String> = serving.iter().map(with_snapshot_in).collect();
    let due: BTreeSet<String> = lost.iter().map(with_snapshot_in).collect();
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.due()), ("created 3, cleaned 1", 3));
    let taken = world.requests(Route::CreateSnapshot);
    let taken = taken
        .iter()
        .map(|one| one.json()["snapshot"]["volume_id"].clone());
    let taken: BTreeSet<String> = taken
        .filter_map(|id| Some(id.as_str()?.to_owned()))
        .collect();
    assert_eq!(taken, due);
    for volume in &served {
        world.only_snapshot_of(volume);
    }
}

/// What it is, whether it serves, and how it is made for a volume.
type Row<'a> = (&'static str, bool, &'a dyn Fn(&str) -> SnapshotSpec);

#[tokio::test]
async fn a_snapshot_belongs_to_a_window_by_its_key_or_without_one_by_its_creation() {
    let world = World::new().await;
    let policy = daily();
    let key = "x-snapsentry-snapshot-window-start";
    let inside = policy.start + TimeDelta::hours(2);
    let before = policy.start - TimeDelta::hours(2);
    let old = |volume: &str| policy.older_snapshot_of(volume);
    let at = |at: DateTime<Utc>| at.to_rfc3339();
    let rows: [Row<'_>; 8] = [
        ("no key, made inside", true, &|v| old(v).created_at(inside)),
        ("no key, made before", false, &|v| old(v).created_at(before)),
        ("unreadable key, made inside", true, &|v| {
            old(v).created_at(inside).meta(key, "yesterday")
        }),
        ("unreadable key, made before", false, &|v| {
            old(v).created_at(before).meta(key, "yesterday")
        }),
        ("empty key, made inside", true, &|v| {
            old(v).created_at(inside).meta(key, "")
        }),
        ("key inside, made before", true, &|v| {
            old(v).created_at(before).meta(key, at(policy.start))
        }),
        ("another key inside, made before", true, &|v| {
            old(v).created_at(before).meta(key, at(inside))
        }),
        ("key before, made inside", false, &|v| {
            old(v).created_at(inside).meta(key, at(before))
        }),
    ];
    let volumes = rows.iter().map(|(what, serves, snapshot)| {
        let volume = world.volume(&[&policy]);
        world.cloud.add_snapshot(snapshot(&volume));
        (volume, *what, *serves)
    });
    let volumes: Vec<_> = volumes.collect();
    let plan = world.plan("snapshot").await;
    for (volume, what, serves) in &volumes {
        let due = plan.iter().any(|one| one["volume_id"] == volume.as_str());
        assert_eq!(due, !serves, "{what}");
    }
}

#[tokio::test]
async fn only_managed_snapshots_of_the_same_volume_and_policy_serve() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    let elsewhere = world.cloud.add_volume(VolumeSpec::default());
    let own = || policy.snapshot_of(&volume);
    let mut unmanaged = own();
    unmanaged.metadata.remove("x-snapsentry-managed");
    for snapshot in [
        unmanaged,
        own().meta("x-snapsentry-managed", "false"),
        own().meta("x-snapsentry-snapshot-policy-type", "weekly"),
        policy.snapshot_of(&elsewhere),
    ] {
        world.cloud.add_snapshot(snapshot);
    }
    assert_eq!(world.snapshot().await.did(), "created 1");
}

#[tokio::test]
async fn volumes_that_are_not_managed_are_left_alone() {
    let world = World::new().await;
    let daily = daily();
    world.cloud.add_volume(daily.tag(VolumeSpec::default()));
    let goodbye = daily
        .tag(VolumeSpec::default())
        .meta("x-snapsentry-managed", "false");
    world.cloud.add_volume(goodbye);
    world.cloud.add_volume(managed(VolumeSpec::default()));
    let run = world.snapshot().await;
    run.is_quiet();
    assert_eq!((run.due(), run.figure("/volumes/managed")), (0, 1));
}

#[tokio::test]
async fn a_policy_that_is_not_enabled_is_not_looked_at_further() {
    let world = World::new().await;
    let broken = daily().with("timezone", "Mars/Olympus");
    world.volume(&[&broken.clone().with("enabled", "false")]);
    world.volume(&[&broken.without("enabled")]);
    let run = world.snapshot().await;
    run.is_quiet();
    assert_eq!((run.due(), run.figure("/volumes/invalid")), (0, 0));
}

#[tokio::test]
async fn what_others_create_meanwhile_is_adopted_without_a_request() {
    let world = World::of(|config| config.creation_time = Duration::from_millis(600))
        .await
        .set("SNAPSENTRY_MAX_CREATING", "1");
    let policy = daily();
    let volumes = [world.volume(&[&policy]), world.volume(&[&policy])];
    // While the first is being created, another pass serves the second.
    world
        .cloud
        .on(Route::CreateSnapshot, 1, When::After, move |cloud| {
            let other = volumes.iter().find(|id| cloud.snapshots_of(id).is_empty());
            let other = other.expect("one without a snapshot");
            cloud.add_snapshot(policy.snapshot_of(other).created_at(cloud.now()));
        });
    let run = world.snapshot().await;
    assert_eq!(
        (run.did().as_str(), run.outcome()),
        ("created 1, adopted 1", "complete")
    );
    assert_eq!(world.count(Route::CreateSnapshot), 1);
}

#[tokio::test]
async fn what_others_create_while_a_request_waits_to_be_sent_again_is_adopted_too() {
    let world = World::of(|config| config.creation_time = Duration::from_millis(2500)).await;
    let policy = daily();
    let slow = world.volume(&[&policy]);
    let volume = world.volume(&[&policy]);
    let rate_limit = Kind::status_with(429, "Retry-After", "2");
    let refused = Fault::on(Route::CreateSnapshot, rate_limit).containing(&volume);
    world.cloud.inject(refused.times(1));
    // While it waits, another pass serves the window, and a look at the first one meets that.
    let at = world.cloud.now() + TimeDelta::milliseconds(500);
    let other = policy.snapshot_of(&volume).created_at(at);
    world
        .cloud
        .on(Route::ListSnapshots, 3, When::Before, move |cloud| {
            cloud.add_snapshot(other);
        });
    let run = world.snapshot().await;
    assert_eq!(
        (run.did().as_str(), run.outcome()),
        ("created 1, adopted 1", "complete")
    );
    assert_eq!(world.count(Route::CreateSnapshot), 2, "one of them refused");
    assert_eq!(world.only_snapshot_of(&slow).status, "available");
}

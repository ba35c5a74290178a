//! A backend that is down costs a volume a handful of snapshots a day, and one that is back is used
//! again without anybody's help.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use simcloud::{Fault, Health, Kind, Microversions, Route, SnapshotSpec, When};

use crate::world::{Policy, World, daily, held, side_by_side, tagged, weekly};

/// The type of volumes that name none, and so the name of their backend.
const BACKEND: &str = "simcloud";

/// A cloud whose scheduler notices at once that a cinder-volume has died.
async fn world_that_notices_death() -> World {
    World::of(|config| config.service_down_time = Duration::ZERO).await
}

/// A snapshot of the active window in this state, made so many minutes ago.
fn made(policy: &Policy, volume: &str, minutes: i64, status: &str) -> SnapshotSpec {
    let at = Utc::now() - TimeDelta::minutes(minutes);
    policy.snapshot_of(volume).created_at(at).status(status)
}

#[tokio::test]
async fn ten_quick_passes_over_a_dead_backend_leave_one_snapshot_behind() {
    let world = world_that_notices_death().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    world.cloud.set_health(BACKEND, Health::Dead);
    let mut function = world.function().await;
    let first = function.snapshot().await;
    assert_eq!(first.did(), "failed 1");
    for pass in 2..=10 {
        let run = function.snapshot().await;
        assert_eq!(run.did(), "deferred 1", "pass {pass}");
        assert_eq!(run.outcome(), "deferred", "pass {pass}");
        let warning = run.only_warning();
        assert_eq!(warning["volume_id"], volume.as_str());
        assert_eq!(warning["policy"], "daily");
        let age = run.metrics()["OldestDueAgeSeconds"].as_i64();
        assert!(age.is_some_and(|age| age >= 5 * 3_600), "{age:?}");
    }
    assert_eq!(world.only_snapshot_of(&volume).status, "deleting");
    assert_eq!(world.begun(), 1);
}

#[tokio::test]
async fn when_the_backend_is_back_and_the_leftover_gone_the_window_is_served() {
    let world = world_that_notices_death().await;
    let volume = world.volume(&[&daily()]);
    world.cloud.set_health(BACKEND, Health::Dead);
    let mut function = world.function().await;
    assert_eq!(function.snapshot().await.did(), "failed 1");
    assert_eq!(function.snapshot().await.did(), "deferred 1");
    world.cloud.set_health(BACKEND, Health::Well);
    assert_eq!(function.snapshot().await.did(), "created 1");
    assert_eq!(world.only_snapshot_of(&volume).status, "available");
}

#[tokio::test]
async fn each_leftover_makes_the_next_try_wait_three_times_as_long() {
    let policy = daily();
    side_by_side(
        [
            (&[9][..], "deferred 1"),
            (&[11], "created 1"),
            (&[29, 200], "deferred 1"),
            (&[31, 200], "created 1"),
            (&[89, 200, 201], "deferred 1"),
            (&[91, 200, 201], "created 1"),
        ],
        async |(ages, did)| {
            let world = World::new().await;
            let volume = world.volume(&[&policy]);
            for minutes in ages {
                world
                    .cloud
                    .add_snapshot(made(&policy, &volume, *minutes, "deleting"));
            }
            let run = world.snapshot().await;
            assert_eq!(run.did(), did, "{ages:?}");
            assert_eq!(run.list("warnings").len(), usize::from(did == "deferred 1"));
        },
    )
    .await;
}

#[tokio::test]
async fn the_warning_says_why_and_until_when() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    let youngest = made(&policy, &volume, 3, "deleting");
    let until = youngest.created_at.expect("an instant") + TimeDelta::minutes(10);
    world.cloud.add_snapshot(youngest);
    let warning = world.snapshot().await.only_warning();
    let text = warning["warning"].as_str().expect("a text").to_owned();
    let until = until.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert!(text.contains(&until) && text.contains("quota"), "{text}");
}

#[tokio::test]
async fn leftovers_of_other_windows_count_and_those_of_other_policies_do_not() {
    let world = World::new().await;
    let (daily, weekly) = (daily(), weekly());
    let volume = world.volume(&[&daily, &weekly]);
    let yesterday = (daily.start - TimeDelta::days(1)).to_rfc3339();
    let leftover = made(&daily, &volume, 2, "error_deleting")
        .meta("x-snapsentry-snapshot-window-start", yesterday);
    world.cloud.add_snapshot(leftover);
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1, deferred 1");
    assert_eq!(run.only_warning()["policy"], "daily");
}

#[tokio::test]
async fn what_this_pass_has_cleaned_or_somebody_holds_does_not_count() {
    let policy = daily();
    side_by_side([false, true], async |is_held| {
        let world = World::new().await;
        let volume = world.volume(&[&policy]);
        let broken = made(&policy, &volume, 1, "error");
        let broken = if is_held { held(broken) } else { broken };
        world.cloud.add_snapshot(broken);
        let run = world.snapshot().await;
        let did = if is_held {
            "created 1"
        } else {
            "created 1, cleaned 1"
        };
        assert_eq!(run.did(), did);
        run.is_quiet();
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_cleaned_counts() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    let broken = world.cloud.add_snapshot(made(&policy, &volume, 1, "error"));
    let refused = Fault::on(Route::DeleteSnapshot, Kind::status(403));
    world.cloud.inject(refused.forever());
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), world.begun()), ("deferred 1", 0));
    assert_eq!(run.list("warnings").len(), 2);
    assert_eq!(
        run.warnings_with("deleted")[0]["snapshot_id"],
        broken.as_str()
    );
}

#[tokio::test]
async fn what_is_in_the_way_is_cleaned_also_where_the_window_has_to_wait() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    let broken = made(&policy, &volume, 1, "error");
    let broken = world.cloud.add_snapshot(broken);
    let going = made(&policy, &volume, 2, "deleting");
    world.cloud.add_snapshot(going);
    let dry = world
        .run(json!({"phase": "snapshot", "dry_run": true}))
        .await;
    assert_eq!(dry.did(), "deferred 1");
    let plan = dry.plan();
    assert_eq!(plan.len(), 1, "{plan:#?}");
    assert_eq!(
        (&plan[0]["action"], &plan[0]["snapshot_id"]),
        (&json!("clean"), &json!(broken))
    );
    let real = world.snapshot().await;
    assert_eq!(real.did(), "deferred 1, cleaned 1");
    assert!(!world.has(&broken));
    assert_eq!(dry.list("warnings"), real.list("warnings"));
}

#[tokio::test]
async fn a_dead_backend_delays_no_volume_of_a_healthy_one() {
    let world = world_that_notices_death().await;
    let policy = daily();
    world.cloud.set_health("dead", Health::Dead);
    for _ in 0..3 {
        for backend in ["dead", "alive"] {
            let mut volume = tagged(&[&policy]);
            volume.volume_type = Some(backend.to_owned());
            world.cloud.add_volume(volume);
        }
    }
    let mut function = world.function().await;
    assert_eq!(function.snapshot().await.did(), "created 3, failed 3");
    assert_eq!(function.snapshot().await.did(), "deferred 3");
}

#[tokio::test]
async fn one_that_a_shifting_listing_shows_twice_counts_once() {
    let world = World::of(|config| {
        config.osapi_max_limit = 2;
        // One listing for all policies.
        config.microversions = Microversions::UpTo(21);
    })
    .await;
    let policy = daily();
    let (volume, other) = (world.volume(&[&policy]), world.volume(&[&policy]));
    let going = made(&policy, &volume, 15, "deleting");
    let only = world.cloud.add_snapshot(going.clone());
    world
        .cloud
        .add_snapshot(made(&policy, &other, 20, "available"));
    // Both are on the first page; then the newer becomes the older, and is on the second too.
    let older = SnapshotSpec {
        id: Some(only),
        ..made(&policy, &volume, 25, "deleting")
    };
    world
        .cloud
        .on(Route::ListSnapshots, 2, When::After, move |cloud| {
            cloud.add_snapshot(older);
        });
    let run = world.snapshot().await;
    assert_eq!(run.figure("/snapshots/managed"), 3, "one was shown twice");
    assert_eq!(run.did(), "created 1");
}

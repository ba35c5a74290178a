//! For how long somebody has been without the recovery point that was promised, as the metrics
//! tell it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use simcloud::{Fault, Health, Kind, Route, SnapshotSpec};

use crate::world::{Policy, Run, World, daily, express, side_by_side, tagged, weekly};

/// Whether it is how many seconds ago that was, to a minute.
fn is_age(run: &Run, metric: &str, since: DateTime<Utc>) {
    let told = run.metrics()[metric].as_i64().expect("a number");
    let age = (Utc::now() - since).num_seconds();
    assert!((told - age).abs() <= 60, "{metric} {told}, and not {age}");
}

/// An available snapshot of the window before the active one.
fn of_the_window_before(policy: &Policy, volume: &str) -> SnapshotSpec {
    let start = policy.start - (policy.end - policy.start);
    policy
        .snapshot_of(volume)
        .created_at(start + TimeDelta::minutes(1))
        .meta("x-snapsentry-snapshot-window-start", start.to_rfc3339())
}

fn refuse_creations(world: &World) {
    let refused = Fault::on(Route::CreateSnapshot, Kind::status(403));
    world.cloud.inject(refused.forever());
}

#[tokio::test]
async fn a_missing_one_ages_from_the_active_window_or_from_the_one_before_that_was_missed_too() {
    let policy = daily();
    let before = policy.start - TimeDelta::days(1);
    let rows = [("available", policy.start), ("error", before), ("", before)];
    side_by_side(rows, async |(earlier, since)| {
        let world = World::new().await;
        let volume = world.volume(&[&policy]);
        if !earlier.is_empty() {
            let earlier = of_the_window_before(&policy, &volume).status(earlier);
            world.cloud.add_snapshot(earlier);
        }
        refuse_creations(&world);
        let run = world.snapshot().await;
        assert_eq!(run.did(), "failed 1");
        is_age(&run, "OldestDueAgeSeconds", since);
        world.cloud.clear_faults();
        let run = world.snapshot().await;
        assert_eq!(run.metrics()["OldestDueAgeSeconds"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_young_volume_ages_from_when_it_was_made() {
    let world = World::new().await;
    let made = Utc::now() - TimeDelta::hours(2);
    let mut volume = tagged(&[&daily()]);
    volume.created_at = Some(made);
    world.cloud.add_volume(volume);
    refuse_creations(&world);
    is_age(&world.snapshot().await, "OldestDueAgeSeconds", made);
}

#[tokio::test]
async fn the_oldest_of_all_is_told() {
    let world = World::new().await;
    let (daily, express, weekly) = (daily(), express(), weekly());
    let [served, older, younger] =
        [&weekly, &daily, &express].map(|policy| world.volume(&[policy]));
    world
        .cloud
        .add_snapshot(of_the_window_before(&daily, &older));
    world
        .cloud
        .add_snapshot(of_the_window_before(&express, &younger));
    world.taken(&served, &weekly);
    refuse_creations(&world);
    let run = world.snapshot().await;
    assert_eq!(run.did(), "failed 2");
    is_age(&run, "OldestDueAgeSeconds", daily.start);
}

#[tokio::test]
async fn one_being_created_ages_from_its_creation_whoever_began_it() {
    let world = World::new()
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
    let (mine, theirs) = (daily(), weekly());
    let volume = world.volume(&[&mine]);
    world.cloud.set_health("simcloud", Health::Hung);
    let event = || json!({"phase": "snapshot"});
    let short = std::time::Duration::from_secs(2);
    let run = world.run_within(short, event()).await;
    assert_eq!(run.did(), "pending 1");
    assert_eq!(run.metrics()["OldestDueAgeSeconds"], 0);
    assert_eq!(world.only_snapshot_of(&volume).status, "creating");
    let other = world.volume(&[&theirs]);
    let since = Utc::now() - TimeDelta::hours(3);
    let creating = theirs.snapshot_of(&other).created_at(since);
    world.cloud.add_snapshot(creating.status("creating"));
    let run = world.run_within(short, event()).await;
    assert_eq!((run.did().as_str(), run.due()), ("", 0));
    is_age(&run, "OldestDueAgeSeconds", since);
}

#[tokio::test]
async fn what_is_blocked_ages_apart_so_that_one_shelved_machine_hides_nothing() {
    let world = World::new().await;
    let policy = daily();
    let shelved = world.volume(&[&policy]);
    world.cloud.set_volume_status(&shelved, "maintenance");
    let run = world.snapshot().await;
    assert_eq!(run.did(), "blocked 1");
    assert_eq!(run.metrics()["OldestDueAgeSeconds"], 0);
    let before = policy.start - TimeDelta::days(1);
    is_age(&run, "OldestBlockedAgeSeconds", before);
    world
        .cloud
        .add_snapshot(of_the_window_before(&policy, &shelved));
    let run = world.snapshot().await;
    is_age(&run, "OldestBlockedAgeSeconds", policy.start);
    world.cloud.set_volume_status(&shelved, "in-use");
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1");
    assert_eq!(run.metrics()["OldestBlockedAgeSeconds"], 0);
}

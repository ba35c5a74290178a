//! Every rhythm that a policy can have: its window is taken once, and named as it has to be.

use simcloud::Route;

use crate::world::{
    World, daily, express, hourly, monthly, rfc3339, side_by_side, twice_a_day, weekly, yearly,
};

#[tokio::test]
async fn each_rhythm_takes_its_window_once() {
    let rhythms = [
        hourly(),
        express(),
        twice_a_day(),
        daily(),
        weekly(),
        monthly(),
        yearly(),
    ];
    side_by_side(rhythms, async |policy| {
        let world = World::new().await;
        let volume = world.volume(&[&policy]);
        let first = world.snapshot().await;
        assert_eq!(first.did(), "created 1", "{policy:?}");
        let snapshot = world.only_snapshot_of(&volume);
        let start = rfc3339(policy.start);
        let key = "x-snapsentry-snapshot-window-start";
        assert_eq!(snapshot.metadata[key], start, "{policy:?}");
        let kind = "x-snapsentry-snapshot-policy-type";
        assert_eq!(snapshot.metadata[kind], policy.kind);
        let second = world.snapshot().await;
        second.is_quiet();
        assert_eq!(world.count(Route::CreateSnapshot), 1, "{policy:?}");
    })
    .await;
}

#[tokio::test]
async fn a_window_that_began_at_another_time_of_the_day_is_another_window() {
    let world = World::new().await;
    let policy = twice_a_day();
    let volume = world.volume(&[&policy]);
    let half_a_day = chrono::TimeDelta::hours(12);
    let before = rfc3339(policy.start - half_a_day);
    let earlier = policy
        .snapshot_of(&volume)
        .created_at(policy.start - half_a_day)
        .meta("x-snapsentry-snapshot-window-start", before);
    world.cloud.add_snapshot(earlier);
    assert_eq!(world.snapshot().await.did(), "created 1");
    assert_eq!(world.cloud.snapshots_of(&volume).len(), 2);
}

#[tokio::test]
async fn five_tiers_of_one_volume_are_taken_in_one_pass() {
    let world = World::new().await;
    let tiers = [hourly(), daily(), weekly(), monthly(), yearly()];
    let volume = world.volume(&tiers.iter().collect::<Vec<_>>());
    let run = world.snapshot().await;
    run.is_quiet();
    assert_eq!(run.did(), "created 5");
    let mut kinds: Vec<String> = world
        .cloud
        .snapshots_of(&volume)
        .into_iter()
        .map(|one| one.metadata["x-snapsentry-snapshot-policy-type"].clone())
        .collect();
    kinds.sort();
    assert_eq!(kinds, ["daily", "express", "monthly", "weekly", "yearly"]);
}

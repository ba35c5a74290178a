//! How a snapshot whose creation was lost from sight is recognised, and what becomes of it.

use std::time::Duration;

use simcloud::backend::{Behaviour, Rule, Snapshots};
use simcloud::{Fault, Kind, Route, When};

use crate::world::{World, daily, held, side_by_side};

#[tokio::test]
async fn it_is_recognised_by_managed_policy_and_window_never_by_name_alone() {
    let policy = daily();
    let week_ago = (policy.start - chrono::TimeDelta::days(7)).to_rfc3339();
    let strangers = [
        ("x-snapsentry-managed", "false".to_owned()),
        ("x-snapsentry-snapshot-policy-type", "weekly".to_owned()),
        ("x-snapsentry-snapshot-window-start", week_ago),
    ];
    side_by_side(strangers, async |(key, value)| {
        let world = World::new().await;
        let volume = world.volume(&[&policy]);
        world
            .cloud
            .inject(Fault::on(Route::CreateSnapshot, Kind::ResetBefore));
        let stranger = policy.snapshot_of(&volume).meta(key, value);
        world
            .cloud
            .on(Route::CreateSnapshot, 1, When::Before, |cloud| {
                let now = cloud.now();
                cloud.add_snapshot(stranger.created_at(now));
            });
        assert_eq!(world.snapshot().await.did(), "created 1", "{key}");
        assert_eq!(world.count(Route::CreateSnapshot), 2, "{key}");
    })
    .await;
}

#[tokio::test]
async fn one_without_a_name_is_recognised_by_its_metadata() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, Kind::ResetBefore));
    let mut nameless = policy.snapshot_of(&volume);
    nameless.name = None;
    world
        .cloud
        .on(Route::CreateSnapshot, 1, When::Before, |cloud| {
            let now = cloud.now();
            cloud.add_snapshot(nameless.created_at(now));
        });
    assert_eq!(world.snapshot().await.did(), "adopted 1");
    assert_eq!(world.count(Route::CreateSnapshot), 1);
}

#[tokio::test]
async fn one_that_was_there_before_the_pass_is_not_taken_for_the_lost_one() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    // It would be cleaned up if it were not held.
    let before = held(policy.snapshot_of(&volume)).status("error");
    let before = world.cloud.add_snapshot(before);
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, Kind::ResetBefore));
    assert_eq!(world.snapshot().await.did(), "created 1");
    assert_eq!(world.cloud.snapshots_of(&volume).len(), 2);
    assert!(world.has(&before));
}

#[tokio::test]
async fn one_that_is_found_creating_is_adopted_even_if_the_pass_ends_first() {
    let world = World::new()
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
    let volume = world.volume(&[&daily()]);
    let hangs = Rule::new(Snapshots::Any, Behaviour::CreateHangs);
    world.cloud.backend(hangs);
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, Kind::ResetAfter));
    let event = serde_json::json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_secs(2), event).await;
    assert_eq!(
        (run.did().as_str(), run.outcome()),
        ("adopted 1", "complete")
    );
    assert_eq!(world.only_snapshot_of(&volume).status, "creating");
}

#[tokio::test]
async fn one_that_is_found_in_error_has_failed_and_is_deleted() {
    let world = World::new().await;
    let volume = world.volume(&[&daily()]);
    world
        .cloud
        .backend(Rule::new(Snapshots::Any, Behaviour::CreateFails));
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, Kind::ResetAfter));
    let run = world.snapshot().await;
    assert_eq!(run.did(), "failed 1");
    assert_eq!(world.count(Route::CreateSnapshot), 1);
    assert!(run.only_failure()["snapshot_id"].is_string());
    assert!(world.cloud.snapshots_of(&volume).is_empty());
}

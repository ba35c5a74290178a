//! Mistakes in keeping snapshots and in letting them go.

use simcloud::{Fault, Kind, Route};

use crate::world::{World, daily, weekly};

/// 4. Every deletion error was swallowed and reported as success.
#[tokio::test]
async fn a_refused_deletion_is_a_failure_with_its_request_id() {
    let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", "0");
    let volume = world.volume(&[&daily()]);
    let snapshot = world.expired(&volume, &daily(), 5);
    world
        .cloud
        .inject(Fault::on(Route::DeleteSnapshot, Kind::status(403)));
    let run = world.expire().await;
    assert_eq!((run.did().as_str(), run.outcome()), ("failed 1", "partial"));
    let failure = run.only_failure();
    let refused = &world.requests(Route::DeleteSnapshot)[0];
    assert_eq!(
        failure["request_id"].as_str(),
        refused.answered_request_id.as_deref()
    );
    assert_eq!(failure["snapshot_id"], snapshot.as_str());
    assert!(world.has(&snapshot));
}

/// 5. A managed snapshot without an expiry date was deleted at once.
#[tokio::test]
async fn a_managed_snapshot_without_an_expiry_date_is_kept_and_told_of() {
    let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", "0");
    let volume = world.volume(&[&daily()]);
    let mut without = daily().expired(&volume, 5);
    without.metadata.remove("x-snapsentry-snapshot-expiry-date");
    let snapshot = world.cloud.add_snapshot(without);
    let run = world.expire().await;
    assert_eq!(run.did(), "");
    assert_eq!(run.only_warning()["snapshot_id"], snapshot.as_str());
    assert!(world.has(&snapshot));
}

/// 7. Retention shorter than the window: expired, deleted, taken again, all week long.
#[tokio::test]
async fn a_retention_shorter_than_the_window_leaves_one_snapshot_a_window() {
    let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", "0");
    let policy = weekly().with("retention-days", "1");
    let volume = world.volume(&[&policy]);
    assert_eq!(world.snapshot().await.did(), "created 1");
    for _ in 0..2 {
        world.expire().await.is_quiet();
        world.snapshot().await.is_quiet();
    }
    assert_eq!((world.begun(), world.removed()), (1, 0));
    let snapshot = world.only_snapshot_of(&volume);
    let expiry = &snapshot.metadata["x-snapsentry-snapshot-expiry-date"];
    let end = policy.end.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert_eq!(*expiry, end, "the end of the window, three days from now");
}

/// 12. Creation broken for weeks while expiry went on: no copy was left.
#[tokio::test]
async fn while_creation_is_broken_expiry_leaves_the_last_copy() {
    let world = World::new().await;
    let volume = world.volume(&[&daily()]);
    let old: Vec<String> = [24, 48, 72]
        .iter()
        .map(|hours| world.expired(&volume, &daily(), *hours))
        .collect();
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, Kind::status(400)).forever());
    for _ in 0..2 {
        assert_eq!(world.snapshot().await.did(), "failed 1");
        world.expire().await;
    }
    assert_eq!(world.only_snapshot_of(&volume).id, old[0]);
    assert_eq!(world.expire().await.did(), "kept 1");
}

//! What the answer to a deletion means.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use simcloud::{AccessRule, Cloud, Fault, Happening, Kind, Role, Route, When};

use crate::expire_pass::{expired, world};
use crate::world::{World, side_by_side};

#[tokio::test]
async fn a_zombie_that_the_role_may_not_force_is_a_failure_with_its_request_id() {
    let world = world(Role::Member).await;
    let old = Utc::now() - TimeDelta::hours(7);
    let stuck = expired(&world).created_at(old).status("error_deleting");
    let stuck = world.cloud.add_snapshot(stuck);
    let run = world.expire().await;
    assert_eq!((run.did().as_str(), run.outcome()), ("failed 1", "partial"));
    let refused = &world.requests(Route::ForceDelete)[0];
    let failure = run.only_failure();
    assert_eq!(
        failure["request_id"].as_str(),
        refused.answered_request_id.as_deref()
    );
    assert!(
        failure["error"]
            .as_str()
            .is_some_and(|error| error.contains("403"))
    );
    assert!(world.has(&stuck));
}

type Metadata = BTreeMap<String, String>;

/// A pass over one expired snapshot, to which this happens right before its deletion.
async fn interfered(
    role: Role,
    act: impl FnOnce(&Cloud, &str) + Send + 'static,
) -> (World, crate::world::Run) {
    let world = world(role).await;
    let snapshot = world.cloud.add_snapshot(expired(&world));
    world
        .cloud
        .on(Route::DeleteSnapshot, 1, When::Before, move |cloud| {
            act(cloud, &snapshot);
        });
    let run = world.expire().await;
    (world, run)
}

fn turn(status: &'static str) -> impl FnOnce(&Cloud, &str) + Send {
    move |cloud, id| {
        cloud.set_snapshot_status(id, status);
    }
}

#[tokio::test]
async fn one_that_is_gone_already_counts_as_deleted() {
    let gone = |cloud: &Cloud, id: &str| {
        cloud.remove_snapshot(id);
    };
    let (world, run) = interfered(Role::Member, gone).await;
    run.is_quiet();
    assert_eq!(run.did(), "deleted 1");
    assert_eq!(world.count(Route::GetSnapshot), 0);
}

#[tokio::test]
async fn one_that_somebody_else_is_deleting_counts_as_deleted() {
    let (world, run) = interfered(Role::Admin, turn("deleting")).await;
    run.is_quiet();
    assert_eq!(run.did(), "deleted 1");
    assert_eq!(
        world.count(Route::GetSnapshot),
        1,
        "read again after the refusal"
    );
    assert_eq!(world.count(Route::ForceDelete), 0);
}

#[tokio::test]
async fn one_whose_deletion_broke_is_deleted_by_force() {
    let (world, run) = interfered(Role::Admin, turn("error_deleting")).await;
    assert_eq!(run.did(), "deleted 1");
    assert_eq!(world.count(Route::ForceDelete), 1);
    let (world, run) = interfered(Role::Member, turn("error_deleting")).await;
    assert_eq!(run.did(), "failed 1");
    assert_eq!(world.count(Route::ForceDelete), 1);
}

#[tokio::test]
async fn one_that_somebody_works_with_is_a_failure() {
    let (world, run) = interfered(Role::Admin, turn("backing-up")).await;
    assert_eq!(run.did(), "failed 1");
    assert_eq!(world.count(Route::ForceDelete), 0);
    assert!(run.only_failure()["request_id"].is_string());
}

#[tokio::test]
async fn one_that_is_gone_when_it_is_read_again_counts_as_deleted() {
    side_by_side([400, 409], async |status| {
        let world = world(Role::Member).await;
        let snapshot = world.cloud.add_snapshot(expired(&world));
        world
            .cloud
            .inject(Fault::on(Route::DeleteSnapshot, Kind::status(status)));
        world
            .cloud
            .on(Route::GetSnapshot, 1, When::Before, move |cloud| {
                cloud.remove_snapshot(&snapshot);
            });
        let run = world.expire().await;
        assert_eq!(run.did(), "deleted 1", "{status}");
    })
    .await;
}

#[tokio::test]
async fn any_other_refusal_is_a_failure_and_never_a_success() {
    side_by_side([403, 405, 413, 422, 500, 503], async |status| {
        let world = world(Role::Member).await.set("SNAPSENTRY_MAX_RETRIES", "1");
        let snapshot = world.cloud.add_snapshot(expired(&world));
        world
            .cloud
            .inject(Fault::on(Route::DeleteSnapshot, Kind::status(status)).forever());
        let run = world.expire().await;
        assert_eq!(run.did(), "failed 1", "{status}");
        let failure = run.only_failure();
        assert_eq!(failure["snapshot_id"], snapshot.as_str());
        assert!(failure["request_id"].is_string(), "{failure}");
        let error = failure["error"].as_str().expect("an error");
        assert!(error.contains(&status.to_string()), "{error}");
        assert_eq!(world.count(Route::ForceDelete), 0, "{status}");
    })
    .await;
}

#[tokio::test]
async fn an_accepted_deletion_is_not_waited_for() {
    let slow = Duration::from_secs(3600);
    let world = World::of(|config| config.deletion_time = slow)
        .await
        .set("SNAPSENTRY_KEEP_LAST", "0");
    let snapshot = world.cloud.add_snapshot(expired(&world));
    assert_eq!(world.expire().await.did(), "deleted 1");
    assert_eq!(world.changes(Happening::Deleted).len(), 0);
    let status = world.cloud.snapshot(&snapshot).expect("it").status;
    assert_eq!(status, "deleting");
    world.expire().await.is_quiet();
    assert_eq!(world.count(Route::DeleteSnapshot), 1);
}

#[tokio::test]
async fn one_that_somebody_holds_or_takes_over_meanwhile_is_never_forced() {
    let held = |metadata: &mut Metadata| {
        metadata.insert("x-snapsentry-hold".into(), "legal".into());
    };
    let taken_over = |metadata: &mut Metadata| metadata.clear();
    let rows = [
        ("held", held as fn(&mut Metadata)),
        ("taken over", taken_over),
    ];
    side_by_side(rows, async |(what, change)| {
        let act = move |cloud: &Cloud, id: &str| {
            let mut metadata = cloud.snapshot(id).expect("the snapshot").metadata;
            change(&mut metadata);
            cloud.set_snapshot_metadata(id, metadata);
            cloud.set_snapshot_status(id, "error_deleting");
        };
        let (world, run) = interfered(Role::Admin, act).await;
        assert_eq!(run.did(), "failed 1", "{what}");
        assert_eq!(world.count(Route::ForceDelete), 0, "{what}");
        assert_eq!(world.removed(), 0, "{what}");
    })
    .await;
}

#[tokio::test]
async fn after_a_forced_deletion_was_refused_nothing_more_is_forced_in_that_pass() {
    let world = world(Role::Member).await;
    let old = Utc::now() - TimeDelta::hours(7);
    for status in ["creating", "deleting", "error_deleting", "error_deleting"] {
        let stuck = expired(&world).created_at(old).status(status);
        world.cloud.add_snapshot(stuck);
    }
    let run = world.expire().await;
    assert_eq!((run.did().as_str(), run.outcome()), ("failed 4", "partial"));
    assert_eq!(world.count(Route::ForceDelete), 1);
    assert_eq!(
        world.count(Route::DeleteSnapshot),
        4,
        "a normal delete first"
    );
    for failure in run.failures() {
        let error = failure["error"].as_str().expect("a text");
        assert!(error.contains("administrator's role"), "{error}");
        assert!(failure["request_id"].is_string(), "{failure}");
    }
    // The next pass may try again: roles change.
    assert_eq!(world.expire().await.did(), "failed 4");
    assert_eq!(world.count(Route::ForceDelete), 2);
}

#[tokio::test]
async fn what_the_access_rules_do_not_allow_is_forced_once_in_a_pass() {
    let world = World::of(|config| {
        let rules = [
            ("GET", "/v3/*/volumes/detail"),
            ("GET", "/v3/*/snapshots/*"),
            ("DELETE", "/v3/*/snapshots/*"),
        ];
        let rules = rules.map(|(method, path)| AccessRule::block_storage(method, path));
        config.application_credential.access_rules = Some(rules.into());
    });
    let world = world.await;
    let old = Utc::now() - TimeDelta::hours(7);
    for _ in 0..3 {
        let stuck = expired(&world).created_at(old).status("error_deleting");
        world.cloud.add_snapshot(stuck);
    }
    let run = world.expire().await;
    assert_eq!((run.did().as_str(), run.outcome()), ("failed 3", "partial"));
    // With the token that was there, and with a fresh one.
    assert_eq!(world.count(Route::ForceDelete), 2);
    assert_eq!(world.count(Route::Login), 2);
    for failure in run.failures() {
        let error = failure["error"].as_str().expect("a text");
        assert!(error.contains("administrator's role"), "{error}");
    }
}

#[tokio::test]
async fn a_forced_deletion_that_was_begun_before_one_was_refused_allows_no_more() {
    let world = world(Role::Admin)
        .await
        .set("SNAPSENTRY_MAX_CONCURRENCY", "2");
    let old = Utc::now() - TimeDelta::hours(7);
    for _ in 0..5 {
        let stuck = expired(&world).created_at(old).status("error_deleting");
        world.cloud.add_snapshot(stuck);
    }
    // The first is forced, the second refused, and the third's answer comes late.
    let refused = Fault::on(Route::ForceDelete, Kind::status(403));
    world.cloud.inject(refused.skip(1));
    let late = |milliseconds| Kind::DelayAfter(Duration::from_millis(milliseconds));
    let third = Fault::on(Route::ForceDelete, late(400));
    world.cloud.inject(third.skip(2));
    let fifth = Fault::on(Route::DeleteSnapshot, late(1200));
    world.cloud.inject(fifth.skip(4));
    let run = world.expire().await;
    assert_eq!(run.did(), "failed 3, deleted 2");
    assert_eq!(world.count(Route::ForceDelete), 3);
}

#[tokio::test]
async fn what_may_be_forced_is_forced_for_all_that_is_stuck() {
    let world = world(Role::Admin).await;
    let old = Utc::now() - TimeDelta::hours(7);
    for status in ["creating", "deleting", "error_deleting", "error_deleting"] {
        let stuck = expired(&world).created_at(old).status(status);
        world.cloud.add_snapshot(stuck);
    }
    let run = world.expire().await;
    run.is_quiet();
    assert_eq!(run.did(), "deleted 4");
    assert_eq!(world.count(Route::ForceDelete), 4);
}

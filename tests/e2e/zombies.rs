//! What is broken or stuck in a due window's way is cleaned up first, as far as the cloud lets
//! us, and the window is taken in any case.

use chrono::{TimeDelta, Utc};
use simcloud::{Role, Route, SnapshotSpec, When};

use crate::world::{Policy, Run, World, daily, held, side_by_side, weekly};

/// A snapshot of the week's window that last changed this many hours ago.
fn since(policy: &Policy, volume: &str, hours: i64, status: &str) -> SnapshotSpec {
    let at = Utc::now() - TimeDelta::hours(hours);
    policy.snapshot_of(volume).created_at(at).status(status)
}

/// A pass over a volume that has one such snapshot.
async fn pass(role: Role, hours: i64, status: &str) -> (World, String, Run) {
    let world = World::of(|config| config.role = role).await;
    let policy = weekly();
    let volume = world.volume(&[&policy]);
    let stuck = world
        .cloud
        .add_snapshot(since(&policy, &volume, hours, status));
    let run = world.snapshot().await;
    (world, stuck, run)
}

#[tokio::test]
async fn an_error_snapshot_is_cleaned_before_its_window_is_taken() {
    let (world, broken, run) = pass(Role::Member, 1, "error").await;
    assert_eq!(run.did(), "created 1, cleaned 1");
    assert!(!world.has(&broken));
    let cleaned = world.requests(Route::DeleteSnapshot)[0].sequence;
    assert!(cleaned < world.requests(Route::CreateSnapshot)[0].sequence);
}

#[tokio::test]
async fn a_zombie_is_removed_by_force_where_the_role_allows_it() {
    side_by_side(["creating", "deleting", "error_deleting"], async |status| {
        let (world, stuck, run) = pass(Role::Admin, 7, status).await;
        assert_eq!(run.did(), "created 1, cleaned 1", "{status}");
        assert!(!world.has(&stuck), "{status}");
        assert_eq!(world.count(Route::ForceDelete), 1, "{status}");
    })
    .await;
}

#[tokio::test]
async fn a_zombie_that_cannot_be_removed_is_a_warning_and_its_window_is_taken() {
    side_by_side(["creating", "deleting", "error_deleting"], async |status| {
        let (world, stuck, run) = pass(Role::Member, 7, status).await;
        assert_eq!(
            (run.did().as_str(), run.outcome()),
            ("created 1", "complete"),
            "{status}"
        );
        assert_eq!(run.only_warning()["snapshot_id"], stuck.as_str());
        assert!(world.has(&stuck), "{status}");
    })
    .await;
}

#[tokio::test]
async fn after_force_was_refused_once_no_other_zombie_is_forced_in_that_pass() {
    let world = World::new().await;
    let policy = weekly();
    for _ in 0..3 {
        let volume = world.volume(&[&policy]);
        let stuck = since(&policy, &volume, 7, "creating");
        world.cloud.add_snapshot(stuck);
    }
    assert_eq!(world.snapshot().await.did(), "created 3");
    assert_eq!(world.count(Route::DeleteSnapshot), 3);
    assert_eq!(world.count(Route::ForceDelete), 1);
}

#[tokio::test]
async fn what_is_still_on_its_way_is_no_zombie() {
    // One being created serves; one being deleted does not, and is left alone.
    side_by_side(
        [
            ("creating", ""),
            ("deleting", "created 1"),
            ("error_deleting", "created 1"),
        ],
        async |(status, did)| {
            let (world, young, run) = pass(Role::Admin, 5, status).await;
            assert_eq!(run.did(), did, "{status}");
            assert!(world.has(&young), "{status}");
            assert_eq!(world.removed(), 0, "{status}");
            run.is_quiet();
        },
    )
    .await;
}

#[tokio::test]
async fn stuck_after_says_when_it_is_one() {
    let policy = weekly();
    side_by_side(
        [("90m", "created 1, cleaned 1"), ("3h", "")],
        async |(stuck_after, did)| {
            let world = World::of_admin()
                .await
                .set("SNAPSENTRY_STUCK_AFTER", stuck_after);
            let volume = world.volume(&[&policy]);
            let snapshot = since(&policy, &volume, 2, "creating");
            world.cloud.add_snapshot(snapshot);
            assert_eq!(world.snapshot().await.did(), did, "{stuck_after}");
        },
    )
    .await;
}

#[tokio::test]
async fn its_age_is_that_of_its_last_change_or_else_of_its_creation() {
    let policy = weekly();
    let (old, young) = (
        Utc::now() - TimeDelta::hours(9),
        Utc::now() - TimeDelta::hours(1),
    );
    let rows = [
        (Some(young), ""),
        (Some(old), "created 1, cleaned 1"),
        (None, "created 1, cleaned 1"),
    ];
    side_by_side(rows, async |(updated_at, did)| {
        let world = World::of_admin().await;
        let volume = world.volume(&[&policy]);
        let snapshot = SnapshotSpec {
            created_at: Some(old),
            updated_at,
            ..policy.snapshot_of(&volume).status("creating")
        };
        world.cloud.add_snapshot(snapshot);
        assert_eq!(world.snapshot().await.did(), did, "{updated_at:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_held_is_not_cleaned_and_the_window_is_taken() {
    side_by_side(["error", "creating"], async |status| {
        let world = World::of_admin().await;
        let policy = weekly();
        let volume = world.volume(&[&policy]);
        let snapshot = held(since(&policy, &volume, 9, status));
        let kept = world.cloud.add_snapshot(snapshot);
        assert_eq!(world.snapshot().await.did(), "created 1", "{status}");
        assert!(world.has(&kept), "{status}");
    })
    .await;
}

#[tokio::test]
async fn only_what_would_serve_a_due_window_is_cleaned() {
    let world = World::of_admin().await;
    let (daily, weekly) = (daily(), weekly());
    let volume = world.volume(&[&daily, &weekly]);
    let stranger = world.volume(&[]);
    world.taken(&volume, &weekly);
    let long_ago = (weekly.start - TimeDelta::days(30)).to_rfc3339();
    let spared = [
        // Its window is served.
        since(&weekly, &volume, 9, "error"),
        // Its window is past.
        since(&daily, &volume, 9, "error").meta("x-snapsentry-snapshot-window-start", long_ago),
        // Nothing of its volume is due.
        since(&daily, &stranger, 9, "error"),
        // Nobody of ours made it.
        since(&daily, &volume, 9, "error").meta("x-snapsentry-managed", "false"),
    ];
    let spared = spared.map(|snapshot| world.cloud.add_snapshot(snapshot));
    assert_eq!(world.snapshot().await.did(), "created 1");
    for snapshot in &spared {
        assert!(world.has(snapshot));
    }
}

#[tokio::test]
async fn one_that_comes_to_life_while_its_window_waits_for_its_turn_is_not_deleted() {
    let world = World::of(|config| config.role = Role::Member)
        .await
        .set("SNAPSENTRY_MAX_CREATING", "1");
    let (daily, weekly) = (daily(), weekly());
    // Somebody else has the only slot for a while.
    let other = since(&daily, &world.volume(&[&daily]), 1, "creating");
    let other = SnapshotSpec {
        created_at: Some(Utc::now() - TimeDelta::minutes(5)),
        ..other
    };
    let other = world.cloud.add_snapshot(other);
    let volume = world.volume(&[&daily, &weekly]);
    let at = Some(Utc::now() - TimeDelta::hours(4));
    let zombie = SnapshotSpec {
        created_at: at,
        updated_at: at,
        ..daily.snapshot_of(&volume).status("creating")
    };
    let zombie = world.cloud.add_snapshot(zombie);
    let revived = zombie.clone();
    world
        .cloud
        .on(Route::ListSnapshots, 6, When::Before, move |cloud| {
            cloud.set_snapshot_status(&other, "available");
            cloud.set_snapshot_status(&revived, "available");
        });
    let world = world.set("SNAPSENTRY_STUCK_AFTER", "3h");
    let run = world.snapshot().await;
    assert!(world.has(&zombie), "{:#}", run.answer());
    assert_eq!(run.did(), "created 1, adopted 1");
}

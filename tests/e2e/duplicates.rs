//! Passes that overlap leave one snapshot a window, and never remove the only one.

use std::time::Duration;

use chrono::TimeDelta;
use simcloud::{Cloud, Fault, Kind, Microversions, Route, SnapshotSpec, When};

use crate::world::{World, daily, held, side_by_side};

/// While ours is being created, another pass makes this one.
pub(crate) fn meanwhile(world: &World, make: impl FnOnce(&Cloud) -> SnapshotSpec + Send + 'static) {
    world
        .cloud
        .on(Route::CreateSnapshot, 1, When::Before, |cloud| {
            let snapshot = make(cloud);
            cloud.add_snapshot(snapshot);
        });
}

/// The same, made this long before ours is, or after it.
fn meanwhile_at(world: &World, other: SnapshotSpec, seconds: i64) {
    meanwhile(world, move |cloud| {
        other.created_at(cloud.now() + TimeDelta::seconds(seconds))
    });
}

#[tokio::test]
async fn the_later_of_two_is_removed_and_counts_as_adopted_and_cleaned() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    let other = policy.snapshot_of(&volume).named("another's");
    meanwhile_at(&world, other, -2);
    let run = world.snapshot().await;
    assert_eq!(
        (run.did().as_str(), run.outcome()),
        ("adopted 1, cleaned 1", "complete")
    );
    let stays = world.only_snapshot_of(&volume);
    assert_eq!(stays.name.as_deref(), Some("another's"));
}

#[tokio::test]
async fn the_earlier_stays_whoever_made_the_later() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    let other = policy.snapshot_of(&volume).named("another's");
    meanwhile_at(&world, other, 2);
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1, cleaned 1");
    let stays = world.only_snapshot_of(&volume);
    assert_eq!(stays.name, Some(policy.name(&volume)));
}

#[tokio::test]
async fn one_with_another_start_in_the_same_window_is_no_duplicate_and_stays() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    let hour_later = (policy.start + TimeDelta::hours(1)).to_rfc3339();
    let other = policy
        .snapshot_of(&volume)
        .meta("x-snapsentry-snapshot-window-start", hour_later);
    meanwhile_at(&world, other, -2);
    assert_eq!(world.snapshot().await.did(), "created 1");
    assert_eq!(world.cloud.snapshots_of(&volume).len(), 2);
    assert_eq!(world.snapshot().await.did(), "");
    assert_eq!(world.removed(), 0);
}

#[tokio::test]
async fn duplicates_of_the_first_listing_are_removed_down_to_the_first() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    let at = |minutes| {
        let at = policy.start + TimeDelta::minutes(minutes);
        world
            .cloud
            .add_snapshot(policy.snapshot_of(&volume).created_at(at))
    };
    let [_, first, _] = [at(3), at(1), at(2)];
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.due()), ("cleaned 2", 0));
    assert_eq!(world.only_snapshot_of(&volume).id, first);
}

#[tokio::test]
async fn within_one_second_the_smaller_id_stays() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    let mut ids: Vec<String> = (0..3).map(|_| world.taken(&volume, &policy)).collect();
    ids.sort();
    assert_eq!(world.snapshot().await.did(), "cleaned 2");
    assert_eq!(world.only_snapshot_of(&volume).id, ids[0]);
}

#[tokio::test]
async fn a_twin_stays_while_no_other_is_available() {
    let policy = daily();
    side_by_side(
        ["creating", "error", "deleting", "backing-up"],
        async |status| {
            let world = World::new().await;
            let volume = world.volume(&[&policy]);
            let first = policy.snapshot_of(&volume).status(status);
            let second = policy.start + TimeDelta::minutes(2);
            let second = policy.snapshot_of(&volume).created_at(second);
            world.cloud.add_snapshot(first);
            world.cloud.add_snapshot(second);
            let run = world.snapshot().await;
            assert_eq!((run.did().as_str(), run.due()), ("", 0), "{status}");
            assert_eq!(world.removed(), 0, "{status}");
        },
    )
    .await;
}

#[tokio::test]
async fn the_order_is_that_of_the_available_ones() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    let add = |minutes, status: &str| {
        let at = policy.start + TimeDelta::minutes(minutes);
        let snapshot = policy.snapshot_of(&volume).created_at(at);
        world.cloud.add_snapshot(snapshot.status(status))
    };
    let creating = add(1, "creating");
    let (stays, goes) = (add(2, "available"), add(3, "available"));
    assert_eq!(world.snapshot().await.did(), "cleaned 1");
    assert!(world.has(&creating) && world.has(&stays) && !world.has(&goes));
}

#[tokio::test]
async fn a_held_twin_is_never_removed() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    world.taken(&volume, &policy);
    let later = policy.start + TimeDelta::minutes(9);
    let later = held(policy.snapshot_of(&volume)).created_at(later);
    world.cloud.add_snapshot(later);
    world.snapshot().await.is_quiet();
    assert_eq!(world.cloud.snapshots_of(&volume).len(), 2);
}

/// Two snapshots of one window, the first to stay.
async fn twins() -> (World, String, String) {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    let first = world.taken(&volume, &policy);
    let later = policy.start + TimeDelta::minutes(9);
    let later = policy.snapshot_of(&volume).created_at(later);
    let later = world.cloud.add_snapshot(later);
    (world, first, later)
}

#[tokio::test]
async fn a_twin_whose_deletion_is_sent_again_goes_only_if_it_still_may() {
    type Meanwhile = fn(&Cloud, &str, &str);
    let rows: [(&str, Meanwhile, bool); 3] = [
        ("nothing", |_, _, _| {}, true),
        (
            "it is held",
            |cloud, _, later| {
                let mut metadata = cloud.snapshot(later).expect("the later one").metadata;
                metadata.insert("x-snapsentry-hold".into(), "true".into());
                cloud.set_snapshot_metadata(later, metadata);
            },
            false,
        ),
        (
            "the first is gone",
            |cloud, first, _| {
                cloud.remove_snapshot(first);
            },
            false,
        ),
    ];
    side_by_side(rows, async |(what, meanwhile, goes)| {
        let (world, first, later) = twins().await;
        let busy = Fault::on(Route::DeleteSnapshot, Kind::status(503));
        world.cloud.inject(busy);
        let twin = later.clone();
        world
            .cloud
            .on(Route::GetSnapshot, 2, When::Before, move |cloud| {
                meanwhile(cloud, &first, &twin);
            });
        let run = world.snapshot().await;
        assert_eq!(world.has(&later), !goes, "{what}");
        let requests = if goes { 2 } else { 1 };
        assert_eq!(world.count(Route::DeleteSnapshot), requests, "{what}");
        assert_eq!(run.did(), if goes { "cleaned 1" } else { "" }, "{what}");
        assert_eq!(run.list("warnings").len(), usize::from(!goes), "{what}");
    })
    .await;
}

#[tokio::test]
async fn a_twin_stays_where_the_other_goes_right_after_the_listing() {
    type Meanwhile = fn(&Cloud, &str);
    let rows: [(&str, Meanwhile); 2] = [
        ("somebody deletes it", |cloud, first| {
            cloud.remove_snapshot(first);
        }),
        ("it is being deleted", |cloud, first| {
            cloud.set_snapshot_status(first, "deleting");
        }),
    ];
    side_by_side(rows, async |(what, meanwhile)| {
        let (world, first, later) = twins().await;
        world
            .cloud
            .on(Route::ListSnapshots, 1, When::After, move |cloud| {
                meanwhile(cloud, &first);
            });
        let run = world.snapshot().await;
        assert!(world.has(&later), "{what}");
        assert_eq!(world.count(Route::DeleteSnapshot), 0, "{what}");
        assert_eq!(run.list("warnings").len(), 1, "{what}");
    })
    .await;
}

#[tokio::test]
async fn duplicates_need_the_same_volume_the_same_policy_and_the_active_window() {
    let world = World::new().await;
    let policy = daily();
    let (volume, other) = (world.volume(&[&policy]), world.volume(&[&policy]));
    world.taken(&volume, &policy);
    world.taken(&other, &policy);
    // An older tool's, without the key, and a window past.
    world.cloud.add_snapshot(policy.older_snapshot_of(&volume));
    let yesterday = (policy.start - TimeDelta::days(1)).to_rfc3339();
    for _ in 0..2 {
        let past = policy
            .snapshot_of(&volume)
            .meta("x-snapsentry-snapshot-window-start", &yesterday);
        world.cloud.add_snapshot(past);
    }
    world.snapshot().await.is_quiet();
    assert_eq!(world.removed(), 0);
}

#[tokio::test]
async fn if_the_deletion_is_refused_ours_stays_created_with_a_warning() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    let other = policy.snapshot_of(&volume);
    meanwhile_at(&world, other, -2);
    world
        .cloud
        .inject(Fault::on(Route::DeleteSnapshot, Kind::status(403)).forever());
    let run = world.snapshot().await;
    assert_eq!(
        (run.did().as_str(), run.outcome()),
        ("created 1", "complete")
    );
    let ours = policy.name(&volume);
    let ours = world
        .cloud
        .snapshots_of(&volume)
        .into_iter()
        .find(|one| one.name == Some(ours.clone()));
    let ours = ours.expect("ours is still there").id;
    assert_eq!(run.only_warning()["snapshot_id"], ours.as_str());
    // The next pass is luckier.
    world.cloud.clear_faults();
    assert_eq!(world.snapshot().await.did(), "cleaned 1");
    world.only_snapshot_of(&volume);
}

#[tokio::test]
async fn one_that_a_shifting_listing_shows_twice_is_no_twin_of_its_own() {
    let world = World::of(|config| {
        config.osapi_max_limit = 2;
        // One listing for all policies.
        config.microversions = Microversions::UpTo(21);
    })
    .await;
    let policy = daily();
    let (volume, other) = (world.volume(&[&policy]), world.volume(&[&policy]));
    let ago = |hours| world.cloud.now() - TimeDelta::hours(hours);
    let snapshot = policy.snapshot_of(&volume);
    let only = world
        .cloud
        .add_snapshot(snapshot.clone().created_at(ago(1)));
    world
        .cloud
        .add_snapshot(policy.snapshot_of(&other).created_at(ago(2)));
    // Both are on the first page, which the second request gets, without a version; then the
    // newer becomes the older, and is on the second page too.
    let older = SnapshotSpec {
        id: Some(only.clone()),
        ..snapshot.created_at(ago(3))
    };
    world
        .cloud
        .on(Route::ListSnapshots, 2, When::After, move |cloud| {
            cloud.add_snapshot(older);
        });
    let run = world.snapshot().await;
    assert_eq!(run.figure("/snapshots/managed"), 3, "one was shown twice");
    assert!(world.has(&only), "the last one of its window");
    assert_eq!(world.removed(), 0);
}

#[tokio::test]
async fn a_twin_that_the_cloud_will_not_let_go_is_never_forced() {
    side_by_side(
        [("backing-up", "created 1", 1), ("deleting", "adopted 1", 0)],
        async |(status, did, warnings)| {
            let world = World::of_admin().await;
            let policy = daily();
            let volume = world.volume(&[&policy]);
            let other = policy.snapshot_of(&volume);
            meanwhile_at(&world, other, -2);
            let ours = policy.name(&volume);
            world
                .cloud
                .on(Route::DeleteSnapshot, 1, When::Before, move |cloud| {
                    let mut all = cloud.snapshots().into_iter();
                    let ours = all.find(|one| one.name.as_deref() == Some(&ours));
                    cloud.set_snapshot_status(&ours.expect("ours").id, status);
                });
            let run = world.snapshot().await;
            assert_eq!(run.did(), did, "{status}");
            assert_eq!(run.warnings_with("").len(), warnings, "{status}");
            assert_eq!(world.count(Route::ForceDelete), 0, "{status}");
        },
    )
    .await;
}

#[tokio::test]
async fn what_was_listed_long_ago_is_read_again_before_it_goes() {
    side_by_side([false, true], async |is_twin| {
        let world = World::new()
            .await
            .set("SNAPSENTRY_OPERATION_TIMEOUT", "40s");
        let policy = daily();
        let volume = world.volume(&[&policy]);
        let later = policy.start + TimeDelta::minutes(9);
        let later = policy.snapshot_of(&volume).created_at(later);
        let goes = world.cloud.add_snapshot(match is_twin {
            true => later,
            false => later.status("error"),
        });
        if is_twin {
            world.taken(&volume, &policy);
        }
        // While volumes are still listed, somebody holds it.
        let slow = Kind::DelayBefore(Duration::from_secs(31));
        world.cloud.inject(Fault::on(Route::ListVolumes, slow));
        let held = goes.clone();
        world
            .cloud
            .on(Route::ListSnapshots, 1, When::After, move |cloud| {
                let mut metadata = cloud.snapshot(&held).expect("it").metadata;
                metadata.insert("x-snapsentry-hold".into(), "true".into());
                cloud.set_snapshot_metadata(&held, metadata);
            });
        let run = world.snapshot().await;
        assert!(world.has(&goes), "{is_twin}");
        assert_eq!(world.count(Route::DeleteSnapshot), 0, "{is_twin}");
        assert_eq!(run.list("warnings").len(), 1, "{is_twin}");
    })
    .await;
}

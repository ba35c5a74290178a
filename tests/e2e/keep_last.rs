//! The newest copies of a volume that still wants them stay, even expired.

use std::time::Duration;

use chrono::{SubsecRound, TimeDelta, Utc};
use serde_json::json;
use simcloud::{Fault, Kind, Route, VolumeSpec};

use crate::world::{
    Policy, World, daily, eventually, held, managed, rfc3339, side_by_side, tagged, weekly,
};

/// What becomes of two expired snapshots of this volume; `None`: the volume is gone.
async fn fate(volume: Option<VolumeSpec>) -> String {
    let world = World::new().await;
    let is_gone = volume.is_none();
    let volume = world.cloud.add_volume(volume.unwrap_or_default());
    let newest = world.expired(&volume, &daily(), 24);
    world.expired(&volume, &daily(), 48);
    if is_gone {
        world.cloud.remove_volume(&volume);
    }
    let run = world.expire().await;
    let kept = run.did().contains("kept 1");
    assert_eq!(world.has(&newest), kept, "the newest is the one that stays");
    run.did()
}

#[tokio::test]
async fn the_last_copy_stays_while_the_volume_may_want_it() {
    let daily = daily();
    let other_key = VolumeSpec::default().meta("x-snapsentry-note", "mine");
    let rows: [(&str, Option<VolumeSpec>, bool); 10] = [
        ("enabled", Some(tagged(&[&daily])), true),
        (
            "unreadable setting",
            Some(tagged(&[&daily.clone().with("timezone", "Mars/Olympus")])),
            true,
        ),
        (
            "unreadable switch",
            Some(tagged(&[&daily.clone().with("enabled", "maybe")])),
            true,
        ),
        (
            "disabled",
            Some(tagged(&[&daily.clone().with("enabled", "false")])),
            false,
        ),
        ("another policy only", Some(tagged(&[&weekly()])), false),
        (
            "said goodbye",
            Some(tagged(&[&daily]).meta("x-snapsentry-managed", "false")),
            false,
        ),
        (
            "managed is missing, other keys are there",
            Some(daily.tag(VolumeSpec::default())),
            false,
        ),
        ("some key of ours is left", Some(other_key), false),
        (
            "wiped",
            Some(VolumeSpec::default().meta("owner", "somebody")),
            true,
        ),
        ("gone", None, false),
    ];
    side_by_side(rows, async |(what, volume, stays)| {
        let expected = if stays {
            "deleted 1, kept 1"
        } else {
            "deleted 2"
        };
        assert_eq!(fate(volume).await, expected, "{what}");
    })
    .await;
}

#[tokio::test]
async fn keep_last_says_how_many_and_0_turns_it_off() {
    side_by_side(
        [
            ("0", "deleted 3"),
            ("1", "deleted 2, kept 1"),
            ("2", "deleted 1, kept 2"),
            ("5", "kept 3"),
        ],
        async |(keep_last, did)| {
            let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", keep_last);
            let volume = world.volume(&[&daily()]);
            for days in 1..=3 {
                world.expired(&volume, &daily(), 24 * days);
            }
            assert_eq!(world.expire().await.did(), did, "{keep_last}");
        },
    )
    .await;
}

#[tokio::test]
async fn each_policy_keeps_its_own() {
    let world = World::new().await;
    let policies = [daily(), weekly()];
    let volume = world.volume(&policies.iter().collect::<Vec<&Policy>>());
    for policy in &policies {
        world.expired(&volume, policy, 24);
        world.expired(&volume, policy, 48);
    }
    assert_eq!(world.expire().await.did(), "deleted 2, kept 2");
}

#[tokio::test]
async fn a_newer_one_that_lives_or_is_held_is_the_copy_that_stays() {
    let world = World::new().await;
    let volume = world.volume(&[&daily()]);
    world.taken(&volume, &daily());
    world.expired(&volume, &daily(), 24);
    assert_eq!(world.expire().await.did(), "deleted 1");

    let world = World::new().await;
    let volume = world.volume(&[&daily()]);
    let kept = world.cloud.add_snapshot(held(daily().expired(&volume, 24)));
    world.expired(&volume, &daily(), 48);
    assert_eq!(world.expire().await.did(), "deleted 1");
    assert!(world.has(&kept));
}

#[tokio::test]
async fn only_available_ones_count_as_copies() {
    let recently = chrono::Utc::now() - chrono::TimeDelta::hours(1);
    for (status, did) in [("error", "deleted 1, kept 1"), ("creating", "kept 1")] {
        let world = World::new().await;
        let volume = world.volume(&[&daily()]);
        let newest = daily().expired(&volume, 0).created_at(recently);
        world.cloud.add_snapshot(newest.status(status));
        let copy = world.expired(&volume, &daily(), 48);
        assert_eq!(world.expire().await.did(), did, "{status}");
        assert!(world.has(&copy), "{status}");
    }
}

#[tokio::test]
async fn of_one_second_the_greater_id_is_the_newest() {
    let world = World::new().await;
    let volume = world.cloud.add_volume(managed(tagged(&[&daily()])));
    let at = chrono::Utc::now() - chrono::TimeDelta::days(9);
    let same = daily().expired(&volume, 24).created_at(at);
    let mut ids = [(); 3].map(|()| world.cloud.add_snapshot(same.clone()));
    ids.sort();
    assert_eq!(world.expire().await.did(), "deleted 2, kept 1");
    assert_eq!(world.only_snapshot_of(&volume).id, ids[2]);
}

#[tokio::test]
async fn the_last_copy_stays_beside_a_snapshot_pass_that_began_before_its_twin_expired() {
    let world = World::new().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    // As at the end of a week after which nothing is to be kept.
    let expiry = Utc::now().trunc_subsecs(0) + TimeDelta::seconds(2);
    let [earlier, later] = [1, 9].map(|minutes| {
        let twin = policy
            .snapshot_of(&volume)
            .created_at(policy.start + TimeDelta::minutes(minutes))
            .meta("x-snapsentry-snapshot-expiry-date", rfc3339(expiry));
        world.cloud.add_snapshot(twin)
    });
    // The snapshot pass lists slowly, and the expire pass's deletion comes after it.
    let slow = |route, seconds| Fault::on(route, Kind::DelayBefore(Duration::from_secs(seconds)));
    world.cloud.inject(slow(Route::ListVolumes, 4));
    let deletion = slow(Route::DeleteSnapshot, 4).containing(&earlier);
    world.cloud.inject(deletion);
    let (mut one, mut other) = (world.function().await, world.function().await);
    let late = async {
        world.had(Route::ListVolumes, 1).await;
        eventually(|| Utc::now() > expiry).await;
        other.run(json!({"phase": "expire"})).await
    };
    let (taken, expired) = tokio::join!(one.run(json!({"phase": "snapshot"})), late);
    assert_eq!(world.only_snapshot_of(&volume).id, later);
    assert_eq!(taken.did(), "");
    assert_eq!(expired.did(), "deleted 1, kept 1");
}

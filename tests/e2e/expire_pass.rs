//! An expire pass removes what has expired, and nothing that it must not.

use chrono::{TimeDelta, Utc};
use simcloud::{Role, Route, SnapshotSpec};

use crate::world::{World, daily, express, monthly, weekly, yearly};

const EXPIRY: &str = "x-snapsentry-snapshot-expiry-date";

/// A cloud whose last copies are not protected.
pub(crate) async fn world(role: Role) -> World {
    World::of(|config| config.role = role)
        .await
        .set("SNAPSENTRY_KEEP_LAST", "0")
}

/// An expired snapshot of a volume that has the policy.
pub(crate) fn expired(world: &World) -> SnapshotSpec {
    let volume = world.volume(&[&daily()]);
    daily().expired(&volume, 5)
}

/// A cloud with so many expired snapshots of one volume that nothing protects.
pub(crate) async fn with_expired(count: usize) -> World {
    let world = world(Role::Member).await;
    let volume = world.volume(&[&daily()]);
    for _ in 0..count {
        world.expired(&volume, &daily(), 5);
    }
    world
}

#[tokio::test]
async fn what_has_expired_goes_and_what_has_not_stays() {
    let world = world(Role::Member).await;
    let all = [express(), daily(), weekly(), monthly(), yearly()];
    let volume = world.volume(&all.iter().collect::<Vec<_>>());
    let gone: Vec<String> = all
        .iter()
        .map(|policy| world.expired(&volume, policy, 1))
        .collect();
    let stays: Vec<String> = all
        .iter()
        .map(|policy| world.taken(&volume, policy))
        .collect();
    let run = world.expire().await;
    run.is_quiet();
    assert_eq!(run.did(), "deleted 5");
    assert_eq!(run.figure("/snapshots/managed"), 10);
    assert!(gone.iter().all(|id| !world.has(id)) && stays.iter().all(|id| world.has(id)));
    assert_eq!(
        world.count(Route::ForceDelete),
        0,
        "a normal delete is enough"
    );
    world.expire().await.is_quiet();
}

#[tokio::test]
async fn expiry_dates_may_have_any_zone_and_fractions() {
    let world = world(Role::Member).await;
    let expiry = Utc::now() - TimeDelta::minutes(1);
    let tokyo = chrono::FixedOffset::east_opt(9 * 3600).expect("a zone");
    for text in [
        expiry.to_rfc3339(),
        expiry.with_timezone(&tokyo).to_rfc3339(),
        expiry.format("%Y-%m-%dT%H:%M:%S.123456Z").to_string(),
    ] {
        world.cloud.add_snapshot(expired(&world).meta(EXPIRY, text));
    }
    assert_eq!(world.expire().await.did(), "deleted 3");
}

#[tokio::test]
async fn what_cannot_be_judged_is_kept_and_told_of() {
    let world = world(Role::Member).await;
    let kind = "x-snapsentry-snapshot-policy-type";
    let mut without_expiry = expired(&world);
    without_expiry.metadata.remove(EXPIRY);
    let mut without_kind = expired(&world);
    without_kind.metadata.remove(kind);
    let kept = [
        without_expiry,
        without_kind,
        expired(&world).meta(EXPIRY, ""),
        expired(&world).meta(EXPIRY, "soon"),
        expired(&world).meta(EXPIRY, "2020-01-01"),
        expired(&world).meta(EXPIRY, "2020-01-01T00:00:00"),
        expired(&world).meta(kind, "hourly"),
        expired(&world).meta(kind, "Yearly"),
        expired(&world).meta(kind, ""),
    ];
    let kept = kept.map(|snapshot| world.cloud.add_snapshot(snapshot));
    let run = world.expire().await;
    assert_eq!((run.did().as_str(), run.outcome()), ("", "complete"));
    let mut told: Vec<String> = run
        .list("warnings")
        .iter()
        .filter_map(|one| Some(one["snapshot_id"].as_str()?.to_owned()))
        .collect();
    told.sort();
    let mut expected = kept.to_vec();
    expected.sort();
    assert_eq!(told, expected);
    assert_eq!(world.removed(), 0);
}

#[tokio::test]
async fn what_is_not_managed_is_nobodys_business() {
    let world = world(Role::Member).await;
    let mut unmanaged = expired(&world);
    unmanaged.metadata.remove("x-snapsentry-managed");
    world.cloud.add_snapshot(unmanaged);
    let given_up = expired(&world).meta("x-snapsentry-managed", "false");
    world.cloud.add_snapshot(given_up);
    let run = world.expire().await;
    run.is_quiet();
    assert_eq!(run.figure("/snapshots/managed"), 0);
    assert_eq!(world.removed(), 0);
}

#[tokio::test]
async fn a_hold_keeps_a_snapshot_unless_it_is_readably_false() {
    let world = world(Role::Member).await;
    let hold = |value: &str| {
        let snapshot = expired(&world).meta("x-snapsentry-hold", value);
        world.cloud.add_snapshot(snapshot)
    };
    let held = ["true", "1", "T", "yes", "no", "until Friday"].map(hold);
    let free = ["false", "0", "f", "F", "FALSE", "False"].map(hold);
    assert_eq!(
        world.expire().await.did(),
        format!("deleted {}", free.len())
    );
    assert!(held.iter().all(|id| world.has(id)));
    assert!(free.iter().all(|id| !world.has(id)));
}

#[tokio::test]
async fn only_available_and_error_ones_go_and_zombies_where_the_role_allows_it() {
    let old = Utc::now() - TimeDelta::hours(7);
    let young = Utc::now() - TimeDelta::hours(1);
    let free = ["available", "error"];
    let on_their_way = ["creating", "deleting", "error_deleting"];
    let busy = ["backing-up", "restoring", "updating", "unmanaging"];
    let world = world(Role::Admin).await;
    let mut goes = Vec::new();
    let mut stays = Vec::new();
    for (statuses, goes_old, goes_young) in [
        (&free[..], true, true),
        (&on_their_way[..], true, false),
        (&busy[..], false, false),
    ] {
        for status in statuses {
            for (since, leaves) in [(old, goes_old), (young, goes_young)] {
                let snapshot = expired(&world).created_at(since).status(*status);
                let id = world.cloud.add_snapshot(snapshot);
                if leaves { &mut goes } else { &mut stays }.push((id, *status));
            }
        }
    }
    let run = world.expire().await;
    run.is_quiet();
    assert_eq!(run.did(), "deleted 7");
    for (id, status) in goes {
        assert!(!world.has(&id), "{status}");
    }
    for (id, status) in stays {
        assert!(world.has(&id), "{status}");
    }
}

#[tokio::test]
async fn snapshots_of_volumes_that_are_gone_are_swept_too() {
    let world = world(Role::Member).await;
    let snapshot = world.cloud.add_snapshot(expired(&world));
    let volume = world.cloud.snapshot(&snapshot).expect("it").volume_id;
    world.cloud.remove_volume(&volume);
    assert_eq!(world.expire().await.did(), "deleted 1");
}

#[tokio::test]
async fn everything_is_listed_to_the_end_before_anything_is_deleted() {
    let world = World::of(|config| config.osapi_max_limit = 2)
        .await
        .set("SNAPSENTRY_KEEP_LAST", "0");
    for _ in 0..5 {
        world.cloud.add_snapshot(expired(&world));
    }
    assert_eq!(world.expire().await.did(), "deleted 5");
    let sequence = |route| {
        let requests = world.requests(route);
        requests.iter().map(|one| one.sequence).collect::<Vec<_>>()
    };
    let first = sequence(Route::DeleteSnapshot)[0];
    for route in [Route::ListVolumes, Route::ListSnapshots] {
        assert!(sequence(route).iter().all(|listed| *listed < first));
    }
    let volumes = world.requests(Route::ListVolumes);
    assert!(
        volumes.iter().all(|one| !one.path.contains("metadata")),
        "the filter would hide wiped ones"
    );
}

#[tokio::test]
async fn policies_that_cannot_be_read_are_told_of_here_too() {
    let world = world(Role::Member).await;
    world.volume(&[&daily().with("start-time", "25:00")]);
    let run = world.expire().await;
    assert_eq!(
        (run.figure("/volumes/invalid"), run.outcome()),
        (1, "partial")
    );
    assert_eq!(run.did(), "");
}

#[tokio::test]
async fn available_ones_go_first_the_longest_expired_first_then_broken_ones_then_stuck_ones() {
    let world = World::of(|config| config.role = Role::Admin)
        .await
        .set("SNAPSENTRY_KEEP_LAST", "0")
        .set("SNAPSENTRY_MAX_CONCURRENCY", "1");
    let old = Utc::now() - TimeDelta::hours(7);
    let volume = world.volume(&[&daily()]);
    let expired = |hours, status: &str| {
        let snapshot = daily().expired(&volume, hours).status(status);
        world.cloud.add_snapshot(snapshot.created_at(old))
    };
    let stuck_long = expired(90, "creating");
    let broken = expired(3, "error");
    let recently = expired(1, "available");
    let long_ago = expired(2, "available");
    let stuck = expired(80, "error_deleting");
    let broken_long = expired(70, "error");
    let run = world.expire().await;
    assert_eq!(run.did(), "deleted 6");
    let deleted: Vec<String> = world
        .requests(Route::DeleteSnapshot)
        .iter()
        .filter_map(|one| one.path.rsplit('/').next().map(str::to_owned))
        .collect();
    let expected = [long_ago, recently, broken_long, broken, stuck_long, stuck];
    assert_eq!(deleted, expected);
}

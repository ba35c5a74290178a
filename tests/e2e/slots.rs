//! How many snapshots may be `creating` at a time, of each volume type: whoever began them.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use simcloud::{Happening, Health, Route, When};

use crate::world::{World, daily, side_by_side, tagged, weekly};

/// A managed volume of this type with a daily policy.
fn of_type(world: &World, volume_type: &str) -> String {
    let mut volume = tagged(&[&daily()]);
    volume.volume_type = Some(volume_type.to_owned());
    world.cloud.add_volume(volume)
}

/// A volume of this type whose window an earlier pass has begun to serve, so many minutes ago.
fn under_way(world: &World, volume_type: &str, minutes: i64) -> String {
    let volume = of_type(world, volume_type);
    let at = Utc::now() - TimeDelta::minutes(minutes);
    let creating = daily().snapshot_of(&volume).created_at(at);
    world.cloud.add_snapshot(creating.status("creating"))
}

/// The most snapshots that the function had in `creating` at one moment, by volume type.
fn most_creating(world: &World) -> BTreeMap<String, usize> {
    let volumes = world.cloud.volumes();
    let types: BTreeMap<String, String> = volumes
        .into_iter()
        .map(|volume| (volume.id, volume.volume_type.unwrap_or_default()))
        .collect();
    let (mut creating, mut most) = (BTreeMap::new(), BTreeMap::new());
    for change in world.cloud.journal().changes {
        let of_type = types[&change.volume_id].clone();
        let count: &mut usize = creating.entry(of_type.clone()).or_default();
        match change.happening {
            Happening::Creating => *count += 1,
            Happening::Available | Happening::CreationFailed => *count -= 1,
            _ => {}
        }
        let most: &mut usize = most.entry(of_type).or_default();
        *most = (*most).max(*count);
    }
    most
}

async fn world(max_creating: &str) -> World {
    World::of(|config| config.creation_time = Duration::from_millis(300))
        .await
        .set("SNAPSENTRY_MAX_CREATING", max_creating)
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms")
}

#[tokio::test]
async fn each_volume_type_has_slots_of_its_own() {
    let world = world("2").await;
    for _ in 0..5 {
        of_type(&world, "ssd");
        of_type(&world, "hdd");
    }
    assert_eq!(world.snapshot().await.did(), "created 10");
    let most = most_creating(&world);
    assert_eq!((most["ssd"], most["hdd"]), (2, 2));
}

#[tokio::test]
async fn what_earlier_passes_have_left_creating_takes_slots() {
    let world = world("3").await;
    under_way(&world, "ssd", 5);
    under_way(&world, "ssd", 50);
    for _ in 0..4 {
        of_type(&world, "ssd");
    }
    assert_eq!(world.snapshot().await.did(), "created 4");
    assert_eq!(most_creating(&world)["ssd"], 1);
}

#[tokio::test]
async fn what_has_been_creating_for_a_sixth_of_stuck_after_takes_none() {
    side_by_side(
        [
            ("6h", 59, 1),
            ("6h", 61, 2),
            ("12h", 61, 1),
            ("12h", 121, 2),
        ],
        async |(stuck_after, minutes, most)| {
            let world = world("2").await.set("SNAPSENTRY_STUCK_AFTER", stuck_after);
            under_way(&world, "ssd", minutes);
            for _ in 0..4 {
                of_type(&world, "ssd");
            }
            assert_eq!(world.snapshot().await.did(), "created 4");
            assert_eq!(
                most_creating(&world)["ssd"],
                most,
                "{stuck_after} {minutes}"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn a_backend_that_hangs_neither_piles_up_nor_keeps_the_slots_of_others() {
    let world = world("2").await;
    world.cloud.set_health("hung", Health::Hung);
    for _ in 0..4 {
        of_type(&world, "hung");
        of_type(&world, "well");
    }
    let mut function = world.function().await;
    let pass = || json!({"phase": "snapshot"});
    let short = Duration::from_secs(4);
    let first = function.run_within(short, pass()).await;
    assert_eq!(first.did(), "created 4, pending 2, deferred 2");
    of_type(&world, "well");
    let second = function.run_within(short, pass()).await;
    assert_eq!(second.did(), "created 1, deferred 2");
    let creating = world.cloud.snapshots();
    let creating = creating.iter().filter(|one| one.status == "creating");
    assert_eq!(creating.count(), 2);
}

#[tokio::test]
async fn slots_become_free_as_looks_see_others_finish() {
    let world = world("1").await;
    let other = under_way(&world, "ssd", 20);
    of_type(&world, "ssd");
    world
        .cloud
        .on(Route::ListSnapshots, 4, When::Before, move |cloud| {
            cloud.set_snapshot_status(&other, "available");
        });
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1");
    assert!(run.answer()["duration_ms"].as_u64() < Some(20_000));
}

#[tokio::test]
async fn a_pass_that_has_to_wait_for_nobody_looks_at_nothing_that_others_create() {
    let world = world("64").await;
    under_way(&world, "ssd", 20);
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), world.begun()), ("", 0));
    assert_eq!(world.count(Route::GetSnapshot), 0);
    let looks = world.count(Route::ListSnapshots);
    of_type(&world, "hdd");
    assert_eq!(world.snapshot().await.did(), "created 1");
    assert!(looks < world.count(Route::ListSnapshots));
}

#[tokio::test]
async fn a_shard_has_its_part_of_the_slots_and_at_least_one() {
    side_by_side([("5", 2), ("1", 1)], async |(max_creating, most)| {
        let world = world(max_creating).await;
        for _ in 0..16 {
            of_type(&world, "ssd");
        }
        let shard = |index| json!({"phase": "snapshot", "shard": {"index": index, "count": 2}});
        let made = [world.run(shard(0)).await, world.run(shard(1)).await]
            .map(|run| run.figure("/snapshots/created"));
        assert_eq!(made.iter().sum::<u64>(), 16, "{made:?}");
        assert_eq!(most_creating(&world)["ssd"], most, "{max_creating}");
    })
    .await;
}

#[tokio::test]
async fn only_what_is_creating_in_its_own_share_counts() {
    side_by_side([false, true], async |is_ours| {
        let world = world("2").await;
        let volumes: Vec<String> = (0..16).map(|_| of_type(&world, "ssd")).collect();
        let mut event = json!({"phase": "snapshot", "shard": {"index": 0, "count": 2}});
        let mut dry = event.clone();
        dry["dry_run"] = true.into();
        let plan = world.run(dry).await.plan();
        let of_plan = |id: &String| plan.iter().any(|one| one["volume_id"] == id.as_str());
        let (ours, others): (Vec<_>, Vec<_>) = volumes.into_iter().partition(of_plan);
        let creating = if is_ours { &ours[1] } else { &others[0] };
        let creating = daily().snapshot_of(creating).status("creating");
        let at = Utc::now() - TimeDelta::minutes(5);
        world.cloud.add_snapshot(creating.created_at(at));
        event["volume_ids"] = json!([ours[0]]);
        let run = world.run_within(Duration::from_secs(4), event).await;
        let did = if is_ours { "deferred 1" } else { "created 1" };
        assert_eq!(run.did(), did);
    })
    .await;
}

#[tokio::test]
async fn a_vm_of_several_types_needs_slots_of_each_and_holds_up_none_that_has_some() {
    let world = world("1").await;
    under_way(&world, "hung", 5);
    let server = world.cloud.new_uuid();
    world.cloud.add_server(&server, "a-server");
    let on_server = ["hung", "well"].map(|volume_type| {
        // The oldest windows: they are first in the row.
        let mut volume = tagged(&[&weekly()]).on(&server);
        volume.volume_type = Some(volume_type.to_owned());
        world.cloud.add_volume(volume)
    });
    let alone = of_type(&world, "well");
    let event = json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_secs(4), event).await;
    assert_eq!(run.did(), "created 1, deferred 2");
    assert_eq!(world.only_snapshot_of(&alone).status, "available");
    for volume in on_server {
        assert!(world.cloud.snapshots_of(&volume).is_empty());
    }
}

#[tokio::test]
async fn what_is_creating_of_volumes_that_the_event_does_not_name_takes_slots() {
    let world = world("1").await;
    under_way(&world, "ssd", 5);
    let named = [of_type(&world, "ssd"), of_type(&world, "hdd")];
    let event = json!({"phase": "snapshot", "volume_ids": named});
    let run = world.run_within(Duration::from_secs(4), event).await;
    assert_eq!(run.did(), "created 1, deferred 1");
    assert!(world.cloud.snapshots_of(&named[0]).is_empty());
}

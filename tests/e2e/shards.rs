//! Shares of a project: disjoint, complete, and never through the middle of a VM.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde_json::{Value, json};
use simcloud::Happening;

use crate::world::{World, daily, tagged};

const COUNT: usize = 4;

/// VMs, volumes that stand alone, shared ones, and snapshots of a volume that is gone.
async fn project() -> World {
    let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", "0");
    let policy = daily();
    for _ in 0..8 {
        world.server_with(4, &[&policy]);
    }
    let servers: Vec<String> = (0..2).map(|_| world.cloud.new_uuid()).collect();
    for _ in 0..8 {
        world.volume(&[&policy]);
        let shared = servers
            .iter()
            .fold(tagged(&[&policy]), |volume, id| volume.on(id));
        world.cloud.add_volume(shared);
    }
    for volume in world.cloud.volumes() {
        world.expired(&volume.id, &policy, 5);
    }
    for _ in 0..4 {
        let gone = world.volume(&[&policy]);
        world.expired(&gone, &policy, 5);
        world.cloud.remove_volume(&gone);
    }
    world
}

fn shard(phase: &str, index: usize) -> Value {
    json!({"phase": phase, "shard": {"index": index, "count": COUNT}})
}

#[tokio::test]
async fn shares_side_by_side_do_everything_once() {
    let world = project().await;
    for (phase, all, name) in [("snapshot", 48, "created"), ("expire", 52, "deleted")] {
        let mut functions = Vec::new();
        for _ in 0..COUNT {
            functions.push(world.function().await);
        }
        let runs = functions.iter_mut().enumerate();
        let runs =
            join_all(runs.map(async |(index, function)| function.run(shard(phase, index)).await))
                .await;
        let sum = |pointer: &str| -> u64 { runs.iter().map(|run| run.figure(pointer)).sum() };
        assert_eq!(sum(&format!("/snapshots/{name}")), all, "{phase}");
        assert_eq!(sum("/volumes/managed"), 48, "{phase}");
        for run in &runs {
            run.is_quiet();
            assert!(run.figure("/volumes/managed") > 0, "a share of everything");
        }
    }
    assert_eq!(world.begun(), 48);
    assert_eq!(world.cloud.snapshots().len(), 48);
    let managed: u64 = 48;
    let mut counted = 0;
    for index in 0..COUNT {
        counted += world
            .run(shard("expire", index))
            .await
            .figure("/snapshots/managed");
    }
    assert_eq!(counted, managed);
}

#[tokio::test]
async fn a_vm_is_in_one_share_and_the_shares_are_the_same_in_both_phases() {
    let world = project().await;
    let mut share_of: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut function = world.function().await;
    for phase in ["snapshot", "expire"] {
        for index in 0..COUNT {
            let mut event = shard(phase, index);
            event["dry_run"] = true.into();
            for action in function.run(event).await.plan() {
                let volume = action["volume_id"].as_str().expect("an id").to_owned();
                let before = share_of.insert((phase.to_owned(), volume), index);
                assert_eq!(before, None, "in two shares");
            }
        }
    }
    let mut of_vm: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    let mut of_shared = BTreeSet::new();
    for volume in world.cloud.volumes() {
        let of = |phase: &str| share_of[&(phase.to_owned(), volume.id.clone())];
        assert_eq!(of("snapshot"), of("expire"));
        match volume.servers.as_slice() {
            [server] => {
                of_vm
                    .entry(server.clone())
                    .or_default()
                    .insert(of("snapshot"));
            }
            [] => {}
            _ => {
                of_shared.insert(of("snapshot"));
            }
        }
    }
    assert_eq!(of_vm.len(), 8);
    assert!(of_vm.values().all(|shares| shares.len() == 1), "{of_vm:?}");
    assert!(of_shared.len() > 1, "shared volumes go by their own ids");
}

#[tokio::test]
async fn with_volume_ids_a_share_is_the_intersection() {
    let world = project().await;
    let ids: Vec<String> = world
        .cloud
        .volumes()
        .into_iter()
        .map(|one| one.id)
        .collect();
    let some = &ids[..10];
    let mut created = 0;
    for index in 0..COUNT {
        let mut event = shard("snapshot", index);
        event["volume_ids"] = json!(some);
        let run = world.run(event).await;
        created += run.figure("/snapshots/created");
        assert_eq!(run.figure("/volumes/managed"), run.due());
        run.is_quiet();
    }
    assert_eq!(created, 10);
    let taken: BTreeSet<String> = world
        .changes(Happening::Creating)
        .into_iter()
        .map(|one| one.volume_id)
        .collect();
    assert_eq!(taken, some.iter().cloned().collect());
}

//! A dry run decides and reports everything and changes nothing: what it says is what a real
//! run then does. That it sends no request that would change something, and prints no metrics,
//! is checked for every run; see `world::promises`.

use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use simcloud::{Happening, Route};

use crate::world::{World, daily, express, held, monthly, weekly};

/// The fields of the actions of one kind.
fn actions(plan: &[Value], action: &str, field: &str) -> BTreeSet<String> {
    plan.iter()
        .filter(|one| one["action"] == action)
        .filter_map(|one| Some(one[field].as_str()?.to_owned()))
        .collect()
}

/// The snapshots whose deletion was asked for.
fn deleted(world: &World) -> BTreeSet<String> {
    let changes = world.changes(Happening::Deleting);
    changes
        .into_iter()
        .filter_map(|one| one.snapshot_id)
        .collect()
}

#[tokio::test]
async fn the_plan_of_a_snapshot_pass_is_what_the_pass_then_does() {
    let world = World::of_admin().await;
    let (daily, weekly) = (daily(), weekly());
    world.server_with(2, &[&express(), &daily, &weekly, &monthly()]);
    world.volume(&[&daily.clone().with("timezone", "Nowhere"), &weekly]);
    let served = world.volume(&[&daily]);
    world.taken(&served, &daily);
    let duplicates = world.volume(&[&weekly]);
    world.taken(&duplicates, &weekly);
    world.taken(&duplicates, &weekly);
    let broken = world.volume(&[&daily]);
    let error = daily.snapshot_of(&broken).status("error");
    world.cloud.add_snapshot(error);
    let stuck = world.volume(&[&weekly]);
    let long_ago = Utc::now() - TimeDelta::hours(8);
    let zombie = weekly.snapshot_of(&stuck).created_at(long_ago);
    world.cloud.add_snapshot(zombie.status("creating"));
    let away = world.volume(&[&daily]);
    world.cloud.set_volume_status(&away, "detaching");

    let dry = world
        .run(json!({"phase": "snapshot", "dry_run": true}))
        .await;
    let plan = dry.plan();
    for one in &plan {
        let keys: Vec<&String> = one.as_object().expect("an object").keys().collect();
        if one["action"] == "create" {
            let expected = [
                "action",
                "expires_at",
                "name",
                "policy",
                "volume_id",
                "window_end",
                "window_start",
            ];
            assert_eq!(keys, expected);
        } else {
            assert_eq!(keys, ["action", "reason", "snapshot_id", "volume_id"]);
        }
    }
    let real = world.snapshot().await;
    assert_eq!(real.did(), "created 11, blocked 1, cleaned 3");
    let names = world.requests(Route::CreateSnapshot);
    let names = names
        .iter()
        .map(|one| one.json()["snapshot"]["name"].clone());
    let names: BTreeSet<String> = names
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect();
    assert_eq!(actions(&plan, "create", "name"), names);
    let cleaned = actions(&plan, "clean", "snapshot_id");
    assert!(
        cleaned.is_subset(&deleted(&world)) && cleaned.len() == 3,
        "{cleaned:?}"
    );
    for pointer in [
        "/volumes/managed",
        "/volumes/due",
        "/volumes/invalid",
        "/snapshots/managed",
    ] {
        assert_eq!(dry.figure(pointer), real.figure(pointer), "{pointer}");
    }
    assert_eq!(dry.did(), "blocked 1");
    assert_eq!(dry.failures(), real.failures());
    assert_eq!(dry.list("warnings"), real.list("warnings"));
}

#[tokio::test]
async fn the_plan_of_an_expire_pass_is_what_the_pass_then_does() {
    let world = World::of_admin().await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    for hours in [1, 2, 3] {
        world.expired(&volume, &policy, hours);
    }
    world.cloud.add_snapshot(held(policy.expired(&volume, 9)));
    let dateless = policy
        .expired(&volume, 9)
        .meta("x-snapsentry-snapshot-expiry-date", "soon");
    world.cloud.add_snapshot(dateless);
    let gone = world.volume(&[&policy]);
    let orphan = world.expired(&gone, &policy, 4);
    world.cloud.remove_volume(&gone);

    let dry = world.run(json!({"phase": "expire", "dry_run": true})).await;
    assert_eq!((dry.did().as_str(), dry.outcome()), ("kept 1", "complete"));
    let plan = dry.plan();
    let of_orphan = plan
        .iter()
        .find(|one| one["snapshot_id"] == orphan.as_str());
    let of_orphan = of_orphan.expect("an action");
    let expiry = world.cloud.snapshot(&orphan).expect("it").metadata;
    let expected = json!({
        "action": "delete", "snapshot_id": orphan, "volume_id": gone, "reason": "expired",
        "expired_at": expiry["x-snapsentry-snapshot-expiry-date"],
    });
    assert_eq!(*of_orphan, expected);
    let real = world.expire().await;
    assert_eq!(real.did(), "deleted 3, kept 1");
    assert_eq!(actions(&plan, "delete", "snapshot_id"), deleted(&world));
    assert_eq!(dry.list("warnings"), real.list("warnings"));
}

//! Volumes of one VM are taken together, and the limits are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use simcloud::backend::{Behaviour, Rule, Snapshots};
use simcloud::{Config, Entry, Happening, Latency, Route};

use crate::world::{Policy, World, daily, overlap, side_by_side, tagged, weekly};

const WINDOW_START: &str = "x-snapsentry-snapshot-window-start";

fn slow_answers(config: &mut Config) {
    config.latency = Latency::Fixed(Duration::from_millis(200));
}

/// The creations of one policy.
fn creations_of(world: &World, policy: &Policy) -> Vec<Entry> {
    let mut creations = world.requests(Route::CreateSnapshot);
    creations.retain(|one| {
        let metadata = &one.json()["snapshot"]["metadata"];
        metadata["x-snapsentry-snapshot-policy-type"] == policy.kind
    });
    creations
}

/// The most snapshots that were `creating` at one moment, of all volumes and of any one.
fn most_creating(world: &World) -> (usize, usize) {
    let mut creating: BTreeMap<String, usize> = BTreeMap::new();
    let (mut most, mut most_of_one) = (0, 0);
    let changes = world.cloud.journal().changes;
    for change in changes {
        let of_volume = creating.entry(change.volume_id).or_default();
        match change.happening {
            Happening::Creating => *of_volume += 1,
            Happening::Available | Happening::CreationFailed => *of_volume -= 1,
            _ => {}
        }
        most_of_one = most_of_one.max(*of_volume);
        most = most.max(creating.values().sum());
    }
    (most, most_of_one)
}

#[tokio::test]
async fn the_requests_of_a_round_leave_at_one_moment_policy_by_policy() {
    let world = World::of(slow_answers).await;
    let (daily, weekly) = (daily(), weekly());
    let volumes = world.server_with(6, &[&daily, &weekly]);
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 12");
    let (days, weeks) = (creations_of(&world, &daily), creations_of(&world, &weekly));
    assert_eq!((days.len(), weeks.len()), (volumes.len(), volumes.len()));
    assert!(
        overlap(&weeks),
        "all had left before the first was answered"
    );
    assert!(overlap(&days), "all had left before the first was answered");
    let last = weeks.iter().map(|one| one.sequence).max();
    let first = days.iter().map(|one| one.sequence).min();
    assert!(last < first, "the oldest window goes first");
}

#[tokio::test]
async fn a_volume_has_one_snapshot_being_created_at_a_time() {
    let world = World::of(|config| config.creation_time = Duration::from_millis(400)).await;
    world.server_with(3, &[&daily(), &weekly()]);
    world.volume(&[&daily(), &weekly()]);
    assert_eq!(world.snapshot().await.did(), "created 8");
    let (most, most_of_one) = most_creating(&world);
    assert_eq!((most, most_of_one), (4, 1));
}

#[tokio::test]
async fn max_creating_bounds_the_snapshots_in_creating() {
    let world = World::of(|config| config.creation_time = Duration::from_millis(400))
        .await
        .set("SNAPSENTRY_MAX_CREATING", "3");
    for _ in 0..7 {
        world.volume(&[&daily()]);
    }
    assert_eq!(world.snapshot().await.did(), "created 7");
    assert_eq!(most_creating(&world).0, 3);
}

#[tokio::test]
async fn max_concurrency_bounds_the_requests_in_flight() {
    let world = World::of(|config| config.latency = Latency::Fixed(Duration::from_millis(60)))
        .await
        .set("SNAPSENTRY_MAX_CONCURRENCY", "3")
        .set("SNAPSENTRY_KEEP_LAST", "0");
    for _ in 0..9 {
        let volume = world.volume(&[&daily()]);
        world.expired(&volume, &daily(), 5);
    }
    assert_eq!(world.snapshot().await.did(), "created 9");
    assert_eq!(world.cloud.journal().max_in_flight, 3);
    world.cloud.clear_journal();
    assert_eq!(world.expire().await.did(), "deleted 9");
    assert_eq!(world.cloud.journal().max_in_flight, 3);
}

#[tokio::test]
async fn by_default_64_snapshots_are_created_by_16_requests_at_a_time() {
    let world = World::of(|config| config.latency = Latency::Fixed(Duration::from_millis(40)))
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
    for _ in 0..70 {
        world.volume(&[&daily()]);
    }
    world
        .cloud
        .backend(Rule::new(Snapshots::Any, Behaviour::CreateHangs));
    let event = serde_json::json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_millis(3500), event).await;
    assert_eq!(run.did(), "pending 64, deferred 6");
    assert_eq!(world.cloud.journal().max_in_flight, 16);
}

#[tokio::test]
async fn a_round_larger_than_a_limit_goes_in_waves_of_it() {
    side_by_side(
        ["SNAPSENTRY_MAX_CREATING", "SNAPSENTRY_MAX_CONCURRENCY"],
        async |limit| {
            let world = World::of(|config| {
                slow_answers(config);
                config.creation_time = Duration::from_millis(100);
            });
            let world = world.await.set(limit, "2");
            world.server_with(5, &[&daily()]);
            assert_eq!(world.snapshot().await.did(), "created 5", "{limit}");
            let creations = world.requests(Route::CreateSnapshot);
            for wave in creations.chunks(2) {
                assert!(overlap(wave), "{limit}");
            }
            assert!(!overlap(&creations), "{limit}");
            if limit == "SNAPSENTRY_MAX_CREATING" {
                assert_eq!(most_creating(&world).0, 2);
            } else {
                assert_eq!(world.cloud.journal().max_in_flight, 2);
            }
        },
    )
    .await;
}

#[tokio::test]
async fn the_waves_of_a_round_begin_with_the_oldest_window() {
    side_by_side(
        ["SNAPSENTRY_MAX_CREATING", "SNAPSENTRY_MAX_CONCURRENCY"],
        async |limit| {
            let world = World::new().await.set(limit, "1");
            let server = world.cloud.new_uuid();
            for hours in [1, 5, 3] {
                let start = Utc::now() - TimeDelta::hours(hours);
                let policy = daily().with("start-time", &start.format("%H:%M").to_string());
                world.cloud.add_volume(tagged(&[&policy]).on(&server));
            }
            assert_eq!(world.snapshot().await.did(), "created 3", "{limit}");
            let starts: Vec<String> = creations_of(&world, &daily())
                .iter()
                .map(|one| one.json()["snapshot"]["metadata"][WINDOW_START].to_string())
                .collect();
            assert!(starts.is_sorted(), "{limit}: {starts:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn a_round_waits_for_all_its_slots() {
    let world = World::of(|config| {
        slow_answers(config);
        config.creation_time = Duration::from_millis(300);
    });
    let world = world.await.set("SNAPSENTRY_MAX_CREATING", "3");
    // Older windows go first, and leave one slot free.
    let alone = [world.volume(&[&weekly()]), world.volume(&[&weekly()])];
    world.server_with(3, &[&daily()]);
    assert_eq!(world.snapshot().await.did(), "created 5");
    let together = creations_of(&world, &daily());
    assert!(overlap(&together), "not one by one as slots became free");
    assert!(most_creating(&world).0 <= 3);
    assert_eq!(alone.len(), 2);
}

#[tokio::test]
async fn volumes_with_several_attachments_stand_alone() {
    let world = World::of(|config| config.creation_time = Duration::from_millis(100)).await;
    let (daily, weekly) = (daily(), weekly());
    let servers = [world.cloud.new_uuid(), world.cloud.new_uuid()];
    let [own, shared] = [&servers[..1], &servers[..]].map(|servers| {
        let volume = tagged(&[&daily, &weekly]);
        let volume = servers.iter().fold(volume, |volume, id| volume.on(id));
        world.cloud.add_volume(volume)
    });
    let slow = Behaviour::CreateSlowly(Duration::from_secs(2));
    let weekly_of_own = Snapshots::Named(format!("managed-weekly-{own}-*"));
    world.cloud.backend(Rule::new(weekly_of_own, slow));
    assert_eq!(world.snapshot().await.did(), "created 4");
    let changes = world.cloud.journal().changes;
    let at = |happening, volume: &str, kind: &str| {
        let name = format!("managed-{kind}-{volume}-");
        changes.iter().position(|one| {
            one.happening == happening && one.name.as_deref().is_some_and(|n| n.starts_with(&name))
        })
    };
    let begun = at(Happening::Creating, &shared, "daily").expect("a creation");
    let waited_for = at(Happening::Available, &own, "weekly").expect("an end");
    assert!(
        begun < waited_for,
        "the shared one did not wait for the VM's round"
    );
}

#[tokio::test]
async fn after_thirty_seconds_a_round_leaves_without_the_volume_it_waits_for() {
    let world = World::new()
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
    let (daily, weekly) = (daily(), weekly());
    let volumes = world.server_with(2, &[&daily, &weekly]);
    let stuck = Snapshots::OfVolume(volumes[0].clone());
    world
        .cloud
        .backend(Rule::new(stuck, Behaviour::CreateHangs));
    let event = serde_json::json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_secs(33), event).await;
    assert_eq!(run.did(), "created 2, pending 1, deferred 1");
    let days = creations_of(&world, &daily);
    let weeks = creations_of(&world, &weekly);
    assert_eq!((days.len(), weeks.len()), (1, 2));
    let waited = days[0].arrived - weeks[0].arrived;
    assert!(waited >= Duration::from_secs(29), "{waited:?}");
    assert_eq!(days[0].json()["snapshot"]["volume_id"], volumes[1].as_str());
}

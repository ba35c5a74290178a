//! Two passes at once.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use simcloud::{Fault, Kind, Route, When};

use crate::duplicates::meanwhile;
use crate::world::{Policy, World, daily, weekly};

#[tokio::test]
async fn one_look_for_duplicates_serves_all_that_were_created() {
    let world = World::new().await;
    for _ in 0..20 {
        world.volume(&[&daily()]);
    }
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 20");
    let last = world
        .requests(Route::CreateSnapshot)
        .pop()
        .expect("a creation");
    let after = world.requests(Route::ListSnapshots);
    let after = after
        .iter()
        .filter(|one| one.sequence > last.sequence)
        .count();
    // One look that finds all available, and one for duplicates; a slow machine may look again.
    assert!((2..=4).contains(&after), "{after} listings");
}

#[tokio::test]
async fn two_passes_at_once_leave_one_snapshot_a_window() {
    let world = World::of(|config| config.creation_time = Duration::from_millis(200)).await;
    let policies = [daily(), weekly()];
    let all: Vec<&Policy> = policies.iter().collect();
    let volumes: Vec<String> = (0..4).map(|_| world.volume(&all)).collect();
    // The first pass's requests are held up, so that the second sees none of their work.
    let held_up = Kind::DelayBefore(Duration::from_millis(1500));
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, held_up).times(4));
    let (mut one, mut other) = (world.function().await, world.function().await);
    let event = json!({"phase": "snapshot"});
    let late = async {
        world.had(Route::CreateSnapshot, 4).await;
        other.run(event.clone()).await
    };
    let (first, second) = tokio::join!(one.run(event.clone()), late);
    for run in [&first, &second] {
        assert_eq!(run.outcome(), "complete", "{:#}", run.answer());
        assert!(run.due() > 0);
    }
    let served = |run: &crate::world::Run| run.figure("/snapshots/created");
    let cleaned = first.figure("/snapshots/cleaned") + second.figure("/snapshots/cleaned");
    assert!(world.begun() > 8, "the passes did overlap");
    assert!(served(&first) + served(&second) >= 8);
    assert_eq!(cleaned as usize, world.begun() - 8);
    one.run(event).await.is_quiet();
    for volume in &volumes {
        let snapshots = world.cloud.snapshots_of(volume);
        assert_eq!(snapshots.len(), 2, "{snapshots:#?}");
        assert!(snapshots.iter().all(|one| one.status == "available"));
    }
}

#[tokio::test]
async fn the_look_for_duplicates_reaches_back_five_seconds_before_the_newest_of_the_first_listing()
{
    let world = World::new().await;
    let policy = daily();
    let (volume, busy) = (world.volume(&[&policy]), world.volume(&[&policy]));
    let newest = world.cloud.now();
    world
        .cloud
        .add_snapshot(policy.snapshot_of(&busy).created_at(newest));
    // By the clock of another machine it was made earlier than what had been listed.
    let other = policy.snapshot_of(&volume);
    meanwhile(&world, move |_| {
        other.created_at(newest - TimeDelta::seconds(4))
    });
    assert_eq!(world.snapshot().await.did(), "adopted 1, cleaned 1");
    world.only_snapshot_of(&volume);
}

#[tokio::test]
async fn looking_for_ours_and_for_duplicates_does_not_read_the_history_again() {
    let world = World::of(|config| config.osapi_max_limit = 20).await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    for n in 1..=200 {
        let at = policy.start - TimeDelta::minutes(20) * n;
        let old = policy.older_snapshot_of(&volume).created_at(at);
        world.cloud.add_snapshot(old);
    }
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1");
    let created = world.requests(Route::CreateSnapshot)[0].sequence;
    let mut listings = world.requests(Route::ListSnapshots);
    assert!(listings.len() > 4, "the first listing has pages");
    listings.retain(|one| one.sequence > created);
    assert!(listings.len() <= 4, "{} listings", listings.len());
}

#[tokio::test]
async fn one_that_somebody_else_deletes_while_it_is_created_has_failed() {
    let slow = Duration::from_millis(600);
    let world = World::of(|config| config.creation_time = slow).await;
    let volume = world.volume(&[&daily()]);
    let of = volume.clone();
    world
        .cloud
        .on(Route::CreateSnapshot, 1, When::After, move |cloud| {
            cloud.remove_snapshot(&cloud.snapshots_of(&of)[0].id);
        });
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.outcome()), ("failed 1", "partial"));
    let failure = run.only_failure();
    let error = failure["error"].as_str().expect("an error");
    assert!(error.contains("deleted by somebody else"), "{error}");
    assert!(failure["snapshot_id"].is_string(), "{failure}");
    // The next pass takes the window anew.
    assert_eq!(world.snapshot().await.did(), "created 1");
}

//! Mistakes in taking snapshots.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use simcloud::backend::{Behaviour, Rule, Snapshots};
use simcloud::{Fault, Happening, Kind, Route, When};

use crate::world::{Policy, World, daily, express, monthly, side_by_side, weekly};

/// 1. A retry around creation and waiting made a second snapshot when the first answer was lost
///    or a look at the snapshot failed.
#[tokio::test]
async fn a_retry_after_a_lost_answer_or_a_failed_look_makes_no_second_snapshot() {
    let late = Kind::LateWork {
        code: 502,
        delay: Duration::ZERO,
    };
    side_by_side(
        [Kind::ResetAfter, Kind::Truncate, Kind::NotJson, late],
        async |lost| {
            let world = World::of(|config| config.creation_time = Duration::from_millis(400)).await;
            let volume = world.volume(&[&daily()]);
            world
                .cloud
                .inject(Fault::on(Route::CreateSnapshot, lost.clone()));
            let run = world.snapshot().await;
            assert_eq!(run.did(), "adopted 1", "{lost:?}");
            assert_eq!(world.begun(), 1, "{lost:?}");
            assert_eq!(world.only_snapshot_of(&volume).status, "available");
        },
    )
    .await;
    let world = World::of(|config| config.creation_time = Duration::from_millis(400)).await;
    world.volume(&[&daily()]);
    let cloud = world.cloud.clone();
    world
        .cloud
        .on(Route::CreateSnapshot, 1, When::After, move |_| {
            cloud.inject(Fault::on(Route::ListSnapshots, Kind::status(500)).times(2));
        });
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1");
    assert_eq!(world.begun(), 1);
}

/// 2. Only `available` counted as taken, so a slow backend got one more every pass.
#[tokio::test]
async fn a_snapshot_that_is_still_creating_counts_as_taken() {
    let world = World::new()
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
    let volume = world.volume(&[&daily(), &weekly()]);
    world
        .cloud
        .backend(Rule::new(Snapshots::Any, Behaviour::CreateHangs));
    let second = Duration::from_millis(1500);
    let event = json!({"phase": "snapshot"});
    let first = world.run_within(second, event.clone()).await;
    assert_eq!(
        (first.did().as_str(), first.due()),
        ("pending 1, deferred 1", 2)
    );
    let before = world.cloud.snapshots_of(&volume);
    world.cloud.clear_backend();
    for _ in 0..2 {
        let later = world.run(event.clone()).await;
        later.is_quiet();
    }
    let after = world.cloud.snapshots_of(&volume);
    assert_eq!((before.len(), after.len()), (1, 2));
    assert_eq!(before[0].status, "creating");
}

/// 3. Thirty seconds for creation and waiting: a slow snapshot was reported failed and deleted.
#[tokio::test]
async fn a_snapshot_that_takes_45_seconds_is_waited_for_and_never_deleted() {
    let slow = Duration::from_secs(45);
    let world = World::of(|config| config.creation_time = slow)
        .await
        .set("SNAPSENTRY_OPERATION_TIMEOUT", "300ms");
    let volume = world.volume(&[&daily()]);
    // Two listings, one look, and the next look comes 45 seconds later by the cloud's clock.
    world
        .cloud
        .on(Route::ListSnapshots, 4, When::Before, move |cloud| {
            cloud.advance(slow);
        });
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1");
    assert_eq!(run.outcome(), "complete");
    assert_eq!(world.removed(), 0);
    assert_eq!(world.only_snapshot_of(&volume).status, "available");

    let world = World::of(|config| config.creation_time = slow)
        .await
        .set("SNAPSENTRY_OPERATION_TIMEOUT", "300ms")
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
    let volume = world.volume(&[&daily()]);
    let event = json!({"phase": "snapshot"});
    let run = world
        .run_within(Duration::from_millis(1500), event.clone())
        .await;
    assert_eq!(run.did(), "pending 1");
    assert_eq!(run.outcome(), "deferred");
    world.cloud.advance(slow);
    world.run(event).await.is_quiet();
    assert_eq!(world.only_snapshot_of(&volume).status, "available");
    assert_eq!((world.begun(), world.removed()), (1, 0));
}

/// 8. Windows of a fixed 24 hours: a second snapshot on the night the clocks go back.
#[tokio::test]
async fn a_day_of_25_hours_has_one_snapshot() {
    let world = World::new().await;
    let policy = daily()
        .with("timezone", "Europe/Berlin")
        .with("start-time", "00:00");
    let volume = world.volume(&[&policy]);
    let mut function = world.function().await;
    let midnight = "2026-10-24T22:00:00Z".parse::<chrono::DateTime<Utc>>();
    let midnight = midnight.expect("an instant");
    let mut seen = Vec::new();
    // Whatever a pass at that time would take is there from then on.
    for half_hours in 0..=51 {
        let as_of = midnight + TimeDelta::minutes(30 * half_hours);
        let event = json!({"phase": "snapshot", "dry_run": true, "as_of": as_of.to_rfc3339()});
        for action in function.run(event).await.plan() {
            assert_eq!(action["action"], "create");
            let start = action["window_start"].as_str().expect("an instant");
            let name = action["name"].as_str().expect("a name");
            seen.push((half_hours, name.replace(&volume, "VOLUME")));
            let snapshot = policy
                .older_snapshot_of(&volume)
                .created_at(as_of)
                .meta("x-snapsentry-snapshot-window-start", start);
            world.cloud.add_snapshot(snapshot);
        }
    }
    let name = |start: &str| format!("managed-daily-VOLUME-{start}");
    assert_eq!(
        seen,
        [
            (0, name("2026-10-25T00:00:00+02:00")),
            (50, name("2026-10-26T00:00:00+01:00")),
        ]
    );
}

/// 9. One listing per volume and policy: ten thousand volumes were forty thousand requests.
#[tokio::test]
async fn a_thousand_volumes_with_four_policies_take_pages_and_eight_requests_at_most() {
    let world = World::new().await;
    let policies = [express(), daily(), weekly(), monthly()];
    let all: Vec<&Policy> = policies.iter().collect();
    for _ in 0..1000 {
        let volume = world.volume(&all);
        for policy in &policies {
            world.taken(&volume, policy);
        }
    }
    let pages = 1 + 4;
    let run = world.snapshot().await;
    run.is_quiet();
    assert_eq!((run.due(), run.figure("/volumes/managed")), (0, 1000));
    assert_eq!(run.figure("/snapshots/managed"), 4000);
    let sent = run.figure("/requests/sent");
    assert!(sent <= pages + 8, "{sent} requests");
    assert_eq!(world.writes(), 0);
}

/// 13. Clean-up of a failed creation used the time-out that had just run out.
#[tokio::test]
async fn a_snapshot_that_broke_after_the_time_out_is_still_cleaned_up() {
    let slow = Duration::from_millis(800);
    let world = World::of(|config| config.creation_time = slow)
        .await
        .set("SNAPSENTRY_OPERATION_TIMEOUT", "250ms");
    let volume = world.volume(&[&daily()]);
    world
        .cloud
        .backend(Rule::new(Snapshots::Any, Behaviour::CreateFails));
    let run = world.snapshot().await;
    assert_eq!(run.did(), "failed 1");
    assert_eq!(world.changes(Happening::CreationFailed).len(), 1);
    assert!(world.cloud.snapshots_of(&volume).is_empty());
    assert!(run.list("warnings").is_empty());
}

//! The answer leaves in time whatever the cloud does, and what it says of unfinished work is
//! true. That no run misses its deadline is checked for every run; see `world::promises`.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use simcloud::backend::{Behaviour, Rule, Snapshots};
use simcloud::lambda::Deadline;
use simcloud::{Fault, Kind, Role, Route};

use crate::expire_pass::with_expired;
use crate::world::{MINUTE, Run, World, daily, side_by_side, weekly};

#[tokio::test]
async fn a_deadline_within_the_margin_leaves_time_for_nothing() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    let event = json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_secs(1), event).await;
    run.fails("DeadlineExceeded");
    assert_eq!(world.cloud.journal().total(), 0);
}

#[tokio::test]
async fn a_deadline_in_1970_means_none_and_that_is_said_once() {
    let world = World::new().await.set("SNAPSENTRY_DEFAULT_TIMEOUT", "1s");
    world.volume(&[&daily()]);
    let mut function = world.function().await;
    let event = json!({"phase": "snapshot"});
    let none = Deadline::Millis(600_000);
    let first = function.run_until(none, event.clone()).await;
    assert_eq!(first.did(), "created 1");
    let warned = |run: &Run| {
        let lines = run.log();
        let warned = lines.iter().filter(|line| {
            line["level"] == "WARN" && line.to_string().contains("SNAPSENTRY_DEFAULT_TIMEOUT")
        });
        warned.count()
    };
    assert_eq!(warned(&first), 1);
    world
        .cloud
        .inject(Fault::on(Route::ListVolumes, Kind::HangBefore).forever());
    let second = function.run_until(none, event).await;
    second.fails("DeadlineExceeded");
    assert_eq!(warned(&second), 0);
    let took = second.invocation.elapsed;
    assert!(
        took >= Duration::from_millis(900) && took < MINUTE / 2,
        "{took:?}"
    );
}

#[tokio::test]
async fn no_creation_is_begun_that_would_not_fit() {
    let world = World::new()
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms")
        .set("SNAPSENTRY_MAX_CREATING", "1");
    for _ in 0..9 {
        world.volume(&[&daily()]);
    }
    let slow = Kind::DelayAfter(Duration::from_millis(700));
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, slow).forever());
    let event = json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_millis(3500), event).await;
    assert_eq!(run.outcome(), "deferred");
    let begun = world.requests(Route::CreateSnapshot);
    assert!(!begun.is_empty() && begun.len() < 9, "{}", begun.len());
    assert!(
        begun.iter().all(|one| !one.client_gone),
        "all were answered"
    );
    assert_eq!(run.figure("/snapshots/deferred") as usize, 9 - begun.len());
}

#[tokio::test]
async fn before_the_first_creation_any_slow_answer_but_a_listing_tells_what_fits() {
    let event = json!({"phase": "snapshot"});
    side_by_side(
        [
            (Route::Login, "deferred 1"),
            (Route::ListVolumes, "created 1"),
        ],
        async |(route, did)| {
            let world = World::new()
                .await
                .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
            world.volume(&[&daily()]);
            let slow = Kind::DelayAfter(Duration::from_secs(2));
            world.cloud.inject(Fault::on(route, slow));
            let run = world
                .run_within(Duration::from_secs(4), event.clone())
                .await;
            assert_eq!(run.did(), did, "{route:?}");
            assert_eq!(
                world.count(Route::CreateSnapshot) == 0,
                route == Route::Login
            );
        },
    )
    .await;
}

#[tokio::test]
async fn no_deletion_is_begun_that_would_not_fit() {
    let world = with_expired(9)
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms")
        .set("SNAPSENTRY_MAX_CONCURRENCY", "1");
    let slow = Kind::DelayAfter(Duration::from_millis(700));
    world
        .cloud
        .inject(Fault::on(Route::DeleteSnapshot, slow).forever());
    let event = json!({"phase": "expire"});
    let run = world.run_within(Duration::from_millis(3000), event).await;
    let begun = world.requests(Route::DeleteSnapshot);
    assert!(!begun.is_empty() && begun.len() < 9, "{}", begun.len());
    assert!(
        begun.iter().all(|one| !one.client_gone),
        "all were answered"
    );
    let did = format!("deferred {}, deleted {}", 9 - begun.len(), begun.len());
    assert_eq!((run.did(), run.outcome()), (did, "deferred"));
}

#[tokio::test]
async fn a_deletion_that_the_deadline_cut_off_is_deferred() {
    let world = World::new()
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms")
        .set("SNAPSENTRY_KEEP_LAST", "0");
    let volume = world.volume(&[&daily()]);
    world.expired(&volume, &daily(), 5);
    world
        .cloud
        .inject(Fault::on(Route::DeleteSnapshot, Kind::HangAfter));
    let event = json!({"phase": "expire"});
    let run = world
        .run_within(Duration::from_millis(1200), event.clone())
        .await;
    assert_eq!(
        (run.did().as_str(), run.outcome()),
        ("deferred 1", "deferred")
    );
    world.run(event).await.is_quiet();
}

/// A pass of two seconds over one volume, to whose every creation this happens.
async fn lost(configure: impl FnOnce(World) -> World, faults: &[Fault]) -> (World, Run) {
    let world = World::new()
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
    let world = configure(world);
    world.volume(&[&daily()]);
    for fault in faults {
        world.cloud.inject(fault.clone());
    }
    let event = json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_secs(2), event).await;
    (world, run)
}

#[tokio::test]
async fn a_lost_creation_that_was_not_looked_up_in_time_is_pending() {
    let hang = Fault::on(Route::CreateSnapshot, Kind::HangBefore);
    let (_, run) = lost(|world| world, &[hang]).await;
    assert_eq!(
        (run.did().as_str(), run.outcome()),
        ("pending 1", "deferred")
    );

    let reset = Fault::on(Route::CreateSnapshot, Kind::ResetAfter);
    // The pass lists twice: with the filter and, since that is empty, without.
    let look_up = Fault::on(Route::ListSnapshots, Kind::HangBefore)
        .skip(2)
        .forever();
    let (world, run) = lost(|world| world, &[reset, look_up]).await;
    assert_eq!(run.did(), "pending 1");
    assert_eq!(world.begun(), 1);
    world.cloud.clear_faults();
    world.snapshot().await.is_quiet();
}

#[tokio::test]
async fn a_lost_creation_that_was_looked_up_and_not_found_is_deferred_when_time_runs_out() {
    let short = |world: World| {
        world
            .set("SNAPSENTRY_OPERATION_TIMEOUT", "250ms")
            .set("SNAPSENTRY_MAX_RETRIES", "100")
    };
    let hang = Fault::on(Route::CreateSnapshot, Kind::HangBefore).forever();
    let (world, run) = lost(short, &[hang]).await;
    assert!(world.count(Route::CreateSnapshot) > 1);
    // The last one of them may have been cut off before it could be looked up.
    assert!(
        ["deferred 1", "pending 1"].contains(&run.did().as_str()),
        "{}",
        run.did()
    );

    let waits = |world: World| {
        world
            .set("SNAPSENTRY_BASE_DELAY", "30s")
            .set("SNAPSENTRY_MAX_DELAY", "30s")
    };
    let reset = Fault::on(Route::CreateSnapshot, Kind::ResetBefore).forever();
    let (world, run) = lost(waits, &[reset]).await;
    assert_eq!(run.did(), "deferred 1");
    assert_eq!(world.count(Route::CreateSnapshot), 1);
}

#[tokio::test]
async fn what_was_not_begun_is_deferred_and_what_was_is_pending() {
    let world = World::new()
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms")
        .set("SNAPSENTRY_MAX_CREATING", "2");
    for _ in 0..5 {
        world.volume(&[&daily()]);
    }
    world
        .cloud
        .backend(Rule::new(Snapshots::Any, Behaviour::CreateHangs));
    let event = json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_millis(1500), event).await;
    assert_eq!(
        (run.did().as_str(), run.outcome()),
        ("pending 2, deferred 3", "deferred")
    );
    assert_eq!(run.failures(), Vec::<Value>::new());
    assert_eq!((world.begun(), world.removed()), (2, 0));
}

#[tokio::test]
async fn zombies_in_the_way_leave_time_for_their_windows() {
    let world = World::of(|config| config.role = Role::Member)
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
    let policy = weekly();
    let volume = world.volume(&[&policy]);
    world
        .cloud
        .add_snapshot(policy.snapshot_of(&volume).status("error"));
    world
        .cloud
        .inject(Fault::on(Route::DeleteSnapshot, Kind::HangBefore).forever());
    let event = json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_secs(4), event).await;
    assert_eq!(run.did(), "created 1");
    assert_eq!(run.list("warnings").len(), 1);
}

#[tokio::test]
async fn by_default_two_seconds_are_kept_free() {
    let world = World::new().await;
    world
        .cloud
        .inject(Fault::on(Route::Login, Kind::HangBefore).forever());
    let event = json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_millis(3500), event).await;
    run.fails("DeadlineExceeded");
    let took = run.invocation.elapsed;
    assert!(took >= Duration::from_millis(1300), "{took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_deadline_that_has_passed_leaves_time_for_nothing_unless_it_is_of_1970() {
    let world = World::new().await;
    let event = json!({"phase": "snapshot"});
    let mut function = world.function().await;
    for ago in [
        TimeDelta::hours(1),
        TimeDelta::days(2),
        TimeDelta::days(40 * 365),
    ] {
        let at = (Utc::now() - ago).timestamp_millis();
        let late = Deadline::Millis(at.unsigned_abs());
        let late = function.run_until(late, event.clone()).await;
        late.fails("DeadlineExceeded");
        assert_eq!(world.cloud.journal().total(), 0, "{ago}");
    }
    // The last millisecond of that year.
    let none = Deadline::Millis(31_535_999_999);
    function.run_until(none, event).await.is_quiet();
}

#[tokio::test]
async fn a_deadline_beyond_all_calendars_is_one_that_is_far_ahead() {
    let world = World::new().await;
    let never = Deadline::Millis(u64::MAX / 1_000_000);
    let mut function = world.function().await;
    let run = function
        .run_until(never, json!({"phase": "snapshot"}))
        .await;
    run.is_quiet();
}

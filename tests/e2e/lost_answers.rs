//! A creation whose answer is lost or ambiguous is looked up before it is tried again.

use std::time::Duration;

use bytes::Bytes;
use simcloud::backend::{Behaviour, Rule, Snapshots};
use simcloud::{Fault, Happening, Kind, Route, When};

use crate::world::{Policy, Run, World, daily, side_by_side, weekly};

/// Codes that leave open what became of a creation.
const OPEN: [u16; 5] = [408, 500, 502, 503, 504];

/// A pass over one volume, to whose first creation this happens.
async fn pass(misfortune: Kind) -> (World, String, Run) {
    let world = World::new()
        .await
        .set("SNAPSENTRY_OPERATION_TIMEOUT", "400ms");
    let volume = world.volume(&[&daily()]);
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, misfortune));
    let run = world.snapshot().await;
    (world, volume, run)
}

/// The look-ups of one volume.
fn look_ups(world: &World, volume: &str) -> usize {
    let listings = world.requests(Route::ListSnapshots);
    let of_volume = listings.iter().filter(|one| one.path.contains(volume));
    of_volume.count()
}

#[tokio::test]
async fn a_creation_that_was_done_is_found_and_adopted() {
    let done = |code| Kind::LateWork {
        code,
        delay: Duration::ZERO,
    };
    let mut lost = vec![
        Kind::ResetAfter,
        Kind::HangAfter,
        Kind::Truncate,
        Kind::NotJson,
    ];
    lost.extend(OPEN.map(done));
    side_by_side(lost, async |lost| {
        let (world, volume, run) = pass(lost.clone()).await;
        assert_eq!(run.did(), "adopted 1", "{lost:?}");
        assert_eq!(world.count(Route::CreateSnapshot), 1, "{lost:?}");
        assert_eq!(look_ups(&world, &volume), 1, "{lost:?}");
        assert_eq!(world.only_snapshot_of(&volume).status, "available");
    })
    .await;
}

#[tokio::test]
async fn a_creation_that_was_not_done_is_looked_up_twice_and_tried_again() {
    let odd = |body: &'static str| Kind::Status {
        code: 202,
        headers: Vec::new(),
        body: Some(Bytes::from_static(body.as_bytes())),
    };
    let mut lost = vec![
        Kind::ResetBefore,
        Kind::HangBefore,
        odd(""),
        odd("{}"),
        odd("null"),
        odd("{\"snapshot\": {}}"),
    ];
    lost.extend(OPEN.map(Kind::status));
    side_by_side(lost, async |lost| {
        let (world, volume, run) = pass(lost.clone()).await;
        assert_eq!(run.did(), "created 1", "{lost:?}");
        assert_eq!(world.count(Route::CreateSnapshot), 2, "{lost:?}");
        assert_eq!(look_ups(&world, &volume), 2, "{lost:?}");
        world.only_snapshot_of(&volume);
    })
    .await;
}

#[tokio::test]
async fn one_that_appears_during_the_back_off_is_found_right_before_the_second_try() {
    let world = World::new()
        .await
        .set("SNAPSENTRY_BASE_DELAY", "1s")
        .set("SNAPSENTRY_MAX_DELAY", "1s");
    let volume = world.volume(&[&daily()]);
    let cloud = world.cloud.clone();
    let late = Kind::LateWork {
        code: 504,
        delay: Duration::from_secs(600),
    };
    world.cloud.inject(Fault::on(Route::CreateSnapshot, late));
    // With and without filter, the pass's listing and the first look-up find nothing. The
    // work is done right after them.
    world
        .cloud
        .on(Route::ListSnapshots, 4, When::After, move |_| {
            cloud.advance(Duration::from_secs(600));
        });
    let run = world.snapshot().await;
    assert_eq!(run.did(), "adopted 1");
    assert_eq!(world.count(Route::CreateSnapshot), 1);
    assert_eq!(look_ups(&world, &volume), 2);
    world.only_snapshot_of(&volume);
}

#[tokio::test]
async fn if_the_look_up_fails_the_creation_is_not_repeated_and_its_outcome_is_unknown() {
    side_by_side(
        [Kind::ResetBefore, Kind::ResetAfter, Kind::status(500)],
        async |lost| {
            let world = World::new().await;
            let volume = world.volume(&[&daily()]);
            world
                .cloud
                .inject(Fault::on(Route::CreateSnapshot, lost.clone()));
            let look_up = Fault::on(Route::ListSnapshots, Kind::status(500));
            world.cloud.inject(look_up.containing(&volume).forever());
            let run = world.snapshot().await;
            assert_eq!(run.did(), "failed 1", "{lost:?}");
            let failure = run.only_failure();
            let error = failure["error"].as_str().expect("an error");
            assert!(
                error.contains("outcome") && error.contains("unknown"),
                "{error}"
            );
            assert_eq!(world.count(Route::CreateSnapshot), 1, "{lost:?}");
            // The next pass finds out.
            world.cloud.clear_faults();
            world.snapshot().await;
            world.only_snapshot_of(&volume);
        },
    )
    .await;
}

#[tokio::test]
async fn a_look_up_that_fails_before_the_second_try_ends_it_too() {
    let world = World::new().await;
    let volume = world.volume(&[&daily()]);
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, Kind::ResetBefore));
    let look_up = Fault::on(Route::ListSnapshots, Kind::status(403));
    world
        .cloud
        .inject(look_up.containing(&volume).skip(1).forever());
    let plain = Fault::on(Route::ListSnapshots, Kind::status(403));
    // The filter is refused, and the listing without it as well.
    world.cloud.inject(plain.skip(3).forever());
    let run = world.snapshot().await;
    assert_eq!(run.did(), "failed 1");
    let failure = run.only_failure();
    let error = failure["error"].as_str().expect("an error");
    assert!(error.contains("unknown"), "{error}");
    assert_eq!(world.count(Route::CreateSnapshot), 1);
}

#[tokio::test]
async fn when_retries_have_run_out_it_has_failed() {
    let world = World::new().await.set("SNAPSENTRY_MAX_RETRIES", "2");
    let volume = world.volume(&[&daily()]);
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, Kind::status(503)).forever());
    let run = world.snapshot().await;
    assert_eq!(run.did(), "failed 1");
    assert_eq!(world.count(Route::CreateSnapshot), 3);
    assert_eq!(world.begun(), 0);
    assert!(world.cloud.snapshots_of(&volume).is_empty());
}

#[tokio::test]
async fn a_rate_limit_leaves_nothing_open_and_is_retried_without_a_look_up() {
    let waits = [
        Kind::RateLimit { retry_after: None },
        Kind::status_with(413, "retry-after", "1"),
    ];
    side_by_side(waits, async |limit| {
        let (world, volume, run) = pass(limit.clone()).await;
        assert_eq!(run.did(), "created 1", "{limit:?}");
        assert_eq!(world.count(Route::CreateSnapshot), 2, "{limit:?}");
        assert_eq!(look_ups(&world, &volume), 0, "{limit:?}");
    })
    .await;
}

#[tokio::test]
async fn a_clear_refusal_is_neither_looked_up_nor_repeated() {
    side_by_side([400, 403, 404, 409, 422], async |status| {
        let (world, volume, run) = pass(Kind::status(status)).await;
        assert_eq!(run.did(), "failed 1", "{status}");
        assert_eq!(world.count(Route::CreateSnapshot), 1, "{status}");
        assert_eq!(look_ups(&world, &volume), 0, "{status}");
    })
    .await;
}

#[tokio::test]
async fn whatever_is_lost_one_snapshot_a_window_is_there_in_the_end() {
    let world = World::of(|config| config.creation_time = Duration::from_millis(100)).await;
    let policies = [daily(), crate::world::weekly()];
    let all: Vec<&Policy> = policies.iter().collect();
    let volumes: Vec<String> = (0..6).map(|_| world.volume(&all)).collect();
    let lost = [
        Kind::ResetAfter,
        Kind::ResetBefore,
        Kind::Truncate,
        Kind::status(500),
        Kind::NotJson,
    ];
    for (skipped, kind) in lost.into_iter().enumerate() {
        let fault = Fault::on(Route::CreateSnapshot, kind);
        world.cloud.inject(fault.skip(skipped as u64).times(2));
    }
    let run = world.snapshot().await;
    assert_eq!(run.due(), 12);
    assert_eq!(run.outcome(), "complete", "{:#}", run.answer());
    assert_eq!(world.begun(), 12);
    for volume in &volumes {
        assert_eq!(world.cloud.snapshots_of(volume).len(), 2);
    }
}

#[tokio::test]
async fn other_server_errors_are_looked_up_too_and_not_repeated() {
    side_by_side([501, 505, 507], async |code| {
        let done = Kind::LateWork {
            code,
            delay: Duration::ZERO,
        };
        let (world, _, run) = pass(done).await;
        assert_eq!(run.did(), "adopted 1", "{code}");
        assert_eq!(world.count(Route::CreateSnapshot), 1, "{code}");
        let (world, _, run) = pass(Kind::status(code)).await;
        assert_eq!(run.did(), "failed 1", "{code}");
        assert_eq!(world.count(Route::CreateSnapshot), 1, "{code}");
    })
    .await;
}

#[tokio::test]
async fn one_that_a_look_meets_during_the_back_off_is_waited_for_before_the_next_of_its_volume() {
    let world = World::new()
        .await
        .set("SNAPSENTRY_BASE_DELAY", "3s")
        .set("SNAPSENTRY_MAX_DELAY", "3s");
    let (daily, weekly) = (daily(), weekly());
    let volume = world.volume(&[&daily, &weekly]);
    // Looks go on while this one is waited for.
    let other = world.volume(&[&daily]);
    let slow = Behaviour::CreateSlowly(Duration::from_secs(5));
    for name in [
        format!("managed-weekly-{volume}-*"),
        format!("managed-daily-{other}-*"),
    ] {
        let rule = Rule::new(Snapshots::Named(name), slow);
        world.cloud.backend(rule);
    }
    let late = Kind::LateWork {
        code: 504,
        delay: Duration::from_millis(500),
    };
    let lost = Fault::on(Route::CreateSnapshot, late);
    world.cloud.inject(lost.containing("managed-weekly"));
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 2, adopted 1");
    let changes = world.cloud.journal().changes;
    let of = |happening, kind: &str| {
        let name = format!("managed-{kind}-{volume}-");
        let is = |name: &Option<String>, start: &str| {
            name.as_deref().is_some_and(|name| name.starts_with(start))
        };
        let mut changes = changes.iter();
        changes.position(|one| one.happening == happening && is(&one.name, &name))
    };
    let ended = of(Happening::Available, "weekly").expect("an end");
    let next = of(Happening::Creating, "daily").expect("a creation");
    assert!(ended < next, "two of one volume at a time");
}

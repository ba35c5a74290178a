//! What is tried again, how often, and after how long.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use simcloud::{Entry, Fault, Kind, Route};

use crate::world::{Run, World, daily, side_by_side};

/// A cloud with one expired snapshot that nothing protects.
async fn world() -> World {
    let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", "0");
    let volume = world.volume(&[&daily()]);
    world.expired(&volume, &daily(), 5);
    world
}

/// An expire pass in which this happens to requests of the call.
async fn pass(world: &World, fault: Fault) -> Run {
    world.cloud.inject(fault);
    world.expire().await
}

fn waits(requests: &[Entry]) -> Vec<Duration> {
    let pairs = requests.windows(2);
    pairs
        .map(|pair| pair[1].arrived - pair[0].answered.unwrap_or(pair[0].arrived))
        .collect()
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let mut passing = vec![
        Kind::ResetBefore,
        Kind::ResetAfter,
        Kind::Truncate,
        Kind::NotJson,
        Kind::HangBefore,
        Kind::HangAfter,
    ];
    passing.extend([408, 429, 500, 502, 503, 504].map(Kind::status));
    let routes = [Route::Login, Route::ListVolumes, Route::ListSnapshots];
    let rows = passing
        .iter()
        .flat_map(|kind| routes.map(|route| (route, kind)));
    side_by_side(rows, async |(route, kind)| {
        let world = world().await.set("SNAPSENTRY_OPERATION_TIMEOUT", "400ms");
        let run = pass(&world, Fault::on(route, kind.clone())).await;
        assert_eq!(run.did(), "deleted 1", "{route:?}, {kind:?}");
        assert_eq!(world.count(route), 2, "{route:?}, {kind:?}");
        assert_eq!(run.figure("/requests/retried"), 1, "{route:?}, {kind:?}");
    })
    .await;
}

#[tokio::test]
async fn a_deletion_is_tried_again_and_its_first_success_is_recognised() {
    let mut passing = vec![Kind::ResetBefore, Kind::ResetAfter, Kind::HangAfter];
    passing.extend([408, 429, 500, 502, 503, 504].map(Kind::status));
    side_by_side(passing, async |kind| {
        let world = world().await.set("SNAPSENTRY_OPERATION_TIMEOUT", "400ms");
        let run = pass(&world, Fault::on(Route::DeleteSnapshot, kind.clone())).await;
        assert_eq!(run.did(), "deleted 1", "{kind:?}");
        assert_eq!(world.count(Route::DeleteSnapshot), 2, "{kind:?}");
    })
    .await;
}

#[tokio::test]
async fn nothing_else_is_tried_again() {
    side_by_side(
        [400, 402, 403, 405, 409, 410, 413, 422, 451, 501, 505, 507],
        async |status| {
            let world = world().await;
            let fault = Fault::on(Route::DeleteSnapshot, Kind::status(status)).forever();
            let run = pass(&world, fault).await;
            assert_eq!(run.did(), "failed 1", "{status}");
            assert_eq!(world.count(Route::DeleteSnapshot), 1, "{status}");
            assert_eq!(run.figure("/requests/retried"), 0, "{status}");
        },
    )
    .await;
}

#[tokio::test]
async fn max_retries_bounds_the_tries() {
    side_by_side([0, 1, 4], async |retries| {
        let world = world()
            .await
            .set("SNAPSENTRY_MAX_RETRIES", retries.to_string());
        let fault = Fault::on(Route::DeleteSnapshot, Kind::status(503)).forever();
        let run = pass(&world, fault).await;
        assert_eq!(run.did(), "failed 1");
        assert_eq!(world.count(Route::DeleteSnapshot), 1 + retries);
        assert_eq!(run.figure("/requests/retried"), retries);
    })
    .await;
    let world = world().await;
    pass(
        &world,
        Fault::on(Route::DeleteSnapshot, Kind::status(503)).forever(),
    )
    .await;
    assert_eq!(world.count(Route::DeleteSnapshot), 4, "three by default");
}

#[tokio::test]
async fn waits_double_from_half_the_base_and_are_capped() {
    let world = world()
        .await
        .set("SNAPSENTRY_BASE_DELAY", "200ms")
        .set("SNAPSENTRY_MAX_DELAY", "500ms")
        .set("SNAPSENTRY_MAX_RETRIES", "4");
    pass(
        &world,
        Fault::on(Route::DeleteSnapshot, Kind::ResetBefore).forever(),
    )
    .await;
    let waits = waits(&world.requests(Route::DeleteSnapshot));
    let least = [100, 200, 250, 250].map(Duration::from_millis);
    assert_eq!(waits.len(), least.len());
    for (wait, least) in waits.iter().zip(least) {
        assert!(*wait >= least, "{waits:?}");
        assert!(*wait < Duration::from_secs(10), "{waits:?}");
    }
}

#[tokio::test]
async fn retry_after_is_a_floor_that_max_delay_does_not_cut() {
    let seconds = || "1".to_owned();
    // Dates have whole seconds: this one is at least one second away.
    let date = || {
        let date = Utc::now() + TimeDelta::seconds(2);
        date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    };
    let rows: [(u16, &dyn Fn() -> String); 4] = [
        (429, &seconds),
        (503, &seconds),
        (413, &seconds),
        (429, &date),
    ];
    side_by_side(rows, async |(status, value)| {
        let world = world().await;
        // By the time of the deletion the process has long been started.
        let kind = Kind::status_with(status, "retry-after", &value());
        let run = pass(&world, Fault::on(Route::DeleteSnapshot, kind)).await;
        assert_eq!(run.did(), "deleted 1", "{status}");
        let requests = world.requests(Route::DeleteSnapshot);
        let began = requests[0]
            .arrived
            .min(requests[0].answered.expect("an answer"));
        let waited = requests[1].arrived - began;
        let least = if value() == "1" { 1000 } else { 500 };
        assert!(
            waited >= Duration::from_millis(least),
            "{status}: {waited:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_retry_after_that_does_not_fit_defers_the_work_at_once() {
    let hour = || Kind::RateLimit {
        retry_after: Some("3600".into()),
    };
    let world = world().await;
    world.volume(&[&daily()]);
    for route in [Route::CreateSnapshot, Route::DeleteSnapshot] {
        world.cloud.inject(Fault::on(route, hour()).forever());
    }
    let created = world.snapshot().await;
    assert_eq!(
        (created.did().as_str(), created.outcome()),
        ("deferred 2", "deferred")
    );
    let deleted = world.expire().await;
    assert_eq!(
        (deleted.did().as_str(), deleted.outcome()),
        ("deferred 1", "deferred")
    );
    for route in [Route::Login, Route::ListVolumes, Route::ListSnapshots] {
        let world = self::world().await;
        let run = pass(&world, Fault::on(route, hour()).forever()).await;
        run.fails("DeadlineExceeded");
        assert_eq!(world.count(route), 1, "{route:?}");
        assert!(run.invocation.elapsed < Duration::from_secs(20));
    }
}

#[tokio::test]
async fn a_413_that_does_not_ask_to_wait_is_a_used_up_quota() {
    let zero = Kind::status_with(413, "retry-after", "0");
    side_by_side([zero, Kind::status(413)], async |kind| {
        let world = World::new().await;
        world.volume(&[&daily()]);
        world
            .cloud
            .inject(Fault::on(Route::CreateSnapshot, kind.clone()).forever());
        let run = world.snapshot().await;
        assert_eq!(run.did(), "failed 1");
        assert_eq!(world.count(Route::CreateSnapshot), 1, "{kind:?}");
        let failure = run.only_failure();
        let error = failure["error"].as_str().expect("an error");
        assert!(error.contains("quota"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_413_that_asks_to_wait_is_a_rate_limit() {
    let world = World::new().await.set("SNAPSENTRY_MAX_RETRIES", "1");
    world.volume(&[&daily()]);
    let wait = Kind::status_with(413, "retry-after", "1");
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, wait).forever());
    let run = world.snapshot().await;
    assert_eq!(run.did(), "failed 1");
    assert_eq!(world.count(Route::CreateSnapshot), 2);
}

#[tokio::test]
async fn the_operation_time_out_bounds_one_attempt_and_not_all_of_them() {
    let world = world().await.set("SNAPSENTRY_OPERATION_TIMEOUT", "300ms");
    let fault = Fault::on(Route::ListVolumes, Kind::HangBefore).times(2);
    let run = pass(&world, fault).await;
    assert_eq!(run.did(), "deleted 1");
    let listings = world.requests(Route::ListVolumes);
    assert_eq!(listings.len(), 3);
    for pair in listings.windows(2) {
        assert!(pair[1].arrived - pair[0].arrived >= Duration::from_millis(300));
        assert!(pair[0].client_gone);
    }
}

#[tokio::test]
async fn one_windows_retries_do_not_hold_up_another() {
    let world = World::new()
        .await
        .set("SNAPSENTRY_BASE_DELAY", "1s")
        .set("SNAPSENTRY_MAX_DELAY", "1s");
    let (slow, quick) = (world.volume(&[&daily()]), world.volume(&[&daily()]));
    let refused = Fault::on(Route::CreateSnapshot, Kind::status(429)).containing(&slow);
    world.cloud.inject(refused);
    let run = world.run(json!({"phase": "snapshot"})).await;
    assert_eq!(run.did(), "created 2");
    let creations = world.requests(Route::CreateSnapshot);
    let last = creations.last().expect("a creation").json();
    assert_eq!(last["snapshot"]["volume_id"], slow.as_str());
    assert_ne!(quick, slow);
}

#[tokio::test]
async fn by_default_the_first_wait_is_a_quarter_to_half_a_second() {
    let world = world()
        .await
        .unset("SNAPSENTRY_BASE_DELAY")
        .unset("SNAPSENTRY_MAX_DELAY");
    let run = pass(&world, Fault::on(Route::DeleteSnapshot, Kind::status(503))).await;
    assert_eq!(run.did(), "deleted 1");
    let wait = waits(&world.requests(Route::DeleteSnapshot))[0];
    let range = Duration::from_millis(250)..Duration::from_secs(5);
    assert!(range.contains(&wait), "{wait:?}");
}

//! What is tried again, and how often.

use std::time::Duration;

use serde_json::json;
use simcloud::{Entry, Fault, Kind, Route};

use crate::expire_pass::with_expired;
use crate::world::{Run, World, daily, side_by_side};

/// A cloud with one expired snapshot that nothing protects.
pub(crate) async fn world() -> World {
    with_expired(1).await
}

/// An expire pass in which this happens to requests of the call.
pub(crate) async fn pass(world: &World, fault: Fault) -> Run {
    world.cloud.inject(fault);
    world.expire().await
}

pub(crate) fn waits(requests: &[Entry]) -> Vec<Duration> {
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

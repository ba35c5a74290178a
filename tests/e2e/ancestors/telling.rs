//! Mistakes in understanding others and in telling them.

use std::time::Duration;

use serde_json::json;
use simcloud::{Fault, Kind, Route, VolumeSpec};

use crate::world::{World, daily, managed, tagged, weekly};

/// 6. An unreadable setting switched the policy off in silence.
#[tokio::test]
async fn an_unreadable_setting_is_told_of_and_stops_no_other_policy() {
    let world = World::new().await;
    let broken = daily().with("timezone", "Mars/Olympus");
    let volume = world.volume(&[&broken, &weekly()]);
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1");
    assert_eq!(
        (run.outcome(), run.figure("/volumes/invalid")),
        ("partial", 1)
    );
    let failure = run.only_failure();
    assert_eq!(failure["volume_id"], volume.as_str());
    assert_eq!(failure["policy"], "daily");
    let error = failure["error"].as_str().expect("an error");
    assert!(error.contains("x-snapsentry-daily-timezone"), "{error}");
    assert!(error.contains("Mars/Olympus"), "{error}");
}

/// 10. The monthly day was written under one key and read under another.
#[tokio::test]
async fn the_monthly_day_is_read_where_it_is_written() {
    let world = World::new().await;
    let volume = world.cloud.add_volume(VolumeSpec::default());
    let event = json!({
        "phase": "subscribe", "volume_id": volume, "policy": "monthly", "day_of_month": 17,
    });
    world.run(event).await.is_quiet();
    let older_tool = managed(VolumeSpec::default())
        .meta("x-snapsentry-monthly-enabled", "true")
        .meta("x-snapsentry-monthly-day-of-month", "17");
    let older = world.cloud.add_volume(older_tool);
    let event = json!({
        "phase": "snapshot", "dry_run": true, "as_of": "2026-03-20T12:00:00Z",
    });
    let plan = world.run(event).await.plan();
    assert_eq!(plan.len(), 2);
    for action in &plan {
        assert!(
            [&volume, &older]
                .iter()
                .any(|id| action["volume_id"] == **id)
        );
        assert_eq!(action["window_start"], "2026-03-17T00:00:00Z");
        assert_eq!(action["window_end"], "2026-04-17T00:00:00Z");
    }
}

/// 11. The token was never renewed; 502 was not retried; `Retry-After` was ignored.
#[tokio::test]
async fn tokens_are_renewed_502_is_retried_and_retry_after_is_kept() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    let wait = Kind::RateLimit {
        retry_after: Some("1".into()),
    };
    for (route, kind) in [
        (Route::CreateSnapshot, Kind::ExpireToken),
        (Route::ListVolumes, Kind::status(502)),
        (Route::ListSnapshots, wait),
    ] {
        world.cloud.inject(Fault::on(route, kind));
    }
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1");
    assert_eq!(world.count(Route::Login), 2);
    assert_eq!(run.figure("/requests/retried"), 3);
    let looks = world.requests(Route::ListSnapshots);
    let waited = looks[1].arrived - looks[0].arrived;
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
}

/// 14. The run reported success whatever happened.
#[tokio::test]
async fn a_run_that_went_wrong_says_so() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    let refused = world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, Kind::status(400)));
    let partly = world.snapshot().await;
    assert_eq!(world.cloud.struck(refused), 1);
    assert_eq!(partly.outcome(), "partial");
    assert_eq!(partly.metrics()["SnapshotsFailed"], 1);
    for route in [Route::ListVolumes, Route::ListSnapshots] {
        world
            .cloud
            .inject(Fault::on(route, Kind::status(403)).forever());
        let wholly = world.snapshot().await;
        wholly.fails("DiscoveryFailed");
        assert_eq!(wholly.metrics()["InvocationsFailed"], 1);
        world.cloud.clear_faults();
    }
    let nobody = World::of(|config| config.application_credential.deleted = true).await;
    nobody.cloud.add_volume(tagged(&[&daily()]));
    nobody.snapshot().await.fails("AuthenticationFailed");
}

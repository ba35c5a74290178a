//! `Retry-After`: how long the cloud asks to be left alone.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use simcloud::{Entry, Fault, Kind, Route};

use crate::expire_pass::with_expired;
use crate::retries::{pass, waits, world};
use crate::world::{World, daily, side_by_side};

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
async fn a_look_that_was_given_up_leaves_the_cloud_alone_for_as_long_as_it_asks() {
    let world = World::new().await.set("SNAPSENTRY_MAX_RETRIES", "0");
    world
        .cloud
        .configure(|config| config.creation_time = Duration::from_millis(600));
    world.volume(&[&daily()]);
    let busy = Kind::status_with(503, "retry-after", "1");
    world
        .cloud
        .inject(Fault::on(Route::ListSnapshots, busy).containing("limit="));
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 1");
    let listings = world.requests(Route::ListSnapshots);
    let looks: Vec<Entry> = listings
        .into_iter()
        .filter(|entry| entry.path.contains("limit="))
        .collect();
    let waited = waits(&looks)[0];
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
}

#[tokio::test]
async fn a_login_that_was_given_up_leaves_keystone_alone_for_as_long_as_it_asks() {
    let world = with_expired(3)
        .await
        .set("SNAPSENTRY_MAX_CONCURRENCY", "1")
        .set("SNAPSENTRY_MAX_RETRIES", "0");
    world
        .cloud
        .inject(Fault::on(Route::DeleteSnapshot, Kind::ExpireToken));
    let busy = Kind::RateLimit {
        retry_after: Some("1".into()),
    };
    world.cloud.inject(Fault::on(Route::Login, busy).skip(1));
    let run = world.expire().await;
    assert_eq!(run.did(), "failed 1, deleted 2");
    let waited = waits(&world.requests(Route::Login))[1];
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
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

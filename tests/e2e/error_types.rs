//! Each way in which an invocation as a whole fails: its type, and a message that says what to
//! do next.

use std::time::Duration;

use serde_json::json;
use simcloud::{Fault, Kind, Role, Route, VolumeSpec};

use crate::world::{World, daily, side_by_side};

const ABSENT: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn an_invalid_event_is_refused_before_any_call() {
    let world = World::new().await;
    let run = world.run(json!({"phase": "sweep"})).await;
    run.fails_with(
        "InvalidEvent",
        &["phase", "snapshot", "expire", "subscribe", "targets"],
    );
    assert_eq!(world.cloud.journal().total(), 0);
    assert_eq!(run.metrics()["Phase"], "unknown");
}

#[tokio::test]
async fn an_invalid_configuration_names_every_variable_at_fault_before_any_call() {
    let world = World::new()
        .await
        .unset("OS_APPLICATION_CREDENTIAL_SECRET")
        .set("SNAPSENTRY_MAX_CREATING", "many")
        .set("SNAPSENTRY_POLL_INTERVAL", "100ms")
        .set("OS_INTERFACE", "secret");
    let run = world.snapshot().await;
    let names = [
        "OS_APPLICATION_CREDENTIAL_SECRET",
        "SNAPSENTRY_MAX_CREATING",
        "SNAPSENTRY_POLL_INTERVAL",
        "OS_INTERFACE",
    ];
    run.fails_with("InvalidConfiguration", &names);
    assert_eq!(world.cloud.journal().total(), 0);
    assert_eq!(run.metrics()["Phase"], "snapshot");
}

#[tokio::test]
async fn a_login_that_keystone_refuses_is_an_authentication_failure() {
    let world = World::new()
        .await
        .set("OS_APPLICATION_CREDENTIAL_SECRET", "not-a-secret-either")
        .secret("not-a-secret-either");
    for phase in ["snapshot", "expire"] {
        let run = world.run(json!({"phase": phase})).await;
        run.fails_with("AuthenticationFailed", &["401", "requires authentication"]);
        assert_eq!(run.metrics()["RequestsSent"], 1, "a refusal is not retried");
    }
    let event = json!({"phase": "subscribe", "volume_id": ABSENT, "policy": "daily"});
    world.run(event).await.fails("AuthenticationFailed");
}

#[tokio::test]
async fn a_keystone_that_cannot_be_reached_is_an_authentication_failure() {
    // A port that is taken, so that nobody else may, and on which nobody listens.
    let taken = tokio::net::TcpSocket::new_v4().expect("a socket");
    taken.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let nobody = taken.local_addr().expect("an address");
    let world = World::new()
        .await
        .set("OS_AUTH_URL", format!("http://{nobody}/v3"))
        .set("SNAPSENTRY_MAX_RETRIES", "1");
    let run = world.snapshot().await;
    run.fails_with("AuthenticationFailed", &["OS_AUTH_URL"]);
    assert_eq!(run.metrics()["RequestsSent"], 2);
    assert_eq!(run.metrics()["RequestsRetried"], 1);

    let world = World::new().await.set("SNAPSENTRY_MAX_RETRIES", "1");
    let broken = Fault::on(Route::Login, Kind::status(503)).forever();
    world.cloud.inject(broken);
    world
        .snapshot()
        .await
        .fails_with("AuthenticationFailed", &["503"]);
}

#[tokio::test]
async fn a_catalogue_without_the_endpoint_is_an_authentication_failure() {
    let world = World::new().await.set("OS_REGION_NAME", "Elsewhere");
    let run = world.snapshot().await;
    run.fails_with("AuthenticationFailed", &["Elsewhere", "RegionOne"]);
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_while_listing_is_an_authentication_failure() {
    for route in [Route::ListVolumes, Route::ListSnapshots] {
        let world = World::new().await;
        world
            .cloud
            .inject(Fault::on(route, Kind::Unauthorized).forever());
        let run = world.snapshot().await;
        run.fails_with("AuthenticationFailed", &["401", "access rule"]);
        assert_eq!(world.count(Route::Login), 2, "one fresh token");
    }
}

#[tokio::test]
async fn a_listing_that_fails_is_a_failed_discovery() {
    side_by_side([Route::ListVolumes, Route::ListSnapshots], async |route| {
        for phase in ["snapshot", "expire"] {
            let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", "0");
            let volume = world.volume(&[&daily()]);
            world.expired(&volume, &daily(), 5);
            let broken = Fault::on(route, Kind::status(500)).forever();
            world.cloud.inject(broken);
            let run = world.run(json!({"phase": phase})).await;
            let entry = world.requests(route).pop().expect("a request");
            let id = entry.answered_request_id.expect("an id");
            run.fails_with("DiscoveryFailed", &["500", &id]);
            assert_eq!(world.writes(), 0, "{route:?}, {phase}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_deadline_that_ends_login_or_discovery_is_exceeded() {
    let event = json!({"phase": "snapshot"});
    side_by_side(
        [Route::Login, Route::ListVolumes, Route::ListSnapshots],
        async |route| {
            let world = World::new()
                .await
                .set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
            world.volume(&[&daily()]);
            world
                .cloud
                .inject(Fault::on(route, Kind::HangBefore).forever());
            let run = world
                .run_within(Duration::from_millis(1200), event.clone())
                .await;
            run.fails("DeadlineExceeded");
            assert_eq!(world.writes(), 0, "{route:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn subscribing_a_volume_that_is_not_there_is_an_error_and_makes_nothing() {
    let world = World::new().await;
    let event = json!({"phase": "subscribe", "volume_id": ABSENT, "policy": "daily"});
    world
        .run(event)
        .await
        .fails_with("VolumeNotFound", &[ABSENT]);
    assert_eq!((world.writes(), world.cloud.volumes().len()), (0, 0));
}

#[tokio::test]
async fn a_subscription_that_cannot_be_written_is_a_failed_subscription() {
    let world = World::of(|config| config.role = Role::Reader).await;
    let volume = world.cloud.add_volume(VolumeSpec::default());
    let event = json!({"phase": "subscribe", "volume_id": volume, "policy": "daily"});
    let run = world.run(event).await;
    run.fails_with("SubscriptionFailed", &["403", "Policy doesn't allow"]);
    assert_eq!(run.metrics()["Phase"], "subscribe");
}

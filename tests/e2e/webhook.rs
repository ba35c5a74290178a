//! Notifications: one POST for each failed creation and each failed deletion, and never in the
//! work's way.

use std::time::Duration;

use serde_json::{Value, json};
use simcloud::backend::{Behaviour, Rule, Snapshots};
use simcloud::webhook::{Notification, Webhook};
use simcloud::{Fault, Kind, Role, Route};

use crate::world::{MINUTE, Run, World, daily, side_by_side, weekly};

const PATH: &str = "/hooks/not-a-secret-path?key=not-a-secret-key";

/// A receiver, and a function that notifies it.
async fn notified(world: World) -> (World, Webhook) {
    let webhook = Webhook::start().await.expect("a port");
    let world = world
        .set("SNAPSENTRY_WEBHOOK_URL", webhook.url(PATH))
        .set("SNAPSENTRY_WEBHOOK_USERNAME", "robot")
        .set("SNAPSENTRY_WEBHOOK_PASSWORD", "not-a-secret-hook-password")
        .set("SNAPSENTRY_KEEP_LAST", "0")
        .secret("not-a-secret-path")
        .secret("not-a-secret-key")
        .secret("not-a-secret-hook-password")
        // The same as it is sent.
        .secret("cm9ib3Q6bm90LWEtc2VjcmV0LWhvb2stcGFzc3dvcmQ=");
    (world, webhook)
}

/// The creations and deletions of this world are refused.
fn refuse(world: &World) {
    for route in [Route::CreateSnapshot, Route::DeleteSnapshot] {
        world
            .cloud
            .inject(Fault::on(route, Kind::status(403)).forever());
    }
}

/// No notification tells a secret of the cloud, or of the receiver itself.
fn bodies(world: &World, webhook: &Webhook) -> Vec<Value> {
    let received = webhook.received();
    for one in &received {
        let text = String::from_utf8_lossy(&one.body).into_owned();
        for secret in world.secrets() {
            assert!(!text.contains(&secret), "{text}");
        }
    }
    received.iter().map(Notification::json).collect()
}

#[tokio::test]
async fn a_failed_creation_is_posted_with_its_vm_and_window() {
    let (world, webhook) = notified(World::new().await).await;
    let policy = daily();
    let volume = world.server_with(1, &[&policy]).remove(0);
    refuse(&world);
    let run = world.snapshot().await;
    assert_eq!(run.did(), "failed 1");
    let server = world.cloud.volume(&volume).expect("it").servers[0].clone();
    let body = bodies(&world, &webhook).remove(0);
    let at = |name: &str| {
        body["snapshot_window"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let expected = json!({
        "service": "snapsentry",
        "virtual_machine_name": "a-server",
        "virtual_machine_id": server,
        "volume_id": volume,
        "snapshot_id": "",
        "message": run.only_failure()["error"],
        "snapshot_window": {
            "StartTime": policy.start.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "EndTime": policy.end.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "ValidatedTime": at("ValidatedTime"),
        },
    });
    assert_eq!(body, expected);
    let validated = at("ValidatedTime").parse::<chrono::DateTime<chrono::Utc>>();
    let age = chrono::Utc::now() - validated.expect("RFC 3339");
    assert!(age.num_seconds() < 60, "{age}");
    let one = webhook.received().remove(0);
    assert_eq!((one.method.as_str(), one.path.as_str()), ("POST", PATH));
    assert_eq!(one.header("content-type"), "application/json");
    assert_eq!(
        one.header("authorization"),
        "Basic cm9ib3Q6bm90LWEtc2VjcmV0LWhvb2stcGFzc3dvcmQ="
    );
    assert_eq!(one.header("x-auth-token"), "");
    assert!(run.list("warnings").is_empty());
}

#[tokio::test]
async fn a_snapshot_that_broke_is_posted_with_its_id() {
    let (world, webhook) = notified(World::new().await).await;
    world.volume(&[&daily()]);
    world
        .cloud
        .backend(Rule::new(Snapshots::Any, Behaviour::CreateFails));
    let run = world.snapshot().await;
    let body = bodies(&world, &webhook).remove(0);
    assert_eq!(body["snapshot_id"], run.only_failure()["snapshot_id"]);
    assert_eq!(body["virtual_machine_id"], "");
}

#[tokio::test]
async fn a_failed_deletion_is_posted_with_the_snapshots_metadata() {
    let (world, webhook) = notified(World::new().await).await;
    let volume = world.volume(&[&daily()]);
    let snapshot = world.expired(&volume, &daily(), 5);
    refuse(&world);
    let run = world.expire().await;
    assert_eq!(run.did(), "failed 1");
    let metadata = world.cloud.snapshot(&snapshot).expect("it").metadata;
    let expected = json!({
        "service": "snapsentry", "volume_id": volume, "snapshot_id": snapshot,
        "message": run.only_failure()["error"], "snapshot_metadata": metadata,
    });
    assert_eq!(bodies(&world, &webhook), [expected]);
}

#[tokio::test]
async fn there_is_one_post_a_failure_and_a_burst_is_bounded() {
    let (world, webhook) = notified(World::new().await).await;
    webhook.answer_with(200, Duration::from_millis(50));
    for _ in 0..30 {
        let volume = world.volume(&[&daily(), &weekly()]);
        world.expired(&volume, &daily(), 5);
    }
    refuse(&world);
    assert_eq!(world.snapshot().await.did(), "failed 60");
    assert_eq!(webhook.received().len(), 60);
    assert_eq!(world.expire().await.did(), "failed 30");
    assert_eq!(webhook.received().len(), 90);
    assert!(webhook.max_open() <= 16, "{}", webhook.max_open());
}

#[tokio::test]
async fn nothing_else_is_posted() {
    let (world, webhook) = notified(World::new().await).await;
    // A policy that cannot be read, a clean-up that is refused, a dry run, a whole failure.
    world.volume(&[&daily().with("timezone", "Nowhere")]);
    let policy = daily();
    let volume = world.volume(&[&policy]);
    world
        .cloud
        .add_snapshot(policy.snapshot_of(&volume).status("error"));
    world
        .cloud
        .inject(Fault::on(Route::DeleteSnapshot, Kind::status(403)));
    let run = world.snapshot().await;
    assert_eq!(
        (run.did().as_str(), run.list("warnings").len()),
        ("created 1", 1)
    );
    world.plan("snapshot").await;
    world
        .run(json!({"phase": "nothing"}))
        .await
        .fails("InvalidEvent");
    world
        .cloud
        .inject(Fault::on(Route::ListVolumes, Kind::status(403)).forever());
    world.snapshot().await.fails("DiscoveryFailed");
    assert!(webhook.received().is_empty());
}

#[tokio::test]
async fn a_name_that_nova_does_not_tell_is_left_empty() {
    side_by_side(
        [
            (false, None),
            (true, Some(Kind::status(403))),
            (true, Some(Kind::status(404))),
        ],
        async |(has_nova, kind)| {
            let world = World::of(|config| config.compute = has_nova).await;
            let (world, webhook) = notified(world).await;
            world.server_with(1, &[&daily()]);
            refuse(&world);
            if let Some(kind) = kind {
                world
                    .cloud
                    .inject(Fault::on(Route::GetServer, kind).forever());
            }
            assert_eq!(world.snapshot().await.did(), "failed 1");
            let body = bodies(&world, &webhook).remove(0);
            assert_eq!(body["virtual_machine_name"], "");
            assert_ne!(body["virtual_machine_id"], "");
        },
    )
    .await;
}

#[tokio::test]
async fn what_is_not_delivered_is_a_warning_with_its_number_and_fails_nothing() {
    let count = |run: &Run| -> Vec<Value> { run.warnings_with("2") };
    side_by_side([500, 404, 301], async |status| {
        let (world, webhook) = notified(World::new().await).await;
        webhook.answer_with(status, Duration::ZERO);
        for _ in 0..2 {
            world.volume(&[&daily()]);
        }
        refuse(&world);
        let run = world.snapshot().await;
        assert_eq!((run.did().as_str(), run.outcome()), ("failed 2", "partial"));
        assert_eq!(count(&run).len(), 1, "{status}: {:#}", run.answer());
        assert_eq!(webhook.received().len(), 2, "{status}");
    })
    .await;
    let world = World::new().await;
    let gone = Webhook::start()
        .await
        .expect("a port")
        .url("/not-a-secret-path");
    let world = world
        .set("SNAPSENTRY_WEBHOOK_URL", gone)
        .secret("not-a-secret-path");
    for _ in 0..2 {
        world.volume(&[&daily()]);
    }
    refuse(&world);
    let run = world.snapshot().await;
    assert_eq!(run.did(), "failed 2");
    assert_eq!(count(&run).len(), 1, "{:#}", run.answer());
}

#[tokio::test]
async fn a_receiver_that_hangs_has_three_seconds_a_post_and_five_in_all() {
    let (world, webhook) = notified(World::new().await).await;
    webhook.answer_with(200, Duration::MAX);
    for _ in 0..40 {
        world.volume(&[&daily()]);
    }
    refuse(&world);
    let run = world.run_within(MINUTE, json!({"phase": "snapshot"})).await;
    assert_eq!(run.did(), "failed 40");
    assert_eq!(run.warnings_with("40").len(), 1, "{:#}", run.answer());
    let took = Duration::from_millis(run.figure("/duration_ms"));
    assert!(took >= Duration::from_secs(5), "{took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    let received = webhook.received();
    let posts = received.iter().map(|one| one.arrived - received[0].arrived);
    assert!(
        posts.max() >= Some(Duration::from_millis(2500)),
        "the first had time"
    );
}

#[tokio::test]
async fn notifying_never_goes_past_the_deadline() {
    let (world, webhook) = notified(World::new().await).await;
    webhook.answer_with(200, Duration::MAX);
    let world = world.set("SNAPSENTRY_DEADLINE_MARGIN", "500ms");
    world.server_with(3, &[&daily()]);
    refuse(&world);
    world
        .cloud
        .inject(Fault::on(Route::GetServer, Kind::HangBefore).forever());
    let event = json!({"phase": "snapshot"});
    let run = world.run_within(Duration::from_millis(2500), event).await;
    assert_eq!(run.did(), "failed 3");
    assert_eq!(run.warnings_with("3").len(), 1, "{:#}", run.answer());
}

#[tokio::test]
async fn a_refused_twin_is_no_failure_and_is_not_posted() {
    let (world, webhook) = notified(World::of(|config| config.role = Role::Member).await).await;
    let policy = daily();
    let volume = world.volume(&[&policy]);
    world.taken(&volume, &policy);
    world.taken(&volume, &policy);
    refuse(&world);
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.list("warnings").len()), ("", 1));
    assert!(webhook.received().is_empty());
}

#[tokio::test]
async fn a_bad_address_is_an_invalid_configuration_that_does_not_show_it() {
    for url in [
        "ftp://example.org/not-a-secret-path",
        "not-a-secret-path",
        "https://robot:not-a-secret-path@example.org/",
    ] {
        let world = World::new()
            .await
            .set("SNAPSENTRY_WEBHOOK_URL", url)
            .secret("not-a-secret-path");
        let run = world.snapshot().await;
        run.fails_with("InvalidConfiguration", &["SNAPSENTRY_WEBHOOK_URL"]);
    }
}

//! Sicknesses that last, as a real Cinder 29 went through them.

use std::time::Duration;

use serde_json::json;
use simcloud::{Config, Health, MessageQueue, VolumeSpec};
use tokio::time::sleep;

use crate::client::Client;

const MINUTE: Duration = Duration::from_secs(60);

/// A cloud whose storage takes ten seconds for everything.
async fn slow() -> Client {
    let takes = Duration::from_secs(10);
    Client::new(Config {
        creation_time: takes,
        deletion_time: takes,
        ..Config::default()
    })
    .await
}

impl Client {
    fn volume_on(&self, backend: &str) -> String {
        self.cloud
            .add_volume(VolumeSpec::named("v").volume_type(backend))
    }

    async fn drop_snapshot(&self, id: &str) {
        let answer = self.delete(&format!("/volume/v3/snapshots/{id}")).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
    }

    /// The states of these snapshots; those that are gone have none.
    fn states(&self, ids: &[&String]) -> Vec<String> {
        let status = |id: &&String| {
            self.cloud
                .snapshot(id)
                .map_or("gone".into(), |one| one.status)
        };
        ids.iter().map(status).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn while_cinder_volume_is_dead_the_first_minute_waits_and_the_rest_fails() {
    let client = slow().await;
    let (sick, well) = (client.volume_on("hdd"), client.volume_on("ssd"));
    let old = client.snapshot(&sick, "old").await;
    let dying = client.snapshot(&sick, "dying").await;
    sleep(Duration::from_secs(10)).await;
    client.drop_snapshot(&dying).await;
    let begun = client.snapshot(&sick, "begun").await;
    sleep(Duration::from_secs(1)).await;

    client.cloud.set_health("hdd", Health::Dead);
    let early = client.snapshot(&sick, "early").await;
    client.drop_snapshot(&old).await;
    sleep(MINUTE).await;
    let late = client.snapshot(&sick, "late").await;
    let healthy = client.snapshot(&well, "healthy").await;
    assert_eq!(
        client.states(&[&begun, &early, &old, &late]),
        ["creating", "creating", "deleting", "error"]
    );
    // What cannot be deleted holds quota.
    client.drop_snapshot(&late).await;
    sleep(MINUTE).await;
    assert_eq!(client.states(&[&late, &healthy]), ["deleting", "available"]);
    let used = client.get("/volume/v3/limits").await.json();
    assert_eq!(used["limits"]["absolute"]["totalSnapshotsUsed"], 6);

    client.cloud.set_health("hdd", Health::Well);
    sleep(Duration::from_secs(10)).await;
    // What it was at when it died is lost: one failed, one is deleting for ever.
    assert_eq!(
        client.states(&[&early, &old, &late, &begun, &dying]),
        ["available", "gone", "gone", "error", "deleting"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_stood_still_goes_on() {
    let client = slow().await;
    let volume = client.volume_on("hdd");
    let begun = client.snapshot(&volume, "begun").await;
    client.cloud.set_health("hdd", Health::Stopped);
    let early = client.snapshot(&volume, "early").await;
    sleep(MINUTE).await;
    let late = client.snapshot(&volume, "late").await;
    let waiting = [&begun, &early, &late];
    assert_eq!(client.states(&waiting), ["creating", "creating", "error"]);
    client.cloud.set_health("hdd", Health::Well);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(client.states(&waiting), ["available", "available", "error"]);
}

#[tokio::test(start_paused = true)]
async fn a_hung_storage_is_creating_and_deleting_for_as_long_as_it_hangs() {
    let client = slow().await;
    let volume = client.volume_on("hdd");
    let old = client.snapshot(&volume, "old").await;
    sleep(Duration::from_secs(10)).await;
    client.cloud.set_health("hdd", Health::Hung);
    let new = client.snapshot(&volume, "new").await;
    client.drop_snapshot(&old).await;
    sleep(60 * MINUTE).await;
    assert_eq!(client.states(&[&new, &old]), ["creating", "deleting"]);
    client.cloud.set_health("hdd", Health::Well);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(client.states(&[&new, &old]), ["available", "gone"]);
}

#[tokio::test(start_paused = true)]
async fn a_full_storage_still_deletes_and_a_failing_one_does_not() {
    let client = slow().await;
    let volume = client.volume_on("hdd");
    for (health, left) in [(Health::Full, "gone"), (Health::Failing, "error_deleting")] {
        client.cloud.set_health("hdd", health);
        let broken = client.snapshot(&volume, "broken").await;
        assert_eq!(client.states(&[&broken]), ["error"]);
        client.drop_snapshot(&broken).await;
        sleep(Duration::from_secs(10)).await;
        assert_eq!(client.states(&[&broken]), [left]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_copy_takes_its_hour() {
    let client = slow().await;
    let volume = client.volume_on("hdd");
    client.cloud.set_health("hdd", Health::Slow(60 * MINUTE));
    let id = client.snapshot(&volume, "slow").await;
    sleep(60 * MINUTE).await;
    assert_eq!(client.states(&[&id]), ["creating"]);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(client.states(&[&id]), ["available"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_scheduler_creations_wait_and_deletions_do_not() {
    let client = slow().await;
    let volume = client.volume_on("hdd");
    let old = client.snapshot(&volume, "old").await;
    sleep(Duration::from_secs(10)).await;
    client.cloud.set_scheduler(false);
    let new = client.snapshot(&volume, "new").await;
    client.drop_snapshot(&old).await;
    sleep(60 * MINUTE).await;
    assert_eq!(client.states(&[&new, &old]), ["creating", "gone"]);
    client.cloud.set_scheduler(true);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(client.states(&[&new]), ["available"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_message_queue_nobody_is_answered_and_the_row_is_there() {
    let client = slow().await;
    let volume = client.volume_on("hdd");
    client.cloud.set_message_queue(MessageQueue::Dead);
    let body = json!({ "snapshot": { "volume_id": volume, "name": "held" } });
    let request = client.post("/volume/v3/snapshots", body);
    assert!(tokio::time::timeout(MINUTE, request).await.is_err());
    let held = client.cloud.snapshots()[0].clone();
    assert_eq!(held.status, "creating");
    // Looking needs no queue.
    assert_eq!(
        client.get("/volume/v3/snapshots/detail").await.ids(),
        std::slice::from_ref(&held.id)
    );
    client.cloud.set_message_queue(MessageQueue::Well);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(client.states(&[&held.id]), ["available"]);

    client.cloud.set_message_queue(MessageQueue::Leaky);
    let lost = client.snapshot(&volume, "lost").await;
    client.cloud.set_message_queue(MessageQueue::Well);
    sleep(60 * MINUTE).await;
    assert_eq!(client.states(&[&lost]), ["creating"]);
}

#[tokio::test(start_paused = true)]
async fn without_keystone_cinder_is_unavailable_but_for_tokens_that_it_remembers() {
    for (remembers, status) in [(Duration::ZERO, 503), (MINUTE, 200)] {
        let client = Client::new(Config {
            token_cache: remembers,
            ..Config::default()
        })
        .await;
        let path = "/volume/v3/snapshots/detail";
        assert_eq!(client.get(path).await.status, 200);
        client
            .cloud
            .configure(|config| config.keystone_is_gone = true);
        let answer = client.get(path).await;
        assert_eq!(answer.status, status, "{remembers:?}");
        if status == 503 {
            assert!(answer.text.contains("The Keystone service is temporarily"));
            assert_eq!(answer.header("x-compute-request-id"), "");
        }
        assert!(client.try_send("GET", "/identity/v3", "").await.is_err());
        client
            .cloud
            .configure(|config| config.keystone_is_gone = false);
        assert_eq!(client.get(path).await.status, 200);
    }
}

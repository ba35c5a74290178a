//! New volumes from snapshots, as a restore asks for them.

use std::time::Duration;

use serde_json::{Value, json};
use simcloud::{Behaviour, Config, Happening, Rule, SnapshotSpec, Snapshots, VolumeSpec};

use crate::client::{Answer, Client};

const PATH: &str = "/volume/v3/volumes";

async fn make(client: &Client, volume: Value) -> Answer {
    client.post(PATH, json!({ "volume": volume })).await
}

/// A volume of two gigabytes with a snapshot.
fn origin(client: &Client) -> (String, String) {
    let volume = client.cloud.add_volume(VolumeSpec {
        size: Some(2),
        bootable: true,
        ..VolumeSpec::named("root").volume_type("ssd")
    });
    let snapshot = client.cloud.add_snapshot(SnapshotSpec::of(&volume));
    (volume, snapshot)
}

#[tokio::test(start_paused = true)]
async fn size_and_type_are_those_of_the_snapshot() {
    let client = Client::new(Config {
        volume_creation_time: Duration::from_secs(5),
        ..Config::default()
    })
    .await;
    let (_, snapshot) = origin(&client);
    let made = make(
        &client,
        json!({ "snapshot_id": snapshot, "name": "restored", "metadata": { "k": "v" } }),
    )
    .await;
    assert_eq!(made.status, 202, "{}", made.text);
    let made = &made.json()["volume"];
    assert_eq!(made["status"], "creating");
    assert_eq!(made["size"], 2);
    assert_eq!(made["volume_type"], "ssd");
    assert_eq!(made["bootable"], "true");
    assert_eq!(made["snapshot_id"], snapshot.as_str());
    assert_eq!(made["updated_at"], Value::Null);
    assert!(made.get("os-vol-tenant-attr:tenant_id").is_none());

    let id = made["id"].as_str().expect("an id");
    let filter = "/volume/v3/volumes/detail?metadata=%7B%27k%27%3A%27v%27%7D";
    assert_eq!(client.get(filter).await.ids(), [id]);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let shown = client.get(&format!("{PATH}/{id}")).await.json();
    assert_eq!(shown["volume"]["status"], "available");
    let journal = client.cloud.journal();
    assert_eq!(journal.changed(Happening::VolumeCreating).count(), 1);
    assert_eq!(journal.changed(Happening::VolumeAvailable).count(), 1);
}

#[tokio::test]
async fn what_the_real_one_refuses_is_refused() {
    let client = Client::new(Config::default()).await;
    let client = client.version("volume 3.70");
    let (_, snapshot) = origin(&client);
    let nobody = "00000000-0000-4000-8000-000000000000";
    for (volume, status, text) in [
        (json!({ "snapshot_id": nobody }), 404, "Snapshot 0000"),
        (json!({ "snapshot_id": "zzz" }), 400, "not valid under any"),
        (json!({ "name": "of no size" }), 400, "malformed"),
        (
            json!({ "snapshot_id": snapshot, "size": 1 }),
            400,
            "cannot be smaller than the snapshot size 2GB",
        ),
        (
            json!({ "snapshot_id": snapshot, "size": 0 }),
            400,
            "less than the minimum of 1",
        ),
        (
            json!({ "snapshot_id": snapshot, "name": "x".repeat(256) }),
            400,
            "name has 256 characters",
        ),
        (
            json!({ "snapshot_id": snapshot, "metadata": { "a": 1 } }),
            400,
            "not of type 'string'",
        ),
        (
            json!({ "snapshot_id": snapshot, "bogus": 1 }),
            400,
            "'bogus' was unexpected",
        ),
        (
            json!({ "snapshot_id": snapshot, "name": "\u{1f600}" }),
            500,
            "erred",
        ),
    ] {
        let answer = make(&client, volume.clone()).await;
        assert_eq!(answer.status, status, "{volume}: {}", answer.text);
        assert!(answer.message().contains(text), "{}", answer.text);
    }
    client.cloud.set_snapshot_status(&snapshot, "error");
    let answer = make(&client, json!({ "snapshot_id": snapshot })).await;
    assert_eq!(answer.status, 400);
    assert!(answer.message().contains("must be one of 'available'"));
}

#[tokio::test]
async fn both_quotas_count_new_volumes() {
    let client = Client::new(Config {
        gigabytes_quota: 6,
        ..Config::default()
    })
    .await;
    let (_, snapshot) = origin(&client);
    let wanted = json!({ "snapshot_id": snapshot });
    assert_eq!(make(&client, wanted.clone()).await.status, 202);
    let full = make(&client, wanted.clone()).await;
    assert_eq!(full.status, 413);
    assert_eq!(full.header("retry-after"), "0");
    client.cloud.configure(|config| {
        config.gigabytes_quota = -1;
        config.volume_quota = 2;
    });
    let full = make(&client, wanted).await;
    assert!(full.message().starts_with("VolumeLimitExceeded"));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_not_deleted_while_a_volume_is_made_from_it() {
    let client = Client::new(Config::default()).await;
    let (_, snapshot) = origin(&client);
    let slowly = Behaviour::VolumeSlowly(Duration::from_secs(60));
    client.cloud.backend(Rule::new(Snapshots::Any, slowly));
    assert_eq!(
        make(&client, json!({ "snapshot_id": snapshot }))
            .await
            .status,
        202
    );
    let path = format!("/volume/v3/snapshots/{snapshot}");
    assert_eq!(client.delete(&path).await.status, 202);
    tokio::time::sleep(Duration::from_secs(59)).await;
    let status = client.cloud.snapshot(&snapshot).expect("it").status;
    assert_eq!(status, "deleting");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(client.cloud.snapshot(&snapshot), None);
}

#[tokio::test]
async fn on_an_older_ceph_a_volume_keeps_its_snapshot() {
    let client = Client::new(Config {
        clones_pin_snapshots: true,
        ..Config::default()
    })
    .await;
    let (_, snapshot) = origin(&client);
    let made = make(&client, json!({ "snapshot_id": snapshot })).await;
    let id = made.json()["volume"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/volume/v3/snapshots/{snapshot}");
    assert_eq!(client.delete(&path).await.status, 202);
    let status = client.cloud.snapshot(&snapshot).expect("it").status;
    assert_eq!(status, "available");
    assert_eq!(client.delete(&format!("{PATH}/{id}")).await.status, 202);
    assert_eq!(client.delete(&path).await.status, 202);
    assert_eq!(client.cloud.snapshot(&snapshot), None);
}

#[tokio::test]
async fn a_volume_with_snapshots_cannot_be_deleted() {
    let client = Client::new(Config::default()).await;
    let (volume, _) = origin(&client);
    let answer = client.delete(&format!("{PATH}/{volume}")).await;
    assert_eq!(answer.status, 400);
    assert!(answer.message().contains("have snapshots"));
}

#[tokio::test]
async fn volumes_are_filtered_by_their_snapshot_below_3_31_only() {
    let client = Client::new(Config::default()).await.version("volume 3.30");
    let (_, snapshot) = origin(&client);
    let made = make(&client, json!({ "snapshot_id": snapshot })).await;
    let id = made.json()["volume"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("{PATH}/detail?snapshot_id={snapshot}");
    assert_eq!(client.get(&path).await.ids(), [id]);
    let client = client.version("volume 3.70");
    assert_eq!(client.get(&path).await.status, 400);
}

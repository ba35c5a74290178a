//! Metadata: merging, replacing, and the race that loses writes for good.

use serde_json::json;
use simcloud::{Config, Fault, Kind, Route, SnapshotSpec, VolumeSpec};
use std::time::Duration;

use crate::client::Client;

async fn client() -> (Client, String) {
    let client = Client::new(Config::default()).await;
    let volume = client
        .cloud
        .add_volume(VolumeSpec::named("v").meta("a", "1").meta("b", "1"));
    (client, volume)
}

#[tokio::test]
async fn post_merges_and_both_puts_replace() {
    let (client, volume) = client().await;
    let path = format!("/volume/v3/volumes/{volume}/metadata");
    let given = |key: &str| json!({ "metadata": { key: "2" } });
    let merged = client.post(&path, given("a")).await;
    assert_eq!(merged.status, 200);
    assert_eq!(merged.json(), json!({ "metadata": { "a": "2", "b": "1" } }));
    let key = client
        .put(&format!("{path}/b"), json!({ "meta": { "b": "3" } }))
        .await;
    assert_eq!(key.json(), json!({ "meta": { "b": "3" } }));
    assert_eq!(client.put(&path, given("c")).await.json(), given("c"));
    let whole = json!({ "volume": { "metadata": { "d": "2" } } });
    let answer = client
        .put(&format!("/volume/v3/volumes/{volume}"), whole)
        .await;
    assert_eq!(answer.json()["volume"]["metadata"], json!({ "d": "2" }));
    let deleted = client.delete(&format!("{path}/d")).await;
    assert_eq!(deleted.status, 200);
    let again = client.delete(&format!("{path}/d")).await;
    let text = format!("Volume {volume} has no metadata with key d.");
    assert_eq!((again.status, again.message()), (404, text));
}

#[tokio::test]
async fn a_volume_in_maintenance_keeps_its_metadata() {
    let (client, volume) = client().await;
    let path = format!("/volume/v3/volumes/{volume}/metadata");
    for (status, expected) in [("in-use", 200), ("creating", 200), ("maintenance", 400)] {
        client.cloud.set_volume_status(&volume, status);
        let answer = client
            .post(&path, json!({ "metadata": { "a": status } }))
            .await;
        assert_eq!(answer.status, expected, "{status}");
    }
}

#[tokio::test]
async fn a_key_with_a_slash_can_be_written_and_not_deleted() {
    let (client, volume) = client().await;
    let path = format!("/volume/v3/volumes/{volume}/metadata");
    let answer = client
        .post(&path, json!({ "metadata": { "a:b/c": "1" } }))
        .await;
    assert_eq!(answer.status, 200);
    let answer = client.delete(&format!("{path}/a%3Ab%2Fc")).await;
    assert_eq!(answer.status, 404);
    assert!(answer.header("content-type").starts_with("text/html"));
}

#[tokio::test(start_paused = true)]
async fn two_writers_of_the_same_new_key_leave_a_value_that_only_deleting_mends() {
    let (client, volume) = client().await;
    client.cloud.configure(|config| config.metadata_race = true);
    let slow = Kind::DelayBefore(Duration::from_millis(10));
    client
        .cloud
        .inject(Fault::on(Route::MergeVolumeMetadata, slow).times(2));
    let path = format!("/volume/v3/volumes/{volume}/metadata");
    let write = |value: &str| client.post(&path, json!({ "metadata": { "new": value } }));
    let (first, second) = futures::future::join(write("1"), write("2")).await;
    assert_eq!((first.status, second.status), (200, 200));
    let lost = write("3").await;
    assert_eq!(lost.status, 200);
    assert_eq!(lost.json()["metadata"]["new"], "1");
    assert_eq!(client.delete(&format!("{path}/new")).await.status, 200);
    assert_eq!(write("4").await.json()["metadata"]["new"], "4");
    let old = |value: &str| client.post(&path, json!({ "metadata": { "a": value } }));
    futures::future::join(old("5"), old("6")).await;
    assert_eq!(old("7").await.json()["metadata"]["a"], "7");
}

#[tokio::test]
async fn writing_a_snapshots_metadata_moves_its_updated_at_and_slashes_are_refused() {
    let (client, volume) = client().await;
    let snapshot = client
        .cloud
        .add_snapshot(SnapshotSpec::of(&volume).meta("a", "1"));
    let path = format!("/volume/v3/snapshots/{snapshot}/metadata");
    assert_eq!(
        client.cloud.snapshot(&snapshot).expect("it").updated_at,
        None
    );
    let answer = client
        .post(&path, json!({ "metadata": { "b": "2" } }))
        .await;
    assert_eq!(answer.json(), json!({ "metadata": { "a": "1", "b": "2" } }));
    assert!(
        client
            .cloud
            .snapshot(&snapshot)
            .expect("it")
            .updated_at
            .is_some()
    );
    let slash = client
        .post(&path, json!({ "metadata": { "b/c": "2" } }))
        .await;
    assert_eq!(slash.status, 400);
    let replaced = client.put(&path, json!({ "metadata": {} })).await;
    assert_eq!(replaced.json(), json!({ "metadata": {} }));
}

#[tokio::test]
async fn newer_versions_label_metadata_as_html_and_know_a_stale_etag() {
    let (client, volume) = client().await;
    let path = format!("/volume/v3/volumes/{volume}/metadata");
    assert_eq!(
        client.get(&path).await.header("content-type"),
        "application/json"
    );
    let client = client.version("volume 3.15");
    let answer = client.get(&path).await;
    assert!(answer.header("content-type").starts_with("text/html"));
    assert_eq!(answer.json()["metadata"]["a"], "1");
    let mut request = client.request("PUT", &path, "{\"metadata\": {}}");
    request
        .headers_mut()
        .insert("if-match", "\"stale\"".parse().expect("a value"));
    let refused = client.cloud.handle(request).await.expect("an answer");
    assert_eq!((refused.status().as_u16(), refused.body().len()), (412, 0));
}

#[tokio::test]
async fn single_keys_of_a_snapshot_are_read_set_and_deleted() {
    let client = Client::new(Config::default()).await;
    let volume = client.volume();
    let snapshot = client
        .cloud
        .add_snapshot(SnapshotSpec::of(&volume).meta("a", "1").meta("b", "2"));
    let path = format!("/volume/v3/snapshots/{snapshot}/metadata/a");
    assert_eq!(
        client.get(&path).await.json(),
        json!({ "meta": { "a": "1" } })
    );
    let set = client.put(&path, json!({ "meta": { "a": "3" } })).await;
    assert_eq!(set.json(), json!({ "meta": { "a": "3" } }));
    let other = client.put(&path, json!({ "meta": { "b": "3" } })).await;
    assert_eq!(other.message(), "Request body and URI mismatch");
    let gone = client.delete(&path).await;
    assert_eq!((gone.status, &*gone.text), (200, ""));
    assert_eq!(gone.header("content-type"), "text/html; charset=UTF-8");
    assert!(
        client
            .cloud
            .snapshot(&snapshot)
            .expect("it")
            .updated_at
            .is_some()
    );
    let again = client.delete(&path).await;
    assert_eq!(again.status, 404);
    let expected = format!("Snapshot {snapshot} has no metadata with key a.");
    assert_eq!(again.message(), expected);
    let left = client.cloud.snapshot(&snapshot).expect("it").metadata;
    assert_eq!(
        left.into_iter().collect::<Vec<_>>(),
        [("b".into(), "2".into())]
    );
}

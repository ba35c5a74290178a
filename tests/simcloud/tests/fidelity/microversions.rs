//! Versions of the API, request ids and other headers.

use serde_json::Value;
use simcloud::{Config, Microversions, SnapshotSpec};

use crate::client::Client;

#[tokio::test]
async fn the_versions_are_told_without_a_token_and_one_version_with() {
    let mut client = Client::new(Config::default()).await;
    let token = std::mem::take(&mut client.token);
    let root = client.get("/volume/").await;
    assert_eq!(root.status, 300);
    assert_eq!(root.json()["versions"][0]["version"], "3.71");
    let href = &root.json()["versions"][0]["links"][1]["href"];
    assert_eq!(href, "http://cloud.example/volume/v3/");
    assert_eq!(client.get("/volume/v3/").await.status, 401);
    assert_eq!(client.get("/volume/v3").await.status, 401);
    client.token = token;
    assert_eq!(client.get("/volume/v3/").await.status, 200);
    assert_eq!(client.get("/volume/v3").await.status, 302);
}

#[tokio::test]
async fn the_header_decides_and_is_repeated() {
    let mut client = Client::new(Config::default()).await;
    let path = "/volume/v3/volumes/detail";
    for (sent, status, repeated) in [
        ("", 200, "volume 3.0"),
        ("volume 3.70", 200, "volume 3.70"),
        ("volume latest", 200, "volume 3.71"),
        ("compute 2.1, volume 3.22", 200, "volume 3.22"),
        ("compute 2.1", 400, ""),
        ("block-storage 3.22", 400, ""),
        ("volume abc", 400, ""),
        ("volume 3.999", 406, "volume 3.999"),
        ("volume 2.0", 406, ""),
    ] {
        client.version = sent.into();
        let answer = client.get(path).await;
        assert_eq!(answer.status, status, "{sent}");
        assert_eq!(answer.header("openstack-api-version"), repeated, "{sent}");
        if status == 200 {
            assert_eq!(answer.header("vary"), "OpenStack-API-Version");
        }
    }
    client.version = "volume 3.999".into();
    let text = "Version 3.999 is not supported by the API. Minimum is 3.0 and maximum is 3.71.";
    assert_eq!(
        client.get(path).await.json()["computeFault"]["message"],
        text
    );
}

#[tokio::test]
async fn a_cloud_can_speak_only_the_first_version_or_refuse_the_header() {
    for (microversions, status) in [
        (Microversions::UpTo(0), 406),
        (Microversions::HeaderRefused(400), 400),
        (Microversions::HeaderRefused(406), 406),
    ] {
        let client = Client::new(Config {
            microversions,
            ..Config::default()
        })
        .await;
        assert_eq!(client.get("/volume/v3/volumes/detail").await.status, 200);
        let client = client.version("volume 3.22");
        assert_eq!(client.get("/volume/v3/volumes/detail").await.status, status);
    }
}

#[tokio::test]
async fn request_ids_are_on_every_answer_in_the_observed_places() {
    let mut client = Client::new(Config::default()).await;
    let seen = client.get("/volume/v3/volumes/detail").await;
    let id = seen.header("x-openstack-request-id");
    assert!(id.starts_with("req-") && id.len() == 40, "{id}");
    assert_eq!(seen.header("x-compute-request-id"), id);
    client.token = "not-a-token".into();
    let refused = client.get("/volume/v3/volumes/detail").await;
    assert_eq!(refused.status, 401);
    assert!(refused.header("x-openstack-request-id").starts_with("req-"));
    for absent in ["x-compute-request-id", "openstack-api-version"] {
        assert_eq!(refused.header(absent), "", "{absent}");
    }
    assert!(
        refused
            .header("www-authenticate")
            .starts_with("Keystone uri=")
    );
    assert_eq!(refused.json()["error"]["title"], "Unauthorized");
}

#[tokio::test]
async fn newer_versions_show_more_fields() {
    let client = Client::new(Config::default()).await;
    let volume = client.volume();
    client.cloud.add_snapshot(SnapshotSpec::of(&volume));
    let keys = |value: &Value| value.as_object().expect("an object").len();
    let old_volume = keys(&client.get("/volume/v3/volumes/detail").await.json()["volumes"][0]);
    let old = keys(&client.get("/volume/v3/snapshots/detail").await.json()["snapshots"][0]);
    assert_eq!((old_volume, old), (21, 11));
    let client = client.version("volume 3.70");
    let new_volume = client.get("/volume/v3/volumes/detail").await.json()["volumes"][0].clone();
    let new = client.get("/volume/v3/snapshots/detail").await.json()["snapshots"][0].clone();
    for key in [
        "group_id",
        "shared_targets",
        "service_uuid",
        "volume_type_id",
        "consumes_quota",
    ] {
        assert!(new_volume.get(key).is_some(), "{key}");
    }
    for key in ["group_snapshot_id", "user_id", "consumes_quota"] {
        assert!(new.get(key).is_some(), "{key}");
    }
}

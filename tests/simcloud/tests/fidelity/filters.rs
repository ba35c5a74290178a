//! Which filters find what, and which are ignored or refused.

use simcloud::{Config, Role, SnapshotSpec, VolumeSpec};

use crate::client::Client;

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

async fn found(client: &Client, kind: &str, query: &str) -> usize {
    let answer = client
        .get(&format!("/volume/v3/{kind}/detail?{query}"))
        .await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    answer.ids().len()
}

async fn client() -> Client {
    let client = Client::new(Config::default()).await;
    let tagged = VolumeSpec::named("tagged").meta("k", "it's").meta("n", "1");
    let tagged = client.cloud.add_volume(tagged);
    let plain = client.cloud.add_volume(VolumeSpec::named("plain"));
    client
        .cloud
        .add_snapshot(SnapshotSpec::of(&tagged).named("s1").meta("k", "v"));
    client
        .cloud
        .add_snapshot(SnapshotSpec::of(&plain).named("s2").status("error"));
    client
}

#[tokio::test]
async fn volumes_are_found_by_metadata_in_either_spelling() {
    let client = client().await;
    for (filter, count) in [
        (r#"{"k":"it's"}"#, 1),
        (r"{'k': 'it\'s'}", 1),
        (r#"{"k":"IT'S", "n": 1}"#, 1),
        (r#"{"k":"it's","n":"2"}"#, 0),
        ("{k:v}", 0),
        ("k=v", 0),
        ("", 0),
    ] {
        let query = format!("metadata={}", encoded(filter));
        assert_eq!(found(&client, "volumes", &query).await, count, "{filter}");
    }
}

#[tokio::test]
async fn the_metadata_filter_of_snapshots_is_ignored_below_3_22() {
    let filter = format!("metadata={}", encoded("{'k':'v'}"));
    let malformed = format!("metadata={}", encoded("{k:v}"));
    let client = client().await;
    assert_eq!(found(&client, "snapshots", &filter).await, 2);
    let client = client.version("volume 3.21");
    assert_eq!(found(&client, "snapshots", &filter).await, 2);
    let client = client.version("volume 3.22");
    assert_eq!(found(&client, "snapshots", &filter).await, 1);
    assert_eq!(found(&client, "snapshots", &malformed).await, 0);
    assert_eq!(found(&client, "snapshots", "metadata={}").await, 2);
}

#[tokio::test]
async fn snapshots_are_found_by_volume_status_and_name() {
    let client = client().await;
    let volume = &client.cloud.volumes()[0].id;
    let of_volume = format!("volume_id={volume}");
    for (query, count) in [
        (of_volume.as_str(), 1),
        ("volume_id=00000000-0000-4000-8000-000000000000", 0),
        ("status=AVAILABLE", 1),
        ("status=available,error", 0),
        ("status=bogus", 0),
        ("name=s2", 1),
    ] {
        assert_eq!(found(&client, "snapshots", query).await, count, "{query}");
    }
}

#[tokio::test]
async fn unknown_filters_are_ignored_below_3_31_and_refused_from_there() {
    for filter in ["bogus=1", "created_at=gt:2020-01-01", "name~=s", "id=1"] {
        let client = client().await;
        assert_eq!(found(&client, "snapshots", filter).await, 2);
        let client = client.version("volume 3.31");
        let answer = client
            .get(&format!("/volume/v3/snapshots/detail?{filter}"))
            .await;
        let name = filter.split('=').next().expect("a name");
        let text = format!("Invalid filters {name} are found in query options.");
        assert_eq!((answer.status, answer.message()), (400, text));
    }
}

#[tokio::test]
async fn an_unknown_filter_finds_nothing_for_an_admin() {
    let client = Client::new(Config {
        role: Role::Admin,
        ..Config::default()
    })
    .await;
    client.volume();
    assert_eq!(found(&client, "volumes", "").await, 1);
    assert_eq!(found(&client, "volumes", "bogus=1").await, 0);
}

#[tokio::test]
async fn snapshots_sort_by_name_from_3_30_only() {
    let client = client().await;
    let path = "/volume/v3/snapshots/detail?sort=name:asc";
    assert_eq!(client.get(path).await.status, 400);
    assert_eq!(client.version("volume 3.70").get(path).await.status, 200);
}

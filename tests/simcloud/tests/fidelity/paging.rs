//! Pages, links, markers and sorting.

use chrono::TimeDelta;
use simcloud::{Config, SnapshotSpec, VolumeSpec};

use crate::client::Client;

async fn client_with_volumes(count: usize, osapi_max_limit: usize) -> Client {
    let client = Client::new(Config {
        osapi_max_limit,
        ..Config::default()
    })
    .await;
    for number in 0..count {
        client
            .cloud
            .add_volume(VolumeSpec::named(format!("v{number}")));
    }
    client
}

#[tokio::test]
async fn the_order_is_newest_first_with_ties_by_id_from_above() {
    let client = Client::new(Config::default()).await;
    let volume = client.volume();
    let now = client.cloud.now();
    for seconds in [0, 0, 5, 0, -5] {
        let at = now + TimeDelta::seconds(seconds);
        client
            .cloud
            .add_snapshot(SnapshotSpec::of(&volume).created_at(at));
    }
    let answer = client.get("/volume/v3/snapshots/detail").await;
    let rows: Vec<(String, String)> = answer.json()["snapshots"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (row["created_at"].to_string(), row["id"].to_string()))
        .collect();
    let mut sorted = rows.clone();
    sorted.sort();
    sorted.reverse();
    assert_eq!(rows, sorted);
    let ascending = client
        .get("/volume/v3/snapshots/detail?sort=created_at:asc")
        .await
        .ids();
    assert_eq!(
        ascending.into_iter().rev().collect::<Vec<_>>(),
        answer.ids()
    );
}

#[tokio::test]
async fn following_the_links_gives_every_row_once_in_both_directions() {
    let client = client_with_volumes(7, 3).await;
    let all: Vec<String> = client
        .cloud
        .volumes()
        .into_iter()
        .map(|volume| volume.id)
        .collect();
    for sort in [
        "",
        "?sort=created_at:asc",
        "?sort=name:asc",
        "?sort_key=created_at&sort_dir=asc",
    ] {
        let mut path = Some(format!("/volume/v3/volumes/detail{sort}"));
        let mut seen = Vec::new();
        while let Some(page) = path {
            let answer = client.get(&page).await;
            seen.extend(answer.ids());
            path = answer.next("volumes");
        }
        assert_eq!(seen.len(), 7, "{sort}");
        if sort.is_empty() {
            assert_eq!(seen, all);
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 7, "{sort}");
    }
}

#[tokio::test]
async fn a_full_last_page_has_a_link_to_an_empty_one_without() {
    let client = client_with_volumes(4, 2).await;
    let project = client.cloud.project_id();
    let path = format!("/volume/v3/{project}/volumes/detail?limit=2");
    let first = client.get(&path).await;
    let marker = &first.ids()[1];
    let next = first.next("volumes").expect("a link");
    assert_eq!(
        next,
        format!("/volume/v3/{project}/volumes/detail?limit=2&marker={marker}")
    );
    let second = client.get(&next).await;
    assert_eq!(second.ids().len(), 2);
    let third = client.get(&second.next("volumes").expect("a link")).await;
    assert_eq!(third.text, "{\"volumes\": []}");
}

#[tokio::test]
async fn links_keep_other_parameters_and_can_name_another_host() {
    let config = Config {
        link_base: Some("http://inside:8776".into()),
        ..Config::default()
    };
    let client = Client::new(config).await;
    client
        .cloud
        .add_volume(VolumeSpec::named("v").meta("k", "it's"));
    let filter = "metadata=%7B%22k%22%3A%22it%27s%22%7D";
    let answer = client
        .get(&format!("/volume/v3/volumes/detail?limit=1&{filter}"))
        .await;
    let next = answer.next("volumes").expect("a link");
    assert!(
        next.starts_with("http://inside:8776/volume/v3/volumes/detail?limit=1&metadata="),
        "{next}"
    );
    assert!(next.contains("&marker="), "{next}");
    let rest = next.trim_start_matches("http://inside:8776");
    assert_eq!(client.get(rest).await.text, "{\"volumes\": []}");
}

#[tokio::test]
async fn odd_limits_and_offsets_are_answered_as_observed() {
    let client = client_with_volumes(3, 2).await;
    let get = |query: &'static str| {
        let path = format!("/volume/v3/volumes/detail?{query}");
        let client = &client;
        async move { client.get(&path).await }
    };
    assert_eq!(get("limit=1000").await.ids().len(), 2);
    assert_eq!(get("limit=0").await.text, "{\"volumes\": []}");
    for (query, message) in [
        ("limit=-1", "limit param must be positive"),
        ("limit=abc", "limit param must be an integer"),
        ("offset=-1", "offset param must be positive"),
        ("sort=bogus:asc", "Invalid input received: Invalid sort key"),
    ] {
        let answer = get(query).await;
        assert_eq!(
            (answer.status, answer.message().as_str()),
            (400, message),
            "{query}"
        );
        assert_eq!(answer.json()["badRequest"]["code"], 400);
    }
    assert_eq!(get("offset=2").await.ids().len(), 1);
    assert_eq!(get("offset=99").await.text, "{\"volumes\": []}");
}

#[tokio::test]
async fn a_marker_that_has_vanished_is_404() {
    let client = client_with_volumes(0, 1000).await;
    let volume = client.volume();
    let ids: Vec<String> = (0..3)
        .map(|_| client.cloud.add_snapshot(SnapshotSpec::of(&volume)))
        .collect();
    let path = format!("/volume/v3/snapshots/detail?marker={}", ids[0]);
    assert_eq!(client.get(&path).await.status, 200);
    client.cloud.remove_snapshot(&ids[0]);
    let answer = client.get(&path).await;
    assert_eq!(answer.status, 404);
    let expected = format!("Snapshot {} could not be found.", ids[0]);
    assert_eq!(answer.json()["itemNotFound"]["message"], expected.as_str());
}

#[tokio::test]
async fn the_count_comes_with_newer_microversions_only() {
    let client = client_with_volumes(3, 2).await;
    let path = "/volume/v3/volumes/detail?with_count=true&limit=1";
    assert!(client.get(path).await.json().get("count").is_none());
    let client = client.version("volume 3.70");
    assert_eq!(client.get(path).await.json()["count"], 3);
}

#[tokio::test]
async fn both_shapes_of_the_path_work_and_others_do_not() {
    let client = client_with_volumes(1, 1000).await;
    let project = client.cloud.project_id();
    for path in [
        "/volume/v3/volumes/detail",
        &format!("/volume/v3/{project}/volumes/detail"),
    ] {
        assert_eq!(client.get(path).await.ids().len(), 1, "{path}");
    }
    let other = client.get("/volume/v3/someone-else/volumes/detail").await;
    assert_eq!(
        (other.status, other.message().as_str()),
        (400, "Malformed request url")
    );
    let slash = client.get("/volume/v3/volumes/detail/").await;
    assert_eq!(slash.status, 404);
    assert!(slash.header("content-type").starts_with("text/html"));
}

#[tokio::test]
async fn a_page_of_a_thousand_from_a_hundred_thousand_is_cheap() {
    let client = Client::new(Config::default()).await;
    let volume = client.volume();
    let start = client.cloud.now();
    for number in 0..100_000 {
        let at = start - TimeDelta::seconds(number);
        let spec = SnapshotSpec::of(&volume)
            .named(format!("managed-daily-{number}"))
            .meta("x-snapsentry-managed", "true")
            .meta("x-snapsentry-snapshot-policy-type", "daily")
            .created_at(at);
        client.cloud.add_snapshot(spec);
    }
    let client = client.version("volume 3.22");
    let filter = "metadata=%7B%27x-snapsentry-managed%27%3A%27true%27%7D";
    let mut path = Some(format!("/volume/v3/snapshots/detail?{filter}"));
    let mut slowest = std::time::Duration::ZERO;
    let mut rows = 0;
    while let Some(page) = path {
        let begun = std::time::Instant::now();
        let answer = client.get(&page).await;
        slowest = slowest.max(begun.elapsed());
        rows += answer.text.matches("\"volume_id\"").count();
        path = answer.next("snapshots");
    }
    assert_eq!(rows, 100_000);
    // Ten milliseconds is the aim of an optimised build; this one may be unoptimised and its
    // machine busy, but a page that walks the whole table would still not pass.
    assert!(slowest.as_millis() < 400, "{slowest:?}");
}

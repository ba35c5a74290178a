//! Clouds that are not like the others: listings, clocks, endpoints and catalogues.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simcloud::quirks::{Fate, Filtering, LargePages, Sorting, Undated};
use simcloud::{
    Config, DateHeader, Endpoints, Fault, Interrupted, Kind, Quirks, Route, SnapshotSpec,
};
use tokio::time::Instant;

use crate::client::{Client, application_credential};

const LIST: &str = "/volume/v3/snapshots/detail";
/// `{'a':'1','b':'2'}`.
const TWO_KEYS: &str =
    "/volume/v3/snapshots/detail?metadata=%7B%27a%27%3A%271%27%2C%27b%27%3A%272%27%7D";

/// Snapshots that were taken an hour apart, oldest first.
async fn with_history(quirks: Quirks, snapshots: i64) -> (Client, Vec<String>) {
    let client = Client::new(Config {
        quirks,
        ..Config::default()
    })
    .await
    .version("volume 3.22");
    let volume = client.volume();
    let begun = client.cloud.now() - TimeDelta::hours(snapshots);
    let ids = (0..snapshots)
        .map(|hour| {
            let at = begun + TimeDelta::hours(hour);
            client
                .cloud
                .add_snapshot(SnapshotSpec::of(&volume).created_at(at))
        })
        .collect();
    (client, ids)
}

#[tokio::test]
async fn a_list_can_be_sorted_wrongly_and_still_have_pages() {
    for sorting in [Sorting::Reversed, Sorting::ById, Sorting::Shuffled(7)] {
        let quirks = Quirks {
            snapshot_sort: sorting,
            ..Quirks::default()
        };
        let (client, ids) = with_history(quirks, 9).await;
        let whole = client
            .get(&format!("{LIST}?sort=created_at:desc"))
            .await
            .ids();
        let newest_first: Vec<String> = ids.iter().rev().cloned().collect();
        assert_ne!(whole, newest_first, "{sorting:?}");
        let (mut paged, mut next) = (Vec::new(), Some(format!("{LIST}?limit=4")));
        while let Some(path) = next {
            let page = client.get(&path).await;
            paged.extend(page.ids());
            next = page.next("snapshots");
        }
        assert_eq!(paged, whole, "{sorting:?}");
        paged.sort();
        let mut all = ids;
        all.sort();
        assert_eq!(paged, all, "{sorting:?}");
    }
}

#[tokio::test]
async fn a_row_without_a_time_of_creation_is_first_last_or_in_its_place() {
    for (undated, place) in [
        (Undated::Smallest, 2),
        (Undated::Largest, 0),
        (Undated::InPlace, 1),
    ] {
        let quirks = Quirks {
            undated,
            ..Quirks::default()
        };
        let (client, ids) = with_history(quirks, 3).await;
        assert!(client.cloud.hide_created_at(&ids[1]));
        let page = client.get(LIST).await;
        assert_eq!(page.ids()[place], ids[1], "{undated:?}");
        assert_eq!(page.json()["snapshots"][place]["created_at"], Value::Null);
        // Pages do not lose it.
        let first = client.get(&format!("{LIST}?limit=2")).await;
        let rest = client.get(&first.next("snapshots").expect("more")).await;
        assert_eq!([first.ids(), rest.ids()].concat(), page.ids());
    }
}

#[tokio::test]
async fn a_filter_of_two_keys_wants_both_unless_the_cloud_is_odd() {
    for (filtering, expected) in [
        (Filtering::AllPairs, vec!["both"]),
        (Filtering::AnyPair, vec!["a", "b", "both"]),
        (Filtering::FirstPair, vec!["a", "both"]),
        (Filtering::Ignored, vec!["a", "b", "both", "none"]),
        (Filtering::Empty, vec![]),
    ] {
        let quirks = Quirks {
            snapshot_filter: filtering,
            ..Quirks::default()
        };
        let (client, _) = with_history(quirks, 0).await;
        let volume = client.volume();
        for (name, pairs) in [
            ("a", vec![("a", "1")]),
            ("b", vec![("b", "2"), ("a", "7")]),
            ("both", vec![("a", "1"), ("b", "2")]),
            ("none", vec![]),
        ] {
            let spec = SnapshotSpec::of(&volume).named(name);
            let spec = pairs.into_iter().fold(spec, |spec, (k, v)| spec.meta(k, v));
            client.cloud.add_snapshot(spec);
        }
        let found = client.get(TWO_KEYS).await.json();
        let mut names: Vec<&str> = found["snapshots"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|row| row["name"].as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{filtering:?}");
    }
    let quirks = Quirks {
        snapshot_filter: Filtering::Refused(400),
        ..Quirks::default()
    };
    let (client, _) = with_history(quirks, 1).await;
    assert_eq!(client.get(TWO_KEYS).await.status, 400);
    assert_eq!(client.get(LIST).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_too_large_is_refused_late_or_never_there() {
    let quirks = |fate| Quirks {
        large_pages: Some(LargePages { above: 4, fate }),
        ..Quirks::default()
    };
    let wait = Duration::from_secs(50);
    let (client, _) = with_history(quirks(Fate::Status(504, wait)), 9).await;
    let begun = Instant::now();
    assert_eq!(client.get(LIST).await.status, 504);
    assert_eq!(begun.elapsed(), wait);
    assert_eq!(client.get(&format!("{LIST}?limit=4")).await.ids().len(), 4);

    let (client, _) = with_history(quirks(Fate::Late(wait)), 9).await;
    let begun = Instant::now();
    assert_eq!(client.get(LIST).await.ids().len(), 9);
    assert_eq!(begun.elapsed(), wait);

    let (client, _) = with_history(quirks(Fate::Never), 9).await;
    let asked = client.get(LIST);
    assert!(tokio::time::timeout(100 * wait, asked).await.is_err());
}

#[tokio::test]
async fn every_answer_has_the_date_of_the_cloud_s_clock_or_a_wrong_one_or_none() {
    let mut client = Client::new(Config::default()).await;
    let date = |text: &str| DateTime::parse_from_rfc2822(text).expect(text).to_utc();
    let near =
        |one: DateTime<Utc>, other: DateTime<Utc>| (one - other).abs() < TimeDelta::seconds(5);
    client.cloud.advance(Duration::from_secs(86_400));
    client.log_in().await;
    for path in [LIST, "/identity/v3", "/volume/", "/compute/v2.1/servers/x"] {
        let answer = client.get(path).await;
        assert!(
            near(date(answer.header("date")), client.cloud.now()),
            "{path}"
        );
    }
    client
        .cloud
        .configure(|config| config.date = DateHeader::Shifted(TimeDelta::hours(-2)));
    let told = date(client.get(LIST).await.header("date"));
    assert!(near(told + TimeDelta::hours(2), client.cloud.now()));
    client
        .cloud
        .configure(|config| config.date = DateHeader::Absent);
    assert!(client.get(LIST).await.headers.get("date").is_none());
}

#[tokio::test]
async fn the_catalogue_can_name_another_scheme_and_a_moved_cinder() {
    let client = Client::new(Config::default()).await;
    let cinder = |token: &Value| {
        let entries = token["token"]["catalog"]
            .as_array()
            .expect("a catalogue")
            .clone();
        let entry = entries
            .into_iter()
            .find(|entry| entry["type"] == "block-storage");
        let url = entry.expect("Cinder")["endpoints"][0]["url"].clone();
        url.as_str().expect("an address").to_owned()
    };
    let log_in = || client.post("/identity/v3/auth/tokens", application_credential());
    client.cloud.configure(|config| {
        config.endpoints = Endpoints {
            block_storage: Some("https://inside.example:8776".into()),
            ..Endpoints::default()
        };
    });
    let told = log_in().await.json();
    assert_eq!(cinder(&told), "https://inside.example:8776/volume/v3");
    client.cloud.configure(|config| {
        config.endpoints = Endpoints {
            block_storage_has_moved: true,
            ..Endpoints::default()
        };
    });
    assert_eq!(client.get(LIST).await.status, 404);
    assert_eq!(
        client.get("/moved/volume/v3/snapshots/detail").await.status,
        200
    );
    let told = log_in().await.json();
    assert_eq!(cinder(&told), "http://cloud.example/moved/volume/v3");
}

#[tokio::test(start_paused = true)]
async fn a_fault_can_last_for_a_while() {
    let client = Client::new(Config::default()).await;
    let now = client.cloud.now();
    let (from, until) = (now + TimeDelta::minutes(10), now + TimeDelta::minutes(20));
    let fault = Fault::on(Route::ListSnapshots, Kind::Refused).between(from, until);
    client.cloud.inject(fault);
    let mut refused = Vec::new();
    for minute in 0..30 {
        match client.try_send("GET", LIST, "").await {
            Err(Interrupted::Refused) => refused.push(minute),
            answer => assert_eq!(answer.expect("whole").status, 200),
        }
        client.cloud.advance(Duration::from_secs(60));
    }
    assert_eq!(refused, (10..20).collect::<Vec<_>>());
}

//! Hooks, the journal, and that one seed is one cloud.

use serde_json::json;
use simcloud::{Config, Happening, Route, When};

use crate::client::Client;

const LIST: &str = "/volume/v3/volumes/detail";

#[tokio::test]
async fn a_hook_changes_the_cloud_between_two_pages() {
    let client = Client::new(Config {
        osapi_max_limit: 1,
        ..Config::default()
    })
    .await;
    let (first, second) = (client.volume(), client.volume());
    let newest = client.cloud.volumes()[0].id.clone();
    let gone = newest.clone();
    client
        .cloud
        .on(Route::ListVolumes, 2, When::Before, move |cloud| {
            assert!(cloud.remove_volume(&gone));
        });
    let page = client.get(LIST).await;
    assert_eq!(page.ids(), [newest.as_str()]);
    assert!(newest == first || newest == second);
    assert_eq!(
        client
            .get(&page.next("volumes").expect("a link"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_same_seed_gives_the_same_cloud() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let client = Client::new(Config {
            seed,
            ..Config::default()
        })
        .await;
        let volume = client.volume();
        client.snapshot(&volume, "s").await;
        let ids: Vec<_> = client
            .cloud
            .journal()
            .entries
            .into_iter()
            .map(|e| e.answered_request_id)
            .collect();
        runs.push((volume, client.cloud.project_id(), ids));
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn the_journal_tells_requests_and_changes() {
    let client = Client::new(Config::default()).await;
    let volume = client.volume();
    let mut request = client.request(
        "POST",
        "/volume/v3/snapshots",
        &json!({ "snapshot": { "volume_id": volume, "name": "s" } }).to_string(),
    );
    request
        .headers_mut()
        .insert("x-openstack-request-id", "req-1".parse().expect("a value"));
    client.cloud.handle(request).await.expect("an answer");
    let journal = client.cloud.journal();
    let entry = journal
        .of(Route::CreateSnapshot)
        .next()
        .expect("the request");
    assert_eq!(entry.request_id.as_deref(), Some("req-1"));
    assert_eq!(entry.status(), Some(202));
    assert_eq!(entry.json()["snapshot"]["name"], "s");
    assert!(entry.answered.is_some());
    assert_eq!((journal.count(Route::Login), journal.total()), (1, 2));
    let happenings: Vec<_> = journal
        .changes
        .iter()
        .map(|change| change.happening)
        .collect();
    assert_eq!(happenings, [Happening::Creating, Happening::Available]);
    assert!(
        journal
            .changes
            .iter()
            .all(|change| change.request == Some(entry.sequence))
    );
    client.cloud.clear_journal();
    client.get(LIST).await;
    let journal = client.cloud.journal();
    assert_eq!(
        (journal.total(), journal.entries[0].status()),
        (1, Some(200))
    );
}

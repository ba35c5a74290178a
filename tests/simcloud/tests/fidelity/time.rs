//! The cloud's clock, and states that change by it.

use chrono::TimeDelta;
use simcloud::{Behaviour, Config, Happening, Rule, Snapshots};
use std::time::Duration;

use crate::client::Client;

#[tokio::test(start_paused = true)]
async fn the_clock_follows_tokios_and_can_be_moved() {
    let client = Client::new(Config::default()).await;
    let start = client.cloud.now();
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert_eq!(client.cloud.now() - start, TimeDelta::seconds(90));
    client.cloud.advance(Duration::from_secs(10));
    assert_eq!(client.cloud.now() - start, TimeDelta::seconds(100));
    client.cloud.set_now(start - TimeDelta::days(1));
    assert_eq!(client.cloud.now(), start - TimeDelta::days(1));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_creating_for_its_time_and_then_available() {
    let creation_time = Duration::from_secs(45);
    let client = Client::new(Config {
        creation_time,
        ..Config::default()
    })
    .await;
    let volume = client.volume();
    let id = client.snapshot(&volume, "s").await;
    let begun = client.cloud.now();
    let status = || client.cloud.snapshot(&id).expect("it").status;
    tokio::time::sleep(Duration::from_secs(44)).await;
    assert_eq!(status(), "creating");
    assert_eq!(client.cloud.snapshot(&id).expect("it").updated_at, None);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(status(), "available");
    let updated = client.cloud.snapshot(&id).expect("it").updated_at;
    assert_eq!(updated, Some(begun + TimeDelta::seconds(45)));
    let journal = client.cloud.journal();
    let available = journal
        .changed(Happening::Available)
        .next()
        .expect("the change");
    assert_eq!(available.at - begun, TimeDelta::seconds(45));
}

#[tokio::test(start_paused = true)]
async fn the_storage_can_be_slow_fail_or_hang() {
    let client = Client::new(Config::default()).await;
    let volume = client.volume();
    let slow = Behaviour::CreateSlowly(Duration::from_secs(10));
    client
        .cloud
        .backend(Rule::new(Snapshots::Named("slow".into()), slow));
    client
        .cloud
        .backend(Rule::new(Snapshots::Named("bad".into()), Behaviour::CreateFails).times(1));
    client.cloud.backend(Rule::new(
        Snapshots::Named("stuck".into()),
        Behaviour::CreateHangs,
    ));
    let mut ids = Vec::new();
    for name in ["slow", "bad", "bad", "stuck"] {
        ids.push(client.snapshot(&volume, name).await);
    }
    let states = || {
        ids.iter()
            .map(|id| client.cloud.snapshot(id).expect("it").status)
            .collect::<Vec<_>>()
    };
    assert_eq!(states(), ["creating", "error", "available", "creating"]);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(states(), ["available", "error", "available", "creating"]);
}

//! A snapshot pass takes what is due, and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde_json::{Value, json};
use simcloud::backend::{Behaviour, Rule, Snapshots};
use simcloud::{Fault, Kind, Latency, Route};

use crate::world::{Policy, World, daily, express, monthly, tagged, weekly};

#[tokio::test]
async fn a_due_window_gets_a_snapshot_with_exactly_this_name_description_and_metadata() {
    let world = World::new().await;
    let policy = daily();
    let india = FixedOffset::east_opt(19_800).expect("a zone");
    let local = policy.start.with_timezone(&india);
    let policy = policy
        .with("timezone", "Asia/Kolkata")
        .with("start-time", &local.format("%H:%M").to_string())
        .with("retention-days", "3");
    let volume = world.volume(&[&policy]);
    assert_eq!(world.snapshot().await.did(), "created 1");
    let expiry = policy.start + TimeDelta::days(3);
    let utc = |at: DateTime<_>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let sent = world.requests(Route::CreateSnapshot)[0].json();
    let name = format!("managed-daily-{volume}-{}", local.to_rfc3339());
    let expected = json!({"snapshot": {
        "volume_id": volume,
        "name": name,
        "description": "Created and managed by SnapSentry",
        "force": true,
        "metadata": {
            "x-snapsentry-managed": "true",
            "x-snapsentry-snapshot-policy-type": "daily",
            "x-snapsentry-snapshot-retention-days": "3",
            "x-snapsentry-snapshot-expiry-date": utc(expiry),
            "x-snapsentry-snapshot-expiry-date-user-tz":
                expiry.with_timezone(&india).to_rfc3339(),
            "x-snapsentry-snapshot-window-start": utc(policy.start),
        },
    }});
    assert_eq!(sent, expected);
    let snapshot = world.only_snapshot_of(&volume);
    assert_eq!(snapshot.status, "available");
    assert_eq!(snapshot.name, Some(name));
}

#[tokio::test]
async fn in_utc_the_name_ends_in_z() {
    let world = World::new().await;
    let policy = monthly();
    let volume = world.volume(&[&policy]);
    assert_eq!(world.snapshot().await.did(), "created 1");
    let snapshot = world.only_snapshot_of(&volume);
    assert_eq!(snapshot.name, Some(policy.name(&volume)));
}

#[tokio::test]
async fn a_new_subscription_is_due_at_once_and_the_oldest_window_comes_first() {
    let world = World::new().await;
    let volume = world.volume(&[&express(), &daily(), &weekly(), &monthly()]);
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.due()), ("created 4", 4));
    let order: Vec<Value> = world
        .requests(Route::CreateSnapshot)
        .iter()
        .map(|one| one.json()["snapshot"]["metadata"]["x-snapsentry-snapshot-policy-type"].clone())
        .collect();
    assert_eq!(order, ["monthly", "weekly", "daily", "express"]);
    world.snapshot().await.is_quiet();
    assert_eq!(world.cloud.snapshots_of(&volume).len(), 4);
}

#[tokio::test]
async fn only_available_and_in_use_volumes_are_tried() {
    let world = World::new().await;
    let policy = daily();
    let others = ["creating", "error", "maintenance", "detaching", "deleting"];
    for status in ["available", "in-use"].iter().chain(&others) {
        world.cloud.add_volume(tagged(&[&policy]).status(*status));
    }
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 2, blocked 5");
    assert_eq!(run.outcome(), "complete");
    assert_eq!(world.count(Route::CreateSnapshot), 2);
    let warnings = run.list("warnings");
    assert_eq!(warnings.len(), others.len());
    for status in others {
        let warning = &run.warnings_with(status)[0];
        assert!(warning["volume_id"].is_string() && warning["policy"] == "daily");
    }
}

#[tokio::test]
async fn a_snapshot_that_ends_in_error_is_deleted_and_reported_and_stops_no_other() {
    let world = World::of(|config| config.creation_time = Duration::from_millis(300)).await;
    let (bad, good) = (world.volume(&[&daily()]), world.volume(&[&daily()]));
    let fails = Rule::new(Snapshots::OfVolume(bad.clone()), Behaviour::CreateFails);
    world.cloud.backend(fails);
    let run = world.snapshot().await;
    assert_eq!(
        (run.did().as_str(), run.outcome()),
        ("created 1, failed 1", "partial")
    );
    let failure = run.only_failure();
    assert_eq!(failure["volume_id"], bad.as_str());
    assert_eq!(failure["policy"], "daily");
    let deleted = &world.requests(Route::DeleteSnapshot)[0].path;
    let snapshot = failure["snapshot_id"].as_str().expect("an id");
    let creations = world.requests(Route::CreateSnapshot);
    let creation = creations
        .iter()
        .find(|one| one.json()["snapshot"]["volume_id"] == bad.as_str())
        .and_then(|one| one.answered_request_id.as_deref())
        .expect("an id");
    assert_eq!(failure["request_id"], creation, "Cinder tells of it there");
    let line = run.said("snapshot creation failed").remove(0);
    assert_eq!(line["openstack_request_id"], creation);
    assert!(deleted.ends_with(snapshot), "{deleted}");
    assert!(
        failure["error"]
            .as_str()
            .is_some_and(|error| error.contains("error"))
    );
    assert!(world.cloud.snapshots_of(&bad).is_empty());
    assert_eq!(world.only_snapshot_of(&good).status, "available");
}

#[tokio::test]
async fn a_broken_snapshot_that_cannot_be_deleted_is_a_warning_beside_the_failure() {
    let world = World::new().await;
    let volume = world.volume(&[&daily()]);
    world
        .cloud
        .backend(Rule::new(Snapshots::Any, Behaviour::CreateFails));
    world
        .cloud
        .inject(Fault::on(Route::DeleteSnapshot, Kind::status(403)).forever());
    let run = world.snapshot().await;
    assert_eq!(run.did(), "failed 1");
    let left = world.only_snapshot_of(&volume);
    assert_eq!(run.only_warning()["snapshot_id"], left.id.as_str());
    assert_eq!(run.only_failure()["snapshot_id"], left.id.as_str());
}

#[tokio::test]
async fn each_window_is_tried_even_if_the_quota_refused_another() {
    let world = World::of(|config| config.snapshot_quota = 2).await;
    for _ in 0..4 {
        world.volume(&[&daily()]);
    }
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.due()), ("created 2, failed 2", 4));
    assert_eq!(
        world.count(Route::CreateSnapshot),
        4,
        "a quota is not retried"
    );
    for failure in run.failures() {
        let error = failure["error"].as_str().expect("an error");
        assert!(error.contains("quota"), "{error}");
        assert!(failure["request_id"].is_string(), "{failure}");
    }
}

#[tokio::test]
async fn requests_of_a_quiet_pass_depend_on_pages_and_not_on_volumes_or_policies() {
    let policies = [express(), daily(), weekly(), monthly()];
    let mut sent = BTreeSet::new();
    for (volumes, policies) in [(1, &policies[..1]), (50, &policies[..])] {
        let world = World::new().await;
        let all: Vec<&Policy> = policies.iter().collect();
        for _ in 0..volumes {
            let volume = world.volume(&all);
            for policy in policies {
                world.taken(&volume, policy);
            }
        }
        let run = world.snapshot().await;
        run.is_quiet();
        sent.insert(run.figure("/requests/sent"));
    }
    assert_eq!(sent, BTreeSet::from([3]), "login, volumes, snapshots");
}

#[tokio::test]
async fn looks_are_at_most_the_poll_interval_apart_and_at_most_four_a_second() {
    let world = World::of(|config| config.creation_time = Duration::from_millis(2500))
        .await
        .set("SNAPSENTRY_POLL_INTERVAL", "500ms");
    for _ in 0..20 {
        world.volume(&[&daily()]);
    }
    let run = world.snapshot().await;
    assert_eq!(run.did(), "created 20");
    let created = world.requests(Route::CreateSnapshot);
    let created = created.iter().map(|one| one.sequence).max();
    let mut looks = world.requests(Route::ListSnapshots);
    looks.retain(|one| Some(one.sequence) > created);
    // The last one is for duplicates.
    let looks = &looks[..looks.len() - 1];
    let span = looks[looks.len() - 1].arrived - looks[0].arrived;
    let most = 4.0 * (span.as_secs_f64() + 0.1) + 1.0;
    assert!(
        looks.len() as f64 <= most,
        "{} looks in {span:?}",
        looks.len()
    );
    assert!(looks.len() >= 4, "{} looks in {span:?}", looks.len());
    assert_eq!(world.count(Route::GetSnapshot), 0, "one look serves all");
}

#[tokio::test]
async fn a_look_that_had_to_wait_for_its_turn_is_not_followed_at_once_by_the_next() {
    let world = World::of(|config| {
        config.latency = Latency::Fixed(Duration::from_millis(60));
        config.creation_time = Duration::from_millis(900);
    })
    .await
    .set("SNAPSENTRY_MAX_CONCURRENCY", "1");
    for _ in 0..12 {
        world.volume(&[&daily()]);
    }
    assert_eq!(world.snapshot().await.did(), "created 12");
    let created = world.requests(Route::CreateSnapshot);
    let created = created.iter().map(|one| one.sequence).max();
    let mut looks = world.requests(Route::ListSnapshots);
    looks.retain(|one| Some(one.sequence) > created);
    // The last one is for duplicates.
    looks.pop();
    assert!(looks.len() >= 3, "{} looks", looks.len());
    for pair in looks.windows(2) {
        let apart = pair[1].arrived - pair[0].arrived;
        assert!(apart >= Duration::from_millis(180), "{apart:?} apart");
    }
}

#[tokio::test]
async fn the_oldest_window_of_all_volumes_comes_first() {
    let world = World::new().await.set("SNAPSENTRY_MAX_CREATING", "1");
    let policies = [daily(), monthly(), express(), weekly()];
    for policy in &policies {
        world.volume(&[policy]);
    }
    assert_eq!(world.snapshot().await.did(), "created 4");
    let order: Vec<Value> = world
        .requests(Route::CreateSnapshot)
        .iter()
        .map(|one| one.json()["snapshot"]["metadata"]["x-snapsentry-snapshot-policy-type"].clone())
        .collect();
    assert_eq!(order, ["monthly", "weekly", "daily", "express"]);
}

//! What is asked: the samples, each field, and each way of asking wrongly.

use std::path::Path;

use serde_json::{Value, json};
use simcloud::{Route, VolumeSpec};

use crate::world::{World, daily};

const ABSENT: &str = "00000000-0000-4000-8000-000000000000";

/// Puts a volume with this id in.
fn there_is(world: &World, id: &str) {
    world.cloud.add_volume(VolumeSpec {
        id: Some(id.to_owned()),
        ..VolumeSpec::default()
    });
}

#[tokio::test]
async fn every_sample_is_accepted_as_it_is() {
    let world = World::new().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut function = world.function().await;
    let mut samples = 0;
    for entry in folder.read_dir().expect("the folder events") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a text");
        let event: Value = serde_json::from_str(&text).expect("JSON");
        if let Some(id) = event["volume_id"].as_str() {
            there_is(&world, id);
        }
        if event["phase"] == "restore" {
            for id in event["volume_ids"].as_array().into_iter().flatten() {
                let id = id.as_str().expect("an id");
                there_is(&world, id);
                world.taken(id, &daily());
            }
        }
        let run = function.run(event.clone()).await;
        if event["phase"] == "targets" || event.get("cloud").is_some() {
            // Read and understood: what is missing here is the file that has the clouds.
            run.fails_with("InvalidConfiguration", &["clouds.yaml"]);
        } else if event.get("widgetContext").is_some() {
            assert!(run.answer().is_string(), "{}", path.display());
        } else if event["phase"] == "report" {
            assert!(run.answer()["totals"].is_object(), "{}", path.display());
        } else {
            assert_eq!(run.answer()["outcome"], "complete", "{}", path.display());
        }
        samples += 1;
    }
    assert!(samples >= 8, "{samples} samples");
}

#[tokio::test]
async fn an_envelopes_detail_is_the_request() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    let envelope = |detail: Value| {
        json!({
            "version": "0", "id": ABSENT, "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": "2026-11-22T09:10:00Z",
            "region": "eu-central-1", "resources": [], "detail": detail,
        })
    };
    let mut function = world.function().await;
    let dry = envelope(json!({"phase": "snapshot", "dry_run": true}));
    assert_eq!(function.run(dry).await.plan().len(), 1);
    let real = envelope(json!({"phase": "snapshot"}));
    assert_eq!(function.run(real).await.did(), "created 1");
    let empty = function.run(envelope(json!({}))).await;
    empty.fails_with("InvalidEvent", &["phase"]);
}

#[tokio::test]
async fn a_dry_run_can_be_of_another_time() {
    let world = World::new().await;
    let policy = daily().with("start-time", "06:30");
    let volume = world.volume(&[&policy]);
    let event = json!({
        "phase": "snapshot", "dry_run": true, "as_of": "2026-03-01T06:29:59.5+00:00",
    });
    let run = world.run(event).await;
    assert_eq!(
        run.plan(),
        [json!({
            "action": "create", "volume_id": volume, "policy": "daily",
            "name": format!("managed-daily-{volume}-2026-02-28T06:30:00Z"),
            "window_start": "2026-02-28T06:30:00Z", "window_end": "2026-03-01T06:30:00Z",
            "expires_at": "2026-03-02T06:30:00Z",
        })]
    );
    let kept = world.taken(&volume, &daily());
    let event = json!({
        "phase": "expire", "dry_run": true, "as_of": "2100-01-01T01:00:00+01:00",
    });
    let run = world.run(event).await;
    assert_eq!((run.plan().len(), run.did().as_str()), (0, "kept 1"));
    assert!(world.has(&kept));
}

#[tokio::test]
async fn volume_ids_limit_a_pass_and_unknown_ones_are_warned_of() {
    let world = World::new().await.set("SNAPSENTRY_KEEP_LAST", "0");
    let [wanted, other] = [(); 2].map(|()| world.volume(&[&daily()]));
    for volume in [&wanted, &other] {
        world.expired(volume, &daily(), 5);
    }
    let upper = wanted.to_uppercase();
    let event = json!({"phase": "snapshot", "volume_ids": [upper, ABSENT]});
    let run = world.run(event).await;
    assert_eq!((run.did().as_str(), run.due()), ("created 1", 1));
    assert_eq!(run.figure("/volumes/managed"), 1);
    assert_eq!(run.figure("/snapshots/managed"), 1);
    assert_eq!(run.only_warning()["volume_id"], ABSENT);
    let event = json!({"phase": "expire", "volume_ids": [wanted, ABSENT]});
    let run = world.run(event).await;
    assert_eq!(run.did(), "deleted 1");
    assert_eq!(run.only_warning()["volume_id"], ABSENT);
    assert_eq!(world.cloud.snapshots_of(&wanted).len(), 1);
    assert_eq!(world.cloud.snapshots_of(&other).len(), 1);
}

#[tokio::test]
async fn the_greatest_numbers_allowed_are_accepted() {
    let world = World::new().await;
    let ids: Vec<String> = (0..500)
        .map(|n| format!("00000000-0000-4000-8000-{n:012}"))
        .collect();
    let mut function = world.function().await;
    let run = function
        .run(json!({"phase": "snapshot", "volume_ids": ids}))
        .await;
    assert_eq!(run.list("warnings").len(), 100);
    assert_eq!(run.figure("/warnings_omitted"), 400);
    let shard = json!({"index": 255, "count": 256});
    let run = function
        .run(json!({"phase": "expire", "shard": shard}))
        .await;
    run.is_quiet();
}

#[tokio::test]
async fn expire_finds_snapshots_of_volumes_that_are_gone_by_their_id() {
    let world = World::new().await;
    let volume = world.volume(&[&daily()]);
    world.expired(&volume, &daily(), 5);
    world.cloud.remove_volume(&volume);
    let event = json!({"phase": "expire", "volume_ids": [volume]});
    let run = world.run(event).await;
    run.is_quiet();
    assert_eq!(run.did(), "deleted 1");
    assert_eq!(world.count(Route::DeleteSnapshot), 1);
}

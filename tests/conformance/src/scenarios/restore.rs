//! Getting it back: new volumes of one point in time.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use super::assert_outcome;
use crate::tenancy::{NewVolume, Tenancy};

const SERVER: &str = "22222222-2222-4222-8222-222222222222";

/// Called again it finds what it has made; what was there before is as it was, and a project that
/// is full is told so.
pub async fn the_volumes_of_a_server_come_back_once_and_nothing_else_is_touched(t: &mut Tenancy) {
    let mut originals = Vec::new();
    for name in ["data", "log"] {
        let volume = NewVolume::named(name).policy("daily").on(SERVER);
        originals.push(t.add_volume(volume).await);
    }
    let mut function = t.function().await;
    assert_outcome(&function.snapshot().await, "complete");
    let before = (
        t.api.snapshots().await,
        t.api.volume_metadata(&originals[0]).await,
    );

    let event = json!({ "phase": "restore", "restore_id": "live", "server_id": SERVER });
    let mut dry = event.clone();
    dry["dry_run"] = json!(true);
    let planned = function.invoke(dry).await;
    assert_eq!(
        planned.answer()["volumes"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(t.count(&Method::POST, "/volumes"), 0);

    let first = function.invoke(event.clone()).await.answer().clone();
    assert_outcome(&first, "complete");
    let made = restored(&first);
    assert_eq!(made.len(), 2, "{first:#}");
    let again = function.invoke(event).await.answer().clone();
    assert_outcome(&again, "complete");
    assert_eq!(restored(&again), made);
    assert_eq!(t.count(&Method::POST, "/volumes"), 2);
    for id in &made {
        let tags = t.api.volume_metadata(id).await;
        assert_eq!(tags["x-snapsentry-restore-id"], "live");
        assert!(
            originals.contains(&tags["x-snapsentry-restored-volume"]),
            "{tags:?}"
        );
        assert!(!tags.contains_key("x-snapsentry-managed"), "{tags:?}");
    }
    let after = (
        t.api.snapshots().await,
        t.api.volume_metadata(&originals[0]).await,
    );
    assert_eq!(after, before);
    let next = first["next"].as_array().expect("commands");
    let swaps = |command: &&Value| {
        command
            .as_str()
            .is_some_and(|one| one.contains("add volume"))
    };
    assert_eq!(next.iter().filter(swaps).count(), 2, "{next:#?}");

    t.set_volume_quota(4).await;
    let event = json!({ "phase": "restore", "restore_id": "more", "volume_ids": originals });
    let full = function.invoke(event).await.answer().clone();
    assert_outcome(&full, "partial");
    let error = full["failures"][0]["error"].as_str().unwrap_or_default();
    assert!(error.contains("quota"), "{full:#}");
}

/// Ids of the new volumes, all of them available.
fn restored(answer: &Value) -> BTreeSet<String> {
    let volumes = answer["volumes"].as_array().into_iter().flatten();
    volumes
        .map(|volume| {
            assert_eq!(volume["status"], "available", "{answer:#}");
            volume["restored_volume_id"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

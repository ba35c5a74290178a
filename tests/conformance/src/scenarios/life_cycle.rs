//! From the tag to the end of a snapshot.

use http::Method;
use serde_json::json;

use super::{assert_counts, assert_outcome, next_second};
use crate::tenancy::{NewVolume, Tenancy};

/// Tag, take, take nothing more, expire, keep the last.
pub async fn a_volume_is_tagged_taken_once_a_window_and_cleared_of_what_expired(t: &mut Tenancy) {
    let volume = t
        .add_volume(NewVolume::named("data").meta("owner", "ops"))
        .await;
    let mut function = t.function().await;

    let told = function.subscribe(&volume, "daily").await;
    assert_outcome(&told, "complete");
    let tags = t.api.volume_metadata(&volume).await;
    assert_eq!(tags["owner"], "ops");
    for (key, value) in told["metadata"].as_object().expect("the keys written") {
        assert_eq!(*value, tags[key], "{key}");
    }

    let expired = t.add_expired_snapshot(&volume, "daily").await;
    next_second().await;
    let told = function.snapshot().await;
    assert_outcome(&told, "complete");
    assert_counts(&told, &[("volumes.due", 1), ("created", 1)]);
    let mut taken = t.api.snapshots_of(&volume).await;
    taken.retain(|one| one.id != expired);
    let [taken] = taken.as_slice() else {
        panic!("one snapshot, not {taken:?}")
    };
    assert_eq!(taken.status, "available");
    assert!(taken.name.starts_with(&format!("managed-daily-{volume}-")));
    assert_eq!(taken.metadata["x-snapsentry-managed"], "true");
    assert_eq!(taken.metadata["x-snapsentry-snapshot-retention-days"], "2");

    let told = function.snapshot().await;
    assert_counts(&told, &[("volumes.due", 0), ("created", 0), ("managed", 2)]);

    let told = function.expire().await;
    assert_outcome(&told, "complete");
    assert_counts(&told, &[("deleted", 1), ("kept", 0)]);
    t.api.wait_for_snapshot(&expired, "gone").await;

    // The last one stays, however long it has been expired.
    t.api
        .tag_snapshot(
            &taken.id,
            "x-snapsentry-snapshot-expiry-date",
            "2021-03-02T00:00:00Z",
        )
        .await;
    let told = function.expire().await;
    assert_counts(&told, &[("deleted", 0), ("kept", 1)]);
    assert_eq!(t.api.snapshots_of(&volume).await.len(), 1);
}

/// Neither pass nor subscribe writes anything when asked to run dry.
pub async fn a_dry_run_tells_the_plan_and_changes_nothing(t: &mut Tenancy) {
    let volume = t
        .add_volume(NewVolume::named("data").policy("weekly"))
        .await;
    let old = t.add_expired_snapshot(&volume, "weekly").await;
    let older = t.add_expired_snapshot(&volume, "weekly").await;
    let mut function = t.function().await;

    let told = function
        .invoke(json!({ "phase": "snapshot", "dry_run": true }))
        .await;
    let plan = &told.answer()["plan"];
    assert_eq!(plan[0]["action"], "create", "{plan}");
    assert_eq!(plan[0]["volume_id"], volume.as_str());

    let told = function
        .invoke(json!({ "phase": "expire", "dry_run": true }))
        .await;
    let plan = told.answer()["plan"].as_array().expect("a plan");
    let [deletion] = plan.as_slice() else {
        panic!("one of the two is the last and stays: {plan:?}")
    };
    assert!(
        [&old, &older]
            .iter()
            .any(|id| deletion["snapshot_id"] == id.as_str())
    );

    let event = json!({
        "phase": "subscribe", "volume_id": volume, "policy": "express", "dry_run": true });
    let told = function.invoke(event).await;
    assert_eq!(
        told.answer()["metadata"]["x-snapsentry-express-enabled"],
        "true"
    );

    assert_eq!(t.api.snapshots().await.len(), 2);
    let tags = t.api.volume_metadata(&volume).await;
    assert!(!tags.contains_key("x-snapsentry-express-enabled"));
    let login = "/auth/tokens";
    for exchange in t.exchanges() {
        assert!(
            exchange.method == Method::GET || exchange.path.ends_with(login),
            "{} {}",
            exchange.method,
            exchange.path
        );
    }
}

/// A hold, a foreign snapshot and one without an expiry date.
pub async fn what_is_held_or_not_ours_is_never_deleted(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("data")).await;
    let held = t.add_expired_snapshot(&volume, "daily").await;
    t.api
        .tag_snapshot(&held, "x-snapsentry-hold", "audit 7")
        .await;
    let foreign = t.add_expired_snapshot(&volume, "daily").await;
    t.api
        .tag_snapshot(&foreign, "x-snapsentry-managed", "false")
        .await;
    let undated = t.add_expired_snapshot(&volume, "daily").await;
    t.api
        .tag_snapshot(&undated, "x-snapsentry-snapshot-expiry-date", "soon")
        .await;
    let free = t.add_expired_snapshot(&volume, "daily").await;
    // Saying goodbye on purpose: the last one is not kept either.
    t.api
        .tag_volume(&volume, "x-snapsentry-managed", "false")
        .await;

    let told = t.function().await.expire().await;
    assert_counts(&told, &[("deleted", 1)]);
    t.api.wait_for_snapshot(&free, "gone").await;
    let warnings = told["warnings"].as_array().expect("warnings");
    assert!(
        warnings
            .iter()
            .any(|one| one["snapshot_id"] == undated.as_str()),
        "{told:#}"
    );
    for id in [held, foreign, undated] {
        t.api.wait_for_snapshot(&id, "available").await;
    }
}

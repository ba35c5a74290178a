//! What the user's role allows, and what is told where it does not.

use std::time::Duration;

use http::Method;
use simcloud::Role;

use super::{assert_counts, assert_outcome};
use crate::tenancy::{Login, NewVolume, Tenancy};

/// Two expired snapshots: one that can be deleted, one that only force could remove.
async fn one_free_and_one_stuck(t: &Tenancy) -> (String, String) {
    let volume = t.add_volume(NewVolume::named("data")).await;
    let free = t.add_expired_snapshot(&volume, "daily").await;
    let stuck = t.add_expired_snapshot(&volume, "weekly").await;
    t.api
        .tag_volume(&volume, "x-snapsentry-managed", "false")
        .await;
    t.set_snapshot_status(&stuck, "error_deleting").await;
    // It has to be a zombie, and Cinder's times have whole seconds.
    tokio::time::sleep(Duration::from_secs(3)).await;
    (free, stuck)
}

const SOON_STUCK: [(&str, &str); 1] = [("SNAPSENTRY_STUCK_AFTER", "1s")];

/// Force is for administrators; the refusal is a failure with the cloud's request id.
pub async fn a_member_deletes_normally_and_is_refused_force(t: &mut Tenancy) {
    let (free, stuck) = one_free_and_one_stuck(t).await;
    let login = t.env(Login::Credential);
    let told = t.function_with(&login, &SOON_STUCK).await.expire().await;
    assert_outcome(&told, "partial");
    assert_counts(&told, &[("deleted", 1), ("failed", 1)]);
    t.api.wait_for_snapshot(&free, "gone").await;
    t.api.wait_for_snapshot(&stuck, "error_deleting").await;
    let failure = &told["failures"][0];
    assert_eq!(failure["snapshot_id"], stuck.as_str());
    let request_id = failure["request_id"].as_str().unwrap_or_default();
    assert!(request_id.starts_with("req-"), "{failure}");
    let error = failure["error"].as_str().unwrap_or_default();
    assert!(
        error.contains("403") && error.contains("force_delete"),
        "{error}"
    );
    assert_eq!(t.count(&Method::POST, "/action"), 1);
}

/// With the role, the stuck one goes too.
pub async fn an_administrator_deletes_by_force_what_is_stuck(t: &mut Tenancy) {
    let (free, stuck) = one_free_and_one_stuck(t).await;
    t.set_role(Role::Admin).await;
    let login = t.env(Login::Credential);
    let told = t.function_with(&login, &SOON_STUCK).await.expire().await;
    assert_outcome(&told, "complete");
    assert_counts(&told, &[("deleted", 2)]);
    t.api.wait_for_snapshot(&free, "gone").await;
    t.api.wait_for_snapshot(&stuck, "gone").await;
}

/// Listing works, and each refusal is a failure of its own.
pub async fn a_reader_sees_and_is_refused_the_rest(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("data").policy("daily")).await;
    let old = t.add_expired_snapshot(&volume, "weekly").await;
    t.set_role(Role::Reader).await;
    let mut function = t.function().await;
    let told = function.snapshot().await;
    assert_outcome(&told, "partial");
    assert_counts(&told, &[("volumes.due", 1), ("failed", 1)]);
    let error = told["failures"][0]["error"].as_str().unwrap_or_default();
    assert!(error.contains("403"), "{error}");

    let told = function.expire().await;
    assert_counts(&told, &[("deleted", 0), ("failed", 1)]);
    assert_eq!(told["failures"][0]["snapshot_id"], old.as_str());

    let event = serde_json::json!({
        "phase": "subscribe", "volume_id": volume, "policy": "weekly" });
    let told = function.invoke(event).await;
    let failure = told.failure();
    assert_eq!(failure.error_type, "SubscriptionFailed", "{failure:?}");
}

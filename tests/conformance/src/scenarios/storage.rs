//! What a storage does after Cinder has said yes.

use std::time::Duration;

use http::Method;
use serde_json::json;
use simcloud::Behaviour;

use super::{assert_counts, assert_outcome};
use crate::tenancy::{NewVolume, Tenancy};

/// Longer than anything that is polled at once.
const SLOW: Duration = Duration::from_secs(3);
/// A deadline that leaves time to ask for a snapshot, and is waited for where it hangs.
const SHORT: Duration = Duration::from_secs(12);
/// What makes a zombie where `SNAPSENTRY_STUCK_AFTER` is a second: Cinder cuts its times to
/// whole ones.
const STUCK: Duration = Duration::from_secs(3);

/// It is available when the answer says so.
pub async fn a_slow_snapshot_is_waited_for(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("slow").policy("daily")).await;
    t.storage(&volume, &[Behaviour::CreateSlowly(SLOW)]);
    let told = t.function().await.snapshot().await;
    assert_outcome(&told, "complete");
    assert_counts(&told, &[("created", 1)]);
    assert!(told["duration_ms"].as_u64() >= Some(3000), "{told:#}");
    assert_eq!(t.api.snapshots_of(&volume).await[0].status, "available");
}

/// Neither while it is being created nor afterwards.
pub async fn a_snapshot_that_outlasts_the_pass_is_pending_and_not_taken_twice(t: &mut Tenancy) {
    let volume = t
        .add_volume(NewVolume::named("slower").policy("daily"))
        .await;
    t.storage(&volume, &[Behaviour::CreateHangs]);
    let mut function = t.function().await;
    let event = json!({ "phase": "snapshot" });
    let told = function.invoke_within(event, SHORT).await;
    assert!(!told.deadline_missed);
    assert_outcome(told.answer(), "deferred");
    assert_counts(told.answer(), &[("pending", 1), ("created", 0)]);

    assert_counts(&function.snapshot().await, &[("volumes.due", 0)]);
    let taken = t.api.snapshots_of(&volume).await;
    let [taken] = taken.as_slice() else {
        panic!("one snapshot, not {taken:?}")
    };
    t.set_snapshot_status(&taken.id, "available").await;
    assert_counts(&function.snapshot().await, &[("volumes.due", 0)]);
    assert_eq!(t.count(&Method::POST, "/snapshots"), 1);
}

/// The quota is not left to what is broken.
pub async fn a_snapshot_that_fails_is_told_and_removed(t: &mut Tenancy) {
    let bad = t.add_volume(NewVolume::named("bad").policy("daily")).await;
    let good = t.add_volume(NewVolume::named("good").policy("daily")).await;
    t.storage(&bad, &[Behaviour::CreateFails]);
    let mut function = t.function().await;
    let told = function.snapshot().await;
    assert_outcome(&told, "partial");
    assert_counts(&told, &[("created", 1), ("failed", 1)]);
    assert_eq!(told["failures"][0]["volume_id"], bad.as_str());
    let broken = told["failures"][0]["snapshot_id"].as_str().expect("its id");
    t.api.wait_for_snapshot(broken, "gone").await;
    assert_eq!(t.api.snapshots_of(&good).await.len(), 1);

    // Once the storage is well again the window is served.
    t.storage(&bad, &[]);
    assert_counts(
        &function.snapshot().await,
        &[("volumes.due", 1), ("created", 1)],
    );
}

/// Cinder says 202, and a moment later the snapshot is available again.
pub async fn a_busy_snapshot_is_deleted_by_a_later_pass(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("busy")).await;
    let first = t.add_expired_snapshot(&volume, "daily").await;
    t.api
        .tag_volume(&volume, "x-snapsentry-managed", "false")
        .await;
    t.storage(&volume, &[Behaviour::DeleteBusy]);
    let mut function = t.function().await;
    assert_counts(&function.expire().await, &[("deleted", 1)]);
    t.api.wait_for_snapshot(&first, "available").await;

    t.storage(&volume, &[]);
    assert_counts(&function.expire().await, &[("deleted", 1)]);
    t.api.wait_for_snapshot(&first, "gone").await;
}

/// What Cinder accepted and then could not do is not forgotten.
pub async fn a_deletion_that_fails_later_is_seen_by_the_next_pass(t: &mut Tenancy) {
    let volume = t.add_volume(NewVolume::named("sticky")).await;
    let sticky = t.add_expired_snapshot(&volume, "daily").await;
    t.api
        .tag_volume(&volume, "x-snapsentry-managed", "false")
        .await;
    t.storage(&volume, &[Behaviour::DeleteFails]);
    let mut function = t.function().await;
    assert_counts(&function.expire().await, &[("deleted", 1)]);
    t.api.wait_for_snapshot(&sticky, "error_deleting").await;

    // A fresh one in error_deleting is no zombie yet: it is left alone.
    let told = function.expire().await;
    assert_counts(&told, &[("deleted", 0), ("failed", 0)]);
    // A stuck one is tried, and a member is refused.
    drop(function);
    let login = t.env(crate::tenancy::Login::Credential);
    let mut function = t
        .function_with(&login, &[("SNAPSENTRY_STUCK_AFTER", "1s")])
        .await;
    tokio::time::sleep(STUCK).await;
    let told = function.expire().await;
    assert_counts(&told, &[("failed", 1)]);
    assert_eq!(told["failures"][0]["snapshot_id"], sticky.as_str());
}

/// A snapshot that is `creating` for ever is a zombie: its window is taken all the same, but not
/// before ten minutes are over, lest a sick backend gets one a pass.
pub async fn a_stuck_snapshot_does_not_serve_its_window(t: &mut Tenancy) {
    let volume = t
        .add_volume(NewVolume::named("stuck").policy("monthly"))
        .await;
    t.storage(&volume, &[Behaviour::CreateHangs]);
    let login = t.env(crate::tenancy::Login::Credential);
    let mut function = t
        .function_with(&login, &[("SNAPSENTRY_STUCK_AFTER", "1s")])
        .await;
    let event = json!({ "phase": "snapshot" });
    let told = function.invoke_within(event, SHORT).await;
    assert_counts(told.answer(), &[("pending", 1)]);
    let stuck = t.api.snapshots_of(&volume).await[0].clone();
    assert_eq!(stuck.status, "creating");

    // The storage hangs on this one for ever, and is well again for the next.
    t.storage(&volume, &[]);
    tokio::time::sleep(STUCK).await;
    let told = function.snapshot().await;
    assert_counts(
        &told,
        &[("volumes.due", 1), ("created", 0), ("deferred", 1)],
    );
    t.backdate_snapshot(&stuck.id, 10).await;
    let told = function.snapshot().await;
    assert_counts(&told, &[("volumes.due", 1), ("created", 1)]);
    // A member cannot remove it, and is told so.
    let warnings = told["warnings"].as_array().expect("warnings");
    assert!(
        warnings
            .iter()
            .any(|one| one["snapshot_id"] == stuck.id.as_str()),
        "{told:#}"
    );
    t.api.wait_for_snapshot(&stuck.id, "creating").await;
}

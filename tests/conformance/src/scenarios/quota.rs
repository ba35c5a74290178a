//! A project that is full.

use http::Method;

use super::{assert_counts, assert_outcome};
use crate::tenancy::{NewVolume, Tenancy};

/// One refusal stops no other window, and none is tried again in the same pass.
pub async fn a_used_up_quota_is_told_and_every_window_is_tried(t: &mut Tenancy) {
    for name in ["a", "b", "c"] {
        t.add_volume(NewVolume::named(name).policy("daily")).await;
    }
    t.set_snapshot_quota(1).await;
    let mut function = t.function().await;
    let told = function.snapshot().await;
    assert_outcome(&told, "partial");
    assert_counts(&told, &[("created", 1), ("failed", 2), ("deferred", 0)]);
    assert_eq!(t.count(&Method::POST, "/snapshots"), 3);
    for failure in told["failures"].as_array().expect("failures") {
        let error = failure["error"].as_str().unwrap_or_default();
        assert!(error.contains("quota"), "{error}");
    }

    t.set_snapshot_quota(3).await;
    assert_counts(&function.snapshot().await, &[("created", 2)]);
}

//! Passes that know nothing of each other.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join;
use simcloud::Behaviour;

use super::{assert_counts, assert_outcome};
use crate::tenancy::{NewVolume, Tenancy};

/// Both see every window due, and both begin.
pub async fn two_passes_at_once_leave_one_snapshot_a_window(t: &mut Tenancy) {
    for name in ["a", "b", "c"] {
        let volume = NewVolume::named(name).policy("daily").policy("weekly");
        let volume = t.add_volume(volume).await;
        t.storage(&volume, &[Behaviour::CreateSlowly(Duration::from_secs(1))]);
    }
    let (mut one, mut other) = (t.function().await, t.function().await);
    let (told, other_told) = join(one.snapshot(), other.snapshot()).await;
    assert_outcome(&told, "complete");
    assert_outcome(&other_told, "complete");

    // What the two left over, if anything, the next one removes.
    let told = one.snapshot().await;
    assert_outcome(&told, "complete");
    assert_counts(&told, &[("volumes.due", 0)]);
    for being_deleted in t.snapshots_in("deleting").await {
        t.api.wait_for_snapshot(&being_deleted.id, "gone").await;
    }
    let mut per_window = BTreeMap::new();
    for one in t.api.snapshots().await {
        assert_eq!(one.status, "available", "{one:?}");
        let window = (one.volume_id.clone(), one.policy().to_owned());
        *per_window.entry(window).or_insert(0) += 1;
    }
    assert_eq!(per_window.len(), 6, "{per_window:?}");
    assert!(
        per_window.values().all(|count| *count == 1),
        "{per_window:?}"
    );
}

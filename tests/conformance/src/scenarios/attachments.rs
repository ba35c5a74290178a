//! Volumes that servers use.

use super::{assert_counts, assert_outcome};
use crate::tenancy::{NewVolume, Tenancy};

const ONE: &str = "11111111-1111-4111-8111-111111111111";
const OTHER: &str = "22222222-2222-4222-8222-222222222222";

/// Three disks of one server, one disk of two, and one of none.
pub async fn volumes_in_use_and_shared_ones_are_taken(t: &mut Tenancy) {
    let mut volumes = Vec::new();
    for name in ["root", "data", "log"] {
        let volume = NewVolume::named(name).policy("daily").on(ONE);
        volumes.push(t.add_volume(volume).await);
    }
    let shared = NewVolume::named("shared").policy("daily").on(ONE).on(OTHER);
    volumes.push(t.add_volume(shared).await);
    volumes.push(
        t.add_volume(NewVolume::named("spare").policy("daily"))
            .await,
    );

    let told = t.function().await.snapshot().await;
    assert_outcome(&told, "complete");
    assert_counts(&told, &[("volumes.managed", 5), ("created", 5)]);
    for volume in volumes {
        let taken = t.api.snapshots_of(&volume).await;
        assert_eq!(taken.len(), 1, "{taken:?}");
        assert_eq!(taken[0].status, "available");
    }
}

//! `GET limits`: what is used of the quotas.

use serde_json::json;

use crate::answer::{self, Answer};
use crate::state::State;

/// Gigabytes of all volumes and snapshots.
pub(super) fn gigabytes(state: &State) -> u64 {
    state.volumes.iter().map(|volume| volume.size).sum::<u64>() + state.snapshot_gigabytes
}

pub(super) fn answer(state: &State) -> Answer {
    let absolute = json!({
        "maxTotalVolumes": state.config.volume_quota,
        "maxTotalSnapshots": state.config.snapshot_quota,
        "maxTotalVolumeGigabytes": state.config.gigabytes_quota,
        "maxTotalBackups": -1,
        "maxTotalBackupGigabytes": -1,
        "totalVolumesUsed": state.volumes.len(),
        "totalSnapshotsUsed": state.snapshots.len(),
        "totalGigabytesUsed": gigabytes(state),
        "totalBackupsUsed": 0,
        "totalBackupGigabytesUsed": 0,
    });
    answer::json(
        200,
        json!({ "limits": { "rate": [], "absolute": absolute } }).to_string(),
    )
}

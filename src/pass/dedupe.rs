//! Settling with overlapping passes: a window that both took keeps one snapshot.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use futures::future::join_all;
use tokio::time::Instant;

use super::Pass;
use super::inventory::read_snapshot;
use super::outcome::{CreateOutcome, DuplicateOutcome, OverlapOutcome, WindowOutcome};
use crate::openstack::Error;
use crate::plan::duplicates::{self, Duplicate};
use crate::plan::{DueWindow, Snapshot, State, Volume, VolumeSnapshots};

/// Managed snapshots, by volume.
type ByVolume = BTreeMap<String, Vec<Snapshot>>;

/// Looks once more, now that ours are available, for what overlapping passes took of the same
/// windows, and deletes all but the first of each. `windows` is what came of this pass's own,
/// `listed` what there was when it began, and `known` are the duplicates that were found then.
pub(super) async fn dedupe(
    pass: &Pass<'_>,
    volumes: &[&Volume],
    listed: &BTreeMap<String, VolumeSnapshots>,
    since: Option<DateTime<Utc>>,
    known: &[Duplicate],
    windows: &[WindowOutcome],
) -> OverlapOutcome {
    let created: BTreeMap<&str, &DueWindow> = windows
        .iter()
        .filter_map(|one| match &one.outcome {
            CreateOutcome::Created { snapshot_id } => Some((snapshot_id.as_str(), &one.due)),
            _ => None,
        })
        .collect();
    if created.is_empty() {
        return OverlapOutcome::default();
    }
    let listed_since = Instant::now();
    let by_volume = match recent(pass, since).await {
        Ok(by_volume) => by_volume,
        Err(error) => {
            return OverlapOutcome {
                unknown: Some(error),
                ..OverlapOutcome::default()
            };
        }
    };
    let known: HashSet<&str> = known.iter().map(|one| one.snapshot_id.as_str()).collect();
    let duplicates: Vec<Duplicate> = volumes
        .iter()
        .filter_map(|volume| Some((volume, by_volume.get(&volume.id)?)))
        .flat_map(|(volume, snapshots)| {
            // The look does not reach back to these, and the oldest may be one of them.
            let is_older = |one: &&Snapshot| one.created_at < since;
            let listed = listed.get(&volume.id).map(|listed| listed.relevant.iter());
            let older = listed.into_iter().flatten().filter(is_older);
            duplicates::superfluous(volume, snapshots.iter().chain(older), pass.now)
        })
        .filter(|duplicate| !known.contains(duplicate.snapshot_id.as_str()))
        .collect();
    let deletions = duplicates
        .into_iter()
        .map(async |duplicate| DuplicateOutcome {
            outcome: pass.delete_duplicate(&duplicate, listed_since).await,
            duplicate,
        });
    let deleted = join_all(deletions).await;
    let mut superseded: BTreeMap<String, String> = deleted
        .iter()
        .filter(|one| created.contains_key(one.duplicate.snapshot_id.as_str()))
        .filter(|one| one.outcome.is_done())
        .map(|one| {
            let duplicate = &one.duplicate;
            (duplicate.snapshot_id.clone(), duplicate.stays.clone())
        })
        .collect();
    // Another pass may have been quicker to delete ours.
    for (id, due) in created {
        if superseded.contains_key(id) {
            continue;
        }
        if let Some(stays) = in_place_of(id, due, &by_volume) {
            superseded.insert(id.to_owned(), stays);
        }
    }
    OverlapOutcome {
        duplicates: deleted,
        superseded,
        unknown: None,
    }
}

/// What was made not long before this pass, or during it.
async fn recent(pass: &Pass<'_>, since: Option<DateTime<Utc>>) -> Result<ByVolume, Error> {
    let add = |by_volume: &mut ByVolume, one: crate::openstack::Snapshot| {
        let snapshot = read_snapshot(&one);
        by_volume.entry(one.volume_id).or_default().push(snapshot);
    };
    pass.client
        .list_managed_snapshots_since(pass.deadline, since, ByVolume::new, add)
        .await
}

/// The available snapshot that serves the window now that ours is there no longer.
fn in_place_of(ours: &str, due: &DueWindow, by_volume: &ByVolume) -> Option<String> {
    let mut serving = None;
    for one in by_volume.get(&due.volume_id)? {
        if one.state != State::Available {
            continue;
        }
        if one.id == ours {
            return None;
        }
        if one.belongs_to(due.policy, &due.window) {
            serving.get_or_insert_with(|| one.id.clone());
        }
    }
    serving
}

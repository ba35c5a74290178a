//! Settling with overlapping passes: a window that both took keeps one snapshot.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::future::join_all;

use super::Pass;
use super::delete::DeleteOutcome;
use super::inventory::read_snapshot;
use super::telling::tell_duplicate;
use crate::plan::duplicates::{self, Duplicate};
use crate::plan::{Snapshot, State, Volume};
use crate::policy::{PolicyKind, PolicyState};
use crate::report::Summary;

/// Looks once more, now that ours are available, for what overlapping passes took of the same
/// windows, and removes all but the first of each.
pub(super) async fn dedupe(
    pass: &Pass<'_>,
    volumes: &[&Volume],
    since: Option<DateTime<Utc>>,
    mut created: BTreeMap<String, (String, PolicyKind)>,
    known: &[Duplicate],
    summary: &mut Summary,
) {
    let looked = pass
        .client
        .list_managed_snapshots_since(
            pass.deadline,
            since,
            BTreeMap::<String, Vec<Snapshot>>::new,
            |by_volume, one| {
                let snapshot = read_snapshot(&one);
                by_volume.entry(one.volume_id).or_default().push(snapshot);
            },
        )
        .await;
    let by_volume = match looked {
        Ok(by_volume) => by_volume,
        Err(error) => {
            tracing::warn!(%error, "could not look for duplicates");
            summary.warn(format!(
                "whether another pass took the same windows could not be looked at; the next \
                 pass does: {error}"
            ));
            return;
        }
    };
    let duplicates: Vec<Duplicate> = volumes
        .iter()
        .filter_map(|volume| Some((volume, by_volume.get(&volume.id)?)))
        .flat_map(|(volume, snapshots)| duplicates::superfluous(volume, snapshots, pass.now))
        .filter(|duplicate| !known.contains(duplicate))
        .collect();
    let removals = join_all(
        duplicates
            .iter()
            .map(|duplicate| pass.delete_duplicate(&duplicate.snapshot_id)),
    )
    .await;
    for (duplicate, removal) in duplicates.iter().zip(removals) {
        let gone = matches!(
            removal,
            DeleteOutcome::Accepted { .. } | DeleteOutcome::AlreadyGone
        );
        tell_duplicate(duplicate, removal, summary);
        if gone && created.remove(&duplicate.snapshot_id).is_some() {
            yield_to_twin(summary, &duplicate.snapshot_id, &duplicate.stays);
        }
    }
    // Another pass may have been quicker to remove ours.
    for (id, (volume_id, policy)) in created {
        let of_volume = by_volume.get(&volume_id).map_or(&[][..], Vec::as_slice);
        let is_there =
            |one: &&Snapshot| one.state == State::Available && one.policy == Some(policy);
        if of_volume.iter().filter(is_there).any(|one| one.id == id) {
            continue;
        }
        let window = volumes
            .iter()
            .find(|volume| volume.id == volume_id)
            .and_then(|volume| match volume.policy(policy) {
                PolicyState::Enabled(policy) => Some(policy.window_at(pass.now)),
                _ => None,
            });
        let stays = window.and_then(|window| {
            of_volume
                .iter()
                .filter(is_there)
                .find(|one| one.belongs_to(policy, &window))
        });
        if let Some(stays) = stays {
            yield_to_twin(summary, &id, &stays.id);
        }
    }
}

/// Ours was the second of its window: the window is served by the other.
fn yield_to_twin(summary: &mut Summary, ours: &str, stays: &str) {
    tracing::info!(
        snapshot_id = ours,
        stays,
        "ours was the second of its window"
    );
    summary.snapshots.created -= 1;
    summary.snapshots.adopted += 1;
}

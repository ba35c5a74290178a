//! Settling with overlapping passes: a window that both took keeps one snapshot.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::future::join_all;

use super::Pass;
use super::cleaning::Removal;
use super::look::read_snapshot;
use super::telling::tell_twin;
use crate::plan::twins::{self, Twin};
use crate::plan::{Snapshot, State, Volume};
use crate::policy::{PolicyKind, Reading};
use crate::report::Summary;

/// Looks once more, now that ours are available, for what overlapping passes took of the same
/// windows, and removes all but the first of each.
pub(super) async fn settle_twins(
    pass: &Pass<'_>,
    volumes: &[&Volume],
    since: Option<DateTime<Utc>>,
    mut created: BTreeMap<String, (String, PolicyKind)>,
    known: &[Twin],
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
            tracing::warn!(%error, "could not look for twins");
            summary.warn(format!(
                "whether another pass took the same windows could not be looked at; the next \
                 pass does: {error}"
            ));
            return;
        }
    };
    let twins: Vec<Twin> = volumes
        .iter()
        .filter_map(|volume| Some((volume, by_volume.get(&volume.id)?)))
        .flat_map(|(volume, snapshots)| twins::superfluous(volume, snapshots, pass.now))
        .filter(|twin| !known.contains(twin))
        .collect();
    let removals = join_all(twins.iter().map(|twin| pass.remove_twin(&twin.snapshot_id))).await;
    for (twin, removal) in twins.iter().zip(removals) {
        let gone = matches!(removal, Removal::Accepted { .. } | Removal::AlreadyGone);
        tell_twin(twin, removal, summary);
        if gone && created.remove(&twin.snapshot_id).is_some() {
            yield_to_twin(summary, &twin.snapshot_id, &twin.stays);
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
                Reading::Enabled(policy) => Some(policy.window_at(pass.now)),
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

//! Two snapshots of one window: which one goes.
//!
//! Passes that overlap may both take a window. There is no lock to prevent it, and none is
//! needed: every pass orders the duplicates alike, so all of them agree on the one that stays.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Snapshot, State, Volume};
use crate::policy::{PolicyKind, PolicyState, Window};

/// A snapshot that another of the same window makes superfluous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The one that goes.
    pub snapshot_id: String,
    /// Its volume.
    pub volume_id: String,
    /// Its policy.
    pub policy: PolicyKind,
    /// The one that stays.
    pub stays: String,
}

/// Finds the superfluous ones among snapshots that were all seen in one listing.
///
/// Only available ones with the window's start in their metadata are compared, so the one that
/// stays is always available; the oldest does. One that is held stays as well. Only the active
/// windows of readable, enabled policies are looked at.
pub fn superfluous<'a>(
    volume: &Volume,
    snapshots: impl IntoIterator<Item = &'a Snapshot>,
    now: DateTime<Utc>,
) -> Vec<Duplicate> {
    let mut by_policy: BTreeMap<PolicyKind, BTreeMap<_, &Snapshot>> = BTreeMap::new();
    let mut met = BTreeSet::new();
    for snapshot in snapshots {
        // A row that a shifting listing showed twice is no duplicate of its own.
        if snapshot.state == State::Available
            && snapshot.volume_id == volume.id
            && let Some(kind) = snapshot.policy
            && met.insert(&snapshot.id)
        {
            by_policy
                .entry(kind)
                .or_default()
                .insert(snapshot.age_key(), snapshot);
        }
    }
    let mut superfluous = Vec::new();
    for (kind, snapshots) in by_policy {
        let PolicyState::Enabled(policy) = volume.policy(kind) else {
            continue;
        };
        let window: Window = policy.window_at(now);
        let mut duplicates = snapshots
            .into_values()
            .filter(|one| one.window_start.is_some_and(|start| window.contains(start)));
        let Some(first) = duplicates.next() else {
            continue;
        };
        superfluous.extend(duplicates.filter(|one| !one.held).map(|one| Duplicate {
            snapshot_id: one.id.clone(),
            volume_id: volume.id.clone(),
            policy: kind,
            stays: first.id.clone(),
        }));
    }
    superfluous
}

//! Two snapshots taken for one window: which one goes.
//!
//! Passes that overlap may both take a window. There is no lock to prevent it, and none is
//! needed: every pass orders the duplicates alike, so all of them agree on the one that stays.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Snapshot, State, Volume};
use crate::policy::{PolicyKind, PolicyState};

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

impl std::fmt::Display for Duplicate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "a duplicate of the window, of which {} stays",
            self.stays
        )
    }
}

/// Finds the superfluous ones among snapshots that were all seen in one listing.
///
/// Only available ones with the same window start in their metadata are compared: each of two
/// whose starts differ was wanted when it was taken, also where an edited schedule puts both into
/// one window. The oldest stays, and so does one that is held. Only the active windows of
/// readable, enabled policies are looked at.
pub fn superfluous<'a>(
    volume: &Volume,
    snapshots: impl IntoIterator<Item = &'a Snapshot>,
    now: DateTime<Utc>,
) -> Vec<Duplicate> {
    let mut by_start: BTreeMap<(PolicyKind, DateTime<Utc>), BTreeMap<_, &Snapshot>> =
        BTreeMap::new();
    let mut met = BTreeSet::new();
    for snapshot in snapshots {
        // A row that a shifting listing showed twice is no duplicate of its own, and one without an
        // id may be any of the others.
        if snapshot.state == State::Available
            && snapshot.volume_id == volume.id
            && !snapshot.id.is_empty()
            && let (Some(kind), Some(start)) = (snapshot.policy, snapshot.window_start)
            && met.insert(&snapshot.id)
        {
            by_start
                .entry((kind, start))
                .or_default()
                .insert(snapshot.age_key(), snapshot);
        }
    }
    let mut superfluous = Vec::new();
    for ((kind, start), snapshots) in by_start {
        let PolicyState::Enabled(policy) = volume.policy(kind) else {
            continue;
        };
        if !policy.window_at(now).contains(start) {
            continue;
        }
        let mut snapshots = snapshots.into_values();
        let Some(first) = snapshots.next() else {
            continue;
        };
        superfluous.extend(snapshots.filter(|one| !one.held).map(|one| Duplicate {
            snapshot_id: one.id.clone(),
            volume_id: volume.id.clone(),
            policy: kind,
            stays: first.id.clone(),
        }));
    }
    superfluous
}

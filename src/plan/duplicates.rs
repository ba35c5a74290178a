//! Two snapshots taken for one window: which one goes.
//!
//! Passes that overlap may both take a window. There is no lock to prevent it, and none is
//! needed: every pass orders the duplicates alike, so all of them agree on the one that stays.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Expiry, Snapshot, State, Volume};
use crate::policy::{Policy, PolicyKind, PolicyState};

/// What expires within this time an expire pass may delete before this pass has ended: a pass takes
/// a quarter of an hour at most, and expiry goes by a clock that may be an hour ahead.
const EXPIRES_SOON: TimeDelta = TimeDelta::minutes(75);

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

/// Finds the superfluous ones among snapshots, of which each is what it was first seen as here.
///
/// Only available ones with the same window start in their metadata are compared: each of two
/// whose starts differ was wanted when it was taken, also where an edited schedule puts both into
/// one window. The oldest stays, and so does one that is held. Only the active windows of
/// readable, enabled policies are looked at.
///
/// Where the oldest may expire before the pass has ended, by its date (many do when their window
/// ends, and an edited schedule can make a window outlast them) or by number, all are left to
/// expiry, which keeps the newest: side by side the two would leave none.
pub fn superfluous<'a>(
    volume: &Volume,
    snapshots: impl IntoIterator<Item = &'a Snapshot>,
    now: DateTime<Utc>,
) -> Vec<Duplicate> {
    let mut by_kind: BTreeMap<PolicyKind, BTreeMap<_, &Snapshot>> = BTreeMap::new();
    let mut met = BTreeSet::new();
    for snapshot in snapshots {
        // A row that a shifting listing showed twice is no duplicate of its own, and one without an
        // id may be any of the others.
        if met.insert(&snapshot.id)
            && snapshot.state == State::Available
            && snapshot.volume_id == volume.id
            && !snapshot.id.is_empty()
            && let Some(kind) = snapshot.policy
        {
            let of_kind = by_kind.entry(kind).or_default();
            of_kind.insert(snapshot.age_key(), snapshot);
        }
    }
    let mut superfluous = Vec::new();
    for (kind, available) in by_kind {
        let PolicyState::Enabled(policy) = volume.policy(kind) else {
            continue;
        };
        let window = policy.window_at(now);
        let available: Vec<&Snapshot> = available.into_values().collect();
        let mut rest = available.as_slice();
        // The oldest of each window, where that one stays.
        let mut stays: BTreeMap<DateTime<Utc>, Option<&Snapshot>> = BTreeMap::new();
        while let [one, newer @ ..] = rest {
            rest = newer;
            let Some(start) = one.window_start.filter(|start| window.contains(*start)) else {
                continue;
            };
            match stays.entry(start) {
                Entry::Vacant(oldest) => {
                    let stays = !may_expire(policy, one, newer, now);
                    oldest.insert(stays.then_some(*one));
                }
                Entry::Occupied(oldest) => {
                    superfluous.extend(oldest.get().filter(|_| !one.held).map(|oldest| Duplicate {
                        snapshot_id: one.id.clone(),
                        volume_id: volume.id.clone(),
                        policy: kind,
                        stays: oldest.id.clone(),
                    }))
                }
            }
        }
    }
    superfluous
}

/// Whether an expire pass may delete this one while there are so many newer ones. How many the
/// deployment keeps in any case is not asked: at worst two stay that need not.
fn may_expire(policy: &Policy, one: &Snapshot, newer: &[&Snapshot], now: DateTime<Utc>) -> bool {
    let Expiry::At(expires_at) = one.expiry else {
        return false;
    };
    let counted = newer.iter().filter(|newer| !newer.held).count();
    let is_surplus = one.created_at.is_some()
        && policy
            .keep_at_most()
            .is_some_and(|most| counted >= most as usize);
    let is_last = policy
        .keep_last()
        .is_some_and(|last| newer.len() < last as usize);
    let expires_soon = expires_at - now <= EXPIRES_SOON;
    (expires_soon || is_surplus) && !is_last && !one.held
}

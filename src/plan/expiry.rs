//! The plan of an expire pass: which snapshots go, and which of the expired stay.
//!
//! Deleting the wrong one cannot be undone and keeping one too many can, so whatever cannot be
//! read keeps a snapshot alive. The newest of each volume and policy stay even when expired
//! ([`ExpiryLimits::keep_last`]): should creation be broken for weeks, expiry would otherwise go on
//! until no copy is left.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Expiry, Snapshot, State, Volume};
use crate::policy::{PolicyKind, PolicyState};

/// What is judged by besides the snapshots.
#[derive(Clone, Copy, Debug)]
pub struct ExpiryLimits {
    /// How many of the newest available ones stay; 0 keeps none.
    pub keep_last: usize,
    /// After how long a snapshot on its way counts as stuck.
    pub stuck_after: TimeDelta,
}

/// What is to be done about one managed snapshot, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryVerdict {
    /// It has not expired.
    NotExpired,
    /// It names no policy that is known, so what it is for is not known either.
    UnknownPolicy,
    /// It does not say when it may go.
    NoExpiry,
    /// What it says about when it may go cannot be read.
    UnreadableExpiry,
    /// Somebody wants it kept.
    Held,
    /// Somebody is at work with it, or it is on its way.
    Busy,
    /// It is among the newest of its volume and policy.
    KeptLast,
    /// It goes.
    Delete {
        /// When it expired.
        expired_at: DateTime<Utc>,
    },
}

/// The newest available snapshots of each volume and policy, gathered while listing.
#[derive(Clone, Debug, Default)]
pub struct KeepLast {
    by_volume: HashMap<String, Vec<(PolicyKind, Vec<AgeKey>)>>,
}

/// A snapshot's place in time, and its id.
type AgeKey = (Option<DateTime<Utc>>, String);

impl KeepLast {
    /// Takes a snapshot in; only as many are remembered as are kept.
    pub fn take_in(&mut self, snapshot: &Snapshot, keep_last: usize) {
        let Some(kind) = snapshot.policy else { return };
        if snapshot.state != State::Available || keep_last == 0 {
            return;
        }
        // Most snapshots are older than those that stay: they cost no copy of an id.
        let of_volume = match self.by_volume.get_mut(&snapshot.volume_id) {
            Some(of_volume) => of_volume,
            None => self
                .by_volume
                .entry(snapshot.volume_id.clone())
                .or_default(),
        };
        let at = of_volume.iter().position(|(of_kind, _)| *of_kind == kind);
        let at = at.unwrap_or_else(|| {
            of_volume.push((kind, Vec::with_capacity(1)));
            of_volume.len() - 1
        });
        let newest = &mut of_volume[at].1;
        let key = snapshot.age_key();
        let place = newest.partition_point(|(at, id)| (*at, id.as_str()) > key);
        // A row that a shifting listing showed twice counts once.
        let known = newest
            .get(place)
            .is_some_and(|(at, id)| (*at, id.as_str()) == key);
        if place < keep_last && !known {
            newest.insert(place, (snapshot.created_at, snapshot.id.clone()));
            newest.truncate(keep_last);
        }
    }

    fn contains(&self, snapshot: &Snapshot) -> bool {
        let of_volume = self.by_volume.get(&snapshot.volume_id);
        of_volume.into_iter().flatten().any(|(kind, newest)| {
            Some(*kind) == snapshot.policy && newest.iter().any(|(_, id)| *id == snapshot.id)
        })
    }
}

/// Whether a snapshot needs a second thought once all are listed: it has expired, or it says
/// something that cannot be read. All others are neither deleted nor told of.
pub fn is_of_interest(snapshot: &Snapshot, now: DateTime<Utc>) -> bool {
    match snapshot.expiry {
        Expiry::At(at) => at <= now || snapshot.policy.is_none(),
        Expiry::Missing | Expiry::Unreadable => true,
    }
}

/// Judges one managed snapshot. `volume` is its volume, where that still exists.
pub fn judge(
    snapshot: &Snapshot,
    volume: Option<&Volume>,
    newest: &KeepLast,
    now: DateTime<Utc>,
    limits: ExpiryLimits,
) -> ExpiryVerdict {
    let Some(kind) = snapshot.policy else {
        return ExpiryVerdict::UnknownPolicy;
    };
    let expired_at = match snapshot.expiry {
        Expiry::Missing => return ExpiryVerdict::NoExpiry,
        Expiry::Unreadable => return ExpiryVerdict::UnreadableExpiry,
        Expiry::At(at) if at > now => return ExpiryVerdict::NotExpired,
        Expiry::At(at) => at,
    };
    if snapshot.held {
        return ExpiryVerdict::Held;
    }
    let deletable = matches!(snapshot.state, State::Available | State::Error)
        || snapshot.is_stuck(now, limits.stuck_after);
    if !deletable {
        return ExpiryVerdict::Busy;
    }
    if newest.contains(snapshot) && volume.is_some_and(|volume| protects(volume, kind)) {
        return ExpiryVerdict::KeptLast;
    }
    ExpiryVerdict::Delete { expired_at }
}

/// Whether a volume's newest snapshots of this policy stay: it still wants them, or may have
/// been robbed of its say. Who sets `managed` to `false` says goodbye on purpose.
fn protects(volume: &Volume, kind: PolicyKind) -> bool {
    let wanted = volume.managed && !matches!(volume.policy(kind), PolicyState::Disabled);
    wanted || volume.without_our_keys
}

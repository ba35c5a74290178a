//! The plan of an expire pass: which snapshots go and why, and which stay although their time
//! has come.
//!
//! Deleting the wrong one cannot be undone and keeping one too many can, so whatever cannot be
//! read keeps a snapshot alive. The newest of each volume and policy stay even when expired
//! (keep-last): should creation be broken for weeks, expiry would otherwise go on until no copy
//! is left.

mod judge;
mod listed;

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use self::judge::{Judge, Judged};
pub use self::listed::ManagedSnapshots;
use super::{Scope, Volume};
use crate::policy::PolicyKind;

/// What is judged by besides the snapshots.
#[derive(Clone, Copy, Debug)]
pub struct ExpiryLimits {
    /// How many of the newest available ones stay where the policy does not say so itself; 0
    /// keeps none.
    pub keep_last: usize,
    /// After how long a snapshot on its way counts as stuck.
    pub stuck_after: TimeDelta,
    /// Whether every volume of the project could be read. Where not, one that was not listed may
    /// be there all the same, and the newest of its snapshots stay as if it had been wiped.
    pub all_volumes_known: bool,
}

/// What is to be done about one managed snapshot, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryVerdict {
    /// Its time has not come.
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
    /// It has expired, and is among the newest of its volume and policy.
    KeptLast,
    /// It goes.
    Delete {
        /// Why.
        reason: Reason,
        /// The expiry date that it carries.
        expired_at: DateTime<Utc>,
    },
}

/// Why a snapshot goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its expiry date has passed.
    Expired,
    /// Its policy has as many newer ones as it is to keep at most.
    KeepAtMost,
}

/// In which turn a snapshot goes: what is whole and expired first, what may never go last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// It is available.
    Available,
    /// It is in `error`.
    Error,
    /// It is stuck, and may have to be deleted by force.
    Stuck,
}

/// A snapshot that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion<'a> {
    /// The snapshot.
    pub snapshot_id: &'a str,
    /// Its volume, which may be gone.
    pub volume_id: &'a str,
    /// The policy that took it.
    pub policy: PolicyKind,
    /// Why.
    pub reason: Reason,
    /// The expiry date that it carries.
    pub expired_at: DateTime<Utc>,
    /// In which turn.
    pub turn: Turn,
}

/// A snapshot that stays although its time has come, or since it cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// The snapshot.
    pub snapshot_id: &'a str,
    /// Its volume, which may be gone.
    pub volume_id: &'a str,
    /// The policy that took it, where it is known.
    pub policy: Option<PolicyKind>,
    /// Why; never [`ExpiryVerdict::NotExpired`] or [`ExpiryVerdict::Delete`].
    pub verdict: ExpiryVerdict,
}

/// What an expire pass does about every managed snapshot of its share. The time of those that it
/// does not name has not come.
#[derive(Clone, Debug, Default)]
pub struct Plan<'a> {
    /// What goes, in the order in which it goes.
    pub deletions: Vec<Deletion<'a>>,
    /// What stays all the same.
    pub kept: Vec<Kept<'a>>,
    /// Volumes that have fallen out of management.
    pub lost: Vec<(&'a Volume, Lost)>,
}

impl Plan<'_> {
    /// For how long the oldest expired snapshot that may be deleted has been expired, in
    /// seconds; 0 where there is none.
    pub fn oldest_expired_age(&self, now: DateTime<Utc>) -> i64 {
        self.deletions
            .iter()
            .map(|deletion| (now - deletion.expired_at).num_seconds())
            .max()
            .unwrap_or(0)
            .max(0)
    }
}

/// Judges every managed snapshot of this share at `now`, with all volumes of the project by
/// their ids: a snapshot whose volume is not among them is one of a volume that is gone.
pub fn plan<'a>(
    volumes: &'a BTreeMap<String, Volume>,
    snapshots: &'a ManagedSnapshots,
    scope: &Scope,
    now: DateTime<Utc>,
    limits: ExpiryLimits,
) -> Plan<'a> {
    let mut plan = Plan::default();
    for (volume_id, of_volume) in snapshots.volumes() {
        let judge = Judge {
            volume_id,
            volume: volumes.get(volume_id),
            now,
            limits,
        };
        let in_scope = match judge.volume {
            Some(volume) => scope.contains(volume),
            None => scope.contains_unlisted(volume_id),
        };
        if in_scope {
            for judged in judge.judged(of_volume) {
                match judged {
                    Judged::Goes(deletion) => plan.deletions.push(deletion),
                    Judged::Stays(kept) => plan.kept.push(kept),
                }
            }
        }
    }
    plan.deletions.sort_by(|a, b| a.place().cmp(&b.place()));
    // A row that a shifting listing showed twice goes once, and not at all where either is held.
    plan.deletions.dedup_by_key(|deletion| deletion.snapshot_id);
    let held = plan
        .kept
        .iter()
        .filter(|kept| kept.verdict == ExpiryVerdict::Held);
    let held: HashSet<&str> = held.map(|kept| kept.snapshot_id).collect();
    plan.deletions
        .retain(|deletion| !held.contains(deletion.snapshot_id));
    plan.lost = volumes
        .values()
        .filter(|volume| scope.contains(volume))
        .filter_map(|volume| Some((volume, Lost::of(volume, snapshots.count_of(&volume.id))?)))
        .collect();
    plan
}

impl Deletion<'_> {
    fn place(&self) -> (Turn, DateTime<Utc>, &str) {
        (self.turn, self.expired_at, self.snapshot_id)
    }
}

/// How a volume has fallen out of management.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It has lost every key of ours, and so many managed snapshots of it are there.
    Wiped {
        /// How many.
        snapshots: usize,
    },
    /// It has a policy that is on, or cannot be read, and whether it is managed is said neither
    /// way.
    NotManaged {
        /// The policy, or the first of several.
        policy: PolicyKind,
    },
}

impl Lost {
    /// Whether, and how, a volume with so many managed snapshots has fallen out of management.
    pub(crate) fn of(volume: &Volume, snapshots: usize) -> Option<Self> {
        if volume.without_our_keys {
            return (snapshots > 0).then_some(Self::Wiped { snapshots });
        }
        if volume.managed || volume.says_goodbye {
            return None;
        }
        let (policy, _) = volume.policies().next()?;
        Some(Self::NotManaged { policy })
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wiped { snapshots } => write!(
                f,
                "the volume has no x-snapsentry- key any more, and {snapshots} managed snapshots \
                 of it are there: tag it again, all policies at once, or say goodbye with \
                 x-snapsentry-managed=false"
            ),
            Self::NotManaged { policy } => write!(
                f,
                "the {policy} policy is on, but x-snapsentry-managed is not \"true\", so no \
                 snapshots are created: set it to true, or to false to say goodbye"
            ),
        }
    }
}

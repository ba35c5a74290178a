//! The rules by which one volume's snapshots go or stay.

use chrono::{DateTime, Utc};

use super::listed::{AvailableSnapshot, OfVolume};
use super::{Deletion, ExpiryLimits, ExpiryVerdict, Kept, Reason, Turn};
use crate::plan::{Expiry, Snapshot, State, Volume};
use crate::policy::{PolicyKind, PolicyState};

/// What the snapshots of one volume are judged by.
pub(super) struct Judge<'a> {
    pub(super) volume_id: &'a str,
    pub(super) volume: Option<&'a Volume>,
    pub(super) now: DateTime<Utc>,
    pub(super) limits: ExpiryLimits,
}

/// What is to be done about one snapshot whose time has come, or that cannot be judged.
pub(super) enum Judged<'a> {
    Goes(Deletion<'a>),
    Stays(Kept<'a>),
}

impl<'a> Judge<'a> {
    /// Judges the volume's snapshots; those whose time has not come are left out.
    pub(super) fn judged(&self, of_volume: &'a OfVolume) -> Vec<Judged<'a>> {
        let mut judged = Vec::new();
        for (kind, copies) in &of_volume.copies {
            let (keep_last, keep_at_most) = (self.keep_last(*kind), self.keep_at_most(*kind));
            let (mut newer, mut newer_not_held) = (0, 0);
            for copy in copies {
                let is_last = newer < keep_last;
                let is_surplus = keep_at_most.is_some_and(|most| newer_not_held >= most);
                let verdict = self.verdict_of_copy(copy, is_last, is_surplus);
                judged.extend(self.by_verdict(&copy.id, Some(*kind), Turn::Available, verdict));
                // One without a readable id may be any of the others, seen twice.
                let counts = !copy.id.is_empty();
                newer += usize::from(counts);
                newer_not_held += usize::from(counts && !copy.held);
            }
        }
        for other in &of_volume.others {
            let turn = match other.state {
                State::Error => Turn::Error,
                _ => Turn::Stuck,
            };
            let verdict = self.verdict_of_other(other);
            judged.extend(self.by_verdict(&other.id, other.policy, turn, verdict));
        }
        judged
    }

    fn by_verdict(
        &self,
        snapshot_id: &'a str,
        policy: Option<PolicyKind>,
        turn: Turn,
        verdict: ExpiryVerdict,
    ) -> Option<Judged<'a>> {
        let volume_id = self.volume_id;
        match (verdict, policy) {
            (ExpiryVerdict::NotExpired, _) => None,
            (ExpiryVerdict::Delete { reason, expired_at }, Some(policy)) => {
                Some(Judged::Goes(Deletion {
                    snapshot_id,
                    volume_id,
                    policy,
                    reason,
                    expired_at,
                    turn,
                }))
            }
            (verdict, policy) => Some(Judged::Stays(Kept {
                snapshot_id,
                volume_id,
                policy,
                verdict,
            })),
        }
    }

    /// Judges an available snapshot: `is_last` where it is among the newest that are kept in any
    /// case, `is_surplus` where there are as many newer ones as are kept at most.
    fn verdict_of_copy(
        &self,
        copy: &AvailableSnapshot,
        is_last: bool,
        is_surplus: bool,
    ) -> ExpiryVerdict {
        let expired_at = match copy.expiry {
            Expiry::Missing => return ExpiryVerdict::NoExpiry,
            Expiry::Unreadable => return ExpiryVerdict::UnreadableExpiry,
            Expiry::At(at) => at,
        };
        let reason = if expired_at <= self.now {
            Reason::Expired
        } else if is_surplus && !is_last && copy.is_dated() {
            Reason::KeepAtMost
        } else {
            return ExpiryVerdict::NotExpired;
        };
        if copy.held {
            ExpiryVerdict::Held
        } else if is_last {
            ExpiryVerdict::KeptLast
        } else {
            ExpiryVerdict::Delete { reason, expired_at }
        }
    }

    /// Judges one that is not available, or of no policy that is known.
    fn verdict_of_other(&self, snapshot: &Snapshot) -> ExpiryVerdict {
        if snapshot.policy.is_none() {
            return ExpiryVerdict::UnknownPolicy;
        }
        let expired_at = match snapshot.expiry {
            Expiry::Missing => return ExpiryVerdict::NoExpiry,
            Expiry::Unreadable => return ExpiryVerdict::UnreadableExpiry,
            Expiry::At(at) if at > self.now => return ExpiryVerdict::NotExpired,
            Expiry::At(at) => at,
        };
        let may_go =
            snapshot.state == State::Error || snapshot.is_stuck(self.now, self.limits.stuck_after);
        if snapshot.held {
            ExpiryVerdict::Held
        } else if may_go {
            ExpiryVerdict::Delete {
                reason: Reason::Expired,
                expired_at,
            }
        } else {
            ExpiryVerdict::Busy
        }
    }

    /// How many of the newest of this policy stay whatever else is said. The volume still wants
    /// them, or may have been robbed of its say; who sets `managed` to `false` says goodbye on
    /// purpose.
    fn keep_last(&self, kind: PolicyKind) -> usize {
        let Some(volume) = self.volume else {
            return match self.limits.all_volumes_known {
                true => 0,
                false => self.limits.keep_last,
            };
        };
        let policy = volume.policy(kind);
        let wanted = volume.managed && !matches!(policy, PolicyState::Disabled);
        if wanted {
            policy
                .keep_last()
                .map_or(self.limits.keep_last, |own| own as usize)
        } else if volume.without_our_keys {
            self.limits.keep_last
        } else {
            0
        }
    }

    /// How many of this policy stay at most. Only a policy that is on and can be read says so:
    /// a slip must never delete.
    fn keep_at_most(&self, kind: PolicyKind) -> Option<usize> {
        let volume = self.volume.filter(|volume| volume.managed)?;
        match volume.policy(kind) {
            PolicyState::Enabled(policy) => policy.keep_at_most().map(|most| most as usize),
            PolicyState::Disabled | PolicyState::Invalid(_) => None,
        }
    }
}

//! For how long somebody has been without the recovery point that was promised.

use chrono::{DateTime, Utc};

use super::creation::{Decision, WindowVerdict};
use crate::policy::PolicyKind;

/// What a pass has come to for one window that was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It has a snapshot that can be restored from.
    Available,
    /// One is being created, since then.
    Creating(DateTime<Utc>),
    /// It has none.
    Missing,
    /// It has none, and its volume allows none.
    Blocked,
}

/// The longest of these times, in whole seconds; 0 where nobody waits for anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OldestAges {
    /// Of all policies that are enabled, readable and not blocked.
    pub due: i64,
    /// Of those that are blocked.
    pub blocked: i64,
}

impl OldestAges {
    /// How it stands at `now`, once what was due has come to what `afterwards` says of each
    /// volume and policy.
    pub fn after(
        decisions: &[Decision<'_>],
        now: DateTime<Utc>,
        afterwards: impl Fn(&str, PolicyKind) -> Afterwards,
    ) -> Self {
        let mut oldest = Self::default();
        for decision in decisions {
            let (afterwards, missing_since) = match &decision.verdict {
                WindowVerdict::Invalid(_) => continue,
                WindowVerdict::Served { without_since, .. } => match without_since {
                    Some(since) => (Afterwards::Creating(*since), *since),
                    None => continue,
                },
                WindowVerdict::Blocked(due) => (Afterwards::Blocked, due.without_since),
                WindowVerdict::Due(due) => (
                    afterwards(&decision.volume.id, decision.policy),
                    due.without_since,
                ),
            };
            let seconds = |since: DateTime<Utc>| (now - since).num_seconds();
            match afterwards {
                Afterwards::Available => {}
                Afterwards::Creating(since) => oldest.due = oldest.due.max(seconds(since)),
                Afterwards::Missing => oldest.due = oldest.due.max(seconds(missing_since)),
                Afterwards::Blocked => oldest.blocked = oldest.blocked.max(seconds(missing_since)),
            }
        }
        oldest
    }
}

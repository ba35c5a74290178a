//! A window that wants its snapshot: what is asked of the cloud, what stands in its way, and how long
//! to wait after tries that came to nothing.
//!
//! A backend that is down answers each creation with a snapshot in `error` whose deletion it
//! cannot carry out either: it stays in `deleting` and holds quota. So the more of them there
//! are, the longer the next try waits, by what the listing shows alone. A backend that is back
//! is used again when the wait is over, without anybody's help.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{State, Volume, VolumeSnapshots};
use crate::policy::{Metadata, Policy, PolicyKind, Window, keys};
use crate::text::rfc3339;

/// A window that wants its snapshot.
#[derive(Clone, Debug)]
pub struct DueWindow {
    /// The volume.
    pub volume_id: String,
    /// The VM that the volume is attached to, where it is one.
    pub vm: Option<String>,
    /// The volume's type.
    pub volume_type: Option<String>,
    /// The policy.
    pub policy: PolicyKind,
    /// The window.
    pub window: Window,
    /// Since when there has been nothing to restore from.
    pub without_since: DateTime<Utc>,
    /// The snapshot's name.
    pub name: String,
    /// The snapshot's metadata.
    pub metadata: Metadata,
    /// When the snapshot will expire.
    pub expires_at: DateTime<Utc>,
    /// Snapshots that would serve were their state good.
    pub stale_snapshots: Vec<StaleSnapshot>,
    /// What earlier tries of this policy have left behind, of whatever window.
    pub leftovers: Vec<Leftover>,
    /// The snapshots of this window that were there when the pass began, all lost.
    pub known: Vec<String>,
}

/// A snapshot that takes quota and serves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleSnapshot {
    /// The snapshot.
    pub snapshot_id: String,
    /// Why it is in the way.
    pub reason: &'static str,
}

impl DueWindow {
    /// A window of this policy that nothing serves.
    pub(super) fn new(
        volume: &Volume,
        policy: &Policy,
        window: Window,
        snapshots: &VolumeSnapshots,
        now: DateTime<Utc>,
        stuck_after: TimeDelta,
    ) -> Self {
        let kind = policy.kind();
        let expires_at = policy.expires_at(&window);
        let of_window = || snapshots.of_window(kind, &window);
        let stale_snapshots = of_window()
            .filter(|one| !one.held)
            .filter_map(|one| {
                let reason = if one.is_stuck(now, stuck_after) {
                    "stuck"
                } else if one.state == State::Error {
                    "error"
                } else {
                    return None;
                };
                Some(StaleSnapshot {
                    snapshot_id: one.id.clone(),
                    reason,
                })
            })
            .collect();
        let leftovers = snapshots
            .relevant
            .iter()
            .filter(|one| one.policy == Some(kind) && !one.held)
            .filter(|one| one.is_leftover(now, stuck_after))
            .map(|one| Leftover {
                snapshot_id: one.id.clone(),
                created_at: one.created_at,
            })
            .collect();
        Self {
            volume_id: volume.id.clone(),
            vm: volume.vm().map(str::to_owned),
            volume_type: volume.volume_type.clone(),
            policy: kind,
            without_since: snapshots.without_since(policy, &window, volume.created_at),
            name: format!(
                "managed-{kind}-{}-{}",
                volume.id,
                policy.in_zone(window.start)
            ),
            metadata: metadata(policy, &window, expires_at),
            expires_at,
            stale_snapshots,
            leftovers,
            known: of_window().map(|one| one.id.clone()).collect(),
            window,
        }
    }

    /// Why the window is not tried `now`, where earlier tries are too recent; those of their
    /// leftovers whose deletion was `accepted` do not count.
    pub fn back_off(&self, accepted: &HashSet<&str>, now: DateTime<Utc>) -> Option<BackOff> {
        BackOff::of(&self.leftovers, accepted, now)
    }

    /// The same, should every clean-up be accepted.
    pub fn back_off_once_cleaned(&self, now: DateTime<Utc>) -> Option<BackOff> {
        let stale = self.stale_snapshots.iter();
        self.back_off(&stale.map(|one| one.snapshot_id.as_str()).collect(), now)
    }
}

fn metadata(policy: &Policy, window: &Window, expires_at: DateTime<Utc>) -> Metadata {
    [
        (keys::MANAGED, "true".to_owned()),
        (keys::SNAPSHOT_POLICY_TYPE, policy.kind().to_string()),
        (
            keys::SNAPSHOT_RETENTION_DAYS,
            policy.retention_days().to_string(),
        ),
        (keys::SNAPSHOT_EXPIRY_DATE, rfc3339(expires_at)),
        (
            keys::SNAPSHOT_EXPIRY_DATE_USER_TZ,
            policy.in_zone(expires_at),
        ),
        (keys::SNAPSHOT_WINDOW_START, rfc3339(window.start)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

/// After one leftover the next try waits this long.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(10);
/// With each further leftover the wait is this many times as long.
const FACTOR: i32 = 3;
/// The last second whose year is written with four digits: what is later is no RFC 3339.
const LAST: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(last) => last,
    None => DateTime::<Utc>::MAX_UTC,
};

/// A snapshot in `error`, `deleting` or `error_deleting`, or one that is stuck, and not held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The snapshot.
    pub snapshot_id: String,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
}

/// A window that is not tried yet, because of what earlier tries have left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    /// How many leftovers there are.
    pub leftovers: usize,
    /// When the youngest of them was made.
    pub youngest: DateTime<Utc>,
    /// From when on the window is tried again.
    pub until: DateTime<Utc>,
}

impl BackOff {
    /// The wait that these leftovers ask for; nothing where it is over. Those whose deletion was
    /// `accepted` do not count, and one that does not say how old it is cannot be too young.
    pub(crate) fn of(
        leftovers: &[Leftover],
        accepted: &HashSet<&str>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let left = || {
            leftovers
                .iter()
                .filter(|one| !accepted.contains(one.snapshot_id.as_str()))
        };
        let count = left().count();
        let youngest = left().filter_map(|one| one.created_at).max()?;
        let until = youngest
            .checked_add_signed(wait_after(count))
            .map_or(LAST, |until| until.min(LAST));
        (now < until).then_some(Self {
            leftovers: count,
            youngest,
            until,
        })
    }
}

impl std::fmt::Display for BackOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "earlier tries have left {} behind that came to nothing and hold quota, the youngest \
             of {}; the window is tried again from {} on",
            match self.leftovers {
                1 => "a snapshot".to_owned(),
                several => format!("{several} snapshots"),
            },
            rfc3339(self.youngest),
            rfc3339(self.until)
        )
    }
}

fn wait_after(leftovers: usize) -> TimeDelta {
    let mut wait = FIRST_WAIT;
    for _ in 1..leftovers {
        match wait.checked_mul(FACTOR) {
            Some(longer) => wait = longer,
            None => return TimeDelta::MAX,
        }
    }
    wait
}

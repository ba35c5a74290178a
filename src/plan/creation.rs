//! The plan of a snapshot pass: which windows are due, what is done about each, and in which order.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::duplicates::{self, Duplicate};
use super::{DueWindow, Snapshot, State, Volume, VolumeSnapshots, group_volumes_by_vm};
use crate::policy::{InvalidSetting, Policy, PolicyKind, PolicyState, Window};

/// The description of every snapshot that is taken.
pub const DESCRIPTION: &str = "Created and managed by SnapSentry";

/// What has been on its way for this part of the time after which it counts as stuck holds no
/// slots any more: a backend that hangs must not keep others waiting.
pub(crate) const HUNG_PART: i32 = 6;

/// What is to be done about one policy of one volume.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// The volume.
    pub volume: &'a Volume,
    /// The policy.
    pub policy: PolicyKind,
    /// What, and why.
    pub verdict: WindowVerdict,
}

/// What is to be done, and why.
#[derive(Clone, Debug)]
pub enum WindowVerdict {
    /// The policy cannot be read.
    Invalid(InvalidSetting),
    /// The active window has its snapshot.
    Served {
        /// The snapshot.
        by: String,
        /// The active window.
        window: Window,
        /// Since when there has been nothing to restore from, where the snapshot is not
        /// available yet.
        without_since: Option<DateTime<Utc>>,
    },
    /// The active window has none, and the volume's state allows none.
    Blocked(Box<DueWindow>),
    /// The active window has none.
    Due(Box<DueWindow>),
}

/// A managed snapshot that was being created when the pass began, and not for so long that it has
/// to be taken for hung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// The snapshot.
    pub snapshot_id: String,
    /// Its volume.
    pub volume_id: String,
    /// Its volume's type.
    pub volume_type: Option<String>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
}

/// The plan of a snapshot pass.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// One for every policy that is not off, volume by volume.
    pub decisions: Vec<Decision<'a>>,
    /// Superfluous snapshots of active windows.
    pub duplicates: Vec<Duplicate>,
    /// What is being created already: it takes slots.
    pub under_way: Vec<UnderWay>,
}

/// Plans a snapshot pass over these managed volumes.
pub fn plan<'a>(
    volumes: &[&'a Volume],
    snapshots: &BTreeMap<String, VolumeSnapshots>,
    now: DateTime<Utc>,
    stuck_after: TimeDelta,
) -> Plan<'a> {
    let nothing = VolumeSnapshots::default();
    let mut decisions = Vec::new();
    let mut superfluous = Vec::new();
    let mut under_way = Vec::new();
    for &volume in volumes {
        let of_volume = snapshots.get(&volume.id).unwrap_or(&nothing);
        for (kind, reading) in volume.policies() {
            let verdict = match reading {
                PolicyState::Disabled => continue,
                PolicyState::Invalid(invalid) => WindowVerdict::Invalid(invalid.clone()),
                PolicyState::Enabled(policy) => judge(volume, policy, of_volume, now, stuck_after),
            };
            decisions.push(Decision {
                volume,
                policy: kind,
                verdict,
            });
        }
        superfluous.extend(duplicates::superfluous(volume, &of_volume.relevant, now));
        let volume_type = volume.volume_type.as_ref();
        under_way.extend(under_way_of(
            &volume.id,
            volume_type,
            of_volume,
            now,
            stuck_after,
        ));
    }
    Plan {
        decisions,
        duplicates: superfluous,
        under_way,
    }
}

/// What is being created of a volume of this type, and is not hung.
pub(crate) fn under_way_of<'a>(
    volume_id: &'a str,
    volume_type: Option<&'a String>,
    snapshots: &'a VolumeSnapshots,
    now: DateTime<Utc>,
    stuck_after: TimeDelta,
) -> impl Iterator<Item = UnderWay> + 'a {
    let after = now - stuck_after / HUNG_PART;
    let creating = snapshots
        .relevant
        .iter()
        .filter(|one| one.state == State::Creating);
    creating.filter_map(move |one| {
        Some(UnderWay {
            snapshot_id: one.id.clone(),
            volume_id: volume_id.to_owned(),
            volume_type: volume_type.cloned(),
            created_at: one.created_at.filter(|at| *at > after)?,
        })
    })
}

/// What is to be done about the active window of a policy.
pub(super) fn judge(
    volume: &Volume,
    policy: &Policy,
    snapshots: &VolumeSnapshots,
    now: DateTime<Utc>,
    stuck_after: TimeDelta,
) -> WindowVerdict {
    let window = policy.window_at(now);
    let serving = snapshots
        .of_window(policy.kind(), &window)
        .filter(|one| one.serves(now, stuck_after));
    if let Some(serving) = best(serving) {
        let without_since = match serving.state {
            State::Available => None,
            State::Creating if serving.created_at.is_some() => serving.created_at,
            _ => Some(snapshots.without_since(policy, &window, volume.created_at)),
        };
        return WindowVerdict::Served {
            by: serving.id.clone(),
            window,
            without_since,
        };
    }
    let due = DueWindow::new(volume, policy, window, snapshots, now, stuck_after);
    if Volume::allows_snapshots(&volume.status) {
        WindowVerdict::Due(Box::new(due))
    } else {
        WindowVerdict::Blocked(Box::new(due))
    }
}

/// Of several that serve a window the one that it can be restored from soonest.
pub(crate) fn best<'a>(serving: impl Iterator<Item = &'a Snapshot>) -> Option<&'a Snapshot> {
    serving.min_by_key(|one| {
        let place = match one.state {
            State::Available => 0,
            State::Creating => 1,
            _ => 2,
        };
        (place, one.created_at)
    })
}

/// Windows whose snapshots are requested at one moment: one policy of one VM.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The VM, or the volume that stands alone: its batches follow one another.
    pub group: usize,
    /// One per volume, the oldest first: a batch larger than a limit leaves in that order.
    pub windows: Vec<DueWindow>,
}

impl Batch {
    /// The start of its oldest window.
    pub fn oldest(&self) -> Option<DateTime<Utc>> {
        self.windows.iter().map(|due| due.window.start).min()
    }
}

impl Plan<'_> {
    /// The due windows in the batches in which they are requested: the volumes of one VM
    /// together, policy by policy, and everything by its oldest window first, so that a pass
    /// that cannot finish spends its time on the most overdue.
    pub fn batches(&self) -> Vec<Batch> {
        let mut due: BTreeMap<&str, Vec<&DueWindow>> = BTreeMap::new();
        for decision in &self.decisions {
            if let WindowVerdict::Due(window) = &decision.verdict {
                due.entry(&decision.volume.id).or_default().push(window);
            }
        }
        let mut volumes: Vec<&Volume> = self.decisions.iter().map(|one| one.volume).collect();
        volumes.dedup_by(|a, b| std::ptr::eq(*a, *b));
        let mut batches = Vec::new();
        for (number, group) in group_volumes_by_vm(volumes).groups().enumerate() {
            let mut by_policy: BTreeMap<PolicyKind, Vec<DueWindow>> = BTreeMap::new();
            for window in group
                .iter()
                .filter_map(|one| due.get(one.id.as_str()))
                .flatten()
            {
                by_policy
                    .entry(window.policy)
                    .or_default()
                    .push((*window).clone());
            }
            batches.extend(by_policy.into_values().map(|mut windows| {
                windows.sort_by_key(|due| due.window.start);
                Batch {
                    group: number,
                    windows,
                }
            }));
        }
        batches.sort_by_key(Batch::oldest);
        batches
    }
}

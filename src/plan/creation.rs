//! The plan of a snapshot pass: which windows are due, and what is done about each.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::duplicates::{self, Duplicate};
use super::{Snapshot, Volume, group_volumes_by_vm};
use crate::policy::{InvalidSetting, Metadata, Policy, PolicyKind, PolicyState, Window, keys};

/// The description of every snapshot that is taken.
pub const DESCRIPTION: &str = "Created and managed by SnapSentry";

/// What was seen of one volume's managed snapshots.
#[derive(Clone, Debug, Default)]
pub struct VolumeSnapshots {
    /// How many there are.
    pub count: usize,
    /// Those that may belong to an active window.
    pub recent: Vec<Snapshot>,
}

impl VolumeSnapshots {
    /// Takes a snapshot in, and keeps it only if it can matter to a window that is active
    /// `now`: so what a pass holds in memory grows with volumes, not with years.
    ///
    /// Volumes are listed at the same time, so what their policies say is not known yet; but no
    /// window of a kind is longer than the kind allows.
    pub fn take_in(&mut self, snapshot: Snapshot, now: DateTime<Utc>) {
        self.count += 1;
        if snapshot.may_belong_to_window_at(now) {
            self.recent.push(snapshot);
        }
    }
}

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
    },
    /// The active window has none, and the volume's state allows none.
    Deferred {
        /// The active window.
        window: Window,
    },
    /// The active window has none.
    DueWindow(Box<DueWindow>),
}

/// A window that wants its snapshot.
#[derive(Clone, Debug)]
pub struct DueWindow {
    /// The volume.
    pub volume_id: String,
    /// The VM that the volume is attached to, where it is one.
    pub vm: Option<String>,
    /// The policy.
    pub policy: PolicyKind,
    /// The window.
    pub window: Window,
    /// The snapshot's name.
    pub name: String,
    /// The snapshot's metadata.
    pub metadata: Metadata,
    /// When the snapshot will expire.
    pub expires_at: DateTime<Utc>,
    /// Snapshots that would serve were their state good.
    pub stale_snapshots: Vec<StaleSnapshot>,
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

/// Windows whose snapshots are requested at one moment: one policy of one VM.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The VM, or the volume that stands alone: its batches follow one another.
    pub group: usize,
    /// One per volume.
    pub windows: Vec<DueWindow>,
}

impl Batch {
    /// The start of its oldest window.
    pub fn oldest(&self) -> Option<DateTime<Utc>> {
        self.windows.iter().map(|due| due.window.start).min()
    }
}

/// The plan of a snapshot pass.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// One for every policy that is not off, volume by volume.
    pub decisions: Vec<Decision<'a>>,
    /// Superfluous snapshots of active windows.
    pub duplicates: Vec<Duplicate>,
}

/// Plans a snapshot pass over these managed volumes.
pub fn plan<'a>(
    volumes: &[&'a Volume],
    histories: &BTreeMap<String, VolumeSnapshots>,
    now: DateTime<Utc>,
    stuck_after: TimeDelta,
) -> Plan<'a> {
    let nothing = VolumeSnapshots::default();
    let mut decisions = Vec::new();
    let mut superfluous = Vec::new();
    for &volume in volumes {
        let history = histories.get(&volume.id).unwrap_or(&nothing);
        for (kind, reading) in volume.policies() {
            let verdict = match reading {
                PolicyState::Disabled => continue,
                PolicyState::Invalid(invalid) => WindowVerdict::Invalid(invalid.clone()),
                PolicyState::Enabled(policy) => {
                    judge(volume, policy, &history.recent, now, stuck_after)
                }
            };
            decisions.push(Decision {
                volume,
                policy: kind,
                verdict,
            });
        }
        superfluous.extend(duplicates::superfluous(volume, &history.recent, now));
    }
    Plan {
        decisions,
        duplicates: superfluous,
    }
}

fn judge(
    volume: &Volume,
    policy: &Policy,
    snapshots: &[Snapshot],
    now: DateTime<Utc>,
    stuck_after: TimeDelta,
) -> WindowVerdict {
    let window = policy.window_at(now);
    let of_window = || {
        snapshots
            .iter()
            .filter(|one| one.belongs_to(policy.kind(), &window))
    };
    if let Some(serving) = of_window().find(|one| one.serves(now, stuck_after)) {
        return WindowVerdict::Served {
            by: serving.id.clone(),
            window,
        };
    }
    if !matches!(volume.status.as_str(), "available" | "in-use") {
        return WindowVerdict::Deferred { window };
    }
    let stale_snapshots = of_window()
        .filter(|one| !one.held)
        .filter_map(|one| {
            let reason = if one.is_stuck(now, stuck_after) {
                "stuck"
            } else if one.state == super::State::Error {
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
    let known = of_window().map(|one| one.id.clone()).collect();
    WindowVerdict::DueWindow(Box::new(due(
        volume,
        policy,
        window,
        stale_snapshots,
        known,
    )))
}

fn due(
    volume: &Volume,
    policy: &Policy,
    window: Window,
    stale_snapshots: Vec<StaleSnapshot>,
    known: Vec<String>,
) -> DueWindow {
    let expires_at = policy.expires_at(&window);
    let utc = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Secs, true);
    let metadata = [
        (keys::MANAGED, "true".to_owned()),
        (keys::SNAPSHOT_POLICY_TYPE, policy.kind().to_string()),
        (
            keys::SNAPSHOT_RETENTION_DAYS,
            policy.retention_days().to_string(),
        ),
        (keys::SNAPSHOT_EXPIRY_DATE, utc(expires_at)),
        (
            keys::SNAPSHOT_EXPIRY_DATE_USER_TZ,
            policy.in_zone(expires_at),
        ),
        (keys::SNAPSHOT_WINDOW_START, utc(window.start)),
    ];
    DueWindow {
        volume_id: volume.id.clone(),
        vm: volume.vm().map(str::to_owned),
        policy: policy.kind(),
        name: format!(
            "managed-{}-{}-{}",
            policy.kind(),
            volume.id,
            policy.in_zone(window.start)
        ),
        metadata: metadata.map(|(key, value)| (key.to_owned(), value)).into(),
        expires_at,
        window,
        stale_snapshots,
        known,
    }
}

impl Plan<'_> {
    /// The due windows in the batches in which they are requested: the volumes of one VM
    /// together, policy by policy, and everything by its oldest window first, so that a pass
    /// that cannot finish spends its time on the most overdue.
    pub fn batches(&self) -> Vec<Batch> {
        let mut due: BTreeMap<&str, Vec<&DueWindow>> = BTreeMap::new();
        for decision in &self.decisions {
            if let WindowVerdict::DueWindow(window) = &decision.verdict {
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
            batches.extend(by_policy.into_values().map(|windows| Batch {
                group: number,
                windows,
            }));
        }
        batches.sort_by_key(Batch::oldest);
        batches
    }
}

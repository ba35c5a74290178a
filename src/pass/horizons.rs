//! How far back a snapshot pass lists the snapshots of each policy.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::SetOnce;

use super::Pass;
use crate::openstack::Horizons;
use crate::plan::creation::HUNG_PART;
use crate::plan::{RecentWindows, Scope, Volume, VolumeSnapshots};
use crate::policy::PolicyKind;

/// What one listing has shown of the snapshots.
#[derive(Debug, Default)]
pub(super) struct SnapshotsByVolume {
    /// What there is of each volume's.
    pub(super) volumes: BTreeMap<String, VolumeSnapshots>,
    /// When the newest was made.
    pub(super) newest: Option<DateTime<Utc>>,
}

/// The horizons that follow from the volumes' windows, once the volumes are known. Before, no
/// window of a kind is taken to be shorter than the longest.
pub(super) struct WindowHorizons {
    now: DateTime<Utc>,
    /// How long a snapshot in `creating` counts against the slots.
    slot_age: TimeDelta,
    /// Whether the snapshots of volumes outside the pass's share are listed too.
    is_shared: bool,
    windows: SetOnce<RecentWindows>,
}

impl WindowHorizons {
    pub(super) fn new(pass: &Pass<'_>) -> Self {
        Self {
            now: pass.now,
            slot_age: pass.limits.stuck_after / HUNG_PART,
            is_shared: *pass.scope != Scope::default(),
            windows: SetOnce::new(),
        }
    }

    /// The volumes have been listed: what none of them wants need not be looked for.
    pub(super) fn know(&self, volumes: Vec<Volume>) -> Arc<Vec<Volume>> {
        let volumes = Arc::new(volumes);
        // A listing is gone through once, so nothing was known before.
        let _ = self
            .windows
            .set(RecentWindows::new(volumes.clone(), self.now));
        volumes
    }

    fn ago(&self, back: TimeDelta) -> DateTime<Utc> {
        let at = self.now.checked_sub_signed(back);
        at.unwrap_or(DateTime::<Utc>::MIN_UTC)
    }
}

impl Horizons<SnapshotsByVolume> for WindowHorizons {
    async fn are_known(&self) {
        self.windows.wait().await;
    }

    /// Where the earliest active window began. Of a type that no volume wants, only what may
    /// still be being made matters.
    fn nearest(&self, policy_type: &str) -> DateTime<Utc> {
        let Ok(kind) = policy_type.parse::<PolicyKind>() else {
            return self.now;
        };
        let two_windows = kind.longest_window() * 2;
        match self.windows.get() {
            None => self.ago(two_windows),
            Some(windows) => {
                let being_made = self.ago(two_windows.min(self.slot_age));
                let active = windows.active_since(kind);
                active.map_or(being_made, |at| being_made.min(at))
            }
        }
    }

    /// Where the previous window began of a policy whose active one has nothing to restore from.
    fn farther(
        &self,
        policy_type: &str,
        snapshots: &[&SnapshotsByVolume],
    ) -> Option<DateTime<Utc>> {
        let kind = policy_type.parse::<PolicyKind>().ok()?;
        let seen: Vec<_> = snapshots.iter().map(|part| &part.volumes).collect();
        self.windows.get()?.previous_since(kind, &seen)
    }

    fn is_rare(&self, kind: &str) -> bool {
        kind == PolicyKind::Yearly.as_str()
    }

    fn expected_since(&self, policy_type: &str, since: DateTime<Utc>) -> Option<usize> {
        let kind = policy_type.parse::<PolicyKind>().ok()?;
        let windows = self.windows.get().filter(|_| !self.is_shared)?;
        Some(windows.count_since(kind, since))
    }
}

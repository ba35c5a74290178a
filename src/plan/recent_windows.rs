//! How far back snapshots can matter to a snapshot pass.
//!
//! What serves an active window was made in it. The window before it matters only where nothing
//! can be restored from the active one: for how long somebody has been without a recovery point,
//! and what earlier tries have left behind.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Volume, VolumeSnapshots};
use crate::policy::{PolicyKind, PolicyState, Window};

/// The windows, active and previous, of the policies of these volumes. A pass asks for them with every
/// page, so the active ones are worked out once.
#[derive(Clone, Debug)]
pub struct RecentWindows {
    volumes: Arc<Vec<Volume>>,
    /// Of each kind, whose they are by the place among the volumes.
    active: BTreeMap<PolicyKind, Vec<(usize, Window)>>,
}

impl RecentWindows {
    /// The windows of these managed volumes at an instant.
    pub fn new(volumes: Arc<Vec<Volume>>, now: DateTime<Utc>) -> Self {
        let mut active = BTreeMap::<PolicyKind, Vec<(usize, Window)>>::new();
        for (n, volume) in volumes.iter().enumerate() {
            for (kind, state) in volume.policies() {
                if let PolicyState::Enabled(policy) = state {
                    let of_kind = active.entry(kind).or_default();
                    of_kind.push((n, policy.window_at(now)));
                }
            }
        }
        Self { volumes, active }
    }

    /// When the earliest active window of this kind began; nothing where no volume wants it.
    pub fn active_since(&self, kind: PolicyKind) -> Option<DateTime<Utc>> {
        self.active(kind).map(|(_, active)| active.start).min()
    }

    /// When the earliest previous window of this kind began, of the policies whose active window
    /// has nothing among these snapshots that can be restored from; nothing where all have.
    pub fn previous_since(
        &self,
        kind: PolicyKind,
        snapshots: &[&BTreeMap<String, VolumeSnapshots>],
    ) -> Option<DateTime<Utc>> {
        let starts = self.active(kind).filter_map(|(volume, active)| {
            let mut of_volume = snapshots.iter().filter_map(|part| part.get(&volume.id));
            if of_volume.any(|part| part.has_available(kind, active)) {
                return None;
            }
            let PolicyState::Enabled(policy) = volume.policy(kind) else {
                return None;
            };
            let before = active.start - TimeDelta::seconds(1);
            Some(policy.window_at(before).start)
        });
        starts.min()
    }

    /// How many windows of this kind have begun since an instant: as many snapshots there are,
    /// where none is missing and none superfluous.
    pub fn count_since(&self, kind: PolicyKind, since: DateTime<Utc>) -> usize {
        let windows = self.active(kind).map(|(_, active)| {
            let length = (active.end - active.start).num_seconds().max(1);
            let before = (active.start - since).num_seconds().max(0);
            let whole = usize::try_from(before / length).unwrap_or(usize::MAX);
            whole.saturating_add(1)
        });
        windows.fold(0, usize::saturating_add)
    }

    fn active(&self, kind: PolicyKind) -> impl Iterator<Item = (&Volume, &Window)> {
        let of_kind = self.active.get(&kind).into_iter().flatten();
        of_kind.map(|(n, active)| (&self.volumes[*n], active))
    }
}

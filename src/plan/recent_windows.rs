//! How far back snapshots can matter to a snapshot pass.
//!
//! What serves an active window was made in it. The window before it matters only where nothing
//! can be restored from the active one: for how long somebody has been without a recovery point,
//! and what earlier tries have left behind.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Volume, VolumeSnapshots};
use crate::policy::{Policy, PolicyKind, PolicyState};

/// The windows, active and previous, of the policies of these volumes.
#[derive(Clone, Copy, Debug)]
pub struct RecentWindows<'a> {
    volumes: &'a [Volume],
    now: DateTime<Utc>,
}

impl<'a> RecentWindows<'a> {
    /// The windows of these managed volumes at an instant.
    pub fn new(volumes: &'a [Volume], now: DateTime<Utc>) -> Self {
        Self { volumes, now }
    }

    /// When the earliest active window of this kind began; nothing where no volume wants it.
    pub fn active_since(&self, kind: PolicyKind) -> Option<DateTime<Utc>> {
        let starts = self.policies(kind).map(|(_, policy)| {
            let active = policy.window_at(self.now);
            active.start
        });
        starts.min()
    }

    /// When the earliest previous window of this kind began, of the policies whose active window
    /// has nothing among these snapshots that can be restored from; nothing where all have.
    pub fn previous_since(
        &self,
        kind: PolicyKind,
        snapshots: &[&BTreeMap<String, VolumeSnapshots>],
    ) -> Option<DateTime<Utc>> {
        let starts = self.policies(kind).filter_map(|(volume, policy)| {
            let active = policy.window_at(self.now);
            let mut of_volume = snapshots.iter().filter_map(|part| part.get(&volume.id));
            let is_served = of_volume.any(|part| part.has_available(kind, &active));
            let before = active.start - TimeDelta::seconds(1);
            (!is_served).then(|| policy.window_at(before).start)
        });
        starts.min()
    }

    /// How many windows of this kind have begun since an instant: as many snapshots there are,
    /// where none is missing and none superfluous.
    pub fn count_since(&self, kind: PolicyKind, since: DateTime<Utc>) -> usize {
        let windows = self.policies(kind).map(|(_, policy)| {
            let active = policy.window_at(self.now);
            let length = (active.end - active.start).num_seconds().max(1);
            let before = (active.start - since).num_seconds().max(0);
            let whole = usize::try_from(before / length).unwrap_or(usize::MAX);
            whole.saturating_add(1)
        });
        windows.fold(0, usize::saturating_add)
    }

    fn policies(&self, kind: PolicyKind) -> impl Iterator<Item = (&'a Volume, &'a Policy)> {
        self.volumes.iter().filter_map(move |volume| {
            let PolicyState::Enabled(policy) = volume.policy(kind) else {
                return None;
            };
            Some((volume, policy))
        })
    }
}

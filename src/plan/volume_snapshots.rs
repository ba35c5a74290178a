//! What a pass remembers of a volume's managed snapshots.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Snapshot, State};
use crate::policy::{Policy, PolicyKind, Window};

/// What was seen of one volume's managed snapshots.
#[derive(Clone, Debug, Default)]
pub struct VolumeSnapshots {
    /// How many there are.
    pub count: usize,
    /// Those that may belong to an active window or to the one before it, and whatever is no
    /// recovery point yet or any more.
    pub relevant: Vec<Snapshot>,
}

impl VolumeSnapshots {
    /// Takes a snapshot in, and keeps it only if it can matter to a pass `now`: so what a pass
    /// holds in memory grows with volumes, not with years.
    ///
    /// Volumes are listed at the same time, so what their policies say is not known yet; but no
    /// window of a kind is longer than the kind allows.
    pub fn take_in(&mut self, snapshot: Snapshot, now: DateTime<Utc>) {
        self.count += 1;
        let unfinished = snapshot.state == State::Creating || snapshot.state.is_lost();
        if unfinished || snapshot.may_belong_to_recent_window(now) {
            self.relevant.push(snapshot);
        }
    }

    /// Takes in what another listing has shown of the same volume.
    pub fn merge(&mut self, mut other: Self) {
        self.count += other.count;
        self.relevant.append(&mut other.relevant);
    }

    /// Those of one window, in all states.
    pub(super) fn of_window(
        &self,
        kind: PolicyKind,
        window: &Window,
    ) -> impl Iterator<Item = &Snapshot> {
        self.relevant
            .iter()
            .filter(move |one| one.belongs_to(kind, window))
    }

    /// Whether the window has a snapshot that can be restored from.
    pub(super) fn has_available(&self, kind: PolicyKind, window: &Window) -> bool {
        self.of_window(kind, window)
            .any(|one| one.state == State::Available)
    }

    /// Since when there has been nothing to restore from where nothing serves the active
    /// window: since it began or, where the window before it has nothing either, since that one
    /// began, but never since before the volume was made.
    pub(super) fn without_since(
        &self,
        policy: &Policy,
        window: &Window,
        volume_created_at: Option<DateTime<Utc>>,
    ) -> DateTime<Utc> {
        let before = policy.window_at(window.start - TimeDelta::seconds(1));
        let since = if self.has_available(policy.kind(), &before) {
            window.start
        } else {
            before.start
        };
        volume_created_at.map_or(since, |created_at| since.max(created_at))
    }
}

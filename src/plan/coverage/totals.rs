//! The totals of a report: of its whole share, whatever page of rows is asked for.

use serde::Serialize;

use super::{CoverageState, SnapshotTally};

/// How many volumes stand in which way, and what snapshots there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// All volumes.
    pub volumes: usize,
    /// Those that are covered.
    pub protected: usize,
    /// Those whose recovery point is on its way.
    pub creating: usize,
    /// Those without the recovery point that was promised.
    pub late: usize,
    /// Those without it whose state allows none.
    pub blocked: usize,
    /// Those with a policy that cannot be read.
    pub invalid: usize,
    /// Those that have fallen out of management.
    pub lost: usize,
    /// Those for which nothing is wanted.
    pub off: usize,
    /// Those about which nobody has said anything.
    pub unmanaged: usize,
    /// Managed snapshots, those of volumes that are gone included.
    pub snapshots: usize,
    /// Those that somebody wants kept.
    pub held: usize,
    /// Those that an expire pass would delete now.
    pub expired: usize,
    /// Those that tries that came to nothing have left behind.
    pub leftovers: usize,
    /// Those of volumes that are gone.
    pub orphans: usize,
    /// The sizes of all of them added up, in GiB.
    pub gigabytes: u64,
}

impl Totals {
    /// Counts a volume that stands in this way.
    pub fn add_volume(&mut self, state: CoverageState) {
        self.volumes += 1;
        *self.of_mut(state) += 1;
    }

    /// Counts the snapshots of one volume, which may be gone.
    pub fn add_snapshots(&mut self, tally: &SnapshotTally, volume_exists: bool) {
        self.snapshots += tally.snapshots.count;
        self.held += tally.held as usize;
        self.leftovers += tally.leftovers as usize;
        self.gigabytes = self.gigabytes.saturating_add(tally.gigabytes);
        if !volume_exists {
            self.orphans += tally.snapshots.count;
        }
    }

    /// How many volumes stand in this way.
    pub(crate) fn of(&self, state: CoverageState) -> usize {
        *self.clone().of_mut(state)
    }

    /// How many volumes somebody should look at.
    pub fn wanting_attention(&self) -> usize {
        let all = CoverageState::ALL.into_iter();
        all.filter(|state| state.wants_attention())
            .map(|state| self.of(state))
            .sum()
    }

    fn of_mut(&mut self, state: CoverageState) -> &mut usize {
        match state {
            CoverageState::Lost => &mut self.lost,
            CoverageState::Invalid => &mut self.invalid,
            CoverageState::Late => &mut self.late,
            CoverageState::Blocked => &mut self.blocked,
            CoverageState::Creating => &mut self.creating,
            CoverageState::Protected => &mut self.protected,
            CoverageState::Off => &mut self.off,
            CoverageState::Unmanaged => &mut self.unmanaged,
        }
    }
}

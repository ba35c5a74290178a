//! Which due windows are requested at one moment, and in which order.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::creation::{Plan, WindowVerdict};
use super::{DueWindow, Volume, group_volumes_by_vm};
use crate::policy::PolicyKind;

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
            batches.extend(by_policy.into_values().map(|windows| Batch {
                group: number,
                windows,
            }));
        }
        batches.sort_by_key(Batch::oldest);
        batches
    }
}

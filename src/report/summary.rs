//! What a pass has to tell: counts, failures, warnings and, of a dry run, the plan.
//!
//! Each thing that was planned or done has a summary of its own, and the pass's is their sum: nobody
//! counts up in passing.

use std::iter::Sum;
use std::ops::Add;

use serde::Serialize;

use super::entries::{Action, Capped, FailureEntry, MOST_ACTIONS, MOST_REMARKS, Warning};
use crate::webhook::Notification;

/// Counts that can be added up, each a number of the answer and a property of the metrics line.
macro_rules! counts {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $field:ident),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, Serialize)]
        pub(crate) struct $name {
            $($(#[$meaning])* pub $field: usize),+
        }

        impl Add for $name {
            type Output = Self;

            fn add(self, other: Self) -> Self {
                Self {
                    $($field: self.$field + other.$field),+
                }
            }
        }
    };
}

counts! {
    /// Volumes and policies, of this pass's share.
    VolumeCounts {
        managed,
        /// Windows that wanted a snapshot.
        due,
        /// Policies that could not be read.
        invalid,
        /// Expire: volumes that have fallen out of management.
        lost,
    }
}

counts! {
    /// Snapshots, of this pass's share.
    SnapshotCounts {
        managed,
        /// Made here and available.
        created,
        /// Windows served by a snapshot that is not provably ours.
        adopted,
        pending,
        /// Not begun.
        deferred,
        /// Due, and the volume's state allows none, or the volume is gone.
        blocked,
        /// Tried and not served; in an expire pass: deletions that were refused.
        failed,
        /// Expired ones that are gone or going.
        deleted,
        /// Expired ones that stay because they are the newest.
        kept,
        /// Broken, stuck and superfluous ones whose deletion was accepted.
        cleaned,
    }
}

/// All that a snapshot or expire pass has to tell.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub volumes: VolumeCounts,
    pub snapshots: SnapshotCounts,
    pub failures: Capped<FailureEntry>,
    pub warnings: Capped<Warning>,
    /// What a dry run would have done.
    pub plan: Capped<Action>,
    /// For how many seconds somebody has been without the recovery point that was promised.
    pub oldest_due_age: i64,
    /// The same where the volume's state allows no snapshot.
    pub oldest_blocked_age: i64,
    /// For how many seconds the oldest snapshot that may be deleted has been expired.
    pub oldest_expired_age: i64,
    /// What the webhook is told.
    pub notifications: Vec<Notification>,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            volumes: VolumeCounts::default(),
            snapshots: SnapshotCounts::default(),
            failures: Capped::new(MOST_REMARKS),
            warnings: Capped::new(MOST_REMARKS),
            plan: Capped::new(MOST_ACTIONS),
            oldest_due_age: 0,
            oldest_blocked_age: 0,
            oldest_expired_age: 0,
            notifications: Vec::new(),
        }
    }
}

impl From<VolumeCounts> for Summary {
    fn from(volumes: VolumeCounts) -> Self {
        Self {
            volumes,
            ..Self::default()
        }
    }
}

impl From<SnapshotCounts> for Summary {
    fn from(snapshots: SnapshotCounts) -> Self {
        Self {
            snapshots,
            ..Self::default()
        }
    }
}

impl From<FailureEntry> for Summary {
    fn from(failure: FailureEntry) -> Self {
        let mut summary = Self::default();
        summary.failures.push(failure);
        summary
    }
}

impl From<Warning> for Summary {
    fn from(warning: Warning) -> Self {
        let mut summary = Self::default();
        summary.warnings.push(warning);
        summary
    }
}

impl From<Action> for Summary {
    fn from(action: Action) -> Self {
        let mut summary = Self::default();
        summary.plan.push(action);
        summary
    }
}

impl From<Notification> for Summary {
    fn from(notification: Notification) -> Self {
        Self {
            notifications: vec![notification],
            ..Self::default()
        }
    }
}

impl<T> From<Option<T>> for Summary
where
    Self: From<T>,
{
    fn from(one: Option<T>) -> Self {
        one.map(Self::from).unwrap_or_default()
    }
}

impl<T: Into<Self>> Add<T> for Summary {
    type Output = Self;

    fn add(mut self, other: T) -> Self {
        let Self {
            volumes,
            snapshots,
            failures,
            warnings,
            plan,
            oldest_due_age,
            oldest_blocked_age,
            oldest_expired_age,
            mut notifications,
        } = other.into();
        self.volumes = self.volumes + volumes;
        self.snapshots = self.snapshots + snapshots;
        self.failures.append(failures);
        self.warnings.append(warnings);
        self.plan.append(plan);
        self.oldest_due_age = self.oldest_due_age.max(oldest_due_age);
        self.oldest_blocked_age = self.oldest_blocked_age.max(oldest_blocked_age);
        self.oldest_expired_age = self.oldest_expired_age.max(oldest_expired_age);
        self.notifications.append(&mut notifications);
        self
    }
}

impl Sum for Summary {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Self::add)
    }
}

//! What a pass gathers while it works: counts, failures, warnings and, of a dry run, the plan.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::policy::PolicyKind;
use crate::text::serialize_rfc3339;
use crate::webhook::Notification;

/// The most failures, and the most warnings, that an answer lists.
pub(super) const MOST_REMARKS: usize = 100;
/// The most actions that an answer lists: Lambda's answers may have six megabytes.
const MOST_ACTIONS: usize = 10_000;

/// A list that keeps its first entries and counts the rest.
#[derive(Clone, Debug)]
pub(crate) struct Capped<T> {
    entries: Vec<T>,
    most: usize,
    omitted: usize,
}

impl<T> Capped<T> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            entries: Vec::new(),
            most,
            omitted: 0,
        }
    }

    /// A list of failures or of warnings.
    pub(crate) fn of_remarks() -> Self {
        Self::new(MOST_REMARKS)
    }

    /// Adds an entry, or counts it where the list is full.
    pub(crate) fn push(&mut self, entry: T) {
        if self.entries.len() < self.most {
            self.entries.push(entry);
        } else {
            self.omitted += 1;
        }
    }

    pub(crate) fn entries(&self) -> &[T] {
        &self.entries
    }

    /// How many were not.
    pub(crate) fn omitted(&self) -> usize {
        self.omitted
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Volumes and policies, of this pass's share.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct VolumeCounts {
    pub managed: usize,
    /// Windows that wanted a snapshot.
    pub due: usize,
    /// Policies that could not be read.
    pub invalid: usize,
    /// Expire: volumes that have fallen out of management.
    pub lost: usize,
}

/// Snapshots, of this pass's share.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct SnapshotCounts {
    pub managed: usize,
    /// Made here and available.
    pub created: usize,
    /// Windows served by a snapshot that is not provably ours.
    pub adopted: usize,
    pub pending: usize,
    /// Not begun.
    pub deferred: usize,
    /// Due, and the volume's state allows none, or the volume is gone.
    pub blocked: usize,
    /// Tried and not served; in an expire pass: deletions that were refused.
    pub failed: usize,
    /// Expired ones that are gone or going.
    pub deleted: usize,
    /// Expired ones that stay because they are the newest.
    pub kept: usize,
    /// Broken, stuck and superfluous ones whose deletion was accepted.
    pub cleaned: usize,
}

/// Something that did not work.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct FailureEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What happened and what to do.
    pub error: String,
}

/// Something that somebody should know.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Warning {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<String>,
    pub warning: String,
}

/// What a dry run would have done.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub(crate) enum Action {
    /// Take a snapshot.
    Create {
        volume_id: String,
        policy: PolicyKind,
        name: String,
        /// The window's first instant.
        #[serde(serialize_with = "serialize_rfc3339")]
        window_start: DateTime<Utc>,
        /// The first instant after the window.
        #[serde(serialize_with = "serialize_rfc3339")]
        window_end: DateTime<Utc>,
        /// When the snapshot would expire.
        #[serde(serialize_with = "serialize_rfc3339")]
        expires_at: DateTime<Utc>,
    },
    /// Delete a snapshot that has expired, or of which there are enough newer ones.
    Delete {
        snapshot_id: String,
        volume_id: String,
        /// Why: `expired` or `keep-at-most`.
        reason: &'static str,
        /// The expiry date that it carries.
        #[serde(serialize_with = "serialize_rfc3339")]
        expired_at: DateTime<Utc>,
    },
    /// Delete a snapshot that is broken, stuck or superfluous.
    Clean {
        snapshot_id: String,
        volume_id: String,
        reason: String,
    },
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

impl Summary {
    /// Adds a warning about the pass as a whole.
    pub(crate) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(Warning {
            warning: warning.into(),
            ..Warning::default()
        });
    }
}

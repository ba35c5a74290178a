//! What an answer lists: failures, warnings and, of a dry run, actions.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::policy::PolicyKind;
use crate::text::serialize_rfc3339;

/// The most failures, and the most warnings, that an answer lists.
pub(super) const MOST_REMARKS: usize = 100;
/// The most actions that an answer lists: Lambda's answers may have six megabytes.
pub(super) const MOST_ACTIONS: usize = 10_000;

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

    pub(super) fn append(&mut self, other: Self) {
        self.omitted += other.omitted;
        other.entries.into_iter().for_each(|entry| self.push(entry));
    }

    pub(crate) fn entries(&self) -> &[T] {
        &self.entries
    }

    /// How many entries the list had no room for.
    pub(crate) fn omitted(&self) -> usize {
        self.omitted
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
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

impl Warning {
    /// About the pass as a whole.
    pub(crate) fn on_pass(warning: String) -> Self {
        Self {
            warning,
            ..Self::default()
        }
    }
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

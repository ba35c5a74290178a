//! What a snapshot pass has come to, item by item. [`snapshot_summary`](super::snapshot_summary) alone
//! makes counts, log lines and failures of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::delete::DeleteOutcome;
use crate::openstack::Error;
use crate::plan::duplicates::Duplicate;
use crate::plan::{BackOff, DueWindow, StaleSnapshot};
use crate::policy::PolicyKind;

/// What came of a window that was due.
#[derive(Debug)]
pub(super) enum CreateOutcome {
    /// Ours, and available.
    Created { snapshot_id: String },
    /// Somebody's, perhaps ours.
    Adopted {
        by: String,
        /// Since when it is being created, where it is not available yet.
        creating_since: Option<DateTime<Utc>>,
        /// Why it is not taken for ours.
        why: &'static str,
    },
    /// Sent, and what comes of it is open.
    Pending {
        /// The snapshot, where its id is known.
        snapshot_id: Option<String>,
    },
    /// Not begun.
    Deferred(Deferral),
    /// Refused, since the volume is gone or its state allows none by now: what it is.
    Blocked(String),
    /// Tried, and not served.
    Failed {
        error: Error,
        /// The snapshot that broke, where there is one.
        snapshot_id: Option<String>,
        /// Why the broken one could not be deleted, where it could not.
        not_deleted: Option<Error>,
    },
}

/// Why a window is left to a later pass.
#[derive(Debug)]
pub(super) enum Deferral {
    /// Earlier tries are too recent.
    BackOff(BackOff),
    /// Another snapshot of the volume is still being created by this pass.
    VolumeBusy,
    /// There is no time left.
    OutOfTime(Error),
}

impl std::fmt::Display for Deferral {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BackOff(wait) => write!(f, "{wait}"),
            Self::VolumeBusy => {
                f.write_str("an earlier snapshot of the volume is still being created")
            }
            Self::OutOfTime(error) => write!(f, "{error}"),
        }
    }
}

/// A window that was due, with what came of it.
#[derive(Debug)]
pub(super) struct WindowOutcome {
    pub(super) due: DueWindow,
    pub(super) outcome: CreateOutcome,
}

/// A snapshot in a due window's way, with what came of its deletion.
#[derive(Debug)]
pub(super) struct CleanUpOutcome {
    pub(super) volume_id: String,
    pub(super) policy: PolicyKind,
    pub(super) stale: StaleSnapshot,
    pub(super) outcome: DeleteOutcome,
}

/// A duplicate, with what came of its deletion.
#[derive(Debug)]
pub(super) struct DuplicateOutcome {
    pub(super) duplicate: Duplicate,
    pub(super) outcome: DeleteOutcome,
}

/// All that a snapshot pass has done.
#[derive(Debug, Default)]
pub(super) struct PassOutcomes {
    /// One for each due window.
    pub(super) windows: Vec<WindowOutcome>,
    pub(super) clean_ups: Vec<CleanUpOutcome>,
    pub(super) duplicates: Vec<DuplicateOutcome>,
    pub(super) overlap: OverlapOutcome,
}

/// What came of looking, at the end, for what overlapping passes have taken of the same windows.
#[derive(Debug, Default)]
pub(super) struct OverlapOutcome {
    pub(super) duplicates: Vec<DuplicateOutcome>,
    /// Snapshots made here that gave way to another pass's of the same window, and to which.
    pub(super) superseded: BTreeMap<String, String>,
    /// Why it could not be looked at, where it could not.
    pub(super) unknown: Option<Error>,
}

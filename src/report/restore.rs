//! What a restore answers.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::answer::{About, Outcome, ProjectLabel, Requests, is_zero};
use super::entries::{Capped, FailureEntry, MOST_REMARKS, Warning};
use crate::cloud_name::CloudName;
use crate::event::Phase;
use crate::policy::PolicyKind;
use crate::text::serialize_optional_rfc3339;

/// One volume of a restore: what it is got back from, and how its copy stands.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RestoredVolume {
    pub volume_id: String,
    /// The original's name; null where it has none or is gone.
    pub name: Option<String>,
    /// The snapshot that the copy is made from.
    pub snapshot_id: String,
    /// The snapshot's policy; null where it is no longer known.
    pub policy: Option<PolicyKind>,
    /// The start of the window that the snapshot was taken for.
    #[serde(serialize_with = "serialize_optional_rfc3339")]
    pub window_start: Option<DateTime<Utc>>,
    #[serde(serialize_with = "serialize_optional_rfc3339")]
    pub created_at: Option<DateTime<Utc>>,
    /// The copy; null where there is none yet.
    pub restored_volume_id: Option<String>,
    pub restored_name: String,
    /// Cinder's word for the copy's state; null where there is none yet.
    pub status: Option<String>,
    /// In GiB.
    pub size: Option<u64>,
}

/// All that a restore has to tell.
#[derive(Clone, Debug)]
pub(crate) struct RestoreSummary {
    /// The volumes, by the originals' ids.
    pub volumes: Vec<RestoredVolume>,
    /// How many copies are not yet usable and may become so.
    pub open: usize,
    pub failures: Capped<FailureEntry>,
    pub warnings: Capped<Warning>,
    /// The commands that a person would type next, in order.
    pub next: Vec<String>,
}

impl Default for RestoreSummary {
    fn default() -> Self {
        Self {
            volumes: Vec::new(),
            open: 0,
            failures: Capped::new(MOST_REMARKS),
            warnings: Capped::new(MOST_REMARKS),
            next: Vec::new(),
        }
    }
}

impl RestoreSummary {
    /// How the restore stands.
    pub(crate) fn outcome(&self) -> Outcome {
        if !self.failures.is_empty() {
            Outcome::Partial
        } else if self.open > 0 {
            Outcome::Deferred
        } else {
            Outcome::Complete
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct RestoreAnswer<'a> {
    phase: Phase,
    run_id: &'a str,
    outcome: Outcome,
    dry_run: bool,
    restore_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud: Option<&'a CloudName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a ProjectLabel>,
    volumes: &'a [RestoredVolume],
    requests: Requests,
    failures: &'a [FailureEntry],
    #[serde(skip_serializing_if = "is_zero")]
    failures_omitted: usize,
    warnings: &'a [Warning],
    #[serde(skip_serializing_if = "is_zero")]
    warnings_omitted: usize,
    next: &'a [String],
}

impl<'a> RestoreAnswer<'a> {
    /// The answer of a restore of this name.
    pub(crate) fn new(about: About<'a>, restore_id: &'a str, summary: &'a RestoreSummary) -> Self {
        Self {
            phase: about.phase,
            run_id: about.run_id,
            outcome: summary.outcome(),
            dry_run: about.dry_run,
            restore_id,
            cloud: about.cloud,
            project: about.project,
            volumes: &summary.volumes,
            requests: Requests::of(about),
            failures: summary.failures.entries(),
            failures_omitted: summary.failures.omitted(),
            warnings: summary.warnings.entries(),
            warnings_omitted: summary.warnings.omitted(),
            next: &summary.next,
        }
    }
}

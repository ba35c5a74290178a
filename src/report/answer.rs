//! The answer to an invocation.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::instant::rfc3339;
use super::summary::{Action, FailureEntry, SnapshotCounts, Summary, VolumeCounts, Warning};
use crate::event::Phase;

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything is done.
    Complete,
    /// Nothing failed, and something is left for the next pass.
    Deferred,
    /// Something failed.
    Partial,
}

/// What a snapshot or expire pass answers.
#[derive(Debug, Serialize)]
pub struct Answer<'a> {
    phase: Phase,
    run_id: &'a str,
    outcome: Outcome,
    dry_run: bool,
    #[serde(serialize_with = "rfc3339")]
    started_at: DateTime<Utc>,
    duration_ms: u64,
    volumes: VolumeCounts,
    snapshots: SnapshotCounts,
    requests: Requests,
    failures: &'a [FailureEntry],
    #[serde(skip_serializing_if = "is_zero")]
    failures_omitted: usize,
    warnings: &'a [Warning],
    #[serde(skip_serializing_if = "is_zero")]
    warnings_omitted: usize,
    plan: &'a [Action],
    #[serde(skip_serializing_if = "is_zero")]
    plan_omitted: usize,
}

#[derive(Debug, Serialize)]
struct Requests {
    sent: u64,
    retried: u64,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What belongs to an invocation rather than to the work it did.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// What was asked for.
    pub phase: Phase,
    /// The pass's id.
    pub run_id: &'a str,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// When it began, in real time.
    pub started_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Requests to OpenStack that were sent.
    pub sent: u64,
    /// How many of those were retries.
    pub retried: u64,
}

impl<'a> Answer<'a> {
    /// The answer of a pass.
    pub fn new(about: About<'a>, summary: &'a Summary) -> Self {
        let counts = summary.snapshots;
        let outcome = if !summary.failures.is_empty() {
            Outcome::Partial
        } else if counts.pending + counts.deferred > 0 {
            Outcome::Deferred
        } else {
            Outcome::Complete
        };
        Self {
            phase: about.phase,
            run_id: about.run_id,
            outcome,
            dry_run: about.dry_run,
            started_at: about.started_at,
            duration_ms: about.duration_ms,
            volumes: summary.volumes,
            snapshots: counts,
            requests: Requests {
                sent: about.sent,
                retried: about.retried,
            },
            failures: summary.failures.entries(),
            failures_omitted: summary.failures.omitted(),
            warnings: summary.warnings.entries(),
            warnings_omitted: summary.warnings.omitted(),
            plan: summary.plan.entries(),
            plan_omitted: summary.plan.omitted(),
        }
    }

    /// How the pass ended.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The same without the plan, which can be long: what is logged.
    pub fn without_plan(mut self) -> Self {
        self.plan = &[];
        self
    }
}

/// What `subscribe` answers.
#[derive(Debug, Serialize)]
pub struct SubscribeAnswer<'a> {
    /// Always `subscribe`.
    pub phase: Phase,
    /// The pass's id.
    pub run_id: &'a str,
    /// Always complete: anything else is an error.
    pub outcome: Outcome,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// The volume.
    pub volume_id: &'a str,
    /// The keys written, as the volume now says.
    pub metadata: &'a BTreeMap<String, String>,
    /// The cloud's id of the writing request.
    pub request_id: Option<&'a str>,
    /// What somebody should know.
    pub warnings: &'a [Warning],
}

//! The answer to an invocation.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::entries::{Action, FailureEntry, Warning};
use super::summary::{SnapshotCounts, Summary, VolumeCounts};
use crate::cloud_name::CloudName;
use crate::event::{Phase, SpreadPhase};
use crate::plan::Shard;
use crate::text::serialize_rfc3339;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// Everything is done.
    Complete,
    /// Nothing failed, and something is left for the next pass.
    Deferred,
    /// Something failed.
    Partial,
}

/// What a snapshot or expire pass answers.
#[derive(Debug, Serialize)]
pub(crate) struct Answer<'a> {
    phase: Phase,
    run_id: &'a str,
    outcome: Outcome,
    dry_run: bool,
    #[serde(serialize_with = "serialize_rfc3339")]
    started_at: DateTime<Utc>,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud: Option<&'a CloudName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a ProjectLabel>,
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

/// Requests to OpenStack.
#[derive(Debug, Serialize)]
pub(super) struct Requests {
    sent: u64,
    retried: u64,
}

impl Requests {
    pub(super) fn of(about: About<'_>) -> Self {
        Self {
            sent: about.sent,
            retried: about.retried,
        }
    }
}

/// Whether a count is left out of an answer.
pub(super) fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A project of OpenStack, as the token told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ProjectLabel {
    pub id: String,
    /// Its name, where the token tells one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What belongs to an invocation rather than to the work it did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub phase: Phase,
    pub run_id: &'a str,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// When it began, in real time.
    pub started_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The cloud that the event named.
    pub cloud: Option<&'a CloudName>,
    /// The project that the token was for.
    pub project: Option<&'a ProjectLabel>,
    /// Requests to OpenStack that were sent.
    pub sent: u64,
    /// How many of those were retries.
    pub retried: u64,
}

impl<'a> Answer<'a> {
    pub(crate) fn new(about: About<'a>, summary: &'a Summary) -> Self {
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
            cloud: about.cloud,
            project: about.project,
            volumes: summary.volumes,
            snapshots: counts,
            requests: Requests::of(about),
            failures: summary.failures.entries(),
            failures_omitted: summary.failures.omitted(),
            warnings: summary.warnings.entries(),
            warnings_omitted: summary.warnings.omitted(),
            plan: summary.plan.entries(),
            plan_omitted: summary.plan.omitted(),
        }
    }

    /// The same without the plan, which can be long: what is logged.
    pub(crate) fn without_plan(mut self) -> Self {
        self.plan = &[];
        self
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct SubscribeAnswer<'a> {
    pub phase: Phase,
    pub run_id: &'a str,
    /// Always complete: anything else is an error.
    pub outcome: Outcome,
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    pub volume_id: &'a str,
    /// The keys written, as the volume now says.
    pub metadata: &'a BTreeMap<String, String>,
    /// The cloud's id of the writing request.
    pub request_id: Option<&'a str>,
    pub warnings: &'a [Warning],
}

#[derive(Debug, Serialize)]
pub(crate) struct TargetsAnswer<'a> {
    pub phase: Phase,
    pub run_id: &'a str,
    /// The events that this tick wants, in the order of their instants.
    pub targets: Vec<Target<'a>>,
    /// The entries that no event could be made for.
    pub faults: &'a [TargetFault],
}

/// One event that a tick wants.
#[derive(Debug, Serialize)]
pub(crate) struct Target<'a> {
    /// How long after the invocation's arrival it is wanted, in seconds.
    pub delay_seconds: u32,
    /// The instant at which it is wanted.
    #[serde(serialize_with = "serialize_rfc3339")]
    pub at: DateTime<Utc>,
    pub event: TargetEvent<'a>,
}

/// The event itself, as this function takes it.
#[derive(Debug, Serialize)]
pub(crate) struct TargetEvent<'a> {
    pub phase: SpreadPhase,
    pub cloud: &'a CloudName,
    /// The share, where the cloud is split into several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// An entry of the `clouds.yaml` that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct TargetFault {
    /// The entry's name, as it is written.
    pub cloud: String,
    pub error: String,
}

//! The metrics: one line in CloudWatch's embedded metric format, which costs no API call.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::summary::Summary;

/// What one invocation is measured by.
#[derive(Clone, Debug)]
pub struct Metrics<'a> {
    /// The `Project` dimension.
    pub project: &'a str,
    /// The `Phase` dimension; `unknown` where the event could not be read.
    pub phase: &'a str,
    /// What the pass did; nothing where it failed before it did anything.
    pub summary: Option<&'a Summary>,
    /// Requests to OpenStack that were sent.
    pub requests_sent: u64,
    /// How many of those were retries.
    pub requests_retried: u64,
    /// How long the invocation took.
    pub duration_ms: u64,
    /// The error type of a failed invocation.
    pub error_type: Option<&'a str>,
}

/// The line for one invocation.
pub fn metrics_line(at: DateTime<Utc>, metrics: &Metrics<'_>) -> String {
    let nothing = Summary::default();
    let summary = metrics.summary.unwrap_or(&nothing);
    let (volumes, snapshots) = (summary.volumes, summary.snapshots);
    let values: [(&str, &str, Value); 16] = [
        ("SnapshotsCreated", "Count", snapshots.created.into()),
        ("SnapshotsAdopted", "Count", snapshots.adopted.into()),
        ("SnapshotsFailed", "Count", snapshots.failed.into()),
        ("SnapshotsPending", "Count", snapshots.pending.into()),
        ("SnapshotsDeferred", "Count", snapshots.deferred.into()),
        ("SnapshotsDeleted", "Count", snapshots.deleted.into()),
        ("SnapshotsCleaned", "Count", snapshots.cleaned.into()),
        ("VolumesDue", "Count", volumes.due.into()),
        ("VolumesManaged", "Count", volumes.managed.into()),
        ("VolumesInvalid", "Count", volumes.invalid.into()),
        ("RequestsSent", "Count", metrics.requests_sent.into()),
        ("RequestsRetried", "Count", metrics.requests_retried.into()),
        ("DurationMs", "Milliseconds", metrics.duration_ms.into()),
        (
            "InvocationsFailed",
            "Count",
            u8::from(metrics.error_type.is_some()).into(),
        ),
        (
            "OldestDueAgeSeconds",
            "Seconds",
            summary.oldest_due_age.into(),
        ),
        (
            "OldestExpiredAgeSeconds",
            "Seconds",
            summary.oldest_expired_age.into(),
        ),
    ];
    let declared: Vec<Value> = values
        .iter()
        .map(|(name, unit, _)| json!({"Name": name, "Unit": unit}))
        .collect();
    let mut line = Map::new();
    line.insert(
        "_aws".into(),
        json!({
            "Timestamp": at.timestamp_millis(),
            "CloudWatchMetrics": [{
                "Namespace": "SnapSentry",
                "Dimensions": [["Project", "Phase"]],
                "Metrics": declared,
            }],
        }),
    );
    line.insert("Project".into(), metrics.project.into());
    line.insert("Phase".into(), metrics.phase.into());
    for (name, _, value) in values {
        line.insert(name.into(), value);
    }
    if let Some(error_type) = metrics.error_type {
        line.insert("ErrorType".into(), error_type.into());
    }
    Value::Object(line).to_string()
}

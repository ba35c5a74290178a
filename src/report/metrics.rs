//! The metrics: one line in CloudWatch's embedded metric format, which costs no API call.
//!
//! CloudWatch bills each metric that is declared, so only what an alarm or a graph needs is. All
//! else is a plain property of the same line, which costs nothing and can be queried.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::summary::Summary;
use crate::cloud_name::CloudName;
use crate::event::Phase;

/// What one invocation is measured by.
#[derive(Clone, Debug)]
pub(crate) struct Metrics<'a> {
    pub project: &'a str,
    /// The `Fleet` dimension, where the deployment serves one.
    pub fleet: Option<&'a str>,
    /// What was asked for; `None` where the event could not be read.
    pub phase: Option<Phase>,
    /// The cloud that the event named.
    pub cloud: Option<&'a CloudName>,
    /// The id of the project that the token was for.
    pub project_id: Option<&'a str>,
    pub figures: &'a Figures,
    /// Requests to OpenStack that were sent.
    pub requests_sent: u64,
    /// How many of those were retries.
    pub requests_retried: u64,
    pub duration_ms: u64,
    /// The error type of a failed invocation.
    pub error_type: Option<&'a str>,
}

/// What an invocation has seen and done.
#[derive(Clone, Debug, Default)]
pub(crate) enum Figures {
    /// Nothing: it failed, or is of a phase without figures. A zero would call an alarm off.
    #[default]
    Nothing,
    /// A snapshot or expire pass.
    Pass(Box<Summary>),
    /// The events that a tick wants.
    Targets {
        targets: usize,
        /// How many entries could not be used.
        faults: usize,
    },
}

/// Metrics that are declared, each with its unit.
type Declared = [(&'static str, &'static str)];

/// What an alarm or a graph needs, phase by phase.
const SNAPSHOT: &Declared = &[
    ("DurationMs", "Milliseconds"),
    ("OldestDueAgeSeconds", "Seconds"),
    ("OldestBlockedAgeSeconds", "Seconds"),
    ("SnapshotsCreated", "Count"),
    ("SnapshotsFailed", "Count"),
    ("SnapshotsDeferred", "Count"),
    ("VolumesManaged", "Count"),
    ("VolumesInvalid", "Count"),
];
const EXPIRE: &Declared = &[
    ("DurationMs", "Milliseconds"),
    ("OldestExpiredAgeSeconds", "Seconds"),
    ("SnapshotsDeleted", "Count"),
    ("SnapshotsFailed", "Count"),
    ("SnapshotsDeferred", "Count"),
    ("VolumesLost", "Count"),
];
const FAILED_PASS: &Declared = &[("DurationMs", "Milliseconds")];
const TARGETS: &Declared = &[("Targets", "Count"), ("Faults", "Count")];

/// What tells the clouds of a fleet apart: each of these costs its price once more for each cloud.
const OF_EACH_CLOUD: [&str; 3] = [
    "OldestDueAgeSeconds",
    "OldestExpiredAgeSeconds",
    "SnapshotsFailed",
];

pub(crate) fn metrics_line(at: DateTime<Utc>, metrics: &Metrics<'_>) -> String {
    let mut line = Map::new();
    line.insert(
        "_aws".into(),
        json!({
            "Timestamp": at.timestamp_millis(),
            "CloudWatchMetrics": directives(metrics),
        }),
    );
    line.insert("Project".into(), metrics.project.into());
    if let Some(fleet) = metrics.fleet {
        line.insert("Fleet".into(), fleet.into());
    }
    let phase = metrics.phase.map_or("unknown", Phase::as_str);
    line.insert("Phase".into(), phase.into());
    for (name, value) in [
        ("Cloud", metrics.cloud.map(CloudName::as_str)),
        ("ProjectId", metrics.project_id),
        ("ErrorType", metrics.error_type),
    ] {
        if let Some(value) = value {
            line.insert(name.into(), value.into());
        }
    }
    match *metrics.figures {
        Figures::Nothing => {}
        Figures::Pass(ref summary) => add_pass(&mut line, metrics.phase, summary),
        Figures::Targets { targets, faults } => {
            line.insert("Targets".into(), targets.into());
            line.insert("Faults".into(), faults.into());
        }
    }
    let failed = u8::from(metrics.error_type.is_some());
    line.insert("InvocationsFailed".into(), failed.into());
    line.insert("RequestsSent".into(), metrics.requests_sent.into());
    line.insert("RequestsRetried".into(), metrics.requests_retried.into());
    line.insert("DurationMs".into(), metrics.duration_ms.into());
    Value::Object(line).to_string()
}

fn declared(metrics: &Metrics<'_>) -> &'static Declared {
    match (metrics.phase, metrics.figures) {
        (Some(Phase::Snapshot), Figures::Pass(_)) => SNAPSHOT,
        (Some(Phase::Expire), Figures::Pass(_)) => EXPIRE,
        (Some(Phase::Snapshot | Phase::Expire), _) => FAILED_PASS,
        (Some(Phase::Targets), Figures::Targets { .. }) => TARGETS,
        _ => &[],
    }
}

fn directives(metrics: &Metrics<'_>) -> Vec<Value> {
    let all = declared(metrics);
    let of_each: Vec<(&'static str, &'static str)> = all
        .iter()
        .filter(|(name, _)| OF_EACH_CLOUD.contains(name))
        .copied()
        .collect();
    let directives: &[(&[&str], &Declared)] = match metrics.fleet {
        None => &[(&["Project", "Phase"], all)],
        Some(_) => &[
            (&["Fleet", "Phase"], all),
            (&["Fleet", "Project", "Phase"], &of_each),
        ],
    };
    directives
        .iter()
        .filter(|(_, declared)| !declared.is_empty())
        .map(|(dimensions, declared)| {
            let metrics: Vec<Value> = declared
                .iter()
                .map(|(name, unit)| json!({"Name": name, "Unit": unit}))
                .collect();
            json!({
                "Namespace": "SnapSentry",
                "Dimensions": [dimensions],
                "Metrics": metrics,
            })
        })
        .collect()
}

/// Every count of the answer under the answer's own word, and the ages that the phase knows.
fn add_pass(line: &mut Map<String, Value>, phase: Option<Phase>, summary: &Summary) {
    add_counts(line, "Snapshots", &summary.snapshots);
    add_counts(line, "Volumes", &summary.volumes);
    let ages: &[(&str, i64)] = match phase {
        Some(Phase::Snapshot) => &[
            ("OldestDueAgeSeconds", summary.oldest_due_age),
            ("OldestBlockedAgeSeconds", summary.oldest_blocked_age),
        ],
        _ => &[("OldestExpiredAgeSeconds", summary.oldest_expired_age)],
    };
    for &(name, age) in ages {
        line.insert(name.into(), age.into());
    }
}

fn add_counts(line: &mut Map<String, Value>, of_what: &str, counts: &impl Serialize) {
    let Ok(Value::Object(counts)) = serde_json::to_value(counts) else {
        return;
    };
    for (word, count) in counts {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let name = of_what.chars().chain(first).chain(letters).collect();
        line.insert(name, count);
    }
}

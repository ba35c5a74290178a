//! What is told: the answer and the metrics line.

mod answer;
mod coverage;
mod entries;
mod metrics;
mod restore;
mod summary;

pub(crate) use answer::{
    About, Answer, Outcome, ProjectLabel, SubscribeAnswer, Target, TargetEvent, TargetFault,
    TargetsAnswer,
};
pub(crate) use coverage::{Report, Row, json_size};
pub(crate) use entries::{Action, Capped, FailureEntry, Warning};
pub(crate) use metrics::{Figures, Metrics, metrics_line};
pub(crate) use restore::{RestoreAnswer, RestoreSummary, RestoredVolume};
pub(crate) use summary::{SnapshotCounts, Summary, VolumeCounts};

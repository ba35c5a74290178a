//! What is told: the answer and the metrics line.

mod answer;
mod instant;
mod metrics;
mod restore;
mod summary;

pub use answer::{
    About, Answer, Outcome, ProjectLabel, SubscribeAnswer, Target, TargetEvent, TargetFault,
    TargetsAnswer,
};
pub(crate) use instant::rfc3339;
pub use metrics::{Figures, Metrics, metrics_line};
pub use restore::{RestoreAnswer, RestoreSummary, RestoredVolume};
pub use summary::{Action, Capped, FailureEntry, SnapshotCounts, Summary, VolumeCounts, Warning};

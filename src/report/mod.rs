//! What is told: the answer and the metrics line.

mod answer;
mod coverage;
mod metrics;
mod restore;
mod summary;

pub use answer::{
    About, Answer, Outcome, ProjectLabel, SubscribeAnswer, Target, TargetEvent, TargetFault,
    TargetsAnswer,
};
pub use coverage::{Report, ReportAnswer, Row, json_size};
pub use metrics::{Figures, Metrics, metrics_line};
pub use restore::{RestoreAnswer, RestoreSummary, RestoredVolume};
pub use summary::{Action, Capped, FailureEntry, SnapshotCounts, Summary, VolumeCounts, Warning};

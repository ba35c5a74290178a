//! What is told: the answer, the metrics line, notifications.

mod answer;
mod instant;
mod metrics;
mod notification;
mod summary;

pub use answer::{About, Answer, Outcome, SubscribeAnswer};
pub use metrics::{Metrics, metrics_line};
pub use notification::{Notification, NotifiedWindow, Webhook, notify};
pub use summary::{Action, Capped, FailureEntry, SnapshotCounts, Summary, VolumeCounts, Warning};

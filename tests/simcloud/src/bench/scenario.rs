//! What happens in each case: the cloud, the event, what the answer has to say, and the limit.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use simcloud::{Cloud, Latency};

use super::fleet::{self, FOUR, History, ONE};
use super::limit::Limit;

/// How long a snapshot takes in the cases that take some.
const CREATION: Duration = Duration::from_secs(3);
/// The function's own limits, where a case does not change them.
const MAX_CONCURRENCY: usize = 16;
const MAX_CREATING: usize = 64;
/// Snapshots of a policy that a pass looks at where all are served: those of the active window.
pub(super) const RECENT: usize = 1;

/// A case, whatever the weather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    /// A fresh process and an empty project.
    Cold,
    /// Nothing is due. One policy has 10 snapshots a volume, four have 18.
    Quiet { volumes: usize, four: bool },
    /// Nothing is due, and each of four policies of a volume has so many snapshots.
    Long { volumes: usize, each: u32 },
    /// One snapshot of each volume is due.
    Due { volumes: usize, max_creating: usize },
    /// So many of all snapshots have expired.
    Expire { expired: usize, of: usize },
    /// Of so many snapshots none has expired, and somebody asks how all volumes stand: for rows, or
    /// for the dashboard's page.
    Report { of: usize, page: bool },
    /// One snapshot of each volume of one VM is due.
    Skew {
        volumes: usize,
        max_concurrency: usize,
    },
    /// Nothing is due for 1,000 volumes with ever more snapshots.
    Growth { snapshots: usize },
}

impl Scenario {
    pub(super) fn name(self) -> String {
        match self {
            Self::Cold => "cold-start".into(),
            Self::Quiet { volumes, four } => {
                format!("quiet-{volumes}-{}", if four { 4 } else { 1 })
            }
            Self::Long { volumes, each } => format!("long-{volumes}-4x{each}"),
            Self::Due { volumes, .. } => format!("due-{volumes}"),
            Self::Expire { expired: 0, of } => format!("expire-none-of-{of}"),
            Self::Expire { expired, of } => format!("expire-{expired}-of-{of}"),
            Self::Report { of, page: false } => format!("report-{of}"),
            Self::Report { of, page: true } => format!("page-{of}"),
            Self::Skew { volumes, .. } => format!("skew-{volumes}"),
            Self::Growth { snapshots } => format!("growth-{snapshots}"),
        }
    }

    /// The cloud as the function finds it.
    pub(super) fn cloud(self, latency: Latency) -> Cloud {
        let cloud = fleet::cloud(latency, |config| {
            if matches!(self, Self::Due { .. } | Self::Skew { .. }) {
                config.creation_time = CREATION;
            }
        });
        let (in_a_year, long_ago) = (
            Utc::now() + TimeDelta::days(365),
            Utc::now() - TimeDelta::hours(1),
        );
        let history = |count, newest| History {
            newest,
            count,
            expires_at: in_a_year,
        };
        match self {
            Self::Cold => {}
            Self::Quiet { volumes, four } => {
                let policies = if four { FOUR } else { ONE };
                for id in fleet::add_volumes(&cloud, volumes, policies, 2) {
                    for (policy, count) in policies {
                        fleet::add_history(&cloud, &id, policy, history(*count, 0));
                    }
                }
            }
            Self::Long { volumes, each } => {
                for id in fleet::add_volumes(&cloud, volumes, FOUR, 2) {
                    for (policy, _) in FOUR {
                        fleet::add_history(&cloud, &id, policy, history(each, 0));
                    }
                }
            }
            Self::Due { volumes, .. } => {
                for id in fleet::add_volumes(&cloud, volumes, ONE, 2) {
                    fleet::add_history(&cloud, &id, "daily", history(1, 1));
                }
            }
            Self::Skew { volumes, .. } => {
                for id in fleet::add_volumes(&cloud, volumes, ONE, volumes) {
                    fleet::add_history(&cloud, &id, "daily", history(1, 1));
                }
            }
            Self::Expire { expired, of } => {
                let each = 10;
                let volumes = fleet::add_volumes(&cloud, of / each, ONE, 2);
                let of_each = u32::try_from(expired / volumes.len()).unwrap_or_default();
                for id in volumes {
                    fleet::add_history(&cloud, &id, "daily", history(each as u32 - of_each, 0));
                    let gone = History {
                        newest: each as u32 - of_each,
                        count: of_each,
                        expires_at: long_ago,
                    };
                    fleet::add_history(&cloud, &id, "daily", gone);
                }
            }
            Self::Report { of, .. } => return Self::Expire { expired: 0, of }.cloud(latency),
            Self::Growth { snapshots } => {
                let volumes = 1_000;
                for id in fleet::add_volumes(&cloud, volumes, ONE, 2) {
                    let count = u32::try_from(snapshots / volumes).unwrap_or_default();
                    fleet::add_history(&cloud, &id, "daily", history(count, 0));
                }
            }
        }
        cloud.clear_journal();
        cloud
    }

    pub(super) fn event(self) -> Value {
        match self {
            Self::Report { page: true, .. } => json!({ "widgetContext": {} }),
            Self::Report { .. } => json!({ "phase": "report" }),
            Self::Expire { .. } => json!({ "phase": "expire" }),
            _ => json!({ "phase": "snapshot" }),
        }
    }

    /// Settings of the function that differ from the defaults.
    pub(super) fn settings(self) -> Vec<(String, String)> {
        let setting = |name: &str, value: usize, default: usize| {
            (value != default).then(|| (name.to_owned(), value.to_string()))
        };
        match self {
            Self::Due { max_creating, .. } => {
                setting("SNAPSENTRY_MAX_CREATING", max_creating, MAX_CREATING)
            }
            Self::Skew {
                max_concurrency, ..
            } => setting(
                "SNAPSENTRY_MAX_CONCURRENCY",
                max_concurrency,
                MAX_CONCURRENCY,
            ),
            _ => None,
        }
        .into_iter()
        .collect()
    }

    /// What cannot overlap.
    pub(super) fn limit(self) -> Limit {
        match self {
            Self::Cold => Limit::of_looking(0, 0),
            Self::Quiet { volumes, .. } | Self::Long { volumes, .. } => {
                Limit::of_looking(volumes, RECENT * volumes)
            }
            Self::Growth { snapshots } => Limit::of_looking(1_000, snapshots.min(RECENT * 1_000)),
            Self::Expire { expired, of } => {
                Limit::of_looking(of / 10, of).then(expired, MAX_CONCURRENCY)
            }
            Self::Report { of, .. } => Limit::of_looking(of / 10, of),
            Self::Skew { volumes, .. } => Limit::of_looking(volumes, volumes)
                .then(1, 1)
                .waiting(CREATION)
                .then(1, 1),
            Self::Due {
                volumes,
                max_creating,
            } => {
                let rounds = volumes.div_ceil(max_creating);
                let in_the_last = volumes - (rounds - 1) * max_creating;
                Limit::of_looking(volumes, volumes)
                    .then(in_the_last, MAX_CONCURRENCY)
                    .waiting(CREATION * u32::try_from(rounds).unwrap_or(u32::MAX))
                    .then(1, 1)
            }
        }
    }

    /// What the answer has to count, by its place in the answer. A pass that did something
    /// else was not the one to be measured; a page is a text, and counts nothing.
    pub(super) fn expected(self) -> Vec<(&'static str, u64)> {
        let number = |n: usize| n as u64;
        match self {
            Self::Cold => vec![("/volumes/managed", 0)],
            // How many snapshots were looked at is the pass's own affair.
            Self::Quiet { volumes, .. } | Self::Long { volumes, .. } => {
                vec![("/volumes/managed", number(volumes)), ("/volumes/due", 0)]
            }
            Self::Growth { .. } => vec![("/volumes/managed", 1_000), ("/volumes/due", 0)],
            Self::Due { volumes, .. } | Self::Skew { volumes, .. } => vec![
                ("/volumes/due", number(volumes)),
                ("/snapshots/created", number(volumes)),
            ],
            Self::Expire { expired, of } => vec![
                ("/snapshots/deleted", number(expired)),
                ("/snapshots/managed", number(of)),
            ],
            Self::Report { page: true, .. } => Vec::new(),
            Self::Report { of, .. } => vec![
                ("/totals/volumes", number(of / 10)),
                ("/totals/snapshots", number(of)),
            ],
        }
    }
}

//! What a snapshot pass has to tell: of its plan and of what came of it, counts, log lines,
//! failures, warnings and notifications are made here, and nowhere else.

use std::collections::HashMap;

use super::create::in_state;
use super::delete::DeleteOutcome;
use super::outcome::{CreateOutcome, Deferral, DuplicateOutcome, PassOutcomes, WindowOutcome};
use super::snapshot_log::{self as log, Line};
use super::{Pass, remarks};
use crate::openstack::Error;
use crate::plan::DueWindow;
use crate::plan::age::{Afterwards, OldestAges};
use crate::plan::creation::{Decision, Plan, WindowVerdict};
use crate::policy::PolicyKind;
use crate::report::{FailureEntry, SnapshotCounts, Summary, VolumeCounts, Warning};
use crate::webhook::{Notification, NotifiedWindow};

/// What came of each due window.
type ByWindow = HashMap<(String, PolicyKind), CreateOutcome>;

/// What was planned and done.
pub(super) fn summary_of(pass: &Pass<'_>, plan: &Plan<'_>, outcomes: PassOutcomes) -> Summary {
    let clean_ups = outcomes.clean_ups.iter().map(|one| {
        let cleaned = Cleaned {
            volume_id: &one.volume_id,
            policy: one.policy,
            snapshot_id: &one.stale.snapshot_id,
            what: format!("a snapshot in the window's way ({})", one.stale.reason),
        };
        cleaned.summary(&one.outcome)
    });
    let duplicates = outcomes
        .duplicates
        .iter()
        .chain(&outcomes.overlap.duplicates);
    let duplicates = duplicates.map(|DuplicateOutcome { duplicate, outcome }| {
        let cleaned = Cleaned {
            volume_id: &duplicate.volume_id,
            policy: duplicate.policy,
            snapshot_id: &duplicate.snapshot_id,
            what: duplicate.to_string(),
        };
        cleaned.summary(outcome)
    });
    let cleaned: Summary = clean_ups.chain(duplicates).sum();
    let unknown_overlap = outcomes.overlap.unknown.map(|error| {
        tracing::warn!(%error, "could not look for duplicates");
        Warning::on_pass(format!(
            "whether another pass took the same windows could not be looked at; the next pass \
             does: {error}"
        ))
    });
    let mut superseded = outcomes.overlap.superseded;
    let windows = outcomes.windows.into_iter();
    let by_window: ByWindow = windows
        .map(|WindowOutcome { due, outcome }| {
            let outcome = match outcome {
                CreateOutcome::Created { snapshot_id } => match superseded.remove(&snapshot_id) {
                    Some(by) => CreateOutcome::Adopted {
                        by,
                        creating_since: None,
                        why: "ours was a duplicate of the window and is deleted",
                    },
                    None => CreateOutcome::Created { snapshot_id },
                },
                other => other,
            };
            ((due.volume_id, due.policy), outcome)
        })
        .collect();
    let ages = OldestAges::after(&plan.decisions, pass.now, |volume_id, policy| {
        by_window
            .get(&(volume_id.to_owned(), policy))
            .map_or(Afterwards::Missing, |outcome| afterwards(pass, outcome))
    });
    let ages = Summary {
        oldest_due_age: ages.due,
        oldest_blocked_age: ages.blocked,
        ..Summary::default()
    };
    let decisions = plan.decisions.iter().map(|decision| {
        let outcome = by_window.get(&(decision.volume.id.clone(), decision.policy));
        of_decision(pass, decision, outcome)
    });
    cleaned + unknown_overlap + ages + decisions.sum::<Summary>()
}

fn afterwards(pass: &Pass<'_>, outcome: &CreateOutcome) -> Afterwards {
    match outcome {
        CreateOutcome::Created { .. }
        | CreateOutcome::Adopted {
            creating_since: None,
            ..
        } => Afterwards::Available,
        CreateOutcome::Adopted {
            creating_since: Some(since),
            ..
        } => Afterwards::Creating(*since),
        // Ours, and so begun after this pass.
        CreateOutcome::Pending {
            snapshot_id: Some(_),
        } => Afterwards::Creating(pass.now),
        CreateOutcome::Pending { snapshot_id: None }
        | CreateOutcome::Deferred(_)
        | CreateOutcome::Failed { .. } => Afterwards::Missing,
        CreateOutcome::Blocked(_) => Afterwards::Blocked,
    }
}

fn of_decision(
    pass: &Pass<'_>,
    decision: &Decision<'_>,
    outcome: Option<&CreateOutcome>,
) -> Summary {
    let (volume, policy) = (decision.volume, decision.policy);
    let one_due = VolumeCounts {
        due: 1,
        ..VolumeCounts::default()
    };
    match (&decision.verdict, outcome) {
        (WindowVerdict::Invalid(invalid), _) => remarks::invalid_policy(volume, policy, invalid),
        (WindowVerdict::Served { by, window, .. }, _) => {
            log::served(&volume.id, policy, by, window);
            Summary::default()
        }
        (WindowVerdict::Blocked(due), _) => {
            Summary::from(one_due) + of_blocked(due, &in_state(&volume.status))
        }
        (WindowVerdict::Due(due), Some(outcome)) => {
            Summary::from(one_due) + of_outcome(pass, due, outcome)
        }
        // Only a dry run leaves a window without an outcome.
        (WindowVerdict::Due(due), None) => {
            Line::new("due", "a snapshot would be created", "the window has none").log(due);
            one_due.into()
        }
    }
}

fn of_outcome(pass: &Pass<'_>, due: &DueWindow, outcome: &CreateOutcome) -> Summary {
    let none = SnapshotCounts::default();
    match outcome {
        CreateOutcome::Created { snapshot_id } => {
            Line::new("created", "snapshot created", "the window had none")
                .of(Some(snapshot_id))
                .log(due);
            SnapshotCounts { created: 1, ..none }.into()
        }
        CreateOutcome::Adopted { by, why, .. } => {
            Line::new("adopted", "window served by another snapshot", why)
                .of(Some(by))
                .log(due);
            SnapshotCounts { adopted: 1, ..none }.into()
        }
        CreateOutcome::Pending { snapshot_id } => {
            let reason = "the pass's time ended first; the next pass picks it up";
            Line::new("pending", "snapshot creation under way", reason)
                .of(snapshot_id.as_deref())
                .log(due);
            SnapshotCounts { pending: 1, ..none }.into()
        }
        CreateOutcome::Deferred(why) => {
            let reason = why.to_string();
            Line::new("deferred", "window left to a later pass", &reason).log(due);
            let warning = match why {
                Deferral::BackOff(_) => Some(warning(due, None, reason)),
                Deferral::VolumeBusy | Deferral::OutOfTime(_) => None,
            };
            Summary::from(SnapshotCounts {
                deferred: 1,
                ..none
            }) + warning
        }
        CreateOutcome::Blocked(how) => of_blocked(due, how),
        CreateOutcome::Failed {
            error,
            snapshot_id,
            not_deleted,
        } => {
            let not_deleted = not_deleted.as_ref().map(|refusal| {
                let text = format!("the broken snapshot could not be deleted: {refusal}");
                log::warn(&due.volume_id, due.policy, snapshot_id.as_deref(), &text);
                warning(due, snapshot_id.clone(), text)
            });
            Summary::from(not_deleted) + of_failure(pass, due, error, snapshot_id.clone())
        }
    }
}

fn of_blocked(due: &DueWindow, how: &str) -> Summary {
    let text = format!(
        "the volume is {how}, and snapshots can be made only of those that are available or \
         in-use; the next pass tries again"
    );
    Line::new("blocked", "the volume allows no snapshot", &text).log(due);
    let counts = SnapshotCounts {
        blocked: 1,
        ..SnapshotCounts::default()
    };
    Summary::from(counts) + warning(due, None, text)
}

fn of_failure(
    pass: &Pass<'_>,
    due: &DueWindow,
    error: &Error,
    snapshot_id: Option<String>,
) -> Summary {
    let request_id = error.request_id.clone();
    let error = error.to_string();
    Line::new("failed", "snapshot creation failed", &error)
        .of(snapshot_id.as_deref())
        .asked_as(request_id.as_deref())
        .log(due);
    let notification = pass.notifies.then(|| {
        let window = NotifiedWindow {
            start_time: due.window.start,
            end_time: due.window.end,
            validated_time: pass.now,
        };
        Notification::of_creation(
            due.vm.clone(),
            due.volume_id.clone(),
            snapshot_id.clone(),
            error.clone(),
            window,
        )
    });
    let counts = SnapshotCounts {
        failed: 1,
        ..SnapshotCounts::default()
    };
    let failure = FailureEntry {
        volume_id: Some(due.volume_id.clone()),
        policy: Some(due.policy),
        snapshot_id,
        request_id,
        error,
    };
    Summary::from(counts) + failure + notification
}

fn warning(due: &DueWindow, snapshot_id: Option<String>, warning: String) -> Warning {
    Warning {
        volume_id: Some(due.volume_id.clone()),
        policy: Some(due.policy),
        snapshot_id,
        warning,
    }
}

/// A snapshot that serves nothing and was to be deleted.
struct Cleaned<'a> {
    volume_id: &'a str,
    policy: PolicyKind,
    snapshot_id: &'a str,
    /// What it is, in words.
    what: String,
}

impl Cleaned<'_> {
    fn summary(self, outcome: &DeleteOutcome) -> Summary {
        let (volume_id, policy, snapshot_id) = (self.volume_id, self.policy, self.snapshot_id);
        match outcome {
            DeleteOutcome::Accepted { request_id } => {
                let request_id = request_id.as_deref();
                log::cleaned(volume_id, policy, snapshot_id, &self.what, request_id);
                let counts = SnapshotCounts {
                    cleaned: 1,
                    ..SnapshotCounts::default()
                };
                counts.into()
            }
            DeleteOutcome::AlreadyGone | DeleteOutcome::ByOther => Summary::default(),
            DeleteOutcome::OutOfTime(error) | DeleteOutcome::Refused(error) => {
                let warning = format!("{} could not be deleted: {error}", self.what);
                log::warn(volume_id, policy, Some(snapshot_id), &warning);
                let warning = Warning {
                    volume_id: Some(volume_id.to_owned()),
                    policy: Some(policy),
                    snapshot_id: Some(snapshot_id.to_owned()),
                    warning,
                };
                warning.into()
            }
        }
    }
}

//! What a snapshot pass has to tell: of its plan and of what came of it, counts, log lines,
//! failures, warnings and notifications are made here, and nowhere else.

use std::collections::HashMap;

use super::Pass;
use super::create::in_state;
use super::delete::DeleteOutcome;
use super::invalid_policy::add_invalid_policy;
use super::outcome::{CreateOutcome, Deferral, DuplicateOutcome, PassOutcomes, WindowOutcome};
use super::snapshot_log::{self as log, Line};
use crate::openstack::Error;
use crate::plan::DueWindow;
use crate::plan::age::{Afterwards, OldestAges};
use crate::plan::creation::{Decision, Plan, WindowVerdict};
use crate::policy::PolicyKind;
use crate::report::{FailureEntry, Summary, Warning};
use crate::webhook::{Notification, NotifiedWindow};

/// What came of each due window.
type ByWindow = HashMap<(String, PolicyKind), CreateOutcome>;

/// Adds what was planned and done to what is known of the pass.
pub(super) fn tell(
    pass: &Pass<'_>,
    plan: &Plan<'_>,
    outcomes: PassOutcomes,
    summary: &mut Summary,
) {
    for one in &outcomes.clean_ups {
        let cleaned = Cleaned {
            volume_id: &one.volume_id,
            policy: one.policy,
            snapshot_id: &one.stale.snapshot_id,
            what: format!("a snapshot in the window's way ({})", one.stale.reason),
        };
        cleaned.tell(&one.outcome, summary);
    }
    for DuplicateOutcome { duplicate, outcome } in &outcomes.duplicates {
        let cleaned = Cleaned {
            volume_id: &duplicate.volume_id,
            policy: duplicate.policy,
            snapshot_id: &duplicate.snapshot_id,
            what: duplicate.to_string(),
        };
        cleaned.tell(outcome, summary);
    }
    if let Some(error) = &outcomes.duplicates_unknown {
        tracing::warn!(%error, "could not look for duplicates");
        summary.warn(format!(
            "whether another pass took the same windows could not be looked at; the next pass \
             does: {error}"
        ));
    }
    let mut superseded = outcomes.superseded;
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
    summary.oldest_due_age = ages.due;
    summary.oldest_blocked_age = ages.blocked;
    for decision in &plan.decisions {
        let outcome = by_window.get(&(decision.volume.id.clone(), decision.policy));
        tell_decision(pass, decision, outcome, summary);
    }
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

fn tell_decision(
    pass: &Pass<'_>,
    decision: &Decision<'_>,
    outcome: Option<&CreateOutcome>,
    summary: &mut Summary,
) {
    let (volume, policy) = (decision.volume, decision.policy);
    match (&decision.verdict, outcome) {
        (WindowVerdict::Invalid(invalid), _) => {
            add_invalid_policy(volume, policy, invalid, summary)
        }
        (WindowVerdict::Served { by, window, .. }, _) => {
            log::served(&volume.id, policy, by, window);
        }
        (WindowVerdict::Blocked(due), _) => {
            summary.volumes.due += 1;
            tell_blocked(due, &in_state(&volume.status), summary);
        }
        (WindowVerdict::Due(due), Some(outcome)) => {
            summary.volumes.due += 1;
            tell_outcome(pass, due, outcome, summary);
        }
        // Only a dry run leaves a window without an outcome.
        (WindowVerdict::Due(due), None) => {
            summary.volumes.due += 1;
            Line::new("due", "a snapshot would be created", "the window has none").log(due);
        }
    }
}

fn tell_outcome(pass: &Pass<'_>, due: &DueWindow, outcome: &CreateOutcome, summary: &mut Summary) {
    let counts = &mut summary.snapshots;
    match outcome {
        CreateOutcome::Created { snapshot_id } => {
            counts.created += 1;
            Line::new("created", "snapshot created", "the window had none")
                .of(Some(snapshot_id))
                .log(due);
        }
        CreateOutcome::Adopted { by, why, .. } => {
            counts.adopted += 1;
            Line::new("adopted", "window served by another snapshot", why)
                .of(Some(by))
                .log(due);
        }
        CreateOutcome::Pending { snapshot_id } => {
            counts.pending += 1;
            let reason = "the pass's time ended first; the next pass picks it up";
            Line::new("pending", "snapshot creation under way", reason)
                .of(snapshot_id.as_deref())
                .log(due);
        }
        CreateOutcome::Deferred(why) => {
            counts.deferred += 1;
            let reason = why.to_string();
            Line::new("deferred", "window left to a later pass", &reason).log(due);
            if let Deferral::BackOff(_) = why {
                warn(due, None, reason, summary);
            }
        }
        CreateOutcome::Blocked(how) => tell_blocked(due, how, summary),
        CreateOutcome::Failed {
            error,
            snapshot_id,
            not_deleted,
        } => {
            if let Some(refusal) = not_deleted {
                let warning = format!("the broken snapshot could not be deleted: {refusal}");
                log::warn(&due.volume_id, due.policy, snapshot_id.as_deref(), &warning);
                warn(due, snapshot_id.clone(), warning, summary);
            }
            tell_failed(pass, due, error, snapshot_id.clone(), summary);
        }
    }
}

fn tell_blocked(due: &DueWindow, how: &str, summary: &mut Summary) {
    summary.snapshots.blocked += 1;
    let warning = format!(
        "the volume is {how}, and snapshots can be made only of those that are available or \
         in-use; the next pass tries again"
    );
    Line::new("blocked", "the volume allows no snapshot", &warning).log(due);
    warn(due, None, warning, summary);
}

fn tell_failed(
    pass: &Pass<'_>,
    due: &DueWindow,
    error: &Error,
    snapshot_id: Option<String>,
    summary: &mut Summary,
) {
    summary.snapshots.failed += 1;
    let request_id = error.request_id.clone();
    let error = error.to_string();
    Line::new("failed", "snapshot creation failed", &error)
        .of(snapshot_id.as_deref())
        .asked_as(request_id.as_deref())
        .log(due);
    if pass.notifies {
        let window = NotifiedWindow {
            start_time: due.window.start,
            end_time: due.window.end,
            validated_time: pass.now,
        };
        summary.notifications.push(Notification::of_creation(
            due.vm.clone(),
            due.volume_id.clone(),
            snapshot_id.clone(),
            error.clone(),
            window,
        ));
    }
    summary.failures.push(FailureEntry {
        volume_id: Some(due.volume_id.clone()),
        policy: Some(due.policy),
        snapshot_id,
        request_id,
        error,
    });
}

fn warn(due: &DueWindow, snapshot_id: Option<String>, warning: String, summary: &mut Summary) {
    summary.warnings.push(Warning {
        volume_id: Some(due.volume_id.clone()),
        policy: Some(due.policy),
        snapshot_id,
        warning,
    });
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
    fn tell(self, outcome: &DeleteOutcome, summary: &mut Summary) {
        let (volume_id, policy, snapshot_id) = (self.volume_id, self.policy, self.snapshot_id);
        match outcome {
            DeleteOutcome::Accepted { request_id } => {
                summary.snapshots.cleaned += 1;
                log::cleaned(
                    volume_id,
                    policy,
                    snapshot_id,
                    &self.what,
                    request_id.as_deref(),
                );
            }
            DeleteOutcome::AlreadyGone | DeleteOutcome::ByOther => {}
            DeleteOutcome::OutOfTime(error) | DeleteOutcome::Refused(error) => {
                let warning = format!("{} could not be deleted: {error}", self.what);
                log::warn(volume_id, policy, Some(snapshot_id), &warning);
                summary.warnings.push(Warning {
                    volume_id: Some(volume_id.to_owned()),
                    policy: Some(policy),
                    snapshot_id: Some(snapshot_id.to_owned()),
                    warning,
                });
            }
        }
    }
}

//! Saying what came of each window: counted in the summary, logged with its reason, and told to
//! whoever is notified.

use super::Pass;
use super::create::CreateOutcome;
use super::delete::DeleteOutcome;
use crate::openstack::{Error, NotCreated};
use crate::plan::Volume;
use crate::plan::creation::{DueWindow, StaleSnapshot};
use crate::plan::duplicates::Duplicate;
use crate::policy::{InvalidSetting, PolicyKind, Window};
use crate::report::{FailureEntry, Notification, NotifiedWindow, Summary, Warning};

/// A policy that cannot be read is a failure of its own and stops no other.
pub(super) fn tell_invalid(
    volume: &Volume,
    policy: PolicyKind,
    invalid: &InvalidSetting,
    summary: &mut Summary,
) {
    tracing::info!(
        volume_id = volume.id,
        policy = %policy,
        verdict = "invalid",
        reason = %invalid,
        "the policy cannot be read"
    );
    summary.volumes.invalid += 1;
    summary.failures.push(FailureEntry {
        volume_id: Some(volume.id.clone()),
        policy: Some(policy),
        error: invalid.to_string(),
        ..FailureEntry::default()
    });
}

/// Leaves a window to the next pass.
pub(super) fn defer(
    pass: &Pass<'_>,
    summary: &mut Summary,
    volume_id: &str,
    policy: PolicyKind,
    window: &Window,
    reason: &str,
) {
    tracing::info!(
        volume_id,
        policy = %policy,
        verdict = "deferred",
        reason,
        window_start = %window.start,
        "left to the next pass"
    );
    summary.snapshots.deferred += 1;
    leave_unserved(pass, summary, window);
}

/// Remembers the most overdue of the windows that were left unserved.
fn leave_unserved(pass: &Pass<'_>, summary: &mut Summary, window: &Window) {
    let age = (pass.now - window.start).num_seconds();
    summary.oldest_due_age = summary.oldest_due_age.max(age);
}

/// Says what came of removing what was in a window's way.
pub(super) fn tell_cleaned(
    due: &DueWindow,
    one: &StaleSnapshot,
    removal: DeleteOutcome,
    summary: &mut Summary,
) {
    match removal {
        DeleteOutcome::Accepted { request_id } => {
            tracing::info!(
                volume_id = due.volume_id,
                policy = %due.policy,
                verdict = "cleaned",
                reason = one.reason,
                snapshot_id = one.snapshot_id,
                openstack_request_id = request_id,
                "removed what was in the way"
            );
            summary.snapshots.cleaned += 1;
        }
        DeleteOutcome::AlreadyGone => {}
        DeleteOutcome::OutOfTime(error) | DeleteOutcome::Refused(error) => {
            let warning = format!(
                "a snapshot ({}) is in the window's way and could not be removed; the \
                 window is taken all the same: {error}",
                one.reason
            );
            let snapshot_id = Some(one.snapshot_id.clone());
            warn(&due.volume_id, due.policy, snapshot_id, warning, summary);
        }
    }
}

/// Says what came of a window that was due.
pub(super) fn tell_taken(
    pass: &Pass<'_>,
    due: &DueWindow,
    taken: CreateOutcome,
    summary: &mut Summary,
) {
    let (volume_id, policy) = (&due.volume_id, due.policy);
    let window_start = due.window.start;
    match taken {
        CreateOutcome::Created(snapshot) => {
            tracing::info!(
                volume_id, %policy, verdict = "created", snapshot_id = snapshot.id,
                reason = "the window had no snapshot", %window_start, "taken"
            );
            summary.snapshots.created += 1;
        }
        CreateOutcome::Adopted { by, why } => {
            tracing::info!(
                volume_id, %policy, verdict = "adopted", snapshot_id = by, reason = why,
                %window_start, "served by one that is not provably ours"
            );
            summary.snapshots.adopted += 1;
        }
        CreateOutcome::Not(NotCreated::Pending { snapshot_id }) => {
            tracing::info!(
                volume_id, %policy, verdict = "pending", snapshot_id,
                reason = "the pass's time ended first", %window_start,
                "left alone; the next pass picks it up"
            );
            summary.snapshots.pending += 1;
        }
        CreateOutcome::Not(NotCreated::Deferred(error)) => defer(
            pass,
            summary,
            volume_id,
            policy,
            &due.window,
            &error.to_string(),
        ),
        CreateOutcome::Not(NotCreated::Deleted { snapshot_id, error }) => {
            tell_failed(pass, due, error, Some(snapshot_id), summary);
        }
        CreateOutcome::Not(NotCreated::Failed {
            error,
            snapshot_id,
            not_cleaned,
        }) => {
            if let Some(refusal) = not_cleaned {
                let warning = format!("the broken snapshot could not be removed: {refusal}");
                warn(volume_id, policy, snapshot_id.clone(), warning, summary);
            }
            tell_failed(pass, due, error, snapshot_id, summary);
        }
    }
}

fn tell_failed(
    pass: &Pass<'_>,
    due: &DueWindow,
    error: Error,
    snapshot_id: Option<String>,
    summary: &mut Summary,
) {
    tracing::info!(
        volume_id = due.volume_id,
        policy = %due.policy,
        verdict = "failed",
        reason = %error,
        snapshot_id,
        openstack_request_id = error.request_id,
        window_start = %due.window.start,
        "not taken"
    );
    summary.snapshots.failed += 1;
    leave_unserved(pass, summary, &due.window);
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
            error.to_string(),
            window,
        ));
    }
    summary.failures.push(FailureEntry {
        volume_id: Some(due.volume_id.clone()),
        policy: Some(due.policy),
        snapshot_id,
        request_id: error.request_id.clone(),
        error: error.to_string(),
    });
}

fn warn(
    volume_id: &str,
    policy: PolicyKind,
    snapshot_id: Option<String>,
    warning: String,
    summary: &mut Summary,
) {
    tracing::warn!(
        volume_id,
        policy = %policy,
        snapshot_id,
        warning
    );
    summary.warnings.push(Warning {
        volume_id: Some(volume_id.to_owned()),
        policy: Some(policy),
        snapshot_id,
        warning,
    });
}

/// Says what came of removing a duplicate.
pub(super) fn tell_duplicate(duplicate: &Duplicate, removal: DeleteOutcome, summary: &mut Summary) {
    let warning = match removal {
        DeleteOutcome::Accepted { request_id } => {
            tracing::info!(
                volume_id = duplicate.volume_id,
                policy = %duplicate.policy,
                verdict = "cleaned",
                snapshot_id = duplicate.snapshot_id,
                stays = duplicate.stays,
                openstack_request_id = request_id,
                "a second snapshot of the window was removed"
            );
            summary.snapshots.cleaned += 1;
            return;
        }
        DeleteOutcome::AlreadyGone => return,
        DeleteOutcome::OutOfTime(error) | DeleteOutcome::Refused(error) => format!(
            "a second snapshot of a window ({} stays) could not be removed; the next pass tries \
             again: {error}",
            duplicate.stays
        ),
    };
    let snapshot_id = Some(duplicate.snapshot_id.clone());
    warn(
        &duplicate.volume_id,
        duplicate.policy,
        snapshot_id,
        warning,
        summary,
    );
}

//! What an expire pass has to tell: of its plan and of what came of it, counts, log lines,
//! failures, warnings and notifications are made here, and nowhere else.

use super::Pass;
use super::delete::DeleteOutcome;
use super::invalid_policy::add_invalid_policy;
use super::inventory::{self, ExpireInventory};
use crate::openstack::Error;
use crate::plan::Volume;
use crate::plan::expiry::{Deletion, ExpiryVerdict, Kept, Lost, Plan, Reason};
use crate::policy::{Metadata, PolicyKind, PolicyState};
use crate::report::{Action, FailureEntry, Summary, Warning};
use crate::webhook::Notification;

/// A deletion that was planned, with what came of it.
#[derive(Debug)]
pub(super) struct DeletionOutcome<'a> {
    pub(super) deletion: &'a Deletion<'a>,
    pub(super) outcome: Outcome,
    /// The snapshot's metadata, where somebody is told of the failure.
    pub(super) metadata: Metadata,
    /// Whether it would have to be forced, which this pass may not.
    pub(super) is_force_denied: bool,
}

/// What came of a deletion that was planned.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was tried.
    Deleted(DeleteOutcome),
    /// It stays, for the snapshot is not what was listed any more.
    Stays(&'static str),
}

/// What the plan itself tells.
pub(super) fn of_plan(pass: &Pass<'_>, inventory: &ExpireInventory, plan: &Plan<'_>) -> Summary {
    let mut summary = Summary::default();
    let volumes = || inventory.volumes.values();
    for volume in volumes().filter(|one| one.managed && pass.scope.contains(one)) {
        summary.volumes.managed += 1;
        for (kind, state) in volume.policies() {
            if let PolicyState::Invalid(invalid) = state {
                add_invalid_policy(volume, kind, invalid, &mut summary);
            }
        }
    }
    summary.snapshots.managed = inventory
        .snapshots
        .counts()
        .filter(|(volume_id, _)| match inventory.volumes.get(*volume_id) {
            Some(volume) => pass.scope.contains(volume),
            None => pass.scope.contains_unlisted(volume_id),
        })
        .map(|(_, count)| count)
        .sum();
    inventory::warn_of_unknown(
        pass,
        "there is neither a volume with this id nor a managed snapshot of one",
        |id| inventory.volumes.contains_key(id) || inventory.snapshots.count_of(id) > 0,
        &mut summary,
    );
    for (volume, lost) in &plan.lost {
        add_lost(volume, lost, &mut summary);
    }
    for kept in &plan.kept {
        add_kept(kept, &mut summary);
    }
    summary.oldest_expired_age = plan.oldest_expired_age(pass.now);
    summary
}

fn add_lost(volume: &Volume, lost: &Lost, summary: &mut Summary) {
    let policy = match lost {
        Lost::Wiped { .. } => None,
        Lost::NotManaged { policy } => Some(*policy),
    };
    summary.volumes.lost += 1;
    let warning = lost.to_string();
    warn(&volume.id, policy, None, warning, summary);
}

fn add_kept(kept: &Kept<'_>, summary: &mut Summary) {
    let reason = match kept.verdict {
        ExpiryVerdict::UnknownPolicy => "its policy type is none of the five",
        ExpiryVerdict::NoExpiry => "it has no expiry date",
        ExpiryVerdict::UnreadableExpiry => {
            "its expiry date is no RFC 3339 date with a time and a zone"
        }
        ExpiryVerdict::Held => "it is held",
        ExpiryVerdict::Busy => "somebody is at work with it, or it is on its way",
        ExpiryVerdict::KeptLast => "it is among the newest of its policy",
        ExpiryVerdict::NotExpired | ExpiryVerdict::Delete { .. } => return,
    };
    if kept.verdict == ExpiryVerdict::KeptLast {
        summary.snapshots.kept += 1;
    }
    tracing::debug!(
        volume_id = kept.volume_id,
        policy = kept.policy.map(PolicyKind::as_str),
        verdict = "kept",
        snapshot_id = kept.snapshot_id,
        reason,
        "snapshot kept"
    );
    let cannot_be_judged = matches!(
        kept.verdict,
        ExpiryVerdict::UnknownPolicy | ExpiryVerdict::NoExpiry | ExpiryVerdict::UnreadableExpiry
    );
    if cannot_be_judged {
        let warning = format!(
            "managed, but {reason}; it is kept: mend its metadata, or delete it by hand if it is \
             not wanted"
        );
        let snapshot_id = Some(kept.snapshot_id.to_owned());
        warn(kept.volume_id, kept.policy, snapshot_id, warning, summary);
    }
}

fn warn(
    volume_id: &str,
    policy: Option<PolicyKind>,
    snapshot_id: Option<String>,
    warning: String,
    summary: &mut Summary,
) {
    tracing::warn!(
        volume_id,
        policy = policy.map(PolicyKind::as_str),
        snapshot_id,
        warning
    );
    summary.warnings.push(Warning {
        volume_id: Some(volume_id.to_owned()),
        policy,
        snapshot_id,
        warning,
    });
}

/// What a dry run would have deleted.
pub(super) fn add_planned(plan: &Plan<'_>, summary: &mut Summary) {
    for deletion in &plan.deletions {
        Line::of(deletion, "due").log("snapshot would be deleted");
        summary.plan.push(Action::Delete {
            snapshot_id: deletion.snapshot_id.to_owned(),
            volume_id: deletion.volume_id.to_owned(),
            reason: word(deletion.reason),
            expired_at: deletion.expired_at,
        });
    }
}

/// All that would go is left to a later pass, and that is a failure.
pub(super) fn add_all_deferred(plan: &Plan<'_>, why: String, summary: &mut Summary) {
    tracing::error!(reason = why, "nothing is deleted");
    summary.snapshots.deferred += plan.deletions.len();
    summary.failures.push(FailureEntry {
        error: why,
        ..FailureEntry::default()
    });
}

/// Adds what came of one deletion.
pub(super) fn add(pass: &Pass<'_>, one: DeletionOutcome<'_>, summary: &mut Summary) {
    let deletion = one.deletion;
    let line = |verdict| Line::of(deletion, verdict);
    let counts = &mut summary.snapshots;
    match one.outcome {
        Outcome::Stays(why) => line("kept").because(why).log("snapshot kept"),
        Outcome::Deleted(DeleteOutcome::Accepted { request_id }) => {
            counts.deleted += 1;
            line("deleted")
                .request(request_id.as_deref())
                .log("snapshot deleted");
        }
        Outcome::Deleted(DeleteOutcome::AlreadyGone) => {
            counts.deleted += 1;
            line("deleted")
                .because("it was gone already")
                .log("snapshot deleted");
        }
        Outcome::Deleted(DeleteOutcome::ByOther) => {
            counts.deleted += 1;
            line("deleted")
                .because("it is being deleted already")
                .log("snapshot deleted");
        }
        Outcome::Deleted(DeleteOutcome::OutOfTime(error)) => {
            counts.deferred += 1;
            line("deferred")
                .because(&error.to_string())
                .log("snapshot deletion deferred");
        }
        Outcome::Deleted(DeleteOutcome::Refused(error)) => {
            counts.failed += 1;
            let error_text = described(&error, one.is_force_denied);
            line("failed")
                .because(&error_text)
                .request(error.request_id.as_deref())
                .log("snapshot deletion failed");
            if pass.notifies {
                summary.notifications.push(Notification::of_deletion(
                    deletion.volume_id.to_owned(),
                    deletion.snapshot_id.to_owned(),
                    error_text.clone(),
                    one.metadata,
                ));
            }
            summary.failures.push(FailureEntry {
                volume_id: Some(deletion.volume_id.to_owned()),
                policy: Some(deletion.policy),
                snapshot_id: Some(deletion.snapshot_id.to_owned()),
                request_id: error.request_id,
                error: error_text,
            });
        }
    }
}

fn described(error: &Error, is_force_denied: bool) -> String {
    if is_force_denied {
        format!("{error}; it is stuck, and deleting it by force takes an administrator's role")
    } else {
        error.to_string()
    }
}

fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Expired => "expired",
        Reason::KeepAtMost => "keep-at-most",
    }
}

/// The log line about one deletion.
struct Line<'a> {
    deletion: &'a Deletion<'a>,
    verdict: &'static str,
    detail: Option<&'a str>,
    request_id: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(deletion: &'a Deletion<'a>, verdict: &'static str) -> Self {
        Self {
            deletion,
            verdict,
            detail: None,
            request_id: None,
        }
    }

    fn because(mut self, detail: &'a str) -> Self {
        self.detail = Some(detail);
        self
    }

    fn request(mut self, id: Option<&'a str>) -> Self {
        self.request_id = id;
        self
    }

    fn log(&self, message: &str) {
        tracing::info!(
            volume_id = self.deletion.volume_id,
            policy = %self.deletion.policy,
            verdict = self.verdict,
            snapshot_id = self.deletion.snapshot_id,
            reason = word(self.deletion.reason),
            detail = self.detail,
            expired_at = %self.deletion.expired_at,
            openstack_request_id = self.request_id,
            "{message}"
        );
    }
}

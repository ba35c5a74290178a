//! What an expire pass has to tell: of its plan and of what came of it, counts, log lines,
//! failures, warnings and notifications are made here, and nowhere else.

use super::delete::DeleteOutcome;
use super::inventory::ExpireInventory;
use super::{Pass, remarks};
use crate::openstack::Error;
use crate::plan::Volume;
use crate::plan::expiry::{Deletion, ExpiryVerdict, Kept, Lost, Plan, Reason};
use crate::policy::{Metadata, PolicyKind, PolicyState};
use crate::report::{Action, FailureEntry, SnapshotCounts, Summary, VolumeCounts, Warning};
use crate::webhook::Notification;

/// A deletion that was planned, with what came of it.
#[derive(Debug)]
pub(super) struct DeletionOutcome<'a> {
    pub(super) deletion: &'a Deletion<'a>,
    pub(super) attempt: Attempt,
    /// The snapshot's metadata, where somebody is told of the failure.
    pub(super) metadata: Metadata,
    /// Whether it would have to be forced, which this pass may not.
    pub(super) is_force_denied: bool,
}

/// What came of a deletion that was planned.
#[derive(Debug)]
pub(super) enum Attempt {
    /// It was tried.
    Made(DeleteOutcome),
    /// It stays, for the snapshot is not what was listed any more.
    Dropped(&'static str),
}

/// What the plan itself tells.
pub(super) fn of_plan(pass: &Pass<'_>, inventory: &ExpireInventory, plan: &Plan<'_>) -> Summary {
    let scope = pass.scope;
    let volumes = || {
        let volumes = inventory.volumes.values();
        volumes.filter(|one| one.managed && scope.contains(one))
    };
    let invalid = volumes().flat_map(|volume| {
        volume
            .policies()
            .filter_map(move |(kind, state)| match state {
                PolicyState::Invalid(invalid) => {
                    Some(remarks::invalid_policy(volume, kind, invalid))
                }
                PolicyState::Enabled(_) | PolicyState::Disabled => None,
            })
    });
    let snapshots = inventory.snapshots.counts();
    let snapshots = snapshots.filter(|(volume_id, _)| match inventory.volumes.get(*volume_id) {
        Some(volume) => scope.contains(volume),
        None => scope.contains_unlisted(volume_id),
    });
    let unknown = remarks::unknown_volumes(scope.volume_ids.as_ref(), remarks::NO_TRACE, |id| {
        inventory.volumes.contains_key(id) || inventory.snapshots.count_of(id) > 0
    });
    let seen = Summary {
        volumes: VolumeCounts {
            managed: volumes().count(),
            ..VolumeCounts::default()
        },
        snapshots: SnapshotCounts {
            managed: snapshots.map(|(_, count)| count).sum(),
            ..SnapshotCounts::default()
        },
        oldest_expired_age: plan.oldest_expired_age(pass.now),
        ..Summary::default()
    };
    let unknown = unknown.map(Summary::from);
    let lost = plan.lost.iter().map(|(volume, lost)| of_lost(volume, lost));
    let kept = plan.kept.iter().map(of_kept);
    seen + invalid
        .chain(unknown)
        .chain(lost)
        .chain(kept)
        .sum::<Summary>()
}

fn of_lost(volume: &Volume, lost: &Lost) -> Summary {
    let policy = match lost {
        Lost::Wiped { .. } => None,
        Lost::NotManaged { policy } => Some(*policy),
    };
    let counts = VolumeCounts {
        lost: 1,
        ..VolumeCounts::default()
    };
    Summary::from(counts) + warning(&volume.id, policy, None, lost.to_string())
}

fn of_kept(kept: &Kept<'_>) -> Summary {
    let reason = match kept.verdict {
        ExpiryVerdict::UnknownPolicy => "its policy type is none of the five",
        ExpiryVerdict::NoExpiry => "it has no expiry date",
        ExpiryVerdict::UnreadableExpiry => {
            "its expiry date is no RFC 3339 date with a time and a zone"
        }
        ExpiryVerdict::Held => "it is held",
        ExpiryVerdict::Busy => "somebody is at work with it, or it is on its way",
        ExpiryVerdict::KeptLast => "it is among the newest of its policy",
        ExpiryVerdict::NotExpired | ExpiryVerdict::Delete { .. } => return Summary::default(),
    };
    tracing::debug!(
        volume_id = kept.volume_id,
        policy = kept.policy.map(PolicyKind::as_str),
        verdict = "kept",
        snapshot_id = kept.snapshot_id,
        reason,
        "snapshot kept"
    );
    let counts = SnapshotCounts {
        kept: usize::from(kept.verdict == ExpiryVerdict::KeptLast),
        ..SnapshotCounts::default()
    };
    let cannot_be_judged = matches!(
        kept.verdict,
        ExpiryVerdict::UnknownPolicy | ExpiryVerdict::NoExpiry | ExpiryVerdict::UnreadableExpiry
    );
    let warning = cannot_be_judged.then(|| {
        let text = format!(
            "managed, but {reason}; it is kept: mend its metadata, or delete it by hand if it is \
             not wanted"
        );
        let snapshot_id = Some(kept.snapshot_id.to_owned());
        warning(kept.volume_id, kept.policy, snapshot_id, text)
    });
    Summary::from(counts) + warning
}

fn warning(
    volume_id: &str,
    policy: Option<PolicyKind>,
    snapshot_id: Option<String>,
    warning: String,
) -> Warning {
    tracing::warn!(
        volume_id,
        policy = policy.map(PolicyKind::as_str),
        snapshot_id,
        warning
    );
    Warning {
        volume_id: Some(volume_id.to_owned()),
        policy,
        snapshot_id,
        warning,
    }
}

/// What a dry run would have deleted.
pub(super) fn of_planned(plan: &Plan<'_>) -> Summary {
    let actions = plan.deletions.iter().map(|deletion| {
        Line::of(deletion, "due").log("snapshot would be deleted");
        Action::Delete {
            snapshot_id: deletion.snapshot_id.to_owned(),
            volume_id: deletion.volume_id.to_owned(),
            reason: word(deletion.reason),
            expired_at: deletion.expired_at,
        }
    });
    actions.map(Summary::from).sum()
}

/// All that would go is left to a later pass, and that is a failure.
pub(super) fn of_all_deferred(plan: &Plan<'_>, why: String) -> Summary {
    tracing::error!(reason = why, "nothing is deleted");
    let counts = SnapshotCounts {
        deferred: plan.deletions.len(),
        ..SnapshotCounts::default()
    };
    let failure = FailureEntry {
        error: why,
        ..FailureEntry::default()
    };
    Summary::from(counts) + failure
}

/// What came of one deletion.
pub(super) fn of_deletion(pass: &Pass<'_>, one: DeletionOutcome<'_>) -> Summary {
    let deletion = one.deletion;
    let line = |verdict| Line::of(deletion, verdict);
    let none = SnapshotCounts::default();
    let deleted = SnapshotCounts { deleted: 1, ..none };
    let gone = |why: &str| {
        line("deleted").because(why).log("snapshot deleted");
        deleted.into()
    };
    match one.attempt {
        Attempt::Dropped(why) => {
            line("kept").because(why).log("snapshot kept");
            Summary::default()
        }
        Attempt::Made(DeleteOutcome::Accepted { request_id }) => {
            line("deleted")
                .request(request_id.as_deref())
                .log("snapshot deleted");
            deleted.into()
        }
        Attempt::Made(DeleteOutcome::AlreadyGone) => gone("it was gone already"),
        Attempt::Made(DeleteOutcome::ByOther) => gone("it is being deleted already"),
        Attempt::Made(DeleteOutcome::OutOfTime(error)) => {
            line("deferred")
                .because(&error.to_string())
                .log("snapshot deletion deferred");
            SnapshotCounts {
                deferred: 1,
                ..none
            }
            .into()
        }
        Attempt::Made(DeleteOutcome::Refused(error)) => {
            let text = described(&error, one.is_force_denied);
            line("failed")
                .because(&text)
                .request(error.request_id.as_deref())
                .log("snapshot deletion failed");
            let notification = pass.notifies.then(|| {
                Notification::of_deletion(
                    deletion.volume_id.to_owned(),
                    deletion.snapshot_id.to_owned(),
                    text.clone(),
                    one.metadata,
                )
            });
            let failure = FailureEntry {
                volume_id: Some(deletion.volume_id.to_owned()),
                policy: Some(deletion.policy),
                snapshot_id: Some(deletion.snapshot_id.to_owned()),
                request_id: error.request_id,
                error: text,
            };
            Summary::from(SnapshotCounts { failed: 1, ..none }) + failure + notification
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

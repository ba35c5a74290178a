//! The expire pass: removes what has expired.

use futures::{StreamExt, stream};

use super::Pass;
use super::delete::DeleteOutcome;
use super::inventory::{self, Candidate, ExpireInventory};
use super::telling::tell_invalid;
use crate::openstack::Error;
use crate::plan::expiry::{self, ExpiryLimits, ExpiryVerdict};
use crate::plan::{Snapshot, Volume};
use crate::policy::PolicyState;
use crate::report::{Action, FailureEntry, Notification, Summary, Warning};

/// Looks, plans and, unless this is a dry run, removes what has expired, the oldest first.
///
/// # Errors
/// Whatever kept the cloud from being looked at in full: nothing has been deleted then.
pub async fn run(pass: &Pass<'_>) -> Result<Summary, Error> {
    let past = inventory::for_expiry(pass).await?;
    let mut summary = Summary::default();
    count(pass, &past, &mut summary);
    let expired = judge(pass, past, &mut summary);
    if pass.dry_run {
        for one in expired {
            summary.plan.push(Action::Delete {
                snapshot_id: one.candidate.snapshot.id,
                volume_id: one.candidate.snapshot.volume_id,
                expired_at: one.expired_at,
            });
        }
        return Ok(summary);
    }
    let mut removals = stream::iter(expired)
        .map(async |one| {
            let removal = pass
                .delete_snapshot(pass.deadline, &one.candidate.snapshot.id)
                .await;
            (one.candidate, removal)
        })
        .buffer_unordered(pass.client.connection().max_concurrency());
    while let Some((candidate, removal)) = removals.next().await {
        tell_removal(pass, candidate, removal, &mut summary);
    }
    Ok(summary)
}

/// An expired snapshot that goes.
struct Expired {
    candidate: Candidate,
    expired_at: chrono::DateTime<chrono::Utc>,
}

fn in_scope(pass: &Pass<'_>, volume: Option<&Volume>, volume_id: &str) -> bool {
    match volume {
        Some(volume) => pass.scope.contains(volume),
        None => pass.scope.contains_unlisted(volume_id),
    }
}

fn count(pass: &Pass<'_>, past: &ExpireInventory, summary: &mut Summary) {
    for volume in past.volumes.values() {
        if !volume.managed || !pass.scope.contains(volume) {
            continue;
        }
        summary.volumes.managed += 1;
        for (kind, reading) in volume.policies() {
            if let PolicyState::Invalid(invalid) = reading {
                tell_invalid(volume, kind, invalid, summary);
            }
        }
    }
    summary.snapshots.managed = past
        .counts
        .iter()
        .filter(|(id, _)| in_scope(pass, past.volumes.get(*id), id))
        .map(|(_, count)| count)
        .sum();
    inventory::warn_of_unknown(
        pass,
        "there is neither a volume with this id nor a managed snapshot of one",
        |id| past.volumes.contains_key(id) || past.counts.contains_key(id),
        summary,
    );
}

/// Judges every candidate of this pass's share, and gives those that go, the oldest first.
fn judge(pass: &Pass<'_>, past: ExpireInventory, summary: &mut Summary) -> Vec<Expired> {
    let limits = ExpiryLimits {
        keep_last: pass.limits.keep_last,
        stuck_after: pass.limits.stuck_after,
    };
    let mut expired = Vec::new();
    for candidate in past.candidates {
        let snapshot = &candidate.snapshot;
        let volume = past.volumes.get(&snapshot.volume_id);
        if !in_scope(pass, volume, &snapshot.volume_id) {
            continue;
        }
        let verdict = expiry::judge(snapshot, volume, &past.newest, pass.now, limits);
        match verdict {
            ExpiryVerdict::Delete { expired_at } => {
                expired.push(Expired {
                    candidate,
                    expired_at,
                });
                continue;
            }
            ExpiryVerdict::KeptLast => summary.snapshots.kept += 1,
            ExpiryVerdict::UnknownPolicy => {
                warn(snapshot, "its policy type is none of the four", summary);
            }
            ExpiryVerdict::NoExpiry => warn(snapshot, "it has no expiry date", summary),
            ExpiryVerdict::UnreadableExpiry => warn(
                snapshot,
                "its expiry date is no RFC 3339 date with a time and a zone",
                summary,
            ),
            ExpiryVerdict::NotExpired | ExpiryVerdict::Held | ExpiryVerdict::Busy => {}
        }
        tracing::debug!(
            volume_id = snapshot.volume_id,
            policy = snapshot.policy.map(|kind| kind.as_str()),
            snapshot_id = snapshot.id,
            ?verdict,
            "stays"
        );
    }
    expired.sort_by_key(|one| one.expired_at);
    if let Some(oldest) = expired.first() {
        summary.oldest_expired_age = (pass.now - oldest.expired_at).num_seconds();
    }
    expired
}

fn warn(snapshot: &Snapshot, why: &str, summary: &mut Summary) {
    let warning = format!(
        "managed, but {why}; it is kept: mend its metadata, or delete it by hand if it is not \
         wanted"
    );
    tracing::warn!(
        volume_id = snapshot.volume_id,
        snapshot_id = snapshot.id,
        warning
    );
    summary.warnings.push(Warning {
        volume_id: Some(snapshot.volume_id.clone()),
        policy: snapshot.policy,
        snapshot_id: Some(snapshot.id.clone()),
        warning,
    });
}

fn tell_removal(
    pass: &Pass<'_>,
    candidate: Candidate,
    removal: DeleteOutcome,
    summary: &mut Summary,
) {
    let Candidate { snapshot, metadata } = candidate;
    let policy = snapshot.policy.map(|kind| kind.as_str());
    let (volume_id, snapshot_id) = (&snapshot.volume_id, &snapshot.id);
    match removal {
        DeleteOutcome::Accepted { request_id } => {
            tracing::info!(
                volume_id,
                policy,
                verdict = "deleted",
                snapshot_id,
                reason = "expired",
                openstack_request_id = request_id,
                "deleted"
            );
            summary.snapshots.deleted += 1;
        }
        DeleteOutcome::AlreadyGone | DeleteOutcome::ByOther => {
            tracing::info!(
                volume_id,
                policy,
                verdict = "deleted",
                snapshot_id,
                reason = "already gone",
                "deleted"
            );
            summary.snapshots.deleted += 1;
        }
        DeleteOutcome::OutOfTime(error) => {
            tracing::info!(
                volume_id,
                policy,
                verdict = "deferred",
                snapshot_id,
                reason = %error,
                "left to the next pass"
            );
            summary.snapshots.deferred += 1;
        }
        DeleteOutcome::Refused(error) => {
            tracing::info!(
                volume_id,
                policy,
                verdict = "failed",
                snapshot_id,
                reason = %error,
                openstack_request_id = error.request_id,
                "not deleted"
            );
            summary.snapshots.failed += 1;
            if pass.notifies {
                summary.notifications.push(Notification::of_deletion(
                    volume_id.clone(),
                    snapshot_id.clone(),
                    error.to_string(),
                    metadata,
                ));
            }
            summary.failures.push(FailureEntry {
                volume_id: Some(snapshot.volume_id),
                policy: snapshot.policy,
                snapshot_id: Some(snapshot.id),
                request_id: error.request_id.clone(),
                error: error.to_string(),
            });
        }
    }
}

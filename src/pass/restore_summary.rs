//! What came of a restore, as its answer and its log lines say it.

use std::collections::{BTreeMap, BTreeSet};

use super::restore::{CopyOutcome, SeenCopy};
use super::restore_commands::{Swap, attachment, commands};
use crate::event::RestoreRequest;
use crate::openstack::Error;
use crate::plan::restore::{RestoreItem, RestorePlan, RestoreVolume};
use crate::report::{FailureEntry, RestoreSummary, RestoredVolume, Warning};
use crate::text::rfc3339;

/// The access rule that a restore needs beyond those of the passes.
const ACCESS_RULE: &str = "restore needs the access rule POST /v3/*/volumes for block-storage, and \
                           a role that may create volumes";

/// Folds what came of each volume into the answer.
pub(super) fn fold(
    plan: &RestorePlan<'_>,
    outcomes: Vec<CopyOutcome>,
    volumes: &BTreeMap<String, RestoreVolume>,
    sizes: &BTreeMap<String, Option<u64>>,
    request: &RestoreRequest,
    remarks: Vec<Warning>,
) -> RestoreSummary {
    let is_open = |outcome: &&CopyOutcome| matches!(outcome, CopyOutcome::Open { .. });
    let mut summary = RestoreSummary {
        open: outcomes.iter().filter(is_open).count(),
        ..RestoreSummary::default()
    };
    let mut swaps = Vec::new();
    let mut incomplete = BTreeSet::new();
    for (item, outcome) in plan.items.iter().zip(outcomes) {
        log(item, &outcome);
        if let Some(failure) = failure(item, &outcome) {
            summary.failures.push(failure);
        }
        for id in &item.surplus {
            summary.warnings.push(Warning {
                volume_id: Some(id.clone()),
                warning: format!(
                    "a second copy of {}, made by a call at the same moment; one is enough: delete \
                     the one that you do not use",
                    item.volume_id
                ),
                ..Warning::default()
            });
        }
        let place = item.original.and_then(|one| attachment(one, request));
        if let (CopyOutcome::Open { .. } | CopyOutcome::Planned, Some(place)) = (&outcome, place) {
            incomplete.insert(place.server_id.as_str());
        }
        let copy = outcome.into_copy();
        if let Some(copy) = copy.as_ref().filter(|copy| copy.is_usable()) {
            swaps.push(Swap {
                attachment: place,
                volume_id: &item.volume_id,
                copy_id: copy.id.clone(),
                is_attached: copy.is_attached(),
                copy: volumes.get(&copy.id),
            });
        }
        summary.volumes.push(row(item, copy, sizes));
    }
    for volume_id in &plan.without_snapshot {
        tracing::info!(volume_id, verdict = "failed", "nothing to restore from");
        summary.failures.push(FailureEntry {
            volume_id: Some(volume_id.clone()),
            error: "the volume has no available managed snapshot of the point that is restored; \
                    look for one by hand with openstack volume snapshot list"
                .to_owned(),
            ..FailureEntry::default()
        });
    }
    let warnings = warnings(plan, request).into_iter().map(Warning::on_pass);
    for warning in warnings.chain(remarks) {
        summary.warnings.push(warning);
    }
    // A server is not touched before all that it is to get is there: half of it fits nothing.
    swaps.retain(|swap| {
        let server = swap.attachment.map(|at| at.server_id.as_str());
        server.is_none_or(|server| !incomplete.contains(server))
    });
    summary.next = commands(&swaps, &request.restore_id);
    summary
}

fn row(
    item: &RestoreItem<'_>,
    copy: Option<SeenCopy>,
    sizes: &BTreeMap<String, Option<u64>>,
) -> RestoredVolume {
    let size_of_snapshot = sizes.get(&item.source.snapshot_id).copied().flatten();
    RestoredVolume {
        volume_id: item.volume_id.clone(),
        name: item.original.and_then(|one| one.name.clone()),
        snapshot_id: item.source.snapshot_id.clone(),
        policy: item.source.policy,
        window_start: item.source.window_start,
        created_at: item.source.created_at,
        restored_name: item.restored_name.clone(),
        size: copy
            .as_ref()
            .and_then(|copy| copy.size)
            .or(size_of_snapshot),
        status: copy.as_ref().map(|copy| copy.status.clone()),
        restored_volume_id: copy.map(|copy| copy.id),
    }
}

fn failure(item: &RestoreItem<'_>, outcome: &CopyOutcome) -> Option<FailureEntry> {
    let (error, request_id) = match outcome {
        CopyOutcome::Failed { error, volume } => {
            let mut text = error.to_string();
            if let Some(copy) = volume {
                text = format!("{text}: {} is left for you to look at", copy.id);
            }
            if lacks_permission(error) {
                text = format!("{text}; {ACCESS_RULE}");
            }
            (text, error.request_id.clone())
        }
        CopyOutcome::Broken(copy) => (
            format!(
                "the copy {} is in the state {}; it is left for you to look at: delete it, and the \
                 same call makes a new one",
                copy.id, copy.status
            ),
            None,
        ),
        _ => return None,
    };
    Some(FailureEntry {
        volume_id: Some(item.volume_id.clone()),
        policy: item.source.policy,
        snapshot_id: Some(item.source.snapshot_id.clone()),
        request_id,
        error,
    })
}

fn lacks_permission(error: &Error) -> bool {
    error
        .status()
        .is_some_and(|status| matches!(status.as_u16(), 401 | 403))
}

/// What a person must know before the copies are used.
fn warnings(plan: &RestorePlan<'_>, request: &RestoreRequest) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some((first, last)) = plan.spread {
        warnings.push(format!(
            "the volumes have no window in common: what is restored was taken from {} to {}, {} \
             seconds apart; data that span volumes may not fit together",
            rfc3339(first),
            rfc3339(last),
            (last - first).num_seconds()
        ));
    }
    if !request.dry_run && !plan.items.is_empty() {
        warnings.push(
            "the copies are crash-consistent, as after a power cut: let file systems and databases \
             recover before you trust them"
                .to_owned(),
        );
        warnings.push(
            "the copies are not managed: subscribe them once they take the originals' place"
                .to_owned(),
        );
    }
    warnings
}

fn log(item: &RestoreItem<'_>, outcome: &CopyOutcome) {
    let (verdict, reason) = match outcome {
        CopyOutcome::Usable { is_new: true, .. } => ("created", "restored".to_owned()),
        CopyOutcome::Usable { is_new: false, .. } => ("adopted", "the copy is there".to_owned()),
        CopyOutcome::Open { why, .. } => ("pending", why.clone()),
        CopyOutcome::Failed { error, .. } => ("failed", error.to_string()),
        CopyOutcome::Broken(copy) => ("failed", format!("the copy is {}", copy.status)),
        CopyOutcome::Planned => ("planned", "dry run".to_owned()),
    };
    tracing::info!(
        volume_id = item.volume_id,
        snapshot_id = item.source.snapshot_id,
        restored_volume_id = outcome.copy().map(|copy| copy.id.as_str()),
        verdict,
        reason,
        "volume restore"
    );
}

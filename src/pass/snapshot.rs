//! The snapshot pass: takes what is due.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;

use super::Pass;
use super::cleaning::Removal;
use super::look::{self, Present, read_snapshot};
use super::taking::Taking;
use crate::openstack::Error;
use crate::plan::creation::{self, Due, Plan, Verdict};
use crate::plan::twins::{self, Twin};
use crate::plan::{Snapshot, State, Volume};
use crate::policy::{InvalidSetting, PolicyKind, Reading, Window};
use crate::report::{Action, Failure, Summary, Warning};

/// The clocks of a cloud's machines differ by less than this.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(5);

/// Looks, plans and, unless this is a dry run, takes what is due.
///
/// # Errors
/// Whatever kept the cloud from being looked at in full: nothing has been changed then.
pub async fn run(pass: &Pass<'_>) -> Result<Summary, Error> {
    let present = look::at_the_present(pass).await?;
    let volumes: Vec<&Volume> = present.volumes.iter().collect();
    let plan = creation::plan(
        &volumes,
        &present.histories,
        pass.now,
        pass.limits.stuck_after,
    );
    let mut summary = Summary::default();
    count(pass, &present, &mut summary);
    report(pass, &plan, &mut summary);
    if pass.dry_run {
        list(&plan, &mut summary);
        return Ok(summary);
    }

    // A cloud's clock that is ahead must not hide what we make now.
    let since = present
        .newest
        .map(|newest| newest.min(pass.now) - CLOCK_SKEW);
    let mut taking = Taking::new(pass, since, &mut summary);
    let work = taking.carry_out(plan.rounds(), &plan.twins);
    pass.client
        .watching(pass.deadline, pass.limits.poll_interval, work)
        .await;
    let created = taking.created();
    if !created.is_empty() {
        settle_twins(pass, &volumes, since, created, &plan.twins, &mut summary).await;
    }
    Ok(summary)
}

fn count(pass: &Pass<'_>, present: &Present, summary: &mut Summary) {
    summary.volumes.managed = present.volumes.len();
    let ours: std::collections::BTreeSet<&str> = present
        .volumes
        .iter()
        .map(|volume| volume.id.as_str())
        .collect();
    summary.snapshots.managed = present
        .histories
        .iter()
        .filter(|(id, _)| {
            ours.contains(id.as_str())
                || !present.known.contains(*id) && pass.scope.contains_unlisted(id)
        })
        .map(|(_, history)| history.count)
        .sum();
    look::warn_of_unknown(
        pass,
        "there is no managed volume with this id",
        |id| present.known.contains(id),
        summary,
    );
}

/// Counts what was decided, and says why, line by line.
fn report(pass: &Pass<'_>, plan: &Plan<'_>, summary: &mut Summary) {
    for decision in &plan.decisions {
        let (volume, policy) = (decision.volume, decision.policy);
        match &decision.verdict {
            Verdict::Invalid(invalid) => tell_invalid(volume, policy, invalid, summary),
            Verdict::Served { by, window } => tracing::debug!(
                volume_id = volume.id,
                policy = %policy,
                verdict = "served",
                snapshot_id = by,
                window_start = %window.start,
                "nothing is due: the window has its snapshot"
            ),
            Verdict::Deferred { window } => {
                summary.volumes.due += 1;
                let warning = format!(
                    "the volume is {}, and only available or in-use ones can be taken; it is \
                     tried again by the next pass",
                    volume.status
                );
                defer(pass, summary, &volume.id, policy, window, &warning);
                summary.warnings.push(Warning {
                    volume_id: Some(volume.id.clone()),
                    policy: Some(policy),
                    snapshot_id: None,
                    warning,
                });
            }
            Verdict::Due(due) => {
                summary.volumes.due += 1;
                if pass.dry_run {
                    tracing::info!(
                        volume_id = volume.id,
                        policy = %policy,
                        verdict = "due",
                        window_start = %due.window.start,
                        "would be taken: the window has no snapshot"
                    );
                }
            }
        }
    }
}

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
    summary.failures.push(Failure {
        volume_id: Some(volume.id.clone()),
        policy: Some(policy),
        error: invalid.to_string(),
        ..Failure::default()
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
pub(super) fn leave_unserved(pass: &Pass<'_>, summary: &mut Summary, window: &Window) {
    let age = (pass.now - window.start).num_seconds();
    summary.oldest_due_age = summary.oldest_due_age.max(age);
}

/// What a dry run would have done.
fn list(plan: &Plan<'_>, summary: &mut Summary) {
    let mut due: Vec<&Due> = plan
        .decisions
        .iter()
        .filter_map(|decision| match &decision.verdict {
            Verdict::Due(due) => Some(&**due),
            _ => None,
        })
        .collect();
    due.sort_by_key(|due| due.window.start);
    for one in due {
        for in_the_way in &one.in_the_way {
            summary.plan.push(Action::Clean {
                snapshot_id: in_the_way.snapshot_id.clone(),
                volume_id: one.volume_id.clone(),
                reason: in_the_way.reason.into(),
            });
        }
        summary.plan.push(Action::Create {
            volume_id: one.volume_id.clone(),
            policy: one.policy,
            name: one.name.clone(),
            window_start: one.window.start,
            window_end: one.window.end,
            expires_at: one.expires_at,
        });
    }
    for twin in &plan.twins {
        summary.plan.push(Action::Clean {
            snapshot_id: twin.snapshot_id.clone(),
            volume_id: twin.volume_id.clone(),
            reason: format!("a second snapshot of the window; {} stays", twin.stays),
        });
    }
}

/// Looks once more, now that ours are available, for what overlapping passes took of the same
/// windows, and removes all but the first of each.
async fn settle_twins(
    pass: &Pass<'_>,
    volumes: &[&Volume],
    since: Option<DateTime<Utc>>,
    mut created: BTreeMap<String, (String, PolicyKind)>,
    known: &[Twin],
    summary: &mut Summary,
) {
    let looked = pass
        .client
        .list_managed_snapshots_since(pass.deadline, since)
        .await;
    let looked = match looked {
        Ok(looked) => looked,
        Err(error) => {
            tracing::warn!(%error, "could not look for twins");
            summary.warn(format!(
                "whether another pass took the same windows could not be looked at; the next \
                 pass does: {error}"
            ));
            return;
        }
    };
    let mut by_volume: BTreeMap<&str, Vec<Snapshot>> = BTreeMap::new();
    for one in &looked {
        by_volume
            .entry(&one.volume_id)
            .or_default()
            .push(read_snapshot(one));
    }
    let twins: Vec<Twin> = volumes
        .iter()
        .filter_map(|volume| Some((volume, by_volume.get(volume.id.as_str())?)))
        .flat_map(|(volume, snapshots)| twins::superfluous(volume, snapshots, pass.now))
        .filter(|twin| !known.contains(twin))
        .collect();
    let removals = join_all(twins.iter().map(|twin| pass.remove_twin(&twin.snapshot_id))).await;
    for (twin, removal) in twins.iter().zip(removals) {
        let gone = matches!(removal, Removal::Accepted { .. } | Removal::AlreadyGone);
        tell_twin(twin, removal, summary);
        if gone && created.remove(&twin.snapshot_id).is_some() {
            yield_to_twin(summary, &twin.snapshot_id, &twin.stays);
        }
    }
    // Another pass may have been quicker to remove ours.
    for (id, (volume_id, policy)) in created {
        let of_volume = by_volume
            .get(volume_id.as_str())
            .map_or(&[][..], Vec::as_slice);
        let is_there =
            |one: &&Snapshot| one.state == State::Available && one.policy == Some(policy);
        if of_volume.iter().filter(is_there).any(|one| one.id == id) {
            continue;
        }
        let window = volumes
            .iter()
            .find(|volume| volume.id == volume_id)
            .and_then(|volume| match volume.policy(policy) {
                Reading::Enabled(policy) => Some(policy.window_at(pass.now)),
                _ => None,
            });
        let stays = window.and_then(|window| {
            of_volume
                .iter()
                .filter(is_there)
                .find(|one| one.belongs_to(policy, &window))
        });
        if let Some(stays) = stays {
            yield_to_twin(summary, &id, &stays.id);
        }
    }
}

/// Ours was the second of its window: the window is served by the other.
fn yield_to_twin(summary: &mut Summary, ours: &str, stays: &str) {
    tracing::info!(
        snapshot_id = ours,
        stays,
        "ours was the second of its window"
    );
    summary.snapshots.created -= 1;
    summary.snapshots.adopted += 1;
}

/// Says what came of removing a twin.
pub(super) fn tell_twin(twin: &Twin, removal: Removal, summary: &mut Summary) {
    let warning = match removal {
        Removal::Accepted { request_id } => {
            tracing::info!(
                volume_id = twin.volume_id,
                policy = %twin.policy,
                verdict = "cleaned",
                snapshot_id = twin.snapshot_id,
                stays = twin.stays,
                openstack_request_id = request_id,
                "a second snapshot of the window was removed"
            );
            summary.snapshots.cleaned += 1;
            return;
        }
        Removal::AlreadyGone => return,
        Removal::OutOfTime(error) | Removal::Refused(error) => format!(
            "a second snapshot of a window ({} stays) could not be removed; the next pass tries \
             again: {error}",
            twin.stays
        ),
    };
    tracing::warn!(
        volume_id = twin.volume_id,
        policy = %twin.policy,
        snapshot_id = twin.snapshot_id,
        warning
    );
    summary.warnings.push(Warning {
        volume_id: Some(twin.volume_id.clone()),
        policy: Some(twin.policy),
        snapshot_id: Some(twin.snapshot_id.clone()),
        warning,
    });
}

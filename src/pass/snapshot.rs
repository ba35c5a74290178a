//! The snapshot pass: takes what is due.

use chrono::TimeDelta;

use super::Pass;
use super::dedupe::dedupe;
use super::executor::Executor;
use super::inventory::{self, CreateInventory};
use super::telling::{defer, tell_invalid};
use crate::openstack::Error;
use crate::plan::Volume;
use crate::plan::creation::{self, DueWindow, Plan, WindowVerdict};
use crate::report::{Action, Summary, Warning};

/// The clocks of a cloud's machines differ by less than this.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(5);

/// Looks, plans and, unless this is a dry run, takes what is due.
///
/// # Errors
/// Whatever kept the cloud from being looked at in full: nothing has been changed then.
pub async fn run(pass: &Pass<'_>) -> Result<Summary, Error> {
    let present = inventory::for_creation(pass).await?;
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
    let mut executor = Executor::new(pass, since, &mut summary);
    executor.carry_out(plan.batches(), &plan.duplicates).await;
    let created = executor.created();
    if !created.is_empty() {
        dedupe(
            pass,
            &volumes,
            since,
            created,
            &plan.duplicates,
            &mut summary,
        )
        .await;
    }
    Ok(summary)
}

fn count(pass: &Pass<'_>, present: &CreateInventory, summary: &mut Summary) {
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
    inventory::warn_of_unknown(
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
            WindowVerdict::Invalid(invalid) => tell_invalid(volume, policy, invalid, summary),
            WindowVerdict::Served { by, window } => tracing::debug!(
                volume_id = volume.id,
                policy = %policy,
                verdict = "served",
                snapshot_id = by,
                window_start = %window.start,
                "nothing is due: the window has its snapshot"
            ),
            WindowVerdict::Deferred { window } => {
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
            WindowVerdict::DueWindow(due) => {
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

/// What a dry run would have done.
fn list(plan: &Plan<'_>, summary: &mut Summary) {
    let mut due: Vec<&DueWindow> = plan
        .decisions
        .iter()
        .filter_map(|decision| match &decision.verdict {
            WindowVerdict::DueWindow(due) => Some(&**due),
            _ => None,
        })
        .collect();
    due.sort_by_key(|due| due.window.start);
    for one in due {
        for stale_snapshots in &one.stale_snapshots {
            summary.plan.push(Action::Clean {
                snapshot_id: stale_snapshots.snapshot_id.clone(),
                volume_id: one.volume_id.clone(),
                reason: stale_snapshots.reason.into(),
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
    for duplicate in &plan.duplicates {
        summary.plan.push(Action::Clean {
            snapshot_id: duplicate.snapshot_id.clone(),
            volume_id: duplicate.volume_id.clone(),
            reason: format!("a second snapshot of the window; {} stays", duplicate.stays),
        });
    }
}

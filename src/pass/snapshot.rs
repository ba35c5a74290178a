//! The snapshot pass: takes what is due.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::dedupe::dedupe;
use super::executor::execute;
use super::inventory::{self, CreateInventory};
use super::outcome::{CreateOutcome, Deferral, PassOutcomes, WindowOutcome};
use super::snapshot_summary::tell;
use super::{Pass, clocks};
use crate::openstack::Error;
use crate::plan::creation::{self, Plan, WindowVerdict};
use crate::plan::{DueWindow, Volume};
use crate::report::{Action, Summary};

/// The clocks of a cloud's machines differ by less than this.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(5);

/// Looks, plans and, unless this is a dry run, takes what is due.
///
/// # Errors
/// Whatever kept the cloud from being looked at in full: nothing has been changed then.
pub(crate) async fn run(pass: &Pass<'_>) -> Result<Summary, Error> {
    let inventory = inventory::for_creation(pass).await?;
    let volumes: Vec<&Volume> = inventory.volumes.iter().collect();
    let plan = creation::plan(
        &volumes,
        &inventory.histories,
        pass.now,
        pass.limits.stuck_after,
    );
    let mut summary = Summary::default();
    count(pass, &inventory, &mut summary);
    clocks::warn(pass.client.clock_difference(), &mut summary);
    inventory::warn_of_rows_left_out(pass, &mut summary);
    let outcomes = if pass.dry_run {
        list(pass, &plan, &mut summary);
        foreseen(pass, &plan)
    } else {
        // A cloud's clock that is ahead must not hide what we make now.
        let since = inventory
            .newest
            .map(|newest| newest.min(pass.now) - CLOCK_SKEW);
        let mut outcomes = execute(pass, &plan, since).await;
        dedupe(pass, &volumes, since, &plan.duplicates, &mut outcomes).await;
        outcomes
    };
    tell(pass, &plan, outcomes, &mut summary);
    Ok(summary)
}

fn count(pass: &Pass<'_>, inventory: &CreateInventory, summary: &mut Summary) {
    summary.volumes.managed = inventory.volumes.len();
    let ours: BTreeSet<&str> = inventory
        .volumes
        .iter()
        .map(|volume| volume.id.as_str())
        .collect();
    summary.snapshots.managed = inventory
        .histories
        .iter()
        .filter(|(id, _)| {
            ours.contains(id.as_str())
                || !inventory.known.contains(*id) && pass.scope.contains_unlisted(id)
        })
        .map(|(_, of_volume)| of_volume.count)
        .sum();
    inventory::warn_of_unknown(
        pass,
        "there is no managed volume with this id",
        |id| inventory.known.contains(id),
        summary,
    );
}

/// What a dry run knows of the windows' ends: which are not tried yet, should all that is to be
/// cleaned be gone.
fn foreseen(pass: &Pass<'_>, plan: &Plan<'_>) -> PassOutcomes {
    let windows = plan.decisions.iter().filter_map(|decision| {
        let WindowVerdict::Due(due) = &decision.verdict else {
            return None;
        };
        let wait = due.back_off_once_cleaned(pass.now)?;
        Some(WindowOutcome {
            due: (**due).clone(),
            outcome: CreateOutcome::Deferred(Deferral::BackOff(wait)),
        })
    });
    PassOutcomes {
        windows: windows.collect(),
        ..PassOutcomes::default()
    }
}

/// What a dry run would have done.
fn list(pass: &Pass<'_>, plan: &Plan<'_>, summary: &mut Summary) {
    let mut due: Vec<(&DueWindow, bool)> = plan
        .decisions
        .iter()
        .filter_map(|decision| match &decision.verdict {
            WindowVerdict::Due(due) => {
                Some((&**due, due.back_off_once_cleaned(pass.now).is_none()))
            }
            WindowVerdict::Invalid(_)
            | WindowVerdict::Served { .. }
            | WindowVerdict::Blocked(_) => None,
        })
        .collect();
    due.sort_by_key(|(due, _)| due.window.start);
    for (due, is_tried) in due {
        for stale in &due.stale_snapshots {
            summary.plan.push(Action::Clean {
                snapshot_id: stale.snapshot_id.clone(),
                volume_id: due.volume_id.clone(),
                reason: stale.reason.into(),
            });
        }
        if is_tried {
            summary.plan.push(Action::Create {
                volume_id: due.volume_id.clone(),
                policy: due.policy,
                name: due.name.clone(),
                window_start: due.window.start,
                window_end: due.window.end,
                expires_at: due.expires_at,
            });
        }
    }
    for duplicate in &plan.duplicates {
        summary.plan.push(Action::Clean {
            snapshot_id: duplicate.snapshot_id.clone(),
            volume_id: duplicate.volume_id.clone(),
            reason: duplicate.to_string(),
        });
    }
}

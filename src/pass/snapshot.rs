//! The snapshot pass: takes what is due.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use tokio::time::Instant;

use super::dedupe::dedupe;
use super::executor::execute;
use super::inventory::{self, CreateInventory};
use super::outcome::{CreateOutcome, Deferral, PassOutcomes, WindowOutcome};
use super::snapshot_summary::summary_of;
use super::{Pass, remarks};
use crate::openstack::Error;
use crate::plan::creation::{self, Plan, UnderWay, WindowVerdict};
use crate::plan::{DueWindow, Volume};
use crate::report::{Action, SnapshotCounts, Summary, VolumeCounts};

/// The clocks of a cloud's machines differ by less than this.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(5);

/// Looks, plans and, unless this is a dry run, takes what is due.
///
/// # Errors
/// Whatever kept the cloud from being looked at in full: nothing has been changed then.
pub(crate) async fn run(pass: &Pass<'_>) -> Result<Summary, Error> {
    let listed_since = Instant::now();
    let inventory = inventory::for_creation(pass).await?;
    let volumes: Vec<&Volume> = inventory.volumes.iter().collect();
    let mut plan = creation::plan(
        &volumes,
        &inventory.histories,
        pass.now,
        pass.limits.stuck_after,
    );
    plan.under_way.extend(of_neighbours(pass, &inventory));
    let seen = seen(pass, &inventory) + remarks::on_cloud(pass);
    let outcomes = if pass.dry_run {
        foreseen(pass, &plan)
    } else {
        // A cloud's clock that is ahead must not hide what we make now.
        let since = inventory
            .newest
            .map(|newest| newest.min(pass.now) - CLOCK_SKEW);
        let outcomes = execute(pass, &plan, listed_since, since).await;
        let overlap = dedupe(
            pass,
            &volumes,
            &inventory.histories,
            since,
            &plan.duplicates,
            &outcomes.windows,
        )
        .await;
        PassOutcomes {
            overlap,
            ..outcomes
        }
    };
    let would_do = pass.dry_run.then(|| would_do(pass, &plan));
    Ok(seen + would_do + summary_of(pass, &plan, outcomes))
}

/// What is being created of volumes that this pass does not look after, and takes its slots.
fn of_neighbours<'a>(
    pass: &'a Pass<'_>,
    inventory: &'a CreateInventory,
) -> impl Iterator<Item = UnderWay> + 'a {
    let stuck_after = pass.limits.stuck_after;
    let listed = inventory
        .neighbours
        .iter()
        .filter_map(|(id, of)| Some((id, of.as_ref(), inventory.histories.get(id)?)));
    listed.flat_map(move |(id, of, snapshots)| {
        creation::under_way_of(id, of, snapshots, pass.now, stuck_after)
    })
}

/// What there is of this pass's share, and which volumes were asked for in vain.
fn seen(pass: &Pass<'_>, inventory: &CreateInventory) -> Summary {
    let ours: BTreeSet<&str> = inventory
        .volumes
        .iter()
        .map(|volume| volume.id.as_str())
        .collect();
    let is_ours = |id: &str| {
        ours.contains(id) || !inventory.known.contains(id) && pass.scope.contains_unlisted(id)
    };
    let snapshots = inventory.histories.iter().filter(|(id, _)| is_ours(id));
    let unknown = remarks::unknown_volumes(
        pass.scope.volume_ids.as_ref(),
        "there is no managed volume with this id",
        |id| inventory.known.contains(id),
    );
    let volumes = VolumeCounts {
        managed: inventory.volumes.len(),
        ..VolumeCounts::default()
    };
    let snapshots = SnapshotCounts {
        managed: snapshots.map(|(_, of_volume)| of_volume.count).sum(),
        ..SnapshotCounts::default()
    };
    Summary::from(volumes) + snapshots + unknown.map(Summary::from).sum::<Summary>()
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
fn would_do(pass: &Pass<'_>, plan: &Plan<'_>) -> Summary {
    let mut due: Vec<&DueWindow> = plan
        .decisions
        .iter()
        .filter_map(|decision| match &decision.verdict {
            WindowVerdict::Due(due) => Some(&**due),
            WindowVerdict::Invalid(_)
            | WindowVerdict::Served { .. }
            | WindowVerdict::Blocked(_) => None,
        })
        .collect();
    due.sort_by_key(|due| due.window.start);
    let of_windows = due.into_iter().flat_map(|due| {
        let cleaned = due.stale_snapshots.iter().map(|stale| Action::Clean {
            snapshot_id: stale.snapshot_id.clone(),
            volume_id: due.volume_id.clone(),
            reason: stale.reason.into(),
        });
        let is_tried = due.back_off_once_cleaned(pass.now).is_none();
        let created = is_tried.then(|| Action::Create {
            volume_id: due.volume_id.clone(),
            policy: due.policy,
            name: due.name.clone(),
            window_start: due.window.start,
            window_end: due.window.end,
            expires_at: due.expires_at,
        });
        cleaned.chain(created)
    });
    let of_duplicates = plan.duplicates.iter().map(|duplicate| Action::Clean {
        snapshot_id: duplicate.snapshot_id.clone(),
        volume_id: duplicate.volume_id.clone(),
        reason: duplicate.to_string(),
    });
    of_windows.chain(of_duplicates).map(Summary::from).sum()
}

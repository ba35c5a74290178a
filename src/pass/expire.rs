//! The expire pass: deletes what has expired, and what a policy keeps too many of.

use std::cell::RefCell;

use futures::{Stream, StreamExt, stream};
use http::StatusCode;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::delete::{DeleteOutcome, Force, may_have_changed};
use super::expire_summary::{self, Attempt, DeletionOutcome};
use super::inventory::{self, ExpireInventory, read_snapshot, read_volume};
use super::{Pass, remarks};
use crate::openstack::Error;
use crate::plan::expiry::{self, Deletion, ExpiryLimits, Reason, Turn};
use crate::plan::{Expiry, State, Volume};
use crate::policy::{Metadata, PolicyState, keys};
use crate::report::Summary;

/// Looks, plans and, unless this is a dry run, deletes what is to go.
///
/// # Errors
/// Whatever kept the cloud from being looked at in full: nothing has been deleted then.
pub(crate) async fn run(pass: &Pass<'_>) -> Result<Summary, Error> {
    let listed_since = Instant::now();
    let inventory = inventory::for_expiry(pass).await?;
    let limits = ExpiryLimits {
        keep_last: pass.limits.keep_last,
        stuck_after: pass.limits.stuck_after,
        all_volumes_known: pass.client.rows_left_out() == 0,
    };
    let (volumes, snapshots) = (&inventory.volumes, &inventory.snapshots);
    let plan = expiry::plan(volumes, snapshots, pass.scope, pass.now, limits);
    let summary = expire_summary::of_plan(pass, &inventory, &plan) + remarks::on_cloud(pass);
    let done = if let Some(why) = remarks::why_not_to_delete(pass.client.clock_difference()) {
        expire_summary::of_all_deferred(&plan, why)
    } else if pass.dry_run {
        expire_summary::of_planned(&plan)
    } else {
        let executor = Executor {
            pass,
            inventory: &inventory,
            listed_since,
            force: Force::default(),
            one_by_one: Mutex::default(),
        };
        executor
            .execute(&plan.deletions)
            .map(|one| expire_summary::of_deletion(pass, one))
            .fold(Summary::default(), async |sum, one| sum + one)
            .await
    };
    Ok(summary + done)
}

/// Carries the plan out.
struct Executor<'a> {
    pass: &'a Pass<'a>,
    inventory: &'a ExpireInventory,
    /// When the listing began.
    listed_since: Instant,
    /// Whether the role allows force.
    force: Force,
    /// Held by the deletion that may find that out.
    one_by_one: Mutex<()>,
}

impl<'a> Executor<'a> {
    /// Deletes these in their order, side by side, and gives what came of each. Those that may have
    /// to be forced come last, and one by one until it is known whether force is allowed.
    fn execute(&'a self, deletions: &'a [Deletion<'a>]) -> impl Stream<Item = DeletionOutcome<'a>> {
        let first_stuck = deletions.partition_point(|deletion| deletion.turn < Turn::Stuck);
        let (ordinary, stuck) = deletions.split_at(first_stuck);
        let at_once = self.pass.client.connection().max_concurrency();
        let ordinary = stream::iter(ordinary)
            .map(|deletion| self.delete(deletion))
            .buffer_unordered(at_once);
        let stuck = stream::iter(stuck)
            .map(|deletion| self.delete_stuck(deletion))
            .buffer_unordered(at_once);
        ordinary.chain(stuck)
    }

    async fn delete_stuck(&self, deletion: &'a Deletion<'a>) -> DeletionOutcome<'a> {
        let turn = self.one_by_one.lock().await;
        let _turn = self.force.is_unknown().then_some(turn);
        self.delete(deletion).await
    }

    async fn delete(&self, deletion: &'a Deletion<'a>) -> DeletionOutcome<'a> {
        let (deadline, id, force) = (self.pass.deadline, deletion.snapshot_id, &self.force);
        let changed = RefCell::new(None);
        // Asked before each request: one that is sent again may have waited for long.
        let goes = async |_| {
            let change = match may_have_changed(self.listed_since) {
                true => self.change(deletion).await,
                false => None,
            };
            changed.replace(change);
            changed.borrow().is_none()
        };
        let deleted = self.pass.delete_or_force(deadline, id, force, goes).await;
        let attempt = changed.into_inner().unwrap_or(Attempt::Made(deleted));
        let is_notified =
            self.pass.notifies && matches!(attempt, Attempt::Made(DeleteOutcome::Refused(_)));
        DeletionOutcome {
            deletion,
            metadata: match is_notified {
                true => self.metadata(deletion.snapshot_id).await,
                false => Metadata::new(),
            },
            is_force_denied: deletion.turn == Turn::Stuck && self.force.is_denied(),
            attempt,
        }
    }

    /// What has become of a snapshot since it was listed, where it is not to be deleted any more.
    async fn change(&self, deletion: &Deletion<'_>) -> Option<Attempt> {
        let (deadline, id) = (self.pass.deadline, deletion.snapshot_id);
        let listed = match self.pass.client.snapshot(deadline, id).await {
            Ok(listed) => listed,
            Err(error) => return Some(Attempt::Made(DeleteOutcome::of(Err(error)))),
        };
        let snapshot = read_snapshot(&listed);
        let why = if !keys::is_managed(&listed.metadata) {
            "it is not managed any more"
        } else if snapshot.held {
            "it is held by now"
        } else if snapshot.expiry != Expiry::At(deletion.expired_at) {
            "it has another expiry date by now"
        } else if snapshot.state == State::Available && deletion.turn != Turn::Available {
            "it is available by now"
        } else if deletion.reason == Reason::KeepAtMost {
            return self.change_of_limit(deletion).await;
        } else {
            return None;
        };
        Some(Attempt::Dropped(why))
    }

    /// The same of a limit by number, which somebody may have corrected meanwhile.
    async fn change_of_limit(&self, deletion: &Deletion<'_>) -> Option<Attempt> {
        let limits_of = |volume: &Volume| match volume.policy(deletion.policy) {
            PolicyState::Enabled(policy) if volume.managed => {
                Some((policy.keep_at_most(), policy.keep_last()))
            }
            _ => None,
        };
        let volume = self.inventory.volumes.get(deletion.volume_id);
        let listed = volume.and_then(limits_of);
        let (client, deadline) = (self.pass.client, self.pass.deadline);
        let limits = match client.volume(deadline, deletion.volume_id).await {
            Ok(volume) => limits_of(&read_volume(volume)),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => None,
            Err(error) => return Some(Attempt::Made(DeleteOutcome::of(Err(error)))),
        };
        let why = "its policy has no such limit by now";
        (limits != listed).then_some(Attempt::Dropped(why))
    }

    /// The metadata of a snapshot that could not be deleted: as listed or, for those that were not
    /// remembered, as they are now.
    async fn metadata(&self, id: &str) -> Metadata {
        if let Some(listed) = self.inventory.metadata.get(id) {
            return listed.clone();
        }
        let read = self.pass.client.snapshot(self.pass.deadline, id).await;
        read.map(|snapshot| snapshot.metadata).unwrap_or_default()
    }
}

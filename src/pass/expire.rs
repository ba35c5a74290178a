//! The expire pass: deletes what has expired, and what a policy keeps too many of.

use std::cell::RefCell;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::Instant;

use super::delete::{DeleteOutcome, Force};
use super::expire_summary::{self, DeletionOutcome, Outcome};
use super::inventory::{self, ExpireInventory, read_snapshot};
use super::{Pass, clocks};
use crate::openstack::Error;
use crate::plan::Expiry;
use crate::plan::expiry::{self, Deletion, ExpiryLimits, Turn};
use crate::policy::{Metadata, keys};
use crate::report::Summary;

/// What was listed this long ago is read again before it is deleted: people set holds meanwhile.
const LISTING_HOLDS: Duration = Duration::from_secs(30);

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
    let mut summary = expire_summary::of_plan(pass, &inventory, &plan);
    let difference = pass.client.clock_difference();
    clocks::warn(difference, &mut summary);
    inventory::warn_of_rows_left_out(pass, &mut summary);
    if let Some(why) = clocks::why_not_to_delete(difference) {
        expire_summary::add_all_deferred(&plan, why, &mut summary);
    } else if pass.dry_run {
        expire_summary::add_planned(&plan, &mut summary);
    } else {
        let executor = Executor {
            pass,
            inventory: &inventory,
            listed_since,
            force: Force::default(),
        };
        let add = |one| expire_summary::add(pass, one, &mut summary);
        executor.carry_out(&plan.deletions, add).await;
    }
    Ok(summary)
}

/// Carries the plan out.
struct Executor<'a> {
    pass: &'a Pass<'a>,
    inventory: &'a ExpireInventory,
    /// When the listing began.
    listed_since: Instant,
    /// Whether the role allows force.
    force: Force,
}

impl<'a> Executor<'a> {
    /// Deletes these in their order, side by side, and hands over what came of each. Those that
    /// may have to be forced come last, and one by one until it is known whether force is allowed.
    async fn carry_out(
        &self,
        deletions: &'a [Deletion<'a>],
        mut done: impl FnMut(DeletionOutcome<'a>),
    ) {
        let first_stuck = deletions.partition_point(|deletion| deletion.turn < Turn::Stuck);
        let (ordinary, mut stuck) = deletions.split_at(first_stuck);
        self.delete_side_by_side(ordinary, &mut done).await;
        while self.force.is_unknown()
            && let Some((next, rest)) = stuck.split_first()
        {
            done(self.delete(next).await);
            stuck = rest;
        }
        self.delete_side_by_side(stuck, &mut done).await;
    }

    async fn delete_side_by_side(
        &self,
        deletions: &'a [Deletion<'a>],
        done: &mut impl FnMut(DeletionOutcome<'a>),
    ) {
        let mut outcomes = stream::iter(deletions)
            .map(|deletion| self.delete(deletion))
            .buffer_unordered(self.pass.client.connection().max_concurrency());
        while let Some(outcome) = outcomes.next().await {
            done(outcome);
        }
    }

    async fn delete(&self, deletion: &'a Deletion<'a>) -> DeletionOutcome<'a> {
        let (deadline, id, force) = (self.pass.deadline, deletion.snapshot_id, &self.force);
        let changed = RefCell::new(None);
        // Asked before each request: one that is sent again may have waited for long.
        let goes = async || {
            let may_have_changed = self.listed_since.elapsed() > LISTING_HOLDS;
            let change = match may_have_changed {
                true => self.change(deletion).await,
                false => None,
            };
            changed.replace(change);
            changed.borrow().is_none()
        };
        let deleted = self.pass.delete_or_force(deadline, id, force, goes).await;
        let outcome = changed.into_inner().unwrap_or(Outcome::Deleted(deleted));
        let is_notified =
            self.pass.notifies && matches!(outcome, Outcome::Deleted(DeleteOutcome::Refused(_)));
        DeletionOutcome {
            deletion,
            metadata: match is_notified {
                true => self.metadata(deletion.snapshot_id).await,
                false => Metadata::new(),
            },
            is_force_denied: deletion.turn == Turn::Stuck && self.force.is_denied(),
            outcome,
        }
    }

    /// What has become of a snapshot since it was listed, where it is not to be deleted any more.
    async fn change(&self, deletion: &Deletion<'_>) -> Option<Outcome> {
        let (deadline, id) = (self.pass.deadline, deletion.snapshot_id);
        let listed = match self.pass.client.snapshot(deadline, id).await {
            Ok(listed) => listed,
            Err(error) => return Some(Outcome::Deleted(DeleteOutcome::of(Err(error)))),
        };
        let snapshot = read_snapshot(&listed);
        let why = if !keys::is_managed(&listed.metadata) {
            "it is not managed any more"
        } else if snapshot.held {
            "it is held by now"
        } else if snapshot.expiry != Expiry::At(deletion.expired_at) {
            "it has another expiry date by now"
        } else {
            return None;
        };
        Some(Outcome::Stays(why))
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

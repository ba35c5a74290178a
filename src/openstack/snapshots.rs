//! Cinder's snapshots: listing and reading them.

use std::collections::HashSet;
use std::ops::ControlFlow;

use chrono::{DateTime, Utc};

use super::client::Client;
use super::error::Error;
use super::listing::Listing;
use super::snapshot::{Snapshot, SnapshotBody, is_older, path_to};
use crate::deadline::Deadline;

impl Client {
    /// Lists every managed snapshot, in all states, page by page, and gathers what `add` makes
    /// of them; the caller filters.
    ///
    /// # Errors
    /// Whatever kept the listing from being complete.
    pub async fn list_managed_snapshots<A>(
        &self,
        deadline: Deadline,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, Snapshot),
    ) -> Result<A, Error> {
        let name = "list managed snapshots";
        self.list_snapshots(deadline, name, None, None, new, |all, one| {
            add(all, one);
            ControlFlow::Continue(())
        })
        .await
    }

    /// Lists the managed snapshots made since an instant, all of them where none is given, and
    /// gathers what `add` makes of them.
    ///
    /// # Errors
    /// Whatever kept the listing from being complete.
    pub async fn list_managed_snapshots_since<A>(
        &self,
        deadline: Deadline,
        since: Option<DateTime<Utc>>,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, Snapshot),
    ) -> Result<A, Error> {
        let name = "look at recent snapshots";
        self.list_snapshots(deadline, name, None, since, new, |all, one| {
            if is_older(&one, since) {
                return ControlFlow::Break(());
            }
            add(all, one);
            ControlFlow::Continue(())
        })
        .await
    }

    /// Lists managed snapshots newest first, as far back as this instant or until every one of
    /// `wanted` has been met, so that the cost does not grow with history.
    pub(super) async fn list_recent_managed_snapshots(
        &self,
        deadline: Deadline,
        back_to: Option<DateTime<Utc>>,
        page_size: usize,
        wanted: &HashSet<String>,
    ) -> Result<Vec<Snapshot>, Error> {
        let name = "look at snapshots being created";
        let new = || (Vec::new(), wanted.len());
        let page_size = Some(page_size);
        let (recent, _) = self
            .list_snapshots(
                deadline,
                name,
                page_size,
                back_to,
                new,
                |(recent, missing): &mut (Vec<Snapshot>, usize), one| {
                    let passed = is_older(&one, back_to);
                    if wanted.contains(&one.id) {
                        *missing = missing.saturating_sub(1);
                    }
                    if !passed {
                        recent.push(one);
                    }
                    if passed || *missing == 0 {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                },
            )
            .await?;
        Ok(recent)
    }

    /// Lists the managed snapshots of one volume, newest first, of one policy type where one is
    /// given, and only the newest where `last_only`.
    ///
    /// Should the server's filter by volume give nothing, all snapshots are looked through, but
    /// only back to `since`.
    ///
    /// # Errors
    /// Whatever kept the listing from being complete.
    pub async fn list_managed_volume_snapshots(
        &self,
        deadline: Deadline,
        volume_id: &str,
        policy_type: Option<&str>,
        last_only: bool,
        since: Option<DateTime<Utc>>,
    ) -> Result<Vec<Snapshot>, Error> {
        let listing = Listing {
            name: "list a volume's managed snapshots",
            filter: Some(("volume_id", volume_id)),
            page_size: None,
        };
        let mut snapshots = self
            .connection
            .list(deadline, listing, Vec::new, |all, one: Snapshot| {
                if one.volume_id == volume_id {
                    let wanted = policy_type
                        .is_none_or(|wanted| self.policy_type(&one.metadata) == Some(wanted));
                    if wanted && self.is_managed(&one.metadata) {
                        all.push(one);
                    }
                } else if is_older(&one, since) {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            })
            .await?;
        // By sorting, not by trust in the order of the listing.
        snapshots.sort_by(|a: &Snapshot, b| b.age_key().cmp(&a.age_key()));
        if last_only {
            snapshots.truncate(1);
        }
        Ok(snapshots)
    }

    async fn list_snapshots<A>(
        &self,
        deadline: Deadline,
        name: &str,
        page_size: Option<usize>,
        back_to: Option<DateTime<Utc>>,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, Snapshot) -> ControlFlow<()>,
    ) -> Result<A, Error> {
        let managed = self.managed_filter();
        let listing = Listing {
            name,
            filter: Some(("metadata", &managed)),
            page_size,
        };
        self.connection
            .list(deadline, listing, new, |all, one: Snapshot| {
                if self.is_managed(&one.metadata) {
                    add(all, one)
                } else if is_older(&one, back_to) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .await
    }

    /// Reads one snapshot.
    ///
    /// # Errors
    /// A 404 where it is gone, and whatever else went wrong.
    pub async fn snapshot(&self, deadline: Deadline, id: &str) -> Result<Snapshot, Error> {
        let path = path_to(id)?;
        let body: SnapshotBody = self.read(deadline, "read snapshot", &path).await?;
        Ok(body.snapshot)
    }
}

//! Cinder's snapshots, listed: all that are managed, one volume's, and those being created.

use std::cell::Cell;
use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::client::Client;
use super::error::Error;
use super::listing::{Listing, page_for};
use super::newest_first::Order;
use super::reading::Reading;
use super::snapshot::Snapshot;
use crate::deadline::Deadline;

impl Client {
    /// Lists every managed snapshot, in all states, page by page, and gathers what `add` makes
    /// of them; the caller filters.
    ///
    /// # Errors
    /// Whatever kept the listing from being complete.
    pub(crate) async fn list_managed_snapshots<A>(
        &self,
        deadline: Deadline,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, Snapshot),
    ) -> Result<A, Error> {
        let listing = self.managed_snapshots("list managed snapshots");
        self.connection
            .list(deadline, listing, new, |gathered, one: Snapshot| {
                if self.is_managed(&one.metadata) {
                    add(gathered, one);
                }
            })
            .await
    }

    /// Lists the managed snapshots made since an instant, all of them where none is given, and
    /// gathers what `add` makes of them; older ones may be among them.
    ///
    /// # Errors
    /// Whatever kept the listing from being complete.
    pub(crate) async fn list_managed_snapshots_since<A>(
        &self,
        deadline: Deadline,
        since: Option<DateTime<Utc>>,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, Snapshot),
    ) -> Result<A, Error> {
        let listing = Listing {
            page_size: since.map(|_| page_for(self.seen.count())),
            ..self.managed_snapshots("look at recent snapshots")
        };
        let order = Order::default();
        Reading::new(self, deadline, listing, &order, new())
            .read_back_to(since, &new, |gathered, one| {
                if self.is_managed(&one.metadata) {
                    add(gathered, one);
                }
            })
            .await
    }

    /// Lists managed snapshots newest first, as far back as this instant or until every one of
    /// `wanted` has been met, so that the cost does not grow with history.
    pub(super) async fn look_for_snapshots(
        &self,
        deadline: Deadline,
        back_to: Option<DateTime<Utc>>,
        wanted: &HashSet<String>,
    ) -> Result<Vec<Snapshot>, Error> {
        let listing = Listing {
            page_size: Some(page_for(wanted.len())),
            ..self.managed_snapshots("look at snapshots being created")
        };
        let order = Order::default();
        let missing = Cell::new(wanted.len());
        let new = || {
            missing.set(wanted.len());
            Vec::new()
        };
        let mut reading = Reading::new(self, deadline, listing, &order, new());
        while missing.get() > 0 && !reading.is_done(back_to) {
            reading
                .read_on(new, |all, one| {
                    if wanted.contains(&one.id) {
                        missing.set(missing.get().saturating_sub(1));
                    }
                    if self.is_managed(&one.metadata) {
                        all.push(one);
                    }
                })
                .await?;
        }
        let mut met = reading.into_gathered();
        newest_first(&mut met);
        Ok(met)
    }

    /// Lists the managed snapshots of one volume, newest first, of one kind where one is
    /// given, and only the newest where `last_only`.
    ///
    /// Those made before `since` may be left out: should the server's filter by volume give
    /// nothing, all snapshots are looked through, but only as far back.
    ///
    /// # Errors
    /// Whatever kept the listing from being complete.
    pub(crate) async fn list_managed_volume_snapshots(
        &self,
        deadline: Deadline,
        volume_id: &str,
        kind: Option<&str>,
        last_only: bool,
        since: Option<DateTime<Utc>>,
    ) -> Result<Vec<Snapshot>, Error> {
        let name = "list a volume's managed snapshots";
        let listing = Listing {
            page_size: since.map(|_| page_for(0)),
            ..Listing::filtered(name, "volume_id", volume_id.to_owned())
        };
        let order = Order::default();
        let mut snapshots: Vec<Snapshot> =
            Reading::new(self, deadline, listing, &order, Vec::new())
                .read_back_to(since, Vec::new, |all, one| {
                    let wanted = kind.is_none_or(|wanted| self.kind(&one.metadata) == Some(wanted));
                    if one.volume_id == volume_id && wanted && self.is_managed(&one.metadata) {
                        all.push(one);
                    }
                })
                .await?;
        // By sorting, not by trust in the order of the listing.
        newest_first(&mut snapshots);
        if last_only {
            snapshots.truncate(1);
        }
        Ok(snapshots)
    }

    fn managed_snapshots<'a>(&self, name: &'a str) -> Listing<'a> {
        Listing::filtered(name, "metadata", self.managed_filter())
    }
}

fn newest_first(snapshots: &mut [Snapshot]) {
    snapshots.sort_by(|a, b| b.age_key().cmp(&a.age_key()));
}

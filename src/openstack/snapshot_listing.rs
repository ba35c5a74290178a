//! Cinder's snapshots, listed: all that are managed, one volume's, those being created, and those
//! that are recent enough to matter.
//!
//! Newest first, a listing ends where its rows are too old, however long the history is. Where
//! one page is not enough, each policy type is listed on its own, side by side: those that are
//! taken often need not be read as far back as those that are taken once a year.
//!
//! That saves requests only as far as the cloud does what it is asked, and nothing of it is
//! taken on trust: an order that does not hold, or a filter that shows other rows or none at all,
//! and one listing of everything serves all.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::try_join_all;

use super::client::Client;
use super::error::Error;
use super::listing::{Listing, refuses_the_query};
use super::newest_first::{Order, Reading};
use super::snapshot::Snapshot;
use crate::deadline::Deadline;

/// Rows asked for beyond those that are known of: others create too.
const SPARE_ROWS: usize = 50;
/// Cinder's own limit of rows a page, unless it was lowered.
const MOST_ROWS: usize = 1000;

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

    /// Lists the managed snapshots of one volume, newest first, of one policy type where one is
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
        policy_type: Option<&str>,
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
                    let wanted = policy_type
                        .is_none_or(|wanted| self.policy_type(&one.metadata) == Some(wanted));
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

/// Rows of a page that is to hold these and what others create at the same time.
fn page_for(rows: usize) -> usize {
    (rows + SPARE_ROWS).min(MOST_ROWS)
}

fn newest_first(snapshots: &mut [Snapshot]) {
    snapshots.sort_by(|a, b| b.age_key().cmp(&a.age_key()));
}

/// The measured difference of the clocks is not exact, and the cloud's machines have several.
const CLOCK_ALLOWANCE: TimeDelta = TimeDelta::hours(1);

impl Client {
    /// Lists the managed snapshots of these policy types, of each as far back as `back_to` says,
    /// by the machine's clock, and gathers what `add` makes of them; what is older, or of another
    /// type, may be among them. `back_to` is asked again with every page, and no listing goes beyond
    /// its first page before `is_known`, when it can tell best. No snapshot is gathered
    /// twice, but in one listing whose rows moved meanwhile.
    ///
    /// # Errors
    /// Whatever kept a listing from going as far back as it has to.
    pub(crate) async fn list_recent_managed_snapshots<A>(
        &self,
        deadline: Deadline,
        policy_types: &[&'static str],
        back_to: impl Fn(&str) -> DateTime<Utc>,
        is_known: impl AsyncFn(),
        new: impl Fn() -> A,
        add: impl Fn(&mut A, Snapshot),
    ) -> Result<Vec<A>, Error> {
        let back_to = |policy_type: &str| self.by_the_clouds_clock(back_to(policy_type));
        let order = Order::default();
        let name = "list recent managed snapshots";
        let listing = Listing::filtered(name, "metadata", self.managed_filter());
        let mut all = Reading::new(self, deadline, listing, &order, new());
        let met = RefCell::new(HashSet::new());
        let is_filtering = Cell::new(true);
        let gather = |gathered: &mut A, row: Snapshot| {
            is_filtering.set(is_filtering.get() && self.may_pass_filter(&row.metadata, None));
            if self.is_managed(&row.metadata) {
                met.borrow_mut().insert(row.id.clone());
                add(gathered, row);
            }
        };
        while !all.pages.has_shown_rows() && !all.pages.is_at_end() {
            all.read_on(&new, gather).await?;
        }
        let missing: Vec<&str> = policy_types
            .iter()
            .copied()
            .filter(|policy_type| !all.is_done(Some(back_to(policy_type))))
            .collect();
        if missing.is_empty() {
            return Ok(vec![all.gathered]);
        }
        // Below the version that is asked for, snapshots are not filtered by metadata.
        let may_filter =
            all.pages.is_filtered() && self.connection.observed.may_know_microversion();
        if may_filter && is_filtering.get() && !order.rises() {
            let first_page = met.take();
            let add = |gathered: &mut A, row: Snapshot| {
                if self.is_managed(&row.metadata) && !first_page.contains(&row.id) {
                    add(gathered, row);
                }
            };
            let readings = missing.into_iter().map(|policy_type| {
                let filter = self.policy_type_filter(policy_type);
                let listing = Listing {
                    filter_is_optional: false,
                    page_size: all.pages.page_size(),
                    ..Listing::filtered(name, "metadata", filter)
                };
                let reading = Reading::new(self, deadline, listing, &order, new());
                (policy_type, reading)
            });
            let by_type = self
                .list_by_policy_type(readings.collect(), &back_to, &is_known, &new, add)
                .await?;
            if let Some(mut parts) = by_type {
                parts.push(all.gathered);
                return Ok(parts);
            }
            tracing::debug!("the filter by policy type does nothing here; one listing for all");
        }
        let farthest = || policy_types.iter().map(|one| back_to(one)).min();
        let add = |gathered: &mut A, row: Snapshot| {
            if self.is_managed(&row.metadata) {
                add(gathered, row);
            }
        };
        is_known().await;
        while !all.is_done(farthest()) {
            all.read_on(&new, add).await?;
        }
        Ok(vec![all.gathered])
    }

    /// Lists each policy type, side by side; nothing where the cloud does not filter by them.
    async fn list_by_policy_type<A>(
        &self,
        mut readings: Vec<(&str, Reading<'_, A>)>,
        back_to: impl Fn(&str) -> DateTime<Utc>,
        is_known: impl AsyncFn(),
        new: impl Fn() -> A,
        add: impl Fn(&mut A, Snapshot),
    ) -> Result<Option<Vec<A>>, Error> {
        let is_filtering = Cell::new(true);
        let (is_filtering, back_to, new, add) = (&is_filtering, &back_to, &new, &add);
        let is_known = &is_known;
        let is_done = |policy_type: &str, reading: &Reading<'_, A>| {
            !is_filtering.get() || reading.is_done(Some(back_to(policy_type)))
        };
        // One whose end was believed goes on where another shows that the order does not hold.
        while !readings.iter().all(|(of, reading)| is_done(of, reading)) {
            try_join_all(readings.iter_mut().map(async |(policy_type, reading)| {
                while !is_done(policy_type, reading) {
                    let add = |gathered: &mut A, row: Snapshot| {
                        if !self.may_pass_filter(&row.metadata, Some(policy_type)) {
                            is_filtering.set(false);
                        }
                        add(gathered, row);
                    };
                    match reading.read_on(new, add).await {
                        Err(error) if refuses_the_query(&error) => is_filtering.set(false),
                        read => read?,
                    }
                    is_known().await;
                }
                Ok::<(), Error>(())
            }))
            .await?;
        }
        // Where none of them shows anything, the filter may be one that is not understood.
        let shows_rows = readings.iter().any(|(_, one)| one.pages.has_shown_rows());
        Ok((is_filtering.get() && shows_rows).then(|| {
            let gathered = readings.into_iter().map(|(_, one)| one.gathered);
            gathered.collect()
        }))
    }

    /// How far back an instant can lie by the cloud's clock, which dates the rows.
    fn by_the_clouds_clock(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let difference = self.clock_difference().unwrap_or_default().abs();
        difference
            .checked_add(&CLOCK_ALLOWANCE)
            .and_then(|allowance| at.checked_sub_signed(allowance))
            .unwrap_or(DateTime::<Utc>::MIN_UTC)
    }
}

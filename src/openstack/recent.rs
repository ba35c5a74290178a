//! Listing managed snapshots as far back as they can matter.
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
use super::listing::{Listing, Pages, Step, refuses_the_query};
use super::order::{Descent, Order};
use super::snapshot::Snapshot;
use crate::deadline::Deadline;

/// The measured difference of the clocks is not exact, and the cloud's machines have several.
const CLOCK_ALLOWANCE: TimeDelta = TimeDelta::hours(1);

/// A listing of snapshots under way, newest first, and what was gathered of it.
pub(super) struct Reading<'a, A> {
    pages: Pages<'a>,
    descent: Descent<'a>,
    gathered: A,
}

impl<'a, A> Reading<'a, A> {
    pub(super) fn new(
        client: &'a Client,
        deadline: Deadline,
        listing: Listing<'a>,
        order: &'a Order,
        gathered: A,
    ) -> Self {
        let listing = Listing {
            newest_first: true,
            ..listing
        };
        Self {
            pages: Pages::new(&client.connection, deadline, listing),
            descent: order.descent(),
            gathered,
        }
    }

    /// Whether nothing that is still to come is as new as this.
    pub(super) fn is_done(&self, back_to: Option<DateTime<Utc>>) -> bool {
        self.pages.is_at_end() || back_to.is_some_and(|at| self.descent.has_passed(at))
    }

    /// Reads the next page. A listing that is begun anew forgets what was gathered.
    pub(super) async fn read_on(
        &mut self,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, Snapshot),
    ) -> Result<(), Error> {
        match self.pages.step::<Snapshot>().await? {
            Step::Rows(rows) => {
                for row in rows {
                    self.descent.row(row.created_at);
                    add(&mut self.gathered, row);
                }
            }
            Step::Restart => {
                self.descent.restart();
                self.gathered = new();
            }
            Step::End => {}
        }
        Ok(())
    }

    /// What was gathered so far.
    pub(super) fn into_gathered(self) -> A {
        self.gathered
    }

    /// Reads as far back as this, to the end where nothing is given.
    pub(super) async fn read_back_to(
        mut self,
        back_to: Option<DateTime<Utc>>,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, Snapshot),
    ) -> Result<A, Error> {
        while !self.is_done(back_to) {
            self.read_on(&new, &mut add).await?;
        }
        Ok(self.gathered)
    }
}

impl Client {
    /// Lists the managed snapshots of these policy types, of each as far back as `back_to` says,
    /// by the machine's clock, and gathers what `add` makes of them; what is older, or of another
    /// type, may be among them. `back_to` is asked again with every page, and no listing goes beyond
    /// its first page before `is_known`, when it can tell best. No snapshot is gathered
    /// twice, but in one listing whose rows moved meanwhile.
    ///
    /// # Errors
    /// Whatever kept a listing from going as far back as it has to.
    pub async fn list_recent_managed_snapshots<A>(
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
        let may_filter = all.pages.is_filtered() && self.connection.asks_for_microversion();
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

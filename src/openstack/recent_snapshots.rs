//! Listing managed snapshots as far back as they can matter.
//!
//! Newest first, a listing ends where its rows are too old, however long the history is. Where
//! one page is not enough, each kind is listed on its own behind that page, side by side:
//! those that are taken often need not be read as far back as those that are taken once a year.
//! How far that is depends on the rows themselves: what serves a window that is open now settles
//! what came before it.
//!
//! That saves requests only as far as the cloud does what it is asked, and nothing of it is
//! taken on trust: an order that does not hold, or a filter that shows other rows or none at all,
//! and one listing of everything serves all.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::try_join_all;

use super::client::Client;
use super::error::Error;
use super::listing::Listing;
use super::newest_first::Order;
use super::paging::refuses_the_query;
use super::reading::Reading;
use super::snapshot::Snapshot;
use crate::deadline::Deadline;

/// The measured difference of the clocks is not exact, and the cloud's machines have several.
const CLOCK_ALLOWANCE: TimeDelta = TimeDelta::hours(1);

/// How far back the snapshots of each kind can matter, by the machine's clock. `A` is what is
/// gathered of them.
pub(crate) trait Horizons<A> {
    /// Waits until the horizons can be told best; before, they may lie too far back.
    fn are_known(&self) -> impl Future<Output = ()>;

    /// How far back snapshots of this type have to be listed in any case.
    fn nearest(&self, kind: &str) -> DateTime<Utc>;

    /// How far back they have to be listed where these are all as far back as the nearest
    /// horizon; nothing where that is enough.
    fn farther(&self, kind: &str, gathered: &[&A]) -> Option<DateTime<Utc>>;

    /// Whether hardly anybody wants this kind: then it is better to wait than to ask in vain, for a
    /// database looks through a whole history to find nothing.
    fn is_rare(&self, kind: &str) -> bool;

    /// About how many of this type have been made since then; nothing where nobody can tell.
    fn expected_since(&self, kind: &str, since: DateTime<Utc>) -> Option<usize>;
}

/// What the first page of all types has shown.
#[derive(Default)]
struct FirstPage {
    ids: HashSet<String>,
    /// How many rows of each type.
    rows: HashMap<String, usize>,
}

impl FirstPage {
    fn rows_of(&self, kind: &str) -> usize {
        self.rows.get(kind).copied().unwrap_or_default()
    }
}

/// What is looked for, and how far back.
struct Search<'a, H, N, F> {
    client: &'a Client,
    horizons: &'a H,
    new: N,
    add: F,
}

impl<H, N, F> Search<'_, H, N, F> {
    /// Whether a listing that has this type's rows has come as far back as these ask for.
    fn reaches<A>(&self, reading: &Reading<'_, A>, kind: &str, gathered: &[&A]) -> bool
    where
        H: Horizons<A>,
    {
        let passes = |at| reading.is_done(Some(self.client.by_the_clouds_clock(at)));
        let farther = || self.horizons.farther(kind, gathered);
        passes(self.horizons.nearest(kind)) && farther().is_none_or(passes)
    }

    /// About how many rows of this type are still to come.
    fn expected<A>(&self, kind: &str, gathered: &[&A], rows: usize) -> Option<usize>
    where
        H: Horizons<A>,
    {
        let nearest = self.horizons.nearest(kind);
        let expected = self.horizons.expected_since(kind, nearest)?;
        if let Some(missing) = expected.checked_sub(rows).filter(|missing| *missing > 0) {
            return Some(missing);
        }
        let since = self.horizons.farther(kind, gathered);
        let since = since.map_or(nearest, |at| at.min(nearest));
        let expected = self.horizons.expected_since(kind, since)?;
        Some(expected.saturating_sub(rows))
    }

    /// Reads on in each kind's listing, side by side, until all reach as far back as they
    /// have to; nothing where the cloud does not filter by them.
    async fn by_kind<'r, A>(
        &self,
        all: &Reading<'_, A>,
        first_page: &FirstPage,
        mut readings: Vec<(&str, Reading<'r, A>)>,
    ) -> Result<Option<Vec<A>>, Error>
    where
        H: Horizons<A>,
        N: Fn() -> A,
        F: Fn(&mut A, Snapshot),
    {
        let is_filtering = Cell::new(true);
        let is_filtering = &is_filtering;
        let is_done = |kind: &str, reading: &Reading<'_, A>| {
            let gathered = [all.gathered(), reading.gathered()];
            !is_filtering.get()
                || self.reaches(reading, kind, &gathered)
                || self.reaches(all, kind, &gathered)
        };
        let read = async |kind: &str, reading: &mut Reading<'r, A>, rows| {
            let add = |gathered: &mut A, row: Snapshot| {
                if !self.client.may_pass_filter(&row.metadata, Some(kind)) {
                    is_filtering.set(false);
                }
                if !first_page.ids.contains(&row.id) {
                    (self.add)(gathered, row);
                }
            };
            match reading.read_about(rows, &self.new, add).await {
                Err(error) if refuses_the_query(&error) => is_filtering.set(false),
                read => read?,
            }
            Ok::<(), Error>(())
        };
        // One whose end was believed goes on where another shows that the order does not hold.
        while !readings.iter().all(|(of, reading)| is_done(of, reading)) {
            try_join_all(readings.iter_mut().map(async |(kind, reading)| {
                let before = first_page.rows_of(kind);
                // Perhaps what has been met of it is all that is needed.
                if before > 0 || self.horizons.is_rare(kind) {
                    self.horizons.are_known().await;
                }
                while !is_done(kind, reading) {
                    let gathered = [all.gathered(), reading.gathered()];
                    let rows = self.expected(kind, &gathered, before + reading.rows());
                    read(kind, reading, rows).await?;
                    self.horizons.are_known().await;
                }
                Ok::<(), Error>(())
            }))
            .await?;
        }
        let shows_rows = |readings: &[(&str, Reading<'_, A>)]| {
            let mut readings = readings.iter();
            readings.any(|(_, reading)| reading.has_shown_rows())
        };
        // Where none of them shows anything, the filter may be one that is not understood, unless
        // it shows a row that is known to be there.
        let is_empty = readings.iter().any(|(kind, reading)| {
            let gathered = [all.gathered(), reading.gathered()];
            reading.is_at_end() && !self.reaches(all, kind, &gathered)
        });
        if is_empty && !shows_rows(&readings) {
            let mut readings = readings.iter_mut();
            let known = readings.find(|(of, one)| !one.is_begun() && first_page.rows_of(of) > 0);
            if let Some((kind, reading)) = known {
                reading.restart((self.new)());
                read(kind, reading, Some(0)).await?;
            }
        }
        let is_believed = is_filtering.get() && (!is_empty || shows_rows(&readings));
        Ok(is_believed.then(|| {
            let gathered = readings.into_iter().map(|(_, one)| one.into_gathered());
            gathered.collect()
        }))
    }
}

impl Client {
    /// Lists the managed snapshots of these kinds, of each as far back as `horizons` says,
    /// and gathers what `add` makes of them; what is older, or of another type, may be among
    /// them. The horizons are asked again with every page, and no listing goes beyond
    /// its first page before they are known. No snapshot is gathered twice, but in one listing
    /// whose rows moved meanwhile.
    ///
    /// # Errors
    /// Whatever kept a listing from going as far back as it has to.
    pub(crate) async fn list_recent_managed_snapshots<A>(
        &self,
        deadline: Deadline,
        kinds: &[&'static str],
        horizons: &impl Horizons<A>,
        new: impl Fn() -> A,
        add: impl Fn(&mut A, Snapshot),
    ) -> Result<Vec<A>, Error> {
        let add = |gathered: &mut A, row: Snapshot| {
            if self.is_managed(&row.metadata) {
                add(gathered, row);
            }
        };
        let search = Search {
            client: self,
            horizons,
            new,
            add,
        };
        let order = Order::default();
        let name = "list recent managed snapshots";
        let listing = Listing::filtered(name, "metadata", self.managed_filter());
        let mut all = Reading::new(self, deadline, listing, &order, (search.new)());
        let first_page = RefCell::new(FirstPage::default());
        let is_filtering = Cell::new(true);
        let gather = |gathered: &mut A, row: Snapshot| {
            is_filtering.set(is_filtering.get() && self.may_pass_filter(&row.metadata, None));
            if self.is_managed(&row.metadata) {
                let mut met = first_page.borrow_mut();
                met.ids.insert(row.id.clone());
                if let Some(kind) = self.kind(&row.metadata) {
                    *met.rows.entry(kind.to_owned()).or_default() += 1;
                }
            }
            (search.add)(gathered, row);
        };
        while !all.has_shown_rows() && !all.is_at_end() {
            all.read_on(&search.new, gather).await?;
        }
        let reaches =
            |all: &Reading<'_, A>, kind: &str| search.reaches(all, kind, &[all.gathered()]);
        let missing = kinds.iter().filter(|one| !reaches(&all, one));
        let missing: Vec<&str> = missing.copied().collect();
        if missing.is_empty() {
            return Ok(vec![all.into_gathered()]);
        }
        // Below the version that is asked for, snapshots are not filtered by metadata.
        let may_filter = all.is_filtered() && self.connection.observed.may_know_microversion();
        if may_filter && is_filtering.get() && !order.rises() {
            let first_page = first_page.take();
            let readings = missing.into_iter().map(|kind| {
                let filter = self.kind_filter(kind);
                let listing = Listing {
                    filter_is_optional: false,
                    ..Listing::filtered(name, "metadata", filter)
                };
                let gathered = (search.new)();
                let reading = Reading::behind(&all, self, deadline, listing, &order, gathered);
                (kind, reading)
            });
            let readings = readings.collect();
            let by_type = search.by_kind(&all, &first_page, readings).await?;
            if let Some(mut parts) = by_type {
                parts.push(all.into_gathered());
                return Ok(parts);
            }
            tracing::debug!("the filter by policy type does nothing here; one listing for all");
        }
        horizons.are_known().await;
        while kinds.iter().any(|one| !reaches(&all, one)) {
            all.read_on(&search.new, &search.add).await?;
        }
        Ok(vec![all.into_gathered()])
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

//! A listing of snapshots under way, newest first.

use chrono::{DateTime, Utc};

use super::client::Client;
use super::error::Error;
use super::listing::{Listing, MOST_ROWS, page_for};
use super::newest_first::{Descent, Order};
use super::paging::{Pages, Step};
use super::snapshot::Snapshot;
use crate::deadline::Deadline;

/// A listing of snapshots under way, newest first, and what was gathered of it.
pub(super) struct Reading<'a, A> {
    pages: Pages<'a>,
    descent: Descent<'a>,
    gathered: A,
    /// How many rows there were, and the last of them.
    rows: usize,
    last: Option<String>,
    /// Whether a page was asked for that was to be the last, came as asked for, and was not.
    fell_short: bool,
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
            rows: 0,
            last: None,
            fell_short: false,
        }
    }

    /// A listing of some of the rows of another, behind those that the other has shown.
    pub(super) fn behind<B>(
        other: &Reading<'a, B>,
        client: &'a Client,
        deadline: Deadline,
        listing: Listing<'a>,
        order: &'a Order,
        gathered: A,
    ) -> Self {
        // No database compares a time with none.
        let is_certain = other.descent.is_dated();
        let listing = Listing {
            page_size: other.pages.page_size(),
            after: other.last.clone().filter(|_| is_certain),
            ..listing
        };
        let mut reading = Self::new(client, deadline, listing, order, gathered);
        if is_certain {
            reading.descent.begin_behind(&other.descent);
        }
        reading
    }

    /// Whether nothing that is still to come is as new as this.
    pub(super) fn is_done(&self, back_to: Option<DateTime<Utc>>) -> bool {
        self.pages.is_at_end() || back_to.is_some_and(|at| self.descent.has_passed(at))
    }

    /// Whether the server has been asked for anything.
    pub(super) fn is_begun(&self) -> bool {
        self.pages.is_begun()
    }

    /// Whether any row came since the listing was begun.
    pub(super) fn has_shown_rows(&self) -> bool {
        self.pages.has_shown_rows()
    }

    /// Whether there is nothing more to read.
    pub(super) fn is_at_end(&self) -> bool {
        self.pages.is_at_end()
    }

    /// Whether the server was asked to filter, and has not refused.
    pub(super) fn is_filtered(&self) -> bool {
        self.pages.is_filtered()
    }

    /// How many rows came since the listing was begun.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Begins with the first row after all.
    pub(super) fn restart(&mut self, gathered: A) {
        self.pages.restart();
        self.forget(gathered);
    }

    fn forget(&mut self, gathered: A) {
        self.descent.restart();
        self.gathered = gathered;
        self.rows = 0;
        self.last = None;
    }

    /// What was gathered so far.
    pub(super) fn gathered(&self) -> &A {
        &self.gathered
    }

    /// Reads the next page, which is to be the last, should there be no more rows to come than
    /// these. Where one that was to be the last was not, those after it are as large as the
    /// server makes them: who is mistaken once has to pay for one more page, and not for many.
    pub(super) async fn read_about(
        &mut self,
        rows: Option<usize>,
        new: impl Fn() -> A,
        add: impl FnMut(&mut A, Snapshot),
    ) -> Result<(), Error> {
        let rows = rows.filter(|_| !self.fell_short);
        let limit = rows.map(page_for).filter(|limit| *limit < MOST_ROWS);
        self.pages.limit(limit);
        let before = self.rows;
        let read = self.read_on(new, add).await;
        self.pages.limit(None);
        self.fell_short |= limit.is_some_and(|limit| self.rows >= before + limit);
        read
    }

    /// Reads the next page. A listing that is begun anew forgets what was gathered.
    pub(super) async fn read_on(
        &mut self,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, Snapshot),
    ) -> Result<(), Error> {
        match self.pages.step::<Snapshot>().await? {
            Step::Rows(rows) => {
                self.rows += rows.len();
                if let Some(row) = rows.last() {
                    self.last = Some(row.id.clone());
                }
                for row in rows {
                    self.descent.row(row.created_at);
                    add(&mut self.gathered, row);
                }
            }
            Step::Restart => self.forget(new()),
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

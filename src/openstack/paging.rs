//! A listing under way, followed from page to page.
//!
//! The server's filters only save traffic. One that is refused, or that leaves nothing, may
//! just as well be one that this cloud does not understand (it may answer 200 with an empty
//! list), so the listing is then repeated without it and that one counts. Whoever reads the
//! rows filters them again in any case.

use std::cell::Cell;
use std::collections::HashSet;

use http::{Method, StatusCode};

use super::connection::{Connection, RequestKind};
use super::error::{Error, ErrorKind};
use super::listing::{Listing, Page, Row, is_too_slow, smaller_than, with_limit, without_limit};
use super::request::ApiRequest;
use crate::deadline::Deadline;

/// How often a listing is begun again because the row it had got to vanished meanwhile.
const RESTARTS: u32 = 5;

/// No cloud's query comes near, and what is much longer cannot be sent.
const LONGEST_QUERY: usize = 8 * 1024;

/// A listing under way.
pub(super) struct Pages<'a> {
    connection: &'a Connection,
    deadline: Deadline,
    listing: Listing<'a>,
    /// The query of the page to read next; nothing at the end.
    next: Option<String>,
    /// How many rows that page need not have more than.
    enough: Option<usize>,
    visited: HashSet<String>,
    restarts: u32,
    has_shown_rows: bool,
}

/// What came next in a listing.
pub(super) enum Step<R> {
    Rows(Vec<R>),
    /// The listing begins anew: what was gathered of it does not count.
    Restart,
    End,
}

impl<'a> Pages<'a> {
    /// A listing of which nothing has been read.
    pub(super) fn new(
        connection: &'a Connection,
        deadline: Deadline,
        listing: Listing<'a>,
    ) -> Self {
        Self {
            connection,
            deadline,
            next: Some(listing.first_query()),
            enough: None,
            listing,
            visited: HashSet::new(),
            restarts: 0,
            has_shown_rows: false,
        }
    }

    /// Whether there is nothing more to read.
    pub(super) fn is_at_end(&self) -> bool {
        self.next.is_none()
    }

    /// Whether a page has been read.
    pub(super) fn is_begun(&self) -> bool {
        !self.visited.is_empty()
    }

    /// Whether the server was asked to filter, and has not refused.
    pub(super) fn is_filtered(&self) -> bool {
        self.listing.filter.is_some()
    }

    /// The rows a page that are asked for, where pages had to be made smaller.
    pub(super) fn page_size(&self) -> Option<usize> {
        self.listing.page_size
    }

    /// Whether any row came since the listing was begun.
    pub(super) fn has_shown_rows(&self) -> bool {
        self.has_shown_rows
    }

    /// Has the pages from here on hold no more rows than this; as many as the server gives where
    /// nothing is said.
    pub(super) fn limit(&mut self, rows: Option<usize>) {
        self.enough = rows;
    }

    /// Reads on.
    pub(super) async fn step<R: Row>(&mut self) -> Result<Step<R>, Error> {
        let Some(query) = self.next.clone() else {
            return Ok(Step::End);
        };
        let has_own_limit = self.listing.page_size.or(self.enough).is_some();
        // Another listing may find out meanwhile that the version is refused.
        let with_version = self.connection.observed.may_know_microversion();
        let page: Page<R> = match self.page(&query).await {
            Ok(page) => page,
            Err(error) if self.can_go_on_after(&error, with_version) => {
                tracing::debug!(listing = self.listing.name, %error, "listed anew");
                self.restart();
                return Ok(Step::Restart);
            }
            Err(error) => return Err(error),
        };
        self.has_shown_rows |= !page.is_empty;
        if !self.has_shown_rows && self.listing.filter_is_optional && self.is_filtered() {
            tracing::debug!(
                listing = self.listing.name,
                "empty; repeated without the filter"
            );
            self.listing.filter = None;
            self.restart();
            return Ok(Step::Restart);
        }
        self.visited.insert(query);
        self.next = match page.next {
            // A page without rows is the last, whatever its link says.
            Some(next) if !page.is_empty => {
                // A link repeats the limit of the page that it is on.
                let next = if has_own_limit {
                    without_limit(&next)
                } else {
                    next
                };
                Some(self.checked::<R>(next)?)
            }
            _ => None,
        };
        self.connection.observed.leave_out(page.left_out);
        Ok(Step::Rows(page.rows))
    }

    /// Whether the listing may do better when it is begun again, and asked for otherwise.
    fn can_go_on_after(&mut self, error: &Error, with_version: bool) -> bool {
        let is_first = self.visited.is_empty();
        let status = error.status();
        // The row that the marker names was deleted meanwhile.
        if status == Some(StatusCode::NOT_FOUND) && !is_first && self.restarts < RESTARTS {
            self.restarts += 1;
            return true;
        }
        if !refuses_the_query(error) {
            return false;
        }
        // Begun anew, it is begun with the first row.
        if is_first && self.listing.after.is_some() {
            return true;
        }
        if self.is_filtered() {
            if self.listing.filter_is_optional {
                self.listing.filter = None;
            }
            return self.listing.filter_is_optional;
        }
        // Some gateways refuse the version's header in their own way.
        if status == Some(StatusCode::BAD_REQUEST) && with_version {
            self.connection.observed.refused_microversion();
            return true;
        }
        // The order is checked, so it need not be asked for.
        status == Some(StatusCode::BAD_REQUEST) && std::mem::take(&mut self.listing.newest_first)
    }

    /// Begins anew with the first row.
    pub(super) fn restart(&mut self) {
        self.listing.after = None;
        self.next = Some(self.listing.first_query());
        self.visited.clear();
        self.has_shown_rows = false;
    }

    /// Taken for the end, a link that leads nowhere would hide what was not listed.
    fn checked<R: Row>(&self, next: String) -> Result<String, Error> {
        if next.is_empty() || next.len() > LONGEST_QUERY || self.visited.contains(&next) {
            let what = "the link to the next page leads nowhere";
            let path = R::ROWS.path().to_owned();
            let unusable = Error::new(ErrorKind::Unusable(what.to_owned()));
            return Err(unusable.of(Method::GET, path));
        }
        Ok(next)
    }

    /// Reads one page. One that times out, or that some proxy gives up, is asked for in smaller
    /// pages when it is tried again, and so are those after it.
    async fn page<R: Row>(&mut self, query: &str) -> Result<Page<R>, Error> {
        let (connection, deadline) = (self.connection, self.deadline);
        let name = self.listing.name;
        let sizes = [self.listing.page_size, self.enough];
        let asked = sizes.into_iter().flatten().min();
        let page_size = Cell::new(asked);
        let tried = Cell::new(page_size.get());
        let attempt = async || {
            tried.set(page_size.get());
            let query = with_limit(query, page_size.get());
            let path = if query.is_empty() {
                R::ROWS.path().to_owned()
            } else {
                format!("{}?{query}", R::ROWS.path())
            };
            let request = ApiRequest::get(RequestKind::List, &path);
            let answer = connection.call(deadline, &request, None).await;
            answer
                .and_then(|response| Page::read(&response))
                .inspect_err(|error| {
                    if is_too_slow(error) {
                        page_size.set(smaller_than(page_size.get()));
                    }
                })
        };
        let mut config = connection.retry;
        let mut page = connection
            .execute_action(deadline, &config, name, attempt)
            .await;
        // However few retries there are, each size gets its try.
        while let Err(error) = &page
            && is_too_slow(error)
            && tried.get() != page_size.get()
        {
            let n = config.max_retries;
            connection
                .back_off(deadline, &config, name, n, error.clone())
                .await?;
            config.max_retries = 0;
            page = connection
                .execute_action(deadline, &config, name, attempt)
                .await;
        }
        if page_size.get() != asked {
            self.listing.page_size = page_size.get();
        }
        page
    }
}

impl Connection {
    /// Lists to the end, and gives what was gathered.
    ///
    /// `new` makes an empty result; it is called again when the listing has to begin anew.
    pub(super) async fn list<R: Row, A>(
        &self,
        deadline: Deadline,
        listing: Listing<'_>,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, R),
    ) -> Result<A, Error> {
        let mut pages = Pages::new(self, deadline, listing);
        let mut gathered = new();
        loop {
            match pages.step().await? {
                Step::Rows(rows) => rows.into_iter().for_each(|row| add(&mut gathered, row)),
                Step::Restart => gathered = new(),
                Step::End => return Ok(gathered),
            }
        }
    }
}

/// Whether a request was refused for what it asks: its filter may be at fault.
pub(super) fn refuses_the_query(error: &Error) -> bool {
    error.status().is_some_and(|status| {
        status.is_client_error() && !matches!(status.as_u16(), 401 | 408 | 413 | 429)
    })
}

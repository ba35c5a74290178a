//! Following a listing from page to page.
//!
//! The server's filters only save traffic. One that is refused, or that leaves nothing, may
//! just as well be one that this cloud does not understand (it may answer 200 with an empty
//! list), so the listing is then repeated without it and that one counts. Whoever reads the
//! rows filters them again in any case.

use std::collections::HashSet;
use std::ops::ControlFlow;

use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::connection::{Connection, Kind};
use super::error::{Error, ErrorKind};
use super::page::{Page, Row};
use super::request::{ApiRequest, Service};
use crate::deadline::Deadline;

/// How often a listing is begun again because the row it had got to vanished meanwhile.
const RESTARTS: u32 = 5;

/// No cloud's query comes near, and what is much longer cannot be sent.
const LONGEST_QUERY: usize = 8 * 1024;

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
/// What is listed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing<'a> {
    /// For log lines.
    pub(super) name: &'a str,
    /// The server's filter: it only saves traffic.
    pub(super) filter: Option<(&'a str, &'a str)>,
    /// Rows a page; the server's own limit where absent or larger.
    pub(super) page_size: Option<usize>,
}

impl Connection {
    /// Lists to the end, or until `add` breaks off, and gives what was gathered.
    ///
    /// `new` makes an empty result; it is called again when the listing has to begin anew.
    pub(super) async fn list<R: Row, A>(
        &self,
        deadline: Deadline,
        listing: Listing<'_>,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, R) -> ControlFlow<()>,
    ) -> Result<A, Error> {
        if listing.filter.is_some() {
            match self.list_pages(deadline, listing, &new, &mut add).await {
                Ok((gathered, rows)) if rows > 0 => return Ok(gathered),
                Ok(_) => {
                    tracing::debug!(listing = listing.name, "empty; repeated without the filter");
                }
                Err(error) if refuses_the_filter(&error) => {
                    tracing::debug!(listing = listing.name, %error, "repeated without the filter");
                }
                Err(error) => return Err(error),
            }
        }
        let unfiltered = Listing {
            filter: None,
            ..listing
        };
        let with_version = self.asks_for_microversion();
        match self.list_pages(deadline, unfiltered, &new, &mut add).await {
            // Some gateways refuse the version's header in their own way.
            Err(error) if error.status() == Some(StatusCode::BAD_REQUEST) && with_version => {
                tracing::debug!(listing = listing.name, %error, "repeated without a version");
                self.go_on_without_microversion();
                let (gathered, _) = self
                    .list_pages(deadline, unfiltered, &new, &mut add)
                    .await?;
                Ok(gathered)
            }
            listed => listed.map(|(gathered, _)| gathered),
        }
    }

    async fn list_pages<R: Row, A>(
        &self,
        deadline: Deadline,
        listing: Listing<'_>,
        new: &impl Fn() -> A,
        add: &mut impl FnMut(&mut A, R) -> ControlFlow<()>,
    ) -> Result<(A, usize), Error> {
        let first = first_query(listing);
        let mut query = first.clone();
        let mut gathered = new();
        let mut rows = 0;
        let mut restarts = 0;
        let mut visited = HashSet::new();
        loop {
            let page: Page<R> = match self.page(deadline, listing, &query).await {
                Ok(page) => page,
                // The row that the marker names was deleted meanwhile.
                Err(error)
                    if error.status() == Some(StatusCode::NOT_FOUND)
                        && query != first
                        && restarts < RESTARTS =>
                {
                    tracing::debug!(listing = listing.name, %error, "begun again");
                    restarts += 1;
                    query = first.clone();
                    gathered = new();
                    rows = 0;
                    visited.clear();
                    continue;
                }
                Err(error) => return Err(error),
            };
            let next = page.next;
            let full = !page.is_empty;
            rows += page.rows.len();
            for row in page.rows {
                if add(&mut gathered, row).is_break() {
                    return Ok((gathered, rows));
                }
            }
            visited.insert(query);
            match next {
                // Taken for the end, it would hide what was not listed.
                Some(next)
                    if full
                        && (next.is_empty()
                            || next.len() > LONGEST_QUERY
                            || visited.contains(&next)) =>
                {
                    return Err(Error {
                        request: Some((Method::GET, R::ROWS.path().to_owned())),
                        request_id: None,
                        kind: ErrorKind::Unusable(
                            "the link to the next page leads nowhere".to_owned(),
                        ),
                    });
                }
                Some(next) if full => query = next,
                // A page without rows is the last, whatever its link says.
                _ => return Ok((gathered, rows)),
            }
        }
    }

    async fn page<R: Row>(
        &self,
        deadline: Deadline,
        listing: Listing<'_>,
        query: &str,
    ) -> Result<Page<R>, Error> {
        let path = if query.is_empty() {
            R::ROWS.path().to_owned()
        } else {
            format!("{}?{query}", R::ROWS.path())
        };
        let call = ApiRequest {
            kind: Kind::List,
            service: Service::BlockStorage,
            method: Method::GET,
            path: &path,
            body: None,
        };
        self.execute_action(deadline, &self.retry, listing.name, || async {
            let response = self.call(deadline, &call, None).await?;
            Page::read(&response)
        })
        .await
    }
}

fn first_query(listing: Listing<'_>) -> String {
    let filter = listing
        .filter
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, QUERY)));
    let page_size = listing.page_size.map(|rows| format!("limit={rows}"));
    filter
        .into_iter()
        .chain(page_size)
        .collect::<Vec<_>>()
        .join("&")
}

fn refuses_the_filter(error: &Error) -> bool {
    error.status().is_some_and(|status| {
        status.is_client_error() && !matches!(status.as_u16(), 401 | 408 | 413 | 429)
    })
}

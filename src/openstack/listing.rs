//! Following a listing from page to page.
//!
//! The server's filters only save traffic. One that is refused, or that leaves nothing, may
//! just as well be one that this cloud does not understand (it may answer 200 with an empty
//! list), so the listing is then repeated without it and that one counts. Whoever reads the
//! rows filters them again in any case.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::connection::Connection;
use super::error::Error;
use super::page::Row;
use super::pages::{Pages, Step};
use crate::deadline::Deadline;

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

#[derive(Clone, Debug)]
pub(super) struct Listing<'a> {
    /// For log lines.
    pub(super) name: &'a str,
    /// The server's filter: it only saves traffic.
    pub(super) filter: Option<(&'a str, String)>,
    /// Whether a filter that is refused, or leaves nothing, is left out. Where not, the first is
    /// an error and the second an empty listing.
    pub(super) filter_is_optional: bool,
    /// Whether the newest are asked for first.
    pub(super) newest_first: bool,
    /// Rows a page; the server's own limit where absent or larger.
    pub(super) page_size: Option<usize>,
    /// The row behind which to begin; with the first where absent, or where that one is gone.
    pub(super) after: Option<String>,
}

impl<'a> Listing<'a> {
    /// A listing with a filter that is left out where it does not work.
    pub(super) fn filtered(name: &'a str, key: &'a str, value: String) -> Self {
        Self {
            filter: Some((key, value)),
            ..Self::whole(name)
        }
    }

    /// A listing of everything.
    pub(super) fn whole(name: &'a str) -> Self {
        Self {
            name,
            filter: None,
            filter_is_optional: true,
            newest_first: false,
            page_size: None,
            after: None,
        }
    }

    /// The query of its first page.
    pub(super) fn first_query(&self) -> String {
        let filter = self.filter.as_ref();
        let filter =
            filter.map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, QUERY)));
        let sort = self.newest_first.then(|| "sort=created_at:desc".to_owned());
        let after = self.after.as_ref();
        let marker = after.map(|id| format!("marker={}", utf8_percent_encode(id, QUERY)));
        let parts = filter.into_iter().chain(sort).chain(marker);
        parts.collect::<Vec<_>>().join("&")
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

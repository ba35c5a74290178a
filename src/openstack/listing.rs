//! A listing: what is asked for, and one page of it, with its rows and the way to the next. Pages are
//! smaller in clouds in which large ones do not come in time.

use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::de::or_default;
use super::error::{Error, ErrorKind};
use super::objects::Object;
use super::response::{parse, unexpected};
use crate::transport::{Response, TransportError};

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

/// What cannot be sent as it is. All else of a link's query is left as the cloud wrote it.
const NOT_IN_A_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a listing is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    Volumes,
    Snapshots,
}

impl Rows {
    /// Where it is listed, below the service's address.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Volumes => "/volumes/detail",
            Self::Snapshots => "/snapshots/detail",
        }
    }
}

/// A row of a listing.
pub(super) trait Row: DeserializeOwned {
    /// What lists it.
    const ROWS: Rows;

    /// Its id, empty where there is none that can be read.
    fn id(&self) -> &str;

    /// Whether a listing's row says enough to be told of: one that does not is left out.
    fn is_usable(&self) -> bool;
}

/// A page as it comes, of either kind.
#[derive(Deserialize)]
struct Answer<R> {
    volumes: Option<Vec<R>>,
    snapshots: Option<Vec<R>>,
    #[serde(default, deserialize_with = "or_default")]
    volumes_links: Vec<Link>,
    #[serde(default, deserialize_with = "or_default")]
    snapshots_links: Vec<Link>,
}

/// A page of the kind that was asked for.
#[derive(Debug)]
pub(super) struct Page<R> {
    /// The rows that can be used.
    pub(super) rows: Vec<R>,
    /// How many rows do not say what they are, and were left out.
    pub(super) left_out: usize,
    /// Whether there were none at all: such a page is the last, whatever its link says.
    pub(super) is_empty: bool,
    /// The next page's query, where there is one; empty where its link has none.
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
struct Link {
    rel: String,
    href: String,
}

impl<R: Row> Page<R> {
    /// Reads an answer.
    pub(super) fn read(response: &Response) -> Result<Self, Error> {
        let path = R::ROWS.path();
        let answer: Answer<Object<R>> = parse(&Method::GET, path, response)?;
        let (rows, links) = match R::ROWS {
            Rows::Volumes => (answer.volumes, answer.volumes_links),
            Rows::Snapshots => (answer.snapshots, answer.snapshots_links),
        };
        // An answer to another question must not be taken for an empty list: expiry takes
        // volumes that are not listed for gone.
        let rows = rows.ok_or_else(|| {
            let what = "a page without the rows that were asked for";
            unexpected(&Method::GET, path, response, what)
        })?;
        let listed = rows.len();
        let rows: Vec<R> = rows
            .into_iter()
            .filter_map(|Object(row)| row.filter(R::is_usable))
            .collect();
        let left_out = listed - rows.len();
        if left_out > 0 {
            tracing::warn!(
                path,
                rows = left_out,
                "rows that do not say what they are are left out"
            );
        }
        Ok(Self {
            rows,
            left_out,
            is_empty: listed == 0,
            next: next(&links),
        })
    }
}

/// The link's host and scheme can be wrong behind a proxy, and must not decide where a token is
/// sent: only its query counts.
fn next(links: &[Link]) -> Option<String> {
    let next = links.iter().find(|link| link.rel == "next")?;
    let (address, _) = next.href.split_once('#').unwrap_or((&next.href, ""));
    let (_, query) = address.split_once('?').unwrap_or_default();
    Some(utf8_percent_encode(query, NOT_IN_A_QUERY).to_string())
}

/// Rows of a page that is asked for again because a larger one did not come in time.
const SMALLER_PAGES: [usize; 2] = [250, 50];
/// Rows asked for beyond those that are known of: others create too.
const SPARE_ROWS: usize = 50;
/// Cinder's own limit of rows a page, unless it was lowered.
pub(super) const MOST_ROWS: usize = 1000;

/// Whether a page may have failed for being too large: nothing came in time, or some proxy gave
/// up waiting.
pub(super) fn is_too_slow(error: &Error) -> bool {
    error.status() == Some(StatusCode::GATEWAY_TIMEOUT)
        || matches!(error.kind, ErrorKind::Transport(TransportError::TimedOut))
}

/// The next smaller page; the same where there is none. Without a size it is the server's limit.
pub(super) fn smaller_than(page_size: Option<usize>) -> Option<usize> {
    let is_smaller = |rows: &usize| page_size.is_none_or(|so_far| *rows < so_far);
    SMALLER_PAGES.into_iter().find(is_smaller).or(page_size)
}

/// The query for pages of this size. A link to the next page repeats the size of the one before.
pub(super) fn with_limit(query: &str, page_size: Option<usize>) -> String {
    let Some(rows) = page_size else {
        return query.to_owned();
    };
    let limit = format!("limit={rows}");
    let query = without_limit(query);
    let parts = [query, limit].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("&")
}

/// The query for pages of whatever size the server gives.
pub(super) fn without_limit(query: &str) -> String {
    let parts = query.split('&');
    let parts = parts.filter(|part| !part.is_empty() && !part.starts_with("limit="));
    parts.collect::<Vec<_>>().join("&")
}

/// Rows of a page that is to hold these and what others create at the same time.
pub(super) fn page_for(rows: usize) -> usize {
    rows.saturating_add(SPARE_ROWS).min(MOST_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_are_too_slow_get_smaller_down_to_fifty_rows() {
        for (size, smaller) in [
            (None, Some(250)),
            (Some(1000), Some(250)),
            (Some(251), Some(250)),
            (Some(250), Some(50)),
            (Some(60), Some(50)),
            (Some(50), Some(50)),
            (Some(7), Some(7)),
        ] {
            assert_eq!(smaller_than(size), smaller, "{size:?}");
        }
    }

    #[test]
    fn a_page_size_takes_the_place_of_the_one_in_a_link() {
        for (query, size, wanted) in [
            ("", None, ""),
            ("", Some(50), "limit=50"),
            ("marker=m", Some(50), "marker=m&limit=50"),
            ("limit=1000&marker=m", Some(250), "marker=m&limit=250"),
            ("limit=1000&marker=m", None, "limit=1000&marker=m"),
            ("limits=3&limit=", Some(50), "limits=3&limit=50"),
        ] {
            assert_eq!(with_limit(query, size), wanted, "{query} {size:?}");
        }
    }
}

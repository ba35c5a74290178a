//! One page of a listing: its rows, and the way to the next.

use http::Method;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::de::or_default;
use super::error::Error;
use super::objects::Object;
use super::response::{parse, unexpected};
use crate::transport::Response;

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

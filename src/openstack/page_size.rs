//! Smaller pages, for clouds in which large ones do not come in time.

use http::StatusCode;

use super::error::{Error, ErrorKind};
use crate::transport::TransportError;

/// Rows of a page that is asked for again because a larger one did not come in time.
const SMALLER_PAGES: [usize; 2] = [250, 50];

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
    let parts = query.split('&');
    let mut parts: Vec<&str> = parts
        .filter(|part| !part.is_empty() && !part.starts_with("limit="))
        .collect();
    let limit = format!("limit={rows}");
    parts.push(&limit);
    parts.join("&")
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

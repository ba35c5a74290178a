//! How an instant is written, in answers as in notifications.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serializer;

/// The same where there may be none.
pub(super) fn optional_rfc3339<S: Serializer>(
    at: &Option<DateTime<Utc>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => rfc3339(at, to),
        None => to.serialize_none(),
    }
}

/// An instant in RFC 3339, UTC, whole seconds.
pub(crate) fn rfc3339<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

//! How an instant is written, in answers as in notifications.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serializer;

/// An instant in RFC 3339, UTC, whole seconds.
pub(crate) fn rfc3339<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

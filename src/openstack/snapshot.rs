//! A snapshot, as Cinder shows it.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer};

use super::de;
use super::error::{Error, ErrorKind};
use super::request::is_id;

/// A snapshot, as far as it matters here.
#[derive(Clone, Debug, Deserialize)]
pub struct Snapshot {
    /// Its UUID.
    pub id: String,
    /// The volume it was taken of.
    pub volume_id: String,
    /// Cinder's word for its state.
    pub status: String,
    /// When it was made. Whole seconds on most clouds, except in the answer to its creation.
    #[serde(default, deserialize_with = "timestamp")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default, deserialize_with = "timestamp")]
    pub updated_at: Option<DateTime<Utc>>,
    /// Its metadata.
    #[serde(default, deserialize_with = "de::metadata")]
    pub metadata: BTreeMap<String, String>,
}

impl Snapshot {
    /// Its place in time among other snapshots. `created_at` has whole seconds, so ids break ties.
    pub fn age_key(&self) -> (Option<DateTime<Utc>>, &str) {
        (self.created_at, &self.id)
    }
}

/// Cinder's timestamps carry no zone and are UTC. One of a year that no calendar on a wall has
/// is none: nothing could be counted from it.
fn timestamp<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.and_then(|text| {
        text.parse::<NaiveDateTime>()
            .map(|naive| naive.and_utc())
            .or_else(|_| DateTime::parse_from_rfc3339(&text).map(|instant| instant.to_utc()))
            .ok()
            .filter(|at| (1..=9999).contains(&at.year()))
    }))
}

#[derive(Deserialize)]
pub(super) struct SnapshotBody {
    pub(super) snapshot: Snapshot,
}

pub(super) fn is_older(snapshot: &Snapshot, than: Option<DateTime<Utc>>) -> bool {
    matches!((snapshot.created_at, than), (Some(at), Some(than)) if at < than)
}

/// The instant, cut to the whole second in which listings show it, and a second for safety.
pub(super) fn as_listed(created_at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(created_at.timestamp(), 0).unwrap_or(created_at)
        - TimeDelta::seconds(1)
}

/// The way to one snapshot. An id that is none could lead to something else.
pub(super) fn path_to(id: &str) -> Result<String, Error> {
    if is_id(id) {
        return Ok(format!("/snapshots/{id}"));
    }
    Err(Error {
        request: None,
        request_id: None,
        kind: ErrorKind::Unusable(
            "the cloud listed the snapshot under an id that is none; nothing was sent".to_owned(),
        ),
    })
}

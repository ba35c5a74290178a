//! A snapshot, as Cinder shows it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::de;
use super::error::{Error, ErrorKind};
use super::page::{Row, Rows};
use super::request::is_id;
use super::snapshot_status::SnapshotStatus;

/// A snapshot, as far as it matters here. What the cloud left out, or wrote in a way that cannot
/// be read, is absent or empty.
#[derive(Clone, Debug, Deserialize)]
pub struct Snapshot {
    /// Its UUID.
    #[serde(default, deserialize_with = "de::text_or_empty")]
    pub id: String,
    /// The volume it was taken of.
    #[serde(default, deserialize_with = "de::text_or_empty")]
    pub volume_id: String,
    /// Its state.
    #[serde(default)]
    pub status: SnapshotStatus,
    /// The size of its volume when it was taken, in GiB.
    #[serde(default, deserialize_with = "de::whole_number")]
    pub size: Option<u64>,
    /// When it was made. Whole seconds on most clouds, except in the answer to its creation.
    #[serde(default, deserialize_with = "de::timestamp")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default, deserialize_with = "de::timestamp")]
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

impl Row for Snapshot {
    const ROWS: Rows = Rows::Snapshots;

    fn id(&self) -> &str {
        &self.id
    }

    /// Without an id it serves its window all the same, and whoever wants to delete it is told.
    fn is_usable(&self) -> bool {
        !self.volume_id.is_empty()
    }
}

#[derive(Deserialize)]
pub(super) struct SnapshotBody {
    #[serde(deserialize_with = "de::usable")]
    pub(super) snapshot: Snapshot,
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
    let what = "the cloud listed the snapshot under an id that is none; nothing was sent";
    Err(Error::new(ErrorKind::Unusable(what.to_owned())))
}

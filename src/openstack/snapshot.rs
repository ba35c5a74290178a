//! One snapshot: how Cinder shows it, reading it, and deleting it.

use std::cell::Cell;
use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use serde::{Deserialize, Deserializer};

use super::client::Client;
use super::connection::RequestKind;
use super::de;
use super::error::{Error, ErrorKind};
use super::listing::{Row, Rows};
use super::request::{ApiRequest, is_id, not_to_go};
use super::response::request_id;
use crate::deadline::Deadline;

/// A snapshot, as far as it matters here. What the cloud left out, or wrote in a way that cannot
/// be read, is absent or empty.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Snapshot {
    #[serde(default, deserialize_with = "de::text_or_empty")]
    pub id: String,
    /// The volume it was taken of.
    #[serde(default, deserialize_with = "de::text_or_empty")]
    pub volume_id: String,
    #[serde(default)]
    pub status: SnapshotStatus,
    /// The size of its volume when it was taken, in GiB.
    #[serde(default, deserialize_with = "de::whole_number")]
    pub size: Option<u64>,
    /// When it was made. Whole seconds on most clouds, except in the answer to its creation.
    #[serde(default, deserialize_with = "de::timestamp")]
    pub created_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "de::timestamp")]
    pub updated_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "de::metadata")]
    pub metadata: BTreeMap<String, String>,
}

impl Snapshot {
    /// Its place in time among other snapshots. `created_at` has whole seconds, so ids break ties.
    pub(crate) fn age_key(&self) -> (Option<DateTime<Utc>>, &str) {
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotStatus {
    Creating,
    Available,
    Error,
    Deleting,
    ErrorDeleting,
    /// Any other word, such as `backing-up`; empty where there is none that can be read.
    Other(String),
}

impl SnapshotStatus {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Creating => "creating",
            Self::Available => "available",
            Self::Error => "error",
            Self::Deleting => "deleting",
            Self::ErrorDeleting => "error_deleting",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for SnapshotStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "creating" => Self::Creating,
            "available" => Self::Available,
            "error" => Self::Error,
            "deleting" => Self::Deleting,
            "error_deleting" => Self::ErrorDeleting,
            _ => Self::Other(word),
        }
    }
}

impl Default for SnapshotStatus {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl<'de> Deserialize<'de> for SnapshotStatus {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        de::text_or_empty(from).map(Self::from)
    }
}

/// A deletion that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// The cloud took our request on.
    Accepted { request_id: Option<String> },
    /// Somebody else's request was there first.
    ByOther,
}

/// What to do about a snapshot whose deletion the cloud refuses, once it was read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterRefusal {
    /// Delete it by force, which needs the right role.
    Force,
    /// Somebody else's deletion is under way: that is as good.
    LeaveToOther,
    /// Accept the refusal.
    GiveUp,
}

impl Client {
    /// Reads one snapshot.
    ///
    /// # Errors
    /// A 404 where it is gone, and whatever else went wrong.
    pub(crate) async fn snapshot(&self, deadline: Deadline, id: &str) -> Result<Snapshot, Error> {
        let path = path_to(id)?;
        let body: SnapshotBody = self.read(deadline, "read snapshot", &path).await?;
        Ok(body.snapshot)
    }

    /// Deletes a snapshot: normally first and, where the cloud refuses that by 400 or 409, reads
    /// it again and does what `after_refusal` says. Gives the request id of the deletion that
    /// was accepted.
    ///
    /// Before each request `goes` says whether the snapshot is still to go; it is told how often
    /// the same request was sent already.
    ///
    /// # Errors
    /// 404 where it is gone already and 403 where the role does not allow it are errors here:
    /// the caller knows what they mean. Out of time when no deletion that would fit could be
    /// begun, or when one was cut off.
    pub(crate) async fn delete_snapshot(
        &self,
        deadline: Deadline,
        id: &str,
        goes: impl AsyncFn(u32) -> bool,
        after_refusal: impl AsyncFn(&Snapshot) -> AfterRefusal,
    ) -> Result<Deletion, Error> {
        let path = path_to(id)?;
        let normal = ApiRequest::delete(RequestKind::Delete, &path);
        let refused = match self
            .send_deletion(deadline, "delete snapshot", &normal, &goes)
            .await
        {
            Err(error)
                if matches!(
                    error.status(),
                    Some(StatusCode::BAD_REQUEST | StatusCode::CONFLICT)
                ) =>
            {
                error
            }
            done => return done,
        };
        let snapshot = self.snapshot(deadline, id).await?;
        match after_refusal(&snapshot).await {
            AfterRefusal::LeaveToOther => Ok(Deletion::ByOther),
            AfterRefusal::GiveUp => Err(refused),
            AfterRefusal::Force => {
                let path = format!("{path}/action");
                let force =
                    ApiRequest::post(RequestKind::Delete, &path, r#"{"os-force_delete": {}}"#);
                self.send_deletion(deadline, "force-delete snapshot", &force, &goes)
                    .await
            }
        }
    }

    async fn send_deletion(
        &self,
        deadline: Deadline,
        name: &str,
        call: &ApiRequest<'_>,
        goes: &impl AsyncFn(u32) -> bool,
    ) -> Result<Deletion, Error> {
        let sent = Cell::new(0);
        self.connection
            .execute_action(deadline, &self.connection.retry, name, || async {
                let before = sent.replace(sent.get() + 1);
                if !goes(before).await {
                    return Err(not_to_go());
                }
                self.connection.observed.check_time(deadline, call.kind)?;
                let still_goes = async |was_sent| goes(before + u32::from(was_sent)).await;
                let response = self
                    .connection
                    .call_while(deadline, call, None, still_goes)
                    .await?;
                Ok(Deletion::Accepted {
                    request_id: request_id(&response),
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_cinder_is_kept_and_what_is_no_word_is_none() {
        for word in [
            "creating",
            "available",
            "error",
            "deleting",
            "error_deleting",
            "backing-up",
            "Available",
            "",
        ] {
            let status = SnapshotStatus::from(word.to_owned());
            assert_eq!(status.as_str(), word);
            let is_other = matches!(status, SnapshotStatus::Other(_));
            let known = [
                "creating",
                "available",
                "error",
                "deleting",
                "error_deleting",
            ];
            assert_eq!(is_other, !known.contains(&word), "{word}");
        }
        for odd in ["null", "7", "[]", "{}"] {
            let status: SnapshotStatus = serde_json::from_str(odd).expect("any value");
            assert_eq!(status, SnapshotStatus::default(), "{odd}");
        }
    }
}

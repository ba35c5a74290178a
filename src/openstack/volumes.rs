//! Cinder's volumes, and the metadata by which they subscribe.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use http::Method;
use serde::Deserialize;

use super::client::Client;
use super::connection::RequestKind;
use super::de;
use super::error::{Error, ErrorKind};
use super::listing::{Listing, Row, Rows};
use super::request::{ApiRequest, is_id};
use super::response::request_id;
use crate::deadline::Deadline;

/// A volume, as far as it matters here. What the cloud left out, or wrote in a way that cannot be
/// read, is absent or empty.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Volume {
    #[serde(default, deserialize_with = "de::text_or_empty")]
    pub id: String,
    /// The name that people gave it.
    #[serde(default, deserialize_with = "de::text")]
    pub name: Option<String>,
    /// Cinder's word for its state; empty where there is none that can be read.
    #[serde(default, deserialize_with = "de::text_or_empty")]
    pub status: String,
    /// In GiB.
    #[serde(default, deserialize_with = "de::whole_number")]
    pub size: Option<u64>,
    /// Its type: the nearest to a backend that a tenant can see.
    #[serde(default, deserialize_with = "de::text")]
    pub volume_type: Option<String>,
    #[serde(default, deserialize_with = "de::timestamp")]
    pub created_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "de::metadata")]
    pub metadata: BTreeMap<String, String>,
    /// The servers it is attached to, in no order.
    #[serde(default, deserialize_with = "de::objects")]
    pub attachments: Vec<Attachment>,
}

/// One attachment of a volume.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Attachment {
    #[serde(default, deserialize_with = "de::text")]
    pub server_id: Option<String>,
    /// Where the server sees it, such as `/dev/vdb`.
    #[serde(default, deserialize_with = "de::text")]
    pub device: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct VolumeBody {
    #[serde(deserialize_with = "de::usable")]
    pub(super) volume: Volume,
}

impl Row for Volume {
    const ROWS: Rows = Rows::Volumes;

    fn id(&self) -> &str {
        &self.id
    }

    fn is_usable(&self) -> bool {
        !self.id.is_empty()
    }
}

/// What a subscription has come to.
#[derive(Clone, Debug)]
pub(crate) struct Subscribed {
    /// The volume's metadata as read back.
    pub metadata: BTreeMap<String, String>,
    /// The id of the request that wrote last; absent where nothing had to be written.
    pub request_id: Option<String>,
}

/// How often a written key is mended before it is given up.
const MENDING_ROUNDS: u32 = 3;

impl Client {
    /// Lists every volume that is tagged as managed, page by page, and gathers what `add` keeps.
    ///
    /// # Errors
    /// Whatever kept the listing from being complete.
    pub(crate) async fn list_subscribed_volumes<A>(
        &self,
        deadline: Deadline,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, Volume),
    ) -> Result<A, Error> {
        let name = "list subscribed volumes";
        let listing = Listing::filtered(name, "metadata", self.managed_filter());
        self.connection
            .list(deadline, listing, new, |gathered, volume: Volume| {
                if self.is_managed(&volume.metadata) {
                    add(gathered, volume);
                }
            })
            .await
    }

    /// Lists every volume of the project, tagged or not.
    ///
    /// # Errors
    /// Whatever kept the listing from being complete.
    pub(crate) async fn list_volumes<A>(
        &self,
        deadline: Deadline,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, Volume),
    ) -> Result<A, Error> {
        let listing = Listing::whole("list volumes");
        self.connection
            .list(deadline, listing, new, |gathered, volume: Volume| {
                add(gathered, volume);
            })
            .await
    }

    /// Reads one volume.
    ///
    /// # Errors
    /// A 404 where there is no such volume in this project, and whatever else went wrong.
    pub(crate) async fn volume(&self, deadline: Deadline, id: &str) -> Result<Volume, Error> {
        // An id that is none could lead to something else.
        if !is_id(id) {
            return Err(Error {
                request: None,
                request_id: None,
                kind: ErrorKind::Unusable(
                    "the cloud listed the volume under an id that is none; nothing was sent"
                        .to_owned(),
                ),
            });
        }
        let path = format!("/volumes/{id}");
        let body: VolumeBody = self.read(deadline, "read volume", &path).await?;
        Ok(body.volume)
    }

    /// Writes these keys into a volume's metadata and reads back until the volume says so.
    ///
    /// The merge is the server's own, so keys that somebody else writes at the same moment
    /// survive. Two writers of the same new key can leave two rows for it, after which writes to
    /// the key answer 200 and are lost until it is deleted: a key that reads back with another
    /// value is therefore deleted and written again.
    ///
    /// # Errors
    /// A refused read or write, or keys that keep reading back with another value.
    pub(crate) async fn create_volume_subscription(
        &self,
        deadline: Deadline,
        id: &str,
        keys: &BTreeMap<String, String>,
    ) -> Result<Subscribed, Error> {
        let path = format!("/volumes/{id}/metadata");
        let mut wrong = keys.clone();
        let mut written = None;
        for round in 0..=MENDING_ROUNDS {
            if round > 0 {
                for key in wrong.keys() {
                    self.delete_metadata_key(deadline, id, key).await?;
                }
            }
            written = self.write_metadata(deadline, &path, &wrong).await?;
            let now = self.volume(deadline, id).await?.metadata;
            wrong.retain(|key, value| now.get(key) != Some(value));
            if wrong.is_empty() {
                return Ok(Subscribed {
                    metadata: now,
                    request_id: written,
                });
            }
            tracing::warn!(
                volume_id = id,
                keys = ?wrong.keys().collect::<Vec<_>>(),
                "written, but read back with another value; mending"
            );
        }
        let what = format!(
            "{} keep being read back with another value than was written; somebody else may be \
             writing them",
            wrong.keys().cloned().collect::<Vec<_>>().join(", ")
        );
        Err(Error::new(ErrorKind::Body(what))
            .of(Method::POST, path)
            .under(written))
    }

    async fn write_metadata(
        &self,
        deadline: Deadline,
        path: &str,
        keys: &BTreeMap<String, String>,
    ) -> Result<Option<String>, Error> {
        let body = serde_json::json!({ "metadata": keys }).to_string();
        let call = ApiRequest::post(RequestKind::Write, path, body);
        self.connection
            .execute_action(
                deadline,
                &self.connection.retry,
                "write metadata",
                || async {
                    let response = self.connection.call(deadline, &call, None).await?;
                    Ok(request_id(&response))
                },
            )
            .await
    }

    async fn delete_metadata_key(
        &self,
        deadline: Deadline,
        id: &str,
        key: &str,
    ) -> Result<(), Error> {
        let path = format!("/volumes/{id}/metadata/{key}");
        let call = ApiRequest::delete(RequestKind::Write, &path);
        let deleted = self
            .connection
            .execute_action(
                deadline,
                &self.connection.retry,
                "delete metadata key",
                || self.connection.call(deadline, &call, None),
            )
            .await;
        match deleted {
            Err(error) if error.status() == Some(http::StatusCode::NOT_FOUND) => Ok(()),
            deleted => deleted.map(drop),
        }
    }
}

//! Creating one volume from a snapshot: requested once, waited for, and left alone where it breaks.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};

use super::client::Client;
use super::creation::{CreateRequest, Creation, NotRequested, outcome_unknown};
use super::error::{Error, ErrorKind};
use super::listing::Listing;
use super::poller::{Looked, Resource, Settled, settled};
use super::response::parse;
use super::volumes::{Volume, VolumeBody};
use crate::deadline::{Deadline, Expired};
use crate::transport::Response;

/// A volume to be created from a snapshot; its size, type and zone are the snapshot's.
#[derive(Clone, Debug)]
pub(crate) struct NewVolume {
    pub snapshot_id: String,
    /// Its name, of at most 255 characters.
    pub name: String,
    /// Its metadata: part of the creating request, so that it is never there without.
    pub metadata: BTreeMap<String, String>,
}

/// How volumes of one piece of work are found again: by an entry of their metadata.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VolumeTag<'a> {
    pub key: &'a str,
    pub value: &'a str,
}

/// A creation that did not come to a usable volume.
#[derive(Clone, Debug)]
pub(crate) enum VolumeNotCreated {
    /// It was tried and failed; a volume that broke is left for a person.
    Failed {
        error: Error,
        /// The volume that broke, where there is one.
        volume: Option<Volume>,
    },
    /// Nothing was begun, or nothing came of it, and no time is left.
    Deferred(Error),
    /// It was sent, and what comes of it is open.
    Pending(Option<Volume>),
}

impl Resource for Volume {
    fn id(&self) -> &str {
        &self.id
    }

    fn status(&self) -> &str {
        &self.status
    }

    fn created_at(&self) -> Option<DateTime<Utc>> {
        self.created_at
    }
}

impl Client {
    /// Creates a volume from a snapshot and returns when it can be used.
    ///
    /// A creation whose answer was lost is looked up by its tag before it is tried again, and
    /// recognised by `matches`.
    ///
    /// # Errors
    /// [`VolumeNotCreated`] tells what became of it.
    pub(crate) async fn create_volume_from_snapshot(
        &self,
        deadline: Deadline,
        new: &NewVolume,
        tag: VolumeTag<'_>,
        matches: impl Fn(&Volume) -> bool,
    ) -> Result<Creation<Volume>, VolumeNotCreated> {
        let body = serde_json::json!({"volume": {
            "snapshot_id": new.snapshot_id,
            "name": new.name,
            "metadata": new.metadata,
        }});
        let request = CreateRequest {
            name: "create volume from snapshot",
            path: "/volumes",
            body: body.to_string().into(),
        };
        let read = |response: &Response| {
            let body: VolumeBody = parse(&Method::POST, request.path, response)?;
            Ok(body.volume)
        };
        let look_up = async |lost: Option<&Error>| {
            let tagged = self.list_tagged_volumes(deadline, tag).await;
            let tagged = tagged.map_err(|error| outcome_unknown(lost, error))?;
            Ok(tagged.into_iter().find(|volume| matches(volume)))
        };
        let requested = self
            .create(deadline, &request, None, || None, read, look_up)
            .await;
        let requested = requested.map_err(|not| match not {
            NotRequested::Failed(error) => VolumeNotCreated::Failed {
                error,
                volume: None,
            },
            NotRequested::Deferred(error) => VolumeNotCreated::Deferred(error),
            NotRequested::Pending => VolumeNotCreated::Pending(None),
        })?;
        let made_by = requested.request_id().map(str::to_owned);
        let volume = self
            .settled_volume(deadline, requested.resource(), tag, made_by)
            .await?;
        Ok(requested.with(volume))
    }

    /// Waits until a volume, whoever made it, is no longer `creating`. `made_by` is the id of the
    /// creating request, where it is known: Cinder's logs tell under it what went wrong.
    ///
    /// # Errors
    /// [`VolumeNotCreated`] where it broke, is gone, or the deadline came first.
    pub(crate) async fn settled_volume(
        &self,
        deadline: Deadline,
        volume: &Volume,
        tag: VolumeTag<'_>,
        made_by: Option<String>,
    ) -> Result<Volume, VolumeNotCreated> {
        let look = async || self.look_at_volumes(deadline, tag).await;
        let (what, broken) = match self.volumes.settled(deadline, volume, look).await {
            Ok(Settled::Available(volume)) => return Ok(volume),
            Ok(Settled::Broken(broken)) => (
                format!("the volume ended in {}", broken.status),
                Some(broken),
            ),
            Ok(Settled::Gone) => (
                "the volume was deleted by somebody else while it was being created".to_owned(),
                None,
            ),
            Err(Expired) => return Err(VolumeNotCreated::Pending(Some(volume.clone()))),
        };
        Err(VolumeNotCreated::Failed {
            error: Error {
                request: Some((Method::GET, format!("/volumes/{}", volume.id))),
                request_id: made_by,
                kind: ErrorKind::Unusable(what),
            },
            volume: broken,
        })
    }

    /// Looks once at all volumes with the tag.
    async fn look_at_volumes(
        &self,
        deadline: Deadline,
        tag: VolumeTag<'_>,
    ) -> Result<Looked, Expired> {
        let tagged = match self.list_tagged_volumes(deadline, tag).await {
            Ok(tagged) => tagged,
            Err(error) if error.is_out_of_time() => return Err(Expired),
            // A look that failed tells nothing about the volumes: the next one may.
            Err(error) => {
                tracing::warn!(%error, "could not look at the volumes being created");
                return Ok(self.looked(error.retry_after()));
            }
        };
        for volume in &tagged {
            self.volumes.tell(volume);
        }
        let met: HashSet<&str> = tagged.iter().map(|one| one.id.as_str()).collect();
        let (wanted, _) = self.volumes.wanted();
        for id in wanted.iter().filter(|id| !met.contains(id.as_str())) {
            match self.volume(deadline, id).await {
                Ok(volume) if settled(&volume).is_some() => self.volumes.tell(&volume),
                Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                    self.volumes.settle(id, Settled::Gone);
                }
                _ => {}
            }
        }
        Ok(self.looked(None))
    }

    async fn list_tagged_volumes(
        &self,
        deadline: Deadline,
        tag: VolumeTag<'_>,
    ) -> Result<Vec<Volume>, Error> {
        let filter = format!("{{'{}':'{}'}}", tag.key, tag.value);
        let listing = Listing::filtered("look for tagged volumes", "metadata", filter);
        self.connection
            .list(deadline, listing, Vec::new, |tagged, volume: Volume| {
                if volume.metadata.get(tag.key).map(String::as_str) == Some(tag.value) {
                    tagged.push(volume);
                }
            })
            .await
    }
}

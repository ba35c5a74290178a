//! Creating one snapshot, and knowing what became of it.
//!
//! A creation whose answer was lost may have been carried out. It is looked up before it is
//! tried again, since a retry on its own is how a window comes to have two snapshots.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use http::Method;

use super::client::Client;
use super::connection::{Kind, Permit};
use super::deletion::AfterRefusal;
use super::error::{Error, ErrorKind};
use super::matcher::SnapshotMatcher;
use super::request::{ApiRequest, Service};
use super::response::{parse, unexpected};
use super::snapshot::{Snapshot, SnapshotBody};
use super::watcher::Settled;
use crate::deadline::Deadline;

/// A snapshot to be created.
#[derive(Clone, Debug)]
pub struct NewSnapshot {
    /// The volume to take it of.
    pub volume_id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its metadata: part of the creating request, so that it is never there without.
    pub metadata: BTreeMap<String, String>,
}

/// A window that has its snapshot.
#[derive(Clone, Debug)]
pub enum Creation {
    /// Made by this request, and available.
    Created(Snapshot),
    /// Found when an answer was lost: perhaps ours, perhaps another's.
    Adopted(Snapshot),
}

/// A creation that did not come to an available snapshot.
#[derive(Clone, Debug)]
pub enum NotCreated {
    /// It was tried and failed.
    Failed {
        /// Why.
        error: Error,
        /// The snapshot that broke, where there is one.
        snapshot_id: Option<String>,
        /// Why the broken one could not be deleted, where it could not.
        not_cleaned: Option<Error>,
    },
    /// Nothing was begun, or nothing came of it, and no time is left.
    Deferred(Error),
    /// It was made, and somebody else deleted it before it was available.
    Deleted {
        /// The snapshot that was.
        snapshot_id: String,
        /// What was seen of that.
        error: Error,
    },
    /// It was sent, and what comes of it is open.
    Pending {
        /// The snapshot being created, where its id is known.
        snapshot_id: Option<String>,
    },
}

impl NotCreated {
    fn failed(error: Error) -> Self {
        Self::Failed {
            error,
            snapshot_id: None,
            not_cleaned: None,
        }
    }
}

/// What is known of a creation after its last try.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// Every answer was clear.
    None,
    /// An answer was lost, and a look-up after it found nothing.
    FoundNothing,
    /// An answer was lost and not looked up.
    Open,
}

impl Client {
    /// Creates a snapshot with its metadata and returns when it is available.
    ///
    /// `force` is always set: without it Cinder refuses volumes that are in use. Where a
    /// `permit` is handed in, the first request leaves without waiting for one. One that ends
    /// in `error` is deleted.
    ///
    /// # Errors
    /// [`NotCreated`] tells what became of it.
    pub async fn create_managed_snapshot(
        &self,
        deadline: Deadline,
        new: &NewSnapshot,
        permit: Option<Permit>,
        matcher: &SnapshotMatcher<'_>,
    ) -> Result<Creation, NotCreated> {
        let requested = self
            .request_snapshot(deadline, new, permit, matcher)
            .await?;
        let (Creation::Created(snapshot) | Creation::Adopted(snapshot)) = &requested;
        match self.settled(deadline, snapshot).await {
            Ok(Settled::Available(snapshot)) => Ok(match requested {
                Creation::Created(_) => Creation::Created(snapshot),
                Creation::Adopted(_) => Creation::Adopted(snapshot),
            }),
            Ok(Settled::Broken(broken)) => Err(self.broken(deadline, broken, matcher).await),
            Ok(Settled::Gone) => Err(self.deleted(snapshot)),
            Err(_) => match requested {
                Creation::Created(snapshot) => Err(NotCreated::Pending {
                    snapshot_id: Some(snapshot.id),
                }),
                Creation::Adopted(snapshot) => Ok(Creation::Adopted(snapshot)),
            },
        }
    }

    /// Sends the request until its answer, or a look-up, tells what came of it.
    async fn request_snapshot(
        &self,
        deadline: Deadline,
        new: &NewSnapshot,
        permit: Option<Permit>,
        matcher: &SnapshotMatcher<'_>,
    ) -> Result<Creation, NotCreated> {
        let body = serde_json::json!({"snapshot": {
            "volume_id": new.volume_id,
            "name": new.name,
            "description": new.description,
            "force": true,
            "metadata": new.metadata,
        }})
        .to_string();
        let call = ApiRequest {
            kind: Kind::Create,
            service: Service::BlockStorage,
            method: Method::POST,
            path: "/snapshots",
            body: Some(body.into()),
        };
        let permit = RefCell::new(permit);
        let doubt = Cell::new(Doubt::None);
        let (permit, doubt, call) = (&permit, &doubt, &call);
        let outcome = self
            .connection
            .execute_action(
                deadline,
                &self.connection.retry,
                "create snapshot",
                || async move {
                    if doubt.get() != Doubt::None
                        && let Some(found) = self.look_up(deadline, matcher, None).await?
                    {
                        return Ok(Creation::Adopted(found));
                    }
                    self.connection.begin(deadline, Kind::Create)?;
                    let permit = permit.borrow_mut().take();
                    let before = doubt.replace(Doubt::Open);
                    let answer = self.connection.call(deadline, call, permit).await;
                    let answer = answer.and_then(|response| {
                        let body: SnapshotBody = parse(&call.method, call.path, &response)?;
                        if body.snapshot.volume_id == new.volume_id {
                            return Ok(body);
                        }
                        let what = "a snapshot of another volume";
                        Err(unexpected(&call.method, call.path, &response, what))
                    });
                    let error = match answer {
                        Ok(body) => return Ok(Creation::Created(as_answered(body.snapshot))),
                        Err(error) => error,
                    };
                    if !error.is_ambiguous() {
                        doubt.set(before);
                        return Err(error);
                    }
                    let found = self.look_up(deadline, matcher, Some(&error)).await?;
                    doubt.set(Doubt::FoundNothing);
                    found.map(Creation::Adopted).ok_or(error)
                },
            )
            .await;
        match outcome {
            Ok(Creation::Adopted(found)) if found.status == "error" => {
                Err(self.broken(deadline, found, matcher).await)
            }
            Ok(creation) => Ok(creation),
            Err(error) => Err(match (&error.kind, doubt.get()) {
                (ErrorKind::OutcomeUnknown { look_up, .. }, _) if look_up.is_out_of_time() => {
                    NotCreated::Pending { snapshot_id: None }
                }
                (ErrorKind::OutOfTime(_), Doubt::Open) => NotCreated::Pending { snapshot_id: None },
                (ErrorKind::OutOfTime(_), _) => NotCreated::Deferred(error),
                _ => NotCreated::failed(error),
            }),
        }
    }

    /// A snapshot that ended badly is deleted, where there is time, so that it takes no quota.
    async fn broken(
        &self,
        deadline: Deadline,
        snapshot: Snapshot,
        matcher: &SnapshotMatcher<'_>,
    ) -> NotCreated {
        if snapshot.status != "error" {
            return self.deleted(&snapshot);
        }
        // An id in an answer is not enough to delete what goes by it.
        if !self.is_managed(&snapshot.metadata) || !(matcher.matches)(&snapshot) {
            return NotCreated::Failed {
                error: self.about(
                    &snapshot,
                    "the snapshot ended in error; it is left alone, since it does not look like \
                     the one that was asked for",
                ),
                snapshot_id: Some(snapshot.id),
                not_cleaned: None,
            };
        }
        let not_cleaned = self
            .delete_snapshot(deadline, &snapshot.id, |_| AfterRefusal::GiveUp)
            .await
            .err()
            .filter(|error| error.status() != Some(http::StatusCode::NOT_FOUND));
        NotCreated::Failed {
            error: self.about(&snapshot, "the snapshot ended in error"),
            snapshot_id: Some(snapshot.id),
            not_cleaned,
        }
    }

    fn deleted(&self, snapshot: &Snapshot) -> NotCreated {
        NotCreated::Deleted {
            error: self.about(
                snapshot,
                "the snapshot was deleted by somebody else while it was being created",
            ),
            snapshot_id: snapshot.id.clone(),
        }
    }

    fn about(&self, snapshot: &Snapshot, what: &str) -> Error {
        Error {
            request: Some((Method::GET, format!("/snapshots/{}", snapshot.id))),
            request_id: None,
            kind: ErrorKind::Unusable(what.to_owned()),
        }
    }
}

/// A creation's answer as far as it is believed: one that tells of a failure is looked at again,
/// since the snapshot would be deleted for it.
fn as_answered(mut snapshot: Snapshot) -> Snapshot {
    if matches!(Settled::of(&snapshot), Some(Settled::Broken(_))) {
        "creating".clone_into(&mut snapshot.status);
    }
    snapshot
}

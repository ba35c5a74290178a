//! Creating one snapshot: requested, looked up where its answer was lost, waited for, and cleaned up
//! where it breaks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use http::Method;

use super::client::Client;
use super::connection::Permit;
use super::creation::{CreateRequest, Creation, NotRequested, outcome_unknown};
use super::error::{Error, ErrorKind};
use super::poller::{Settled, settled};
use super::response::{parse, unexpected};
use super::snapshot::{AfterRefusal, Snapshot, SnapshotBody, SnapshotStatus};
use crate::deadline::Deadline;
use crate::transport::Response;

/// A snapshot to be created.
#[derive(Clone, Debug)]
pub(crate) struct NewSnapshot {
    /// The volume to take it of.
    pub volume_id: String,
    pub name: String,
    pub description: String,
    /// Its metadata: part of the creating request, so that it is never there without.
    pub metadata: BTreeMap<String, String>,
}

/// A creation that did not come to an available snapshot.
#[derive(Clone, Debug)]
pub(crate) enum NotCreated {
    /// It was tried and failed.
    Failed {
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

impl From<NotRequested> for NotCreated {
    fn from(not: NotRequested) -> Self {
        match not {
            NotRequested::Failed(error) => Self::Failed {
                error,
                snapshot_id: None,
                not_cleaned: None,
            },
            NotRequested::Deferred(error) => Self::Deferred(error),
            NotRequested::Pending => Self::Pending { snapshot_id: None },
        }
    }
}

impl Client {
    /// Creates a snapshot with its metadata and returns when it is available.
    ///
    /// `force` is always set: without it Cinder refuses volumes that are in use. Where a
    /// `permit` is handed in, the first request leaves without waiting for one. One that ends
    /// in `error` is deleted. One that serves already is given as it was seen.
    ///
    /// # Errors
    /// [`NotCreated`] tells what became of it.
    pub(crate) async fn create_managed_snapshot(
        &self,
        deadline: Deadline,
        new: &NewSnapshot,
        permit: Option<Permit>,
        matcher: &SnapshotMatcher<'_>,
    ) -> Result<Creation<Snapshot>, NotCreated> {
        let body = serde_json::json!({"snapshot": {
            "volume_id": new.volume_id,
            "name": new.name,
            "description": new.description,
            "force": true,
            "metadata": new.metadata,
        }});
        let request = CreateRequest {
            name: "create snapshot",
            path: "/snapshots",
            body: body.to_string().into(),
        };
        let read = |response: &Response| {
            let body: SnapshotBody = parse(&Method::POST, request.path, response)?;
            if body.snapshot.volume_id == new.volume_id {
                return Ok(as_answered(body.snapshot));
            }
            let what = "a snapshot of another volume";
            Err(unexpected(&Method::POST, request.path, response, what))
        };
        let look_up = async |lost: Option<&Error>| self.look_up(deadline, matcher, lost).await;
        let requested = self
            .create(deadline, &request, permit, matcher.served, read, look_up)
            .await?;
        if matches!(requested, Creation::Served(_)) {
            return Ok(requested);
        }
        let made_by = requested.request_id().map(str::to_owned);
        match self.settled_snapshot(deadline, requested.resource()).await {
            Ok(Settled::Available(snapshot)) => Ok(requested.with(snapshot)),
            Ok(Settled::Broken(broken)) => {
                Err(self.broken(deadline, broken, made_by, matcher).await)
            }
            Ok(Settled::Gone) => Err(deleted(requested.resource(), made_by)),
            Err(_) => match requested {
                Creation::Created { resource, .. } => Err(NotCreated::Pending {
                    snapshot_id: Some(resource.id),
                }),
                found @ (Creation::Adopted(_) | Creation::Served(_)) => Ok(found),
            },
        }
    }

    /// A snapshot that ended badly is deleted, where there is time, so that it takes no quota.
    async fn broken(
        &self,
        deadline: Deadline,
        snapshot: Snapshot,
        made_by: Option<String>,
        matcher: &SnapshotMatcher<'_>,
    ) -> NotCreated {
        if snapshot.status != SnapshotStatus::Error {
            return deleted(&snapshot, made_by);
        }
        // An id in an answer is not enough to delete what goes by it.
        if !self.is_managed(&snapshot.metadata) || !(matcher.matches)(&snapshot) {
            let what = "the snapshot ended in error; it is left alone, since it does not look like \
                        the one that was asked for";
            return NotCreated::Failed {
                error: about(&snapshot, made_by, what),
                snapshot_id: Some(snapshot.id),
                not_cleaned: None,
            };
        }
        let not_cleaned = self
            .delete_snapshot(
                deadline,
                &snapshot.id,
                async |_| true,
                async |_| AfterRefusal::GiveUp,
            )
            .await
            .err()
            .filter(|error| error.status() != Some(http::StatusCode::NOT_FOUND));
        NotCreated::Failed {
            error: about(&snapshot, made_by, "the snapshot ended in error"),
            snapshot_id: Some(snapshot.id),
            not_cleaned,
        }
    }
}

fn deleted(snapshot: &Snapshot, made_by: Option<String>) -> NotCreated {
    let what = "the snapshot was deleted by somebody else while it was being created";
    NotCreated::Deleted {
        error: about(snapshot, made_by, what),
        snapshot_id: snapshot.id.clone(),
    }
}

/// An error about a snapshot that did not become available. It carries the id of the request
/// that created it: under that one Cinder's logs tell what happened.
fn about(snapshot: &Snapshot, made_by: Option<String>, what: &str) -> Error {
    Error::new(ErrorKind::Unusable(what.to_owned()))
        .of(Method::GET, format!("/snapshots/{}", snapshot.id))
        .under(made_by)
}

/// A creation's answer as far as it is believed: one that tells of a failure is looked at again,
/// since the snapshot would be deleted for it.
fn as_answered(mut snapshot: Snapshot) -> Snapshot {
    if matches!(settled(&snapshot), Some(Settled::Broken(_))) {
        snapshot.status = SnapshotStatus::Creating;
    }
    snapshot
}

/// How a snapshot that was lost from sight is recognised.
pub(crate) struct SnapshotMatcher<'a> {
    /// The volume that it was to be taken of.
    pub volume_id: &'a str,
    pub kind: &'a str,
    /// Whether this snapshot is the one that was asked for.
    pub matches: &'a (dyn Fn(&Snapshot) -> bool + Sync),
    /// What serves in its place by now, as far as the looks of this pass have seen.
    pub served: &'a (dyn Fn() -> Option<Snapshot> + Sync),
    /// It cannot have been made before this instant.
    pub since: Option<DateTime<Utc>>,
}

impl Client {
    /// Looks for the snapshot of a creation whose answer was lost. One that serves is preferred
    /// to one that broke.
    ///
    /// # Errors
    /// The outcome is unknown: of the creation that ended in `lost`, or, right before another
    /// try, of all tries so far.
    pub(super) async fn look_up(
        &self,
        deadline: Deadline,
        matcher: &SnapshotMatcher<'_>,
        lost: Option<&Error>,
    ) -> Result<Option<Snapshot>, Error> {
        let listed = self
            .list_managed_volume_snapshots(
                deadline,
                matcher.volume_id,
                Some(matcher.kind),
                false,
                matcher.since,
            )
            .await;
        let listed = match listed {
            Ok(listed) => listed,
            Err(look_up) => return Err(outcome_unknown(lost, look_up)),
        };
        use SnapshotStatus::{Creating, Deleting, Error, ErrorDeleting};
        let mut ours: Vec<Snapshot> = listed
            .into_iter()
            .filter(|one| (matcher.matches)(one) && !matches!(one.status, Deleting | ErrorDeleting))
            .collect();
        ours.sort_by_key(|one| match one.status {
            Error => 2,
            Creating => 1,
            _ => 0,
        });
        Ok(ours.into_iter().next())
    }
}

//! Cinder's snapshots: listing, reading and deleting them.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Utc};
use http::{Method, StatusCode};
use serde::{Deserialize, Deserializer};

use super::client::{Client, is_id};
use super::connection::{Call, Kind, Service, request_id};
use super::error::{Error, ErrorKind};
use super::lenient;
use super::listing::Listing;
use crate::deadline::Deadline;

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
    #[serde(default, deserialize_with = "lenient::metadata")]
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

/// A deletion that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The cloud took our request on.
    Accepted {
        /// Its id for the request.
        request_id: Option<String>,
    },
    /// Somebody else's request was there first.
    ByOther,
}

/// What to do about a snapshot whose deletion the cloud refuses, once it was read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterRefusal {
    /// Delete it by force, which needs the right role.
    Force,
    /// Somebody else's deletion is under way: that is as good.
    LeaveToOther,
    /// Accept the refusal.
    GiveUp,
}

impl Client {
    /// Lists every managed snapshot, in all states, page by page, and gathers what `add` makes
    /// of them; the caller filters.
    ///
    /// # Errors
    /// Whatever kept the listing from being complete.
    pub async fn list_managed_snapshots<A>(
        &self,
        deadline: Deadline,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, Snapshot),
    ) -> Result<A, Error> {
        let name = "list managed snapshots";
        self.list_snapshots(deadline, name, None, None, new, |all, one| {
            add(all, one);
            ControlFlow::Continue(())
        })
        .await
    }

    /// Lists the managed snapshots made since an instant; all of them where none is given.
    ///
    /// # Errors
    /// Whatever kept the listing from being complete.
    pub async fn list_managed_snapshots_since(
        &self,
        deadline: Deadline,
        since: Option<DateTime<Utc>>,
    ) -> Result<Vec<Snapshot>, Error> {
        self.list_recent_managed_snapshots(deadline, since, None, None)
            .await
    }

    /// Lists managed snapshots newest first, as far back as this instant or until every one of
    /// `wanted` has been met, so that the cost does not grow with history.
    pub(super) async fn list_recent_managed_snapshots(
        &self,
        deadline: Deadline,
        back_to: Option<DateTime<Utc>>,
        page_size: Option<usize>,
        wanted: Option<&HashSet<String>>,
    ) -> Result<Vec<Snapshot>, Error> {
        let new = || (Vec::new(), wanted.map(HashSet::len));
        let (recent, _) = self
            .list_snapshots(
                deadline,
                "look at recent snapshots",
                page_size,
                back_to,
                new,
                |(recent, missing): &mut (Vec<Snapshot>, Option<usize>), one| {
                    let passed = is_older(&one, back_to);
                    if let (Some(missing), Some(wanted)) = (missing.as_mut(), wanted)
                        && wanted.contains(&one.id)
                    {
                        *missing = missing.saturating_sub(1);
                    }
                    let all_met = *missing == Some(0);
                    if !passed {
                        recent.push(one);
                    }
                    if passed || all_met {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                },
            )
            .await?;
        Ok(recent)
    }

    /// Lists the managed snapshots of one volume, newest first, of one policy type where one is
    /// given, and only the newest where `last_only`.
    ///
    /// Should the server's filter by volume give nothing, all snapshots are looked through, but
    /// only back to `since`.
    ///
    /// # Errors
    /// Whatever kept the listing from being complete.
    pub async fn list_managed_volume_snapshots(
        &self,
        deadline: Deadline,
        volume_id: &str,
        policy_type: Option<&str>,
        last_only: bool,
        since: Option<DateTime<Utc>>,
    ) -> Result<Vec<Snapshot>, Error> {
        let listing = Listing {
            name: "list a volume's managed snapshots",
            path: "/snapshots/detail",
            filter: Some(("volume_id", volume_id)),
            page_size: None,
        };
        let mut snapshots = self
            .connection
            .list(deadline, listing, Vec::new, |all, one: Snapshot| {
                if one.volume_id == volume_id {
                    let wanted = policy_type
                        .is_none_or(|wanted| self.policy_type(&one.metadata) == Some(wanted));
                    if wanted && self.is_managed(&one.metadata) {
                        all.push(one);
                    }
                } else if is_older(&one, since) {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            })
            .await?;
        // By sorting, not by trust in the order of the listing.
        snapshots.sort_by(|a: &Snapshot, b| b.age_key().cmp(&a.age_key()));
        if last_only {
            snapshots.truncate(1);
        }
        Ok(snapshots)
    }

    async fn list_snapshots<A>(
        &self,
        deadline: Deadline,
        name: &str,
        page_size: Option<usize>,
        back_to: Option<DateTime<Utc>>,
        new: impl Fn() -> A,
        mut add: impl FnMut(&mut A, Snapshot) -> ControlFlow<()>,
    ) -> Result<A, Error> {
        let managed = self.managed_filter();
        let listing = Listing {
            name,
            path: "/snapshots/detail",
            filter: Some(("metadata", &managed)),
            page_size,
        };
        self.connection
            .list(deadline, listing, new, |all, one: Snapshot| {
                if self.is_managed(&one.metadata) {
                    add(all, one)
                } else if is_older(&one, back_to) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .await
    }

    /// Reads one snapshot.
    ///
    /// # Errors
    /// A 404 where it is gone, and whatever else went wrong.
    pub async fn snapshot(&self, deadline: Deadline, id: &str) -> Result<Snapshot, Error> {
        let path = path_to(id)?;
        let body: SnapshotBody = self.read(deadline, "read snapshot", &path).await?;
        Ok(body.snapshot)
    }

    /// Deletes a snapshot: normally first and, where the cloud refuses that by 400 or 409, reads
    /// it again and does what `after_refusal` says. Gives the request id of the deletion that
    /// was accepted.
    ///
    /// # Errors
    /// 404 where it is gone already and 403 where the role does not allow it are errors here:
    /// the caller knows what they mean. Out of time when no deletion that would fit could be
    /// begun, or when one was cut off.
    pub async fn delete_snapshot(
        &self,
        deadline: Deadline,
        id: &str,
        after_refusal: impl Fn(&Snapshot) -> AfterRefusal,
    ) -> Result<Deletion, Error> {
        let path = path_to(id)?;
        let normal = Call {
            kind: Kind::Delete,
            service: Service::BlockStorage,
            method: Method::DELETE,
            path: &path,
            body: None,
        };
        let refused = match self.carry_out(deadline, "delete snapshot", &normal).await {
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
        match after_refusal(&snapshot) {
            AfterRefusal::LeaveToOther => Ok(Deletion::ByOther),
            AfterRefusal::GiveUp => Err(refused),
            AfterRefusal::Force => {
                let path = format!("{path}/action");
                let force = Call {
                    method: Method::POST,
                    path: &path,
                    body: Some(r#"{"os-force_delete": {}}"#.into()),
                    ..normal
                };
                self.carry_out(deadline, "force-delete snapshot", &force)
                    .await
            }
        }
    }

    async fn carry_out(
        &self,
        deadline: Deadline,
        name: &str,
        call: &Call<'_>,
    ) -> Result<Deletion, Error> {
        self.connection
            .execute_action(deadline, &self.connection.retry, name, || async {
                self.connection.begin(deadline, call.kind)?;
                let response = self.connection.call(deadline, call, None).await?;
                Ok(Deletion::Accepted {
                    request_id: request_id(&response),
                })
            })
            .await
    }
}

/// The way to one snapshot. An id that is none could lead to something else.
fn path_to(id: &str) -> Result<String, Error> {
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

fn is_older(snapshot: &Snapshot, than: Option<DateTime<Utc>>) -> bool {
    matches!((snapshot.created_at, than), (Some(at), Some(than)) if at < than)
}

/// The instant, cut to the whole second in which listings show it, and a second for safety.
pub(super) fn as_listed(created_at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(created_at.timestamp(), 0).unwrap_or(created_at)
        - TimeDelta::seconds(1)
}

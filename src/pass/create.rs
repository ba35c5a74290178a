//! Creating one due window's snapshot.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use http::StatusCode;

use super::Pass;
use super::inventory::read_snapshot;
use super::outcome::{CreateOutcome, Deferral};
use crate::openstack::{self, Creation, Error, NewSnapshot, NotCreated, Permit, SnapshotMatcher};
use crate::plan::creation::{DESCRIPTION, best};
use crate::plan::{DueWindow, Snapshot, State, Volume};

impl Pass<'_> {
    /// Creates a window's snapshot, unless the latest look shows that somebody else has. What was
    /// in its way and has been cleaned serves nothing, whatever a look says of it.
    pub(super) async fn create(
        &self,
        due: &DueWindow,
        cleaned: &HashSet<String>,
        permit: Option<Permit>,
        since: Option<DateTime<Utc>>,
    ) -> CreateOutcome {
        let new = NewSnapshot {
            volume_id: due.volume_id.clone(),
            name: due.name.clone(),
            description: DESCRIPTION.into(),
            metadata: due.metadata.clone(),
        };
        let matches = |seen: &openstack::Snapshot| {
            let snapshot = read_snapshot(seen);
            snapshot.policy == Some(due.policy)
                && snapshot.window_start == Some(due.window.start)
                && !due.known.contains(&snapshot.id)
        };
        let served = || {
            let mut seen = self.client.seen_of_volume(&due.volume_id);
            let serving = self.serving(due, cleaned, &seen)?;
            seen.retain(|one| one.id == serving.id);
            seen.pop()
        };
        let matcher = SnapshotMatcher {
            volume_id: &due.volume_id,
            kind: due.policy.as_str(),
            matches: &matches,
            served: &served,
            since,
        };
        let creation = self
            .client
            .create_managed_snapshot(self.deadline, &new, permit, &matcher)
            .await;
        match creation {
            Ok(Creation::Created { resource, .. }) => CreateOutcome::Created {
                snapshot_id: resource.id,
            },
            Ok(Creation::Adopted(snapshot)) => self.adopted(
                &read_snapshot(&snapshot),
                "the answer was lost, and the look-up found it",
            ),
            Ok(Creation::Served(snapshot)) => {
                self.adopted(&read_snapshot(&snapshot), "another pass was quicker")
            }
            Err(NotCreated::Pending { snapshot_id }) => CreateOutcome::Pending { snapshot_id },
            Err(NotCreated::Deferred(error)) => CreateOutcome::Deferred(Deferral::OutOfTime(error)),
            Err(NotCreated::Deleted { snapshot_id, error }) => {
                match self.duplicate_that_stays(due, cleaned, since).await {
                    Some(stays) => self.adopted(
                        &stays,
                        "an overlapping pass deleted ours, a duplicate of the window",
                    ),
                    None => CreateOutcome::Failed {
                        error,
                        snapshot_id: Some(snapshot_id),
                        not_deleted: None,
                    },
                }
            }
            Err(NotCreated::Failed {
                error,
                snapshot_id,
                not_cleaned,
            }) => match self.blocked_by_now(due, &error).await {
                Some(how) => CreateOutcome::Blocked(how),
                None => CreateOutcome::Failed {
                    error,
                    snapshot_id,
                    not_deleted: not_cleaned,
                },
            },
        }
    }

    /// How it is with the volume of a creation that the cloud refused, where that explains it.
    async fn blocked_by_now(&self, due: &DueWindow, refused: &Error) -> Option<String> {
        let (StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND) = refused.status()? else {
            return None;
        };
        match self.client.volume(self.deadline, &due.volume_id).await {
            Ok(volume) if Volume::allows_snapshots(&volume.status) => None,
            Ok(volume) => Some(in_state(&volume.status)),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Some("gone".to_owned()),
            Err(error) => {
                tracing::debug!(volume_id = due.volume_id, %error, "the volume could not be read");
                None
            }
        }
    }

    /// Another snapshot that serves the window, now that ours was deleted by somebody else.
    async fn duplicate_that_stays(
        &self,
        due: &DueWindow,
        cleaned: &HashSet<String>,
        since: Option<DateTime<Utc>>,
    ) -> Option<Snapshot> {
        let kind = Some(due.policy.as_str());
        let listed = self
            .client
            .list_managed_volume_snapshots(self.deadline, &due.volume_id, kind, false, since)
            .await
            .ok()?;
        self.serving(due, cleaned, &listed)
    }

    fn serving(
        &self,
        due: &DueWindow,
        cleaned: &HashSet<String>,
        snapshots: &[openstack::Snapshot],
    ) -> Option<Snapshot> {
        let read: Vec<Snapshot> = snapshots.iter().map(read_snapshot).collect();
        let serving = read.iter().filter(|seen| {
            // A look may have met what was cleaned since.
            !cleaned.contains(&seen.id)
                && seen.belongs_to(due.policy, &due.window)
                && seen.serves(self.now, self.limits.stuck_after)
        });
        best(serving).cloned()
    }

    fn adopted(&self, snapshot: &Snapshot, why: &'static str) -> CreateOutcome {
        CreateOutcome::Adopted {
            by: snapshot.id.clone(),
            creating_since: (snapshot.state == State::Creating)
                .then(|| snapshot.created_at.unwrap_or(self.now)),
            why,
        }
    }
}

/// A volume's state in words; a cloud may show none.
pub(super) fn in_state(status: &str) -> String {
    match status {
        "" => "in no readable state".to_owned(),
        status => format!("in the state {status}"),
    }
}

//! Creating one due window's snapshot.

use chrono::{DateTime, Utc};

use super::Pass;
use super::inventory::read_snapshot;
use crate::openstack::{Creation, NewSnapshot, NotCreated, Permit, Snapshot, SnapshotMatcher};
use crate::plan::creation::{DESCRIPTION, DueWindow};

/// What came of a window.
pub(super) enum CreateOutcome {
    /// Ours, and available.
    Created(Snapshot),
    /// Somebody's, perhaps ours.
    Adopted { by: String, why: &'static str },
    /// Not taken, or not yet.
    Not(NotCreated),
}

impl Pass<'_> {
    /// Creates a window's snapshot, unless the latest look shows that somebody else has.
    pub(super) async fn take(
        &self,
        due: &DueWindow,
        permit: Option<Permit>,
        since: Option<DateTime<Utc>>,
    ) -> CreateOutcome {
        if let Some(by) = self.served_by_now(due) {
            return CreateOutcome::Adopted {
                by,
                why: "another pass was quicker",
            };
        }
        let new = NewSnapshot {
            volume_id: due.volume_id.clone(),
            name: due.name.clone(),
            description: DESCRIPTION.into(),
            metadata: due.metadata.clone(),
        };
        let matches = |seen: &Snapshot| {
            let snapshot = read_snapshot(seen);
            snapshot.policy == Some(due.policy)
                && snapshot.window_start == Some(due.window.start)
                && !due.known.contains(&snapshot.id)
        };
        let matcher = SnapshotMatcher {
            volume_id: &due.volume_id,
            policy_type: due.policy.as_str(),
            matches: &matches,
            since,
        };
        match self
            .client
            .create_managed_snapshot(self.deadline, &new, permit, &matcher)
            .await
        {
            Ok(Creation::Created { resource, .. }) => CreateOutcome::Created(resource),
            Ok(Creation::Adopted(snapshot)) => CreateOutcome::Adopted {
                by: snapshot.id,
                why: "the answer was lost, and the look-up found it",
            },
            Err(NotCreated::Deleted { snapshot_id, error }) => {
                match self.duplicate_that_stays(due, since).await {
                    Some(by) => CreateOutcome::Adopted {
                        by,
                        why: "an overlapping pass removed ours, the second of the window",
                    },
                    None => CreateOutcome::Not(NotCreated::Deleted { snapshot_id, error }),
                }
            }
            Err(not_created) => CreateOutcome::Not(not_created),
        }
    }

    /// Another snapshot that serves the window, now that ours was deleted by somebody else.
    async fn duplicate_that_stays(
        &self,
        due: &DueWindow,
        since: Option<DateTime<Utc>>,
    ) -> Option<String> {
        let kind = Some(due.policy.as_str());
        let listed = self
            .client
            .list_managed_volume_snapshots(self.deadline, &due.volume_id, kind, false, since)
            .await
            .ok()?;
        self.serving(due, &listed)
    }

    fn served_by_now(&self, due: &DueWindow) -> Option<String> {
        self.serving(due, &self.client.seen_of_volume(&due.volume_id))
    }

    fn serving(&self, due: &DueWindow, snapshots: &[Snapshot]) -> Option<String> {
        snapshots
            .iter()
            .map(read_snapshot)
            .find(|seen| {
                seen.belongs_to(due.policy, &due.window)
                    && seen.serves(self.now, self.limits.stuck_after)
            })
            .map(|seen| seen.id)
    }
}

//! Looking up a creation whose answer was lost: is there a snapshot, or is there none?
//!
//! A look-up that fails settles nothing, so the creation is then not tried again.

use chrono::{DateTime, Utc};

use super::client::Client;
use super::creation::outcome_unknown;
use super::error::Error;
use super::snapshot::Snapshot;
use super::snapshot_status::SnapshotStatus;
use crate::deadline::Deadline;

/// How a snapshot that was lost from sight is recognised.
pub struct SnapshotMatcher<'a> {
    /// The volume that it was to be taken of.
    pub volume_id: &'a str,
    /// Its policy type.
    pub policy_type: &'a str,
    /// Whether this snapshot is the one that was asked for.
    pub matches: &'a (dyn Fn(&Snapshot) -> bool + Sync),
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
                Some(matcher.policy_type),
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

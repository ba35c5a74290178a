//! Looks at snapshots that are being created, and what they have seen.
//!
//! A look lists newest first only as far back as the oldest snapshot waited for, so its cost
//! never grows with history. What others create meanwhile is seen by the same looks, and
//! remembered for whoever is about to create.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use http::StatusCode;

use super::client::Client;
use super::poller::{Looked, Resource, Settled};
use super::snapshot::{Snapshot, as_listed};
use crate::deadline::{Deadline, Expired};
use crate::lock::lock;

impl Resource for Snapshot {
    fn id(&self) -> &str {
        &self.id
    }

    fn status(&self) -> &str {
        self.status.as_str()
    }

    fn created_at(&self) -> Option<DateTime<Utc>> {
        self.created_at
    }
}

/// By volume, snapshots as the latest look that met each of them saw it.
#[derive(Debug, Default)]
pub(super) struct SeenSnapshots(Mutex<HashMap<String, Vec<Snapshot>>>);

impl SeenSnapshots {
    fn of_volume(&self, volume_id: &str) -> Vec<Snapshot> {
        let seen = lock(&self.0);
        seen.get(volume_id).cloned().unwrap_or_default()
    }

    pub(super) fn count(&self) -> usize {
        lock(&self.0).values().map(Vec::len).sum()
    }

    /// Remembers what a look met, and forgets what it should have met and did not.
    fn remember(&self, rows: Vec<Snapshot>) {
        let mut seen = lock(&self.0);
        // A look may end between two of one second: by their ids, as they are listed.
        match rows.last().map(Snapshot::age_key) {
            Some(reach) => seen
                .values_mut()
                .for_each(|of_volume| of_volume.retain(|one| one.age_key() < reach)),
            // Believed for too long, what is gone would serve a window.
            None => seen.clear(),
        }
        for snapshot in rows {
            let of_volume = seen.entry(snapshot.volume_id.clone()).or_default();
            of_volume.retain(|one| one.id != snapshot.id);
            of_volume.push(snapshot);
        }
    }
}

impl Client {
    /// Waits until a snapshot, whoever made it, is no longer `creating`.
    ///
    /// # Errors
    /// [`Expired`] where the deadline came first.
    pub(crate) async fn settled_snapshot(
        &self,
        deadline: Deadline,
        snapshot: &Snapshot,
    ) -> Result<Settled<Snapshot>, Expired> {
        let look = async || self.look_at_snapshots(deadline).await;
        self.snapshots.settled(deadline, snapshot, look).await
    }

    /// What the looks of this pass have seen of a volume's managed snapshots.
    pub(crate) fn seen_of_volume(&self, volume_id: &str) -> Vec<Snapshot> {
        self.seen.of_volume(volume_id)
    }

    /// Looks once.
    async fn look_at_snapshots(&self, deadline: Deadline) -> Result<Looked, Expired> {
        let (wanted, oldest) = self.snapshots.wanted();
        let rows = self
            .look_for_snapshots(deadline, oldest.map(as_listed), &wanted)
            .await;
        let rows = match rows {
            Ok(rows) => rows,
            // A look that failed tells nothing about the snapshots: the next one may.
            Err(error) => {
                tracing::warn!(%error, "could not look at the snapshots being created");
                return if error.is_out_of_time() {
                    Err(Expired)
                } else {
                    Ok(self.looked(error.retry_after()))
                };
            }
        };
        let met: HashSet<&str> = rows.iter().map(|one| one.id.as_str()).collect();
        let missed: Vec<String> = wanted
            .into_iter()
            .filter(|id| !met.contains(id.as_str()))
            .collect();
        for snapshot in &rows {
            self.snapshots.tell(snapshot);
        }
        self.seen.remember(rows);
        let pauses = missed
            .iter()
            .map(|id| self.look_at_one_snapshot(deadline, id));
        let longest = join_all(pauses).await.into_iter().flatten().max();
        Ok(self.looked(longest))
    }

    /// A look is over, after which the cloud asks for this pause.
    pub(super) fn looked(&self, pause: Option<Duration>) -> Looked {
        Looked {
            left: self.connection.observed.last_listing(),
            pause: pause.unwrap_or_default(),
        }
    }

    /// Reads a snapshot that a look should have met; gives the pause that the cloud asks for.
    async fn look_at_one_snapshot(&self, deadline: Deadline, id: &str) -> Option<Duration> {
        match self.snapshot(deadline, id).await {
            Ok(snapshot) => self.snapshots.tell(&snapshot),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                self.snapshots.settle(id, Settled::Gone);
            }
            Err(error) => {
                tracing::warn!(snapshot_id = id, %error, "could not be read");
                return error.retry_after();
            }
        }
        None
    }
}

//! Waiting for snapshots to become available: one look answers for all who wait.
//!
//! Whoever waits registers with the [`Poller`](super::watcher::Poller). A look lists newest
//! first only as far back as the oldest snapshot waited for, so fifty creations cost one request
//! a look, not fifty, and the cost never grows with history. What others create meanwhile is seen
//! by the same looks, and remembered for whoever is about to create.

use std::collections::HashSet;
use std::future::Future;
use std::time::Duration;

use futures::future::{Either, join_all, select};
use http::StatusCode;
use tokio::time::{Instant, sleep_until};

use super::client::Client;
use super::snapshot::Snapshot;
use super::watcher::Settled;
use crate::deadline::{Deadline, Expired};

/// Rows asked for beyond those waited for: others create too.
const SPARE_ROWS: usize = 50;
/// Cinder's own limit of rows a page, unless it was lowered.
const MOST_ROWS: usize = 1000;

impl Client {
    /// Does some work while looking after the snapshots that it waits for.
    ///
    /// Waiting for a snapshot makes no progress outside of this.
    pub async fn watching<T>(
        &self,
        deadline: Deadline,
        poll_interval: Duration,
        work: impl Future<Output = T>,
    ) -> T {
        let looking = std::pin::pin!(self.keep_looking(deadline, poll_interval));
        let work = std::pin::pin!(work);
        match select(work, looking).await {
            Either::Left((done, _)) => done,
            // Out of time: nobody is told any more, and the waiting ends at the deadline.
            Either::Right(((), work)) => work.await,
        }
    }

    /// Waits until a snapshot is no longer `creating`.
    pub(super) async fn settled(
        &self,
        deadline: Deadline,
        snapshot: &Snapshot,
    ) -> Result<Settled, Expired> {
        if let Some(settled) = Settled::of(snapshot) {
            return Ok(settled);
        }
        let told = self.watcher.register(snapshot);
        let settled = deadline.bound(told).await;
        self.watcher.forget(&snapshot.id);
        settled?.map_err(|_| Expired)
    }

    /// What the looks of this pass have seen of a volume's managed snapshots.
    pub fn seen_of_volume(&self, volume_id: &str) -> Vec<Snapshot> {
        self.watcher.seen(volume_id)
    }

    async fn keep_looking(&self, deadline: Deadline, poll_interval: Duration) {
        let mut last = None;
        let mut earliest = Instant::now();
        loop {
            let Some(next) = self.watcher.next_look(last, poll_interval) else {
                self.watcher.registered.notified().await;
                continue;
            };
            let next = next.max(earliest);
            // Somebody new may want an earlier look.
            let registered = std::pin::pin!(self.watcher.registered.notified());
            let until = std::pin::pin!(sleep_until(next.min(deadline.instant())));
            if let Either::Right(_) = select(until, registered).await {
                continue;
            }
            last = Some(Instant::now());
            match self.look(deadline).await {
                Ok(pause) if deadline.fits(pause) => earliest = Instant::now() + pause,
                Ok(_) | Err(Expired) => return,
            }
        }
    }

    /// Looks once, and gives the pause that the cloud asks for before the next look.
    async fn look(&self, deadline: Deadline) -> Result<Duration, Expired> {
        let (wanted, back_to) = self.watcher.wanted();
        let page_size = (wanted.len() + SPARE_ROWS).min(MOST_ROWS);
        let rows = self
            .list_recent_managed_snapshots(deadline, back_to, page_size, &wanted)
            .await;
        let rows = match rows {
            Ok(rows) => rows,
            // A look that failed tells nothing about the snapshots: the next one may.
            Err(error) => {
                tracing::warn!(%error, "could not look at the snapshots being created");
                return if error.is_out_of_time() {
                    Err(Expired)
                } else {
                    Ok(error.retry_after().unwrap_or_default())
                };
            }
        };
        let met: HashSet<&str> = rows.iter().map(|one| one.id.as_str()).collect();
        let missed: Vec<String> = wanted
            .into_iter()
            .filter(|id| !met.contains(id.as_str()))
            .collect();
        for snapshot in &rows {
            self.watcher.tell(snapshot);
        }
        self.watcher.remember(rows);
        let pauses = missed.iter().map(|id| self.look_at_one(deadline, id));
        let longest = join_all(pauses).await.into_iter().flatten().max();
        Ok(longest.unwrap_or_default())
    }

    /// Reads a snapshot that a look should have met; gives the pause that the cloud asks for.
    async fn look_at_one(&self, deadline: Deadline, id: &str) -> Option<Duration> {
        match self.snapshot(deadline, id).await {
            Ok(snapshot) => self.watcher.tell(&snapshot),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                self.watcher.settle(id, Settled::Gone);
            }
            Err(error) => {
                tracing::warn!(snapshot_id = id, %error, "could not be read");
                return error.retry_after();
            }
        }
        None
    }
}

//! Waiting for snapshots to become available: one look answers for all who wait.
//!
//! Whoever waits registers here. A look lists newest first only as far back as the oldest
//! snapshot waited for, so fifty creations cost one request a look, not fifty, and the cost
//! never grows with history. What others create meanwhile is seen by the same looks, and
//! remembered for whoever is about to create.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{Either, join_all, select};
use http::StatusCode;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::client::Client;
use super::connection::locked;
use super::snapshots::{Snapshot, as_listed};
use crate::deadline::{Deadline, Expired};

/// Looks are never closer together than this.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(250);
/// The interval is this part of a snapshot's age.
const LOOKS_A_LIFE: u32 = 12;
/// The part of the quickest snapshot's time by which another may be quicker.
const EARLIER: u32 = 8;
/// Rows asked for beyond those waited for: others create too.
const SPARE_ROWS: usize = 50;
/// Cinder's own limit of rows a page, unless it was lowered.
const MOST_ROWS: usize = 1000;

/// How waiting for a snapshot ended.
#[derive(Clone, Debug)]
pub(super) enum Settled {
    /// It can be restored from.
    Available(Snapshot),
    /// It is in `error`, or is being deleted by somebody else.
    Broken(Snapshot),
    /// It is no longer there.
    Gone,
}

/// Who waits for what, and what the looks have seen.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    waiting: Mutex<HashMap<String, Waiting>>,
    registered: Notify,
    /// By volume, as the latest look that met each snapshot saw it.
    seen: Mutex<HashMap<String, Vec<Snapshot>>>,
    /// The shortest time that a snapshot has taken in this pass.
    quickest: Mutex<Option<Duration>>,
}

#[derive(Debug)]
struct Waiting {
    created_at: Option<DateTime<Utc>>,
    since: Instant,
    tell: oneshot::Sender<Settled>,
}

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
        match snapshot.status.as_str() {
            "creating" => {}
            "error" | "error_deleting" | "deleting" => {
                return Ok(Settled::Broken(snapshot.clone()));
            }
            _ => return Ok(Settled::Available(snapshot.clone())),
        }
        let (tell, told) = oneshot::channel();
        locked(&self.watcher.waiting).insert(
            snapshot.id.clone(),
            Waiting {
                created_at: snapshot.created_at,
                since: Instant::now(),
                tell,
            },
        );
        self.watcher.registered.notify_one();
        let settled = deadline.bound(told).await;
        locked(&self.watcher.waiting).remove(&snapshot.id);
        settled?.map_err(|_| Expired)
    }

    /// What the looks of this pass have seen of a volume's managed snapshots.
    pub fn seen_of_volume(&self, volume_id: &str) -> Vec<Snapshot> {
        locked(&self.watcher.seen)
            .get(volume_id)
            .cloned()
            .unwrap_or_default()
    }

    async fn keep_looking(&self, deadline: Deadline, poll_interval: Duration) {
        let mut last = None;
        loop {
            let Some(next) = self.watcher.next_look(last, poll_interval) else {
                self.watcher.registered.notified().await;
                continue;
            };
            // Somebody new may want an earlier look.
            let registered = std::pin::pin!(self.watcher.registered.notified());
            let until = std::pin::pin!(sleep_until(next.min(deadline.instant())));
            if let Either::Right(_) = select(until, registered).await {
                continue;
            }
            last = Some(Instant::now());
            if self.look(deadline).await.is_break() {
                return;
            }
        }
    }

    /// Looks once; breaks off when there is no time for another look.
    async fn look(&self, deadline: Deadline) -> ControlFlow<()> {
        let (wanted, back_to) = {
            let waiting = locked(&self.watcher.waiting);
            let wanted: HashSet<String> = waiting.keys().cloned().collect();
            let unknown = waiting.values().any(|one| one.created_at.is_none());
            let oldest = waiting.values().filter_map(|one| one.created_at).min();
            (wanted, oldest.filter(|_| !unknown).map(as_listed))
        };
        let page_size = (wanted.len() + SPARE_ROWS).min(MOST_ROWS);
        let rows = self
            .list_recent_managed_snapshots(deadline, back_to, Some(page_size), Some(&wanted))
            .await;
        let rows = match rows {
            Ok(rows) => rows,
            // A look that failed tells nothing about the snapshots: the next one may.
            Err(error) => {
                tracing::warn!(%error, "could not look at the snapshots being created");
                return if error.is_out_of_time() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
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
        join_all(
            missed
                .iter()
                .map(async |id| match self.snapshot(deadline, id).await {
                    Ok(snapshot) => self.watcher.tell(&snapshot),
                    Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                        self.watcher.settle(id, Settled::Gone);
                    }
                    Err(error) => tracing::warn!(snapshot_id = id, %error, "could not be read"),
                }),
        )
        .await;
        ControlFlow::Continue(())
    }
}

impl Watcher {
    /// When to look next; nothing where nobody waits.
    ///
    /// A snapshot is looked for a little before the quickest one of this pass was seen to be
    /// done, then at intervals that grow with its age up to `poll_interval`. So the cost of a
    /// slow cloud stays low, and what the waiting adds to a snapshot's own time stays a small
    /// part of it: of several rounds that wait for each other's slots, every one pays it.
    fn next_look(&self, last: Option<Instant>, poll_interval: Duration) -> Option<Instant> {
        let waiting = locked(&self.waiting);
        let soonest = locked(&self.quickest).map_or(SHORTEST_INTERVAL, |quickest| {
            (quickest - quickest / EARLIER).max(SHORTEST_INTERVAL)
        });
        let now = Instant::now();
        let earliest = last.map_or(now, |last| last + SHORTEST_INTERVAL);
        let wish = waiting
            .values()
            .map(|one| {
                let soonest = one.since + soonest;
                let age = now.saturating_duration_since(one.since);
                let interval = (age / LOOKS_A_LIFE).clamp(SHORTEST_INTERVAL, poll_interval);
                soonest.max(last.map_or(soonest, |last| last + interval))
            })
            .min()?;
        let latest = last.unwrap_or(now) + poll_interval;
        Some(wish.min(latest).max(earliest))
    }

    fn tell(&self, snapshot: &Snapshot) {
        let settled = match snapshot.status.as_str() {
            "creating" => return,
            "error" | "error_deleting" | "deleting" => Settled::Broken(snapshot.clone()),
            _ => Settled::Available(snapshot.clone()),
        };
        self.settle(&snapshot.id, settled);
    }

    fn settle(&self, id: &str, settled: Settled) {
        let Some(waiting) = locked(&self.waiting).remove(id) else {
            return;
        };
        if matches!(settled, Settled::Available(_)) {
            let took = waiting.since.elapsed();
            let mut quickest = locked(&self.quickest);
            *quickest = Some(quickest.map_or(took, |so_far| so_far.min(took)));
        }
        // Whoever waited may have been stopped by the deadline.
        let _ = waiting.tell.send(settled);
    }

    /// Remembers what a look met, and forgets what it should have met and did not.
    fn remember(&self, rows: Vec<Snapshot>) {
        let mut seen = locked(&self.seen);
        // A look may end between two of one second: by their ids, as they are listed.
        if let Some(reach) = rows.last().map(Snapshot::age_key) {
            for of_volume in seen.values_mut() {
                of_volume.retain(|one| one.age_key() < reach);
            }
        }
        for snapshot in rows {
            let of_volume = seen.entry(snapshot.volume_id.clone()).or_default();
            of_volume.retain(|one| one.id != snapshot.id);
            of_volume.push(snapshot);
        }
    }
}

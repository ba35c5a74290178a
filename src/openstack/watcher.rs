//! Who waits for which snapshot, when to look next, and what the looks have seen.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::snapshot::{Snapshot, as_listed};
use crate::lock::lock;

/// Looks are never closer together than this.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(250);
/// The interval is this part of a snapshot's age.
const LOOKS_A_LIFE: u32 = 12;
/// The part of the quickest snapshot's time by which another may be quicker.
const EARLIER: u32 = 8;

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

impl Settled {
    /// How it ended, if it did.
    pub(super) fn of(snapshot: &Snapshot) -> Option<Self> {
        match snapshot.status.as_str() {
            "creating" => None,
            "error" | "error_deleting" | "deleting" => Some(Self::Broken(snapshot.clone())),
            _ => Some(Self::Available(snapshot.clone())),
        }
    }
}

/// Who waits for what, and what the looks have seen.
#[derive(Debug, Default)]
pub(super) struct Poller {
    waiting: Mutex<HashMap<String, Waiting>>,
    /// Told when somebody new waits.
    pub(super) registered: Notify,
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

impl Poller {
    /// Waits for a snapshot from now on.
    pub(super) fn register(&self, snapshot: &Snapshot) -> oneshot::Receiver<Settled> {
        let (tell, told) = oneshot::channel();
        let waiting = Waiting {
            created_at: snapshot.created_at,
            since: Instant::now(),
            tell,
        };
        lock(&self.waiting).insert(snapshot.id.clone(), waiting);
        self.registered.notify_one();
        told
    }

    /// Waits for a snapshot no longer.
    pub(super) fn forget(&self, id: &str) {
        lock(&self.waiting).remove(id);
    }

    /// The snapshots waited for, and how far back a look has to go to meet them all.
    pub(super) fn wanted(&self) -> (HashSet<String>, Option<DateTime<Utc>>) {
        let waiting = lock(&self.waiting);
        let wanted = waiting.keys().cloned().collect();
        let unknown = waiting.values().any(|one| one.created_at.is_none());
        let oldest = waiting.values().filter_map(|one| one.created_at).min();
        (wanted, oldest.filter(|_| !unknown).map(as_listed))
    }

    /// What the looks have seen of a volume's managed snapshots.
    pub(super) fn seen(&self, volume_id: &str) -> Vec<Snapshot> {
        lock(&self.seen).get(volume_id).cloned().unwrap_or_default()
    }

    /// When to look next; nothing where nobody waits.
    ///
    /// A snapshot is looked for a little before the quickest one of this pass was seen to be
    /// done, then at intervals that grow with its age up to `poll_interval`. So the cost of a
    /// slow cloud stays low, and what the waiting adds to a snapshot's own time stays a small
    /// part of it: of several rounds that wait for each other's slots, every one pays it.
    pub(super) fn next_look(
        &self,
        last: Option<Instant>,
        poll_interval: Duration,
    ) -> Option<Instant> {
        let waiting = lock(&self.waiting);
        let soonest = lock(&self.quickest).map_or(SHORTEST_INTERVAL, |quickest| {
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

    /// Tells whoever waits for it how a snapshot has ended, if it has.
    pub(super) fn tell(&self, snapshot: &Snapshot) {
        if let Some(settled) = Settled::of(snapshot) {
            self.settle(&snapshot.id, settled);
        }
    }

    /// Tells whoever waits for it how a snapshot has ended.
    pub(super) fn settle(&self, id: &str, settled: Settled) {
        let Some(waiting) = lock(&self.waiting).remove(id) else {
            return;
        };
        if matches!(settled, Settled::Available(_)) {
            let took = waiting.since.elapsed();
            let mut quickest = lock(&self.quickest);
            *quickest = Some(quickest.map_or(took, |so_far| so_far.min(took)));
        }
        // Whoever waited may have been stopped by the deadline.
        let _ = waiting.tell.send(settled);
    }

    /// Remembers what a look met, and forgets what it should have met and did not.
    pub(super) fn remember(&self, rows: Vec<Snapshot>) {
        let mut seen = lock(&self.seen);
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

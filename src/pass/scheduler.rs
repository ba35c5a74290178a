//! Which batch leaves next.
//!
//! A batch is one policy of one VM (or of one volume that stands alone). It leaves when it has
//! all its slots and none of its volumes has a snapshot being created by this pass, since
//! backends copy with snapshots of one volume badly side by side. Scheduler are in order of their
//! oldest window, and one that waits for slots is not overtaken: a large VM would otherwise
//! wait for ever behind small ones.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::plan::creation::{Batch, DueWindow, StaleSnapshot};

/// How long a batch waits for a volume of its own before it leaves without it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The batches that have not left yet, and what they wait for.
pub(super) struct Scheduler {
    waiting: Vec<Waiting>,
    creating: HashSet<String>,
    free_slots: usize,
    largest_chunk: usize,
}

struct Waiting {
    batch: Batch,
    number: usize,
    cleaning: Cleaning,
    /// Since when it waits for a volume of its own.
    since: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cleaning {
    NotBegun,
    UnderWay,
    Done,
}

/// What to do next.
pub(super) enum Step {
    /// Clean these up; then tell [`Scheduler::cleaned`] of the batch.
    Clean {
        batch: usize,
        stale_snapshots: Vec<(DueWindow, StaleSnapshot)>,
    },
    /// Request these at one moment; then tell [`Scheduler::ended`] of each.
    Start(Vec<DueWindow>),
    /// These volumes were waited for long enough.
    Defer(Vec<DueWindow>),
}

impl Scheduler {
    /// Scheduler in the order in which they are to leave. `max_creating` is the number of slots;
    /// no chunk has more windows than that, nor than `max_concurrency`.
    pub(super) fn new(batches: Vec<Batch>, max_creating: usize, max_concurrency: usize) -> Self {
        let waiting = batches
            .into_iter()
            .enumerate()
            .map(|(number, batch)| Waiting {
                cleaning: if batch
                    .windows
                    .iter()
                    .all(|due| due.stale_snapshots.is_empty())
                {
                    Cleaning::Done
                } else {
                    Cleaning::NotBegun
                },
                batch,
                number,
                since: None,
            })
            .collect();
        Self {
            waiting,
            creating: HashSet::new(),
            free_slots: max_creating,
            largest_chunk: max_creating.min(max_concurrency),
        }
    }

    /// The next thing to do now; nothing while everybody has to wait.
    pub(super) fn next(&mut self, now: Instant) -> Option<Step> {
        let mut groups = HashSet::new();
        // Whoever waits for slots is not overtaken; patience and cleaning go on behind.
        let mut is_blocked = false;
        for at in 0..self.waiting.len() {
            let waiting = &mut self.waiting[at];
            if !groups.insert(waiting.batch.group) {
                continue;
            }
            if waiting.cleaning == Cleaning::NotBegun {
                waiting.cleaning = Cleaning::UnderWay;
                let stale_snapshots = waiting
                    .batch
                    .windows
                    .iter()
                    .flat_map(|due| {
                        due.stale_snapshots
                            .iter()
                            .map(|one| (due.clone(), one.clone()))
                    })
                    .collect();
                return Some(Step::Clean {
                    batch: waiting.number,
                    stale_snapshots,
                });
            }
            let creating = &self.creating;
            let is_creating = |due: &DueWindow| creating.contains(&due.volume_id);
            if waiting.batch.windows.iter().any(is_creating) {
                let since = *waiting.since.get_or_insert(now);
                if now.duration_since(since) < PATIENCE {
                    continue;
                }
                let given_up: HashSet<String> = waiting
                    .batch
                    .windows
                    .iter()
                    .filter(|due| is_creating(due))
                    .map(|due| due.volume_id.clone())
                    .collect();
                return Some(Step::Defer(self.without(&given_up)));
            }
            waiting.since = None;
            if waiting.cleaning == Cleaning::UnderWay {
                continue;
            }
            let chunk = waiting.batch.windows.len().min(self.largest_chunk);
            if is_blocked || self.free_slots < chunk {
                is_blocked = true;
                continue;
            }
            self.free_slots -= chunk;
            let leaving: Vec<DueWindow> = waiting.batch.windows.drain(..chunk).collect();
            if waiting.batch.windows.is_empty() {
                self.waiting.remove(at);
            }
            self.creating
                .extend(leaving.iter().map(|due| due.volume_id.clone()));
            return Some(Step::Start(leaving));
        }
        None
    }

    /// When the next batch's patience ends, seen from `now`, up to which all is done.
    pub(super) fn next_change(&self, now: Instant) -> Option<Instant> {
        self.waiting
            .iter()
            .filter_map(|waiting| Some(waiting.since? + PATIENCE))
            .filter(|end| *end > now)
            .min()
    }

    /// What stood in a batch's way has been dealt with, well or badly.
    pub(super) fn cleaned(&mut self, batch: usize) {
        for waiting in &mut self.waiting {
            if waiting.number == batch {
                waiting.cleaning = Cleaning::Done;
            }
        }
    }

    /// A creation has come to its end, whatever that was.
    pub(super) fn ended(&mut self, volume_id: &str) {
        self.creating.remove(volume_id);
        self.free_slots += 1;
    }

    /// Takes these volumes' windows out of every batch.
    fn without(&mut self, volumes: &HashSet<String>) -> Vec<DueWindow> {
        let mut taken_out = Vec::new();
        for waiting in &mut self.waiting {
            let (out, left) = std::mem::take(&mut waiting.batch.windows)
                .into_iter()
                .partition(|due: &DueWindow| volumes.contains(&due.volume_id));
            taken_out.extend::<Vec<DueWindow>>(out);
            waiting.batch.windows = left;
        }
        self.waiting
            .retain(|waiting| !waiting.batch.windows.is_empty());
        taken_out
    }
}

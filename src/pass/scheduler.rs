//! Which batch leaves next.
//!
//! A batch is one policy of one VM (or of one volume that stands alone). It leaves when it has
//! all its slots and none of its volumes has a snapshot being created by this pass, since
//! backends copy with snapshots of one volume badly side by side. Batches are in order of their
//! oldest window, and one that waits for slots is not overtaken: a large VM would otherwise
//! wait for ever behind small ones. Each volume type has slots of its own, so that a backend
//! which hangs holds nobody back but those who want it.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::slots::Slots;
use crate::plan::creation::UnderWay;
use crate::plan::{BackOff, Batch, DueWindow};

#[cfg(test)]
mod tests;

/// How long a batch waits for a volume of its own before it leaves without it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The batches that have not left yet, and what they wait for.
pub(super) struct Scheduler {
    waiting: Vec<Waiting>,
    /// The volumes of which this pass is creating a snapshot.
    creating: HashSet<String>,
    slots: Slots,
    max_concurrency: usize,
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

pub(super) enum Step {
    /// Delete what is in the way of these windows; then tell [`Scheduler::cleaned`] of the batch.
    Clean {
        batch: usize,
        windows: Vec<DueWindow>,
    },
    /// Request these at one moment; then tell [`Scheduler::ended`] of each.
    Start(Vec<DueWindow>),
    /// These volumes were waited for long enough.
    Defer(Vec<DueWindow>),
    /// Somebody waits for the slots that these take; tell [`Scheduler::other_ended`] of each.
    Watch(Vec<UnderWay>),
}

impl Scheduler {
    /// Batches in the order in which they are to leave. No more than `max_concurrency` windows
    /// leave at one moment.
    pub(super) fn new(batches: Vec<Batch>, slots: Slots, max_concurrency: usize) -> Self {
        let waiting = batches
            .into_iter()
            .filter(|batch| !batch.windows.is_empty())
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
            slots,
            max_concurrency: max_concurrency.max(1),
        }
    }

    /// Whether every batch has left.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next thing to do now; nothing while everybody has to wait.
    pub(super) fn next(&mut self, now: Instant) -> Option<Step> {
        let mut groups = HashSet::new();
        // Whoever waits for slots of a type is not overtaken; patience and cleaning go on behind.
        let mut wanted: BTreeSet<Option<String>> = BTreeSet::new();
        for at in 0..self.waiting.len() {
            let waiting = &mut self.waiting[at];
            // Not only when its turn comes: what was listed as broken may be whole by then.
            if waiting.cleaning == Cleaning::NotBegun {
                waiting.cleaning = Cleaning::UnderWay;
                return Some(Step::Clean {
                    batch: waiting.number,
                    windows: waiting.batch.windows.clone(),
                });
            }
            if !groups.insert(waiting.batch.group) {
                continue;
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
            let chunk = self
                .slots
                .chunk(&waiting.batch.windows, self.max_concurrency);
            let lacking = self.slots.lacking(&waiting.batch.windows, &chunk);
            if let Some(others) = self.slots.unwatched(&lacking) {
                return Some(Step::Watch(others));
            }
            let in_turn = |at: &usize| !wanted.contains(&waiting.batch.windows[*at].volume_type);
            if !lacking.is_empty() || !chunk.iter().all(in_turn) {
                wanted.extend(lacking);
                continue;
            }
            return Some(Step::Start(self.leave(at, &chunk)));
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

    /// What stood in a batch's way has been dealt with, well or badly. Gives the windows that are
    /// not tried all the same, by what `back_off` says of each.
    pub(super) fn cleaned(
        &mut self,
        batch: usize,
        back_off: impl Fn(&DueWindow) -> Option<BackOff>,
    ) -> Vec<(DueWindow, BackOff)> {
        let mut deferred = Vec::new();
        for waiting in &mut self.waiting {
            if waiting.number != batch {
                continue;
            }
            waiting.cleaning = Cleaning::Done;
            for due in std::mem::take(&mut waiting.batch.windows) {
                match back_off(&due) {
                    Some(wait) => deferred.push((due, wait)),
                    None => waiting.batch.windows.push(due),
                }
            }
        }
        self.forget_empty();
        deferred
    }

    /// A creation has come to its end, whatever that was.
    pub(super) fn ended(&mut self, due: &DueWindow) {
        self.creating.remove(&due.volume_id);
        self.slots.free(&due.volume_type);
    }

    /// A snapshot that was under way before this pass no longer takes a slot.
    pub(super) fn other_ended(&mut self, other: &UnderWay) {
        self.slots.free(&other.volume_type);
    }

    /// Lets these of a batch's windows leave.
    fn leave(&mut self, at: usize, chunk: &[usize]) -> Vec<DueWindow> {
        let windows = std::mem::take(&mut self.waiting[at].batch.windows);
        let mut leaving = Vec::new();
        for (place, due) in windows.into_iter().enumerate() {
            if chunk.contains(&place) {
                self.slots.take(&due.volume_type);
                self.creating.insert(due.volume_id.clone());
                leaving.push(due);
            } else {
                self.waiting[at].batch.windows.push(due);
            }
        }
        self.forget_empty();
        leaving
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
        self.forget_empty();
        taken_out
    }

    fn forget_empty(&mut self) {
        self.waiting
            .retain(|waiting| !waiting.batch.windows.is_empty());
    }
}

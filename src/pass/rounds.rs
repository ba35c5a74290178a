//! Which round leaves next.
//!
//! A round is one policy of one VM (or of one volume that stands alone). It leaves when it has
//! all its slots and none of its volumes has a snapshot being created by this pass, since
//! backends copy with snapshots of one volume badly side by side. Rounds are in order of their
//! oldest window, and one that waits for slots is not overtaken: a large VM would otherwise
//! wait for ever behind small ones.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::plan::creation::{Due, InTheWay, Round};

/// How long a round waits for a volume of its own before it leaves without it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The rounds that have not left yet, and what they wait for.
pub(super) struct Rounds {
    waiting: Vec<Waiting>,
    creating: HashSet<String>,
    free_slots: usize,
    largest_wave: usize,
}

struct Waiting {
    round: Round,
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
    /// Clean these up; then tell [`Rounds::cleaned`] of the round.
    Clean {
        round: usize,
        in_the_way: Vec<(Due, InTheWay)>,
    },
    /// Request these at one moment; then tell [`Rounds::ended`] of each.
    Leave(Vec<Due>),
    /// These volumes were waited for long enough.
    GiveUp(Vec<Due>),
}

impl Rounds {
    /// Rounds in the order in which they are to leave. `max_creating` is the number of slots;
    /// no wave has more windows than that, nor than `max_concurrency`.
    pub(super) fn new(rounds: Vec<Round>, max_creating: usize, max_concurrency: usize) -> Self {
        let waiting = rounds
            .into_iter()
            .enumerate()
            .map(|(number, round)| Waiting {
                cleaning: if round.windows.iter().all(|due| due.in_the_way.is_empty()) {
                    Cleaning::Done
                } else {
                    Cleaning::NotBegun
                },
                round,
                number,
                since: None,
            })
            .collect();
        Self {
            waiting,
            creating: HashSet::new(),
            free_slots: max_creating,
            largest_wave: max_creating.min(max_concurrency),
        }
    }

    /// The next thing to do now; nothing while everybody has to wait.
    pub(super) fn next(&mut self, now: Instant) -> Option<Step> {
        let mut groups = HashSet::new();
        // Whoever waits for slots is not overtaken; patience and cleaning go on behind.
        let mut is_blocked = false;
        for at in 0..self.waiting.len() {
            let waiting = &mut self.waiting[at];
            if !groups.insert(waiting.round.group) {
                continue;
            }
            if waiting.cleaning == Cleaning::NotBegun {
                waiting.cleaning = Cleaning::UnderWay;
                let in_the_way = waiting
                    .round
                    .windows
                    .iter()
                    .flat_map(|due| due.in_the_way.iter().map(|one| (due.clone(), one.clone())))
                    .collect();
                return Some(Step::Clean {
                    round: waiting.number,
                    in_the_way,
                });
            }
            let creating = &self.creating;
            let is_creating = |due: &Due| creating.contains(&due.volume_id);
            if waiting.round.windows.iter().any(is_creating) {
                let since = *waiting.since.get_or_insert(now);
                if now.duration_since(since) < PATIENCE {
                    continue;
                }
                let given_up: HashSet<String> = waiting
                    .round
                    .windows
                    .iter()
                    .filter(|due| is_creating(due))
                    .map(|due| due.volume_id.clone())
                    .collect();
                return Some(Step::GiveUp(self.without(&given_up)));
            }
            waiting.since = None;
            if waiting.cleaning == Cleaning::UnderWay {
                continue;
            }
            let wave = waiting.round.windows.len().min(self.largest_wave);
            if is_blocked || self.free_slots < wave {
                is_blocked = true;
                continue;
            }
            self.free_slots -= wave;
            let leaving: Vec<Due> = waiting.round.windows.drain(..wave).collect();
            if waiting.round.windows.is_empty() {
                self.waiting.remove(at);
            }
            self.creating
                .extend(leaving.iter().map(|due| due.volume_id.clone()));
            return Some(Step::Leave(leaving));
        }
        None
    }

    /// When the next round's patience ends, seen from `now`, up to which all is done.
    pub(super) fn next_change(&self, now: Instant) -> Option<Instant> {
        self.waiting
            .iter()
            .filter_map(|waiting| Some(waiting.since? + PATIENCE))
            .filter(|end| *end > now)
            .min()
    }

    /// What stood in a round's way has been dealt with, well or badly.
    pub(super) fn cleaned(&mut self, round: usize) {
        for waiting in &mut self.waiting {
            if waiting.number == round {
                waiting.cleaning = Cleaning::Done;
            }
        }
    }

    /// A creation has come to its end, whatever that was.
    pub(super) fn ended(&mut self, volume_id: &str) {
        self.creating.remove(volume_id);
        self.free_slots += 1;
    }

    /// Takes these volumes' windows out of every round.
    fn without(&mut self, volumes: &HashSet<String>) -> Vec<Due> {
        let mut taken_out = Vec::new();
        for waiting in &mut self.waiting {
            let (out, left) = std::mem::take(&mut waiting.round.windows)
                .into_iter()
                .partition(|due: &Due| volumes.contains(&due.volume_id));
            taken_out.extend::<Vec<Due>>(out);
            waiting.round.windows = left;
        }
        self.waiting
            .retain(|waiting| !waiting.round.windows.is_empty());
        taken_out
    }
}

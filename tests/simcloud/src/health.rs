//! Sicknesses that last: of a backend (what a cinder-volume serves), of the scheduler between it
//! and the API, and of the message queue between all three. What Cinder 29 did, seen on a real
//! one, is written beside each.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use tokio::sync::watch;

use crate::id::Id;
use crate::journal::Happening;
use crate::state::{Event, State};

/// How a backend is. Its name is that of the volume type that it serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It works.
    #[default]
    Well,
    /// cinder-volume has died. A creation stays `creating` while the scheduler still believes in
    /// it ([`service_down_time`](crate::Config::service_down_time)), and ends in `error` at once
    /// from then on; deletions are accepted and stay `deleting`. When it is back, what has waited
    /// is done; a creation that it was at when it died ends in `error`, and a deletion that it
    /// was at stays `deleting` for ever.
    Dead,
    /// cinder-volume stands still, as on a machine that does. Like `Dead`, but what it was at goes
    /// on when it is back.
    Stopped,
    /// cinder-volume works and its storage does not answer: `creating` and `deleting` until it
    /// does.
    Hung,
    /// Creations end in `error`; deletions work.
    Full,
    /// Creations end in `error`, deletions in `error_deleting`.
    Failing,
    /// Creations take this much longer, such as that of a full copy.
    Slow(Duration),
}

impl Health {
    /// Nothing reaches the storage, or nothing comes back from it.
    fn holds_up(self) -> bool {
        matches!(self, Self::Dead | Self::Stopped | Self::Hung)
    }

    /// cinder-volume does not report.
    fn is_silent(self) -> bool {
        matches!(self, Self::Dead | Self::Stopped)
    }
}

/// How the message queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageQueue {
    /// It works.
    #[default]
    Well,
    /// RabbitMQ has died. A request that hands work on writes its row (`creating`, `deleting`)
    /// and is not answered before the queue is back; then the work is done.
    Dead,
    /// It takes what is handed on and loses it: 202, and `creating` or `deleting` for ever.
    Leaky,
}

/// Something that is to be done by a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    CreateSnapshot(Id),
    DeleteSnapshot(Id),
    CreateVolume(Id),
    DeleteVolume(Id),
}

impl Work {
    pub(crate) fn creates(self) -> bool {
        matches!(self, Self::CreateSnapshot(_) | Self::CreateVolume(_))
    }
}

/// What work waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum WaitsFor {
    Scheduler,
    Backend(String),
    /// A volume is being made from the snapshot that is to be deleted.
    Volume(Id),
}

/// Whatever is sick, and what waits for it.
#[derive(Debug)]
pub(crate) struct Sickness {
    /// Health and since when, by backend; those that are well are left out.
    backends: BTreeMap<String, (Health, DateTime<Utc>)>,
    scheduler_down: bool,
    queue: watch::Sender<MessageQueue>,
    waiting: Vec<(WaitsFor, Option<u64>, Work)>,
    /// Creations that a cinder-volume was at when it died.
    lost: Vec<(String, Option<u64>, Work)>,
}

impl Default for Sickness {
    fn default() -> Self {
        Self {
            backends: BTreeMap::new(),
            scheduler_down: false,
            queue: watch::Sender::new(MessageQueue::Well),
            waiting: Vec::new(),
            lost: Vec::new(),
        }
    }
}

impl Sickness {
    fn of(&self, backend: &str) -> (Health, Option<DateTime<Utc>>) {
        self.backends
            .get(backend)
            .map_or((Health::Well, None), |(health, since)| {
                (*health, Some(*since))
            })
    }

    /// To wait for until an answer leaves that hands work on; `None` where it leaves at once.
    pub(crate) fn queue_to_wait_for(&self) -> Option<watch::Receiver<MessageQueue>> {
        self.queue_is_dead().then(|| self.queue.subscribe())
    }

    fn queue_is_dead(&self) -> bool {
        *self.queue.borrow() == MessageQueue::Dead
    }

    /// Takes out what waits for this.
    fn release(&mut self, what: &WaitsFor) -> Vec<(Option<u64>, Work)> {
        let (ready, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(waits_for, _, _)| waits_for == what);
        self.waiting = waiting;
        ready
            .into_iter()
            .map(|(_, request, work)| (request, work))
            .collect()
    }

    /// Forgets what waits to be done to this row: a deletion by force ends it.
    pub(crate) fn forget(&mut self, id: Id) {
        self.waiting
            .retain(|(_, _, work)| !matches!(work, Work::CreateSnapshot(same) | Work::DeleteSnapshot(same) if *same == id));
    }
}

impl State {
    /// Sends work to where it is done: creations by way of the scheduler.
    pub(crate) fn send(&mut self, at: DateTime<Utc>, request: Option<u64>, work: Work) {
        if *self.sickness.queue.borrow() == MessageQueue::Leaky {
            return;
        }
        let scheduled = !self.sickness.scheduler_down && !self.sickness.queue_is_dead();
        if work.creates() && !scheduled {
            self.sickness
                .waiting
                .push((WaitsFor::Scheduler, request, work));
        } else {
            self.deliver(at, request, work);
        }
    }

    fn deliver(&mut self, at: DateTime<Utc>, request: Option<u64>, work: Work) {
        let backend = self.backend_of(work);
        let (health, since) = self.sickness.of(&backend);
        let down = TimeDelta::from_std(self.config.service_down_time).unwrap_or_default();
        let given_up = health.is_silent() && since.is_some_and(|since| at >= since + down);
        if work.creates() && given_up {
            self.fails(at, request, work);
        } else if health.holds_up() || self.sickness.queue_is_dead() {
            self.sickness
                .waiting
                .push((WaitsFor::Backend(backend), request, work));
        } else {
            self.begin(at, request, work, health);
        }
    }

    fn begin(&mut self, at: DateTime<Utc>, request: Option<u64>, work: Work, health: Health) {
        if let Work::DeleteSnapshot(id) = work
            && let Some(volume) = self.volume_being_made_from(id)
        {
            self.sickness
                .waiting
                .push((WaitsFor::Volume(volume), request, work));
            return;
        }
        match (health, work.creates()) {
            (Health::Full | Health::Failing, true) | (Health::Failing, false) => {
                self.fails(at, request, work);
            }
            (Health::Slow(by), true) => self.do_work(at, request, work, by),
            _ => self.do_work(at, request, work, Duration::ZERO),
        }
    }

    fn volume_being_made_from(&self, snapshot: Id) -> Option<Id> {
        self.volumes
            .iter()
            .find(|row| row.snapshot_id == Some(snapshot) && row.status == "creating")
            .map(|row| row.id)
    }

    /// Whatever waited for this volume to be made goes on.
    pub(crate) fn volume_is_made(&mut self, at: DateTime<Utc>, id: Id) {
        for (request, work) in self.sickness.release(&WaitsFor::Volume(id)) {
            self.deliver(at, request, work);
        }
    }

    /// Lets a backend be in this way from now on.
    pub(crate) fn set_health(&mut self, backend: &str, health: Health) {
        let now = self.now();
        let (before, since) = self.sickness.of(backend);
        let since = since
            .filter(|_| before.is_silent() == health.is_silent())
            .unwrap_or(now);
        self.sickness
            .backends
            .insert(backend.to_owned(), (health, since));
        if health == Health::Well {
            self.sickness.backends.remove(backend);
        }
        if health.holds_up() {
            self.interrupt(backend, health == Health::Dead);
        } else if before.holds_up() {
            for (name, request, work) in std::mem::take(&mut self.sickness.lost) {
                if name == backend {
                    self.fails(now, request, work);
                } else {
                    self.sickness.lost.push((name, request, work));
                }
            }
            self.release_backend(backend);
        }
    }

    fn release_backend(&mut self, backend: &str) {
        let now = self.now();
        let waited = WaitsFor::Backend(backend.to_owned());
        for (request, work) in self.sickness.release(&waited) {
            self.deliver(now, request, work);
        }
    }

    /// What the backend is at does not come to its end. Killed, it forgets it.
    fn interrupt(&mut self, backend: &str, killed: bool) {
        let at_work: Vec<_> = self
            .due
            .iter()
            .filter_map(|(key, (request, event))| Some((*key, *request, event.work()?)))
            .filter(|(_, _, work)| self.backend_of(*work) == backend)
            .collect();
        for (key, request, work) in at_work {
            self.due.remove(&key);
            if !killed {
                let waits_for = WaitsFor::Backend(backend.to_owned());
                self.sickness.waiting.push((waits_for, request, work));
            } else if work.creates() {
                self.sickness.lost.push((backend.to_owned(), request, work));
            }
        }
    }

    /// Lets the scheduler run, or not.
    pub(crate) fn set_scheduler(&mut self, runs: bool) {
        self.sickness.scheduler_down = !runs;
        self.release_scheduler();
    }

    /// Lets the message queue be so.
    pub(crate) fn set_queue(&mut self, queue: MessageQueue) {
        self.sickness.queue.send_replace(queue);
        if queue != MessageQueue::Dead {
            self.release_scheduler();
            let backends: Vec<String> = self
                .sickness
                .waiting
                .iter()
                .filter_map(|(waits_for, _, _)| match waits_for {
                    WaitsFor::Backend(backend) => Some(backend.clone()),
                    _ => None,
                })
                .collect();
            for backend in backends {
                if !self.sickness.of(&backend).0.holds_up() {
                    self.release_backend(&backend);
                }
            }
        }
    }

    fn release_scheduler(&mut self) {
        if self.sickness.scheduler_down || self.sickness.queue_is_dead() {
            return;
        }
        let now = self.now();
        for (request, work) in self.sickness.release(&WaitsFor::Scheduler) {
            self.deliver(now, request, work);
        }
    }

    fn fails(&mut self, at: DateTime<Utc>, request: Option<u64>, work: Work) {
        match work {
            Work::CreateSnapshot(id) => {
                self.set_status(at, id, "error");
                self.note(at, request, id, Happening::CreationFailed);
            }
            Work::DeleteSnapshot(id) => {
                self.set_status(at, id, "error_deleting");
                self.note(at, request, id, Happening::DeletionFailed);
            }
            Work::CreateVolume(id) => {
                self.set_volume_status(at, id, "error");
                self.note_volume(at, request, id, Happening::VolumeCreationFailed);
                self.volume_is_made(at, id);
            }
            Work::DeleteVolume(id) => self.set_volume_status(at, id, "error_deleting"),
        }
    }

    /// The backend that has the work to do.
    fn backend_of(&self, work: Work) -> String {
        let volume = match work {
            Work::CreateSnapshot(id) | Work::DeleteSnapshot(id) => {
                self.snapshots.get(id).map(|row| row.volume_id)
            }
            Work::CreateVolume(id) | Work::DeleteVolume(id) => Some(id),
        };
        volume
            .and_then(|id| self.volumes.get(id))
            .map_or(&self.config.default_volume_type, |row| &row.volume_type)
            .clone()
            .unwrap_or_default()
    }
}

impl Event {
    /// The work that ends with this.
    fn work(&self) -> Option<Work> {
        match self {
            Self::CreationEnds { id, .. } => Some(Work::CreateSnapshot(*id)),
            Self::DeletionEnds { id, .. } => Some(Work::DeleteSnapshot(*id)),
            Self::VolumeCreationEnds { id, .. } => Some(Work::CreateVolume(*id)),
            Self::LateWork(_) => None,
        }
    }
}

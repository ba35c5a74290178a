//! Waiting for what is being created: one look answers for all who wait.
//!
//! Whoever waits registers. The first of them looks for all, and when its own has come to an end
//! the next one goes on looking; so waiting needs nobody else to be polled, and fifty creations
//! cost one request a look, not fifty.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{Either, select};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Mutex as Baton, Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::deadline::{Deadline, Expired};
use crate::lock::lock;

/// Looks are never closer together than this.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(250);
/// The interval is this part of the age of what is waited for.
const LOOKS_A_LIFE: u32 = 12;
/// The part of the quickest creation's time by which another may be quicker.
const EARLIER: u32 = 8;

/// Something that Cinder creates: it is there at once, and usable some time later.
pub(super) trait Resource: Clone {
    fn id(&self) -> &str;
    /// Cinder's word for its state.
    fn status(&self) -> &str;
    fn created_at(&self) -> Option<DateTime<Utc>>;
}

/// How waiting for a creation ended.
#[derive(Clone, Debug)]
pub(crate) enum Settled<R> {
    /// It can be used.
    Available(R),
    /// It is in `error`, or is being deleted by somebody else.
    Broken(R),
    /// It is no longer there.
    Gone,
}

/// How a creation ended, if it did. A state that cannot be read says nothing of that.
pub(super) fn settled<R: Resource>(resource: &R) -> Option<Settled<R>> {
    match resource.status() {
        "creating" | "downloading" | "" => None,
        "error" | "error_deleting" | "deleting" => Some(Settled::Broken(resource.clone())),
        _ => Some(Settled::Available(resource.clone())),
    }
}

/// A look that is over, whatever it has met.
#[derive(Debug)]
pub(super) struct Looked {
    /// When its last request left, if one did: the next look's interval begins then.
    pub(super) left: Option<Instant>,
    /// The pause that the cloud asks for.
    pub(super) pause: Duration,
}

/// Who waits for what, and when to look next.
#[derive(Debug)]
pub(super) struct Poller<R> {
    poll_interval: Duration,
    waiting: Mutex<HashMap<String, Waiting<R>>>,
    /// Told when somebody new waits.
    registered: Notify,
    /// Held by the one who looks for all.
    looks: Baton<Looks>,
    /// The shortest time that a creation has taken in this pass.
    quickest: Mutex<Option<Duration>>,
}

#[derive(Debug)]
struct Waiting<R> {
    created_at: Option<DateTime<Utc>>,
    since: Instant,
    tell: oneshot::Sender<Settled<R>>,
}

/// What is known of the looks so far.
#[derive(Debug, Default)]
struct Looks {
    last: Option<Instant>,
    /// Before then the cloud asks to be left alone.
    earliest: Option<Instant>,
    /// There is no time for another one.
    are_over: bool,
}

impl<R: Resource> Poller<R> {
    /// Nobody waits yet. `poll_interval` is the longest time between two looks.
    pub(super) fn new(poll_interval: Duration) -> Self {
        Self {
            poll_interval,
            waiting: Mutex::default(),
            registered: Notify::new(),
            looks: Baton::default(),
            quickest: Mutex::default(),
        }
    }

    /// Waits until this is no longer being created. `look` looks once for all who wait, hands
    /// what it met to [`Poller::tell`].
    pub(super) async fn settled(
        &self,
        deadline: Deadline,
        resource: &R,
        look: impl AsyncFn() -> Result<Looked, Expired>,
    ) -> Result<Settled<R>, Expired> {
        if let Some(settled) = settled(resource) {
            return Ok(settled);
        }
        let told = self.register(resource);
        let settled = deadline.bound(self.wait(deadline, told, look)).await;
        lock(&self.waiting).remove(resource.id());
        settled?
    }

    fn register(&self, resource: &R) -> oneshot::Receiver<Settled<R>> {
        let (tell, told) = oneshot::channel();
        let waiting = Waiting {
            created_at: resource.created_at(),
            since: Instant::now(),
            tell,
        };
        lock(&self.waiting).insert(resource.id().to_owned(), waiting);
        self.registered.notify_one();
        told
    }

    async fn wait(
        &self,
        deadline: Deadline,
        mut told: oneshot::Receiver<Settled<R>>,
        look: impl AsyncFn() -> Result<Looked, Expired>,
    ) -> Result<Settled<R>, Expired> {
        let mut looks = match select(&mut told, pin!(self.looks.lock())).await {
            Either::Left((settled, _)) => return settled.map_err(|_| Expired),
            Either::Right((looks, _)) => looks,
        };
        loop {
            match told.try_recv() {
                Ok(settled) => return Ok(settled),
                // Somebody else waits under the same id: a cloud has given it out twice.
                Err(TryRecvError::Closed) => return Err(Expired),
                Err(TryRecvError::Empty) => {}
            }
            if looks.are_over {
                // Ending at once would free slots of the cloud that are still taken.
                sleep_until(deadline.instant()).await;
                return Err(Expired);
            }
            let next = self.next_look(looks.last).max(looks.earliest);
            let next = next.unwrap_or_else(Instant::now).min(deadline.instant());
            // Somebody new may want an earlier look.
            let registered = pin!(self.registered.notified());
            if let Either::Right(_) = select(pin!(sleep_until(next)), registered).await {
                continue;
            }
            looks.last = Some(Instant::now());
            match look().await {
                Ok(Looked { left, pause }) if deadline.fits(pause) => {
                    looks.last = looks.last.max(left);
                    looks.earliest = Some(Instant::now() + pause);
                }
                Ok(_) | Err(Expired) => looks.are_over = true,
            }
        }
    }

    /// What is waited for, and how far back a look has to go to meet all of it.
    pub(super) fn wanted(&self) -> (HashSet<String>, Option<DateTime<Utc>>) {
        let waiting = lock(&self.waiting);
        let wanted = waiting.keys().cloned().collect();
        let unknown = waiting.values().any(|one| one.created_at.is_none());
        let oldest = waiting.values().filter_map(|one| one.created_at).min();
        (wanted, oldest.filter(|_| !unknown))
    }

    /// When to look next; nothing where nobody waits.
    ///
    /// A look comes a little before the quickest creation of this pass was seen to be done, then
    /// at intervals that grow with age up to the longest. So the cost of a slow cloud stays low,
    /// and what the waiting adds to a creation's own time stays a small part of it: of several
    /// batches that wait for each other's slots, every one pays it.
    fn next_look(&self, last: Option<Instant>) -> Option<Instant> {
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
                let interval = (age / LOOKS_A_LIFE).clamp(SHORTEST_INTERVAL, self.poll_interval);
                soonest.max(last.map_or(soonest, |last| last + interval))
            })
            .min()?;
        let latest = last.unwrap_or(now) + self.poll_interval;
        Some(wish.min(latest).max(earliest))
    }

    /// Tells whoever waits for it how a creation has ended, if it has.
    pub(super) fn tell(&self, resource: &R) {
        if let Some(settled) = settled(resource) {
            self.settle(resource.id(), settled);
        }
    }

    /// Tells whoever waits for it how a creation has ended.
    pub(super) fn settle(&self, id: &str, settled: Settled<R>) {
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
}

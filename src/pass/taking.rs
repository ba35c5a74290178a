//! Carrying out the plan of a snapshot pass: cleaning up, creating round by round, and keeping
//! account of what came of each window.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{Either, LocalBoxFuture, join_all, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::Pass;
use super::cleaning::Removal;
use super::creating::Taken;
use super::rounds::{Rounds, Step};
use super::telling::{defer, tell_cleaned, tell_taken, tell_twin};
use crate::openstack::{Error, Permit};
use crate::plan::creation::{Due, InTheWay, Round};
use crate::plan::twins::Twin;
use crate::policy::PolicyKind;
use crate::report::Summary;

/// Cleaning up before a creation takes at most this long, nor more than half the time there is:
/// the creation matters more.
const LONGEST_CLEANING: Duration = Duration::from_secs(30);

/// The work of a snapshot pass.
pub(super) struct Taking<'a> {
    pass: &'a Pass<'a>,
    /// Nothing that this pass makes can have been made before.
    since: Option<DateTime<Utc>>,
    summary: &'a mut Summary,
    created: BTreeMap<String, (String, PolicyKind)>,
}

/// Something that has come to its end.
enum Event {
    Cleaned {
        round: usize,
        removals: Vec<(Due, InTheWay, Removal)>,
    },
    Reserved(Vec<Due>, Result<Vec<Permit>, Error>),
    Taken(Box<Due>, Taken),
    TwinRemoved(Twin, Removal),
}

type Running<'a> = FuturesUnordered<LocalBoxFuture<'a, Event>>;

impl<'a> Taking<'a> {
    pub(super) fn new(
        pass: &'a Pass<'a>,
        since: Option<DateTime<Utc>>,
        summary: &'a mut Summary,
    ) -> Self {
        Self {
            pass,
            since,
            summary,
            created: BTreeMap::new(),
        }
    }

    /// The snapshots that were made here, with their volume and policy.
    pub(super) fn created(self) -> BTreeMap<String, (String, PolicyKind)> {
        self.created
    }

    /// Carries out the rounds and removes the twins, side by side.
    pub(super) async fn carry_out(&mut self, rounds: Vec<Round>, twins: &[Twin]) {
        let pass = self.pass;
        let mut rounds = Rounds::new(
            rounds,
            pass.limits.max_creating,
            pass.client.connection().max_concurrency(),
        );
        let mut running: Running<'a> = FuturesUnordered::new();
        for twin in twins.iter().cloned() {
            running.push(
                async move {
                    let removal = pass.remove_twin(&twin.snapshot_id).await;
                    Event::TwinRemoved(twin, removal)
                }
                .boxed_local(),
            );
        }
        loop {
            let now = Instant::now();
            while let Some(step) = rounds.next(now) {
                self.begin(step, &mut running);
            }
            if running.is_empty() {
                return;
            }
            let event = match rounds.next_change(now) {
                None => running.next().await,
                Some(change) => {
                    let change = std::pin::pin!(sleep_until(change));
                    match select(running.next(), change).await {
                        Either::Left((event, _)) => event,
                        Either::Right(_) => continue,
                    }
                }
            };
            if let Some(event) = event {
                self.end(event, &mut rounds, &mut running);
            }
        }
    }

    fn begin(&mut self, step: Step, running: &mut Running<'a>) {
        let pass = self.pass;
        match step {
            Step::Clean { round, in_the_way } => running.push(
                async move {
                    let half = pass.deadline.remaining() / 2;
                    let deadline = pass.deadline.within(LONGEST_CLEANING.min(half));
                    let removals = in_the_way.into_iter().map(async |(due, one)| {
                        let removal = pass.remove(deadline, &one.snapshot_id).await;
                        (due, one, removal)
                    });
                    Event::Cleaned {
                        round,
                        removals: join_all(removals).await,
                    }
                }
                .boxed_local(),
            ),
            Step::Leave(wave) => running.push(
                async move {
                    let connection = pass.client.connection();
                    let permits = connection.reserve(pass.deadline, wave.len()).await;
                    Event::Reserved(wave, permits)
                }
                .boxed_local(),
            ),
            Step::GiveUp(windows) => {
                for due in windows {
                    let reason = "an earlier snapshot of the volume is still being created";
                    defer(
                        pass,
                        self.summary,
                        &due.volume_id,
                        due.policy,
                        &due.window,
                        reason,
                    );
                }
            }
        }
    }

    fn end(&mut self, event: Event, rounds: &mut Rounds, running: &mut Running<'a>) {
        let pass = self.pass;
        match event {
            Event::Cleaned { round, removals } => {
                for (due, one, removal) in removals {
                    tell_cleaned(&due, &one, removal, self.summary);
                }
                rounds.cleaned(round);
            }
            // All of a wave are pushed in one go: so they leave at one moment.
            Event::Reserved(wave, permits) => {
                let mut permits = permits.unwrap_or_default().into_iter();
                for due in wave {
                    let (permit, since) = (permits.next(), self.since);
                    running.push(
                        async move {
                            let taken = pass.take(&due, permit, since).await;
                            Event::Taken(Box::new(due), taken)
                        }
                        .boxed_local(),
                    );
                }
            }
            Event::Taken(due, taken) => {
                rounds.ended(&due.volume_id);
                if let Taken::Created(snapshot) = &taken {
                    let made = (due.volume_id.clone(), due.policy);
                    self.created.insert(snapshot.id.clone(), made);
                }
                tell_taken(pass, &due, taken, self.summary);
            }
            Event::TwinRemoved(twin, removal) => tell_twin(&twin, removal, self.summary),
        }
    }
}

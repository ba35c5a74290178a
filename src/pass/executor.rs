//! Carrying out the plan of a snapshot pass: cleaning up, creating batch by batch, and keeping
//! account of what came of each window.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{Either, LocalBoxFuture, join_all, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::Pass;
use super::create::CreateOutcome;
use super::delete::DeleteOutcome;
use super::scheduler::{Scheduler, Step};
use super::telling::{defer, tell_cleaned, tell_duplicate, tell_taken};
use crate::openstack::{Error, Permit};
use crate::plan::creation::{Batch, DueWindow, StaleSnapshot};
use crate::plan::duplicates::Duplicate;
use crate::policy::PolicyKind;
use crate::report::Summary;

/// Cleaning up before a creation takes at most this long, nor more than half the time there is:
/// the creation matters more.
const LONGEST_CLEANING: Duration = Duration::from_secs(30);

/// The work of a snapshot pass.
pub(super) struct Executor<'a> {
    pass: &'a Pass<'a>,
    /// Nothing that this pass makes can have been made before.
    since: Option<DateTime<Utc>>,
    summary: &'a mut Summary,
    created: BTreeMap<String, (String, PolicyKind)>,
}

/// Something that has come to its end.
enum Completion {
    Cleaned {
        batch: usize,
        removals: Vec<(DueWindow, StaleSnapshot, DeleteOutcome)>,
    },
    Reserved(Vec<DueWindow>, Result<Vec<Permit>, Error>),
    CreateOutcome(Box<DueWindow>, CreateOutcome),
    DuplicateDeleted(Duplicate, DeleteOutcome),
}

type Running<'a> = FuturesUnordered<LocalBoxFuture<'a, Completion>>;

impl<'a> Executor<'a> {
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

    /// Carries out the batches and removes the duplicates, side by side.
    pub(super) async fn carry_out(&mut self, batches: Vec<Batch>, duplicates: &[Duplicate]) {
        let pass = self.pass;
        let mut batches = Scheduler::new(
            batches,
            pass.limits.max_creating,
            pass.client.connection().max_concurrency(),
        );
        let mut running: Running<'a> = FuturesUnordered::new();
        for duplicate in duplicates.iter().cloned() {
            running.push(
                async move {
                    let removal = pass.delete_duplicate(&duplicate.snapshot_id).await;
                    Completion::DuplicateDeleted(duplicate, removal)
                }
                .boxed_local(),
            );
        }
        loop {
            let now = Instant::now();
            while let Some(step) = batches.next(now) {
                self.begin(step, &mut running);
            }
            if running.is_empty() {
                return;
            }
            let event = match batches.next_change(now) {
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
                self.end(event, &mut batches, &mut running);
            }
        }
    }

    fn begin(&mut self, step: Step, running: &mut Running<'a>) {
        let pass = self.pass;
        match step {
            Step::Clean {
                batch,
                stale_snapshots,
            } => running.push(
                async move {
                    let half = pass.deadline.remaining() / 2;
                    let deadline = pass.deadline.within(LONGEST_CLEANING.min(half));
                    let removals = stale_snapshots.into_iter().map(async |(due, one)| {
                        let removal = pass.remove(deadline, &one.snapshot_id).await;
                        (due, one, removal)
                    });
                    Completion::Cleaned {
                        batch,
                        removals: join_all(removals).await,
                    }
                }
                .boxed_local(),
            ),
            Step::Start(chunk) => running.push(
                async move {
                    let connection = pass.client.connection();
                    let permits = connection.reserve(pass.deadline, chunk.len()).await;
                    Completion::Reserved(chunk, permits)
                }
                .boxed_local(),
            ),
            Step::Defer(windows) => {
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

    fn end(&mut self, event: Completion, batches: &mut Scheduler, running: &mut Running<'a>) {
        let pass = self.pass;
        match event {
            Completion::Cleaned { batch, removals } => {
                for (due, one, removal) in removals {
                    tell_cleaned(&due, &one, removal, self.summary);
                }
                batches.cleaned(batch);
            }
            // All of a chunk are pushed in one go: so they leave at one moment.
            Completion::Reserved(chunk, permits) => {
                let mut permits = permits.unwrap_or_default().into_iter();
                for due in chunk {
                    let (permit, since) = (permits.next(), self.since);
                    running.push(
                        async move {
                            let taken = pass.take(&due, permit, since).await;
                            Completion::CreateOutcome(Box::new(due), taken)
                        }
                        .boxed_local(),
                    );
                }
            }
            Completion::CreateOutcome(due, taken) => {
                batches.ended(&due.volume_id);
                if let CreateOutcome::Created(snapshot) = &taken {
                    let made = (due.volume_id.clone(), due.policy);
                    self.created.insert(snapshot.id.clone(), made);
                }
                tell_taken(pass, &due, taken, self.summary);
            }
            Completion::DuplicateDeleted(duplicate, removal) => {
                tell_duplicate(&duplicate, removal, self.summary)
            }
        }
    }
}

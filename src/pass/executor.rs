//! Carrying out the plan of a snapshot pass: cleaning up, and creating batch by batch.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{Either, LocalBoxFuture, join_all, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::Pass;
use super::delete::{DeleteOutcome, Force};
use super::outcome::{
    CleanUpOutcome, CreateOutcome, Deferral, DuplicateOutcome, PassOutcomes, WindowOutcome,
};
use super::scheduler::{Scheduler, Step};
use super::slots::Slots;
use crate::openstack::{Error, Permit, Snapshot, SnapshotStatus};
use crate::plan::DueWindow;
use crate::plan::creation::{Plan, UnderWay};
use crate::plan::duplicates::Duplicate;

/// Cleaning up before a creation takes at most this long, nor more than half the time there is:
/// the creation matters more.
const LONGEST_CLEANING: Duration = Duration::from_secs(30);

/// Carries a plan out and gives what came of it, item by item. Nothing that this pass makes can
/// have been made before `since`.
pub(super) async fn execute(
    pass: &Pass<'_>,
    plan: &Plan<'_>,
    listed_since: Instant,
    since: Option<DateTime<Utc>>,
) -> PassOutcomes {
    let mut executor = Executor {
        pass,
        listed_since,
        since,
        cleaned: HashSet::new(),
        running: FuturesUnordered::new(),
        watched: 0,
        force: Arc::default(),
        outcomes: PassOutcomes::default(),
    };
    executor.run(plan).await;
    executor.outcomes
}

/// The work of a snapshot pass.
struct Executor<'a> {
    pass: &'a Pass<'a>,
    /// When the listing began.
    listed_since: Instant,
    since: Option<DateTime<Utc>>,
    /// The snapshots that this pass has cleaned.
    cleaned: HashSet<String>,
    running: FuturesUnordered<LocalBoxFuture<'a, Completion>>,
    /// How many of those running only wait for what others create.
    watched: usize,
    /// Whether the role allows force.
    force: Arc<Force>,
    outcomes: PassOutcomes,
}

/// Something that has come to its end.
enum Completion {
    Cleaned {
        /// The batch that waits for it.
        batch: usize,
        outcomes: Vec<CleanUpOutcome>,
    },
    Reserved(Vec<DueWindow>, Result<Vec<Permit>, Error>),
    Created(Box<WindowOutcome>),
    DuplicateDeleted(DuplicateOutcome),
    OtherEnded(UnderWay),
}

impl<'a> Executor<'a> {
    /// Takes what is due and deletes what is superfluous or in the way, side by side.
    async fn run(&mut self, plan: &Plan<'_>) {
        let pass = self.pass;
        for duplicate in &plan.duplicates {
            self.delete_duplicate(duplicate.clone());
        }
        let mut batches = plan.batches();
        for batch in &mut batches {
            batch.windows = self.without_hopeless(std::mem::take(&mut batch.windows));
        }
        let slots = Slots::new(
            pass.limits.max_creating,
            pass.scope.shard,
            plan.under_way.clone(),
        );
        let max_concurrency = pass.client.connection().max_concurrency();
        let mut batches = Scheduler::new(batches, slots, max_concurrency);
        loop {
            let now = Instant::now();
            while let Some(step) = batches.next(now) {
                self.begin(step);
            }
            if batches.is_empty() && self.running.len() == self.watched {
                return;
            }
            let completion = match batches.next_change(now) {
                None => self.running.next().await,
                Some(change) => {
                    let change = std::pin::pin!(sleep_until(change));
                    match select(self.running.next(), change).await {
                        Either::Left((completion, _)) => completion,
                        Either::Right(_) => continue,
                    }
                }
            };
            if let Some(completion) = completion {
                self.end(completion, &mut batches);
            }
        }
    }

    /// Defers the windows that no clean-up can bring any nearer, so that nobody waits for them.
    fn without_hopeless(&mut self, windows: Vec<DueWindow>) -> Vec<DueWindow> {
        let mut left = Vec::new();
        for due in windows {
            let nothing_cleaned = HashSet::new();
            match due.back_off(&nothing_cleaned, self.pass.now) {
                Some(wait) if due.stale_snapshots.is_empty() => {
                    self.defer(due, Deferral::BackOff(wait));
                }
                _ => left.push(due),
            }
        }
        left
    }

    fn defer(&mut self, due: DueWindow, why: Deferral) {
        let outcome = CreateOutcome::Deferred(why);
        self.outcomes.windows.push(WindowOutcome { due, outcome });
    }

    fn begin(&mut self, step: Step) {
        let pass = self.pass;
        match step {
            Step::Clean { batch, windows } => self.clean(batch, windows),
            Step::Start(chunk) => self.running.push(
                async move {
                    let connection = pass.client.connection();
                    let permits = connection.reserve(pass.deadline, chunk.len()).await;
                    Completion::Reserved(chunk, permits)
                }
                .boxed_local(),
            ),
            Step::Defer(windows) => {
                for due in windows {
                    self.defer(due, Deferral::VolumeBusy);
                }
            }
            Step::Watch(others) => {
                for other in others {
                    self.watch(other);
                }
            }
        }
    }

    fn clean(&mut self, batch: usize, windows: Vec<DueWindow>) {
        let (pass, force, listed_since) = (self.pass, self.force.clone(), self.listed_since);
        self.running.push(
            async move {
                let half = pass.deadline.remaining() / 2;
                let deadline = pass.deadline.within(LONGEST_CLEANING.min(half));
                let deletions = windows.into_iter().flat_map(|due| {
                    let (volume_id, policy) = (due.volume_id, due.policy);
                    let stale = due.stale_snapshots.into_iter();
                    stale.map(move |one| (volume_id.clone(), policy, one))
                });
                let outcomes = deletions.map(async |(volume_id, policy, stale)| CleanUpOutcome {
                    outcome: pass
                        .delete_stale(deadline, &stale.snapshot_id, listed_since, &force)
                        .await,
                    volume_id,
                    policy,
                    stale,
                });
                Completion::Cleaned {
                    batch,
                    outcomes: join_all(outcomes).await,
                }
            }
            .boxed_local(),
        );
    }

    fn delete_duplicate(&mut self, duplicate: Duplicate) {
        let (pass, listed_since) = (self.pass, self.listed_since);
        self.running.push(
            async move {
                let outcome = pass.delete_duplicate(&duplicate, listed_since).await;
                Completion::DuplicateDeleted(DuplicateOutcome { duplicate, outcome })
            }
            .boxed_local(),
        );
    }

    /// Waits for what somebody else creates: when it has ended, or time has, its slot is free.
    fn watch(&mut self, other: UnderWay) {
        let pass = self.pass;
        self.watched += 1;
        self.running.push(
            async move {
                let snapshot = Snapshot {
                    id: other.snapshot_id.clone(),
                    volume_id: other.volume_id.clone(),
                    status: SnapshotStatus::Creating,
                    created_at: Some(other.created_at),
                    updated_at: None,
                    size: None,
                    metadata: Default::default(),
                };
                // Out of time is an end as well: nobody is told any more.
                let _ = pass.client.settled_snapshot(pass.deadline, &snapshot).await;
                Completion::OtherEnded(other)
            }
            .boxed_local(),
        );
    }

    fn end(&mut self, completion: Completion, batches: &mut Scheduler) {
        let pass = self.pass;
        match completion {
            Completion::Cleaned { batch, outcomes } => {
                let accepted: HashSet<&str> = outcomes
                    .iter()
                    .filter(|one| is_gone(&one.outcome))
                    .map(|one| one.stale.snapshot_id.as_str())
                    .collect();
                let deferred = batches.cleaned(batch, |due| due.back_off(&accepted, pass.now));
                for (due, wait) in deferred {
                    self.defer(due, Deferral::BackOff(wait));
                }
                self.cleaned.extend(accepted.into_iter().map(str::to_owned));
                self.outcomes.clean_ups.extend(outcomes);
            }
            // All of a chunk are pushed in one go: so they leave at one moment.
            Completion::Reserved(chunk, permits) => {
                let mut permits = permits.unwrap_or_default().into_iter();
                for due in chunk {
                    let (permit, since) = (permits.next(), self.since);
                    let stale = due.stale_snapshots.iter().map(|one| &one.snapshot_id);
                    let cleaned: HashSet<String> = stale
                        .filter(|id| self.cleaned.contains(*id))
                        .cloned()
                        .collect();
                    self.running.push(
                        async move {
                            let outcome = pass.create(&due, &cleaned, permit, since).await;
                            Completion::Created(Box::new(WindowOutcome { due, outcome }))
                        }
                        .boxed_local(),
                    );
                }
            }
            Completion::Created(outcome) => {
                batches.ended(&outcome.due);
                self.outcomes.windows.push(*outcome);
            }
            Completion::DuplicateDeleted(outcome) => self.outcomes.duplicates.push(outcome),
            Completion::OtherEnded(other) => {
                self.watched -= 1;
                batches.other_ended(&other);
            }
        }
    }
}

/// Whether a leftover counts no longer. One that somebody else is deleting still holds quota.
fn is_gone(outcome: &DeleteOutcome) -> bool {
    matches!(
        outcome,
        DeleteOutcome::Accepted { .. } | DeleteOutcome::AlreadyGone
    )
}

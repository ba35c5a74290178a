//! The stage of one run: the cloud is furnished, the steps are played one after the other, and
//! the judge is shown what came of each.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::json;
use simcloud::{Cloud, Fault};
use tokio::time::{Instant, sleep};

use super::in_process::{self, Warm};
use super::processes::Process;
use super::{Detail, Figures, Fingerprint, Outcome, PassRun, StepRun, trouble};
use crate::case::{Case, Item, Pace, PassDraw, Step, Trouble};
use crate::judge::Judge;
use crate::logs::Logs;
use crate::trace;
use crate::world::World;

/// After this much of a wait only the cloud's clock is moved: nothing is under way any more.
const LONGEST_PAUSED_WAIT: Duration = Duration::from_secs(1_500);
/// By the real clock no wait is longer: enough for everything that is still under way.
const LONGEST_REAL_WAIT: Duration = Duration::from_millis(1_500);
/// So much shorter are waits by the real clock.
const QUICKER: u32 = 200;

/// Where the program runs.
enum Sandboxes {
    InProcess(Box<[Option<Warm>; 3]>),
    Processes(Box<[Process; 3]>),
}

pub(super) struct Stage<'a> {
    case: &'a Arc<Case>,
    detail: Detail,
    logs: Logs,
    cloud: Cloud,
    world: World,
    judge: Judge,
    sandboxes: Sandboxes,
    figures: Figures,
    trace: String,
    seen_entries: usize,
    seen_changes: usize,
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        case: &'a Arc<Case>,
        detail: Detail,
        logs: Logs,
        binary: Option<&Path>,
    ) -> Self {
        let cloud = Cloud::new(case.config.clone());
        Self {
            judge: Judge::new(case),
            case,
            detail,
            logs,
            cloud,
            world: World::default(),
            sandboxes: match binary {
                None => Sandboxes::InProcess(Box::default()),
                Some(binary) => {
                    let processes = [(); 3].map(|()| Process::new(binary.to_owned()));
                    Sandboxes::Processes(Box::new(processes))
                }
            },
            figures: Figures::default(),
            trace: String::new(),
            seen_entries: 0,
            seen_changes: 0,
        }
    }

    pub(super) async fn play(mut self) -> Outcome {
        self.furnish();
        if self.detail == Detail::Trace {
            self.trace.push_str(&trace::of_case(self.case));
        }
        for (n, step) in self.case.steps.iter().enumerate() {
            if self.case.has(Item::Step(n)) {
                self.step(n, step, false).await;
            }
        }
        for (n, step) in undisturbed(self.case.pace).iter().enumerate() {
            self.step(self.case.steps.len() + n, step, true).await;
        }
        let logs = self.logs.take();
        self.judge
            .search_for_secrets("a log line", &logs, &self.cloud);
        let mut fingerprint = Fingerprint::NEW;
        self.cloud.with_journal(|journal| {
            self.figures.requests = journal.total();
            fingerprint.take_entries(&journal.entries);
        });
        let (violations, coverage, checks) = self.judge.conclude();
        self.figures.checks = checks;
        Outcome {
            violations,
            coverage,
            figures: self.figures,
            trace: self.trace,
            fingerprint: fingerprint.value(),
        }
    }

    fn furnish(&self) {
        let case = self.case;
        for (n, volume) in case.volumes.iter().enumerate() {
            if !case.has(Item::Volume(n)) {
                continue;
            }
            for server in &volume.spec.servers {
                self.cloud.add_server(server.as_str(), "a-server");
            }
            if !volume.later {
                self.world.make_volume(&self.cloud, case, n);
            }
        }
        for (n, snapshot) in case.snapshots.iter().enumerate() {
            if case.has(Item::Snapshot(n)) {
                self.cloud.add_snapshot(snapshot.clone());
            }
        }
    }

    async fn step(&mut self, n: usize, step: &Step, is_clean: bool) {
        let case = self.case;
        self.wait(step.wait).await;
        self.world.begin_step();
        for (m, doing) in step.doings.iter().enumerate() {
            if case.has(Item::Doing(n, m)) {
                self.world.carry_out(&self.cloud, case, doing);
            }
        }
        let troubles: Vec<&Trouble> = (0..step.troubles.len())
            .filter(|m| case.has(Item::Trouble(n, *m)))
            .map(|m| &step.troubles[m])
            .collect();
        let faults = trouble::begin(&self.cloud, &self.world, case, &troubles);
        if is_clean {
            trouble::calm(&self.cloud);
        }
        self.world.remember(&self.cloud);
        // The late work of earlier steps must not look like this one's.
        self.cloud.with_journal(|journal| {
            self.seen_entries = journal.entries.len();
            self.seen_changes = journal.changes.len();
        });
        let passes = self.run_passes(n, step).await;
        self.figures.passes += passes.len() as u64;
        self.world.remember(&self.cloud);
        let struck: Vec<(&Fault, u64)> = faults
            .into_iter()
            .map(|(fault, id)| (fault, self.cloud.struck(id)))
            .collect();
        self.figures.faults += struck.iter().map(|(_, times)| times).sum::<u64>();
        let (entries, changes) = self.cloud.with_journal(|journal| {
            (
                journal.entries[self.seen_entries..].to_vec(),
                journal.changes[self.seen_changes..].to_vec(),
            )
        });
        let over = StepRun {
            date: self.case.config.date,
            passes,
            copies: self.world.copies(),
            entries,
            changes,
            meanwhile: self.world.meanwhile(),
            struck,
            troubles,
            is_clean,
        };
        if self.detail == Detail::Trace {
            self.trace.push_str(&trace::of_step(n, step, &over));
            for line in self.logs.lines() {
                self.trace.push_str(&format!("      {line}\n"));
            }
        }
        self.judge.step(&over, &self.cloud);
        trouble::end(&self.cloud, case);
    }

    /// Lets time pass. The paused clock jumps; by the real one only a little of it does.
    async fn wait(&self, wait: Duration) {
        if self.case.pace == Pace::Real {
            return sleep((wait / QUICKER).min(LONGEST_REAL_WAIT)).await;
        }
        let paused = wait.min(LONGEST_PAUSED_WAIT);
        sleep(paused).await;
        self.cloud.advance(wait - paused);
    }

    /// Runs a step's passes side by side.
    async fn run_passes(&mut self, n: usize, step: &Step) -> Vec<PassRun> {
        let (case, cloud, world) = (self.case, &self.cloud, &self.world);
        let drawn = step.passes.iter().enumerate();
        let drawn = drawn.filter(|(m, _)| case.has(Item::Pass(n, *m)));
        match &mut self.sandboxes {
            Sandboxes::InProcess(sandboxes) => {
                let mut sandboxes: Vec<_> = sandboxes.iter_mut().map(Some).collect();
                let running = drawn.map(|(m, draw)| {
                    let warm = sandboxes[m].take().expect("each is used once");
                    in_process::pass(case, cloud, world, (n, m), draw, warm)
                });
                join_all(running).await
            }
            Sandboxes::Processes(processes) => {
                let mut processes: Vec<_> = processes.iter_mut().map(Some).collect();
                let running = drawn.map(|(m, draw)| {
                    let process = processes[m].take().expect("each is used once");
                    process.pass(case, cloud, world, (n, m), draw)
                });
                let passes = join_all(running).await;
                all_over(cloud).await;
                passes
            }
        }
    }
}

/// Waits until the cloud has noticed that nobody waits for an answer any more.
async fn all_over(cloud: &Cloud) {
    let until = Instant::now() + Duration::from_secs(5);
    while cloud.with_journal(|journal| journal.in_flight) > 0 && Instant::now() < until {
        sleep(Duration::from_millis(1)).await;
    }
}

/// The passes after all misfortune: two of each phase, with time enough. By the real clock that is
/// less, for a pass waits to its end for slots that others' creations never give back.
fn undisturbed(pace: Pace) -> Vec<Step> {
    let time = match pace {
        Pace::Real => TimeDelta::seconds(20),
        _ => TimeDelta::seconds(900),
    };
    let pass = |phase: &str| PassDraw {
        event: json!({ "phase": phase }),
        delay: Duration::ZERO,
        skew: TimeDelta::zero(),
        time,
        cold: false,
        kill: None,
        seed: 1,
    };
    [
        (200, "snapshot"),
        (30, "expire"),
        (60, "snapshot"),
        (30, "expire"),
    ]
    .into_iter()
    .map(|(wait, phase)| Step {
        wait: Duration::from_secs(wait),
        doings: Vec::new(),
        troubles: Vec::new(),
        passes: vec![pass(phase)],
    })
    .collect()
}

//! Many seeds on all cores.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::case::Case;
use crate::coverage::Coverage;
use crate::draw;
use crate::judge::Violation;
use crate::run::{Detail, Figures, run};

/// The log lines of one seed in so many are kept and searched for secrets.
const LOGGED: u64 = 64;

/// A seed that takes longer than this by a real clock will never end: something goes round in
/// circles without waiting for anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which seeds.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// On how many threads.
    pub jobs: usize,
    /// After how many failing seeds to stop.
    pub most_failures: usize,
}

/// A seed that failed.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The seed.
    pub seed: u64,
    /// What was found.
    pub violations: Vec<Violation>,
}

/// What came of a campaign.
#[derive(Debug, Default)]
pub struct Report {
    /// Seeds that were run.
    pub seeds: u64,
    /// Counts of all.
    pub figures: Figures,
    /// What happened.
    pub coverage: Coverage,
    /// Seeds that failed, in order.
    pub failed: Vec<Failed>,
    /// How long it took.
    pub took: Duration,
}

impl Campaign {
    /// Runs the seeds.
    pub fn run(self) -> Report {
        let begun = Instant::now();
        let next = AtomicU64::new(self.from);
        let stop = AtomicBool::new(false);
        let report = Mutex::new(Report::default());
        let under_way = Mutex::new(BTreeMap::new());
        let (done, all_done) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                let done = done.clone();
                let (next, stop, report, under_way) = (&next, &stop, &report, &under_way);
                scope.spawn(move || {
                    self.work(next, stop, report, under_way);
                    drop(done);
                });
            }
            drop(done);
            let under_way = &under_way;
            scope.spawn(move || watch(under_way, &all_done));
        });
        let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
        report.failed.sort_by_key(|failed| failed.seed);
        report.took = begun.elapsed();
        report
    }

    fn work(
        &self,
        next: &AtomicU64,
        stop: &AtomicBool,
        report: &Mutex<Report>,
        under_way: &Mutex<BTreeMap<u64, Instant>>,
    ) {
        let mut own = Report::default();
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.from.saturating_add(self.seeds) {
                break;
            }
            locked(under_way).insert(seed, Instant::now());
            let outcome = run_seed(seed);
            locked(under_way).remove(&seed);
            own.seeds += 1;
            own.figures.passes += outcome.figures.passes;
            own.figures.requests += outcome.figures.requests;
            own.figures.faults += outcome.figures.faults;
            own.figures.checks += outcome.figures.checks;
            own.coverage.merge(&outcome.coverage);
            if !outcome.violations.is_empty() {
                own.failed.push(Failed {
                    seed,
                    violations: outcome.violations,
                });
                if own.failed.len() >= self.most_failures {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
        let mut all = locked(report);
        all.seeds += own.seeds;
        all.figures.passes += own.figures.passes;
        all.figures.requests += own.figures.requests;
        all.figures.faults += own.figures.faults;
        all.figures.checks += own.figures.checks;
        all.coverage.merge(&own.coverage);
        all.failed.append(&mut own.failed);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process where a seed never ends: a thread that goes round in circles cannot be
/// stopped in any other way.
fn watch(under_way: &Mutex<BTreeMap<u64, Instant>>, all_done: &Receiver<()>) {
    while all_done.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
        for (seed, begun) in &*locked(under_way) {
            if begun.elapsed() > PATIENCE {
                eprintln!(
                    "seed {seed} never ends; replay: cargo run --release -p simulation -- \
                     --seed {seed} --trace"
                );
                std::process::exit(1);
            }
        }
    }
}

/// Runs one seed; a panic in the program is a violation like any other.
pub fn run_seed(seed: u64) -> crate::run::Outcome {
    let detail = if seed.is_multiple_of(LOGGED) {
        Detail::Logs
    } else {
        Detail::None
    };
    run_case(&Arc::new(draw::case(seed)), detail)
}

/// Runs a case; a panic in the program is a violation like any other.
pub fn run_case(case: &Arc<Case>, detail: Detail) -> crate::run::Outcome {
    let result = std::panic::catch_unwind(|| run(case, detail));
    result.unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default();
        crate::run::Outcome {
            violations: vec![Violation {
                rule: "nothing panics",
                what,
            }],
            coverage: Coverage::default(),
            figures: Figures::default(),
            trace: String::new(),
            fingerprint: 0,
        }
    })
}

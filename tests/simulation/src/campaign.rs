//! Many seeds on all cores.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::case::Case;
use crate::clouds;
use crate::coverage::Coverage;
use crate::draw;
use crate::findings::Violation;
use crate::restores;
use crate::run::{Detail, Figures, Outcome, run, run_binary};
use crate::weeks;

/// The log lines of one seed in so many are kept and searched for secrets.
const LOGGED: u64 = 64;

/// A seed that takes longer than this by a real clock will never end: something goes round in
/// circles without waiting for anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a seed is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// A few passes, with misfortune at every turn.
    Passes,
    /// Some weeks of one tenancy.
    Weeks,
    /// Restores of one tenancy.
    Restores,
    /// Several clouds behind one sandbox.
    Clouds,
}

impl Length {
    /// What asks for so many of them on the command line.
    pub fn option(self) -> &'static str {
        match self {
            Self::Passes => "--seeds",
            Self::Weeks => "--long",
            Self::Restores => "--restores",
            Self::Clouds => "--clouds",
        }
    }
}

/// Which seeds.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The first.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// Of what.
    pub length: Length,
    /// On how many threads.
    pub jobs: usize,
    /// After how many failing seeds to stop.
    pub most_failures: usize,
    /// The built program, where it is to run instead of its library.
    pub binary: Option<PathBuf>,
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

impl Report {
    fn take_in(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.figures += other.figures;
        self.coverage.merge(&other.coverage);
        self.failed.extend(other.failed);
    }
}

/// What the threads share.
#[derive(Default)]
struct Shared {
    next: AtomicU64,
    stop: AtomicBool,
    failed: AtomicU64,
    report: Mutex<Report>,
    under_way: Mutex<BTreeMap<u64, Instant>>,
}

impl Campaign {
    /// Runs the seeds.
    pub fn run(self) -> Report {
        let begun = Instant::now();
        let shared = Shared {
            next: AtomicU64::new(self.from),
            ..Shared::default()
        };
        let (done, all_done) = std::sync::mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let (campaign, shared) = (&self, &shared);
            for _ in 0..self.jobs.max(1) {
                let done = done.clone();
                scope.spawn(move || {
                    let own = campaign.work(shared);
                    locked(&shared.report).take_in(own);
                    drop(done);
                });
            }
            drop(done);
            scope.spawn(move || watch(&shared.under_way, &all_done));
        });
        let report = shared.report.into_inner();
        let mut report = report.unwrap_or_else(PoisonError::into_inner);
        report.failed.sort_by_key(|failed| failed.seed);
        report.took = begun.elapsed();
        report
    }

    /// One thread's share of the seeds.
    fn work(&self, shared: &Shared) -> Report {
        let mut own = Report::default();
        while !shared.stop.load(Ordering::Relaxed) {
            let seed = shared.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.from.saturating_add(self.seeds) {
                break;
            }
            locked(&shared.under_way).insert(seed, Instant::now());
            let outcome = self.run_seed(seed);
            locked(&shared.under_way).remove(&seed);
            own.seeds += 1;
            own.figures += outcome.figures;
            own.coverage.merge(&outcome.coverage);
            if !outcome.violations.is_empty() {
                own.failed.push(Failed {
                    seed,
                    violations: outcome.violations,
                });
                let failed = shared.failed.fetch_add(1, Ordering::Relaxed) + 1;
                if failed >= self.most_failures as u64 {
                    shared.stop.store(true, Ordering::Relaxed);
                }
            }
        }
        own
    }

    fn run_seed(&self, seed: u64) -> Outcome {
        if let Some(binary) = &self.binary {
            let case = Arc::new(draw::case_by_the_real_clock(seed));
            return caught(|| run_binary(&case, Detail::None, binary));
        }
        let detail = if seed.is_multiple_of(LOGGED) {
            Detail::Logs
        } else {
            Detail::None
        };
        match self.length {
            Length::Passes => run_case(&Arc::new(draw::case(seed)), detail),
            Length::Weeks => caught(|| weeks::run(&weeks::weeks(seed), detail)),
            Length::Restores => caught(|| restores::run(&restores::restores(seed), detail)),
            Length::Clouds => caught(|| clouds::run(&clouds::clouds(seed), detail)),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process where a seed never ends: a thread that goes round in circles cannot be
/// stopped in any other way.
fn watch(under_way: &Mutex<BTreeMap<u64, Instant>>, all_done: &Receiver<()>) {
    while all_done.recv_timeout(Duration::from_millis(200)) == Err(RecvTimeoutError::Timeout) {
        for (seed, begun) in &*locked(under_way) {
            if begun.elapsed() > PATIENCE {
                eprintln!("VIOLATED 1 times, first by seed {seed}: every run ends");
                std::process::exit(1);
            }
        }
    }
}

/// How a person replays a seed of restores or of clouds.
pub fn replay_of(kind: &str, seed: u64) -> String {
    format!(
        "replay: cargo run --profile campaign -p simulation -- --{kind} 1 --seed {seed} --trace"
    )
}

/// How a person replays a seed of weeks.
pub fn replay_weeks(seed: u64) -> String {
    format!("replay: cargo run --profile campaign -p simulation -- --long 1 --seed {seed} --trace")
}

/// How a person replays a seed.
pub fn replay(seed: u64) -> String {
    format!("replay: cargo run --profile campaign -p simulation -- --seed {seed} --trace")
}

/// Runs a case; a panic in the program is a violation like any other.
pub fn run_case(case: &Arc<Case>, detail: Detail) -> Outcome {
    caught(|| run(case, detail))
}

fn caught(run: impl FnOnce() -> Outcome) -> Outcome {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    result.unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default();
        Outcome {
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

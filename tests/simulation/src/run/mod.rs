//! Running a case: nothing is drawn any more.
//!
//! Either whole passes run in this process, on one thread under a paused clock ([`in_process`]),
//! or the built program runs over sockets by a real clock ([`processes`]). The stage is the same
//! for both ([`stage`]), and so is the judge.

mod environment;
pub(crate) mod in_process;
mod processes;
mod stage;
mod trouble;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use simcloud::{Change, DateHeader, Entry, Fault};
use tokio::time::{Instant, sleep};

use crate::case::{Case, PassDraw, Trouble};
use crate::coverage::Coverage;
use crate::findings::Violation;
use crate::logs::Logs;
use crate::witness::{Receiver, Record};
use crate::world::Copy;
use stage::Stage;

pub use environment::{WEBHOOK_LOGIN, WEBHOOK_PATH};
pub(crate) use in_process::invoke;

/// What is wanted besides the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Nothing.
    #[default]
    None,
    /// Log lines are kept and searched for secrets.
    Logs,
    /// Everything is told.
    Trace,
}

/// What came of a case.
#[derive(Debug)]
pub struct Outcome {
    /// What must not be.
    pub violations: Vec<Violation>,
    /// What happened.
    pub coverage: Coverage,
    /// Counts of the run.
    pub figures: Figures,
    /// The story, where one was wanted.
    pub trace: String,
    /// A number that two runs share only if they were the same, request by request.
    pub fingerprint: u64,
}

/// Takes texts in, one after the other: a number that two runs share only if they were the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// Of nothing so far.
    pub(crate) const NEW: Self = Self(0xcbf2_9ce4_8422_2325);

    /// Takes a text in, as FNV-1a does.
    pub(crate) fn take(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    /// Takes in what arrived at a cloud.
    pub(crate) fn take_entries(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.take(&format!("{} {} {:?}", entry.at, entry.path, entry.outcome));
        }
    }

    /// The number.
    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Passes that were begun.
    pub passes: u64,
    /// Requests that reached the cloud.
    pub requests: u64,
    /// Requests that met with misfortune.
    pub faults: u64,
    /// Questions that the judge asked.
    pub checks: u64,
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.passes += other.passes;
        self.requests += other.requests;
        self.faults += other.faults;
        self.checks += other.checks;
    }
}

/// How a pass ended.
#[derive(Clone, Debug)]
pub enum End {
    /// With this answer.
    Answered(Value),
    /// With this error type and message.
    Failed(String, String),
    /// It was dropped.
    Killed,
    /// It had not answered a second after Lambda's deadline.
    Overran,
}

/// A pass that is over.
#[derive(Debug)]
pub struct PassRun {
    /// As drawn.
    pub draw: PassDraw,
    /// For people: step and pass.
    pub label: String,
    /// Its run id.
    pub run_id: String,
    /// The time by its clock when it began.
    pub now: DateTime<Utc>,
    /// How much later it may have read its clock.
    pub read_within: TimeDelta,
    /// When it began.
    pub begun: Instant,
    /// When it ended.
    pub ended: Instant,
    /// When all its requests have to be over.
    pub deadline: Instant,
    /// How it ended.
    pub end: End,
    /// What it sent and printed.
    pub record: Record,
    /// The remembered moment of its beginning.
    pub first_copy: usize,
    /// How its webhook behaves.
    pub receiver: Receiver,
    /// Whether its sandbox had served before.
    pub was_warm: bool,
    /// What its process has printed; nothing where it has none.
    pub log: String,
}

/// A step that is over: what the judge is shown.
#[derive(Debug)]
pub struct StepRun<'a> {
    /// The passes, as drawn.
    pub passes: Vec<PassRun>,
    /// Remembered moments; the last is the end of the step.
    pub copies: Vec<Arc<Copy>>,
    /// Requests that arrived in this step.
    pub entries: Vec<Entry>,
    /// Changes in this step.
    pub changes: Vec<Change>,
    /// How often people did something in the middle.
    pub meanwhile: usize,
    /// What the cloud's answers say of its clock.
    pub date: DateHeader,
    /// Faults, with how many requests each befell.
    pub struck: Vec<(&'a Fault, u64)>,
    /// The other troubles.
    pub troubles: Vec<&'a Trouble>,
    /// Whether this is after all misfortune.
    pub is_clean: bool,
}

/// Runs a case on a thread of its own clock.
pub fn run(case: &Arc<Case>, detail: Detail) -> Outcome {
    let logs = Logs::new();
    let _guard = (detail != Detail::None).then(|| logs.capture());
    // The cloud begins to count when the clock stands still.
    paused(async { Stage::new(case, detail, logs.clone(), None).play().await })
}

/// Runs something on this thread, by a paused clock.
pub(crate) fn paused<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without sockets needs nothing of the system");
    runtime.block_on(async {
        align().await;
        work.await
    })
}

/// Runs a case with the built program, by the real clock.
pub fn run_binary(case: &Arc<Case>, detail: Detail, binary: &Path) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the system gives a runtime");
    runtime.block_on(Stage::new(case, detail, Logs::new(), Some(binary)).play())
}

/// Lambda's deadline, by the pass's clock. One that is drawn as long past is the constant of a tool
/// that knows none: ten minutes after midnight in 1970.
fn deadline(now: DateTime<Utc>, draw: &PassDraw) -> DateTime<Utc> {
    if draw.time < TimeDelta::days(-1) {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(10)
    } else {
        now + draw.time
    }
}

/// How long a pass allows itself, and how long Lambda allows it.
fn allowed(case: &Case, draw: &PassDraw) -> (Duration, Duration) {
    let has_none = draw.time < TimeDelta::days(-1);
    let left = draw.time.to_std().unwrap_or_default();
    if has_none {
        (case.knobs.default_timeout, case.knobs.default_timeout)
    } else {
        (left.saturating_sub(case.knobs.margin), left)
    }
}

/// How the webhook of a pass behaves.
fn receiver(draw: &PassDraw) -> Receiver {
    match draw.seed % 8 {
        0 => Receiver::Refuses,
        1 => Receiver::Hangs,
        _ => Receiver::Takes,
    }
}

/// Moves the paused clock to a tick of tokio's timers.
///
/// They fire at whole milliseconds since the runtime was built, which was some real nanoseconds
/// before its clock was paused: a sleep that is no whole number of milliseconds would be rounded
/// now up and now down. How many nanoseconds is found by trying.
async fn align() {
    const TICK: u64 = 1_000_000;
    let (mut low, mut high) = (0, TICK);
    while low < high {
        let middle = (low + high) / 2;
        let begun = Instant::now();
        sleep(Duration::from_nanos(TICK - middle)).await;
        if begun.elapsed() <= Duration::from_nanos(TICK) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    tokio::time::advance(Duration::from_nanos(TICK - low)).await;
}

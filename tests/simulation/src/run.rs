//! Running a case: one thread, a paused clock, and nothing drawn any more.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use serde_json::{Value, json};
use simcloud::{Change, Cloud, Entry, Fault, FaultId, Latency};
use snapsentry::handler::{Handler, Invocation};
use snapsentry::settings::{Environment, LocalFiles};
use tokio::time::{Instant, sleep, timeout};

use crate::case::{Case, Item, Kill, PassDraw, Step, Trouble};
use crate::coverage::Coverage;
use crate::judge::{Judge, Violation};
use crate::logs::Logs;
use crate::seam::{Receiver, Record, Sandbox, WEBHOOK, WEBHOOK_LOGIN, Watch};
use crate::trace;
use crate::world::{Copy, World};

/// After this much of a wait only the cloud's clock is moved: nothing is under way any more.
const LONGEST_REAL_WAIT: Duration = Duration::from_secs(1_500);

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

/// How a pass ended.
#[derive(Clone, Debug)]
pub enum End {
    /// With this answer.
    Answered(Value),
    /// With this error type and message.
    Failed(&'static str, String),
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
    /// Faults, with how many requests each befell.
    pub struck: Vec<(&'a Fault, u64)>,
    /// The other troubles.
    pub troubles: Vec<&'a Trouble>,
    /// Whether this is after all misfortune.
    pub is_clean: bool,
}

/// Runs a case on a thread of its own clock.
pub fn run(case: &Arc<Case>, detail: Detail) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without sockets needs nothing of the system");
    let logs = Logs::new();
    let _guard = (detail != Detail::None).then(|| logs.capture());
    runtime.block_on(async {
        align().await;
        Stage::new(case, detail, logs.clone()).play().await
    })
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

struct Warm {
    handler: Handler,
    current: Arc<std::sync::Mutex<Arc<Watch>>>,
    served: bool,
}

struct Stage<'a> {
    case: &'a Arc<Case>,
    detail: Detail,
    logs: Logs,
    cloud: Cloud,
    world: World,
    judge: Judge,
    sandboxes: [Option<Warm>; 3],
    figures: Figures,
    trace: String,
    seen_entries: usize,
    seen_changes: usize,
}

impl<'a> Stage<'a> {
    fn new(case: &'a Arc<Case>, detail: Detail, logs: Logs) -> Self {
        let cloud = Cloud::new(case.config.clone());
        Self {
            judge: Judge::new(case),
            case,
            detail,
            logs,
            cloud,
            world: World::default(),
            sandboxes: [const { None }; 3],
            figures: Figures::default(),
            trace: String::new(),
            seen_entries: 0,
            seen_changes: 0,
        }
    }

    async fn play(mut self) -> Outcome {
        self.furnish();
        if self.detail == Detail::Trace {
            self.trace.push_str(&trace::of_case(self.case));
        }
        for (n, step) in self.case.steps.iter().enumerate() {
            if self.case.has(Item::Step(n)) {
                self.step(n, step, false).await;
            }
        }
        for (n, step) in undisturbed().iter().enumerate() {
            self.step(self.case.steps.len() + n, step, true).await;
        }
        let logs = self.logs.take();
        self.judge
            .search_for_secrets("a log line", &logs, &self.cloud);
        let mut fingerprint = 0xcbf2_9ce4_8422_2325_u64;
        self.cloud.with_journal(|journal| {
            self.figures.requests = journal.total();
            for entry in &journal.entries {
                let line = format!("{} {} {:?}", entry.at, entry.path, entry.outcome);
                for byte in line.bytes() {
                    fingerprint = (fingerprint ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
                }
            }
        });
        let (violations, coverage, checks) = self.judge.conclude();
        self.figures.checks = checks;
        Outcome {
            violations,
            coverage,
            figures: self.figures,
            trace: self.trace,
            fingerprint,
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
        let real = step.wait.min(LONGEST_REAL_WAIT);
        sleep(real).await;
        self.cloud.advance(step.wait - real);
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
        let faults = self.make_trouble(&troubles);
        self.world.remember(&self.cloud);
        // The late work of earlier steps must not look like this one's.
        self.cloud.with_journal(|journal| {
            self.seen_entries = journal.entries.len();
            self.seen_changes = journal.changes.len();
        });
        let mut running = Vec::new();
        for (m, (draw, warm)) in step.passes.iter().zip(&mut self.sandboxes).enumerate() {
            if case.has(Item::Pass(n, m)) {
                running.push(pass(case, &self.cloud, &self.world, (n, m), draw, warm));
            }
        }
        let passes = join_all(running).await;
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
        self.make_peace();
    }

    fn make_trouble<'t>(&self, troubles: &[&'t Trouble]) -> Vec<(&'t Fault, FaultId)> {
        let mut faults = Vec::new();
        for trouble in troubles {
            match trouble {
                Trouble::Fault(fault) => faults.push((fault, self.cloud.inject(fault.clone()))),
                Trouble::Backend(rule) => self.cloud.backend(rule.clone()),
                Trouble::SnapshotQuota(more) => {
                    let quota = self.cloud.snapshots().len() as i64 + more;
                    self.cloud.configure(|config| config.snapshot_quota = quota);
                }
                Trouble::GigabytesQuota(more) => {
                    let volumes = self.cloud.volumes().iter().map(|one| one.size).sum::<u64>();
                    let snapshots = self
                        .cloud
                        .snapshots()
                        .iter()
                        .map(|one| one.size)
                        .sum::<u64>();
                    let quota = (volumes + snapshots) as i64 + more;
                    self.cloud
                        .configure(|config| config.gigabytes_quota = quota);
                }
                Trouble::Latency(latency) => {
                    let latency: Latency = *latency;
                    self.cloud.configure(|config| config.latency = latency);
                }
                Trouble::Meanwhile(route, nth, when, doing) => {
                    let (world, case, doing) =
                        (self.world.clone(), self.case.clone(), doing.clone());
                    let step = self.world.step();
                    self.cloud.on(*route, *nth, *when, move |cloud| {
                        world.interfere(step, cloud, &case, &doing);
                    });
                }
            }
        }
        faults
    }

    fn make_peace(&self) {
        let usual = self.case.config.latency;
        self.cloud.clear_faults();
        self.cloud.clear_backend();
        self.cloud.configure(|config| {
            config.snapshot_quota = -1;
            config.gigabytes_quota = -1;
            config.latency = usual;
        });
    }
}

/// The passes after all misfortune: two of each phase, with time enough.
fn undisturbed() -> Vec<Step> {
    let pass = |phase: &str| PassDraw {
        event: json!({ "phase": phase }),
        delay: Duration::ZERO,
        skew: TimeDelta::zero(),
        time: TimeDelta::seconds(900),
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

/// Runs one pass, in a warm sandbox or a new one, and kills it where that was drawn.
async fn pass(
    case: &Case,
    cloud: &Cloud,
    world: &World,
    (step, number): (usize, usize),
    draw: &PassDraw,
    warm: &mut Option<Warm>,
) -> PassRun {
    sleep(draw.delay).await;
    if draw.cold {
        *warm = None;
    }
    let sandbox = warm.get_or_insert_with(|| {
        let (surroundings, current) = Sandbox::new(cloud.clone(), world.clone());
        Warm {
            handler: Handler::new(
                environment(case, cloud),
                Box::new(LocalFiles),
                Box::new(surroundings),
            ),
            current,
            served: false,
        }
    });
    let was_warm = std::mem::replace(&mut sandbox.served, true);
    let receiver = match draw.seed % 8 {
        0 => Receiver::Refuses,
        1 => Receiver::Hangs,
        _ => Receiver::Takes,
    };
    let watch = Watch::new(draw.kill, receiver);
    *sandbox.current.lock().expect("nobody panics with it") = watch.clone();
    let first_copy = world.remember(cloud);
    let now = cloud.now() + draw.skew;
    let request_id = format!("{step:08x}-{number:04x}-4000-8000-{:012x}", case.seed);
    let invocation = Invocation {
        request_id: request_id.clone(),
        deadline: now + draw.time,
        now,
        seed: draw.seed,
    };
    let begun = Instant::now();
    let has_none = draw.time < TimeDelta::days(-1);
    let left = draw.time.to_std().unwrap_or_default();
    let (own, lambdas) = if has_none {
        (case.knobs.default_timeout, case.knobs.default_timeout)
    } else {
        (left.saturating_sub(case.knobs.margin), left)
    };
    let end = {
        let work = sandbox.handler.handle(&draw.event, &invocation);
        let dies = async {
            match draw.kill {
                Some(Kill::After(after)) => sleep(after).await,
                _ => watch.killed.notified().await,
            }
        };
        tokio::select! {
            biased;
            () = dies => End::Killed,
            ended = timeout(lambdas + Duration::from_secs(1), work) => match ended {
                Err(_) => End::Overran,
                Ok(Ok(answer)) => End::Answered(
                    serde_json::from_str(answer.get()).expect("an answer is JSON"),
                ),
                Ok(Err(failure)) => End::Failed(failure.error_type(), failure.to_string()),
            },
        }
    };
    if matches!(end, End::Killed | End::Overran) {
        // Lambda throws the sandbox away.
        *warm = None;
    }
    let record = std::mem::take(&mut *watch.record());
    PassRun {
        draw: draw.clone(),
        label: format!("p{step}.{number}"),
        run_id: format!("req-{request_id}"),
        now,
        begun,
        ended: Instant::now(),
        deadline: begun + own,
        end,
        record,
        first_copy,
        receiver,
        was_warm,
    }
}

fn environment(case: &Case, cloud: &Cloud) -> Environment {
    let knobs = &case.knobs;
    let ms = |duration: Duration| format!("{}ms", duration.as_millis());
    let mut variables = cloud.os_env("http://cloud.example", case.login);
    let mut set = |name: &str, value: String| {
        variables.push((format!("SNAPSENTRY_{name}"), value));
    };
    set("MAX_CONCURRENCY", knobs.max_concurrency.to_string());
    set("MAX_CREATING", knobs.max_creating.to_string());
    set("MAX_RETRIES", knobs.max_retries.to_string());
    set("BASE_DELAY", ms(knobs.base_delay));
    set("MAX_DELAY", ms(knobs.max_delay));
    set("OPERATION_TIMEOUT", ms(knobs.operation_timeout));
    set("POLL_INTERVAL", ms(knobs.poll_interval));
    set("DEADLINE_MARGIN", ms(knobs.margin));
    set("DEFAULT_TIMEOUT", ms(knobs.default_timeout));
    set("KEEP_LAST", knobs.keep_last.to_string());
    set("STUCK_AFTER", ms(knobs.stuck_after));
    if knobs.webhook {
        set("WEBHOOK_URL", WEBHOOK.into());
        set("WEBHOOK_USERNAME", WEBHOOK_LOGIN.0.into());
        set("WEBHOOK_PASSWORD", WEBHOOK_LOGIN.1.into());
    }
    variables.into_iter().collect()
}

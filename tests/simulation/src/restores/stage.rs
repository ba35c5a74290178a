//! The stage of some restores: the cloud is furnished, the steps are played one after the other,
//! and the judge is shown what came of each.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::Value;
use simcloud::{Change, Cloud, Entry, FaultId, VolumeSpec};
use snapsentry::handler::{Handler, Invocation};
use snapsentry::settings::LocalFiles;
use tokio::time::{Instant, sleep};

use super::draw::taken;
use super::judge::Judge;
use super::point::Moment;
use super::{Call, Doing, Restores, Step, Trouble, keys};
use crate::logs::Logs;
use crate::run::{Detail, End, Figures, Fingerprint, Outcome, invoke};
use crate::sandbox::Sandbox;
use crate::witness::{Current, Receiver, Record, Watch, put};
use crate::world::World;

/// After this much of a wait only the cloud's clock is moved: nothing is under way any more.
const LONGEST_PAUSED_WAIT: Duration = Duration::from_secs(1_500);

/// A call that is over.
pub(super) struct CallRun {
    pub(super) draw: Call,
    pub(super) label: String,
    pub(super) run_id: String,
    pub(super) begun: Instant,
    pub(super) ended: Instant,
    /// When all its requests have to be over.
    pub(super) deadline: Instant,
    pub(super) end: End,
    pub(super) record: Record,
    /// What there was when it began.
    pub(super) before: Moment,
}

/// A step that is over.
pub(super) struct StepRun<'a> {
    pub(super) calls: Vec<CallRun>,
    /// What there was at the beginning, after what people did first.
    pub(super) before: Moment,
    /// What there is now.
    pub(super) after: Moment,
    pub(super) entries: Vec<Entry>,
    pub(super) changes: Vec<Change>,
    /// What people have done first.
    pub(super) doings: &'a [Doing],
    /// Volumes and snapshots that people had to do with in the middle of it.
    pub(super) touched: BTreeSet<String>,
    /// How often they did something in the middle.
    pub(super) meanwhile: usize,
    pub(super) troubles: &'a [Trouble],
    pub(super) is_clean: bool,
}

/// A sandbox that is kept.
struct Warm {
    handler: Handler,
    current: Current,
}

/// What people have touched in the middle of a step.
type Touched = Arc<Mutex<(usize, BTreeSet<String>)>>;

pub(super) struct Stage<'a> {
    case: &'a Restores,
    detail: Detail,
    logs: Logs,
    cloud: Cloud,
    judge: Judge<'a>,
    warm: [Option<Warm>; 2],
    figures: Figures,
    trace: String,
}

impl<'a> Stage<'a> {
    pub(super) fn new(case: &'a Restores, detail: Detail, logs: Logs) -> Self {
        Self {
            cloud: Cloud::new(case.config.clone()),
            judge: Judge::new(case),
            warm: [None, None],
            figures: Figures::default(),
            trace: String::new(),
            case,
            detail,
            logs,
        }
    }

    pub(super) async fn play(mut self) -> Outcome {
        let case = self.case;
        for (n, volume) in case.volumes.iter().enumerate() {
            for server in &volume.servers {
                self.cloud.add_server(server.as_str(), "a-server");
            }
            if !case.gone.contains(&n) {
                self.cloud.add_volume(volume.clone());
            }
        }
        for snapshot in &case.snapshots {
            self.cloud.add_snapshot(snapshot.clone());
        }
        self.tell(|| format!("{case:#?}\n"));
        for (n, step) in case.steps.iter().enumerate() {
            self.step(n, step, false).await;
        }
        let last = undisturbed(case);
        for (n, step) in last.iter().enumerate() {
            self.step(case.steps.len() + n, step, true).await;
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

    fn tell(&mut self, text: impl FnOnce() -> String) {
        if self.detail == Detail::Trace {
            self.trace.push_str(&text());
        }
    }

    async fn step(&mut self, n: usize, step: &Step, is_clean: bool) {
        let paused = step.wait.min(LONGEST_PAUSED_WAIT);
        sleep(paused).await;
        self.cloud.advance(step.wait - paused);
        for doing in &step.doings {
            carry_out(&self.cloud, self.case, doing);
        }
        let touched = Touched::default();
        let faults = self.begin(&step.troubles, &touched);
        let before = Moment::of(&self.cloud);
        let (entries, changes) = self
            .cloud
            .with_journal(|journal| (journal.entries.len(), journal.changes.len()));
        let calls = self.calls(n, step).await;
        self.figures.passes += calls.len() as u64;
        let struck = faults.into_iter().map(|id| self.cloud.struck(id));
        self.figures.faults += struck.sum::<u64>();
        let (entries, changes) = self.cloud.with_journal(|journal| {
            (
                journal.entries[entries..].to_vec(),
                journal.changes[changes..].to_vec(),
            )
        });
        let (meanwhile, touched) =
            std::mem::take(&mut *touched.lock().unwrap_or_else(PoisonError::into_inner));
        let over = StepRun {
            calls,
            before,
            after: Moment::of(&self.cloud),
            entries,
            changes,
            doings: &step.doings,
            touched,
            meanwhile,
            troubles: &step.troubles,
            is_clean,
        };
        if self.detail == Detail::Trace {
            self.trace.push_str(&told(n, &over));
            for line in self.logs.lines() {
                self.trace.push_str(&format!("      {line}\n"));
            }
        }
        self.judge.step(&over, &self.cloud);
        self.cloud.clear_faults();
        self.cloud.clear_backend();
        let usual = self.case.config.latency;
        self.cloud.configure(|config| {
            config.volume_quota = -1;
            config.gigabytes_quota = -1;
            config.latency = usual;
        });
    }

    fn begin(&self, troubles: &[Trouble], touched: &Touched) -> Vec<FaultId> {
        let cloud = &self.cloud;
        let mut faults = Vec::new();
        for trouble in troubles {
            match trouble {
                Trouble::Fault(fault) => faults.push(cloud.inject(fault.clone())),
                Trouble::Backend(rule) => cloud.backend(rule.clone()),
                Trouble::VolumeQuota(more) => {
                    let quota = cloud.volumes().len() as i64 + more;
                    cloud.configure(|config| config.volume_quota = quota);
                }
                Trouble::GigabytesQuota(more) => {
                    let volumes: u64 = cloud.volumes().iter().map(|one| one.size).sum();
                    let snapshots = cloud.snapshots();
                    let sizes = snapshots
                        .iter()
                        .map(|one| cloud.volume(&one.volume_id).map_or(1, |volume| volume.size));
                    let quota = (volumes + sizes.sum::<u64>()) as i64 + more;
                    cloud.configure(|config| config.gigabytes_quota = quota);
                }
                Trouble::Latency(latency) => {
                    let latency = *latency;
                    cloud.configure(|config| config.latency = latency);
                }
                Trouble::Meanwhile(route, nth, when, doing) => {
                    let (case, doing, touched) =
                        (self.case.clone(), doing.clone(), Arc::downgrade(touched));
                    cloud.on(*route, *nth, *when, move |cloud| {
                        // The step that it was planned for may be over.
                        if let Some(touched) = touched.upgrade() {
                            let ids = carry_out(cloud, &case, &doing);
                            let mut touched =
                                touched.lock().unwrap_or_else(PoisonError::into_inner);
                            touched.0 += 1;
                            touched.1.extend(ids);
                        }
                    });
                }
            }
        }
        faults
    }

    async fn calls(&mut self, n: usize, step: &Step) -> Vec<CallRun> {
        let (case, cloud) = (self.case, &self.cloud);
        let mut sandboxes = self.warm.iter_mut();
        let running = step.calls.iter().enumerate().map(|(m, draw)| {
            let warm = sandboxes.next().expect("two calls at most");
            call(case, cloud, (n, m), draw, warm)
        });
        join_all(running).await
    }
}

async fn call(
    case: &Restores,
    cloud: &Cloud,
    (step, number): (usize, usize),
    draw: &Call,
    warm: &mut Option<Warm>,
) -> CallRun {
    sleep(draw.delay).await;
    if draw.cold {
        *warm = None;
    }
    let sandbox = warm.get_or_insert_with(|| {
        let (platform, current) = Sandbox::platform(cloud.clone(), World::default());
        let environment = environment(case, cloud).into_iter().collect();
        Warm {
            handler: Handler::new(environment, Box::new(LocalFiles), Box::new(platform)),
            current,
        }
    });
    let watch = Watch::new(draw.kill, Receiver::Takes);
    put(&sandbox.current, watch.clone());
    let before = Moment::of(cloud);
    let now = cloud.now();
    let request_id = format!("{step:08x}-{number:04x}-4000-9000-{:012x}", case.seed);
    let invocation = Invocation {
        request_id: request_id.clone(),
        deadline: now + draw.time,
        now,
        seed: draw.seed,
        invoked_function_arn: String::new(),
    };
    let begun = Instant::now();
    let left = draw.time.to_std().unwrap_or_default();
    let end = invoke(
        &sandbox.handler,
        &draw.event,
        &invocation,
        left,
        watch.dies(),
    )
    .await;
    if matches!(end, End::Killed | End::Overran) {
        // Lambda throws the sandbox away.
        *warm = None;
    }
    let record = std::mem::take(&mut *watch.record());
    CallRun {
        draw: draw.clone(),
        label: format!("c{step}.{number}"),
        run_id: format!("req-{request_id}"),
        begun,
        ended: Instant::now(),
        deadline: begun + left.saturating_sub(case.settings.margin),
        end,
        record,
        before,
    }
}

fn environment(case: &Restores, cloud: &Cloud) -> Vec<(String, String)> {
    let settings = &case.settings;
    let ms = |duration: Duration| format!("{}ms", duration.as_millis());
    let mut variables = cloud.os_env("http://cloud.example", case.login);
    let mut set = |name: &str, value: String| variables.push((format!("SNAPSENTRY_{name}"), value));
    set("MAX_CONCURRENCY", settings.max_concurrency.to_string());
    set("MAX_RETRIES", settings.max_retries.to_string());
    set("OPERATION_TIMEOUT", ms(settings.operation_timeout));
    set("DEADLINE_MARGIN", ms(settings.margin));
    variables
}

/// Does what people do, and gives what they have had to do with.
fn carry_out(cloud: &Cloud, case: &Restores, doing: &Doing) -> Vec<String> {
    let id = |n: usize| case.volumes[n].id.clone().expect("each has one");
    let nth_snapshot = |n: usize| {
        let all = cloud.snapshots();
        (!all.is_empty()).then(|| all[n % all.len()].id.clone())
    };
    let copies = || {
        let mut all = cloud.volumes();
        all.retain(|one| one.metadata.contains_key(keys::SNAPSHOT));
        all
    };
    match doing {
        Doing::RemoveVolume(n) => {
            cloud.remove_volume(&id(*n));
            vec![id(*n)]
        }
        Doing::Detach(n) => {
            if let Some(volume) = cloud.volume(&id(*n)) {
                attach(cloud, &volume, Vec::new());
            }
            vec![id(*n)]
        }
        Doing::RemoveSnapshot(n) => {
            let gone = nth_snapshot(*n);
            gone.iter().for_each(|id| {
                cloud.remove_snapshot(id);
            });
            gone.into_iter().collect()
        }
        Doing::SnapshotStatus(n, status) => {
            let changed = nth_snapshot(*n);
            changed.iter().for_each(|id| {
                cloud.set_snapshot_status(id, status);
            });
            changed.into_iter().collect()
        }
        Doing::NewSnapshots(policy, start, missed) => {
            let taken = case
                .volumes
                .iter()
                .enumerate()
                .filter(|(n, _)| !missed.contains(n));
            let volumes: Vec<String> = taken
                .filter_map(|(_, volume)| volume.id.clone())
                .filter(|id| cloud.volume(id).is_some())
                .collect();
            volumes
                .iter()
                .map(|volume| cloud.add_snapshot(taken_now(cloud, volume, policy, *start)))
                .collect()
        }
        Doing::RemoveCopy(n) => {
            let all = copies();
            let gone = (!all.is_empty()).then(|| all[n % all.len()].id.clone());
            gone.iter().for_each(|id| {
                cloud.remove_volume(id);
            });
            gone.into_iter().collect()
        }
        Doing::SwapIn => {
            let mut touched = Vec::new();
            for copy in copies().into_iter().filter(|one| one.status == "available") {
                let original = cloud.volume(&copy.metadata[keys::VOLUME]);
                let Some(original) = original.filter(|one| !one.servers.is_empty()) else {
                    continue;
                };
                attach(cloud, &original, Vec::new());
                attach(cloud, &copy, original.servers.clone());
                touched.extend([copy.id, original.id]);
            }
            touched
        }
        Doing::RevokeTokens => {
            cloud.revoke_tokens();
            Vec::new()
        }
        Doing::ExpireTokens => {
            cloud.expire_tokens();
            Vec::new()
        }
    }
}

fn taken_now(
    cloud: &Cloud,
    volume: &str,
    policy: &str,
    start: chrono::DateTime<chrono::Utc>,
) -> simcloud::SnapshotSpec {
    taken(volume, policy, start, cloud.now())
}

/// Attaches a volume to these servers and no others.
fn attach(cloud: &Cloud, volume: &simcloud::Volume, servers: Vec<String>) {
    if volume.status != "available" && volume.status != "in-use" {
        return;
    }
    cloud.add_volume(VolumeSpec {
        id: Some(volume.id.clone()),
        name: volume.name.clone(),
        size: Some(volume.size),
        created_at: Some(volume.created_at),
        metadata: volume.metadata.clone(),
        servers,
        volume_type: volume.volume_type.clone(),
        bootable: volume.bootable,
        snapshot_id: volume.snapshot_id.clone(),
        ..VolumeSpec::default()
    });
}

/// What brings everything to rest: for each restore that there was a call of, the last such call
/// again, twice.
fn undisturbed(case: &Restores) -> Vec<Step> {
    let drawn = case.steps.iter().flat_map(|step| &step.calls);
    let mut events: Vec<Value> = Vec::new();
    for call in drawn {
        let mut event = call.event.clone();
        if let Some(object) = event.as_object_mut() {
            object.remove("dry_run");
        }
        events.retain(|one| one["restore_id"] != event["restore_id"]);
        events.push(event);
    }
    let call = |event: &Value, dry_run: bool| {
        let mut event = event.clone();
        if dry_run {
            event["dry_run"] = true.into();
        }
        Call {
            event,
            delay: Duration::ZERO,
            time: TimeDelta::seconds(900),
            cold: false,
            kill: None,
            seed: 1,
        }
    };
    let step = |call: Call| Step {
        wait: Duration::from_secs(200),
        doings: Vec::new(),
        troubles: Vec::new(),
        calls: vec![call],
    };
    events
        .iter()
        .flat_map(|event| [true, false, false].map(|dry_run| step(call(event, dry_run))))
        .collect()
}

fn told(n: usize, over: &StepRun<'_>) -> String {
    let mut out = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(
        out,
        "\nstep {n}: people {:?}; troubles {:?}",
        over.doings, over.troubles
    );
    for call in &over.calls {
        let draw = &call.draw;
        let _ = writeln!(
            out,
            "  {} {} time {} kill {:?} -> {:?}",
            call.label, draw.event, draw.time, draw.kill, call.end
        );
    }
    let first = over.calls.iter().map(|call| call.begun).min();
    for entry in &over.entries {
        let label = over
            .calls
            .iter()
            .find(|call| Some(&call.run_id) == entry.request_id.as_ref());
        let label = label.map_or("-", |call| call.label.as_str());
        let since = first.map_or(0.0, |first| (entry.arrived - first).as_secs_f64());
        let body = String::from_utf8_lossy(&entry.body).into_owned();
        let _ = writeln!(
            out,
            "    {since:>9.3} {label} {} {} {:?} {body}",
            entry.method, entry.path, entry.outcome
        );
    }
    for change in &over.changes {
        let _ = writeln!(
            out,
            "        {} {:?} {} {:?}",
            change.at, change.happening, change.volume_id, change.snapshot_id
        );
    }
    out
}

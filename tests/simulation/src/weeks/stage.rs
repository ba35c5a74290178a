//! The stage of some weeks: time passes from tick to tick, and whatever falls between two of them
//! happens.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use simcloud::{
    Cloud, Config, DateHeader, Fault, Health, Kind, MessageQueue, Requests, Route, Service,
};
use tokio::time::sleep;

use super::alarms::{Alarms, Printed, Series};
use super::course::Course;
use super::template::{Template, Ticks};
use super::{Ill, Silence, Weeks, delta, story, with_typo};
use crate::case::{Doing, Knobs, PassDraw, Trouble};
use crate::draw::Seed;
use crate::judge::Judge;
use crate::logs::Logs;
use crate::meaning::{Expiry, Tags};
use crate::rules::{self, Basis};
use crate::run::in_process::{self, Warm};
use crate::run::{Detail, End, Figures, Fingerprint, Outcome, PassRun, StepRun};
use crate::trace;
use crate::witness::{Purpose, Sent};
use crate::world::{Copy, VolumeCopy, World};

/// Of the passes that could be left out so many are run all the same, to see whether they print
/// what was foretold: of those that find nothing to do, and of those that find that there is still
/// something to be waited for.
const RUN: (f64, f64) = (1.0 / 64.0, 0.25);

/// What the last pass of a phase found, as far as it says what the next will.
struct Last {
    at: DateTime<Utc>,
    line: Printed,
    /// Up to when the next finds the same, if nothing else happens.
    until: DateTime<Utc>,
    /// What had happened by then.
    version: Version,
    /// Whether a window had to wait.
    waits: bool,
}

/// What a pass finds follows from this and the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    /// Of volumes and snapshots.
    rows: u64,
    /// Of everything else.
    others: u64,
}

pub(super) struct Stage<'a> {
    weeks: &'a Weeks,
    detail: Detail,
    logs: Logs,
    template: &'static Template,
    cloud: Cloud,
    /// Another project, in which there is nothing.
    elsewhere: Cloud,
    world: World,
    judge: Judge,
    course: Course,
    alarms: Alarms,
    warm: Option<Warm>,
    noise: StdRng,
    snapshot: Option<Last>,
    expire: Option<Last>,
    /// Grows with everything else that changes what a pass finds.
    others: u64,
    ticks: usize,
    next_doing: usize,
    was_sick: Vec<bool>,
    figures: Figures,
    trace: String,
    fingerprint: Fingerprint,
}

impl<'a> Stage<'a> {
    pub(super) fn new(weeks: &'a Weeks, detail: Detail, logs: Logs) -> Self {
        let template = Template::read();
        Self {
            cloud: Cloud::new(weeks.case.config.clone()),
            elsewhere: Cloud::new(Config {
                project_name: "elsewhere".into(),
                ..weeks.case.config.clone()
            }),
            world: World::default(),
            judge: Judge::new(&weeks.case),
            course: Course::new(weeks, template),
            alarms: Alarms::new(template.alarms()),
            template,
            warm: None,
            noise: Seed::new(weeks.case.seed).of("noise").nth(1).rng(),
            snapshot: None,
            expire: None,
            others: 0,
            ticks: 0,
            next_doing: 0,
            was_sick: vec![false; weeks.sicknesses.len()],
            figures: Figures::default(),
            trace: String::new(),
            fingerprint: Fingerprint::NEW,
            weeks,
            detail,
            logs,
        }
    }

    pub(super) async fn play(mut self) -> Outcome {
        let case = self.weeks.case.clone();
        for (n, volume) in case.volumes.iter().enumerate() {
            for server in &volume.spec.servers {
                self.cloud.add_server(server.as_str(), "a-server");
            }
            if !volume.later {
                self.world.make_volume(&self.cloud, &case, n);
            }
        }
        if self.detail == Detail::Trace {
            self.trace.push_str(&story::of_weeks(self.weeks));
        }
        let end = case.begins() + self.weeks.length;
        let (snapshots, expires) = (
            self.template.ticks("snapshot"),
            self.template.ticks("expire"),
        );
        let mut next = [
            ("snapshot", first(snapshots, case.begins()), snapshots),
            ("expire", first(expires, case.begins()), expires),
        ];
        loop {
            next.sort_by_key(|(_, at, _)| *at);
            let (phase, at, ticks) = &mut next[0];
            if *at >= end {
                break;
            }
            let (phase, now) = (*phase, *at);
            *at += TimeDelta::seconds(ticks.every);
            self.happens_until(now).await;
            self.evaluate(phase, now);
            self.tick(phase, now).await;
        }
        let logs = self.logs.take();
        self.judge
            .search_for_secrets("a log line", &logs, &self.cloud);
        let (mut violations, mut coverage, checks) = self.judge.conclude();
        let (over_time, covered, more) = self.course.conclude();
        violations.extend(over_time);
        coverage.merge(&covered);
        self.figures.checks = checks + more;
        Outcome {
            violations,
            coverage,
            figures: self.figures,
            trace: self.trace,
            fingerprint: self.fingerprint.value(),
        }
    }

    /// Lets time pass up to an instant, and everything happen that is planned for before it.
    async fn happens_until(&mut self, at: DateTime<Utc>) {
        loop {
            let doing = self.weeks.doings.get(self.next_doing).map(|(at, _)| *at);
            let now = self.cloud.now();
            // A pass may have gone on beyond the beginning or the end of something.
            let mut all = self.weeks.sicknesses.iter().zip(&self.was_sick);
            if all.any(|(one, was)| one.lasts_at(now) != *was) {
                self.turn(now);
            }
            let edges = self.weeks.sicknesses.iter().zip(&self.was_sick);
            let edges = edges.map(|(one, was)| if *was { one.until } else { one.from });
            let turn = edges.filter(|edge| *edge > now).min();
            let Some(first) = doing.into_iter().chain(turn).min().filter(|one| *one <= at) else {
                break;
            };
            self.sleep_until(first).await;
            while let Some((when, doing)) = self.weeks.doings.get(self.next_doing) {
                if *when > first {
                    break;
                }
                self.next_doing += 1;
                self.tell(|| format!("{first} people: {doing:?}\n"));
                let case = self.weeks.case.clone();
                self.world.carry_out(&self.cloud, &case, doing);
                self.others += 1;
            }
            self.turn(first);
        }
        self.sleep_until(at).await;
    }

    async fn sleep_until(&self, at: DateTime<Utc>) {
        if let Ok(wait) = (at - self.cloud.now()).to_std() {
            sleep(wait).await;
        }
    }

    /// Puts everything into the state that the sicknesses of an instant make.
    fn turn(&mut self, at: DateTime<Utc>) {
        let weeks = self.weeks;
        for (n, sickness) in weeks.sicknesses.iter().enumerate() {
            let is_sick = sickness.lasts_at(at);
            if std::mem::replace(&mut self.was_sick[n], is_sick) == is_sick {
                continue;
            }
            self.others += 1;
            let begins = if is_sick { "begins" } else { "ends" };
            self.tell(|| format!("{at} {begins}: {:?}\n", sickness.ill));
            if is_sick {
                self.course.hit(format!("sick: {}", sickness.ill.name()));
            }
            match &sickness.ill {
                Ill::Wiped(volumes) => {
                    for volume in volumes {
                        self.retag(*volume, is_sick.then(crate::draw::wiped));
                    }
                }
                Ill::Typo(volume) => {
                    let typo = with_typo(&weeks.case.volumes[*volume].tags);
                    self.retag(*volume, typo.filter(|_| is_sick));
                }
                Ill::Credential | Ill::OtherProject => {
                    self.cloud.revoke_tokens();
                    self.warm = None;
                }
                _ => {}
            }
        }
        let lasting = || {
            let all = weeks.sicknesses.iter();
            all.filter(|one| one.lasts_at(at)).map(|one| &one.ill)
        };
        for volume in &weeks.case.volumes {
            let Some(of) = &volume.spec.volume_type else {
                continue;
            };
            let health = lasting().find_map(|ill| match ill {
                Ill::Backend(name, health) if name == of => Some(*health),
                _ => None,
            });
            self.cloud.set_health(of, health.unwrap_or(Health::Well));
        }
        let queue = lasting().find_map(|ill| match ill {
            Ill::Queue(queue) => Some(*queue),
            _ => None,
        });
        self.cloud
            .set_message_queue(queue.unwrap_or(MessageQueue::Well));
        self.cloud
            .set_scheduler(!lasting().any(|ill| *ill == Ill::Scheduler));
        let quota = lasting().any(|ill| *ill == Ill::Quota);
        let date = self.date();
        self.cloud.configure(|config| {
            config.snapshot_quota = if quota { 0 } else { -1 };
            config.date = date;
        });
        self.put_in_faults(at);
    }

    /// What the cloud's answers say of its clock.
    fn date(&self) -> DateHeader {
        let all = self.weeks.sicknesses.iter().zip(&self.was_sick);
        let off = all.filter(|(_, is_sick)| **is_sick);
        let mut off = off.filter_map(|(one, _)| match one.ill {
            Ill::Clock(off) => Some(off),
            _ => None,
        });
        DateHeader::Shifted(off.next().unwrap_or_default())
    }

    /// Lets requests meet with what is sick, and with nothing else.
    fn put_in_faults(&self, at: DateTime<Utc>) {
        self.cloud.clear_faults();
        let lasting = self.weeks.sicknesses.iter().filter(|one| one.lasts_at(at));
        for fault in lasting.filter_map(|one| fault(&one.ill)) {
            self.cloud.inject(fault);
        }
    }

    /// Gives a volume these tags, or its own again.
    fn retag(&mut self, volume: usize, tags: Option<Tags>) {
        let case = self.weeks.case.clone();
        let tags = match tags {
            Some(tags) => Arc::new(tags),
            None => case.volumes[volume].tags.clone(),
        };
        self.world
            .carry_out(&self.cloud, &case, &Doing::Retag(volume, tags));
    }

    /// Evaluates the alarms at the beginning of a tick, over what the last ones have printed.
    fn evaluate(&mut self, phase: &'static str, at: DateTime<Utc>) {
        let turns = self.alarms.evaluate(at);
        let turns: Vec<String> = turns
            .into_iter()
            .map(|(name, rings)| {
                if rings {
                    self.course.hit(format!("rang: {name}"));
                }
                format!("{name} {}", if rings { "rings" } else { "is OK" })
            })
            .collect();
        if !turns.is_empty() {
            self.tell(|| format!("{at} alarm: {}\n", turns.join(", ")));
        }
        let copy = self.world.copy(&self.cloud);
        if phase == "expire" {
            self.course.follow_expired(at, &copy);
        }
        self.course.look(at, &copy, &self.alarms);
    }

    fn version(&self) -> Version {
        Version {
            rows: self.cloud.version(),
            others: self.others,
        }
    }

    async fn tick(&mut self, phase: &'static str, at: DateTime<Utc>) {
        self.ticks += 1;
        let lasting = self.weeks.sicknesses.iter().filter(|one| one.lasts_at(at));
        let lasting: Vec<&Ill> = lasting.map(|one| &one.ill).collect();
        if lasting.contains(&&Ill::RuleOff(phase)) {
            return;
        }
        if lasting.contains(&&Ill::Throttled) {
            self.of_lambda("AsyncEventsDropped", at, 1.0);
            return;
        }
        self.course.invoked(phase, at);
        let same = if phase == "snapshot" {
            &self.snapshot
        } else {
            &self.expire
        };
        let listings = lasting.iter().any(|ill| changes_listings(ill));
        let same = same
            .as_ref()
            .filter(|last| !listings && last.version == self.version() && at < last.until);
        let foretold = same.map(|last| (last.line.aged(at - last.at), last.waits));
        let runs = foretold.as_ref().is_none_or(|(_, waits)| {
            let share = if *waits { RUN.1 } else { RUN.0 };
            self.noise.random_bool(share)
        });
        if let (Some((line, _)), false) = (&foretold, runs) {
            self.alarms.take_in(line, at);
            self.of_lambda("Errors", at, 0.0);
            return;
        }
        let troubles: Vec<Trouble> = lasting
            .iter()
            .map(|ill| Trouble::Lasting(ill.name()))
            .collect();
        let foretold = foretold.map(|(line, _)| line);
        self.pass(phase, at, &troubles, foretold).await;
    }

    async fn pass(
        &mut self,
        phase: &'static str,
        at: DateTime<Utc>,
        troubles: &[Trouble],
        foretold: Option<Printed>,
    ) {
        let mut lasting = self.weeks.sicknesses.iter().filter(|one| one.lasts_at(at));
        let is_elsewhere = lasting.any(|one| one.ill == Ill::OtherProject);
        let cloud = if is_elsewhere {
            &self.elsewhere
        } else {
            &self.cloud
        };
        let cloud = &cloud.clone();
        self.world.begin_step();
        cloud.clear_journal();
        let noise = self.noise(cloud);
        let before = self.version();
        self.world.remember(cloud);
        let draw = PassDraw {
            event: json!({ "phase": phase }),
            delay: std::time::Duration::ZERO,
            skew: TimeDelta::zero(),
            time: delta(self.template.duration("TimeoutSeconds")),
            cold: self.noise.random_bool(0.05),
            kill: None,
            seed: self.noise.random(),
        };
        let number = (self.ticks, 0);
        let case = &self.weeks.case;
        let pass = in_process::pass(case, cloud, &self.world, number, &draw, &mut self.warm).await;
        self.world.remember(cloud);
        let struck = noise.map(|(fault, id)| (fault, cloud.struck(id)));
        if struck.is_some() {
            // One that met no request must not meet one of the next pass.
            self.put_in_faults(at);
        }
        self.figures.passes += 1;
        let (entries, changes) =
            cloud.with_journal(|journal| (journal.entries.clone(), journal.changes.clone()));
        self.figures.requests += entries.len() as u64;
        self.fingerprint.take_entries(&entries);
        let ended = cloud.now();
        self.take_in(&pass, ended);
        let over = StepRun {
            date: self.date(),
            passes: vec![pass],
            copies: self.world.copies(),
            entries,
            changes,
            meanwhile: 0,
            struck: struck
                .iter()
                .map(|(fault, times)| (fault, *times))
                .collect(),
            troubles: troubles.iter().collect(),
            is_clean: false,
        };
        let is_struck = struck.as_ref().is_some_and(|(_, times)| *times > 0);
        if is_struck {
            self.figures.faults += 1;
        }
        let printed = over.passes[0].record.lines.first();
        if let (Some(foretold), Some(printed), false) = (foretold, printed, is_struck) {
            let printed = serde_json::from_str(printed).unwrap_or_default();
            let printed = self.alarms.read(&printed);
            self.course
                .compare(&over.passes[0].label, &foretold, &printed);
        }
        let is_calm = !is_elsewhere && self.version() == before && over.struck.is_empty();
        let is_calm = is_calm && self.remember(phase, at, &over);
        if !is_calm || !troubles.is_empty() {
            let pass = story::of_pass(at, phase, &over.passes[0]);
            self.tell(|| pass);
        }
        if self.detail == Detail::Trace && std::env::var_os("STORY").is_some() {
            let step = crate::case::Step {
                wait: std::time::Duration::ZERO,
                doings: Vec::new(),
                troubles: Vec::new(),
                passes: Vec::new(),
            };
            self.trace
                .push_str(&trace::of_step(self.ticks, &step, &over));
            for line in self.logs.lines() {
                self.trace.push_str(&format!("      {line}\n"));
            }
        }
        if !is_elsewhere {
            self.judge.step(&over, &self.cloud);
        }
    }

    /// Now and then a request is answered by 503, although all is well.
    fn noise(&mut self, cloud: &Cloud) -> Option<(Fault, simcloud::FaultId)> {
        const REQUESTS_A_PASS: u64 = 8;
        let one_in = self.weeks.one_in;
        if one_in == 0 || self.noise.random_range(0..one_in) >= REQUESTS_A_PASS {
            return None;
        }
        let nth = self.noise.random_range(0..REQUESTS_A_PASS);
        let fault = Fault::on(Requests::Any, Kind::status(503)).skip(nth);
        let id = cloud.inject(fault.clone());
        Some((fault, id))
    }

    /// Keeps what a pass has printed, and what Lambda counts of it.
    fn take_in(&mut self, pass: &PassRun, at: DateTime<Utc>) {
        for line in &pass.record.lines {
            let line: Value = serde_json::from_str(line).unwrap_or_default();
            self.alarms.take_in(&self.alarms.read(&line), at);
        }
        let failed = f64::from(u8::from(!matches!(pass.end, End::Answered(_))));
        self.of_lambda("Errors", at, failed);
        self.of_lambda("AsyncEventsDropped", at, failed);
    }

    fn of_lambda(&mut self, metric: &str, at: DateTime<Utc>, value: f64) {
        let series = Series {
            namespace: "AWS/Lambda".into(),
            metric: metric.into(),
            phase: String::new(),
        };
        self.alarms.put(&series, at, value);
    }

    /// Remembers what a pass over unchanged volumes and snapshots found, if the next would find the
    /// same; gives whether it does.
    fn remember(&mut self, phase: &str, at: DateTime<Utc>, over: &StepRun<'_>) -> bool {
        let pass = &over.passes[0];
        let of_phase = if phase == "snapshot" {
            &mut self.snapshot
        } else {
            &mut self.expire
        };
        *of_phase = None;
        let End::Answered(answer) = &pass.end else {
            return false;
        };
        let works = |sent: &Sent| matches!(sent.purpose, Purpose::Create | Purpose::Delete);
        let (Some(copy), Some(line)) = (over.copies.last(), pass.record.lines.first()) else {
            return false;
        };
        if pass.record.sent.iter().any(works) {
            return false;
        }
        let waits = answer["snapshots"]["deferred"].as_u64() != Some(0);
        // Slots of what is being created may become free in the middle of the next pass.
        let counts_for = delta(self.weeks.case.knobs.stuck_after / 6);
        let takes_a_slot = |copy: &VolumeCopy| {
            let mut all = copy.snapshots.iter();
            all.any(|snap| snap.status == "creating" && at - snap.created_at < counts_for)
        };
        if waits && phase == "snapshot" && copy.volumes.values().any(takes_a_slot) {
            return false;
        }
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        *of_phase = Some(Last {
            at,
            line: self.alarms.read(&line),
            until: same_until(&self.weeks.case.knobs, phase, at, copy),
            version: Version {
                rows: self.cloud.version(),
                others: self.others,
            },
            waits,
        });
        true
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.detail == Detail::Trace {
            let what = what();
            self.trace.push_str(&what);
        }
    }
}

/// Up to when a pass finds the same as one at this instant, if nothing changes but the time.
fn same_until(knobs: &Knobs, phase: &str, at: DateTime<Utc>, copy: &Copy) -> DateTime<Utc> {
    let basis = Basis {
        now: at,
        stuck_after: knobs.stuck_after,
        keep_last: knobs.keep_last,
    };
    let mut until = at + TimeDelta::days(40);
    let mut may_end = |then: DateTime<Utc>| {
        if then > at {
            until = until.min(then);
        }
    };
    for copy in copy.volumes.values() {
        for snap in &copy.snapshots {
            if !matches!(snap.status.as_str(), "available" | "error") {
                // It is stuck when it is older than that.
                let since = snap.updated_at.unwrap_or(snap.created_at);
                may_end(since + delta(knobs.stuck_after) + TimeDelta::milliseconds(1));
                may_end(snap.created_at + delta(knobs.stuck_after / 6));
            }
            if let (Expiry::At(expires), "expire") = (snap.expiry, phase) {
                may_end(expires);
            }
        }
        if phase == "snapshot" {
            for (schedule, window) in rules::windows(copy, &basis) {
                may_end(window.end);
                // However many of them count, and whichever is the youngest of those.
                let leftovers: Vec<_> = rules::leftovers(copy, schedule.kind, &basis).collect();
                for youngest in &leftovers {
                    let alone = (1..=leftovers.len())
                        .map(|count| [*youngest].into_iter().cycle().take(count));
                    alone.filter_map(rules::waits_for).for_each(&mut may_end);
                }
            }
        }
    }
    until
}

/// The first tick at or after an instant.
fn first(ticks: Ticks, from: DateTime<Utc>) -> DateTime<Utc> {
    let since = from.timestamp() - ticks.first;
    let ahead = (-since).rem_euclid(ticks.every);
    DateTime::from_timestamp(from.timestamp() + ahead, 0).expect("weeks of this century")
}

/// Whether a pass that finds nothing to do would find something else for this.
fn changes_listings(ill: &Ill) -> bool {
    match ill {
        Ill::Cinder(_)
        | Ill::Keystone(_)
        | Ill::Network
        | Ill::Credential
        | Ill::OtherProject
        | Ill::Clock(_) => true,
        Ill::Backend(..)
        | Ill::Queue(_)
        | Ill::Scheduler
        | Ill::Quota
        | Ill::Wiped(_)
        | Ill::Typo(_)
        | Ill::RuleOff(_)
        | Ill::Throttled => false,
    }
}

/// How requests meet with a sickness, where they do.
fn fault(ill: &Ill) -> Option<Fault> {
    let silent = |of: Requests, silence: &Silence| {
        let kind = match silence {
            Silence::Refused => Kind::Refused,
            Silence::Unavailable => Kind::status(503),
            Silence::Hangs => Kind::HangBefore,
        };
        Fault::on(of, kind).forever()
    };
    match ill {
        Ill::Cinder(silence) => Some(silent(Service::BlockStorage.into(), silence)),
        Ill::Keystone(silence) => Some(silent(Service::Identity.into(), silence)),
        Ill::Network => Some(silent(Requests::Any, &Silence::Hangs)),
        Ill::Credential => Some(Fault::on(Route::Login, Kind::status(401)).forever()),
        _ => None,
    }
}

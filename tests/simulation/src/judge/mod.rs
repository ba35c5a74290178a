//! The invariants: what must hold after every pass, and at the end, whatever went wrong.
//!
//! Each question is asked through [`Judge::check`], which counts it. A file each for what a pass
//! sends ([`creations`], [`rounds`], [`deletions`]), for when and how it ends ([`manners`]), for what it
//! says ([`accounts`]), for what it tries again ([`retries`]), for what it has listed
//! ([`listings`]), for the order in which snapshots go ([`expiry`]), for clocks that are apart ([`clocks`]), for passes that nothing disturbed ([`quiet`]), for reports ([`report`]), for the state in which
//! everything comes to rest ([`rest`]) and for what was covered ([`seen`]).

mod accounts;
mod clocks;
mod creations;
mod deletions;
mod expiry;
mod listings;
mod manners;
mod quiet;
mod report;
mod requests;
mod rest;
mod retries;
mod rounds;
mod seen;
mod shares;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;
use simcloud::{Cloud, Happening};

use crate::case::{Case, Knobs, Pace, Trouble};
use crate::coverage::Coverage;
use crate::findings::{Findings, Violation};
use crate::rules::{self, Basis};
use crate::run::{End, PassRun, StepRun, WEBHOOK_LOGIN, WEBHOOK_PATH};
use crate::world::{Copy, VolumeCopy};

/// Asks the questions of one run.
#[derive(Debug)]
pub struct Judge {
    case: Arc<Case>,
    findings: Findings,
    coverage: Coverage,
    /// The request of each creation that was ever carried out, by snapshot.
    makers: HashMap<String, u64>,
    clean_passes: usize,
    /// Whether a listing of a pass looked like something that it was not, and could not be told from
    /// it: what is taken twice for that is nobody's mistake.
    is_deceived: bool,
}

/// What a pass is asked for, without an envelope.
fn request_of(pass: &PassRun) -> &Value {
    let event = &pass.draw.event;
    event.get("detail").unwrap_or(event)
}

/// A pass with what is asked about it, taken apart once.
struct Asked<'a> {
    pass: &'a PassRun,
    step: &'a StepRun<'a>,
    knobs: &'a Knobs,
    pace: Pace,
    phase: &'a str,
    dry_run: bool,
    volume_ids: Option<HashSet<&'a str>>,
    is_sharded: bool,
    /// Of how many shares this pass takes one.
    shares: usize,
    basis: Basis,
    answer: Option<&'a Value>,
}

/// Whether a pass changes nothing.
fn only_looks(pass: &PassRun) -> bool {
    let event = request_of(pass);
    event["phase"] == "report" || event["dry_run"] == true
}

/// The instant that a pass has read from its clock, as near as can be said: a report tells it, to the
/// second.
fn read_at(pass: &PassRun) -> DateTime<Utc> {
    let told: Option<DateTime<Utc>> = match &pass.end {
        End::Answered(answer) => answer["at"].as_str().and_then(|at| at.parse().ok()),
        _ => None,
    };
    let latest = pass.now + pass.read_within;
    told.map_or(pass.now, |at| at.clamp(pass.now, latest))
}

impl<'a> Asked<'a> {
    fn new(case: &'a Case, step: &'a StepRun<'a>, pass: &'a PassRun) -> Self {
        let event = request_of(pass);
        let as_of = event["as_of"].as_str().map(|at| {
            at.parse::<DateTime<Utc>>()
                .expect("the drawing writes dates")
        });
        let volume_ids = event["volume_ids"]
            .as_array()
            .map(|ids| ids.iter().filter_map(Value::as_str).collect());
        Self {
            pass,
            step,
            knobs: &case.knobs,
            pace: case.pace,
            phase: event["phase"].as_str().expect("every event has a phase"),
            dry_run: event["dry_run"].as_bool().unwrap_or(false),
            volume_ids,
            is_sharded: event.get("shard").is_some(),
            shares: event["shard"]["count"].as_u64().unwrap_or(1) as usize,
            basis: Basis {
                now: as_of.unwrap_or_else(|| read_at(pass)),
                stuck_after: case.knobs.stuck_after,
                keep_last: case.knobs.keep_last,
            },
            answer: match &pass.end {
                End::Answered(answer) => Some(answer),
                _ => None,
            },
        }
    }

    /// What it is asked for.
    fn event(&self) -> &'a Value {
        request_of(self.pass)
    }

    /// The remembered moments from the pass's beginning on.
    fn copies(&self) -> &'a [Arc<Copy>] {
        &self.step.copies[self.pass.first_copy..]
    }

    /// A volume at the remembered moments from the pass's beginning on.
    fn copies_of(&self, volume_id: &str) -> impl Iterator<Item = &'a VolumeCopy> {
        self.copies()
            .iter()
            .filter_map(move |copy| copy.volumes.get(volume_id))
    }

    /// A number in the answer, such as `/snapshots/created`.
    fn number(&self, pointer: &str) -> u64 {
        self.answer
            .and_then(|answer| answer.pointer(pointer)?.as_u64())
            .unwrap_or(0)
    }

    /// Whether one of these things happened to a snapshot in the step.
    fn has_met(&self, snapshot_id: &str, happenings: &[Happening]) -> bool {
        self.step.changes.iter().any(|change| {
            change.snapshot_id.as_deref() == Some(snapshot_id)
                && happenings.contains(&change.happening)
        })
    }

    /// Whether the pass looks after this volume, as far as that can be said from outside.
    fn names(&self, volume_id: &str) -> bool {
        self.volume_ids
            .as_ref()
            .is_none_or(|ids| ids.contains(volume_id))
    }

    /// Whether nothing at all disturbed this pass, and it had time enough.
    fn is_quiet(&self) -> bool {
        let step = self.step;
        let alone = step.passes.len() == 1;
        (alone || step.passes.iter().all(only_looks))
            && step.meanwhile == 0
            && !self.is_crowded()
            && step.struck.iter().all(|(_, times)| *times == 0)
            && self.has_time()
            && !step
                .troubles
                .iter()
                .any(|one| matches!(one, Trouble::Latency(_) | Trouble::Lasting(_)))
            && self.pass.draw.kill.is_none()
            && !self.has_late_work()
            // The tail of the drawn latency may outlast a try.
            && !self.pass.record.sent.iter().any(|one| one.timed_out)
    }

    /// Whether what others have begun may take the slots that this pass needs.
    fn is_crowded(&self) -> bool {
        let begin = self.copies().first();
        let volumes = begin.into_iter().flat_map(|copy| copy.volumes.values());
        let snapshots = volumes.flat_map(|copy| &copy.snapshots);
        let creating = snapshots.filter(|one| one.managed && one.status == "creating");
        let creating = creating.count();
        creating > 0 && creating >= self.knobs.max_creating
    }

    fn has_time(&self) -> bool {
        self.pass.deadline - self.pass.begun >= self.pace.enough()
    }

    /// Whether times are exact, and everything that was sent has arrived.
    fn is_exact(&self) -> bool {
        self.pace == Pace::Paused
    }

    /// Whether its clock is so far ahead of the cloud's that what has just been begun looks stuck.
    fn takes_new_for_stuck(&self) -> bool {
        self.pass.draw.skew.to_std().unwrap_or_default() >= self.knobs.stuck_after
    }

    /// Whether a request is one of the pass's own.
    fn sent_by_it(&self, sequence: u64) -> bool {
        self.step.entries.iter().any(|entry| {
            entry.sequence == sequence && entry.request_id.as_ref() == Some(&self.pass.run_id)
        })
    }

    /// Whether it matters when exactly the pass has read its clock: a window begins, a snapshot
    /// expires or becomes a zombie at that very time.
    fn is_on_the_edge(&self) -> bool {
        let later = Basis {
            now: self.basis.now + self.pass.read_within,
            ..self.basis
        };
        later.now > self.basis.now
            && self
                .copies()
                .iter()
                .flat_map(|copy| copy.volumes.values())
                .any(|copy| rules::differs(copy, &self.basis, &later))
    }

    /// Whether a request of an earlier step was carried out in this one.
    fn has_late_work(&self) -> bool {
        let first = self.step.entries.first().map(|entry| entry.sequence);
        self.step.changes.iter().any(|change| {
            matches!(change.happening, Happening::Creating | Happening::Deleting)
                && change.request < first
        })
    }
}

impl Judge {
    /// For a case.
    pub fn new(case: &Arc<Case>) -> Self {
        Self {
            case: case.clone(),
            findings: Findings::default(),
            coverage: Coverage::default(),
            makers: HashMap::new(),
            clean_passes: 0,
            is_deceived: false,
        }
    }

    fn check(&mut self, holds: bool, rule: &'static str, what: impl FnOnce() -> String) {
        self.findings.check(holds, rule, what);
    }

    /// Judges a step.
    pub fn step(&mut self, step: &StepRun<'_>, cloud: &Cloud) {
        for change in &step.changes {
            if let (Happening::Creating, Some(id), Some(request)) =
                (change.happening, &change.snapshot_id, change.request)
            {
                self.makers.insert(id.clone(), request);
            }
        }
        let case = self.case.clone();
        for pass in &step.passes {
            let asked = Asked::new(&case, step, pass);
            if asked.is_on_the_edge() {
                self.coverage.hit("on the edge, not judged");
                continue;
            }
            self.manners(&asked);
            self.listings(&asked);
            self.requests(&asked);
            self.retries(&asked);
            self.creations(&asked);
            self.deletions(&asked);
            self.expiry(&asked);
            self.clocks(&asked);
            self.accounts(&asked);
            self.quiet(&asked);
            self.report(&asked);
            self.rest(&asked);
            self.seen_in_pass(&asked);
            self.secrets_of(pass, cloud);
        }
        self.shards(step);
        self.agreement(step);
        self.seen_in_step(step);
    }

    /// Whether a text shows what nobody may see.
    pub fn search_for_secrets(&mut self, place: &str, text: &str, cloud: &Cloud) {
        if text.is_empty() {
            return;
        }
        // Most secrets say what they are, and most texts have none of them.
        const MARK: &str = "not-a-secret";
        let is_marked = text.contains(MARK);
        let mut secrets = cloud.secrets();
        secrets.push(WEBHOOK_LOGIN.1.into());
        secrets.extend(
            WEBHOOK_PATH
                .split(['/', '?', '='])
                .filter(|part| part.starts_with(MARK))
                .map(str::to_owned),
        );
        let shown = secrets
            .iter()
            .filter(|secret| is_marked || !secret.contains(MARK))
            .find(|secret| text.contains(secret.as_str()));
        self.check(shown.is_none(), "no secret is shown", || {
            format!("{place} shows {shown:?}")
        });
    }

    fn secrets_of(&mut self, pass: &PassRun, cloud: &Cloud) {
        let mut text = match &pass.end {
            End::Answered(answer) => answer.to_string(),
            End::Failed(_, message) => message.clone(),
            End::Killed | End::Overran => String::new(),
        };
        for line in &pass.record.lines {
            text.push_str(line);
        }
        for (body, _) in &pass.record.notified {
            text.push_str(&String::from_utf8_lossy(body));
        }
        text.push_str(&pass.log);
        self.search_for_secrets(&pass.label, &text, cloud);
    }

    /// What was found: violations, coverage and the number of questions.
    pub fn conclude(self) -> (Vec<Violation>, Coverage, u64) {
        (
            self.findings.violations,
            self.coverage,
            self.findings.checks,
        )
    }
}

//! The invariants of restores: what a call sends and makes here, what it chooses and says in
//! [`answer`], and what was covered in [`seen`].

mod answer;
mod seen;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use simcloud::{Cloud, Entry, Happening, Outcome, Route, Volume};

use super::point::{Moment, id_of, start_of};
use super::stage::{CallRun, StepRun};
use super::{Restores, keys};
use crate::coverage::Coverage;
use crate::findings::{Findings, Violation};
use crate::run::End;
use crate::witness::{Purpose, Sent};

/// What a call may fail with as a whole.
const NAMED: [&str; 4] = [
    "AuthenticationFailed",
    "DiscoveryFailed",
    "DeadlineExceeded",
    "NothingToRestore",
];

/// Something that a creating request has made.
#[derive(Clone, Debug)]
struct Made {
    restore_id: String,
    original: String,
    copy: String,
    at: DateTime<Utc>,
    run_id: String,
}

/// What the first call of a restore has chosen.
#[derive(Clone, Debug)]
struct Fixed {
    /// Without `dry_run`.
    event: Value,
    /// Snapshots by volume, where there was one way only to choose.
    choice: Option<BTreeMap<String, String>>,
    /// Whether they are of one window.
    is_common: bool,
}

/// Asks the questions of one run.
pub(super) struct Judge<'a> {
    case: &'a Restores,
    findings: Findings,
    coverage: Coverage,
    /// The creating requests that ever came.
    requests: BTreeMap<u64, Entry>,
    made: Vec<Made>,
    fixed: BTreeMap<String, Fixed>,
    /// Copies that some answer has told of as not yet available.
    pending: BTreeSet<String>,
    /// What the last dry run chose, and over what.
    tried: Option<(Value, Moment, BTreeMap<String, String>)>,
    /// Restores of which all misfortune is over, and that have been called in earnest since.
    rested: BTreeSet<String>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(case: &'a Restores) -> Self {
        Self {
            case,
            findings: Findings::default(),
            coverage: Coverage::default(),
            requests: BTreeMap::new(),
            made: Vec::new(),
            fixed: BTreeMap::new(),
            pending: BTreeSet::new(),
            tried: None,
            rested: BTreeSet::new(),
        }
    }

    fn check(&mut self, holds: bool, rule: &'static str, what: impl FnOnce() -> String) {
        self.findings.check(holds, rule, what);
    }

    pub(super) fn step(&mut self, step: &StepRun<'_>, cloud: &Cloud) {
        for entry in step
            .entries
            .iter()
            .filter(|one| one.route == Route::CreateVolume)
        {
            self.requests.insert(entry.sequence, entry.clone());
        }
        self.untouched(step);
        self.made(step);
        for call in &step.calls {
            self.manners(step, call);
            self.requests(step, call);
            self.answer(step, call);
            self.secrets(call, cloud);
        }
        self.fix(step);
        self.rest(step);
        self.seen(step);
    }

    /// Nothing that exists is touched.
    fn untouched(&mut self, step: &StepRun<'_>) {
        for before in &step.before.volumes {
            if step.touched.contains(&before.id) {
                continue;
            }
            let mut after = step.after.volume(&before.id).cloned();
            // A copy of an earlier call may be done by now.
            if let Some(after) = after.as_mut().filter(|_| before.status == "creating") {
                after.status.clone_from(&before.status);
            }
            self.check(
                after.as_ref() == Some(before),
                "no volume that exists is touched",
                || format!("{before:?} has become {after:?}"),
            );
        }
        for before in &step.before.snapshots {
            let after = step.after.snapshot(&before.id);
            let is_same = after == Some(before) || step.touched.contains(&before.id);
            self.check(is_same, "no snapshot is touched", || {
                format!("{before:?} has become {after:?}")
            });
        }
        for change in &step.changes {
            let is_ours = matches!(
                change.happening,
                Happening::VolumeCreating
                    | Happening::VolumeAvailable
                    | Happening::VolumeCreationFailed
            );
            self.check(
                is_ours,
                "volumes are made, and nothing else happens",
                || format!("{change:?}"),
            );
        }
    }

    /// Nothing is made twice that a look could have shown.
    fn made(&mut self, step: &StepRun<'_>) {
        for change in &step.changes {
            let (Happening::VolumeCreating, Some(request)) = (change.happening, change.request)
            else {
                continue;
            };
            let Some(entry) = self.requests.get(&request) else {
                continue;
            };
            let body = entry.json();
            let text = |pointer: &str| {
                body.pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let new = Made {
                restore_id: text("/volume/metadata/x-snapsentry-restore-id"),
                original: text("/volume/metadata/x-snapsentry-restored-volume"),
                copy: change.volume_id.clone(),
                at: change.at,
                run_id: entry.request_id.clone().unwrap_or_default(),
            };
            let body_of = |entry: &Entry| entry.json()["volume"]["metadata"][keys::VOLUME].clone();
            let before = self.requests.values().rev().find(|one| {
                one.request_id.as_deref() == Some(&*new.run_id)
                    && one.sequence < request
                    && body_of(one) == new.original.as_str()
                    && !matches!(one.outcome, Outcome::Answered(401 | 413 | 429))
            });
            // The last look for it before it left that came to its end: of a first try, and of one
            // after a clear refusal, that at all volumes; else any after the try whose answer was lost.
            let looks = step.entries.iter().filter(|one| {
                one.request_id.as_deref() == Some(&*new.run_id)
                    && one.route == Route::ListVolumes
                    && one.sequence < request
                    && one.outcome == Outcome::Answered(200)
                    && !one.client_gone
                    && !one.path.contains("marker=")
                    && match before {
                        None => !one.path.contains("metadata="),
                        Some(before) => one.sequence > before.sequence,
                    }
            });
            // Of several volumes it cannot be told whose look it was: the first proves enough.
            let has_others = self.requests.values().any(|one| {
                one.request_id.as_deref() == Some(&*new.run_id)
                    && body_of(one) != new.original.as_str()
            });
            let mut looks = looks;
            let look = match before {
                Some(_) if has_others => looks.next(),
                _ => looks.last(),
            };
            let look = look.map(|one| one.at);
            let earlier: Vec<Made> = self
                .made
                .iter()
                .filter(|one| one.restore_id == new.restore_id && one.original == new.original)
                .filter(|one| !step.touched.contains(&one.copy))
                .filter(|one| {
                    step.before.volume(&one.copy).is_some()
                        || step.after.volume(&one.copy).is_some()
                })
                .cloned()
                .collect();
            for other in &earlier {
                // A request that is worked off long after its answer cannot be known of.
                let was_shown = look.is_some_and(|look| other.at <= look);
                self.check(
                    !was_shown,
                    "a copy that a look has shown is not made again",
                    || format!("{other:?}, then {new:?}"),
                );
                let at_once = other.run_id != new.run_id
                    && step.calls.iter().any(|call| call.run_id == other.run_id);
                let name = match at_once {
                    true => "two calls at once made two",
                    false => "work done after its answer made a second copy",
                };
                self.coverage.hit(name);
            }
            self.made.push(new);
        }
    }

    fn manners(&mut self, step: &StepRun<'_>, call: &CallRun) {
        let slack = std::time::Duration::from_millis(2);
        let is_in_time =
            matches!(call.end, End::Killed) || call.ended <= call.deadline.max(call.begun) + slack;
        self.check(is_in_time, "a call answers before its deadline", || {
            format!("{} took {:?}", call.label, call.ended - call.begun)
        });
        let entries = || {
            step.entries
                .iter()
                .filter(|one| one.request_id.as_ref() == Some(&call.run_id))
        };
        for entry in entries() {
            let is_over =
                entry.client_gone || !matches!(entry.outcome, Outcome::Waiting | Outcome::Hung);
            self.check(
                is_over && entry.arrived <= call.deadline + slack,
                "no request outlives the deadline",
                || format!("{}: {} {}", call.label, entry.method, entry.path),
            );
            let is_own = matches!(
                entry.route,
                Route::Login
                    | Route::ListVolumes
                    | Route::ListSnapshots
                    | Route::CreateVolume
                    | Route::GetVolume
            );
            self.check(is_own, "a restore writes nothing but new volumes", || {
                format!("{}: {} {}", call.label, entry.method, entry.path)
            });
        }
        let creates = entries()
            .filter(|one| one.route == Route::CreateVolume)
            .count();
        let is_dry = call.draw.event["dry_run"] == true;
        self.check(!is_dry || creates == 0, "a dry run makes nothing", || {
            call.label.clone()
        });
        self.check(
            call.record.lines.is_empty(),
            "a restore prints no metrics",
            || format!("{}: {:?}", call.label, call.record.lines),
        );
        if let End::Failed(error_type, message) = &call.end {
            let named = NAMED.contains(&error_type.as_str());
            self.check(named, "a call fails with a named error only", || {
                format!("{}: {error_type}: {message}", call.label)
            });
            self.check(creates == 0, "a call that failed has made nothing", || {
                format!("{}: {error_type}: {message}", call.label)
            });
            let is_free = is_undisturbed(step, call);
            self.check(
                !is_free || error_type == "NothingToRestore",
                "a call that nothing disturbs does not fail",
                || format!("{}: {error_type}: {message}", call.label),
            );
        }
    }

    /// What is asked of the creating requests of one call.
    fn requests(&mut self, step: &StepRun<'_>, call: &CallRun) {
        let mut by_original: BTreeMap<String, Vec<&Sent>> = BTreeMap::new();
        for sent in call.record.sent.iter().filter(|one| is_creation(one)) {
            let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
            let original = body["volume"]["metadata"][keys::VOLUME]
                .as_str()
                .unwrap_or_default();
            by_original
                .entry(original.to_owned())
                .or_default()
                .push(sent);
            self.body(step, call, original, &body);
        }
        let tries = self.case.settings.max_retries as usize + 1;
        for (original, sent) in by_original {
            let refused = sent.iter().filter(|one| one.status == Some(401)).count();
            self.check(
                sent.len() <= tries + refused,
                "a creation is tried so often and no more",
                || format!("{}: {} times for {original}", call.label, sent.len()),
            );
            for pair in sent.windows(2) {
                let [first, second] = pair else { continue };
                let waits = first.retry_after.is_some_and(|seconds| seconds > 0);
                let is_final = match first.status {
                    Some(400 | 403 | 404 | 409) => true,
                    Some(413) => !waits,
                    _ => false,
                };
                self.check(
                    !is_final,
                    "what is refused for good is not tried again",
                    || format!("{}: {original} after {:?}", call.label, first.status),
                );
                let is_clear = matches!(first.status, Some(401 | 413 | 429));
                let looks = call.record.sent.iter().filter(|one| {
                    one.purpose == Purpose::List
                        && one.status == Some(200)
                        && one.target == "volumes"
                });
                let mut between = looks.filter(|one| one.at >= first.at && one.at <= second.at);
                self.check(
                    is_clear || between.next().is_some(),
                    "a creation is sent again only after a look",
                    || format!("{}: {original} after {:?}", call.label, first.status),
                );
            }
        }
    }

    /// A creating request asks for what was promised.
    fn body(&mut self, step: &StepRun<'_>, call: &CallRun, original: &str, body: &Value) {
        let restore_id = id_of(&call.draw.event);
        let id = body["volume"]["snapshot_id"].as_str().unwrap_or_default();
        let snapshot = call.before.snapshot(id).or_else(|| step.after.snapshot(id));
        let Some(snapshot) = snapshot else {
            // People may have made and removed it in the middle.
            let known = step.touched.contains(id);
            self.check(known, "a copy is made of a snapshot that there is", || {
                format!("{}: {body}", call.label)
            });
            return;
        };
        let is_whole = snapshot.status == "available" || step.touched.contains(id);
        let is_ours = snapshot
            .metadata
            .get("x-snapsentry-managed")
            .is_some_and(|value| value == "true");
        self.check(
            snapshot.volume_id == original && is_whole && is_ours,
            "a copy is made of an available managed snapshot of its volume",
            || format!("{}: {body} of {snapshot:?}", call.label),
        );
        let names: Vec<String> = [&call.before, &step.after]
            .into_iter()
            .map(|moment| copy_name(restore_id, original, moment.volume(original)))
            .collect();
        let name = body["volume"]["name"].as_str().unwrap_or_default();
        self.check(
            names.iter().any(|one| one == name) || step.touched.contains(original),
            "a copy has the name that was promised",
            || format!("{}: {name}, not {names:?}", call.label),
        );
        let start = start_of(snapshot).to_rfc3339_opts(SecondsFormat::Secs, true);
        let expected = json!({
            "snapshot_id": id,
            "name": name,
            "metadata": {
                keys::RESTORE_ID: restore_id,
                keys::VOLUME: original,
                keys::SNAPSHOT: id,
                keys::WINDOW_START: start,
            },
        });
        self.check(
            body["volume"] == expected,
            "a copy is asked for with what was promised, and nothing else",
            || format!("{}: {body}, not {expected}", call.label),
        );
    }

    fn secrets(&mut self, call: &CallRun, cloud: &Cloud) {
        let text = match &call.end {
            End::Answered(answer) => answer.to_string(),
            End::Failed(_, message) => message.clone(),
            End::Killed | End::Overran => return,
        };
        self.search_for_secrets(&call.label, &text, cloud);
    }

    /// Whether a text shows what nobody may see.
    pub(super) fn search_for_secrets(&mut self, place: &str, text: &str, cloud: &Cloud) {
        if text.is_empty() {
            return;
        }
        let secrets = cloud.secrets();
        let shown = secrets.iter().find(|secret| text.contains(secret.as_str()));
        self.check(shown.is_none(), "no secret is shown", || {
            format!("{place} shows {shown:?}")
        });
    }

    /// Remembers what the first call of a restore has chosen, for as long as there are copies of it.
    fn fix(&mut self, step: &StepRun<'_>) {
        for call in &step.calls {
            let restore_id = id_of(&call.draw.event);
            let made = self.made.iter().any(|one| one.run_id == call.run_id);
            if !call.before.copies(restore_id).is_empty() || !made {
                continue;
            }
            let choice = call.before.choice(&call.draw.event);
            let is_alone = step.calls.len() == 1 && step.meanwhile == 0;
            let only = match choice.choices.as_slice() {
                [only] if is_alone => Some(only.clone()),
                _ => None,
            };
            let fixed = Fixed {
                event: in_earnest(&call.draw.event),
                is_common: choice.start.is_some(),
                choice: only,
            };
            self.fixed.insert(restore_id.to_owned(), fixed);
        }
        self.fixed
            .retain(|restore_id, _| !step.after.copies(restore_id).is_empty());
    }

    /// When all misfortune is over, everything comes to rest.
    fn rest(&mut self, step: &StepRun<'_>) {
        if !step.is_clean {
            return;
        }
        let Some(call) = step.calls.first() else {
            return;
        };
        let copies = call.before.copies(id_of(&call.draw.event));
        let End::Answered(answer) = &call.end else {
            return;
        };
        if call.draw.event["dry_run"] == true {
            return;
        }
        let failed: BTreeSet<&str> = list(answer, "failures")
            .filter_map(|one| one["volume_id"].as_str())
            .collect();
        for row in list(answer, "volumes") {
            let original = row["volume_id"].as_str().unwrap_or_default();
            let status = row["status"].as_str().unwrap_or_default();
            // What hangs goes on hanging.
            let is_there = matches!(status, "available" | "in-use" | "creating");
            let was_broken = copies
                .get(original)
                .and_then(|all| all.first())
                .is_some_and(|copy| copy.status.starts_with("error"));
            self.check(
                is_there || was_broken && failed.contains(original),
                "when misfortune is over each volume has its copy",
                || format!("{}: {row}", call.label),
            );
        }
        // The second in earnest, when there is nothing left to do.
        let is_last = !self.rested.insert(id_of(&call.draw.event).to_owned());
        let new = step
            .changes
            .iter()
            .filter(|one| one.happening == Happening::VolumeCreating)
            .count();
        if is_last {
            self.check(
                new == 0,
                "a call that finds all there makes nothing",
                || format!("{} made {new}", call.label),
            );
            self.coverage.hit("at rest at the end");
        }
    }

    /// What was found: violations, coverage and the number of questions.
    pub(super) fn conclude(self) -> (Vec<Violation>, Coverage, u64) {
        (
            self.findings.violations,
            self.coverage,
            self.findings.checks,
        )
    }
}

/// The name that a copy of a volume gets.
fn copy_name(restore_id: &str, original: &str, volume: Option<&Volume>) -> String {
    let name = volume
        .and_then(|one| one.name.as_deref())
        .filter(|name| !name.is_empty());
    let whole = format!("restored-{restore_id}-{}", name.unwrap_or(original));
    whole.chars().take(255).collect()
}

/// The event without `dry_run`.
fn in_earnest(event: &Value) -> Value {
    let mut event = event.clone();
    if let Some(object) = event.as_object_mut() {
        object.remove("dry_run");
    }
    event
}

fn is_creation(sent: &Sent) -> bool {
    sent.purpose == Purpose::Other && sent.target == "volumes" && !sent.body.is_empty()
}

/// Whether nothing at all disturbed a call, and it had time enough.
fn is_undisturbed(step: &StepRun<'_>, call: &CallRun) -> bool {
    step.calls.len() == 1
        && step.troubles.is_empty()
        && step.meanwhile == 0
        && call.draw.kill.is_none()
        && call.draw.time.num_seconds() >= 60
        && !step.changes.iter().any(|one| is_of_others(one, step))
}

/// Whether something was made by a request of an earlier step.
fn is_of_others(change: &simcloud::Change, step: &StepRun<'_>) -> bool {
    let first = step.entries.first().map(|entry| entry.sequence);
    change.happening == Happening::VolumeCreating && change.request < first
}

fn list<'v>(answer: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    answer[name].as_array().into_iter().flatten()
}

//! What a report says: how everything stands, and nothing else than a snapshot pass at the same
//! instant would say.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Asked, Judge};
use crate::calendar::{self, Window};
use crate::meaning::{Kind, Meaning, Schedule, Snap};
use crate::rules::{self, Basis, Standing};
use crate::run::StepRun;
use crate::world::{Copy, SeenVolume, VolumeCopy};

/// The states of volumes and policies, the worst first.
const STATES: [&str; 8] = [
    "lost",
    "invalid",
    "late",
    "blocked",
    "creating",
    "protected",
    "off",
    "unmanaged",
];

/// How one volume is to be told of.
#[derive(Debug)]
struct Told {
    state: &'static str,
    behind_seconds: i64,
    policies: Vec<Value>,
}

impl Judge {
    /// A report that nothing disturbed tells of every volume as it stands.
    pub(super) fn report(&mut self, asked: &Asked<'_>) {
        let copy = asked.copies().first().filter(|_| asked.is_quiet());
        let (Some(copy), Some(answer), "report") = (copy, asked.answer, asked.phase) else {
            return;
        };
        if !asked.step.changes.is_empty() {
            return;
        }
        self.coverage.hit("report: judged row by row");
        let label = &asked.pass.label;
        let at = calendar::in_utc(asked.basis.now);
        self.check(answer["at"] == at, "a report tells when it looked", || {
            format!("{label}: {}, not {at}", answer["at"])
        });
        let mut last: Option<(usize, i64, String)> = None;
        for row in rows(answer) {
            let id = row["volume_id"].as_str().unwrap_or_default();
            let Some(told) = copy.volumes.get(id).and_then(|copy| told(copy, asked)) else {
                self.check(false, "a report tells of volumes that are there", || {
                    format!("{label}: {row}")
                });
                continue;
            };
            let said: Vec<Value> = policies(row).map(essence).collect();
            self.coverage.hit(format!("report: volume {}", told.state));
            for policy in &said {
                let state = policy["state"].as_str().unwrap_or_default();
                self.coverage.hit(format!("report: policy {state}"));
            }
            self.check(
                row["state"] == told.state && said == told.policies,
                "a report says how each window stands",
                || format!("{label}: {row}, wanted {told:?}"),
            );
            let rank = STATES.iter().position(|state| *state == told.state);
            let place = (
                rank.unwrap_or_default(),
                -told.behind_seconds,
                id.to_owned(),
            );
            self.check(
                last.as_ref().is_none_or(|last| *last < place),
                "a report's rows come worst first",
                || format!("{label}: {last:?} before {place:?}"),
            );
            last = Some(place);
        }
        self.totals(asked, copy, answer);
    }

    fn totals(&mut self, asked: &Asked<'_>, copy: &Copy, answer: &Value) {
        if asked.is_sharded {
            return;
        }
        let is_far_apart = self.are_far_apart(asked);
        let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
        let mut add = |name: &'static str, count: usize| {
            *totals.entry(name).or_default() += count as u64;
        };
        for (_, copy) in copy.volumes.iter().filter(|(id, _)| asked.names(id)) {
            if let Some(told) = told(copy, asked) {
                add("volumes", 1);
                add(told.state, 1);
            }
            let managed = || copy.snapshots.iter().filter(|snap| snap.managed);
            add("snapshots", managed().count());
            add("held", managed().filter(|snap| snap.held).count());
            if copy.volume.is_none() {
                add("orphans", managed().count());
            }
            let of_kind = |kind: &Kind| rules::leftovers(copy, *kind, &asked.basis).count();
            add("leftovers", Kind::ALL.iter().map(of_kind).sum());
            // With clocks far apart an expire pass would delete nothing.
            let goes = |snap: &&Snap| !is_far_apart && rules::fate(snap, copy, &asked.basis).goes();
            add("expired", copy.snapshots.iter().filter(goes).count());
        }
        let names = [
            "volumes",
            "snapshots",
            "held",
            "orphans",
            "leftovers",
            "expired",
        ];
        let wrong: Vec<_> = STATES
            .iter()
            .chain(&names)
            .filter(|name| answer["totals"][**name] != totals.get(*name).copied().unwrap_or(0))
            .collect();
        self.check(wrong.is_empty(), "a report's totals add up", || {
            let label = &asked.pass.label;
            format!(
                "{label}: {wrong:?} of {}, wanted {totals:?}",
                answer["totals"]
            )
        });
    }

    /// A report and a dry run of a snapshot pass at one instant agree on every window.
    pub(super) fn agreement(&mut self, step: &StepRun<'_>) {
        let case = self.case.clone();
        let [report, dry_run] = step.passes.as_slice() else {
            return;
        };
        let [report, dry_run] = [report, dry_run].map(|pass| Asked::new(&case, step, pass));
        let alike = report.phase == "report"
            && dry_run.phase == "snapshot"
            && dry_run.dry_run
            && report.basis.now == dry_run.basis.now
            && !report.is_on_the_edge()
            && !self.is_deceived
            && step.changes.is_empty();
        let (Some(told), Some(planned), true) = (report.answer, dry_run.answer, alike) else {
            return;
        };
        let is_whole = told["next_after"].is_null() && report.event()["only"].is_null();
        let managed: Vec<&Value> = rows(told)
            .filter(|row| {
                let is_lost = row["state"] == "lost";
                let policies = policies(row).count();
                !is_lost && policies > 0
            })
            .collect();
        let of_state = |state: &str| {
            let all = managed.iter().flat_map(|row| policies(row));
            all.filter(|policy| policy["state"] == state).count() as u64
        };
        let label = &dry_run.pass.label;
        if is_whole {
            self.coverage.hit("report and snapshot pass side by side");
            let said = [
                of_state("late") + of_state("blocked"),
                of_state("blocked"),
                of_state("invalid"),
            ];
            let counted = ["/volumes/due", "/snapshots/blocked", "/volumes/invalid"]
                .map(|pointer| dry_run.number(pointer));
            self.check(
                said == counted,
                "a report and a snapshot pass count the same windows",
                || format!("{label}: due, blocked and invalid {counted:?}, the report {said:?}"),
            );
        }
        let mut late: BTreeSet<String> = BTreeSet::new();
        for row in &managed {
            let windows = policies(row).filter(|policy| policy["state"] == "late");
            late.extend(
                windows.map(|policy| window_of(row, &policy["policy"], policy).to_string()),
            );
        }
        let creations = planned["plan"].as_array().into_iter().flatten();
        let creations: BTreeSet<String> = creations
            .filter(|action| action["action"] == "create")
            .map(|action| window_of(action, &action["policy"], action).to_string())
            .collect();
        let waiting = dry_run.number("/snapshots/deferred");
        let agree = !is_whole
            || creations.is_subset(&late) && (late.len() - creations.len()) as u64 == waiting;
        self.coverage.hit_if(
            is_whole && !creations.is_empty(),
            "report and snapshot pass agree on a due window",
        );
        self.check(
            agree,
            "a report and a snapshot pass agree on every window",
            || format!("{label}: takes {creations:?}, defers {waiting}; late {late:?}"),
        );
    }
}

fn window_of(of_volume: &Value, policy: &Value, window: &Value) -> Value {
    json!([
        of_volume["volume_id"],
        policy,
        window["window_start"],
        window["window_end"]
    ])
}

fn rows(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["volumes"].as_array().into_iter().flatten()
}

fn policies(row: &Value) -> impl Iterator<Item = &Value> {
    row["policies"].as_array().into_iter().flatten()
}

/// What is compared of what is said about a policy.
fn essence(policy: &Value) -> Value {
    let mut essence = json!({
        "newest": policy["newest"]["snapshot_id"],
    });
    for name in [
        "policy",
        "state",
        "behind_seconds",
        "window_start",
        "window_end",
        "next_due",
        "oldest_created_at",
        "available",
        "creating",
        "leftovers",
    ] {
        essence[name] = policy[name].clone();
    }
    essence
}

/// How a volume is to be told of, where it is there.
fn told(copy: &VolumeCopy, asked: &Asked<'_>) -> Option<Told> {
    let volume = copy.volume.as_ref()?;
    let tags = &volume.tags;
    let says_goodbye = tags
        .metadata
        .get("x-snapsentry-managed")
        .is_some_and(|value| ["0", "f", "F", "FALSE", "false", "False"].contains(&value.as_str()));
    let wanted = |meaning: &Meaning| *meaning != Meaning::Off;
    let is_lost = match tags.has_our_keys {
        false => copy.snapshots.iter().any(|snap| snap.managed),
        true => !tags.managed && !says_goodbye && tags.policies.iter().any(wanted),
    };
    let mut told = Told {
        state: "unmanaged",
        behind_seconds: 0,
        policies: Vec::new(),
    };
    let mut worst = STATES.len();
    if tags.managed || is_lost {
        for kind in Kind::ALL {
            let Some((state, behind, policy)) = policy(copy, volume, kind, &asked.basis) else {
                continue;
            };
            let rank = STATES.iter().position(|one| *one == state);
            worst = worst.min(rank.unwrap_or_default());
            told.behind_seconds = told.behind_seconds.max(behind);
            told.policies.push(policy);
        }
    }
    told.state = match (is_lost, tags.managed) {
        (true, _) => "lost",
        (false, true) => STATES.get(worst).copied().unwrap_or("off"),
        (false, false) if says_goodbye => "off",
        (false, false) => "unmanaged",
    };
    Some(told)
}

/// How a policy that is not off is to be told of.
fn policy(
    copy: &VolumeCopy,
    volume: &SeenVolume,
    kind: Kind,
    basis: &Basis,
) -> Option<(&'static str, i64, Value)> {
    let of_kind = || {
        let snapshots = copy.snapshots.iter();
        snapshots.filter(move |snap| snap.managed && snap.kind == Some(kind))
    };
    let available = || of_kind().filter(|snap| snap.status == "available");
    let creating = of_kind()
        .filter(|snap| snap.status == "creating" && !rules::is_stuck(snap, basis))
        .count();
    let mut said = json!({
        "policy": kind.as_str(),
        "newest": available().max_by_key(|snap| snap.place()).map(|snap| &snap.id),
        "oldest_created_at": available().filter_map(|snap| snap.listed_at).min().map(calendar::in_utc),
        "available": available().count(),
        "creating": creating,
        "leftovers": rules::leftovers(copy, kind, basis).count(),
        "behind_seconds": null, "window_start": null, "window_end": null, "next_due": null,
    });
    let schedule = match volume.tags.policy(kind) {
        Meaning::Off => return None,
        Meaning::Unreadable => {
            said["state"] = json!("invalid");
            return Some(("invalid", 0, said));
        }
        Meaning::On(schedule) => schedule,
    };
    let window = calendar::window_at(&schedule, basis.now);
    let state = match rules::standing(copy, kind, &window, basis) {
        Standing::Served(_) => {
            let is_available = available().any(|snap| rules::belongs(snap, kind, &window));
            if is_available {
                "protected"
            } else {
                "creating"
            }
        }
        Standing::Due => "late",
        Standing::Blocked => "blocked",
    };
    let behind = match state {
        "protected" => 0,
        _ => {
            let since = behind_since(available(), &schedule, &window, basis.now);
            let since = volume.created_at.map_or(since, |made| since.max(made));
            (basis.now - since).num_seconds().max(0)
        }
    };
    // What stands in the window's own way is taken as gone.
    let next_due = match state {
        "protected" => window.end,
        "late" => {
            let counts = rules::leftovers(copy, kind, basis);
            let counts = counts.filter(|snap| !rules::is_in_the_way(snap, kind, &window, basis));
            let waits = rules::waits_for(counts).filter(|until| basis.now < *until);
            waits.unwrap_or(window.start)
        }
        _ => window.start,
    };
    said["state"] = json!(state);
    said["behind_seconds"] = json!(behind);
    said["window_start"] = json!(calendar::in_utc(window.start));
    said["window_end"] = json!(calendar::in_utc(window.end));
    said["next_due"] = json!(calendar::in_utc(next_due));
    Some((state, behind, said))
}

/// The end of the newest window of which there is an available one, else the active one's start.
fn behind_since<'a>(
    available: impl Iterator<Item = &'a Snap>,
    schedule: &Schedule,
    active: &Window,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let moments = available.filter_map(|snap| snap.window_start.or(snap.listed_at));
    let newest = moments.filter(|at| *at <= now).max();
    newest.map_or(active.start, |at| calendar::window_at(schedule, at).end)
}

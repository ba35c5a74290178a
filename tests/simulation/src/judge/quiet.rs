//! A pass that nothing disturbed does exactly what the rules say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use simcloud::Role;

use super::creations::snapshot_name;
use super::{Asked, Judge};
use crate::calendar::{self, Window};
use crate::case::Trouble;
use crate::meaning::{Expiry, Kind, Meaning, Schedule, Snap};
use crate::rules::{self, Fate, StaleSnapshot, Standing};
use crate::run::End;
use crate::witness::Purpose;
use crate::world::Copy;

/// What the rules want of a pass.
#[derive(Debug, Default)]
struct Wanted {
    managed: u64,
    invalid: u64,
    snapshots: u64,
    /// Those of active windows.
    recent: u64,
    due: BTreeSet<(String, &'static str)>,
    /// Of what is due, what has to wait until leftovers are old enough.
    waits: BTreeSet<(String, &'static str)>,
    /// Whether it is sure how many have to wait.
    is_sure: bool,
    blocked: u64,
    /// What is planned for each due window.
    creations: BTreeMap<(String, &'static str), Value>,
    goes: BTreeSet<String>,
    /// What is planned for each of them.
    deletions: BTreeMap<String, Value>,
    kept: u64,
}

impl Judge {
    pub(super) fn quiet(&mut self, asked: &Asked<'_>) {
        let later = asked.step.entries.first().is_some_and(|first| {
            asked
                .step
                .changes
                .iter()
                .any(|change| change.request < Some(first.sequence))
        });
        let Some(copy) = asked
            .copies()
            .first()
            .filter(|_| asked.is_quiet() && !later)
        else {
            return;
        };
        let pass = asked.pass;
        self.check(
            matches!(pass.end, End::Answered(_)),
            "a pass that nothing disturbs succeeds",
            || format!("{}: {:?}", pass.label, pass.end),
        );
        if asked.answer.is_none() || asked.is_sharded || asked.phase == "report" {
            return;
        }
        if self.is_deceived && asked.phase == "snapshot" {
            return;
        }
        let wanted = wanted(asked, copy, self.case.config.role);
        let said = [
            asked.number("/volumes/managed"),
            asked.number("/volumes/invalid"),
            asked.number("/snapshots/managed"),
        ];
        // A snapshot pass looks no further back than it has to.
        let snapshots = match asked.phase {
            "snapshot" => wanted.recent..=wanted.snapshots,
            _ => wanted.snapshots..=wanted.snapshots,
        };
        self.check(
            said[..2] == [wanted.managed, wanted.invalid] && snapshots.contains(&said[2]),
            "what is managed is counted",
            || format!("{}: {said:?}, wanted {wanted:?}", pass.label),
        );
        if asked.phase == "expire" {
            self.coverage.hit("quiet expire pass");
            self.quiet_expire(asked, &wanted);
        } else {
            self.coverage.hit("quiet snapshot pass");
            self.quiet_snapshot(asked, &wanted);
        }
    }

    fn quiet_expire(&mut self, asked: &Asked<'_>, wanted: &Wanted) {
        if self.are_far_apart(asked) {
            return;
        }
        let gone: BTreeSet<String> = if asked.dry_run {
            planned(asked, "delete")
                .filter_map(|action| action["snapshot_id"].as_str().map(str::to_owned))
                .collect()
        } else {
            sent_to_go(asked)
        };
        // Where there was not time for all, the rest is deferred.
        let left = asked.number("/snapshots/deferred") > 0;
        self.check(
            gone == wanted.goes || left && gone.is_subset(&wanted.goes),
            "what has expired goes, and nothing else",
            || format!("{}: {gone:?}, wanted {:?}", asked.pass.label, wanted.goes),
        );
        if asked.dry_run {
            let wrong = planned(asked, "delete").find(|action| {
                let id = action["snapshot_id"].as_str().unwrap_or_default();
                wanted.deletions.get(id) != Some(*action)
            });
            self.check(
                wrong.is_none(),
                "a dry run says why each snapshot goes",
                || format!("{}: {wrong:?}, wanted {wanted:?}", asked.pass.label),
            );
        }
        let kept = asked.number("/snapshots/kept");
        self.check(
            kept == wanted.kept,
            "what keep-last protects is counted",
            || format!("{}: {kept}, wanted {}", asked.pass.label, wanted.kept),
        );
    }

    fn quiet_snapshot(&mut self, asked: &Asked<'_>, wanted: &Wanted) {
        let label = &asked.pass.label;
        let due = asked.number("/volumes/due");
        self.check(
            due == wanted.due.len() as u64 + wanted.blocked,
            "what is due is counted",
            || format!("{label}: {due}, wanted {wanted:?}"),
        );
        self.coverage.hit_if(
            wanted.is_sure && !wanted.waits.is_empty(),
            "window: waits for leftovers to be old enough",
        );
        if asked.dry_run {
            let planned: Vec<&Value> = planned(asked, "create").collect();
            let tried = wanted.due.difference(&wanted.waits);
            let tried: Vec<&Value> = tried.map(|target| &wanted.creations[target]).collect();
            let all = planned.len() == tried.len() && tried.iter().all(|one| planned.contains(one));
            self.check(
                all || !wanted.is_sure,
                "a dry run plans what is due",
                || format!("{label}: {planned:?}, wanted {tried:?}"),
            );
            return;
        }
        let blocked = asked.number("/snapshots/blocked");
        self.check(
            blocked == wanted.blocked,
            "what is blocked is counted",
            || format!("{label}: {blocked}, wanted {wanted:?}"),
        );
        if wanted.is_sure {
            self.quota_stops_nothing(asked, &wanted.due, wanted.waits.len() as u64);
        }
        let undisturbed = asked
            .step
            .troubles
            .iter()
            .all(|trouble| matches!(trouble, Trouble::Fault(_) | Trouble::Meanwhile(..)))
            && self.case.config.role >= Role::Member;
        if !undisturbed {
            return;
        }
        let created = asked.number("/snapshots/created");
        let [pending, deferred] =
            ["pending", "deferred"].map(|name| asked.number(&format!("/snapshots/{name}")));
        let ample = (asked.pass.deadline - asked.pass.begun).as_secs() > 600;
        self.check(
            created + pending + deferred + blocked == due
                && (!ample
                    || !wanted.is_sure
                    || created == (wanted.due.len() - wanted.waits.len()) as u64),
            "what is due is made",
            || format!("{label}: {:?}, wanted {wanted:?}", asked.answer),
        );
        self.nothing_stale_is_left(asked);
        self.no_twins(asked);
    }

    /// Where there is time for all, each due window is tried, whatever a quota says to others.
    fn quota_stops_nothing(
        &mut self,
        asked: &Asked<'_>,
        due: &BTreeSet<(String, &str)>,
        waits: u64,
    ) {
        let slow = |trouble: &&Trouble| matches!(trouble, Trouble::Backend(_));
        // Were they all to wait for one another.
        let each = self.case.config.creation_time + Duration::from_secs(6);
        let long = each * (due.len() as u32 + 1);
        let has_time = asked.pass.deadline - asked.pass.begun > long;
        if asked.step.troubles.iter().copied().any(|one| slow(&one)) || !has_time {
            return;
        }
        let deferred = asked.number("/snapshots/deferred");
        self.check(
            deferred <= waits,
            "each due window is tried while there is time",
            || format!("{}: {deferred} deferred, {waits} may be", asked.pass.label),
        );
    }

    /// What was broken or stuck and in a due window's way was asked to go.
    fn nothing_stale_is_left(&mut self, asked: &Asked<'_>) {
        let Some(copy) = asked.copies().first() else {
            return;
        };
        let gone = sent_to_go(asked);
        let has_time = asked.number("/snapshots/deferred") == 0;
        for (volume_id, copy) in copy.volumes.iter().filter(|(id, _)| asked.names(id)) {
            for snap in &copy.snapshots {
                let status = copy.volume.as_ref().map(|volume| volume.status.as_str());
                let lost = matches!(status, Some("available" | "in-use"))
                    && matches!(
                        rules::stale(snap, copy, &asked.basis),
                        Some(StaleSnapshot::Error | StaleSnapshot::Stuck)
                    );
                self.check(
                    !lost || !has_time || gone.contains(&snap.id),
                    "what is in the way is removed",
                    || format!("{}: {} of {volume_id}", asked.pass.label, snap.id),
                );
            }
        }
    }

    /// Twins that were there at the beginning are gone.
    fn no_twins(&mut self, asked: &Asked<'_>) {
        let Some(end) = asked.step.copies.last() else {
            return;
        };
        for (volume_id, copy) in &end.volumes {
            if !asked.names(volume_id) {
                continue;
            }
            for (schedule, window) in rules::windows(copy, &asked.basis) {
                let twins = rules::superfluous(copy, schedule.kind, &window, &asked.basis);
                let left = twins.iter().find(|one| !one.held);
                self.check(left.is_none(), "an undisturbed pass leaves no twin", || {
                    format!("{}: {left:?}", asked.pass.label)
                });
            }
        }
    }
}

fn planned<'a>(asked: &Asked<'a>, action: &'a str) -> impl Iterator<Item = &'a Value> {
    asked
        .answer
        .and_then(|answer| answer["plan"].as_array())
        .into_iter()
        .flatten()
        .filter(move |one| one["action"] == action)
}

fn planned_creation(volume_id: &str, schedule: &Schedule, window: &Window) -> Value {
    json!({
        "action": "create", "volume_id": volume_id, "policy": schedule.kind.as_str(),
        "name": snapshot_name(volume_id, schedule, window),
        "window_start": calendar::in_utc(window.start),
        "window_end": calendar::in_utc(window.end),
        "expires_at": calendar::in_utc(calendar::expires_at(schedule, window)),
    })
}

fn sent_to_go(asked: &Asked<'_>) -> BTreeSet<String> {
    asked
        .pass
        .record
        .sent
        .iter()
        .filter(|sent| sent.purpose == Purpose::Delete)
        .map(|sent| sent.target.clone())
        .collect()
}

fn wanted(asked: &Asked<'_>, copy: &Copy, role: Role) -> Wanted {
    let mut wanted = Wanted {
        is_sure: true,
        ..Wanted::default()
    };
    // A dry run takes every deletion as accepted; a role that may not force has some refused.
    let goes = |snap: &Snap| asked.dry_run || snap.status == "error" || role >= Role::Admin;
    for (volume_id, copy) in copy.volumes.iter().filter(|(id, _)| asked.names(id)) {
        for snap in &copy.snapshots {
            wanted.snapshots += u64::from(snap.managed);
            match rules::fate(snap, copy, &asked.basis) {
                fate @ (Fate::Goes | Fate::Surplus) => {
                    let reason = match fate {
                        Fate::Goes => "expired",
                        _ => "keep-at-most",
                    };
                    let Expiry::At(expired_at) = snap.expiry else {
                        continue;
                    };
                    let action = json!({
                        "action": "delete", "snapshot_id": snap.id, "volume_id": volume_id,
                        "reason": reason, "expired_at": calendar::in_utc(expired_at),
                    });
                    wanted.deletions.insert(snap.id.clone(), action);
                    wanted.goes.insert(snap.id.clone());
                }
                Fate::KeptForPolicy | Fate::KeptForUnreadable | Fate::KeptForWiped => {
                    wanted.kept += 1;
                }
                _ => {}
            }
        }
        let Some(volume) = copy.volume.as_ref().filter(|one| one.tags.managed) else {
            continue;
        };
        wanted.managed += 1;
        let unreadable = |kind: &Kind| volume.tags.policy(*kind) == Meaning::Unreadable;
        wanted.invalid += Kind::ALL.iter().filter(|kind| unreadable(kind)).count() as u64;
        for (schedule, window) in rules::windows(copy, &asked.basis) {
            let recent = copy.snapshots.iter();
            let recent = recent.filter(|one| rules::belongs(one, schedule.kind, &window));
            wanted.recent += recent.count() as u64;
            match rules::standing(copy, schedule.kind, &window, &asked.basis) {
                Standing::Served(_) => {}
                Standing::Blocked => wanted.blocked += 1,
                Standing::Due => {
                    let target = (volume_id.clone(), schedule.kind.as_str());
                    match rules::is_tried(copy, &schedule, &window, &asked.basis, &goes) {
                        Some(true) => {}
                        Some(false) => drop(wanted.waits.insert(target.clone())),
                        None => wanted.is_sure = false,
                    }
                    let action = planned_creation(volume_id, &schedule, &window);
                    wanted.creations.insert(target.clone(), action);
                    wanted.due.insert(target);
                }
            }
        }
    }
    wanted
}

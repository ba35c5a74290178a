//! What a pass says: its counts, its metrics and its notifications add up to what the cloud's
//! own log says happened.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use simcloud::Happening;

use super::{Asked, Judge};
use crate::calendar;
use crate::case::Trouble;
use crate::meaning::{Kind, Meaning};
use crate::rules::{self, Standing};
use crate::run::End;
use crate::witness::{Purpose, Receiver, Sent};

impl Judge {
    pub(super) fn accounts(&mut self, asked: &Asked<'_>) {
        self.metrics(asked);
        let Some(answer) = asked.answer.filter(|_| asked.phase != "report") else {
            return;
        };
        let label = &asked.pass.label;
        let count = |name: &str| asked.number(&format!("/snapshots/{name}"));
        let (created, adopted, pending, deferred, blocked, failed) = (
            count("created"),
            count("adopted"),
            count("pending"),
            count("deferred"),
            count("blocked"),
            count("failed"),
        );
        let due = asked.number("/volumes/due");
        let invalid = asked.number("/volumes/invalid");
        if asked.phase == "snapshot" && !asked.dry_run {
            self.check(
                due == created + adopted + pending + deferred + blocked + failed,
                "the counts of due windows add up",
                || format!("{label}: {answer}"),
            );
        }
        let remarks = |name: &str| {
            let listed = answer[name].as_array().map_or(0, Vec::len) as u64;
            listed + answer[format!("{name}_omitted")].as_u64().unwrap_or(0)
        };
        // That the clocks are too far apart is of no one volume.
        let failures = answer["failures"].as_array().into_iter().flatten();
        let of_all = failures.filter(|one| one.get("volume_id").is_none());
        let of_all = of_all
            .filter(|one| one.get("snapshot_id").is_none())
            .count() as u64;
        self.check(
            remarks("failures") == failed + invalid + of_all.min(1),
            "every failure is listed",
            || format!("{label}: {answer}"),
        );
        let outcome = match (remarks("failures"), pending + deferred) {
            (0, 0) => "complete",
            (0, _) => "deferred",
            _ => "partial",
        };
        self.check(
            answer["outcome"] == outcome,
            "the outcome says how it ended",
            || format!("{label}: {answer}"),
        );
        self.made(asked, created, created + pending + failed + adopted);
        self.served(asked, created + adopted);
        self.gone(asked);
        self.notifications(asked, failed, remarks("warnings"));
        self.failed_though_served(asked);
    }

    /// What was made is counted, and no more than that.
    fn made(&mut self, asked: &Asked<'_>, created: u64, accounted_for: u64) {
        let label = &asked.pass.label;
        let made: Vec<&str> = asked
            .step
            .changes
            .iter()
            .filter(|change| change.happening == Happening::Creating)
            .filter_map(|change| change.snapshot_id.as_deref())
            .filter(|id| self.is_made_by(asked, id))
            .collect();
        // Also one that had broken, and that Cinder was too busy to delete for another pass.
        let became_available = made
            .iter()
            .filter(|id| asked.has_met(id, &[Happening::Available, Happening::Busy]))
            .count() as u64;
        self.check(
            created <= became_available || asked.step.meanwhile > 0,
            "what is counted as created is there",
            || format!("{label}: says {created}, and {became_available} became available"),
        );
        let told = made
            .iter()
            .filter(|id| asked.pass.record.told.contains(**id))
            .count() as u64;
        self.check(
            told <= accounted_for,
            "every snapshot that a pass was told of is accounted for",
            || format!("{label}: told of {told}, accounts for {accounted_for}"),
        );
    }

    /// Windows that are said to be served, by ours or another's, are.
    fn served(&mut self, asked: &Asked<'_>, said: u64) {
        let step = asked.step;
        let alone = step.passes.len() == 1 && step.meanwhile == 0;
        let broke = |change: &simcloud::Change| change.happening == Happening::CreationFailed;
        let (Some(begin), Some(end)) = (asked.copies().first(), step.copies.last()) else {
            return;
        };
        if asked.phase != "snapshot" || !alone || step.changes.iter().any(broke) {
            return;
        }
        if self.is_deceived {
            return;
        }
        let mut served = 0;
        for (volume_id, copy) in &begin.volumes {
            for (schedule, window) in rules::windows(copy, &asked.basis) {
                let stands = |copy| rules::standing(copy, schedule.kind, &window, &asked.basis);
                let is_served = |copy| matches!(stands(copy), Standing::Served(_));
                let after = end.volumes.get(volume_id);
                served += u64::from(!is_served(copy) && after.is_some_and(is_served));
            }
        }
        self.check(
            said <= served,
            "what is counted as served is served",
            || format!("{}: says {said}, and {served} are", asked.pass.label),
        );
    }

    fn gone(&mut self, asked: &Asked<'_>) {
        let label = &asked.pass.label;
        let sent = &asked.pass.record.sent;
        // One that is read again before it is deleted may be gone.
        let tells = |one: &&Sent| match one.purpose {
            Purpose::Delete => true,
            Purpose::Read => one.status == Some(404),
            _ => false,
        };
        let targets: HashSet<&str> = sent
            .iter()
            .filter(tells)
            .map(|one| one.target.as_str())
            .collect();
        let accepted: HashSet<&str> = sent
            .iter()
            .filter(|one| one.purpose == Purpose::Delete && one.status == Some(202))
            .map(|one| one.target.as_str())
            .collect();
        // What the last answer was about each.
        let last: HashMap<&str, u16> = sent
            .iter()
            .filter(tells)
            .map(|one| (one.target.as_str(), one.status.unwrap_or(0)))
            .collect();
        if asked.phase == "expire" {
            let done = last
                .values()
                .filter(|of| matches!(of, 202 | 404 | 400 | 409));
            let (done, said) = (done.count() as u64, asked.number("/snapshots/deleted"));
            self.check(said <= done, "a refused deletion is no success", || {
                format!("{label}: says {said}, at most {done} are: {last:?}")
            });
            let failures = asked
                .answer
                .and_then(|answer| answer["failures"].as_array());
            let gone = failures.into_iter().flatten().find(|failure| {
                let id = failure["snapshot_id"].as_str().unwrap_or_default();
                last.get(id) == Some(&404)
            });
            self.check(gone.is_none(), "what is gone already is no failure", || {
                format!("{label}: {gone:?}")
            });
        }
        let (accepted, targets) = (accepted.len() as u64, targets.len() as u64);
        let number = |name: &str| asked.number(&format!("/snapshots/{name}"));
        let (said, broken) = if asked.phase == "expire" {
            (number("deleted"), 0)
        } else {
            (number("cleaned"), number("failed"))
        };
        self.check(
            accepted <= said + broken && said <= targets,
            "what is counted as gone was asked to go",
            || format!("{label}: says {said}, {accepted} of {targets} deletions were accepted"),
        );
    }

    /// One line, also for a failed invocation, none for a dry run or a report.
    fn metrics(&mut self, asked: &Asked<'_>) {
        if matches!(asked.pass.end, End::Killed | End::Overran) {
            return;
        }
        let lines = &asked.pass.record.lines;
        let expected = usize::from(!asked.dry_run && asked.phase != "report");
        self.check(
            lines.len() == expected,
            "one line of metrics an invocation",
            || format!("{}: {lines:?}", asked.pass.label),
        );
        for line in lines {
            let line: Value = serde_json::from_str(line).unwrap_or_default();
            let mut pairs = vec![("InvocationsFailed", u64::from(asked.answer.is_none()))];
            if asked.answer.is_some() {
                pairs.extend(
                    [
                        ("SnapshotsCreated", "/snapshots/created"),
                        ("SnapshotsAdopted", "/snapshots/adopted"),
                        ("SnapshotsFailed", "/snapshots/failed"),
                        ("SnapshotsPending", "/snapshots/pending"),
                        ("SnapshotsDeferred", "/snapshots/deferred"),
                        ("SnapshotsDeleted", "/snapshots/deleted"),
                        ("SnapshotsCleaned", "/snapshots/cleaned"),
                        ("SnapshotsBlocked", "/snapshots/blocked"),
                        ("SnapshotsKept", "/snapshots/kept"),
                        ("SnapshotsManaged", "/snapshots/managed"),
                        ("VolumesLost", "/volumes/lost"),
                        ("VolumesDue", "/volumes/due"),
                        ("VolumesManaged", "/volumes/managed"),
                        ("VolumesInvalid", "/volumes/invalid"),
                        ("RequestsSent", "/requests/sent"),
                        ("RequestsRetried", "/requests/retried"),
                    ]
                    .map(|(name, pointer)| (name, asked.number(pointer))),
                );
            }
            // It has seen nothing, and a zero would call an alarm off.
            let counts = line.as_object().into_iter().flatten().map(|(name, _)| name);
            let mut counts = counts.filter(|name| {
                let figures = ["Snapshots", "Volumes", "Oldest"];
                figures.iter().any(|figure| name.starts_with(figure))
            });
            self.check(
                asked.answer.is_some() || counts.next().is_none(),
                "a pass that failed has no figures",
                || format!("{}: {line}", asked.pass.label),
            );
            let wrong: Vec<_> = pairs
                .iter()
                .filter(|(name, value)| line[name].as_u64() != Some(*value))
                .collect();
            self.check(
                wrong.is_empty() && line["Phase"] == asked.phase,
                "the metrics say what the answer says",
                || format!("{}: {wrong:?} in {line}", asked.pass.label),
            );
        }
    }

    /// One for each failed creation and failed deletion, unless there was no time.
    fn notifications(&mut self, asked: &Asked<'_>, failed: u64, warnings: u64) {
        let pass = asked.pass;
        let sent = pass.record.notified.len() as u64;
        let had_time = pass
            .deadline
            .saturating_duration_since(pass.ended)
            .as_secs()
            >= 1;
        let wanted = asked.knobs.webhook && had_time && pass.receiver == Receiver::Takes;
        let label = &pass.label;
        self.check(
            sent <= failed && (!wanted || sent == failed),
            "one notification a failure",
            || format!("{label}: {sent} for {failed}"),
        );
        let lost = pass.record.notified.iter().any(|(_, delivered)| !delivered);
        self.check(
            !lost || warnings > 0,
            "notifications that were not delivered are a warning",
            || label.clone(),
        );
    }

    /// Where nothing went wrong in the cloud, what other passes do makes no failure.
    fn failed_though_served(&mut self, asked: &Asked<'_>) {
        let step = asked.step;
        let calm = step.struck.iter().all(|(_, times)| *times == 0)
            && step.meanwhile == 0
            // A quota refuses, and slow answers are lost.
            && !step
                .troubles
                .iter()
                .any(|one| !matches!(one, Trouble::Fault(_) | Trouble::Backend(_)))
            && !step
                .changes
                .iter()
                .any(|change| change.happening == Happening::CreationFailed);
        let (Some(end), Some(answer)) = (step.copies.last(), asked.answer) else {
            return;
        };
        // Where ours was removed by another pass, there is time to see what serves instead.
        let has_time = asked.pass.ended < asked.pass.deadline;
        if !calm || !has_time || asked.phase != "snapshot" || self.is_deceived {
            return;
        }
        // What another pass has just begun has been removed and taken again.
        if asked.step.passes.iter().any(|pass| {
            let other = Asked::new(&self.case, asked.step, pass);
            other.takes_new_for_stuck()
        }) {
            return;
        }
        for failure in answer["failures"].as_array().into_iter().flatten() {
            let policy = failure["policy"].as_str().and_then(Kind::named);
            let volume = failure["volume_id"].as_str();
            let (Some(kind), Some(copy)) = (policy, volume.and_then(|id| end.volumes.get(id)))
            else {
                continue;
            };
            let Some(Meaning::On(schedule)) =
                copy.volume.as_ref().map(|volume| volume.tags.policy(kind))
            else {
                continue;
            };
            let window = calendar::window_at(&schedule, asked.basis.now);
            let served = rules::twins(copy, kind, &window);
            self.check(
                served.is_empty(),
                "a window that is served has not failed",
                || format!("{}: {failure}", asked.pass.label),
            );
        }
    }
}

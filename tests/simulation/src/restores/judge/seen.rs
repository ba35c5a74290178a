//! What happened, for the table of what the seeds covered.

use std::collections::BTreeSet;

use simcloud::{Behaviour, Happening};

use super::super::Trouble;
use super::super::point::{id_of, policy_of, start_of};
use super::super::stage::{CallRun, StepRun};
use super::answer::has_window;
use super::{Judge, in_earnest, is_creation, list};
use crate::case::Kill;
use crate::restores::keys;
use crate::run::End;
use crate::witness::Purpose;

impl Judge<'_> {
    pub(super) fn seen(&mut self, step: &StepRun<'_>) {
        let seen = &mut self.coverage;
        for trouble in step.troubles {
            if let Trouble::Backend(rule) = trouble {
                let hung = step
                    .after
                    .volumes
                    .iter()
                    .any(|one| one.status == "creating");
                seen.hit_if(
                    rule.behaviour == Behaviour::VolumeHangs && hung,
                    "a copy that hangs",
                );
            }
        }
        let failed = step
            .changes
            .iter()
            .any(|one| one.happening == Happening::VolumeCreationFailed);
        seen.hit_if(failed, "a copy that ended in error");
        seen.hit_if(step.meanwhile > 0, "people in the middle of a call");
        let ids: BTreeSet<&str> = step
            .calls
            .iter()
            .map(|call| id_of(&call.draw.event))
            .collect();
        let at_once = step.calls.len() == 2
            && ids.len() == 1
            && step
                .calls
                .iter()
                .all(|call| call.draw.event["dry_run"] != true);
        seen.hit_if(at_once, "two calls at once with one restore id");
        for call in &step.calls {
            self.seen_in_call(call);
        }
    }

    fn seen_in_call(&mut self, call: &CallRun) {
        let event = &call.draw.event;
        let copies = call.before.copies(id_of(event));
        let originals = call.before.originals(event);
        let fixed = self.fixed.get(id_of(event)).cloned();
        let made = self
            .made
            .iter()
            .filter(|one| one.run_id == call.run_id)
            .count();
        let seen = &mut self.coverage;
        seen.hit_if(event.get("server_id").is_some(), "by server");
        seen.hit_if(event.get("volume_ids").is_some(), "by volumes");
        seen.hit_if(event.get("at").is_some(), "at an instant");
        seen.hit_if(event.get("policy").is_some(), "of one policy");
        match call.draw.kill {
            Some(Kill::BeforeRequest(_)) if matches!(call.end, End::Killed) => {
                seen.hit("killed before a request")
            }
            Some(Kill::AfterAnswer(_)) if matches!(call.end, End::Killed) => {
                seen.hit("killed after an answer")
            }
            Some(Kill::After(_)) if matches!(call.end, End::Killed) => {
                seen.hit("killed at an instant")
            }
            _ => {}
        }
        seen.hit_if(call.draw.time.num_seconds() < 12, "short of time");
        let sent = &call.record.sent;
        let creations = || sent.iter().filter(|one| is_creation(one));
        seen.hit_if(
            creations().any(|one| one.status == Some(429)),
            "a rate limit on creations",
        );
        seen.hit_if(
            creations().any(|one| one.status == Some(413) && one.retry_after.unwrap_or(0) == 0),
            "quota used up",
        );
        let is_lost = |status: Option<u16>| matches!(status, None | Some(408 | 500..=599));
        let is_look_up = |one: &&crate::witness::Sent| {
            one.purpose == Purpose::List
                && one.target == "volumes"
                && one.query.contains("metadata=")
        };
        if creations().any(|one| is_lost(one.status)) && !matches!(call.end, End::Killed) {
            seen.hit("an answer to a creation lost");
            seen.hit_if(
                sent.iter()
                    .any(|one| is_look_up(&one) && one.status != Some(200)),
                "a look-up that failed",
            );
        }
        let renewed = sent
            .iter()
            .any(|one| one.status == Some(401) && one.purpose != Purpose::Login);
        seen.hit_if(renewed, "a token ended");
        match &call.end {
            End::Failed(error_type, _) if error_type == "NothingToRestore" => {
                seen.hit("nothing to restore")
            }
            End::Failed(..) => seen.hit("the call failed as a whole"),
            _ => {}
        }
        let End::Answered(answer) = &call.end else {
            return;
        };
        if event["dry_run"] == true {
            seen.hit("a dry run");
            return;
        }
        seen.hit(answer["outcome"].as_str().unwrap_or_default().to_owned());
        seen.hit_if(made > 0, "created");
        let failures = || list(answer, "failures");
        seen.hit_if(
            failures().any(|one| one["snapshot_id"].is_null()),
            "a volume of which nothing can be got back",
        );
        let choice = call.before.choice(event);
        if copies.is_empty() && originals.len() > 1 {
            seen.hit_if(choice.start.is_some(), "a window in common");
            seen.hit_if(
                choice.start.is_none() && !choice.is_empty(),
                "no window in common",
            );
        }
        for row in list(answer, "volumes") {
            let id = row["volume_id"].as_str().unwrap_or_default();
            let available = call.before.available(id);
            let points = available.iter().map(|one| (start_of(one), policy_of(one)));
            let points: BTreeSet<_> = points.collect();
            seen.hit_if(
                points.len() < available.len(),
                "two snapshots of one window",
            );
            seen.hit_if(
                available.iter().any(|one| !has_window(one)),
                "a snapshot without a readable window",
            );
            seen.hit_if(
                available.iter().any(|one| policy_of(one).is_none()),
                "a snapshot of an unknown policy",
            );
            match call.before.volume(id) {
                None => seen.hit("a volume that is gone"),
                Some(volume) => {
                    let managed = volume.metadata.contains_key("x-snapsentry-managed");
                    seen.hit_if(!managed, "a volume that is not managed");
                    let other = volume.metadata.contains_key(keys::RESTORE_ID);
                    seen.hit_if(other, "a copy that is an original of another restore");
                }
            }
            let copy = row["restored_volume_id"].as_str().unwrap_or_default();
            let status = row["status"].as_str().unwrap_or_default();
            if status == "creating" {
                self.pending.insert(copy.to_owned());
            }
            seen.hit_if(
                status == "available" && self.pending.contains(copy),
                "a later call completes what was pending",
            );
            seen.hit_if(status == "in-use", "copies in the originals' place");
            let is_there = matches!(status, "available" | "in-use");
            let by_this = self
                .made
                .iter()
                .any(|one| one.copy == copy && one.run_id == call.run_id);
            let posts = |one: &&crate::witness::Sent| {
                is_creation(one) && String::from_utf8_lossy(&one.body).contains(id)
            };
            let lost = sent
                .iter()
                .filter(posts)
                .filter(|one| is_lost(one.status))
                .count();
            let all = sent.iter().filter(posts).count();
            seen.hit_if(
                is_there && by_this && lost > 0 && lost == all,
                "a lost creation found by look-up",
            );
            seen.hit_if(
                lost > 0 && all > lost,
                "a creation sent again after a look-up that found nothing",
            );
            let was_made = self
                .made
                .iter()
                .any(|one| one.original == id && one.run_id != call.run_id);
            seen.hit_if(
                was_made && by_this && !copies.contains_key(id),
                "a copy that was deleted is made again",
            );
        }
        let is_whole = originals.iter().all(|id| copies.contains_key(id.as_str()));
        seen.hit_if(
            is_whole && !copies.is_empty(),
            "a later call finds all there",
        );
        if copies.is_empty() {
            return;
        }
        seen.hit_if(made > 0, "a later call makes what is missing");
        let first = copies.values().flatten().map(|copy| copy.created_at).min();
        let newer = originals.iter().flat_map(|id| call.before.available(id));
        seen.hit_if(
            newer.into_iter().any(|one| Some(one.created_at) > first),
            "newer snapshots before a later call",
        );
        let Some(fixed) = fixed.filter(|fixed| fixed.event == in_earnest(event)) else {
            return;
        };
        for (original, snapshot) in fixed.choice.iter().flatten() {
            let is_gone = call.before.snapshot(snapshot).is_none();
            seen.hit_if(is_gone, "a snapshot gone before a later call");
            seen.hit_if(
                is_gone && fixed.is_common && !copies.contains_key(original.as_str()),
                "the earlier call's window is gone for a volume",
            );
        }
    }
}

//! What happened in a step, for the table of what the seeds covered.

use simcloud::{Fault, Happening, Kind as Misfortune, Outcome, Requests, Route, When};

use super::{Asked, Judge};
use crate::case::{Doing, Kill, Trouble};
use crate::meaning::{Kind, Meaning};
use crate::rules::{self, InTheWay, Standing};
use crate::run::{End, StepRun};
use crate::witness::Purpose;

impl Judge {
    pub(super) fn seen_in_step(&mut self, step: &StepRun<'_>) {
        let seen = &mut self.coverage;
        for (fault, times) in &step.struck {
            seen.add(format!("fault: {}", name(fault)), *times);
            if let Requests::Route(route) = fault.requests {
                seen.add(format!("fault on {route:?}"), *times);
            }
        }
        for change in &step.changes {
            match change.happening {
                Happening::CreationFailed => seen.hit("storage: creation failed"),
                Happening::DeletionFailed => seen.hit("storage: deletion failed"),
                Happening::Busy => seen.hit("storage: busy"),
                _ => {}
            }
        }
        let first = step.entries.first().map(|entry| entry.sequence);
        for change in &step.changes {
            let later = change.happening == Happening::Creating && {
                let entry = step
                    .entries
                    .iter()
                    .find(|entry| Some(entry.sequence) == change.request);
                entry.is_none_or(|entry| !entry.worked) && first.is_some()
            };
            seen.hit_if(later, "work done late");
        }
        for entry in &step.entries {
            seen.hit_if(
                entry.status() == Some(404)
                    && entry.path.contains("marker=")
                    && entry.outcome == Outcome::Answered(404),
                "marker vanished",
            );
            seen.hit_if(
                entry.worked && entry.route == Route::CreateSnapshot && entry.status() == Some(413),
                "quota used up",
            );
            seen.hit_if(
                entry.api_version.is_some() && entry.worked && entry.status() == Some(406),
                "microversion refused",
            );
        }
        for trouble in &step.troubles {
            match trouble {
                Trouble::Backend(_) => seen.hit("storage: slow or hung"),
                Trouble::Latency(_) => seen.hit("slow answers"),
                Trouble::Meanwhile(_, _, When::Before | When::After, doing)
                    if step.meanwhile > 0 =>
                {
                    match doing {
                        Doing::RemoveVolume(_) => seen.hit("volume removed meanwhile"),
                        Doing::RemoveSnapshot(..) => seen.hit("snapshot removed meanwhile"),
                        Doing::Hold(..) => seen.hit("hold changed meanwhile"),
                        Doing::Retag(..) => seen.hit("volume tagged anew meanwhile"),
                        Doing::RevokeTokens | Doing::ExpireTokens => {
                            seen.hit("tokens revoked or ended");
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        match step.passes.len() {
            2 => seen.hit("two passes at once"),
            3 => seen.hit("three passes at once"),
            _ => {}
        }
    }

    pub(super) fn seen_in_pass(&mut self, asked: &Asked<'_>) {
        self.seen_windows(asked);
        self.seen_creations(asked);
        let (pass, seen) = (asked.pass, &mut self.coverage);
        match (&pass.end, pass.draw.kill) {
            (End::Killed, Some(Kill::BeforeRequest(_))) => seen.hit("killed before a request"),
            (End::Killed, Some(Kill::AfterAnswer(_))) => seen.hit("killed after an answer"),
            (End::Killed, _) => seen.hit("killed at an instant"),
            (End::Failed(error_type, _), _) => seen.hit(format!("failure: {error_type}")),
            _ => {}
        }
        let left = pass.draw.time.num_seconds();
        seen.hit_if(left < -86_400, "deadline in 1970");
        seen.hit_if((-86_400..=0).contains(&left), "deadline past");
        seen.hit_if((1..30).contains(&left), "short of time");
        seen.hit_if(!pass.draw.skew.is_zero(), "clock off");
        seen.hit_if(pass.was_warm, "warm sandbox");
        seen.hit_if(asked.dry_run, "dry run");
        let event = pass.draw.event.to_string();
        for field in ["as_of", "volume_ids", "shard"] {
            seen.hit_if(event.contains(field), field);
        }
        seen.hit_if(event.contains("detail-type"), "envelope");
        for (_, delivered) in &pass.record.notified {
            seen.hit(if *delivered {
                "notification delivered"
            } else {
                "notification refused"
            });
        }
        let sent = &pass.record.sent;
        let refused = |one: &&crate::witness::Sent| matches!(one.status, Some(400 | 403 | 409));
        for one in sent.iter().filter(|one| one.purpose == Purpose::Delete) {
            seen.hit_if(
                one.body.is_empty() && one.status == Some(404),
                "6 already gone",
            );
            seen.hit_if(
                !one.body.is_empty() && one.status == Some(202),
                "6 deleted by force",
            );
            seen.hit_if(!one.body.is_empty() && refused(&one), "6 force refused");
            let gone = one.copy.as_ref().is_some_and(|copy| copy.volume.is_none());
            seen.hit_if(gone && one.status == Some(202), "6 orphan deleted");
            let deleting = one.copy.iter().flat_map(|copy| &copy.snapshots);
            let deleting = deleting
                .filter(|snap| snap.id == one.target && snap.status == "deleting")
                .count();
            seen.hit_if(
                deleting > 0 && one.status == Some(400),
                "6 already being deleted",
            );
        }
        let Some(answer) = asked.answer else {
            let listed = sent.iter().any(|one| one.purpose == Purpose::List);
            seen.hit_if(
                listed && asked.phase == "snapshot",
                "5.1 nothing made after a failed listing",
            );
            return;
        };
        seen.hit(format!(
            "outcome: {}",
            answer["outcome"].as_str().unwrap_or_default()
        ));
        seen.add("requests tried again", asked.number("/requests/retried"));
        for count in [
            "created", "adopted", "pending", "deferred", "failed", "cleaned", "deleted", "kept",
        ] {
            let times = asked.number(&format!("/snapshots/{count}"));
            seen.add(format!("{} pass: {count}", asked.phase), times);
        }
        for warning in answer["warnings"].as_array().into_iter().flatten() {
            let text = warning["warning"].as_str().unwrap_or_default();
            seen.hit_if(
                text.contains("a second snapshot of a window"),
                "5.7 removal refused",
            );
            seen.hit_if(
                text.contains("is in the window's way"),
                "5.8 clean-up refused",
            );
        }
        let quota = answer["failures"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| {
                one["error"]
                    .as_str()
                    .is_some_and(|text| text.contains("quota"))
            })
            .count();
        seen.hit_if(
            quota > 0 && asked.number("/snapshots/failed") > 1,
            "5.9 tried on after a quota's refusal",
        );
    }

    /// How the windows and snapshots stood when the pass began.
    fn seen_windows(&mut self, asked: &Asked<'_>) {
        let (Some(copy), seen) = (asked.copies().first(), &mut self.coverage) else {
            return;
        };
        for copy in copy.volumes.values() {
            if asked.phase == "expire" {
                for snap in &copy.snapshots {
                    seen.hit(format!("fate: {:?}", rules::fate(snap, copy, &asked.basis)));
                }
                continue;
            }
            if let Some(volume) = copy.volume.as_ref().filter(|one| one.tags.managed) {
                let unreadable = Kind::ALL
                    .iter()
                    .any(|kind| volume.tags.policy(*kind) == Meaning::Unreadable);
                seen.hit_if(unreadable, "window: policy unreadable");
            }
            for snap in &copy.snapshots {
                match rules::in_the_way(snap, copy, &asked.basis) {
                    Some(InTheWay::Twin) => seen.hit("in the way: twin"),
                    Some(InTheWay::Error) => seen.hit("in the way: error"),
                    Some(InTheWay::Stuck) => seen.hit("in the way: stuck"),
                    None => {}
                }
            }
            for (schedule, window) in rules::windows(copy, &asked.basis) {
                let kind = schedule.kind;
                match rules::standing(copy, kind, &window, &asked.basis) {
                    Standing::Blocked => seen.hit("window: blocked by the volume's state"),
                    Standing::Due => seen.hit("window: due"),
                    Standing::Served(at) => {
                        let by = &copy.snapshots[at];
                        seen.hit(match (by.window_start, by.status.as_str()) {
                            (_, "creating") => "window: served while creating",
                            (None, _) => "window: served by time of creation",
                            (_, "available") => "window: served by its key",
                            _ => "window: served by a busy one",
                        });
                    }
                }
                for snap in &copy.snapshots {
                    if rules::belongs(snap, kind, &window) {
                        let stuck = rules::is_zombie(snap, &asked.basis);
                        seen.hit_if(stuck, "window: a zombie no longer serves");
                        let held = snap.held && !rules::serves(snap, &asked.basis);
                        seen.hit_if(held, "window: a held one in the way");
                    }
                }
            }
        }
    }

    fn seen_creations(&mut self, asked: &Asked<'_>) {
        let (pass, seen) = (asked.pass, &mut self.coverage);
        let sent = &pass.record.sent;
        let of = |purpose: Purpose| sent.iter().filter(move |one| one.purpose == purpose);
        let plain = |target: &str| of(Purpose::List).filter(|one| one.target == target).count() > 1;
        seen.hit_if(
            plain("snapshots") || plain("volumes"),
            "5.1 filter repeated without",
        );
        let lost = of(Purpose::Create)
            .filter(|one| !one.is_clear || matches!(one.status, Some(408 | 500 | 502 | 503 | 504)));
        let lost = lost.count() as u64;
        let again = of(Purpose::Create).count() as u64;
        let Some(answer) = asked.answer else { return };
        let adopted = asked.number("/snapshots/adopted");
        let text = answer["failures"].to_string();
        seen.hit_if(lost > 0 && adopted > 0, "5.6 looked up and found");
        seen.hit_if(lost == 0 && adopted > 0, "5.3 another was quicker");
        seen.hit_if(
            lost > 0 && again > asked.number("/volumes/due"),
            "5.6 looked up and tried again",
        );
        seen.hit_if(
            text.contains("outcome is unknown"),
            "5.6 look-up failed, outcome unknown",
        );
        seen.hit_if(text.contains("ended in error"), "5.5 broken one deleted");
        let last_created = of(Purpose::Create).map(|one| one.at).max();
        for deleted in of(Purpose::Delete) {
            let snap = deleted.copy.iter().flat_map(|copy| &copy.snapshots);
            let twin = snap
                .filter(|snap| snap.id == deleted.target && snap.status == "available")
                .count();
            if twin > 0 && asked.phase == "snapshot" {
                let after = last_created.is_some_and(|at| at < deleted.at);
                seen.hit(if after {
                    "5.7 twin removed after creation"
                } else {
                    "5.7 twin removed from the first listing"
                });
            }
        }
        let waited = (pass.ended - pass.begun).as_secs() >= 30;
        let calm = asked.is_quiet() && asked.number("/snapshots/deferred") > 0;
        seen.hit_if(
            waited && calm && asked.number("/snapshots/created") > 0,
            "5.4 gave up waiting for the volume",
        );
    }
}

/// A fault's kind, for the table.
fn name(fault: &Fault) -> String {
    match &fault.kind {
        Misfortune::Status { code, .. } => format!("status {code}"),
        Misfortune::ResetBefore => "reset before".into(),
        Misfortune::ResetAfter => "reset after".into(),
        Misfortune::DelayBefore(_) => "delay before".into(),
        Misfortune::DelayAfter(_) => "delay after".into(),
        Misfortune::HangBefore => "hang before".into(),
        Misfortune::HangAfter => "hang after".into(),
        Misfortune::Truncate => "truncate".into(),
        Misfortune::NotJson => "not json".into(),
        Misfortune::RateLimit { .. } => "rate limit".into(),
        Misfortune::LateWork { .. } => "late work".into(),
        Misfortune::Unauthorized => "unauthorized".into(),
        Misfortune::ExpireToken => "expire token".into(),
        Misfortune::Redirect { .. } => "redirect".into(),
        Misfortune::Oversized { .. } => "oversized".into(),
    }
}

//! What a pass did.

use super::super::{Asked, Judge};
use crate::case::Kill;
use crate::run::End;
use crate::witness::{Purpose, Sent};

impl Judge {
    pub(in super::super) fn seen_in_pass(&mut self, asked: &Asked<'_>) {
        self.seen_windows(asked);
        self.seen_creations(asked);
        self.seen_answers(asked);
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
        let refused = |one: &&Sent| matches!(one.status, Some(400 | 403 | 409));
        for one in sent.iter().filter(|one| one.purpose == Purpose::Delete) {
            seen.hit_if(
                one.body.is_empty() && one.status == Some(404),
                "deletion: already gone",
            );
            seen.hit_if(
                !one.body.is_empty() && one.status == Some(202),
                "deletion: by force",
            );
            seen.hit_if(
                !one.body.is_empty() && refused(&one),
                "deletion: force refused",
            );
            let gone = one.copy.as_ref().is_some_and(|copy| copy.volume.is_none());
            seen.hit_if(gone && one.status == Some(202), "deletion: of an orphan");
            let deleting = one.copy.iter().flat_map(|copy| &copy.snapshots);
            let deleting = deleting
                .filter(|snap| snap.id == one.target && snap.status == "deleting")
                .count();
            seen.hit_if(
                deleting > 0 && one.status == Some(400),
                "deletion: already under way",
            );
        }
        let Some(answer) = asked.answer else {
            let listed = sent.iter().any(|one| one.purpose == Purpose::List);
            seen.hit_if(
                listed && asked.phase == "snapshot",
                "nothing made after a failed listing",
            );
            return;
        };
        if let Some(outcome) = answer["outcome"].as_str() {
            seen.hit(format!("outcome: {outcome}"));
        }
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
                text.contains("a duplicate of the window"),
                "removal of a twin refused",
            );
            let is_clean_up = text.contains("a snapshot in the window's way");
            seen.hit_if(is_clean_up, "clean-up refused");
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
            "tried on after a quota's refusal",
        );
    }

    fn seen_creations(&mut self, asked: &Asked<'_>) {
        let (pass, seen) = (asked.pass, &mut self.coverage);
        let sent = &pass.record.sent;
        let of = |purpose: Purpose| sent.iter().filter(move |one| one.purpose == purpose);
        let plain = |target: &str| of(Purpose::List).filter(|one| one.target == target).count() > 1;
        seen.hit_if(
            plain("snapshots") || plain("volumes"),
            "listing repeated without its filter",
        );
        let lost = of(Purpose::Create)
            .filter(|one| !one.is_clear || matches!(one.status, Some(408 | 500 | 502 | 503 | 504)));
        let lost = lost.count() as u64;
        let again = of(Purpose::Create).count() as u64;
        let Some(answer) = asked.answer else { return };
        let adopted = asked.number("/snapshots/adopted");
        let text = answer["failures"].to_string();
        seen.hit_if(
            lost > 0 && adopted > 0,
            "a lost creation was looked up and found",
        );
        seen.hit_if(lost == 0 && adopted > 0, "another pass was quicker");
        seen.hit_if(
            lost > 0 && again > asked.number("/volumes/due"),
            "a lost creation was looked up and tried again",
        );
        seen.hit_if(
            text.contains("outcome is unknown"),
            "the look-up failed, the outcome is unknown",
        );
        seen.hit_if(
            text.contains("ended in error"),
            "a snapshot that broke was deleted",
        );
        let last_created = of(Purpose::Create).map(|one| one.at).max();
        for deleted in of(Purpose::Delete) {
            let snap = deleted.copy.iter().flat_map(|copy| &copy.snapshots);
            let twin = snap
                .filter(|snap| snap.id == deleted.target && snap.status == "available")
                .count();
            if twin > 0 && asked.phase == "snapshot" {
                let after = last_created.is_some_and(|at| at < deleted.at);
                seen.hit(if after {
                    "twin removed after creation"
                } else {
                    "twin removed from the first listing"
                });
            }
        }
        let waited = (pass.ended - pass.begun).as_secs() >= 30;
        let calm = asked.is_quiet() && asked.number("/snapshots/deferred") > 0;
        seen.hit_if(
            waited && calm && asked.number("/snapshots/created") > 0,
            "a round left without a volume that took too long",
        );
    }

    /// What the pass was answered, and made of it.
    fn seen_answers(&mut self, asked: &Asked<'_>) {
        let seen = &mut self.coverage;
        let sent = &asked.pass.record.sent;
        let mut refused = false;
        for one in sent {
            match (one.purpose, one.status) {
                (Purpose::Login, Some(201)) => {
                    seen.hit_if(refused, "a token was refused and renewed");
                    refused = false;
                }
                (_, Some(401)) => refused = true,
                (Purpose::Create, Some(429)) => seen.hit("429 to a creation"),
                (Purpose::Create, Some(413)) if one.retry_after.is_some_and(|wait| wait > 0) => {
                    seen.hit("413 to a creation, asking to wait");
                }
                (Purpose::Delete, Some(429)) => seen.hit("429 to a deletion"),
                (Purpose::List, Some(200)) => {}
                (Purpose::List, Some(400..=499)) => {
                    let filtered = one.query.contains("metadata");
                    seen.hit_if(filtered, "a filter was refused");
                }
                _ => {}
            }
        }
        let cut_off = sent.iter().any(|one| {
            one.purpose == Purpose::Delete
                && one.status.is_none()
                && one.at + asked.knobs.operation_timeout > asked.pass.deadline
        });
        let deferred = asked.number("/snapshots/deferred") > 0;
        seen.hit_if(
            cut_off && deferred && asked.phase == "expire",
            "a deletion was cut off",
        );
        let Some(copy) = asked.copies().first() else {
            return;
        };
        for one in sent.iter().filter(|one| one.purpose == Purpose::Create) {
            let volume = one.copy.as_ref().and_then(|copy| copy.volume.as_ref());
            match volume.map(|volume| volume.servers.len()) {
                Some(0) => seen.hit("a volume of no VM taken"),
                Some(1) => seen.hit("a volume of one VM taken"),
                Some(_) => seen.hit("a volume of several VMs taken"),
                None => {}
            }
        }
        if asked.answer.is_some() && asked.phase == "snapshot" {
            let filtered = |one: &&Sent| one.target == "volumes" && one.query.contains("metadata");
            let believed = sent
                .iter()
                .filter(filtered)
                .all(|one| one.status == Some(200));
            let plain = sent
                .iter()
                .any(|one| one.target == "volumes" && one.query.is_empty());
            let managed = copy
                .volumes
                .values()
                .filter_map(|copy| copy.volume.as_ref());
            let none = managed.filter(|volume| volume.tags.managed).count() == 0;
            seen.hit_if(believed && plain && none, "an empty listing was repeated");
        }
    }
}

//! How windows and snapshots stood when a pass began.

use chrono::{Datelike, TimeDelta};

use super::super::{Asked, Judge};
use crate::calendar::{self, Window};
use crate::coverage::Coverage;
use crate::meaning::{Kind, Meaning, Schedule};
use crate::rules::{self, Basis, Fate, StaleSnapshot, Standing};
use crate::world::VolumeCopy;

impl Judge {
    /// How the windows and snapshots stood when the pass began.
    pub(super) fn seen_windows(&mut self, asked: &Asked<'_>) {
        let (Some(copy), seen) = (asked.copies().first(), &mut self.coverage) else {
            return;
        };
        for copy in copy.volumes.values() {
            if asked.phase == "expire" {
                fates(seen, copy, &asked.basis);
                continue;
            }
            if let Some(volume) = copy.volume.as_ref().filter(|one| one.tags.managed) {
                let unreadable = Kind::ALL
                    .iter()
                    .any(|kind| volume.tags.policy(*kind) == Meaning::Unreadable);
                seen.hit_if(unreadable, "window: policy unreadable");
            }
            for snap in &copy.snapshots {
                match rules::stale(snap, copy, &asked.basis) {
                    Some(StaleSnapshot::Duplicate) => seen.hit("in the way: twin"),
                    Some(StaleSnapshot::Error) => seen.hit("in the way: error"),
                    Some(StaleSnapshot::Stuck) => seen.hit("in the way: stuck"),
                    None => {}
                }
            }
            for (schedule, window) in rules::windows(copy, &asked.basis) {
                window_of(seen, copy, &schedule, &window, &asked.basis);
            }
        }
    }
}

fn fates(seen: &mut Coverage, copy: &VolumeCopy, basis: &Basis) {
    for snap in &copy.snapshots {
        let fate = rules::fate(snap, copy, basis);
        seen.hit(match fate {
            Fate::Unmanaged => "fate: Unmanaged",
            Fate::UnknownPolicy => "fate: UnknownPolicy",
            Fate::NoExpiry => "fate: NoExpiry",
            Fate::UnreadableExpiry => "fate: UnreadableExpiry",
            Fate::NotExpired => "fate: NotExpired",
            Fate::Held => "fate: Held",
            Fate::Busy => "fate: Busy",
            Fate::KeptForPolicy => "fate: KeptForPolicy",
            Fate::KeptForUnreadable => "fate: KeptForUnreadable",
            Fate::KeptForWiped => "fate: KeptForWiped",
            Fate::Goes => "fate: Goes",
        });
        if fate != Fate::Goes {
            continue;
        }
        match snap.status.as_str() {
            "creating" => seen.hit("fate: Goes, a zombie in creating"),
            "deleting" => seen.hit("fate: Goes, a zombie in deleting"),
            "error_deleting" => seen.hit("fate: Goes, a zombie in error_deleting"),
            "error" => seen.hit("fate: Goes, in error"),
            _ => {}
        }
        let volume = copy.volume.as_ref();
        seen.hit_if(
            volume.is_some_and(|one| !one.tags.managed && one.tags.has_our_keys),
            "fate: Goes, its volume has said goodbye",
        );
        seen.hit_if(
            snap.expiry == crate::meaning::Expiry::At(basis.now),
            "fate: Goes, at the very instant",
        );
    }
}

fn window_of(
    seen: &mut Coverage,
    copy: &VolumeCopy,
    schedule: &Schedule,
    window: &Window,
    basis: &Basis,
) {
    let kind = schedule.kind;
    match rules::standing(copy, kind, window, basis) {
        Standing::Blocked => seen.hit("window: blocked by the volume's state"),
        Standing::Due => {
            seen.hit("window: due");
            due(seen, schedule, window);
        }
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
        if !rules::belongs(snap, kind, window) {
            continue;
        }
        if rules::is_stuck(snap, basis) {
            seen.hit("window: a zombie no longer serves");
            seen.hit(match snap.status.as_str() {
                "creating" => "window: a zombie in creating",
                "deleting" => "window: a zombie in deleting",
                _ => "window: a zombie in error_deleting",
            });
        }
        let held = snap.held && !rules::serves(snap, basis);
        seen.hit_if(held, "window: a held one in the way");
    }
    let twins = rules::twins(copy, kind, window);
    for pair in twins.windows(2) {
        if pair[0].window_start != pair[1].window_start {
            seen.hit("twins: none, for their keys differ");
            continue;
        }
        let same = pair[0].created_at == pair[1].created_at;
        seen.hit_if(same, "twins: made in one second, told apart by id");
        seen.hit_if(pair[1].held, "twins: the second is held");
    }
}

fn due(seen: &mut Coverage, schedule: &Schedule, window: &Window) {
    let length = window.end - window.start;
    match schedule.kind {
        Kind::Express => seen.hit("due: express"),
        Kind::Daily => {
            seen.hit("due: daily");
            seen.hit_if(length == TimeDelta::hours(23), "due: a day of 23 hours");
            seen.hit_if(length == TimeDelta::hours(25), "due: a day of 25 hours");
        }
        Kind::Weekly => seen.hit("due: weekly"),
        Kind::Monthly => {
            seen.hit("due: monthly");
            let last = window.nominal.day() < schedule.day;
            seen.hit_if(last, "due: monthly, the day is not in the month");
        }
    }
    if schedule.zone != "UTC" {
        let nominal = window.nominal.format("%Y-%m-%dT%H:%M:%S").to_string();
        let shown = calendar::in_zone(schedule, window.start);
        let skipped = !shown.starts_with(&nominal);
        seen.hit_if(skipped, "due: the start is skipped by the clocks");
        let hour_later = calendar::in_zone(schedule, window.start + TimeDelta::hours(1));
        let twice = hour_later.starts_with(&nominal);
        seen.hit_if(twice, "due: the start comes twice");
    }
    let days = TimeDelta::days(schedule.retention_days.into());
    seen.hit_if(
        days < length - TimeDelta::hours(2),
        "due: the retention is shorter than the window",
    );
}

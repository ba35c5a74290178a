//! How windows and snapshots stood when a pass began.

use chrono::{Datelike, TimeDelta};
use simcloud::Quirks;

use super::super::{Asked, Judge};
use crate::calendar::{self, Window};
use crate::coverage::Coverage;
use crate::meaning::{Kind, Meaning, Schedule, Snap};
use crate::rules::{self, Basis, Fate, StaleSnapshot, Standing};
use crate::world::VolumeCopy;

impl Judge {
    /// How the windows and snapshots stood when the pass began.
    pub(super) fn seen_windows(&mut self, asked: &Asked<'_>) {
        let (Some(copy), seen) = (asked.copies().first(), &mut self.coverage) else {
            return;
        };
        let (odd, usual) = (&self.case.config.quirks, Quirks::default());
        seen.hit_if(
            odd.snapshot_sort != usual.snapshot_sort,
            "odd cloud: sorts snapshots in another order",
        );
        seen.hit_if(
            odd.snapshot_filter != usual.snapshot_filter,
            "odd cloud: filters snapshots in another way",
        );
        seen.hit_if(
            odd.volume_filter != usual.volume_filter,
            "odd cloud: filters volumes in another way",
        );
        for copy in copy.volumes.values() {
            let has_no_state = |status: &String| status.is_empty();
            let volume = copy.volume.as_ref().map(|volume| &volume.status);
            seen.hit_if(
                volume.is_some_and(has_no_state),
                "odd cloud: a volume without a state",
            );
            for snap in &copy.snapshots {
                seen.hit_if(
                    snap.listed_at.is_none(),
                    "odd cloud: a snapshot without a time",
                );
                seen.hit_if(
                    has_no_state(&snap.status),
                    "odd cloud: a snapshot without a state",
                );
            }
            if asked.phase != "snapshot" {
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
            Fate::Surplus => "fate: Goes, one too many",
        });
        limits(seen, snap, copy, fate, basis);
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

/// What the limits by number had to say.
fn limits(seen: &mut Coverage, snap: &Snap, copy: &VolumeCopy, fate: Fate, basis: &Basis) {
    let Some((volume, kind)) = copy.volume.as_ref().zip(snap.kind) else {
        return;
    };
    let tags = &volume.tags;
    let own = tags.keep_last[kind as usize];
    seen.hit_if(
        fate == Fate::KeptForPolicy && own.is_some_and(|own| own != basis.keep_last),
        "limits: kept by the policy's own keep-last",
    );
    seen.hit_if(
        fate == Fate::KeptForUnreadable && own.is_some(),
        "limits: kept by the keep-last of a policy that cannot be read",
    );
    seen.hit_if(
        fate == Fate::Goes && own == Some(0) && tags.managed && snap.status == "available",
        "limits: the last one goes, as the policy says",
    );
    let tells = |name: &str| {
        let key = format!("x-snapsentry-{}-keep-at-most", kind.as_str());
        tags.metadata.get(&key).is_some_and(|text| text == name)
    };
    let is_first = |most: usize| rules::newer_ones(snap, copy, kind).len() >= most;
    let stays = fate == Fate::NotExpired && snap.status == "available";
    seen.hit_if(
        stays && tags.policy(kind) == Meaning::Unreadable && tells("1") && is_first(1),
        "limits: one too many of a policy that cannot be read stays",
    );
    let wrong = ["0", "-1", "1001", "three", "2.0", "null"];
    seen.hit_if(
        stays && wrong.iter().any(|text| tells(text)) && is_first(1),
        "limits: nothing goes for a limit that cannot be read",
    );
    let Meaning::On(schedule) = tags.policy(kind) else {
        return;
    };
    let Some(most) = schedule.keep_at_most else {
        return;
    };
    seen.hit_if(
        stays && !tags.managed && is_first(most),
        "limits: one too many of a volume that is not managed stays",
    );
    let counted = rules::newer_ones(snap, copy, kind);
    let counted = counted.iter().filter(|one| !one.held).count();
    seen.hit_if(
        stays && tags.managed && is_first(most) && counted < most,
        "limits: held ones are not counted",
    );
    seen.hit_if(
        stays && tags.managed && counted >= most,
        "limits: one too many is among the last that stay",
    );
    seen.hit_if(
        fate == Fate::Held && counted >= most,
        "limits: one too many is held",
    );
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
                (_, "") => "odd cloud: a window served by a snapshot without a state",
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
        Kind::Express => seen.hit(match schedule.interval_hours {
            1 => "due: express, every hour",
            2 => "due: express, every 2 hours",
            3 => "due: express, every 3 hours",
            4 => "due: express, every 4 hours",
            _ => "due: express",
        }),
        Kind::Daily if schedule.times.minutes().count() > 0 => {
            let several = schedule.times.minutes().count() > 1;
            seen.hit(match several {
                true => "due: daily, one of several times",
                false => "due: daily, the one of its times",
            });
            let skipped = calendar::skips_a_window(schedule, window);
            seen.hit_if(skipped, "due: daily, after a window of no length");
        }
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
        Kind::Yearly => {
            seen.hit("due: yearly");
            let last = window.nominal.day() < schedule.day;
            seen.hit_if(last, "due: yearly, the day is not in the month");
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

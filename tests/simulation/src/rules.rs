//! The rules of what is taken and what may go, said a second time: short, slow and plain, over
//! one volume at one moment.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::calendar::{self, Window};
use crate::meaning::{Expiry, Kind, Meaning, Schedule, Snap};
use crate::world::VolumeCopy;

/// What is judged by besides what is seen.
#[derive(Clone, Copy, Debug)]
pub struct Basis {
    /// The pass's instant.
    pub now: DateTime<Utc>,
    /// `SNAPSENTRY_STUCK_AFTER`.
    pub stuck_after: Duration,
    /// `SNAPSENTRY_KEEP_LAST`.
    pub keep_last: usize,
}

/// What an expire pass owes a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing: it is not managed.
    Unmanaged,
    /// It stays, and somebody is told.
    UnknownPolicy,
    /// It stays, and somebody is told.
    NoExpiry,
    /// It stays, and somebody is told.
    UnreadableExpiry,
    /// It stays.
    NotExpired,
    /// It stays.
    Held,
    /// It stays.
    Busy,
    /// It stays, since its policy is enabled.
    KeptForPolicy,
    /// It stays, since its policy cannot be read.
    KeptForUnreadable,
    /// It stays, since its volume was wiped.
    KeptForWiped,
    /// It goes: its time has come.
    Goes,
    /// It goes: its policy has as many newer ones as it keeps at most.
    Surplus,
}

impl Fate {
    /// Whether it goes, for whatever reason.
    pub fn goes(self) -> bool {
        matches!(self, Self::Goes | Self::Surplus)
    }
}

/// Whether a snapshot has been on its way for too long.
pub fn is_stuck(snap: &Snap, basis: &Basis) -> bool {
    let since = snap.updated_at.or(snap.listed_at).unwrap_or(basis.now);
    let age = (basis.now - since).to_std().unwrap_or_default();
    matches!(
        snap.status.as_str(),
        "creating" | "deleting" | "error_deleting"
    ) && age > basis.stuck_after
}

/// Whether it is a recovery point, or will be.
pub fn serves(snap: &Snap, basis: &Basis) -> bool {
    !matches!(
        snap.status.as_str(),
        "error" | "error_deleting" | "deleting"
    ) && !is_stuck(snap, basis)
}

/// Whether it was taken for this window.
pub fn belongs(snap: &Snap, kind: Kind, window: &Window) -> bool {
    let at = snap.window_start.or(snap.listed_at);
    snap.managed && snap.kind == Some(kind) && at.is_some_and(|at| window.contains(at))
}

/// How a window stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has its snapshot; the index is into the volume's snapshots.
    Served(usize),
    /// It has none, and the volume's state allows none.
    Blocked,
    /// It has none.
    Due,
}

/// The policies of a managed volume that are on, with their active windows.
pub fn windows<'a>(
    copy: &'a VolumeCopy,
    basis: &'a Basis,
) -> impl Iterator<Item = (Schedule, Window)> + 'a {
    let volume = copy.volume.iter().filter(|volume| volume.tags.managed);
    volume
        .flat_map(|volume| volume.tags.policies)
        .filter_map(|meaning| match meaning {
            Meaning::On(schedule) => Some((schedule, calendar::window_at(&schedule, basis.now))),
            _ => None,
        })
}

/// How a window of a volume stands.
pub fn standing(copy: &VolumeCopy, kind: Kind, window: &Window, basis: &Basis) -> Standing {
    let serving = copy
        .snapshots
        .iter()
        .position(|snap| belongs(snap, kind, window) && serves(snap, basis));
    let status = copy.volume.as_ref().map(|volume| volume.status.as_str());
    match (serving, status) {
        (Some(at), _) => Standing::Served(at),
        (None, Some("available" | "in-use")) => Standing::Due,
        (None, _) => Standing::Blocked,
    }
}

/// What an expire pass owes a snapshot.
pub fn fate(snap: &Snap, copy: &VolumeCopy, basis: &Basis) -> Fate {
    if !snap.managed {
        return Fate::Unmanaged;
    }
    let Some(kind) = snap.kind else {
        return Fate::UnknownPolicy;
    };
    let has_expired = match snap.expiry {
        Expiry::Missing => return Fate::NoExpiry,
        Expiry::Unreadable => return Fate::UnreadableExpiry,
        Expiry::At(at) => at <= basis.now,
    };
    let newer = newer_ones(snap, copy, kind);
    // Only a policy that can be read, and is on, limits by number; what is held does not count.
    let most = copy.volume.as_ref().and_then(|volume| {
        let on = volume.tags.managed.then(|| volume.tags.policy(kind));
        match on {
            Some(Meaning::On(schedule)) => schedule.keep_at_most,
            _ => None,
        }
    });
    let counted = newer.iter().filter(|one| !one.held).count();
    // Of what nobody knows the age, nothing is known to be newer.
    let is_surplus = snap.status == "available"
        && snap.listed_at.is_some()
        && most.is_some_and(|most| counted >= most);
    if !has_expired && !is_surplus {
        return Fate::NotExpired;
    }
    if snap.held {
        return Fate::Held;
    }
    if !matches!(snap.status.as_str(), "available" | "error") && !is_stuck(snap, basis) {
        return Fate::Busy;
    }
    let protected = match copy.volume.as_ref() {
        Some(volume) if snap.status == "available" => {
            let tags = &volume.tags;
            let own = tags.keep_last[kind as usize].unwrap_or(basis.keep_last);
            match (tags.managed, tags.policy(kind)) {
                (true, Meaning::On(_)) => Some((own, Fate::KeptForPolicy)),
                (true, Meaning::Unreadable) => Some((own, Fate::KeptForUnreadable)),
                _ if !tags.has_our_keys => Some((basis.keep_last, Fate::KeptForWiped)),
                _ => None,
            }
        }
        _ => None,
    };
    let protected = protected.filter(|(keep_last, _)| newer.len() < *keep_last);
    match (has_expired, protected) {
        (true, Some((_, why))) => why,
        (true, None) => Fate::Goes,
        (false, Some(_)) => Fate::NotExpired,
        (false, None) => Fate::Surplus,
    }
}

/// The available ones of the same volume and policy that are newer.
pub fn newer_ones<'a>(snap: &Snap, copy: &'a VolumeCopy, kind: Kind) -> Vec<&'a Snap> {
    let all = copy.snapshots.iter();
    all.filter(|one| one.managed && one.kind == Some(kind) && one.status == "available")
        .filter(|one| one.place() > snap.place())
        .collect()
}

/// Whether a volume or one of its snapshots is judged otherwise by another basis.
pub fn differs(copy: &VolumeCopy, one: &Basis, other: &Basis) -> bool {
    let starts = |basis| windows(copy, basis).map(|(_, window)| window.start);
    !starts(one).eq(starts(other))
        || copy.snapshots.iter().any(|snap| {
            is_stuck(snap, one) != is_stuck(snap, other)
                || fate(snap, copy, one) != fate(snap, copy, other)
        })
}

/// Snapshots of a volume and policy that are of no use and hold quota: broken, or stuck on their
/// way, and not held.
pub fn leftovers<'a>(
    copy: &'a VolumeCopy,
    kind: Kind,
    basis: &'a Basis,
) -> impl Iterator<Item = &'a Snap> {
    copy.snapshots.iter().filter(move |snap| {
        let lost = matches!(
            snap.status.as_str(),
            "error" | "error_deleting" | "deleting"
        );
        snap.managed && snap.kind == Some(kind) && !snap.held && (lost || is_stuck(snap, basis))
    })
}

/// Until when leftovers keep a window of a volume and policy from being tried; none where nothing
/// does: ten minutes after one, and three times as long for each one more.
pub fn waits_until(copy: &VolumeCopy, kind: Kind, basis: &Basis) -> Option<DateTime<Utc>> {
    waits_for(leftovers(copy, kind, basis)).filter(|until| basis.now < *until)
}

/// Whether a due window is tried, as far as leftovers go: none where it depends on how far back a
/// pass has looked. What is in the window's own way and may be deleted does not count.
pub fn is_tried(
    copy: &VolumeCopy,
    schedule: &Schedule,
    window: &Window,
    basis: &Basis,
    goes: &dyn Fn(&Snap) -> bool,
) -> Option<bool> {
    let kind = schedule.kind;
    let counts = |snap: &&Snap| !is_in_the_way(snap, kind, window, basis) || !goes(snap);
    let waits = |since: Option<DateTime<Utc>>| {
        let listed = leftovers(copy, kind, basis).filter(counts);
        let listed = listed.filter(|snap| {
            let age_counts = since.zip(snap.listed_at);
            age_counts.is_none_or(|(since, at)| at >= since)
        });
        waits_for(listed).is_some_and(|until| basis.now < until)
    };
    let previous = calendar::window_before(schedule, window);
    let (all, recent) = (waits(None), waits(Some(previous.start)));
    (all == recent).then_some(!all)
}

/// Whether it would serve the window were its state good, and is removed first.
pub fn is_in_the_way(snap: &Snap, kind: Kind, window: &Window, basis: &Basis) -> bool {
    belongs(snap, kind, window) && (snap.status == "error" || is_stuck(snap, basis))
}

/// Until when these leftovers have to be waited for.
pub fn waits_for<'a>(leftovers: impl Iterator<Item = &'a Snap>) -> Option<DateTime<Utc>> {
    let (mut count, mut youngest) = (0_u32, None);
    for one in leftovers {
        count += 1;
        youngest = youngest.max(one.listed_at);
    }
    // Beyond a few weeks it makes no difference.
    let minutes = 10 * 3_i64.pow(count.saturating_sub(1).min(10));
    Some(youngest? + TimeDelta::minutes(minutes))
}

/// Why a snapshot pass may delete a snapshot, if it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleSnapshot {
    /// Another, older one serves the same window.
    Duplicate,
    /// It broke, and its window is due.
    Error,
    /// It is stuck, and its window is due.
    Stuck,
}

/// Why a snapshot pass may delete a snapshot, if it may.
pub fn stale(snap: &Snap, copy: &VolumeCopy, basis: &Basis) -> Option<StaleSnapshot> {
    if snap.held || !snap.managed {
        return None;
    }
    windows(copy, basis).find_map(|(schedule, window)| {
        let kind = schedule.kind;
        if is_twin(snap, copy, kind, &window, basis) {
            return Some(StaleSnapshot::Duplicate);
        }
        // Also where the volume's state allows no snapshot now.
        let standing = standing(copy, kind, &window, basis);
        if matches!(standing, Standing::Served(_)) || !belongs(snap, kind, &window) {
            return None;
        }
        if is_stuck(snap, basis) {
            Some(StaleSnapshot::Stuck)
        } else {
            (snap.status == "error").then_some(StaleSnapshot::Error)
        }
    })
}

/// The available snapshots that name a window as theirs, the one that stays first.
pub fn twins<'a>(copy: &'a VolumeCopy, kind: Kind, window: &Window) -> Vec<&'a Snap> {
    let mut twins: Vec<&Snap> = copy
        .snapshots
        .iter()
        .filter(|one| {
            one.managed
                && one.kind == Some(kind)
                && one.status == "available"
                && one.window_start.is_some_and(|start| window.contains(start))
        })
        .collect();
    twins.sort_by(|a, b| (a.window_start, a.place()).cmp(&(b.window_start, b.place())));
    twins
}

/// Those of them that have the same key as one before them. Where the keys differ, as after an
/// edited schedule, each was wanted when it was taken; and where some deployment's expire pass
/// deletes the first, all are left to that.
pub fn superfluous<'a>(
    copy: &'a VolumeCopy,
    kind: Kind,
    window: &Window,
    basis: &Basis,
) -> Vec<&'a Snap> {
    let twins = twins(copy, kind, window);
    // After a quarter of an hour, by a clock that is an hour ahead.
    let keeping_none = Basis {
        keep_last: 0,
        now: basis.now + TimeDelta::minutes(75),
        ..*basis
    };
    let may_expire = |one| matches!(fate(one, copy, &keeping_none), Fate::Goes | Fate::Surplus);
    let of_one_start = twins.chunk_by(|a, b| a.window_start == b.window_start);
    let settled_here = of_one_start.filter(|twins| !may_expire(twins[0]));
    let later = settled_here.flat_map(|twins| &twins[1..]);
    later.copied().collect()
}

fn is_twin(snap: &Snap, copy: &VolumeCopy, kind: Kind, window: &Window, basis: &Basis) -> bool {
    superfluous(copy, kind, window, basis)
        .iter()
        .any(|one| one.id == snap.id)
}

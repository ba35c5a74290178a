//! The one point in time that all volumes of a restore are got back to.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{RestoreCopy, RestorePoint, RestoreSource};
use crate::plan::{Snapshot, State};
use crate::policy::PolicyKind;

/// What a window is known by: all snapshots of one are of one point in time.
type PointKey = (DateTime<Utc>, PolicyKind);

/// Which snapshot each volume is got back from.
#[derive(Default)]
pub(super) struct Chosen<'s> {
    pub(super) by_volume: BTreeMap<String, &'s Snapshot>,
}

impl Chosen<'_> {
    /// Whether an earlier call would have made these copies of it. A copy of whose original nothing
    /// is left to choose proves nothing.
    fn explains(&self, copies: &BTreeMap<String, Vec<RestoreCopy>>) -> bool {
        copies.iter().all(|(volume_id, copies)| {
            self.by_volume.get(volume_id).is_some_and(|chosen| {
                copies
                    .iter()
                    .any(|copy| copy.snapshot_id.as_ref() == Some(&chosen.id))
            })
        })
    }
}

/// Chooses anew, or what an earlier call has chosen.
pub(super) fn choose<'s>(
    point: &RestorePoint<'_>,
    originals: &BTreeSet<String>,
    snapshots: &'s [Snapshot],
    copies: &BTreeMap<String, Vec<RestoreCopy>>,
) -> Chosen<'s> {
    let made = || copies.values().flatten();
    // What was taken after the first copy was made, an earlier call cannot have seen.
    let first_copy = made().filter_map(|copy| copy.created_at).min();
    let until = [point.at, first_copy].into_iter().flatten().min();
    let chosen = latest(point.policy, originals, snapshots, until);
    if chosen.explains(copies) {
        return chosen;
    }
    // The earlier call was asked for another instant, or what it saw has expired. Its copies
    // tell the point; where they are of no one window, nothing newer than the newest of them.
    let sources: Vec<RestoreSource> = made().map(|copy| copy.source(snapshots)).collect();
    let newest = sources
        .iter()
        .filter_map(|one| one.created_at.or(one.window_start))
        .max()
        .or(until);
    let windows: BTreeSet<_> = sources.iter().map(|one| one.window_start).collect();
    let policies: BTreeSet<_> = sources.iter().filter_map(|one| one.policy).collect();
    let mut chosen = latest(point.policy, originals, snapshots, newest);
    if let (Some(Some(window)), 1) = (windows.first(), windows.len()) {
        let of_point = |one: &&Snapshot| {
            window_start(one) == Some(*window)
                && one
                    .policy
                    .is_some_and(|policy| policies.is_empty() || policies.contains(&policy))
        };
        let missing = originals.iter().filter(|id| !copies.contains_key(*id));
        for id in missing {
            let of_volume = candidates(id, None, snapshots, None);
            if let Some(one) = of_volume.into_iter().find(of_point) {
                chosen.by_volume.insert(id.clone(), one);
            }
        }
    }
    chosen
}

/// The latest point that all volumes with a snapshot have in common, or each one's newest.
fn latest<'s>(
    policy: Option<PolicyKind>,
    originals: &BTreeSet<String>,
    snapshots: &'s [Snapshot],
    until: Option<DateTime<Utc>>,
) -> Chosen<'s> {
    let by_volume: BTreeMap<&String, Vec<&Snapshot>> = originals
        .iter()
        .map(|id| (id, candidates(id, policy, snapshots, until)))
        .filter(|(_, candidates)| !candidates.is_empty())
        .collect();
    let common = by_volume
        .values()
        .map(|of_volume| of_volume.iter().filter_map(|one| key(one)).collect())
        .reduce(|a: BTreeSet<PointKey>, b| &a & &b)
        .and_then(|keys| keys.last().copied());
    let pick = |of_volume: Vec<&'s Snapshot>| match common {
        // Of two of one window the first: the one that stays when passes have overlapped.
        Some(point) => of_volume.into_iter().find(|one| key(one) == Some(point)),
        None => {
            let newest = *of_volume.last()?;
            let mut of_volume = of_volume.into_iter();
            of_volume.find(|one| one.id == newest.id || are_twins(one, newest))
        }
    };
    Chosen {
        by_volume: by_volume
            .into_iter()
            .filter_map(|(id, of_volume)| Some((id.clone(), pick(of_volume)?)))
            .collect(),
    }
}

/// What a volume can be got back from, the oldest first.
fn candidates<'s>(
    volume_id: &str,
    policy: Option<PolicyKind>,
    snapshots: &'s [Snapshot],
    until: Option<DateTime<Utc>>,
) -> Vec<&'s Snapshot> {
    let mut candidates: Vec<&Snapshot> = snapshots
        .iter()
        .filter(|one| one.volume_id == volume_id && one.state == State::Available)
        .filter(|one| policy.is_none() || one.policy == policy)
        .filter(|one| until.is_none_or(|until| one.created_at.is_some_and(|at| at <= until)))
        .collect();
    candidates.sort_by_key(|one| one.age_key());
    candidates
}

fn key(snapshot: &Snapshot) -> Option<PointKey> {
    Some((window_start(snapshot)?, snapshot.policy?))
}

/// Whether both were taken of one volume for one window, as both say themselves.
fn are_twins(one: &Snapshot, other: &Snapshot) -> bool {
    let said = |of: &Snapshot| Some((of.window_start?, of.policy?));
    said(one).is_some() && said(one) == said(other)
}

/// When a snapshot's window began; when it was made where it does not say.
pub(super) fn window_start(snapshot: &Snapshot) -> Option<DateTime<Utc>> {
    snapshot.window_start.or(snapshot.created_at)
}

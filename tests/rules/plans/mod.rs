//! Plans: what is taken and what is deleted, as tables over the rules themselves.
//!
//! Planning reads no clock and sees no cloud. So a row says what was listed, and what has to follow
//! from it at one instant; rows differ from one ordinary volume and one ordinary snapshot, in what
//! they are about and in nothing else.

mod batches;
mod belonging;
mod coverage;
mod due_windows;
mod duplicates;
mod expired;
mod expiry_order;
mod keep_at_most;
mod keep_last;
mod leftovers;
mod listed_snapshots;
mod listed_volumes;
mod lost;
mod recent_windows;
mod requests;
mod restore;
mod scope;
mod stale_snapshots;
mod states;
mod targets;
mod timelines;
mod under_way;
mod without_recovery_point;

use std::collections::BTreeMap;
use std::fmt::Debug;

use chrono::{DateTime, TimeDelta, Utc};
use snapsentry::plan::creation::{self, WindowVerdict};
use snapsentry::plan::expiry::{self, ExpiryLimits, ExpiryVerdict, ManagedSnapshots};
use snapsentry::plan::{DueWindow, Expiry, Scope, Snapshot, State, Volume, VolumeSnapshots};
use snapsentry::policy::{Metadata, PolicyKind};

/// Longer than anything that works takes.
const STUCK_AFTER: TimeDelta = TimeDelta::hours(6);

const SECOND: TimeDelta = TimeDelta::seconds(1);

/// An instant; tables write it with whatever offset is the clearest.
fn at(rfc3339: &str) -> DateTime<Utc> {
    rfc3339
        .parse()
        .unwrap_or_else(|error| panic!("{rfc3339}: {error}"))
}

/// The instant of all plans, a Sunday: with their defaults, the windows of the daily and of the
/// weekly policy have begun at midnight, and that of the express policy at six.
fn now() -> DateTime<Utc> {
    at("2026-11-22T09:10:00Z")
}

fn metadata(entries: &[(&str, &str)]) -> Metadata {
    entries
        .iter()
        .map(|(key, value)| (format!("x-snapsentry-{key}"), value.to_string()))
        .collect()
}

/// A volume with these keys, written without what all of ours begin with: `available`, and
/// attached to nothing.
fn volume(id: &str, keys: &[(&str, &str)]) -> Volume {
    Volume::new(
        id.to_owned(),
        "available".to_owned(),
        Vec::new(),
        &metadata(keys),
    )
}

/// A managed volume that has these policies, with their defaults.
fn subscribed(id: &str, kinds: &[PolicyKind]) -> Volume {
    let enabled = |kind: &PolicyKind| (format!("{kind}-enabled"), "true");
    let keys: Vec<_> = kinds.iter().map(enabled).collect();
    let mut keys: Vec<_> = keys.iter().map(|(key, on)| (key.as_str(), *on)).collect();
    keys.push(("managed", "true"));
    volume(id, &keys)
}

fn attached(mut volume: Volume, servers: &[&str]) -> Volume {
    volume.servers = servers.iter().map(|server| server.to_string()).collect();
    volume
}

/// An available snapshot of volume `v`, of the daily window that is active now.
fn daily(id: &str) -> Snapshot {
    Snapshot {
        id: id.to_owned(),
        volume_id: "v".to_owned(),
        state: State::Available,
        created_at: Some(at("2026-11-22T00:05:00Z")),
        updated_at: Some(at("2026-11-22T00:06:00Z")),
        policy: Some(PolicyKind::Daily),
        window_start: Some(at("2026-11-22T00:00:00Z")),
        expiry: Expiry::At(at("2026-11-24T00:00:00Z")),
        held: false,
    }
}

/// One that its last change left in this state that long ago.
fn since(id: &str, age: TimeDelta, status: &str) -> Snapshot {
    Snapshot {
        state: State::parse(status),
        updated_at: Some(now() - age),
        ..daily(id)
    }
}

/// What a pass remembers of these snapshots, by volume.
fn listed(snapshots: &[Snapshot]) -> BTreeMap<String, VolumeSnapshots> {
    let mut histories: BTreeMap<String, VolumeSnapshots> = BTreeMap::new();
    for snapshot in snapshots {
        let history = histories.entry(snapshot.volume_id.clone()).or_default();
        history.take_in(snapshot.clone(), now());
    }
    histories
}

/// What a rule makes of these snapshots, in whatever order they are listed.
fn of_any_order<T: PartialEq + Debug>(snapshots: &[Snapshot], of: impl Fn(&[Snapshot]) -> T) -> T {
    let first = of(snapshots);
    for turn in 0..snapshots.len() {
        let mut other = snapshots.to_vec();
        other.rotate_left(turn);
        assert_eq!(of(&other), first, "rotated by {turn}");
        other.reverse();
        assert_eq!(of(&other), first, "rotated by {turn} and reversed");
    }
    first
}

/// What is decided about each policy of a volume that is not off.
fn verdicts(volume: &Volume, snapshots: &[Snapshot]) -> Vec<(PolicyKind, WindowVerdict)> {
    let plan = creation::plan(&[volume], &listed(snapshots), now(), STUCK_AFTER);
    plan.decisions
        .into_iter()
        .map(|decision| {
            assert_eq!(decision.volume.id, volume.id);
            (decision.policy, decision.verdict)
        })
        .collect()
}

/// What is decided about a volume's only policy.
fn verdict(volume: &Volume, snapshots: &[Snapshot]) -> WindowVerdict {
    match verdicts(volume, snapshots).pop() {
        Some((_, verdict)) => verdict,
        None => panic!("nothing is decided about {volume:?}"),
    }
}

/// The window of a volume's only policy, which is due.
fn due(volume: &Volume, snapshots: &[Snapshot]) -> DueWindow {
    match verdict(volume, snapshots) {
        WindowVerdict::Due(due) => *due,
        other => panic!("not due, with {snapshots:?}: {other:?}"),
    }
}

/// What is to be done about each of these snapshots, by its id.
fn expiry_verdicts(
    volume: Option<&Volume>,
    listed: &[Snapshot],
    keep_last: usize,
) -> BTreeMap<String, ExpiryVerdict> {
    let mut snapshots = ManagedSnapshots::default();
    for snapshot in listed {
        snapshots.take_in(snapshot.clone(), now());
    }
    let volumes = volume
        .map(|volume| (volume.id.clone(), volume.clone()))
        .into_iter()
        .collect();
    let limits = ExpiryLimits {
        keep_last,
        stuck_after: STUCK_AFTER,
        all_volumes_known: true,
    };
    let plan = expiry::plan(&volumes, &snapshots, &Scope::default(), now(), limits);
    let mut verdicts: BTreeMap<String, ExpiryVerdict> = listed
        .iter()
        .map(|one| (one.id.clone(), ExpiryVerdict::NotExpired))
        .collect();
    for kept in &plan.kept {
        verdicts.insert(kept.snapshot_id.to_owned(), kept.verdict);
    }
    for deletion in &plan.deletions {
        let (reason, expired_at) = (deletion.reason, deletion.expired_at);
        let verdict = ExpiryVerdict::Delete { reason, expired_at };
        verdicts.insert(deletion.snapshot_id.to_owned(), verdict);
    }
    verdicts
}

/// The ids of those about which this is to be done.
fn which(
    verdicts: &BTreeMap<String, ExpiryVerdict>,
    wanted: impl Fn(ExpiryVerdict) -> bool,
) -> Vec<&str> {
    verdicts
        .iter()
        .filter(|(_, verdict)| wanted(**verdict))
        .map(|(id, _)| id.as_str())
        .collect()
}

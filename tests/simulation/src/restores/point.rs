//! Which snapshot each volume is got back from, said a second time: slowly, and over what the cloud
//! really has.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::Value;
use simcloud::{Cloud, Snapshot, Volume};

use super::keys;

/// The policies that there are.
const POLICIES: [&str; 5] = ["express", "daily", "weekly", "monthly", "yearly"];

/// What the cloud has at one moment.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) volumes: Vec<Volume>,
    pub(super) snapshots: Vec<Snapshot>,
}

impl Moment {
    pub(super) fn of(cloud: &Cloud) -> Self {
        Self {
            volumes: cloud.volumes(),
            snapshots: cloud.snapshots(),
        }
    }

    pub(super) fn volume(&self, id: &str) -> Option<&Volume> {
        self.volumes.iter().find(|one| one.id == id)
    }

    pub(super) fn snapshot(&self, id: &str) -> Option<&Snapshot> {
        self.snapshots.iter().find(|one| one.id == id)
    }

    /// The copies of a restore that are there, by original; the usable before the broken, and then
    /// by age.
    pub(super) fn copies(&self, restore_id: &str) -> BTreeMap<&str, Vec<&Volume>> {
        let mut copies: BTreeMap<&str, Vec<&Volume>> = BTreeMap::new();
        for volume in &self.volumes {
            if volume.metadata.get(keys::RESTORE_ID).map(String::as_str) == Some(restore_id)
                && let Some(of) = volume.metadata.get(keys::VOLUME)
            {
                copies.entry(of).or_default().push(volume);
            }
        }
        for of_one in copies.values_mut() {
            of_one.sort_by_key(|one| (is_broken(&one.status), one.created_at, one.id.clone()));
        }
        copies
    }

    /// What a call is about: the volumes at the server or named, without the restore's own copies,
    /// and what those name.
    pub(super) fn originals(&self, event: &Value) -> BTreeSet<String> {
        let copies = self.copies(id_of(event));
        let own: BTreeSet<&str> = copies.values().flatten().map(|one| &*one.id).collect();
        let mut originals: BTreeSet<String> = match event["server_id"].as_str() {
            Some(server) => {
                let at_server = |one: &&Volume| one.servers.iter().any(|at| at == server);
                let volumes = self.volumes.iter().filter(at_server);
                volumes.map(|one| one.id.clone()).collect()
            }
            None => named(event).collect(),
        };
        originals.retain(|id| !own.contains(id.as_str()));
        originals.extend(copies.keys().map(|id| (*id).to_owned()));
        originals
    }

    /// What of a volume can be got back by what the event asks for.
    fn candidates<'m>(&'m self, volume: &str, event: &Value) -> Vec<&'m Snapshot> {
        let at: Option<DateTime<Utc>> = event["at"].as_str().and_then(|at| at.parse().ok());
        let policy = event["policy"].as_str();
        let mut all = self.available(volume);
        all.retain(|one| at.is_none_or(|at| one.created_at <= at));
        all.retain(|one| policy.is_none() || policy_of(one) == policy);
        all
    }

    /// What of a volume is there and whole.
    pub(super) fn available(&self, volume: &str) -> Vec<&Snapshot> {
        let of_volume = self.snapshots.iter().filter(|one| one.volume_id == volume);
        of_volume
            .filter(|one| is_managed(one) && one.status == "available")
            .collect()
    }

    /// What a first call would choose.
    pub(super) fn choice(&self, event: &Value) -> Choice {
        let originals = self.originals(event);
        let candidates: BTreeMap<&String, Vec<&Snapshot>> = originals
            .iter()
            .map(|id| (id, self.candidates(id, event)))
            .filter(|(_, all)| !all.is_empty())
            .collect();
        let points = |all: &[&Snapshot]| -> BTreeSet<(DateTime<Utc>, String)> {
            let points = all
                .iter()
                .filter_map(|one| Some((start_of(one), policy_of(one)?)));
            points
                .map(|(start, policy)| (start, policy.to_owned()))
                .collect()
        };
        let mut common: Option<BTreeSet<(DateTime<Utc>, String)>> = None;
        for all in candidates.values() {
            let own = points(all);
            common = Some(match common {
                None => own,
                Some(so_far) => so_far.intersection(&own).cloned().collect(),
            });
        }
        let common = common.unwrap_or_default();
        // Of two policies whose windows begin together either will do.
        let latest = common.iter().map(|(start, _)| *start).max();
        let options: Vec<&(DateTime<Utc>, String)> = common
            .iter()
            .filter(|(start, _)| Some(*start) == latest)
            .collect();
        let first = |all: &[&Snapshot]| {
            all.iter()
                .min_by_key(|one| age(one))
                .map(|one| one.id.clone())
        };
        let choices: Vec<BTreeMap<String, String>> = if options.is_empty() {
            let newest = |all: &[&Snapshot]| {
                let newest = all.iter().max_by_key(|one| age(one))?;
                let mut of_its_window = all.to_vec();
                of_its_window.retain(|one| {
                    let are_twins = window_of(one).is_some() && policy_of(one).is_some();
                    let is_same =
                        (window_of(one), policy_of(one)) == (window_of(newest), policy_of(newest));
                    one.id == newest.id || are_twins && is_same
                });
                first(&of_its_window)
            };
            let all = candidates.iter();
            vec![
                all.filter_map(|(id, all)| Some(((*id).clone(), newest(all)?)))
                    .collect(),
            ]
        } else {
            let of = |(start, policy): &(DateTime<Utc>, String)| {
                let of_point = |all: &[&Snapshot]| -> Option<String> {
                    let fit = |one: &&&Snapshot| {
                        start_of(one) == *start && policy_of(one) == Some(policy)
                    };
                    let twins: Vec<&Snapshot> = all.iter().filter(fit).copied().collect();
                    first(&twins)
                };
                let all = candidates.iter();
                all.filter_map(|(id, all)| Some(((*id).clone(), of_point(all)?)))
                    .collect()
            };
            options.into_iter().map(of).collect()
        };
        Choice {
            start: latest,
            choices,
            without: originals
                .iter()
                .filter(|id| !candidates.contains_key(*id))
                .cloned()
                .collect(),
        }
    }
}

/// What a first call chooses.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// When the window began that all have in common.
    pub(super) start: Option<DateTime<Utc>>,
    /// Snapshots by volume: one way to choose, or one for each policy with a window that begins then.
    pub(super) choices: Vec<BTreeMap<String, String>>,
    /// Volumes of which nothing can be got back.
    pub(super) without: BTreeSet<String>,
}

impl Choice {
    /// Whether it is the choice to get these back from these.
    pub(super) fn allows(&self, rows: &BTreeMap<String, String>) -> bool {
        self.choices.contains(rows)
    }

    /// Whether there is nothing to choose from.
    pub(super) fn is_empty(&self) -> bool {
        self.choices.iter().all(BTreeMap::is_empty)
    }
}

/// The restore that an event continues.
pub(super) fn id_of(event: &Value) -> &str {
    event["restore_id"].as_str().expect("every event has one")
}

/// The volumes that an event names.
pub(super) fn named(event: &Value) -> impl Iterator<Item = String> {
    let ids = event["volume_ids"].as_array().into_iter().flatten();
    ids.filter_map(|id| Some(id.as_str()?.to_owned()))
}

/// Whether a volume in this state can be of no use any more.
pub(super) fn is_broken(status: &str) -> bool {
    status.starts_with("error") || status == "deleting"
}

fn is_managed(snapshot: &Snapshot) -> bool {
    let managed = snapshot.metadata.get("x-snapsentry-managed");
    managed.is_some_and(|value| value == "true")
}

/// The policy that a snapshot is of, where it is one that there is.
pub(super) fn policy_of(snapshot: &Snapshot) -> Option<&str> {
    let policy = snapshot.metadata.get("x-snapsentry-snapshot-policy-type")?;
    POLICIES.contains(&policy.as_str()).then_some(policy)
}

/// When its window began, or when it was made where it does not say.
pub(super) fn start_of(snapshot: &Snapshot) -> DateTime<Utc> {
    window_of(snapshot).unwrap_or(snapshot.created_at)
}

/// When its window began, where it says so.
pub(super) fn window_of(snapshot: &Snapshot) -> Option<DateTime<Utc>> {
    let text = snapshot
        .metadata
        .get("x-snapsentry-snapshot-window-start")?;
    Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc())
}

fn age(snapshot: &Snapshot) -> (DateTime<Utc>, String) {
    (snapshot.created_at, snapshot.id.clone())
}

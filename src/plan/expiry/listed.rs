//! What is remembered of the managed snapshots of a project while they are listed.
//!
//! A hundred thousand of them are held at a time, so most take no more room than their place in
//! the order of their volume and policy asks for.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::plan::{Expiry, Snapshot, State};
use crate::policy::PolicyKind;

/// The managed snapshots of a project, as far as expiry needs to know them.
#[derive(Clone, Debug, Default)]
pub struct ManagedSnapshots {
    by_volume: BTreeMap<String, OfVolume>,
}

/// The managed snapshots of one volume.
#[derive(Clone, Debug, Default)]
pub(super) struct OfVolume {
    /// How many there are.
    pub(super) count: usize,
    /// Its available ones by policy, the newest first.
    pub(super) copies: Vec<(PolicyKind, Vec<AvailableSnapshot>)>,
    /// All others whose time has come, or that cannot be judged.
    pub(super) others: Vec<Snapshot>,
}

/// An available snapshot of a known policy.
#[derive(Clone, Debug)]
pub(super) struct AvailableSnapshot {
    pub(super) id: Box<str>,
    created_at: Option<DateTime<Utc>>,
    pub(super) expiry: Expiry,
    pub(super) held: bool,
}

impl AvailableSnapshot {
    /// Whether it is known when it was made: where not, nothing is known to be newer.
    pub(super) fn is_dated(&self) -> bool {
        self.created_at.is_some()
    }

    fn age_key(&self) -> (Option<DateTime<Utc>>, &str) {
        (self.created_at, &self.id)
    }
}

impl ManagedSnapshots {
    /// Takes a listed snapshot in. `now` is the instant by which all will be judged.
    pub fn take_in(&mut self, snapshot: Snapshot, now: DateTime<Utc>) {
        // A volume's id is copied once, not with each of its snapshots.
        let of_volume = match self.by_volume.get_mut(&snapshot.volume_id) {
            Some(of_volume) => of_volume,
            None => self
                .by_volume
                .entry(snapshot.volume_id.clone())
                .or_default(),
        };
        of_volume.count += 1;
        match snapshot.policy {
            Some(kind) if snapshot.state == State::Available => of_volume.add(kind, snapshot),
            None => of_volume.others.push(snapshot),
            Some(_) if !matches!(snapshot.expiry, Expiry::At(at) if at > now) => {
                of_volume.others.push(snapshot);
            }
            Some(_) => {}
        }
    }

    /// How many managed snapshots each volume has, volumes that are gone included.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&str, usize)> {
        self.by_volume
            .iter()
            .map(|(volume_id, of_volume)| (volume_id.as_str(), of_volume.count))
    }

    /// How many managed snapshots this volume has.
    pub(crate) fn count_of(&self, volume_id: &str) -> usize {
        self.by_volume
            .get(volume_id)
            .map_or(0, |of_volume| of_volume.count)
    }

    pub(super) fn volumes(&self) -> impl Iterator<Item = (&str, &OfVolume)> {
        self.by_volume
            .iter()
            .map(|(volume_id, of_volume)| (volume_id.as_str(), of_volume))
    }
}

impl OfVolume {
    fn add(&mut self, kind: PolicyKind, snapshot: Snapshot) {
        let at = self.copies.iter().position(|(of, _)| *of == kind);
        let at = at.unwrap_or_else(|| {
            self.copies.push((kind, Vec::with_capacity(1)));
            self.copies.len() - 1
        });
        let copies = &mut self.copies[at].1;
        // Listings are newest first, so nearly all find their place at the end.
        let place = copies.partition_point(|copy| copy.age_key() > snapshot.age_key());
        // A row that a shifting listing showed twice counts once, and is held where either is.
        match copies.get_mut(place) {
            Some(copy) if copy.age_key() == snapshot.age_key() => copy.held |= snapshot.held,
            _ => {
                let copy = AvailableSnapshot {
                    created_at: snapshot.created_at,
                    expiry: snapshot.expiry,
                    held: snapshot.held,
                    id: snapshot.id.into_boxed_str(),
                };
                copies.insert(place, copy);
            }
        }
    }
}

//! Looking at the cloud: volumes and snapshots, each listed once, side by side.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures::try_join;

use super::Pass;
use crate::openstack::{self, Error};
use crate::plan::expiry::{self, KeepLast};
use crate::plan::{Scope, Snapshot, Volume, VolumeSnapshots};
use crate::policy::Metadata;
use crate::report::Summary;

/// What a snapshot pass sees.
pub(super) struct CreateInventory {
    /// The managed volumes of this pass's share.
    pub(super) volumes: Vec<Volume>,
    /// All managed volumes, in whatever share, where the pass is limited to one.
    pub(super) known: BTreeSet<String>,
    /// What there is of each volume's snapshots.
    pub(super) histories: BTreeMap<String, VolumeSnapshots>,
    /// When the newest managed snapshot was made.
    pub(super) newest: Option<DateTime<Utc>>,
}

/// What an expire pass sees.
pub(super) struct ExpireInventory {
    /// All volumes of the project.
    pub(super) volumes: BTreeMap<String, Volume>,
    /// How many managed snapshots each volume has, those of volumes that are gone included.
    pub(super) counts: BTreeMap<String, usize>,
    /// The snapshots that have to be judged.
    pub(super) candidates: Vec<Candidate>,
    /// The newest of each volume and policy.
    pub(super) newest: KeepLast,
}

/// A snapshot that has to be judged.
pub(super) struct Candidate {
    pub(super) snapshot: Snapshot,
    /// Its metadata as listed, where somebody will be told of them.
    pub(super) metadata: Metadata,
}

/// Looks at what a snapshot pass needs to know.
pub(super) async fn for_creation(pass: &Pass<'_>) -> Result<CreateInventory, Error> {
    let (client, deadline, now) = (pass.client, pass.deadline, pass.now);
    let new = || (Vec::new(), BTreeSet::new());
    let volumes = client.list_subscribed_volumes(deadline, new, |(volumes, known), one| {
        let volume = read_volume(one);
        if *pass.scope != Scope::default() {
            known.insert(volume.id.clone());
        }
        if pass.scope.contains(&volume) {
            volumes.push(volume);
        }
    });
    let snapshots = client.list_managed_snapshots(
        deadline,
        || (BTreeMap::<String, VolumeSnapshots>::new(), None),
        |(histories, newest), one| {
            let snapshot = read_snapshot(&one);
            *newest = snapshot.created_at.max(*newest);
            match histories.get_mut(&snapshot.volume_id) {
                Some(history) => history.take_in(snapshot, now),
                None => histories
                    .entry(one.volume_id)
                    .or_default()
                    .take_in(snapshot, now),
            }
        },
    );
    let ((volumes, known), (histories, newest)) = try_join!(volumes, snapshots)?;
    Ok(CreateInventory {
        volumes,
        known,
        histories,
        newest,
    })
}

/// Looks at what an expire pass needs to know. The volumes are listed without the metadata
/// filter, which would hide those that another tool has wiped.
pub(super) async fn for_expiry(pass: &Pass<'_>) -> Result<ExpireInventory, Error> {
    let (client, deadline, now) = (pass.client, pass.deadline, pass.now);
    let volumes = client.list_volumes(deadline, BTreeMap::new, |volumes, one| {
        let volume = read_volume(one);
        volumes.insert(volume.id.clone(), volume);
    });
    let new = || (BTreeMap::new(), Vec::new(), KeepLast::default());
    let snapshots = client.list_managed_snapshots(
        deadline,
        new,
        |(counts, candidates, newest): &mut (BTreeMap<String, usize>, Vec<_>, KeepLast), one| {
            let snapshot = read_snapshot(&one);
            match counts.get_mut(&snapshot.volume_id) {
                Some(count) => *count += 1,
                None => {
                    counts.insert(snapshot.volume_id.clone(), 1);
                }
            }
            newest.take_in(&snapshot, pass.limits.keep_last);
            if expiry::is_of_interest(&snapshot, now) {
                let metadata = if pass.notifies {
                    one.metadata
                } else {
                    Metadata::new()
                };
                candidates.push(Candidate { snapshot, metadata });
            }
        },
    );
    let (volumes, (counts, candidates, newest)) = try_join!(volumes, snapshots)?;
    Ok(ExpireInventory {
        volumes,
        counts,
        candidates,
        newest,
    })
}

/// Warns of volumes that were asked for by id and of which nothing is known.
pub(super) fn warn_of_unknown(
    pass: &Pass<'_>,
    what: &str,
    is_known: impl Fn(&str) -> bool,
    summary: &mut Summary,
) {
    for id in pass.scope.volume_ids.iter().flatten() {
        if !is_known(id) {
            tracing::warn!(volume_id = id, "asked for, and {what}");
            summary.warnings.push(crate::report::Warning {
                volume_id: Some(id.clone()),
                warning: format!("named in volume_ids, but {what}"),
                ..crate::report::Warning::default()
            });
        }
    }
}

fn read_volume(volume: openstack::Volume) -> Volume {
    let mut servers: Vec<String> = volume
        .attachments
        .into_iter()
        .map(|attachment| attachment.server_id.unwrap_or_default())
        .collect();
    // A volume's attachments come in no order.
    servers.sort();
    let mut read = Volume::new(volume.id, volume.status, servers, &volume.metadata);
    read.volume_type = volume.volume_type;
    read.created_at = volume.created_at;
    read
}

/// Reads a listed snapshot as planning sees it.
pub(super) fn read_snapshot(snapshot: &openstack::Snapshot) -> Snapshot {
    Snapshot::new(
        snapshot.id.clone(),
        snapshot.volume_id.clone(),
        &snapshot.status,
        snapshot.created_at,
        snapshot.updated_at,
        &snapshot.metadata,
    )
}

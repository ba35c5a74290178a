//! Looking at the cloud: volumes and snapshots, each listed once, side by side.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::{TryFutureExt, try_join};

use super::Pass;
use super::horizons::{SnapshotsByVolume, WindowHorizons};
use crate::openstack::{self, Error};
use crate::plan::expiry::ManagedSnapshots;
use crate::plan::{Expiry, Scope, Snapshot, Volume, VolumeSnapshots, forget_repeats};
use crate::policy::{Metadata, PolicyKind};

/// What a snapshot pass sees.
pub(super) struct CreateInventory {
    /// The managed volumes of this pass's share.
    pub(super) volumes: Arc<Vec<Volume>>,
    /// All managed volumes, in whatever share, where the pass is limited to one.
    pub(super) known: BTreeSet<String>,
    /// The types of those that are not in its share, and are on the backends that it uses.
    pub(super) neighbours: BTreeMap<String, Option<String>>,
    /// What there is of each volume's snapshots.
    pub(super) histories: BTreeMap<String, VolumeSnapshots>,
    /// When the newest managed snapshot was made.
    pub(super) newest: Option<DateTime<Utc>>,
}

/// What an expire pass sees.
pub(super) struct ExpireInventory {
    pub(super) volumes: BTreeMap<String, Volume>,
    /// All managed snapshots, those of volumes that are gone included.
    pub(super) snapshots: ManagedSnapshots,
    /// Metadata as listed, by snapshot, of those that have expired, where somebody will be told of
    /// failures.
    pub(super) metadata: HashMap<String, Metadata>,
}

/// Looks at what a snapshot pass needs to know.
pub(super) async fn for_creation(pass: &Pass<'_>) -> Result<CreateInventory, Error> {
    let (client, deadline, now) = (pass.client, pass.deadline, pass.now);
    let new = || (Vec::new(), BTreeSet::new(), BTreeMap::new());
    let horizons = WindowHorizons::new(pass);
    let volumes = client
        .list_subscribed_volumes(deadline, new, |(volumes, known, neighbours), one| {
            let volume = read_volume(one);
            if *pass.scope != Scope::default() {
                known.insert(volume.id.clone());
            }
            if pass.scope.contains(&volume) {
                volumes.push(volume);
            } else if pass.scope.has_slots_for(&volume) {
                neighbours.insert(volume.id, volume.volume_type);
            }
        })
        .map_ok(|(mut volumes, known, neighbours)| {
            forget_repeats(&mut volumes, |one| &one.id);
            (horizons.know(volumes), known, neighbours)
        });
    let types = PolicyKind::ALL.map(PolicyKind::as_str);
    let snapshots = client.list_recent_managed_snapshots(
        deadline,
        &types,
        &horizons,
        SnapshotsByVolume::default,
        |seen, one| {
            let snapshot = read_snapshot(&one);
            seen.newest = snapshot.created_at.max(seen.newest);
            match seen.volumes.get_mut(&snapshot.volume_id) {
                Some(of_volume) => of_volume.take_in(snapshot, now),
                None => seen
                    .volumes
                    .entry(one.volume_id)
                    .or_default()
                    .take_in(snapshot, now),
            }
        },
    );
    let ((volumes, known, neighbours), listed) = try_join!(volumes, snapshots)?;
    let mut histories = BTreeMap::<String, VolumeSnapshots>::new();
    let mut newest = None;
    for part in listed {
        newest = part.newest.max(newest);
        for (volume_id, of_volume) in part.volumes {
            histories.entry(volume_id).or_default().merge(of_volume);
        }
    }
    histories
        .values_mut()
        .for_each(VolumeSnapshots::forget_repeats);
    Ok(CreateInventory {
        volumes,
        known,
        neighbours,
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
    let new = || (ManagedSnapshots::default(), HashMap::new());
    let snapshots = client.list_managed_snapshots(
        deadline,
        new,
        |(snapshots, metadata): &mut (ManagedSnapshots, HashMap<_, _>), one| {
            let snapshot = read_snapshot(&one);
            let has_expired = matches!(snapshot.expiry, Expiry::At(at) if at <= now);
            if pass.notifies && has_expired && snapshot.policy.is_some() {
                metadata.insert(one.id, one.metadata);
            }
            snapshots.take_in(snapshot, now);
        },
    );
    let (volumes, (snapshots, metadata)) = try_join!(volumes, snapshots)?;
    Ok(ExpireInventory {
        volumes,
        snapshots,
        metadata,
    })
}

/// Reads a listed volume as planning sees it.
pub(super) fn read_volume(volume: openstack::Volume) -> Volume {
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
        snapshot.status.as_str(),
        snapshot.created_at,
        snapshot.updated_at,
        &snapshot.metadata,
    )
}

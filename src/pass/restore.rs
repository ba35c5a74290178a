//! The restore: new volumes from the snapshots of one point in time.
//!
//! It creates and never changes anything that exists: no original, no snapshot, no attachment. So
//! it can be tried at any time, and called again with the same name until all is there.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};

use super::inventory::read_snapshot;
use super::remarks;
use super::restore_summary::fold;
use crate::deadline::Deadline;
use crate::event::{InvalidEvent, RestoreRequest, RestoreTarget};
use crate::openstack::{self, Client, Creation, Error, NewVolume, VolumeNotCreated, VolumeTag};
use crate::plan::Snapshot;
use crate::plan::restore::{
    self, CopyState, NothingToRestore, RestoreAttachment, RestoreItem, RestorePlan, RestorePoint,
    RestoreVolume,
};
use crate::policy::{Metadata, keys};
use crate::report::RestoreSummary;

/// Why nothing was restored.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum NotRestored {
    /// The event asks for something that cannot be.
    #[error(transparent)]
    Invalid(#[from] InvalidEvent),
    /// There is nothing to restore from.
    #[error(transparent)]
    Nothing(#[from] NothingToRestore),
    /// The cloud could not be looked at in full.
    #[error(transparent)]
    Unread(#[from] Error),
}

/// What became of one volume's copy.
pub(super) enum CopyOutcome {
    /// It is there and can be used; made by this call where `is_new`.
    Usable { volume: SeenCopy, is_new: bool },
    /// It is on its way, or was not begun.
    Open {
        volume: Option<SeenCopy>,
        why: String,
    },
    /// It was tried and failed, or is broken.
    Failed {
        volume: Option<SeenCopy>,
        error: Error,
    },
    /// An earlier call's copy is broken.
    Broken(SeenCopy),
    /// A dry run makes none.
    Planned,
}

/// A copy as it was last seen.
pub(super) struct SeenCopy {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) size: Option<u64>,
    /// As far as they are known: what it was made from.
    metadata: Metadata,
}

/// Looks, plans and, unless this is a dry run, creates what is missing and waits for it.
///
/// # Errors
/// [`NotRestored`]: nothing has been created then.
pub(crate) async fn run(
    client: &Client,
    deadline: Deadline,
    now: DateTime<Utc>,
    request: &RestoreRequest,
) -> Result<RestoreSummary, NotRestored> {
    request.check_against(now)?;
    let mut point = RestorePoint {
        restore_id: &request.restore_id,
        server_id: None,
        volume_ids: None,
        at: request.at,
        policy: request.policy,
    };
    match &request.of {
        RestoreTarget::Server(id) => point.server_id = Some(id),
        RestoreTarget::Volumes(ids) => point.volume_ids = Some(ids),
    }
    let volumes = client
        .list_volumes(deadline, BTreeMap::new, |volumes, one| {
            let volume = read_volume(one);
            volumes.insert(volume.id.clone(), volume);
        })
        .await?;
    let originals = restore::originals(&point, &volumes);
    let (snapshots, sizes) = client
        .list_managed_snapshots(
            deadline,
            || (Vec::<Snapshot>::new(), BTreeMap::new()),
            |(snapshots, sizes), one| {
                if originals.contains(&one.volume_id) {
                    sizes.insert(one.id.clone(), one.size);
                    snapshots.push(read_snapshot(&one));
                }
            },
        )
        .await?;
    let mut plan = restore::plan(&point, &volumes, &snapshots)?;
    let outcomes = if request.dry_run {
        plan.items.iter().map(dry_outcome).collect()
    } else {
        execute(client, deadline, &request.restore_id, &plan).await
    };
    for copy in outcomes.iter().filter_map(CopyOutcome::copy) {
        let copy = RestoreVolume::new(copy.id.clone(), &copy.metadata);
        plan.learn(&copy, &snapshots);
    }
    let has_snapshots = |id: &str| snapshots.iter().any(|one| one.volume_id == id);
    let is_known = |id: &str| volumes.contains_key(id) || has_snapshots(id);
    let unknown = remarks::unknown_volumes(point.volume_ids, remarks::NO_TRACE, is_known);
    let on_clocks = remarks::clocks_apart(client.clock_difference());
    let remarks = on_clocks.into_iter().chain(unknown).collect();
    Ok(fold(&plan, outcomes, &volumes, &sizes, request, remarks))
}

fn read_volume(volume: openstack::Volume) -> RestoreVolume {
    let mut read = RestoreVolume::new(volume.id, &volume.metadata);
    read.name = volume.name;
    read.status = volume.status;
    read.size = volume.size;
    read.created_at = volume.created_at;
    read.attachments = volume
        .attachments
        .into_iter()
        .filter_map(|one| {
            Some(RestoreAttachment {
                server_id: one.server_id?,
                device: one.device,
            })
        })
        .collect();
    read
}

/// What a dry run says of a copy: what is there, or that it would be made.
fn dry_outcome(item: &RestoreItem<'_>) -> CopyOutcome {
    item.copy.as_ref().map_or(CopyOutcome::Planned, |copy| {
        let volume = seen(copy);
        match CopyState::of(&copy.status) {
            CopyState::Usable => CopyOutcome::Usable {
                volume,
                is_new: false,
            },
            CopyState::Broken => CopyOutcome::Broken(volume),
            CopyState::Creating => CopyOutcome::Open {
                volume: Some(volume),
                why: "it is still being created".to_owned(),
            },
        }
    })
}

fn seen(copy: &restore::RestoreCopy) -> SeenCopy {
    SeenCopy {
        id: copy.volume_id.clone(),
        status: copy.status.clone(),
        size: copy.size,
        metadata: Metadata::new(),
    }
}

/// Creates what is missing and waits for all that is on its way, side by side; gives what came of
/// each, in the order of the plan.
async fn execute(
    client: &Client,
    deadline: Deadline,
    restore_id: &str,
    plan: &RestorePlan<'_>,
) -> Vec<CopyOutcome> {
    let tag = VolumeTag {
        key: keys::RESTORE_ID,
        value: restore_id,
    };
    // All of them wait at once: requests in flight are bounded by the connection.
    stream::iter(&plan.items)
        .map(|item| bring_about(client, deadline, tag, item))
        .buffered(plan.items.len().max(1))
        .collect()
        .await
}

async fn bring_about(
    client: &Client,
    deadline: Deadline,
    tag: VolumeTag<'_>,
    item: &RestoreItem<'_>,
) -> CopyOutcome {
    let done = match &item.copy {
        Some(copy) if CopyState::of(&copy.status) != CopyState::Creating => {
            return dry_outcome(item);
        }
        Some(copy) => {
            let volume = openstack::Volume {
                id: copy.volume_id.clone(),
                status: copy.status.clone(),
                size: copy.size,
                created_at: copy.created_at,
                ..openstack::Volume::default()
            };
            let settled = client.settled_volume(deadline, &volume, tag, None).await;
            settled.map(Creation::Adopted)
        }
        None => {
            let new = NewVolume {
                snapshot_id: item.source.snapshot_id.clone(),
                name: item.restored_name.clone(),
                metadata: item.metadata.clone(),
            };
            let is_copy = |volume: &openstack::Volume| {
                volume.metadata.get(keys::RESTORED_VOLUME) == Some(&item.volume_id)
            };
            client
                .create_volume_from_snapshot(deadline, &new, tag, is_copy)
                .await
        }
    };
    match done {
        Ok(Creation::Created { resource, .. }) => CopyOutcome::Usable {
            volume: as_seen(resource),
            is_new: true,
        },
        Ok(Creation::Adopted(volume) | Creation::Served(volume)) => CopyOutcome::Usable {
            volume: as_seen(volume),
            is_new: false,
        },
        Err(VolumeNotCreated::Pending(volume)) => CopyOutcome::Open {
            volume: volume.map(as_seen),
            why: "the time ended before it was available".to_owned(),
        },
        Err(VolumeNotCreated::Deferred(error)) => CopyOutcome::Open {
            volume: None,
            why: error.to_string(),
        },
        Err(VolumeNotCreated::Failed { error, volume }) => CopyOutcome::Failed {
            volume: volume.map(as_seen),
            error,
        },
    }
}

fn as_seen(volume: openstack::Volume) -> SeenCopy {
    SeenCopy {
        id: volume.id,
        status: volume.status,
        size: volume.size,
        metadata: volume.metadata,
    }
}

impl CopyOutcome {
    /// The copy, where there is one.
    pub(super) fn copy(&self) -> Option<&SeenCopy> {
        match self {
            Self::Usable { volume, .. } | Self::Broken(volume) => Some(volume),
            Self::Open { volume, .. } | Self::Failed { volume, .. } => volume.as_ref(),
            Self::Planned => None,
        }
    }

    /// The copy, where there is one.
    pub(super) fn into_copy(self) -> Option<SeenCopy> {
        match self {
            Self::Usable { volume, .. } | Self::Broken(volume) => Some(volume),
            Self::Open { volume, .. } | Self::Failed { volume, .. } => volume,
            Self::Planned => None,
        }
    }
}

impl SeenCopy {
    /// Whether some server has it already.
    pub(super) fn is_attached(&self) -> bool {
        self.status == "in-use"
    }

    /// Whether it can be used, or is in use.
    pub(super) fn is_usable(&self) -> bool {
        CopyState::of(&self.status) == CopyState::Usable
    }
}

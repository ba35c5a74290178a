//! Volumes as a restore sees them, and the copies that it made earlier.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{RestoreSource, source};
use crate::plan::Snapshot;
use crate::policy::{Metadata, keys};

/// A volume of the project.
#[derive(Clone, Debug, Default)]
pub struct RestoreVolume {
    /// Its UUID.
    pub id: String,
    /// The name that people gave it.
    pub name: Option<String>,
    /// Cinder's word for its state.
    pub status: String,
    /// In GiB.
    pub size: Option<u64>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// Where it is attached.
    pub attachments: Vec<RestoreAttachment>,
    /// The restore that made it.
    pub restore_id: Option<String>,
    /// The volume that it is a copy of.
    pub restored_volume: Option<String>,
    restored_snapshot: Option<String>,
    restored_window_start: Option<DateTime<Utc>>,
}

/// Where a volume is attached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreAttachment {
    /// The server's UUID.
    pub server_id: String,
    /// Where the server sees it, such as `/dev/vdb`.
    pub device: Option<String>,
}

/// A copy that an earlier call of this restore made.
#[derive(Clone, Debug)]
pub struct RestoreCopy {
    /// The copy's own UUID.
    pub volume_id: String,
    /// Its name: that of the original may have changed since, or be gone with it.
    pub name: Option<String>,
    /// Cinder's word for its state.
    pub status: String,
    /// In GiB.
    pub size: Option<u64>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// The snapshot that it was made from.
    pub snapshot_id: Option<String>,
    window_start: Option<DateTime<Utc>>,
}

/// How a copy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CopyState {
    /// It is being made.
    Creating,
    /// It can be used, or is in use.
    Usable,
    /// It is broken, or on its way out.
    Broken,
}

impl CopyState {
    /// Reads Cinder's word.
    pub(crate) fn of(status: &str) -> Self {
        match status {
            "creating" | "downloading" | "" => Self::Creating,
            "deleting" => Self::Broken,
            _ if status.starts_with("error") => Self::Broken,
            _ => Self::Usable,
        }
    }
}

impl RestoreVolume {
    /// Reads what a volume's metadata say of restores; the rest is to be filled in.
    pub fn new(id: String, metadata: &Metadata) -> Self {
        let text = |key: &str| metadata.get(key).cloned();
        Self {
            id,
            restore_id: text(keys::RESTORE_ID),
            restored_volume: text(keys::RESTORED_VOLUME),
            restored_snapshot: text(keys::RESTORED_SNAPSHOT),
            restored_window_start: text(keys::RESTORED_WINDOW_START)
                .and_then(|text| DateTime::parse_from_rfc3339(&text).ok())
                .map(|instant| instant.to_utc()),
            ..Self::default()
        }
    }

    /// What it was made from, where it is a copy that says so.
    pub(super) fn source(&self, snapshots: &[Snapshot]) -> Option<RestoreSource> {
        self.restored_snapshot.as_ref()?;
        Some(RestoreCopy::of(self).source(snapshots))
    }

    /// Whether this restore made it.
    pub(crate) fn is_copy_of(&self, restore_id: &str) -> bool {
        self.restore_id.as_deref() == Some(restore_id)
    }
}

impl RestoreCopy {
    fn of(volume: &RestoreVolume) -> Self {
        Self {
            volume_id: volume.id.clone(),
            name: volume.name.clone(),
            status: volume.status.clone(),
            size: volume.size,
            created_at: volume.created_at,
            snapshot_id: volume.restored_snapshot.clone(),
            window_start: volume.restored_window_start,
        }
    }

    /// What it was made from, as far as that is still known.
    pub(super) fn source(&self, snapshots: &[Snapshot]) -> RestoreSource {
        let snapshot = snapshots
            .iter()
            .find(|one| Some(&one.id) == self.snapshot_id.as_ref());
        match snapshot {
            Some(snapshot) => source(snapshot),
            None => RestoreSource {
                snapshot_id: self.snapshot_id.clone().unwrap_or_default(),
                policy: None,
                window_start: self.window_start,
                created_at: None,
            },
        }
    }
}

/// The copies that this restore made, by what they are copies of; the best of each first, and of
/// equals the first that was made.
pub(super) fn by_original(
    restore_id: &str,
    volumes: &BTreeMap<String, RestoreVolume>,
) -> BTreeMap<String, Vec<RestoreCopy>> {
    let mut copies: BTreeMap<String, Vec<RestoreCopy>> = BTreeMap::new();
    for volume in volumes.values() {
        if volume.is_copy_of(restore_id)
            && let Some(original) = &volume.restored_volume
        {
            let of_original = copies.entry(original.clone()).or_default();
            of_original.push(RestoreCopy::of(volume));
        }
    }
    for of_original in copies.values_mut() {
        of_original.sort_by_key(|copy| {
            let is_broken = CopyState::of(&copy.status) == CopyState::Broken;
            (is_broken, copy.created_at, copy.volume_id.clone())
        });
    }
    copies
}

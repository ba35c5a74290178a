//! The world of a test: volumes, snapshots and servers, put in, looked at and changed from
//! outside of the API.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Cloud;
use crate::id::Id;
use crate::nova::ServerRow;
use crate::rows::{
    Attachment, Metadata, Snapshot, SnapshotRow, SnapshotSpec, Volume, VolumeRow, VolumeSpec,
};

fn id_of(text: &str) -> Id {
    text.parse()
        .unwrap_or_else(|_| panic!("{text:?} is no UUID, and Cinder has no other ids"))
}

impl Cloud {
    /// Puts a volume in and gives its id. One with the same id is replaced.
    ///
    /// # Panics
    /// If the id is no UUID.
    pub fn add_volume(&self, spec: VolumeSpec) -> String {
        let mut state = self.lock();
        let device = spec.device.unwrap_or_else(|| "/dev/vdb".into());
        let id = spec.id.as_deref().map_or_else(|| state.new_id(), id_of);
        let created_at = spec.created_at.unwrap_or_else(|| state.now());
        let created_at = state.kept(created_at);
        let mut attachments: Vec<Attachment> = spec
            .servers
            .into_iter()
            .map(|server| Attachment {
                id: state.new_id(),
                server,
                device: device.clone(),
                at: created_at,
            })
            .collect();
        // Cinder gives them in no order at all.
        attachments.sort_by_key(|attachment| attachment.id);
        let usual = if attachments.is_empty() {
            "available"
        } else {
            "in-use"
        };
        let row = VolumeRow {
            id,
            name: spec.name,
            status: spec.status.unwrap_or_else(|| usual.into()),
            size: spec.size.unwrap_or(1),
            created_at,
            updated_at: Some(spec.updated_at.unwrap_or(created_at)),
            metadata: spec.metadata.into(),
            doubled: Default::default(),
            first_written: Default::default(),
            attachments,
            description: None,
            volume_type: spec
                .volume_type
                .or_else(|| state.config.default_volume_type.clone()),
            bootable: spec.bootable,
            snapshot_id: spec.snapshot_id.as_deref().map(id_of),
        };
        state.volumes.insert(row);
        id.to_string()
    }

    /// Puts a snapshot in and gives its id. One with the same id is replaced. It stays in its
    /// state until somebody changes it.
    ///
    /// # Panics
    /// If one of the ids is no UUID.
    pub fn add_snapshot(&self, spec: SnapshotSpec) -> String {
        let mut state = self.lock();
        let id = spec.id.as_deref().map_or_else(|| state.new_id(), id_of);
        let volume_id = id_of(&spec.volume_id);
        let created_at = spec.created_at.unwrap_or_else(|| state.now());
        let size = spec
            .size
            .or_else(|| Some(state.volumes.get(volume_id)?.size));
        let row = SnapshotRow {
            id,
            volume_id,
            name: spec.name,
            description: spec.description,
            status: spec.status.unwrap_or_else(|| "available".into()),
            size: size.unwrap_or(1),
            created_at: state.kept(created_at),
            updated_at: spec.updated_at.map(|at| state.kept(at)),
            metadata: spec.metadata.into(),
            undated: false,
        };
        state.add_snapshot(row);
        id.to_string()
    }

    /// Puts a server in, for Nova to name.
    pub fn add_server(&self, id: impl Into<String>, name: impl Into<String>) {
        let mut state = self.lock();
        let row = ServerRow {
            name: name.into(),
            stopped: false,
            created_at: state.now(),
        };
        state.servers.insert(id.into(), row);
    }

    /// A server's name.
    pub fn server_name(&self, id: &str) -> Option<String> {
        self.lock().servers.get(id).map(|row| row.name.clone())
    }

    /// Grows with everything that may have changed a volume or a snapshot: where it is the same,
    /// so are they.
    pub fn version(&self) -> u64 {
        let mut state = self.lock();
        state.settle();
        state.version()
    }

    /// Whether this is the same cloud, and not another like it.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// All volumes, newest first.
    pub fn volumes(&self) -> Vec<Volume> {
        let mut state = self.lock();
        state.settle();
        state.volumes.iter().map(VolumeRow::show).collect()
    }

    /// A volume.
    pub fn volume(&self, id: &str) -> Option<Volume> {
        let mut state = self.lock();
        state.settle();
        state.volumes.get(id.parse().ok()?).map(VolumeRow::show)
    }

    /// All snapshots, newest first.
    pub fn snapshots(&self) -> Vec<Snapshot> {
        let mut state = self.lock();
        state.settle();
        state.snapshots.iter().map(SnapshotRow::show).collect()
    }

    /// A snapshot.
    pub fn snapshot(&self, id: &str) -> Option<Snapshot> {
        let mut state = self.lock();
        state.settle();
        state.snapshots.get(id.parse().ok()?).map(SnapshotRow::show)
    }

    /// The snapshots of a volume, newest first.
    pub fn snapshots_of(&self, volume_id: &str) -> Vec<Snapshot> {
        let mut state = self.lock();
        state.settle();
        let volume = volume_id.parse::<Id>().ok();
        volume.map_or_else(Vec::new, |id| {
            state.snapshots_of(id).map(SnapshotRow::show).collect()
        })
    }

    /// Takes a volume away; its snapshots stay. Whether it was there.
    pub fn remove_volume(&self, id: &str) -> bool {
        self.lock().volumes.remove(id_of(id)).is_some()
    }

    /// Takes a snapshot away at once, whatever its state. Whether it was there.
    pub fn remove_snapshot(&self, id: &str) -> bool {
        self.lock().remove_snapshot(id_of(id)).is_some()
    }

    /// Puts a volume into a state. Whether it is there.
    pub fn set_volume_status(&self, id: &str, status: &str) -> bool {
        let mut state = self.lock();
        let row = state.volumes.get_mut(id_of(id));
        row.map(|row| status.clone_into(&mut row.status)).is_some()
    }

    /// Makes the time of a snapshot's creation NULL in the database; it is listed where
    /// [`Quirks::undated`](crate::Quirks::undated) says. Whether it is there.
    pub fn hide_created_at(&self, id: &str) -> bool {
        let mut state = self.lock();
        let row = state.snapshots.get_mut(id_of(id));
        let found = row.map(|row| row.undated = true).is_some();
        state.undated |= found;
        found
    }

    /// Replaces a volume's metadata. Whether it is there.
    pub fn set_metadata<K: Into<String>, V: Into<String>>(
        &self,
        volume_id: &str,
        metadata: impl IntoIterator<Item = (K, V)>,
    ) -> bool {
        let metadata = collect(metadata);
        let mut state = self.lock();
        let row = state.volumes.get_mut(id_of(volume_id));
        row.map(|row| row.metadata = metadata).is_some()
    }

    /// Replaces a snapshot's metadata; its `updated_at` stays. Whether it is there.
    pub fn set_snapshot_metadata<K: Into<String>, V: Into<String>>(
        &self,
        id: &str,
        metadata: impl IntoIterator<Item = (K, V)>,
    ) -> bool {
        let metadata = collect(metadata);
        let mut state = self.lock();
        let row = state.snapshots.get_mut(id_of(id));
        row.map(|row| row.metadata = metadata).is_some()
    }

    /// Puts a snapshot into a state, now; what the storage was doing with it no longer counts
    /// unless the state is the same. Whether it is there.
    pub fn set_snapshot_status(&self, id: &str, status: &str) -> bool {
        let mut state = self.lock();
        state.settle();
        let (id, now) = (id_of(id), state.now());
        state.set_status(now, id, status);
        state.snapshots.get(id).is_some()
    }

    /// Makes a snapshot older than it is. Whether it is there.
    pub fn backdate_snapshot(&self, id: &str, by: std::time::Duration) -> bool {
        let mut state = self.lock();
        state.settle();
        let Some(mut row) = state.remove_snapshot(id_of(id)) else {
            return false;
        };
        row.created_at -= by;
        state.add_snapshot(row);
        true
    }

    /// Leaves two rows for this metadata key of a volume, as a race does: writes to it are
    /// answered with 200 and lost until the key is deleted. Whether the key is there.
    pub fn double_metadata_key(&self, volume_id: &str, key: &str) -> bool {
        let mut state = self.lock();
        let row = state.volumes.get_mut(id_of(volume_id));
        row.filter(|row| row.metadata.get(key).is_some())
            .map(|row| row.doubled.insert(key.to_owned()))
            .is_some()
    }
}

fn collect<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Metadata {
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| (key.into(), value.into()));
    Metadata::from(pairs.collect::<BTreeMap<String, String>>())
}

//! Volumes and snapshots: as they are kept, as a test describes them, and as it gets to see
//! them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::id::Id;
use crate::table::Keyed;

/// A volume to be put into the cloud. Every field has a default.
#[derive(Clone, Debug, Default)]
pub struct VolumeSpec {
    /// UUID; `None` draws one from the seed.
    pub id: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// `None`: `in-use` with servers, else `available`.
    pub status: Option<String>,
    /// Gigabytes; `None` for 1.
    pub size: Option<u64>,
    /// `None` for the cloud's present time.
    pub created_at: Option<DateTime<Utc>>,
    /// `None` for the time of creation.
    pub updated_at: Option<DateTime<Utc>>,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
    /// UUIDs of the servers it is attached to.
    pub servers: Vec<String>,
    /// Its device in those servers; `None` for `/dev/vdb`.
    pub device: Option<String>,
    /// Volume type; `None` for the cloud's default.
    pub volume_type: Option<String>,
    /// Whether a server can start from it.
    pub bootable: bool,
    /// UUID of the snapshot that it was made from.
    pub snapshot_id: Option<String>,
}

impl VolumeSpec {
    /// A volume of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// With one more metadata key.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Attached to one more server.
    #[must_use]
    pub fn on(mut self, server: impl Into<String>) -> Self {
        self.servers.push(server.into());
        self
    }

    /// In this state.
    #[must_use]
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// Of this volume type, which is the backend's name too.
    #[must_use]
    pub fn volume_type(mut self, volume_type: impl Into<String>) -> Self {
        self.volume_type = Some(volume_type.into());
        self
    }
}

/// A snapshot to be put into the cloud. Every field has a default but the volume.
#[derive(Clone, Debug, Default)]
pub struct SnapshotSpec {
    /// UUID; `None` draws one from the seed.
    pub id: Option<String>,
    /// UUID of the volume, which need not exist.
    pub volume_id: String,
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// `None` for `available`.
    pub status: Option<String>,
    /// Gigabytes; `None` for the volume's.
    pub size: Option<u64>,
    /// `None` for the cloud's present time. Cut to whole seconds where the cloud does that.
    pub created_at: Option<DateTime<Utc>>,
    /// `None` is shown as null.
    pub updated_at: Option<DateTime<Utc>>,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
}

impl SnapshotSpec {
    /// An available snapshot of this volume.
    pub fn of(volume_id: impl Into<String>) -> Self {
        Self {
            volume_id: volume_id.into(),
            ..Self::default()
        }
    }

    /// With this name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// With one more metadata key.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// In this state.
    #[must_use]
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.status = Some(status.into());
        self
    }

    /// Created, and last changed, at this time.
    #[must_use]
    pub fn created_at(mut self, at: DateTime<Utc>) -> Self {
        self.created_at = Some(at);
        self.updated_at = Some(at);
        self
    }
}

/// A volume as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// State.
    pub status: String,
    /// Gigabytes.
    pub size: u64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Metadata as a client gets to see it.
    pub metadata: BTreeMap<String, String>,
    /// UUIDs of the servers it is attached to.
    pub servers: Vec<String>,
    /// Volume type, if it has one.
    pub volume_type: Option<String>,
    /// Whether a server can start from it.
    pub bootable: bool,
    /// UUID of the snapshot that it was made from.
    pub snapshot_id: Option<String>,
}

/// A snapshot as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// UUID.
    pub id: String,
    /// UUID of its volume.
    pub volume_id: String,
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// State.
    pub status: String,
    /// Gigabytes.
    pub size: u64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
}

/// Key and value pairs by key. A sorted list, because a map's nodes would take a kilobyte a
/// row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata(Vec<(Box<str>, Box<str>)>);

impl Metadata {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let at = self
            .0
            .binary_search_by(|(have, _)| (**have).cmp(key))
            .ok()?;
        Some(&self.0[at].1)
    }

    pub(crate) fn set(&mut self, key: &str, value: &str) {
        match self.0.binary_search_by(|(have, _)| (**have).cmp(key)) {
            Ok(at) => self.0[at].1 = value.into(),
            Err(at) => self.0.insert(at, (key.into(), value.into())),
        }
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.retain(|(have, _)| &**have != key);
    }

    pub(crate) fn to_map(&self) -> BTreeMap<String, String> {
        self.iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect()
    }
}

impl From<BTreeMap<String, String>> for Metadata {
    fn from(map: BTreeMap<String, String>) -> Self {
        Self(map.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Attachment {
    pub(crate) id: Id,
    pub(crate) server: String,
    pub(crate) device: String,
    pub(crate) at: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub(crate) struct VolumeRow {
    pub(crate) id: Id,
    pub(crate) name: Option<String>,
    pub(crate) status: String,
    pub(crate) size: u64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
    pub(crate) metadata: Metadata,
    /// Keys with two rows: writes to them are answered with 200 and lost.
    pub(crate) doubled: BTreeSet<String>,
    /// When a key was first written, in ticks of the cloud; kept only where races are on.
    pub(crate) first_written: BTreeMap<String, u64>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) description: Option<String>,
    pub(crate) volume_type: Option<String>,
    pub(crate) bootable: bool,
    pub(crate) snapshot_id: Option<Id>,
}

impl Keyed for VolumeRow {
    fn id(&self) -> Id {
        self.id
    }

    fn created_at(&self) -> DateTime<Utc> {
        self.created_at
    }
}

impl VolumeRow {
    pub(crate) fn show(&self) -> Volume {
        Volume {
            id: self.id.to_string(),
            name: self.name.clone(),
            status: self.status.clone(),
            size: self.size,
            created_at: self.created_at,
            metadata: self.metadata.to_map(),
            servers: self.attachments.iter().map(|a| a.server.clone()).collect(),
            volume_type: self.volume_type.clone(),
            bootable: self.bootable,
            snapshot_id: self.snapshot_id.map(|id| id.to_string()),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct SnapshotRow {
    pub(crate) id: Id,
    pub(crate) volume_id: Id,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) status: String,
    pub(crate) size: u64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
    pub(crate) metadata: Metadata,
    /// The database has NULL for the time of creation; `created_at` is then what it ought to be.
    pub(crate) undated: bool,
}

impl Keyed for SnapshotRow {
    fn id(&self) -> Id {
        self.id
    }

    fn created_at(&self) -> DateTime<Utc> {
        self.created_at
    }
}

impl SnapshotRow {
    pub(crate) fn show(&self) -> Snapshot {
        Snapshot {
            id: self.id.to_string(),
            volume_id: self.volume_id.to_string(),
            name: self.name.clone(),
            description: self.description.clone(),
            status: self.status.clone(),
            size: self.size,
            created_at: self.created_at,
            updated_at: self.updated_at,
            metadata: self.metadata.to_map(),
        }
    }
}

//! A volume as planning sees it, and which of them belong together.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::policy::keys::PREFIX;
use crate::policy::{Metadata, PolicyKind, PolicyState, keys, read};

/// A volume, with its metadata already read: thousands are held at a time, and what their
/// metadata mean is smaller than what they say.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Its UUID.
    pub id: String,
    /// Cinder's word for its state.
    pub status: String,
    /// The servers it is attached to, one an attachment; empty for an attachment that names
    /// none.
    pub servers: Vec<String>,
    /// Its type: the nearest that a tenant can see to the backend that it is on.
    pub volume_type: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// Whether it is tagged as managed.
    pub managed: bool,
    /// Whether somebody says on purpose that it is not managed.
    pub says_goodbye: bool,
    /// Whether it has no key of ours at all, empty ones apart: perhaps another tool replaced its
    /// metadata.
    pub without_our_keys: bool,
    /// What it says about each kind of policy, those that are off left out.
    policies: Vec<(PolicyKind, PolicyState)>,
}

impl Volume {
    /// Reads a volume's metadata; its type and age are not known yet.
    pub fn new(id: String, status: String, servers: Vec<String>, metadata: &Metadata) -> Self {
        Self {
            id,
            status,
            servers,
            volume_type: None,
            created_at: None,
            managed: keys::is_managed(metadata),
            says_goodbye: metadata
                .get(keys::MANAGED)
                .is_some_and(|value| keys::parse_bool(value) == Some(false)),
            without_our_keys: !metadata
                .iter()
                .any(|(key, value)| key.starts_with(PREFIX) && !value.is_empty()),
            policies: PolicyKind::ALL
                .into_iter()
                .map(|kind| (kind, read(kind, metadata)))
                .filter(|(_, reading)| *reading != PolicyState::Disabled)
                .collect(),
        }
    }

    /// Whether Cinder takes snapshots of a volume in this state.
    pub(crate) fn allows_snapshots(status: &str) -> bool {
        matches!(status, "available" | "in-use")
    }

    /// The one VM that it is attached to; a volume with several attachments, or none, stands
    /// alone.
    pub fn vm(&self) -> Option<&str> {
        match self.servers.as_slice() {
            [server] if !server.is_empty() => Some(server),
            _ => None,
        }
    }

    /// What it says about each kind of policy that is not off.
    pub fn policies(&self) -> impl Iterator<Item = (PolicyKind, &PolicyState)> {
        self.policies.iter().map(|(kind, reading)| (*kind, reading))
    }

    /// What it says about this kind of policy.
    pub fn policy(&self, kind: PolicyKind) -> &PolicyState {
        self.policies()
            .find_map(|(other, reading)| (other == kind).then_some(reading))
            .unwrap_or(&PolicyState::Disabled)
    }
}

/// Volumes by what they are attached to.
#[derive(Clone, Debug, Default)]
pub struct VmGroupedVolumes<'a> {
    /// By the one VM that they are attached to: taken together, so that a VM's disks are of
    /// one moment.
    pub attached: BTreeMap<&'a str, Vec<&'a Volume>>,
    /// Attached to several VMs: no one VM's moment is theirs, so each stands alone.
    pub multi_attached: Vec<&'a Volume>,
    /// Attached to none.
    pub unattached: Vec<&'a Volume>,
}

impl<'a> VmGroupedVolumes<'a> {
    /// Every group, those of one volume included.
    pub fn groups(&self) -> impl Iterator<Item = &[&'a Volume]> {
        self.attached.values().map(Vec::as_slice).chain(
            self.multi_attached
                .iter()
                .chain(&self.unattached)
                .map(std::slice::from_ref),
        )
    }
}

/// Groups volumes by the VM that they are attached to.
pub fn group_volumes_by_vm<'a>(
    volumes: impl IntoIterator<Item = &'a Volume>,
) -> VmGroupedVolumes<'a> {
    let mut grouped = VmGroupedVolumes::default();
    for volume in volumes {
        match (volume.vm(), volume.servers.is_empty()) {
            (Some(server), _) => grouped.attached.entry(server).or_default().push(volume),
            (None, false) => grouped.multi_attached.push(volume),
            (None, true) => grouped.unattached.push(volume),
        }
    }
    grouped
}

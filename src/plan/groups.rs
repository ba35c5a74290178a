//! Which volumes belong together.

use std::collections::BTreeMap;

use super::Volume;

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

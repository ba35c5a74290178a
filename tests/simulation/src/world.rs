//! What is known of the cloud beside what it says itself: what each volume's metadata mean, and
//! how everything stood at the moments that the judge asks about.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use simcloud::{Cloud, SnapshotSpec};

use crate::case::{Case, Doing};
use crate::meaning::{Snap, Tags};

/// A volume at one moment.
#[derive(Clone, Debug)]
pub struct SeenVolume {
    /// Its state.
    pub status: String,
    /// When it was made, where listings say so.
    pub created_at: Option<DateTime<Utc>>,
    /// The servers it is attached to.
    pub servers: Vec<String>,
    /// What its metadata mean.
    pub tags: Arc<Tags>,
}

/// A volume, where there is one, and its snapshots at one moment.
#[derive(Clone, Debug)]
pub struct VolumeCopy {
    /// The volume.
    pub volume: Option<SeenVolume>,
    /// Its snapshots.
    pub snapshots: Vec<Snap>,
}

/// Everything at one moment.
#[derive(Clone, Debug)]
pub struct Copy {
    /// By id; also those that are gone and have left snapshots.
    pub volumes: BTreeMap<String, VolumeCopy>,
}

/// The judge's memory of one run. Clones are the same.
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    /// Snapshots of which listings do not say when they were made.
    undated: HashSet<String>,
    /// What else is NULL, by the id of the row.
    nulls: HashMap<String, Vec<&'static str>>,
    tags: HashMap<String, Arc<Tags>>,
    copies: Vec<Arc<Copy>>,
    /// The last one that was made, with the cloud and the version of it that it shows.
    last: Option<(Cloud, u64, Arc<Copy>)>,
    /// How often somebody did something in the middle of a step.
    meanwhile: usize,
    step: usize,
}

impl World {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new step: what was planned for the middle of the last one no longer happens.
    pub fn begin_step(&self) {
        let mut memory = self.memory();
        memory.step += 1;
        memory.copies.clear();
        memory.meanwhile = 0;
    }

    /// The number of the step.
    pub fn step(&self) -> usize {
        self.memory().step
    }

    /// How often somebody did something in the middle of this step.
    pub fn meanwhile(&self) -> usize {
        self.memory().meanwhile
    }

    /// The moments of this step that are remembered.
    pub fn copies(&self) -> Vec<Arc<Copy>> {
        self.memory().copies.clone()
    }

    /// Remembers this moment, and gives its number: that of the last one where nothing differs.
    pub fn remember(&self, cloud: &Cloud) -> usize {
        let copy = self.copy(cloud);
        let mut memory = self.memory();
        let last = memory.copies.last();
        if last.is_none_or(|last| !Arc::ptr_eq(last, &copy)) {
            memory.copies.push(copy);
        }
        memory.copies.len() - 1
    }

    /// Everything at this moment; the same as before where nothing has changed.
    pub fn copy(&self, cloud: &Cloud) -> Arc<Copy> {
        let version = cloud.version();
        if let Some((of, shows, copy)) = &self.memory().last
            && of.is(cloud)
            && *shows == version
        {
            return copy.clone();
        }
        let copy = Arc::new(self.made(cloud));
        self.memory().last = Some((cloud.clone(), version, copy.clone()));
        copy
    }

    fn made(&self, cloud: &Cloud) -> Copy {
        let mut volumes: BTreeMap<String, VolumeCopy> = BTreeMap::new();
        for volume in cloud.volumes() {
            let id = volume.id.clone();
            let copy = VolumeCopy {
                volume: Some(self.seen(volume)),
                snapshots: Vec::new(),
            };
            volumes.insert(id, copy);
        }
        for snapshot in cloud.snapshots() {
            let snap = self.snap(snapshot);
            volumes
                .entry(snap.volume_id.clone())
                .or_insert_with(|| VolumeCopy {
                    volume: None,
                    snapshots: Vec::new(),
                })
                .snapshots
                .push(snap);
        }
        Copy { volumes }
    }

    /// One volume at this moment.
    pub fn copy_of_volume(&self, cloud: &Cloud, id: &str) -> VolumeCopy {
        VolumeCopy {
            volume: cloud.volume(id).map(|volume| self.seen(volume)),
            snapshots: cloud
                .snapshots_of(id)
                .into_iter()
                .map(|one| self.snap(one))
                .collect(),
        }
    }

    /// A snapshot as listings show it.
    fn snap(&self, snapshot: simcloud::Snapshot) -> Snap {
        let mut snap = Snap::from(snapshot);
        let memory = self.memory();
        if memory.undated.contains(&snap.id) {
            snap.listed_at = None;
        }
        for field in memory.nulls.get(&snap.id).into_iter().flatten() {
            match *field {
                "status" => snap.status.clear(),
                "updated_at" => snap.updated_at = None,
                _ => {}
            }
        }
        snap
    }

    /// What is NULL of the rows of these ids; nothing where nothing is.
    pub fn nulls(&self) -> Option<HashMap<String, Vec<&'static str>>> {
        let memory = self.memory();
        (!memory.nulls.is_empty()).then(|| memory.nulls.clone())
    }

    fn seen(&self, mut volume: simcloud::Volume) -> SeenVolume {
        let memory = self.memory();
        let tags = memory.tags[&volume.id].clone();
        let mut created_at = Some(volume.created_at);
        for field in memory.nulls.get(&volume.id).into_iter().flatten() {
            match *field {
                "status" => volume.status.clear(),
                "attachments" => volume.servers.clear(),
                "created_at" => created_at = None,
                _ => {}
            }
        }
        debug_assert_eq!(
            tags.metadata, volume.metadata,
            "somebody else has written them"
        );
        SeenVolume {
            status: volume.status,
            created_at,
            servers: volume.servers,
            tags,
        }
    }

    /// Puts a drawn volume into the cloud.
    pub fn make_volume(&self, cloud: &Cloud, case: &Case, index: usize) {
        let volume = &case.volumes[index];
        let tags = volume.tags.clone();
        self.memory().tags.insert(volume.id.clone(), tags);
        cloud.add_volume(volume.spec.clone());
    }

    /// Does something in the middle of a request, if the step it was planned for is not over.
    pub fn interfere(&self, step: usize, cloud: &Cloud, case: &Case, doing: &Doing) {
        if self.step() != step {
            return;
        }
        self.remember(cloud);
        self.carry_out(cloud, case, doing);
        self.remember(cloud);
        self.memory().meanwhile += 1;
    }

    /// Does what somebody does.
    pub fn carry_out(&self, cloud: &Cloud, case: &Case, doing: &Doing) {
        let id = |volume: usize| case.volumes[volume].id.as_str();
        let nth = |volume: usize, n: usize| {
            let snapshots = cloud.snapshots_of(id(volume));
            (!snapshots.is_empty()).then(|| snapshots[n % snapshots.len()].clone())
        };
        match doing {
            Doing::MakeVolume(volume) => {
                if cloud.volume(id(*volume)).is_none() {
                    self.make_volume(cloud, case, *volume);
                }
            }
            Doing::RemoveVolume(volume) => drop(cloud.remove_volume(id(*volume))),
            Doing::Retag(volume, tags) => {
                if cloud.set_metadata(id(*volume), tags.metadata.clone()) {
                    let id = id(*volume).to_owned();
                    self.memory().tags.insert(id, tags.clone());
                }
            }
            Doing::VolumeStatus(volume, status) => {
                cloud.set_volume_status(id(*volume), status);
            }
            Doing::RemoveSnapshot(volume, n) => {
                if let Some(one) = nth(*volume, *n) {
                    cloud.remove_snapshot(&one.id);
                }
            }
            Doing::Hold(volume, n, value) => {
                if let Some(one) = nth(*volume, *n) {
                    let mut metadata = one.metadata;
                    metadata.remove("x-snapsentry-hold");
                    if let Some(value) = value {
                        metadata.insert("x-snapsentry-hold".into(), (*value).into());
                    }
                    cloud.set_snapshot_metadata(&one.id, metadata);
                }
            }
            Doing::SnapshotStatus(volume, n, status) => {
                if let Some(one) = nth(*volume, *n) {
                    cloud.set_snapshot_status(&one.id, status);
                }
            }
            Doing::LoseTime(volume, n) => {
                if let Some(one) = nth(*volume, *n) {
                    cloud.hide_created_at(&one.id);
                    let mut memory = self.memory();
                    memory.undated.insert(one.id);
                    memory.last = None;
                }
            }
            Doing::LoseField(volume, n, field) => {
                let row = match n {
                    Some(n) => nth(*volume, *n).map(|one| one.id),
                    None => Some(id(*volume).to_owned()),
                };
                if let Some(row) = row {
                    let mut memory = self.memory();
                    memory.nulls.entry(row).or_default().push(field);
                    // The cloud does not know of it, so nothing has changed there.
                    memory.last = None;
                }
            }
            Doing::ForeignSnapshot(volume) => {
                let mut spec = SnapshotSpec::of(id(*volume)).named("by-hand");
                spec.updated_at = Some(cloud.now() - TimeDelta::seconds(1));
                cloud.add_snapshot(spec);
            }
            Doing::RevokeTokens => cloud.revoke_tokens(),
            Doing::ExpireTokens => cloud.expire_tokens(),
        }
    }
}

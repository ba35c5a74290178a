//! The plan of a restore: which snapshot each volume is got back from.
//!
//! What counts is one point in time for all volumes: a database is of no use beside a log of
//! another day. So the latest window that every volume has a snapshot of is taken, and only where
//! there is none is each volume's newest taken, with a warning.
//!
//! A restore is repeatable: the copies that an earlier call made say which point it chose, and a
//! later call makes what is missing of that one, never of a newer.

mod copies;
mod point;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Snapshot, State};
use crate::policy::{Metadata, PolicyKind, keys};
use crate::text::rfc3339;

pub(crate) use copies::CopyState;
pub use copies::{RestoreAttachment, RestoreCopy, RestoreVolume};
use point::{choose, window_start};

/// The longest name that Cinder takes, in characters.
const LONGEST_NAME: usize = 255;

/// What is to be got back.
#[derive(Clone, Debug)]
pub struct RestorePoint<'a> {
    /// The name of the restore, by which its copies are known.
    pub restore_id: &'a str,
    /// The volumes attached to this server.
    pub server_id: Option<&'a str>,
    /// These volumes.
    pub volume_ids: Option<&'a BTreeSet<String>>,
    /// Only snapshots made at or before this instant.
    pub at: Option<DateTime<Utc>>,
    /// Only snapshots of this policy.
    pub policy: Option<PolicyKind>,
}

/// The snapshot that a volume is got back from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreSource {
    /// The snapshot.
    pub snapshot_id: String,
    /// Its policy, where it is known.
    pub policy: Option<PolicyKind>,
    /// The start of the window that it was taken for; when it was made where it does not say.
    pub window_start: Option<DateTime<Utc>>,
    /// When it was made; unknown where the snapshot is gone and only its copy tells of it.
    pub created_at: Option<DateTime<Utc>>,
}

/// One volume of a restore.
#[derive(Clone, Debug)]
pub struct RestoreItem<'a> {
    /// The original's UUID.
    pub volume_id: String,
    /// The original, where it is still there.
    pub original: Option<&'a RestoreVolume>,
    /// What it is got back from.
    pub source: RestoreSource,
    /// The new volume's name; the copy's own, where there is one.
    pub restored_name: String,
    /// The new volume's metadata.
    pub metadata: Metadata,
    /// The copy that an earlier call made.
    pub copy: Option<RestoreCopy>,
    /// Further copies of the same volume, made by calls side by side: one would have done.
    pub surplus: Vec<String>,
}

/// The plan of a restore.
#[derive(Clone, Debug)]
pub struct RestorePlan<'a> {
    /// One for every volume that has something to be got back from, by the volume's id.
    pub items: Vec<RestoreItem<'a>>,
    /// Volumes of which nothing can be got back.
    pub without_snapshot: Vec<String>,
    /// The first and the last instant of what is got back, where the volumes have no common
    /// window.
    pub spread: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl RestorePlan<'_> {
    /// Takes in what a copy says of itself: one that was found when an answer was lost may be another
    /// call's, and of another snapshot than was planned. What is told is what is there.
    pub fn learn(&mut self, copy: &RestoreVolume, snapshots: &[Snapshot]) {
        let Some(made_of) = copy.source(snapshots) else {
            return;
        };
        let of = copy.restored_volume.as_ref();
        for item in &mut self.items {
            if Some(&item.volume_id) == of && item.source.snapshot_id != made_of.snapshot_id {
                item.source = made_of.clone();
            }
        }
        self.spread = spread(&self.items);
    }
}

/// There is nothing to restore from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NothingToRestore {
    /// No volume is attached to the server, nor was one when an earlier call was made.
    #[error(
        "no volume of this project is attached to the server {0}; name the volumes in volume_ids, \
         also those that are gone"
    )]
    NoVolumes(String),
    /// No volume has an available managed snapshot that fits.
    #[error(
        "none of the {volumes} volumes has an available managed snapshot that fits; {}",
        hint(.oldest)
    )]
    NoSnapshots {
        /// How many volumes were asked for.
        volumes: usize,
        /// When the oldest available one was made, whatever was asked for.
        oldest: Option<(String, DateTime<Utc>)>,
    },
}

fn hint(oldest: &Option<(String, DateTime<Utc>)>) -> String {
    match oldest {
        Some((id, at)) => format!(
            "the oldest there is, {id}, was made at {}: choose a later instant for at, or leave \
             policy out",
            rfc3339(*at)
        ),
        None => "they have no available managed snapshot at all".to_owned(),
    }
}

/// Plans a restore over all volumes of the project and the managed snapshots of those that it is
/// about (see [`originals`]).
///
/// # Errors
/// [`NothingToRestore`].
pub fn plan<'a>(
    point: &RestorePoint<'_>,
    volumes: &'a BTreeMap<String, RestoreVolume>,
    snapshots: &[Snapshot],
) -> Result<RestorePlan<'a>, NothingToRestore> {
    let originals = originals(point, volumes);
    if originals.is_empty() {
        let server = point.server_id.unwrap_or_default().to_owned();
        return Err(NothingToRestore::NoVolumes(server));
    }
    let mut copies = copies::by_original(point.restore_id, volumes);
    let chosen = choose(point, &originals, snapshots, &copies);
    let mut items = Vec::new();
    let mut without_snapshot = Vec::new();
    for volume_id in originals {
        let mut made = copies.remove(&volume_id).unwrap_or_default().into_iter();
        let copy = made.next();
        let source = match (&copy, chosen.by_volume.get(&volume_id)) {
            (Some(copy), _) => copy.source(snapshots),
            (None, Some(snapshot)) => source(snapshot),
            (None, None) => {
                without_snapshot.push(volume_id);
                continue;
            }
        };
        let original = volumes.get(&volume_id);
        items.push(RestoreItem {
            restored_name: (copy.as_ref().and_then(|copy| copy.name.clone()))
                .unwrap_or_else(|| name(point.restore_id, &volume_id, original)),
            metadata: metadata(point.restore_id, &volume_id, &source),
            surplus: made.map(|copy| copy.volume_id).collect(),
            original,
            source,
            copy,
            volume_id,
        });
    }
    if items.is_empty() {
        return Err(NothingToRestore::NoSnapshots {
            volumes: without_snapshot.len(),
            oldest: oldest(snapshots),
        });
    }
    Ok(RestorePlan {
        spread: spread(&items),
        items,
        without_snapshot,
    })
}

/// The volumes that a restore is about: those attached to the server or named, less the copies
/// that it made itself, and those that its copies name, attached or not.
pub fn originals(
    point: &RestorePoint<'_>,
    volumes: &BTreeMap<String, RestoreVolume>,
) -> BTreeSet<String> {
    let is_copy = |id: &str| {
        volumes
            .get(id)
            .is_some_and(|volume| volume.is_copy_of(point.restore_id))
    };
    let attached = volumes.values().filter(|volume| {
        let mut attachments = volume.attachments.iter();
        attachments.any(|one| Some(one.server_id.as_str()) == point.server_id)
    });
    let named = point.volume_ids.into_iter().flatten().cloned();
    let of_copies = volumes
        .values()
        .filter(|volume| volume.is_copy_of(point.restore_id))
        .filter_map(|volume| volume.restored_volume.clone());
    named
        .chain(attached.map(|volume| volume.id.clone()))
        .filter(|id| !is_copy(id))
        .chain(of_copies)
        .collect()
}

/// The first and the last instant of what is got back, unless all of it is of one window.
fn spread(items: &[RestoreItem<'_>]) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let sources = || items.iter().map(|item| &item.source);
    let starts: BTreeSet<_> = sources().map(|one| one.window_start).collect();
    // Of a snapshot that is gone its copy tells the window and no policy.
    let known = sources().filter(|one| one.created_at.is_some());
    let policies: BTreeSet<_> = known.map(|one| one.policy).collect();
    if starts.len() < 2 && policies.len() < 2 {
        return None;
    }
    let instants = || sources().filter_map(|one| one.created_at.or(one.window_start));
    Some((instants().min()?, instants().max()?))
}

fn source(snapshot: &Snapshot) -> RestoreSource {
    RestoreSource {
        snapshot_id: snapshot.id.clone(),
        policy: snapshot.policy,
        window_start: window_start(snapshot),
        created_at: snapshot.created_at,
    }
}

fn oldest(snapshots: &[Snapshot]) -> Option<(String, DateTime<Utc>)> {
    snapshots
        .iter()
        .filter(|one| one.state == State::Available)
        .filter_map(|one| Some((one.id.clone(), one.created_at?)))
        .min_by_key(|(_, at)| *at)
}

fn name(restore_id: &str, volume_id: &str, original: Option<&RestoreVolume>) -> String {
    let name = original.and_then(|one| one.name.as_deref());
    let name = name.filter(|name| !name.is_empty()).unwrap_or(volume_id);
    let whole = format!("restored-{restore_id}-{name}");
    whole.chars().take(LONGEST_NAME).collect()
}

fn metadata(restore_id: &str, volume_id: &str, source: &RestoreSource) -> Metadata {
    let mut metadata = Metadata::from([
        (keys::RESTORE_ID.to_owned(), restore_id.to_owned()),
        (keys::RESTORED_VOLUME.to_owned(), volume_id.to_owned()),
        (
            keys::RESTORED_SNAPSHOT.to_owned(),
            source.snapshot_id.clone(),
        ),
    ]);
    if let Some(start) = source.window_start {
        metadata.insert(keys::RESTORED_WINDOW_START.to_owned(), rfc3339(start));
    }
    metadata
}

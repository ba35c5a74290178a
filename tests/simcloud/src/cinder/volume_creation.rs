//! `POST volumes` and `DELETE volumes/ID`: new volumes, from a snapshot or from nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::volumes::{Shown, written};
use super::{Caller, limits, schema, volumes};
use crate::answer::{self, Answer, invalid_field};
use crate::call::Call;
use crate::health::Work;
use crate::id::Id;
use crate::journal::Happening;
use crate::rows::VolumeRow;
use crate::state::State;

pub(super) fn create(state: &mut State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let body = schema::body(call)?;
    let wanted = Wanted::read(&body, caller.minor)?;
    let origin = match &wanted.snapshot_id {
        None => None,
        Some(text) => {
            let row = text
                .parse::<Id>()
                .ok()
                .filter(|_| caller.home)
                .and_then(|id| state.snapshots.get(id))
                .ok_or_else(|| answer::not_found("Snapshot", text))?;
            Some((row.id, row.volume_id, row.size, row.status.clone()))
        }
    };
    let size = match (wanted.size, &origin) {
        (Some(size), _) => size,
        (None, Some((_, _, size, _))) => *size,
        (None, None) => {
            let text = "The server could not comply with the request since it is either malformed \
                        or otherwise incorrect.";
            return Err(answer::fault(400, text));
        }
    };
    caller.may_write("volume:create")?;
    if let Some((_, _, least, status)) = &origin {
        if status != "available" {
            let text = "Invalid snapshot: Originating snapshot status must be one of 'available' \
                        values";
            return Err(answer::fault(400, text));
        }
        if size < *least {
            let text = format!(
                "Invalid input received: Volume size '{size}'GB cannot be smaller than the \
                 snapshot size {least}GB. They must be >= original snapshot size."
            );
            return Err(answer::fault(400, &text));
        }
    }
    within_quota(state, size)?;
    if wanted.texts().any(schema::has_emoji) {
        return Err(answer::broken());
    }
    let source = origin
        .as_ref()
        .and_then(|(_, id, _, _)| state.volumes.get(*id));
    let (bootable, same_type) =
        source.map_or((false, None), |row| (row.bootable, row.volume_type.clone()));
    let volume_type = wanted
        .volume_type
        .or(same_type)
        .or_else(|| state.config.default_volume_type.clone());
    let row = VolumeRow {
        id: state.new_id(),
        name: wanted.name,
        status: "creating".into(),
        size,
        created_at: state.kept(call.now),
        updated_at: None,
        metadata: wanted.metadata.into(),
        doubled: Default::default(),
        first_written: Default::default(),
        attachments: Vec::new(),
        description: wanted.description,
        volume_type,
        bootable,
        snapshot_id: origin.map(|(id, _, _, _)| id),
    };
    // Not yet read back from the database: with microseconds.
    let out = written(state, call, caller, &row, Shown::Made(call.now));
    let new = row.id;
    state.volumes.insert(row);
    state.note_volume(
        call.now,
        Some(call.sequence),
        new,
        Happening::VolumeCreating,
    );
    state.send(call.now, Some(call.sequence), Work::CreateVolume(new));
    Ok(answer::json(202, out))
}

pub(super) fn delete(state: &mut State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let row = volumes::find(state, call, caller)?;
    caller.may_write("volume:delete")?;
    let id = row.id;
    let free = matches!(
        &*row.status,
        "available" | "error" | "error_restoring" | "error_extending" | "error_managing"
    );
    if !free || !row.attachments.is_empty() || state.snapshots_of(id).next().is_some() {
        let text = "Invalid volume: Volume status must be available or error or error_restoring or \
                    error_extending or error_managing and must not be migrating, attached, belong \
                    to a group, have snapshots, awaiting a transfer, or be disassociated from \
                    snapshots after volume transfer.";
        return Err(answer::fault(400, text));
    }
    state.set_volume_status(call.now, id, "deleting");
    state.send(call.now, Some(call.sequence), Work::DeleteVolume(id));
    // Labelled so although there is nothing in it.
    Ok(answer::with_body(202, "text/html; charset=UTF-8", ""))
}

/// A body of `POST volumes` that keeps to the schema.
struct Wanted {
    name: Option<String>,
    description: Option<String>,
    size: Option<u64>,
    snapshot_id: Option<String>,
    volume_type: Option<String>,
    metadata: BTreeMap<String, String>,
}

const KNOWN: [&str; 14] = [
    "name",
    "display_name",
    "description",
    "size",
    "snapshot_id",
    "volume_type",
    "metadata",
    "availability_zone",
    "source_volid",
    "imageRef",
    "consistencygroup_id",
    "multiattach",
    "group_id",
    "backup_id",
];

impl Wanted {
    fn read(body: &Value, minor: u32) -> Result<Self, Answer> {
        let volume = schema::only_object(body, "volume")?;
        // Before, whatever else is there is overlooked.
        if minor >= 53 {
            schema::no_more_than(volume, "volume", &KNOWN)?;
        }
        for source in ["source_volid", "imageRef", "backup_id"] {
            if volume.get(source).is_some_and(|value| !value.is_null()) {
                // The real one can; nobody here asks for it.
                let text = format!("The embedded cloud makes no volumes from a {source}.");
                return Err(answer::fault(501, &text));
            }
        }
        let snapshot_id = match volume.get("snapshot_id") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.parse::<Id>().is_ok() => Some(text.clone()),
            Some(other) => {
                let shown = schema::python(other);
                let why = format!("{shown} is not valid under any of the given schemas");
                return Err(invalid_field("snapshot_id", other, &why));
            }
        };
        let text = |name: &str| schema::short_text(name, volume.get(name));
        let name = match volume.get("name").or_else(|| volume.get("display_name")) {
            Some(Value::String(text)) if text.trim().chars().count() > 255 => {
                let length = text.trim().chars().count();
                let text =
                    format!("Invalid input received: name has {length} characters, more than 255.");
                return Err(answer::fault(400, &text));
            }
            name => schema::short_text("name", name)?,
        };
        Ok(Self {
            name: name.map(|name| name.trim().to_owned()),
            description: text("description")?,
            size: size(volume.get("size"))?,
            snapshot_id,
            volume_type: text("volume_type")?.filter(|name| !name.is_empty()),
            metadata: match volume.get("metadata") {
                None | Some(Value::Null) => Default::default(),
                Some(given) => schema::metadata(given, true)?,
            },
        })
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let pairs = self.metadata.iter().flat_map(|(key, value)| [key, value]);
        self.name
            .iter()
            .chain(&self.description)
            .chain(pairs)
            .map(String::as_str)
    }
}

fn size(given: Option<&Value>) -> Result<Option<u64>, Answer> {
    match given {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = match value {
                Value::String(text) => text.parse().ok(),
                other => other.as_u64(),
            };
            match number {
                Some(0) => Err(invalid_field(
                    "size",
                    value,
                    "0 is less than the minimum of 1",
                )),
                Some(size) => Ok(Some(size)),
                None => {
                    let why = format!("{} does not match '^[0-9]+$'", schema::python(value));
                    Err(invalid_field("size", value, &why))
                }
            }
        }
    }
}

fn within_quota(state: &State, size: u64) -> Result<(), Answer> {
    let (gigabytes, used) = (state.config.gigabytes_quota, limits::gigabytes(state));
    if u64::try_from(gigabytes).is_ok_and(|quota| used + size > quota) {
        let text = format!(
            "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed \
             gigabytes quota. Requested {size}G, quota is {gigabytes}G and {used}G has been \
             consumed."
        );
        return Err(answer::over_quota(&text));
    }
    let quota = state.config.volume_quota;
    if usize::try_from(quota).is_ok_and(|quota| state.volumes.len() >= quota) {
        let text = format!(
            "VolumeLimitExceeded: Maximum number of volumes allowed ({quota}) exceeded for quota \
             'volumes'."
        );
        return Err(answer::over_quota(&text));
    }
    Ok(())
}

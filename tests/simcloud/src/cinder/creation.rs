//! `POST snapshots`: what is asked for, what is refused, and the row that comes of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::schema;
use super::snapshots::{write, write_later_fields};
use super::{Caller, limits};
use crate::answer::{self, Answer, invalid_field};
use crate::call::Call;
use crate::id::Id;
use crate::json::Object;
use crate::rows::SnapshotRow;
use crate::state::State;

pub(super) fn create(state: &mut State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let body = schema::body(call)?;
    let wanted = Wanted::read(&body, caller.minor)?;
    let volume = wanted
        .volume_id
        .parse::<Id>()
        .ok()
        .filter(|_| caller.home)
        .and_then(|id| state.volumes.get(id))
        .ok_or_else(|| answer::not_found("Volume", &wanted.volume_id))?;
    caller.may_write("volume:create_snapshot")?;
    may_be_taken(
        &wanted.volume_id,
        &volume.status,
        wanted.force || caller.minor >= 66,
    )?;
    let (volume_id, size) = (volume.id, volume.size);
    within_quota(state, size)?;
    let texts = wanted.name.iter().chain(wanted.metadata.values());
    if texts
        .chain(wanted.metadata.keys())
        .any(|text| schema::has_emoji(text))
    {
        return Err(answer::broken());
    }
    let row = SnapshotRow {
        id: state.new_id(),
        volume_id,
        name: wanted.name,
        description: wanted.description,
        status: "creating".into(),
        size,
        created_at: state.kept(call.now),
        updated_at: None,
        metadata: wanted.metadata.into(),
        undated: false,
    };
    let mut out = String::with_capacity(640);
    let mut outer = Object::begin(&mut out);
    let mut object = Object::begin(outer.key("snapshot"));
    // Not yet read back from the database: with microseconds.
    write(&mut object, &row, Some(call.now));
    write_later_fields(&mut object, state, caller);
    object.end();
    outer.end();
    let new = row.id;
    state.add_snapshot(row);
    state.begin_creation(call.now, call.sequence, new);
    Ok(answer::json(202, out))
}

/// A body of `POST snapshots` that keeps to the schema.
struct Wanted {
    volume_id: String,
    name: Option<String>,
    description: Option<String>,
    force: bool,
    metadata: BTreeMap<String, String>,
}

impl Wanted {
    fn read(body: &Value, minor: u32) -> Result<Self, Answer> {
        let snapshot = schema::only_object(body, "snapshot")?;
        let known = [
            "name",
            "display_name",
            "description",
            "volume_id",
            "force",
            "metadata",
        ];
        schema::no_more_than(snapshot, "snapshot", &known)?;
        let volume_id = match snapshot.get("volume_id") {
            Some(Value::String(text)) if text.parse::<Id>().is_ok() => text.clone(),
            Some(Value::Null) => "None".into(),
            Some(other) => {
                let why = format!("{} is not a 'uuid'", schema::python(other));
                return Err(invalid_field("volume_id", other, &why));
            }
            None => {
                let why = "'volume_id' is a required property";
                return Err(invalid_field("snapshot", &body["snapshot"], why));
            }
        };
        let name = snapshot
            .get("name")
            .or_else(|| snapshot.get("display_name"));
        Ok(Self {
            volume_id,
            name: schema::short_text("name", name)?.map(|name| name.trim().to_owned()),
            description: schema::short_text("description", snapshot.get("description"))?,
            force: force(snapshot, minor)?,
            metadata: match snapshot.get("metadata") {
                None | Some(Value::Null) => Default::default(),
                Some(given) => schema::metadata(given, true)?,
            },
        })
        .and_then(|wanted: Self| match &wanted.description {
            Some(text) if schema::has_emoji(text) => {
                let value = Value::String(text.clone());
                Err(invalid_field("description", &value, "Invalid characters."))
            }
            _ => Ok(wanted),
        })
    }
}

fn force(snapshot: &Map<String, Value>, minor: u32) -> Result<bool, Answer> {
    let Some(given) = snapshot.get("force") else {
        return Ok(false);
    };
    let Some(force) = schema::boolean(given) else {
        let why = format!(
            "{} is not one of the accepted booleans",
            schema::python(given)
        );
        return Err(invalid_field("force", given, &why));
    };
    if minor >= 66 && !force {
        let text = "Since microversion 3.66 the 'force' flag is invalid for this request. For \
                    backward compatability, however, when the 'force' flag is passed with a value \
                    evaluating to True, it is silently ignored.";
        return Err(answer::fault(400, text));
    }
    Ok(force)
}

fn may_be_taken(volume: &str, status: &str, force: bool) -> Result<(), Answer> {
    let text = match status {
        "available" => return Ok(()),
        "in-use" if force => return Ok(()),
        "error" => "Invalid volume: The snapshot cannot be created when the volume is in error \
                    status."
            .to_owned(),
        "maintenance" => "Invalid volume: The snapshot cannot be created when the volume is in \
                          maintenance mode."
            .to_owned(),
        other => {
            let allowed = if force {
                "available, in-use"
            } else {
                "available"
            };
            format!(
                "Invalid volume: Volume {volume} status must be {allowed}, but current status is: \
                 {other}."
            )
        }
    };
    Err(answer::fault(400, &text))
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
    let quota = state.config.snapshot_quota;
    if usize::try_from(quota).is_ok_and(|quota| state.snapshots.len() >= quota) {
        let text = format!(
            "SnapshotLimitExceeded: Maximum number of snapshots allowed ({quota}) exceeded"
        );
        return Err(answer::over_quota(&text));
    }
    Ok(())
}

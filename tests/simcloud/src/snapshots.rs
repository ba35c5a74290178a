//! Snapshots: shown, created and deleted as Cinder does it.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::answer::{self, Answer, invalid_field};
use crate::call::Call;
use crate::cinder::Caller;
use crate::config::Role;
use crate::id::Id;
use crate::json::Object;
use crate::listing::{Collection, Listing, Sortable, metadata_filter, same_text};
use crate::rows::SnapshotRow;
use crate::state::State;
use crate::table::Table;
use crate::volumes::{id, write_metadata};
use crate::{limits, schema};

const SNAPSHOTS: Collection = Collection {
    name: "snapshots",
    singular: "Snapshot",
    filters: &[
        "name",
        "status",
        "volume_id",
        "metadata",
        "availability_zone",
        "consumes_quota",
    ],
};

impl Sortable for SnapshotRow {
    fn compare(&self, other: &Self, key: &str) -> Option<Ordering> {
        Some(match key {
            "id" => self.id.cmp(&other.id),
            "created_at" => self.created_at.cmp(&other.created_at),
            "volume_id" => self.volume_id.cmp(&other.volume_id),
            "status" => self.status.cmp(&other.status),
            "updated_at" => self.updated_at.cmp(&other.updated_at),
            "name" => self.name.cmp(&other.name),
            _ => return None,
        })
    }

    fn sorts_by(key: &str, minor: u32) -> bool {
        matches!(
            key,
            "id" | "created_at" | "volume_id" | "status" | "updated_at"
        ) || (key == "name" && minor >= 30)
    }
}

type Keep = Box<dyn Fn(&SnapshotRow) -> bool>;

fn filter(key: &str, value: String, minor: u32) -> Keep {
    match key {
        "metadata" if minor < 22 => Box::new(|_| true),
        "metadata" => match metadata_filter(&value) {
            Some(fits) => Box::new(move |row| fits(&row.metadata)),
            None => Box::new(|_| false),
        },
        "name" => Box::new(move |row| {
            row.name
                .as_deref()
                .is_some_and(|name| same_text(name, &value))
        }),
        "status" => Box::new(move |row| same_text(&row.status, &value)),
        "volume_id" => {
            let wanted: Option<Id> = value.parse().ok();
            Box::new(move |row| Some(row.volume_id) == wanted)
        }
        "consumes_quota" => Box::new(|_| true),
        _ => Box::new(|_| false),
    }
}

pub(crate) fn list(state: &State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let max = state.config.osapi_max_limit;
    let listing = Listing::read::<SnapshotRow>(call, caller, &SNAPSHOTS, max)?;
    let filters: Vec<Keep> = listing
        .filters
        .iter()
        .map(|(key, value)| filter(key, value.clone(), caller.minor))
        .collect();
    let keep = |row: &SnapshotRow| !listing.hopeless && filters.iter().all(|keep| keep(row));
    let links = state
        .config
        .link_base
        .clone()
        .unwrap_or_else(|| call.base());
    let detail = call.target.segment(1) == "detail";
    let nothing = Table::default();
    let table = if caller.home {
        &state.snapshots
    } else {
        &nothing
    };
    let volume = listing.filters.iter().find(|(key, _)| key == "volume_id");
    let some = volume
        .and_then(|(_, value)| value.parse::<Id>().ok())
        .filter(|_| caller.home)
        .map(|volume| state.snapshots_of(volume).collect());
    listing.answer(call, &links, &SNAPSHOTS, table, some, &keep, &|row, out| {
        let mut object = Object::begin(out);
        write(&mut object, row, Some(row.created_at));
        if detail {
            write_detail(&mut object, state, row, caller);
        }
        object.end();
    })
}

fn write(
    object: &mut Object<'_>,
    row: &SnapshotRow,
    created_at: Option<chrono::DateTime<chrono::Utc>>,
) {
    id(object, "id", row.id);
    object.time("created_at", created_at);
    object.time("updated_at", row.updated_at);
    object.optional("name", row.name.as_deref());
    object.optional("description", row.description.as_deref());
    id(object, "volume_id", row.volume_id);
    object.string("status", &row.status);
    object.number("size", row.size);
    write_metadata(&row.metadata, object.key("metadata"));
}

fn write_detail(object: &mut Object<'_>, state: &State, row: &SnapshotRow, caller: Caller) {
    object.string(
        "os-extended-snapshot-attributes:project_id",
        &state.project_id,
    );
    let progress = if matches!(&*row.status, "creating" | "error") {
        "0%"
    } else {
        "100%"
    };
    object.string("os-extended-snapshot-attributes:progress", progress);
    write_later_fields(object, state, caller);
}

fn write_later_fields(object: &mut Object<'_>, state: &State, caller: Caller) {
    if caller.minor >= 14 {
        object.raw("group_snapshot_id", "null");
    }
    if caller.minor >= 41 {
        object.string("user_id", &state.user_id);
    }
    if caller.minor >= 65 {
        object.flag("consumes_quota", true);
    }
}

/// The snapshot that the path names.
pub(crate) fn find<'a>(
    state: &'a State,
    call: &Call,
    caller: Caller,
) -> Result<&'a SnapshotRow, Answer> {
    let text = call.target.segment(1);
    text.parse::<Id>()
        .ok()
        .filter(|_| caller.home)
        .and_then(|id| state.snapshots.get(id))
        .ok_or_else(|| answer::not_found("Snapshot", text))
}

pub(crate) fn get(state: &State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let row = find(state, call, caller)?;
    let mut out = String::with_capacity(640);
    let mut outer = Object::begin(&mut out);
    let mut object = Object::begin(outer.key("snapshot"));
    write(&mut object, row, Some(row.created_at));
    write_detail(&mut object, state, row, caller);
    object.end();
    outer.end();
    Ok(answer::json(200, out))
}

pub(crate) fn create(state: &mut State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
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
    metadata: std::collections::BTreeMap<String, String>,
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

pub(crate) fn delete(state: &mut State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let row = find(state, call, caller)?;
    caller.may_write("volume:delete_snapshot")?;
    if !matches!(&*row.status, "available" | "error") {
        let text = "Invalid snapshot: Snapshot status must be available or error and must not be \
                    part of a group.";
        return Err(answer::fault(400, text));
    }
    let id = row.id;
    state.begin_deletion(call.now, call.sequence, id);
    Ok(accepted())
}

/// `POST snapshots/ID/action`.
pub(crate) fn act(state: &mut State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let body = schema::body(call)?;
    let id = find(state, call, caller)?.id;
    let action = body.as_object().and_then(|body| body.iter().next());
    let policy = match action.map(|(name, _)| name.as_str()) {
        Some("os-force_delete") => "force_delete",
        Some("os-reset_status") => "reset_status",
        Some(other) => {
            return Err(answer::fault(
                400,
                &format!("There is no such action: {other}"),
            ));
        }
        None => return Err(answer::fault(400, "Malformed request body")),
    };
    if caller.role < Role::Admin {
        let policy = format!("volume_extension:snapshot_admin_actions:{policy}");
        return Err(answer::forbidden(&policy));
    }
    if policy == "force_delete" {
        state.begin_deletion(call.now, call.sequence, id);
    } else {
        let status = body["os-reset_status"]["status"].as_str();
        let status = status
            .ok_or_else(|| answer::fault(400, "Must specify 'status'"))?
            .to_owned();
        state.set_status(call.now, id, &status);
    }
    Ok(accepted())
}

/// 202 without a body, labelled as it is.
fn accepted() -> Answer {
    answer::with_body(202, "text/html; charset=UTF-8", "")
}

//! Metadata of volumes and snapshots: merged, replaced, and lost where two writers meet.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

use super::Caller;
use super::schema;
use super::volumes::write_metadata;
use super::{snapshots, volumes};
use crate::answer::{self, Answer};
use crate::call::Call;
use crate::id::Id;
use crate::journal::{Change, Happening};
use crate::json::Object;
use crate::rows::Metadata;
use crate::state::State;

pub(super) fn of_volume(state: &State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let metadata = &volumes::find(state, call, caller)?.metadata;
    let mut answer = shown(metadata);
    if caller.minor >= 15 {
        // Really so: JSON under the wrong label.
        answer::set(&mut answer, "content-type", "text/html; charset=UTF-8");
        answer::set(&mut answer, "etag", &etag(metadata));
    }
    Ok(answer)
}

pub(super) fn of_snapshot(state: &State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    Ok(shown(&snapshots::find(state, call, caller)?.metadata))
}

pub(super) fn merge_volume(
    state: &mut State,
    call: &Call,
    caller: Caller,
) -> Result<Answer, Answer> {
    let given = body_metadata(call, true)?;
    let id = writable(state, call, caller, "volume:create_volume_metadata")?;
    write_volume(state, call, id, given, false)?;
    volume_answer(state, id)
}

pub(super) fn replace_volume(
    state: &mut State,
    call: &Call,
    caller: Caller,
) -> Result<Answer, Answer> {
    let given = body_metadata(call, true)?;
    let id = writable(state, call, caller, "volume:update_volume_metadata")?;
    let current = state.volumes.get(id).map(|row| etag(&row.metadata));
    if caller.minor >= 15
        && call
            .header("if-match")
            .is_some_and(|wanted| Some(wanted) != current.as_deref())
    {
        return Err(answer::with_body(412, "text/html; charset=UTF-8", ""));
    }
    write_volume(state, call, id, given, true)?;
    volume_answer(state, id)
}

/// `PUT volumes/ID`: the metadata in it replaces all.
pub(super) fn update_volume(
    state: &mut State,
    call: &Call,
    caller: Caller,
) -> Result<Answer, Answer> {
    let body = schema::body(call)?;
    let wanted = schema::only_object(&body, "volume")?;
    let known = [
        "name",
        "display_name",
        "description",
        "display_description",
        "metadata",
    ];
    schema::no_more_than(wanted, "volume", &known)?;
    let given = wanted
        .get("metadata")
        .map(|given| schema::metadata(given, true))
        .transpose()?;
    let name = schema::short_text("name", wanted.get("name"))?;
    let id = volumes::find(state, call, caller)?.id;
    caller.may_write("volume:update")?;
    if let Some(given) = given {
        write_volume(state, call, id, given, true)?;
    }
    if let (Some(name), Some(row)) = (name, state.volumes.get_mut(id)) {
        row.name = Some(name.trim().to_owned());
    }
    volumes::get(state, call, caller)
}

pub(super) fn volume_key(state: &State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let row = volumes::find(state, call, caller)?;
    let key = call.target.segment(3);
    let value = row
        .metadata
        .get(key)
        .ok_or_else(|| no_such_key("Volume", row.id, key))?;
    Ok(answer::json(
        200,
        json!({ "meta": { key: value } }).to_string(),
    ))
}

pub(super) fn set_volume_key(
    state: &mut State,
    call: &Call,
    caller: Caller,
) -> Result<Answer, Answer> {
    let (key, given) = body_meta(call, true)?;
    let id = writable(state, call, caller, "volume:update_volume_metadata")?;
    write_volume(state, call, id, given, false)?;
    let value = state.volumes.get(id).and_then(|row| row.metadata.get(&key));
    Ok(answer::json(
        200,
        json!({ "meta": { key: value } }).to_string(),
    ))
}

pub(super) fn delete_volume_key(
    state: &mut State,
    call: &Call,
    caller: Caller,
) -> Result<Answer, Answer> {
    let key = call.target.segment(3);
    let id = writable(state, call, caller, "volume:delete_volume_metadata")?;
    let row = state.volumes.get_mut(id).ok_or_else(answer::broken)?;
    if row.metadata.get(key).is_none() {
        return Err(no_such_key("Volume", id, key));
    }
    row.metadata.remove(key);
    // Both rows go, where a race had left two: the key is whole again.
    row.doubled.remove(key);
    row.first_written.remove(key);
    note(state, call, id, None);
    Ok(answer::with_body(200, "text/html; charset=UTF-8", ""))
}

pub(super) fn write_snapshot(
    state: &mut State,
    call: &Call,
    caller: Caller,
    replace: bool,
) -> Result<Answer, Answer> {
    let given = body_metadata(call, false)?;
    write_to_snapshot(state, call, caller, given, replace)
}

pub(super) fn snapshot_key(state: &State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let row = snapshots::find(state, call, caller)?;
    let key = call.target.segment(3);
    let value = row.metadata.get(key);
    let value = value.ok_or_else(|| no_such_key("Snapshot", row.id, key))?;
    Ok(answer::json(
        200,
        json!({ "meta": { key: value } }).to_string(),
    ))
}

pub(super) fn set_snapshot_key(
    state: &mut State,
    call: &Call,
    caller: Caller,
) -> Result<Answer, Answer> {
    let (_, given) = body_meta(call, false)?;
    write_to_snapshot(state, call, caller, given, false)?;
    snapshot_key(state, call, caller)
}

pub(super) fn delete_snapshot_key(
    state: &mut State,
    call: &Call,
    caller: Caller,
) -> Result<Answer, Answer> {
    let key = call.target.segment(3);
    let id = snapshots::find(state, call, caller)?.id;
    caller.may_write("volume:delete_snapshot_metadata")?;
    let updated_at = state.kept(call.now);
    let row = state.snapshots.get_mut(id).ok_or_else(answer::broken)?;
    if row.metadata.get(key).is_none() {
        return Err(no_such_key("Snapshot", id, key));
    }
    row.metadata.remove(key);
    row.updated_at = Some(updated_at);
    let volume = row.volume_id;
    note(state, call, volume, Some(id));
    Ok(answer::with_body(200, "text/html; charset=UTF-8", ""))
}

/// `PUT snapshots/ID`: name and description, and nothing else.
pub(super) fn update_snapshot(
    state: &mut State,
    call: &Call,
    caller: Caller,
) -> Result<Answer, Answer> {
    let body = schema::body(call)?;
    let wanted = schema::only_object(&body, "snapshot")?;
    let known = ["name", "display_name", "description", "display_description"];
    schema::no_more_than(wanted, "snapshot", &known)?;
    let name = schema::short_text("name", wanted.get("name"))?;
    let description = schema::short_text("description", wanted.get("description"))?;
    let id = snapshots::find(state, call, caller)?.id;
    caller.may_write("volume:update_snapshot")?;
    let updated_at = state.kept(call.now);
    let row = state.snapshots.get_mut(id).ok_or_else(answer::broken)?;
    if let Some(name) = name {
        row.name = Some(name.trim().to_owned());
    }
    if description.is_some() {
        row.description = description;
    }
    row.updated_at = Some(updated_at);
    snapshots::get(state, call, caller)
}

fn write_to_snapshot(
    state: &mut State,
    call: &Call,
    caller: Caller,
    given: BTreeMap<String, String>,
    replace: bool,
) -> Result<Answer, Answer> {
    let id = snapshots::find(state, call, caller)?.id;
    caller.may_write("volume:update_snapshot_metadata")?;
    if given
        .iter()
        .any(|(key, value)| schema::has_emoji(key) || schema::has_emoji(value))
    {
        return Err(answer::broken());
    }
    let updated_at = state.kept(call.now);
    let row = state.snapshots.get_mut(id).ok_or_else(answer::broken)?;
    if replace {
        row.metadata = Metadata::default();
    }
    for (key, value) in &given {
        row.metadata.set(key, value);
    }
    row.updated_at = Some(updated_at);
    let (answer, volume) = (shown(&row.metadata), row.volume_id);
    note(state, call, volume, Some(id));
    Ok(answer)
}

/// Key and value of a body that sets the key that the path names.
fn body_meta(call: &Call, slashes: bool) -> Result<(String, BTreeMap<String, String>), Answer> {
    let body = schema::body(call)?;
    let meta = schema::only_object(&body, "meta")?;
    let key = call.target.segment(3).to_owned();
    if meta.len() != 1 || !meta.contains_key(&key) {
        return Err(answer::fault(400, "Request body and URI mismatch"));
    }
    let given = schema::metadata(&Value::Object(meta.clone()), slashes)?;
    Ok((key, given))
}

fn body_metadata(call: &Call, slashes: bool) -> Result<BTreeMap<String, String>, Answer> {
    let body = schema::body(call)?;
    let given = schema::only_object(&body, "metadata")?;
    schema::metadata(&Value::Object(given.clone()), slashes)
}

fn writable(state: &State, call: &Call, caller: Caller, policy: &str) -> Result<Id, Answer> {
    let row = volumes::find(state, call, caller)?;
    caller.may_write(policy)?;
    if row.status == "maintenance" {
        let text = "Invalid volume: Updating volume metadata is not allowed for volumes in \
                    maintenance status.";
        return Err(answer::fault(400, text));
    }
    Ok(row.id)
}

/// Writes metadata of a volume, as the database does: a key with two rows keeps its old value.
fn write_volume(
    state: &mut State,
    call: &Call,
    id: Id,
    given: BTreeMap<String, String>,
    replace: bool,
) -> Result<(), Answer> {
    if given
        .iter()
        .any(|(key, value)| schema::has_emoji(key) || schema::has_emoji(value))
    {
        return Err(answer::broken());
    }
    let (races, tick) = (state.config.metadata_race, state.next_tick());
    let row = state.volumes.get_mut(id).ok_or_else(answer::broken)?;
    if replace {
        let gone: Vec<String> = row
            .metadata
            .to_map()
            .into_keys()
            .filter(|key| !given.contains_key(key))
            .collect();
        for key in gone {
            row.metadata.remove(&key);
            row.doubled.remove(&key);
            row.first_written.remove(&key);
        }
    }
    for (key, value) in &given {
        if races {
            let written = *row.first_written.entry(key.clone()).or_insert_with(|| {
                // A key that was there before races were looked for is no new key.
                if row.metadata.get(key).is_some() {
                    0
                } else {
                    tick
                }
            });
            // The key was new when this request came and has been written by another since:
            // both insert a row, and the older one is what everybody sees.
            if written > call.tick && written != tick {
                row.doubled.insert(key.clone());
            }
        }
        if !row.doubled.contains(key) {
            row.metadata.set(key, value);
        }
    }
    note(state, call, id, None);
    Ok(())
}

fn note(state: &mut State, call: &Call, volume: Id, snapshot: Option<Id>) {
    state.journal.changes.push(Change {
        at: call.now,
        request: Some(call.sequence),
        volume_id: volume.to_string(),
        snapshot_id: snapshot.map(|id| id.to_string()),
        name: None,
        happening: match snapshot {
            Some(_) => Happening::SnapshotMetadata,
            None => Happening::VolumeMetadata,
        },
    });
}

fn no_such_key(what: &str, id: Id, key: &str) -> Answer {
    answer::fault(404, &format!("{what} {id} has no metadata with key {key}."))
}

fn volume_answer(state: &State, id: Id) -> Result<Answer, Answer> {
    Ok(shown(
        &state.volumes.get(id).ok_or_else(answer::broken)?.metadata,
    ))
}

fn shown(metadata: &Metadata) -> Answer {
    let mut out = String::new();
    let mut object = Object::begin(&mut out);
    write_metadata(metadata, object.key("metadata"));
    object.end();
    answer::json(200, out)
}

fn etag(metadata: &Metadata) -> String {
    let mut hasher = DefaultHasher::new();
    metadata.to_map().hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

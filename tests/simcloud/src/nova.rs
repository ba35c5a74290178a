//! The little of Nova that is asked for: servers by id and by name, stopped and started, and
//! volumes taken from one and given to another.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::id::Id;
use crate::keystone;
use crate::route::Route;
use crate::rows::Attachment;
use crate::state::State;

/// Newest microversion that is said to be there.
const NEWEST: &str = "2.96";

/// A server as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct ServerRow {
    pub(crate) name: String,
    pub(crate) stopped: bool,
    pub(crate) created_at: DateTime<Utc>,
}

pub(crate) fn answer(state: &mut State, call: &Call) -> Answer {
    if call.target.route == Route::NovaVersions {
        return versions(call);
    }
    if let Err(refusal) = keystone::admit(state, call, "compute") {
        return refusal;
    }
    let result = match call.target.route {
        Route::ListServers => Ok(list(state, call)),
        Route::GetServer => get(state, call),
        Route::ServerAction => act(state, call),
        Route::ListServerVolumes => volumes(state, call),
        Route::AttachVolume => attach(state, call),
        Route::DetachVolume => detach(state, call),
        Route::NovaVersion => Ok(version(call)),
        _ => Err(answer::no_such_path()),
    };
    let mut answer = result.unwrap_or_else(|refusal| refusal);
    if call.header("x-openstack-nova-api-version").is_some()
        || call.header("openstack-api-version").is_some()
    {
        let asked = asked(call);
        answer::set(&mut answer, "x-openstack-nova-api-version", &asked);
        answer::set(
            &mut answer,
            "openstack-api-version",
            &format!("compute {asked}"),
        );
    }
    answer
}

fn asked(call: &Call) -> String {
    let header = call.header("openstack-api-version").unwrap_or("");
    let asked = header.strip_prefix("compute ").map(str::to_owned);
    asked
        .or_else(|| {
            call.header("x-openstack-nova-api-version")
                .map(str::to_owned)
        })
        .filter(|asked| asked != "latest")
        .unwrap_or_else(|| NEWEST.into())
}

/// Whether the request is in this microversion or a newer one.
fn is_from(call: &Call, minor: u32) -> bool {
    let asked = call.header("openstack-api-version").is_some()
        || call.header("x-openstack-nova-api-version").is_some();
    let given = asked.then(|| asked_minor(call)).flatten().unwrap_or(1);
    given >= minor
}

fn asked_minor(call: &Call) -> Option<u32> {
    asked(call).split_once('.')?.1.parse().ok()
}

fn shown_version(call: &Call) -> Value {
    json!({
        "id": "v2.1", "status": "CURRENT", "version": NEWEST, "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{ "rel": "self", "href": format!("{}{}/v2.1/", call.base(), call.target.mount) }],
    })
}

fn versions(call: &Call) -> Answer {
    answer::json(
        200,
        json!({ "versions": [shown_version(call)] }).to_string(),
    )
}

fn version(call: &Call) -> Answer {
    answer::json(200, json!({ "version": shown_version(call) }).to_string())
}

fn not_found(id: &str) -> Answer {
    answer::fault(404, &format!("Instance {id} could not be found."))
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn show(state: &State, call: &Call, id: &str, row: &ServerRow) -> Value {
    let attached: Vec<Value> = attachments(state, id)
        .map(|(volume, _)| json!({ "id": volume.to_string(), "delete_on_termination": false }))
        .collect();
    let flavor = if is_from(call, 47) {
        json!({ "original_name": "m1.small", "vcpus": 1, "ram": 2048, "disk": 0, "ephemeral": 0,
                "swap": 0, "extra_specs": {} })
    } else {
        json!({ "id": "1", "links": [] })
    };
    json!({
        "id": id, "name": row.name,
        "status": if row.stopped { "SHUTOFF" } else { "ACTIVE" },
        "OS-EXT-STS:vm_state": if row.stopped { "stopped" } else { "active" },
        "OS-EXT-STS:power_state": if row.stopped { 4 } else { 1 },
        "OS-EXT-STS:task_state": null,
        "OS-EXT-AZ:availability_zone": "nova", "OS-DCF:diskConfig": "AUTO",
        "OS-SRV-USG:launched_at": null, "OS-SRV-USG:terminated_at": null,
        "tenant_id": state.project_id, "user_id": state.user_id,
        "created": time(row.created_at), "updated": time(row.created_at),
        "flavor": flavor, "image": "", "addresses": {}, "metadata": {}, "links": [],
        "hostId": "", "key_name": null, "config_drive": "", "accessIPv4": "", "accessIPv6": "",
        "progress": 0, "security_groups": [], "tags": [],
        "os-extended-volumes:volumes_attached": attached,
    })
}

/// `name` is a regular expression there; here it is part of the name.
fn list(state: &State, call: &Call) -> Answer {
    let query = call.query();
    let name = query.iter().find(|(key, _)| key == "name");
    let marker = query.iter().any(|(key, _)| key == "marker");
    let servers: Vec<Value> = state
        .servers
        .iter()
        .filter(|_| !marker)
        .filter(|(_, row)| name.is_none_or(|(_, part)| row.name.contains(part.as_str())))
        .map(|(id, row)| match call.target.segment(1) {
            "detail" => show(state, call, id, row),
            _ => json!({ "id": id, "name": row.name, "links": [] }),
        })
        .collect();
    answer::json(200, json!({ "servers": servers }).to_string())
}

fn get(state: &State, call: &Call) -> Result<Answer, Answer> {
    let id = call.target.segment(1);
    let row = state.servers.get(id).ok_or_else(|| not_found(id))?;
    let server = show(state, call, id, row);
    Ok(answer::json(200, json!({ "server": server }).to_string()))
}

fn act(state: &mut State, call: &Call) -> Result<Answer, Answer> {
    let id = call.target.segment(1);
    let row = state.servers.get_mut(id).ok_or_else(|| not_found(id))?;
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let stop = match body.as_object().and_then(|body| body.keys().next()) {
        Some(action) if action == "os-stop" => true,
        Some(action) if action == "os-start" => false,
        other => {
            let name = other.map_or("", String::as_str);
            let text = format!("There is no such action: {name}");
            return Err(answer::fault(400, &text));
        }
    };
    if row.stopped == stop {
        let (deed, state) = if stop {
            ("stop", "stopped")
        } else {
            ("start", "active")
        };
        let text = format!("Cannot '{deed}' instance {id} while it is in vm_state {state}");
        return Err(answer::fault(409, &text));
    }
    row.stopped = stop;
    Ok(answer::with_body(202, "application/json", ""))
}

/// Volumes of a server.
fn attachments<'a>(
    state: &'a State,
    server: &'a str,
) -> impl Iterator<Item = (Id, &'a Attachment)> {
    state.volumes.iter().flat_map(move |volume| {
        let of = volume.attachments.iter();
        of.filter(move |one| one.server == server)
            .map(|one| (volume.id, one))
    })
}

fn shown_attachment(volume: Id, attachment: &Attachment) -> Value {
    json!({
        "id": volume.to_string(), "volumeId": volume.to_string(),
        "serverId": attachment.server, "device": attachment.device, "tag": null,
        "delete_on_termination": false, "attachment_id": attachment.id.to_string(),
        "bdm_uuid": attachment.id.to_string(),
    })
}

fn volumes(state: &State, call: &Call) -> Result<Answer, Answer> {
    let server = call.target.segment(1);
    state.servers.get(server).ok_or_else(|| not_found(server))?;
    let shown: Vec<Value> = attachments(state, server)
        .map(|(volume, attachment)| shown_attachment(volume, attachment))
        .collect();
    let body = json!({ "volumeAttachments": shown });
    Ok(answer::json(200, body.to_string()))
}

fn attach(state: &mut State, call: &Call) -> Result<Answer, Answer> {
    let server = call.target.segment(1).to_owned();
    let row = state.servers.get(&server);
    row.ok_or_else(|| not_found(&server))?;
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let wanted = &body["volumeAttachment"];
    let text = wanted["volumeId"].as_str().unwrap_or_default();
    let id: Id = text
        .parse()
        .map_err(|_| answer::fault(400, "volumeId is no UUID"))?;
    let taken: Vec<String> = attachments(state, &server)
        .map(|(_, one)| one.device.clone())
        .collect();
    let free = ('b'..='z')
        .map(|letter| format!("/dev/vd{letter}"))
        .find(|device| !taken.contains(device));
    let device = wanted["device"].as_str().map(str::to_owned).or(free);
    let device = device.ok_or_else(|| answer::fault(403, "No free disk device names"))?;
    if taken.contains(&device) {
        let text = format!("The supplied device path ({device}) is in use.");
        return Err(answer::fault(400, &text));
    }
    let attachment = Attachment {
        id: state.new_id(),
        server,
        device,
        at: state.kept(call.now),
    };
    let volume = state
        .volumes
        .get_mut(id)
        .ok_or_else(|| answer::fault(404, &format!("Volume {text} could not be found.")))?;
    if volume.status != "available" {
        let text = format!(
            "Invalid volume: volume {id} status must be available or downloading to reserve, but \
             the current status is {}.",
            volume.status
        );
        return Err(answer::fault(400, &text));
    }
    "in-use".clone_into(&mut volume.status);
    let shown = shown_attachment(id, &attachment);
    volume.attachments.push(attachment);
    let body = json!({ "volumeAttachment": shown });
    Ok(answer::json(200, body.to_string()))
}

fn detach(state: &mut State, call: &Call) -> Result<Answer, Answer> {
    let (server, text) = (call.target.segment(1), call.target.segment(3));
    state.servers.get(server).ok_or_else(|| not_found(server))?;
    let volume = text.parse().ok().and_then(|id| state.volumes.get_mut(id));
    let missing = || {
        let text = format!("Instance {server} is not attached to volume {text}");
        answer::fault(404, &text)
    };
    let volume = volume.ok_or_else(missing)?;
    let at = volume
        .attachments
        .iter()
        .position(|one| one.server == server)
        .ok_or_else(missing)?;
    if volume.attachments[at].device == "/dev/vda" {
        // Of a stopped server neither.
        let text = "Cannot detach a root device volume";
        return Err(answer::fault(403, text));
    }
    volume.attachments.remove(at);
    if volume.attachments.is_empty() {
        "available".clone_into(&mut volume.status);
    }
    Ok(answer::with_body(202, "application/json", ""))
}

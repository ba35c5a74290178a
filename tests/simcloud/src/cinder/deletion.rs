//! `DELETE snapshots/ID`, and the actions for admins.

use super::snapshots::find;
use super::{Caller, schema};
use crate::answer::{self, Answer};
use crate::call::Call;
use crate::config::Role;
use crate::state::State;

pub(super) fn delete(state: &mut State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
    let row = find(state, call, caller)?;
    caller.may_write("volume:delete_snapshot")?;
    if !matches!(&*row.status, "available" | "error") {
        let text = "Invalid snapshot: Snapshot status must be available or error and must not be \
                    part of a group.";
        return Err(answer::fault(400, text));
    }
    let id = row.id;
    state.begin_deletion(call.now, call.sequence, id);
    // Labelled so although there is nothing in it.
    Ok(answer::with_body(202, "text/html; charset=UTF-8", ""))
}

/// `POST snapshots/ID/action`.
pub(super) fn act(state: &mut State, call: &Call, caller: Caller) -> Result<Answer, Answer> {
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
    // No body either, but labelled like the answers that have one.
    let mut accepted = answer::json(202, "");
    answer::set(&mut accepted, "x-compute-request-id", &call.request_id);
    Ok(accepted)
}

//! Cinder's front: size limit, token, microversion and path, in the order in which the layers
//! of the real one look at them.

mod creation;
mod deletion;
mod limits;
mod listing;
mod literal;
mod metadata;
mod microversion;
mod pages;
mod query;
mod schema;
mod snapshots;
mod volume_creation;
mod volumes;

pub(crate) use pages::Pages;

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::config::Role;
use crate::keystone;
use crate::route::Route;
use crate::state::State;

/// Who asks, and in which version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Caller {
    pub(crate) role: Role,
    /// The n of microversion 3.n.
    pub(crate) minor: u32,
    /// Whether there is anything in this region.
    pub(crate) home: bool,
}

impl Caller {
    /// 403 unless the role may change things; `policy` is named in the refusal.
    pub(crate) fn may_write(&self, policy: &str) -> Result<(), Answer> {
        if self.role >= Role::Member {
            Ok(())
        } else {
            Err(answer::forbidden(policy))
        }
    }
}

pub(crate) fn answer(state: &mut State, call: &Call) -> Answer {
    if call.body.len() > state.config.max_request_body {
        return answer::html(413, "Request Entity Too Large", "Request is too large.");
    }
    if has_moved(state, call) {
        return answer::no_such_path();
    }
    if call.target.route == Route::CinderVersions {
        return microversion::list(state, call, 300);
    }
    let role = match keystone::admit(state, call, "block-storage") {
        Ok(role) => role,
        Err(refusal) => return refusal,
    };
    if call.target.path == "/v3" {
        let mut answer = answer::html(302, "Found", "The resource was found elsewhere.");
        let location = format!("{}{}/v3/", call.base(), call.target.mount);
        answer::set(&mut answer, "location", &location);
        return answer;
    }
    let minor = match microversion::asked(state.config.microversions, call) {
        Ok(minor) => minor,
        Err(refusal) => return refusal,
    };
    let known_region = call.target.region.as_ref();
    let caller = Caller {
        role,
        minor,
        home: known_region.is_none(),
    };
    let mut answer = dispatch(state, call, caller);
    microversion::label(&mut answer, minor);
    answer
}

/// Whether Cinder is elsewhere than where the request looks for it.
fn has_moved(state: &State, call: &Call) -> bool {
    state.config.endpoints.block_storage_has_moved != call.target.mount.ends_with("/moved/volume")
}

fn dispatch(state: &mut State, call: &Call, caller: Caller) -> Answer {
    if call
        .target
        .project
        .as_ref()
        .is_some_and(|project| *project != state.project_id)
    {
        return answer::fault(400, "Malformed request url");
    }
    let result = match call.target.route {
        Route::CinderVersion => Ok(microversion::list(state, call, 200)),
        Route::ListVolumes | Route::ListSnapshots => return listed(state, call, caller),
        Route::CreateVolume => volume_creation::create(state, call, caller),
        Route::DeleteVolume => volume_creation::delete(state, call, caller),
        Route::GetVolume => volumes::get(state, call, caller),
        Route::UpdateVolume => metadata::update_volume(state, call, caller),
        Route::GetVolumeMetadata => metadata::of_volume(state, call, caller),
        Route::MergeVolumeMetadata => metadata::merge_volume(state, call, caller),
        Route::ReplaceVolumeMetadata => metadata::replace_volume(state, call, caller),
        Route::GetVolumeMetadataKey => metadata::volume_key(state, call, caller),
        Route::SetVolumeMetadataKey => metadata::set_volume_key(state, call, caller),
        Route::DeleteVolumeMetadataKey => metadata::delete_volume_key(state, call, caller),
        Route::CreateSnapshot => creation::create(state, call, caller),
        Route::GetSnapshot => snapshots::get(state, call, caller),
        Route::DeleteSnapshot => deletion::delete(state, call, caller),
        Route::ForceDelete | Route::SnapshotAction => deletion::act(state, call, caller),
        Route::GetSnapshotMetadata => metadata::of_snapshot(state, call, caller),
        Route::MergeSnapshotMetadata => metadata::write_snapshot(state, call, caller, false),
        Route::ReplaceSnapshotMetadata => metadata::write_snapshot(state, call, caller, true),
        Route::GetSnapshotMetadataKey => metadata::snapshot_key(state, call, caller),
        Route::SetSnapshotMetadataKey => metadata::set_snapshot_key(state, call, caller),
        Route::DeleteSnapshotMetadataKey => metadata::delete_snapshot_key(state, call, caller),
        Route::UpdateSnapshot => metadata::update_snapshot(state, call, caller),
        Route::Limits => Ok(limits::answer(state)),
        _ => Err(answer::no_such_path()),
    };
    result.unwrap_or_else(|refusal| refusal)
}

/// A page of a listing: the same as before where nothing has changed since.
fn listed(state: &mut State, call: &Call, caller: Caller) -> Answer {
    let version = state.version();
    let asked = pages::Asked {
        uri: call.parts.uri.to_string(),
        base: call.base(),
        caller,
    };
    if let Some(page) = state.pages.get(version, &asked) {
        return page;
    }
    let result = match call.target.route {
        Route::ListVolumes => volumes::list(state, call, caller),
        _ => snapshots::list(state, call, caller),
    };
    match result {
        Ok(page) => {
            state.pages.keep(version, asked, &page);
            page
        }
        Err(refusal) => refusal,
    }
}

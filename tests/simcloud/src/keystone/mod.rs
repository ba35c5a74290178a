//! Keystone: who may come in, for how long, and where the services are.

mod admission;
mod catalogue;
mod credentials;
mod login;

use serde_json::json;

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::route::Route;
use crate::state::State;

pub(crate) use admission::{Token, admit};

/// Keystone's own address as the client knows it.
pub(crate) fn address(call: &Call) -> String {
    format!("{}/identity", call.base())
}

pub(crate) fn answer(state: &mut State, call: &Call) -> Answer {
    let mut answer = match call.target.route {
        Route::KeystoneVersions => version(call),
        Route::Login => login::log_in(state, call),
        Route::CreateApplicationCredential => credentials::create(state, call),
        Route::RevokeToken => revoke(state, call),
        _ => answer::keystone_error(404, "The resource could not be found."),
    };
    answer::set(&mut answer, "vary", "X-Auth-Token");
    answer
}

fn version(call: &Call) -> Answer {
    let base = call.base();
    let version = json!({
        "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
        "links": [{ "rel": "self", "href": format!("{base}{}/v3/", call.target.mount) }],
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.identity-v3+json",
        }],
    });
    if call.target.path.trim_end_matches('/').is_empty() {
        answer::json(
            300,
            json!({ "versions": { "values": [version] } }).to_string(),
        )
    } else {
        answer::json(200, json!({ "version": version }).to_string())
    }
}

fn revoke(state: &mut State, call: &Call) -> Answer {
    let named = |header| call.header(header).unwrap_or("").to_owned();
    let caller = named("x-auth-token");
    let known = state
        .tokens
        .get(&caller)
        .is_some_and(|token| token.is_good(call.now));
    if !known {
        return answer::unauthorized(&address(call));
    }
    let subject = named("x-subject-token");
    match state.tokens.get_mut(&subject) {
        Some(token) if token.is_good(call.now) => {
            token.revoked = true;
            let mut done = answer::with_body(204, "application/json", "");
            done.headers_mut().remove("content-type");
            done
        }
        _ => answer::keystone_error(404, "Could not find token."),
    }
}

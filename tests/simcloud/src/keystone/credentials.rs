//! Making application credentials, as `openstack application credential create` does.

use serde_json::{Value, json};

use super::address;
use crate::answer::{self, Answer};
use crate::call::Call;
use crate::config::{AccessRule, ApplicationCredential};
use crate::id::Id;
use crate::state::State;

pub(super) fn create(state: &mut State, call: &Call) -> Answer {
    let token = call.header("x-auth-token").unwrap_or("");
    let caller = state.tokens.get(token);
    let Some(caller) = caller.filter(|token| token.is_good(call.now)) else {
        return answer::unauthorized(&address(call));
    };
    // One that was made by a person: a credential may not make others.
    if caller.by_credential || call.target.rest.get(2) != Some(&state.user_id) {
        let text = "You are not authorized to perform the requested action: \
                    identity:create_application_credential.";
        return answer::keystone_error(403, text);
    }
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let wanted = &body["application_credential"];
    let Some(name) = wanted["name"].as_str().filter(|name| !name.is_empty()) else {
        return answer::keystone_error(400, "'name' is a required property");
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let access_rules = wanted["access_rules"].as_array().map(|rules| {
        let rule = |rule: &Value| AccessRule {
            service: text(&rule["service"]),
            method: text(&rule["method"]),
            path: text(&rule["path"]),
        };
        rules.iter().map(rule).collect::<Vec<_>>()
    });
    let known = |one: &ApplicationCredential| one.name == name && !one.deleted;
    if state.application_credentials().any(known) {
        let text = "Conflict occurred attempting to store application_credential - Duplicate entry \
                    found with name";
        return answer::keystone_error(409, &format!("{text} {name}."));
    }
    let made = ApplicationCredential {
        id: Id::random(&mut state.ids).simple(),
        name: name.to_owned(),
        secret: wanted["secret"]
            .as_str()
            .map_or_else(|| Id::random(&mut state.ids).simple(), str::to_owned),
        expires_at: None,
        access_rules,
        deleted: false,
    };
    let mut shown = json!({
        "id": made.id, "name": made.name, "secret": made.secret,
        "description": wanted["description"], "project_id": state.project_id,
        "user_id": state.user_id, "system": null, "expires_at": null, "unrestricted": false,
        "roles": wanted["roles"], "links": {},
    });
    if wanted["access_rules"].is_array() {
        shown["access_rules"] = wanted["access_rules"].clone();
    }
    state.made_credentials.push(made);
    answer::json(201, json!({ "application_credential": shown }).to_string())
}

impl State {
    /// The configured one and those made since.
    pub(crate) fn application_credentials(&self) -> impl Iterator<Item = &ApplicationCredential> {
        std::iter::once(&self.config.application_credential).chain(&self.made_credentials)
    }
}

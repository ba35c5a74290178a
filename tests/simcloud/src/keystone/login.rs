//! Logging in: by password or application credential, by id or by name.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::{Value, json};

use super::address;
use super::admission::Token;
use super::catalogue::catalogue;
use crate::answer::{self, Answer};
use crate::call::Call;
use crate::config::{ApplicationCredential, Role};
use crate::id::Id;
use crate::state::State;

/// Who logs in.
struct Login {
    method: &'static str,
    scoped: bool,
    credential: Option<ApplicationCredential>,
}

pub(super) fn log_in(state: &mut State, call: &Call) -> Answer {
    let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
        return answer::keystone_error(400, "Malformed request body.");
    };
    let login = match identify(state, call, &body["auth"]) {
        Ok(login) => login,
        Err(refusal) => return refusal,
    };
    let lifetime = TimeDelta::from_std(state.config.token_lifetime).unwrap_or(TimeDelta::days(1));
    let whole = |at: DateTime<Utc>| at.trunc_subsecs(0);
    let issued_at = whole(call.now);
    let mut expires_at = issued_at + lifetime;
    if let Some(end) = login.credential.as_ref().and_then(|one| one.expires_at) {
        expires_at = expires_at.min(whole(end));
    }
    let stem = Id::random(&mut state.ids).simple();
    let text = format!("not-a-secret-token-{stem}-{}", "x".repeat(140));
    let mut token = json!({
        "methods": [login.method],
        "user": {
            "domain": { "id": "default", "name": state.config.domain_name },
            "id": state.user_id, "name": state.config.user_name, "password_expires_at": null,
        },
        "audit_ids": [&stem[..22]],
        "expires_at": keystone_time(expires_at),
        "issued_at": keystone_time(issued_at),
    });
    if login.scoped {
        token["project"] = json!({
            "domain": { "id": "default", "name": state.config.domain_name },
            "id": state.project_id, "name": state.config.project_name,
        });
        token["is_domain"] = json!(false);
        token["roles"] = roles(state.config.role);
        if !call.query().iter().any(|(key, _)| key == "nocatalog") {
            token["catalog"] = catalogue(state, &call.base());
        }
    }
    if let Some(credential) = &login.credential {
        token["application_credential"] = json!({
            "id": credential.id, "name": credential.name, "restricted": true,
        });
        if let Some(rules) = &credential.access_rules {
            let shown: Vec<Value> = rules
                .iter()
                .enumerate()
                .map(|(at, rule)| {
                    json!({
                        "id": format!("access-rule-{at}"),
                        "service": rule.service, "method": rule.method, "path": rule.path,
                    })
                })
                .collect();
            token["application_credential"]["access_rules"] = json!(shown);
        }
    }
    let row = Token {
        role: state.config.role,
        scoped: login.scoped,
        expires_at,
        revoked: false,
        asked_at: None,
        by_credential: login.credential.is_some(),
        access_rules: login
            .credential
            .and_then(|credential| credential.access_rules),
    };
    state.tokens.insert(text.clone(), row);
    let mut answer = answer::json(201, json!({ "token": token }).to_string());
    answer::set(&mut answer, "x-subject-token", &text);
    answer
}

fn identify(state: &State, call: &Call, auth: &Value) -> Result<Login, Answer> {
    let refused = || answer::unauthorized(&address(call));
    let methods = auth["identity"]["methods"].as_array();
    match methods
        .and_then(|methods| methods.first())
        .and_then(Value::as_str)
    {
        Some("application_credential") => {
            let given = &auth["identity"]["application_credential"];
            application_credential(state, call, given, !auth["scope"].is_null())
        }
        Some("password") => {
            let user = &auth["identity"]["password"]["user"];
            let known = is_user(state, user) && user["password"] == state.config.password.as_str();
            if !known {
                return Err(refused());
            }
            let scope = &auth["scope"]["project"];
            let project_known = if scope["id"].is_string() {
                scope["id"] == state.project_id.as_str()
            } else {
                scope["name"] == state.config.project_name.as_str()
                    && is_domain(state, &scope["domain"])
            };
            if !scope.is_null() && !project_known {
                return Err(refused());
            }
            Ok(Login {
                method: "password",
                scoped: !scope.is_null(),
                credential: None,
            })
        }
        Some(_) => Err(refused()),
        None => Err(answer::keystone_error(
            400,
            "Expecting to find identity in auth.",
        )),
    }
}

fn application_credential(
    state: &State,
    call: &Call,
    given: &Value,
    scope_asked: bool,
) -> Result<Login, Answer> {
    let unknown = |what: &str, name: &Value| {
        let name = name.as_str().unwrap_or("None");
        answer::keystone_error(404, &format!("Could not find {what}: {name}."))
    };
    let mut usable = state.application_credentials().filter(|one| !one.deleted);
    let credential = if given["id"].is_string() {
        usable
            .find(|one| given["id"] == one.id.as_str())
            .ok_or_else(|| unknown("Application Credential", &given["id"]))?
    } else {
        if !is_user(state, &given["user"]) {
            let shown = if given["user"]["id"].is_string() {
                "id"
            } else {
                "name"
            };
            return Err(unknown("User", &given["user"][shown]));
        }
        usable
            .find(|one| given["name"] == one.name.as_str())
            .ok_or_else(|| unknown("Application Credential", &given["name"]))?
    };
    let ended = credential.expires_at.is_some_and(|end| end <= call.now);
    if ended || given["secret"] != credential.secret.as_str() {
        return Err(answer::unauthorized(&address(call)));
    }
    if scope_asked {
        let text = "Invalid authentication method: Application credentials cannot request a scope.";
        return Err(answer::keystone_error(401, text));
    }
    Ok(Login {
        method: "application_credential",
        scoped: true,
        credential: Some(credential.clone()),
    })
}

fn is_user(state: &State, user: &Value) -> bool {
    if user["id"].is_string() {
        user["id"] == state.user_id.as_str()
    } else {
        user["name"] == state.config.user_name.as_str() && is_domain(state, &user["domain"])
    }
}

fn is_domain(state: &State, domain: &Value) -> bool {
    domain["id"] == "default" || domain["name"] == state.config.domain_name.as_str()
}

fn roles(role: Role) -> Value {
    let names = [
        ("reader", Role::Reader),
        ("member", Role::Member),
        ("admin", Role::Admin),
    ];
    let held = names.iter().filter(|(_, needed)| *needed <= role);
    held.map(|(name, _)| json!({ "id": format!("role-{name}"), "name": name }))
        .collect()
}

fn keystone_time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S.000000Z").to_string()
}

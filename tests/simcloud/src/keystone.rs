//! Keystone: who may come in, for how long, and where the services are.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::config::{AccessRule, Catalogue, Role};
use crate::id::Id;
use crate::route::Route;
use crate::state::State;

/// A token that was given out.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) role: Role,
    /// Whether it is for the project; without it no service lets anybody in.
    pub(crate) scoped: bool,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) revoked: bool,
    /// When Cinder last asked Keystone about it.
    pub(crate) asked_at: Option<DateTime<Utc>>,
    pub(crate) access_rules: Option<Vec<AccessRule>>,
}

/// Who logs in.
struct Login {
    method: &'static str,
    scoped: bool,
    expires_at: Option<DateTime<Utc>>,
    access_rules: Option<Vec<AccessRule>>,
}

/// Keystone's own address as the client knows it.
pub(crate) fn address(call: &Call) -> String {
    format!("{}/identity", call.base())
}

pub(crate) fn answer(state: &mut State, call: &Call) -> Answer {
    let mut answer = match call.target.route {
        Route::KeystoneVersions => version(call),
        Route::Login => log_in(state, call),
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

fn log_in(state: &mut State, call: &Call) -> Answer {
    let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
        return answer::keystone_error(400, "Malformed request body.");
    };
    let login = match identify(state, call, &body["auth"]) {
        Ok(login) => login,
        Err(refusal) => return refusal,
    };
    let lifetime = TimeDelta::from_std(state.config.token_lifetime).unwrap_or(TimeDelta::days(1));
    let whole = |at: DateTime<Utc>| chrono::SubsecRound::trunc_subsecs(at, 0);
    let issued_at = whole(call.now);
    let mut expires_at = issued_at + lifetime;
    if let Some(end) = login.expires_at {
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
    if login.method == "application_credential" {
        let credential = &state.config.application_credential;
        token["application_credential"] = json!({
            "id": credential.id, "name": credential.name, "restricted": true,
        });
        if let Some(rules) = &credential.access_rules {
            let shown: Vec<Value> = rules
                .iter()
                .map(|rule| json!({ "service": rule.service, "method": rule.method, "path": rule.path }))
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
        access_rules: login.access_rules,
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
                expires_at: None,
                access_rules: None,
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
    let credential = &state.config.application_credential;
    let unknown = |what: &str, name: &Value| {
        let name = name.as_str().unwrap_or("None");
        answer::keystone_error(404, &format!("Could not find {what}: {name}."))
    };
    if given["id"].is_string() {
        if credential.deleted || given["id"] != credential.id.as_str() {
            return Err(unknown("Application Credential", &given["id"]));
        }
    } else {
        if !is_user(state, &given["user"]) {
            let shown = if given["user"]["id"].is_string() {
                "id"
            } else {
                "name"
            };
            return Err(unknown("User", &given["user"][shown]));
        }
        if credential.deleted || given["name"] != credential.name.as_str() {
            return Err(unknown("Application Credential", &given["name"]));
        }
    }
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
        expires_at: credential.expires_at,
        access_rules: credential.access_rules.clone(),
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

fn catalogue(state: &State, base: &str) -> Value {
    let project = &state.project_id;
    let endpoints = |service: &str, tail: &str| {
        let mut endpoints = Vec::new();
        for (index, region) in state.config.regions.iter().enumerate() {
            for interface in ["public", "internal", "admin"] {
                let mut mount = String::new();
                if interface != "public" {
                    mount = format!("/{interface}");
                }
                if index > 0 {
                    mount = format!("{mount}/{region}");
                }
                endpoints.push(json!({
                    "id": format!("{service}-{interface}-{index}"), "interface": interface,
                    "region_id": region, "region": region,
                    "url": format!("{base}{mount}/{service}{tail}"),
                }));
            }
        }
        endpoints
    };
    let entry = |kind: &str, name: &str, endpoints: Vec<Value>| json!({ "id": format!("service-{kind}"), "type": kind, "name": name, "endpoints": endpoints });
    let mut entries = vec![entry("identity", "keystone", endpoints("identity", "/v3"))];
    if state.config.catalogue != Catalogue::Legacy {
        entries.push(entry("block-storage", "cinder", endpoints("volume", "/v3")));
    }
    if state.config.catalogue != Catalogue::Modern {
        let legacy = endpoints("volume", &format!("/v3/{project}"));
        entries.push(entry("volumev3", "cinderv3", legacy));
    }
    if state.config.compute {
        entries.push(entry("compute", "nova", endpoints("compute", "/v2.1")));
    }
    Value::Array(entries)
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
            answer::with_body(204, "application/json", "")
        }
        _ => answer::keystone_error(404, "Could not find token."),
    }
}

impl Token {
    fn is_good(&self, now: DateTime<Utc>) -> bool {
        !self.revoked && self.expires_at > now
    }
}

/// Lets a call to Cinder or Nova in: the role that it has there, or the one 401 there is.
pub(crate) fn admit(state: &mut State, call: &Call, service: &str) -> Result<Role, Answer> {
    let refused = || answer::unauthorized(&address(call));
    let cache = TimeDelta::from_std(state.config.token_cache).unwrap_or_default();
    let token = call.header("x-auth-token").unwrap_or("");
    let token = state.tokens.get_mut(token).ok_or_else(refused)?;
    let believed = token.asked_at.is_some_and(|at| call.now < at + cache);
    if !token.scoped || token.expires_at <= call.now || (token.revoked && !believed) {
        return Err(refused());
    }
    if !believed {
        token.asked_at = Some(call.now);
    }
    let allowed = token.access_rules.as_ref().is_none_or(|rules| {
        rules.iter().any(|rule| {
            let wanted: Vec<&str> = rule.path.trim_matches('/').split('/').collect();
            let path: Vec<&str> = call
                .target
                .path
                .trim_start_matches('/')
                .split('/')
                .collect();
            rule.service == service
                && rule.method == call.parts.method.as_str()
                && fits(&wanted, &path)
        })
    });
    if allowed {
        Ok(token.role)
    } else {
        Err(refused())
    }
}

/// Whether a path fits the pattern of an access rule.
fn fits(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|skip| fits(rest, &path[skip..])),
        (Some((wanted, pattern)), Some((have, path))) => {
            let any = *wanted == "*" || (wanted.starts_with('{') && wanted.ends_with('}'));
            (any || wanted == have) && fits(pattern, path)
        }
        _ => false,
    }
}

fn keystone_time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S.000000Z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_rules_match_segment_by_segment() {
        let fits = |pattern: &str, path: &str| {
            let pattern: Vec<&str> = pattern.split('/').collect();
            super::fits(&pattern, &path.split('/').collect::<Vec<_>>())
        };
        assert!(fits("v3/**", "v3/p/volumes/detail"));
        assert!(fits("v3/*/snapshots/{id}", "v3/p/snapshots/s"));
        assert!(!fits("v3/*/snapshots/*", "v3/p/snapshots/s/action"));
        assert!(!fits("v3/*/snapshots", "v3/p/volumes"));
    }
}

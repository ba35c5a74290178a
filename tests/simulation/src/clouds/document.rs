//! The `clouds.yaml` as people write it.

use serde_json::{Map, Value, json};
use simcloud::{Cloud, Login};

use super::{CloudDraw, Entry, Fault};

/// One cloud with what its entry says now.
pub(super) struct Written<'a> {
    pub(super) draw: &'a CloudDraw,
    pub(super) entry: Entry,
    /// The login as it was when the entry was last written.
    pub(super) login: Vec<(String, String)>,
}

/// The login that a cloud takes now.
pub(super) fn login_of(cloud: &Cloud, draw: &CloudDraw) -> Vec<(String, String)> {
    cloud.os_env(&draw.address, draw.login)
}

/// The text of the document.
pub(super) fn text(written: &[Written<'_>], as_json: bool) -> String {
    let entries: Map<String, Value> = written
        .iter()
        .filter(|one| one.entry != Entry::Absent)
        .map(|one| (one.draw.name.clone(), value(one)))
        .collect();
    if as_json {
        return json!({ "clouds": entries }).to_string();
    }
    let mut text = String::from("# Who is served.\nclouds:\n");
    for (name, entry) in &entries {
        text.push_str(&format!("  {name}:"));
        match entry {
            Value::Object(fields) => {
                text.push('\n');
                for (key, value) in fields {
                    // A flow mapping is written as JSON writes it.
                    text.push_str(&format!("    {key}: {value}\n"));
                }
            }
            other => text.push_str(&format!(" {other}\n")),
        }
    }
    if entries.is_empty() {
        text.push_str("  {}\n");
    }
    text
}

fn value(one: &Written<'_>) -> Value {
    let mut auth = Map::new();
    let mut entry = Map::new();
    for (name, value) in &one.login {
        let name = name.trim_start_matches("OS_").to_lowercase();
        match name.as_str() {
            "auth_type" => entry.insert(name, value.clone().into()),
            _ => auth.insert(name, value.clone().into()),
        };
    }
    match &one.entry {
        Entry::Absent | Entry::Good(1) => {}
        Entry::Good(shards) => drop(entry.insert("x-snapsentry".into(), json!({"shards": shards}))),
        Entry::Paused => drop(entry.insert("x-snapsentry".into(), json!({"paused": true}))),
        Entry::Unstartable => drop(entry.insert("x-snapsentry".into(), json!({"shards": "two"}))),
        Entry::Faulty(Fault::NoAddress) => drop(auth.remove("auth_url")),
        Entry::Faulty(Fault::NoSecret) => {
            let secret = match one.draw.login {
                Login::Password => "password",
                Login::AppCred | Login::AppCredByName => "application_credential_secret",
            };
            auth.remove(secret);
        }
        Entry::Faulty(Fault::UnknownLogin) => {
            entry.insert("auth_type".into(), "v3oidcpassword".into());
        }
        Entry::Faulty(Fault::NoMapping) => return "it was here a moment ago".into(),
    }
    entry.insert("auth".into(), auth.into());
    entry.into()
}

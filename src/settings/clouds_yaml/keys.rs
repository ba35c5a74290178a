//! Which variable each key of an entry of a `clouds.yaml` stands for.

use super::entry::{EntryReader, Fields};
use crate::settings::layers::Layer;
use crate::settings::values::boolean;

/// Where each key of `auth` belongs. Of several keys for one variable the first that is set
/// wins: `domain_*` and `default_domain_*` stand for whichever domain is not given by itself.
const AUTH: &[(&str, &[&str])] = &[
    ("auth_url", &["OS_AUTH_URL"]),
    ("username", &["OS_USERNAME"]),
    ("user_name", &["OS_USERNAME"]),
    ("user_id", &["OS_USER_ID"]),
    ("password", &["OS_PASSWORD"]),
    ("user_domain_id", &["OS_USER_DOMAIN_ID"]),
    ("user_domain_name", &["OS_USER_DOMAIN_NAME"]),
    ("project_id", &["OS_PROJECT_ID"]),
    ("tenant_id", &["OS_PROJECT_ID"]),
    ("project_name", &["OS_PROJECT_NAME"]),
    ("tenant_name", &["OS_PROJECT_NAME"]),
    ("project_domain_id", &["OS_PROJECT_DOMAIN_ID"]),
    ("project_domain_name", &["OS_PROJECT_DOMAIN_NAME"]),
    (
        "application_credential_id",
        &["OS_APPLICATION_CREDENTIAL_ID"],
    ),
    (
        "application_credential_name",
        &["OS_APPLICATION_CREDENTIAL_NAME"],
    ),
    (
        "application_credential_secret",
        &["OS_APPLICATION_CREDENTIAL_SECRET"],
    ),
    ("domain_id", &["OS_USER_DOMAIN_ID", "OS_PROJECT_DOMAIN_ID"]),
    (
        "domain_name",
        &["OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME"],
    ),
    (
        "default_domain_id",
        &["OS_USER_DOMAIN_ID", "OS_PROJECT_DOMAIN_ID"],
    ),
    (
        "default_domain_name",
        &["OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME"],
    ),
];

/// The keys beside `auth`; of two for one variable the first wins.
const REST: &[(&str, &str)] = &[
    ("auth_type", "OS_AUTH_TYPE"),
    ("auth_plugin", "OS_AUTH_TYPE"),
    ("region_name", "OS_REGION_NAME"),
    ("interface", "OS_INTERFACE"),
    ("endpoint_type", "OS_INTERFACE"),
    ("identity_api_version", "OS_IDENTITY_API_VERSION"),
    ("cacert", "OS_CACERT"),
];

/// A key as the client spells it: the command line's options have hyphens.
pub(super) fn plain(key: &str) -> String {
    key.replace('-', "_")
}

/// The key that an entry has for a variable.
pub(in crate::settings) fn key_of(variable: &str) -> Option<String> {
    let auth = AUTH.iter().find(|(_, variables)| variables[0] == variable);
    let rest = REST.iter().find(|(_, of)| *of == variable);
    auth.map(|(key, _)| format!("auth.{key}"))
        .or_else(|| rest.map(|(key, _)| (*key).to_owned()))
}

/// The other way to name the same domain: a general `domain_*` never overrides it.
fn sibling(variable: &str) -> Option<&'static str> {
    match variable {
        "OS_USER_DOMAIN_ID" => Some("OS_USER_DOMAIN_NAME"),
        "OS_USER_DOMAIN_NAME" => Some("OS_USER_DOMAIN_ID"),
        "OS_PROJECT_DOMAIN_ID" => Some("OS_PROJECT_DOMAIN_NAME"),
        "OS_PROJECT_DOMAIN_NAME" => Some("OS_PROJECT_DOMAIN_ID"),
        _ => None,
    }
}

impl EntryReader<'_> {
    /// Puts the entry's keys into the layer under the variables' names.
    pub(super) fn fill(&mut self, layer: &mut Layer, fields: &Fields) {
        for key in ["profile", "cloud"] {
            let vendor = self.text(fields, key, key);
            if vendor.is_some_and(|vendor| !vendor.is_empty()) {
                self.faults.push(format!(
                    "{key}: not supported {}, since vendors' profiles are not built in; write \
                     auth.auth_url, region_name and whatever else the profile gives into the \
                     entry itself",
                    self.place
                ));
            }
        }
        if let Some(auth) = self.mapping(fields, "auth") {
            self.fill_auth(layer, auth);
        }
        for (key, value, checks_off) in [
            ("verify", self.text(fields, "verify", "verify"), false),
            ("insecure", self.text(fields, "insecure", "insecure"), true),
        ] {
            match value.map(|text| (text, boolean(text))) {
                Some((_, Some(value))) if value == checks_off => {
                    layer.set_named("OS_INSECURE", key, "true");
                }
                None | Some((_, Some(_))) => {}
                // Whoever reads the setting finds the fault in it.
                Some((text, None)) => layer.set_named("OS_INSECURE", key, text),
            }
        }
        for (key, variable) in REST {
            let value = self.text(fields, key, key).unwrap_or_default();
            if layer.get(variable).is_none() && !value.is_empty() {
                layer.set_named(variable, key, value);
            }
        }
    }

    fn fill_auth(&mut self, layer: &mut Layer, auth: &Fields) {
        for (key, _) in auth {
            if !AUTH.iter().any(|(known, _)| *known == plain(key)) {
                let known: Vec<&str> = AUTH.iter().map(|(known, _)| *known).collect();
                self.faults.push(format!(
                    "auth.{}: not supported {}; accepted are {}",
                    shown_key(key),
                    self.place,
                    known.join(", ")
                ));
            }
        }
        for (key, variables) in AUTH {
            let path = format!("auth.{key}");
            let Some(value) = self.text(auth, &path, key) else {
                continue;
            };
            for variable in *variables {
                let general = variables.len() > 1;
                let taken = layer.get(variable).is_some()
                    || general && sibling(variable).is_some_and(|s| layer.get(s).is_some());
                if !taken {
                    layer.set_named(variable, &path, value);
                }
            }
        }
    }
}

/// A key as it is where it looks like one: a secret may have been put where a key belongs.
pub(super) fn shown_key(key: &str) -> &str {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    match key.len() <= 40 && key.bytes().all(is_plain) {
        true => key,
        false => "(a key that is not shown)",
    }
}

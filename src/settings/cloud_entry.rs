//! One entry of a `clouds.yaml`, and which variable each of its keys stands for.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::layer::Layer;
use super::region::Region;
use super::values::boolean;

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

/// One cloud, or what a region changes in it.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Entry {
    profile: Option<String>,
    cloud: Option<String>,
    auth: Option<BTreeMap<String, Option<String>>>,
    #[serde(alias = "auth-type")]
    auth_type: Option<String>,
    auth_plugin: Option<String>,
    #[serde(alias = "region-name")]
    region_name: Option<String>,
    regions: Option<Vec<Region<Entry>>>,
    interface: Option<String>,
    #[serde(alias = "endpoint-type")]
    endpoint_type: Option<String>,
    #[serde(alias = "identity-api-version")]
    identity_api_version: Option<String>,
    verify: Option<String>,
    insecure: Option<String>,
    cacert: Option<String>,
}

impl Entry {
    /// Lays another entry over this one, key by key.
    pub(super) fn overlaid(self, over: Self) -> Self {
        let auth = match (self.auth, over.auth) {
            (Some(mut below), Some(above)) => {
                below.extend(above);
                Some(below)
            }
            (below, above) => above.or(below),
        };
        Self {
            profile: over.profile.or(self.profile),
            cloud: over.cloud.or(self.cloud),
            auth,
            auth_type: over.auth_type.or(self.auth_type),
            auth_plugin: over.auth_plugin.or(self.auth_plugin),
            region_name: over.region_name.or(self.region_name),
            regions: over.regions.or(self.regions),
            interface: over.interface.or(self.interface),
            endpoint_type: over.endpoint_type.or(self.endpoint_type),
            identity_api_version: over.identity_api_version.or(self.identity_api_version),
            verify: over.verify.or(self.verify),
            insecure: over.insecure.or(self.insecure),
            cacert: over.cacert.or(self.cacert),
        }
    }

    /// Puts the entry into the layer under the variables' names.
    pub(super) fn fill(
        mut self,
        mut layer: Layer,
        wanted: Option<&str>,
    ) -> Result<Layer, Vec<String>> {
        let mut faults = Vec::new();
        let regions = self.regions.take().unwrap_or_default();
        match Region::choose(regions, wanted) {
            Ok(None) => {}
            Ok(Some(region)) => {
                self = self.overlaid(region.values);
                self.region_name = Some(region.name);
            }
            Err(fault) => faults.push(format!("{fault} {}", layer.place())),
        }
        for key in ["profile", "cloud"] {
            let vendor = if key == "profile" {
                &self.profile
            } else {
                &self.cloud
            };
            if vendor.as_deref().is_some_and(|vendor| !vendor.is_empty()) {
                faults.push(format!(
                    "{key}: not supported {}, since vendors' profiles are not built in; write \
                     auth.auth_url, region_name and whatever else the profile gives into the \
                     entry itself",
                    layer.place()
                ));
            }
        }
        self.fill_auth(&mut layer, &mut faults);
        self.fill_insecure(&mut layer);
        let rest = [
            (
                "OS_AUTH_TYPE",
                "auth_type",
                self.auth_type.or(self.auth_plugin),
            ),
            ("OS_REGION_NAME", "region_name", self.region_name),
            (
                "OS_INTERFACE",
                "interface",
                self.interface.or(self.endpoint_type),
            ),
            (
                "OS_IDENTITY_API_VERSION",
                "identity_api_version",
                self.identity_api_version,
            ),
            ("OS_CACERT", "cacert", self.cacert),
        ];
        for (variable, key, value) in rest {
            layer.set_named(variable, key, &value.unwrap_or_default());
        }
        if faults.is_empty() {
            Ok(layer)
        } else {
            Err(faults)
        }
    }

    fn fill_auth(&self, layer: &mut Layer, faults: &mut Vec<String>) {
        let auth: BTreeMap<String, &str> = (self.auth.iter().flatten())
            .filter_map(|(key, value)| Some((key.replace('-', "_"), value.as_deref()?)))
            .collect();
        for key in auth.keys() {
            if !AUTH.iter().any(|(known, _)| known == key) {
                let known: Vec<&str> = AUTH.iter().map(|(known, _)| *known).collect();
                faults.push(format!(
                    "auth.{key}: not supported {}; accepted are {}",
                    layer.place(),
                    known.join(", ")
                ));
            }
        }
        for (key, variables) in AUTH {
            let Some(value) = auth.get(*key) else {
                continue;
            };
            for variable in *variables {
                let general = variables.len() > 1;
                let taken = layer.get(variable).is_some()
                    || general && sibling(variable).is_some_and(|s| layer.get(s).is_some());
                if !taken {
                    layer.set_named(variable, &format!("auth.{key}"), value);
                }
            }
        }
    }

    fn fill_insecure(&self, layer: &mut Layer) {
        for (key, value, checks_off) in [
            ("verify", &self.verify, false),
            ("insecure", &self.insecure, true),
        ] {
            let Some(text) = value.as_deref().filter(|text| !text.is_empty()) else {
                continue;
            };
            match boolean(text) {
                Some(value) if value == checks_off => layer.set_named("OS_INSECURE", key, "true"),
                Some(_) => {}
                // Whoever reads the setting finds the fault in it.
                None => layer.set_named("OS_INSECURE", key, text),
            }
        }
    }
}

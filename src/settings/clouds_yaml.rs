//! `clouds.yaml`, as the OpenStack client reads it.
//!
//! The first file found counts, `secure.yaml` beside it is laid over it, and one entry becomes
//! a layer of variables. Scalars are read as the text they are written as: an id that looks
//! like a number stays what it was. Errors tell lines and keys and never quote the text around
//! them, for that is where the passwords are.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::options;

use super::layer::{Layer, Origin, file_name, quoted};
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

/// The whole file, `secure.yaml` already laid over it.
pub(super) struct CloudsYaml {
    /// The path; `None` if it came out of the secret.
    file: Option<String>,
    entries: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Document {
    clouds: Option<BTreeMap<String, Option<Entry>>>,
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
    regions: Option<Vec<Region>>,
    interface: Option<String>,
    #[serde(alias = "endpoint-type")]
    endpoint_type: Option<String>,
    #[serde(alias = "identity-api-version")]
    identity_api_version: Option<String>,
    verify: Option<String>,
    insecure: Option<String>,
    cacert: Option<String>,
}

impl CloudsYaml {
    /// Reads the text of a `clouds.yaml`.
    pub(super) fn parse(text: &str, file: Option<String>) -> Result<Self, String> {
        let name = file_name(file.as_deref());
        // Without snippets: they would quote the lines around the fault.
        let document: Document =
            serde_saphyr::from_str_with_options(text, options! { with_snippet: false }).map_err(
                |error| {
                    let at = match error.location() {
                        Some(at) => format!(" at line {}, column {}", at.line(), at.column()),
                        None => String::new(),
                    };
                    format!(
                        "{name}: cannot be read as a clouds.yaml{at}; check the YAML, and that \
                         every setting is a single value"
                    )
                },
            )?;
        let Some(clouds) = document.clouds else {
            return Err(format!(
                "{name}: has no key \"clouds\" with the entries in it"
            ));
        };
        let entries = clouds
            .into_iter()
            .map(|(name, entry)| (name, entry.unwrap_or_default()))
            .collect();
        Ok(Self { file, entries })
    }

    /// Lays another file (`secure.yaml`) over this one, key by key.
    pub(super) fn overlaid(mut self, over: Self) -> Self {
        for (name, entry) in over.entries {
            let below = self.entries.remove(&name).unwrap_or_default();
            self.entries.insert(name, below.overlaid(entry));
        }
        self
    }

    /// The entry as variables: the one of that name, else the only one; in the wanted region,
    /// else the first that the entry lists.
    pub(super) fn layer(
        self,
        name: Option<&str>,
        wanted_region: Option<&str>,
    ) -> Result<Layer, Vec<String>> {
        let place = file_name(self.file.as_deref()).to_owned();
        let names: Vec<String> = self.entries.keys().map(|name| quoted(name)).collect();
        let names = match names.is_empty() {
            true => "none".to_owned(),
            false => names.join(", "),
        };
        let mut entries = self.entries;
        let (name, entry) = match name {
            Some(name) => match entries.remove_entry(name) {
                Some(found) => found,
                None => {
                    return Err(vec![format!(
                        "OS_CLOUD: {} is no entry of {place}; its entries are: {names}",
                        quoted(name)
                    )]);
                }
            },
            None => match (entries.pop_first(), entries.len()) {
                (Some(only), 0) => only,
                _ => {
                    return Err(vec![format!(
                        "OS_CLOUD: missing, and {place} does not have just one entry; set it to \
                         one of: {names}"
                    )]);
                }
            },
        };
        let layer = Layer::new(Origin::Cloud {
            file: self.file,
            entry: name,
        });
        entry.fill(layer, wanted_region)
    }
}

impl Entry {
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

    fn fill(mut self, mut layer: Layer, wanted: Option<&str>) -> Result<Layer, Vec<String>> {
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

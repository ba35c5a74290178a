//! `clouds.yaml`, as the OpenStack client reads it.
//!
//! The first file found counts, `secure.yaml` beside it is laid over it, and one entry becomes
//! a layer of variables. Scalars are read as the text they are written as: an id that looks
//! like a number stays what it was. Errors tell lines and keys and never quote the text around
//! them, for that is where the passwords are.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::options;

use super::cloud_entry::Entry;
use super::layer::{Layer, Origin, file_name, quoted};

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

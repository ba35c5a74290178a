//! What the secret says: a JSON object of variables, or a whole `clouds.yaml`.
//!
//! Names that look like ours and are not are refused, since a misspelt setting in a secret is
//! seen by nobody; other names are left alone, for secrets carry what their makers put there.
//! Variables that work before a secret can be read (those of logging and of the extension) may
//! stand in it and do nothing there. Of the text itself nothing is ever quoted.

mod extension;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::clouds_yaml::CloudsYaml;
use super::environment::Variable;
use super::layers::{Layer, Origin};
pub use extension::{SecretReference, read_secret, secret_reference};

/// The secret's string, as Secrets Manager keeps it, and what was read of it.
pub struct Secret {
    text: SecretString,
    contents: Result<Contents, Vec<String>>,
}

impl Secret {
    /// A secret with this text.
    pub fn read(text: impl Into<SecretString>) -> Self {
        let text = text.into();
        let contents = Contents::read(text.expose_secret());
        Self { text, contents }
    }

    /// Whether it has this text: what was read of it is as good as new then.
    pub fn says(&self, text: &SecretString) -> bool {
        self.text.expose_secret() == text.expose_secret()
    }

    /// A variable's value, where the secret is an object of variables.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        match &self.contents {
            Ok(Contents::Variables { layer, .. }) => layer.trimmed(name),
            _ => None,
        }
    }

    /// What was in it, or what is wrong with it.
    pub(super) fn contents(&self) -> Result<&Contents, &[String]> {
        self.contents.as_ref().map_err(Vec::as_slice)
    }
}

/// Nothing of it.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

/// What was in the secret.
pub(super) enum Contents {
    Variables {
        layer: Layer,
        /// What is wrong with some of them: the others are read all the same, so that all is said at
        /// once.
        faults: Vec<String>,
    },
    Clouds(Arc<CloudsYaml>),
}

/// Names what a secret may be, wherever it is something else.
const ACCEPTED: &str = "accepted is a JSON object of variables such as \
    {\"OS_AUTH_URL\": \"…\", \"OS_APPLICATION_CREDENTIAL_ID\": \"…\", \
    \"OS_APPLICATION_CREDENTIAL_SECRET\": \"…\"}, or a clouds.yaml";

impl Contents {
    fn read(text: &str) -> Result<Self, Vec<String>> {
        if !text.trim_start().starts_with('{') {
            return clouds_yaml(text);
        }
        match serde_json::from_str::<Map<String, Value>>(text) {
            // Its text and not its tree goes on, so that numbers stay as they are written.
            Ok(object) if object.contains_key("clouds") => clouds_yaml(text),
            Ok(object) => variables(&object, text),
            Err(error) => Err(vec![format!(
                "SNAPSENTRY_CREDENTIALS_SECRET: the secret is not valid JSON (line {}, column \
                 {}); {ACCEPTED}",
                error.line(),
                error.column()
            )]),
        }
    }
}

fn clouds_yaml(text: &str) -> Result<Contents, Vec<String>> {
    match CloudsYaml::parse(text, None) {
        Ok(clouds) => {
            no_variables_beside_clouds(&clouds)?;
            Ok(Contents::Clouds(Arc::new(clouds)))
        }
        // Plain text is valid YAML; only with the key is it meant as a clouds.yaml.
        Err(fault)
            if ["clouds:", "\"clouds\""]
                .iter()
                .any(|key| text.contains(key)) =>
        {
            Err(vec![format!("SNAPSENTRY_CREDENTIALS_SECRET: {fault}")])
        }
        Err(_) => Err(vec![format!(
            "SNAPSENTRY_CREDENTIALS_SECRET: the secret is neither a JSON object nor a \
             clouds.yaml; {ACCEPTED}"
        )]),
    }
}

/// A `clouds.yaml` has no place for variables: they would be lost.
fn no_variables_beside_clouds(clouds: &CloudsYaml) -> Result<(), Vec<String>> {
    let mut lost: Vec<&str> = (clouds.other_keys().iter().map(String::as_str))
        .filter(|name| is_ours(name) || looks_like_ours(name))
        .collect();
    lost.sort_unstable();
    if lost.is_empty() {
        return Ok(());
    }
    Err(vec![format!(
        "{} (in the secret): beside the key \"clouds\", which makes the secret a clouds.yaml and \
         has no variables; set them in the environment",
        lost.join(", ")
    )])
}

/// The object's variables; `text` is what it was read from.
fn variables(object: &Map<String, Value>, text: &str) -> Result<Contents, Vec<String>> {
    // An id of digits alone may be larger than any number that can be held.
    let written: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap_or_default();
    let as_written = |name: &str| written.get(name).map_or("", |value| value.get());
    let mut layer = Layer::new(Origin::Secret);
    let mut faults = Vec::new();
    for (name, value) in object {
        if name == "SNAPSENTRY_CREDENTIALS_SECRET" {
            faults.push(format!(
                "{name}: stands in the secret itself; remove it there"
            ));
        } else if !is_ours(name) {
            if looks_like_ours(name) {
                faults.push(format!(
                    "{name} (in the secret): no such variable; correct its spelling or remove it"
                ));
            }
        } else {
            match value {
                Value::String(text) => layer.set(name, text),
                Value::Bool(_) | Value::Number(_) => layer.set(name, as_written(name)),
                Value::Null => {}
                Value::Array(_) | Value::Object(_) => faults.push(format!(
                    "{name} (in the secret): an array or object; accepted is a string"
                )),
            }
        }
    }
    if faults.is_empty() && !object.keys().any(|name| is_ours(name)) {
        return Err(vec![format!(
            "SNAPSENTRY_CREDENTIALS_SECRET: the secret's JSON object has none of the variables \
             that are read; {ACCEPTED}"
        )]);
    }
    Ok(Contents::Variables { layer, faults })
}

fn is_ours(name: &str) -> bool {
    Variable::named(name).is_some()
}

/// A variable's name by its shape: only such a name is ever repeated in an error.
fn looks_like_ours(name: &str) -> bool {
    let shape = name.len() <= 64
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    shape && (name.starts_with("OS_") || name.starts_with("SNAPSENTRY_"))
}

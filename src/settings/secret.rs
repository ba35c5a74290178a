//! What the secret says: a JSON object of variables, or a whole `clouds.yaml`.
//!
//! Names that look like ours and are not are refused, since a misspelt setting in a secret is
//! seen by nobody; other names are left alone, for secrets carry what their makers put there.
//! Variables that work before a secret can be read (those of logging and of the extension) may
//! stand in it and do nothing there. Of the text itself nothing is ever quoted.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::clouds_yaml::CloudsYaml;
use super::layer::{Layer, Origin};
use super::variables::VARIABLES;

/// The secret's string, as Secrets Manager keeps it.
#[derive(Clone, Debug)]
pub struct SecretText(SecretString);

impl SecretText {
    /// A secret with this text.
    pub fn new(text: impl Into<SecretString>) -> Self {
        Self(text.into())
    }

    /// Whether both say the same: an unchanged secret need not be tried again.
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

/// What was in the secret.
pub(super) enum Contents {
    Variables(Layer),
    Clouds(CloudsYaml),
}

/// Names what a secret may be, wherever it is something else.
const ACCEPTED: &str = "accepted is a JSON object of variables such as \
    {\"OS_AUTH_URL\": \"…\", \"OS_APPLICATION_CREDENTIAL_ID\": \"…\", \
    \"OS_APPLICATION_CREDENTIAL_SECRET\": \"…\"}, or a clouds.yaml";

impl Contents {
    pub(super) fn read(secret: &SecretText) -> Result<Self, Vec<String>> {
        let text = secret.0.expose_secret();
        if !text.trim_start().starts_with('{') {
            return clouds_yaml(text);
        }
        match serde_json::from_str::<Map<String, Value>>(text) {
            // Its text and not its tree goes on, so that numbers stay as they are written.
            Ok(object) if object.contains_key("clouds") => {
                no_variables_beside_clouds(&object)?;
                clouds_yaml(text)
            }
            Ok(object) => variables(&object).map(Self::Variables),
            Err(error) => Err(vec![format!(
                "SNAPSENTRY_CREDENTIALS_SECRET: the secret is not valid JSON (line {}, column \
                 {}); {ACCEPTED}",
                error.line(),
                error.column()
            )]),
        }
    }
}

#[derive(Deserialize)]
struct HasClouds {
    #[serde(rename = "clouds")]
    _clouds: IgnoredAny,
}

fn clouds_yaml(text: &str) -> Result<Contents, Vec<String>> {
    let clouds = CloudsYaml::parse(text, None);
    clouds.map(Contents::Clouds).map_err(|fault| {
        // Plain text is valid YAML; only with the key is it meant as a clouds.yaml.
        let meant = text.contains("clouds:") || serde_saphyr::from_str::<HasClouds>(text).is_ok();
        vec![match meant {
            true => format!("SNAPSENTRY_CREDENTIALS_SECRET: {fault}"),
            false => format!(
                "SNAPSENTRY_CREDENTIALS_SECRET: the secret is neither a JSON object nor a \
                 clouds.yaml; {ACCEPTED}"
            ),
        }]
    })
}

/// A `clouds.yaml` has no place for variables: they would be lost.
fn no_variables_beside_clouds(object: &Map<String, Value>) -> Result<(), Vec<String>> {
    let lost: Vec<&str> = (object.keys().map(String::as_str))
        .filter(|name| VARIABLES.contains(name) || looks_like_ours(name))
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    Err(vec![format!(
        "{} (in the secret): beside the key \"clouds\", which makes the secret a clouds.yaml and \
         has no variables; set them in the environment",
        lost.join(", ")
    )])
}

fn variables(object: &Map<String, Value>) -> Result<Layer, Vec<String>> {
    let mut layer = Layer::new(Origin::Secret);
    let mut faults = Vec::new();
    for (name, value) in object {
        if name == "SNAPSENTRY_CREDENTIALS_SECRET" {
            faults.push(format!(
                "{name}: stands in the secret itself; remove it there"
            ));
        } else if !VARIABLES.contains(&name.as_str()) {
            if looks_like_ours(name) {
                faults.push(format!(
                    "{name} (in the secret): no such variable; correct its spelling or remove it"
                ));
            }
        } else {
            match value {
                Value::String(text) => layer.set(name, text),
                Value::Bool(_) | Value::Number(_) => layer.set(name, &value.to_string()),
                Value::Null => {}
                Value::Array(_) | Value::Object(_) => faults.push(format!(
                    "{name} (in the secret): an array or object; accepted is a string"
                )),
            }
        }
    }
    if faults.is_empty() && !object.keys().any(|name| VARIABLES.contains(&name.as_str())) {
        faults.push(format!(
            "SNAPSENTRY_CREDENTIALS_SECRET: the secret's JSON object has none of the variables \
             that are read; {ACCEPTED}"
        ));
    }
    if faults.is_empty() {
        Ok(layer)
    } else {
        Err(faults)
    }
}

/// A variable's name by its shape: only such a name is ever repeated in an error.
fn looks_like_ours(name: &str) -> bool {
    let shape = name.len() <= 64
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    shape && (name.starts_with("OS_") || name.starts_with("SNAPSENTRY_"))
}

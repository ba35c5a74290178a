//! What Cinder's JSON schemas refuse, in their words.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::answer::{self, Answer, invalid_field};
use crate::call::Call;

/// The request's body as JSON.
pub(super) fn body(call: &Call) -> Result<Value, Answer> {
    let kind = call.header("content-type").unwrap_or("application/json");
    if !kind.starts_with("application/json") {
        return Err(answer::fault(
            415,
            &format!("The Content-Type {kind} is not supported."),
        ));
    }
    serde_json::from_slice(&call.body)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| answer::fault(400, "Malformed request body"))
}

/// The body's only member, an object.
pub(super) fn only_object<'a>(
    body: &'a Value,
    name: &str,
) -> Result<&'a Map<String, Value>, Answer> {
    let outer = body
        .as_object()
        .ok_or_else(|| answer::fault(400, "Malformed request body"))?;
    let Some(inner) = outer.get(name) else {
        return Err(answer::fault(
            400,
            &format!("'{name}' is a required property"),
        ));
    };
    if let Some(other) = outer.keys().find(|key| *key != name) {
        return Err(answer::fault(400, &unexpected(other)));
    }
    inner.as_object().ok_or_else(|| {
        let why = format!("{} is not of type 'object'", python(inner));
        invalid_field(name, inner, &why)
    })
}

/// Refuses members that are not known.
pub(super) fn no_more_than(
    object: &Map<String, Value>,
    name: &str,
    known: &[&str],
) -> Result<(), Answer> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(other) => Err(invalid_field(
            name,
            &Value::Object(object.clone()),
            &unexpected(other),
        )),
        None => Ok(()),
    }
}

fn unexpected(key: &str) -> String {
    format!("Additional properties are not allowed ('{key}' was unexpected)")
}

/// Text of at most 255 characters, or null.
pub(super) fn short_text(name: &str, value: Option<&Value>) -> Result<Option<String>, Answer> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= 255 => Ok(Some(text.clone())),
        Some(Value::String(text)) => Err(invalid_field(
            name,
            &Value::String(text.clone()),
            &format!("'{text}' is too long"),
        )),
        Some(other) => {
            let why = format!("{} is not of type 'string', 'null'", python(other));
            Err(invalid_field(name, other, &why))
        }
    }
}

/// Metadata with keys and values as Cinder allows them.
pub(super) fn metadata(value: &Value, slashes: bool) -> Result<BTreeMap<String, String>, Answer> {
    let Some(object) = value.as_object() else {
        let why = format!("{} is not of type 'object'", python(value));
        return Err(invalid_field("metadata", value, &why));
    };
    let mut metadata = BTreeMap::new();
    for (key, value) in object {
        let pattern = if slashes {
            "^[a-zA-Z0-9-_:. /]{1,255}$"
        } else {
            "^[a-zA-Z0-9-_:. ]{1,255}$"
        };
        let allowed = |letter: char| {
            letter.is_ascii_alphanumeric() || "-_:. ".contains(letter) || (slashes && letter == '/')
        };
        if key.is_empty() || key.chars().count() > 255 || !key.chars().all(allowed) {
            let why = format!("'{key}' does not match any of the regexes: '{pattern}'");
            return Err(invalid_field(
                "metadata",
                &Value::Object(object.clone()),
                &why,
            ));
        }
        match value {
            Value::String(text) if text.chars().count() <= 255 => {
                metadata.insert(key.clone(), text.clone());
            }
            Value::String(text) => {
                return Err(invalid_field(key, value, &format!("'{text}' is too long")));
            }
            other => {
                let why = format!("{} is not of type 'string'", python(other));
                return Err(invalid_field(key, other, &why));
            }
        }
    }
    Ok(metadata)
}

/// What Cinder takes for a boolean.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" | "y" | "t" => Some(true),
            "false" | "0" | "off" | "no" | "n" | "f" => Some(false),
            _ => None,
        },
        Value::Number(number) => match number.as_u64() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a three-byte utf8 table refuses the text.
pub(super) fn has_emoji(text: &str) -> bool {
    text.chars().any(|letter| letter > '\u{ffff}')
}

/// A value as Python shows it.
pub(super) fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

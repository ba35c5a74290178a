//! Metadata definitions: what Glance has to know for a form of Horizon's that offers our keys.
//!
//! They follow from the table of settings that the reader of volumes goes by, so the form cannot
//! offer what a pass would not read. Booleans are words with an enumeration: the form would save
//! the word `null` for a boolean that is written as `1` or `t`.

use serde_json::{Map, Value, json};

use super::{Grammar, PolicyKind, Setting, keys};

/// A time of day, as the grammar has it.
const TIME_PATTERN: &str = "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?";

/// The namespace for volumes: every key of a subscription, one object a policy.
pub fn volumes() -> Value {
    let managed = json!({
        "title": "Managed by SnapSentry",
        "description": "Whether SnapSentry looks after this volume. Set it to false to say \
                        goodbye: then expiry deletes in the end also the newest snapshot.",
        "type": "string",
        "enum": ["true", "false"],
        "default": "true",
    });
    json!({
        "namespace": "SnapSentry::Volumes",
        "display_name": "SnapSentry",
        "description": "Which snapshots SnapSentry takes of a volume, and for how long it keeps \
                        them. A volume has to be managed, and may have one policy of each kind.",
        "visibility": "public",
        "protected": false,
        "resource_type_associations": [{"name": "OS::Cinder::Volume"}],
        "properties": {keys::MANAGED: managed},
        "objects": PolicyKind::ALL.map(object),
    })
}

/// The namespace for snapshots: what a person may say about one.
pub fn snapshots() -> Value {
    let hold = json!({
        "title": "Hold",
        "description": "Whether SnapSentry keeps this snapshot, whatever its expiry date.",
        "type": "string",
        "enum": ["true", "false"],
        "default": "true",
    });
    json!({
        "namespace": "SnapSentry::Snapshots",
        "display_name": "SnapSentry",
        "description": "What SnapSentry is to do with a snapshot that it manages.",
        "visibility": "public",
        "protected": false,
        "resource_type_associations": [{"name": "OS::Cinder::Snapshot"}],
        "properties": {keys::HOLD: hold},
    })
}

/// The keys of one policy, as a group of the form.
fn object(kind: PolicyKind) -> Value {
    let (title, rhythm) = match kind {
        PolicyKind::Express => ("Express", "every few hours"),
        PolicyKind::Daily => ("Daily", "once a day, or at several times of it"),
        PolicyKind::Weekly => ("Weekly", "once a week"),
        PolicyKind::Monthly => ("Monthly", "once a month"),
        PolicyKind::Yearly => ("Yearly", "once a year"),
    };
    let properties: Map<String, Value> = Setting::keys_of(kind)
        .map(|(setting, key)| (key.to_owned(), property(setting, kind, title)))
        .collect();
    json!({
        "name": format!("SnapSentry {kind}"),
        "description": format!("The {kind} policy: a snapshot {rhythm}."),
        "properties": properties,
    })
}

fn property(setting: Setting, kind: PolicyKind, policy: &str) -> Value {
    let mut property = json!({
        "title": format!("{policy}: {}", setting.title()),
        "description": setting.description(),
    });
    let default = setting.default_value(kind);
    let text = |default: &str| Value::from(default);
    let (limits, default) = match setting.grammar() {
        Grammar::Boolean => (words(["true", "false"]), default.map(text)),
        Grammar::RetentionType => (words(["time", "count"]), default.map(text)),
        Grammar::Timezone => (json!({"type": "string"}), default.map(text)),
        Grammar::TimeOfDay => (pattern(TIME_PATTERN), default.map(text)),
        Grammar::TimesOfDay => {
            let time = format!("[ \\t]*{TIME_PATTERN}[ \\t]*");
            (
                pattern(&format!("{time}(,{time}){{0,23}}")),
                default.map(text),
            )
        }
        Grammar::DayOfWeek => {
            let days = [
                "sunday",
                "monday",
                "tuesday",
                "wednesday",
                "thursday",
                "friday",
                "saturday",
            ];
            (words(days), default.map(text))
        }
        Grammar::Month => (words((1..=12).map(|n| n.to_string())), default.map(text)),
        Grammar::Number(number) if number.only.is_empty() => {
            let limits = json!({"type": "integer", "minimum": number.from, "maximum": number.to});
            let default = default.and_then(|text| text.parse::<u32>().ok());
            (limits, default.map(Value::from))
        }
        Grammar::Number(number) => {
            let only = number.only.iter().map(u32::to_string);
            (words(only), default.map(text))
        }
    };
    for (name, value) in limits.as_object().into_iter().flatten() {
        property[name] = value.clone();
    }
    if let Some(default) = default {
        property["default"] = default;
    }
    property
}

/// One of these words.
fn words(words: impl IntoIterator<Item: Into<Value>>) -> Value {
    json!({"type": "string", "enum": words.into_iter().map(Into::into).collect::<Vec<Value>>()})
}

fn pattern(pattern: &str) -> Value {
    json!({"type": "string", "pattern": format!("^{pattern}$")})
}

//! Which volume is to be tagged with which policy.
//!
//! Settings are checked by the grammar of the volume's metadata, so that nothing is written
//! that a pass could not read; unlike on a volume, nothing is clamped or defaulted in silence.

use std::collections::BTreeMap;

use serde_json::Value;

use super::InvalidEvent;
use super::payload::{Fields, shown, uuid};
use crate::policy::{Grammar, PolicyKind, Setting, timezone_name};

/// The fields of the event: each setting that can be given by one has its own.
pub(super) fn fields() -> Vec<&'static str> {
    let of_settings = Setting::ALL.into_iter().filter_map(Setting::field);
    ["dry_run", "volume_id", "policy"]
        .into_iter()
        .chain(of_settings)
        .collect()
}

const ACCEPTED_VOLUME_ID: &str = "the volume's UUID, like \"7d3e2a4c-52a6-4b5c-9f0e-1c2d3e4f5a6b\"";

/// One policy for one volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscribeRequest {
    /// Check and report everything, write nothing.
    pub dry_run: bool,
    /// The volume's UUID, hyphenated and in lower case.
    pub volume_id: String,
    /// The policy.
    pub policy: PolicyKind,
    /// Whether the policy is to be on.
    pub enabled: bool,
    /// The settings that were given besides, each as it is written on a volume. What becomes of
    /// the others is decided against what the volume already says.
    pub settings: BTreeMap<Setting, String>,
}

impl SubscribeRequest {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, InvalidEvent> {
        let volume_id = fields.required("volume_id", ACCEPTED_VOLUME_ID, uuid)?;
        let policy = |value: &Value| value.as_str()?.parse().ok();
        let policy = fields.required("policy", &accepted_policies(), policy)?;
        only_settings_of(policy, fields)?;
        let enabled = fields.boolean("enabled")?.unwrap_or(true);
        let mut settings = BTreeMap::new();
        for (setting, field) in settings_with_fields() {
            let accepted = accepted(setting.grammar());
            if let Some(text) = fields.read(field, &accepted, |value| text(setting, value))? {
                settings.insert(setting, text);
            }
        }
        Ok(Self {
            dry_run: fields.boolean("dry_run")?.unwrap_or(false),
            volume_id,
            policy,
            enabled,
            settings,
        })
    }
}

/// The settings that an event can give, but for `enabled`, which every policy has and which means
/// something else where it is missing.
fn settings_with_fields() -> impl Iterator<Item = (Setting, &'static str)> {
    Setting::ALL
        .into_iter()
        .filter(|setting| *setting != Setting::Enabled)
        .filter_map(|setting| Some((setting, setting.field()?)))
}

fn only_settings_of(policy: PolicyKind, fields: &Fields<'_>) -> Result<(), InvalidEvent> {
    let belongs = |setting: Setting| setting.key(policy).is_some();
    let stranger = settings_with_fields()
        .find(|(setting, field)| fields.has(field) && !belongs(*setting))
        .map(|(_, field)| field);
    let Some(stranger) = stranger else {
        return Ok(());
    };
    let own: Vec<&str> = settings_with_fields()
        .filter(|(setting, _)| belongs(*setting))
        .map(|(_, field)| field)
        .collect();
    let value = fields.get(stranger).map(shown).unwrap_or_default();
    Err(InvalidEvent::new(format!(
        "{stranger}: {value} does not belong to the policy {policy}, whose settings are {}",
        own.join(", ")
    )))
}

pub(super) fn accepted_policies() -> String {
    let [others @ .., last] = PolicyKind::ALL.map(|kind| format!("\"{kind}\""));
    format!("{} or {last}", others.join(", "))
}

fn accepted(grammar: &Grammar) -> String {
    match grammar {
        Grammar::TimesOfDay => {
            "a list of 1 to 24 different times of day, such as [\"02:00\", \"14:00\"]".to_owned()
        }
        other => other.accepted(),
    }
}

/// The value of a field as it is written on a volume; `None` where it is not accepted.
fn text(setting: Setting, value: &Value) -> Option<String> {
    let grammar = setting.grammar();
    let readable = |text: String| grammar.accepts(&text).then_some(text);
    match grammar {
        Grammar::Number(number) => {
            let given = u32::try_from(value.as_u64()?).ok()?;
            number.contains(given).then(|| given.to_string())
        }
        Grammar::DayOfWeek | Grammar::Month if value.is_number() => {
            readable(value.as_u64()?.to_string())
        }
        Grammar::Timezone => timezone_name(value.as_str()?),
        Grammar::TimesOfDay => {
            let times = value.as_array()?.iter().map(|time| {
                let time = time.as_str()?;
                Grammar::TimeOfDay.accepts(time).then_some(time)
            });
            readable(times.collect::<Option<Vec<_>>>()?.join(","))
        }
        _ => readable(value.as_str()?.to_owned()),
    }
}

//! Which volume is to be tagged with which policy.
//!
//! Settings are checked by the grammar of the volume's metadata, so that nothing is written
//! that a pass could not read; unlike on a volume, nothing is clamped or defaulted in silence.

use jiff::tz::TimeZoneDatabase;
use serde_json::Value;

use super::fields::{Fields, shown, uuid};
use super::{InvalidEvent, Phase};
use crate::policy::PolicyKind;

pub(super) const FIELDS: &[&str] = &[
    "phase",
    "dry_run",
    "volume_id",
    "policy",
    "enabled",
    "retention_days",
    "timezone",
    "start_time",
    "day_of_week",
    "day_of_month",
    "interval_hours",
];

const ACCEPTED_VOLUME_ID: &str = "the volume's UUID, like \"7d3e2a4c-52a6-4b5c-9f0e-1c2d3e4f5a6b\"";
const ACCEPTED_POLICY: &str = "\"express\", \"daily\", \"weekly\" or \"monthly\"";
const ACCEPTED_TIMEZONE: &str = "an IANA name such as \"Europe/Berlin\" or \"UTC\"";
const ACCEPTED_START_TIME: &str =
    "\"HH:MM\" or \"HH:MM:SS\" from \"00:00\" to \"23:59\", by the wall clock of the timezone";
const ACCEPTED_DAY_OF_WEEK: &str =
    "an English name such as \"sunday\" or \"sun\", or 0 to 6 from Sunday";

/// The longest retention, in days.
const LONGEST_RETENTION: u32 = 36_500;

const DAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

/// One policy for one volume. Settings that were not given are `None`: what they become is
/// decided against what the volume already says.
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
    /// Whether the event said so itself.
    pub enabled_given: bool,
    /// 1 to 36,500.
    pub retention_days: Option<u32>,
    /// An IANA name in the database's own capitals.
    pub timezone: Option<String>,
    /// `H:MM`, `HH:MM` or either with seconds, as given.
    pub start_time: Option<String>,
    /// A name or a digit, as given; weekly only.
    pub day_of_week: Option<String>,
    /// 1 to 31; monthly only.
    pub day_of_month: Option<u32>,
    /// 6, 8 or 12; express only.
    pub interval_hours: Option<u32>,
}

impl SubscribeRequest {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, InvalidEvent> {
        fields.only_those_of(Phase::Subscribe)?;
        let volume_id = fields
            .read("volume_id", ACCEPTED_VOLUME_ID, uuid)?
            .ok_or_else(|| missing("volume_id", ACCEPTED_VOLUME_ID))?;
        let policy = fields
            .read("policy", ACCEPTED_POLICY, |value| {
                value.as_str()?.parse().ok()
            })?
            .ok_or_else(|| missing("policy", ACCEPTED_POLICY))?;
        only_settings_of(policy, fields)?;
        let enabled = fields.boolean("enabled")?;
        Ok(Self {
            dry_run: fields.boolean("dry_run")?.unwrap_or(false),
            volume_id,
            policy,
            enabled: enabled.unwrap_or(true),
            enabled_given: enabled.is_some(),
            retention_days: fields.whole(
                "retention_days",
                "a whole number from 1 to 36500",
                |n| (1..=LONGEST_RETENTION).contains(&n),
            )?,
            timezone: fields.read("timezone", ACCEPTED_TIMEZONE, timezone)?,
            start_time: fields
                .read("start_time", ACCEPTED_START_TIME, |value| {
                    value.as_str().filter(|text| is_start_time(text))
                })?
                .map(str::to_owned),
            day_of_week: fields.read("day_of_week", ACCEPTED_DAY_OF_WEEK, day_of_week)?,
            day_of_month: fields.whole("day_of_month", "a whole number from 1 to 31", |n| {
                (1..=31).contains(&n)
            })?,
            interval_hours: fields
                .whole("interval_hours", "6, 8 or 12", |n| [6, 8, 12].contains(&n))?,
        })
    }
}

/// The settings that only some policies have, with those policies.
fn owners(setting: &str) -> &'static [PolicyKind] {
    use PolicyKind::{Daily, Express, Monthly, Weekly};
    match setting {
        "start_time" => &[Daily, Weekly, Monthly],
        "day_of_week" => &[Weekly],
        "day_of_month" => &[Monthly],
        "interval_hours" => &[Express],
        _ => &PolicyKind::ALL,
    }
}

fn only_settings_of(policy: PolicyKind, fields: &Fields<'_>) -> Result<(), InvalidEvent> {
    const SETTINGS: [&str; 6] = [
        "retention_days",
        "timezone",
        "start_time",
        "day_of_week",
        "day_of_month",
        "interval_hours",
    ];
    let belongs = |setting: &&str| owners(setting).contains(&policy);
    match SETTINGS
        .iter()
        .find(|setting| fields.has(setting) && !belongs(setting))
    {
        None => Ok(()),
        Some(stranger) => {
            let own: Vec<&str> = SETTINGS.into_iter().filter(belongs).collect();
            let value = fields.get(stranger).map(shown).unwrap_or_default();
            Err(InvalidEvent::new(format!(
                "{stranger}: {value} does not belong to the policy {policy}, whose settings are {}",
                own.join(", ")
            )))
        }
    }
}

fn missing(field: &str, accepted: &str) -> InvalidEvent {
    InvalidEvent::new(format!("{field}: missing; accepted is {accepted}"))
}

fn timezone(value: &Value) -> Option<String> {
    let zone = TimeZoneDatabase::bundled().get(value.as_str()?).ok()?;
    // The database answers to `Etc/Unknown` as well, which is nobody's time.
    let name = zone.iana_name().filter(|_| !zone.is_unknown())?;
    Some(name.to_owned())
}

fn is_start_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let (hour, rest) = match parts.as_slice() {
        [hour, rest @ ..] if (1..=2).contains(&rest.len()) => (hour, rest),
        _ => return false,
    };
    let within = |digits: &str, end: u32| {
        digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse().is_ok_and(|n: u32| n < end)
    };
    (1..=2).contains(&hour.len())
        && within(hour, 24)
        && rest.iter().all(|part| part.len() == 2 && within(part, 60))
}

fn day_of_week(value: &Value) -> Option<String> {
    if let Some(number) = value.as_u64() {
        return (number <= 6).then(|| number.to_string());
    }
    let text = value.as_str()?;
    let day = text.to_ascii_lowercase();
    let named = DAYS.iter().any(|name| *name == day || name[..3] == day);
    let digit = matches!(text.as_bytes(), [b'0'..=b'6']);
    (named || digit).then(|| text.to_owned())
}

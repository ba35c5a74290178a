//! Reads a policy from a volume's metadata.
//!
//! A value that cannot be read never switches a policy off in silence: it makes the policy
//! invalid, and the text of that says what to write instead. Nothing is read of a policy that is
//! not enabled, so that leftovers of one given up long ago disturb nobody.

use chrono::NaiveTime;

use super::grammar::{self, Number, NumberRead};
use super::keys::{MONTHLY_DAY_OF_MONTH, Metadata, parse_bool, value};
use super::setting::{self, Setting};
use super::window::Schedule;
use super::zone::Zone;
use super::{Policy, PolicyKind};
use crate::text::cut;

/// What a volume's metadata say about one kind of policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyState {
    /// It is off, or was never there.
    Disabled,
    /// It is on, or would be, but a value cannot be read.
    Invalid(InvalidSetting),
    /// It is on.
    Enabled(Policy),
}

/// A value of a volume's metadata that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} is \"{}\"; accepted: {accepted}{}", shown(.value), origin(.value))]
pub struct InvalidSetting {
    /// The metadata key.
    pub key: String,
    /// The value as it stands there.
    pub value: String,
    /// What could stand there instead, in words.
    pub accepted: String,
    /// The policy's own keep-last, where that can be read: a mistake in another key must not
    /// cost the copies that it protects.
    keep_last: Option<u32>,
}

impl PolicyState {
    /// How many of the newest available snapshots expiry never deletes by the policy's own word;
    /// `None` where it says nothing about that.
    pub fn keep_last(&self) -> Option<u32> {
        match self {
            Self::Disabled => None,
            Self::Invalid(invalid) => invalid.keep_last,
            Self::Enabled(policy) => policy.keep_last,
        }
    }
}

/// Reads one kind of policy from a volume's metadata.
pub fn read(kind: PolicyKind, metadata: &Metadata) -> PolicyState {
    let settings = Settings { kind, metadata };
    match settings.enabled() {
        Ok(false) => PolicyState::Disabled,
        Ok(true) => settings
            .policy()
            .map_or_else(PolicyState::Invalid, PolicyState::Enabled),
        Err(invalid) => PolicyState::Invalid(invalid),
    }
}

/// How many days a snapshot is kept where nothing is said.
pub(super) fn default_retention_days(kind: PolicyKind) -> u32 {
    let days = Setting::RetentionDays.default_value(kind);
    days.and_then(|days| days.parse().ok())
        .expect("every kind has a default in days")
}

/// The settings of one policy on one volume.
struct Settings<'a> {
    kind: PolicyKind,
    metadata: &'a Metadata,
}

impl Settings<'_> {
    fn enabled(&self) -> Result<bool, InvalidSetting> {
        self.read(Setting::Enabled, parse_bool)
    }

    fn policy(&self) -> Result<Policy, InvalidSetting> {
        self.read(Setting::RetentionType, grammar::retention_type)?;
        Ok(Policy {
            kind: self.kind,
            retention_days: self.number(Setting::RetentionDays, &setting::RETENTION_DAYS)?,
            keep_at_most: self.limit(Setting::KeepAtMost, &setting::KEEP_AT_MOST)?,
            keep_last: self.limit(Setting::KeepLast, &setting::KEEP_LAST)?,
            zone: self.read(Setting::Timezone, Zone::named)?,
            schedule: self.schedule()?,
        })
    }

    fn schedule(&self) -> Result<Schedule, InvalidSetting> {
        Ok(match self.kind {
            PolicyKind::Express => Schedule::Express {
                interval_hours: self.number(Setting::IntervalHours, &setting::INTERVAL_HOURS)?,
            },
            PolicyKind::Daily => Schedule::Daily {
                times: match self.given(Setting::Times, grammar::times_of_day)? {
                    Some(times) => times,
                    None => vec![self.start_time()?],
                },
            },
            PolicyKind::Weekly => Schedule::Weekly {
                time: self.start_time()?,
                weekday: self.read(Setting::DayOfWeek, grammar::weekday)?,
            },
            PolicyKind::Monthly => Schedule::Monthly {
                time: self.start_time()?,
                day: self.number(Setting::DayOfMonth, &setting::DAY_OF_MONTH)?,
            },
            PolicyKind::Yearly => Schedule::Yearly {
                time: self.start_time()?,
                month: self.read(Setting::Month, grammar::month)?,
                day: self.number(Setting::DayOfMonth, &setting::DAY_OF_MONTH)?,
            },
        })
    }

    fn start_time(&self) -> Result<NaiveTime, InvalidSetting> {
        self.read(Setting::StartTime, grammar::time_of_day)
    }

    /// A number without a default.
    fn limit(&self, setting: Setting, number: &Number) -> Result<Option<u32>, InvalidSetting> {
        let read = self.given(setting, |text| number.read(text))?;
        Ok(read.and_then(|read| match read {
            NumberRead::Is(number) => Some(number),
            NumberRead::Default => None,
        }))
    }

    /// A number, or what its default says.
    fn number(&self, setting: Setting, number: &Number) -> Result<u32, InvalidSetting> {
        Ok(match self.read(setting, |text| number.read(text))? {
            NumberRead::Is(number) => number,
            NumberRead::Default => self.default(setting, |text| text.parse().ok()),
        })
    }

    /// The value of a setting, or what its default says.
    fn read<T>(
        &self,
        setting: Setting,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, InvalidSetting> {
        let given = self.given(setting, &parse)?;
        Ok(given.unwrap_or_else(|| self.default(setting, parse)))
    }

    fn default<T>(&self, setting: Setting, parse: impl Fn(&str) -> Option<T>) -> T {
        setting
            .default_value(self.kind)
            .and_then(parse)
            .expect("the defaults of the table can be read")
    }

    /// The value of a setting; `None` where it is missing.
    fn given<T>(
        &self,
        setting: Setting,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, InvalidSetting> {
        let Some((key, text)) = self.entry(setting) else {
            return Ok(None);
        };
        match parse(text) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(InvalidSetting {
                key: key.to_owned(),
                value: text.to_owned(),
                accepted: setting.grammar().accepted(),
                keep_last: self.readable_keep_last(),
            }),
        }
    }

    fn readable_keep_last(&self) -> Option<u32> {
        let (_, text) = self.entry(Setting::KeepLast)?;
        match setting::KEEP_LAST.read(text)? {
            NumberRead::Is(number) => Some(number),
            NumberRead::Default => None,
        }
    }

    /// The key under which the setting is found, and its value.
    fn entry(&self, setting: Setting) -> Option<(&'static str, &str)> {
        let monthly_day = setting == Setting::DayOfMonth && self.kind == PolicyKind::Monthly;
        let older_key = monthly_day.then_some(MONTHLY_DAY_OF_MONTH);
        [setting.key(self.kind), older_key]
            .into_iter()
            .flatten()
            .find_map(|key| Some((key, value(self.metadata, key)?)))
    }
}

/// The value as an error shows it: on one line, and not longer than is of use.
fn shown(value: &str) -> String {
    let (beginning, rest) = cut(value, 64);
    let mut shown = String::new();
    for character in beginning.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown + rest
}

/// Where a value comes from that nobody wrote.
fn origin(value: &str) -> &'static str {
    if value == "null" {
        "; Horizon's metadata form saves the word null for a value that it cannot show: choose the \
         value anew, or remove the key"
    } else {
        ""
    }
}

//! Reads a policy from a volume's metadata.
//!
//! A value that cannot be read never switches a policy off in silence: it makes the policy
//! invalid, and the text of that says what to write instead. Nothing is read of a policy that is
//! not enabled, so that leftovers of one given up long ago disturb nobody.

use chrono::{NaiveTime, Weekday};

use super::keys::{MONTHLY_DAY_OF_MONTH, Metadata, Setting, parse_bool, value};
use super::schedule::Schedule;
use super::zone::Zone;
use super::{Policy, PolicyKind, parse};

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
#[error("{key} is \"{}\"; accepted: {accepted}", shown(.value))]
pub struct InvalidSetting {
    /// The metadata key.
    pub key: String,
    /// The value as it stands there.
    pub value: String,
    /// What could stand there instead, in words.
    pub accepted: String,
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
    match kind {
        PolicyKind::Express => 1,
        PolicyKind::Daily => 2,
        PolicyKind::Weekly => 7,
        PolicyKind::Monthly => 30,
    }
}

/// The settings of one policy on one volume.
struct Settings<'a> {
    kind: PolicyKind,
    metadata: &'a Metadata,
}

impl Settings<'_> {
    fn enabled(&self) -> Result<bool, InvalidSetting> {
        let enabled = self.parsed(Setting::Enabled, parse_bool)?;
        Ok(enabled.unwrap_or(false))
    }

    fn policy(&self) -> Result<Policy, InvalidSetting> {
        self.parsed(Setting::RetentionType, parse::retention_type)?;
        Ok(Policy {
            kind: self.kind,
            retention_days: self.retention_days()?,
            zone: self.zone()?,
            schedule: self.schedule()?,
        })
    }

    fn retention_days(&self) -> Result<u32, InvalidSetting> {
        let days = self.parsed(Setting::RetentionDays, parse::retention_days)?;
        Ok(days
            .flatten()
            .unwrap_or_else(|| default_retention_days(self.kind)))
    }

    fn zone(&self) -> Result<Zone, InvalidSetting> {
        let zone = self.parsed(Setting::Timezone, Zone::named)?;
        Ok(zone.unwrap_or_else(Zone::utc))
    }

    fn schedule(&self) -> Result<Schedule, InvalidSetting> {
        Ok(match self.kind {
            PolicyKind::Express => Schedule::Express {
                interval_hours: self
                    .parsed(Setting::IntervalHours, parse::interval_hours)?
                    .flatten()
                    .unwrap_or(6),
            },
            PolicyKind::Daily => Schedule::Daily {
                time: self.start_time()?,
            },
            PolicyKind::Weekly => Schedule::Weekly {
                time: self.start_time()?,
                weekday: self
                    .parsed(Setting::DayOfWeek, parse::weekday)?
                    .unwrap_or(Weekday::Sun),
            },
            PolicyKind::Monthly => Schedule::Monthly {
                time: self.start_time()?,
                day: self
                    .parsed(Setting::DayOfMonth, parse::day_of_month)?
                    .unwrap_or(1),
            },
        })
    }

    fn start_time(&self) -> Result<NaiveTime, InvalidSetting> {
        let time = self.parsed(Setting::StartTime, parse::start_time)?;
        Ok(time.unwrap_or(NaiveTime::MIN))
    }

    /// The value of a setting; `None` where it is missing.
    fn parsed<T>(
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
                accepted: setting.accepted().to_owned(),
            }),
        }
    }

    /// The key under which the setting is found, and its value.
    fn entry(&self, setting: Setting) -> Option<(&'static str, &str)> {
        let older_key = (setting == Setting::DayOfMonth).then_some(MONTHLY_DAY_OF_MONTH);
        [Some(setting.key(self.kind)), older_key]
            .into_iter()
            .flatten()
            .find_map(|key| Some((key, value(self.metadata, key)?)))
    }
}

/// The value as an error shows it: on one line, and not longer than is of use.
fn shown(value: &str) -> String {
    const MAX_CHARACTERS: usize = 64;
    let mut characters = value.chars();
    let mut shown = String::new();
    for character in characters.by_ref().take(MAX_CHARACTERS) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

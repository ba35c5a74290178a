//! The metadata keys of volumes and snapshots: the whole vocabulary in one place.
//!
//! People have these keys on their volumes already, and snapshots that other tools took carry
//! them too. So the keys are fixed for good, and a key that reader and writer would spell
//! differently cannot exist.

use std::collections::BTreeMap;

use super::PolicyKind;

/// What every key begins with. A volume without any such key was never subscribed, or wiped.
pub const PREFIX: &str = "x-snapsentry-";
/// On volumes and snapshots: ours to look after, if the value is exactly `true`.
pub const MANAGED: &str = "x-snapsentry-managed";
/// On snapshots: a person wants this one kept, whatever its expiry date.
pub const HOLD: &str = "x-snapsentry-hold";
/// On snapshots: the policy that took it, as in [`PolicyKind::as_str`].
pub const SNAPSHOT_POLICY_TYPE: &str = "x-snapsentry-snapshot-policy-type";
/// On snapshots: the retention in days that the expiry date was made from.
pub const SNAPSHOT_RETENTION_DAYS: &str = "x-snapsentry-snapshot-retention-days";
/// On snapshots: when it may go, RFC 3339, UTC.
pub const SNAPSHOT_EXPIRY_DATE: &str = "x-snapsentry-snapshot-expiry-date";
/// On snapshots: the same instant in the policy's zone, for people.
pub const SNAPSHOT_EXPIRY_DATE_USER_TZ: &str = "x-snapsentry-snapshot-expiry-date-user-tz";
/// On snapshots: the start of the window it serves, RFC 3339, UTC.
pub const SNAPSHOT_WINDOW_START: &str = "x-snapsentry-snapshot-window-start";
/// An older parse of the monthly start day, read where the newer one is missing.
pub const MONTHLY_DAY_OF_MONTH: &str = "x-snapsentry-monthly-day-of-month";

/// The metadata of a volume or of a snapshot.
pub type Metadata = BTreeMap<String, String>;

/// One setting of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// Whether the policy is on.
    Enabled,
    /// How many days a snapshot is kept.
    RetentionDays,
    /// By what a snapshot's life is measured; only time is.
    RetentionType,
    /// The zone whose wall clock the policy goes by.
    Timezone,
    /// The time of day at which a window begins.
    StartTime,
    /// The day of the week on which a window begins.
    DayOfWeek,
    /// The day of the month on which a window begins.
    DayOfMonth,
    /// The length of a window in hours.
    IntervalHours,
}

/// Keys are looked up for every volume and policy of a pass, so they are spelt at compile time.
macro_rules! key {
    ($setting:expr, $kind:literal) => {
        match $setting {
            Setting::Enabled => concat!("x-snapsentry-", $kind, "-enabled"),
            Setting::RetentionDays => concat!("x-snapsentry-", $kind, "-retention-days"),
            Setting::RetentionType => concat!("x-snapsentry-", $kind, "-retention-type"),
            Setting::Timezone => concat!("x-snapsentry-", $kind, "-timezone"),
            Setting::StartTime => concat!("x-snapsentry-", $kind, "-start-time"),
            Setting::DayOfWeek => concat!("x-snapsentry-", $kind, "-start-day-of-week"),
            Setting::DayOfMonth => concat!("x-snapsentry-", $kind, "-start-day-of-month"),
            Setting::IntervalHours => concat!("x-snapsentry-", $kind, "-interval-hours"),
        }
    };
}

impl Setting {
    /// All settings there are.
    pub const ALL: [Self; 8] = [
        Self::Enabled,
        Self::RetentionDays,
        Self::RetentionType,
        Self::Timezone,
        Self::StartTime,
        Self::DayOfWeek,
        Self::DayOfMonth,
        Self::IntervalHours,
    ];

    /// The settings that this kind of policy has.
    pub fn of(kind: PolicyKind) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(move |setting| setting.belongs_to(kind))
    }

    /// Whether this kind of policy has the setting; one that it has not is never read.
    pub fn belongs_to(self, kind: PolicyKind) -> bool {
        match self {
            Self::Enabled | Self::RetentionDays | Self::RetentionType | Self::Timezone => true,
            Self::StartTime => kind != PolicyKind::Express,
            Self::DayOfWeek => kind == PolicyKind::Weekly,
            Self::DayOfMonth => kind == PolicyKind::Monthly,
            Self::IntervalHours => kind == PolicyKind::Express,
        }
    }

    /// The metadata key of the setting of this kind of policy.
    pub fn key(self, kind: PolicyKind) -> &'static str {
        match kind {
            PolicyKind::Express => key!(self, "express"),
            PolicyKind::Daily => key!(self, "daily"),
            PolicyKind::Weekly => key!(self, "weekly"),
            PolicyKind::Monthly => key!(self, "monthly"),
        }
    }

    /// What a missing key means, spelt out as a value that could stand there.
    pub fn default_value(self, kind: PolicyKind) -> &'static str {
        match (self, kind) {
            (Self::Enabled, _) => "false",
            (Self::RetentionDays, PolicyKind::Express) => "1",
            (Self::RetentionDays, PolicyKind::Daily) => "2",
            (Self::RetentionDays, PolicyKind::Weekly) => "7",
            (Self::RetentionDays, PolicyKind::Monthly) => "30",
            (Self::RetentionType, _) => "time",
            (Self::Timezone, _) => "UTC",
            (Self::StartTime, _) => "00:00",
            (Self::DayOfWeek, _) => "sunday",
            (Self::DayOfMonth, _) => "1",
            (Self::IntervalHours, _) => "6",
        }
    }

    /// What can be read, in words for a person who wrote something else.
    pub fn accepted(self) -> &'static str {
        match self {
            Self::Enabled => "1, t, T, TRUE, true, True, 0, f, F, FALSE, false or False",
            Self::RetentionDays => "a whole number of days, at most 36500",
            Self::RetentionType => "time (or count, which is treated as time)",
            Self::Timezone => "the name of an IANA time zone, such as Europe/Berlin or UTC",
            Self::StartTime => "HH:MM or HH:MM:SS, from 00:00 to 23:59",
            Self::DayOfWeek => "an English day of the week (monday or mon), or 0 to 6 from Sunday",
            Self::DayOfMonth => "a whole number, 1 to 31",
            Self::IntervalHours => "6, 8 or 12",
        }
    }
}

/// The value of a key; an empty one counts as missing.
pub(super) fn value<'a>(metadata: &'a Metadata, key: &str) -> Option<&'a str> {
    metadata
        .get(key)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}

/// Whether any setting of this kind of policy has a value, under a current or an older key.
pub fn has_settings_of(kind: PolicyKind, metadata: &Metadata) -> bool {
    Setting::of(kind).any(|setting| value(metadata, setting.key(kind)).is_some())
        || kind == PolicyKind::Monthly && value(metadata, MONTHLY_DAY_OF_MONTH).is_some()
}

/// Whether a volume or snapshot is ours to look after: exactly `true`, nothing like it. What
/// may be deleted hangs on this, so nothing is guessed.
pub fn is_managed(metadata: &Metadata) -> bool {
    metadata.get(MANAGED).is_some_and(|value| value == "true")
}

/// Reads a boolean in the spellings that are in use; `None` where it is none of them.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Whether a snapshot is held: the key is there, and its value is not a readable false. An
/// empty or odd value holds as well, because the mistake of keeping one can be mended.
pub fn is_held(metadata: &Metadata) -> bool {
    metadata
        .get(HOLD)
        .is_some_and(|value| parse_bool(value) != Some(false))
}

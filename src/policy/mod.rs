//! When a snapshot is wanted: the kinds of policy, the metadata that ask for one, the windows.
//!
//! A volume's metadata are [read](read()) into a [`Policy`], and a policy names the [`Window`] of any
//! instant. All of it is pure: no clock is read and nothing is fetched, so that a pass can be
//! tried at any instant, and the same metadata mean the same thing for ever.

mod grammar;
pub mod keys;
pub mod metadefs;
mod read;
mod setting;
mod window;
mod zone;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use self::grammar::Grammar;
pub use self::keys::Metadata;
pub use self::read::{InvalidSetting, PolicyState, read};
pub use self::setting::Setting;
use self::window::Schedule;
pub use self::window::Window;
use self::zone::Zone;
pub(crate) use self::zone::timezone_name;
pub use self::zone::zone_rules_version;

/// A kind of schedule; a volume has at most one policy of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyKind {
    /// Every few hours, counted from midnight.
    Express,
    /// Once a day, or at several times of it.
    Daily,
    /// Once a week.
    Weekly,
    /// Once a month.
    Monthly,
    /// Once a year.
    Yearly,
}

/// A text that names no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown policy; accepted are express, daily, weekly, monthly and yearly")]
pub struct UnknownPolicy;

impl PolicyKind {
    /// All kinds, from the most frequent to the least.
    pub const ALL: [Self; 5] = [
        Self::Express,
        Self::Daily,
        Self::Weekly,
        Self::Monthly,
        Self::Yearly,
    ];

    /// The word for it in metadata, events and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Express => "express",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        }
    }

    /// No window of this kind is longer. Two days are for the clocks: some zones have skipped a
    /// whole date.
    pub fn longest_window(self) -> TimeDelta {
        let nominal = match self {
            Self::Express => TimeDelta::hours(12),
            Self::Daily => TimeDelta::days(1),
            Self::Weekly => TimeDelta::days(7),
            Self::Monthly => TimeDelta::days(31),
            Self::Yearly => TimeDelta::days(366),
        };
        nominal + TimeDelta::days(2)
    }
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for PolicyKind {
    type Err = UnknownPolicy;

    /// Reads the exact word: metadata is written by programs, and a policy type that differs in
    /// case is not ours to guess at.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(UnknownPolicy)
    }
}

/// One schedule on one volume, as an enabled policy's settings describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    kind: PolicyKind,
    retention_days: u32,
    keep_at_most: Option<u32>,
    keep_last: Option<u32>,
    zone: Zone,
    schedule: Schedule,
}

impl Policy {
    /// Which kind it is of.
    pub fn kind(&self) -> PolicyKind {
        self.kind
    }

    /// How many days of its calendar a snapshot is kept; 1 to 36,500.
    pub fn retention_days(&self) -> u32 {
        self.retention_days
    }

    /// How many available snapshots expiry leaves at most, whatever their age; 1 to 1000.
    pub fn keep_at_most(&self) -> Option<u32> {
        self.keep_at_most
    }

    /// How many of the newest available snapshots expiry never deletes, where the policy says so
    /// itself; 0 to 100.
    pub fn keep_last(&self) -> Option<u32> {
        self.keep_last
    }

    /// The IANA name of the zone whose wall clock it goes by.
    pub fn timezone(&self) -> &str {
        self.zone.name()
    }

    /// The instant as people in the policy's zone write it: RFC 3339 to the second, with `Z`
    /// where their clocks show UTC.
    pub fn in_zone(&self, instant: DateTime<Utc>) -> String {
        self.zone.rfc3339(instant)
    }
}

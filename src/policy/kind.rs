//! The kinds of policy, under the one word that keys, events and answers share.

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

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

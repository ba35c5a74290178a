//! The one table of a policy's settings: keys, defaults, grammar, and the words for people.
//!
//! Whoever reads a volume's metadata, writes them, checks an event or describes the keys to
//! another program does it by this table, so that they cannot disagree.

use super::PolicyKind;
use super::grammar::{Grammar, Number, Outside};

/// One setting of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// Whether the policy is on.
    Enabled,
    /// How many days a snapshot is kept.
    RetentionDays,
    /// How many available snapshots expiry leaves at most, whatever their age.
    KeepAtMost,
    /// How many of the newest available snapshots expiry never deletes.
    KeepLast,
    /// By what a snapshot's life is measured; only time is.
    RetentionType,
    /// The zone whose wall clock the policy goes by.
    Timezone,
    /// The time of day at which a window begins.
    StartTime,
    /// The times of day at which windows begin, where there are several.
    Times,
    /// The day of the week on which a window begins.
    DayOfWeek,
    /// The month in which a window begins.
    Month,
    /// The day of the month on which a window begins.
    DayOfMonth,
    /// The length of a window in hours.
    IntervalHours,
}

/// The key of a setting for one kind of policy, and what a missing key means.
type KeyOfKind = (PolicyKind, &'static str, Option<&'static str>);

/// What there is to know of a setting.
struct Row {
    keys: &'static [KeyOfKind],
    /// The field of an event that gives it.
    field: Option<&'static str>,
    grammar: Grammar,
    /// What a form calls it.
    title: &'static str,
    /// What a form says about it.
    description: &'static str,
}

/// Keys are looked up for every volume and policy of a pass, so they are spelt at compile time.
macro_rules! keys {
    ($ending:literal, $($kind:ident $word:literal $default:expr),+) => {
        &[$((PolicyKind::$kind, concat!("x-snapsentry-", $word, "-", $ending), $default)),+]
    };
    ($ending:literal, all $default:expr) => {
        keys!($ending, Express "express" $default, Daily "daily" $default,
            Weekly "weekly" $default, Monthly "monthly" $default, Yearly "yearly" $default)
    };
}

/// A hundred years of retention. More is a slip of the finger, and would be found out too late.
pub(super) const RETENTION_DAYS: Number = Number {
    from: 1,
    to: 36_500,
    only: &[],
    below: Outside::Default,
    above: Outside::Invalid,
};
pub(super) const KEEP_AT_MOST: Number = Number {
    from: 1,
    to: 1000,
    only: &[],
    below: Outside::Invalid,
    above: Outside::Invalid,
};
pub(super) const KEEP_LAST: Number = Number {
    from: 0,
    to: 100,
    only: &[],
    below: Outside::Invalid,
    above: Outside::Invalid,
};
pub(super) const DAY_OF_MONTH: Number = Number {
    from: 1,
    to: 31,
    only: &[],
    below: Outside::Nearest,
    above: Outside::Nearest,
};
/// These hours divide the day.
pub(super) const INTERVAL_HOURS: Number = Number {
    from: 1,
    to: 12,
    only: &[1, 2, 3, 4, 6, 8, 12],
    below: Outside::Default,
    above: Outside::Invalid,
};

/// One row a setting, in the order of [`Setting::ALL`].
static TABLE: [Row; 12] = [
    Row {
        keys: keys!("enabled", all Some("false")),
        field: Some("enabled"),
        grammar: Grammar::Boolean,
        title: "Enabled",
        description: "Whether the policy is on.",
    },
    Row {
        keys: keys!("retention-days", Express "express" Some("1"), Daily "daily" Some("2"),
            Weekly "weekly" Some("7"), Monthly "monthly" Some("30"), Yearly "yearly" Some("365")),
        field: Some("retention_days"),
        grammar: Grammar::Number(RETENTION_DAYS),
        title: "Retention in days",
        description: "A snapshot expires this many days after its window began, but never before \
                      the window ends.",
    },
    Row {
        keys: keys!("keep-at-most", all None),
        field: Some("keep_at_most"),
        grammar: Grammar::Number(KEEP_AT_MOST),
        title: "Keep at most",
        description: "The most available snapshots of this policy that expiry leaves, whatever \
                      their age; held ones are not counted. Without it there is no such limit.",
    },
    Row {
        keys: keys!("keep-last", all None),
        field: Some("keep_last"),
        grammar: Grammar::Number(KEEP_LAST),
        title: "Keep last",
        description: "Of the newest available snapshots of this policy this many are never \
                      deleted, also when they have expired. Without it the deployment's own \
                      number counts.",
    },
    Row {
        keys: keys!("retention-type", all Some("time")),
        field: None,
        grammar: Grammar::RetentionType,
        title: "Retention type",
        description: "Always by time; count is found on volumes that older tools have tagged, and \
                      means the same.",
    },
    Row {
        keys: keys!("timezone", all Some("UTC")),
        field: Some("timezone"),
        grammar: Grammar::Timezone,
        title: "Time zone",
        description: "The IANA name of the time zone whose wall clock the policy goes by, such as \
                      Europe/Berlin.",
    },
    Row {
        keys: keys!("start-time", Daily "daily" Some("00:00"), Weekly "weekly" Some("00:00"),
            Monthly "monthly" Some("00:00"), Yearly "yearly" Some("00:00")),
        field: Some("start_time"),
        grammar: Grammar::TimeOfDay,
        title: "Start time",
        description: "The time of day at which a window begins, HH:MM.",
    },
    Row {
        keys: keys!("times", Daily "daily" None),
        field: Some("times"),
        grammar: Grammar::TimesOfDay,
        title: "Several times a day",
        description: "1 to 24 different times of day, HH:MM, separated by commas: a window begins \
                      at each, and the start time is not read.",
    },
    Row {
        keys: keys!("start-day-of-week", Weekly "weekly" Some("sunday")),
        field: Some("day_of_week"),
        grammar: Grammar::DayOfWeek,
        title: "Start day of the week",
        description: "The day on which a week's window begins.",
    },
    Row {
        keys: keys!("start-month", Yearly "yearly" Some("1")),
        field: Some("month"),
        grammar: Grammar::Month,
        title: "Start month",
        description: "The month in which a year's window begins, 1 for January.",
    },
    Row {
        keys: keys!("start-day-of-month", Monthly "monthly" Some("1"), Yearly "yearly" Some("1")),
        field: Some("day_of_month"),
        grammar: Grammar::Number(DAY_OF_MONTH),
        title: "Start day of the month",
        description: "The day on which a window begins; in a month that does not have it, the \
                      month's last day.",
    },
    Row {
        keys: keys!("interval-hours", Express "express" Some("6")),
        field: Some("interval_hours"),
        grammar: Grammar::Number(INTERVAL_HOURS),
        title: "Interval in hours",
        description: "A window begins every so many hours, counted from midnight.",
    },
];

impl Setting {
    /// All settings there are.
    pub const ALL: [Self; 12] = [
        Self::Enabled,
        Self::RetentionDays,
        Self::KeepAtMost,
        Self::KeepLast,
        Self::RetentionType,
        Self::Timezone,
        Self::StartTime,
        Self::Times,
        Self::DayOfWeek,
        Self::Month,
        Self::DayOfMonth,
        Self::IntervalHours,
    ];

    /// The settings that this kind of policy has, each with its metadata key.
    pub fn keys_of(kind: PolicyKind) -> impl Iterator<Item = (Self, &'static str)> {
        Self::ALL
            .into_iter()
            .filter_map(move |setting| Some((setting, setting.key(kind)?)))
    }

    /// The metadata key of the setting of this kind of policy; `None` where that has no such
    /// setting, which is never read then.
    pub fn key(self, kind: PolicyKind) -> Option<&'static str> {
        self.key_of(kind).map(|(_, key, _)| *key)
    }

    /// What a missing key means, spelt out as a value that could stand there; `None` where it
    /// means that there is no such rule.
    pub fn default_value(self, kind: PolicyKind) -> Option<&'static str> {
        self.key_of(kind).and_then(|(_, _, default)| *default)
    }

    /// The field of an event that gives the setting.
    pub fn field(self) -> Option<&'static str> {
        self.row().field
    }

    /// How its values are spelt.
    pub fn grammar(self) -> &'static Grammar {
        &self.row().grammar
    }

    /// What a form calls it.
    pub(super) fn title(self) -> &'static str {
        self.row().title
    }

    /// What a form says about it.
    pub(super) fn description(self) -> &'static str {
        self.row().description
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    fn key_of(self, kind: PolicyKind) -> Option<&'static KeyOfKind> {
        self.row().keys.iter().find(|(of, _, _)| *of == kind)
    }
}

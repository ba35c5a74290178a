//! What metadata mean. A value is drawn together with its meaning, so nothing here has to read
//! a volume's metadata the way the program does.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// The kinds of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Every few hours.
    Express,
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every year.
    Yearly,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Express,
        Self::Daily,
        Self::Weekly,
        Self::Monthly,
        Self::Yearly,
    ];

    /// Its name in metadata and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Express => "express",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A policy that can be read and is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Schedule {
    /// Which of them.
    pub kind: Kind,
    /// Its IANA zone.
    pub zone: &'static str,
    /// Minutes from midnight to the start; 0 for express, and not looked at where there are times.
    pub start_minute: u32,
    /// The times of day at which windows begin; daily only, and none where there is one start.
    pub times: Times,
    /// Days from Sunday; weekly only.
    pub weekday: u32,
    /// Day of the month; monthly and yearly only.
    pub day: u32,
    /// The month, from 1; yearly only.
    pub month: u32,
    /// Hours; express only.
    pub interval_hours: u32,
    /// Days.
    pub retention_days: u32,
    /// How many available ones expiry leaves at most.
    pub keep_at_most: Option<usize>,
}

/// Times of day, in no order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Times {
    minutes: [u16; 24],
    count: usize,
}

impl Times {
    /// As minutes from midnight, at most 24.
    pub fn of(minutes: &[u32]) -> Self {
        let mut times = Self {
            count: minutes.len(),
            ..Self::default()
        };
        for (place, minute) in times.minutes.iter_mut().zip(minutes) {
            *place = *minute as u16;
        }
        times
    }

    /// Minutes from midnight, as they were given.
    pub fn minutes(&self) -> impl Iterator<Item = u32> {
        self.minutes[..self.count].iter().copied().map(u32::from)
    }
}

/// What a volume says about one kind of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing, or that it is off.
    Off,
    /// Something that cannot be read.
    Unreadable,
    /// That it is on.
    On(Schedule),
}

/// What a volume's metadata mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// The metadata themselves.
    pub metadata: BTreeMap<String, String>,
    /// Whether they subscribe the volume.
    pub managed: bool,
    /// Whether any of them is SnapSentry's.
    pub has_our_keys: bool,
    /// By kind, in the order of [`Kind::ALL`].
    pub policies: [Meaning; 5],
    /// How many of the newest the policies themselves say that expiry leaves in any case, also
    /// where the rest cannot be read.
    pub keep_last: [Option<usize>; 5],
}

impl Schedule {
    /// As a policy of this kind is without any setting, but for its retention.
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            zone: "UTC",
            start_minute: 0,
            times: Times::default(),
            weekday: 0,
            day: 1,
            month: 1,
            interval_hours: 6,
            retention_days: 1,
            keep_at_most: None,
        }
    }
}

impl Tags {
    /// No metadata at all.
    pub fn nothing() -> Self {
        Self {
            metadata: BTreeMap::new(),
            managed: false,
            has_our_keys: false,
            policies: [Meaning::Off; 5],
            keep_last: [None; 5],
        }
    }

    /// What is said about one kind.
    pub fn policy(&self, kind: Kind) -> Meaning {
        self.policies[kind as usize]
    }
}

/// When a snapshot may go, as it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Then.
    At(DateTime<Utc>),
    /// It does not say.
    Missing,
    /// It says something else.
    Unreadable,
}

/// A snapshot in the cloud, with what its metadata mean.
#[derive(Clone, Debug)]
pub struct Snap {
    /// Its UUID.
    pub id: String,
    /// Its volume.
    pub volume_id: String,
    /// Its state.
    pub status: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was made, where listings say so.
    pub listed_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Whether it is ours to look after.
    pub managed: bool,
    /// The policy that took it.
    pub kind: Option<Kind>,
    /// The window that it says it serves.
    pub window_start: Option<DateTime<Utc>>,
    /// When it may go.
    pub expiry: Expiry,
    /// Whether somebody wants it kept.
    pub held: bool,
}

impl From<simcloud::Snapshot> for Snap {
    fn from(from: simcloud::Snapshot) -> Self {
        let of = |key: &str| from.metadata.get(key);
        let instant = |text: &String| {
            let at = DateTime::parse_from_rfc3339(text).ok()?;
            Some(at.with_timezone(&Utc))
        };
        let expiry = match of("x-snapsentry-snapshot-expiry-date").filter(|text| !text.is_empty()) {
            None => Expiry::Missing,
            Some(text) => instant(text).map_or(Expiry::Unreadable, Expiry::At),
        };
        let lets_go = ["0", "f", "F", "FALSE", "false", "False"];
        Self {
            managed: of("x-snapsentry-managed").is_some_and(|value| value == "true"),
            kind: of("x-snapsentry-snapshot-policy-type").and_then(|name| Kind::named(name)),
            window_start: of("x-snapsentry-snapshot-window-start").and_then(instant),
            expiry,
            held: of("x-snapsentry-hold").is_some_and(|value| !lets_go.contains(&value.as_str())),
            id: from.id,
            volume_id: from.volume_id,
            status: from.status,
            created_at: from.created_at,
            listed_at: Some(from.created_at),
            updated_at: from.updated_at,
        }
    }
}

impl Snap {
    /// Its place in time among others, as far as listings tell.
    pub fn place(&self) -> (Option<DateTime<Utc>>, &str) {
        (self.listed_at, &self.id)
    }
}

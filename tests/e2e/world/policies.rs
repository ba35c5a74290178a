//! Policies whose active window is well under way, whatever the time of day: a test that runs
//! over the edge of a window would see two.

use chrono::{DateTime, Datelike, Months, SubsecRound, TimeDelta, Timelike, Utc};
use simcloud::{SnapshotSpec, VolumeSpec};

/// One policy with its settings, and the window that is active now.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) kind: &'static str,
    settings: Vec<(String, String)>,
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
}

fn this_minute() -> DateTime<Utc> {
    let now = Utc::now().trunc_subsecs(0);
    now - TimeDelta::seconds(now.second().into())
}

/// `2026-11-22T09:10:00Z`
pub(crate) fn rfc3339(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A window of six hours that began two to three hours ago.
pub(crate) fn express() -> Policy {
    let start = this_minute();
    let start = start - TimeDelta::minutes(start.minute().into()) - TimeDelta::hours(2);
    // In this zone it is an hour at which the day is cut.
    let east = (6 - start.hour() % 6) % 6;
    Policy::new("express", start, start + TimeDelta::hours(6))
        .with("timezone", &format!("Etc/GMT-{east}"))
}

/// A window of a day that began five hours ago.
pub(crate) fn daily() -> Policy {
    let start = this_minute() - TimeDelta::hours(5);
    Policy::new("daily", start, start + TimeDelta::days(1))
        .with("start-time", &start.format("%H:%M").to_string())
}

/// A window of a week that began three days ago.
pub(crate) fn weekly() -> Policy {
    let start = this_minute() - TimeDelta::days(3);
    Policy::new("weekly", start, start + TimeDelta::days(7))
        .with("start-time", &start.format("%H:%M").to_string())
        .with("start-day-of-week", &start.format("%A").to_string())
}

/// A window of a month that began ten to thirteen days ago.
pub(crate) fn monthly() -> Policy {
    let start = this_minute() - TimeDelta::days(10);
    let start = start - TimeDelta::days(i64::from(start.day().saturating_sub(28)));
    let end = start.checked_add_months(Months::new(1)).expect("this era");
    Policy::new("monthly", start, end)
        .with("start-time", &start.format("%H:%M").to_string())
        .with("start-day-of-month", &start.day().to_string())
}

/// A window of a year that began forty days ago or a little earlier.
pub(crate) fn yearly() -> Policy {
    let start = this_minute() - TimeDelta::days(40);
    let start = start - TimeDelta::days(i64::from(start.day().saturating_sub(28)));
    let end = start.checked_add_months(Months::new(12)).expect("this era");
    Policy::new("yearly", start, end)
        .with("start-time", &start.format("%H:%M").to_string())
        .with("start-month", &start.format("%B").to_string())
        .with("start-day-of-month", &start.day().to_string())
}

/// A window of an hour that began ten to fifty minutes ago.
pub(crate) fn hourly() -> Policy {
    let now = this_minute();
    let into_the_hour = now.minute();
    // The second zone's hours begin when half of those of UTC are over.
    let (zone, minutes) = match into_the_hour {
        10..50 => ("UTC", into_the_hour),
        _ => ("Asia/Kolkata", (into_the_hour + 30) % 60),
    };
    let start = now - TimeDelta::minutes(minutes.into());
    Policy::new("express", start, start + TimeDelta::hours(1))
        .with("interval-hours", "1")
        .with("timezone", zone)
}

/// A window of half a day that began five hours ago.
pub(crate) fn twice_a_day() -> Policy {
    let start = this_minute() - TimeDelta::hours(5);
    let end = start + TimeDelta::hours(12);
    let times = [end, start].map(|at| at.format("%H:%M").to_string());
    Policy::new("daily", start, end).with("times", &times.join(", "))
}

impl Policy {
    fn new(kind: &'static str, start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        let policy = Self {
            kind,
            settings: Vec::new(),
            start,
            end,
        };
        policy.with("enabled", "true")
    }

    /// With this setting, in place of what it was.
    pub(crate) fn with(mut self, setting: &str, value: &str) -> Self {
        let key = self.key(setting);
        self.settings.retain(|(name, _)| *name != key);
        self.settings.push((key, value.to_owned()));
        self
    }

    /// Without this setting.
    pub(crate) fn without(mut self, setting: &str) -> Self {
        let key = self.key(setting);
        self.settings.retain(|(name, _)| *name != key);
        self
    }

    /// The metadata key of a setting.
    pub(crate) fn key(&self, setting: &str) -> String {
        format!("x-snapsentry-{}-{setting}", self.kind)
    }

    /// The volume with this policy.
    pub(crate) fn tag(&self, volume: VolumeSpec) -> VolumeSpec {
        self.settings
            .iter()
            .fold(volume, |volume, (key, value)| volume.meta(key, value))
    }

    /// Name of the window's snapshot, where the policy's zone is UTC.
    pub(crate) fn name(&self, volume: &str) -> String {
        format!("managed-{}-{volume}-{}", self.kind, rfc3339(self.start))
    }

    /// An available snapshot that serves the active window, as a pass leaves it.
    pub(crate) fn snapshot_of(&self, volume: &str) -> SnapshotSpec {
        self.snapshot_since(volume, self.start)
            .meta("x-snapsentry-snapshot-window-start", rfc3339(self.start))
    }

    /// An available snapshot that an older tool made in the active window, without a key that
    /// says which it is for.
    pub(crate) fn older_snapshot_of(&self, volume: &str) -> SnapshotSpec {
        self.snapshot_since(volume, self.start)
    }

    /// An available snapshot of a window past, which expired this many hours ago.
    pub(crate) fn expired(&self, volume: &str, hours: i64) -> SnapshotSpec {
        let expiry = Utc::now() - TimeDelta::hours(hours);
        let start = expiry - TimeDelta::days(90);
        self.snapshot_since(volume, start)
            .meta("x-snapsentry-snapshot-window-start", rfc3339(start))
            .meta("x-snapsentry-snapshot-expiry-date", rfc3339(expiry))
    }

    fn snapshot_since(&self, volume: &str, start: DateTime<Utc>) -> SnapshotSpec {
        let expiry = start + TimeDelta::days(120);
        SnapshotSpec::of(volume)
            .named(format!("managed-{}-{volume}-{}", self.kind, rfc3339(start)))
            .created_at(start + TimeDelta::minutes(1))
            .meta("x-snapsentry-managed", "true")
            .meta("x-snapsentry-snapshot-policy-type", self.kind)
            .meta("x-snapsentry-snapshot-retention-days", "120")
            .meta("x-snapsentry-snapshot-expiry-date", rfc3339(expiry))
    }
}

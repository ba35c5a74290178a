//! The volumes and snapshots of a case.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, SecondsFormat, TimeDelta, Timelike, Utc};
use simcloud::{Cloud, Config, Latency, SnapshotSpec, VolumeSpec};

const PREFIX: &str = "x-snapsentry-";

/// Policies with the snapshots that a volume has of each: four of them make 18.
pub(super) const FOUR: &[(&str, u32)] =
    &[("daily", 7), ("express", 7), ("weekly", 2), ("monthly", 2)];
/// One policy with ten snapshots.
pub(super) const ONE: &[(&str, u32)] = &[("daily", 10)];

/// A cloud whose clock shows the real time, as the function's does.
pub(super) fn cloud(latency: Latency, change: impl FnOnce(&mut Config)) -> Cloud {
    let mut config = Config {
        now: Utc::now(),
        latency,
        ..Config::default()
    };
    change(&mut config);
    Cloud::new(config)
}

/// Adds managed volumes with these policies, `on_one_vm` to a VM, and gives their ids.
pub(super) fn add_volumes(
    cloud: &Cloud,
    count: usize,
    policies: &[(&str, u32)],
    on_one_vm: usize,
) -> Vec<String> {
    let long_ago = Utc::now() - TimeDelta::days(400);
    let mut vm = String::new();
    (0..count)
        .map(|number| {
            if number % on_one_vm == 0 {
                vm = cloud.new_uuid();
            }
            let mut spec = VolumeSpec::named(format!("volume-{number}"))
                .meta(format!("{PREFIX}managed"), "true")
                .on(vm.clone());
            for (policy, _) in policies {
                spec = spec
                    .meta(format!("{PREFIX}{policy}-enabled"), "true")
                    .meta(format!("{PREFIX}{policy}-retention-days"), "400")
                    .meta(format!("{PREFIX}{policy}-retention-type"), "time")
                    .meta(format!("{PREFIX}{policy}-timezone"), "UTC");
            }
            if policies.iter().any(|(policy, _)| *policy == "express") {
                spec = spec.meta(format!("{PREFIX}express-interval-hours"), "12");
            }
            spec.created_at = Some(long_ago + TimeDelta::seconds(number as i64));
            cloud.add_volume(spec)
        })
        .collect()
}

/// What a volume's snapshots are like.
#[derive(Clone, Copy, Debug)]
pub(super) struct History {
    /// How many windows before the active one the newest snapshot is.
    pub(super) newest: u32,
    /// Snapshots of each policy.
    pub(super) count: u32,
    /// When they expire.
    pub(super) expires_at: DateTime<Utc>,
}

/// Adds snapshots of one policy, one a window, going back from the newest.
pub(super) fn add_history(cloud: &Cloud, volume_id: &str, policy: &str, history: History) {
    let now = Utc::now();
    for windows_ago in history.newest..history.newest + history.count {
        let start = window_start(policy, now, windows_ago);
        let expiry = utc(history.expires_at);
        let metadata: BTreeMap<String, String> = [
            ("managed", "true".to_owned()),
            ("snapshot-policy-type", policy.to_owned()),
            ("snapshot-retention-days", "400".to_owned()),
            ("snapshot-expiry-date", expiry.clone()),
            ("snapshot-expiry-date-user-tz", expiry),
            ("snapshot-window-start", utc(start)),
        ]
        .into_iter()
        .map(|(key, value)| (format!("{PREFIX}{key}"), value))
        .collect();
        let mut spec = SnapshotSpec::of(volume_id)
            .named(format!("managed-{policy}-{volume_id}-{}", utc(start)))
            .created_at((start + TimeDelta::seconds(30)).min(now));
        spec.description = Some("Created and managed by SnapSentry".into());
        spec.metadata = metadata;
        cloud.add_snapshot(spec);
    }
}

fn utc(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The start of a window in UTC with the default settings; express windows have 12 hours.
fn window_start(policy: &str, now: DateTime<Utc>, windows_ago: u32) -> DateTime<Utc> {
    let ago = u64::from(windows_ago);
    let midnight = now.date_naive();
    let day = match policy {
        "express" => {
            let hours = i64::from(now.hour() / 12 * 12);
            let start =
                midnight.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::hours(hours);
            return start - TimeDelta::hours(12 * i64::from(windows_ago));
        }
        "weekly" => {
            let since_sunday = u64::from(midnight.weekday().num_days_from_sunday());
            midnight - Days::new(since_sunday + 7 * ago)
        }
        "monthly" => {
            let first = midnight - Days::new(u64::from(midnight.day0()));
            first - Months::new(windows_ago)
        }
        _ => midnight - Days::new(ago),
    };
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_where_the_policies_defaults_put_them() {
        // A Wednesday.
        let now = "2026-11-25T13:10:00Z".parse().expect("an instant");
        for (policy, ago, start) in [
            ("daily", 0, "2026-11-25T00:00:00Z"),
            ("daily", 3, "2026-11-22T00:00:00Z"),
            ("express", 0, "2026-11-25T12:00:00Z"),
            ("express", 1, "2026-11-25T00:00:00Z"),
            ("weekly", 0, "2026-11-22T00:00:00Z"),
            ("weekly", 1, "2026-11-15T00:00:00Z"),
            ("monthly", 0, "2026-11-01T00:00:00Z"),
            ("monthly", 2, "2026-09-01T00:00:00Z"),
        ] {
            assert_eq!(utc(window_start(policy, now, ago)), start, "{policy} {ago}");
        }
    }
}

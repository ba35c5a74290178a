//! The four policies, with their settings read from a volume's metadata.

use chrono::{DateTime, TimeDelta, Utc};

use super::{assert_counts, assert_outcome};
use crate::api::Snapshot;
use crate::tenancy::{NewVolume, Tenancy};

fn instant(snapshot: &Snapshot, key: &str) -> DateTime<Utc> {
    let key = format!("x-snapsentry-snapshot-{key}");
    let text = snapshot.metadata.get(&key).map_or("", String::as_str);
    let read = DateTime::parse_from_rfc3339(text);
    read.unwrap_or_else(|error| panic!("{key} = {text:?}: {error}"))
        .to_utc()
}

/// One volume with all four, each with settings of its own.
pub async fn every_policy_is_taken_in_its_own_zone(t: &mut Tenancy) {
    let volume = NewVolume::named("all four")
        .policy("express")
        .meta("x-snapsentry-express-interval-hours", "8")
        .meta("x-snapsentry-express-timezone", "Asia/Kathmandu")
        .policy("daily")
        .meta("x-snapsentry-daily-start-time", "3:30")
        .meta("x-snapsentry-daily-timezone", "Europe/Berlin")
        .meta("x-snapsentry-daily-retention-days", "5")
        .policy("weekly")
        .meta("x-snapsentry-weekly-start-day-of-week", "Wed")
        .meta("x-snapsentry-weekly-timezone", "America/New_York")
        .policy("monthly")
        .meta("x-snapsentry-monthly-start-day-of-month", "31")
        .meta("x-snapsentry-monthly-retention-type", "count");
    let volume = t.add_volume(volume).await;
    let now = Utc::now();
    let mut function = t.function().await;
    let told = function.snapshot().await;
    assert_outcome(&told, "complete");
    assert_counts(&told, &[("volumes.due", 4), ("created", 4)]);

    let taken = t.api.snapshots_of(&volume).await;
    let longest = [
        ("express", 8, 1),
        ("daily", 25, 5),
        ("weekly", 169, 7),
        ("monthly", 745, 30),
    ];
    for (policy, hours, days) in longest {
        let of_policy: Vec<_> = taken.iter().filter(|one| one.policy() == policy).collect();
        let [one] = of_policy.as_slice() else {
            panic!("one for {policy}, not {of_policy:?}")
        };
        let start = instant(one, "window-start");
        assert!(
            start <= now && now < start + TimeDelta::hours(hours),
            "{one:?}"
        );
        let kept = instant(one, "expiry-date") - start;
        // An hour more or less where the clocks change in between.
        let off = (kept - TimeDelta::days(days)).abs();
        assert!(off <= TimeDelta::hours(1) || policy == "monthly", "{one:?}");
        assert_eq!(
            instant(one, "expiry-date"),
            instant(one, "expiry-date-user-tz")
        );
        let retention = &one.metadata["x-snapsentry-snapshot-retention-days"];
        assert_eq!(*retention, days.to_string());
    }
    assert_counts(&function.snapshot().await, &[("volumes.due", 0)]);
}

/// The others of the same volume go on.
pub async fn a_policy_that_cannot_be_read_stops_no_other(t: &mut Tenancy) {
    let volume = NewVolume::named("half right")
        .policy("daily")
        .meta("x-snapsentry-daily-timezone", "Mars/Olympus")
        .policy("weekly");
    let volume = t.add_volume(volume).await;
    let told = t.function().await.snapshot().await;
    assert_outcome(&told, "partial");
    assert_counts(&told, &[("volumes.invalid", 1), ("created", 1)]);
    let failure = told["failures"][0]["error"].as_str().unwrap_or_default();
    assert!(failure.contains("Mars/Olympus"), "{failure}");
    let taken = t.api.snapshots_of(&volume).await;
    assert_eq!(taken[0].policy(), "weekly");
}

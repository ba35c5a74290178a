//! The policies, with their settings read from a volume's metadata.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use serde_json::json;

use super::{assert_counts, assert_outcome, next_second};
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

/// Hours, times of a day and years: what was asked for by the day and the month is asked for
/// more often and more seldom.
pub async fn hours_times_of_a_day_and_years_are_windows_too(t: &mut Tenancy) {
    let now = Utc::now();
    let half_a_day_on = now + TimeDelta::hours(12);
    // One begins this minute and one half a day later, whatever time it is.
    let times = format!(
        "{}, {}",
        half_a_day_on.format("%H:%M"),
        now.format("%-H:%M")
    );
    let volume = NewVolume::named("all rhythms")
        .policy("express")
        .meta("x-snapsentry-express-interval-hours", "1")
        .meta("x-snapsentry-express-timezone", "Asia/Kolkata")
        .policy("daily")
        .meta("x-snapsentry-daily-times", times)
        // With times of the day nobody reads it.
        .meta("x-snapsentry-daily-start-time", "noon")
        .policy("yearly")
        .meta("x-snapsentry-yearly-start-month", "Feb")
        .meta("x-snapsentry-yearly-start-day-of-month", "30")
        .meta("x-snapsentry-yearly-retention-days", "1825");
    let volume = t.add_volume(volume).await;
    let mut function = t.function().await;
    let told = function.snapshot().await;
    assert_outcome(&told, "complete");
    assert_counts(&told, &[("volumes.due", 3), ("created", 3)]);

    let now = Utc::now();
    let taken = t.api.snapshots_of(&volume).await;
    let start_of = |policy: &str| {
        let of_policy: Vec<_> = taken.iter().filter(|one| one.policy() == policy).collect();
        let [one] = of_policy.as_slice() else {
            panic!("one for {policy}, not {of_policy:?}")
        };
        assert_eq!(one.status, "available", "{one:?}");
        let start = instant(one, "window-start");
        (start, instant(one, "expiry-date") - start)
    };
    let (hour, kept) = start_of("express");
    assert!(hour <= now && now < hour + TimeDelta::hours(1), "{hour}");
    assert_eq!(hour.minute(), 30, "an hour of India: {hour}");
    assert_eq!(kept, TimeDelta::days(1));
    let (time, kept) = start_of("daily");
    assert!(time <= now && now < time + TimeDelta::hours(12), "{time}");
    assert_eq!(kept, TimeDelta::days(2));
    let (year, kept) = start_of("yearly");
    assert!(year <= now && now < year + TimeDelta::days(367), "{year}");
    let day = year.date_naive();
    let next = day + TimeDelta::days(1);
    assert_eq!(
        (day.month(), next.month()),
        (2, 3),
        "February's last: {year}"
    );
    assert_eq!(kept, TimeDelta::days(1825));
    assert_counts(&function.snapshot().await, &[("volumes.due", 0)]);
}

/// By number, also what has not expired; never the last ones, nor what is held, nor where the number cannot
/// be read.
pub async fn a_limit_by_number_lets_the_oldest_go_and_never_the_last(t: &mut Tenancy) {
    let key = |policy: &str, setting: &str| format!("x-snapsentry-{policy}-{setting}");
    let volume = NewVolume::named("the last ones")
        .policy("daily")
        .meta(key("daily", "keep-at-most"), "2")
        .policy("weekly")
        .meta(key("weekly", "keep-at-most"), "1")
        .meta(key("weekly", "keep-last"), "3")
        .policy("monthly")
        .meta(key("monthly", "keep-at-most"), "many");
    let volume = t.add_volume(volume).await;
    let mut by_age = Vec::new();
    for _ in 0..4 {
        for policy in ["daily", "weekly", "monthly"] {
            let id = t.add_lasting_snapshot(&volume, policy).await;
            by_age.push((policy, id));
        }
        next_second().await;
    }
    let of = |wanted: &str| {
        let of_policy = by_age.iter().filter(|(policy, _)| *policy == wanted);
        let ids: Vec<String> = of_policy.map(|(_, id)| id.clone()).collect();
        ids
    };
    let (daily, weekly) = (of("daily"), of("weekly"));
    // The oldest of them, which counts for nobody.
    t.api
        .tag_snapshot(&daily[0], "x-snapsentry-hold", "true")
        .await;

    let mut function = t.function().await;
    let dry = json!({ "phase": "expire", "dry_run": true });
    let planned = function.invoke(dry).await.answer().clone();
    let plan = planned["plan"].as_array().expect("a plan");
    let mut goes: Vec<&str> = plan
        .iter()
        .filter_map(|one| one["snapshot_id"].as_str())
        .collect();
    goes.sort_unstable();
    let mut expected = [daily[1].as_str(), weekly[0].as_str()];
    expected.sort_unstable();
    assert_eq!(goes, expected, "{planned:#}");
    assert!(plan.iter().all(|one| one["reason"] == "keep-at-most"));

    let told = function.expire().await;
    assert_counts(&told, &[("deleted", 2)]);
    for id in expected {
        t.api.wait_for_snapshot(id, "gone").await;
    }
    assert_eq!(t.api.snapshots_of(&volume).await.len(), 12 - 2);
    assert_counts(&function.expire().await, &[("deleted", 0)]);
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

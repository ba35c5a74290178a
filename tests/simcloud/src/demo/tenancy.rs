//! A small project in which every kind of thing occurs once, by the real clock.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use simcloud::{Cloud, Config, Latency, SnapshotSpec, VolumeSpec};

/// The volume that the subscribe samples tag.
const SUBSCRIBED_BY_EVENTS: &str = "7d3e2a4c-52a6-4b5c-9f0e-1c2d3e4f5a6b";
/// The other volume that samples name, and that a restore gets back.
const NAMED_IN_EVENTS: &str = "b1f4c9de-0a3f-4e57-8d21-6f7a8b9c0d1e";

/// The cloud of the demonstration.
pub(crate) fn cloud() -> Cloud {
    let cloud = Cloud::new(Config {
        now: Utc::now(),
        latency: Latency::Fixed(Duration::from_millis(20)),
        creation_time: Duration::from_secs(1),
        volume_creation_time: Duration::from_secs(2),
        ..Config::default()
    });
    let web = server(&cloud, "web-1");
    let (db_1, db_2) = (server(&cloud, "db-1"), server(&cloud, "db-2"));

    // One machine with three disks, which are taken together.
    let root = VolumeSpec {
        device: Some("/dev/vda".into()),
        bootable: true,
        ..tagged("web-1-root", &["daily"]).on(&web)
    };
    cloud.add_volume(aged(&cloud, root, 400));
    let data = tagged("web-1-data", &["express", "daily"])
        .on(&web)
        .meta("x-snapsentry-express-interval-hours", "8")
        .meta("x-snapsentry-daily-timezone", "Europe/Berlin")
        .meta("x-snapsentry-daily-start-time", "02:30");
    let data = cloud.add_volume(aged(&cloud, data, 400));
    let logs = tagged("web-1-logs", &["weekly"])
        .on(&web)
        .meta("x-snapsentry-weekly-start-day-of-week", "saturday");
    let logs = VolumeSpec {
        device: Some("/dev/vdc".into()),
        ..logs
    };
    cloud.add_volume(aged(&cloud, logs, 400));

    // One that two machines share, one that hangs on none, one that nobody asked to keep: the
    // samples in events/ name the first and the last of these.
    let shared = VolumeSpec {
        id: Some(NAMED_IN_EVENTS.to_owned()),
        ..tagged("db-shared", &["daily", "weekly"])
    };
    cloud.add_volume(aged(&cloud, shared.on(&db_1).on(&db_2), 200));
    let archive = tagged("archive", &["monthly"])
        .meta("x-snapsentry-monthly-start-day-of-month", "31")
        .meta("x-snapsentry-monthly-timezone", "America/New_York");
    let archive = cloud.add_volume(aged(&cloud, archive, 900));
    let scratch = VolumeSpec {
        id: Some(SUBSCRIBED_BY_EVENTS.to_owned()),
        ..VolumeSpec::named("scratch")
    };
    cloud.add_volume(aged(&cloud, scratch, 3));

    more_rhythms(&cloud);
    what_is_wrong(&cloud);

    // One policy that cannot be read; the other of the same volume can.
    let mistyped = tagged("mistyped", &["daily", "weekly"])
        .meta("x-snapsentry-daily-start-time", "25 o'clock");
    cloud.add_volume(aged(&cloud, mistyped, 30));

    // Of the data's recovery points one has expired and one has not.
    for (days, retention) in [(4, 2), (1, 2)] {
        cloud.add_snapshot(managed(&cloud, &data, "daily", days, Some(retention)));
    }
    // Somebody took the expiry date away from one, and took another by hand.
    cloud.add_snapshot(managed(&cloud, &archive, "monthly", 70, None));
    let by_hand = SnapshotSpec::of(&archive).named("before-the-move");
    cloud.add_snapshot(by_hand.created_at(cloud.now() - TimeDelta::days(20)));
    cloud
}

/// Further policies and settings, one each.
fn more_rhythms(cloud: &Cloud) {
    let ledger = tagged("ledger", &["yearly", "monthly"])
        .meta("x-snapsentry-yearly-start-month", "april")
        .meta("x-snapsentry-yearly-timezone", "Asia/Tokyo");
    cloud.add_volume(aged(cloud, ledger, 900));
    let orders = tagged("orders", &["daily"])
        .meta("x-snapsentry-daily-times", "02:00, 14:00")
        .meta("x-snapsentry-daily-timezone", "America/Sao_Paulo");
    cloud.add_volume(aged(cloud, orders, 60));

    // Every hour, and of those never more than the newest three.
    let queue = tagged("queue", &["express"])
        .meta("x-snapsentry-express-interval-hours", "1")
        .meta("x-snapsentry-express-keep-at-most", "3");
    let queue = cloud.add_volume(aged(cloud, queue, 60));
    for hours in 1..=5 {
        cloud.add_snapshot(managed_hours(cloud, &queue, "express", hours, Some(7)));
    }

    // Expired, all of them: the newest two stay all the same.
    let letters = tagged("letters", &["daily"])
        .meta("x-snapsentry-daily-retention-days", "2")
        .meta("x-snapsentry-daily-keep-last", "2");
    let letters = cloud.add_volume(aged(cloud, letters, 60));
    for days in [5, 6, 7] {
        cloud.add_snapshot(managed(cloud, &letters, "daily", days, Some(2)));
    }
    // And one that somebody still needs.
    let held = managed(cloud, &letters, "daily", 30, Some(2));
    cloud.add_snapshot(held.meta("x-snapsentry-hold", "true"));
}

/// What a person has to look after.
fn what_is_wrong(cloud: &Cloud) {
    // A tool has wiped its tags.
    let wiped = cloud.add_volume(aged(cloud, VolumeSpec::named("wiped"), 90));
    cloud.add_snapshot(managed(cloud, &wiped, "daily", 9, Some(2)));
    // Its machine is shelved: no snapshot can be taken of it.
    let shelved = tagged("shelved", &["daily"]).status("reserved");
    cloud.add_volume(aged(cloud, shelved, 90));
}

fn server(cloud: &Cloud, name: &str) -> String {
    let id = cloud.new_uuid();
    cloud.add_server(&id, name);
    id
}

fn tagged(name: &str, policies: &[&str]) -> VolumeSpec {
    let volume = VolumeSpec::named(name).meta("x-snapsentry-managed", "true");
    policies.iter().fold(volume, |volume, policy| {
        volume.meta(format!("x-snapsentry-{policy}-enabled"), "true")
    })
}

fn aged(cloud: &Cloud, volume: VolumeSpec, days: i64) -> VolumeSpec {
    VolumeSpec {
        created_at: Some(cloud.now() - TimeDelta::days(days)),
        ..volume
    }
}

/// A recovery point of some days ago, with an expiry date if it has a retention.
fn managed(
    cloud: &Cloud,
    volume_id: &str,
    policy: &str,
    days: i64,
    retention: Option<i64>,
) -> SnapshotSpec {
    managed_hours(cloud, volume_id, policy, 24 * days, retention)
}

/// The same of some hours ago; the retention is in days.
fn managed_hours(
    cloud: &Cloud,
    volume_id: &str,
    policy: &str,
    hours: i64,
    retention: Option<i64>,
) -> SnapshotSpec {
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let taken = cloud.now() - TimeDelta::hours(hours);
    let snapshot = SnapshotSpec::of(volume_id)
        .named(format!("managed-{policy}-{volume_id}-{}", text(taken)))
        .meta("x-snapsentry-managed", "true")
        .meta("x-snapsentry-snapshot-policy-type", policy)
        .meta("x-snapsentry-snapshot-window-start", text(taken))
        .created_at(taken);
    let snapshot = SnapshotSpec {
        description: Some("Created and managed by SnapSentry".into()),
        ..snapshot
    };
    match retention {
        None => snapshot,
        Some(retention) => snapshot
            .meta(
                "x-snapsentry-snapshot-retention-days",
                retention.to_string(),
            )
            .meta(
                "x-snapsentry-snapshot-expiry-date",
                text(taken + TimeDelta::days(retention)),
            ),
    }
}

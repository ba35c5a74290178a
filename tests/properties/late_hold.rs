//! A listing grows old while it is long: what people decide meanwhile counts.

use std::time::Duration;

use serde_json::json;
use simcloud::{Cloud, Config, Fault, Kind, Route, When};

use crate::exchange::Call;
use crate::scene::{Ran, Scene, play};

const HOLD: &str = "x-snapsentry-hold";
const MANAGED: &str = "x-snapsentry-managed";
const EXPIRY: &str = "x-snapsentry-snapshot-expiry-date";

/// What somebody does to a snapshot while the pass still lists volumes.
#[derive(Clone, Copy, Debug)]
enum Change {
    Nothing,
    Hold(&'static str),
    TakeOver,
    Prolong,
    Unreadable,
    Delete,
}

impl Change {
    fn carry_out(self, cloud: &Cloud, id: &str) {
        let mut metadata = cloud.snapshot(id).expect("the snapshot").metadata;
        match self {
            Self::Nothing => {}
            Self::Hold(value) => drop(metadata.insert(HOLD.into(), value.into())),
            Self::TakeOver => drop(metadata.insert(MANAGED.into(), "false".into())),
            Self::Prolong => drop(metadata.insert(EXPIRY.into(), "2030-01-01T00:00:00Z".into())),
            Self::Unreadable => drop(metadata.insert(EXPIRY.into(), "never".into())),
            Self::Delete => drop(cloud.remove_snapshot(id)),
        }
        cloud.set_snapshot_metadata(id, metadata);
    }

    /// Whether the snapshot stays where it is read again.
    fn saves(self) -> bool {
        !matches!(self, Self::Nothing | Self::Delete | Self::Hold("false"))
    }
}

/// An expire pass over one expired snapshot, whose listing of the volumes takes this long, and to
/// which this happens meanwhile. Says whether it is still there.
fn expire(seconds: u64, change: Change) -> (Ran, bool) {
    play(async {
        let scene = Scene::empty(Config {
            osapi_max_limit: 2,
            ..Config::default()
        });
        let volume = scene.volume(&["daily-enabled=true", "daily-keep-last=0"], None);
        // A full page of volumes has another after it.
        scene.volume(&[], None);
        let id = scene.expired(&volume, "daily", 5);
        // Two pages: no attempt may take longer than the time-out of one.
        for (page, part) in [(0, seconds / 2), (1, seconds - seconds / 2)] {
            let slow = Kind::DelayBefore(Duration::from_secs(part));
            let fault = Fault::on(Route::ListVolumes, slow);
            scene.cloud.inject(fault.skip(page));
        }
        let listed = id.clone();
        scene
            .cloud
            .on(Route::ListSnapshots, 1, When::After, move |cloud| {
                change.carry_out(cloud, &listed);
            });
        let ran = scene
            .run(&json!({"phase": "expire"}), Box::new(|_, _| {}))
            .await;
        let is_there = scene.snapshots().contains_key(&id);
        (ran, is_there)
    })
}

const CHANGES: [Change; 9] = [
    Change::Nothing,
    Change::Hold("true"),
    Change::Hold("until Friday"),
    Change::Hold(""),
    Change::Hold("false"),
    Change::TakeOver,
    Change::Prolong,
    Change::Unreadable,
    Change::Delete,
];

fn reads(ran: &Ran) -> usize {
    let calls = ran.exchanges.iter().map(|exchange| exchange.call);
    calls.filter(|call| *call == Call::Snapshot).count()
}

fn deletions(ran: &Ran) -> usize {
    let calls = ran.exchanges.iter().map(|exchange| exchange.call);
    calls.filter(|call| *call == Call::Delete).count()
}

#[test]
fn what_was_listed_more_than_thirty_seconds_ago_is_read_again_before_it_is_deleted() {
    for change in CHANGES {
        let (ran, is_there) = expire(34, change);
        assert_eq!(reads(&ran), 1, "{change:?} {ran:?}");
        assert_eq!(is_there, change.saves(), "{change:?} {ran:?}");
        let is_deleted = !change.saves() && !matches!(change, Change::Delete);
        assert_eq!(
            deletions(&ran),
            usize::from(is_deleted),
            "{change:?} {ran:?}"
        );
        let answer = ran.end.as_ref().expect("an answer");
        assert_eq!(answer["outcome"], "complete", "{change:?}");
        let counted = u64::from(!change.saves());
        assert_eq!(answer["snapshots"]["deleted"], counted, "{change:?}");
        assert_eq!(answer["snapshots"]["kept"], 0, "{change:?}");
    }
}

#[test]
fn what_was_listed_a_moment_ago_is_not() {
    for change in [Change::Nothing, Change::Hold("true")] {
        let (ran, _) = expire(26, change);
        assert_eq!((reads(&ran), deletions(&ran)), (0, 1), "{change:?} {ran:?}");
    }
}

/// An expire pass over one snapshot, which meets these faults; whoever reads it once more finds it
/// held. Tells what ran, and whether the snapshot is there still.
fn expire_meeting(faults: impl IntoIterator<Item = Fault>) -> (Ran, bool) {
    play(async {
        let scene = Scene::empty(Config::default());
        let volume = scene.volume(&["daily-enabled=true", "daily-keep-last=0"], None);
        let id = scene.expired(&volume, "daily", 5);
        for fault in faults {
            scene.cloud.inject(fault);
        }
        let held = id.clone();
        scene
            .cloud
            .on(Route::GetSnapshot, 1, When::Before, move |cloud| {
                Change::Hold("true").carry_out(cloud, &held);
            });
        let event = json!({"phase": "expire"});
        let ran = scene.run(&event, Box::new(|_, _| {})).await;
        let is_there = scene.snapshots().contains_key(&id);
        (ran, is_there)
    })
}

/// The token ends with the first deletion, and Keystone asks to wait before it gives another.
fn a_login_that_waits(seconds: &str) -> [Fault; 2] {
    let busy = Kind::status_with(429, "Retry-After", seconds);
    [
        Fault::on(Route::DeleteSnapshot, Kind::ExpireToken),
        Fault::on(Route::Login, busy).skip(1),
    ]
}

#[test]
fn a_deletion_that_waits_to_be_sent_again_is_not_where_the_snapshot_is_held_by_then() {
    for (seconds, stays) in [("40", true), ("10", false)] {
        let busy = Kind::status_with(503, "Retry-After", seconds);
        let (ran, is_there) = expire_meeting([Fault::on(Route::DeleteSnapshot, busy)]);
        assert_eq!(is_there, stays, "{seconds} {ran:?}");
        assert_eq!(deletions(&ran), if stays { 1 } else { 2 }, "{ran:?}");
        let answer = ran.end.as_ref().expect("an answer");
        assert_eq!(answer["outcome"], "complete", "{answer}");
        assert_eq!(answer["snapshots"]["deleted"], u64::from(!stays));
    }
}

#[test]
fn a_deletion_that_waits_for_a_fresh_token_is_not_sent_where_the_snapshot_is_held_by_then() {
    for (seconds, stays) in [("40", true), ("10", false)] {
        let (ran, is_there) = expire_meeting(a_login_that_waits(seconds));
        assert_eq!(is_there, stays, "{seconds} {ran:?}");
        assert_eq!(deletions(&ran), if stays { 1 } else { 2 }, "{ran:?}");
        assert_eq!(reads(&ran), usize::from(stays), "{ran:?}");
        let answer = ran.end.as_ref().expect("an answer");
        assert_eq!(answer["outcome"], "complete", "{answer}");
        assert_eq!(answer["snapshots"]["deleted"], u64::from(!stays));
    }
}

#[test]
fn a_superfluous_copy_stays_where_it_is_held_or_the_other_gone_after_a_wait_for_a_token() {
    let rows = [(Change::Hold("true"), 1, 2), (Change::Delete, 0, 1)];
    for (change, changed, left) in rows {
        let (ran, snapshots) = play(async {
            let scene = Scene::empty(Config::default());
            let volume = scene.volume(&["daily-enabled=true"], None);
            let mut twins = [(); 2].map(|()| scene.taken(&volume, "daily", "available"));
            // The greater id goes.
            twins.sort();
            for fault in a_login_that_waits("20") {
                scene.cloud.inject(fault);
            }
            let id = twins[changed].clone();
            scene
                .cloud
                .on(Route::GetSnapshot, 2, When::Before, move |cloud| {
                    change.carry_out(cloud, &id);
                });
            let event = json!({"phase": "snapshot"});
            let ran = scene.run(&event, Box::new(|_, _| {})).await;
            (ran, scene.snapshots())
        });
        assert_eq!(snapshots.len(), left, "{change:?} {ran:?}");
        assert_eq!(deletions(&ran), 1, "{change:?} {ran:?}");
    }
}

#[test]
fn one_that_cannot_be_read_again_is_not_deleted() {
    let ran = play(async {
        let scene = Scene::empty(Config {
            osapi_max_limit: 2,
            ..Config::default()
        });
        let volume = scene.volume(&["daily-enabled=true", "daily-keep-last=0"], None);
        // A full page of volumes has another after it.
        scene.volume(&[], None);
        scene.expired(&volume, "daily", 5);
        for page in [0, 1] {
            let slow = Kind::DelayBefore(Duration::from_secs(17));
            let fault = Fault::on(Route::ListVolumes, slow);
            scene.cloud.inject(fault.skip(page));
        }
        let refused = Fault::on(Route::GetSnapshot, Kind::status(403));
        scene.cloud.inject(refused.forever());
        scene
            .run(&json!({"phase": "expire"}), Box::new(|_, _| {}))
            .await
    });
    assert_eq!(deletions(&ran), 0, "{ran:?}");
    let answer = ran.end.as_ref().expect("an answer");
    assert_eq!(answer["outcome"], "partial");
    assert_eq!(answer["snapshots"]["failed"], 1);
    assert!(answer["failures"][0]["request_id"].is_string(), "{answer}");
}

/// Two snapshots of a volume whose policy keeps one, and whose listing takes so long.
fn one_too_many(seconds: u64) -> (Scene, String) {
    let scene = Scene::empty(Config {
        osapi_max_limit: 2,
        ..Config::default()
    });
    let volume = scene.volume(&["daily-enabled=true", "daily-keep-at-most=1"], None);
    // A full page has another after it.
    for _ in 0..2 {
        scene.taken(&volume, "daily", "available");
    }
    for page in [0, 1] {
        let slow = Kind::DelayBefore(Duration::from_secs(seconds / 2));
        let fault = Fault::on(Route::ListSnapshots, slow);
        scene.cloud.inject(fault.skip(page));
    }
    (scene, volume)
}

/// An expire pass over two snapshots of which the policy keeps one, while whose listing somebody
/// changes the volume's settings like this; `None`: the volume itself goes. Tells what ran, and how
/// many snapshots are left.
fn expire_by_number(seconds: u64, changed: Option<&[&str]>) -> (Ran, usize) {
    play(async {
        let (scene, volume) = one_too_many(seconds);
        let changed = changed.map(|settings| {
            let mut metadata = scene.cloud.volume(&volume).expect("it").metadata;
            for setting in settings {
                let (key, value) = setting.split_once('=').expect("a constant of this test");
                metadata.insert(format!("x-snapsentry-{key}"), value.into());
            }
            metadata
        });
        scene
            .cloud
            .on(Route::ListVolumes, 1, When::After, move |cloud| {
                match changed {
                    Some(metadata) => cloud.set_metadata(&volume, metadata),
                    None => cloud.remove_volume(&volume),
                };
            });
        let event = json!({"phase": "expire"});
        let ran = scene.run(&event, Box::new(|_, _| {})).await;
        let left = scene.snapshots().len();
        (ran, left)
    })
}

#[test]
fn what_goes_by_number_stays_where_the_policy_says_another_number_by_then() {
    for (changed, left) in [
        (Some(&[][..]), 1),
        (Some(&["weekly-enabled=true", "daily-retention-days=9"]), 1),
        (Some(&["daily-keep-at-most=10"]), 2),
        (Some(&["daily-keep-at-most="]), 2),
        (Some(&["daily-keep-at-most=ten"]), 2),
        (Some(&["daily-keep-last=2"]), 2),
        (Some(&["daily-enabled=false"]), 2),
        (Some(&["daily-timezone=Nowhere"]), 2),
        (Some(&["managed=false"]), 2),
        (None, 2),
    ] {
        let (ran, there) = expire_by_number(34, changed);
        assert_eq!(there, left, "{changed:?} {ran:?}");
        assert_eq!(deletions(&ran), 2 - left, "{changed:?} {ran:?}");
        let answer = ran.end.as_ref().expect("an answer");
        assert_eq!(answer["outcome"], "complete", "{changed:?}");
        assert_eq!(answer["snapshots"]["deleted"], 2 - left, "{changed:?}");
        // What was listed a moment ago is believed.
        let (ran, there) = expire_by_number(26, changed);
        assert_eq!(there, 1, "{changed:?} {ran:?}");
    }
}

#[test]
fn where_the_volume_cannot_be_read_again_nothing_goes_by_number() {
    let ran = play(async {
        let (scene, _) = one_too_many(34);
        let refused = Fault::on(Route::GetVolume, Kind::status(403));
        scene.cloud.inject(refused.forever());
        let event = json!({"phase": "expire"});
        scene.run(&event, Box::new(|_, _| {})).await
    });
    assert_eq!(deletions(&ran), 0, "{ran:?}");
    let answer = ran.end.as_ref().expect("an answer");
    assert_eq!(answer["snapshots"]["failed"], 1, "{answer}");
}

#[test]
fn what_was_listed_as_stuck_or_broken_stays_where_it_is_whole_when_it_is_read_again() {
    for (listed, by_then, left) in [
        ("creating", "available", 1),
        ("error", "available", 1),
        ("creating", "creating", 0),
        ("error", "error", 0),
    ] {
        let (ran, there) = play(async {
            let scene = Scene::empty(Config {
                osapi_max_limit: 2,
                ..Config::default()
            });
            let volume = scene.volume(&["daily-enabled=true"], None);
            // A full page of volumes has another after it.
            scene.volume(&[], None);
            let id = scene.expired_in(&volume, "daily", 5, listed);
            for page in [0, 1] {
                let slow = Kind::DelayBefore(Duration::from_secs(17));
                let fault = Fault::on(Route::ListVolumes, slow);
                scene.cloud.inject(fault.skip(page));
            }
            let seen = id.clone();
            scene
                .cloud
                .on(Route::ListSnapshots, 1, When::After, move |cloud| {
                    if by_then != listed {
                        cloud.set_snapshot_status(&seen, by_then);
                    }
                });
            let event = json!({"phase": "expire"});
            let ran = scene.run(&event, Box::new(|_, _| {})).await;
            (ran, scene.snapshots().len())
        });
        assert_eq!(there, left, "{listed} {by_then} {ran:?}");
        let answer = ran.end.as_ref().expect("an answer");
        assert_eq!(answer["outcome"], "complete", "{listed} {by_then}");
    }
}

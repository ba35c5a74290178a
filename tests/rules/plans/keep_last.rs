//! The newest copies stay, expired or not, while their volume wants them or may have been robbed
//! of its say.

use std::collections::BTreeSet;

use snapsentry::plan::expiry::{self, ExpiryLimits, ExpiryVerdict, KeepLast};
use snapsentry::plan::{Expiry, Snapshot, State, Volume};
use snapsentry::policy::PolicyKind::{Daily, Weekly};

use super::{STUCK_AFTER, at, daily, now, of_any_order, subscribed, volume};

/// An expired daily snapshot of volume `v`, made at this time of the day before.
fn expired(id: &str, time: &str) -> Snapshot {
    Snapshot {
        created_at: Some(at(&format!("2026-11-21T{time}Z"))),
        expiry: Expiry::At(at("2026-11-22T00:00:00Z")),
        ..daily(id)
    }
}

/// Which of these are kept as the last ones, where they were listed in this order.
fn kept<'a>(volume: Option<&Volume>, listed: &'a [Snapshot], keep_last: usize) -> Vec<&'a str> {
    let mut newest = KeepLast::default();
    for snapshot in listed {
        newest.take_in(snapshot, keep_last);
    }
    let limits = ExpiryLimits {
        keep_last,
        stuck_after: STUCK_AFTER,
    };
    listed
        .iter()
        .filter(|one| expiry::judge(one, volume, &newest, now(), limits) == ExpiryVerdict::KeptLast)
        .map(|one| one.id.as_str())
        .collect()
}

/// The same, sorted, of a volume that wants daily and weekly snapshots; and the order in which
/// they are listed does not matter.
fn kept_of_any_order(snapshots: &[Snapshot], keep_last: usize) -> Vec<String> {
    let volume = subscribed("v", &[Daily, Weekly]);
    of_any_order(snapshots, |listed| {
        let kept = kept(Some(&volume), listed, keep_last);
        let kept: BTreeSet<String> = kept.into_iter().map(str::to_owned).collect();
        Vec::from_iter(kept)
    })
}

#[test]
fn as_many_of_the_newest_stay_as_are_asked_for() {
    let snapshots = [
        expired("a", "01:00:00"),
        expired("b", "02:00:00"),
        expired("c", "03:00:00"),
        expired("d", "04:00:00"),
    ];
    for (keep_last, stay) in [
        (0, &[][..]),
        (1, &["d"]),
        (2, &["c", "d"]),
        (3, &["b", "c", "d"]),
        (4, &["a", "b", "c", "d"]),
        (9, &["a", "b", "c", "d"]),
    ] {
        assert_eq!(kept_of_any_order(&snapshots, keep_last), stay);
    }
}

#[test]
fn of_one_second_the_greater_id_is_the_newer() {
    let snapshots = ["b", "d", "a", "c"].map(|id| expired(id, "01:00:00"));
    assert_eq!(kept_of_any_order(&snapshots, 1), ["d"]);
    assert_eq!(kept_of_any_order(&snapshots, 3), ["b", "c", "d"]);
}

#[test]
fn one_that_does_not_say_when_it_was_made_is_the_oldest() {
    let undated = |id| Snapshot {
        created_at: None,
        ..expired(id, "00:00:00")
    };
    let snapshots = [undated("z"), expired("a", "01:00:00"), undated("y")];
    assert_eq!(kept_of_any_order(&snapshots, 1), ["a"]);
    assert_eq!(kept_of_any_order(&snapshots, 2), ["a", "z"]);
}

#[test]
fn a_row_that_is_listed_twice_counts_once() {
    let twice = expired("c", "03:00:00");
    let snapshots = [
        twice.clone(),
        expired("a", "01:00:00"),
        twice,
        expired("b", "02:00:00"),
    ];
    assert_eq!(kept_of_any_order(&snapshots, 2), ["b", "c"]);
}

#[test]
fn one_that_lives_or_is_held_takes_its_place_among_the_newest() {
    let alive = Snapshot {
        expiry: Expiry::At(at("2026-11-23T00:00:00Z")),
        ..expired("alive", "04:00:00")
    };
    let held = Snapshot {
        held: true,
        ..expired("held", "03:00:00")
    };
    let snapshots = [
        expired("a", "01:00:00"),
        expired("b", "02:00:00"),
        held,
        alive,
    ];
    for (keep_last, stay) in [(1, &[][..]), (2, &[]), (3, &["b"]), (4, &["a", "b"])] {
        assert_eq!(kept_of_any_order(&snapshots, keep_last), stay);
    }
}

#[test]
fn only_available_ones_are_copies() {
    for state in [
        State::Creating,
        State::Error,
        State::Deleting,
        State::ErrorDeleting,
        State::Busy,
    ] {
        let newer = Snapshot {
            state,
            ..expired("b", "02:00:00")
        };
        let snapshots = [expired("a", "01:00:00"), newer];
        assert_eq!(kept_of_any_order(&snapshots, 1), ["a"], "{state:?}");
        assert_eq!(kept_of_any_order(&snapshots, 2), ["a"], "{state:?}");
    }
}

#[test]
fn each_volume_and_policy_keeps_its_own() {
    let of = |id: &str, time: &str, volume: &str, policy| Snapshot {
        volume_id: volume.to_owned(),
        policy,
        ..expired(id, time)
    };
    let snapshots = [
        of("a", "01:00:00", "v", Some(Daily)),
        of("b", "02:00:00", "v", Some(Daily)),
        of("c", "03:00:00", "v", Some(Weekly)),
        of("d", "04:00:00", "v", Some(Weekly)),
        of("e", "05:00:00", "v", None),
        of("f", "06:00:00", "other", Some(Daily)),
        of("g", "07:00:00", "other", Some(Daily)),
    ];
    assert_eq!(kept_of_any_order(&snapshots, 1), ["b", "d", "g"]);
}

#[test]
fn they_stay_while_the_volume_wants_them_or_may_have_been_robbed_of_its_say() {
    let snapshots = [expired("s", "01:00:00")];
    for (keys, stays) in [
        (&[("managed", "true"), ("daily-enabled", "true")][..], true),
        (&[("managed", "true"), ("daily-enabled", "maybe")], true),
        (
            &[
                ("managed", "true"),
                ("daily-enabled", "true"),
                ("daily-timezone", "Mars/Olympus"),
            ],
            true,
        ),
        (&[("managed", "true"), ("daily-enabled", "false")], false),
        (&[("managed", "true"), ("daily-enabled", "")], false),
        (&[("managed", "true"), ("weekly-enabled", "true")], false),
        (&[("managed", "true"), ("weekly-enabled", "maybe")], false),
        (&[("managed", "true")], false),
        (&[("managed", "false"), ("daily-enabled", "true")], false),
        (&[("managed", "false")], false),
        (&[("daily-enabled", "true")], false),
        (&[("daily-retention-days", "2")], false),
        // Wiped by another tool.
        (&[], true),
    ] {
        let volume = volume("v", keys);
        let expected: &[&str] = if stays { &["s"] } else { &[] };
        assert_eq!(kept(Some(&volume), &snapshots, 1), expected, "{keys:?}");
    }
    assert!(kept(None, &snapshots, 1).is_empty(), "the volume is gone");
}

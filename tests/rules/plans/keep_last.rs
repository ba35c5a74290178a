//! The newest copies stay, expired or not, while their volume wants them or may have been robbed
//! of its say.

use snapsentry::plan::expiry::ExpiryVerdict;
use snapsentry::plan::{Expiry, Snapshot, State, Volume};
use snapsentry::policy::PolicyKind::{Daily, Weekly};

use super::{at, daily, expiry_verdicts, of_any_order, subscribed, volume, which};

/// An expired daily snapshot of volume `v`, made at this time of the day before.
fn expired(id: &str, time: &str) -> Snapshot {
    Snapshot {
        created_at: Some(at(&format!("2026-11-21T{time}Z"))),
        expiry: Expiry::At(at("2026-11-22T00:00:00Z")),
        ..daily(id)
    }
}

/// Which of these are kept as the last ones, where they were listed in this order.
fn kept(volume: Option<&Volume>, listed: &[Snapshot], keep_last: usize) -> Vec<String> {
    let verdicts = expiry_verdicts(volume, listed, keep_last);
    let kept = which(&verdicts, |verdict| verdict == ExpiryVerdict::KeptLast);
    kept.into_iter().map(str::to_owned).collect()
}

/// The same of a volume that wants daily and weekly snapshots; and the order in which they are
/// listed does not matter.
fn kept_of_any_order(snapshots: &[Snapshot], keep_last: usize) -> Vec<String> {
    let volume = subscribed("v", &[Daily, Weekly]);
    of_any_order(snapshots, |listed| kept(Some(&volume), listed, keep_last))
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
fn one_whose_id_cannot_be_read_takes_nobodys_place() {
    // It may be one of the others, as a listing that shifts shows it twice.
    let nameless = |created_at| expired("", created_at);
    let copies = [expired("a", "01:00:00"), expired("b", "02:00:00")];
    let rest = [nameless("02:00:00"), nameless("03:00:00")];
    let snapshots = [copies, rest].concat();
    for (keep_last, stay) in [(0, &[][..]), (1, &["b"]), (2, &["a", "b"])] {
        let mut kept = kept_of_any_order(&snapshots, keep_last);
        kept.retain(|id| !id.is_empty());
        assert_eq!(kept, stay);
    }
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
fn each_policy_keeps_its_own() {
    let of = |id: &str, time: &str, policy| Snapshot {
        policy,
        ..expired(id, time)
    };
    let snapshots = [
        of("a", "01:00:00", Some(Daily)),
        of("b", "02:00:00", Some(Daily)),
        of("c", "03:00:00", Some(Weekly)),
        of("d", "04:00:00", Some(Weekly)),
        of("e", "05:00:00", None),
    ];
    assert_eq!(kept_of_any_order(&snapshots, 1), ["b", "d"]);
}

#[test]
fn another_volumes_copies_are_not_this_ones() {
    let others = Snapshot {
        volume_id: "other".to_owned(),
        ..expired("b", "02:00:00")
    };
    let snapshots = [expired("a", "01:00:00"), others];
    // The other volume is gone, and nothing keeps its copy.
    assert_eq!(kept_of_any_order(&snapshots, 1), ["a"]);
}

#[test]
fn a_policys_own_number_takes_the_place_of_the_deployments() {
    let snapshots =
        ["a", "b", "c", "d"].map(|id| expired(id, &format!("0{}:00:00", id.as_bytes()[0] - b'a')));
    let broken = ("daily-timezone", "Mars/Olympus");
    for (keys, deployments, stay) in [
        (&[("daily-keep-last", "2")][..], 1, &["c", "d"][..]),
        (&[("daily-keep-last", "2")], 3, &["c", "d"]),
        (&[("daily-keep-last", "0")], 3, &[]),
        (&[("daily-keep-last", "")], 1, &["d"]),
        (&[("weekly-keep-last", "3")], 1, &["d"]),
        // A mistake in another key costs no copies.
        (&[("daily-keep-last", "3"), broken], 1, &["b", "c", "d"]),
        (&[("daily-keep-last", "many")], 2, &["c", "d"]),
        (&[("daily-keep-last", "101")], 2, &["c", "d"]),
    ] {
        let keys = [&[("managed", "true"), ("daily-enabled", "true")], keys].concat();
        let volume = volume("v", &keys);
        assert_eq!(
            kept(Some(&volume), &snapshots, deployments),
            stay,
            "{keys:?}"
        );
    }
    // Who has been wiped has no number of his own any more.
    assert_eq!(kept(Some(&volume("v", &[])), &snapshots, 1), ["d"]);
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

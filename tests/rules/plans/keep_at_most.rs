//! Retention by number: what there are enough newer ones of goes, whatever its age, and never
//! because of a slip.

use chrono::TimeDelta;
use snapsentry::plan::expiry::{ExpiryVerdict, Reason};
use snapsentry::plan::{Expiry, Snapshot, State, Volume};
use snapsentry::policy::PolicyKind::Weekly;

use super::{daily, expiry_verdicts, now, of_any_order, volume, which};

/// A daily snapshot of volume `v`, made so many days ago and good for another year.
fn aged(id: &str, days: i64) -> Snapshot {
    Snapshot {
        created_at: Some(now() - TimeDelta::days(days)),
        window_start: Some(now() - TimeDelta::days(days)),
        expiry: Expiry::At(now() + TimeDelta::days(365 - days)),
        ..daily(id)
    }
}

/// Five of them, the oldest first.
fn five() -> [Snapshot; 5] {
    [
        aged("a", 5),
        aged("b", 4),
        aged("c", 3),
        aged("d", 2),
        aged("e", 1),
    ]
}

/// A managed volume whose daily policy is on, with these keys besides.
fn wanting(keys: &[(&str, &str)]) -> Volume {
    let keys = [&[("managed", "true"), ("daily-enabled", "true")], keys].concat();
    volume("v", &keys)
}

/// Which of these go because there are enough newer ones.
fn surplus(volume: Option<&Volume>, snapshots: &[Snapshot], keep_last: usize) -> Vec<String> {
    of_any_order(snapshots, |listed| {
        let verdicts = expiry_verdicts(volume, listed, keep_last);
        let goes = |verdict| {
            let reason = Reason::KeepAtMost;
            matches!(verdict, ExpiryVerdict::Delete { reason: found, .. } if found == reason)
        };
        let surplus = which(&verdicts, goes);
        surplus.into_iter().map(str::to_owned).collect()
    })
}

fn surplus_of_five(keys: &[(&str, &str)], keep_last: usize) -> Vec<String> {
    surplus(Some(&wanting(keys)), &five(), keep_last)
}

#[test]
fn the_newest_stay_and_what_is_older_goes_with_the_date_that_it_carries() {
    for (keep_at_most, goes) in [
        ("1", &["a", "b", "c", "d"][..]),
        ("2", &["a", "b", "c"]),
        ("4", &["a"]),
        ("5", &[]),
        ("1000", &[]),
        ("", &[]),
    ] {
        let keys = [("daily-keep-at-most", keep_at_most)];
        assert_eq!(surplus_of_five(&keys, 1), goes, "{keep_at_most}");
    }
    let volume = wanting(&[("daily-keep-at-most", "4")]);
    let expected = ExpiryVerdict::Delete {
        reason: Reason::KeepAtMost,
        expired_at: now() + TimeDelta::days(360),
    };
    assert_eq!(expiry_verdicts(Some(&volume), &five(), 1)["a"], expected);
}

#[test]
fn the_stricter_of_age_and_number_decides() {
    let mut snapshots = five();
    for old in &mut snapshots[..3] {
        old.expiry = Expiry::At(now() - TimeDelta::days(1));
    }
    let volume = wanting(&[("daily-keep-at-most", "1")]);
    let verdicts = expiry_verdicts(Some(&volume), &snapshots, 1);
    let reasons = verdicts.values().map(|verdict| match verdict {
        ExpiryVerdict::Delete { reason, .. } => Some(*reason),
        _ => None,
    });
    let (expired, surplus) = (Some(Reason::Expired), Some(Reason::KeepAtMost));
    let expected = [expired, expired, expired, surplus, None];
    assert_eq!(reasons.collect::<Vec<_>>(), expected);
    // Enough room by number does not make an expired one stay.
    let volume = wanting(&[("daily-keep-at-most", "9")]);
    let verdicts = expiry_verdicts(Some(&volume), &snapshots, 1);
    let goes = |verdict| matches!(verdict, ExpiryVerdict::Delete { .. });
    assert_eq!(which(&verdicts, goes), ["a", "b", "c"]);
}

#[test]
fn keep_last_is_stronger_whether_it_is_the_policys_or_the_deployments() {
    let most = ("daily-keep-at-most", "1");
    assert_eq!(surplus_of_five(&[most], 3), ["a", "b"]);
    assert_eq!(surplus_of_five(&[most], 0), ["a", "b", "c", "d"]);
    assert_eq!(surplus_of_five(&[most, ("daily-keep-last", "4")], 0), ["a"]);
    assert_eq!(
        surplus_of_five(&[most, ("daily-keep-last", "0")], 9),
        ["a", "b", "c", "d"]
    );
    // What stays by that rule alone has not expired, and is nothing to be told of.
    let verdicts = expiry_verdicts(Some(&wanting(&[most])), &five(), 9);
    assert!(which(&verdicts, |verdict| verdict != ExpiryVerdict::NotExpired).is_empty());
}

#[test]
fn one_that_is_held_neither_counts_nor_goes() {
    let mut snapshots = five();
    snapshots[0].held = true;
    snapshots[3].held = true;
    let volume = wanting(&[("daily-keep-at-most", "2")]);
    // Of a, b, c, d, e the first and the fourth are held: e and c are the two that are kept.
    assert_eq!(surplus(Some(&volume), &snapshots, 1), ["b"]);
    let verdicts = expiry_verdicts(Some(&volume), &snapshots, 1);
    assert_eq!(verdicts["a"], ExpiryVerdict::Held);
}

#[test]
fn only_available_ones_count_and_go() {
    for state in [
        State::Creating,
        State::Error,
        State::Deleting,
        State::ErrorDeleting,
        State::Busy,
    ] {
        let mut snapshots = five();
        snapshots[0].state = state;
        snapshots[4].state = state;
        let volume = wanting(&[("daily-keep-at-most", "2")]);
        assert_eq!(surplus(Some(&volume), &snapshots, 1), ["b"], "{state:?}");
    }
}

#[test]
fn each_policy_counts_its_own_and_obeys_its_own_number() {
    let mut snapshots = five();
    for weekly in &mut snapshots[3..] {
        weekly.policy = Some(Weekly);
    }
    let keys = [("daily-keep-at-most", "2"), ("weekly-enabled", "true")];
    assert_eq!(surplus(Some(&wanting(&keys)), &snapshots, 1), ["a"]);
    let keys = [("weekly-keep-at-most", "1"), ("weekly-enabled", "true")];
    assert_eq!(surplus(Some(&wanting(&keys)), &snapshots, 1), ["d"]);
}

#[test]
fn nothing_goes_by_number_unless_the_policy_is_on_readable_and_the_volume_managed() {
    let most = ("daily-keep-at-most", "1");
    let on = ("daily-enabled", "true");
    let managed = ("managed", "true");
    for keys in [
        &[managed, most][..],
        &[managed, most, ("daily-enabled", "false")],
        &[managed, most, ("daily-enabled", "maybe")],
        &[managed, most, on, ("daily-timezone", "Mars/Olympus")],
        &[managed, most, on, ("daily-keep-last", "few")],
        &[managed, on, ("daily-keep-at-most", "0")],
        &[managed, on, ("daily-keep-at-most", "-1")],
        &[managed, on, ("daily-keep-at-most", "1001")],
        &[managed, on, ("daily-keep-at-most", "one")],
        &[managed, on, ("daily-keep-at-most", "null")],
        &[most, on],
        &[("managed", "True"), most, on],
        &[("managed", "false"), most, on],
        &[],
    ] {
        let volume = volume("v", keys);
        assert!(surplus(Some(&volume), &five(), 1).is_empty(), "{keys:?}");
    }
    assert!(surplus(None, &five(), 1).is_empty(), "the volume is gone");
}

#[test]
fn what_cannot_be_judged_by_its_date_does_not_go_by_number_either() {
    let volume = wanting(&[("daily-keep-at-most", "1")]);
    for (expiry, verdict) in [
        (Expiry::Missing, ExpiryVerdict::NoExpiry),
        (Expiry::Unreadable, ExpiryVerdict::UnreadableExpiry),
    ] {
        let mut snapshots = five();
        snapshots[0].expiry = expiry;
        assert_eq!(surplus(Some(&volume), &snapshots, 1), ["b", "c", "d"]);
        assert_eq!(expiry_verdicts(Some(&volume), &snapshots, 1)["a"], verdict);
    }
}

#[test]
fn of_what_nobody_knows_the_age_nothing_is_known_to_be_newer() {
    let mut snapshots = five();
    snapshots[1].created_at = None;
    let goes = surplus(
        Some(&wanting(&[("daily-keep-at-most", "2")])),
        &snapshots,
        1,
    );
    assert_eq!(goes, ["a", "c"]);
}

#[test]
fn one_whose_id_cannot_be_read_pushes_no_other_out() {
    let snapshots = [&five()[3..], &[aged("", 0)]].concat();
    for (keep_at_most, goes) in [("1", &["d"][..]), ("2", &[])] {
        let volume = wanting(&[("daily-keep-at-most", keep_at_most)]);
        assert_eq!(surplus(Some(&volume), &snapshots, 0), goes);
    }
}

//! In which order snapshots go, and how long the oldest of them has waited for it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use snapsentry::plan::expiry::{self, ExpiryLimits, ManagedSnapshots, Plan};
use snapsentry::plan::{Expiry, Snapshot, State, Volume};

use super::{STUCK_AFTER, daily, now, of_any_order, since, volume};

/// One that expired so many hours ago.
fn expired(snapshot: Snapshot, hours: i64) -> Snapshot {
    Snapshot {
        expiry: Expiry::At(now() - TimeDelta::hours(hours)),
        ..snapshot
    }
}

fn with_plan<T>(volume: Option<&Volume>, listed: &[Snapshot], of: impl Fn(&Plan<'_>) -> T) -> T {
    let mut snapshots = ManagedSnapshots::default();
    for snapshot in listed {
        snapshots.take_in(snapshot.clone(), now());
    }
    let volumes: BTreeMap<String, Volume> = volume
        .map(|volume| (volume.id.clone(), volume.clone()))
        .into_iter()
        .collect();
    let limits = ExpiryLimits {
        keep_last: 0,
        stuck_after: STUCK_AFTER,
        all_volumes_known: true,
    };
    let scope = Default::default();
    of(&expiry::plan(&volumes, &snapshots, &scope, now(), limits))
}

fn order(volume: Option<&Volume>, snapshots: &[Snapshot]) -> Vec<String> {
    of_any_order(snapshots, |listed| {
        with_plan(volume, listed, |plan| {
            let deletions = plan.deletions.iter();
            deletions.map(|one| one.snapshot_id.to_owned()).collect()
        })
    })
}

#[test]
fn available_ones_go_first_then_broken_ones_then_stuck_ones_each_the_longest_expired_first() {
    let broken = |id| Snapshot {
        state: State::Error,
        ..daily(id)
    };
    let stuck = |id, status| since(id, STUCK_AFTER * 2, status);
    let snapshots = [
        expired(stuck("h", "creating"), 90),
        expired(daily("b"), 2),
        expired(broken("e"), 1),
        expired(stuck("f", "deleting"), 100),
        expired(daily("c"), 1),
        expired(broken("d"), 99),
        expired(daily("a"), 3),
        expired(stuck("g", "error_deleting"), 95),
    ];
    assert_eq!(
        order(None, &snapshots),
        ["a", "b", "c", "d", "e", "f", "g", "h"]
    );
}

#[test]
fn those_of_one_instant_go_by_their_id() {
    let snapshots = ["c", "a", "b"].map(|id| expired(daily(id), 1));
    assert_eq!(order(None, &snapshots), ["a", "b", "c"]);
}

#[test]
fn what_goes_by_number_goes_after_what_has_expired() {
    let keys = [
        ("managed", "true"),
        ("daily-enabled", "true"),
        ("daily-keep-at-most", "1"),
    ];
    let made = |id, hours| Snapshot {
        created_at: Some(now() - TimeDelta::hours(hours)),
        ..daily(id)
    };
    let snapshots = [
        made("newest", 1),
        made("surplus", 2),
        expired(made("expired", 3), 1),
    ];
    let volume = volume("v", &keys);
    assert_eq!(order(Some(&volume), &snapshots), ["expired", "surplus"]);
}

#[test]
fn a_row_that_is_listed_twice_goes_once() {
    let available = expired(daily("a"), 1);
    let broken = expired(since("b", TimeDelta::zero(), "error"), 1);
    let snapshots = [available.clone(), broken.clone(), available, broken];
    assert_eq!(order(None, &snapshots), ["a", "b"]);
}

#[test]
fn a_row_that_is_listed_twice_stays_where_either_is_held() {
    let available = expired(daily("a"), 1);
    let broken = expired(since("b", TimeDelta::zero(), "error"), 1);
    let used = Snapshot {
        state: State::Busy,
        ..expired(daily("c"), 1)
    };
    let unused = expired(daily("c"), 1);
    let held = |snapshot: &Snapshot| Snapshot {
        held: true,
        ..snapshot.clone()
    };
    for (listed, listed_again) in [
        (&available, &available),
        (&broken, &broken),
        (&unused, &used),
    ] {
        let snapshots = [listed.clone(), held(listed_again)];
        assert!(order(None, &snapshots).is_empty(), "{snapshots:?}");
    }
}

#[test]
fn the_age_is_that_of_the_longest_expired_whatever_its_turn() {
    let age =
        |snapshots: &[Snapshot]| with_plan(None, snapshots, |plan| plan.oldest_expired_age(now()));
    assert_eq!(age(&[]), 0);
    assert_eq!(age(&[daily("alive")]), 0);
    assert_eq!(age(&[expired(daily("a"), 0)]), 0);
    let broken = since("b", TimeDelta::zero(), "error");
    let held = Snapshot {
        held: true,
        ..daily("c")
    };
    let snapshots = [
        expired(daily("a"), 2),
        expired(broken, 5),
        expired(held, 99),
    ];
    assert_eq!(age(&snapshots), 5 * 3600);
}

#[test]
fn what_goes_by_number_alone_has_no_age() {
    let keys = [
        ("managed", "true"),
        ("daily-enabled", "true"),
        ("daily-keep-at-most", "1"),
    ];
    let older = Snapshot {
        created_at: Some(now() - TimeDelta::days(1)),
        ..daily("a")
    };
    let volume = volume("v", &keys);
    let age = with_plan(Some(&volume), &[older, daily("b")], |plan| {
        assert_eq!(plan.deletions.len(), 1);
        plan.oldest_expired_age(now())
    });
    assert_eq!(age, 0);
}

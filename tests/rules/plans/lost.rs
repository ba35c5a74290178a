//! Volumes that have fallen out of management, which nothing else would tell of.

use std::collections::BTreeMap;

use snapsentry::plan::expiry::{self, ExpiryLimits, Lost, ManagedSnapshots};
use snapsentry::plan::{Scope, Shard, Volume};
use snapsentry::policy::PolicyKind::{Daily, Weekly};

use super::{STUCK_AFTER, daily, now, volume};

fn lost_of(volume: Volume, snapshots: usize, scope: &Scope) -> Option<Lost> {
    let mut listed = ManagedSnapshots::default();
    for n in 0..snapshots {
        listed.take_in(daily(&format!("s{n}")), now());
    }
    let volumes = BTreeMap::from([(volume.id.clone(), volume)]);
    let limits = ExpiryLimits {
        keep_last: 1,
        stuck_after: STUCK_AFTER,
        all_volumes_known: true,
    };
    let plan = expiry::plan(&volumes, &listed, scope, now(), limits);
    plan.lost.first().map(|(_, lost)| *lost)
}

fn lost(keys: &[(&str, &str)], snapshots: usize) -> Option<Lost> {
    lost_of(volume("v", keys), snapshots, &Scope::default())
}

#[test]
fn a_volume_without_any_key_of_ours_is_lost_while_managed_snapshots_of_it_are_there() {
    assert_eq!(lost(&[], 0), None);
    assert_eq!(lost(&[], 1), Some(Lost::Wiped { snapshots: 1 }));
    assert_eq!(lost(&[], 7), Some(Lost::Wiped { snapshots: 7 }));
    // Some key of ours is left, so nobody has wiped it.
    assert_eq!(lost(&[("note", "mine")], 7), None);
}

#[test]
fn a_volume_with_a_policy_is_lost_where_managed_is_neither_true_nor_a_readable_false() {
    let not_managed = |policy| Some(Lost::NotManaged { policy });
    let on = ("daily-enabled", "true");
    for (managed, expected) in [
        ("true", None),
        ("false", None),
        ("0", None),
        ("F", None),
        ("True", not_managed(Daily)),
        ("1", not_managed(Daily)),
        ("yes", not_managed(Daily)),
        ("no", not_managed(Daily)),
        ("null", not_managed(Daily)),
        ("", not_managed(Daily)),
    ] {
        for snapshots in [0, 3] {
            let keys = [("managed", managed), on];
            assert_eq!(lost(&keys, snapshots), expected, "{managed:?}");
        }
    }
    assert_eq!(lost(&[on], 0), not_managed(Daily), "missing counts");
}

#[test]
fn a_policy_that_cannot_be_read_counts_as_on_and_one_that_is_off_does_not() {
    let not_managed = |policy| Some(Lost::NotManaged { policy });
    for (keys, expected) in [
        (&[("daily-enabled", "maybe")][..], not_managed(Daily)),
        (
            &[("daily-enabled", "true"), ("daily-timezone", "Mars")],
            not_managed(Daily),
        ),
        (&[("daily-enabled", "false")], None),
        (&[("daily-retention-days", "x")], None),
        (
            &[("daily-enabled", "false"), ("weekly-enabled", "true")],
            not_managed(Weekly),
        ),
    ] {
        assert_eq!(lost(keys, 2), expected, "{keys:?}");
    }
}

#[test]
fn another_shares_volume_is_that_shares_to_tell_of() {
    let shares = (0..2).map(|index| Scope {
        shard: Some(Shard { index, count: 2 }),
        ..Scope::default()
    });
    let told = shares.filter(|scope| lost_of(volume("v", &[]), 1, scope).is_some());
    assert_eq!(told.count(), 1);
}

#[test]
fn the_text_says_how_it_comes_and_what_to_do() {
    let wiped = Lost::Wiped { snapshots: 7 }.to_string();
    for word in ["7 managed snapshots", "tag it again", "managed=false"] {
        assert!(wiped.contains(word), "{wiped}");
    }
    let not_managed = Lost::NotManaged { policy: Weekly }.to_string();
    for word in ["weekly", "x-snapsentry-managed", "true", "false"] {
        assert!(not_managed.contains(word), "{not_managed}");
    }
}

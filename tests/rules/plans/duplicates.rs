//! Duplicates: of several snapshots taken for one active window all but the first go, if they may.

use chrono::TimeDelta;
use snapsentry::plan::creation;
use snapsentry::plan::duplicates::{Duplicate, superfluous};
use snapsentry::plan::{Expiry, Snapshot, State, Volume};
use snapsentry::policy::PolicyKind::{Daily, Express, Weekly};

use super::{STUCK_AFTER, at, daily, listed, now, of_any_order, subscribed, volume};

/// A duplicate of today's daily window, made at this second.
fn duplicate(id: &str, second: u32) -> Snapshot {
    Snapshot {
        created_at: Some(at(&format!("2026-11-22T00:00:{second:02}Z"))),
        ..daily(id)
    }
}

/// Which go, each with the one that stays; and the order of listing does not matter.
fn going(volume: &Volume, snapshots: &[Snapshot]) -> Vec<(String, String)> {
    of_any_order(snapshots, |listed| {
        let mut going: Vec<Duplicate> = superfluous(volume, listed, now());
        going.sort_by(|a, b| a.snapshot_id.cmp(&b.snapshot_id));
        going
            .into_iter()
            .map(|one| (one.snapshot_id, one.stays))
            .collect()
    })
}

/// The same of a volume with a daily and a weekly policy; one that goes is written `b for a`.
fn told(snapshots: &[Snapshot]) -> Vec<String> {
    let going = going(&subscribed("v", &[Daily, Weekly]), snapshots);
    going
        .iter()
        .map(|(id, stays)| format!("{id} for {stays}"))
        .collect()
}

#[test]
fn the_first_stays_by_creation_and_then_by_id() {
    for (snapshots, expected) in [
        (vec![], &[][..]),
        (vec![duplicate("a", 1)], &[]),
        (vec![duplicate("a", 1), duplicate("b", 2)], &["b for a"]),
        (vec![duplicate("a", 2), duplicate("b", 1)], &["a for b"]),
        (vec![duplicate("a", 1), duplicate("b", 1)], &["b for a"]),
        (
            vec![
                duplicate("a", 3),
                duplicate("b", 1),
                duplicate("c", 2),
                duplicate("d", 1),
            ],
            &["a for b", "c for b", "d for b"],
        ),
    ] {
        assert_eq!(told(&snapshots), expected);
    }
}

#[test]
fn a_held_one_never_goes_and_may_be_the_one_that_stays() {
    let held = |id, second| Snapshot {
        held: true,
        ..duplicate(id, second)
    };
    for (snapshots, expected) in [
        (vec![duplicate("a", 1), held("b", 2)], &[][..]),
        (vec![held("a", 1), duplicate("b", 2)], &["b for a"]),
        (vec![held("a", 1), held("b", 2)], &[]),
        (
            vec![duplicate("a", 1), held("b", 2), duplicate("c", 3)],
            &["c for a"],
        ),
    ] {
        assert_eq!(told(&snapshots), expected);
    }
}

#[test]
fn only_available_ones_are_compared() {
    for state in [
        State::Creating,
        State::Error,
        State::Deleting,
        State::ErrorDeleting,
        State::Busy,
    ] {
        let other = |id, second| Snapshot {
            state,
            ..duplicate(id, second)
        };
        for (snapshots, expected) in [
            (vec![other("a", 1), duplicate("b", 2)], &[][..]),
            (vec![duplicate("a", 1), other("b", 2)], &[]),
            (
                vec![other("a", 1), duplicate("b", 2), duplicate("c", 3)],
                &["c for b"],
            ),
        ] {
            assert_eq!(told(&snapshots), expected, "{state:?}");
        }
    }
}

fn from(id: &str, second: u32, start: Option<&str>) -> Snapshot {
    Snapshot {
        window_start: start.map(at),
        ..duplicate(id, second)
    }
}

#[test]
fn only_equal_window_starts_make_duplicates() {
    for (second_start, expected) in [
        (Some("2026-11-22T00:00:00Z"), &["b for a"][..]),
        // The same instant, written elsewhere.
        (Some("2026-11-22T01:00:00+01:00"), &["b for a"]),
        // An edited schedule puts them into one window: each was wanted when it was taken.
        (Some("2026-11-22T00:00:01Z"), &[]),
        (Some("2026-11-22T06:00:00Z"), &[]),
        (Some("2026-11-22T23:59:59Z"), &[]),
        (Some("2026-11-23T00:00:00Z"), &[]),
        (Some("2026-11-21T00:00:00Z"), &[]),
        (None, &[]),
    ] {
        let snapshots = [duplicate("a", 1), from("b", 2, second_start)];
        assert_eq!(told(&snapshots), expected, "{second_start:?}");
    }
}

#[test]
fn several_starts_in_one_window_have_duplicates_each_of_its_own() {
    let six = Some("2026-11-22T06:00:00Z");
    let snapshots = [
        duplicate("a", 1),
        from("b", 2, six),
        duplicate("c", 3),
        from("d", 4, six),
    ];
    assert_eq!(told(&snapshots), ["c for a", "d for b"]);
}

#[test]
fn an_interval_that_was_made_longer_deletes_no_copy() {
    let keys = [
        ("managed", "true"),
        ("express-enabled", "true"),
        ("express-interval-hours", "12"),
    ];
    let express = |id, start| Snapshot {
        policy: Some(Express),
        ..from(id, 1, Some(start))
    };
    // Taken while the interval was six hours, and then a quarter of a day later.
    let snapshots = [
        express("midnight", "2026-11-22T00:00:00Z"),
        express("six", "2026-11-22T06:00:00Z"),
    ];
    assert_eq!(going(&volume("v", &keys), &snapshots), []);
}

#[test]
fn the_window_is_the_active_one_by_the_key_alone() {
    let (yesterday, tomorrow) = ("2026-11-21T00:00:00Z", "2026-11-23T00:00:00Z");
    for start in [Some(yesterday), Some(tomorrow), None] {
        let snapshots = [from("a", 1, start), from("b", 2, start)];
        assert!(told(&snapshots).is_empty(), "{start:?}");
    }
}

#[test]
fn duplicates_are_of_one_volume_and_of_one_policy() {
    let weekly = |id, second| Snapshot {
        policy: Some(Weekly),
        ..duplicate(id, second)
    };
    let of_none = Snapshot {
        policy: None,
        ..duplicate("b", 2)
    };
    let of_another = Snapshot {
        volume_id: "other".to_owned(),
        ..duplicate("b", 2)
    };
    for (snapshots, expected) in [
        (vec![duplicate("a", 1), weekly("b", 2)], &[][..]),
        (vec![duplicate("a", 1), of_none], &[]),
        (vec![duplicate("a", 1), of_another], &[]),
        (
            vec![
                duplicate("a", 1),
                weekly("b", 2),
                duplicate("c", 3),
                weekly("d", 4),
            ],
            &["c for a", "d for b"],
        ),
    ] {
        assert_eq!(told(&snapshots), expected);
    }
}

#[test]
fn a_row_that_is_listed_twice_is_no_duplicate_of_its_own() {
    let changed_meanwhile = Snapshot {
        updated_at: Some(now()),
        ..duplicate("a", 1)
    };
    assert!(told(&[duplicate("a", 1), duplicate("a", 1)]).is_empty());
    assert_eq!(
        told(&[duplicate("a", 1), duplicate("b", 2), changed_meanwhile]),
        ["b for a"]
    );
}

#[test]
fn one_whose_id_cannot_be_read_is_nobodys_duplicate() {
    assert!(told(&[duplicate("", 1), duplicate("a", 2)]).is_empty());
    assert!(told(&[duplicate("a", 1), duplicate("", 2), duplicate("", 3)]).is_empty());
    assert_eq!(
        told(&[duplicate("", 1), duplicate("a", 2), duplicate("b", 3)]),
        ["b for a"]
    );
}

#[test]
fn only_policies_that_are_on_and_can_be_read_have_an_active_window() {
    let snapshots = [duplicate("a", 1), duplicate("b", 2)];
    for (enabled, timezone, expected) in [
        ("true", "UTC", 1),
        ("false", "UTC", 0),
        ("maybe", "UTC", 0),
        ("true", "Mars/Olympus", 0),
    ] {
        let keys = [
            ("managed", "true"),
            ("daily-enabled", enabled),
            ("daily-timezone", timezone),
        ];
        let going = going(&volume("v", &keys), &snapshots);
        assert_eq!(going.len(), expected, "{enabled} {timezone}");
    }
}

#[test]
fn where_an_expire_pass_may_delete_the_first_none_goes() {
    let held = |id, second| Snapshot {
        held: true,
        ..duplicate(id, second)
    };
    let at_one = |id, second| Snapshot {
        window_start: Some(at("2026-11-22T01:00:00Z")),
        ..duplicate(id, second)
    };
    let undated = |id| Snapshot {
        created_at: None,
        ..duplicate(id, 0)
    };
    let expired = |id, second| Snapshot {
        expiry: Expiry::At(now()),
        ..duplicate(id, second)
    };
    let expiring = |id, second, minutes| Snapshot {
        expiry: Expiry::At(now() + TimeDelta::minutes(minutes)),
        ..duplicate(id, second)
    };
    let two = || vec![duplicate("a", 1), duplicate("b", 2)];
    let three = || [two(), vec![duplicate("c", 3)]].concat();
    let before_the_schedule_was_edited = || vec![at_one("a", 1), duplicate("b", 2)];
    let and_after = || vec![at_one("c", 3), duplicate("d", 4)];
    let of_two_starts = || [before_the_schedule_was_edited(), and_after()].concat();
    for (most, last, snapshots, goes) in [
        ("1", "", two(), 0),
        ("2", "", two(), 1),
        ("2", "", three(), 0),
        ("3", "", three(), 2),
        // Expiry counts none that is held, and deletes none.
        ("1", "", vec![duplicate("a", 1), held("b", 2)], 0),
        (
            "2",
            "",
            vec![duplicate("a", 1), held("b", 2), duplicate("c", 3)],
            1,
        ),
        ("1", "", vec![held("a", 1), duplicate("b", 2)], 1),
        // It counts those of all windows.
        ("2", "", of_two_starts(), 0),
        ("3", "", of_two_starts(), 1),
        ("4", "", of_two_starts(), 2),
        // It deletes none of the newest that the policy keeps in any case, and none of unknown age.
        ("1", "1", two(), 0),
        ("1", "2", two(), 1),
        ("1", "", vec![undated("a"), duplicate("b", 2)], 1),
        // By its date, where an edited schedule has made the window outlast it.
        ("", "", vec![expired("a", 1), expired("b", 2)], 0),
        ("", "2", vec![expired("a", 1), expired("b", 2)], 1),
        // Before a pass has ended, by a clock that is ahead.
        ("", "", vec![expiring("a", 1, 75), expiring("b", 2, 75)], 0),
        ("", "", vec![expiring("a", 1, 76), expiring("b", 2, 75)], 1),
    ] {
        let keys = [
            ("managed", "true"),
            ("daily-enabled", "true"),
            ("daily-keep-at-most", most),
            ("daily-keep-last", last),
        ];
        let going = going(&volume("v", &keys), &snapshots);
        assert_eq!(going.len(), goes, "{most} {last} of {snapshots:?}");
    }
}

#[test]
fn a_plan_names_the_duplicates_of_all_its_volumes_whatever_their_state() {
    let of = |id, second, volume: &str| Snapshot {
        volume_id: volume.to_owned(),
        ..duplicate(id, second)
    };
    let mut volumes = ["v", "w", "x"].map(|id| subscribed(id, &[Daily]));
    volumes[1].status = "retyping".to_owned();
    let snapshots = [
        of("a", 1, "v"),
        of("b", 2, "v"),
        of("c", 1, "w"),
        of("d", 2, "w"),
        of("e", 1, "x"),
        of("f", 1, "of-none"),
        of("g", 2, "of-none"),
    ];
    let volumes: Vec<&Volume> = volumes.iter().collect();
    let plan = creation::plan(&volumes, &listed(&snapshots), now(), STUCK_AFTER);
    let duplicate = |snapshot_id: &str, volume_id: &str, stays: &str| Duplicate {
        snapshot_id: snapshot_id.to_owned(),
        volume_id: volume_id.to_owned(),
        policy: Daily,
        stays: stays.to_owned(),
    };
    assert_eq!(
        plan.duplicates,
        [duplicate("b", "v", "a"), duplicate("d", "w", "c")]
    );
}

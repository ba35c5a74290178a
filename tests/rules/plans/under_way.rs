//! What is being created when a pass begins takes slots, unless it looks hung.

use chrono::TimeDelta;
use snapsentry::plan::creation;
use snapsentry::plan::{Snapshot, State, Volume};
use snapsentry::policy::PolicyKind::{Daily, Weekly};

use super::{SECOND, STUCK_AFTER, at, daily, listed, now, subscribed};

fn creating(id: &str, age: TimeDelta) -> Snapshot {
    Snapshot {
        state: State::Creating,
        created_at: Some(now() - age),
        updated_at: None,
        ..daily(id)
    }
}

/// The snapshots that take slots, each with its volume's type.
fn taking(volumes: &[Volume], snapshots: &[Snapshot]) -> Vec<(String, Option<String>)> {
    let volumes: Vec<&Volume> = volumes.iter().collect();
    creation::plan(&volumes, &listed(snapshots), now(), STUCK_AFTER)
        .under_way
        .into_iter()
        .map(|one| (one.snapshot_id, one.volume_type))
        .collect()
}

#[test]
fn one_in_creating_takes_a_slot_until_a_sixth_of_the_time_after_which_it_is_stuck() {
    let sixth = STUCK_AFTER / 6;
    for (age, takes) in [
        (TimeDelta::zero(), true),
        (sixth - SECOND, true),
        (sixth, false),
        (STUCK_AFTER, false),
        // The cloud's clock is ahead.
        (-TimeDelta::minutes(3), true),
    ] {
        let taking = taking(&[subscribed("v", &[Daily])], &[creating("s", age)]);
        assert_eq!(taking.len(), usize::from(takes), "{age}");
    }
    let ageless = Snapshot {
        created_at: None,
        ..creating("s", SECOND)
    };
    assert_eq!(taking(&[subscribed("v", &[Daily])], &[ageless]), []);
}

#[test]
fn nothing_in_another_state_takes_one() {
    for status in [
        "available",
        "error",
        "deleting",
        "error_deleting",
        "backing-up",
        "",
    ] {
        let other = Snapshot {
            state: State::parse(status),
            ..creating("s", SECOND)
        };
        assert_eq!(
            taking(&[subscribed("v", &[Daily])], &[other]),
            [],
            "{status}"
        );
    }
}

#[test]
fn it_counts_for_its_volumes_type_whatever_policy_or_window_it_is_of() {
    let mut fast = subscribed("fast", &[Daily]);
    fast.volume_type = Some("ssd".to_owned());
    let of = |id: &str, volume: &str| Snapshot {
        volume_id: volume.to_owned(),
        ..creating(id, SECOND)
    };
    let snapshots = [
        Snapshot {
            policy: Some(Weekly),
            ..of("weekly", "fast")
        },
        Snapshot {
            policy: None,
            ..of("unknown-policy", "fast")
        },
        Snapshot {
            window_start: Some(at("2020-01-01T00:00:00Z")),
            ..of("old-window", "v")
        },
        // Not of this pass's share.
        of("of-another-share", "elsewhere"),
    ];
    let ssd = || Some("ssd".to_owned());
    assert_eq!(
        taking(&[fast, subscribed("v", &[])], &snapshots),
        [
            ("weekly".to_owned(), ssd()),
            ("unknown-policy".to_owned(), ssd()),
            ("old-window".to_owned(), None),
        ]
    );
}

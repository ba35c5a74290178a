//! What stands in a due window's way and is cleaned first, and what is only remembered.

use chrono::TimeDelta;
use snapsentry::plan::Snapshot;
use snapsentry::policy::PolicyKind::{Daily, Weekly};

use super::{SECOND, STUCK_AFTER, at, due, since, subscribed};

const PAST_THE_LIMIT: TimeDelta = STUCK_AFTER
    .checked_add(&SECOND)
    .expect("it is not that long");

/// What is in the way of today's window, and why.
fn stale_snapshots(snapshots: &[Snapshot]) -> Vec<(String, &'static str)> {
    due(&subscribed("v", &[Daily]), snapshots)
        .stale_snapshots
        .into_iter()
        .map(|one| (one.snapshot_id, one.reason))
        .collect()
}

#[test]
fn what_is_broken_or_stuck_is_in_the_way_and_what_is_on_its_way_out_is_not() {
    for (status, age, reason) in [
        ("error", SECOND, Some("error")),
        ("error", PAST_THE_LIMIT, Some("error")),
        ("creating", PAST_THE_LIMIT, Some("stuck")),
        ("deleting", PAST_THE_LIMIT, Some("stuck")),
        ("deleting", STUCK_AFTER, None),
        ("deleting", SECOND, None),
        ("error_deleting", PAST_THE_LIMIT, Some("stuck")),
        ("error_deleting", STUCK_AFTER, None),
        ("error_deleting", SECOND, None),
    ] {
        let expected: Vec<_> = reason
            .map(|reason| ("s".to_owned(), reason))
            .into_iter()
            .collect();
        let found = stale_snapshots(&[since("s", age, status)]);
        assert_eq!(found, expected, "{status} for {age}");
    }
}

#[test]
fn one_that_is_held_stays_and_the_window_is_due_all_the_same() {
    for status in ["error", "creating", "deleting", "error_deleting"] {
        let held = Snapshot {
            held: true,
            ..since("s", PAST_THE_LIMIT, status)
        };
        assert_eq!(stale_snapshots(&[held]), [], "{status}");
    }
}

#[test]
fn only_what_would_serve_this_window_is_in_its_way() {
    let broken = |id: &str| since(id, SECOND, "error");
    let of_yesterday = Snapshot {
        window_start: Some(at("2026-11-21T00:00:00Z")),
        ..broken("of-yesterday")
    };
    let of_the_week = Snapshot {
        policy: Some(Weekly),
        ..broken("of-the-week")
    };
    let of_an_older_tool = Snapshot {
        window_start: None,
        ..broken("of-an-older-tool")
    };
    let of_another_volume = Snapshot {
        volume_id: "other".to_owned(),
        ..broken("of-another-volume")
    };
    let snapshots = [
        of_yesterday,
        of_the_week,
        of_an_older_tool,
        of_another_volume,
        broken("of-today"),
    ];
    assert_eq!(
        stale_snapshots(&snapshots),
        [
            ("of-an-older-tool".to_owned(), "error"),
            ("of-today".to_owned(), "error"),
        ]
    );
}

#[test]
fn the_lost_ones_of_the_window_are_known_whether_or_not_they_are_cleaned() {
    let of_yesterday = Snapshot {
        window_start: Some(at("2026-11-21T00:00:00Z")),
        ..since("of-yesterday", SECOND, "error")
    };
    let held = Snapshot {
        held: true,
        ..since("held", SECOND, "error")
    };
    let snapshots = [
        since("broken", SECOND, "error"),
        of_yesterday,
        held,
        since("going", SECOND, "deleting"),
        since("stuck", PAST_THE_LIMIT, "creating"),
    ];
    let volume = subscribed("v", &[Daily]);
    assert_eq!(
        due(&volume, &snapshots).known,
        ["broken", "held", "going", "stuck"]
    );
    assert!(due(&volume, &[]).known.is_empty());
}

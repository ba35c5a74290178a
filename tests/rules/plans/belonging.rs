//! To which window a snapshot belongs, and which snapshots a pass has to remember.

use chrono::TimeDelta;
use snapsentry::plan::{Snapshot, State, VolumeSnapshots};
use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly};
use snapsentry::policy::{Policy, PolicyState};

use super::{SECOND, at, daily, now, subscribed};

fn policy(kind: PolicyKind) -> Policy {
    match subscribed("v", &[kind]).policy(kind) {
        PolicyState::Enabled(policy) => policy.clone(),
        other => panic!("{kind}: {other:?}"),
    }
}

#[test]
fn the_windows_start_decides_and_the_creation_only_where_there_is_none() {
    let window = policy(Daily).window_at(now());
    let inside = "2026-11-22T08:00:00Z";
    let (first, last, next) = (
        "2026-11-22T00:00:00Z",
        "2026-11-22T23:59:59Z",
        "2026-11-23T00:00:00Z",
    );
    let before = "2026-11-21T23:59:59Z";
    for (window_start, created_at, belongs) in [
        (Some(first), Some(inside), true),
        (Some(inside), Some(inside), true),
        (Some(last), Some(inside), true),
        (Some(next), Some(inside), false),
        (Some(before), Some(inside), false),
        (Some(first), Some(before), true),
        (Some(first), Some(next), true),
        (Some(first), None, true),
        (None, Some(first), true),
        (None, Some(last), true),
        (None, Some(next), false),
        (None, Some(before), false),
        (None, None, false),
    ] {
        let snapshot = Snapshot {
            window_start: window_start.map(at),
            created_at: created_at.map(at),
            ..daily("s")
        };
        assert_eq!(
            snapshot.belongs_to(Daily, &window),
            belongs,
            "{window_start:?}, created {created_at:?}"
        );
    }
}

#[test]
fn a_snapshot_belongs_to_windows_of_its_own_policy_in_whatever_state() {
    let window = policy(Daily).window_at(now());
    for other in [Express, Weekly, Monthly] {
        assert!(!daily("s").belongs_to(other, &window), "{other}");
    }
    let unknown = Snapshot {
        policy: None,
        ..daily("s")
    };
    assert!(!unknown.belongs_to(Daily, &window));
    for state in [State::Error, State::Deleting, State::Busy] {
        let snapshot = Snapshot {
            state,
            ..daily("s")
        };
        assert!(snapshot.belongs_to(Daily, &window), "{state:?}");
    }
}

#[test]
fn what_may_belong_to_a_recent_window_is_no_further_than_two_of_the_longest() {
    for kind in PolicyKind::ALL {
        let longest = kind.longest_window();
        for (distance, may) in [
            (TimeDelta::zero(), true),
            (longest * 2, true),
            (longest * 2 + SECOND, false),
            // Where a dry run looks at an earlier instant, snapshots lie ahead.
            (-longest, true),
            (-longest - SECOND, false),
        ] {
            let (near, far) = (Some(now() - distance), Some(at("2020-01-01T00:00:00Z")));
            for (window_start, created_at, expected) in
                [(near, far, may), (far, near, false), (None, near, may)]
            {
                let snapshot = Snapshot {
                    policy: Some(kind),
                    window_start,
                    created_at,
                    ..daily("s")
                };
                assert_eq!(
                    snapshot.may_belong_to_recent_window(now()),
                    expected,
                    "{kind} {window_start:?} {created_at:?}"
                );
            }
        }
    }
    for lost in [
        Snapshot {
            policy: None,
            ..daily("s")
        },
        Snapshot {
            window_start: None,
            created_at: None,
            ..daily("s")
        },
    ] {
        assert!(!lost.may_belong_to_recent_window(now()), "{lost:?}");
    }
}

#[test]
fn all_are_counted_and_those_that_may_matter_are_remembered() {
    let from = |id: &str, start: &str| Snapshot {
        window_start: Some(at(start)),
        ..daily(id)
    };
    let long_ago = |id: &str, state| Snapshot {
        state,
        created_at: Some(at("2020-01-01T00:05:00Z")),
        ..from(id, "2020-01-01T00:00:00Z")
    };
    let mut history = VolumeSnapshots::default();
    for snapshot in [
        daily("today"),
        from("last-year", "2025-11-22T00:00:00Z"),
        from("yesterday", "2026-11-21T00:00:00Z"),
        from("last-month", "2026-10-22T00:00:00Z"),
        // What is no recovery point yet, or no more, matters whatever window it was for.
        long_ago("creating", State::Creating),
        long_ago("error", State::Error),
        long_ago("deleting", State::Deleting),
        long_ago("error_deleting", State::ErrorDeleting),
        long_ago("available", State::Available),
        long_ago("busy", State::Busy),
    ] {
        history.take_in(snapshot, now());
    }
    let remembered: Vec<&str> = history.relevant.iter().map(|one| one.id.as_str()).collect();
    let expected = [
        "today",
        "yesterday",
        "creating",
        "error",
        "deleting",
        "error_deleting",
    ];
    assert_eq!((history.count, &remembered[..]), (10, &expected[..]));
}

#[test]
fn whatever_belongs_to_the_active_window_or_the_one_before_is_remembered_throughout_the_year() {
    for kind in PolicyKind::ALL {
        let policy = policy(kind);
        for day in 0..366 {
            let now = now() + TimeDelta::days(day);
            let window = policy.window_at(now);
            let before = policy.window_at(window.start - SECOND);
            for start in [
                before.start,
                before.end - SECOND,
                window.start,
                window.end - SECOND,
            ] {
                let snapshot = Snapshot {
                    policy: Some(kind),
                    window_start: Some(start),
                    ..daily("s")
                };
                assert!(
                    snapshot.may_belong_to_recent_window(now),
                    "{kind} {start} at {now}"
                );
            }
        }
    }
}

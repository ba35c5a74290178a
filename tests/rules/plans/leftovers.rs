//! Leftovers: what earlier tries have left behind makes the next one wait, the longer the more
//! there are.

use std::collections::HashSet;

use chrono::TimeDelta;
use snapsentry::plan::{Snapshot, State};
use snapsentry::policy::PolicyKind::{Daily, Weekly};

use super::{SECOND, STUCK_AFTER, at, daily, due, now, since, subscribed};

/// One of today's window in this state, made that long ago.
fn made(id: &str, age: TimeDelta, status: &str) -> Snapshot {
    Snapshot {
        created_at: Some(now() - age),
        updated_at: None,
        state: State::parse(status),
        ..daily(id)
    }
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

/// How many leftovers the daily window of volume `v` waits for, and until when, seen from now,
/// where the deletion of these was accepted.
fn wait(snapshots: &[Snapshot], accepted: &[&str]) -> Option<(usize, TimeDelta)> {
    let due = due(&subscribed("v", &[Daily]), snapshots);
    let accepted: HashSet<&str> = accepted.iter().copied().collect();
    let wait = due.back_off(&accepted, now())?;
    Some((wait.leftovers, wait.until - now()))
}

#[test]
fn with_n_leftovers_the_youngest_has_to_be_ten_minutes_times_three_to_the_n_less_one_old() {
    for (n, wanted) in [(1, 10), (2, 30), (3, 90), (4, 270), (5, 810), (6, 2_430)] {
        let old = (1..n).map(|n| made(&format!("old-{n}"), TimeDelta::days(9), "error_deleting"));
        let with_youngest = |age: TimeDelta| {
            let mut all: Vec<Snapshot> = old.clone().collect();
            all.push(made("youngest", age, "deleting"));
            all
        };
        let longest = minutes(wanted);
        for (age, left) in [
            (TimeDelta::zero(), Some(longest)),
            (minutes(4), Some(longest - minutes(4))),
            (longest - SECOND, Some(SECOND)),
            (longest, None),
            (longest + SECOND, None),
        ] {
            let expected = left.map(|left| (n, left));
            assert_eq!(wait(&with_youngest(age), &[]), expected, "{n} after {age}");
        }
    }
}

#[test]
fn many_leftovers_wait_until_the_last_instant_that_can_be_written_and_overflow_nothing() {
    let last = at("9999-12-31T23:59:59Z") - now();
    for count in [21, 100] {
        let all: Vec<Snapshot> = (0..count)
            .map(|n| made(&n.to_string(), TimeDelta::days(3_000), "deleting"))
            .collect();
        assert_eq!(wait(&all, &[]), Some((count, last)));
    }
}

#[test]
fn whatever_is_lost_or_stuck_is_a_leftover() {
    let past_the_limit = STUCK_AFTER + SECOND;
    // Made just now, and yet stuck by its last change: only so the wait shows.
    for (status, age, is_one) in [
        ("error", SECOND, true),
        ("deleting", SECOND, true),
        ("error_deleting", SECOND, true),
        ("creating", past_the_limit, true),
        ("deleting", past_the_limit, true),
    ] {
        let leftover = Snapshot {
            created_at: Some(now()),
            ..since("s", age, status)
        };
        assert_eq!(wait(&[leftover], &[]).is_some(), is_one, "{status} {age}");
    }
    // Those of other windows that serve or may serve are none.
    for (status, age) in [
        ("creating", SECOND),
        ("available", SECOND),
        ("backing-up", past_the_limit),
        ("a-word-of-tomorrow", past_the_limit),
    ] {
        let whole = Snapshot {
            created_at: Some(now()),
            window_start: Some(at("2026-11-21T00:00:00Z")),
            ..since("s", age, status)
        };
        assert_eq!(wait(&[whole], &[]), None, "{status} {age}");
    }
}

#[test]
fn leftovers_of_any_window_count_and_those_of_another_policy_or_volume_do_not() {
    let young = || made("s", minutes(1), "deleting");
    let one = Some((1, minutes(9)));
    for (leftover, expected) in [
        (young(), one),
        (
            Snapshot {
                window_start: Some(at("2026-10-01T00:00:00Z")),
                ..young()
            },
            one,
        ),
        (
            Snapshot {
                window_start: None,
                ..young()
            },
            one,
        ),
        (
            Snapshot {
                policy: Some(Weekly),
                ..young()
            },
            None,
        ),
        (
            Snapshot {
                policy: None,
                ..young()
            },
            None,
        ),
        (
            Snapshot {
                volume_id: "other".to_owned(),
                ..young()
            },
            None,
        ),
    ] {
        assert_eq!(
            wait(std::slice::from_ref(&leftover), &[]),
            expected,
            "{leftover:?}"
        );
    }
}

#[test]
fn one_that_is_held_or_whose_deletion_was_accepted_does_not_count() {
    let held = Snapshot {
        held: true,
        ..made("held", SECOND, "error")
    };
    assert_eq!(wait(&[held], &[]), None);
    let two = [
        made("a", minutes(2), "error"),
        made("b", minutes(1), "error"),
    ];
    for (accepted, expected) in [
        (&[][..], Some((2, minutes(29)))),
        (&["a"], Some((1, minutes(9)))),
        (&["b"], Some((1, minutes(8)))),
        (&["a", "b"], None),
        (&["another"], Some((2, minutes(29)))),
    ] {
        assert_eq!(wait(&two, accepted), expected, "{accepted:?}");
    }
}

#[test]
fn one_that_does_not_say_how_old_it_is_counts_and_is_not_the_youngest() {
    let ageless = Snapshot {
        created_at: None,
        ..made("s", SECOND, "error")
    };
    assert_eq!(wait(std::slice::from_ref(&ageless), &[]), None);
    let other = made("other", minutes(12), "error");
    assert_eq!(wait(&[ageless, other], &[]), Some((2, minutes(18))));
}

#[test]
fn a_dry_run_takes_what_is_to_be_cleaned_for_gone() {
    let of_yesterday = Snapshot {
        window_start: Some(at("2026-11-21T00:00:00Z")),
        ..made("of-yesterday", minutes(1), "error")
    };
    let volume = subscribed("v", &[Daily]);
    for (snapshots, waits) in [
        (vec![made("s", minutes(1), "error")], false),
        (vec![made("s", minutes(1), "deleting")], true),
        (vec![of_yesterday], true),
    ] {
        let due = due(&volume, &snapshots);
        assert!(due.back_off(&HashSet::new(), now()).is_some());
        assert_eq!(
            due.back_off_once_cleaned(now()).is_some(),
            waits,
            "{snapshots:?}"
        );
    }
}

#[test]
fn the_wait_is_told_with_why_and_until_when() {
    let snapshots = [
        made("a", minutes(40), "error"),
        made("b", minutes(10), "deleting"),
    ];
    let due = due(&subscribed("v", &[Daily]), &snapshots);
    let wait = due.back_off(&HashSet::new(), now()).expect("a wait");
    assert_eq!(
        wait.to_string(),
        "earlier tries have left 2 snapshots behind that came to nothing and hold quota, the \
         youngest of 2026-11-22T09:00:00Z; the window is tried again from 2026-11-22T09:30:00Z on"
    );
}

//! The states of a snapshot: which are recovery points, which are none, which are stuck.

use chrono::TimeDelta;
use snapsentry::plan::{Snapshot, State};

use super::{STUCK_AFTER, daily, now, since};

#[test]
fn a_state_says_whether_a_snapshot_serves_or_is_lost() {
    for (status, state, serves, lost) in [
        ("available", State::Available, true, false),
        ("creating", State::Creating, true, false),
        ("backing-up", State::Busy, true, false),
        ("restoring", State::Busy, true, false),
        ("updating", State::Busy, true, false),
        ("unmanaging", State::Busy, true, false),
        ("a-word-of-tomorrow", State::Busy, true, false),
        ("error", State::Error, false, true),
        ("deleting", State::Deleting, false, true),
        ("error_deleting", State::ErrorDeleting, false, true),
    ] {
        assert_eq!(State::parse(status), state, "{status}");
        assert_eq!(state.is_lost(), lost, "{status}");
        let young = since("s", TimeDelta::minutes(1), status);
        assert_eq!(young.serves(now(), STUCK_AFTER), serves, "{status}");
    }
}

#[test]
fn what_is_on_its_way_is_stuck_once_it_is_older_than_the_limit() {
    for (status, moving) in [
        ("creating", true),
        ("deleting", true),
        ("error_deleting", true),
        ("available", false),
        ("error", false),
        ("backing-up", false),
        ("a-word-of-tomorrow", false),
    ] {
        for (age, older) in [
            (TimeDelta::zero(), false),
            (STUCK_AFTER, false),
            (STUCK_AFTER + TimeDelta::nanoseconds(1), true),
            (TimeDelta::days(900), true),
        ] {
            let stuck = since("s", age, status).is_stuck(now(), STUCK_AFTER);
            assert_eq!(stuck, moving && older, "{status} for {age}");
        }
    }
}

#[test]
fn one_that_is_stuck_while_being_made_serves_no_longer() {
    let past_the_limit = STUCK_AFTER + TimeDelta::seconds(1);
    for (status, age, serves) in [
        ("creating", STUCK_AFTER, true),
        ("creating", past_the_limit, false),
        ("available", past_the_limit, true),
        ("backing-up", past_the_limit, true),
    ] {
        let snapshot = since("s", age, status);
        assert_eq!(
            snapshot.serves(now(), STUCK_AFTER),
            serves,
            "{status} for {age}"
        );
    }
}

#[test]
fn its_age_counts_from_its_last_change_or_else_from_its_creation() {
    let (young, old) = (now() - TimeDelta::hours(1), now() - TimeDelta::hours(7));
    for (created_at, updated_at, stuck) in [
        (Some(old), Some(young), false),
        (Some(young), Some(old), true),
        (Some(old), None, true),
        (Some(young), None, false),
        (None, Some(old), true),
        // What has no age cannot be said to be too old.
        (None, None, false),
    ] {
        let snapshot = Snapshot {
            state: State::Creating,
            created_at,
            updated_at,
            ..daily("s")
        };
        assert_eq!(
            snapshot.is_stuck(now(), STUCK_AFTER),
            stuck,
            "{created_at:?} {updated_at:?}"
        );
    }
}

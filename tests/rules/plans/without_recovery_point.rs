//! For how long somebody has been without the recovery point that was promised.

use chrono::{DateTime, TimeDelta, Utc};
use snapsentry::plan::age::{Afterwards, OldestAges};
use snapsentry::plan::creation;
use snapsentry::plan::{Snapshot, State, Volume};
use snapsentry::policy::PolicyKind::{Daily, Express};

use super::{SECOND, STUCK_AFTER, at, daily, listed, now, subscribed, volume};

const TODAY: &str = "2026-11-22T00:00:00Z";
const YESTERDAY: &str = "2026-11-21T00:00:00Z";
const BEFORE: &str = "2026-11-20T00:00:00Z";

/// Seconds since an instant.
fn since(start: &str) -> i64 {
    (now() - at(start)).num_seconds()
}

fn of(start: &str, state: State) -> Snapshot {
    Snapshot {
        state,
        window_start: Some(at(start)),
        created_at: Some(at(start) + TimeDelta::minutes(5)),
        ..daily(&format!("{start}-{state:?}"))
    }
}

/// The ages after a pass in which every due window came to this.
fn ages(volumes: &[Volume], snapshots: &[Snapshot], afterwards: Afterwards) -> (i64, i64) {
    let volumes: Vec<&Volume> = volumes.iter().collect();
    let plan = creation::plan(&volumes, &listed(snapshots), now(), STUCK_AFTER);
    let ages = OldestAges::after(&plan.decisions, now(), |_, _| afterwards);
    (ages.due, ages.blocked)
}

/// The age of volume `v` with a daily policy, where nothing was done about it.
fn age(snapshots: &[Snapshot]) -> i64 {
    ages(&[subscribed("v", &[Daily])], snapshots, Afterwards::Missing).0
}

#[test]
fn an_available_snapshot_of_the_active_window_is_all_that_is_wanted() {
    assert_eq!(age(&[of(TODAY, State::Available)]), 0);
    let others = [of(TODAY, State::Creating), of(TODAY, State::Error)];
    let [creating, broken] = others;
    assert_eq!(age(&[creating, broken, of(TODAY, State::Available)]), 0);
    let volume = [subscribed("v", &[Daily])];
    assert_eq!(ages(&volume, &[], Afterwards::Available), (0, 0));
}

#[test]
fn one_being_created_has_the_age_of_its_creation_whoever_began_it() {
    let creating = of(TODAY, State::Creating);
    let begun_yesterday = Snapshot {
        created_at: Some(at("2026-11-21T20:00:00Z")),
        updated_at: Some(at(TODAY)),
        ..creating.clone()
    };
    let ageless = Snapshot {
        created_at: None,
        updated_at: Some(now()),
        ..creating.clone()
    };
    let young = Snapshot {
        updated_at: Some(now()),
        ..creating
    };
    let earlier = of(YESTERDAY, State::Available);
    // What was there when the pass began.
    for (creating, expected) in [
        (young, since("2026-11-22T00:05:00Z")),
        (ageless, since(TODAY)),
    ] {
        assert_eq!(age(&[earlier.clone(), creating]), expected);
    }
    // One that is stuck serves no longer.
    assert_eq!(age(&[earlier.clone(), begun_yesterday]), since(TODAY));
    // What this pass began, or found begun.
    let volume = [subscribed("v", &[Daily])];
    let begun = |at: DateTime<Utc>| ages(&volume, &[], Afterwards::Creating(at));
    assert_eq!(begun(now()), (0, 0));
    assert_eq!(begun(now() - TimeDelta::hours(3)), (3 * 3_600, 0));
    assert_eq!(begun(now() + TimeDelta::hours(3)), (0, 0));
}

#[test]
fn one_that_is_missing_has_the_age_of_the_active_window_or_of_the_one_before() {
    for (snapshots, start) in [
        (vec![of(YESTERDAY, State::Available)], TODAY),
        (vec![], YESTERDAY),
        (vec![of(BEFORE, State::Available)], YESTERDAY),
        (vec![of(YESTERDAY, State::Error)], YESTERDAY),
        (vec![of(YESTERDAY, State::Creating)], YESTERDAY),
        (vec![of(YESTERDAY, State::Busy)], YESTERDAY),
        (
            vec![of(YESTERDAY, State::Available), of(TODAY, State::Error)],
            TODAY,
        ),
        // It serves, but nobody can say that it can be restored from.
        (
            vec![of(YESTERDAY, State::Available), of(TODAY, State::Busy)],
            TODAY,
        ),
    ] {
        assert_eq!(age(&snapshots), since(start), "{snapshots:?}");
    }
}

#[test]
fn the_age_does_not_fall_when_a_window_ends() {
    // Its windows are of six hours.
    let volume = subscribed("v", &[Express]);
    let six_hours = 6 * 3_600;
    let mut last = 0;
    for minute in (0..=18 * 60).step_by(10) {
        let now = at("2026-11-22T06:00:00Z") + TimeDelta::minutes(minute);
        let mut snapshots = listed(&[]);
        let served = Snapshot {
            policy: Some(Express),
            window_start: Some(at(TODAY)),
            created_at: Some(at("2026-11-22T00:01:00Z")),
            ..daily("s")
        };
        snapshots
            .entry("v".to_owned())
            .or_default()
            .take_in(served, now);
        let plan = creation::plan(&[&volume], &snapshots, now, STUCK_AFTER);
        let age = OldestAges::after(&plan.decisions, now, |_, _| Afterwards::Missing).due;
        // Later it is between one window and two.
        assert!(age >= last.min(six_hours), "{age} after {last}");
        last = age;
    }
    assert_eq!(last, six_hours);
}

#[test]
fn nobody_has_been_without_since_before_the_volume_was_made() {
    for (created_at, start) in [
        ("2026-11-22T08:00:00Z", "2026-11-22T08:00:00Z"),
        ("2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z"),
        (YESTERDAY, YESTERDAY),
        ("2020-01-01T00:00:00Z", YESTERDAY),
    ] {
        let mut volume = subscribed("v", &[Daily]);
        volume.created_at = Some(at(created_at));
        let found = ages(&[volume], &[], Afterwards::Missing);
        assert_eq!(found, (since(start), 0), "{created_at}");
    }
    let mut of_tomorrow = subscribed("v", &[Daily]);
    of_tomorrow.created_at = Some(now() + SECOND);
    assert_eq!(ages(&[of_tomorrow], &[], Afterwards::Missing), (0, 0));
}

#[test]
fn what_is_blocked_has_an_age_of_its_own() {
    let mut shelved = subscribed("v", &[Daily]);
    shelved.status = "maintenance".to_owned();
    let late = subscribed("w", &[Daily]);
    let snapshots = [Snapshot {
        volume_id: "w".to_owned(),
        ..of(YESTERDAY, State::Available)
    }];
    let both = [shelved.clone(), late.clone()];
    assert_eq!(
        ages(&both, &snapshots, Afterwards::Missing),
        (since(TODAY), since(YESTERDAY))
    );
    // A volume may turn out to be blocked only when it is tried.
    assert_eq!(
        ages(&[late], &snapshots, Afterwards::Blocked),
        (0, since(TODAY))
    );
    // What is served is not blocked.
    let served = [of(TODAY, State::Available)];
    assert_eq!(ages(&[shelved], &served, Afterwards::Missing), (0, 0));
}

#[test]
fn the_oldest_counts_and_policies_that_are_off_or_unreadable_do_not() {
    let unreadable = volume("u", &[("managed", "true"), ("daily-enabled", "maybe")]);
    let volumes = [
        subscribed("v", &[Express, Daily]),
        unreadable,
        subscribed("off", &[]),
    ];
    assert_eq!(
        ages(&volumes, &[], Afterwards::Missing),
        (since(YESTERDAY), 0)
    );
    let only_the_second = [volumes[1].clone(), volumes[2].clone()];
    assert_eq!(ages(&only_the_second, &[], Afterwards::Missing), (0, 0));
}

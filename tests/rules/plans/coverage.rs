//! How volumes stand: states, since when something is missing, and when the next snapshot is wanted.

use chrono::TimeDelta;
use snapsentry::plan::coverage::{
    self, CoverageState, PolicyCoverage, SnapshotTally, TallyRule, Totals, VolumeCoverage,
};
use snapsentry::plan::{Expiry, Snapshot, State, Volume};
use snapsentry::policy::PolicyKind;

use super::{STUCK_AFTER, at, daily, now, of_any_order, since, subscribed, verdicts, volume};

fn tally(snapshots: &[Snapshot]) -> SnapshotTally {
    let rule = TallyRule {
        now: now(),
        stuck_after: STUCK_AFTER,
        points_since: None,
    };
    let mut tally = SnapshotTally::default();
    for snapshot in snapshots {
        tally.take_in(snapshot.clone(), Some(7), &rule);
    }
    tally
}

fn coverage<'a>(volume: &'a Volume, tally: &'a SnapshotTally) -> VolumeCoverage<'a> {
    let tally = Some(tally).filter(|tally| tally.snapshots.count > 0);
    coverage::of_volume(volume, tally, now(), STUCK_AFTER)
}

fn state(volume: &Volume, snapshots: &[Snapshot]) -> CoverageState {
    of_any_order(snapshots, |snapshots| {
        coverage(volume, &tally(snapshots)).state
    })
}

/// How the only policy of the volume stands.
fn of_policy<T>(
    volume: &Volume,
    snapshots: &[Snapshot],
    read: impl Fn(&PolicyCoverage<'_>) -> T,
) -> T {
    let tally = tally(snapshots);
    let coverage = coverage(volume, &tally);
    assert_eq!(coverage.policies.len(), 1, "{coverage:?}");
    read(&coverage.policies[0])
}

fn behind(volume: &Volume, snapshots: &[Snapshot]) -> i64 {
    let behind = of_policy(volume, snapshots, |one| {
        one.active.map(|active| active.behind_seconds)
    });
    behind.expect("the policy can be read")
}

fn next_due(volume: &Volume, snapshots: &[Snapshot]) -> String {
    let due = of_policy(volume, snapshots, |one| {
        one.active.map(|active| active.next_due)
    });
    due.expect("the policy can be read")
        .format("%dT%H:%M")
        .to_string()
}

/// A snapshot of the daily window that began that many days before today's.
fn days_ago(id: &str, days: i64) -> Snapshot {
    let of_today = daily(id);
    let back = TimeDelta::days(days);
    Snapshot {
        created_at: of_today.created_at.map(|at| at - back),
        window_start: of_today.window_start.map(|at| at - back),
        ..of_today
    }
}

fn daily_volume() -> Volume {
    subscribed("v", &[PolicyKind::Daily])
}

fn with_status(mut volume: Volume, status: &str) -> Volume {
    volume.status = status.to_owned();
    volume
}

#[test]
fn a_managed_volume_has_the_worst_state_of_its_policies() {
    use CoverageState::{Blocked, Creating, Invalid, Late, Off, Protected};
    let both = || subscribed("v", &[PolicyKind::Daily, PolicyKind::Weekly]);
    let odd = || {
        volume(
            "v",
            &[
                ("managed", "true"),
                ("daily-enabled", "perhaps"),
                ("weekly-enabled", "1"),
            ],
        )
    };
    let off = || volume("v", &[("managed", "true"), ("daily-enabled", "false")]);
    let weekly = || Snapshot {
        policy: Some(PolicyKind::Weekly),
        ..daily("w")
    };
    let creating = || since("c", TimeDelta::minutes(1), "creating");
    let rows = [
        (daily_volume(), vec![daily("a")], Protected),
        (daily_volume(), vec![], Late),
        (daily_volume(), vec![days_ago("a", 1)], Late),
        (daily_volume(), vec![creating()], Creating),
        (daily_volume(), vec![creating(), daily("a")], Protected),
        (
            daily_volume(),
            vec![since("z", TimeDelta::hours(7), "creating")],
            Late,
        ),
        (
            daily_volume(),
            vec![since("e", TimeDelta::hours(1), "error")],
            Late,
        ),
        (with_status(daily_volume(), "in-use"), vec![], Late),
        (with_status(daily_volume(), "error"), vec![], Blocked),
        (with_status(daily_volume(), ""), vec![], Blocked),
        (
            with_status(daily_volume(), "error"),
            vec![daily("a")],
            Protected,
        ),
        (both(), vec![daily("a"), weekly()], Protected),
        (both(), vec![daily("a")], Late),
        (both(), vec![creating(), weekly()], Creating),
        (odd(), vec![weekly()], Invalid),
        (odd(), vec![], Invalid),
        (off(), vec![daily("a")], Off),
        (volume("v", &[("managed", "true")]), vec![], Off),
    ];
    for (volume, snapshots, expected) in rows {
        assert_eq!(
            state(&volume, &snapshots),
            expected,
            "{volume:?} {snapshots:?}"
        );
    }
}

#[test]
fn a_volume_that_is_not_managed_is_lost_off_or_unmanaged() {
    use CoverageState::{Lost, Off, Unmanaged};
    let rows = [
        (volume("v", &[]), vec![], Unmanaged),
        (volume("v", &[]), vec![daily("a")], Lost),
        (volume("v", &[("daily-enabled", "true")]), vec![], Lost),
        (
            volume("v", &[("managed", "True"), ("daily-enabled", "true")]),
            vec![],
            Lost,
        ),
        (volume("v", &[("managed", "True")]), vec![], Unmanaged),
        (
            volume("v", &[("managed", "false"), ("daily-enabled", "true")]),
            vec![],
            Off,
        ),
        (volume("v", &[("managed", "F")]), vec![daily("a")], Off),
        (
            volume("v", &[("daily-enabled", "false")]),
            vec![daily("a")],
            Unmanaged,
        ),
    ];
    for (volume, snapshots, expected) in rows {
        assert_eq!(
            state(&volume, &snapshots),
            expected,
            "{volume:?} {snapshots:?}"
        );
    }
}

#[test]
fn who_said_goodbye_is_not_told_of_policies() {
    let goodbye = volume("v", &[("managed", "false"), ("daily-enabled", "true")]);
    assert!(coverage(&goodbye, &tally(&[])).policies.is_empty());
    let lost = volume("v", &[("daily-enabled", "true")]);
    assert_eq!(coverage(&lost, &tally(&[])).policies.len(), 1);
}

#[test]
fn behind_is_the_time_since_the_end_of_the_newest_window_that_can_be_restored() {
    let hours = |hours: i64| hours * 3_600 + 600;
    let error = |id: &str, days| Snapshot {
        state: State::Error,
        ..days_ago(id, days)
    };
    let without_key = Snapshot {
        window_start: None,
        ..days_ago("k", 2)
    };
    let future = Snapshot {
        window_start: Some(at("2026-11-23T00:00:00Z")),
        ..daily("f")
    };
    let rows = [
        (vec![daily("a")], 0),
        (vec![], hours(9)),
        (vec![days_ago("a", 1)], hours(9)),
        (vec![days_ago("a", 2)], hours(33)),
        (vec![days_ago("a", 2), days_ago("b", 5)], hours(33)),
        (vec![error("a", 1), days_ago("b", 3)], hours(57)),
        (
            vec![
                since("c", TimeDelta::minutes(1), "creating"),
                days_ago("b", 1),
            ],
            hours(9),
        ),
        (vec![without_key], hours(33)),
        (vec![future, days_ago("a", 2)], hours(33)),
    ];
    for (snapshots, expected) in rows {
        let seconds = of_any_order(&snapshots, |snapshots| behind(&daily_volume(), snapshots));
        assert_eq!(seconds, expected, "{snapshots:?}");
    }
}

#[test]
fn nobody_is_behind_since_before_the_volume_was_made() {
    let mut young = daily_volume();
    young.created_at = Some(now() - TimeDelta::minutes(3));
    assert_eq!(behind(&young, &[]), 180);
    young.created_at = Some(now() + TimeDelta::minutes(3));
    assert_eq!(behind(&young, &[]), 0, "clocks differ");
    young.created_at = Some(now() - TimeDelta::days(9));
    assert_eq!(behind(&young, &[]), 33_000);
}

#[test]
fn the_next_snapshot_is_due_at_the_end_of_what_is_protected_else_since_its_start() {
    let leftover = |id: &str, minutes| Snapshot {
        created_at: Some(now() - TimeDelta::minutes(minutes)),
        ..since(id, TimeDelta::minutes(minutes), "deleting")
    };
    let held = Snapshot {
        held: true,
        ..leftover("h", 1)
    };
    let rows = [
        (vec![daily("a")], "23T00:00"),
        (vec![], "22T00:00"),
        (
            vec![since("c", TimeDelta::minutes(1), "creating")],
            "22T00:00",
        ),
        // What failed tries have left makes the next one wait.
        (vec![leftover("d", 4)], "22T09:16"),
        (vec![leftover("d", 11)], "22T00:00"),
        (vec![leftover("d", 4), leftover("e", 20)], "22T09:36"),
        (vec![held], "22T00:00"),
    ];
    for (snapshots, expected) in rows {
        let due = of_any_order(&snapshots, |snapshots| next_due(&daily_volume(), snapshots));
        assert_eq!(due, expected, "{snapshots:?}");
    }
}

#[test]
fn a_policy_tells_of_its_own_snapshots_alone() {
    let snapshots = [
        daily("b"),
        Snapshot {
            held: true,
            ..days_ago("a", 3)
        },
        since("c", TimeDelta::minutes(1), "creating"),
        since("z", TimeDelta::hours(7), "creating"),
        since("e", TimeDelta::minutes(1), "error"),
        Snapshot {
            policy: Some(PolicyKind::Weekly),
            ..daily("w")
        },
        Snapshot {
            policy: None,
            ..daily("n")
        },
    ];
    of_any_order(&snapshots, |snapshots| {
        of_policy(&daily_volume(), snapshots, |one| {
            let tally = one.tally.expect("there are some");
            assert_eq!(
                (tally.available, tally.creating, tally.leftovers),
                (2, 1, 2)
            );
            assert_eq!(
                tally
                    .newest
                    .as_ref()
                    .map(|newest| newest.snapshot_id.as_str()),
                Some("b")
            );
            assert_eq!(tally.oldest_created_at, days_ago("a", 3).created_at);
            assert_eq!(tally.next_expiry, Some(at("2026-11-24T00:00:00Z")));
        });
    });
}

#[test]
fn the_newest_is_the_one_that_was_made_last_and_of_one_second_that_of_the_greater_id() {
    let early_key = Snapshot {
        window_start: Some(at("2026-11-20T00:00:00Z")),
        ..daily("c")
    };
    for (snapshots, expected) in [
        (vec![daily("a"), daily("b")], "b"),
        (vec![days_ago("z", 1), daily("a")], "a"),
        (vec![early_key, daily("b")], "c"),
    ] {
        let newest = of_any_order(&snapshots, |snapshots| {
            of_policy(&daily_volume(), snapshots, |one| {
                let newest = one.tally.and_then(|tally| tally.newest.clone());
                newest.expect("one is available").snapshot_id
            })
        });
        assert_eq!(newest, expected);
    }
}

#[test]
fn totals_add_up() {
    let snapshots = [
        daily("a"),
        Snapshot {
            held: true,
            ..daily("h")
        },
        since("e", TimeDelta::minutes(1), "error_deleting"),
        Snapshot {
            expiry: Expiry::Missing,
            policy: None,
            ..daily("n")
        },
    ];
    let mut totals = Totals::default();
    totals.add_volume(CoverageState::Late);
    totals.add_volume(CoverageState::Creating);
    totals.add_volume(CoverageState::Off);
    totals.add_snapshots(&tally(&snapshots), true);
    totals.add_snapshots(&tally(&snapshots[..2]), false);
    let expected = Totals {
        volumes: 3,
        late: 1,
        creating: 1,
        off: 1,
        snapshots: 6,
        held: 2,
        leftovers: 1,
        orphans: 2,
        gigabytes: 42,
        ..Totals::default()
    };
    assert_eq!(totals, expected);
    assert_eq!(totals.wanting_attention(), 2);
}

#[test]
fn states_are_ordered_from_the_worst_to_the_best() {
    let words: Vec<&str> = CoverageState::ALL
        .iter()
        .map(|state| state.as_str())
        .collect();
    let expected = "lost invalid late blocked creating protected off unmanaged";
    assert_eq!(words.join(" "), expected);
    assert!(CoverageState::ALL.is_sorted());
}

#[test]
fn a_report_and_a_snapshot_pass_agree_on_every_window() {
    use snapsentry::plan::creation::WindowVerdict;
    let states = ["available", "creating", "error", "deleting", "backing-up"];
    let ages = [1, 7 * 60].map(TimeDelta::minutes);
    for status in ["available", "error"] {
        for state in states {
            for age in ages {
                let volume = with_status(daily_volume(), status);
                let snapshots = [since("s", age, state), days_ago("o", 2)];
                let pass = verdicts(&volume, &snapshots).pop().expect("a verdict").1;
                let agrees = match self::state(&volume, &snapshots) {
                    CoverageState::Protected => matches!(
                        pass,
                        WindowVerdict::Served {
                            without_since: None,
                            ..
                        }
                    ),
                    CoverageState::Creating => matches!(
                        pass,
                        WindowVerdict::Served {
                            without_since: Some(_),
                            ..
                        }
                    ),
                    CoverageState::Late => matches!(pass, WindowVerdict::Due(_)),
                    CoverageState::Blocked => matches!(pass, WindowVerdict::Blocked(_)),
                    _ => false,
                };
                assert!(agrees, "{status} {state} {age}: {pass:?}");
            }
        }
    }
}

#[test]
fn the_active_window_is_judged_alike_however_many_snapshots_there_are() {
    let ahead = |id: &str, minutes| Snapshot {
        window_start: None,
        created_at: Some(now() + TimeDelta::minutes(minutes)),
        ..daily(id)
    };
    let mut many: Vec<Snapshot> = (1..9)
        .map(|days| days_ago(&format!("o{days}"), days))
        .collect();
    assert_eq!(state(&daily_volume(), &many), CoverageState::Late);
    // By a clock that is a little ahead, and one of a window to come.
    many.push(ahead("n", 2 * 24 * 60));
    assert_eq!(state(&daily_volume(), &many), CoverageState::Late);
    many.push(ahead("a", 3));
    assert_eq!(state(&daily_volume(), &many), CoverageState::Protected);
    many.pop();
    many.push(daily("t"));
    assert_eq!(state(&daily_volume(), &many), CoverageState::Protected);
    let tally = tally(&many);
    assert_eq!(tally.snapshots.count, 10);
    assert_eq!(
        tally.snapshots.relevant.len(),
        2,
        "what cannot matter is not remembered"
    );
}

//! Which windows are due, which are served, and which their volume's state blocks.

use snapsentry::plan::creation::{self, WindowVerdict};
use snapsentry::plan::{Snapshot, State};
use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly};

use super::{
    SECOND, STUCK_AFTER, at, daily, due, listed, now, since, subscribed, verdict, verdicts, volume,
};

/// A verdict in one word, or two where a snapshot serves.
fn in_short(verdict: &WindowVerdict) -> String {
    match verdict {
        WindowVerdict::Invalid(invalid) => format!("invalid: {}", invalid.key),
        WindowVerdict::Served { by, .. } => format!("served by {by}"),
        WindowVerdict::Blocked(_) => "blocked".to_owned(),
        WindowVerdict::Due(_) => "due".to_owned(),
    }
}

#[test]
fn a_new_subscription_is_due_at_once() {
    for (kind, start, end) in [
        (Express, "2026-11-22T06:00:00Z", "2026-11-22T12:00:00Z"),
        (Daily, "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"),
        (Weekly, "2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"),
        (Monthly, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
    ] {
        let due = due(&subscribed("v", &[kind]), &[]);
        assert_eq!((due.volume_id.as_str(), due.policy), ("v", kind));
        assert_eq!((due.window.start, due.window.end), (at(start), at(end)));
    }
}

#[test]
fn a_window_is_served_in_any_state_but_the_lost_ones_and_by_nothing_that_is_stuck() {
    let past_the_limit = STUCK_AFTER + SECOND;
    for (status, while_young, later) in [
        ("available", "served by s", "served by s"),
        ("backing-up", "served by s", "served by s"),
        ("restoring", "served by s", "served by s"),
        ("updating", "served by s", "served by s"),
        ("unmanaging", "served by s", "served by s"),
        ("creating", "served by s", "due"),
        ("error", "due", "due"),
        ("error_deleting", "due", "due"),
        ("deleting", "due", "due"),
    ] {
        for (age, expected) in [
            (SECOND, while_young),
            (STUCK_AFTER, while_young),
            (past_the_limit, later),
        ] {
            let verdict = verdict(&subscribed("v", &[Daily]), &[since("s", age, status)]);
            assert_eq!(in_short(&verdict), expected, "{status} for {age}");
        }
    }
}

#[test]
fn one_of_the_window_serves_whatever_else_there_is() {
    let yesterday = Some(at("2026-11-21T23:59:59Z"));
    let without_key = |id: &str, created_at| Snapshot {
        window_start: None,
        created_at,
        ..daily(id)
    };
    let of_yesterday = Snapshot {
        window_start: yesterday,
        ..daily("s")
    };
    let made_yesterday = Snapshot {
        created_at: yesterday,
        ..daily("s")
    };
    let broken = Snapshot {
        state: State::Error,
        ..daily("broken")
    };
    let weekly = Snapshot {
        policy: Some(Weekly),
        ..daily("s")
    };
    let of_another = Snapshot {
        volume_id: "other".to_owned(),
        ..daily("s")
    };
    let today = Some(at("2026-11-22T00:00:00Z"));
    for (snapshots, expected) in [
        (vec![daily("s")], "served by s"),
        (vec![broken.clone(), daily("s")], "served by s"),
        (vec![of_yesterday.clone(), daily("s")], "served by s"),
        (vec![made_yesterday], "served by s"),
        (vec![without_key("s", today)], "served by s"),
        (vec![without_key("s", yesterday)], "due"),
        (vec![of_yesterday], "due"),
        (vec![broken], "due"),
        (vec![weekly], "due"),
        (vec![of_another], "due"),
    ] {
        let verdict = verdict(&subscribed("v", &[Daily]), &snapshots);
        assert_eq!(in_short(&verdict), expected, "{snapshots:?}");
    }
}

#[test]
fn only_a_volume_that_is_available_or_in_use_is_tried() {
    for (status, tried) in [
        ("available", true),
        ("in-use", true),
        ("creating", false),
        ("reserved", false),
        ("attaching", false),
        ("detaching", false),
        ("maintenance", false),
        ("deleting", false),
        ("awaiting-transfer", false),
        ("error", false),
        ("error_deleting", false),
        ("backing-up", false),
        ("restoring-backup", false),
        ("error_restoring", false),
        ("error_extending", false),
        ("extending", false),
        ("retyping", false),
        ("uploading", false),
        ("Available", false),
        ("", false),
    ] {
        let mut volume = subscribed("v", &[Daily]);
        volume.status = status.to_owned();
        let expected = if tried { "due" } else { "blocked" };
        let of_nothing = verdict(&volume, &[]);
        assert_eq!(in_short(&of_nothing), expected, "{status}");
        // What is served needs nothing of its volume.
        let served = verdict(&volume, &[daily("s")]);
        assert_eq!(in_short(&served), "served by s", "{status}");
    }
}

#[test]
fn what_is_served_and_what_is_blocked_is_told_with_its_window() {
    let mut busy = subscribed("v", &[Daily]);
    busy.status = "retyping".to_owned();
    for verdict in [verdict(&busy, &[]), verdict(&busy, &[daily("s")])] {
        let window = match verdict {
            WindowVerdict::Blocked(due) => due.window,
            WindowVerdict::Served { window, .. } => window,
            other => panic!("{other:?}"),
        };
        assert_eq!(window.start, at("2026-11-22T00:00:00Z"));
        assert_eq!(window.end, at("2026-11-23T00:00:00Z"));
    }
}

#[test]
fn each_policy_that_is_not_off_has_its_own_verdict() {
    let volume = volume(
        "v",
        &[
            ("managed", "true"),
            ("express-enabled", "true"),
            ("daily-enabled", "true"),
            ("daily-timezone", "Mars/Olympus"),
            ("weekly-enabled", "true"),
            ("monthly-enabled", "false"),
        ],
    );
    let weekly = Snapshot {
        policy: Some(Weekly),
        ..daily("s")
    };
    let told: Vec<(PolicyKind, String)> = verdicts(&volume, &[weekly])
        .iter()
        .map(|(kind, verdict)| (*kind, in_short(verdict)))
        .collect();
    assert_eq!(
        told,
        [
            (Express, "due".to_owned()),
            (Daily, "invalid: x-snapsentry-daily-timezone".to_owned()),
            (Weekly, "served by s".to_owned()),
        ]
    );
}

#[test]
fn volumes_are_decided_each_by_its_own_snapshots() {
    let volumes = ["a", "b", "c"].map(|id| subscribed(id, &[Daily]));
    let of = |id: &str, volume: &str| Snapshot {
        volume_id: volume.to_owned(),
        ..daily(id)
    };
    let histories = listed(&[of("1", "a"), of("3", "c"), of("4", "of-none")]);
    let plan = creation::plan(&volumes.each_ref(), &histories, now(), STUCK_AFTER);
    let told: Vec<(&str, String)> = plan
        .decisions
        .iter()
        .map(|one| (one.volume.id.as_str(), in_short(&one.verdict)))
        .collect();
    assert_eq!(
        told,
        [
            ("a", "served by 1".to_owned()),
            ("b", "due".to_owned()),
            ("c", "served by 3".to_owned()),
        ]
    );
}

//! How far back snapshots can matter to a snapshot pass.

use std::sync::Arc;

use snapsentry::plan::{RecentWindows, Snapshot, State, Volume};
use snapsentry::policy::PolicyKind::{Daily, Express, Monthly, Weekly};

use super::{at, daily, listed, now, subscribed, volume};

const TODAY: &str = "2026-11-22T00:00:00Z";
const YESTERDAY: &str = "2026-11-21T00:00:00Z";

/// A daily policy whose windows begin at this hour.
fn daily_at(id: &str, start: &str) -> Volume {
    let keys = [
        ("managed", "true"),
        ("daily-enabled", "true"),
        ("daily-start-time", start),
    ];
    volume(id, &keys)
}

#[test]
fn the_earliest_active_window_of_a_kind_is_where_all_its_listings_go_back_to() {
    let volumes = [
        subscribed("v", &[Daily, Express]),
        daily_at("w", "09:30"),
        daily_at("x", "09:00"),
    ];
    let windows = RecentWindows::new(Arc::new(volumes.into()), now());
    for (kind, since) in [
        (Daily, Some("2026-11-21T09:30:00Z")),
        (Express, Some("2026-11-22T06:00:00Z")),
        (Weekly, None),
    ] {
        assert_eq!(windows.active_since(kind), since.map(at), "{kind}");
    }
}

#[test]
fn the_window_before_matters_only_where_nothing_can_be_restored_from_the_active_one() {
    let [v, w] = ["v", "w"].map(|id| subscribed(id, &[Daily]));
    let volumes = [v, w];
    let windows = RecentWindows::new(Arc::new(volumes.into()), now());
    let of = |volume: &str, state: State, start: &str| Snapshot {
        volume_id: volume.to_owned(),
        state,
        window_start: Some(at(start)),
        created_at: Some(at(start)),
        ..daily(&format!("{volume}-{state:?}-{start}"))
    };
    let served = of("v", State::Available, TODAY);
    for (other, since) in [
        (of("w", State::Available, TODAY), None),
        (of("w", State::Available, YESTERDAY), Some(YESTERDAY)),
        (of("w", State::Creating, TODAY), Some(YESTERDAY)),
        (of("w", State::Error, TODAY), Some(YESTERDAY)),
        (of("w", State::Busy, TODAY), Some(YESTERDAY)),
        (of("x", State::Available, TODAY), Some(YESTERDAY)),
    ] {
        let (one, another) = (listed(std::slice::from_ref(&served)), listed(&[other]));
        let seen = windows.previous_since(Daily, &[&one, &another]);
        assert_eq!(seen, since.map(at), "{another:?}");
        // Of another kind nobody asks.
        assert_eq!(windows.previous_since(Weekly, &[&one, &another]), None);
    }
    let nothing = windows.previous_since(Daily, &[]);
    assert_eq!(nothing, Some(at(YESTERDAY)));
}

#[test]
fn a_policy_that_is_off_or_cannot_be_read_asks_for_nothing() {
    for (enabled, start) in [("false", "00:00"), ("true", "noon")] {
        let keys = [
            ("managed", "true"),
            ("daily-enabled", enabled),
            ("daily-start-time", start),
        ];
        let volumes = [volume("v", &keys)];
        let windows = RecentWindows::new(Arc::new(volumes.into()), now());
        assert_eq!(windows.active_since(Daily), None, "{enabled} {start}");
        assert_eq!(
            windows.previous_since(Daily, &[]),
            None,
            "{enabled} {start}"
        );
        assert_eq!(windows.count_since(Daily, at(YESTERDAY)), 0);
    }
}

#[test]
fn one_snapshot_a_window_is_expected() {
    let volumes = [
        subscribed("v", &[Daily, Express, Monthly]),
        subscribed("w", &[Daily]),
        daily_at("x", "09:00"),
    ];
    let windows = RecentWindows::new(Arc::new(volumes.into()), now());
    for (kind, since, expected) in [
        (Daily, TODAY, 3),
        (Daily, YESTERDAY, 3 * 2),
        (Daily, "2026-11-20T09:00:00Z", 2 * 2 + 3),
        (Express, "2026-11-22T06:00:00Z", 1),
        (Express, YESTERDAY, 1 + 5),
        (Monthly, "2026-11-01T00:00:00Z", 1),
        (Weekly, YESTERDAY, 0),
        // One that has not begun by then has begun since.
        (Daily, "2026-11-22T09:10:00Z", 3),
    ] {
        assert_eq!(
            windows.count_since(kind, at(since)),
            expected,
            "{kind} {since}"
        );
    }
}

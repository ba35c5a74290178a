//! Timelines: what the last days of a policy look like, window by window.

use chrono::{DateTime, TimeDelta, Utc};
use snapsentry::plan::coverage::{self, SnapshotTally, TallyRule};
use snapsentry::plan::timeline::{Cell, Look, Span, lane};
use snapsentry::plan::{Snapshot, State, Volume};

use super::{STUCK_AFTER, at, daily, now, since, volume};

fn span() -> Span {
    Span {
        from: at("2026-11-17T12:00:00Z"),
        now: now(),
        until: at("2026-11-24T12:00:00Z"),
    }
}

fn cells(volume: &Volume, snapshots: &[Snapshot], shortest: TimeDelta) -> Vec<Cell> {
    let rule = TallyRule {
        now: now(),
        stuck_after: STUCK_AFTER,
        points_since: Some(span().from),
    };
    let mut tally = SnapshotTally::default();
    for snapshot in snapshots {
        tally.take_in(snapshot.clone(), None, &rule);
    }
    let coverage = coverage::of_volume(volume, Some(&tally), now(), STUCK_AFTER);
    lane(volume.created_at, &coverage.policies[0], &span(), shortest)
}

/// One letter a cell.
fn looks(volume: &Volume, snapshots: &[Snapshot]) -> String {
    let cells = cells(volume, snapshots, TimeDelta::zero());
    assert!(
        cells.windows(2).all(|pair| pair[0].end == pair[1].start),
        "{cells:?}"
    );
    cells
        .iter()
        .map(|cell| match cell.look {
            Look::Covered => 'c',
            Look::Held => 'h',
            Look::Creating => 'm',
            Look::Missing => '!',
            Look::Blocked => 'b',
            Look::Over => '-',
            Look::Unknown => '?',
            Look::Next => 'n',
        })
        .collect()
}

fn on(day: u32) -> Snapshot {
    let start = at(&format!("2026-11-{day:02}T00:00:00Z"));
    Snapshot {
        created_at: Some(start + TimeDelta::minutes(5)),
        window_start: Some(start),
        ..daily(&format!("s{day}"))
    }
}

fn subscribed(settings: &[(&str, &str)]) -> Volume {
    let mut keys = vec![("managed", "true"), ("daily-enabled", "true")];
    keys.extend(settings);
    volume("v", &keys)
}

#[test]
fn a_gap_is_seen_where_a_recovery_point_should_be() {
    let kept = subscribed(&[("daily-retention-days", "30")]);
    let held = Snapshot {
        held: true,
        ..on(18)
    };
    let broken = Snapshot {
        state: State::Error,
        ..on(20)
    };
    let busy = Snapshot {
        state: State::Busy,
        ..on(19)
    };
    let creating = || since("m", TimeDelta::minutes(1), "creating");
    let rows = [
        // 17 to 22 November, and what comes.
        (
            vec![on(17), on(18), on(19), on(20), on(21), on(22)],
            "ccccccn",
        ),
        (vec![on(17), on(18), on(20), on(21)], "cc!cc!n"),
        (vec![on(17), held, on(21), on(22)], "ch!!ccn"),
        (
            vec![on(17), on(18), busy, broken, on(21), on(22)],
            "ccc!ccn",
        ),
        (
            vec![on(17), on(18), on(19), on(20), on(21), creating()],
            "cccccmn",
        ),
        // Before the oldest nobody knows what was wanted.
        (vec![on(20), on(21), on(22)], "???cccn"),
        (vec![], "?????!n"),
    ];
    for (snapshots, expected) in rows {
        assert_eq!(looks(&kept, &snapshots), expected, "{snapshots:?}");
    }
}

#[test]
fn what_is_gone_as_it_should_is_not_missing() {
    let two_days = subscribed(&[]);
    assert_eq!(looks(&two_days, &[on(17), on(21), on(22)]), "c---ccn");
    let at_most = subscribed(&[("daily-retention-days", "30"), ("daily-keep-at-most", "2")]);
    assert_eq!(looks(&at_most, &[on(17), on(21), on(22)]), "c???ccn");
}

#[test]
fn a_volume_that_allows_no_snapshots_is_shown_as_such() {
    let mut broken = subscribed(&[("daily-retention-days", "30")]);
    broken.status = "error".to_owned();
    assert_eq!(looks(&broken, &[on(20), on(21)]), "???ccbn");
}

#[test]
fn nothing_is_missing_from_before_the_volume_was_made() {
    let mut young = subscribed(&[("daily-retention-days", "30")]);
    young.created_at = Some(at("2026-11-20T12:00:00Z"));
    let from_elsewhere = on(17);
    assert_eq!(looks(&young, &[from_elsewhere, on(21), on(22)]), "c??!ccn");
}

#[test]
fn short_windows_that_look_alike_are_one_cell_and_a_gap_between_them_is_still_seen() {
    let hourly = volume(
        "v",
        &[
            ("managed", "true"),
            ("express-enabled", "true"),
            ("express-interval-hours", "1"),
            ("express-retention-days", "30"),
        ],
    );
    let made = |at: DateTime<Utc>| Snapshot {
        policy: Some(snapsentry::policy::PolicyKind::Express),
        created_at: Some(at),
        window_start: Some(at),
        ..daily(&at.to_rfc3339())
    };
    let first = at("2026-11-22T00:00:00Z");
    let snapshots: Vec<Snapshot> = (0..10)
        .filter(|hour| *hour != 4)
        .map(|hour| made(first + TimeDelta::hours(hour)))
        .collect();
    let cells = cells(&hourly, &snapshots, TimeDelta::hours(4));
    let told: Vec<(Look, u32)> = cells.iter().map(|cell| (cell.look, cell.windows)).collect();
    let expected = [
        (Look::Unknown, 108),
        (Look::Covered, 4),
        (Look::Missing, 1),
        (Look::Covered, 5),
        (Look::Next, 1),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        cells[1].created_at,
        Some(first + TimeDelta::hours(3)),
        "the last of them"
    );
}

#[test]
fn a_window_that_began_long_before_the_span_is_known() {
    let monthly = volume(
        "v",
        &[
            ("managed", "true"),
            ("monthly-enabled", "true"),
            ("monthly-start-day-of-month", "20"),
        ],
    );
    let of_october = Snapshot {
        policy: Some(snapsentry::policy::PolicyKind::Monthly),
        created_at: Some(at("2026-10-20T00:01:00Z")),
        window_start: Some(at("2026-10-20T00:00:00Z")),
        ..daily("o")
    };
    assert_eq!(looks(&monthly, &[of_october]), "c!");
}

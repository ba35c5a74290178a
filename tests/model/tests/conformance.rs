//! The model's rules are the program's: over every small window both decide alike.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use model::cloud::{Cloud, Rank, Set, Status};
use model::rules::Rules;
use snapsentry::plan::creation::{self, WindowVerdict};
use snapsentry::plan::{Snapshot, Volume, VolumeSnapshots, duplicates};
use snapsentry::policy::Metadata;

const VOLUME: &str = "7d3e2a4c-52a6-4b5c-9f0e-1c2d3e4f5a6b";
/// The daily window that has begun at midnight.
const NOW: &str = "2026-11-22T09:10:00Z";
const WINDOW_START: &str = "2026-11-22T00:00:00Z";

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("a constant of this test")
}

fn metadata(entries: &[(&str, &str)]) -> Metadata {
    entries
        .iter()
        .map(|(key, value)| (format!("x-snapsentry-{key}"), value.to_string()))
        .collect()
}

fn volume() -> Volume {
    let tags = metadata(&[("managed", "true"), ("daily-enabled", "true")]);
    Volume::new(VOLUME.into(), "available".into(), Vec::new(), &tags)
}

/// The snapshot at a rank: half of them are of one second, where the id decides.
fn snapshot(rank: Rank, status: Status) -> Snapshot {
    let tags = metadata(&[
        ("managed", "true"),
        ("snapshot-policy-type", "daily"),
        ("snapshot-window-start", WINDOW_START),
    ]);
    let status = match status {
        Status::Creating => "creating",
        Status::Available => "available",
        Status::Error => "error",
    };
    let created_at = instant(NOW) - TimeDelta::minutes(5) + TimeDelta::seconds((rank / 2).into());
    let id = rank.to_string();
    Snapshot::new(id, VOLUME.into(), status, Some(created_at), None, &tags)
}

/// Every window of up to four snapshots, as the model and as the program see it.
fn windows() -> impl Iterator<Item = (Cloud, Vec<Snapshot>)> {
    const STATES: [Status; 3] = [Status::Creating, Status::Available, Status::Error];
    (0..=4_u32).flat_map(|length| {
        (0..3_usize.pow(length)).map(move |number| {
            let statuses: Vec<Status> = (0..length)
                .map(|place| STATES[number / 3_usize.pow(place) % 3])
                .collect();
            let mut snapshots: Vec<Snapshot> =
                (0..).zip(&statuses).map(|(r, s)| snapshot(r, *s)).collect();
            // In no order that would help.
            snapshots.reverse();
            (Cloud::of(&statuses), snapshots)
        })
    })
}

fn ids(set: Set) -> Vec<String> {
    set.ranks().map(|rank| rank.to_string()).collect()
}

#[test]
fn the_model_removes_the_same_duplicates_as_the_program() {
    let mut removed = 0;
    for (cloud, snapshots) in windows() {
        let duplicates = duplicates::superfluous(&volume(), &snapshots, instant(NOW));
        let mut theirs: Vec<String> = duplicates
            .into_iter()
            .map(|duplicate| duplicate.snapshot_id)
            .collect();
        theirs.sort();
        removed += theirs.len();
        assert_eq!(
            ids(Rules::default().superfluous(&cloud, None)),
            theirs,
            "{snapshots:#?}"
        );
    }
    assert!(removed > 30, "{removed}");
}

#[test]
fn the_model_takes_a_window_when_the_program_does_and_cleans_up_the_same() {
    let (mut served, mut stale_snapshots) = (0, 0);
    for (cloud, snapshots) in windows() {
        let mut history = VolumeSnapshots::default();
        for one in snapshots {
            history.take_in(one, instant(NOW));
        }
        let histories = BTreeMap::from([(VOLUME.to_owned(), history)]);
        let volume = volume();
        let plan = creation::plan(&[&volume], &histories, instant(NOW), TimeDelta::hours(6));
        let [decision] = plan.decisions.as_slice() else {
            panic!("one policy is on: {plan:#?}");
        };
        match &decision.verdict {
            WindowVerdict::Served { .. } => {
                served += 1;
                assert!(Rules::default().is_served(&cloud), "{cloud:?}");
            }
            WindowVerdict::Due(due) => {
                assert!(!Rules::default().is_served(&cloud), "{cloud:?}");
                let lost = ids(cloud.in_state(Status::Error));
                let mut known = due.known.clone();
                known.sort();
                assert_eq!(known, lost);
                let mut theirs: Vec<String> = due
                    .stale_snapshots
                    .iter()
                    .map(|one| one.snapshot_id.clone())
                    .collect();
                theirs.sort();
                assert_eq!(theirs, lost);
                stale_snapshots += lost.len();
            }
            other => panic!("{other:?} of {cloud:?}"),
        }
    }
    assert!(
        served > 100 && stale_snapshots == 1 + 2 + 3 + 4,
        "{served}, {stale_snapshots}"
    );
}

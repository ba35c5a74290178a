//! Scheduler: which windows are requested at one moment, and in which order.

use std::collections::BTreeMap;

use snapsentry::plan::creation;
use snapsentry::plan::{Batch, DueWindow, Snapshot, Volume};
use snapsentry::policy::PolicyKind::{self, Daily, Express, Monthly, Weekly};

use super::{STUCK_AFTER, at, attached, daily, listed, now, subscribed, volume};

fn batches(volumes: &[Volume], snapshots: &[Snapshot]) -> Vec<Batch> {
    let volumes: Vec<&Volume> = volumes.iter().collect();
    creation::plan(&volumes, &listed(snapshots), now(), STUCK_AFTER).batches()
}

/// The policy of a batch, which is one, and its volumes.
fn in_short(batch: &Batch) -> String {
    let kinds: Vec<PolicyKind> = batch.windows.iter().map(|due| due.policy).collect();
    assert!(kinds.iter().all(|kind| *kind == kinds[0]), "{kinds:?}");
    let volumes: Vec<&str> = batch
        .windows
        .iter()
        .map(|due| due.volume_id.as_str())
        .collect();
    format!("{} of {}", kinds[0], volumes.join(" "))
}

fn all_in_short(batches: &[Batch]) -> Vec<String> {
    batches.iter().map(in_short).collect()
}

/// A managed volume whose daily windows begin at this time of day.
fn daily_from(id: &str, start_time: &str) -> Volume {
    let keys = [
        ("managed", "true"),
        ("daily-enabled", "true"),
        ("daily-start-time", start_time),
    ];
    volume(id, &keys)
}

#[test]
fn the_volumes_of_a_vm_are_taken_together_policy_by_policy_oldest_window_first() {
    let volumes = [
        attached(subscribed("root", &[Express, Daily, Monthly]), &["web"]),
        attached(subscribed("data", &[Express, Daily]), &["web"]),
        attached(subscribed("logs", &[Express, Monthly]), &["web"]),
    ];
    let batches = batches(&volumes, &[]);
    assert_eq!(
        all_in_short(&batches),
        [
            "monthly of root logs",
            "daily of root data",
            "express of root data logs",
        ]
    );
    assert!(batches.iter().all(|batch| batch.group == batches[0].group));
}

#[test]
fn volumes_with_no_attachment_or_several_are_taken_one_by_one() {
    let volumes = [
        attached(subscribed("store", &[Daily]), &["db"]),
        attached(subscribed("root", &[Daily]), &["web"]),
        attached(subscribed("data", &[Daily]), &["web"]),
        attached(subscribed("shared", &[Daily]), &["web", "db"]),
        attached(subscribed("shared-too", &[Daily]), &["web", "db"]),
        subscribed("spare", &[Daily]),
        subscribed("spare-too", &[Daily]),
    ];
    let mut told = all_in_short(&batches(&volumes, &[]));
    told.sort();
    assert_eq!(
        told,
        [
            "daily of root data",
            "daily of shared",
            "daily of shared-too",
            "daily of spare",
            "daily of spare-too",
            "daily of store",
        ]
    );
}

#[test]
fn rounds_of_one_vm_or_of_one_volume_follow_one_another_and_no_others_do() {
    let volumes = [
        attached(subscribed("root", &[Daily, Monthly]), &["web"]),
        attached(subscribed("data", &[Daily, Monthly]), &["web"]),
        attached(subscribed("store", &[Daily, Monthly]), &["db"]),
        attached(subscribed("shared", &[Daily, Monthly]), &["web", "db"]),
        subscribed("spare", &[Daily, Monthly]),
        subscribed("spare-too", &[Daily, Monthly]),
    ];
    let mut by_group: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for batch in batches(&volumes, &[]) {
        by_group
            .entry(batch.group)
            .or_default()
            .push(in_short(&batch));
    }
    let mut told: Vec<Vec<String>> = by_group.into_values().collect();
    told.sort();
    let both = |of: &str| vec![format!("monthly of {of}"), format!("daily of {of}")];
    assert_eq!(
        told,
        ["root data", "shared", "spare", "spare-too", "store"].map(both)
    );
}

#[test]
fn the_most_overdue_window_is_first_whoever_wants_it() {
    let volumes = [
        subscribed("hourly", &[Express]),
        daily_from("since-eight", "08:00"),
        daily_from("since-yesterday", "23:00"),
        attached(subscribed("root", &[Weekly, Daily]), &["web"]),
        subscribed("archive", &[Monthly]),
    ];
    let batches = batches(&volumes, &[]);
    let told = all_in_short(&batches);
    assert_eq!(
        told[..2],
        ["monthly of archive", "daily of since-yesterday"]
    );
    let mut at_midnight = told[2..4].to_vec();
    at_midnight.sort();
    assert_eq!(at_midnight, ["daily of root", "weekly of root"]);
    assert_eq!(told[4..], ["express of hourly", "daily of since-eight"]);
}

#[test]
fn a_round_is_as_old_as_its_oldest_window_which_is_its_first() {
    let volumes = [
        subscribed("spare", &[Daily]),
        attached(daily_from("young", "08:00"), &["web"]),
        attached(daily_from("old", "23:00"), &["web"]),
        attached(daily_from("younger", "09:00"), &["web"]),
    ];
    let batches = batches(&volumes, &[]);
    assert_eq!(
        all_in_short(&batches),
        ["daily of old young younger", "daily of spare"]
    );
    assert_eq!(batches[0].oldest(), Some(at("2026-11-21T23:00:00Z")));
    assert_eq!(batches[1].oldest(), Some(at("2026-11-22T00:00:00Z")));
    let empty = Batch {
        group: 0,
        windows: Vec::<DueWindow>::new(),
    };
    assert_eq!(empty.oldest(), None);
}

#[test]
fn only_due_windows_are_in_rounds() {
    let mut busy = attached(subscribed("busy", &[Daily]), &["web"]);
    busy.status = "retyping".to_owned();
    let unreadable = volume(
        "unreadable",
        &[("managed", "true"), ("daily-enabled", "maybe")],
    );
    let volumes = [
        attached(subscribed("v", &[Daily, Express]), &["web"]),
        busy,
        attached(unreadable, &["web"]),
        attached(subscribed("off", &[]), &["web"]),
        attached(subscribed("root", &[Daily]), &["web"]),
    ];
    let told = all_in_short(&batches(&volumes, &[daily("of-v")]));
    assert_eq!(told, ["daily of root", "express of v"]);
    assert!(batches(&[], &[]).is_empty());
}

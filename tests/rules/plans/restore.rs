//! What a restore takes for each volume: one point in time, and the same point again.

use std::collections::{BTreeMap, BTreeSet};

use snapsentry::plan::restore::{self, NothingToRestore, RestorePoint, RestoreVolume};
use snapsentry::plan::{Snapshot, State};
use snapsentry::policy::PolicyKind;

use super::{at, daily, metadata};

/// An available snapshot of this volume, of the window that begins on this day at midnight.
fn of_day(volume: &str, policy: PolicyKind, day: u32) -> Snapshot {
    let start = at(&format!("2026-11-{day:02}T00:00:00Z"));
    Snapshot {
        volume_id: volume.to_owned(),
        policy: Some(policy),
        window_start: Some(start),
        created_at: Some(start + super::SECOND * 300),
        ..daily(&format!("{volume}-{policy}-{day}"))
    }
}

fn volumes(ids: &[&str]) -> BTreeMap<String, RestoreVolume> {
    ids.iter()
        .map(|id| {
            let volume = RestoreVolume::new((*id).to_owned(), &metadata(&[]));
            ((*id).to_owned(), volume)
        })
        .collect()
}

/// A copy of the volume that was made from this snapshot on this day.
fn copy(of: &str, from: &str, day: u32) -> RestoreVolume {
    let mut copy = RestoreVolume::new(
        format!("copy-of-{of}"),
        &metadata(&[
            ("restore-id", "r"),
            ("restored-volume", of),
            ("restored-snapshot", from),
        ]),
    );
    copy.status = "available".to_owned();
    copy.created_at = Some(at(&format!("2026-11-{day:02}T12:00:00Z")));
    copy
}

/// A restore of these volumes, of any time and policy.
fn of(volume_ids: &BTreeSet<String>) -> RestorePoint<'_> {
    RestorePoint {
        restore_id: "r",
        server_id: None,
        volume_ids: Some(volume_ids),
        at: None,
        policy: None,
    }
}

/// The snapshots that are taken for volumes `a` and `b`, in this order.
fn sources(
    volumes: &BTreeMap<String, RestoreVolume>,
    snapshots: &[Snapshot],
    until: Option<&str>,
) -> Vec<String> {
    let named = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
    let point = RestorePoint {
        at: until.map(at),
        ..of(&named)
    };
    super::of_any_order(snapshots, |snapshots| {
        let plan = restore::plan(&point, volumes, snapshots).expect("something to restore");
        plan.items
            .into_iter()
            .map(|item| item.source.snapshot_id)
            .collect()
    })
}

#[test]
fn the_latest_window_that_every_volume_has_is_taken() {
    use PolicyKind::{Daily, Weekly};
    let snapshots = [
        of_day("a", Daily, 10),
        of_day("b", Daily, 10),
        of_day("a", Daily, 11),
        of_day("b", Weekly, 11),
        of_day("a", Weekly, 8),
        of_day("b", Weekly, 8),
    ];
    let volumes = volumes(&["a", "b"]);
    assert_eq!(
        sources(&volumes, &snapshots, None),
        ["a-daily-10", "b-daily-10"]
    );
    let until = Some("2026-11-09T00:00:00Z");
    assert_eq!(
        sources(&volumes, &snapshots, until),
        ["a-weekly-8", "b-weekly-8"]
    );
}

#[test]
fn only_available_ones_count_and_a_volume_without_any_holds_nobody_back() {
    let broken = |snapshot: Snapshot| Snapshot {
        state: State::Error,
        ..snapshot
    };
    let snapshots = [
        of_day("a", PolicyKind::Daily, 10),
        broken(of_day("a", PolicyKind::Daily, 11)),
        broken(of_day("b", PolicyKind::Daily, 11)),
    ];
    assert_eq!(
        sources(&volumes(&["a", "b"]), &snapshots, None),
        ["a-daily-10"]
    );
}

#[test]
fn of_two_of_one_window_the_first_is_taken() {
    let first = of_day("a", PolicyKind::Daily, 10);
    let second = Snapshot {
        id: "second".to_owned(),
        created_at: first.created_at.map(|at| at + super::SECOND),
        ..first.clone()
    };
    let snapshots = [first, second, of_day("b", PolicyKind::Daily, 10)];
    let taken = sources(&volumes(&["a", "b"]), &snapshots, None);
    assert_eq!(taken, ["a-daily-10", "b-daily-10"]);
}

#[test]
fn of_two_of_one_window_the_first_is_taken_also_where_there_is_no_common_window() {
    let first = of_day("a", PolicyKind::Daily, 10);
    let second = Snapshot {
        id: "second".to_owned(),
        created_at: first.created_at.map(|at| at + super::SECOND),
        ..first.clone()
    };
    let snapshots = [
        of_day("a", PolicyKind::Daily, 9),
        first,
        second,
        of_day("b", PolicyKind::Weekly, 8),
    ];
    let taken = sources(&volumes(&["a", "b"]), &snapshots, None);
    assert_eq!(taken, ["a-daily-10", "b-weekly-8"]);
}

#[test]
fn an_attachment_that_names_no_server_makes_no_volume_one_of_those_named() {
    let mut volumes = volumes(&["a", "stranger"]);
    let nowhere = restore::RestoreAttachment::default();
    let stranger = volumes.get_mut("stranger").expect("it");
    stranger.attachments.push(nowhere);
    let named = BTreeSet::from(["a".to_owned()]);
    assert_eq!(restore::originals(&of(&named), &volumes), named);
}

#[test]
fn without_a_readable_window_the_time_of_creation_counts() {
    let odd = |mut snapshot: Snapshot| {
        snapshot.created_at = snapshot.window_start;
        snapshot.window_start = None;
        snapshot
    };
    let snapshots = [
        odd(of_day("a", PolicyKind::Daily, 10)),
        of_day("b", PolicyKind::Daily, 10),
        of_day("b", PolicyKind::Daily, 11),
    ];
    let taken = sources(&volumes(&["a", "b"]), &snapshots, None);
    assert_eq!(taken, ["a-daily-10", "b-daily-10"]);
}

#[test]
fn without_a_common_window_each_ones_newest_is_taken_and_the_spread_is_known() {
    let snapshots = [
        of_day("a", PolicyKind::Daily, 9),
        of_day("a", PolicyKind::Daily, 10),
        of_day("b", PolicyKind::Weekly, 8),
    ];
    let named = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
    let point = of(&named);
    let volumes = volumes(&["a", "b"]);
    let plan = restore::plan(&point, &volumes, &snapshots).expect("something to restore");
    let taken: Vec<_> = plan
        .items
        .iter()
        .map(|one| &one.source.snapshot_id)
        .collect();
    assert_eq!(taken, ["a-daily-10", "b-weekly-8"]);
    let (first, last) = plan.spread.expect("a spread");
    assert_eq!((last - first).num_days(), 2);
}

#[test]
fn what_was_taken_after_the_first_copy_was_made_is_never_mixed_in() {
    let mut volumes = volumes(&["a", "b"]);
    let made = copy("a", "a-daily-10", 10);
    volumes.insert(made.id.clone(), made);
    let days = |days: &[u32]| -> Vec<Snapshot> {
        days.iter()
            .flat_map(|day| ["a", "b"].map(|volume| of_day(volume, PolicyKind::Daily, *day)))
            .collect()
    };
    let taken = sources(&volumes, &days(&[9, 10, 11]), None);
    assert_eq!(taken, ["a-daily-10", "b-daily-10"]);
    // Also where the earlier call was asked for an earlier instant than this one.
    let mut volumes = super::restore::volumes(&["a", "b"]);
    let made = copy("a", "a-daily-9", 12);
    volumes.insert(made.id.clone(), made);
    let taken = sources(&volumes, &days(&[9, 10, 11]), None);
    assert_eq!(taken, ["a-daily-9", "b-daily-9"]);
}

#[test]
fn where_the_copies_window_is_missing_nothing_newer_than_what_they_are_made_of_is_taken() {
    let mut volumes = volumes(&["a", "b"]);
    // An earlier call was asked for the eighth: of the ninth it would have taken another.
    let made = copy("a", "a-daily-8", 12);
    volumes.insert(made.id.clone(), made);
    let snapshots = [
        of_day("a", PolicyKind::Daily, 8),
        of_day("a", PolicyKind::Daily, 9),
        of_day("b", PolicyKind::Daily, 7),
        of_day("b", PolicyKind::Daily, 10),
    ];
    assert_eq!(
        sources(&volumes, &snapshots, None),
        ["a-daily-8", "b-daily-7"]
    );
}

#[test]
fn where_nothing_is_left_of_a_copied_volume_the_others_are_still_of_its_window() {
    let mut volumes = volumes(&["a", "b"]);
    let start = "2026-11-09T00:00:00Z";
    let mut made = RestoreVolume::new(
        "copy-of-a".to_owned(),
        &metadata(&[
            ("restore-id", "r"),
            ("restored-volume", "a"),
            ("restored-snapshot", "a-daily-9"),
            ("restored-window-start", start),
        ]),
    );
    made.status = "available".to_owned();
    made.created_at = Some(at("2026-11-12T12:00:00Z"));
    made.name = Some("restored-r-data".to_owned());
    volumes.insert(made.id.clone(), made);
    // All that there was of `a` has expired. What `b` has besides, `a` never had.
    let of_b = |days: &[u32]| -> Vec<Snapshot> {
        let days = days.iter().map(|day| of_day("b", PolicyKind::Daily, *day));
        days.collect()
    };
    let taken = sources(&volumes, &of_b(&[8, 9, 10]), None);
    assert_eq!(taken, ["a-daily-9", "b-daily-9"]);
    let named = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
    let point = of(&named);
    let snapshots = of_b(&[8, 9]);
    let plan = restore::plan(&point, &volumes, &snapshots).expect("something to restore");
    assert_eq!(plan.spread, None);
    // The copy has the name that it was made with, whatever its original is called by now.
    assert_eq!(plan.items[0].restored_name, "restored-r-data");
    // Without that window the spread is from the copy's to what is taken in its place.
    let snapshots = of_b(&[8]);
    let plan = restore::plan(&point, &volumes, &snapshots).expect("something to restore");
    assert_eq!(plan.spread, Some((at("2026-11-08T00:05:00Z"), at(start))));
}

#[test]
fn a_copy_of_another_call_is_told_of_as_what_it_is_made_of() {
    let snapshots = ["a", "b"].map(|volume| of_day(volume, PolicyKind::Daily, 10));
    let older = of_day("a", PolicyKind::Daily, 8);
    let snapshots = [snapshots.as_slice(), &[older]].concat();
    let named = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
    let point = of(&named);
    let volumes = volumes(&["a", "b"]);
    let mut plan = restore::plan(&point, &volumes, &snapshots).expect("something to restore");
    assert_eq!(plan.items[0].source.snapshot_id, "a-daily-10");
    assert_eq!(plan.spread, None);
    // A call at the same moment was asked for the eighth, and its copy was found for ours.
    plan.learn(&copy("a", "a-daily-8", 12), &snapshots);
    assert_eq!(plan.items[0].source.snapshot_id, "a-daily-8");
    assert_eq!(plan.items[1].source.snapshot_id, "b-daily-10");
    let (first, last) = plan.spread.expect("a spread");
    assert_eq!((last - first).num_days(), 2);
}

#[test]
fn copies_are_no_originals_and_name_those_they_are_of() {
    let mut volumes = volumes(&["a"]);
    let made = copy("b", "b-daily-10", 10);
    volumes.insert(made.id.clone(), made);
    let named = BTreeSet::from(["a".to_owned(), "copy-of-b".to_owned()]);
    let point = of(&named);
    let originals = restore::originals(&point, &volumes);
    assert_eq!(originals, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    let other = RestorePoint {
        restore_id: "another",
        ..point
    };
    assert_eq!(restore::originals(&other, &volumes), named);
}

#[test]
fn of_several_copies_the_first_usable_one_counts_and_the_others_are_told() {
    let mut volumes = volumes(&["a"]);
    for (id, status, day) in [
        ("1", "error", 9),
        ("2", "available", 11),
        ("3", "in-use", 10),
    ] {
        let mut made = copy("a", "a-daily-9", day);
        made.id = id.to_owned();
        made.status = status.to_owned();
        volumes.insert(made.id.clone(), made);
    }
    let named = BTreeSet::from(["a".to_owned()]);
    let point = of(&named);
    let plan = restore::plan(&point, &volumes, &[]).expect("copies");
    let item = &plan.items[0];
    assert_eq!(item.copy.as_ref().expect("a copy").volume_id, "3");
    assert_eq!(item.surplus, ["2", "1"]);
}

#[test]
fn names_are_cut_where_cinder_would_refuse_them() {
    let mut volumes = volumes(&["a"]);
    volumes.get_mut("a").expect("a").name = Some("ü".repeat(300));
    let named = BTreeSet::from(["a".to_owned()]);
    let point = of(&named);
    let snapshots = [of_day("a", PolicyKind::Daily, 9)];
    let plan = restore::plan(&point, &volumes, &snapshots).expect("a snapshot");
    let name = &plan.items[0].restored_name;
    assert_eq!(name.chars().count(), 255);
    assert!(name.starts_with("restored-r-ü"));
}

#[test]
fn nothing_names_the_oldest_there_is() {
    let named = BTreeSet::from(["a".to_owned()]);
    let point = RestorePoint {
        at: Some(at("2026-11-01T00:00:00Z")),
        ..of(&named)
    };
    let volumes = volumes(&["a"]);
    let snapshots = [9, 8, 10].map(|day| of_day("a", PolicyKind::Daily, day));
    let nothing = restore::plan(&point, &volumes, &snapshots).expect_err("nothing that old");
    let NothingToRestore::NoSnapshots { oldest, .. } = nothing else {
        panic!("{nothing}");
    };
    assert_eq!(oldest.expect("one").0, "a-daily-8");
}

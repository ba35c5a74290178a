//! Which batch leaves when, without any cloud.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::plan::{Shard, Volume, creation};
use crate::policy::{Metadata, PolicyKind};

/// A managed volume of a type, with an express and a daily policy; those of one server belong
/// together.
fn volume(id: &str, volume_type: &str, server: &str) -> Volume {
    let metadata: Metadata = ["managed", "express-enabled", "daily-enabled"]
        .map(|key| (format!("x-snapsentry-{key}"), "true".to_owned()))
        .into();
    let servers = Vec::from_iter((!server.is_empty()).then(|| server.to_owned()));
    let mut volume = Volume::new(id.to_owned(), "available".to_owned(), servers, &metadata);
    volume.volume_type = Some(volume_type.to_owned());
    volume
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_338_600, 0).expect("an instant")
}

/// The batches of these volumes, the daily windows (which are older) first.
fn batches(volumes: &[Volume]) -> Vec<Batch> {
    let volumes: Vec<&Volume> = volumes.iter().collect();
    creation::plan(&volumes, &BTreeMap::new(), now(), TimeDelta::hours(6)).batches()
}

/// So many that somebody else creates of this type.
fn others(count: usize, volume_type: &str) -> Vec<UnderWay> {
    (0..count)
        .map(|n| UnderWay {
            snapshot_id: format!("{volume_type}-{n}"),
            volume_id: format!("of-{volume_type}-{n}"),
            volume_type: Some(volume_type.to_owned()),
            created_at: now(),
        })
        .collect()
}

fn scheduler(volumes: &[Volume], slots: Slots) -> Scheduler {
    Scheduler::new(batches(volumes), slots, 16)
}

/// What leaves now, chunk by chunk, and how many of others' are watched meanwhile.
fn leaving(scheduler: &mut Scheduler, at: Instant) -> (Vec<Vec<DueWindow>>, usize) {
    let (mut chunks, mut watched) = (Vec::new(), 0);
    while let Some(step) = scheduler.next(at) {
        match step {
            Step::Start(chunk) => chunks.push(chunk),
            Step::Watch(others) => watched += others.len(),
            Step::Clean { .. } | Step::Defer(_) => panic!("nothing to clean or to give up"),
        }
    }
    (chunks, watched)
}

/// Of whichever volumes they are, chunk by chunk; the daily policy's alone.
fn daily_of(chunks: &[Vec<DueWindow>]) -> Vec<Vec<&str>> {
    chunks
        .iter()
        .filter(|chunk| chunk.iter().all(|due| due.policy == PolicyKind::Daily))
        .map(|chunk| chunk.iter().map(|due| due.volume_id.as_str()).collect())
        .collect()
}

fn end(scheduler: &mut Scheduler, chunks: &[Vec<DueWindow>]) {
    for due in chunks.iter().flatten() {
        scheduler.ended(due);
    }
}

#[test]
fn a_chunk_has_no_more_of_a_type_than_there_are_slots() {
    let at = Instant::now();
    let of_server = |n: usize| {
        let of = if n < 5 { "ssd" } else { "hdd" };
        volume(&format!("v{n}"), of, "web")
    };
    let volumes: Vec<Volume> = (0..7).map(of_server).collect();
    let mut scheduler = scheduler(&volumes, Slots::new(2, None, Vec::new()));
    let mut sizes = Vec::new();
    while !scheduler.is_empty() {
        let (chunks, _) = leaving(&mut scheduler, at);
        let [chunk] = chunks.as_slice() else {
            panic!("one at a time: {}", chunks.len());
        };
        let count = |of: &str| {
            let is = |due: &&DueWindow| due.volume_type.as_deref() == Some(of);
            chunk.iter().filter(is).count()
        };
        sizes.push((count("ssd"), count("hdd")));
        end(&mut scheduler, &chunks);
    }
    // Daily, and then express.
    let once = [(2, 2), (2, 0), (1, 0)];
    assert_eq!(sizes, [once, once].concat());
}

#[test]
fn nobody_is_overtaken_for_slots_of_a_type_and_other_types_go_on() {
    let at = Instant::now();
    let volumes = [
        volume("a", "ssd", "web"),
        volume("b", "ssd", "web"),
        volume("c", "ssd", ""),
        volume("d", "hdd", ""),
    ];
    let slots = Slots::new(2, None, others(1, "ssd"));
    let mut scheduler = scheduler(&volumes, slots);
    // The VM needs two slots; one is free, and the volume behind it does not take that.
    let (chunks, watched) = leaving(&mut scheduler, at);
    assert_eq!((daily_of(&chunks), watched), (vec![vec!["d"]], 1));
    scheduler.other_ended(&others(1, "ssd")[0]);
    let (next, watched) = leaving(&mut scheduler, at);
    assert_eq!((daily_of(&next), watched), (vec![vec!["a", "b"]], 0));
    end(&mut scheduler, &next);
    let (last, _) = leaving(&mut scheduler, at);
    assert!(last.iter().flatten().any(|due| due.volume_id == "c"));
}

#[test]
fn a_batch_of_several_types_takes_nothing_while_one_of_them_lacks_slots() {
    let at = Instant::now();
    let volumes = [
        volume("a", "hung", "web"),
        volume("b", "ssd", "web"),
        volume("c", "ssd", ""),
    ];
    let slots = Slots::new(1, None, others(1, "hung"));
    let mut scheduler = scheduler(&volumes, slots);
    let (chunks, watched) = leaving(&mut scheduler, at);
    assert_eq!((daily_of(&chunks), watched), (vec![vec!["c"]], 1));
    end(&mut scheduler, &chunks);
    scheduler.other_ended(&others(1, "hung")[0]);
    let (chunks, _) = leaving(&mut scheduler, at);
    assert!(
        chunks.iter().any(|chunk| chunk.len() == 2),
        "both at one moment"
    );
}

#[test]
fn others_are_watched_once_and_only_where_somebody_waits_for_their_slots() {
    let at = Instant::now();
    let volumes = [volume("a", "ssd", "")];
    let all = [others(3, "ssd"), others(2, "hdd")].concat();
    let mut roomy = scheduler(&volumes, Slots::new(4, None, all.clone()));
    assert_eq!(leaving(&mut roomy, at).1, 0);
    let mut full = scheduler(&volumes, Slots::new(3, None, all));
    assert_eq!(leaving(&mut full, at).1, 3);
    assert_eq!(leaving(&mut full, at).1, 0);
}

#[test]
fn a_shard_has_its_part_rounded_down_and_at_least_one() {
    for (max_creating, count, slots) in [(64, 1, 64), (64, 4, 16), (7, 2, 3), (2, 4, 1), (0, 1, 1)]
    {
        let shard = Some(Shard { index: 0, count });
        let volumes: Vec<Volume> = (0..80).map(|n| volume(&n.to_string(), "ssd", "")).collect();
        let mut scheduler = scheduler(&volumes, Slots::new(max_creating, shard, Vec::new()));
        let (chunks, _) = leaving(&mut scheduler, Instant::now());
        assert_eq!(chunks.len(), slots, "{max_creating} of {count}");
    }
}

#[test]
fn a_volume_that_is_waited_for_too_long_is_left_out_of_every_batch() {
    let at = Instant::now();
    let volumes = [volume("a", "ssd", "web"), volume("b", "ssd", "web")];
    let mut scheduler = scheduler(&volumes, Slots::new(8, None, Vec::new()));
    let (chunks, _) = leaving(&mut scheduler, at);
    assert_eq!(daily_of(&chunks), [["a", "b"]]);
    let one = chunks[0]
        .iter()
        .find(|due| due.volume_id == "b")
        .expect("it");
    scheduler.ended(one);
    // The express windows wait for the daily one of a.
    assert!(scheduler.next(at).is_none());
    assert_eq!(scheduler.next_change(at), Some(at + PATIENCE));
    let later = at + PATIENCE;
    let Some(Step::Defer(given_up)) = scheduler.next(later) else {
        panic!("a was waited for long enough");
    };
    let given_up: Vec<&str> = given_up.iter().map(|due| due.volume_id.as_str()).collect();
    assert_eq!(given_up, ["a"]);
    let (chunks, _) = leaving(&mut scheduler, later);
    assert_eq!(chunks.len(), 1);
    assert_eq!(chunks[0][0].volume_id, "b");
    assert!(scheduler.is_empty());
}

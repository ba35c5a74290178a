//! When each cloud of a tick gets its pass.

use chrono::{DateTime, TimeDelta, Utc};
use snapsentry::CloudName;
use snapsentry::plan::Shard;
use snapsentry::plan::targets::{Target, plan};

fn arrival() -> DateTime<Utc> {
    "2026-11-24T17:00:00.250Z".parse().expect("an instant")
}

fn names(count: usize) -> Vec<CloudName> {
    let names = (0..count).map(|n| format!("cloud-{n:03}").parse());
    names.collect::<Result<_, _>>().expect("names")
}

fn planned(names: &[CloudName], shards: u32, spread: u32) -> Vec<Target<'_>> {
    plan(names.iter().map(|name| (name, shards)), arrival(), spread)
}

#[test]
fn each_cloud_and_shard_is_there_once_in_the_order_of_their_instants() {
    let names = names(40);
    let targets = planned(&names, 3, 120);
    assert_eq!(targets.len(), 120);
    let keys: Vec<_> = targets
        .iter()
        .map(|one| (one.at, one.cloud, one.shard.map(|shard| shard.index)))
        .collect();
    assert!(keys.is_sorted(), "by instant, then cloud, then shard");
    for name in &names {
        let mut shards: Vec<_> = targets.iter().filter(|one| one.cloud == name).collect();
        shards.sort_by_key(|one| one.shard.map(|shard| shard.index));
        let expected = (0..3).map(|index| Some(Shard { index, count: 3 }));
        assert!(shards.iter().map(|one| one.shard).eq(expected), "{name}");
    }
    for one in &targets {
        let at = arrival() + TimeDelta::seconds(one.delay_seconds.into());
        assert_eq!(one.at, at);
        assert!(one.delay_seconds <= 120);
    }
}

#[test]
fn a_cloud_that_is_not_split_has_no_shard() {
    let names = names(2);
    let targets = plan([(&names[0], 1), (&names[1], 2)], arrival(), 60);
    let shards = |name| {
        let of_name = targets.iter().filter(move |one| one.cloud == name);
        of_name.map(|one| one.shard).collect::<Vec<_>>()
    };
    assert_eq!(shards(&names[0]), [None]);
    assert!(shards(&names[1]).iter().all(Option::is_some));
}

#[test]
fn a_delay_follows_from_the_name_and_the_shard_alone() {
    let names = names(50);
    let all = planned(&names, 2, 120);
    for name in &names {
        let alone = plan([(name, 2)], arrival() + TimeDelta::days(3), 120);
        for one in alone {
            let same = all
                .iter()
                .find(|two| two.cloud == name && two.shard == one.shard);
            let same = same.expect("it is there");
            assert_eq!(one.delay_seconds, same.delay_seconds, "{name}");
        }
        // Splitting a cloud further moves none of the shards that it had.
        let unsplit = &plan([(name, 1)], arrival(), 120)[0];
        let first = all
            .iter()
            .find(|two| two.cloud == name && two.shard.unwrap().index == 0);
        assert_eq!(
            unsplit.delay_seconds,
            first.expect("it is there").delay_seconds
        );
    }
    // A release that moved them would start some clouds twice in one tick's time.
    let blue: CloudName = "blue".parse().expect("a name");
    let delays: Vec<u32> = [240, 120, 60, 0]
        .into_iter()
        .map(|spread| plan([(&blue, 1)], arrival(), spread)[0].delay_seconds)
        .collect();
    assert_eq!(delays, [126, 63, 32, 0]);
}

#[test]
fn the_seconds_of_the_spread_are_evenly_used() {
    let names = names(1000);
    for spread in [1, 60, 120, 240] {
        let targets = planned(&names, 12, spread);
        let mean = targets.len() / (spread as usize + 1);
        for second in 0..=spread {
            let at_once = targets
                .iter()
                .filter(|one| one.delay_seconds == second)
                .count();
            let even = mean / 2..=mean * 2;
            assert!(
                even.contains(&at_once),
                "{at_once} in second {second} of {spread}"
            );
        }
    }
    assert!(planned(&names, 1, 0).iter().all(|one| one.at == arrival()));
}

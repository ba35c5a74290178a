//! Getting data back: new volumes from the snapshots of one point in time, and nothing else.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use simcloud::{Config, Fault, Happening, Kind, Route, SnapshotSpec, Volume, VolumeSpec};

use crate::world::{World, side_by_side};

/// When the windows of these tests begin.
fn window(hours_ago: i64) -> DateTime<Utc> {
    let now = Utc::now();
    let hour = now.timestamp() / 3600 * 3600;
    DateTime::from_timestamp(hour, 0).expect("an hour") - TimeDelta::hours(hours_ago)
}

fn utc(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A snapshot of this window, as a pass leaves it, taken `late` after the window began.
fn taken(world: &World, volume: &str, policy: &str, start: DateTime<Utc>, late: i64) -> String {
    let snapshot = SnapshotSpec::of(volume)
        .meta("x-snapsentry-managed", "true")
        .meta("x-snapsentry-snapshot-policy-type", policy)
        .meta("x-snapsentry-snapshot-expiry-date", "2099-01-01T00:00:00Z")
        .meta("x-snapsentry-snapshot-window-start", utc(start))
        .created_at(start + TimeDelta::minutes(late));
    world.cloud.add_snapshot(snapshot)
}

/// A server with these volumes, by their names.
fn server(world: &World, names: &[&str]) -> (String, Vec<String>) {
    let server = world.cloud.new_uuid();
    world.cloud.add_server(&server, "shop");
    let volumes = names
        .iter()
        .map(|name| {
            let volume = VolumeSpec {
                size: Some(3),
                ..VolumeSpec::named(*name)
            };
            world.cloud.add_volume(volume.on(&server))
        })
        .collect();
    (server, volumes)
}

fn event(target: (&str, Value)) -> Value {
    let mut event = json!({"phase": "restore", "restore_id": "incident-42"});
    event[target.0] = target.1;
    event
}

/// The copies that there are.
fn copies(world: &World) -> Vec<Volume> {
    let mut volumes = world.cloud.volumes();
    volumes.retain(|one| one.metadata.contains_key("x-snapsentry-restore-id"));
    volumes
}

#[tokio::test]
async fn a_server_gets_new_volumes_of_the_latest_window_that_all_its_volumes_have() {
    let world = World::new().await;
    let (server, volumes) = server(&world, &["data", "log"]);
    let common: Vec<String> = volumes
        .iter()
        .map(|volume| taken(&world, volume, "daily", window(30), 1))
        .collect();
    // Newer, but of one volume alone.
    taken(&world, &volumes[0], "daily", window(6), 1);
    let before = world.cloud.snapshots();
    let run = world.run(event(("server_id", json!(server)))).await;
    assert_eq!(run.outcome(), "complete", "{:#}", run.answer());
    let made = copies(&world);
    assert_eq!(made.len(), 2);
    for (volume, snapshot) in volumes.iter().zip(&common) {
        let of = |one: &&Volume| one.metadata["x-snapsentry-restored-volume"] == *volume;
        let copy = made.iter().find(of).expect("a copy");
        let original = world.cloud.volume(volume).expect("the original");
        let name = format!("restored-incident-42-{}", original.name.expect("a name"));
        assert_eq!(copy.name, Some(name));
        assert_eq!((copy.status.as_str(), copy.size), ("available", 3));
        let expected = [
            ("x-snapsentry-restore-id", "incident-42"),
            ("x-snapsentry-restored-snapshot", snapshot),
            ("x-snapsentry-restored-volume", volume),
            ("x-snapsentry-restored-window-start", &utc(window(30))),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(copy.metadata, expected.into());
    }
    for row in run.list("volumes") {
        assert_eq!(row["window_start"], utc(window(30)));
        assert_eq!(row["policy"], "daily");
        assert_eq!(row["status"], "available");
        assert_eq!(row["size"], 3);
        assert!(
            made.iter()
                .any(|copy| row["restored_volume_id"] == copy.id.as_str())
        );
    }
    assert_eq!(world.cloud.snapshots(), before, "no snapshot was touched");
}

#[tokio::test]
async fn the_same_call_again_makes_nothing_twice_and_never_mixes_in_newer_snapshots() {
    let world = World::new().await;
    let (server, volumes) = server(&world, &["data", "log"]);
    for volume in &volumes {
        taken(&world, volume, "daily", window(30), 1);
    }
    world.run(event(("server_id", json!(server)))).await;
    let first = copies(&world);
    // One copy is lost, and newer snapshots have come.
    world.cloud.remove_volume(&first[0].id);
    for volume in &volumes {
        taken(&world, volume, "daily", window(-1), 0);
    }
    let again = world.run(event(("server_id", json!(server)))).await;
    assert_eq!(again.outcome(), "complete", "{:#}", again.answer());
    for row in again.list("volumes") {
        assert_eq!(row["window_start"], utc(window(30)), "{row:#}");
    }
    assert_eq!(copies(&world).len(), 2);
    let third = world.run(event(("server_id", json!(server)))).await;
    assert_eq!(third.outcome(), "complete");
    assert_eq!(world.changes(Happening::VolumeCreating).len(), 3);
}

#[tokio::test]
async fn a_copy_whose_state_cannot_be_read_is_not_told_of_as_usable() {
    let world = World::new().await;
    let (server, volumes) = server(&world, &["data"]);
    taken(&world, &volumes[0], "daily", window(30), 1);
    let event = event(("server_id", json!(server)));
    world.run(event.clone()).await;
    world.cloud.set_volume_status(&copies(&world)[0].id, "");
    let again = world.run_within(Duration::from_secs(4), event).await;
    assert_eq!(again.outcome(), "deferred", "{:#}", again.answer());
    assert!(again.list("failures").is_empty());
    assert_eq!(copies(&world).len(), 1);
}

#[tokio::test]
async fn what_an_earlier_call_with_an_instant_has_chosen_holds_for_a_later_one_without() {
    let world = World::new().await;
    let volumes = ["a", "b"].map(|name| world.cloud.add_volume(VolumeSpec::named(name)));
    for volume in &volumes {
        taken(&world, volume, "daily", window(50), 1);
        taken(&world, volume, "daily", window(26), 1);
    }
    let mut earlier = event(("volume_ids", json!([volumes[0]])));
    earlier["at"] = json!(utc(window(40)));
    world.run(earlier).await;
    let later = world.run(event(("volume_ids", json!(volumes)))).await;
    for row in later.list("volumes") {
        assert_eq!(row["window_start"], utc(window(50)), "{row:#}");
    }
}

#[tokio::test]
async fn after_the_swap_the_copies_are_no_originals_and_all_is_found_again() {
    let world = World::new().await;
    let (server, volumes) = server(&world, &["data"]);
    taken(&world, &volumes[0], "daily", window(30), 1);
    world.run(event(("server_id", json!(server)))).await;
    let copy = copies(&world).remove(0);
    world.cloud.remove_volume(&volumes[0]);
    world.cloud.remove_volume(&copy.id);
    let mut attached = VolumeSpec::named("restored").on(&server).status("in-use");
    attached.id = Some(copy.id.clone());
    attached.metadata = copy.metadata.clone();
    world.cloud.add_volume(attached);
    let again = world.run(event(("server_id", json!(server)))).await;
    assert_eq!(again.outcome(), "complete", "{:#}", again.answer());
    let rows = again.list("volumes");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["volume_id"], volumes[0].as_str());
    assert_eq!(rows[0]["restored_volume_id"], copy.id.as_str());
    assert_eq!(rows[0]["status"], "in-use");
    assert_eq!(world.changes(Happening::VolumeCreating).len(), 1);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_made_and_makes_nothing() {
    let world = World::new().await;
    let volume = world.cloud.add_volume(VolumeSpec::named("data"));
    let snapshot = taken(&world, &volume, "weekly", window(30), 1);
    let mut event = event(("volume_ids", json!([volume])));
    event["dry_run"] = json!(true);
    let run = world.run(event).await;
    let rows = run.list("volumes");
    assert_eq!(rows[0]["snapshot_id"], snapshot.as_str());
    assert_eq!(rows[0]["restored_name"], "restored-incident-42-data");
    assert_eq!(rows[0]["restored_volume_id"], Value::Null);
    assert_eq!(rows[0]["status"], Value::Null);
    assert_eq!(run.outcome(), "complete");
    assert_eq!(copies(&world), []);
}

#[tokio::test]
async fn an_answer_that_was_lost_makes_no_second_volume() {
    let late = Kind::LateWork {
        code: 504,
        delay: Duration::ZERO,
    };
    side_by_side([Kind::ResetAfter, Kind::Truncate, late], async |lost| {
        let world = World::new().await;
        let volume = world.cloud.add_volume(VolumeSpec::named("data"));
        taken(&world, &volume, "daily", window(30), 1);
        world
            .cloud
            .inject(Fault::on(Route::CreateVolume, lost.clone()));
        let run = world.run(event(("volume_ids", json!([volume])))).await;
        assert_eq!(run.outcome(), "complete", "{lost:?}: {:#}", run.answer());
        assert_eq!(copies(&world).len(), 1, "{lost:?}");
        assert_eq!(world.count(Route::CreateVolume), 1, "{lost:?}");
    })
    .await;
}

#[tokio::test]
async fn volumes_that_take_longer_than_the_call_are_picked_up_by_the_next() {
    let world = World::of(|config: &mut Config| {
        config.volume_creation_time = Duration::from_secs(6);
    })
    .await;
    let volume = world.cloud.add_volume(VolumeSpec::named("data"));
    taken(&world, &volume, "daily", window(30), 1);
    let call = event(("volume_ids", json!([volume])));
    let first = world.run_within(Duration::from_secs(4), call.clone()).await;
    assert_eq!(first.outcome(), "deferred", "{:#}", first.answer());
    assert_eq!(first.list("volumes")[0]["status"], "creating");
    let second = world.run(call).await;
    assert_eq!(second.outcome(), "complete", "{:#}", second.answer());
    assert_eq!(copies(&world).len(), 1);
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_a_failure_that_says_so() {
    let world = World::new().await;
    let volume = world.cloud.add_volume(VolumeSpec::named("data"));
    taken(&world, &volume, "daily", window(30), 1);
    let message = "VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded for quota \
                   'volumes'.";
    let used_up = json!({"overLimit": {"code": 413, "message": message, "retryAfter": "0"}});
    let used_up = Kind::Status {
        code: 413,
        headers: vec![("retry-after".to_owned(), "0".to_owned())],
        body: Some(used_up.to_string().into()),
    };
    world.cloud.inject(Fault::on(Route::CreateVolume, used_up));
    let run = world.run(event(("volume_ids", json!([volume])))).await;
    assert_eq!(run.outcome(), "partial");
    let failure = run.only_failure();
    let text = failure["error"].as_str().expect("a text");
    assert!(text.contains("quota used up"), "{text}");
    assert_eq!(failure["volume_id"], volume.as_str());
}

#[tokio::test]
async fn a_broken_copy_is_a_failure_and_is_neither_deleted_nor_made_again() {
    let world = World::new().await;
    let volume = world.cloud.add_volume(VolumeSpec::named("data"));
    taken(&world, &volume, "daily", window(30), 1);
    world.run(event(("volume_ids", json!([volume])))).await;
    let copy = copies(&world).remove(0);
    world.cloud.set_volume_status(&copy.id, "error");
    let run = world.run(event(("volume_ids", json!([volume])))).await;
    assert_eq!(run.outcome(), "partial");
    let text = run.only_failure()["error"].to_string();
    assert!(text.contains(&copy.id), "{text}");
    assert_eq!(copies(&world).len(), 1);
}

#[tokio::test]
async fn a_volume_that_is_gone_is_got_back_as_well() {
    let world = World::new().await;
    let gone = "11111111-2222-4333-8444-555555555555";
    taken(&world, gone, "daily", window(30), 1);
    let run = world.run(event(("volume_ids", json!([gone])))).await;
    assert_eq!(run.outcome(), "complete", "{:#}", run.answer());
    let row = &run.list("volumes")[0];
    assert_eq!(row["name"], Value::Null);
    assert_eq!(row["restored_name"], format!("restored-incident-42-{gone}"));
}

#[tokio::test]
async fn a_volume_without_a_fitting_snapshot_is_a_failure_and_stops_no_other() {
    let world = World::new().await;
    let with = world.cloud.add_volume(VolumeSpec::named("with"));
    let without = world.cloud.add_volume(VolumeSpec::named("without"));
    taken(&world, &with, "daily", window(30), 1);
    let run = world
        .run(event(("volume_ids", json!([with, without]))))
        .await;
    assert_eq!(run.only_failure()["volume_id"], without.as_str());
    assert!(run.warnings_with("named in volume_ids").is_empty());
    assert_eq!(copies(&world).len(), 1);
    let unknown = world.cloud.new_uuid();
    let run = world
        .run(event(("volume_ids", json!([with, unknown]))))
        .await;
    assert_eq!(run.only_failure()["volume_id"], unknown.as_str());
    let warned = run.warnings_with("named in volume_ids");
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert_eq!(warned[0]["volume_id"], unknown.as_str());
}

#[tokio::test]
async fn where_there_is_nothing_the_error_says_what_there_is() {
    let world = World::new().await;
    let volume = world.cloud.add_volume(VolumeSpec::named("data"));
    let oldest = taken(&world, &volume, "daily", window(30), 1);
    let mut early = event(("volume_ids", json!([volume])));
    early["at"] = json!(utc(window(100)));
    let run = world.run(early).await;
    run.fails_with("NothingToRestore", &[&oldest, "oldest"]);
    let nobody = world.cloud.new_uuid();
    let run = world.run(event(("server_id", json!(nobody)))).await;
    run.fails_with("NothingToRestore", &[&nobody]);
}

#[tokio::test]
async fn without_a_common_window_each_ones_newest_is_taken_and_the_spread_is_told() {
    let world = World::new().await;
    let volumes = ["a", "b"].map(|name| world.cloud.add_volume(VolumeSpec::named(name)));
    taken(&world, &volumes[0], "daily", window(30), 0);
    taken(&world, &volumes[1], "weekly", window(40), 0);
    let run = world.run(event(("volume_ids", json!(volumes)))).await;
    assert_eq!(run.outcome(), "complete");
    assert_eq!(run.warnings_with("36000 seconds apart").len(), 1);
}

#[tokio::test]
async fn the_next_commands_swap_a_servers_data_volumes_in_order() {
    let world = World::new().await;
    let (server, volumes) = server(&world, &["data"]);
    taken(&world, &volumes[0], "daily", window(30), 1);
    let run = world.run(event(("server_id", json!(server)))).await;
    let copy = &copies(&world)[0].id;
    let next: Vec<String> = run
        .list("next")
        .iter()
        .map(|one| one.as_str().expect("a command").to_owned())
        .collect();
    let first_words: Vec<String> = next
        .iter()
        .map(|command| command.split(' ').take(4).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        first_words,
        [
            format!("openstack server stop {server}"),
            "openstack server remove volume".to_owned(),
            "openstack server add volume".to_owned(),
            format!("openstack server start {server}"),
        ]
    );
    assert!(
        next[1].ends_with(&format!("{server} {}", volumes[0])),
        "{next:?}"
    );
    assert!(next[2].ends_with(&format!("{server} {copy}")), "{next:?}");
}

#[tokio::test]
async fn no_command_touches_a_server_before_all_that_it_is_to_get_is_there() {
    let world = World::new().await;
    let (server, volumes) = server(&world, &["data", "log"]);
    for volume in &volumes {
        taken(&world, volume, "daily", window(30), 1);
    }
    let call = event(("server_id", json!(server)));
    let whole = world.run(call.clone()).await;
    assert_eq!(whole.list("next").len(), 6, "{:#}", whole.answer());
    let copy = copies(&world).remove(0).id;
    world.cloud.set_volume_status(&copy, "creating");
    let half = world.run_within(Duration::from_secs(4), call.clone()).await;
    assert_eq!(half.outcome(), "deferred");
    assert!(half.list("next").is_empty(), "{:#}", half.answer());
    world.cloud.remove_volume(&copy);
    let mut dry = call.clone();
    dry["dry_run"] = json!(true);
    assert!(world.run(dry).await.list("next").is_empty());
    // What is broken is for a person, and holds the others up no more.
    world.run(call.clone()).await;
    world
        .cloud
        .set_volume_status(&copies(&world)[0].id, "error");
    let broken = world.run(call).await;
    assert_eq!(broken.outcome(), "partial");
    assert_eq!(broken.list("next").len(), 4, "{:#}", broken.answer());
}

#[tokio::test]
async fn where_the_root_volume_is_got_back_the_next_commands_bring_all_copies_to_one_new_server() {
    let world = World::new().await;
    let server = world.cloud.new_uuid();
    world.cloud.add_server(&server, "shop");
    let root = VolumeSpec {
        device: Some("/dev/vda".to_owned()),
        ..VolumeSpec::named("root").on(&server)
    };
    let data = VolumeSpec {
        device: Some("/dev/vdb".to_owned()),
        ..VolumeSpec::named("data").on(&server)
    };
    for volume in [root, data] {
        let volume = world.cloud.add_volume(volume);
        taken(&world, &volume, "daily", window(30), 1);
    }
    let run = world.run(event(("server_id", json!(server)))).await;
    let copy = |name: &str| {
        let name = format!("restored-incident-42-{name}");
        let made = copies(&world).into_iter();
        let mut made = made.filter(|one| one.name.as_ref() == Some(&name));
        made.next().expect("a copy").id
    };
    let (root, data) = (copy("root"), copy("data"));
    let stop = format!("openstack server stop {server}");
    let create = format!(
        "openstack server create --volume {root} --flavor FLAVOR --network NETWORK --wait \
         restored-incident-42"
    );
    let add = "openstack server add volume --device /dev/vdb";
    let to_new = format!("{add} restored-incident-42 {data}");
    assert_eq!(
        run.list("next"),
        [json!(stop), json!(create), json!(to_new)]
    );
    // Once the new server is there, what is missing goes there as well.
    let made = world.cloud.new_uuid();
    world.cloud.add_server(&made, "restored-incident-42");
    let metadata = world.cloud.volume(&root).expect("it").metadata;
    world.cloud.remove_volume(&root);
    world.cloud.add_volume(VolumeSpec {
        id: Some(root),
        metadata,
        ..VolumeSpec::named("restored").on(&made).status("in-use")
    });
    let again = world.run(event(("server_id", json!(server)))).await;
    assert_eq!(again.list("next"), [json!(format!("{add} {made} {data}"))]);
}

#[tokio::test]
async fn the_next_commands_of_a_server_touch_no_other_that_shares_its_volumes() {
    let world = World::new().await;
    let servers = [(); 2].map(|()| world.cloud.new_uuid());
    for server in &servers {
        world.cloud.add_server(server, "shop");
    }
    let shared = VolumeSpec::named("data").on(&servers[0]).on(&servers[1]);
    let volume = world.cloud.add_volume(shared);
    taken(&world, &volume, "daily", window(30), 1);
    for (server, other) in [(0, 1), (1, 0)] {
        let run = world
            .run(event(("server_id", json!(servers[server]))))
            .await;
        let next = json!(run.list("next")).to_string();
        assert!(next.contains(&servers[server]), "{next}");
        assert!(!next.contains(&servers[other]), "{next}");
    }
}

#[tokio::test]
async fn events_that_ask_for_nothing_sensible_are_refused() {
    let id = "11111111-2222-4333-8444-555555555555";
    let future = utc(window(-48));
    side_by_side(
        [
            (json!({"restore_id": "x"}), "server_id: missing"),
            (json!({"server_id": id}), "restore_id: missing"),
            (
                json!({"restore_id": "a b", "server_id": id}),
                "restore_id: \"a b\"",
            ),
            (
                json!({"restore_id": "x", "server_id": id, "volume_ids": [id]}),
                "exclude each other",
            ),
            (json!({"restore_id": "x", "volume_ids": []}), "1 to 50"),
            (
                json!({"restore_id": "x", "volume_ids": [id], "at": future}),
                "not in the future",
            ),
            (
                json!({"restore_id": "x", "volume_ids": [id], "policy": "hourly"}),
                "policy",
            ),
            (
                json!({"restore_id": "x", "volume_ids": [id], "shard": 1}),
                "shard",
            ),
        ],
        async |(mut event, words)| {
            event["phase"] = json!("restore");
            let world = World::new().await;
            let run = world.run(event).await;
            run.fails_with("InvalidEvent", &[words]);
            assert_eq!(world.cloud.journal().entries.len(), 0, "{words}");
        },
    )
    .await;
}

//! A cloud that does not answer: the answer to the invocation leaves in time all the same. That no
//! run misses its deadline is checked for every run; see `world::promises`.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use serde_json::json;
use simcloud::{Fault, Kind, Requests, Route};

use crate::world::{Run, World, daily, side_by_side, weekly};

/// A cloud in which every kind of work is to be done.
async fn busy_world() -> (World, String) {
    let world = World::of_admin()
        .await
        .set("SNAPSENTRY_DEADLINE_MARGIN", "700ms")
        .set("SNAPSENTRY_KEEP_LAST", "0");
    let (daily, weekly) = (daily(), weekly());
    let old = Utc::now() - TimeDelta::hours(9);
    // Something due, something broken, something stuck, a duplicate, and something expired.
    let volume = world.server_with(2, &[&daily, &weekly]).remove(0);
    let stuck = weekly.snapshot_of(&volume).created_at(old);
    world.cloud.add_snapshot(stuck.status("creating"));
    let broken = daily.snapshot_of(&volume).status("error");
    world.cloud.add_snapshot(broken);
    let served = world.volume(&[&daily]);
    world.taken(&served, &daily);
    world.taken(&served, &daily);
    world.expired(&served, &daily, 5);
    let stuck = daily.expired(&served, 5).created_at(old);
    world.cloud.add_snapshot(stuck.status("error_deleting"));
    (world, volume)
}

#[tokio::test]
async fn whichever_call_hangs_the_answer_leaves_in_time() {
    use Route::{
        CreateSnapshot, DeleteSnapshot, ForceDelete, GetSnapshot, GetVolume, ListSnapshots,
        ListVolumes, Login, MergeVolumeMetadata,
    };
    let late = ["DeadlineExceeded"];
    let answered = ["deferred", "partial", "complete"];
    let unwritten = ["SubscriptionFailed", "DeadlineExceeded"];
    let rows: [(&str, Route, u64, &[&str]); 18] = [
        ("snapshot", Login, 0, &late),
        ("snapshot", ListVolumes, 0, &late),
        ("snapshot", ListSnapshots, 0, &late),
        ("snapshot", ListSnapshots, 1, &answered),
        ("snapshot", CreateSnapshot, 0, &["deferred"]),
        ("snapshot", DeleteSnapshot, 0, &answered),
        ("snapshot", GetSnapshot, 0, &answered),
        ("snapshot", ForceDelete, 0, &answered),
        ("expire", Login, 0, &late),
        ("expire", ListVolumes, 0, &late),
        ("expire", ListSnapshots, 0, &late),
        ("expire", DeleteSnapshot, 0, &["deferred"]),
        ("expire", GetSnapshot, 0, &["deferred"]),
        ("expire", ForceDelete, 0, &["deferred"]),
        ("subscribe", Login, 0, &late),
        ("subscribe", GetVolume, 0, &late),
        ("subscribe", MergeVolumeMetadata, 0, &unwritten),
        ("subscribe", GetVolume, 1, &unwritten),
    ];
    let kinds = [Kind::HangBefore, Kind::HangAfter];
    let runs = rows
        .into_iter()
        .flat_map(|row| kinds.clone().map(|kind| (row, kind)));
    side_by_side(runs, async |((phase, route, skipped, ends), kind)| {
        let (world, volume) = busy_world().await;
        let hang = Fault::on(route, kind.clone()).skip(skipped).forever();
        world.cloud.inject(hang);
        let mut event = json!({"phase": phase});
        if phase == "subscribe" {
            event["volume_id"] = volume.into();
            event["policy"] = "monthly".into();
        }
        let run = world.run_within(Duration::from_millis(2000), event).await;
        let end = ending(&run);
        assert!(
            ends.contains(&end.as_str()),
            "{phase}, {route:?}, {kind:?}: {end}"
        );
    })
    .await;
}

/// The outcome, or the error type.
fn ending(run: &Run) -> String {
    match &run.invocation.result {
        Ok(answer) => answer["outcome"].as_str().unwrap_or_default().to_owned(),
        Err(failure) => failure.error_type.clone(),
    }
}

#[tokio::test]
async fn a_cloud_that_hangs_altogether_ends_in_a_named_error_in_time() {
    side_by_side(
        [
            json!({"phase": "snapshot"}),
            json!({"phase": "expire"}),
            json!({"phase": "snapshot", "dry_run": true}),
        ],
        async |event| {
            let (world, _) = busy_world().await;
            world
                .cloud
                .inject(Fault::on(Requests::Any, Kind::HangBefore).forever());
            let run = world.run_within(Duration::from_millis(1500), event).await;
            run.fails("DeadlineExceeded");
        },
    )
    .await;
}

#[tokio::test]
async fn an_attempt_to_connect_takes_five_seconds_at_most() {
    // A port whose queue is full: who knocks is not answered.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let listener = socket.listen(0).expect("a queue");
    let address = listener.local_addr().expect("an address");
    let mut queue = Vec::new();
    let patience = Duration::from_millis(500);
    while let Ok(Ok(stream)) =
        tokio::time::timeout(patience, tokio::net::TcpStream::connect(address)).await
    {
        queue.push(stream);
    }
    let world = World::new()
        .await
        .set("OS_AUTH_URL", format!("http://{address}/v3"))
        .set("SNAPSENTRY_MAX_RETRIES", "0");
    let begun = std::time::Instant::now();
    let run = world.snapshot().await;
    let took = begun.elapsed();
    run.fails_with("AuthenticationFailed", &["could not connect"]);
    let range = Duration::from_millis(4900)..Duration::from_secs(20);
    assert!(range.contains(&took), "{took:?}");
}

//! Tagging a volume while others write to it, or while the cloud fails.

use serde_json::json;
use simcloud::{Fault, Kind, Route, VolumeSpec, When};

use crate::subscribe::{DAILY, event, metadata, pairs};
use crate::world::{World, daily};

#[tokio::test]
async fn what_a_concurrent_writer_adds_survives() {
    let world = World::new().await;
    let volume = world
        .cloud
        .add_volume(VolumeSpec::default().meta("owner", "somebody"));
    let id = volume.clone();
    world
        .cloud
        .on(Route::MergeVolumeMetadata, 1, When::Before, move |cloud| {
            let mut metadata = cloud.volume(&id).expect("the volume").metadata;
            metadata.insert("another".into(), "writer".into());
            cloud.set_metadata(&id, metadata);
        });
    world
        .run(event(&volume, "daily", json!({})))
        .await
        .is_quiet();
    let mut expected = pairs(&DAILY);
    expected.insert("another".into(), "writer".into());
    assert_eq!(metadata(&world, &volume), expected);
    assert_eq!(world.count(Route::ReplaceVolumeMetadata), 0);
    assert_eq!(world.count(Route::UpdateVolume), 0);
}

#[tokio::test]
async fn a_key_that_a_race_has_doubled_is_mended() {
    let world = World::new().await;
    let key = "x-snapsentry-daily-start-time";
    let volume = VolumeSpec::default()
        .meta("owner", "somebody")
        .meta(key, "05:00");
    let volume = world.cloud.add_volume(volume);
    assert!(world.cloud.double_metadata_key(&volume, key));
    let run = world
        .run(event(&volume, "daily", json!({"start_time": "07:00"})))
        .await;
    assert_eq!(run.answer()["metadata"][key], "07:00");
    assert_eq!(metadata(&world, &volume)[key], "07:00");
}

#[tokio::test]
async fn two_subscriptions_at_once_leave_a_volume_that_a_pass_can_read() {
    let world = World::of(|config| config.metadata_race = true).await;
    let volume = world
        .cloud
        .add_volume(VolumeSpec::default().meta("owner", "somebody"));
    let delay = Kind::DelayBefore(std::time::Duration::from_millis(300));
    world
        .cloud
        .inject(Fault::on(Route::MergeVolumeMetadata, delay).times(2));
    let [mut one, mut other] = [world.function().await, world.function().await];
    let (first, second) = tokio::join!(
        one.run(event(&volume, "daily", json!({"start_time": "01:00"}))),
        other.run(event(&volume, "weekly", json!({"start_time": "02:00"}))),
    );
    first.is_quiet();
    second.is_quiet();
    let now = metadata(&world, &volume);
    assert_eq!(now["x-snapsentry-daily-start-time"], "01:00");
    assert_eq!(now["x-snapsentry-weekly-start-time"], "02:00");
    assert_eq!(now["x-snapsentry-managed"], "true");
    assert_eq!(world.snapshot().await.did(), "created 2");
}

#[tokio::test]
async fn writing_is_tried_again_and_read_back() {
    let world = World::new().await;
    let volume = world
        .cloud
        .add_volume(VolumeSpec::default().meta("owner", "somebody"));
    for kind in [Kind::ResetAfter, Kind::status(503)] {
        world
            .cloud
            .inject(Fault::on(Route::MergeVolumeMetadata, kind));
    }
    world
        .run(event(&volume, "daily", json!({})))
        .await
        .is_quiet();
    assert_eq!(metadata(&world, &volume), pairs(&DAILY));
    assert_eq!(world.count(Route::MergeVolumeMetadata), 3);
    let last = world.requests(Route::GetVolume).pop().expect("a read");
    let write = world
        .requests(Route::MergeVolumeMetadata)
        .pop()
        .expect("a write");
    assert!(last.sequence > write.sequence, "read back");
}

#[tokio::test]
async fn a_volume_that_vanishes_meanwhile_is_not_found() {
    let world = World::new().await;
    let volume = world.volume(&[&daily()]);
    let id = volume.clone();
    world
        .cloud
        .on(Route::GetVolume, 1, When::Before, move |cloud| {
            cloud.remove_volume(&id);
        });
    let run = world.run(event(&volume, "daily", json!({}))).await;
    run.fails_with("VolumeNotFound", &[&volume]);
}

#[tokio::test]
async fn a_volume_whose_state_forbids_writing_is_a_failed_subscription() {
    let world = World::new().await;
    let volume = world
        .cloud
        .add_volume(VolumeSpec::default().status("maintenance"));
    let run = world.run(event(&volume, "daily", json!({}))).await;
    run.fails_with("SubscriptionFailed", &["400", "maintenance"]);
}

#[tokio::test]
async fn a_key_that_somebody_keeps_overwriting_is_a_failed_subscription_that_names_it() {
    let world = World::new().await;
    let volume = world.volume(&[]);
    let key = "x-snapsentry-daily-start-time";
    for nth in 1..=9 {
        let id = volume.clone();
        world
            .cloud
            .on(Route::MergeVolumeMetadata, nth, When::After, move |cloud| {
                let mut metadata = cloud.volume(&id).expect("the volume").metadata;
                metadata.insert(key.into(), "05:00".into());
                cloud.set_metadata(&id, metadata);
            });
    }
    let settings = json!({"start_time": "07:00"});
    let run = world.run(event(&volume, "daily", settings)).await;
    run.fails_with("SubscriptionFailed", &[key, "somebody else"]);
}

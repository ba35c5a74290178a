//! A volume that takes no snapshots is neither a failure nor one to be tried again and again.

use simcloud::{Fault, Kind, Role, Route, When};

use crate::world::{World, daily, side_by_side};

#[tokio::test]
async fn a_volume_that_is_gone_or_in_another_state_by_the_time_of_its_creation_is_blocked() {
    side_by_side(["maintenance", "deleting", "gone"], async |how| {
        let world = World::new().await;
        let volume = world.volume(&[&daily()]);
        let id = volume.clone();
        world
            .cloud
            .on(Route::CreateSnapshot, 1, When::Before, move |cloud| {
                if how == "gone" {
                    cloud.remove_volume(&id);
                } else {
                    cloud.set_volume_status(&id, how);
                }
            });
        let run = world.snapshot().await;
        assert_eq!(
            (run.did().as_str(), run.outcome()),
            ("blocked 1", "complete")
        );
        let warning = run.only_warning();
        assert_eq!(warning["volume_id"], volume.as_str());
        assert_eq!(warning["policy"], "daily");
        assert!(
            warning["warning"]
                .as_str()
                .is_some_and(|text| text.contains(how))
        );
    })
    .await;
}

#[tokio::test]
async fn a_refusal_that_the_volume_does_not_explain_is_a_failure() {
    let rows = [(400, true), (404, true), (403, false), (413, false)];
    side_by_side(rows, async |(status, is_read)| {
        let world = World::new().await;
        world.volume(&[&daily()]);
        world
            .cloud
            .inject(Fault::on(Route::CreateSnapshot, Kind::status(status)).forever());
        let run = world.snapshot().await;
        assert_eq!(run.did(), "failed 1", "{status}");
        assert_eq!(
            world.count(Route::GetVolume),
            u64::from(is_read),
            "{status}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_volume_that_cannot_be_read_again_has_failed() {
    let world = World::new().await;
    world.volume(&[&daily()]);
    for (route, status) in [(Route::CreateSnapshot, 400), (Route::GetVolume, 403)] {
        world
            .cloud
            .inject(Fault::on(route, Kind::status(status)).forever());
    }
    let run = world.snapshot().await;
    assert_eq!(run.did(), "failed 1");
    let error = run.only_failure()["error"].to_string();
    assert!(error.contains("/snapshots: 400"), "{error}");
}

#[tokio::test]
async fn a_blocked_window_that_is_served_is_not_due() {
    let world = World::of(|config| config.role = Role::Member).await;
    let volume = world.volume(&[&daily()]);
    world.taken(&volume, &daily());
    world.cloud.set_volume_status(&volume, "maintenance");
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.due()), ("", 0));
    run.is_quiet();
}

#[tokio::test]
async fn nothing_is_cleaned_where_nothing_can_be_tried() {
    let world = World::new().await;
    let volume = world.volume(&[&daily()]);
    let broken = daily().snapshot_of(&volume).status("error");
    let broken = world.cloud.add_snapshot(broken);
    world.cloud.set_volume_status(&volume, "maintenance");
    assert!(world.plan("snapshot").await.is_empty());
    assert_eq!(world.snapshot().await.did(), "blocked 1");
    assert!(world.has(&broken));
}

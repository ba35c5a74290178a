//! What has fallen out of management is told, since nothing else would.

use simcloud::VolumeSpec;

use crate::world::{World, daily, side_by_side, tagged};

#[tokio::test]
async fn a_volume_that_has_lost_every_key_of_ours_is_told_while_its_snapshots_are_there() {
    let world = World::new().await;
    let volume = world
        .cloud
        .add_volume(VolumeSpec::default().meta("owner", "somebody"));
    let stranger = world.cloud.add_volume(VolumeSpec::default());
    world.taken(&volume, &daily());
    let run = world.expire().await;
    assert_eq!(run.figure("/volumes/lost"), 1);
    assert_eq!(run.outcome(), "complete");
    let warning = run.only_warning();
    assert_eq!(warning["volume_id"], volume.as_str());
    assert_ne!(warning["volume_id"], stranger.as_str());
    assert!(
        warning["warning"]
            .to_string()
            .contains("1 managed snapshot")
    );
}

#[tokio::test]
async fn a_volume_with_a_policy_that_is_neither_managed_nor_said_goodbye_to_is_told() {
    let daily = daily();
    let with = |managed: &str| tagged(&[&daily]).meta("x-snapsentry-managed", managed);
    let unreadable = daily.clone().with("enabled", "maybe");
    let off = daily.clone().with("enabled", "false");
    let rows = [
        ("managed", with("true"), false),
        ("goodbye", with("false"), false),
        ("goodbye in another spelling", with("F"), false),
        ("True is not true", with("True"), true),
        ("null", with("null"), true),
        ("missing", daily.tag(VolumeSpec::default()), true),
        (
            "missing, unreadable",
            unreadable.tag(VolumeSpec::default()),
            true,
        ),
        ("missing, off", off.tag(VolumeSpec::default()), false),
    ];
    side_by_side(rows, async |(what, volume, is_lost)| {
        let world = World::new().await;
        let volume = world.cloud.add_volume(volume);
        let run = world.expire().await;
        assert_eq!(run.figure("/volumes/lost"), u64::from(is_lost), "{what}");
        if is_lost {
            let warning = run.only_warning();
            assert_eq!(warning["volume_id"], volume.as_str(), "{what}");
            assert_eq!(warning["policy"], "daily", "{what}");
        } else {
            run.is_quiet();
        }
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_counts_them_too_and_a_snapshot_pass_does_not() {
    let world = World::new().await;
    let volume = world.cloud.add_volume(VolumeSpec::default());
    world.taken(&volume, &daily());
    let event = serde_json::json!({"phase": "expire", "dry_run": true});
    assert_eq!(world.run(event).await.figure("/volumes/lost"), 1);
    let run = world.snapshot().await;
    run.is_quiet();
    assert_eq!(run.figure("/volumes/lost"), 0);
}

//! Listing to the end, whatever the cloud does to it.

use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::json;
use simcloud::{Fault, Kind, Microversions, Route, SnapshotSpec, VolumeSpec, When};

use crate::world::{World, daily, side_by_side, tagged};

/// Seven volumes, each with its window served, in pages of this size.
async fn served(page: usize) -> World {
    let world = World::of(|config| config.osapi_max_limit = page).await;
    for _ in 0..7 {
        let volume = world.volume(&[&daily()]);
        world.taken(&volume, &daily());
    }
    world
}

/// A pass that sees everything and finds nothing to do.
async fn sees_all(world: &World) {
    let run = world.snapshot().await;
    assert_eq!(run.figure("/volumes/managed"), 7);
    assert_eq!(run.figure("/snapshots/managed"), 7);
    assert_eq!((run.did().as_str(), run.due()), ("", 0));
    run.is_quiet();
}

#[tokio::test]
async fn every_page_is_followed_and_a_full_last_one_is_followed_by_nothing() {
    side_by_side(
        [(1, 8), (2, 4), (3, 3), (7, 2), (8, 1)],
        async |(page, pages)| {
            let world = served(page).await;
            sees_all(&world).await;
            assert_eq!(world.count(Route::ListVolumes), pages, "{page}");
            world.expire().await.is_quiet();
            let listed = world.requests(Route::ListSnapshots);
            let of_expiry = listed.iter().filter(|one| !one.path.contains("sort="));
            assert_eq!(of_expiry.count() as u64, pages, "{page}");
        },
    )
    .await;
}

#[tokio::test]
async fn the_host_of_a_next_link_is_ignored() {
    let world = served(2).await;
    world.cloud.configure(|config| {
        config.link_base = Some("http://192.0.2.1:8776".into());
    });
    sees_all(&world).await;
}

#[tokio::test]
async fn a_listing_whose_marker_has_vanished_is_begun_again() {
    // The expire pass lists volumes without the filter, so it has nothing to leave out.
    side_by_side(["snapshot", "expire"], async |phase| {
        let world = served(2).await;
        // Newer than all others, so that the first page ends with the second of them.
        let newest = world.cloud.now() + chrono::TimeDelta::hours(1);
        let volumes = [(); 2].map(|()| {
            world.cloud.add_volume(VolumeSpec {
                created_at: Some(newest),
                ..tagged(&[])
            })
        });
        let snapshots = volumes.clone().map(|volume| {
            let snapshot = daily().snapshot_of(&volume);
            world.cloud.add_snapshot(snapshot.created_at(newest))
        });
        world
            .cloud
            .on(Route::ListVolumes, 2, When::Before, move |cloud| {
                assert!(volumes.iter().all(|id| cloud.remove_volume(id)));
            });
        world
            .cloud
            .on(Route::ListSnapshots, 3, When::Before, move |cloud| {
                assert!(snapshots.iter().all(|id| cloud.remove_snapshot(id)));
            });
        // Without filters there is one listing, and the third request is for its second page.
        let refused = Fault::on(Route::ListSnapshots, Kind::status(400));
        world
            .cloud
            .inject(refused.containing("metadata=").forever());
        let run = world.run(json!({"phase": phase})).await;
        run.is_quiet();
        assert_eq!(run.figure("/volumes/managed"), 7, "{phase}");
        assert_eq!(run.figure("/snapshots/managed"), 7, "{phase}");
        // One page, one 404, and everything once more.
        assert_eq!(world.count(Route::ListVolumes), 1 + 1 + 4, "{phase}");
        assert_eq!(world.count(Route::ListSnapshots), 1 + 1 + 1 + 4, "{phase}");
    })
    .await;
}

#[tokio::test]
async fn a_filter_that_is_refused_is_left_out() {
    side_by_side([400, 403, 404, 405, 406, 409, 422], async |status| {
        let world = served(3).await;
        for route in [Route::ListVolumes, Route::ListSnapshots] {
            let refused = Fault::on(route, Kind::status(status));
            world.cloud.inject(refused.containing("metadata").forever());
        }
        sees_all(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_filter_is_not_left_out_where_something_else_is_refused() {
    side_by_side(
        [
            (401, "AuthenticationFailed"),
            (408, "DiscoveryFailed"),
            (413, "DiscoveryFailed"),
            (429, "DiscoveryFailed"),
            (500, "DiscoveryFailed"),
        ],
        async |(status, failure)| {
            for route in [Route::ListVolumes, Route::ListSnapshots] {
                let world = served(3).await;
                let refused = Fault::on(route, Kind::status(status));
                world.cloud.inject(refused.containing("metadata").forever());
                world.snapshot().await.fails(failure);
                let unfiltered = world.requests(route);
                let mut unfiltered = unfiltered.iter().map(|one| one.path.contains("metadata"));
                assert!(unfiltered.all(|filtered| filtered), "{status}");
                assert_eq!(world.writes(), 0);
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_filter_that_leaves_nothing_is_left_out() {
    let world = served(3).await;
    for (route, body) in [
        (Route::ListVolumes, &b"{\"volumes\": []}"[..]),
        (Route::ListSnapshots, &b"{\"snapshots\": []}"[..]),
    ] {
        let empty = Kind::Status {
            code: 200,
            headers: Vec::new(),
            body: Some(Bytes::from_static(body)),
        };
        let fault = Fault::on(route, empty);
        world.cloud.inject(fault.containing("metadata").forever());
    }
    sees_all(&world).await;
}

#[tokio::test]
async fn an_empty_project_is_a_quiet_pass() {
    let world = World::new().await;
    let run = world.snapshot().await;
    run.is_quiet();
    assert_eq!(run.figure("/volumes/managed"), 0);
    world.expire().await.is_quiet();
}

#[tokio::test]
async fn a_cloud_without_the_microversion_is_listed_all_the_same() {
    side_by_side(
        [
            Microversions::UpTo(0),
            Microversions::UpTo(21),
            Microversions::HeaderRefused(406),
            Microversions::HeaderRefused(400),
        ],
        async |microversions| {
            let world = served(3).await;
            world
                .cloud
                .configure(|config| config.microversions = microversions);
            sees_all(&world).await;
            world.volume(&[&daily()]);
            assert_eq!(
                world.snapshot().await.did(),
                "created 1",
                "{microversions:?}"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn what_the_servers_filter_lets_through_is_filtered_again() {
    // Below 3.22 the filter of snapshots is ignored in silence.
    let world = World::of(|config| config.microversions = Microversions::UpTo(21))
        .await
        .set("SNAPSENTRY_KEEP_LAST", "0");
    let volume = world.volume(&[&daily()]);
    world.cloud.add_snapshot(SnapshotSpec::of(&volume));
    let stranger = daily()
        .expired(&volume, 5)
        .meta("x-snapsentry-managed", "false");
    world.cloud.add_snapshot(stranger);
    let run = world.expire().await;
    run.is_quiet();
    assert_eq!(run.figure("/snapshots/managed"), 0);
    assert_eq!(world.removed(), 0);
    assert_eq!(world.snapshot().await.did(), "created 1");
}

#[tokio::test]
async fn the_microversion_asked_for_is_3_22() {
    let world = served(3).await;
    sees_all(&world).await;
    for listing in world.requests(Route::ListSnapshots) {
        assert_eq!(listing.api_version.as_deref(), Some("volume 3.22"));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_target_is_named() {
    side_by_side([301, 302, 307, 308], async |code| {
        for (route, failure) in [
            (Route::Login, "AuthenticationFailed"),
            (Route::ListVolumes, "DiscoveryFailed"),
            (Route::ListSnapshots, "DiscoveryFailed"),
        ] {
            let world = served(3).await;
            let location = format!("{}/moved/here", world.url());
            let redirect = Kind::Redirect {
                code,
                location: location.clone(),
            };
            world.cloud.inject(Fault::on(route, redirect).forever());
            let run = world.snapshot().await;
            run.fails_with(failure, &[&location]);
            assert_eq!(world.count(Route::Unknown), 0, "not followed");
        }
    })
    .await;
    let world = World::new().await;
    world.volume(&[&daily()]);
    let redirect = Kind::Redirect {
        code: 307,
        location: "https://elsewhere.example/v3".into(),
    };
    world
        .cloud
        .inject(Fault::on(Route::CreateSnapshot, redirect));
    let run = world.snapshot().await;
    let failure = run.only_failure();
    let error = failure["error"].as_str().expect("an error");
    assert!(error.contains("elsewhere.example"), "{error}");
}

#[tokio::test]
async fn an_answer_of_more_than_64_mebibytes_is_refused() {
    let world = served(3).await.set("SNAPSENTRY_MAX_RETRIES", "0");
    let bytes = (64 << 20) + 1;
    world
        .cloud
        .inject(Fault::on(Route::ListVolumes, Kind::Oversized { bytes }));
    world.snapshot().await.fails("DiscoveryFailed");
}

#[tokio::test]
async fn a_volume_that_a_shifting_listing_shows_twice_is_taken_once() {
    let world = World::of(|config| config.osapi_max_limit = 2).await;
    let ago = |hours| world.cloud.now() - TimeDelta::hours(hours);
    let made = |hours| VolumeSpec {
        created_at: Some(ago(hours)),
        ..tagged(&[&daily()])
    };
    let twice = world.cloud.add_volume(made(1));
    world.cloud.add_volume(made(2));
    // Both are on the first page; then the newer becomes the older, and is on the second too.
    let older = VolumeSpec {
        id: Some(twice.clone()),
        ..made(3)
    };
    world
        .cloud
        .on(Route::ListVolumes, 1, When::After, move |cloud| {
            cloud.add_volume(older);
        });
    let run = world.snapshot().await;
    assert_eq!((run.did().as_str(), run.due()), ("created 2", 2));
    assert_eq!(run.figure("/volumes/managed"), 2);
    assert_eq!((world.begun(), world.count(Route::ListVolumes)), (2, 2));
}

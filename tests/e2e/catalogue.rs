//! Which endpoint is used: region, interface, and the names of the service.

use simcloud::{Catalogue, Route};

use crate::login::works;
use crate::world::{World, daily, side_by_side};

#[tokio::test]
async fn several_regions_and_none_chosen_is_a_configuration_that_names_them() {
    let two = || World::of(|config| config.regions = vec!["North".into(), "South".into()]);
    let run = two().await.unset("OS_REGION_NAME").snapshot().await;
    run.fails_with(
        "InvalidConfiguration",
        &["OS_REGION_NAME", "North", "South"],
    );
    works(two().await.set("OS_REGION_NAME", "North"), "North").await;
    let south = two().await.set("OS_REGION_NAME", "South");
    south.volume(&[&daily()]);
    south.snapshot().await.is_quiet();
    let listed = &south.requests(Route::ListVolumes)[0].path;
    assert!(listed.contains("/South/"), "{listed}");
}

#[tokio::test]
async fn the_interface_chooses_the_endpoint() {
    side_by_side(
        [
            ("OS_INTERFACE", "public", "/volume/"),
            ("OS_INTERFACE", "internal", "/internal/volume/"),
            ("OS_INTERFACE", "adminURL", "/admin/volume/"),
            ("OS_ENDPOINT_TYPE", "internalURL", "/internal/volume/"),
        ],
        async |(variable, value, mount)| {
            let world = works(World::new().await.set(variable, value), value).await;
            let listed = &world.requests(Route::ListVolumes)[0].path;
            assert!(listed.starts_with(mount), "{variable}={value}: {listed}");
        },
    )
    .await;
}

#[tokio::test]
async fn both_catalogue_names_of_cinder_are_known_and_the_project_is_in_the_path() {
    side_by_side(
        [Catalogue::Both, Catalogue::Modern, Catalogue::Legacy],
        async |catalogue| {
            let world = World::of(|config| config.catalogue = catalogue).await;
            let world = works(world, &format!("{catalogue:?}")).await;
            let project = format!("/v3/{}/", world.cloud.project_id());
            let journal = world.cloud.journal();
            let calls = journal
                .entries
                .iter()
                .filter(|one| one.route != Route::Login);
            for call in calls {
                assert!(call.path.contains(&project), "{catalogue:?}: {}", call.path);
            }
        },
    )
    .await;
}

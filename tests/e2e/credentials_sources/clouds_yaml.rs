//! An entry of a `clouds.yaml`.

use simcloud::{Login, Route};

use super::{clouds, entry, works};
use crate::world::{Folder, World, side_by_side};

#[tokio::test]
async fn a_named_clouds_yaml_is_read() {
    side_by_side(
        [Login::AppCred, Login::AppCredByName, Login::Password],
        async |login| {
            let world = World::new().await;
            let region = match login {
                Login::Password => "region_name: RegionOne",
                _ => "regions: [RegionOne, South]",
            };
            let entry = entry(
                &world,
                login,
                &format!("    {region}\n    interface: internal\n"),
            );
            let other = "    auth:\n      auth_url: https://nowhere.example\n".to_owned();
            let text = clouds(&[("green", other), ("blue", entry)]);
            let folder = Folder::new();
            let world = world.without_login().set("OS_CLOUD", "blue").set(
                "OS_CLIENT_CONFIG_FILE",
                folder.write("my-clouds.yaml", &text),
            );
            works(&world).await;
            let listed = &world.requests(Route::ListVolumes)[0].path;
            assert!(listed.starts_with("/internal/"), "{listed}");
        },
    )
    .await;
}

#[tokio::test]
async fn it_is_found_in_the_working_directory_and_in_the_home_directory() {
    let world = World::new().await;
    let text = clouds(&[("blue", entry(&world, Login::AppCred, ""))]);
    let here = Folder::new();
    here.write("clouds.yaml", &text);
    let world = world
        .without_login()
        .set("OS_CLOUD", "blue")
        .directory(here.path());
    works(&world).await;

    let world = World::new().await;
    let text = clouds(&[("blue", entry(&world, Login::AppCred, ""))]);
    let (home, elsewhere) = (Folder::new(), Folder::new());
    home.write(".config/openstack/clouds.yaml", &text);
    let world = world
        .without_login()
        .set("OS_CLOUD", "blue")
        .set("HOME", home.path().to_str().expect("a path"))
        .directory(elsewhere.path());
    works(&world).await;
}

#[tokio::test]
async fn a_secure_yaml_beside_it_adds_the_secret() {
    let world = World::new().await;
    let whole = entry(&world, Login::AppCred, "");
    let (secret, open): (Vec<&str>, Vec<&str>) = whole
        .lines()
        .partition(|line| line.contains("credential_secret"));
    let folder = Folder::new();
    let open = format!("{}\n", open.join("\n"));
    let file = folder.write("clouds.yaml", &clouds(&[("blue", open)]));
    let secret = format!("    auth:\n{}\n", secret.join("\n"));
    folder.write("secure.yaml", &clouds(&[("blue", secret)]));
    let world = world
        .without_login()
        .set("OS_CLOUD", "blue")
        .set("OS_CLIENT_CONFIG_FILE", file);
    works(&world).await;
}

#[tokio::test]
async fn what_a_clouds_yaml_lacks_is_said() {
    let good = World::new().await;
    let entry = |others: &str| clouds(&[("blue", entry(&good, Login::AppCred, others))]);
    let rows = [
        (
            "profile",
            entry("    profile: rackspace\n"),
            "blue",
            "profile",
        ),
        ("unknown", entry(""), "red", "blue"),
        ("no-yaml", "clouds: [".to_owned(), "blue", "clouds.yaml"),
    ];
    for (name, text, cloud, word) in rows {
        let folder = Folder::new();
        let file = folder.write("clouds.yaml", &text);
        let world = World::new()
            .await
            .without_login()
            .set("OS_CLOUD", cloud)
            .set("OS_CLIENT_CONFIG_FILE", file);
        let run = world.snapshot().await;
        let message = run.fails("InvalidConfiguration");
        assert!(message.contains(word), "{name}: {message}");
    }
    let world = World::new().await.without_login().set("OS_CLOUD", "blue");
    let nothing = Folder::new();
    let world = world.directory(nothing.path());
    let run = world.set("HOME", "/nonexistent").snapshot().await;
    run.fails_with("InvalidConfiguration", &["OS_CLOUD", "clouds.yaml"]);
}

//! Where the file is, and what lies beside it.

use secrecy::ExposeSecret;
use snapsentry::openstack::AuthMethod;
use snapsentry::settings::Interface;

use super::{AUTH, address, entry};
use crate::settings::world::{CREDENTIAL, PASSWORD, World};

#[test]
fn the_file_is_the_one_named_or_the_first_of_the_usual_places() {
    let file = |host: &str| entry(&AUTH.replace("cloud.example", host), &[]);
    let all = World::empty()
        .set("OS_CLOUD", "demo")
        .set("HOME", "/home/someone")
        .file("/etc/openstack/clouds.yaml", file("etc.example"));
    assert_eq!(address(&all), "https://etc.example:5000/v3");
    let all = all.file(
        "/home/someone/.config/openstack/clouds.yaml",
        file("home.example"),
    );
    assert_eq!(address(&all), "https://home.example:5000/v3");
    let all = all.file("clouds.yaml", file("here.example"));
    assert_eq!(address(&all), "https://here.example:5000/v3");
    let all = all.file("/var/task/own.yaml", file("named.example"));
    let named = all
        .clone()
        .set("OS_CLIENT_CONFIG_FILE", "/var/task/own.yaml");
    assert_eq!(address(&named), "https://named.example:5000/v3");

    let missing = all.clone().set("OS_CLIENT_CONFIG_FILE", "/nowhere.yaml");
    missing.fails(&["OS_CLIENT_CONFIG_FILE", "/nowhere.yaml"]);
    let nowhere = World::empty()
        .set("OS_CLOUD", "demo")
        .set("HOME", "/home/someone");
    nowhere.fails(&[
        "OS_CLOUD",
        "clouds.yaml, /home/someone/.config/openstack/clouds.yaml, /etc/openstack/clouds.yaml",
        "OS_CLIENT_CONFIG_FILE",
    ]);
    let forbidden = all.forbidden("clouds.yaml");
    forbidden.fails(&["clouds.yaml", "permission denied"]);
}

#[test]
fn a_named_file_with_one_entry_needs_no_os_cloud() {
    let named = World::empty()
        .set("OS_CLIENT_CONFIG_FILE", "/clouds.yaml")
        .file("/clouds.yaml", entry(AUTH, &[]));
    assert_eq!(address(&named), "https://cloud.example:5000/v3");
    let two = entry(AUTH, &[]) + "  other:\n    auth: {}\n";
    named
        .file("/clouds.yaml", two)
        .fails(&["OS_CLOUD", "\"demo\", \"other\""]);
}

#[test]
fn secure_yaml_beside_the_file_is_laid_over_it_key_by_key() {
    let open = "
      auth_url: https://cloud.example:5000
      application_credential_id: credential-id
      application_credential_secret: to be replaced";
    let secure = "clouds:
  demo:
    auth:
      application_credential_secret: not-a-secret-credential
    region_name: RegionTwo
  other:
    auth: {}
";
    let world = World::empty()
        .set("OS_CLOUD", "demo")
        .set("OS_CLIENT_CONFIG_FILE", "/x/clouds.yaml")
        .file(
            "/x/clouds.yaml",
            entry(open, &["region_name: RegionOne", "interface: admin"]),
        )
        .file("/x/secure.yaml", secure);
    let settings = world.settings();
    assert_eq!(
        settings.auth.auth_url.as_str(),
        "https://cloud.example:5000/v3"
    );
    assert_eq!(settings.region.as_deref(), Some("RegionTwo"));
    assert_eq!(settings.interface, Interface::Admin);
    let AuthMethod::ApplicationCredential { secret, .. } = settings.auth.method else {
        panic!()
    };
    assert_eq!(secret.expose_secret(), CREDENTIAL);
    let broken = world.file("/x/secure.yaml", format!("clouds: [{PASSWORD}"));
    broken.fails(&["/x/secure.yaml", "cannot be read"]);
}

//! An entry of a `clouds.yaml`, read as the OpenStack client reads it.

use proptest::prelude::*;
use secrecy::ExposeSecret;
use snapsentry::openstack::{ApplicationCredential, AuthMethod, Domain, Project, User};
use snapsentry::settings::Interface;

use crate::world::{CREDENTIAL, PASSWORD, WORD, World};

const AUTH: &str = "
      auth_url: https://cloud.example:5000
      application_credential_id: credential-id
      application_credential_secret: not-a-secret-credential";

/// The entry `demo` with this login and these other lines.
fn entry(auth: &str, rest: &[&str]) -> String {
    let rest: String = rest.iter().map(|line| format!("\n    {line}")).collect();
    format!("clouds:\n  demo:\n    auth:{auth}{rest}\n")
}

fn world(yaml: &str) -> World {
    World::empty()
        .set("OS_CLOUD", "demo")
        .file("clouds.yaml", yaml)
}

fn with(rest: &[&str]) -> World {
    world(&entry(AUTH, rest))
}

fn address(world: &World) -> String {
    world.settings().auth.auth_url.to_string()
}

#[test]
fn an_entry_with_an_application_credential_is_a_login() {
    let settings = with(&[
        "auth_type: v3applicationcredential",
        "identity_api_version: 3",
    ])
    .settings();
    assert_eq!(
        settings.auth.auth_url.as_str(),
        "https://cloud.example:5000/v3"
    );
    let AuthMethod::ApplicationCredential { credential, secret } = settings.auth.method else {
        panic!()
    };
    assert_eq!(
        credential,
        ApplicationCredential::Id("credential-id".to_owned())
    );
    assert_eq!(secret.expose_secret(), CREDENTIAL);
}

#[test]
fn an_entry_with_a_password_is_a_login_and_scalars_are_what_is_written() {
    let auth = "
      auth_url: https://cloud.example/identity/v3/
      username: 007
      user_domain_name: Default
      password: 0x1F
      project_id: 12345678901234567890123456789012";
    let AuthMethod::Password {
        user,
        password,
        project,
    } = world(&entry(auth, &[])).settings().auth.method
    else {
        panic!()
    };
    let domain = Domain::Name("Default".to_owned());
    assert_eq!(
        user,
        User::Name {
            name: "007".to_owned(),
            domain
        }
    );
    assert_eq!(password.expose_secret(), "0x1F");
    assert_eq!(
        project,
        Project::Id("12345678901234567890123456789012".to_owned())
    );
}

#[test]
fn a_domain_or_a_tenant_is_understood_by_its_other_names() {
    let base = "
      auth_url: https://cloud.example
      username: demo
      password: not-a-secret-password
      tenant_name: demo-project";
    let domains = |more: &str| {
        let auth = format!("{base}\n{more}");
        match world(&entry(&auth, &[])).settings().auth.method {
            AuthMethod::Password {
                user: User::Name { domain: user, .. },
                project: Project::Name { name, domain },
                ..
            } if name == "demo-project" => (user, domain),
            other => panic!("{other:?}"),
        }
    };
    let id = |text: &str| Domain::Id(text.to_owned());
    let name = |text: &str| Domain::Name(text.to_owned());
    let rows = [
        ("      domain_id: d", id("d"), id("d")),
        ("      domain_name: D", name("D"), name("D")),
        ("      default_domain_id: d", id("d"), id("d")),
        ("      default-domain-name: D", name("D"), name("D")),
        (
            "      domain_id: d\n      user_domain_name: U",
            name("U"),
            id("d"),
        ),
        (
            "      user-domain-id: u\n      project-domain-id: p",
            id("u"),
            id("p"),
        ),
    ];
    for (more, user, project) in rows {
        assert_eq!(domains(more), (user, project), "{more}");
    }
}

#[test]
fn every_key_beside_auth_is_read_and_the_environment_wins() {
    let rest = &[
        "region_name: RegionOne",
        "interface: internal",
        "verify: false",
        "identity_api_version: '3'",
        "auth_type: v3applicationcredential",
        "volume_api_version: 3",
        "networks: [{name: net, routes_externally: true}]",
    ];
    let settings = with(rest).settings();
    assert_eq!(settings.region.as_deref(), Some("RegionOne"));
    assert_eq!(settings.interface, Interface::Internal);
    assert!(settings.tls.insecure);
    let settings = with(rest)
        .set("OS_REGION_NAME", "RegionTwo")
        .set("OS_INTERFACE", "admin")
        .set("OS_INSECURE", "false")
        .settings();
    assert_eq!(settings.region.as_deref(), Some("RegionTwo"));
    assert_eq!(settings.interface, Interface::Admin);
    assert!(!settings.tls.insecure);
    assert_eq!(
        with(&["endpoint_type: adminURL"]).settings().interface,
        Interface::Admin
    );
}

#[test]
fn verify_insecure_and_cacert_say_how_certificates_are_checked() {
    let rows: [(&[&str], bool); 8] = [
        (&[], false),
        (&["verify: true"], false),
        (&["verify: false"], true),
        (&["verify: 'False'"], true),
        (&["verify: no"], true),
        (&["insecure: true"], true),
        (&["insecure: false", "verify: true"], false),
        (&["insecure: true", "verify: true"], true),
    ];
    for (rest, insecure) in rows {
        assert_eq!(with(rest).settings().tls.insecure, insecure, "{rest:?}");
    }
    with(&["verify: maybe"]).fails(&["verify in the entry \"demo\" of clouds.yaml", "maybe"]);
    let missing = with(&["cacert: /missing.pem"]);
    missing.fails(&["OS_CACERT", "cacert in the entry", "/missing.pem"]);
}

#[test]
fn the_first_region_is_taken_unless_the_environment_chooses_another() {
    let regions = &[
        "region_name: Ignored",
        "regions:",
        "- RegionOne",
        "- name: RegionTwo",
        "  values: {auth: {auth_url: 'https://two.example'}, interface: admin}",
        "- name: RegionThree",
    ];
    let settings = with(regions).settings();
    assert_eq!(settings.region.as_deref(), Some("RegionOne"));
    assert_eq!(
        settings.auth.auth_url.as_str(),
        "https://cloud.example:5000/v3"
    );

    let settings = with(regions).set("OS_REGION_NAME", "RegionTwo").settings();
    assert_eq!(settings.region.as_deref(), Some("RegionTwo"));
    assert_eq!(settings.auth.auth_url.as_str(), "https://two.example/v3");
    assert_eq!(settings.interface, Interface::Admin);

    let none = with(regions).set("OS_REGION_NAME", "regionone");
    none.fails(&[
        "OS_REGION_NAME",
        "regionone",
        "\"RegionOne\", \"RegionTwo\", \"RegionThree\"",
    ]);
    with(&["regions: [{values: {}}]"]).fails(&["clouds.yaml", "line"]);
    with(&["regions: [{name: x, vaules: {}}]"]).fails(&["clouds.yaml", "line"]);
    assert_eq!(
        with(&["regions: [7]"]).settings().region.as_deref(),
        Some("7")
    );
    assert_eq!(
        with(&["regions: []", "region_name: One"])
            .settings()
            .region
            .as_deref(),
        Some("One")
    );
}

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

#[test]
fn anchors_and_merge_keys_work_as_in_any_yaml() {
    let yaml = "
base: &base
  auth_url: https://cloud.example:5000
  application_credential_id: credential-id
  application_credential_secret: not-a-secret-credential
clouds:
  demo:
    auth:
      <<: *base
      application_credential_id: other-id
";
    let AuthMethod::ApplicationCredential { credential, .. } = world(yaml).settings().auth.method
    else {
        panic!()
    };
    assert_eq!(credential, ApplicationCredential::Id("other-id".to_owned()));
}

#[test]
fn a_vendors_profile_is_refused_with_what_to_write_instead() {
    with(&["profile: vexxhost"]).fails(&["profile", "demo", "not supported", "auth.auth_url"]);
    with(&["cloud: rackspace"]).fails(&["cloud", "demo", "not supported", "auth.auth_url"]);
    with(&["profile:"]).settings();
}

#[test]
fn a_key_of_auth_that_means_another_login_is_refused() {
    for key in ["token", "passcode", "trust_id", "system_scope", "usrname"] {
        let auth = format!("{AUTH}\n      {key}: {WORD}");
        let world = world(&entry(&auth, &[]));
        world.fails(&[&format!("auth.{key}"), "demo", "application_credential_id"]);
    }
}

#[test]
fn what_is_missing_in_an_entry_is_named_with_its_place() {
    let text = world("clouds:\n  demo:\n").fails(&["OS_AUTH_URL", "entry \"demo\" of clouds.yaml"]);
    assert!(text.contains("missing"), "{text}");
    let auth = "\n      auth_url: ftp://cloud.example\n      username: demo";
    world(&entry(auth, &["auth_type: token"])).fails(&[
        "OS_AUTH_URL (auth.auth_url in the entry \"demo\" of clouds.yaml): \"ftp://cloud.example\"",
        "OS_AUTH_TYPE (auth_type in",
        "token",
    ]);
    with(&["interface: private"]).fails(&["OS_INTERFACE (interface in", "private"]);
    with(&["identity_api_version: 2"]).fails(&["OS_IDENTITY_API_VERSION", "\"2\""]);
}

#[test]
fn a_file_that_is_no_clouds_yaml_is_refused_by_line_without_a_word_of_it() {
    let rows = [
        (String::new(), "clouds"),
        (format!("password: {PASSWORD}"), "\"clouds\""),
        (PASSWORD.to_owned(), "cannot be read"),
        (format!("clouds: {PASSWORD}"), "line 1"),
        (
            format!("clouds:\n  demo:\n    auth:\n      password: [{PASSWORD}]"),
            "line 4",
        ),
        (
            format!("clouds:\n  demo:\n    auth: '{PASSWORD}"),
            "cannot be read",
        ),
        (
            format!("clouds: {{}}\n---\npassword: {PASSWORD}"),
            "cannot be read",
        ),
        (
            format!("clouds:\n  demo: {{}}\n  demo: {{auth: {PASSWORD}}}"),
            "line 3",
        ),
    ];
    for (yaml, word) in rows {
        world(&yaml).fails(&["clouds.yaml", word]);
    }
    let binary = World::empty()
        .set("OS_CLOUD", "demo")
        .file("clouds.yaml", vec![0xff, 0xfe, 0]);
    binary.fails(&["clouds.yaml", "UTF-8"]);
    world("clouds: {}").fails(&["OS_CLOUD", "none"]);
}

#[test]
fn an_unknown_entry_is_refused_with_those_there_are() {
    let world = with(&[]).set("OS_CLOUD", "prod");
    world.fails(&["OS_CLOUD", "\"prod\"", "clouds.yaml", "\"demo\""]);
}

proptest! {
    #[test]
    fn no_damage_to_the_text_panics_or_brings_out_a_secret(
        noise in "[ -~\n]{0,20}",
        at in 0_usize..400,
        missing in 0_usize..5,
    ) {
        let whole = entry(AUTH, &["regions: [a, {name: b}]", "interface: admin"]);
        let at = at.min(whole.len());
        let rest = &whole[(at + missing).min(whole.len())..];
        let damaged = format!("{}{noise}{rest}", &whole[..at]);
        world(&damaged).survives();
        World::empty().secret(&damaged).survives();
    }
}
